//! Text as it is read, with its marks, until a block boundary makes a line of it; and what is kept of it with its marks.

use super::page::{Align, Line, Shape};
use crate::article::Run;
use crate::text::tidied;
use std::cell::OnceCell;
use std::ops::Range;

#[derive(Default)]
pub struct Ink {
    text: String,
    pieces: Vec<Piece>,
    space: bool,
    /// Pictures met in the middle of the text.
    pub images: Vec<(String, String)>,
}

/// A part of a line's text with the same marks.
pub struct Piece {
    text: Range<usize>,
    strong: bool,
    emphasis: bool,
    /// The number of the link.
    link: Option<usize>,
    breaks: bool,
}

impl Ink {
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub fn text(&mut self, text: &str, strong: bool, emphasis: bool, link: Option<usize>, verbatim: bool) {
        if verbatim && text.contains('\n') {
            for (n, line) in text.split('\n').enumerate() {
                if n > 0 && !self.pieces.is_empty() {
                    self.push_break();
                }
                self.text(line, strong, emphasis, link, false);
            }
            return;
        }
        let clean = tidied(text);
        let starts = text.starts_with(char::is_whitespace);
        if clean.is_empty() {
            self.space |= text.contains(char::is_whitespace);
            return;
        }
        self.space |= starts;
        let start = self.text.len();
        let after_break = self.pieces.last().is_none_or(|p| p.breaks);
        if self.space && !after_break {
            self.text.push(' ');
        }
        self.text.push_str(&clean);
        self.space = text.ends_with(char::is_whitespace);
        match self.pieces.last_mut() {
            Some(p) if !p.breaks && (p.strong, p.emphasis, p.link) == (strong, emphasis, link) => {
                p.text.end = self.text.len();
            }
            _ => self.pieces.push(Piece { text: start..self.text.len(), strong, emphasis, link, breaks: false }),
        }
    }

    /// True if this is the second break in a row, which ends a paragraph.
    pub fn line_break(&mut self) -> bool {
        if self.pieces.last().is_some_and(|p| p.breaks) {
            return true;
        }
        if !self.pieces.is_empty() {
            self.push_break();
        }
        false
    }

    fn push_break(&mut self) {
        self.space = false;
        let start = self.text.len();
        self.text.push('\n');
        let text = start..self.text.len();
        self.pieces.push(Piece { text, strong: false, emphasis: false, link: None, breaks: true });
    }

    pub fn take(&mut self, elem: usize, shape: Shape, align: Align) -> Option<Line> {
        self.space = false;
        let (mut pieces, mut text) = (std::mem::take(&mut self.pieces), std::mem::take(&mut self.text));
        while pieces.last().is_some_and(|p| p.breaks) {
            pieces.pop();
        }
        text.truncate(pieces.last()?.text.end);
        let (mut chars, mut linked, mut bold, mut italic) = (0, 0, 0, 0);
        for piece in &pieces {
            let count = text[piece.text.clone()].chars().filter(|c| !c.is_whitespace()).count();
            chars += count;
            // A link that leads nowhere is a link all the same.
            linked += if piece.link.is_some() { count } else { 0 };
            bold += if piece.strong { count } else { 0 };
            italic += if piece.emphasis { count } else { 0 };
        }
        let folded = OnceCell::new();
        Some(Line { elem, shape, pieces, text, folded, chars, linked, bold, italic, align, image: None })
    }
}

/// The line's text with its marks; `address` says where a link leads, if anywhere.
pub fn runs(line: &Line, address: impl Fn(usize) -> Option<String>) -> Vec<Run> {
    let mut runs = Vec::with_capacity(line.pieces.len());
    for piece in &line.pieces {
        if piece.breaks {
            runs.push(Run::Break);
        } else {
            add(piece, &line.text[piece.text.clone()], piece.link.and_then(&address), &mut runs);
        }
    }
    runs
}

fn add(piece: &Piece, text: &str, url: Option<String>, runs: &mut Vec<Run>) {
    // The blank before a marked text stands outside its marks.
    let marked = url.is_some() || piece.strong || piece.emphasis;
    let inner = text.strip_prefix(' ').filter(|_| marked);
    if inner.is_some() {
        push_text(runs, " ");
    }
    let mut run = Run::Text(inner.unwrap_or(text).to_owned());
    if piece.emphasis {
        run = Run::Emphasis(vec![run]);
    }
    if piece.strong {
        run = Run::Strong(vec![run]);
    }
    match (url, runs.last_mut()) {
        (Some(url), Some(Run::Link { url: before, runs })) if *before == url => runs.push(run),
        (Some(url), _) => runs.push(Run::Link { url, runs: vec![run] }),
        (None, _) if !marked => push_text(runs, text),
        (None, _) => runs.push(run),
    }
}

fn push_text(runs: &mut Vec<Run>, text: &str) {
    match runs.last_mut() {
        Some(Run::Text(before)) => before.push_str(text),
        _ => runs.push(Run::Text(text.to_owned())),
    }
}
