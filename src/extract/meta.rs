//! What the page says of the article: names, dates, words.

use super::byline::names;
use super::headline;
use super::ld::{self, Ld};
use super::page::Flat;
use super::signs::DATE;
use super::tags::{attr, is_block};
use super::when::{believed, in_url, visible};
use crate::article::{DateFrom, Entry};
use crate::text::{self, VIETNAM, fold, tidy};
use chrono::{DateTime, Duration, FixedOffset, Utc};
use scraper::Html;
use std::collections::HashMap;
use std::ops::Range;
use url::Url;

/// Said of what was not found.
pub const NONE: &str = "nowhere";

#[derive(Clone)]
pub struct Meta {
    pub title: Option<String>,
    pub published: Option<DateTime<FixedOffset>>,
    pub published_from: DateFrom,
    pub authors: Vec<String>,
    /// What the page's head says of it, and where.
    pub description: Option<(String, &'static str)>,
    /// What the feed says of it, in plain text.
    pub teaser: Option<String>,
    pub tags: Vec<String>,
    /// `<html lang>` or its like, two letters.
    pub language: Option<String>,
    pub title_from: &'static str,
    pub authors_from: &'static str,
}

/// The head's `<meta>` by name, property or itemprop (ASCII lower case), and `<title>`.
pub struct Head {
    pub meta: HashMap<String, Vec<String>>,
    pub title: Option<String>,
    pub ld: Ld,
    lang: Option<String>,
}

impl Head {
    pub fn read(html: &Html, json_ld: &[String]) -> Head {
        let mut head = Head { meta: HashMap::new(), title: None, ld: ld::read(json_ld), lang: None };
        for node in html.tree.nodes() {
            let Some(e) = node.value().as_element() else { continue };
            match e.name() {
                "html" => head.lang = attr(e, "lang").or(attr(e, "xml:lang")).map(str::to_owned),
                "title" if head.title.is_none() => {
                    let text: String = node.children().filter_map(|c| c.value().as_text().map(|t| &**t)).collect();
                    head.title = Some(tidy(&text)).filter(|t| !t.is_empty());
                }
                "meta" => {
                    let name = attr(e, "property").or(attr(e, "name")).or(attr(e, "itemprop"));
                    if let (Some(name), Some(content)) = (name, attr(e, "content")) {
                        head.meta.entry(name.to_ascii_lowercase()).or_default().push(tidy(content));
                    }
                }
                // Often in an element that is not shown.
                _ if attr(e, "itemprop") == Some("datePublished") => {
                    let said = attr(e, "content").or(attr(e, "datetime")).map(tidy);
                    let said = said.or_else(|| Some(tidy(node.first_child()?.value().as_text()?)));
                    head.meta.entry("datepublished".to_owned()).or_default().extend(said);
                }
                _ => {}
            }
        }
        head
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.meta.get(name)?.iter().map(String::as_str).find(|s| !s.is_empty())
    }
}

/// `text_at` is the line at which the text begins, `from` the URL of the page, `entry` what the feed said.
pub fn read(
    head: &Head,
    flat: &Flat<'_>,
    text_at: usize,
    from: &Url,
    entry: Option<&Entry>,
    now: DateTime<Utc>,
) -> Meta {
    let (title, title_from) = headline::find(head, flat, text_at, entry).map_or((None, NONE), |(t, f)| (Some(t), f));
    let (published, published_from) = published(head, flat, title.as_deref(), from, entry, now);
    let (authors, authors_from) = authors(head, entry);
    let teaser = entry.and_then(|e| e.summary.as_deref()).map(super::plain_html).filter(|s| !s.is_empty());
    Meta {
        published,
        published_from,
        authors,
        description: description(head),
        teaser,
        tags: tags(head, flat),
        language: head.lang.as_deref().and_then(two_letters),
        title,
        title_from,
        authors_from,
    }
}

fn two_letters(lang: &str) -> Option<String> {
    let code: String = lang.trim().chars().take_while(char::is_ascii_alphabetic).collect();
    (code.len() == 2).then(|| code.to_ascii_lowercase())
}

const DATE_NAMES: [&str; 10] = [
    "article:published_time",
    "og:published_time",
    "datepublished",
    "pubdate",
    "publishdate",
    "date",
    "dc.date.issued",
    "dc.date",
    "sailthru.date",
    "parsely-pub-date",
];

/// JSON-LD, meta, marked elements, what stands beside the headline, the URL, the feed.
fn published(
    head: &Head,
    flat: &Flat<'_>,
    title: Option<&str>,
    from: &Url,
    entry: Option<&Entry>,
    now: DateTime<Utc>,
) -> (Option<DateTime<FixedOffset>>, DateFrom) {
    let parse = |s: &str| text::date(s, VIETNAM).and_then(|d| believed(d, now));
    let said = head.ld.published.as_deref().and_then(parse);
    let said = said.or_else(|| DATE_NAMES.iter().filter_map(|n| head.get(n)).find_map(parse));
    let said = said.or_else(|| marked(flat).find_map(|s| parse(&s)));
    let said = said.or_else(|| beside(flat, title, entry, now));
    if said.is_some() {
        return (said, DateFrom::Page);
    }
    if let Some(date) = entry.and_then(|e| e.published).and_then(|d| believed(d, now)) {
        // The day in the URL is right, but the feed knows the hour too.
        return (Some(date), DateFrom::Feed);
    }
    match in_url(from).and_then(|d| believed(d, now)) {
        Some(date) => (Some(date), DateFrom::Url),
        None => (None, DateFrom::Seen),
    }
}

/// `itemprop=datePublished`, then `<time>`.
fn marked<'a>(flat: &'a Flat<'_>) -> impl Iterator<Item = String> + 'a {
    let value = |e: &super::page::Elem<'_>| {
        let attr = e.node.attr("content").or(e.node.attr("datetime")).or(e.node.attr("title"));
        attr.map_or_else(|| e.begins_with(), str::to_owned)
    };
    let by_prop = flat.elems.iter().filter(|e| attr(e.node.value(), "itemprop") == Some("datePublished"));
    let by_time = flat.elems.iter().filter(|e| e.node.value().name() == "time").take(1);
    by_prop.chain(by_time).map(value)
}

