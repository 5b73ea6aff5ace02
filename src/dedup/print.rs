//! What is remembered of a text to know it again.

use crate::text::{Key, Written, fold, syllables, vanishes, words};
use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::num::NonZeroU64;
use std::ops::Range;
use std::sync::LazyLock;

/// Syllables in a shingle.
const SHINGLE: usize = 4;

/// A text has at most about this many samples, and more than half as many if it is long enough.
const SAMPLES: usize = 96;

/// At least 1/8 of a text's shingles are samples, however long it is: an excerpt of it may be short.
const COARSEST: u8 = 3;

/// Of the samples, the smallest are the key under which the text is looked up: those below this bound …
const KEY_BOUND: u32 = u32::MAX / 28;

/// … but at least this many.
const SMALLEST_KEY: usize = 10;

/// The share of its key that a text must have in common with another for a closer look.
const LIKELY: f64 = 0.2;

/// How many of a text's figures are kept.
pub const FIGURES: usize = 24;

/// A text with fewer syllables of prose is taken as a whole.
const LEAST_PROSE: usize = 20;

/// A line of fewer syllables is prose only if it ends as a sentence does.
const LONG_LINE: usize = 30;

/// A line of fewer syllables is a headline, a menu, a byline.
const SHORT_LINE: usize = 12;

/// The same for NFC and NFD, old and new tone placement, any case, punctuation and white space within a line. Stored:
/// its hashes never change between versions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Print {
    /// Hash of all syllables.
    pub text: u64,
    /// Hash of the headline: the title, or a text's first line where there is none.
    pub headline: u32,
    /// Shingles of the prose.
    pub shingles: u32,
    /// One in 2^level shingles is a sample.
    pub level: u8,
    /// Hashes of shingles, the smallest, sorted: by these it is looked up.
    pub key: Vec<u32>,
    /// In the order of the text, each once: the upper 16 bits of those that not all samples have in common.
    pub samples: Vec<u16>,
    /// Hashes of its numbers of two digits and more, the smallest ones, sorted.
    pub figures: Vec<u16>,
}

thread_local! {
    static PRINTER: RefCell<Printer> = RefCell::default();
}

/// Makes prints, and remembers what words hash to.
#[derive(Default)]
struct Printer {
    known: Written<NonZeroU64>,
    lines: Lines,
    shingles: Vec<u32>,
    seen: HashSet<u32, Spread>,
}

/// What was read of a text so far.
#[derive(Default)]
struct Lines {
    /// The hashes of its syllables, and of those of the prose.
    all: Vec<u64>,
    prose: Vec<u64>,
    figures: Vec<u16>,
}

impl Printer {
    fn print(&mut self, title: &str, text: &str) -> Print {
        let title = title.trim();
        self.read(title);
        let mut headline = self.lines.hash(0);
        self.lines.clear();
        let mut lines = lines(text).map(str::trim).skip_while(|line| line.is_empty());
        if let Some(first) = lines.next() {
            self.read(first);
            headline = if title.is_empty() { self.lines.hash(0) } else { headline };
        }
        lines.for_each(|line| self.read(line));
        let whole = self.lines.hash(headline);
        let Printer { lines, shingles, seen, .. } = self;
        shingle(if lines.prose.len() >= LEAST_PROSE { &lines.prose } else { &lines.all }, shingles);
        let (level, samples) = samples(shingles, seen);
        let print = Print {
            text: whole,
            headline: (headline >> 32) as u32,
            shingles: shingles.len() as u32,
            level,
            key: key(shingles),
            samples,
            figures: smallest(&mut lines.figures, FIGURES),
        };
        lines.clear();
        print
    }

    /// `line` has no white space at its ends.
    fn read(&mut self, line: &str) {
        let (from, figures_from) = (self.lines.all.len(), self.lines.figures.len());
        let folded;
        let line = if words(line, |start, end, key| self.take(line, start..end, key)) {
            line
        } else {
            self.lines.all.truncate(from);
            self.lines.figures.truncate(figures_from);
            folded = fold(line);
            self.lines.take(&folded);
            &folded
        };
        if is_prose(line, &self.lines.all[from..]) {
            self.lines.prose.extend_from_slice(&self.lines.all[from..]);
        } else {
            self.lines.figures.truncate(figures_from);
        }
    }

