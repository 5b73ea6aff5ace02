//! The words of a line, and of the names around it, each with a weight; their sums are two of the line's numbers.

use super::super::page::{Flat, Line};
use super::super::weights::{Weights, hash, pair};
use crate::text::{fold, syllables};

/// Of a longer text the beginning and the end are weighed.
const LONG: usize = 40;
/// So many elements around a line are asked for their names.
const UP: usize = 8;
/// How far up an element stands: itself, its parent, near, far.
const NEAR: [&str; UP] = ["0", "1", "2", "2", "3", "3", "3", "3"];

/// The words of the text and the words of the names, for learning.
pub fn tokens(flat: &Flat<'_>, line: &Line) -> (Vec<String>, Vec<String>) {
    // Figures are all alike, as for the hash of a word.
    let folded = fold(&line.text).replace(|c: char| c.is_ascii_digit(), "0");
    let words: Vec<&str> = syllables(&folded).collect();
    let mut said = Vec::new();
    each_word(&words, "^", |parts| said.push(parts.join(" ")));
    let mut named = Vec::new();
    for (up, elem) in flat.around(line.elem).take(UP).enumerate() {
        each_name(flat, elem, |name| named.push(format!("{}{name}", NEAR[up])));
    }
    (said, named)
}

/// Words one by one and in pairs; the first once more, after a mark.
fn each_word<W: Copy>(words: &[W], mark: W, mut take: impl FnMut(&[W])) {
    if let Some(first) = words.first() {
        take(&[mark, *first]);
    }
    let (start, end) = match words.len() {
        all if all > LONG => (&words[..LONG / 2], &words[all - LONG / 2..]),
        _ => (words, &[][..]),
    };
    for part in [start, end] {
        part.iter().for_each(|word| take(&[*word]));
        part.windows(2).for_each(&mut take);
    }
}

/// `<name` of the element and `.word` for the words of its class, id and role.
fn each_name(flat: &Flat<'_>, elem: usize, mut take: impl FnMut(&str)) {
    let element = flat.elems[elem].node.value();
    let mut word = String::with_capacity(24);
    word.push('<');
    word.push_str(element.name());
    take(&word);
    for (name, value) in element.attrs() {
        if !matches!(name, "class" | "id" | "itemprop" | "role" | "data-testid" | "data-component") {
            continue;
        }
        let mut lower_before = false;
        word.clear();
        word.push('.');
        for c in value.chars().chain([' ']) {
            if !c.is_ascii_alphabetic() || (lower_before && c.is_ascii_uppercase()) {
                if (4..=21).contains(&word.len()) {
                    take(&word);
                }
                word.truncate(1);
            }
            if c.is_ascii_alphabetic() {
                word.push(c.to_ascii_lowercase());
            }
            lower_before = c.is_ascii_lowercase();
        }
    }
}

/// Sums of weights; those of an element are kept, for all lines in it.
pub struct Scores<'w> {
    weights: &'w Weights,
    /// By element and distance.
    names: Vec<[f32; 4]>,
    known: Vec<bool>,
}

impl<'w> Scores<'w> {
    pub fn new(weights: &'w Weights, flat: &Flat<'_>) -> Self {
        Scores { weights, names: vec![[0.0; 4]; flat.elems.len()], known: vec![false; flat.elems.len()] }
    }

    /// The words' mean weight times the root of their number: a long text says more, but not in proportion.
    pub fn words(&self, words: &[u64]) -> f32 {
        let (mut sum, mut count) = (0.0, 0.0_f32);
        each_word(words, hash("^"), |parts| {
            let key = if let [first, second] = parts { pair(*first, *second) } else { parts[0] };
            count += 1.0;
            sum += self.weights.words.get(&key).copied().unwrap_or(0.0);
        });
        sum / count.max(1.0).sqrt()
    }

    pub fn names(&mut self, flat: &Flat<'_>, elem: usize) -> f32 {
        let mut sum = 0.0;
        for (up, e) in flat.around(elem).take(UP).enumerate() {
            if !self.known[e] {
                self.known[e] = true;
                let (weights, sums) = (self.weights, &mut self.names[e]);
                each_name(flat, e, |name| {
                    let found = weights.names.get(&hash(name));
                    found
                        .into_iter()
                        .for_each(|by_distance| sums.iter_mut().zip(by_distance).for_each(|(s, w)| *s += w));
                });
            }
            sum += self.names[e][NEAR[up].as_bytes()[0] as usize - usize::from(b'0')];
        }
        sum
    }
}
