//! A configuration file as typed, and the mistakes found in it.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::Range;

/// A byte range in a file's text.
pub type At = Range<usize>;

/// A value, and where it was typed.
#[derive(Clone, Debug)]
pub struct Typed<T> {
    pub value: T,
    pub at: At,
}

#[derive(Debug)]
pub struct Source {
    /// The file's path, as it is shown.
    pub name: String,
    pub text: String,
    /// Where each line begins.
    lines: Vec<usize>,
    /// Each with the byte offset it begins at.
    mistakes: RefCell<Vec<(usize, String)>>,
}

impl Source {
    pub fn new(name: String, text: String) -> Source {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Source { name, text, lines, mistakes: RefCell::default() }
    }

    pub fn mistake(&self, at: &At, says: impl Display) {
        let shown = format!("{}: error: {says}\n{}", self.place(at), self.excerpt(at));
        self.mistakes.borrow_mut().push((at.start, shown));
    }

    /// `config.toml:12:9`: line and column, in characters, from 1.
    pub fn place(&self, at: &At) -> String {
        let (line, before, _) = self.line(at.start);
        format!("{}:{line}:{}", self.name, before.chars().count() + 1)
    }

    /// In the order of the file.
    pub fn into_mistakes(self) -> impl Iterator<Item = String> {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort_by_key(|m| m.0);
        mistakes.into_iter().map(|m| m.1)
    }

    /// The line with carets under what is meant.
    fn excerpt(&self, at: &At) -> String {
        let (line, before, after) = self.line(at.start);
        let marked: String = after.char_indices().take_while(|c| at.start + c.0 < at.end).map(|c| c.1).collect();
        let indent: String = before.chars().filter(|c| takes_space(*c)).map(blank).collect();
        let carets = "^".repeat(marked.trim_end().chars().filter(|c| takes_space(*c)).count().max(1));
        format!("{line:>5} | {before}{after}\n      | {indent}{carets}")
    }

    /// The number of the line that holds this offset, and the line before and after it.
    fn line(&self, offset: usize) -> (usize, &str, &str) {
        let offset = self.text.floor_char_boundary(offset);
        let number = self.lines.partition_point(|start| *start <= offset);
        // the first line begins at 0
        let start = self.lines[number - 1];
        let end = self.text[offset..].find('\n').map_or(self.text.len(), |length| offset + length);
        (number, &self.text[start..offset], self.text[offset..end].trim_end_matches('\r'))
    }
}

fn blank(c: char) -> char {
    if c == '\t' { '\t' } else { ' ' }
}

/// Combining marks stand over the letter before them.
fn takes_space(c: char) -> bool {
    !unicode_normalization::char::is_combining_mark(c)
}
