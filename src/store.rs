//! What is remembered, and its transactions (sled).
//!
//! A write is one transaction: whole or not at all, whatever happens. It is durable after the next [`Store::sync`],
//! and only what is durable may be exported: [`Store::synced`] says up to which change number that is.
//!
//! An article's key is the number of the change that brought it: monotone, never given twice. Trees:
//!
//! | tree | key | value |
//! |---|---|---|
//! | meta | name | schema version, chores |
//! | sites | site | [`SiteState`] |
//! | entries | site `\0` id | [`Mark`] |
//! | due | site `\0` milliseconds, id | nothing |
//! | gone | site `\0` id, where it was given up | nothing |
//! | articles | key | [`Kept`] |
//! | ids | id | key |
//! | prints | key | [`Print`]s, the latest last; also of an article of the past |
//! | past | key | [`Past`] |
//! | shelves | `d` day `\0` key, `p` province `\0` key | nothing |
//! | changes | change number | [`Logged`] |
//! | raw | day, id | [`RawPage`] |
//! | learned | site | [`Lessons`] |
//! | fetches | site `\0` number | [`Fetch`], the latest of a site |
//! | hosts | host, or `robots\0` origin | until when it is left alone; [`Rules`] |

mod articles;
mod changes;
mod check;
mod copy;
mod entries;
mod fetches;
mod hosts;
mod lessons;
mod migrate;
mod raw;
mod record;
mod refill;
mod retain;
mod room;
#[cfg(test)]
pub(crate) mod tests;
mod trees;

pub use check::Checked;
pub use copy::{Backup, TreeSize};
pub use fetches::{Asked, Fetch};
pub use hosts::Rules;
pub use lessons::{Lessons, Taken};
pub use raw::RawPage;
pub use retain::{Limits, Volume};
pub use room::short_of_room;
pub use trees::silence_sled;

use crate::article::{Article, Copy, Entry, Id, Judged, Outcome};
use crate::dedup::Print;
use crate::fetch::Validators;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{OnceLock, RwLock};
use url::Url;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store {0} is held by a running daemon: stop it first")]
    Held(String),
    /// It will not open, or a call into it panicked.
    #[error("the store {path} is damaged: {why}")]
    Damaged { path: String, why: String },
    /// One value is not what was written.
    #[error("store: the value of {key} in {tree} is damaged: {why}")]
    Value { tree: &'static str, key: String, why: String },
    #[error("the store {path} has schema {found}, this program reads {wanted}")]
    Schema { path: String, found: u32, wanted: u32 },
    #[error("the backup {path} cannot be used: {why}")]
    Backup { path: String, why: String },
    #[error("store: {0}")]
    Io(String),
    /// A write or flush failed earlier: what is in memory may be half applied, so nothing is read or written any more
    /// until the store is opened again.
    #[error("the store {path} is closed after a failure, nothing more is taken in until it is opened again: {why}")]
    Poisoned { path: String, why: String },
}

pub type Result<T> = std::result::Result<T, StoreError>;

/// What is remembered of a site.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, Debug)]
pub struct SiteState {
    pub feeds: BTreeMap<Url, FeedState>,
    pub last_success: Option<DateTime<Utc>>,
    pub last_new: Option<DateTime<Utc>>,
    pub next_poll: Option<DateTime<Utc>>,
    /// Whole polls failed in a row.
    pub failures: u32,
    pub last_error: Option<String>,
    /// How its latest pages were read.
    #[serde(default)]
    pub drift: crate::extract::Drift,
    /// Since when it publishes nothing, where that is unlike it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quiet: Option<DateTime<Utc>>,
    /// How its pages were to be had and read when the latest of them were given up, in short.
    #[serde(default, skip_serializing_if = "is_default")]
    pub settings: Option<String>,
}

#[derive(Clone, Default, PartialEq, Serialize, Deserialize, Debug)]
#[serde(default)]
pub struct FeedState {
    pub validators: Validators,
    /// BLAKE3 of the body last parsed, for servers without validators.
    pub body_hash: Option<String>,
    pub last_success: Option<DateTime<Utc>>,
    /// In a row.
    pub failures: u32,
    pub last_error: Option<String>,
    /// Do not ask before: the server's own word.
    pub not_before: Option<DateTime<Utc>>,
    /// Of a list page: how many entries it gave, the latest last.
    #[serde(skip_serializing_if = "is_default")]
    pub readings: Vec<u32>,
    /// The form that the addresses of its entries had.
    #[serde(skip_serializing_if = "is_default")]
    pub shape: Option<String>,
    /// Why it seems to give something else now.
    #[serde(skip_serializing_if = "is_default")]
    pub drift: Option<String>,
    /// When it is asked next.
    pub next: Option<DateTime<Utc>>,
    /// Conditional polls since the last without conditions.
    #[serde(skip_serializing_if = "is_default")]
    pub conditional: u32,
    /// Since when it is gone for good (410) and not asked any more.
    #[serde(skip_serializing_if = "is_default")]
    pub stopped: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "is_default")]
    pub moved: Option<Moved>,
    /// What it showed when it was last read.
    #[serde(skip_serializing_if = "is_default")]
    pub window: Window,
    /// Since when it shows nothing though it had entries.
    #[serde(skip_serializing_if = "is_default")]
    pub emptied: Option<DateTime<Utc>>,
    /// How often entries may have been missed: all that it showed was newer than all that it had shown.
    #[serde(skip_serializing_if = "is_default")]
    pub rolled_over: u32,
    /// Because of that it is asked so many times more often than it would be, for a week from then on.
    #[serde(skip_serializing_if = "is_default")]
    pub hurry: Option<(u32, DateTime<Utc>)>,
    #[serde(skip_serializing_if = "is_default")]
    pub schedule: crate::parse::Schedule,
    /// Who tells of its news.
    #[serde(skip_serializing_if = "is_default")]
    pub hub: Option<Hub>,
    /// Seconds between two polls by its own rhythm.
    #[serde(skip_serializing_if = "is_default")]
    pub interval: Option<u64>,
    /// Since when it fails.
    #[serde(skip_serializing_if = "is_default")]
    pub failing: Option<DateTime<Utc>>,
    /// The latest days (in Vietnam) on which it published, oldest first.
    #[serde(skip_serializing_if = "is_default")]
    pub days: Vec<chrono::NaiveDate>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Where permanent redirects led.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Moved {
    pub to: Url,
    /// In a row; from the second on it is asked there.
    pub times: u32,
}

