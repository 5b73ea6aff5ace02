//! A text as its syllables, so that a phrase matches on their borders only.

use crate::article::Place;
use crate::text::{fold, pieces};

pub const SENTENCE_END: char = '|';

/// A lead of more syllables than this is a page whose paragraphs were lost: the rest is body.
const LONGEST_LEAD: usize = 120;

/// Each syllable in angle brackets, a comma as itself, the end of a sentence as a bar: `<dân><biết>,<dân><bàn>|`.
/// No other punctuation is left.
pub struct Tokens {
    pub text: String,
    pub syllables: usize,
    /// Where the lead and the body begin.
    lead: usize,
    body: usize,
}

impl Tokens {
    pub fn of(title: &str, paragraphs: &[&str]) -> Tokens {
        let bytes: usize = paragraphs.iter().map(|p| p.len()).sum();
        let mut text = String::with_capacity((title.len() + bytes) * 3 / 2);
        push(&mut text, &fold(title), usize::MAX);
        let lead = text.len();
        let mut body = lead;
        let mut syllables = 0;
        for (at, paragraph) in paragraphs.iter().enumerate() {
            let limit = if at == 0 { LONGEST_LEAD } else { usize::MAX };
            let (count, limit_at) = push(&mut text, &fold(paragraph), limit);
            syllables += count;
            if at == 0 {
                body = limit_at;
            }
        }
        Tokens { text, syllables, lead, body }
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

    /// The words between two borders, for people.
    pub fn words(&self, start: usize, end: usize) -> String {
        self.text[start..end].replace("><", " ").replace(['<', '>', SENTENCE_END], "").replace(',', ", ")
    }
}

/// A phrase of the table as tokens.
pub fn of_phrase(phrase: &str) -> String {
    let mut text = String::new();
    push(&mut text, &fold(phrase), usize::MAX);
    text.truncate(text.trim_end_matches(SENTENCE_END).len());
    text
}

/// The number of syllables, and where in the text the one after `limit` begins (or the text ends).
fn push(text: &mut String, folded: &str, limit: usize) -> (usize, usize) {
    let (mut count, mut limit_at) = (0, None);
    let mut pieces = pieces(folded).peekable();
    while let Some((syllable, separator)) = pieces.next() {
        if !syllable.is_empty() {
            count += 1;
            if count == limit.saturating_add(1) {
                limit_at = Some(text.len());
            }
            text.push('<');
            text.push_str(syllable);
            text.push('>');
        }
        match separator {
            "," => text.push(','),
            ";" | ":" | "!" | "?" | "…" => text.push(SENTENCE_END),
            "." if pieces.peek().is_none_or(|(next, _)| next.is_empty()) => text.push(SENTENCE_END),
            _ => {}
        }
    }
    text.push(SENTENCE_END);
    (count, limit_at.unwrap_or(text.len()))
}
