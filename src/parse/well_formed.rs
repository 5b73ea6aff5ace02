//! Feeds that needed no repair and still lack something: what feed-rs reads in them.

use super::Item;
use super::text::{escape, plain};
use feed_rs::model::{Entry, Text};
use feed_rs::parser::Builder;
use url::Url;

/// feed-rs holds several copies of what it reads: it is not asked for more, in bytes.
const LONGEST: usize = 4 << 20;

/// Fills what our own rules did not find from what feed-rs finds. (Where both find a part ours stands: feed-rs makes up
/// ids, takes the address of the comments for the article's, reads fewer dates and keeps no offset, and takes what is
/// declared to be text for markup.)
pub fn fill(text: &str, url: Option<&Url>, items: &mut [Item]) {
    if text.len() > LONGEST || !items.iter().any(lacks) {
        return;
    }
    // What it refuses stays as we found it.
    let Some(entries) = entries(text, url).filter(|entries| entries.len() == items.len()) else { return };
    for (item, entry) in items.iter_mut().zip(entries) {
        merge(item, entry);
    }
}

fn lacks(item: &Item) -> bool {
    item.title.is_none() || item.summary.is_none() && item.content.is_none()
}

/// Always UTF-8: the text was decoded before, and the declaration is left out.
fn entries(text: &str, url: Option<&Url>) -> Option<Vec<Entry>> {
    let body = text.trim_start();
    let body = body.strip_prefix("<?xml").and_then(|b| b.split_once("?>")).map_or(body, |(_, rest)| rest);
    // a second declaration stops quick-xml
    if body.contains("<?xml") {
        return None;
    }
    let parser = Builder::new()
        .base_uri(url.map(Url::as_str))
        .sanitize_content(false)
        .id_generator(|_, _, _| String::new())
        .timestamp_parser(|_| None)
        .build();
    // It is given nothing that it could spoil; a feed that stops it is one that it refuses.
    let read = || parser.parse(body.as_bytes()).ok().map(|feed| feed.entries);
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).ok().flatten()
}

fn merge(item: &mut Item, entry: Entry) {
    let Entry { title, summary, content, authors, .. } = entry;
    item.title = item.title.take().or_else(|| plain(&title?.content));
    if item.summary.is_none() && item.content.is_none() {
        item.summary = summary.and_then(html);
        item.content = content.and_then(|content| content.body).filter(|body| !body.trim().is_empty());
    }
    if item.authors.is_empty() {
        item.authors = authors.into_iter().filter_map(|author| author.name).collect();
    }
}

fn html(text: Text) -> Option<String> {
    let marked = text.content_type.subty() == "html";
    Some(text.content).filter(|t| !t.trim().is_empty()).map(|t| if marked { t } else { escape(&t) })
}