/// So many lines before and after the headline may hold the date.
const NEAR: usize = 12;

/// So many elements of a line are looked at.
const WITHIN: usize = 40;

/// So many characters are no row of facts on the article.
const ROW: usize = 200;

/// The nearest; rather one that the feed agrees with, for a masthead shows the day of the visit.
fn beside(
    flat: &Flat<'_>,
    title: Option<&str>,
    entry: Option<&Entry>,
    now: DateTime<Utc>,
) -> Option<DateTime<FixedOffset>> {
    let title = fold(title?);
    // A link to the article is not its headline.
    let printed = |n: &usize| flat.lines[*n].chars > 0 && flat.lines[*n].link_share() < 0.5;
    let at = (0..flat.lines.len()).filter(printed).find(|&n| flat.lines[n].folded() == title).or_else(|| {
        let begins = |n: &usize| flat.lines[*n].chars > 20 && title.starts_with(flat.lines[*n].folded());
        (0..flat.lines.len()).filter(printed).find(begins)
    })?;
    let said = |e: usize| visible(&flat.elems[e].begins_with());
    let date = |n: usize| {
        let line = flat.lines.get(n).filter(|l| l.link_share() < 0.3 && l.chars < ROW)?;
        let within = || begun_at(flat, n).filter(|&e| flat.elems[e].lines.end <= n + 1).take(WITHIN);
        if within().any(|e| is_clock(flat, e)) {
            return None;
        }
        // Without a blank between them the hour runs into the number of readers.
        let whole = visible(&line.text).or_else(|| within().filter(|&e| !is_block(flat.name(e))).find_map(said));
        whole.and_then(|d| believed(d, now))
    };
    let near = (1..=NEAR).flat_map(|d| [at.checked_sub(d), Some(at + d)]).flatten();
    // Also within a line that holds more: author, date and buttons in one row.
    let named = (0..flat.elems.len()).filter(|&e| flat.elems[e].signs & DATE != 0);
    let named = named.filter(|&e| flat.elems[e].lines.start.abs_diff(at) <= NEAR);
    let named = named.filter(|&e| !is_clock(flat, e)).filter_map(said);
    let near = near.filter_map(date).chain(named.filter_map(|d| believed(d, now)));
    let near: Vec<DateTime<FixedOffset>> = near.collect();
    let told = entry.and_then(|e| e.published);
    let agrees = |d: &&DateTime<FixedOffset>| told.is_some_and(|told| (**d - told).abs() <= Duration::hours(36));
    near.iter().find(agrees).or(near.first()).copied()
}

