//! One article as a file. Pure: the same article gives the same bytes for ever, since the change log holds their hash.

use crate::article::{
    self, Article, Block, Copy, DateFrom, Extraction, Hit, Id, Image, Kind, Revision, Run, TopicMatch, html_escape,
};
use chrono::{DateTime, FixedOffset, SubsecRound, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};
use url::Url;

pub const SCHEMA: &str = "diemtin.article/1";

/// An article of the press digest, as `articles/YYYY/MM/DD/<id>.json` and as a line of `daily/YYYY-MM-DD.jsonl`.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "diemtin article")]
pub struct Exported<'a> {
    #[schemars(extend("const" = SCHEMA))]
    schema: &'static str,
    id: &'a Id,
    rev: u32,
    url: &'a Url,
    site: ExportedSite<'a>,
    title: &'a str,
    summary: Option<&'a str>,
    authors: &'a [String],
    /// ISO 639-1.
    language: &'a str,
    published_at: Option<DateTime<FixedOffset>>,
    published_from: DateFrom,
    first_seen_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    content_text: String,
    content_html: String,
    images: &'a [Image],
    tags: &'a [String],
    word_count: usize,
    topics: Vec<TopicMatch>,
    copies: Vec<Copy>,
    history: Vec<Revision>,
    extraction: &'a Extraction,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Site")]
struct ExportedSite<'a> {
    id: &'a str,
    name: &'a str,
    /// As configured: of the 34, or of the 63 before July 2025.
    province: &'a str,
    /// Of the 34.
    province_now: &'a str,
    kind: Kind,
    /// Its certificate was not verified: anyone on the way may have written this. Only there if so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    insecure: bool,
}

impl<'a> Exported<'a> {
    pub fn of(article: &'a Article) -> Exported<'a> {
        let content_text = article::plain(&article.blocks);
        Exported {
            schema: SCHEMA,
            id: &article.id,
            rev: article.rev,
            url: &article.url,
            site: site(article),
            title: &article.title,
            summary: article.summary.as_deref(),
            authors: &article.authors,
            language: &article.language,
            published_at: published(article),
            published_from: article.published_from,
            first_seen_at: article.first_seen_at.trunc_subsecs(0),
            updated_at: article.updated_at.trunc_subsecs(0),
            word_count: content_text.split_whitespace().count(),
            content_text,
            content_html: article::html(&article.blocks),
            images: &article.images,
            tags: &article.tags,
            topics: article.topics.iter().map(topic).collect(),
            copies: article.copies.iter().map(copy).collect(),
            history: article.history.iter().map(revision).collect(),
            extraction: &article.extraction,
        }
    }
}

fn site(article: &Article) -> ExportedSite<'_> {
    let site = &article.site;
    ExportedSite {
        id: &site.id,
        name: &site.name,
        province: &site.province,
        province_now: &site.province_now,
        kind: site.kind,
        insecure: site.insecure,
    }
}

fn topic(topic: &TopicMatch) -> TopicMatch {
    let hit = |hit: &Hit| Hit { weight: rounded(hit.weight), ..hit.clone() };
    TopicMatch { id: topic.id.clone(), score: rounded(topic.score), hits: topic.hits.iter().map(hit).collect() }
}

fn copy(copy: &Copy) -> Copy {
    let published_at = copy.published_at.map(|t| t.trunc_subsecs(0));
    Copy { similarity: rounded(copy.similarity), published_at, ..copy.clone() }
}

fn revision(line: &Revision) -> Revision {
    Revision { at: line.at.trunc_subsecs(0), ..line.clone() }
}

/// To four places, since a number read back from the store may differ in its last bit; and never -0.
fn rounded(x: f64) -> f64 {
    if x.is_finite() { (x * 1e4).round() / 1e4 + 0.0 } else { 0.0 }
}

/// To the second: an article that came back from its JSON knows no more.
pub fn published(article: &Article) -> Option<DateTime<FixedOffset>> {
    article.published_at.map(|t| t.trunc_subsecs(0))
}

