//! Within the article's part of the page: which lines are text, which are captions, which are chrome, by which rule.

use super::byline::byline;
use super::density::{Worth, ends_sentence, is_text};
use super::page::{Align, Flat, Line, Shape};
use super::signs::{BYLINE, DATE, LEAD};
use super::words;
use crate::text::fold;
use std::ops::Range;

/// What becomes of a line, and by which rule.
#[derive(Clone, PartialEq, Debug)]
pub enum Fate {
    Open,
    Kept(&'static str),
    Caption(&'static str),
    Byline(&'static str),
    Dropped(&'static str),
    /// Kept, dropped by the weights, which say how likely it is text, in percent; against which rule.
    Raised(u8, &'static str),
    Lowered(u8, &'static str),
}

impl Fate {
    pub fn is_kept(&self) -> bool {
        matches!(self, Fate::Kept(_) | Fate::Raised(..))
    }
}

/// Why, where the weights overruled a rule.
pub fn weighed(percent: u8, against: &str) -> String {
    format!("the weights: {percent} % text, against: {against}")
}

/// The part of the page under judgement.
pub struct Case<'f, 'p> {
    pub flat: &'f Flat<'p>,
    pub worth: &'f Worth,
    /// The headline, folded.
    pub title: String,
    /// Ranges of lines, in order.
    pub body: Vec<Range<usize>>,
    /// The body was named by a layout: rules that guess from shape alone are left out.
    pub named: bool,
    pub fates: Vec<Fate>,
}

impl<'f, 'p> Case<'f, 'p> {
    pub fn new(flat: &'f Flat<'p>, worth: &'f Worth, title: &str, body: Vec<Range<usize>>, named: bool) -> Self {
        let mut fates = vec![Fate::Dropped("outside the article"); flat.lines.len()];
        for n in body.iter().flat_map(Clone::clone) {
            fates[n] = Fate::Open;
        }
        Case { flat, worth, title: fold(title), body, named, fates }
    }

    /// The rules in their order; `authors` as the page's head names them. Where names of regions would take most of the text they are not believed.
    pub fn judge(mut self, authors: &[String]) -> Vec<Fate> {
        self.recurring();
        self.embeds();
        let before = self.fates.clone();
        let text = self.open_text();
        self.regions();
        self.teasers();
        if self.open_text() < 0.3 * text {
            self.fates = before;
        }
        self.each("the headline again", |c, n| c.is_title(n));
        self.captions();
        self.each("a line of the site", |c, n| words::is_site_line(c.folded(n)) || words::is_counter(c.folded(n)));
        self.each("code or a count", |c, n| words::is_machine_text(c.folded(n)));
        self.labels();
        self.links();
        self.signature();
        self.each("a date", |c, n| c.is_date_line(n));
        self.imprint();
        self.bylines();
        if !self.named {
            self.front();
            self.tail();
            self.closing(authors);
            self.tail();
        }
        self.keep_rest();
        headings_alone(self.flat, &self.body, &mut self.fates);
        self.fates
    }

    fn recurring(&mut self) {
        for n in self.inside() {
            if self.worth.recurring.get(n) == Some(&true) {
                self.fates[n] = Fate::Dropped("on other pages of the site too");
            }
        }
    }

    pub fn open_text(&self) -> f32 {
        self.inside().iter().map(|&n| self.worth.text[n]).sum()
    }

    pub fn inside(&self) -> Vec<usize> {
        let lines = self.body.iter().flat_map(Clone::clone);
        lines.filter(|&n| self.fates[n] == Fate::Open).collect()
    }

    pub fn line(&self, n: usize) -> &'f Line {
        &self.flat.lines[n]
    }

    pub fn folded(&self, n: usize) -> &'f str {
        self.flat.lines[n].folded()
    }

    fn each(&mut self, why: &'static str, rule: impl Fn(&Self, usize) -> bool) {
        for n in self.inside() {
            if self.line(n).chars > 0 && rule(self, n) {
                self.fates[n] = Fate::Dropped(why);
            }
        }
    }

    /// The signs of the elements around a line, up to the body's own.
    pub fn signs_around(&self, n: usize) -> u32 {
        let body = self.range_of(n).unwrap_or(n..n + 1);
        let within = |&e: &usize| {
            let lines = &self.flat.elems[e].lines;
            lines.len() < body.len() || lines.len() == 1
        };
        self.flat.around(self.line(n).elem).take_while(within).fold(0, |s, e| s | self.flat.elems[e].signs)
    }

    /// The part of the body that holds a line.
    pub fn range_of(&self, n: usize) -> Option<Range<usize>> {
        let at = self.body.partition_point(|r| r.end <= n);
        self.body.get(at).filter(|r| r.contains(&n)).cloned()
    }

    fn is_title(&self, n: usize) -> bool {
        let folded = self.folded(n);
        if self.title.is_empty() || folded.len() < 8 {
            return false;
        }
        folded == self.title || (self.title.starts_with(folded) && matches!(self.line(n).shape, Shape::Heading(_)))
    }

    pub fn is_date_line(&self, n: usize) -> bool {
        let line = self.line(n);
        let data = matches!(line.shape, Shape::Cell { .. } | Shape::Item { .. });
        if data || line.chars > 70 || is_text(line) || !line.text.contains(|c: char| c.is_ascii_digit()) {
            return false;
        }
        if self.signs_around(n) & DATE != 0 {
            return true;
        }
        let letters = line.text.chars().filter(|c| c.is_alphabetic()).count();
        let digits = line.text.chars().filter(char::is_ascii_digit).count();
        digits >= 6 && letters <= 25 && super::when::visible(&line.text).is_some()
    }

    fn bylines(&mut self) {
        let inside = self.inside();
        let first = inside.iter().position(|&n| is_text(self.line(n)));
        let last = inside.iter().rposition(|&n| is_text(self.line(n)));
        for (at, &n) in inside.iter().enumerate() {
            let line = self.line(n);
            if line.chars == 0 || matches!(line.shape, Shape::Cell { .. }) {
                continue;
            }
            let named = self.signs_around(n) & BYLINE != 0 && line.chars < 150 && !is_text(line);
            let outside = first.is_none_or(|f| at < f) || last.is_none_or(|l| at > l);
            // A bold line with text under it is a heading.
            let heads = inside.get(at + 1).is_some_and(|&next| is_text(self.line(next)));
            let looks = line.align == Align::Right || (line.bold * 10 >= line.chars * 9 && !heads);
            let near_end = at + 4 >= inside.len();
            let marked = named || (outside && !matches!(line.shape, Shape::Heading(_))) || (looks && near_end);
            if (looks || near_end) && is_source(&line.text) {
                self.fates[n] = Fate::Byline("a source");
            } else if byline(&line.text, marked).is_some() {
                self.fates[n] = Fate::Byline("a byline");
            } else if named {
                self.fates[n] = Fate::Byline("named a byline");
            }
        }
    }

    fn keep_rest(&mut self) {
        for n in self.inside() {
            let lead = self.signs_around(n) & LEAD != 0;
            self.fates[n] = Fate::Kept(match self.line(n).shape {
                _ if lead => super::blocks::LEAD,
                Shape::Heading(_) => "a heading within the text",
                Shape::Item { .. } => "a list within the text",
                Shape::Cell { .. } => "a table of data",
                Shape::Quoted { .. } => "a quotation",
                Shape::Image => "a picture within the text",
                _ if self.named => "text of the layout's body",
                _ if is_text(self.line(n)) => "running text",
                _ => "a line between running text",
            });
        }
    }
}

/// A heading that nothing follows lost its box.
pub fn headings_alone(flat: &Flat<'_>, body: &[Range<usize>], fates: &mut [Fate]) {
    let mut followed = false;
    for n in body.iter().flat_map(Clone::clone).collect::<Vec<_>>().into_iter().rev() {
        match flat.lines[n].shape {
            Shape::Image => {}
            Shape::Heading(_) if !followed && matches!(fates[n], Fate::Kept(_)) => {
                fates[n] = Fate::Dropped("a heading that nothing follows");
            }
            _ => followed |= fates[n].is_kept(),
        }
    }
}

/// `(Name)`, `(site.vn)` alone on a line.
fn is_source(text: &str) -> bool {
    text.starts_with('(') && text.ends_with(')') && text.chars().count() < 60 && !ends_sentence(text)
}

/// Bylines that stand right after the article's element.
pub fn bylines_after(flat: &Flat<'_>, body_end: usize, fates: &mut [Fate]) {
    for (line, fate) in flat.lines.iter().zip(fates).skip(body_end).take(6) {
        let signs = flat.around(line.elem).take(2).fold(0, |s, e| s | flat.elems[e].signs);
        let marked = line.align == Align::Right || signs & BYLINE != 0;
        if line.chars < 100 && line.linked == 0 && byline(&line.text, marked).is_some_and(|names| !names.is_empty()) {
            *fate = Fate::Byline("a byline after the text");
            return;
        }
    }
}
