//! The headline: what most of the page's own statements agree on, in the form in which it is printed.

use super::meta::Head;
use super::page::{Flat, Shape};
use super::signs::{ASIDE, FOOT, HEADLINE, NAV, RELATED};
use crate::article::Entry;
use crate::text::{fold, syllables, tidy};
use std::collections::HashSet;

/// Where a candidate was found; the earlier, the rather its wording is taken.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
enum Source {
    H1,
    Marked,
    JsonLd,
    OpenGraph,
    Title,
    Feed,
}

impl Source {
    fn words(self) -> &'static str {
        match self {
            Source::H1 => "the page's h1",
            Source::Marked => "a line marked as headline",
            Source::JsonLd => "JSON-LD",
            Source::OpenGraph => "og:title",
            Source::Title => "the page's <title>",
            Source::Feed => "the feed",
        }
    }
}

struct Candidate {
    text: String,
    words: HashSet<String>,
    source: Source,
    /// Up to 2 for a line close before the text.
    nearness: f32,
}

/// The headline and where it was found; `text_at` is the line at which the text begins.
pub fn find(head: &Head, flat: &Flat<'_>, text_at: usize, entry: Option<&Entry>) -> Option<(String, &'static str)> {
    let all = candidates(head, flat, text_at, entry);
    let score = |c: &Candidate| -> f32 {
        let own = [3.0, 1.0, 2.0, 2.0, 1.5, 2.0][c.source as usize];
        let agreed: f32 = [Source::H1, Source::Marked, Source::JsonLd, Source::OpenGraph, Source::Title, Source::Feed]
            .into_iter()
            .filter(|s| *s != c.source && all.iter().any(|o| o.source == *s && alike(&o.words, &c.words)))
            .map(|s| if s == Source::Marked { 1.0 } else { 2.0 })
            .sum();
        own + agreed + c.nearness
    };
    let scores: Vec<f32> = all.iter().map(score).collect();
    // Of two that are backed alike the earlier.
    let best = (0..all.len()).max_by(|i, j| scores[*i].total_cmp(&scores[*j]).then(j.cmp(i)))?;
    let group = all.iter().filter(|c| alike(&c.words, &all[best].words));
    let printed = group.min_by(|a, b| a.source.partial_cmp(&b.source).unwrap_or(std::cmp::Ordering::Equal));
    printed.map(|c| (c.text.clone(), c.source.words()))
}

fn candidates(head: &Head, flat: &Flat<'_>, text_at: usize, entry: Option<&Entry>) -> Vec<Candidate> {
    let mut all = Vec::new();
    let site = site_names(head);
    let mut add = |text: &str, source: Source, nearness: f32| {
        let text = tidy(&text.replace('\n', " "));
        if is_headline(&text, &site) {
            let words = syllables(&fold(&text)).map(str::to_owned).collect();
            all.push(Candidate { text, words, source, nearness });
        }
    };
    let said = ["og:title", "twitter:title"].into_iter().filter_map(|n| head.get(n)).chain(head.title.as_deref());
    let said = said.chain(entry.and_then(|e| e.title.as_deref()));
    let told: Vec<String> = said.map(|t| fold(&tidy(t))).collect();
    let about = text_at.saturating_sub(WINDOW)..text_at + WINDOW;
    for (n, line) in flat.lines.iter().enumerate().skip(about.start).take(about.len()) {
        if line.chars == 0 || line.chars > 300 {
            continue;
        }
        let signs = flat.elems[line.elem].signs;
        let heading = flat.name(line.elem) == "h1" || flat.around(line.elem).take(4).any(|e| flat.name(e) == "h1");
        // A line without a mark that the feed or the head repeats is marked by that.
        let marked =
            signs & HEADLINE != 0 || matches!(line.shape, Shape::Heading(_)) || told.iter().any(|t| t == line.folded());
        // The site's name leads home; a headline seldom leads anywhere.
        let nearness = nearness(n, text_at) - if line.link_share() > 0.5 { 2.0 } else { 0.0 };
        if heading {
            add(&line.text, Source::H1, nearness);
        } else if marked && line.link_share() < 0.5 && !in_chrome(flat, line.elem) {
            add(&line.text, Source::Marked, nearness);
        }
    }
    head.ld.headline.iter().for_each(|t| add(&unescape(t), Source::JsonLd, 0.0));
    for name in ["og:title", "twitter:title"] {
        head.get(name).into_iter().for_each(|t| add(without_site(&unescape(t), &site), Source::OpenGraph, 0.0));
    }
    let title = head.title.iter().filter(|t| !t.split(' ').next().is_some_and(is_class_name));
    title.for_each(|t| add(without_site(t, &site), Source::Title, 0.0));
    if let Some(title) = entry.and_then(|e| e.title.as_deref()) {
        add(title, Source::Feed, 0.0);
    }
    all
}

