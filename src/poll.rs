//! ONE POLL OF ONE SITE: the whole path on one page.
//!
//! ```text
//! learn    each feed:       GET (conditional) -> parse -> entries + validators in one transaction
//! settle   each due entry:  GET page -> examine -> Stored | Duplicate | Revision | OffTopic | Later | GaveUp
//! ```
//! Every step is atomic or repeatable: a walker may be killed at any instant without loss.

mod asked;
mod by_feed;
pub mod decide;
mod drift;
mod examine;
mod known;
mod learn;
mod pace;
mod pages;
mod renew;
mod reselect;
mod settle;
pub mod silence;
mod told;
pub mod websub;

pub use examine::{Examined, examine, examine_known, wanted};
pub use known::Known;
pub use learn::entry;
pub use pace::first;
pub use pages::{By, Pages, kept, pages};
pub use renew::renew;
pub use reselect::{Reselected, reselect};
pub use told::{Told, twin};

use crate::article::{Judged, Method, Outcome};
use crate::config::{Config, ExportConfig, Site};
use crate::dedup::Index;
use crate::export::{self, Healed, Mirror};
use crate::fetch::{Fetcher, Gate};
use crate::select::Topics;
use crate::status::{self, Alerts};
use crate::store::{self, SiteState, Store, StoreError};
use chrono::{DateTime, Utc};
use decide::Which;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tracing::error;
use url::Url;

/// What every walker works with, from the network to the export folder.
pub struct Pipeline {
    pub config: Arc<Config>,
    pub store: Arc<Store>,
    /// Held from the look for twins to the write, one at a time: exact in one process.
    pub index: Arc<Mutex<Index>>,
    /// The export folder as the last round left it, and how it was configured; one round at a time, also while a
    /// reload ends the walkers of the old configuration.
    pub mirror: Arc<Mutex<Option<(ExportConfig, Mirror)>>>,
    /// Whether the whole folder is to be looked at in the next round of the export, since the store was made of it.
    pub mend: Arc<AtomicBool>,
    /// That the store was made again as it was opened.
    pub healed: Option<Healed>,
    /// Told of each change that the export folder does not have yet.
    pub changed: Notify,
    /// Told of each round of a site, whether it changed anything.
    pub polled: Notify,
    /// Whether the next round of the export is to say how the sites do, since the state of one is another.
    pub turned: AtomicBool,
    pub fetcher: Fetcher,
    pub topics: Topics,
    /// What is to be told of sites.
    pub alerts: Alerts,
    /// Two rounds of one site never overlap, whoever begins them.
    rounds: Arc<Gate>,
    /// Told, by site, that pages of it are due before their time.
    wakes: BTreeMap<String, Notify>,
    /// Told when a feed names another hub than before.
    pub hubs: Notify,
    /// What hubs bring is held in memory; so many at once.
    pub deliveries: Arc<Semaphore>,
}

/// Of [`Pipeline::deliveries`].
const DELIVERIES: usize = 4;

impl Pipeline {
    /// A panic of who held it leaves it as whole as it was: each change to it is one call.
    pub fn lock_index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Opens the store, made again from the export folder where it has to be, and reads the prints of all that is kept.
    pub fn open(config: Config) -> anyhow::Result<Pipeline> {
        let (path, export) = (&config.store.path, &config.export.path);
        let (mut store, mut healed) = export::open_store(path, export, Utc::now())?;
        let index = match index(&store) {
            Ok(index) => index,
            Err(why) => {
                drop(store);
                export::heal(path, export, &why.to_string(), Utc::now())?;
                let again = export::open_store(path, export, Utc::now())?;
                healed = again.0.note(export::HEALED)?;
                store = again.0;
                index(&store)?
            }
        };
        if let Some(healed) = &healed {
            error!("{healed}");
        }
        let mend = Arc::new(AtomicBool::new(healed.is_some()));
        let (fetcher, topics) = (Fetcher::new(&config.http)?, Topics::new(&config.topics));
        store.holds(Utc::now())?.iter().for_each(|(host, until)| fetcher.hold(host, *until));
        Ok(Pipeline {
            wakes: wakes(&config),
            config: Arc::new(config),
            store: Arc::new(store),
            index: Arc::new(Mutex::new(index)),
            mirror: Arc::default(),
            mend,
            healed,
            changed: Notify::new(),
            polled: Notify::new(),
            turned: AtomicBool::default(),
            fetcher,
            topics,
            alerts: Alerts::default(),
            rounds: Arc::new(Gate::new(Duration::ZERO)),
            hubs: Notify::new(),
            deliveries: Arc::new(Semaphore::new(DELIVERIES)),
        })
    }

