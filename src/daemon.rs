//! The long run: a walker a site, signals, reload, stop, systemd.

mod mirror;
mod systemd;
mod walkers;

pub use mirror::export_now;

use crate::config::{Config, ConfigError};
use crate::poll::Pipeline;
use sd_notify::NotifyState;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use systemd::{Asked, Signals, monotonic_now, tell};
use tokio::sync::Notify;
use tracing::{error, info, warn};
use walkers::Running;

/// Before the store is opened again after it failed.
const REOPEN_AFTER: Duration = Duration::from_secs(5);
/// How often it is waited for that nobody uses the failed store any more.
const RELEASE_TRIES: u32 = 6;

/// Runs until SIGTERM or SIGINT; SIGHUP reloads.
pub async fn run(file: &Path) -> anyhow::Result<()> {
    let config = Config::load(file)?;
    let mut signals = Signals::new()?;
    let mut pipeline = Arc::new(tokio::task::spawn_blocking(|| Pipeline::open(config)).await??);
    info!(sites = pipeline.config.sites.len(), store = %pipeline.config.store.path.display(),
        export = %pipeline.config.export.path.display(), "diemtin {} started", env!("CARGO_PKG_VERSION"));
    let mut running = Running::start(&pipeline).await?;
    tell(&[NotifyState::Ready, NotifyState::Status(&running.answers.status())]);
    loop {
        match signals.next(&running.broken).await {
            Asked::Reopen => {
                running.stop().await;
                match reopened(pipeline, &mut signals).await? {
                    Some(new) => pipeline = new,
                    None => return Ok(()),
                }
                running = Running::start(&pipeline).await?;
                tell(&[NotifyState::Status(&running.answers.status())]);
            }
            Asked::Heartbeat => {
                tell(&[NotifyState::Watchdog, NotifyState::Status(&running.answers.status())]);
            }
            Asked::Reload => {
                tell(&[NotifyState::Reloading, monotonic_now()]);
                match reload(&pipeline, file).await {
                    Ok(new) => {
                        running.stop().await;
                        pipeline = Arc::new(new);
                        running = Running::start(&pipeline).await?;
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
    running.stop().await;
    running.answers.say();
    if pipeline.store.poisoned().is_none() {
        tokio::task::spawn_blocking(move || pipeline.store.sync()).await??;
    }
    info!("stopped");
    Ok(())
}

/// After a failed write: the store is let go and opened again, as often as it takes. None where a stop was asked for
/// meanwhile.
async fn reopened(pipeline: Arc<Pipeline>, signals: &mut Signals) -> anyhow::Result<Option<Arc<Pipeline>>> {
    let config = (*pipeline.config).clone();
    let store = Arc::downgrade(&pipeline.store);
    drop(pipeline);
    let mut tries = 0;
    loop {
        // longer and longer, up to a minute
        if pause(REOPEN_AFTER * (tries + 1).min(12), signals).await {
            return Ok(None);
        }
        tries += 1;
        if store.strong_count() > 0 {
            // what still holds it waits for sled, which may wait for ever: a new process is a way out
            anyhow::ensure!(
                tries < RELEASE_TRIES,
                "the failed store is still in use: the daemon ends, to be started again"
            );
            continue;
        }
        let config = config.clone();
        match tokio::task::spawn_blocking(|| Pipeline::open(config)).await? {
            Ok(pipeline) => {
                info!("the store is open again, change {}", pipeline.store.seq());
                return Ok(Some(Arc::new(pipeline)));
            }
            Err(why) => error!("the store cannot be opened again yet: {why:#}"),
        }
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
