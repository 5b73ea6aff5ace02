//! Are two texts one?

use super::print::Print;

/// Share of the shorter text's shingles that the longer one has.
const CONTAINED: f64 = 0.6;

const NEARLY_ALL: f64 = 0.8;

const DEEP: f64 = 0.25;

/// How similar, if they are one.
pub fn similarity(a: &Print, b: &Print) -> Option<f64> {
    let o = overlap(a, b);
    o.same().then_some(o.contained)
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
    /// Matched samples that follow each other in the same order in both, among neighbours.
    pub contained: f64,
}

pub fn overlap(a: &Print, b: &Print) -> Overlap {
    let level = a.level.max(b.level);
    let (x, y) = (a.at_level(level), b.at_level(level));
    let (small, large) = if x.len() <= y.len() { (x, y) } else { (y, x) };
    let small_part = Part::of(&shared(&small, &large));
    let large_part = Part::of(&shared(&large, &small));
    Overlap { small: small_part, large: large_part, contained: small_part.matched as f64 / small.len().max(1) as f64 }
}

impl Part {
    fn of(matches: &[bool]) -> Part {
        let before = matches.iter().position(|m| *m).unwrap_or(matches.len());
        let after = matches.iter().rev().position(|m| *m).unwrap_or(matches.len());
        Part { samples: matches.len(), matched: matches.iter().filter(|m| **m).count(), before, after }
    }
}

impl Overlap {
    /// A copy stands at the head of both, or is nearly all of one and not deep within the other (a digest has it
    /// there, and a follow-up has it as its background).
    fn same(&self) -> bool {
        let (small, large) = (self.small, self.large);
        if share(large.before, large) > DEEP {
            return false;
        }
        if self.contained >= NEARLY_ALL {
            return true;
        }
        let diverge = share(small.after, small) > 0.25 && share(large.after, large) > 0.25;
        self.contained >= CONTAINED && !diverge && share(small.before, small) < DEEP
    }
}

fn share(of: usize, part: Part) -> f64 {
    of as f64 / part.samples.max(1) as f64
}

fn shared(of: &[u32], with: &[u32]) -> Vec<bool> {
    let mut sorted = with.to_vec();
    sorted.sort_unstable();
    of.iter().map(|h| sorted.binary_search(h).is_ok()).collect()
}

impl Print {
    fn at_level(&self, level: u8) -> Vec<u32> {
        self.samples.iter().copied().filter(|h| level == 0 || h >> (32 - u32::from(level)) == 0).collect()
    }
}
