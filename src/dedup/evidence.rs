//! Are two texts one?

use super::print::{FIGURES, Print};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::cmp::Ordering;

/// Fewer samples in common may be a turn of phrase.
const FEWEST: usize = 5;

/// Of the samples of the smaller text, the larger one has this share at least, if they are one …
const CONTAINED: f64 = 0.6;

/// … and if not this much, then whole paragraphs …
const MOSTLY: f64 = 0.67;

/// … and if not this much, then both do not go on differently.
const NEARLY_ALL: f64 = 0.85;

/// A text deeper within another than this share of it is its background (a follow-up) or one of its items (a digest).
const DEEP: f64 = 0.18;

/// So deep may it be if it is nearly all there from its first word: the copy has lost its lead …
const LEAD_LOST: f64 = 0.36;

/// … and is this much of the other: an item of a digest is less.
const NO_ITEM: f64 = 0.4;

/// With so much in common even other figures are a correction.
const ALL: f64 = 0.95;

/// Of the figures of two texts that are one, this share is the same …
const FIGURES_IN_COMMON: f64 = 0.4;

/// … if there are so many.
const FEWEST_FIGURES: usize = 4;

/// The two densities of a text whose whole paragraphs are in the other add up to this: 2, but for a few mended words.
const DENSE: f64 = 1.6;

/// Of two texts that are one, a shorter one than this share of the other is an excerpt of it.
const NEARLY_AS_LONG: f64 = 0.75;

/// A text that is compared with several.
pub struct Sought<'p> {
    print: &'p Print,
    samples: Hashes,
}

impl Sought<'_> {
    pub fn of(print: &Print) -> Sought<'_> {
        Sought { print, samples: Hashes::of(&print.samples, 0) }
    }

    /// What the two have in common; none if it is too little to mean anything.
    pub fn overlap(&self, other: &Print) -> Option<Overlap> {
        let (one, level) = (self.print, self.print.level.max(other.level));
        let (x, y) = (one.at_level(level), other.at_level(level));
        // as many bits as both have
        let less_bits = level - one.level.min(other.level);
        let shorter = x.len() <= y.len();
        let ours;
        let in_one = match level == one.level && less_bits == 0 {
            true => &self.samples,
            false => {
                ours = Hashes::of(&x, less_bits);
                &ours
            }
        };
        let in_other = Hashes::of(&y, less_bits);
        let (small, in_small, large, in_large) =
            if shorter { (&x, in_one, &y, &in_other) } else { (&y, &in_other, &x, in_one) };
        let small = Part::of(small, in_large, less_bits);
        // most that are looked at have too little
        if small.matched < FEWEST || small.contained() < CONTAINED {
            return None;
        }
        Some(Overlap {
            small,
            large: Part::of(large, in_small, less_bits),
            headline: one.headline == other.headline,
            figures: figures(&one.figures, &other.figures),
            contained: small.contained(),
            shorter,
        })
    }
}

/// What a text has of another that is another article.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Related {
    /// All of it, among other things: a digest.
    Contains,
    /// A part of it, below what is new.
    FollowUp,
}

/// What one text is to another; none if they are not one.
pub fn relation(one: &Print, other: &Print) -> Option<Relation> {
    Sought::of(one).overlap(other).filter(Overlap::same).map(|overlap| overlap.relation())
}

/// What one text has of another.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Part {
    pub samples: usize,
    pub matched: usize,
    /// Samples before the first that matched, and after the last.
    pub before: usize,
    pub after: usize,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Overlap {
    pub small: Part,
    pub large: Part,
    /// Both have the same headline.
    pub headline: bool,
    pub figures: Option<f64>,
    /// The share of the smaller text that the larger one has.
    pub contained: f64,
    /// The first of the two is the smaller one.
    pub shorter: bool,
}

/// What one text is to another that is the same article.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Relation {
    Copy,
    /// A part of it.
    Excerpt,
    /// It, and more.
    Extended,
    /// It, as its own site tells it now at another address: for those who know the site, texts alone never say so.
    Revision,
}

/// The share of figures in common, of those that both would have kept; None if there are too few to tell.
fn figures(a: &[u16], b: &[u16]) -> Option<f64> {
    let kept_by = |f: &[u16]| if f.len() < FIGURES { u16::MAX } else { f.last().copied().unwrap_or(u16::MAX) };
    let bound = kept_by(a).min(kept_by(b));
    let below = |f: &[u16]| f.partition_point(|h| *h <= bound);
    let fewer = below(a).min(below(b));
    let common = a[..below(a)].iter().filter(|h| b.binary_search(h).is_ok()).count();
    (fewer >= FEWEST_FIGURES).then(|| common as f64 / fewer as f64)
}