/// The hub that a feed names, and the address by which the hub knows the feed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Hub {
    pub url: Url,
    pub topic: Url,
}

/// The entries of a feed at one time, in short.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, Debug)]
#[serde(default)]
pub struct Window {
    pub items: u32,
    /// The first entry, where none has a date.
    #[serde(skip_serializing_if = "is_default")]
    pub top: Option<Id>,
    #[serde(skip_serializing_if = "is_default")]
    pub newest: Option<DateTime<Utc>>,
    /// How many dates lie between the oldest and the newest of the latest ten, and that oldest one.
    #[serde(skip_serializing_if = "is_default")]
    pub latest: Option<(u32, DateTime<Utc>)>,
}

/// What is remembered of an entry, as long as its feed shows it and while it is due.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Mark {
    /// As the feed last gave it; its summary and content are let go once it is settled.
    pub entry: Entry,
    pub feed: Url,
    /// BLAKE3 of what the feed said of it: another one makes it due again; empty where that is not known, until the
    /// feed shows it again. Kept by the store.
    pub said: String,
    pub first_seen: DateTime<Utc>,
    /// When a feed last showed it, to the day.
    pub last_seen: DateTime<Utc>,
    pub tries: u32,
    /// When to settle it; none once settled.
    pub due: Option<DateTime<Utc>>,
    /// When it was last settled. Kept by the store.
    pub settled: Option<DateTime<Utc>>,
    /// How often in a row it was settled and brought nothing new. Kept by the store.
    pub unchanged: u32,
    pub outcome: Option<Outcome>,
    /// Why it was dropped: the scores of the topics.
    pub judged: Vec<Judged>,
}

/// What a settled entry changes, in one transaction with its mark.
#[derive(Debug)]
pub enum Change {
    /// The mark alone.
    None,
    /// A new article; where its id is already kept, the same as `Revise`.
    New { article: Box<Article>, print: Print },
    /// The article's text changed. What never moves (`day`, `first_seen_at`), `rev`, the rows of `copies` and the
    /// lines of `history` are carried over from the kept one; the last line of `article.history` says why.
    Revise { article: Box<Article>, print: Print },
    /// A row more in the `copies` of another article (in place of one with its url), whose `rev` rises. With the copy's
    /// print, if that is to be known again as well.
    Copied { of: Id, copy: Copy, print: Option<Print> },
}

/// What a write did.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Settled {
    /// The article's key, for [`crate::dedup::Index`]; none where the mark alone was written.
    pub key: Option<u64>,
    /// The number of the change, if one was written.
    pub seq: Option<u64>,
    /// The article's `rev` as it is now; 0 where the mark alone was written.
    pub rev: u32,
}

/// An article, and the change that made it what it is.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Kept {
    pub seq: u64,
    pub article: Article,
}

/// An article that was let go. Its prints stay a while, since another site may still bring a copy.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Past {
    pub id: Id,
    /// When it was let go.
    pub at: DateTime<Utc>,
}

/// A line of the change log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, Debug)]
pub struct Logged {
    /// 1, 2, 3, … without a gap.
    pub seq: u64,
    pub at: DateTime<Utc>,
    pub op: Op,
    pub id: Id,
    pub rev: u32,
    /// Of the article's JSON file, from the export folder.
    pub path: String,
    /// Of that file as of this change, in hex; null for a deletion.
    pub sha256: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    Upsert,
    Delete,
}

/// The one writer of one folder.
pub struct Store {
    path: PathBuf,
    db: sled::Db,
    trees: trees::Trees,
    /// Held to read while a value is put together, to write during a transaction.
    seqs: RwLock<Seqs>,
    /// Why nothing is read or written any more.
    poison: OnceLock<String>,
    /// Whether it was closed well the last time, or has been checked since.
    believed: AtomicBool,
}

/// The last change number given, the last that is durable, and how much is kept.
#[derive(Clone, Copy, Debug)]
struct Seqs {
    given: u64,
    synced: u64,
    volume: Volume,
}

impl Store {
    /// The last change number given.
    pub fn seq(&self) -> u64 {
        self.read().given
    }

    /// The last change number that is durable.
    pub fn synced(&self) -> u64 {
        self.read().synced
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why the store refuses everything until it is opened again, if it does.
    pub fn poisoned(&self) -> Option<&str> {
        self.poison.get().map(String::as_str)
    }
}
