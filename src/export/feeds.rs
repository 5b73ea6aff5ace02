//! The latest articles as feeds for readers: JSON Feed 1.1 and Atom (RFC 4287).

use crate::article::{self, Article, html_escape};
use crate::export::article::published;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use std::cmp::Reverse;

/// A feed's name and articles.
pub struct Feed<'a> {
    /// Its address without extension, from the folder `feeds`: `all`, `province/hung-yen`.
    pub name: String,
    pub title: String,
    pub articles: Vec<&'a Article>,
    /// What came before, as a path from the folder `feeds`: an archive document (RFC 5005, section 4).
    pub previous: Option<String>,
    /// Whether it is such a document itself.
    pub archive: bool,
}

impl<'a> Feed<'a> {
    /// The articles come in the order of their publication, the newest first, whatever order they arrived in.
    pub fn of(name: String, title: String, mut articles: Vec<&'a Article>) -> Feed<'a> {
        articles.sort_by_key(|a| (Reverse(published(a)), &a.id));
        Feed { name, title, articles, previous: None, archive: false }
    }

    fn updated(&self) -> DateTime<Utc> {
        self.articles.iter().map(|a| a.updated_at).max().unwrap_or_default()
    }
}

pub fn json_feed(feed: &Feed) -> Vec<u8> {
    let items: Vec<Value> = feed.articles.iter().map(|article| item(article)).collect();
    let whole = json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "description": "Điểm tin tự động từ các trang đã cấu hình",
        "authors": [{ "name": "diemtin" }],
        "language": "vi",
        "items": items,
    });
    let mut out = serde_json::to_vec_pretty(&whole).expect("strings and lists only");
    out.push(b'\n');
    out
}

fn item(article: &Article) -> Value {
    let mut item = json!({
        "id": urn(article.id.as_str()),
        "url": article.url,
        "title": article.title,
        "content_html": article::html(&article.blocks),
    });
    if let Some(summary) = &article.summary {
        item["summary"] = json!(summary);
    }
    if let Some(image) = article.images.first() {
        item["image"] = json!(image.url);
    }
    if let Some(published) = published(article) {
        item["date_published"] = json!(published.to_rfc3339());
    }
    item["date_modified"] = json!(time(article.updated_at));
    item["authors"] = authors(article).iter().map(|name| json!({ "name": name })).collect();
    if !article.tags.is_empty() {
        item["tags"] = json!(article.tags);
    }
    item["language"] = json!(article.language);
    item
}

pub fn atom(feed: &Feed) -> Vec<u8> {
    let x = xml_escape;
    let file = feed.name.rsplit('/').next().unwrap_or(&feed.name);
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"vi\">\n\
         <id>{}</id>\n<title>{}</title>\n<updated>{}</updated>\n<link rel=\"self\" href=\"{}.atom\"/>\n\
         <generator>diemtin</generator>\n<author><name>diemtin</name></author>\n",
        urn(&format!("feed {}", feed.name)),
        x(&feed.title),
        time(feed.updated()),
        x(file),
    );
    push_history(feed, &mut out);
    for article in &feed.articles {
        push_entry(article, &mut out);
    }
    out.push_str("</feed>\n");
    out.into_bytes()
}

/// Where the earlier articles are. Links are relative to the document's own place.
fn push_history(feed: &Feed, out: &mut String) {
    let up = "../".repeat(feed.name.matches('/').count());
    if let Some(previous) = &feed.previous {
        out.push_str(&format!("<link rel=\"prev-archive\" href=\"{up}{}\"/>\n", xml_escape(previous)));
    }
    if feed.archive {
        out.push_str(&format!(
            "<link rel=\"current\" href=\"{up}all.atom\"/>\n\
             <fh:archive xmlns:fh=\"http://purl.org/syndication/history/1.0\"/>\n"
        ));
    }
}

fn push_entry(article: &Article, out: &mut String) {
    let x = xml_escape;
    out.push_str(&format!(
        "<entry>\n<id>{}</id>\n<title>{}</title>\n<link rel=\"alternate\" href=\"{}\"/>\n<updated>{}</updated>\n",
        urn(article.id.as_str()),
        x(&article.title),
        x(article.url.as_str()),
        time(article.updated_at),
    ));
    if let Some(published) = published(article) {
        out.push_str(&format!("<published>{}</published>\n", published.to_rfc3339()));
    }
    for name in authors(article) {
        out.push_str(&format!("<author><name>{}</name></author>\n", x(name)));
    }
    let topics = article.topics.iter().map(|topic| &topic.id);
    for term in topics.chain(&article.tags) {
        out.push_str(&format!("<category term=\"{}\"/>\n", x(term)));
    }
    if let Some(summary) = &article.summary {
        out.push_str(&format!("<summary>{}</summary>\n", x(summary)));
    }
    let content = x(&article::html(&article.blocks));
    out.push_str(&format!("<content type=\"html\">{content}</content>\n</entry>\n"));
}

/// Both formats want one: the site stands in where the page names nobody.
fn authors(article: &Article) -> Vec<&str> {
    let named: Vec<&str> = article.authors.iter().map(String::as_str).filter(|name| !name.trim().is_empty()).collect();
    if named.is_empty() { vec![&article.site.name] } else { named }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A name for ever that needs no host: a UUID of version 8 (RFC 9562) out of the name's BLAKE3.
fn urn(name: &str) -> String {
    let mut b = [0; 16];
    b.copy_from_slice(&blake3::hash(name.as_bytes()).as_bytes()[..16]);
    b[6] = b[6] & 0x0f | 0x80;
    b[8] = b[8] & 0x3f | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&b);
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// XML 1.0 has no way to write most control characters, so they go.
fn xml_escape(text: &str) -> String {
    let allowed =
        |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    html_escape(&text.chars().filter(allowed).collect::<String>())
}
