//! Where a hash occurs: pairs of a hash and a number, 8 bytes each.

use std::collections::HashSet;

/// Of the pairs that came last, which are kept in order one by one.
const FRESH: usize = 256;

/// Each run is more than so many times as long as the next: a lookup looks into few, a pair is moved a few times.
const GROWTH: usize = 4;

/// Sorted runs, the longest first (a log-structured merge tree in memory: O'Neil et al. 1996).
#[derive(Default, Debug)]
pub struct Runs {
    runs: Vec<Vec<Pair>>,
    fresh: Vec<Pair>,
}

/// The hash in the upper half: as one number the two are compared in one step.
pub type Pair = u64;

pub fn pair(hash: u32, number: u32) -> Pair {
    u64::from(hash) << 32 | u64::from(number)
}

fn number(pair: Pair) -> u32 {
    pair as u32
}

impl Runs {
    /// All at once.
    pub fn of(mut pairs: Vec<Pair>) -> Runs {
        pairs.sort_unstable();
        pairs.shrink_to_fit();
        Runs { runs: vec![pairs], fresh: Vec::new() }
    }

    pub fn push(&mut self, hash: u32, number: u32) {
        let new = pair(hash, number);
        let at = self.fresh.partition_point(|pair| *pair < new);
        self.fresh.insert(at, new);
        if self.fresh.len() == FRESH {
            self.runs.push(std::mem::take(&mut self.fresh));
            self.settle();
        }
    }

    fn settle(&mut self) {
        while let [.., long, short] = self.runs.as_slice()
            && long.len() <= GROWTH * short.len()
        {
            let merged = merge(long, short);
            self.runs.truncate(self.runs.len() - 2);
            self.runs.push(merged);
        }
    }

    /// The numbers that came with a hash, in no order.
    pub fn get(&self, hash: u32) -> impl Iterator<Item = u32> {
        let runs = self.runs.iter().chain(std::iter::once(&self.fresh));
        runs.flat_map(move |run| {
            let from = run.partition_point(|known| *known < pair(hash, 0));
            run[from..].iter().take_while(move |known| **known >> 32 == u64::from(hash)).map(|known| number(*known))
        })
    }

    pub fn remove(&mut self, numbers: &HashSet<u32>) {
        for run in self.runs.iter_mut().chain(std::iter::once(&mut self.fresh)) {
            run.retain(|pair| !numbers.contains(&number(*pair)));
            run.shrink_to_fit();
        }
        self.settle();
    }

    pub fn bytes(&self) -> usize {
        let pairs: usize = self.runs.iter().map(Vec::capacity).sum();
        (pairs + self.fresh.capacity()) * size_of::<Pair>()
    }
}

fn merge(mut a: &[Pair], mut b: &[Pair]) -> Vec<Pair> {
    let mut out = Vec::with_capacity(a.len() + b.len());
    while let ([x, a_rest @ ..], [y, b_rest @ ..]) = (a, b) {
        if x <= y {
            out.push(*x);
            a = a_rest;
        } else {
            out.push(*y);
            b = b_rest;
        }
    }
    out.extend_from_slice(a);
    out.extend_from_slice(b);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn hash(n: u32) -> u32 {
        n.wrapping_mul(2_654_435_761) >> 22
    }

    fn all(runs: &Runs, hash: u32) -> Vec<u32> {
        let mut numbers: Vec<u32> = runs.get(hash).collect();
        numbers.sort_unstable();
        numbers
    }

    #[test]
    fn every_pair_is_found_until_it_is_removed() {
        let (mut one_by_one, mut wanted) = (Runs::default(), BTreeMap::<u32, Vec<u32>>::new());
        for n in 0..20_000 {
            one_by_one.push(hash(n), n);
            wanted.entry(hash(n)).or_default().push(n);
        }
        let at_once = Runs::of((0..20_000).rev().map(|n| pair(hash(n), n)).collect());
        for (hash, numbers) in &wanted {
            assert_eq!((all(&one_by_one, *hash), all(&at_once, *hash)), (numbers.clone(), numbers.clone()));
        }
        assert!(one_by_one.runs.len() < 6, "{}", one_by_one.runs.len());
        assert!(one_by_one.runs.windows(2).all(|two| two[0].len() > GROWTH * two[1].len()));
        let odd = (0..20_000).filter(|n| n % 2 == 1).collect();
        one_by_one.remove(&odd);
        for (hash, numbers) in wanted {
            assert_eq!(all(&one_by_one, hash), numbers.into_iter().filter(|n| n % 2 == 0).collect::<Vec<_>>());
        }
    }
}
