//! Learned weights that correct the rules: trees of questions about a line's numbers ([`super::features`]), added up as
//! in gradient boosting (Friedman, "Greedy function approximation", 2001). `tests/blocks/train.py` makes the table.

use super::chrome::Fate;
use super::features::{self, Sight};
use super::page::Line;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::hint::select_unpredictable;
use std::sync::LazyLock;

static TABLE: LazyLock<Weights> = LazyLock::new(|| Weights::read(include_str!("weights.tsv")));

static SECRET: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
/// An odd number with many bits, the golden ratio's.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// The keys are hashes already.
pub type ByHash<T> = HashMap<u64, T, BuildHasherDefault<AsIs>>;
pub type Hashes = HashSet<u64, BuildHasherDefault<AsIs>>;

#[derive(Default)]
pub struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|b| self.0 = pair(self.0, u64::from(*b)));
    }

    /// With a number that no page can know: words chosen to share a hash's last bits would make a table slow.
    fn write_u64(&mut self, hash: u64) {
        let mixed = u128::from(hash ^ *SECRET) * u128::from(MIX);
        self.0 = (mixed >> 64) as u64 ^ mixed as u64;
    }
}

#[derive(Default)]
pub struct Weights {
    /// By the hash of a word or a pair of words.
    pub words: ByHash<f32>,
    /// By the hash of a name; a weight for each distance.
    pub names: ByHash<[f32; 4]>,
    nodes: Vec<Node>,
    /// By node.
    answers: Vec<f32>,
    trees: Vec<Tree>,
}

/// A question, answered yes in the node that follows, no in `other`. Where a tree has its answer, no number is small
/// enough for a yes, and `other` is the node itself. Small, since a page asks a hundred thousand of them.
struct Node {
    /// Which number it asks for.
    number: u16,
    other: u16,
    limit: f32,
}

struct Tree {
    begin: usize,
    /// After so many questions there is an answer.
    depth: usize,
}

/// What is asked for by a name that no number has.
const UNKNOWN: u16 = u16::MAX;

impl Weights {
    pub fn shipped() -> &'static Weights {
        &TABLE
    }

    /// Rows of `word`, `name`, `tree`, `ask` and `give`; a tree is written as it is asked, the yes side first.
    fn read(table: &str) -> Weights {
        let names = features::names();
        let mut weights = Weights::default();
        let mut asked = Vec::new();
        for row in table.lines().filter(|row| !row.starts_with('#')) {
            match row.split('\t').collect::<Vec<&str>>().as_slice() {
                ["word", words, weight] => {
                    let key = words.split_once(' ').map_or_else(|| hash(words), |(a, b)| pair(hash(a), hash(b)));
                    weights.words.insert(key, number(weight));
                }
                ["name", name, weight] => {
                    let (distance, name) = name.split_at(1);
                    let by_distance = weights.names.entry(hash(name)).or_default();
                    by_distance[number(distance) as usize % 4] = number(weight);
                }
                ["tree"] => weights.trees.push(Tree { begin: weights.nodes.len(), depth: 0 }),
                ["ask", name, limit] => {
                    asked.push(weights.nodes.len());
                    let place = names.iter().position(|n| n == name);
                    let place = place.and_then(|p| u16::try_from(p).ok()).unwrap_or(UNKNOWN); // the test of the table finds it
                    weights.nodes.push(Node { number: place, limit: number(limit), other: 0 });
                    weights.answers.push(0.0);
                }
                ["give", value] => {
                    if let Some(tree) = weights.trees.last_mut() {
                        tree.depth = tree.depth.max(asked.len());
                    }
                    let itself = u16::try_from(weights.nodes.len()).unwrap_or(u16::MAX);
                    weights.nodes.push(Node { number: 0, limit: f32::NAN, other: itself });
                    weights.answers.push(number(value));
                    weights.answered(&mut asked);
                }
                _ => {}
            }
        }
        weights
    }

    /// An answer ends each question whose other side it is, and begins the other side of the next.
    fn answered(&mut self, asked: &mut Vec<usize>) {
        let next = u16::try_from(self.nodes.len()).unwrap_or(u16::MAX);
        while let Some(question) = asked.last().map(|&q| &mut self.nodes[q]) {
            if question.other == 0 {
                question.other = next;
                return;
            }
            asked.pop();
        }
    }

    /// How likely the line is text of the article, 0 to 1.
    pub fn judge(&self, numbers: &[f32]) -> f32 {
        let sum: f32 = self.trees.iter().map(|tree| self.answer(tree, numbers)).sum();
        1.0 / (1.0 + (-sum).exp())
    }

    /// As many steps whatever the numbers are, and no jumps: a processor that cannot foresee the answers asks the next
    /// tree meanwhile.
    fn answer(&self, tree: &Tree, numbers: &[f32]) -> f32 {
        let mut at = tree.begin;
        for _ in 0..tree.depth {
            let node = &self.nodes[at];
            let Some(number) = numbers.get(usize::from(node.number)) else { return 0.0 };
            at = select_unpredictable(*number <= node.limit, at + 1, usize::from(node.other));
        }
        self.answers[at]
    }

    pub fn is_empty(&self) -> bool {
        self.trees.is_empty()
    }
}

/// A cell that is no number counts for nothing; the test of the table finds it.
fn number(cell: &str) -> f32 {
    cell.parse().unwrap_or(0.0)
}

