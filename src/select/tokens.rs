//! A text as numbers, one for each syllable, so that a phrase matches on their borders only.

use super::phrases::Phrases;
use crate::article::Place;
use crate::text::{Written, fold, pieces, plain_syllables, syllables, words};
use std::borrow::Cow;

/// A syllable that is in no phrase.
pub const UNKNOWN: u32 = 0;
pub const COMMA: u32 = 1;
pub const SENTENCE_END: u32 = 2;

/// A lead of more syllables than this is a page whose paragraphs were lost: the rest is body.
const LONGEST_LEAD: usize = 120;

/// Each syllable, comma and end of a sentence. No other punctuation is left.
pub struct Tokens<'t> {
    tokens: Vec<Token>,
    lines: Vec<Line<'t>>,
    pub syllables: usize,
    /// Where the lead and the body begin.
    lead: usize,
    body: usize,
}

struct Token {
    number: u32,
    /// The byte of its line at which it begins.
    at: u32,
}

struct Line<'t> {
    /// As written, or folded where it is not plain.
    text: Cow<'t, str>,
    /// Its first token.
    from: usize,
}

impl<'t> Tokens<'t> {
    pub fn of(title: &'t str, paragraphs: &[&'t str], phrases: &Phrases, written: &mut Written<u32>) -> Tokens<'t> {
        let mut all = Tokens { tokens: Vec::new(), lines: Vec::new(), syllables: 0, lead: 0, body: 0 };
        all.tokens.reserve((title.len() + paragraphs.iter().map(|p| p.len()).sum::<usize>()) / 4);
        all.paragraph(title, phrases, written);
        (all.syllables, all.lead, all.body) = (0, all.tokens.len(), all.tokens.len());
        for (n, paragraph) in paragraphs.iter().enumerate() {
            all.paragraph(paragraph, phrases, written);
            if n == 0 {
                all.body = all.end_of_lead();
            }
        }
        all
    }

    fn end_of_lead(&self) -> usize {
        let mut syllables = (self.lead..self.tokens.len()).filter(|at| !is_mark(self.tokens[*at].number));
        syllables.nth(LONGEST_LEAD).unwrap_or(self.tokens.len())
    }

    fn paragraph(&mut self, text: &'t str, phrases: &Phrases, written: &mut Written<u32>) {
        text.lines().for_each(|line| self.line(line.trim(), phrases, written));
        self.push(SENTENCE_END, 0);
    }

    fn line(&mut self, line: &'t str, phrases: &Phrases, written: &mut Written<u32>) {
        let (from, before) = (self.tokens.len(), self.syllables);
        let (mut end, mut plain) = (0, true);
        let cut = words(line, |start, stop, key| {
            let word = &line[start..stop];
            let number = key.and_then(|key| written.get(key, || word, |_, folded| Some(phrases.token(folded))));
            let mut take = |at: usize, length: usize, number: u32| {
                self.marks(&line[end..at], end, false);
                self.syllable(number, at);
                end = at + length;
            };
            match number {
                Some(number) => take(start, word.len(), number),
                // with quotation marks, a dash, an ellipsis
                None => {
                    plain &= plain_syllables(word, |at, syllable| {
                        take(start + at, syllable.len(), phrases.token(&fold(syllable)));
                    })
                }
            }
        });
        if cut && plain {
            self.marks(&line[end..], end, true);
            self.lines.push(Line { text: Cow::Borrowed(line), from });
            return;
        }
        self.tokens.truncate(from);
        self.syllables = before;
        self.folded_line(fold(line), phrases);
    }

    fn folded_line(&mut self, folded: String, phrases: &Phrases) {
        let from = self.tokens.len();
        let (mut at, mut marks_from) = (0, 0);
        for (syllable, separator) in pieces(&folded) {
            if !syllable.is_empty() {
                self.marks(&folded[marks_from..at], marks_from, false);
                self.syllable(phrases.token(syllable), at);
                marks_from = at + syllable.len();
            }
            at += syllable.len() + separator.len();
        }
        self.marks(&folded[marks_from..], marks_from, true);
        self.lines.push(Line { text: Cow::Owned(folded), from });
    }

    fn syllable(&mut self, number: u32, at: usize) {
        self.syllables += 1;
        self.push(number, at);
    }

    /// What stands between two syllables, or after the last one of a line. A point ends a sentence unless a syllable follows
    /// at once: `10.000`.
    fn marks(&mut self, between: &str, at: usize, last: bool) {
        if between == " " {
            return;
        }
        let mut chars = between.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                ',' => self.push(COMMA, at),
                ';' | ':' | '!' | '?' | '…' => self.push(SENTENCE_END, at),
                '.' if last || chars.peek().is_some() => self.push(SENTENCE_END, at),
                _ => {}
            }
        }
    }

    fn push(&mut self, number: u32, at: usize) {
        // a line of 4 GiB is none of ours; its words would only be shown wrongly
        self.tokens.push(Token { number, at: at as u32 });
    }

    /// The number of a token; none after the last one.
    pub fn number(&self, at: usize) -> Option<u32> {
        self.tokens.get(at).map(|token| token.number)
    }

    /// Whether a sentence ends between two tokens.
    pub fn parted(&self, from: usize, to: usize) -> bool {
        self.tokens[from..to].iter().any(|token| token.number == SENTENCE_END)
    }

    pub fn place(&self, at: usize) -> Place {
        if at >= self.body {
            Place::Body
        } else if at >= self.lead {
            Place::Lead
        } else {
            Place::Title
        }
    }

    /// The words between two tokens, for people.
    pub fn words(&self, start: usize, end: usize, phrases: &Phrases) -> String {
        let mut words = String::new();
        for at in start..end {
            let token = &self.tokens[at];
            if !words.is_empty() && !is_mark(token.number) {
                words.push(' ');
            }
            match token.number {
                UNKNOWN => words.push_str(&self.written(at)),
                SENTENCE_END => {}
                known => words.push_str(phrases.word(known)),
            }
        }
        words
    }

    /// A syllable, folded, from the text.
    fn written(&self, at: usize) -> String {
        let line = &self.lines[self.lines.partition_point(|line| line.from <= at).saturating_sub(1)];
        let rest = line.text.get(self.tokens[at].at as usize..).unwrap_or("");
        let word = rest.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric()).next().unwrap_or("");
        syllables(&fold(word)).next().unwrap_or("").to_owned()
    }
}

fn is_mark(number: u32) -> bool {
    matches!(number, COMMA | SENTENCE_END)
}
