//! Letting go of what is old: articles by age, number and bytes, changes by age.

use crate::article::{Article, Id, Outcome};
use crate::export;
use crate::store::{Kept, Logged, Mark, Past, Result, Store, record};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How much is kept.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Volume {
    pub articles: u64,
    /// Of the articles' JSON files.
    pub bytes: u64,
}

impl Volume {
    pub(super) fn with(self, bytes: u64) -> Volume {
        Volume { articles: self.articles + 1, bytes: self.bytes.saturating_add(bytes) }
    }

    pub(super) fn without(self, bytes: u64) -> Volume {
        Volume { articles: self.articles.saturating_sub(1), bytes: self.bytes.saturating_sub(bytes) }
    }
}

/// Beyond these the articles that came first are let go.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Since first sight.
    pub max_age: Option<std::time::Duration>,
    pub max_articles: Option<u64>,
    /// Of the articles' JSON files.
    pub max_bytes: Option<u64>,
}

/// For so long after an article was let go a copy of it may still come.
const PRINTS_OUTLIVE: TimeDelta = TimeDelta::days(90);

impl Store {
    pub fn volume(&self) -> Volume {
        self.read().volume
    }

    /// Lets go of what is beyond the limits, the first to come first; at most `most` articles, so that a call is
    /// short. Each leaves a tombstone, and its mark stays. Returns their keys.
    pub fn retain(&self, limits: &Limits, now: DateTime<Utc>, most: usize) -> Result<Vec<u64>> {
        let mut gone = Vec::new();
        if *limits == Limits::default() {
            return Ok(gone);
        }
        for item in self.articles().take(most) {
            let (key, Kept { article, .. }) = item?;
            if !beyond(limits, self.volume(), &article, now) {
                break;
            }
            self.retire(&article.id, now)?;
            gone.push(key);
        }
        Ok(gone)
    }

    /// Forgets the prints of articles that were let go 90 days ago, at most so many. Returns their keys.
    pub fn prune_past(&self, now: DateTime<Utc>, most: usize) -> Result<Vec<u64>> {
        let mut gone = Vec::new();
        for item in self.records::<Past>("past", &self.trees.past, 0).take(most) {
            let (key, past) = item?;
            if now - past.at <= PRINTS_OUTLIVE {
                break;
            }
            gone.push(key);
        }
        if gone.is_empty() {
            return Ok(gone);
        }
        let _one = self.write();
        self.transaction(|trees| {
            for key in gone.iter().map(|key| key.to_be_bytes()) {
                record::remove(&trees.past, &key)?;
                record::remove(&trees.prints, &key)?;
            }
            Ok(())
        })?;
        Ok(gone)
    }

    /// Drops the oldest segments of the change log, of which every change is older than `keep`; never the last one.
    /// Returns how many changes went.
    pub fn prune_changes(&self, keep: TimeDelta, now: DateTime<Utc>) -> Result<u64> {
        let mut pruned = 0;
        loop {
            let first = self.first_change()?;
            let last = export::segment_end(export::segment_of(first));
            let Some(line) = self.change(last)?.filter(|line| last < self.seq() && now - line.at > keep) else {
                return Ok(pruned);
            };
            self.drop_changes(first, &line)?;
            pruned += line.seq + 1 - first;
        }
    }

    fn drop_changes(&self, first: u64, last: &Logged) -> Result<()> {
        let _one = self.write();
        self.transaction(|trees| {
            (first..=last.seq).try_for_each(|seq| record::remove(&trees.changes, &seq.to_be_bytes()))
        })
    }

    /// Whether the entry's article was kept once and is not any more: it is not news again.
    pub fn let_go(&self, mark: &Mark) -> Result<bool> {
        let _whole = self.read();
        self.let_go_locked(mark)
    }

    pub(super) fn let_go_locked(&self, mark: &Mark) -> Result<bool> {
        let id = match &mark.outcome {
            Some(Outcome::Duplicate { of }) => of,
            Some(Outcome::Stored | Outcome::Revision { .. } | Outcome::Unchanged | Outcome::Kept { .. }) => {
                &mark.entry.id
            }
            _ => return Ok(false),
        };
        Ok(!self.call(|| self.trees.ids.contains_key(Id::as_str(id)))?)
    }

    /// Of a store that does not know it yet.
    pub(super) fn measured(&self) -> Result<Volume> {
        let mut volume = Volume::default();
        for item in self.articles() {
            volume = volume.with(json_bytes(&item?.1.article));
        }
        Ok(volume)
    }
}

pub(super) fn json_bytes(article: &Article) -> u64 {
    export::json(article).len() as u64
}

fn beyond(limits: &Limits, volume: Volume, article: &Article, now: DateTime<Utc>) -> bool {
    let age = (now - article.first_seen_at).to_std().unwrap_or(std::time::Duration::ZERO);
    limits.max_age.is_some_and(|max| age > max)
        || limits.max_articles.is_some_and(|max| volume.articles > max)
        || limits.max_bytes.is_some_and(|max| volume.bytes > max)
}
