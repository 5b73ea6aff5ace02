//! What was asked of servers and what came of it: the latest requests of each site.

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

impl Store {
    /// The oldest beyond [`KEPT`] goes.
    pub fn note_fetch(&self, site: &str, fetch: &Fetch) -> Result<()> {
        let parts = record::pack_light(fetch)?;
        let _one = self.write();
        let last = self.call(|| self.trees.fetches.scan_prefix(prefix(site)).keys().next_back().transpose())?;
        let number = last.and_then(|key| number(site, &key)).map_or(0, |last| last + 1);
        self.transaction(|trees| {
            record::put(&trees.fetches, &key(site, number), &parts)?;
            number.checked_sub(KEPT).map_or(Ok(()), |old| record::remove(&trees.fetches, &key(site, old)))
        })
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
