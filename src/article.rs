//! The nouns: an article at each stage of its life, and its [`Outcome`].

mod address;
mod read;
mod write;

pub use address::canonical;
pub use read::from_html;
pub use write::{html, html_escape, markdown, plain};

use crate::dedup::Relation;
use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use url::Url;

/// An article's name for ever: the first 26 characters of the lower-case base32 (RFC 4648, no padding) BLAKE3
/// of its [`canonical`] URL. Key in the store, file name in the export folder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, Debug)]
#[serde(transparent)]
pub struct Id(String);

impl Id {
    pub const LEN: usize = 26;

    pub fn of(url: &Url) -> Id {
        let hash = blake3::hash(canonical(url).as_str().as_bytes());
        let mut name = data_encoding::BASE32_NOPAD.encode(hash.as_bytes()).to_ascii_lowercase();
        name.truncate(Self::LEN);
        Id(name)
    }

    /// A name read back from a file or a record; `None` unless it has the form of one.
    pub fn from_name(name: &str) -> Option<Id> {
        let good =
            name.len() == Self::LEN && name.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b));
        good.then(|| Id(name.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a feed says of one article, once it has an address.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Entry {
    pub id: Id,
    /// As the feed gave it, made absolute: what is fetched. The identity is its canonical form.
    pub url: Url,
    pub title: Option<String>,
    pub published: Option<DateTime<FixedOffset>>,
    pub updated: Option<DateTime<FixedOffset>>,
    pub authors: Vec<String>,
    /// HTML, as the feed gave it.
    pub summary: Option<String>,
    /// HTML, as the feed gave it.
    pub content: Option<String>,
}

impl Entry {
    /// Of which nothing but this is known.
    pub fn bare(id: Id, url: Url, title: Option<String>) -> Entry {
        Entry { id, url, title, published: None, updated: None, authors: Vec::new(), summary: None, content: None }
    }
}

/// Bytes as a server sent them, transfer encodings undone.
#[derive(Clone, Debug)]
pub struct Page {
    /// Where it was found, after redirects: the base of its links.
    pub url: Url,
    /// The Content-Type header, if any.
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

/// An article without its site's chrome.
#[derive(Clone, PartialEq, Debug)]
pub struct Clean {
    pub title: Option<String>,
    pub published: Option<DateTime<FixedOffset>>,
    pub published_from: DateFrom,
    pub authors: Vec<String>,
    /// ISO 639-1.
    pub language: String,
    /// What the page or the feed calls its summary, plain text.
    pub summary: Option<String>,
    /// The lead first, without title and byline.
    pub blocks: Vec<Block>,
    /// By which rule each block was kept; one for one with `blocks`.
    pub kept_by: Vec<String>,
    pub images: Vec<Image>,
    pub tags: Vec<String>,
    pub method: Method,
    pub sources: Sources,
    pub dropped: Vec<Dropped>,
    /// How much of the page's running text was kept.
    pub reading: crate::extract::Reading,
}

/// Where parts of an article were found, in words for a person: `the page's h1`, `the feed`, `none`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sources {
    pub title: &'static str,
    pub authors: &'static str,
    pub summary: &'static str,
}

/// A part of the page that is not the article, and why.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Dropped {
    pub text: String,
    pub why: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    Layout,
    Learned,
    Generic,
    Feed,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Debug)]
#[serde(rename_all = "lowercase")]
pub enum DateFrom {
    Page,
    Feed,
    Url,
    Seen,
}

/// A piece of an article. Plain text, Markdown and HTML are written from these ([`plain`], [`markdown`], [`html`]),
/// so nothing a site serves reaches the export unescaped, and the three cannot disagree.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Block {
    /// `level` 2 to 6: 1 is the article's own title.
    Heading {
        level: u8,
        runs: Vec<Run>,
    },
    Paragraph(Vec<Run>),
    List {
        ordered: bool,
        items: Vec<Vec<Run>>,
    },
    Quote(Vec<Vec<Run>>),
    /// Rows of cells.
    Table(Vec<Vec<Vec<Run>>>),
    Figure {
        url: String,
        caption: Vec<Run>,
    },
}

