//! A page without its chrome: `Page -> Clean`.

use crate::article::{Clean, Entry, Page};
use crate::config::Layout;
use chrono::{DateTime, Utc};

#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    #[error("no article text found on the page")]
    NoText,
    #[error("not a page: {0}")]
    NotAPage(String),
}

/// `entry` is what the feed said of the page, if a feed led to it; `now` bounds the dates that are believed.
pub fn extract(
    _page: &Page,
    _entry: Option<&Entry>,
    _layout: Option<&Layout>,
    _now: DateTime<Utc>,
) -> Result<Clean, ExtractError> {
    todo!()
}

/// The article as the feed alone gives it, for sites with `pages = false`.
pub fn from_entry(_entry: &Entry, _now: DateTime<Utc>) -> Result<Clean, ExtractError> {
    todo!()
}