    /// The same store under another configuration.
    pub fn reloaded(&self, config: Config) -> anyhow::Result<Pipeline> {
        let (fetcher, topics) = (self.fetcher.renewed(&config.http)?, Topics::new(&config.topics));
        Ok(Pipeline {
            wakes: wakes(&config),
            config: Arc::new(config),
            store: self.store.clone(),
            index: self.index.clone(),
            mirror: self.mirror.clone(),
            mend: self.mend.clone(),
            healed: None,
            changed: Notify::new(),
            polled: Notify::new(),
            turned: AtomicBool::default(),
            fetcher,
            topics,
            alerts: Alerts::default(),
            rounds: self.rounds.clone(),
            hubs: Notify::new(),
            deliveries: self.deliveries.clone(),
        })
    }

    /// Pages of the site are due now.
    pub fn wake(&self, site: &str) {
        self.wakes.get(site).inspect(|wake| wake.notify_one());
    }

    /// Until that is said of the site.
    pub async fn woken(&self, site: &str) {
        match self.wakes.get(site) {
            Some(wake) => wake.notified().await,
            None => std::future::pending().await,
        }
    }
}

fn wakes(config: &Config) -> BTreeMap<String, Notify> {
    config.sites.iter().map(|site| (site.id.clone(), Notify::new())).collect()
}

/// Why nothing is to be polled now: a disk is nearly full.
pub fn short_of_room(config: &Config) -> Option<String> {
    let short = store::short_of_room(&[&config.store.path, &config.export.path], config.store.min_free)?;
    Some(format!("polling pauses until there is room again: {short} ([store] min_free)"))
}

/// The prints of all that is kept.
pub fn index(store: &Store) -> Result<Index, StoreError> {
    Index::of(store.prints())
}

/// What one poll brought.
#[derive(Debug)]
pub struct Round {
    /// When to poll the site again.
    pub next: DateTime<Utc>,
    /// When the next of its waiting entries is due, if any waits.
    pub retry: Option<DateTime<Utc>>,
    pub feeds: Vec<FeedReport>,
    pub settled: Vec<Settled>,
}

#[derive(Debug)]
pub struct FeedReport {
    pub url: Url,
    pub result: Result<FeedNews, String>,
    /// What the operator should know of it beside.
    pub notes: Vec<String>,
}

#[derive(Debug)]
pub enum FeedNews {
    /// 304, or the same bytes as last time.
    Unchanged,
    Read {
        entries: usize,
        new: usize,
        /// Items without an address that can be fetched.
        addressless: usize,
        repairs: Vec<String>,
    },
    /// The server asked to be left alone until then.
    Waiting(DateTime<Utc>),
    /// Gone for good since then (410): not asked any more.
    Stopped(DateTime<Utc>),
}

/// An entry that was looked at.
#[derive(Debug)]
pub struct Settled {
    pub url: Url,
    pub title: String,
    pub outcome: Outcome,
    pub judged: Vec<Judged>,
    pub method: Option<Method>,
    /// Parts of the page left out as chrome.
    pub dropped: usize,
    /// Why its text may not be the whole article, or not the article alone.
    pub doubt: Option<String>,
}

impl Round {
    /// How many entries ended in each outcome, by [`Outcome::label`].
    pub fn tally(&self) -> BTreeMap<&'static str, usize> {
        let mut tally = BTreeMap::new();
        for settled in &self.settled {
            *tally.entry(settled.outcome.label()).or_default() += 1;
        }
        tally
    }

    /// The first feed's error, if every feed failed.
    pub fn failure(&self) -> Option<&str> {
        let errors: Option<Vec<&str>> =
            self.feeds.iter().map(|f| f.result.as_ref().err().map(String::as_str)).collect();
        errors.and_then(|errors| errors.first().copied())
    }
}

