//! A walker a site, and whether there is room for what it brings.

use super::mirror;
use super::walk::{self, Clock, Plan, walk};
use crate::config::Site;
use crate::fetch::Gate;
use crate::poll::{self, Pipeline, Round};
use crate::status::{self, Board};
use anyhow::Context;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tracing::{error, info, warn};

/// Where the first so many sites do not answer, that is said before the rest is asked.
const EARLY_WORD: usize = 8;
/// So that many changes make one message.
const TELL_AFTER: Duration = Duration::from_secs(5);
/// How long pages that are due wait after a start.
const PAGES_AFTER: TimeDelta = TimeDelta::minutes(1);
/// So that feeds that name their hubs at once are seen at once.
const ASK_HUBS_AFTER: Duration = Duration::from_secs(1);
/// Between two looks at what is agreed with hubs.
const LOOK_AT_HUBS: Duration = Duration::from_secs(600);
/// Between two looks at the free space.
const LOOK_FOR_ROOM: Duration = Duration::from_secs(30);

/// The walkers and the exporter of one configuration.
pub struct Running {
    tasks: JoinSet<()>,
    /// Told when the store refuses everything.
    pub broken: Arc<Notify>,
    pub answers: Arc<Answers>,
}

impl Running {
    pub async fn start(pipeline: &Arc<Pipeline>, board: &Arc<Board>) -> anyhow::Result<Running> {
        board.pin(pipeline);
        let planned = pipeline.clone();
        let firsts = tokio::task::spawn_blocking(move || firsts(&planned, Utc::now())).await??;
        status::insecure_sites(&pipeline.config);
        let mut tasks = JoinSet::new();
        let slots = Arc::new(Semaphore::new(pipeline.config.poll.concurrency));
        let lanes = Arc::new(Gate::new(Duration::ZERO));
        let answers = Arc::new(Answers { sites: firsts.len(), ..Answers::default() });
        // What an earlier run stored and could not export.
        pipeline.changed.notify_one();
        let broken = Arc::new(Notify::new());
        tasks.spawn(mirror::mirror(pipeline.clone(), broken.clone()));
        let (room, has_room) = watch::channel(poll::short_of_room(&pipeline.config).is_none());
        for (site, first) in firsts {
            let walker = Walker {
                pipeline: pipeline.clone(),
                site,
                lanes: lanes.clone(),
                slots: slots.clone(),
                answers: answers.clone(),
                board: board.clone(),
                broken: broken.clone(),
                has_room: has_room.clone(),
                polled: Arc::default(),
            };
            tasks.spawn(walker.walk(first));
        }
        tasks.spawn(tell_changes(pipeline.clone()));
        tasks.spawn(keep_subscriptions(pipeline.clone()));
        tasks.spawn(watch_room(pipeline.clone(), room, answers.clone()));
        Ok(Running { tasks, broken, answers })
    }

    /// Every step of a walker is atomic or repeatable, so none is waited for.
    pub async fn stop(&mut self) {
        self.tasks.shutdown().await;
    }
}

/// When each site is polled first.
fn firsts(pipeline: &Pipeline, now: DateTime<Utc>) -> anyhow::Result<Vec<(Arc<Site>, Plan)>> {
    let all = pipeline.config.sites.len();
    let sites = pipeline.config.sites.iter().enumerate();
    let first = |(nth, site): (usize, &Arc<Site>)| {
        let of = || format!("site {}", site.id);
        poll::renew(&pipeline.store, site, now).with_context(of)?;
        let state = pipeline.store.site(&site.id).with_context(of)?;
        let feeds = poll::first(site, &state, &pipeline.config.poll, (nth, all), now);
        // the next poll of the feeds may be far
        let pages = pipeline.store.next_due(&site.id)?.map(|due| due.max(now + PAGES_AFTER));
        Ok((site.clone(), Plan { feeds, pages }))
    };
    sites.map(first).collect()
}

/// How the sites answered their first poll since the start, to say plainly when none does.
#[derive(Default)]
pub struct Answers {
    sites: usize,
    polled: AtomicUsize,
    answered: AtomicUsize,
    /// Why nothing is polled.
    paused: Mutex<Option<String>>,
}

impl Answers {
    fn first(&self, answered: bool) {
        self.answered.fetch_add(usize::from(answered), Ordering::Relaxed);
        let polled = self.polled.fetch_add(1, Ordering::Relaxed) + 1;
        if polled == self.sites || polled == EARLY_WORD {
            self.say();
        }
    }

    pub fn say(&self) {
        let (answered, polled) = (self.answered.load(Ordering::Relaxed), self.polled.load(Ordering::Relaxed));
        match answered {
            0 if polled > 0 => {
                warn!("NO SITE ANSWERED, of {polled} polled: is this machine connected to the Internet?")
            }
            _ => info!("{answered} of {polled} sites answered, {} in all", self.sites),
        }
    }

    fn pause(&self, why: Option<String>) {
        *self.paused.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = why;
    }

    /// For `systemctl status`.
    pub fn status(&self) -> String {
        if let Some(why) = self.paused.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone() {
            return why;
        }
        let (answered, polled) = (self.answered.load(Ordering::Relaxed), self.polled.load(Ordering::Relaxed));
        format!("{} sites, {polled} polled since the start, {answered} answered", self.sites)
    }
}

/// One site, for ever.
#[derive(Clone)]
struct Walker {
    pipeline: Arc<Pipeline>,
    site: Arc<Site>,
    /// Sites of one host line up before they take a slot, so that a slow host takes no more than one.
    lanes: Arc<Gate>,
    slots: Arc<Semaphore>,
    answers: Arc<Answers>,
    board: Arc<Board>,
    broken: Arc<Notify>,
    has_room: watch::Receiver<bool>,
    polled: Arc<AtomicBool>,
}