fn in_chrome(flat: &Flat<'_>, elem: usize) -> bool {
    flat.around(elem).take(6).any(|e| flat.elems[e].signs & (NAV | ASIDE | FOOT | RELATED) != 0)
}

/// JSON-LD and meta are often escaped twice.
fn unescape(text: &str) -> String {
    let pairs = [
        ("&amp;", "&"),
        ("&quot;", "\""),
        ("&#039;", "'"),
        ("&#39;", "'"),
        ("&#8217;", "’"),
        ("&ldquo;", "“"),
        ("&rdquo;", "”"),
    ];
    pairs.iter().fold(text.to_owned(), |t, (from, to)| t.replace(from, to))
}

pub fn site_names(head: &Head) -> Vec<String> {
    ["og:site_name", "application-name", "publisher"].iter().filter_map(|n| head.get(n)).map(fold).collect()
}

/// Not the site's name, not a portlet's class, not empty.
fn is_headline(text: &str, site: &[String]) -> bool {
    let folded = fold(text);
    text.chars().count() >= 4 && !is_class_name(text) && !site.contains(&folded) && text.contains(char::is_alphabetic)
}

/// `DetailController`: one word with a capital in its middle.
fn is_class_name(text: &str) -> bool {
    let middle = |c: char| c.is_ascii_uppercase();
    let lower = text.chars().any(|c| c.is_ascii_lowercase());
    text.len() > 6 && text.chars().all(|c| c.is_ascii_alphanumeric()) && lower && text.chars().skip(2).any(middle)
}

/// The lines before the text among which the headline is looked for first.
const REACH: usize = 25;

/// The lines before and after the text's beginning that are candidates at all: each is compared with each.
const WINDOW: usize = 60;

fn nearness(n: usize, text_at: usize) -> f32 {
    match text_at.checked_sub(n) {
        Some(d) if d <= REACH => 2.0 - d as f32 * 0.05,
        Some(_) => -1.5,
        // Under the photo or the lead, but not far down.
        None if n - text_at <= 3 => 1.0,
        None => -1.0,
    }
}

/// `Headline | Site`, `Headline - Site`: what stands behind the last mark goes if it is the site's name or short.
fn without_site<'t>(title: &'t str, site: &[String]) -> &'t str {
    for mark in [" | ", " :: ", " » ", " – ", " — ", " - ", " • "] {
        if let Some((before, after)) = title.rsplit_once(mark) {
            let named = site.contains(&fold(after));
            let short = after.chars().count() * 2 < before.chars().count() && after.split(' ').count() <= 6;
            if (named || short) && before.split(' ').count() >= 3 {
                return before.trim();
            }
            let first_named = title.split_once(mark).is_some_and(|(first, _)| site.contains(&fold(first)));
            if first_named {
                return title.split_once(mark).map_or(title, |(_, rest)| rest.trim());
            }
        }
    }
    title
}

/// Most of the words of the shorter are in the longer: a cut headline is the same headline.
fn alike(a: &HashSet<String>, b: &HashSet<String>) -> bool {
    let (small, large) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let shared = || small.iter().filter(|w| large.contains(*w)).count();
    small.len() >= 2 && small.len() * 3 >= large.len() && shared() * 10 >= small.len() * 8
}
