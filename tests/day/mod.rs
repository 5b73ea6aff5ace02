//! A day of polling that passes in seconds: the real walk, gate and decisions, on a clock that jumps; servers and feeds are
//! made up. What must hold at every request is checked there.

use chrono::{DateTime, TimeDelta, Utc};
use diemtin::article::{Entry, Id};
use diemtin::daemon::{Clock, Plan, walk};
use diemtin::fetch::{Facts, FetchError, Gate, Validators};
use diemtin::parse::Schedule;
use diemtin::poll::decide::{self, Bounds, Case, Heard, Shown, Turn, Which};
use diemtin::store::FeedState;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::LocalSet;
use tokio::time::Instant;
use url::Url;

#[derive(Clone, Copy, Debug)]
pub struct Scale {
    pub feeds: usize,
    pub hosts: usize,
    pub hours: i64,
    pub seed: u64,
}

/// What happened, and what should not have.
#[derive(Clone, Default, Debug)]
pub struct Told {
    pub polls: usize,
    pub failed: usize,
    pub settled: u64,
    /// Entries that came and went between two polls, and how often that was noticed.
    pub missed: u64,
    pub rolled_over: u64,
    pub wrong: Vec<String>,
}

const BOUNDS: Bounds = Bounds {
    every: Duration::from_secs(20 * 60),
    at_least: Duration::from_secs(10 * 60),
    at_most: Duration::from_secs(24 * 3600),
    pushed: false,
};
const GAP: Duration = Duration::from_secs(1);
const SLOTS: usize = 64;

/// How a server behaves.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Manner {
    Well,
    /// No validators.
    Plain,
    MaxAge(u64),
    /// Now and then 503, with Retry-After.
    Busy(i64),
    /// Now and then 500 for hours.
    Failing,
    /// Now and then a page in place of the feed.
    Maintenance,
    /// Now and then no answer for a minute.
    Silent,
}

struct Feed {
    url: Url,
    host: usize,
    manner: Manner,
    /// Milliseconds of an answer.
    takes: u64,
    /// Seconds from one entry to the next; only from 8 to 17 o'clock, if so.
    apart: i64,
    office_hours: bool,
    window: i64,
    dated: bool,
    state: FeedState,
    asked: Option<DateTime<Utc>>,
    /// Entries up to this number were shown to us.
    known: i64,
    missed: i64,
}

struct Host {
    in_flight: usize,
    ended: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    /// For how long in all it asked not to be asked.
    held: TimeDelta,
}

struct World {
    scale: Scale,
    start: DateTime<Utc>,
    feeds: Vec<Feed>,
    hosts: Vec<Host>,
    told: Told,
}

/// The same for ever.
fn chance(seed: u64, what: &str, n: usize) -> u64 {
    let hash = blake3::hash(format!("{seed} {what} {n}").as_bytes());
    u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("32 bytes"))
}

impl Feed {
    fn new(scale: &Scale, n: usize) -> Feed {
        let chance = |what: &str, of: u64| chance(scale.seed, what, n) % of;
        let host = usize::try_from(chance("host", scale.hosts as u64)).expect("a small number");
        let manner = match chance("manner", 100) {
            0..10 => Manner::Plain,
            10..17 => Manner::MaxAge(60 * (1 + chance("age", 300))),
            17..24 => Manner::Busy(60 + i64::try_from(chance("until", 20_000)).expect("small")),
            24..30 => Manner::Failing,
            30..33 => Manner::Maintenance,
            33..36 => Manner::Silent,
            _ => Manner::Well,
        };
        // from a quarter of an hour to ten days, most in between
        let apart = 900.0 * 960_f64.powf(chance("apart", 1000) as f64 / 1000.0);
        Feed {
            url: format!("http://h{host}.example/{n}.xml").parse().expect("an address"),
            host,
            manner,
            takes: 30 + chance("takes", 800),
            apart: apart as i64,
            office_hours: chance("office", 2) == 0,
            window: 5 + i64::try_from(chance("window", 26)).expect("small"),
            dated: chance("dated", 5) > 0,
            state: FeedState::default(),
            asked: None,
            known: -1,
            missed: 0,
        }
    }

    /// The number of the newest entry.
    fn head(&self, at: DateTime<Utc>) -> i64 {
        let open = if self.office_hours {
            let (days, second) = (at.timestamp().div_euclid(86_400), at.timestamp().rem_euclid(86_400));
            days * 9 * 3600 + (second - 8 * 3600).clamp(0, 9 * 3600)
        } else {
            at.timestamp()
        };
        open / self.apart
    }

    /// When an entry was published, to the minute or so.
    fn published(&self, number: i64) -> DateTime<Utc> {
        let open = number * self.apart;
        let at = if self.office_hours {
            open.div_euclid(9 * 3600) * 86_400 + 8 * 3600 + open.rem_euclid(9 * 3600)
        } else {
            open
        };
        DateTime::from_timestamp(at, 0).expect("a time")
    }

