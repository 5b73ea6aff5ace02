//! Where a named layout says that the article is.

use super::page::Flat;
use crate::config::Layout;
use crate::text::tidy;
use scraper::Selector;
use std::ops::Range;

/// The lines of all elements that match, in document order, nested matches once, without what `drop` matches.
pub fn body(flat: &Flat<'_>, layout: &Layout) -> Vec<Range<usize>> {
    let Some(selector) = &layout.body else { return Vec::new() };
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut done = 0;
    for (n, elem) in flat.elems.iter().enumerate() {
        if n >= done && selector.matches(&elem.node) {
            done = elem.end;
            if !elem.lines.is_empty() {
                ranges.push(elem.lines.clone());
            }
        }
    }
    ranges
}

/// The lines that `drop`, `title`, `date` and `author` match: no part of the text.
pub fn dropped(flat: &Flat<'_>, layout: &Layout) -> Vec<(Range<usize>, &'static str)> {
    let parts = [
        (&layout.title, "the layout's title"),
        (&layout.date, "the layout's date"),
        (&layout.author, "the layout's author"),
    ];
    let drop = layout.drop.iter().map(|s| (s, "dropped by the layout"));
    let named = parts.into_iter().filter_map(|(s, why)| Some((s.as_ref()?, why)));
    drop.chain(named).flat_map(|(s, why)| matching(flat, s).map(move |e| (flat.elems[e].lines.clone(), why))).collect()
}

fn matching<'f>(flat: &'f Flat<'_>, selector: &'f Selector) -> impl Iterator<Item = usize> + 'f {
    (0..flat.elems.len()).filter(|&e| selector.matches(&flat.elems[e].node))
}

/// The text of the first element that matches and has any.
pub fn text(flat: &Flat<'_>, selector: Option<&Selector>) -> Option<String> {
    let texts = matching(flat, selector?).map(|e| tidy(&flat.elems[e].node.text().collect::<Vec<_>>().join(" ")));
    let mut texts = texts.filter(|t| !t.is_empty());
    texts.next()
}

/// What the first element that matches says for machines, if it does.
pub fn datetime(flat: &Flat<'_>, selector: Option<&Selector>) -> Option<String> {
    let mut elems = matching(flat, selector?).map(|e| flat.elems[e].node);
    elems.find_map(|e| e.attr("datetime").or(e.attr("content")).map(tidy))
}

/// The texts of all elements that match.
pub fn texts(flat: &Flat<'_>, selector: Option<&Selector>) -> Vec<String> {
    let Some(selector) = selector else { return Vec::new() };
    let texts = matching(flat, selector).map(|e| tidy(&flat.elems[e].node.text().collect::<Vec<_>>().join(" ")));
    texts.filter(|t| !t.is_empty()).collect()
}
