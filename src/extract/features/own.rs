//! What is measured of a line by itself.

use super::super::byline::{byline, ends_in_credit, is_credit};
use super::super::chrome::Fate;
use super::super::density::{ends_sentence, is_text};
use super::super::page::{Align, Flat, Line, Shape};
use super::super::weights::{Hashes, hash};
use super::super::words;
use super::tokens::Scores;
use super::{Said, Sight, shingles};
use crate::text::syllables;

/// The names of the numbers; the first [`SHARED`] are measured of neighbours too.
pub const OWN: &[&str] = &[
    "said",
    "named",
    "chars",
    "words",
    "links",
    "bold",
    "italic",
    "sentence",
    "text",
    "shape",
    "tag",
    "kept",
    "rule",
    "first",
    "last",
    "label",
    "image_before",
    "capitals",
    "digits",
    "commas",
    "stops",
    "breaks",
    "marks",
    "heading",
    "align",
    "parent",
    "closing",
    "credit",
    "byline",
    "in_title",
    "of_title",
    "author",
    "in_body",
    "in_description",
    "word_chars",
    "upper",
    "site",
];
pub const SHARED: usize = 17;
pub type Own = [f32; 37];
const UNKNOWN: Own = [f32::NAN; 37];

pub struct Measured {
    pub own: Own,
    pub shingles: Vec<u64>,
    /// Its longer words.
    pub long: Vec<u64>,
}

/// Shorter words, in bytes, are of no topic.
const TOPICAL: usize = 5;

pub fn measure(sight: &Sight<'_, '_>, said: &Said, scores: &mut Scores<'_>, n: usize) -> Measured {
    let line = &sight.flat.lines[n];
    let folded = line.folded();
    let letters = Letters::of(&line.text);
    let chars = line.chars as f32;
    let share = |n: usize| n as f32 / chars;
    let words: Vec<&str> = syllables(folded).collect();
    let hashes: Vec<u64> = words.iter().map(|w| hash(w)).collect();
    let shingles = shingles(&hashes);
    let said_in_title = |(word, hash): &(&&str, &u64)| said.title_hashes.contains(*hash) && said.title.contains(**word);
    let in_title = words.iter().zip(&hashes).filter(said_in_title).count() as f32;
    let own = [
        scores.words(&hashes),
        scores.names(sight.flat, line.elem),
        chars.min(3_000.0),
        words.len().min(600) as f32,
        line.link_share(),
        share(line.bold),
        share(line.italic),
        flag(ends_sentence(&line.text)),
        flag(is_text(line)),
        shape(line),
        tag(sight.flat, line.elem),
        kept(&sight.fates[n]),
        rule(&sight.fates[n]),
        first(&line.text),
        last(&line.text),
        if line.chars < LONG { label(folded) } else { 0.0 },
        flag(n > 0 && sight.flat.lines[n - 1].shape == Shape::Image),
        letters.capitals as f32 / words.len().max(1) as f32,
        share(letters.digits),
        letters.commas as f32,
        letters.stops as f32,
        letters.breaks as f32,
        marks(&line.text),
        if let Shape::Heading(level) = line.shape { f32::from(level) } else { 0.0 },
        match line.align {
            Align::Start => 0.0,
            Align::Center => 1.0,
            Align::Right => 2.0,
        },
        tag(sight.flat, sight.flat.elems[line.elem].parent),
        flag(line.chars < LONG && words::is_closing(folded)),
        flag(is_credit(&line.text)) + 2.0 * flag(ends_in_credit(&line.text)),
        named(&line.text),
        in_title / words.len().max(1) as f32,
        in_title.min(said.title.len() as f32) / said.title.len().max(1) as f32,
        flag(said.authors.iter().any(|a| folded.contains(a.as_str()))),
        overlap(&shingles, &said.text),
        overlap(&shingles, &said.description),
        chars / words.len().max(1) as f32,
        share(letters.upper),
        if line.chars < LONG { site(folded, said) } else { 0.0 },
    ];
    Measured { own, shingles, long: longer(&words, &hashes) }
}

/// 2 if it begins with the site's name, 1 if it has it.
fn site(folded: &str, said: &Said) -> f32 {
    let dense = folded.replace(' ', "");
    let found = said.site.iter().filter_map(|name| dense.find(name.as_str())).min();
    found.map_or(0.0, |at| 1.0 + flag(at < NEAR_START))
}

/// In bytes: an article or a quotation mark may stand before the name.
const NEAR_START: usize = 6;

/// Of a line that nobody asks for: what others are compared with.
pub fn unknown(line: &Line) -> Measured {
    let words: Vec<&str> = syllables(line.folded()).collect();
    let hashes: Vec<u64> = words.iter().map(|word| hash(word)).collect();
    Measured { own: UNKNOWN, shingles: shingles(&hashes), long: longer(&words, &hashes) }
}

fn longer(words: &[&str], hashes: &[u64]) -> Vec<u64> {
    words.iter().zip(hashes).filter(|(word, _)| word.len() >= TOPICAL).map(|(_, hash)| *hash).collect()
}

/// Longer lines are no labels, closing notes or the like.
const LONG: usize = 600;

/// 2 for a byline anywhere, 1 for one if its place says so too.
fn named(text: &str) -> f32 {
    if byline(text, true).is_none() { 0.0 } else { 1.0 + flag(byline(text, false).is_some()) }
}

pub fn flag(is: bool) -> f32 {
    f32::from(u8::from(is))
}

/// The share of the line's shingles among these; -1 if there are none to compare, -0.5 for a line too short.
fn overlap(shingles: &[u64], said: &Hashes) -> f32 {
    if said.is_empty() {
        return -1.0;
    }
    let found = shingles.iter().filter(|s| said.contains(s)).count();
    if shingles.is_empty() { -0.5 } else { found as f32 / shingles.len() as f32 }
}

