//! A page that lists articles, read as a feed: by its layout's selectors, or by what repeats on it.

mod find;
mod left;
#[cfg(test)]
mod tests;

use super::markup::Repairs;
use super::{Draft, Feed, ITEMS, Item, ParseError, bytes, dated, not_feed};
use crate::article::{Dropped, Page};
use crate::config::ListLayout;
use crate::extract::{self, Flat};
use crate::text::{VIETNAM, date, date_order, tidy};
use chrono::FixedOffset;
use scraper::{ElementRef, Selector};
use std::collections::HashSet;
use std::ops::Range;
use url::Url;

/// A longer text is no date with a few words around it, in characters.
const DATE: usize = 60;
/// Of an item, so many texts that could be its date are kept.
const DATES: usize = 4;
/// A longer text of a link holds more than its title, in characters.
const TITLE: usize = 250;

/// The entries of a list page in its order, each address once. `default_offset` is used for times that name no zone.
pub fn list(page: &Page, layout: &ListLayout, default_offset: FixedOffset) -> Result<Feed, ParseError> {
    look(page, layout, default_offset, false).map(|look| look.feed)
}

/// A list page as read, and why so.
pub struct Look {
    pub feed: Feed,
    /// Where its entries were found, in plain words.
    pub place: String,
    /// Links of the page that are no entries, and why not.
    pub left: Vec<Dropped>,
}

/// As [`list`], with what was left and why.
pub fn explain_list(page: &Page, layout: &ListLayout, default_offset: FixedOffset) -> Result<Look, ParseError> {
    look(page, layout, default_offset, true)
}

fn look(page: &Page, layout: &ListLayout, offset: FixedOffset, reasons: bool) -> Result<Look, ParseError> {
    let (html, base) = extract::tree(page).map_err(|why| ParseError::NotAFeed(why.to_string()))?;
    let flat = extract::flatten(&html, &base);
    let list = List { flat: &flat, base: &base, page: &page.url };
    let taken = match &layout.item {
        Some(item) => by_layout(&list, item, layout),
        None => find::find(&list).ok_or_else(|| ParseError::NotAFeed(NOTHING.to_owned())),
    };
    let taken = taken.map_err(|why| obstacle(page).unwrap_or(why))?;
    let left = if reasons { left::left(&list, &taken) } else { Vec::new() };
    let Taken { place, entries, .. } = taken;
    let drafts: Vec<Draft> = entries.into_iter().map(|(_, draft)| draft).collect();
    let order = date_order(drafts.iter().flat_map(|d| &d.published).map(String::as_str));
    let mut elements = html.tree.nodes().filter_map(ElementRef::wrap);
    let title = elements.find(|e| e.value().name() == "title").map(|e| tidied(e.text())).filter(|t| !t.is_empty());
    let items = once_each(dated(drafts, offset, order));
    let format = if layout.item.is_some() { "list" } else { "list, found" }.to_owned();
    Ok(Look { feed: Feed { format, title, items, repairs: Vec::new() }, place, left })
}

/// A login form, a challenge or an error where the list should be.
fn obstacle(page: &Page) -> Option<ParseError> {
    let text = bytes::text(&page.body, page.content_type.as_deref(), &mut Repairs::new());
    not_feed::obstacle(&text).map(|what| ParseError::NotAFeed(what.to_owned()))
}

const NOTHING: &str = "an HTML page; no list of articles was found on it: name its `item`";

/// A parsed list page.
pub struct List<'a> {
    pub flat: &'a Flat<'a>,
    pub base: &'a Url,
    pub page: &'a Url,
}

/// What a page's list is made of.
pub struct Taken {
    /// In plain words.
    pub place: String,
    /// The element around all entries, where the list was found.
    pub holder: Option<usize>,
    /// Each with its link's element.
    pub entries: Vec<(usize, Draft)>,
}

fn by_layout(list: &List, item: &Selector, layout: &ListLayout) -> Result<Taken, ParseError> {
    let items: Vec<usize> = matching(list.flat, item, 0..list.flat.elems.len()).take(ITEMS).collect();
    if items.is_empty() {
        return Err(ParseError::Unreadable("nothing on the page matches the list's `item`".to_owned()));
    }
    let entries: Vec<(usize, Draft)> = items.iter().filter_map(|&item| list.item(item, layout)).collect();
    if entries.is_empty() {
        return Err(ParseError::Unreadable("no `item` of the list has a link with a title".to_owned()));
    }
    let place = format!("{} elements match `item`, {} of them have a link with a title", items.len(), entries.len());
    Ok(Taken { place, holder: None, entries })
}

fn matching<'f>(flat: &'f Flat<'_>, selector: &'f Selector, within: Range<usize>) -> impl Iterator<Item = usize> + 'f {
    within.filter(|&e| selector.matches(&flat.elems[e].node))
}

