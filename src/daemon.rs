//! The long run: a walker a site, signals, reload, stop, systemd.

mod mirror;
mod step;
mod systemd;
mod walk;
mod walkers;

pub use mirror::export_now;
pub use walk::{Clock, Plan, Round, walk};

use crate::config::{Config, ConfigError};
use crate::export::ExportError;
use crate::poll::Pipeline;
use crate::status::{Board, Server};
use crate::store::{Store, StoreError};
use chrono::{SubsecRound, Utc};
use sd_notify::NotifyState;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use step::Step;
use systemd::{Asked, Signals, monotonic_now, tell};
use tokio::sync::Notify;
use tokio::task::JoinError;
use tracing::{error, info, warn};
use walkers::Running;

/// Before the store is opened again after it failed.
const REOPEN_AFTER: Duration = Duration::from_secs(5);
/// How often it is waited for that nobody uses the failed store any more.
const RELEASE_TRIES: u32 = 6;
/// While the store is opened, and perhaps made again, systemd is asked to wait so much longer, as often as it is told
/// that we live; not for ever.
const LONGER: Duration = Duration::from_secs(120);
const LONGEST: Duration = Duration::from_secs(3600);
const OPENING: &str = "the store is being opened";

/// Runs until SIGTERM or SIGINT; SIGHUP reloads.
pub async fn run(file: &Path) -> anyhow::Result<()> {
    let config = Config::load(file)?;
    let mut signals = Signals::new()?;
    let board = Arc::new(Board::new(Utc::now().trunc_subsecs(0)));
    let mut server = Server::new(board.clone());
    server.follow(config.status.listen).await;
    let Some(mut pipeline) = opened(config, Weak::new(), &mut signals).await? else { return Ok(()) };
    info!(sites = pipeline.config.sites.len(), store = %pipeline.config.store.path.display(),
        export = %pipeline.config.export.path.display(), "diemtin {} started", env!("CARGO_PKG_VERSION"));
    let mut running = Running::start(&pipeline, &board).await?;
    tell(&[NotifyState::Ready, NotifyState::Status(&running.answers.status())]);
    let mut step = Step::begin(&pipeline);
    loop {
        match signals.next(&running.broken).await {
            Asked::Reopen => {
                running.stop().await;
                board.clear();
                match reopened(pipeline, &mut signals).await? {
                    Some(new) => {
                        pipeline = new;
                        info!("the store is open again, change {}", pipeline.store.seq());
                    }
                    None => return Ok(()),
                }
                running = Running::start(&pipeline, &board).await?;
                tell(&[NotifyState::Status(&running.answers.status())]);
            }
            Asked::Heartbeat if step.taken() => {
                tell(&[NotifyState::Watchdog, NotifyState::Status(&running.answers.status())]);
                step = Step::begin(&pipeline);
            }
            // what keeps the walkers from stepping is for the watchdog
            Asked::Heartbeat => {}
            Asked::Reload => {
                tell(&[NotifyState::Reloading, monotonic_now()]);
                match reload(&pipeline, file).await {
                    Ok(new) => {
                        running.stop().await;
                        pipeline = Arc::new(new);
                        server.follow(pipeline.config.status.listen).await;
                        running = Running::start(&pipeline, &board).await?;
                        info!(sites = pipeline.config.sites.len(), "configuration reloaded");
                    }
                    Err(why) => error!("configuration not reloaded, the old one stays: {}", one_line(&why)),
                }
                tell(&[NotifyState::Ready, NotifyState::Status(&running.answers.status())]);
            }
            Asked::Stop => break,
        }
    }
    tell(&[NotifyState::Stopping]);
    info!("stopping");
    server.stop().await;
    running.stop().await;
    board.clear();
    running.answers.say();
    if pipeline.store.poisoned().is_none() {
        tokio::task::spawn_blocking(move || pipeline.store.sync()).await??;
    }
    info!("stopped");
    Ok(())
}

/// After a failed write: the store is let go and opened again. None where a stop was asked for meanwhile.
async fn reopened(pipeline: Arc<Pipeline>, signals: &mut Signals) -> anyhow::Result<Option<Arc<Pipeline>>> {
    let (config, old) = ((*pipeline.config).clone(), Arc::downgrade(&pipeline.store));
    drop(pipeline);
    opened(config, old, signals).await
}

