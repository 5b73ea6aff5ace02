//! The long run: a walker a site, signals, reload, stop, systemd.

use crate::config::{Config, ConfigError, Site};
use crate::export::Mirror;
use crate::poll::{self, Pipeline, Round};
use crate::status;
use anyhow::Context;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use sd_notify::NotifyState;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::{error, info, warn};

/// How often systemd's watchdog is fed where it asks for less.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// The folder is brought up to date this long after the first change, so that one write serves many.
const EXPORT_AFTER: Duration = Duration::from_secs(2);

/// Two looks at a site's waiting pages are at least so far apart.
const RETRY_AT_LEAST: TimeDelta = TimeDelta::minutes(1);
/// Where the first so many sites do not answer, that is said before the rest is asked.
const EARLY_WORD: usize = 8;
/// How many parts of old pages are let go in one round.
const PRUNE: usize = 500;

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
        match signals.next().await {
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
    tokio::task::spawn_blocking(move || pipeline.store.sync()).await??;
    info!("stopped");
    Ok(())
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

/// The walkers and the exporter of one configuration.
struct Running {
    tasks: JoinSet<()>,
    answers: Arc<Answers>,
}

impl Running {
    async fn start(pipeline: &Arc<Pipeline>) -> anyhow::Result<Running> {
        let planned = pipeline.clone();
        let firsts = tokio::task::spawn_blocking(move || firsts(&planned, Utc::now())).await??;
        let mut tasks = JoinSet::new();
        let slots = Arc::new(Semaphore::new(pipeline.config.poll.concurrency));
        let answers = Arc::new(Answers { sites: firsts.len(), ..Answers::default() });
        // What an earlier run stored and could not export.
        pipeline.changed.notify_one();
        tasks.spawn(mirror(pipeline.clone()));
        for (site, first) in firsts {
            let walker = Walker { pipeline: pipeline.clone(), site, slots: slots.clone(), answers: answers.clone() };
            tasks.spawn(walker.walk(first));
        }
        Ok(Running { tasks, answers })
    }

    /// Every step of a walker is atomic or repeatable, so none is waited for.
    async fn stop(&mut self) {
        self.tasks.shutdown().await;
    }
}

/// When each site is polled first.
fn firsts(pipeline: &Pipeline, now: DateTime<Utc>) -> anyhow::Result<Vec<(Arc<Site>, DateTime<Utc>)>> {
    let sites = pipeline.config.sites.iter().enumerate();
    let first = |(nth, site): (usize, &Arc<Site>)| {
        let state = pipeline.store.site(&site.id).with_context(|| format!("site {}", site.id))?;
        Ok((site.clone(), poll::first(site, &state, &pipeline.config.poll, nth, now)))
    };
    sites.map(first).collect()
}

/// How the sites answered their first poll since the start, to say plainly when none does.
#[derive(Default)]
struct Answers {
    sites: usize,
    polled: AtomicUsize,
    answered: AtomicUsize,
}

impl Answers {
    fn first(&self, answered: bool) {
        self.answered.fetch_add(usize::from(answered), Ordering::Relaxed);
        let polled = self.polled.fetch_add(1, Ordering::Relaxed) + 1;
        if polled == self.sites || polled == EARLY_WORD {
            self.say();
        }
    }

    fn say(&self) {
        let (answered, polled) = (self.answered.load(Ordering::Relaxed), self.polled.load(Ordering::Relaxed));
        match answered {
            0 if polled > 0 => {
                warn!("NO SITE ANSWERED, of {polled} polled: is this machine connected to the Internet?")
            }
            _ => info!("{answered} of {polled} sites answered, {} in all", self.sites),
        }
    }

    fn status(&self) -> String {
        let (answered, polled) = (self.answered.load(Ordering::Relaxed), self.polled.load(Ordering::Relaxed));
        format!("{} sites, {polled} polled since the start, {answered} answered", self.sites)
    }
}

/// One site, for ever.
struct Walker {
    pipeline: Arc<Pipeline>,
    site: Arc<Site>,
    slots: Arc<Semaphore>,
    answers: Arc<Answers>,
}

impl Walker {
    async fn walk(self, first: DateTime<Utc>) {
        let mut feeds_at = first;
        let mut pages_at = None;
        let mut polled = false;
        loop {
            let next = pages_at.map_or(feeds_at, |pages_at: DateTime<Utc>| pages_at.min(feeds_at));
            tokio::time::sleep((next - Utc::now()).to_std().unwrap_or(Duration::ZERO)).await;
            let round = self.round(next >= feeds_at).await;
            if next >= feeds_at && !polled {
                polled = true;
                self.answers.first(round.as_ref().is_ok_and(|round| round.failure().is_none()));
            }
            (feeds_at, pages_at) = match round {
                Ok(round) => (round.next, round.retry.map(|at| at.max(Utc::now() + RETRY_AT_LEAST))),
                Err(why) => {
                    error!(site = self.site.id.as_str(), "{why}");
                    (Utc::now() + TimeDelta::from_std(self.site.every).unwrap_or(TimeDelta::MAX), None)
                }
            };
            self.pipeline.changed.notify_one();
        }
    }

    /// In a task of its own, so that a panic ends this round and not the walker.
    async fn round(&self, feeds: bool) -> anyhow::Result<Round> {
        let _slot = self.slots.acquire().await?;
        let (pipeline, site) = (self.pipeline.clone(), self.site.clone());
        let mut task = JoinSet::new();
        task.spawn(async move {
            match feeds {
                true => poll::poll(&pipeline, &site, now()).await,
                false => poll::retry(&pipeline, &site, now()).await,
            }
        });
        let done = task.join_next().await.context("the round was not started")?;
        done.context("the round stopped: a mistake of diemtin's own, please report it")?.context("the store failed")
    }
}

/// To the second: that is what is kept and shown.
fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(0)
}

/// Brings the export folder up to date whenever something changed.
async fn mirror(pipeline: Arc<Pipeline>) {
    loop {
        pipeline.changed.notified().await;
        tokio::time::sleep(EXPORT_AFTER).await;
        let round = pipeline.clone();
        let done = tokio::task::spawn_blocking(move || export_now(&round)).await;
        if let Err(why) = done.map_err(anyhow::Error::from).and_then(|done| done) {
            error!("the export folder could not be brought up to date, tried again in a minute: {why:#}");
            tokio::time::sleep(Duration::from_secs(60)).await;
            pipeline.changed.notify_one();
        }
    }
}

/// One round of the export, on the folder as it was left open, if it was.
pub fn export_now(pipeline: &Pipeline) -> anyhow::Result<()> {
    let mut open = pipeline.mirror.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let config = &pipeline.config.export;
    let mut mirror = match open.take() {
        Some((kept, mirror)) if kept == *config => mirror,
        _ => Mirror::open(config)?,
    };
    let keep = TimeDelta::from_std(pipeline.config.store.raw_pages).unwrap_or(TimeDelta::MAX);
    pipeline.store.prune_raw(keep, Utc::now(), PRUNE)?;
    let rows = status::rows(&pipeline.config, &pipeline.store)?;
    mirror.catch_up(&pipeline.store, &rows)?;
    *open = Some((config.clone(), mirror));
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
