//! Where on the page the article is: every line of text is worth its length, every line of links costs, and the
//! element with the greatest sum holds the article. (The idea of a greatest sum over a tagged sequence: Pasternack and
//! Roth, "Extracting article text from the web with maximum subsequence segmentation", WWW 2009; here over the tree.)

use super::page::{Align, Flat, Line, Shape};
use super::signs::{
    ADVERT, ARTICLE_BODY, ASIDE, CHROME, COMMENT, CONSENT, FORM, LEAD, NAV, RELATED, SHARE, Signs, TAGS,
};
use super::tags::attr;
use super::words::is_repost_notice;
use std::collections::HashMap;

/// A line with fewer characters and no end of a sentence is a label.
const SHORT: usize = 80;
/// Longer lines count no more.
const LONG: usize = 600;
/// A region named like chrome is chrome if it has less than this share of the page's text.
const CHROME_SHARE: f32 = 0.4;
/// The same for comments and legal notices, of which there may be more than of the article.
const COMMENT_SHARE: f32 = 0.65;

/// So much text an element needs to be believed that it is the article's body.
const SOLE: f32 = 150.0;

/// A paragraph is worth more than a label.
const PARAGRAPH: f32 = 25.0;

/// So many teasers in a row are a list of them.
const TEASERS: usize = 3;
/// A linked headline is no shorter.
const HEADLINE_CHARS: usize = 15;

/// What the page's lines and elements are worth.
pub struct Worth {
    /// By line.
    pub lines: Vec<f32>,
    /// By line: characters of running text, no matter where they stand.
    pub text: Vec<f32>,
    /// By line: the sum of `text` before it.
    total: Vec<f32>,
    /// By line: the site prints it on other pages too. Empty if nothing is known of the site.
    pub recurring: Vec<bool>,
    /// The page's `<h1>`.
    headlines: Vec<usize>,
    /// By class attribute: `text` in all elements that have it.
    classes: HashMap<String, f32>,
}

impl Worth {
    pub fn of(flat: &Flat<'_>) -> Worth {
        let text: Vec<f32> = flat.lines.iter().map(|l| intrinsic(l).max(0.0)).collect();
        let total = sums(&text);
        let mut worth = Worth {
            lines: flat.lines.iter().map(intrinsic).collect(),
            text,
            total,
            recurring: Vec::new(),
            headlines: (0..flat.elems.len()).filter(|&e| flat.name(e) == "h1").collect(),
            classes: HashMap::new(),
        };
        worth.raise_body(flat);
        worth.by_class(flat);
        worth.lower_regions(flat);
        worth.lower_teasers(flat);
        worth
    }

    /// Characters of running text within an element.
    pub fn text_in(&self, flat: &Flat<'_>, elem: usize) -> f32 {
        let lines = &flat.elems[elem].lines;
        self.total[lines.end] - self.total[lines.start]
    }

    /// What recurs on the site's pages speaks against the element that holds it.
    pub fn lower(&mut self, recurring: Vec<bool>) {
        for (line, _) in self.lines.iter_mut().zip(&recurring).filter(|(_, r)| **r) {
            *line = -line.abs() * 0.5 - 5.0;
        }
        self.recurring = recurring;
    }

    /// A body may be cut into parts of one class.
    fn by_class(&mut self, flat: &Flat<'_>) {
        for elem in (0..flat.elems.len()).filter(|&e| flat.elems[e].signs & CHROME != 0) {
            let text = self.text_in(flat, elem);
            if text > 0.0 {
                *self.classes.entry(class(flat, elem).to_owned()).or_default() += text;
            }
        }
    }

    fn lower_regions(&mut self, flat: &Flat<'_>) {
        let all = self.total.last().copied().unwrap_or(0.0).max(1.0);
        let mut done = 0;
        for elem in 0..flat.elems.len() {
            let e = &flat.elems[elem];
            if e.lines.end <= done || !self.is_region(flat, elem, all) {
                continue;
            }
            for line in e.lines.clone().skip(done.saturating_sub(e.lines.start)) {
                self.lines[line] = -self.lines[line].abs() * 0.5 - 5.0;
            }
            done = e.lines.end;
        }
    }

    /// Short lines, a programme or the winners of a contest, are no labels in what alone calls itself the article's body.
    fn raise_body(&mut self, flat: &Flat<'_>) {
        let mut bodies = flat.elems.iter().filter(|e| e.signs & ARTICLE_BODY != 0 && !e.lines.is_empty());
        let (Some(body), None) = (bodies.next(), bodies.next()) else { return };
        let own = |l: &Line| [l.elem, flat.elems[l.elem].parent].iter().any(|&e| flat.elems[e].node == body.node);
        let plain = |&n: &usize| flat.lines[n].linked == 0 && flat.lines[n].chars > 0 && own(&flat.lines[n]);
        for n in body.lines.clone().filter(plain) {
            self.lines[n] = self.lines[n].max(1.0);
        }
    }