/// Asks each of a site's feeds, then settles what is due. Only the store can fail it.
pub async fn poll(pipeline: &Arc<Pipeline>, site: &Arc<Site>, now: DateTime<Utc>) -> Result<Round, StoreError> {
    let (store, of) = (pipeline.store.clone(), site.clone());
    blocking(move || renew(&store, &of, now)).await?;
    round(pipeline, site, Which::All, now).await
}

/// [`poll`] of the feeds whose time has come.
pub async fn poll_due(pipeline: &Arc<Pipeline>, site: &Arc<Site>, now: DateTime<Utc>) -> Result<Round, StoreError> {
    round(pipeline, site, Which::Due, now).await
}

async fn round(
    pipeline: &Arc<Pipeline>,
    site: &Arc<Site>,
    which: Which,
    now: DateTime<Utc>,
) -> Result<Round, StoreError> {
    let _one = pipeline.rounds.enter(&site.id).await;
    let feeds = learn::learn(pipeline, site, which, now).await?;
    let settled = settle::settle(pipeline, site, now).await?;
    let (pipeline, site) = (pipeline.clone(), site.clone());
    blocking(move || finish(&pipeline, &site, feeds, settled, now)).await
}

/// Settles what is due between two polls of the feeds: pages that failed and are tried again.
pub async fn retry(pipeline: &Arc<Pipeline>, site: &Arc<Site>, now: DateTime<Utc>) -> Result<Round, StoreError> {
    let _one = pipeline.rounds.enter(&site.id).await;
    let settled = settle::settle(pipeline, site, now).await?;
    let (pipeline, site) = (pipeline.clone(), site.clone());
    blocking(move || {
        let mut state = pipeline.store.site(&site.id)?;
        note_settled(&mut state, &settled, now);
        pipeline.store.put_site(&site.id, &state)?;
        status::look(&pipeline, &site, &state, now)?;
        let next = state.next_poll.unwrap_or(now);
        Ok(Round { next, retry: pipeline.store.next_due(&site.id)?, feeds: Vec::new(), settled })
    })
    .await
}

fn finish(
    pipeline: &Pipeline,
    site: &Site,
    feeds: Vec<FeedReport>,
    settled: Vec<Settled>,
    now: DateTime<Utc>,
) -> Result<Round, StoreError> {
    let before = pipeline.store.site(&site.id)?;
    let mut state = before.clone();
    note_feeds(&mut state, site, now);
    note_settled(&mut state, &settled, now);
    // as a rule the feeds' own write said it all
    if state != before {
        pipeline.store.put_site(&site.id, &state)?;
    }
    status::look(pipeline, site, &state, now)?;
    let next = state.next_poll.unwrap_or(now);
    Ok(Round { next, retry: pipeline.store.next_due(&site.id)?, feeds, settled })
}

/// A site fails where each of its feeds does.
fn note_feeds(state: &mut SiteState, site: &Site, now: DateTime<Utc>) {
    let feeds: Vec<_> = site.feeds.iter().filter_map(|url| state.feeds.get(url)).collect();
    let failures = feeds.iter().map(|feed| feed.failures).min().unwrap_or(0);
    let last_error = feeds.iter().find_map(|feed| feed.last_error.clone()).filter(|_| failures > 0);
    let last_success = feeds.iter().filter_map(|feed| feed.last_success).max();
    (state.failures, state.last_error) = (failures, last_error);
    state.last_success = last_success.max(state.last_success);
    state.next_poll = Some(pace::next(site, state, now));
    state.quiet = silence::since(site, state, now);
}

fn note_settled(state: &mut SiteState, settled: &[Settled], now: DateTime<Utc>) {
    if settled.iter().any(|s| s.outcome == Outcome::Stored) {
        state.last_new = Some(now);
    }
}

/// A stage is pure, so what it was given is all that a panic of it can have spoilt; one page must not end a walker.
fn caught<T>(stage: impl FnOnce() -> T) -> Result<T, String> {
    let stopped =
        |_| "the program stopped on it: a mistake of diemtin's own, please report it with the address".to_owned();
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(stage)).map_err(stopped)
}

/// As many as there are cores compute at once: more threads are no faster, and each keeps memory of its own.
static CORES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    Arc::new(Semaphore::new(cores))
});

/// A hop to the blocking pool, for what computes or waits for the disk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let core = CORES.clone().acquire_owned().await.expect("it is never closed");
    let work = move || {
        let done = work();
        drop(core);
        done
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
    }
}