/// The elements that begin where a line begins.
fn begun_at(flat: &Flat<'_>, line: usize) -> Range<usize> {
    let before = |at: usize| flat.elems.partition_point(|e| e.lines.start < at);
    before(line)..before(line + 1)
}

/// What a site calls the day and hour of the visit.
const CLOCKS: [&str; 6] = ["current-time", "current_time", "currenttime", "current-date", "currentdate", "clock"];

/// The day of the visit, `span.current-time`.
fn is_clock(flat: &Flat<'_>, elem: usize) -> bool {
    let named = |class: &str| class.split_ascii_whitespace().any(|c| CLOCKS.contains(&c));
    flat.around(elem).take(2).any(|e| flat.elems[e].node.attr("class").is_some_and(named))
}

fn authors(head: &Head, entry: Option<&Entry>) -> (Vec<String>, &'static str) {
    let site = head.get("og:site_name").map(fold).unwrap_or_default();
    let named = |said: Vec<String>| {
        let persons =
            said.iter().flat_map(|a| names(&tidy(a))).filter(|n| fold(n) != site && !fold(n).starts_with("admin"));
        unique(persons.collect())
    };
    let meta = ["author", "article:author", "dc.creator", "parsely-author"];
    let meta = meta.into_iter().filter_map(|name| head.meta.get(name).cloned());
    let feed = entry.map(|e| e.authors.clone());
    let said = std::iter::once((head.ld.authors.clone(), "JSON-LD"));
    let said = said.chain(meta.map(|a| (a, "the page's meta"))).chain(feed.map(|a| (a, "the feed")));
    said.map(|(said, from)| (named(said), from)).find(|(names, _)| !names.is_empty()).unwrap_or((Vec::new(), NONE))
}

pub fn unique(names: Vec<String>) -> Vec<String> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

fn description(head: &Head) -> Option<(String, &'static str)> {
    let meta = [
        ("og:description", "og:description"),
        ("description", "the page's meta description"),
        ("twitter:description", "twitter:description"),
    ];
    let meta = meta.iter().find_map(|(name, from)| Some((head.get(name)?.to_owned(), *from)));
    meta.or_else(|| Some((head.ld.description.as_deref().map(tidy).filter(|d| !d.is_empty())?, "JSON-LD")))
}

fn tags(head: &Head, flat: &Flat<'_>) -> Vec<String> {
    let mut tags: Vec<String> = head.meta.get("article:tag").cloned().unwrap_or_default();
    if tags.is_empty() {
        let linked = flat.elems.iter().filter(|e| e.node.value().name() == "a" && e.node.attr("rel") == Some("tag"));
        tags = linked.map(|e| tidy(&e.node.text().collect::<String>())).collect();
    }
    tags.retain(|t| !t.is_empty() && t.chars().count() < 60);
    tags.truncate(20);
    unique(tags)
}