    /// Linked headlines of other articles, each with a sentence or two of it, in boxes made alike.
    fn lower_teasers(&mut self, flat: &Flat<'_>) {
        let mut boxes: HashMap<(usize, &str, &str), Vec<usize>> = HashMap::new();
        for elem in (0..flat.elems.len()).filter(|&e| is_teaser(flat, e)) {
            boxes.entry((flat.elems[elem].parent, flat.name(elem), class(flat, elem))).or_default().push(elem);
        }
        boxes.retain(|(list, ..), alike| alike.len() >= TEASERS && !is_of_article(flat, *list));
        for teaser in boxes.into_values().flatten() {
            for line in flat.elems[teaser].lines.clone() {
                self.lines[line] = self.lines[line].min(-self.lines[line].abs() * 0.5 - 5.0);
            }
        }
    }

    /// Named like chrome, and small beside all the text there is (`all`).
    pub fn is_region(&self, flat: &Flat<'_>, elem: usize, all: f32) -> bool {
        let signs = flat.elems[elem].signs;
        if signs & CHROME == 0 || matches!(flat.name(elem), "html" | "body" | "main") || signs & ARTICLE_BODY != 0 {
            return false;
        }
        // VnExpress calls its main column `sidebar-1`.
        let column = || signs & CHROME == ASIDE && flat.name(elem) != "aside" && self.holds_headline(flat, elem);
        if column() {
            return false;
        }
        if signs & PARTS == 0 && self.classes.get(class(flat, elem)).is_some_and(|t| *t >= CHROME_SHARE * all) {
            return false;
        }
        if signs & WORDLESS & CHROME == signs & CHROME && self.text_in(flat, elem) > 500.0 {
            return false;
        }
        let most = if signs & (COMMENT | CONSENT | FORM) != 0 { COMMENT_SHARE } else { CHROME_SHARE };
        self.text_in(flat, elem) < most * all
    }

    /// The page's only headline of the first order, and more than one paragraph.
    fn holds_headline(&self, flat: &Flat<'_>, elem: usize) -> bool {
        let [headline] = self.headlines[..] else { return false };
        let lines = flat.lines[flat.elems[elem].lines.clone()].iter();
        (elem..flat.elems[elem].end).contains(&headline) && lines.filter(|l| is_text(l)).count() > 1
    }

    /// The element that holds the article, if there is any text.
    pub fn article(&self, flat: &Flat<'_>) -> Option<usize> {
        let sums = sums(&self.lines);
        let sum = |e: usize| sums[flat.elems[e].lines.end] - sums[flat.elems[e].lines.start];
        let best = (0..flat.elems.len()).max_by(|&a, &b| {
            let (x, y) = (sum(a), sum(b));
            // Of two with the same text the inner one, which comes later.
            x.total_cmp(&y).then(flat.elems[b].lines.len().cmp(&flat.elems[a].lines.len())).then(a.cmp(&b))
        })?;
        if sum(best) <= 0.0 {
            return self.most_text(flat);
        }
        let found = self.named(flat, best).or_else(|| self.sole(flat, best)).unwrap_or(best);
        Some(with_tables(flat, self.with_siblings(flat, found)))
    }

    /// Links around a short article cost more than all paragraphs but the longest are worth: it is not the article alone.
    fn with_siblings(&self, flat: &Flat<'_>, found: usize) -> usize {
        let (parent, name) = (flat.elems[found].parent, flat.name(found));
        let of = |n: usize| flat.lines[n].elem;
        let alike = |n: &usize| of(*n) != found && flat.elems[of(*n)].parent == parent && flat.name(of(*n)) == name;
        let lines = flat.elems[parent].lines.clone().filter(alike);
        let text: f32 = lines.map(|n| self.lines[n].max(0.0)).filter(|worth| *worth > PARAGRAPH).sum();
        if name == "p" && text * 2.0 > self.text_in(flat, found) { parent } else { found }
    }

    /// The only element that calls itself an article's body, where something else was found: a long text beside a
    /// short article, or the lead above a list of short lines.
    fn sole(&self, flat: &Flat<'_>, best: usize) -> Option<usize> {
        let named = |&e: &usize| flat.elems[e].signs & ARTICLE_BODY != 0 && !flat.elems[e].lines.is_empty();
        let mut bodies = (0..flat.elems.len()).filter(named);
        let sole = bodies.next().filter(|_| bodies.next().is_none())?;
        let apart = sole >= flat.elems[best].end || flat.elems[sole].end <= best;
        let text = self.text_in(flat, sole);
        let lead = flat.around(best).take(2).any(|e| flat.elems[e].signs & LEAD != 0) && flat.elems[best].end <= sole;
        (apart && (lead || (text > SOLE && text * 2.0 > self.text_in(flat, best)))).then_some(sole)
    }

    /// The element that calls itself the article's body, where it holds most of what was found.
    fn named(&self, flat: &Flat<'_>, best: usize) -> Option<usize> {
        let found = self.text_in(flat, best);
        let inside = (best + 1..flat.elems[best].end)
            .filter(|&e| flat.elems[e].signs & ARTICLE_BODY != 0)
            .max_by(|&a, &b| self.text_in(flat, a).total_cmp(&self.text_in(flat, b)).then(b.cmp(&a)))?;
        (self.text_in(flat, inside) > 0.6 * found).then_some(inside)
    }

