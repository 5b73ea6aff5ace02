//! What a site is polled for: feeds, and list pages that stand in for them.

use super::ListLayout;
use super::section::Section;
use super::settings::need;
use super::sites::selector;
use super::source::Typed;
use std::collections::{BTreeMap, HashMap};
use toml_edit::Value;
use url::Url;

const LIKE: &str = "[\"https://…/rss\"]";

/// All of them, and of those that are list pages where their entries are.
pub fn feeds(section: &Section, taken: &mut HashMap<Url, String>) -> (Vec<Url>, BTreeMap<Url, ListLayout>) {
    if section.named("feeds").is_none_or(|feeds| feeds.as_array().is_some_and(|list| list.is_empty())) {
        section.missing("feeds", LIKE);
    }
    let (mut feeds, mut lists) = (Vec::new(), BTreeMap::new());
    for typed in section.values("feeds").unwrap_or_default() {
        let (url, layout) = feed(section, &typed);
        let Some(url) = url.and_then(|url| new(section, url, taken)) else { continue };
        lists.extend(layout.map(|layout| (url.clone(), layout)));
        feeds.push(url);
    }
    (feeds, lists)
}

/// An address, or a table with the address of a list page.
fn feed(section: &Section, typed: &Typed<&Value>) -> (Option<Typed<Url>>, Option<ListLayout>) {
    let at = typed.at.clone();
    match typed.value {
        Value::String(text) => (section.checked(Typed { value: text.value().as_str(), at }, address), None),
        Value::InlineTable(table) => list(Section::new(section.source, at, Some(table))),
        other => {
            let says = "`feeds` must hold addresses in quotes, or { list = \"https://…\" } for a page without a feed";
            section.source.mistake(&at, format!("{says}, not {}", super::section::described(other.type_name())));
            (None, None)
        }
    }
}

fn list(section: Section) -> (Option<Typed<Url>>, Option<ListLayout>) {
    let url = need(&section, "list", "\"https://…/tin-tuc\"").and_then(|typed| section.checked(typed, address));
    let one = |key| section.text(key).and_then(|typed| selector(section.source, typed));
    let layout = ListLayout { item: one("item"), link: one("link"), title: one("title"), date: one("date") };
    if section.named("item").is_none() {
        for key in ["link", "title", "date"] {
            let Some((at, _)) = section.item(key) else { continue };
            section.source.mistake(&at, format!("`{key}` is looked for within each `item`: name that, too"));
        }
    }
    section.finish();
    (url, Some(layout))
}

fn new(section: &Section, feed: Typed<Url>, taken: &mut HashMap<Url, String>) -> Option<Url> {
    if let Some(first) = taken.get(&feed.value) {
        section.source.mistake(&feed.at, format!("this feed is already polled at {first}"));
        return None;
    }
    taken.insert(feed.value.clone(), section.source.place(&feed.at));
    Some(feed.value)
}

fn address(typed: &str) -> Result<Url, String> {
    let url = Url::parse(typed).map_err(|e| format!("`{typed}` is not an address ({e}): write it like https://…"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(format!("`{other}:` cannot be fetched, only http and https")),
    }
}
