//! What is measured of each line for the weights: its text, its place, its neighbours, and what the rules made of it.

mod own;
mod place;
mod repeats;
mod tokens;
mod topic;

use super::chrome::Fate;
use super::density::Worth;
use super::headline::site_names;
use super::meta::{Head, Meta};
use super::page::{Flat, Shape};
use super::signs::BODY;
use super::weights::{Hashes, Weights, hash, pair};
use crate::text::{fold, syllables};
pub use own::OWN;
use own::{Measured, Own};
pub use place::PLACE;
use place::Places;
use std::collections::HashSet;
use std::ops::Range;
use tokens::Scores;
pub use tokens::tokens;
pub use topic::TOPIC;
use topic::Topic;
use url::Url;

/// The page as the rules left it.
pub struct Sight<'s, 'p> {
    pub flat: &'s Flat<'p>,
    pub worth: &'s Worth,
    pub head: &'s Head,
    pub meta: &'s Meta,
    pub fates: &'s [Fate],
    /// The lines of the element that holds the article.
    pub body: Range<usize>,
    pub url: &'s Url,
}

/// What the page says of itself, folded once.
struct Said {
    title: HashSet<String>,
    /// Their hashes: most words of a line are none of them.
    title_hashes: Hashes,
    authors: Vec<String>,
    description: Hashes,
    /// Shingles of `articleBody`; empty if the page has none.
    text: Hashes,
    /// What the site calls itself, without spaces.
    site: Vec<String>,
}

/// So many lines before and after the body are measured.
const AROUND: usize = 40;
/// So many, if they stand in the part of the page that is named the article or the content.
const REACH: usize = 300;

/// The neighbours whose text is measured too, as steps over lines of text.
const NEIGHBOURS: [isize; 4] = [-2, -1, 1, 2];
/// The most steps among these.
const REACHED: usize = 2;

/// The names of the numbers.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = OWN.iter().chain(PLACE).chain(TOPIC).map(|s| (*s).to_owned()).collect();
    for step in NEIGHBOURS {
        names.extend(OWN[..own::SHARED].iter().map(|name| format!("{name}{step:+}")));
        names.push(format!("same_parent{step:+}"));
    }
    names
}

/// Measures the lines of text in and around the body that are `free`, and gives each with its numbers in the order
/// of [`names`].
pub fn measure(
    sight: &Sight<'_, '_>,
    weights: &Weights,
    free: impl Fn(usize) -> bool,
    mut give: impl FnMut(usize, &[f32]),
) {
    let said = Said::of(sight);
    let lines: Vec<usize> = window(sight).filter(|&n| sight.flat.lines[n].chars > 0).collect();
    let mut scores = Scores::new(weights, sight.flat);
    let (mut own, mut shingles, mut words): (Vec<Own>, Vec<_>, Vec<_>) = Default::default();
    for (at, &line) in lines.iter().enumerate() {
        let measured: Measured = match is_asked(sight, &lines, at, &free) {
            true => own::measure(sight, &said, &mut scores, line),
            false => own::unknown(&sight.flat.lines[line]),
        };
        own.push(measured.own);
        shingles.push(measured.shingles);
        words.push(measured.long);
    }
    let places = Places::new(sight, &said, shingles, &lines);
    let topic = Topic::of(sight, &lines, words);
    let parent = |n: usize| sight.flat.elems[sight.flat.lines[n].elem].parent;
    let mut numbers = Vec::new();
    for (at, &line) in lines.iter().enumerate().filter(|(_, n)| free(**n)) {
        numbers.clear();
        numbers.extend_from_slice(&own[at]);
        places.measure(sight, &own, at, &mut numbers);
        topic.measure(at, &mut numbers);
        for step in NEIGHBOURS {
            let there = at.checked_add_signed(step).filter(|&t| t < lines.len());
            match there {
                Some(t) => numbers.extend_from_slice(&own[t][..own::SHARED]),
                None => numbers.extend([-1.0; own::SHARED]),
            }
            numbers.push(there.map_or(-1.0, |t| own::flag(parent(lines[t]) == parent(line))));
        }
        give(line, &numbers);
    }
}

/// Whether [`Own`] is read of a line: of those that are `free`, of their neighbours, of headings.
fn is_asked(sight: &Sight<'_, '_>, lines: &[usize], at: usize, free: impl Fn(usize) -> bool) -> bool {
    let near = at.saturating_sub(REACHED)..(at + REACHED + 1).min(lines.len());
    matches!(sight.flat.lines[lines[at]].shape, Shape::Heading(_)) || lines[near].iter().any(|&n| free(n))
}

/// An article may be cut into sections, of which the body is one.
fn window(sight: &Sight<'_, '_>) -> Range<usize> {
    let (flat, body) = (sight.flat, &sight.body);
    let around = flat.lines.get(body.start).map(|l| flat.around(l.elem));
    let named = |e: &usize| {
        let lines = &flat.elems[*e].lines;
        let holds = lines.start <= body.start && lines.end >= body.end;
        holds && flat.elems[*e].signs & BODY != 0 && !matches!(flat.name(*e), "html" | "body")
    };
    let part =
        around.and_then(|around| around.filter(named).last()).map_or(body.clone(), |e| flat.elems[e].lines.clone());
    let from = part.start.max(body.start.saturating_sub(REACH)).min(body.start.saturating_sub(AROUND));
    let until = part.end.min(body.end + REACH).max(body.end + AROUND).min(flat.lines.len());
    from..until
}

impl Said {
    fn of(sight: &Sight<'_, '_>) -> Said {
        let Meta { title, authors, description, .. } = sight.meta;
        let description = description.as_ref().map_or("", |(text, _)| text.as_str());
        let title = fold(title.as_deref().unwrap_or(""));
        let said = |text: &str| shingles(&syllables(&fold(text)).map(hash).collect::<Vec<_>>()).into_iter().collect();
        Said {
            title_hashes: syllables(&title).map(hash).collect(),
            title: syllables(&title).map(str::to_owned).collect(),
            authors: authors.iter().map(|a| fold(a)).filter(|a| a.contains(' ')).collect(),
            description: said(description),
            text: said(sight.head.ld.body.as_deref().unwrap_or("")),
            site: sites(sight),
        }
    }
}

/// Its names, and the longest part of its host.
fn sites(sight: &Sight<'_, '_>) -> Vec<String> {
    let host = sight.url.host_str().unwrap_or("").rsplit('.').skip(1).max_by_key(|part| part.len()).unwrap_or("");
    let names =
        site_names(sight.head).into_iter().map(|name| name.split_once(" - ").map_or(name.clone(), |n| n.0.into()));
    let all = names.chain([host.replace('-', "")]).map(|name: String| name.replace(' ', ""));
    all.filter(|name| name.chars().nth(3).is_some()).collect()
}

/// A hash of each four words in a row, of theirs.
fn shingles(words: &[u64]) -> Vec<u64> {
    words.windows(4).map(|four| four.iter().copied().fold(0, pair)).collect()
}
