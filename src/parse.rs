//! Feed bytes to entries: repairs first, then feed-rs.

use chrono::{DateTime, FixedOffset};
use url::Url;

/// A feed as read.
#[derive(Clone, PartialEq, Debug)]
pub struct Feed {
    /// `rss 2.0`, `atom 1.0`, ...
    pub format: String,
    pub title: Option<String>,
    pub items: Vec<Item>,
    /// What had to be mended before it could be read, in plain words.
    pub repairs: Vec<String>,
}

/// An entry as the feed gives it, before it is asked for an address.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Item {
    pub id: Option<String>,
    pub title: Option<String>,
    /// Absolute where the feed or its address gave a base.
    pub link: Option<String>,
    pub published: Option<DateTime<FixedOffset>>,
    pub updated: Option<DateTime<FixedOffset>>,
    pub authors: Vec<String>,
    /// HTML.
    pub summary: Option<String>,
    /// HTML.
    pub content: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    #[error("empty")]
    Empty,
    /// What it is instead, in plain words.
    #[error("not a feed: {0}")]
    NotAFeed(String),
    #[error("unreadable: {0}")]
    Unreadable(String),
}

/// `default_offset` is used for times that name no zone.
pub fn parse(
    _body: &[u8],
    _content_type: Option<&str>,
    _url: Option<&Url>,
    _default_offset: FixedOffset,
) -> Result<Feed, ParseError> {
    todo!()
}