/// FNV-1a of a word with its figures masked: a year is a year.
pub fn hash(word: &str) -> u64 {
    let masked = word.bytes().map(|b| if b.is_ascii_digit() { b'0' } else { b });
    masked.fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// The hash of two words in a row, of theirs.
pub fn pair(first: u64, second: u64) -> u64 {
    (first.rotate_left(23) ^ second).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A line so likely is text: a lost one weighs more than one too many.
const LIKELY: f32 = 0.45;
/// A line of links must be so likely text.
const LIKELY_LINKS: f32 = 0.7;

/// So much of the text that the rules keep stays at least.
const LEAST: f32 = 0.2;

/// How likely a line must be text to be kept, where a rule kept or dropped it by guess; what rules know for sure is left
/// alone.
pub fn limit(fate: &Fate, line: &Line) -> Option<f32> {
    match fate {
        // Half of all lines, one in two hundred of them text.
        Fate::Dropped("outside the article") if line.link_share() > 0.5 => None,
        Fate::Kept("a post from elsewhere" | "a picture within the text") => None,
        Fate::Dropped(
            "on other pages of the site too"
            | "the headline again"
            | "a label of related articles"
            | "listed under related articles",
        ) => None,
        Fate::Dropped("a line of links" | "a list of links") => Some(LIKELY_LINKS),
        Fate::Kept(_) | Fate::Dropped(_) | Fate::Caption(_) => Some(LIKELY),
        Fate::Byline(_) | Fate::Open | Fate::Raised(..) | Fate::Lowered(..) => None,
    }
}

/// Changes the fates that the weights are sure of.
pub fn correct(sight: &Sight<'_, '_>) -> Vec<Fate> {
    let weights = Weights::shipped();
    let mut fates = sight.fates.to_vec();
    if weights.is_empty() {
        return fates;
    }
    let free = |n: usize| limit(&sight.fates[n], &sight.flat.lines[n]).is_some();
    features::measure(sight, weights, free, |line, numbers| {
        let likely = weights.judge(numbers);
        let percent = (likely * 100.0).round() as u8;
        let is_text = limit(&sight.fates[line], &sight.flat.lines[line]).is_some_and(|limit| likely > limit);
        match &fates[line] {
            Fate::Kept(why) if !is_text => fates[line] = Fate::Lowered(percent, why),
            Fate::Dropped(why) | Fate::Caption(why) if is_text => fates[line] = Fate::Raised(percent, why),
            _ => {}
        }
    });
    let text = |fates: &[Fate]| -> f32 {
        fates.iter().zip(&sight.worth.text).filter(|(fate, _)| fate.is_kept()).map(|(_, text)| text).sum()
    };
    // Weights that leave next to nothing are as wrong as names of regions that would.
    if text(&fates) < LEAST * text(sight.fates) { sight.fates.to_vec() } else { fates }
}

#[cfg(test)]
mod tests {
    use super::{Weights, hash, pair};
    use crate::extract::features;

    #[test]
    fn a_tree_is_asked_from_its_first_question() {
        let table = "# a table\nword\txin chào\t-0.5\nname\t2.promo\t-1.5\ntree\nask\tchars\t80\nask\tlinks\t0.5\n\
                     give\t-1\ngive\t-3\ngive\t2\ntree\nask\tkept\t1\ngive\t-1\ngive\t1\n";
        let weights = Weights::read(table);
        let names = features::names();
        let ask = |chars: f32, links: f32, kept: f32| {
            let number = |name: &String| match name.as_str() {
                "chars" => chars,
                "links" => links,
                "kept" => kept,
                _ => 0.0,
            };
            weights.judge(&names.iter().map(number).collect::<Vec<f32>>())
        };
        for (chars, links, kept, sum) in
            [(80.0, 0.5, 0.0, -2.0), (80.0, 0.6, 2.0, -2.0), (81.0, 1.0, 2.0, 3.0), (81.0, 0.0, 1.0, 1.0)]
        {
            let wanted = 1.0 / (1.0 + f32::exp(-sum));
            assert!((ask(chars, links, kept) - wanted).abs() < 1e-6, "{chars} {links} {kept}");
        }
        assert_eq!(weights.words.get(&pair(hash("xin"), hash("chào"))), Some(&-0.5));
        assert_eq!(weights.names.get(&hash(".promo")), Some(&[0.0, 0.0, -1.5, 0.0]));
    }

    /// Each row is of a kind that is read, each number a number, each question one that is measured.
    #[test]
    fn the_shipped_table_is_whole() {
        let table = include_str!("weights.tsv");
        assert!(table.len() <= 1 << 20);
        let names = features::names();
        let mut open = 0;
        for row in table.lines().filter(|row| !row.starts_with('#')) {
            let cells: Vec<&str> = row.split('\t').collect();
            let (known, value) = match cells.as_slice() {
                ["word", word, value] => (!word.is_empty(), *value),
                ["name", name, value] => (name.starts_with(['0', '1', '2', '3']), *value),
                ["tree"] => (open == 0, "0"),
                ["ask", name, value] => (names.iter().any(|n| n == name), *value),
                ["give", value] => (open > 0, *value),
                _ => (false, ""),
            };
            assert!(known && value.parse::<f32>().is_ok_and(f32::is_finite), "{row}");
            open = match cells[0] {
                "tree" => 1,
                "ask" => open + 1,
                "give" => open - 1,
                _ => open,
            };
        }
        assert_eq!(open, 0);
        assert!(Weights::shipped().trees.len() > 50);
        assert!(Weights::shipped().nodes.len() < usize::from(u16::MAX));
    }
}
