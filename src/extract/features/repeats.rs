//! Where a page says the same words twice: a lead above the text that it is taken from, a pulled quote.

use super::super::weights::ByHash;

pub struct Repeats {
    shingles: Vec<Vec<u64>>,
    /// By shingle, the first and the last line that has it.
    found: ByHash<(u32, u32)>,
}

impl Repeats {
    pub fn of(shingles: Vec<Vec<u64>>) -> Repeats {
        let mut found: ByHash<(u32, u32)> = ByHash::default();
        for (at, line) in (0..).zip(&shingles) {
            for shingle in line {
                found.entry(*shingle).or_insert((at, at)).1 = at;
            }
        }
        Repeats { shingles, found }
    }

    /// The shares of a line's shingles that stand before it too, and after it.
    pub fn measure(&self, at: usize) -> [f32; 2] {
        let line = &self.shingles[at];
        let share = |is: &dyn Fn((u32, u32)) -> bool| {
            let count = line.iter().filter(|s| self.found.get(s).is_some_and(|f| is(*f))).count();
            count as f32 / line.len().max(1) as f32
        };
        [share(&|(first, _)| (first as usize) < at), share(&|(_, last)| last as usize > at)]
    }
}
