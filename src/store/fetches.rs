//! What was asked of servers and what came of it: the latest requests of each site.

use crate::store::trees::{Step, Within};
use crate::store::{Result, Store, record};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

/// Kept of a site.
pub const KEPT: u64 = 64;

/// One request, redirects included.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Fetch {
    pub at: DateTime<Utc>,
    pub what: Asked,
    pub url: Url,
    /// Of the last answer; none where none came.
    pub status: Option<u16>,
    /// Bytes of bodies as they came, and after decompression.
    pub wire: u64,
    pub decoded: u64,
    /// Milliseconds, without the waiting for the host's turn.
    pub ms: u64,
    /// What was made of it, and why it is asked again when it is.
    pub decision: String,
    /// When it is asked again, if it is.
    pub next: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Asked {
    Feed,
    Page,
    Robots,
}

/// A record to be written, and the one that goes for it.
pub(super) struct Noted {
    key: Vec<u8>,
    parts: Vec<Vec<u8>>,
    old: Option<Vec<u8>>,
}

impl Noted {
    pub fn apply(&self, trees: &Within) -> Step<()> {
        record::put(&trees.fetches, &self.key, &self.parts)?;
        self.old.as_ref().map_or(Ok(()), |old| record::remove(&trees.fetches, old))
    }
}

impl Store {
    /// The oldest beyond [`KEPT`] goes.
    pub fn note_fetch(&self, site: &str, fetch: &Fetch) -> Result<()> {
        let parts = record::pack_light(fetch)?;
        let _one = self.write();
        let noted = self.noted_fetch(site, parts)?;
        self.transaction(|trees| noted.apply(trees))
    }

    /// The caller holds the lock until it is written.
    pub(super) fn noted_fetch(&self, site: &str, parts: Vec<Vec<u8>>) -> Result<Noted> {
        let last = self.call(|| self.trees.fetches.scan_prefix(prefix(site)).keys().next_back().transpose())?;
        // of a long record it is the key of its last part, which begins as the record's does
        let number_in = |key: sled::IVec| key.get(site.len() + 1..)?.get(..8).and_then(record::number);
        let number = last.and_then(number_in).map_or(0, |last| last + 1);
        Ok(Noted { key: key(site, number), parts, old: number.checked_sub(KEPT).map(|old| key(site, old)) })
    }

    /// The latest requests of a site, the oldest first.
    pub fn fetches(&self, site: &str) -> Result<Vec<Fetch>> {
        let mut all = Vec::new();
        for key in self.walk(self.trees.fetches.scan_prefix(prefix(site)).keys()) {
            let key = key?;
            if number(site, &key).is_some() {
                all.extend(self.get("fetches", &self.trees.fetches, &key)?);
            }
        }
        Ok(all)
    }
}

fn prefix(site: &str) -> Vec<u8> {
    [site.as_bytes(), b"\0"].concat()
}

fn key(site: &str, number: u64) -> Vec<u8> {
    [prefix(site), number.to_be_bytes().to_vec()].concat()
}

/// None for the later parts of a long value.
pub(super) fn number(site: &str, key: &[u8]) -> Option<u64> {
    record::number(&key[site.len() + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::record::tests::noise;
    use crate::store::tests::{at, open};

    #[test]
    fn long_records_keep_their_place_and_go_whole() {
        let (_folder, store) = open();
        let fetch = |n: u64| Fetch {
            at: at(0),
            what: Asked::Feed,
            url: "http://a.vn/rss".parse().unwrap(),
            status: None,
            wire: n,
            decoded: 0,
            ms: 0,
            decision: if n.is_multiple_of(2) { noise(30_000) } else { String::new() },
            next: None,
        };
        (0..KEPT + 9).for_each(|n| store.note_fetch("a", &fetch(n)).unwrap());
        let kept: Vec<u64> = store.fetches("a").unwrap().iter().map(|fetch| fetch.wire).collect();
        assert_eq!(kept, (9..KEPT + 9).collect::<Vec<_>>());
        assert!(store.check().problems.is_empty());
    }
}