/// From the export folder; never changes, since `day` and `id` do not.
pub fn path(article: &Article, extension: &str) -> String {
    format!("articles/{}/{}.{extension}", article.day.format("%Y/%m/%d"), article.id)
}

/// The contract's object, indented, for people too.
pub fn json(article: &Article) -> Vec<u8> {
    let mut out = serde_json::to_vec_pretty(&Exported::of(article)).expect("strings, numbers and lists only");
    out.push(b'\n');
    out
}

/// The same object in one line.
pub fn line(article: &Article) -> Vec<u8> {
    let mut out = serde_json::to_vec(&Exported::of(article)).expect("strings, numbers and lists only");
    out.push(b'\n');
    out
}

/// YAML front matter whose values are JSON, so that no text can end it or become a key; then CommonMark.
pub fn markdown(article: &Article) -> Vec<u8> {
    let mut out = String::from("---\n");
    for (key, value) in front_matter(article) {
        out.push_str(key);
        out.push_str(": ");
        push_yaml(&value, &mut out);
        out.push('\n');
    }
    out.push_str(&format!("---\n\n{}\n", markdown_body(&article.title, &article.blocks)));
    out.into_bytes()
}

/// What follows the front matter.
pub fn markdown_body(title: &str, blocks: &[Block]) -> String {
    let title = Block::Heading { level: 1, runs: vec![Run::Text(title.to_owned())] };
    format!("{}\n\n{}", article::markdown(&[title]), article::markdown(blocks))
}

fn front_matter(article: &Article) -> Vec<(&'static str, serde_json::Value)> {
    let full = serde_json::to_value(Exported::of(article)).expect("strings, numbers and lists only");
    let field = |name: &str| full.get(name).cloned().unwrap_or_default();
    let site = |name: &str| full.pointer(&format!("/site/{name}")).cloned().unwrap_or_default();
    let topics: Vec<&str> = article.topics.iter().map(|t| t.id.as_str()).collect();
    let copies: Vec<&str> = article.copies.iter().map(|c| c.url.as_str()).collect();
    let mut matter = vec![
        ("schema", field("schema")),
        ("id", field("id")),
        ("rev", field("rev")),
        ("url", field("url")),
        ("site", site("id")),
        ("site_name", site("name")),
        ("province", site("province")),
        ("province_now", site("province_now")),
        ("kind", site("kind")),
        ("title", field("title")),
        ("summary", field("summary")),
        ("authors", field("authors")),
        ("language", field("language")),
        ("published_at", field("published_at")),
        ("published_from", field("published_from")),
        ("first_seen_at", field("first_seen_at")),
        ("updated_at", field("updated_at")),
        ("images", field("images")),
        ("tags", field("tags")),
        ("topics", topics.into()),
        ("copies", copies.into()),
        ("extraction", field("extraction")),
    ];
    matter.extend(article.site.insecure.then_some(("insecure", true.into())));
    matter
}

/// JSON is YAML but for some characters that YAML wants escaped in a string; JSON has them in strings only.
fn push_yaml(value: &serde_json::Value, out: &mut String) {
    for c in value.to_string().chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
}

/// A small complete document.
pub fn html(article: &Article) -> Vec<u8> {
    let e = html_escape;
    let title = e(&article.title);
    let when = published(article).map_or(String::new(), |t| {
        format!("<time datetime=\"{}\">{}</time> · ", t.to_rfc3339(), t.format("%d/%m/%Y %H:%M"))
    });
    let authors =
        if article.authors.is_empty() { String::new() } else { format!(" · {}", e(&article.authors.join(", "))) };
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n</head>\n<body>\n<article>\n\
         <h1>{title}</h1>\n<p>{when}<a href=\"{}\">{}</a>{authors}</p>\n{}\n</article>\n</body>\n</html>\n",
        e(&article.language),
        e(article.url.as_str()),
        e(&article.site.name),
        article::html(&article.blocks),
    )
    .into_bytes()
}

/// In hex.
pub fn sha256(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}
