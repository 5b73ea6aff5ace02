//! Where the text begins and ends: labels before and after it, the imprint, the signature of a document.

use super::byline::is_of_office;
use super::chrome::{Case, Fate};
use super::density::{ends_sentence, is_text};
use super::lead::{SECOND_HEADLINE, is_short_lead};
use super::page::{Align, Shape};
use super::signs::{ARTICLE_BODY, BYLINE, CHROME, LEAD};
use super::words;
use std::collections::HashSet;

/// A signature has no more lines than these, the labels after the text included.
const SIGNATURE: usize = 9;
/// A name and an office have fewer characters.
const SIGNED: usize = 80;

/// How elements are made: the parent, the name, the class.
type Make<'a> = (usize, &'a str, &'a str);

/// How the paragraphs of running text are made.
struct Paragraphs<'a> {
    elems: HashSet<usize>,
    makes: HashSet<Make<'a>>,
}

impl<'f> Case<'f, '_> {
    fn make(&self, elem: usize) -> Make<'f> {
        let e = &self.flat.elems[elem];
        (e.parent, self.flat.name(elem), e.node.attr("class").unwrap_or(""))
    }

    fn paragraphs(&self) -> Paragraphs<'f> {
        let texts = self.inside().into_iter().filter(|&n| is_text(self.line(n)) && !words::is_imprint(self.folded(n)));
        let elems: HashSet<usize> = texts.map(|n| self.line(n).elem).collect();
        Paragraphs { makes: elems.iter().map(|&e| self.make(e)).collect(), elems }
    }

    /// A short line that stands beside running text and is made like it, or right in what calls itself the article's body:
    /// what a site adds has an element of its own.
    fn is_paragraph(&self, n: usize, like: &Paragraphs<'_>) -> bool {
        let line = self.line(n);
        let beside = like.elems.contains(&line.elem) || like.makes.contains(&self.make(line.elem));
        let beside = beside || self.flat.elems[self.flat.elems[line.elem].parent].signs & ARTICLE_BODY != 0;
        let named = self.flat.elems[line.elem].signs & (CHROME | BYLINE) != 0;
        let plain = line.shape == Shape::Paragraph && line.align != Align::Right && line.linked == 0;
        beside && !named && plain && (ends_sentence(&line.text) || is_said(&line.text))
    }

    /// Licence and address lines, where no running text follows; made like the paragraphs they are text, unless they could
    /// be nothing else.
    pub fn imprint(&mut self) {
        let mut run = Vec::new();
        for n in self.inside().into_iter().rev().filter(|&n| self.line(n).chars > 0) {
            if words::is_imprint(self.folded(n)) {
                run.push(n);
            } else if is_text(self.line(n)) {
                break;
            }
        }
        let like = self.paragraphs();
        let sure = run.iter().any(|&n| words::is_legal_notice(self.folded(n)));
        for n in run.into_iter().filter(|&n| sure || !self.is_paragraph(n, &like)).collect::<Vec<_>>() {
            self.fates[n] = Fate::Dropped("an imprint");
        }
    }

    /// Who signed a document, for whom, in which office, and where: the last lines of its text.
    pub fn signature(&mut self) {
        let inside = self.inside();
        let texts: Vec<usize> = inside.into_iter().filter(|&n| self.line(n).chars > 0).collect();
        let last = &texts[texts.len().saturating_sub(SIGNATURE)..];
        let Some(begins) = last.iter().position(|&n| self.begins_signature(n)) else { return };
        let dated = last[..begins].iter().rposition(|&n| !is_text(self.line(n)) && self.is_date_line(n));
        for &n in &last[dated.filter(|d| d + 1 == begins).unwrap_or(begins)..] {
            let line = self.line(n);
            let long = line.chars > SIGNED || line.linked > 0 || matches!(line.shape, Shape::Cell { .. });
            let stamp = n > last[begins] && (self.is_date_line(n) || words::is_imprint(self.folded(n)));
            if long || stamp || self.folded(n).starts_with("theo ") {
                return;
            }
            self.fates[n] = Fate::Kept("a signature");
        }
    }

    fn begins_signature(&self, n: usize) -> bool {
        let line = self.line(n);
        let set_off =
            line.align != Align::Start && !line.text.contains(|c: char| c.is_lowercase() || c == '?' || c == '!');
        let office = set_off && line.chars < SIGNED && words::is_office(self.folded(n));
        !is_text(line) && (office || words::is_signature(self.folded(n)))
    }

    /// Labels before the text: section, reading time, buttons.
    pub fn front(&mut self) {
        let inside = self.inside();
        let Some(first) = inside.iter().position(|&n| is_text(self.line(n))) else { return };
        let like = self.paragraphs();
        for (at, &n) in inside[..first].iter().enumerate() {
            let line = self.line(n);
            let heading = matches!(line.shape, Shape::Heading(_)) && at + 1 == first && !self.in_headline(n);
            let lead = self.signs_around(n) & LEAD != 0 && (line.chars > 20 || is_short_lead(line));
            let short = line.chars < SECOND_HEADLINE;
            let headline = matches!(line.shape, Shape::Heading(_)) && short && self.in_headline(n);
            let said =
                self.is_paragraph(n, &like) && (ends_sentence(&line.text) || words::is_letter_head(self.folded(n)));
            if line.chars > 0 && !heading && !lead && !said && (line.chars < 60 || headline) {
                self.fates[n] = Fate::Dropped("a label before the text");
            }
        }
    }

    /// In an `<h1>` or beside one: a kicker, a second headline.
    fn in_headline(&self, n: usize) -> bool {
        let near = |e: usize| matches!(self.flat.name(e), "h1" | "header" | "hgroup");
        let folded = self.folded(n);
        self.flat.around(self.line(n).elem).take(3).any(near)
            || (!self.title.is_empty() && (folded.contains(&self.title) || self.title.contains(folded)))
    }

    /// Labels after the text.
    pub fn tail(&mut self) {
        let like = self.paragraphs();
        for n in self.inside().into_iter().rev() {
            let line = self.line(n);
            let data = matches!(line.shape, Shape::Cell { .. } | Shape::Item { .. } | Shape::Quoted { .. });
            if is_text(line) || (data && line.linked == 0) || self.is_paragraph(n, &like) {
                return;
            }
            if line.chars > 0 {
                self.fates[n] = Fate::Dropped("a label after the text");
            }
        }
    }
}

/// Says something: no name of a person or an office, no label in capitals.
fn is_said(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let small = words.iter().skip(1).any(|w| w.starts_with(char::is_lowercase));
    text.contains(": ") || (words.len() >= 3 && small && !is_of_office(text))
}