/// As often as it takes, unless another try cannot help. `old` is a failed store that must be let go first.
async fn opened(config: Config, old: Weak<Store>, signals: &mut Signals) -> anyhow::Result<Option<Arc<Pipeline>>> {
    let first = old.ptr_eq(&Weak::new());
    for tries in 1.. {
        if old.strong_count() == 0 {
            let config = config.clone();
            let Some(opened) = told_meanwhile(config, signals).await else { break };
            match opened? {
                Ok(pipeline) => return Ok(Some(Arc::new(pipeline))),
                Err(why) if first && !may_pass(&why) => return Err(why),
                Err(why) => error!("the store cannot be opened yet: {why:#}"),
            }
        }
        // what still holds it waits for sled, which may wait for ever: a new process is a way out
        anyhow::ensure!(
            old.strong_count() == 0 || tries < RELEASE_TRIES,
            "the failed store is still in use: the daemon ends, to be started again"
        );
        // longer and longer, up to a minute
        if pause(REOPEN_AFTER * tries.min(12), signals).await {
            break;
        }
    }
    Ok(None)
}

/// Opens it, which takes long where it has to be made again; systemd is told so. None where a stop was asked for: what
/// was begun is begun again at the next start.
async fn told_meanwhile(config: Config, signals: &mut Signals) -> Option<Result<anyhow::Result<Pipeline>, JoinError>> {
    let (never, began) = (Notify::new(), Instant::now());
    let mut open = tokio::task::spawn_blocking(|| Pipeline::open(config));
    loop {
        let asked = tokio::select! {
            opened = &mut open => return Some(opened),
            asked = signals.next(&never) => asked,
        };
        match asked {
            Asked::Stop => return None,
            Asked::Heartbeat if began.elapsed() < LONGEST => {
                let longer = u32::try_from(LONGER.as_micros()).unwrap_or(u32::MAX);
                tell(&[NotifyState::Watchdog, NotifyState::ExtendTimeoutUsec(longer), NotifyState::Status(OPENING)]);
            }
            Asked::Reload => warn!("the configuration is not reloaded while the store is opened"),
            Asked::Heartbeat | Asked::Reopen => {}
        }
    }
}

/// A full disk, a failing one: not a store held by another, one that must not be written, nor a wrong configuration.
fn may_pass(why: &anyhow::Error) -> bool {
    let store = match why.downcast_ref::<ExportError>() {
        Some(ExportError::Store(store)) => Some(store),
        Some(ExportError::Io { .. }) => return true,
        _ => why.downcast_ref::<StoreError>(),
    };
    match store {
        Some(StoreError::Io(why)) => !["Permission denied", "Read-only"].iter().any(|lasting| why.contains(lasting)),
        store => matches!(store, Some(StoreError::Poisoned { .. })),
    }
}

/// True where a stop was asked for.
async fn pause(wait: Duration, signals: &mut Signals) -> bool {
    let (never, until) = (Notify::new(), tokio::time::Instant::now() + wait);
    loop {
        match tokio::time::timeout_at(until, signals.next(&never)).await {
            Ok(Asked::Stop) => return true,
            Ok(Asked::Heartbeat) => tell(&[NotifyState::Watchdog]),
            Ok(Asked::Reload) => warn!("the configuration is not reloaded while the store is closed"),
            Ok(Asked::Reopen) => {}
            Err(_) => return false,
        }
    }
}

async fn reload(pipeline: &Arc<Pipeline>, file: &Path) -> anyhow::Result<Pipeline> {
    let (pipeline, file) = (pipeline.clone(), file.to_owned());
    let load = move || {
        let config = Config::load(&file)?;
        let (old, new) = (&pipeline.config.store.path, &config.store.path);
        anyhow::ensure!(old == new, "[store] path moved from {} to {}: restart for that", old.display(), new.display());
        pipeline.reloaded(config)
    };
    tokio::task::spawn_blocking(load).await?
}

/// The mistakes of a configuration without their source lines, which a log would tear apart.
fn one_line(why: &anyhow::Error) -> String {
    match why.downcast_ref::<ConfigError>() {
        Some(wrong) => wrong.mistakes.iter().filter_map(|m| m.lines().next()).collect::<Vec<_>>().join("; "),
        None => format!("{why:#}"),
    }
}
