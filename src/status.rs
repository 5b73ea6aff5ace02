//! One event: its log line and its counter.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// How a site does: a line of `diemtin sites --json`, an element of `status/sites.json`. Made of the configuration
/// and the store alone, never of the clock, so that the export folder can be made again byte for byte.
#[derive(Clone, PartialEq, Serialize, Debug)]
pub struct SiteRow {
    pub id: String,
    pub name: String,
    pub province: String,
    pub kind: crate::article::Kind,
    pub state: SiteHealth,
    /// Why it is not `ok`, in plain words.
    pub reason: Option<String>,
    /// Since when it is in this state, where known.
    pub since: Option<DateTime<Utc>>,
    pub last_success: Option<DateTime<Utc>>,
    /// When it last brought an article that was kept.
    pub last_new: Option<DateTime<Utc>>,
    /// Polls failed in a row.
    pub failures: u32,
    pub next_poll: Option<DateTime<Utc>>,
    pub extraction: ExtractionHealth,
    pub feeds: Vec<FeedRow>,
    /// Entries to be settled, now or later.
    pub waiting: usize,
    /// Entries that were given up, of those remembered.
    pub gave_up: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum SiteHealth {
    Ok,
    Failing,
    /// Never polled.
    New,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum ExtractionHealth {
    Ok,
    /// The site's layout no longer fits its pages: most are read by another method.
    Drifted,
    /// No page read yet.
    Unknown,
}

#[derive(Clone, PartialEq, Serialize, Debug)]
pub struct FeedRow {
    pub url: String,
    pub last_success: Option<DateTime<Utc>>,
    /// In a row.
    pub failures: u32,
    pub last_error: Option<String>,
}
