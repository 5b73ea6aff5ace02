//! One event: its log line and its counter; how the sites do; the pages, metrics and health that say so.

mod alert;
mod board;
mod callback;
mod catalogue;
mod counters;
mod html;
mod lang;
mod metrics;
mod pages;
mod rows;
mod serve;
mod sheet;

pub use alert::{Alerts, deliver, look, waiting};
pub use board::Board;
pub use rows::rows;
pub use serve::Server;
pub use sheet::{Remembered, SiteSheet};

use crate::article::Outcome;
use crate::config::{Config, Site, Tls};
use crate::extract::{Degraded, Drift, Turn};
use crate::fetch::{FetchError, public};
use crate::poll::{FeedNews, FeedReport, Settled};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

// What servers and feeds say is logged as the value of a field, where both forms of the log escape control characters.

pub fn feed_asked(site: &Site, report: &FeedReport) {
    let url = public(&report.url);
    let (site, url) = (site.id.as_str(), url.as_str());
    for note in &report.notes {
        warn!(site, url, note, "feed");
    }
    match &report.result {
        Ok(FeedNews::Unchanged) => info!(site, url, "feed unchanged"),
        Ok(FeedNews::Read { entries, new, addressless, repairs }) => {
            info!(site, url, entries, new, addressless, repairs = repairs.join(", "), "feed read");
        }
        Ok(FeedNews::Waiting(until)) => info!(site, url, %until, "feed asked us to wait"),
        Ok(FeedNews::Stopped(since)) => info!(site, url, %since, "feed is gone for good"),
        Err(why) => warn!(site, url, why, "feed failed"),
    }
}

/// Nothing was asked: the host wants to be left alone, or its robots.txt cannot be had.
pub fn pages_wait(site: &Site, why: &FetchError) {
    info!(site = site.id.as_str(), %why, "pages wait");
}

/// At each start.
pub fn insecure_sites(config: &Config) {
    for site in config.sites.iter().filter(|site| site.tls == Tls::Insecure) {
        let site = site.id.as_str();
        warn!(
            site,
            "tls = \"insecure\": whoever is on the way to this site can write what it says; its articles are marked"
        );
    }
}

pub fn entry_settled(site: &Site, settled: &Settled) {
    let url = public(&settled.url);
    let (site, url, outcome) = (site.id.as_str(), url.as_str(), settled.outcome.label());
    match &settled.outcome {
        Outcome::Later { why } | Outcome::GaveUp { why } | Outcome::Kept { why } => {
            warn!(site, url, outcome, why, "article")
        }
        Outcome::Duplicate { of } => info!(site, url, outcome, %of, title = settled.title, "article"),
        Outcome::Stored | Outcome::Revision { .. } if settled.doubt.is_some() => {
            warn!(site, url, outcome, title = settled.title, doubt = settled.doubt, "article kept, but in doubt")
        }
        _ => info!(site, url, outcome, title = settled.title, dropped = settled.dropped, "article"),
    }
}

/// A site's pages are no longer read as they used to be, or are again.
pub fn extraction_turned(site: &Site, turn: Option<Turn>, drift: &Drift) {
    let site = site.id.as_str();
    match (turn, &drift.degraded) {
        (Some(Turn::Degraded), Some(Degraded { since, why })) => warn!(site, why, %since, "extraction: degraded"),
        (Some(Turn::WellAgain), _) => info!(site, "extraction: ok again"),
        _ => {}
    }
}

/// How a site does: a line of `diemtin sites --json` and of `status/sites.json`. Made of the configuration
/// and the store alone, never of the clock, so that the export folder can be made again byte for byte.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct SiteRow {
    pub id: String,
    pub name: String,
    pub province: String,
    pub kind: crate::article::Kind,
    pub state: SiteHealth,
    /// Why it is not `ok`, in plain words.
    pub reason: Option<String>,
    /// What befell the whole program: a store made again, a full disk. The same in every row.
    #[serde(default)]
    pub notice: Option<String>,
    /// Since when it is in this state, where known.
    pub since: Option<DateTime<Utc>>,
    pub last_success: Option<DateTime<Utc>>,
    /// When it last brought an article that was kept.
    pub last_new: Option<DateTime<Utc>>,
    /// Polls failed in a row.
    pub failures: u32,
    pub next_poll: Option<DateTime<Utc>>,
    pub extraction: ExtractionHealth,
    /// Why its extraction is not `ok`, and since when.
    #[serde(default)]
    pub extraction_reason: Option<String>,
    #[serde(default)]
    pub extraction_since: Option<DateTime<Utc>>,
    pub feeds: Vec<FeedRow>,
    /// Entries to be settled, now or later.
    pub waiting: usize,
    /// Entries that were given up, of those remembered.
    pub gave_up: usize,
    /// Some of them.
    #[serde(default)]
    pub given_up: Vec<GivenUp>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum SiteHealth {
    #[default]
    Ok,
    Failing,
    /// A feed of it shows no entry.
    Empty,
    /// It publishes nothing for three times as long as is usual for it.
    Quiet,
    /// Never polled.
    New,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum ExtractionHealth {
    Ok,
    /// Its latest pages are not read as they used to be: the layout does not fit, or far less text is found. Or a list page
    /// gives something else than before.
    #[serde(alias = "drifted")]
    Degraded,
    /// No page read yet.
    Unknown,
}

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct FeedRow {
    pub url: String,
    pub last_success: Option<DateTime<Utc>>,
    /// In a row.
    pub failures: u32,
    pub last_error: Option<String>,
    /// Why a list page seems to give something else than before.
    #[serde(default)]
    pub drift: Option<String>,
    #[serde(default)]
    pub next: Option<DateTime<Utc>>,
    /// Seconds between two polls by its own rhythm.
    #[serde(default)]
    pub interval: Option<u64>,
    /// Since when it is gone for good (410) and not asked any more.
    #[serde(default)]
    pub stopped: Option<DateTime<Utc>>,
    /// Where it has moved for good: the address for config.toml.
    #[serde(default)]
    pub moved_to: Option<String>,
    /// Since when it shows no entry though it had some.
    #[serde(default)]
    pub empty_since: Option<DateTime<Utc>>,
    /// How often entries may have been missed between two polls.
    #[serde(default)]
    pub rolled_over: u32,
}

/// A page that is not tried any more.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct GivenUp {
    pub url: String,
    pub why: String,
}

impl std::fmt::Display for SiteHealth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            SiteHealth::Ok => "ok",
            SiteHealth::Failing => "failing",
            SiteHealth::Empty => "empty",
            SiteHealth::Quiet => "quiet",
            SiteHealth::New => "new",
        })
    }
}
