//! Pages as served, kept for a while, so that a change of the rules can be tried on them.

use crate::article::{Id, Page};
use crate::store::{Result, Store, record};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

/// Bytes of what a feed says of an entry, as a rule: of so little a thorough search makes little less.
const SHORT: usize = 8 << 10;

/// A page as served, and when.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct RawPage {
    pub url: Url,
    pub content_type: Option<String>,
    pub at: DateTime<Utc>,
    body: Body,
}

/// Base64 hides from zstd what repeats, so text stays text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
enum Body {
    Text(String),
    Base64(String),
}

impl RawPage {
    pub fn of(page: &Page, now: DateTime<Utc>) -> RawPage {
        let body = match std::str::from_utf8(&page.body) {
            Ok(text) => Body::Text(text.to_owned()),
            Err(_) => Body::Base64(STANDARD.encode(&page.body)),
        };
        RawPage { url: page.url.clone(), content_type: page.content_type.clone(), at: now, body }
    }

    /// The page as it was; none where the record is not what was written.
    pub fn page(&self) -> Option<Page> {
        let body = match &self.body {
            Body::Text(text) => text.clone().into_bytes(),
            // the record's CRC was right, so this can only be wrong by another program's hand
            Body::Base64(text) => STANDARD.decode(text).ok()?,
        };
        Some(Page { url: self.url.clone(), content_type: self.content_type.clone(), body })
    }
}

/// The day first, so that the oldest go first.
pub(super) fn raw_key(id: &Id, now: DateTime<Utc>) -> Vec<u8> {
    let day = now.date_naive().num_days_from_ce().max(0).to_be_bytes();
    [day.as_slice(), id.as_str().as_bytes()].concat()
}

impl Store {
    /// The page as it was when the entry was settled, if it is still kept.
    pub fn raw(&self, id: &Id, at: DateTime<Utc>) -> Result<Option<RawPage>> {
        self.get("raw", &self.trees.raw, &raw_key(id, at))
    }

    /// A page that belongs to an entry's: the second one of its article, under the id of its own address.
    pub fn put_raw(&self, id: &Id, page: &Page, now: DateTime<Utc>) -> Result<()> {
        let parts = Store::raw_parts(page, now)?;
        let _one = self.write();
        self.transaction(|trees| record::put(&trees.raw, &raw_key(id, now), &parts))
    }

    /// Lets pages go that are older than `keep`; at most `most` parts, so that a call is short. Returns how many went.
    pub fn prune_raw(&self, keep: TimeDelta, now: DateTime<Utc>, most: usize) -> Result<usize> {
        let until = (now - keep).date_naive().num_days_from_ce().max(0).to_be_bytes();
        let mut keys = Vec::new();
        for key in self.walk(self.trees.raw.range(..until.as_slice()).keys()).take(most) {
            keys.push(key?);
        }
        let _one = self.write();
        for batch in keys.chunks(256) {
            self.transaction(|trees| batch.iter().try_for_each(|key| trees.raw.remove(key).map(drop)))?;
        }
        Ok(keys.len())
    }

    pub(super) fn raw_parts(page: &Page, now: DateTime<Utc>) -> Result<Vec<Vec<u8>>> {
        let raw = RawPage::of(page, now);
        if page.body.len() < SHORT { record::pack_light(&raw) } else { record::pack(&raw) }
    }
}