    fn take(&mut self, line: &str, at: Range<usize>, key: Option<Key>) {
        let hash = key.and_then(|key| self.known.get(key, || &line[at.clone()], hash_of_word));
        let Some(hash) = hash else { return self.lines.take(&fold(&line[at])) };
        let bytes = line.as_bytes();
        self.lines.push(hash.get(), bytes[at.start].is_ascii_digit() && is_figure(&bytes[at]));
    }
}

impl Lines {
    fn take(&mut self, folded: &str) {
        syllables(folded).for_each(|syllable| self.push(hash_of(syllable), is_figure(syllable.as_bytes())));
    }

    fn push(&mut self, hash: u64, is_figure: bool) {
        self.all.push(hash);
        if is_figure {
            self.figures.push((hash >> 48) as u16);
        }
    }

    /// Of all syllables, after what was told before.
    fn hash(&self, before: u64) -> u64 {
        self.all.iter().fold(before, |whole, syllable| mix(whole, *syllable))
    }

    fn clear(&mut self) {
        self.all.clear();
        self.prose.clear();
        self.figures.clear();
    }
}

/// Of a word that folds to one syllable; none for a figure that is written otherwise, so that one is known by its bytes.
fn hash_of_word(word: &str, syllable: &str) -> Option<NonZeroU64> {
    let figure = is_figure(syllable.as_bytes()) && word != syllable;
    NonZeroU64::new(hash_of(syllable)).filter(|_| !figure)
}

/// As [`str::lines`], in longer steps.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).chain(std::iter::once(text.len()));
    let mut from = 0;
    ends.map(move |end| &text[std::mem::replace(&mut from, end + 1)..end])
}

impl Print {
    /// `text` has a line for each paragraph; `title` may be empty.
    pub fn of(title: &str, text: &str) -> Print {
        PRINTER.with_borrow_mut(|printer| printer.print(title, text))
    }

    /// Of its key, the shingles that every text with them has in its key.
    pub fn weight(&self) -> u8 {
        u8::try_from(self.key.partition_point(|h| *h < KEY_BOUND)).unwrap_or(u8::MAX)
    }

    /// Fewer shingles of the key in common with a text of that weight mean that the two are not one: a copy has three
    /// times as many.
    pub fn least_hits(&self, weight: u8) -> f64 {
        LIKELY * f64::from(self.weight().min(weight))
    }

    /// Whatever [`Print::of`] makes is; a record may be of anything.
    pub fn is_sound(&self) -> bool {
        self.level <= COARSEST && self.key.is_sorted() && self.figures.is_sorted()
    }
}

/// Sentences rather than a headline, a menu, a list of links or an imprint. The same whether `line` is folded or as it is
/// written; it has no white space at its ends.
fn is_prose(line: &str, syllables: &[u64]) -> bool {
    if syllables.len() < SHORT_LINE {
        return false;
    }
    let end = before_closing(line);
    let odd = |c: char| !c.is_ascii() && (vanishes(c) || c.is_whitespace() || c == GREEK_QUESTION_MARK);
    if end.ends_with(odd) || line.starts_with(odd) {
        let folded = fold(line);
        return is_told(&folded, before_closing(&folded), syllables);
    }
    is_told(line, end, syllables)
}

/// That which is `;` when it is folded.
const GREEK_QUESTION_MARK: char = '\u{37e}';

fn before_closing(line: &str) -> &str {
    line.trim_end_matches(['"', '”', '»', ')', '/', ' ', '\'', '’'])
}

fn is_told(line: &str, end: &str, syllables: &[u64]) -> bool {
    let sentence = end.ends_with(['.', '!', '?', '…', ':', ';']);
    (sentence || syllables.len() >= LONG_LINE) && !is_link(line, end) && !is_imprint(line, syllables)
}

/// Addresses, licences and rights stand at the foot of every page.
fn is_imprint(line: &str, syllables: &[u64]) -> bool {
    // as many separators, but for one
    let short = syllables.len() <= LONGEST_IMPRINT / 2;
    short
        && (has_sign(line) || imprint(syllables))
        && (line.is_ascii() && line.len() < LONGEST_IMPRINT || fold(line).len() < LONGEST_IMPRINT)
}

