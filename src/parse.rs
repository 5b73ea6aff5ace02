//! Feed bytes to entries: repairs first, then the formats.

mod base;
mod bytes;
mod hub;
mod item;
mod json;
mod list;
mod markup;
mod names;
mod not_feed;
mod opml;
mod reference;
mod schedule;
mod text;
mod well_formed;

#[cfg(test)]
mod tests;

pub use hub::hub;
pub use list::{Look, explain_list, list};
pub use opml::{Outline, opml};
pub use schedule::{Schedule, schedule};

use crate::text::{DateOrder, date_in, date_order};
use base::Bases;
use chrono::{DateTime, Datelike, FixedOffset, Timelike};
use markup::{Node, Reader, Repairs};
use names::Ns;
use url::Url;

/// Items read of one feed; the rest is left.
const ITEMS: usize = 10_000;
/// Bytes of text kept of one feed; items behind them are left.
const KEPT: usize = 16 << 20;

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

/// An item whose dates are still as written, the more trusted first.
struct Draft {
    item: Item,
    published: Vec<String>,
    updated: Vec<String>,
}

/// What may still be kept of a feed's text: a short document can stand for a long one where a long base stands before
/// many short addresses.
struct Room {
    left: usize,
}

impl Default for Room {
    fn default() -> Room {
        Room { left: KEPT }
    }
}

impl Room {
    fn is_left(&self) -> bool {
        self.left > 0
    }

    fn take(&mut self, draft: Option<&Draft>) {
        let Some(Draft { item, published, updated }) = draft else { return };
        let parts = [&item.id, &item.title, &item.link, &item.summary, &item.content];
        let texts = parts.into_iter().flatten().chain(&item.authors).chain(published).chain(updated);
        self.left = self.left.saturating_sub(texts.map(String::len).sum());
    }
}

/// `default_offset` is used for times that name no zone.
pub fn parse(
    body: &[u8],
    content_type: Option<&str>,
    url: Option<&Url>,
    default_offset: FixedOffset,
) -> Result<Feed, ParseError> {
    let mut repairs = Repairs::new();
    let body = bytes::unpack(body, &mut repairs);
    let text = bytes::text(&body, content_type, &mut repairs);
    let trimmed = text.trim_start();
    if trimmed.trim_end().is_empty() {
        return Err(ParseError::Empty);
    }
    let json = trimmed.starts_with('{');
    let (format, mut title, drafts) =
        if json { json::read(trimmed, url, &mut repairs)? } else { read_markup(&text, url, &mut repairs)? };
    let order = date_order(drafts.iter().flat_map(|d| d.published.iter().chain(&d.updated)).map(String::as_str));
    let mut items = dated(drafts, default_offset, order);
    if repairs.is_empty() && matches!(format.as_str(), "rss 2.0" | "atom 1.0") {
        well_formed::fill(&text, url, &mut items);
    }
    if text.contains("NukeViet") && minutes_are_months(&items) {
        items.iter_mut().for_each(|item| to_the_hour(item, default_offset));
        repairs.insert("minutes that are months: the hour is known only, and it is local");
    }
    if has_icelandic(&text) && is_vietnamese(&text) {
        restore_d(&mut title, &mut items, &mut repairs);
    }
    Ok(Feed { format, title, items, repairs: repairs.into_iter().map(str::to_owned).collect() })
}

type Read = (String, Option<String>, Vec<Draft>);

fn read_markup(text: &str, url: Option<&Url>, repairs: &mut Repairs) -> Result<Read, ParseError> {
    let mut reader = Reader::new(text);
    let (mut drafts, mut bases, mut room) = (Vec::new(), Bases::new(url), Room::default());
    while let Some(at) = reader.next_item() {
        if drafts.len() == ITEMS || !room.is_left() {
            repairs.insert("more entries than are read");
            break;
        }
        let base = bases.of(&reader, reader.nodes[at].parent);
        drafts.push(item::read(&reader, at, base.as_deref()));
        room.take(drafts.last());
        reader.forget(at);
    }
    let Some(root) = reader.root else { return Err(ParseError::NotAFeed(not_feed::name(text, url))) };
    if reader.nodes[root].is("sitemapindex") {
        return Err(ParseError::NotAFeed(index_of(&drafts)));
    }
    let title = feed_title(&reader, root);
    let format = format(&reader.nodes[root], repairs);
    repairs.append(&mut reader.repairs());
    Ok((format, title, drafts))
}

