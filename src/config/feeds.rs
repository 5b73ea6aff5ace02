//! What a site is polled for: feeds, and list pages that stand in for them.

use super::ListLayout;
use super::section::Section;
use super::settings::need;
use super::sites::selector;
use super::source::Typed;
use crate::fetch;
use std::collections::{BTreeMap, HashMap};
use toml_edit::Value;
use url::{Host, Url};

const LIKE: &str = "[\"https://…/rss\"]";

/// All of them, and of those that are list pages where their entries are.
pub fn feeds(
    section: &Section,
    allow_private: bool,
    taken: &mut HashMap<Url, String>,
) -> (Vec<Url>, BTreeMap<Url, ListLayout>) {
    if section.named("feeds").is_none_or(|feeds| feeds.as_array().is_some_and(|list| list.is_empty())) {
        section.missing("feeds", LIKE);
    }
    let (mut feeds, mut lists) = (Vec::new(), BTreeMap::new());
    // that the key is not there was told above
    for typed in section.values("feeds").unwrap_or_default() {
        let (url, layout) = feed(section, &typed);
        let url = url.and_then(|url| section.checked(url, |url| reachable(url, allow_private)));
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

/// Not one that the fetcher would refuse, or that no public name server can know.
fn reachable(url: Url, allow_private: bool) -> Result<Url, String> {
    let literal = match url.host() {
        Some(Host::Ipv4(ip)) => Some(ip.into()),
        Some(Host::Ipv6(ip)) => Some(ip.into()),
        _ => None,
    };
    let kind = match literal {
        Some(ip) => fetch::blocked(ip),
        None if url.host_str().is_some_and(|host| host.trim_end_matches('.').contains('.')) => None,
        None => Some("a name without a dot"),
    };
    match kind.filter(|_| !allow_private) {
        Some(kind) => {
            let host = url.host_str().unwrap_or_default();
            Err(format!("`{host}` is {kind}: such hosts are asked with [http] allow_private = true alone"))
        }
        None => Ok(url),
    }
}

fn address(typed: &str) -> Result<Url, String> {
    let url = Url::parse(typed).map_err(|e| format!("`{typed}` is not an address ({e}): write it like https://…"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(format!("`{other}:` cannot be fetched, only http and https")),
    }
}