/// Bytes, folded.
const LONGEST_IMPRINT: usize = 400;

fn has_sign(line: &str) -> bool {
    // © is C2 A9
    let bytes = line.as_bytes();
    memchr::memchr2_iter(b'@', 0xc2, bytes).any(|at| bytes[at] == b'@' || bytes.get(at + 1) == Some(&0xa9))
}

fn imprint(syllables: &[u64]) -> bool {
    let all = &*IMPRINT;
    let starts = |at: usize, words: &[u64]| syllables[at] == words[0] && syllables[at..].starts_with(words);
    let begins = |at: &usize| all.beginnings >> (syllables[*at] & 63) & 1 != 0;
    (0..syllables.len()).filter(begins).any(|at| all.phrases.iter().any(|words| starts(at, words)))
}

struct Imprint {
    phrases: Vec<Vec<u64>>,
    /// The bits that the lower six bits of their first words name: most words are none of these.
    beginnings: u64,
}

static IMPRINT: LazyLock<Imprint> = LazyLock::new(|| {
    let phrases = ["www", "copyright", "giấy phép", "ghi rõ nguồn", "bản quyền"];
    let phrases: Vec<Vec<u64>> = phrases.iter().map(|words| syllables(words).map(hash_of).collect()).collect();
    let beginnings = phrases.iter().fold(0, |bits, words| bits | 1 << (words[0] & 63));
    Imprint { phrases, beginnings }
});

/// Another article's headline: it has a bullet or its date in brackets.
fn is_link(line: &str, end: &str) -> bool {
    line.starts_with(['•', '»', '▪', '►', '+']) || (line.ends_with(')') && end.ends_with(|c: char| c.is_ascii_digit()))
}

/// A text of fewer syllables than a shingle has is one shingle.
fn shingle(syllables: &[u64], shingles: &mut Vec<u32>) {
    shingles.clear();
    // the hashes of the last syllable, the last two, and the last three
    let (mut one, mut two, mut three) = (0, 0, 0);
    let last = |syllable: &u64| {
        let hash = mix(three, *syllable);
        (three, two, one) = (mix(two, *syllable), mix(one, *syllable), mix(0, *syllable));
        (hash >> 32) as u32
    };
    match syllables.len() {
        0 => {}
        n if n < SHINGLE => shingles.push((syllables.iter().fold(0, |h, one| mix(h, *one)) >> 32) as u32),
        _ => shingles.extend(syllables.iter().map(last).skip(SHINGLE - 1)),
    }
}

/// The smallest shingles, sorted: all below the bound, but at least so many.
fn key(shingles: &[u32]) -> Vec<u32> {
    let mut key: Vec<u32> = shingles.iter().copied().filter(|h| *h < KEY_BOUND).collect();
    let mut bound = KEY_BOUND;
    let enough = key.len() >= 2 * SMALLEST_KEY;
    loop {
        key.sort_unstable();
        key.dedup();
        if enough || key.len() >= SMALLEST_KEY || bound == u32::MAX {
            break;
        }
        bound = bound.saturating_mul(2);
        key.clear();
        key.extend(shingles.iter().copied().filter(|h| *h <= bound));
    }
    let below = key.partition_point(|h| *h < KEY_BOUND);
    key.truncate(below.max(SMALLEST_KEY));
    key
}

/// One in 2^level is a sample: the level, and the samples in the same order.
fn samples(shingles: &[u32], seen: &mut HashSet<u32, Spread>) -> (u8, Vec<u16>) {
    let level = (shingles.len() / SAMPLES).checked_ilog2().map_or(0, |log| log as u8 + 1).min(COARSEST);
    seen.clear();
    let sampled = shingles.iter().filter(|h| u64::from(**h) >> (32 - level) == 0);
    let samples = sampled.filter(|h| seen.insert(**h)).map(|h| (h << level >> 16) as u16);
    (level, samples.collect())
}

fn is_figure(syllable: &[u8]) -> bool {
    syllable.len() >= 2 && syllable.iter().all(u8::is_ascii_digit)
}