struct Letters {
    capitals: usize,
    digits: usize,
    commas: usize,
    stops: usize,
    breaks: usize,
    upper: usize,
}

impl Letters {
    fn of(text: &str) -> Letters {
        let mut l = Letters { capitals: 0, digits: 0, commas: 0, stops: 0, breaks: 0, upper: 0 };
        let mut before = ' ';
        for c in text.chars() {
            l.capitals += usize::from(c.is_uppercase() && !before.is_alphanumeric());
            l.upper += usize::from(c.is_uppercase());
            l.digits += usize::from(c.is_ascii_digit());
            l.commas += usize::from(matches!(c, ',' | '，' | '、'));
            l.stops += usize::from(c == ' ' && matches!(before, '.' | '!' | '?' | ':' | '…'));
            l.breaks += usize::from(c == '\n');
            before = c;
        }
        l
    }
}

fn shape(line: &Line) -> f32 {
    match line.shape {
        Shape::Paragraph => 0.0,
        Shape::Quoted { .. } => 1.0,
        Shape::Heading(_) => 2.0,
        Shape::Item { .. } => 3.0,
        Shape::Cell { .. } => 4.0,
        Shape::Caption { .. } => 5.0,
        Shape::Image => 6.0,
    }
}

pub fn tag(flat: &Flat<'_>, elem: usize) -> f32 {
    match flat.name(elem) {
        "p" => 0.0,
        "blockquote" | "pre" => 1.0,
        "article" | "main" => 2.0,
        "section" => 3.0,
        "div" => 4.0,
        "td" | "th" | "tr" | "table" => 5.0,
        "dd" | "dt" | "dl" => 6.0,
        "li" => 7.0,
        "ul" | "ol" => 8.0,
        "h1" => 9.0,
        "h2" => 10.0,
        "h3" | "h4" | "h5" | "h6" => 11.0,
        "figure" | "figcaption" | "caption" | "picture" => 12.0,
        "header" => 13.0,
        "footer" | "aside" | "nav" | "form" | "address" => 14.0,
        _ => 15.0,
    }
}

fn kept(fate: &Fate) -> f32 {
    match fate {
        Fate::Kept(_) => 2.0,
        Fate::Caption(_) | Fate::Byline(_) => 1.0,
        Fate::Open | Fate::Dropped(_) | Fate::Raised(..) | Fate::Lowered(..) => 0.0,
    }
}

/// The rules, from the most trusted keeper to the most trusted dropper.
const RULES: &[&str] = &[
    "running text",
    "a quotation",
    "a list within the text",
    "a heading within the text",
    "a post from elsewhere",
    "the lead",
    "a table of data",
    "a line between running text",
    "who the author is",
    "a closing line of the site",
    "an address under the text",
    "a region named like chrome",
    "one of a row of teasers",
    "a source",
    "a byline",
    "a label after the text",
    "a heading that nothing follows",
    "a label before the text",
    "under a picture, no sentence",
    "under a picture, set off",
    "under a picture, with a credit",
    "a line of links",
    "a list of links",
    "a label of related articles",
    "listed under related articles",
    "a date",
    "named a byline",
    "named a caption",
    "a figure's caption",
    "a form",
    "an advertisement",
    "a photo credit",
    "a line of the site",
    "a label of the site",
    "the headline again",
    OUTSIDE,
];

/// Most lines, so it is asked first.
const OUTSIDE: &str = "outside the article";

fn rule(fate: &Fate) -> f32 {
    let why = match fate {
        Fate::Kept(why) | Fate::Caption(why) | Fate::Byline(why) | Fate::Dropped(why) => *why,
        Fate::Open | Fate::Raised(..) | Fate::Lowered(..) => "",
    };
    let known = if why == OUTSIDE { Some(RULES.len() - 1) } else { RULES.iter().position(|r| *r == why) };
    known.unwrap_or(RULES.len()) as f32
}

/// The kind of the first character.
fn first(text: &str) -> f32 {
    match text.chars().next().unwrap_or(' ') {
        c if c.is_uppercase() => 0.0,
        c if c.is_alphabetic() => 1.0,
        '"' | '“' | '„' | '«' | '‘' | '\'' => 2.0,
        c if c.is_numeric() => 3.0,
        '(' | '[' => 4.0,
        '-' | '–' | '—' | '•' | '*' => 5.0,
        _ => 6.0,
    }
}

/// The kind of the last character.
fn last(text: &str) -> f32 {
    match text.chars().next_back().unwrap_or(' ') {
        '.' | '。' | '।' => 0.0,
        '"' | '”' | '“' | '»' | '’' | '\'' => 1.0,
        '!' | '?' => 2.0,
        ')' | ']' => 3.0,
        ':' => 4.0,
        ',' | ';' => 5.0,
        c if c.is_alphabetic() => 6.0,
        c if c.is_numeric() => 7.0,
        '…' => 8.0,
        _ => 9.0,
    }
}

fn label(folded: &str) -> f32 {
    match () {
        _ if words::is_related_label(folded) => 1.0,
        _ if words::is_box_label(folded) => 2.0,
        _ if words::is_site_line(folded) => 3.0,
        _ if words::is_imprint(folded) => 4.0,
        _ => 0.0,
    }
}

/// 1 for an address of mail or web, 2 for marks that part labels, 4 for a copyright.
fn marks(text: &str) -> f32 {
    let address = text.contains('@') || text.contains("www.") || text.contains("http");
    let parted = text.contains(['|', '»', '•', '·', '>', '→', '›']);
    flag(address) + 2.0 * flag(parted) + 4.0 * flag(text.contains('©'))
}