impl List<'_> {
    fn item(&self, item: usize, layout: &ListLayout) -> Option<(usize, Draft)> {
        let range = item..self.flat.elems[item].end;
        let first = |selector: &Selector| matching(self.flat, selector, range.clone()).next();
        let named = layout.link.as_ref().and_then(first);
        // what is named may be the link, stand around it, or within it
        let link = match named {
            Some(at) => self.link_at(at).or_else(|| self.best_link(at..self.flat.elems[at].end)),
            None => self.best_link(range.clone()).or_else(|| self.link_at(item)),
        }?;
        let (at, title) = match layout.title.as_ref().and_then(first) {
            Some(at) => (at, self.text(at)),
            None => self.title(link),
        };
        let dates = match layout.date.as_ref().and_then(first) {
            Some(at) => self.date_attribute(at).into_iter().chain([self.text(at)]).collect(),
            None => self.dates(range, link, at),
        };
        Some((link, self.draft(link, title, dates)?))
    }

    /// None without an address or a title.
    pub fn draft(&self, link: usize, title: String, published: Vec<String>) -> Option<Draft> {
        let link = Some(self.address(link)?.into());
        let title = Some(title).filter(|t| !t.is_empty())?;
        Some(Draft { item: Item { title: Some(title), link, ..Item::default() }, published, updated: Vec::new() })
    }

    /// Another page's address.
    pub fn address(&self, link: usize) -> Option<Url> {
        let href = self.flat.elems[link].node.value().attr("href")?.trim();
        // what is no address leads nowhere
        let fetched = |url: &Url| matches!(url.scheme(), "http" | "https") || url.scheme() == self.page.scheme();
        let mut url = self.base.join(href).ok().filter(fetched)?;
        url.set_fragment(None);
        (!href.is_empty() && !href.starts_with('#') && url != *self.page).then_some(url)
    }

    /// The element itself or the nearest around it that is a link.
    fn link_at(&self, elem: usize) -> Option<usize> {
        self.flat.around(elem).take(4).find(|&e| self.is_link(e))
    }

    pub fn is_link(&self, elem: usize) -> bool {
        self.flat.name(elem) == "a" && self.address(elem).is_some()
    }

    /// The link with the longest title.
    fn best_link(&self, within: Range<usize>) -> Option<usize> {
        let links = within.rev().filter(|&e| self.is_link(e));
        links.max_by_key(|&e| self.title(e).1.chars().count())
    }

    /// Of a link: the heading in it, if it has one, else its own text; the `title` attribute where that was cut short.
    pub fn title(&self, link: usize) -> (usize, String) {
        let heading = (link..self.flat.elems[link].end).find(|&e| is_heading(self.flat.name(e)));
        let at = heading.unwrap_or(link);
        let text = self.text(at);
        let cut = text.is_empty() || text.ends_with('…') || text.ends_with("...") || text.chars().count() > TITLE;
        let whole = self.flat.elems[link].node.value().attr("title").map(tidy).filter(|t| !t.is_empty() && cut);
        (at, whole.unwrap_or(text))
    }

    fn text(&self, elem: usize) -> String {
        tidied(self.flat.elems[elem].node.text())
    }

    fn date_attribute(&self, elem: usize) -> Option<String> {
        self.flat.elems[elem].node.value().attr("datetime").map(str::to_owned)
    }

    /// Short texts of an item that name a day, outside of its title, in document order; a `datetime` goes first.
    pub fn dates(&self, item: Range<usize>, link: usize, title: usize) -> Vec<String> {
        let outside = item.filter(|e| !(title..self.flat.elems[title].end).contains(e));
        let texts = outside.flat_map(|e| {
            let holds = |inner: usize| e <= inner && inner < self.flat.elems[e].end;
            let text = if holds(link) || holds(title) { self.own_text(e) } else { self.short_text(e) };
            self.date_attribute(e).into_iter().chain(text)
        });
        texts.filter(|text| names_a_day(text)).take(DATES).collect()
    }

    /// The text right within an element.
    fn own_text(&self, elem: usize) -> Option<String> {
        let texts = self.flat.elems[elem].node.children().filter_map(|n| n.value().as_text()).map(|t| &**t);
        short(texts)
    }

    fn short_text(&self, elem: usize) -> Option<String> {
        short(self.flat.elems[elem].node.text())
    }
}

fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

fn tidied<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    tidy(&texts.collect::<Vec<_>>().join(" "))
}

/// The texts as one, unless that is too long to be looked at.
fn short<'t>(texts: impl Iterator<Item = &'t str>) -> Option<String> {
    let mut all = String::new();
    for text in texts.map(str::trim).filter(|t| !t.is_empty()) {
        all.extend([" ", text]);
        if all.len() > DATE * 4 {
            return None;
        }
    }
    let tidy = day_box(tidy(&all));
    (tidy.chars().count() <= DATE).then_some(tidy)
}

/// `27 02/2024`: the day in a box of its own, above month and year.
fn day_box(text: String) -> String {
    let digits = |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let parts = text.split_once(' ').and_then(|(day, rest)| Some((day, rest.split_once('/')?)));
    match parts {
        Some((day, (month, year))) if digits(day, 2) && digits(month, 2) && digits(year, 4) => {
            format!("{day}/{month}/{year}")
        }
        _ => text,
    }
}

/// A number alone is none: it counts readers.
fn names_a_day(text: &str) -> bool {
    let separated = text.contains(['/', '-', '.', ',']) || text.chars().any(char::is_alphabetic);
    separated && text.contains(|c: char| c.is_ascii_digit()) && date(text, VIETNAM).is_some()
}

fn once_each(mut items: Vec<Item>) -> Vec<Item> {
    let mut seen = HashSet::new();
    items.retain(|item| seen.insert(item.link.clone()));
    items
}
