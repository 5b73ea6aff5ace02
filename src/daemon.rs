//! The long run: a walker a site, signals, reload, stop, systemd.

use crate::config::{Config, ConfigError, Site};
use crate::export::Mirror;
use crate::poll::{self, Desk};
use crate::status;
use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use sd_notify::NotifyState;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tracing::{error, info, warn};

/// How often systemd's watchdog is fed where it asks for less.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// The folder is brought up to date this long after the first change, so that one write serves many.
const EXPORT_AFTER: Duration = Duration::from_secs(2);

/// How many parts of old pages are let go in one round.
const PRUNE: usize = 500;

/// Runs until SIGTERM or SIGINT; SIGHUP reloads.
pub async fn run(file: &Path) -> anyhow::Result<()> {
    let config = Config::load(file)?;
    let mut signals = Signals::new()?;
    let mut desk = Arc::new(tokio::task::spawn_blocking(|| Desk::open(config)).await??);
    info!(sites = desk.config.sites.len(), store = %desk.config.store.path.display(),
        export = %desk.config.export.path.display(), "diemtin {} started", env!("CARGO_PKG_VERSION"));
    let mut running = Running::start(&desk)?;
    tell(&[NotifyState::Ready, NotifyState::Status(&running.status)]);
    loop {
        match signals.next().await {
            Asked::Heartbeat => tell(&[NotifyState::Watchdog]),
            Asked::Reload => {
                tell(&[NotifyState::Reloading, monotonic_now()]);
                match reload(&desk, file) {
                    Ok(new) => {
                        running.stop().await;
                        desk = Arc::new(new);
                        running = Running::start(&desk)?;
                        info!(sites = desk.config.sites.len(), "configuration reloaded");
                    }
                    Err(why) => error!("configuration not reloaded, the old one stays: {}", one_line(&why)),
                }
                tell(&[NotifyState::Ready, NotifyState::Status(&running.status)]);
            }
            Asked::Stop => break,
        }
    }
    tell(&[NotifyState::Stopping]);
    info!("stopping");
    running.stop().await;
    tokio::task::spawn_blocking(move || desk.store.sync()).await??;
    info!("stopped");
    Ok(())
}

fn reload(desk: &Desk, file: &Path) -> anyhow::Result<Desk> {
    let config = Config::load(file)?;
    let (old, new) = (&desk.config.store.path, &config.store.path);
    anyhow::ensure!(old == new, "[store] path moved from {} to {}: restart for that", old.display(), new.display());
    desk.reloaded(config)
}

/// The mistakes of a configuration without their source lines, which a log would tear apart.
fn one_line(why: &anyhow::Error) -> String {
    match why.downcast_ref::<ConfigError>() {
        Some(wrong) => wrong.mistakes.iter().filter_map(|m| m.lines().next()).collect::<Vec<_>>().join("; "),
        None => format!("{why:#}"),
    }
}

/// The walkers and the exporter of one configuration.
struct Running {
    tasks: JoinSet<()>,
    status: String,
}

impl Running {
    fn start(desk: &Arc<Desk>) -> anyhow::Result<Running> {
        let mut tasks = JoinSet::new();
        let slots = Arc::new(Semaphore::new(desk.config.poll.concurrency));
        let changed = Arc::new(Notify::new());
        // What an earlier run stored and could not export.
        changed.notify_one();
        tasks.spawn(mirror(desk.clone(), changed.clone()));
        let now = Utc::now();
        for (nth, site) in desk.config.sites.iter().enumerate() {
            let state = desk.store.site(&site.id).with_context(|| format!("site {}", site.id))?;
            let first = poll::first(&state, nth, site.every, now);
            tasks.spawn(walk(desk.clone(), site.clone(), first, slots.clone(), changed.clone()));
        }
        let status = format!("{} sites", desk.config.sites.len());
        Ok(Running { tasks, status })
    }

    /// Every step of a walker is atomic or repeatable, so none is waited for.
    async fn stop(&mut self) {
        self.tasks.shutdown().await;
    }
}

/// One site, for ever.
async fn walk(desk: Arc<Desk>, site: Arc<Site>, first: DateTime<Utc>, slots: Arc<Semaphore>, changed: Arc<Notify>) {
    let mut next = first;
    loop {
        let wait = (next - Utc::now()).to_std().unwrap_or(Duration::ZERO);
        tokio::time::sleep(wait).await;
        let Ok(_slot) = slots.acquire().await else { return };
        next = match poll::poll(&desk, &site, Utc::now()).await {
            Ok(round) => {
                changed.notify_one();
                round.next
            }
            Err(why) => {
                error!(site = %site.id, "the store failed, the site is tried again in a minute: {why}");
                Utc::now() + TimeDelta::minutes(1)
            }
        };
    }
}

/// Brings the export folder up to date whenever something changed.
async fn mirror(desk: Arc<Desk>, changed: Arc<Notify>) {
    let mut open = None;
    loop {
        changed.notified().await;
        tokio::time::sleep(EXPORT_AFTER).await;
        let (desk, kept) = (desk.clone(), open.take());
        let done = tokio::task::spawn_blocking(move || round(&desk, kept)).await;
        match done {
            Ok(Ok(mirror)) => open = Some(mirror),
            Ok(Err(why)) => {
                error!("the export folder could not be brought up to date, tried again in a minute: {why:#}");
                tokio::time::sleep(Duration::from_secs(60)).await;
                changed.notify_one();
            }
            Err(stopped) => error!("the export stopped: {stopped}"),
        }
    }
}

/// One round of the export, on the folder as it was left open, if it was.
fn round(desk: &Desk, open: Option<Mirror>) -> anyhow::Result<Mirror> {
    let mut mirror = open.map_or_else(|| Mirror::open(&desk.config.export), Ok)?;
    let keep = TimeDelta::from_std(desk.config.store.raw_pages).unwrap_or(TimeDelta::MAX);
    desk.store.prune_raw(keep, Utc::now(), PRUNE)?;
    let rows = status::rows(&desk.config, &desk.store)?;
    mirror.catch_up(&desk.store, &rows)?;
    Ok(mirror)
}

/// One round of the export, for a caller that stops afterwards.
pub fn export_now(desk: &Desk) -> anyhow::Result<()> {
    round(desk, None)?;
    Ok(())
}

enum Asked {
    Heartbeat,
    Reload,
    Stop,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    heartbeat: tokio::time::Interval,
}

impl Signals {
    fn new() -> anyhow::Result<Signals> {
        let every = sd_notify::watchdog_enabled().map_or(HEARTBEAT, |limit| limit / 3);
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            heartbeat: tokio::time::interval(every.max(Duration::from_millis(100))),
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.hangup.recv() => Asked::Reload,
            _ = self.heartbeat.tick() => Asked::Heartbeat,
        }
    }
}

/// To systemd, if it started us; without it there is nobody to tell.
fn tell(states: &[NotifyState]) {
    if let Err(why) = sd_notify::notify(states) {
        warn!("systemd was not reached: {why}");
    }
}

fn monotonic_now() -> NotifyState<'static> {
    // Fails only without CLOCK_MONOTONIC, which Linux always has; systemd then takes the time of arrival.
    NotifyState::monotonic_usec_now().unwrap_or(NotifyState::MonotonicUsec(0))
}
