//! ONE POLL OF ONE SITE: the whole path on one page.
//!
//! ```text
//! learn    each feed:       GET (conditional) -> parse -> entries + validators in one transaction
//! settle   each due entry:  GET page -> examine -> Stored | Duplicate | Revision | OffTopic | Later | GaveUp
//! ```
//! Every step is atomic or repeatable: a walker may be killed at any instant without loss.

mod learn;
mod pace;
mod settle;

pub use pace::first;
pub use settle::{Examined, examine, wanted};

use crate::article::{Judged, Method, Outcome};
use crate::config::{Config, Site};
use crate::dedup::Index;
use crate::fetch::Fetcher;
use crate::select::Topics;
use crate::store::{SiteState, Store, StoreError};
use chrono::{DateTime, FixedOffset, Utc};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use url::Url;

/// Vietnam's time, the year round.
pub const VIETNAM: FixedOffset = FixedOffset::east_opt(7 * 3600).expect("seven hours are less than a day");

/// Of how many pages the method is remembered.
const METHODS_KEPT: usize = 20;

/// What every walker works with.
pub struct Desk {
    pub config: Arc<Config>,
    pub store: Arc<Store>,
    /// Held from the look for twins to the write, one at a time: exact in one process.
    pub index: Arc<Mutex<Index>>,
    pub fetcher: Fetcher,
    pub topics: Topics,
}

impl Desk {
    /// Opens the store and reads the prints of all that is kept.
    pub fn open(config: Config) -> anyhow::Result<Desk> {
        let store = Arc::new(Store::open(&config.store.path)?);
        let mut index = Index::default();
        for printed in store.prints() {
            let (key, print) = printed?;
            index.insert(key, &print);
        }
        Desk::new(config, store, Arc::new(Mutex::new(index)))
    }

    /// The same store under another configuration.
    pub fn reloaded(&self, config: Config) -> anyhow::Result<Desk> {
        Desk::new(config, self.store.clone(), self.index.clone())
    }

    fn new(config: Config, store: Arc<Store>, index: Arc<Mutex<Index>>) -> anyhow::Result<Desk> {
        let fetcher = Fetcher::new(&config.http)?;
        let topics = Topics::new(&config.topics);
        Ok(Desk { config: Arc::new(config), store, index, fetcher, topics })
    }
}

/// What one poll brought.
#[derive(Debug)]
pub struct Round {
    /// When to poll the site again.
    pub next: DateTime<Utc>,
    pub feeds: Vec<FeedReport>,
    pub settled: Vec<Settled>,
}

#[derive(Debug)]
pub struct FeedReport {
    pub url: Url,
    pub result: Result<FeedNews, String>,
}

#[derive(Debug)]
pub enum FeedNews {
    /// 304, or the same bytes as last time.
    Unchanged,
    Read {
        entries: usize,
        new: usize,
        repairs: Vec<String>,
    },
    /// The server asked to be left alone until then.
    Waiting(DateTime<Utc>),
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

/// Asks a site's feeds, then settles what is due. Only the store can fail it.
pub async fn poll(desk: &Arc<Desk>, site: &Arc<Site>, now: DateTime<Utc>) -> Result<Round, StoreError> {
    let feeds = learn::learn(desk, site, now).await?;
    let settled = settle::settle(desk, site, now).await?;
    let mut round = Round { next: now, feeds, settled };
    let mut state = desk.store.site(&site.id)?;
    note(&mut state, &round, now);
    round.next = pace::next(site, &desk.config.poll, &state, now);
    state.next_poll = Some(round.next);
    desk.store.put_site(&site.id, &state)?;
    Ok(round)
}

/// What a poll says of its site.
fn note(state: &mut SiteState, round: &Round, now: DateTime<Utc>) {
    match round.failure() {
        Some(why) => {
            state.failures += 1;
            state.last_error = Some(why.to_owned());
        }
        None => {
            state.failures = 0;
            state.last_error = None;
            state.last_success = Some(now);
        }
    }
    if round.settled.iter().any(|s| matches!(s.outcome, Outcome::Stored | Outcome::Duplicate { .. })) {
        state.last_new = Some(now);
    }
    state.methods.extend(round.settled.iter().filter_map(|s| s.method));
    let surplus = state.methods.len().saturating_sub(METHODS_KEPT);
    state.methods.drain(..surplus);
}

/// A hop to the blocking pool, for what computes or waits for the disk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
    }
}