/// At most `most` of them, sorted, each once.
fn smallest(hashes: &mut Vec<u16>, most: usize) -> Vec<u16> {
    hashes.sort_unstable();
    hashes.dedup();
    hashes.truncate(most);
    hashes.clone()
}

/// Of the bytes, eight at a time; the upper bits depend on all.
fn hash_of(syllable: &str) -> u64 {
    let mut hash = syllable.len() as u64;
    for eight in syllable.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..eight.len()].copy_from_slice(eight);
        hash = mix(hash, u64::from_le_bytes(word));
    }
    hash
}

/// Depends on the order; every bit of the result on every bit of both.
fn mix(h: u64, next: u64) -> u64 {
    let product = u128::from(h.rotate_left(23) ^ next ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93;
    (product as u64) ^ ((product >> 64) as u64)
}

/// For maps whose keys are hashes already.
pub type Spread = BuildHasherDefault<Spreader>;

#[derive(Default)]
pub struct Spreader(u64);

impl Hasher for Spreader {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|b| self.write_u64(u64::from(*b)));
    }

    fn write_u32(&mut self, hash: u32) {
        self.write_u64(u64::from(hash));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = (self.0 ^ hash).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::UnicodeNormalization;

    const TEXT: &str = "Hòa giải ở xã Thủy Phú\nTổ hòa giải thôn Đông vừa giúp hai nhà khỏe khoắn ngồi lại, “nói cho hết \
                        lẽ”, sau ba năm giận nhau vì bờ rào.\nỦy ban xã ghi nhận cách làm này.";

    #[test]
    fn every_spelling_has_the_same_print() {
        let print = Print::of("", TEXT);
        let spellings = [
            TEXT.nfd().collect(),
            TEXT.to_uppercase(),
            TEXT.replace("òa", "oà").replace("ủy", "uỷ").replace("ỏe", "oẻ"),
            TEXT.replace(['“', '”'], "\""),
            TEXT.replace('đ', "ð").replace('Đ', "Ð"),
            TEXT.replace(' ', "\u{a0} \t"),
            TEXT.replace('\n', "\r\n\n"),
            TEXT.replace('a', "\u{200b}a\u{ad}"),
        ];
        for spelling in spellings {
            assert_eq!(Print::of("", &spelling), print, "{spelling}");
        }
        assert_ne!(Print::of("", &TEXT.replace("ba năm", "bốn năm")), print);
    }

    /// Prints are stored: should one of these change, all that is kept would have to be read again.
    #[test]
    fn hashes_never_change() {
        let print = Print::of("", TEXT);
        assert_eq!((print.text, print.headline, print.shingles, print.level), PINNED);
        assert_eq!(print.key[..3], PINNED_KEY);
        assert_eq!(print.samples[..3], PINNED_SAMPLES);
    }

    const PINNED: (u64, u32, u32, u8) = (6_224_339_376_818_289_141, 4_221_164_817, 22, 0);
    const PINNED_KEY: [u32; 3] = [43_713_266, 539_787_669, 686_217_561];
    const PINNED_SAMPLES: [u16; 3] = [61_678, 54_705, 20_759];

    #[test]
    fn menus_and_imprints_are_not_prose() {
        let page = format!(
            "Trang chủ  Giới thiệu\n{TEXT}\n• Tin khác của huyện nhà về việc làm đường liên thôn mới (01/02/2024)\n\
             Giấy phép số 1/GP do Sở cấp ngày 2 tháng 3 năm 2020, ghi rõ nguồn khi dùng lại."
        );
        let (bare, framed) = (Print::of("", TEXT), Print::of("", &page));
        assert_eq!((&bare.key, &bare.samples), (&framed.key, &framed.samples));
        assert_ne!(bare.text, framed.text);
    }

    #[test]
    fn a_print_is_small_however_long_the_text() {
        let line =
            |n: u32| format!("Câu thứ {n} của bài nói về việc thứ {} ở thôn {} và xã {}.\n", n * 7, n * 13, n * 29);
        for lines in [1, 10, 40, 70] {
            let print = Print::of("", &(0..lines).map(line).collect::<String>());
            assert!(print.samples.len() <= 170 && print.samples.len() >= 12, "{}", print.samples.len());
        }
    }
}