    fn entries(&self, at: DateTime<Utc>) -> Vec<Entry> {
        let head = self.head(at);
        let entry = |number: i64| {
            let url = self.url.join(&format!("/{}/{number}", self.url.path())).expect("an address");
            let published = self.dated.then(|| self.published(number).fixed_offset());
            Entry {
                id: Id::of(&url),
                url,
                title: None,
                published,
                updated: None,
                authors: Vec::new(),
                summary: None,
                content: None,
            }
        };
        (head - self.window + 1..=head).rev().map(entry).collect()
    }

    /// Whether it is one of the hours in which the server misbehaves.
    fn off(&self, at: DateTime<Utc>) -> bool {
        let phase = i64::try_from(chance(0, self.url.as_str(), self.host) % 9).expect("small");
        (at.timestamp() / 3600 + phase) % 9 < 2
    }
}

/// What a server says, and how long it takes.
enum Says {
    Error(FetchError),
    NotModified,
    Same,
    Page,
    Feed,
}

fn says(feed: &Feed, at: DateTime<Utc>) -> Says {
    let off = feed.off(at);
    match feed.manner {
        Manner::Busy(wait) if off => {
            Says::Error(FetchError::Busy { status: 503, until: Some(at + TimeDelta::seconds(wait)) })
        }
        Manner::Failing if off => Says::Error(FetchError::Status { status: 500 }),
        Manner::Silent if off => Says::Error(FetchError::Network("the server fell silent".to_owned())),
        Manner::Maintenance if off => Says::Page,
        _ if feed.head(at) != feed.known || feed.state.body_hash.is_none() => Says::Feed,
        Manner::Plain => Says::Same,
        _ => Says::NotModified,
    }
}

/// A whole run.
pub fn simulate(scale: Scale) -> Told {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let start: DateTime<Utc> = "2026-03-11T05:00:00Z".parse().expect("a time");
    let host = |_| Host { in_flight: 0, ended: None, until: None, held: TimeDelta::zero() };
    let feeds = (0..scale.feeds).map(|n| Feed::new(&scale, n)).collect();
    let hosts = (0..scale.hosts).map(host).collect();
    let world = Rc::new(RefCell::new(World { scale, start, feeds, hosts, told: Told::default() }));
    LocalSet::new().block_on(&runtime, run(world.clone()));
    let mut world = world.borrow_mut();
    finish(&mut world);
    std::mem::take(&mut world.told)
}

async fn run(world: Rc<RefCell<World>>) {
    let (start, scale) = (world.borrow().start, world.borrow().scale);
    let clock = Clock::From(start, Instant::now());
    let (gate, lanes) = (Rc::new(Gate::new(GAP)), Rc::new(Gate::new(Duration::ZERO)));
    let slots = Rc::new(Semaphore::new(SLOTS));
    for n in 0..scale.feeds {
        let first = start + TimeDelta::milliseconds((2000 * n as i64).min(1_200_000 * n as i64 / scale.feeds as i64));
        let (world, gate, lanes, slots) = (world.clone(), gate.clone(), lanes.clone(), slots.clone());
        let first = Plan { feeds: first, pages: None };
        tokio::task::spawn_local(walk(clock, first, std::future::pending, move |_| {
            let (world, gate, lanes, slots) = (world.clone(), gate.clone(), lanes.clone(), slots.clone());
            async move {
                let host = format!("h{}.example", world.borrow().feeds[n].host);
                let _lane = lanes.enter(&host).await;
                let _slot = slots.acquire().await.expect("never closed");
                poll(&world, n, &host, &gate, clock).await;
                let now = clock.now();
                let next = world.borrow().feeds[n].state.next.unwrap_or(now);
                Some(Plan { feeds: next.max(now + TimeDelta::seconds(1)), pages: None })
            }
        }));
    }
    tokio::time::sleep(Duration::from_secs(3600 * scale.hours.unsigned_abs())).await;
}

