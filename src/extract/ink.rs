//! Text as it is read, with its marks, until a block boundary makes a line of it.

use super::page::{Align, Line, Shape, absolute};
use crate::article::Run;
use crate::text::tidy;
use url::Url;

#[derive(Default)]
pub struct Ink {
    pieces: Vec<Piece>,
    space: bool,
    links: Vec<String>,
    /// Pictures met in the middle of the text.
    pub images: Vec<(String, String)>,
}

struct Piece {
    text: String,
    strong: bool,
    emphasis: bool,
    link: Option<usize>,
    breaks: bool,
}

impl Ink {
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Remembers an address that text may point to.
    pub fn link(&mut self, base: &Url, href: &str) -> Option<usize> {
        // A link that leads nowhere is a link all the same when links are counted.
        let url = absolute(base, href).unwrap_or_default();
        self.links.push(url);
        Some(self.links.len() - 1)
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
        let clean = tidy(text);
        let starts = text.starts_with(char::is_whitespace);
        if clean.is_empty() {
            self.space |= text.contains(char::is_whitespace);
            return;
        }
        self.space |= starts;
        let mut piece = String::with_capacity(clean.len() + 1);
        let after_break = self.pieces.last().is_none_or(|p| p.breaks);
        if self.space && !after_break {
            piece.push(' ');
        }
        piece.push_str(&clean);
        self.space = text.ends_with(char::is_whitespace);
        match self.pieces.last_mut() {
            Some(p) if !p.breaks && (p.strong, p.emphasis, p.link) == (strong, emphasis, link) => p.text += &piece,
            _ => self.pieces.push(Piece { text: piece, strong, emphasis, link, breaks: false }),
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
        self.pieces.push(Piece { text: String::new(), strong: false, emphasis: false, link: None, breaks: true });
    }

    pub fn take(&mut self, elem: usize, shape: Shape, align: Align) -> Option<Line> {
        self.space = false;
        let mut pieces = std::mem::take(&mut self.pieces);
        while pieces.last().is_some_and(|p| p.breaks) {
            pieces.pop();
        }
        if pieces.is_empty() {
            return None;
        }
        let mut line = Line {
            elem,
            shape,
            runs: Vec::with_capacity(pieces.len()),
            text: String::new(),
            chars: 0,
            linked: 0,
            bold: 0,
            italic: 0,
            align,
            image: None,
        };
        for piece in pieces {
            add(piece, &self.links, &mut line);
        }
        Some(line)
    }
}

fn add(piece: Piece, links: &[String], line: &mut Line) {
    if piece.breaks {
        line.text.push('\n');
        line.runs.push(Run::Break);
        return;
    }
    let chars = piece.text.chars().filter(|c| !c.is_whitespace()).count();
    line.chars += chars;
    line.linked += if piece.link.is_some() { chars } else { 0 };
    line.bold += if piece.strong { chars } else { 0 };
    line.italic += if piece.emphasis { chars } else { 0 };
    line.text.push_str(&piece.text);
    let url = piece.link.map(|n| links[n].clone()).filter(|url| !url.is_empty());
    // The blank before a marked text stands outside its marks.
    let blank = piece.text.starts_with(' ') && (url.is_some() || piece.strong || piece.emphasis);
    let text = if blank { piece.text[1..].to_owned() } else { piece.text };
    if blank {
        push_text(line, " ");
    }
    let mut run = Run::Text(text);
    if piece.emphasis {
        run = Run::Emphasis(vec![run]);
    }
    if piece.strong {
        run = Run::Strong(vec![run]);
    }
    match (url, line.runs.last_mut()) {
        (Some(url), Some(Run::Link { url: before, runs })) if *before == url => runs.push(run),
        (Some(url), _) => line.runs.push(Run::Link { url, runs: vec![run] }),
        (None, Some(Run::Text(before))) if matches!(run, Run::Text(_)) => {
            if let Run::Text(text) = run {
                before.push_str(&text);
            }
        }
        (None, _) => line.runs.push(run),
    }
}

fn push_text(line: &mut Line, text: &str) {
    match line.runs.last_mut() {
        Some(Run::Text(before)) => before.push_str(text),
        _ => line.runs.push(Run::Text(text.to_owned())),
    }
}