impl Part {
    fn of(samples: &[u16], known: &Hashes, less_bits: u8) -> Part {
        let (mut matched, mut first, mut end) = (0, samples.len(), 0);
        for (at, _) in samples.iter().enumerate().filter(|(_, h)| known.has(**h >> less_bits)) {
            (matched, first, end) = (matched + 1, first.min(at), at + 1);
        }
        Part { samples: samples.len(), matched, before: first, after: samples.len() - end }
    }

    fn contained(&self) -> f64 {
        self.matched as f64 / self.samples.max(1) as f64
    }
}

/// A bit for each.
struct Hashes([u64; 1024]);

impl Hashes {
    fn of(hashes: &[u16], less_bits: u8) -> Hashes {
        let mut bits = [0; 1024];
        hashes.iter().map(|h| h >> less_bits).for_each(|h| bits[usize::from(h >> 6)] |= 1 << (h & 63));
        Hashes(bits)
    }

    fn has(&self, hash: u16) -> bool {
        self.0[usize::from(hash >> 6)] >> (hash & 63) & 1 != 0
    }
}

impl Overlap {
    /// A copy stands at the head of both, or is nearly all of one and not deep within the other (a digest has it
    /// there, and a follow-up has it as its background).
    pub fn same(&self) -> bool {
        let (small, large) = (self.small, self.large);
        if self.contained < CONTAINED || small.matched < FEWEST || self.other_figures() {
            return false;
        }
        let no_item = share(large.matched, large) >= NO_ITEM && share(large.before, large) < LEAD_LOST;
        if self.contained >= NEARLY_ALL && small.before == 0 && no_item {
            return true;
        }
        if share(large.before, large) > DEEP || share(small.before, small) > DEEP {
            return self.headline && (self.contained >= NEARLY_ALL || (self.contained >= MOSTLY && self.dense()));
        }
        let diverge = share(small.after, small) > DEEP && share(large.after, large) > DEEP;
        self.contained >= NEARLY_ALL || (!diverge && (self.contained >= MOSTLY || self.dense()))
    }

    /// The next year's report, or another province's, has the sentences of this one and other numbers in them.
    fn other_figures(&self) -> bool {
        self.contained < ALL && self.figures.is_some_and(|common| common < FIGURES_IN_COMMON)
    }

    /// What the first is to the second, if they are one.
    pub fn relation(&self) -> Relation {
        match self.shorter {
            _ if self.small.samples as f64 > NEARLY_AS_LONG * self.large.samples as f64 => Relation::Copy,
            true => Relation::Excerpt,
            false => Relation::Extended,
        }
    }

    /// What the first has of the second, if they are two articles.
    pub fn related(&self) -> Option<Related> {
        let (first, second) = if self.shorter { (self.small, self.large) } else { (self.large, self.small) };
        let deep = share(first.before, first) > DEEP && !self.other_figures();
        match second.contained() >= NEARLY_ALL && second.before == 0 {
            _ if !deep => None,
            true => Some(Related::Contains),
            false => Some(Related::FollowUp),
        }
    }

    /// Of two that are near, the nearer is the one with more of the text.
    pub fn closeness(&self, other: &Overlap) -> Ordering {
        self.contained.total_cmp(&other.contained).then(self.large.matched.cmp(&other.large.matched))
    }

    /// Whole paragraphs in common, not a sentence here and there as in reports written from one template.
    fn dense(&self) -> bool {
        self.small.density() + self.large.density() > DENSE
    }
}

impl Part {
    /// Share of the samples from the first that matched to the last.
    fn density(&self) -> f64 {
        self.matched as f64 / (self.samples - self.before - self.after).max(1) as f64
    }
}

fn share(of: usize, part: Part) -> f64 {
    of as f64 / part.samples.max(1) as f64
}

impl Print {
    /// The samples that would be ones at a coarser level, as they would be there.
    fn at_level(&self, level: u8) -> Cow<'_, [u16]> {
        let coarser = level - self.level;
        if coarser == 0 {
            return Cow::Borrowed(&self.samples);
        }
        let samples = self.samples.iter().filter(|h| h.leading_zeros() >= u32::from(coarser));
        Cow::Owned(samples.map(|h| h << coarser).collect())
    }
}