impl Walker {
    async fn walk(self, first: Plan) {
        let woken = || self.pipeline.woken(&self.site.id);
        walk(Clock::System, first, woken, |what| self.clone().plan(what)).await;
    }

    /// A round, and when the next ones are; none where there will be none.
    async fn plan(mut self, what: walk::Round) -> Option<Plan> {
        // An error: the watcher is gone, and so will be this walker.
        self.has_room.wait_for(|has_room| *has_room).await.ok()?;
        let round = self.round(what).await;
        if what == walk::Round::Feeds && !self.polled.swap(true, Ordering::Relaxed) {
            self.answers.first(round.as_ref().is_ok_and(|round| round.failure().is_none()));
        }
        let plan = match round {
            Ok(round) => Plan { feeds: round.next, pages: round.retry },
            Err(why) => {
                error!(site = self.site.id.as_str(), "{why:#}");
                if self.pipeline.store.poisoned().is_some() {
                    self.broken.notify_one();
                    return None;
                }
                let every = TimeDelta::from_std(self.site.every).unwrap_or(TimeDelta::MAX);
                Plan { feeds: Utc::now() + every, pages: None }
            }
        };
        self.pipeline.polled.notify_one();
        Some(plan)
    }

    /// In a task of its own, so that a panic ends this round and not the walker.
    async fn round(&self, what: walk::Round) -> anyhow::Result<Round> {
        // a site has feeds, and they have hosts
        let host = self.site.feeds.first().and_then(|feed| feed.host_str()).unwrap_or_default();
        let _lane = self.lanes.enter(host).await;
        let _slot = self.slots.acquire().await?;
        let (pipeline, site) = (self.pipeline.clone(), self.site.clone());
        let mut task = JoinSet::new();
        let began = Instant::now();
        task.spawn(async move {
            match what {
                walk::Round::Feeds => poll::poll_due(&pipeline, &site, now()).await,
                walk::Round::Pages => poll::retry(&pipeline, &site, now()).await,
            }
        });
        let done = task.join_next().await.context("the round was not started")?;
        let done = done.context("the round stopped: a mistake of diemtin's own, please report it");
        let done = done.and_then(|round| round.context("the store failed"));
        match &done {
            Ok(round) => self.board.counters.round(round, began.elapsed()),
            Err(_) => self.board.counters.broken(),
        }
        done
    }
}

/// Of sites whose state changed, those of a few seconds in one message.
async fn tell_changes(pipeline: Arc<Pipeline>) {
    let start = pipeline.clone();
    let queued = tokio::task::spawn_blocking(move || status::waiting(&start)).await;
    if let Err(why) = queued.map_err(anyhow::Error::from).and_then(|queued| Ok(queued?)) {
        error!("what was not told of sites cannot be read: {why:#}");
    }
    loop {
        pipeline.alerts.more.notified().await;
        tokio::time::sleep(TELL_AFTER).await;
        status::deliver(&pipeline).await;
    }
}

/// Asks hubs for what is due, every so often and when a feed names one.
async fn keep_subscriptions(pipeline: Arc<Pipeline>) {
    loop {
        if let Err(why) = poll::websub::keep(&pipeline, now()).await {
            error!("hubs cannot be asked: {why}");
        }
        // either way it is time for another look
        drop(tokio::time::timeout(LOOK_AT_HUBS, pipeline.hubs.notified()).await);
        tokio::time::sleep(ASK_HUBS_AFTER).await;
    }
}

/// Looks at the disks every half minute; says it when polling pauses and when it goes on.
async fn watch_room(pipeline: Arc<Pipeline>, room: watch::Sender<bool>, answers: Arc<Answers>) {
    let mut before = None;
    loop {
        let now = poll::short_of_room(&pipeline.config);
        match (&before, &now) {
            (None, Some(why)) => error!("{why}"),
            (Some(_), None) => info!("there is room again: polling goes on"),
            _ => {}
        }
        if before.is_some() != now.is_some() {
            answers.pause(now.clone());
            pipeline.turned.store(true, Ordering::Relaxed);
        }
        // nothing else asks for a round while nothing is polled, and a round lets go of what is old
        if before.is_some() || now.is_some() {
            pipeline.changed.notify_one();
        }
        room.send_replace(now.is_none());
        before = now;
        tokio::time::sleep(LOOK_FOR_ROOM).await;
    }
}

/// To the second: that is what is kept and shown.
fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[tokio::test(start_paused = true)]
    async fn while_there_is_no_room_what_is_old_is_let_go_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        let site = "[[site]]\nid = \"a\"\nname = \"A\"\nprovince = \"Huế\"\nkind = \"party\"";
        let feeds = "feeds = [\"https://a.example/rss\"]";
        std::fs::write(&file, format!("[store]\nmin_free = \"900 PiB\"\n{site}\n{feeds}\n")).unwrap();
        let pipeline = Arc::new(Pipeline::open(Config::load(&file).unwrap()).unwrap());
        let (room, has_room) = watch::channel(true);
        let watching = tokio::spawn(watch_room(pipeline.clone(), room, Arc::default()));
        for _round in 0..3 {
            let asked = tokio::time::timeout(2 * LOOK_FOR_ROOM, pipeline.changed.notified()).await;
            assert!(asked.is_ok(), "no round is asked for");
            assert!(!*has_room.borrow());
        }
        watching.abort();
    }
}
