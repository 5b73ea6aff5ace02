//! The lead (*sapo*) that stands between the headline and the body's element.

use super::density::{Worth, ends_sentence, is_text};
use super::page::{Flat, Line, Shape};
use super::signs::{ASIDE, CAPTION, CHROME, HEADLINE, HIDDEN, LEAD};
use crate::text::fold;
use std::cell::LazyCell;
use std::ops::Range;

/// So many lines before the body are looked at.
const REACH: usize = 40;

/// A shorter line is a label, as *Tin mới:*.
const SHORTEST: usize = 10;

/// A heading so long is no headline but the lead.
pub const SECOND_HEADLINE: usize = 70;

/// Where a lead stands, a short sentence is one.
pub fn is_short_lead(line: &Line) -> bool {
    line.chars >= SHORTEST && line.linked == 0 && ends_sentence(&line.text) && !line.text.ends_with([':', ';'])
}

/// The lead's lines before the body, each a range; none that the body says again, where it is not called the lead: some
/// sites print a sentence of the text above it.
pub fn before(flat: &Flat<'_>, worth: &Worth, body: &Range<usize>, title: &str) -> Vec<Range<usize>> {
    let title = fold(title);
    let from = body.start.saturating_sub(REACH);
    let headline = (from..body.start).rev().find(|&n| is_headline(flat, n, &title));
    let text = LazyCell::new(|| -> String {
        let texts = body.clone().filter(|&n| is_text(&flat.lines[n]));
        texts.map(|n| flat.lines[n].folded()).collect()
    });
    let is_named = |n: usize| flat.around(flat.lines[n].elem).take(3).any(|e| flat.elems[e].signs & LEAD != 0);
    let is_lead = |n: usize| {
        let line = &flat.lines[n];
        let signs = flat.around(line.elem).take(3).fold(0, |s, e| s | flat.elems[e].signs);
        let named = is_named(n);
        let after_headline = headline.is_some_and(|h| n > h);
        // A heading that holds the headline is the headline with its kicker.
        let second = matches!(line.shape, Shape::Heading(_))
            && line.chars >= SECOND_HEADLINE
            && (title.is_empty() || !line.folded().contains(&title));
        let texty = is_text(line)
            || ((named || second) && line.chars > 40 && line.link_share() < 0.3)
            || (named && is_short_lead(line));
        let chrome = in_region(flat, worth, line.elem, body) || signs & (HIDDEN | CAPTION) != 0;
        texty
            && !chrome
            && (after_headline || (named && signs & ASIDE == 0 && headline.is_none()))
            && !is_headline(flat, n, &title)
            && !matches!(line.shape, Shape::Caption { .. })
    };
    let fresh = |n: usize| is_lead(n) && (is_named(n) || !text.contains(flat.lines[n].folded()));
    let picture = |n: usize| {
        headline.is_some_and(|h| n > h) && is_figure(flat, n) && !in_region(flat, worth, flat.lines[n].elem, body)
    };
    (from..body.start).filter(|&n| fresh(n) || picture(n)).map(|n| n..n + 1).collect()
}

/// A picture in a `<figure>`, or its caption.
fn is_figure(flat: &Flat<'_>, n: usize) -> bool {
    flat.around(flat.lines[n].elem).take(4).any(|e| flat.name(e) == "figure")
}

fn is_headline(flat: &Flat<'_>, n: usize, title: &str) -> bool {
    let line = &flat.lines[n];
    if line.chars == 0 || title.is_empty() {
        return false;
    }
    let marked = matches!(line.shape, Shape::Heading(_)) || flat.elems[line.elem].signs & HEADLINE != 0;
    line.folded() == title || (marked && title.starts_with(line.folded()) && line.chars > 15)
}

/// In a part named like chrome that doesn't hold the body too.
fn in_region(flat: &Flat<'_>, worth: &Worth, elem: usize, body: &Range<usize>) -> bool {
    let outside = |&e: &usize| flat.elems[e].lines.end <= body.start;
    let chrome = |e: usize| {
        let signs = flat.elems[e].signs;
        // A box named a teaser, right under the headline, is the lead.
        signs & if signs & LEAD != 0 { CHROME & !ASIDE } else { CHROME } != 0
    };
    flat.around(elem).take_while(outside).any(|e| chrome(e) && worth.text_in(flat, e) < 2_000.0)
}
