//! Are two texts one?

use super::print::Print;

/// Share of the shorter text's shingles that the longer one has.
const CONTAINED: f64 = 0.6;

/// How similar, if they are one.
pub fn similarity(a: &Print, b: &Print) -> Option<f64> {
    let o = overlap(a, b);
    o.same().then_some(o.contained)
}

pub struct Overlap {
    pub contained: f64,
    pub of_larger: f64,
    pub larger_start: f64,
    pub smaller_start: f64,
    pub density: f64,
}

pub fn overlap(a: &Print, b: &Print) -> Overlap {
    let level = a.level.max(b.level);
    let (x, y) = (a.at_level(level), b.at_level(level));
    let (small, large) = if x.len() <= y.len() { (x, y) } else { (y, x) };
    let s = shared(&small, &large);
    let l = shared(&large, &small);
    let n = s.iter().filter(|m| **m).count() as f64;
    let nl = l.iter().filter(|m| **m).count() as f64;
    let start = |v: &[bool]| v.iter().position(|m| *m).map_or(1.0, |p| p as f64 / v.len() as f64);
    let span = |v: &[bool]| match (v.iter().position(|m| *m), v.iter().rposition(|m| *m)) {
        (Some(a), Some(b)) => (b - a + 1) as f64,
        _ => 1.0,
    };
    Overlap {
        contained: n / small.len().max(1) as f64,
        of_larger: nl / large.len().max(1) as f64,
        larger_start: start(&l),
        smaller_start: start(&s),
        density: (n / span(&s)).min(nl / span(&l)),
    }
}

impl Overlap {
    fn same(&self) -> bool {
        self.contained >= CONTAINED
    }
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