async fn poll(world: &RefCell<World>, n: usize, host: &str, gate: &Gate, clock: Clock) {
    let (url, before) = (world.borrow().feeds[n].url.clone(), world.borrow().feeds[n].state.clone());
    if decide::turn(&before, Which::Due, clock.now()) != Turn::Ask {
        return;
    }
    let asked = decide::question(&url, &before);
    let decide = |heard: Heard, facts: &Facts, now: DateTime<Utc>| {
        decide::decide(Case { url: &url, before: &before, asked: &asked, facts, bounds: &BOUNDS, now }, heard).state
    };
    let held = |until| FetchError::Held { host: host.to_owned(), until };
    if let Some(until) = gate.held(host, clock.now()) {
        world.borrow_mut().feeds[n].state = decide(Heard::Failed(&held(until)), &Facts::default(), clock.now());
        return;
    }
    let turn = gate.enter(host).await;
    if let Some(until) = gate.held(host, clock.now()) {
        world.borrow_mut().feeds[n].state = decide(Heard::Failed(&held(until)), &Facts::default(), clock.now());
        return;
    }
    let now = clock.now();
    let takes = world.borrow_mut().begin(n, now);
    tokio::time::sleep(takes).await;
    let said = says(&world.borrow().feeds[n], now);
    let (validators, mut facts) = (Validators { etag: Some("x".to_owned()), last_modified: None }, Facts::default());
    if let Manner::MaxAge(seconds) = world.borrow().feeds[n].manner {
        facts.freshness = Some(Duration::from_secs(seconds));
    }
    let state = match said {
        Says::Error(error) => {
            if let FetchError::Busy { until: Some(until), .. } = error {
                gate.hold(host, until);
                world.borrow_mut().hold(n, until, now);
            }
            world.borrow_mut().told.failed += 1;
            decide(Heard::Failed(&error), &facts, now)
        }
        Says::Page => decide(Heard::NotAFeed("a page"), &facts, now),
        Says::NotModified => decide(Heard::NotModified(validators), &facts, now),
        Says::Same => decide(Heard::Same(Validators::default()), &facts, now),
        Says::Feed => {
            let entries = world.borrow_mut().read(n, now);
            let shown = Shown::of(&entries, Schedule::default(), &before.window, now);
            decide(Heard::Read { validators, hash: "x".to_owned(), shown: Box::new(shown) }, &facts, now)
        }
    };
    let mut world = world.borrow_mut();
    world.told.rolled_over += u64::from(state.rolled_over - before.rolled_over);
    world.feeds[n].state = state;
    world.end(n, clock.now());
    drop(turn);
}

impl World {
    fn wrong(&mut self, n: usize, at: DateTime<Utc>, why: String) {
        self.told.wrong.push(format!("feed {n} ({:?}) at {at}: {why}", self.feeds[n].manner));
    }

    /// What must hold when a request begins. Returns how long the answer takes.
    fn begin(&mut self, n: usize, now: DateTime<Utc>) -> Duration {
        self.told.polls += 1;
        let host = self.feeds[n].host;
        self.hosts[host].in_flight += 1;
        if self.hosts[host].in_flight > 1 {
            self.wrong(n, now, "two at once to a host".to_owned());
        }
        if let Some(ended) = self.hosts[host].ended.filter(|ended| now - *ended < TimeDelta::seconds(1)) {
            self.wrong(n, now, format!("{} after the request before", now - ended));
        }
        if let Some(until) = self.hosts[host].until.filter(|until| *until > now) {
            self.wrong(n, now, format!("{} too early for Retry-After", until - now));
        }
        let feed = &self.feeds[n];
        if let (Some(next), Some(asked)) = (feed.state.next, feed.asked) {
            let (wait, late) = (next - asked, now - next);
            if late < TimeDelta::zero() {
                self.wrong(n, now, format!("{} before its time", -late));
            } else if late > wait {
                self.wrong(n, now, format!("{} late after a wait of {}", late.num_seconds(), wait.num_seconds()));
            }
        }
        let feed = &mut self.feeds[n];
        feed.asked = Some(now);
        let silent = feed.manner == Manner::Silent && feed.off(now);
        Duration::from_millis(if silent { 60_000 } else { feed.takes })
    }

    fn hold(&mut self, n: usize, until: DateTime<Utc>, now: DateTime<Utc>) {
        let host = &mut self.hosts[self.feeds[n].host];
        let from = host.until.map_or(now, |known| known.max(now));
        host.held += (until - from).max(TimeDelta::zero());
        host.until = Some(host.until.map_or(until, |known| known.max(until)));
    }

    fn end(&mut self, n: usize, now: DateTime<Utc>) {
        let host = self.feeds[n].host;
        self.hosts[host].in_flight -= 1;
        self.hosts[host].ended = Some(now);
    }

    /// The entries shown; each is settled when it is first seen.
    fn read(&mut self, n: usize, now: DateTime<Utc>) -> Vec<Entry> {
        let feed = &mut self.feeds[n];
        let entries = feed.entries(now);
        let head = feed.head(now);
        let oldest = head - feed.window + 1;
        let first = feed.known < 0;
        let missed = if first { 0 } else { (oldest - feed.known - 1).max(0) };
        let settled = head - if first { oldest - 1 } else { feed.known.max(oldest - 1) };
        feed.missed += missed;
        feed.known = head;
        self.told.missed += missed.unsigned_abs();
        self.told.settled += settled.unsigned_abs();
        entries
    }
}

/// What must hold in the end: every feed was asked, but of hosts that asked for more than half of the day not to be asked,
/// and what was missed was noticed.
fn finish(world: &mut World) {
    let end = world.start + TimeDelta::hours(world.scale.hours);
    for n in 0..world.feeds.len() {
        let feed = &world.feeds[n];
        let open = world.hosts[feed.host].held * 2 < end - world.start;
        let (never, unnoticed) = (open && feed.asked.is_none(), feed.missed > 0 && feed.state.rolled_over == 0);
        let overdue = feed.state.next.is_none_or(|next| end - next > TimeDelta::hours(1));
        for (is, why) in [(never, "never asked"), (unnoticed, "entries were missed unnoticed"), (overdue, "forgotten")]
        {
            if is {
                world.wrong(n, end, why.to_owned());
            }
        }
    }
}
