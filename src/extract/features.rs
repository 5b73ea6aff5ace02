//! What is measured of each line for the weights: its text, its place, its neighbours, and what the rules made of it.

mod own;
mod place;
mod tokens;

use super::chrome::Fate;
use super::density::Worth;
use super::meta::{Head, Meta};
use super::page::Flat;
use super::weights::{Weights, hash, pair};
use crate::text::{fold, syllables};
pub use own::OWN;
use own::Own;
pub use place::PLACE;
use place::Places;
use std::collections::HashSet;
use std::ops::Range;
use tokens::Scores;
pub use tokens::tokens;

/// The page as the rules left it.
pub struct Sight<'s, 'p> {
    pub flat: &'s Flat<'p>,
    pub worth: &'s Worth,
    pub head: &'s Head,
    pub meta: &'s Meta,
    pub fates: &'s [Fate],
    /// By line, folded; empty where it was not.
    pub folded: &'s [String],
    /// The lines of the element that holds the article.
    pub body: Range<usize>,
}

/// What the page says of itself, folded once.
struct Said {
    title: HashSet<String>,
    authors: Vec<String>,
    description: HashSet<u64>,
    /// Shingles of `articleBody`; empty if the page has none.
    text: HashSet<u64>,
}

/// So many lines before and after the body are measured.
const AROUND: usize = 40;

/// The neighbours whose text is measured too, as steps over lines of text.
const NEIGHBOURS: [isize; 4] = [-2, -1, 1, 2];

/// The names of the numbers.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = OWN.iter().chain(PLACE).map(|s| (*s).to_owned()).collect();
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
    let window = sight.body.start.saturating_sub(AROUND)..(sight.body.end + AROUND).min(sight.flat.lines.len());
    let lines: Vec<usize> = window.filter(|&n| sight.flat.lines[n].chars > 0).collect();
    let mut scores = Scores::new(weights, sight.flat);
    let own: Vec<Own> = lines.iter().map(|&n| own::measure(sight, &said, &mut scores, n)).collect();
    let places = Places::new(sight, &lines);
    let parent = |n: usize| sight.flat.elems[sight.flat.lines[n].elem].parent;
    let mut numbers = Vec::new();
    for (at, &line) in lines.iter().enumerate().filter(|(_, n)| free(**n)) {
        numbers.clear();
        numbers.extend_from_slice(&own[at]);
        places.measure(sight, &own, at, &mut numbers);
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

impl Said {
    fn of(sight: &Sight<'_, '_>) -> Said {
        let Meta { title, authors, description, .. } = sight.meta;
        let description = description.as_ref().map_or("", |(text, _)| text.as_str());
        let title = fold(title.as_deref().unwrap_or(""));
        let said = |text: &str| shingles(&syllables(&fold(text)).collect::<Vec<_>>()).collect();
        Said {
            title: syllables(&title).map(str::to_owned).collect(),
            authors: authors.iter().map(|a| fold(a)).filter(|a| a.contains(' ')).collect(),
            description: said(description),
            text: said(sight.head.ld.body.as_deref().unwrap_or("")),
        }
    }
}

/// Hashes of each four syllables in a row.
fn shingles(words: &[&str]) -> impl Iterator<Item = u64> {
    let words: Vec<u64> = words.iter().map(|w| hash(w)).collect();
    let four = |four: &[u64]| four.iter().copied().fold(0, pair);
    words.windows(4).map(four).collect::<Vec<_>>().into_iter()
}