    fn most_text(&self, flat: &Flat<'_>) -> Option<usize> {
        (0..flat.elems.len())
            .filter(|&e| self.text_in(flat, e) > 0.0)
            .max_by(|&a, &b| self.text_in(flat, a).total_cmp(&self.text_in(flat, b)).then(a.cmp(&b)))
    }
}

/// A list of questions or of news that the article tells itself: running text stands right before or after it.
fn is_of_article(flat: &Flat<'_>, list: usize) -> bool {
    let outer = flat.elems[list].parent;
    let beside = |line: &Line| is_text(line) && [list, outer].contains(&flat.elems[line.elem].parent);
    let around = flat.elems[outer].lines.clone();
    flat.around(list).any(|e| flat.elems[e].signs & ARTICLE_BODY != 0) || flat.lines[around].iter().any(beside)
}

/// A linked headline, then at most two lines of text.
fn is_teaser(flat: &Flat<'_>, elem: usize) -> bool {
    let lines = &flat.elems[elem].lines;
    if !(2..=6).contains(&lines.len()) {
        return false;
    }
    let mut said = flat.lines[lines.clone()].iter().filter(|l| l.chars > 0);
    let headline = |l: &Line| l.link_share() > 0.8 && l.chars >= HEADLINE_CHARS;
    let texts = flat.lines[lines.clone()].iter().filter(|l| is_text(l)).count();
    // Pictures with captions are the stations of one article.
    let captions = flat.lines[lines.clone()].iter().any(|l| matches!(l.shape, Shape::Caption { .. }));
    let within = || (elem..flat.elems[elem].end).map(|e| flat.elems[e].node);
    let jumps =
        within().any(|e| e.value().name() == "a" && attr(e.value(), "href").is_some_and(|h| h.starts_with('#')));
    said.next().is_some_and(headline) && (1..=2).contains(&texts) && !captions && !jumps
}

/// Figures in cells are worth little: a table of data next to all the text there is was not counted in.
fn with_tables(flat: &Flat<'_>, found: usize) -> usize {
    let up = |e: &usize| Some(flat.elems[*e].parent).filter(|p| p != e);
    let outer = std::iter::successors(Some(found), up).find(|&e| flat.elems[e].lines != flat.elems[found].lines);
    let Some(parent) = outer else { return found };
    let (inner, outer) = (&flat.elems[found].lines, &flat.elems[parent].lines);
    let cell = |l: &Line| matches!(l.shape, Shape::Cell { .. });
    let around = |n: &usize| !inner.contains(n) && flat.lines[*n].chars > 0;
    let rest = || outer.clone().filter(around).map(|n| &flat.lines[n]);
    let credit = |l: &Line| l.align == Align::Right && l.chars < SHORT;
    let data = rest().any(cell) && rest().all(|l| l.linked == 0 && (cell(l) || credit(l)));
    if data { parent } else { found }
}

/// Regions that come in many parts and are chrome all the same.
const PARTS: Signs = COMMENT | CONSENT | FORM | RELATED;

/// Regions that hold no sentences: where there are some, the name means something else.
const WORDLESS: Signs = SHARE | NAV | TAGS | ADVERT;

fn class<'f>(flat: &'f Flat<'_>, elem: usize) -> &'f str {
    flat.elems[elem].node.attr("class").unwrap_or("")
}

fn sums(values: &[f32]) -> Vec<f32> {
    let mut sum = 0.0;
    let mut all = Vec::with_capacity(values.len() + 1);
    all.push(0.0);
    for v in values {
        sum += v;
        all.push(sum);
    }
    all
}

/// The worth of a line by itself.
fn intrinsic(line: &Line) -> f32 {
    if line.chars == 0 {
        return 0.0;
    }
    let links = line.link_share();
    let chars = line.chars.min(LONG) as f32;
    if links > 0.5 {
        return -(chars.min(100.0) * links) - 10.0;
    }
    if is_text(line) && !is_repost_notice(&line.text) {
        return chars * (1.0 - links);
    }
    match line.shape {
        Shape::Heading(_) => -5.0,
        Shape::Cell { .. } | Shape::Item { .. } => chars * 0.1 - 1.0,
        _ => -12.0,
    }
}

/// Running text: long, or a sentence.
pub fn is_text(line: &Line) -> bool {
    if line.link_share() > 0.5 || matches!(line.shape, Shape::Heading(_)) {
        return false;
    }
    line.chars >= SHORT || (line.chars >= 25 && ends_sentence(&line.text))
}

/// Ends as sentences end, closing quotes and brackets aside.
pub fn ends_sentence(text: &str) -> bool {
    let end = text.trim_end_matches([' ', '"', '”', '’', '\'', ')', ']', '»', '/']);
    end.ends_with(['.', '!', '?', '…', ':', ';', '。', '！', '？', '।', '؟'])
}

/// The first line of running text among these.
pub fn first_text(flat: &Flat<'_>, lines: &std::ops::Range<usize>) -> usize {
    lines.clone().find(|&n| is_text(&flat.lines[n])).unwrap_or(lines.start)
}