/// Text within a block.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Run {
    Text(String),
    Strong(Vec<Run>),
    Emphasis(Vec<Run>),
    /// `url` is absolute, http or https or mailto.
    Link {
        url: String,
        runs: Vec<Run>,
    },
    /// A line break within a paragraph.
    Break,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Debug)]
pub struct Image {
    pub url: String,
    pub caption: Option<String>,
}

/// What the topics say of a text.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    /// Every topic that was asked, in the order of the configuration.
    pub topics: Vec<Judged>,
}

impl Verdict {
    pub fn selected(&self) -> bool {
        self.topics.iter().any(|t| t.selected)
    }
}

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Judged {
    pub id: String,
    pub score: f64,
    pub selected: bool,
    /// The weightiest first.
    pub hits: Vec<Hit>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, Debug)]
pub struct Hit {
    pub term: String,
    pub r#where: Place,
    pub weight: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    Title,
    Lead,
    Body,
}

/// An article as the store keeps it; the export folder's JSON is written from it.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Article {
    pub id: Id,
    pub rev: u32,
    pub url: Url,
    pub site: SiteRef,
    pub title: String,
    pub summary: Option<String>,
    pub authors: Vec<String>,
    pub language: String,
    pub published_at: Option<DateTime<FixedOffset>>,
    pub published_from: DateFrom,
    pub first_seen_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Its folder in the export: publication day in Vietnam, else of first sight. Never moves.
    pub day: NaiveDate,
    pub blocks: Vec<Block>,
    pub images: Vec<Image>,
    pub tags: Vec<String>,
    pub topics: Vec<TopicMatch>,
    pub copies: Vec<Copy>,
    pub history: Vec<Revision>,
    pub extraction: Extraction,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Debug)]
pub struct SiteRef {
    pub id: String,
    pub name: String,
    /// As configured: of the 34, or of the 63 before July 2025.
    pub province: String,
    /// Of the 34.
    pub province_now: String,
    pub kind: Kind,
    /// Its certificate is not verified (`tls = "insecure"`): anyone on the way may have written this. Only there if so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Party,
    Government,
    Council,
    Front,
    Newspaper,
    Central,
}

/// A topic that the article matched.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, Debug)]
pub struct TopicMatch {
    pub id: String,
    pub score: f64,
    pub hits: Vec<Hit>,
}

/// The same article at another address.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, Debug)]
pub struct Copy {
    pub url: Url,
    /// The site's id.
    pub site: String,
    pub title: String,
    pub published_at: Option<DateTime<FixedOffset>>,
    /// 0 to 1.
    pub similarity: f64,
    /// None of copies that were told before this was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Debug)]
pub struct Revision {
    pub rev: u32,
    pub at: DateTime<Utc>,
    pub why: String,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Debug)]
pub struct Extraction {
    pub method: Method,
    /// How many parts of the page were left out.
    pub dropped: u32,
    /// Why the text may be incomplete, or not be the article's alone; only there if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degraded: Option<String>,
}

/// What became of an entry: the only vocabulary of results, for marks, log lines and counters.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    Stored,
    Duplicate {
        of: Id,
    },
    Revision {
        rev: u32,
    },
    /// Fetched again, same text.
    Unchanged,
    /// Fetched again, but what came is no better: the old text stays.
    Kept {
        why: String,
    },
    OffTopic,
    /// To be tried again.
    Later {
        why: String,
    },
    GaveUp {
        why: String,
    },
}

impl Outcome {
    /// For counters and summaries.
    pub fn label(&self) -> &'static str {
        match self {
            Outcome::Stored => "stored",
            Outcome::Duplicate { .. } => "duplicate",
            Outcome::Revision { .. } => "revision",
            Outcome::Unchanged => "unchanged",
            Outcome::Kept { .. } => "kept",
            Outcome::OffTopic => "off_topic",
            Outcome::Later { .. } => "later",
            Outcome::GaveUp { .. } => "gave_up",
        }
    }
}
