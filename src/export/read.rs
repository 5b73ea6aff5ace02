//! An article out of its exported JSON: the way back, for a store that has to be made from the folder.

use crate::article::{self, Article, Copy, DateFrom, Extraction, Id, Image, Revision, SiteRef, TopicMatch};
use crate::export::article::json;
use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use serde::Deserialize;
use url::Url;

/// What [`super::article::Exported`] writes, but for what follows from the rest.
#[derive(Deserialize)]
struct Told {
    id: Id,
    rev: u32,
    url: Url,
    site: SiteRef,
    title: String,
    summary: Option<String>,
    authors: Vec<String>,
    language: String,
    published_at: Option<DateTime<FixedOffset>>,
    published_from: DateFrom,
    first_seen_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    content_html: String,
    images: Vec<Image>,
    tags: Vec<String>,
    topics: Vec<TopicMatch>,
    copies: Vec<Copy>,
    history: Vec<Revision>,
    extraction: Extraction,
}

/// The article of a day from its JSON, indented or in one line. Times, scores and similarities are as exact as the
/// export writes them.
pub fn read(bytes: &[u8], day: NaiveDate) -> Result<Article, String> {
    let told: Told = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    let blocks = article::from_html(&told.content_html).ok_or("content_html is not as diemtin writes it")?;
    if Id::from_name(told.id.as_str()).is_none() {
        return Err("the id has not the form of one".to_owned());
    }
    Ok(Article {
        id: told.id,
        rev: told.rev,
        url: told.url,
        site: told.site,
        title: told.title,
        summary: told.summary,
        authors: told.authors,
        language: told.language,
        published_at: told.published_at,
        published_from: told.published_from,
        first_seen_at: told.first_seen_at,
        updated_at: told.updated_at,
        day,
        blocks,
        images: told.images,
        tags: told.tags,
        topics: told.topics,
        copies: told.copies,
        history: told.history,
        extraction: told.extraction,
    })
}

/// The article of `articles/YYYY/MM/DD/<id>.json`, which must be written byte for byte so again.
pub fn read_file(path: &str, bytes: &[u8]) -> Result<Article, String> {
    let article = read(bytes, day_of(path).ok_or("its folder is no day")?)?;
    if json(&article) != bytes || crate::export::path(&article, "json") != path {
        return Err("it is not as diemtin writes it".to_owned());
    }
    Ok(article)
}

/// The day in an article's path.
pub fn day_of(path: &str) -> Option<NaiveDate> {
    let day = path.strip_prefix("articles/")?.get(..10)?;
    NaiveDate::parse_from_str(day, "%Y/%m/%d").ok() // another name is not an article's
}

/// The id in an article's path.
pub fn id_of(path: &str) -> Option<Id> {
    day_of(path)?;
    Id::from_name(path.get("articles/YYYY/MM/DD/".len()..)?.strip_suffix(".json")?)
}
