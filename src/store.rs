//! What is remembered, and its transactions (sled).

use crate::article::{Article, Copy, Entry, Id, Judged, Outcome};
use crate::dedup::Print;
use crate::fetch::Validators;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use url::Url;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store {0} is held by a running daemon: stop it first")]
    Held(String),
    #[error("the store {path} cannot be opened: {why}")]
    Damaged { path: String, why: String },
    #[error("store: {0}")]
    Io(String),
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
    /// Of the latest pages, newest last: by which method each was read.
    pub methods: Vec<crate::article::Method>,
}

#[derive(Clone, Default, PartialEq, Serialize, Deserialize, Debug)]
pub struct FeedState {
    pub validators: Validators,
    /// BLAKE3 of the body last parsed, for servers without validators.
    pub body_hash: Option<String>,
    pub last_success: Option<DateTime<Utc>>,
    /// In a row.
    pub failures: u32,
    pub last_error: Option<String>,
    /// Do not ask before.
    pub not_before: Option<DateTime<Utc>>,
}

/// What is remembered of an entry, as long as its feed shows it and while it is due.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Mark {
    pub entry: Entry,
    pub feed: Url,
    pub first_seen: DateTime<Utc>,
    /// When a feed last showed it.
    pub last_seen: DateTime<Utc>,
    pub tries: u32,
    /// When to settle it; none once settled.
    pub due: Option<DateTime<Utc>>,
    pub outcome: Option<Outcome>,
    /// Why it was dropped: the scores of the topics.
    pub judged: Vec<Judged>,
}

/// What a settled entry changes, in one transaction with its mark.
#[derive(Debug)]
pub enum Change {
    /// The mark alone.
    None,
    /// A new article.
    New { article: Box<Article>, print: Print },
    /// The article's text changed; `article` holds it as it is now, its `rev` already raised.
    Revise { article: Box<Article>, print: Print },
    /// A row more in the `copies` of another article, whose `rev` rises.
    Copied { of: Id, copy: Copy },
}

/// A line of the change log.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Logged {
    pub seq: u64,
    pub at: DateTime<Utc>,
    pub op: Op,
    pub id: Id,
    pub rev: u32,
    pub path: String,
    pub sha256: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    Upsert,
    Delete,
}

/// The one writer of one folder. Every write is durable when the call returns.
pub struct Store {}

impl Store {
    pub fn open(_path: &Path) -> Result<Store> {
        todo!()
    }

    pub fn site(&self, _site: &str) -> Result<SiteState> {
        todo!()
    }

    pub fn put_site(&self, _site: &str, _state: &SiteState) -> Result<()> {
        todo!()
    }

    /// Remembers a feed's entries and the site's state (validators included) in one transaction. Entries never seen
    /// become due now; known ones have `last_seen` moved, and become due again where the feed says they were updated
    /// since (another title, content or `updated`). Returns how many are new.
    pub fn learn(
        &self,
        _site: &str,
        _feed: &Url,
        _entries: &[Entry],
        _state: &SiteState,
        _now: DateTime<Utc>,
    ) -> Result<usize> {
        todo!()
    }

    /// The site's entries that are due, the oldest first.
    pub fn due(&self, _site: &str, _now: DateTime<Utc>) -> Result<Vec<Mark>> {
        todo!()
    }

    pub fn mark(&self, _site: &str, _id: &Id) -> Result<Option<Mark>> {
        todo!()
    }

    /// Mark, article, print and change number in one transaction.
    pub fn settle(
        &self,
        _site: &str,
        _mark: &Mark,
        _change: Change,
        _raw: Option<&[u8]>,
        _now: DateTime<Utc>,
    ) -> Result<()> {
        todo!()
    }

    pub fn article(&self, _id: &Id) -> Result<Option<Article>> {
        todo!()
    }

    pub fn article_at(&self, _key: u64) -> Result<Option<Article>> {
        todo!()
    }

    /// The last change number given.
    pub fn seq(&self) -> Result<u64> {
        todo!()
    }
}
