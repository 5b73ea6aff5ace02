//! Feeds that needed no repair, read by feed-rs.

use super::Item;
use super::text::plain;
use feed_rs::model::Entry;
use feed_rs::parser::Builder;
use url::Url;

/// Title and items of a feed.
type Read = (Option<String>, Vec<Item>);

/// What feed-rs reads, where that has every part that we found; else what we found. (It makes up ids, reads
/// fewer dates and keeps no offset, and leaves out what stands in a place it doesn't expect.)
/// Always UTF-8: the text was decoded before, and the declaration is left out.
pub fn read(text: &str, url: Option<&Url>, own: Read) -> Read {
    if own.1.is_empty() || own.1.iter().any(|item| item.id.is_none()) {
        return own;
    }
    let body = text.trim_start();
    let body = body.strip_prefix("<?xml").and_then(|b| b.split_once("?>")).map_or(body, |(_, rest)| rest);
    let parser = Builder::new()
        .base_uri(url.map(Url::as_str))
        .sanitize_content(false)
        .id_generator(|_, _, _| String::new())
        .timestamp_parser(|_| None)
        .build();
    let Ok(feed) = parser.parse(body.as_bytes()) else { return own };
    let title = feed.title.and_then(|t| plain(&t.content));
    let whole = title == own.0
        && feed.entries.len() == own.1.len()
        && feed.entries.iter().zip(&own.1).all(|(entry, item)| same_parts(entry, item));
    if !whole {
        return own;
    }
    (title, feed.entries.into_iter().zip(own.1).map(|(entry, item)| merged(entry, item)).collect())
}

fn same_parts(entry: &Entry, item: &Item) -> bool {
    let filled = |text: Option<&str>| text.is_some_and(|t| !t.trim().is_empty());
    let content = entry.content.as_ref().filter(|c| c.content_type.ty() == "text").and_then(|c| c.body.as_deref());
    filled(entry.title.as_ref().map(|t| t.content.as_str())) == item.title.is_some()
        && filled(entry.summary.as_ref().map(|t| t.content.as_str())) == item.summary.is_some()
        && filled(content) == item.content.is_some()
        && item.id.as_ref() == Some(&entry.id)
        && link(entry) == item.link
}

fn link(entry: &Entry) -> Option<String> {
    entry.links.iter().find(|l| l.rel.as_deref().is_none_or(|r| r == "alternate")).map(|l| l.href.clone())
}

/// The texts and authors as feed-rs has them, the dates as we do: with the offset they were written in.
fn merged(entry: Entry, item: Item) -> Item {
    Item {
        title: entry.title.and_then(|t| plain(&t.content)),
        authors: entry.authors.into_iter().filter_map(|a| a.name).collect(),
        summary: entry.summary.map(|t| t.content),
        content: entry.content.and_then(|c| c.body),
        ..item
    }
}