/// A sitemap of sitemaps has no pages; those that it names can be polled.
fn index_of(drafts: &[Draft]) -> String {
    let named: Vec<&str> = drafts.iter().filter_map(|draft| draft.item.link.as_deref()).take(3).collect();
    format!("an index of sitemaps: {}", named.join(", "))
}

/// Of the document element or of its channel.
fn feed_title(reader: &Reader, root: usize) -> Option<String> {
    let holds = |parent: usize| parent == root || reader.nodes.get(parent).is_some_and(|n| n.is("channel"));
    let titles = reader.nodes.iter().filter(|n| n.is("title") && holds(n.parent));
    let (own, other): (Vec<&Node>, Vec<&Node>) = titles.partition(|n| n.ns.plain());
    own.iter().chain(&other).find_map(|n| item::title(reader, n))
}

fn format(root: &Node, repairs: &mut Repairs) -> String {
    let version = root.attribute("version").map(str::trim).filter(|v| !v.is_empty());
    let spaces: Vec<&str> = root.attributes.iter().filter(|(k, _)| k.starts_with("xmlns")).map(|(_, v)| *v).collect();
    let names = |part: &str| spaces.iter().any(|s| s.contains(part));
    match () {
        _ if root.is("rss") && version.is_none() => {
            repairs.insert("rss without version");
            "rss".to_owned()
        }
        _ if root.is("rss") => format!("rss {}", version.unwrap_or_default()),
        _ if root.is("feed") && (version == Some("0.3") || names("purl.org/atom")) => "atom 0.3".to_owned(),
        _ if root.is("feed") => "atom 1.0".to_owned(),
        _ if root.ns == Ns::Rdf && names("my.netscape.com") => "rss 0.90".to_owned(),
        _ if root.is("rdf") => "rss 1.0".to_owned(),
        _ if root.is("channel") => "cdf".to_owned(),
        _ => "sitemap".to_owned(),
    }
}

/// Dates read, in the order of day and month that the whole feed shows.
fn dated(drafts: Vec<Draft>, offset: FixedOffset, order: DateOrder) -> Vec<Item> {
    let read = |texts: &[String]| texts.iter().find_map(|t| date_in(t, offset, order));
    let with = |draft: Draft| Item { published: read(&draft.published), updated: read(&draft.updated), ..draft.item };
    drafts.into_iter().map(with).collect()
}

/// NukeViet writes the month where the minute belongs.
fn minutes_are_months(items: &[Item]) -> bool {
    let dates = || items.iter().filter_map(|i| i.published);
    dates().count() >= 3 && dates().all(|d| d.minute() == d.month())
}

/// What writes the month for the minute also calls its own clock GMT: the hour is a local one.
fn to_the_hour(item: &mut Item, local: FixedOffset) {
    let hour = |moment: DateTime<FixedOffset>| {
        let naive = moment.naive_local().with_minute(0)?.with_second(0)?;
        let zone = if moment.offset().local_minus_utc() == 0 { local } else { *moment.offset() };
        naive.and_local_timezone(zone).single()
    };
    item.published = item.published.and_then(hour);
}

/// Letters that only Vietnamese has.
fn is_vietnamese(text: &str) -> bool {
    text.contains(|c: char| matches!(c, '\u{1ea0}'..='\u{1ef9}' | 'ơ' | 'ư' | 'Ơ' | 'Ư'))
}

/// How Đ and đ are written where they are taken for the Icelandic letters that look like them in old code pages.
const ICELANDIC: [(&str, &str); 8] = [
    ("ð", "đ"),
    ("Ð", "Đ"),
    ("&#240;", "đ"),
    ("&#208;", "Đ"),
    ("&#xF0;", "đ"),
    ("&#xD0;", "Đ"),
    ("&eth;", "đ"),
    ("&ETH;", "Đ"),
];

fn has_icelandic(text: &str) -> bool {
    // without the `&`, which may be written as a reference itself
    let escaped = || text.contains('&') && ICELANDIC[2..].iter().any(|(wrong, _)| text.contains(&wrong[1..]));
    !text.is_ascii() && (text.contains('ð') || text.contains('Ð') || escaped())
}

fn restore_d(title: &mut Option<String>, items: &mut [Item], repairs: &mut Repairs) {
    let texts = items.iter_mut().flat_map(|i| [&mut i.title, &mut i.summary, &mut i.content]);
    for text in texts.chain([title]).flatten() {
        for (wrong, right) in ICELANDIC {
            if text.contains(wrong) {
                *text = text.replace(wrong, right);
                repairs.insert("ð for đ");
            }
        }
    }
}
