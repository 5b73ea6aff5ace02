//! Parts of the page that are chrome as a whole: named so, or made so.

use super::chrome::{Case, Fate};
use super::signs::{ADVERT, CHROME, COMMENT, EMBED, FORM, NOTE, RELATED, SHARE};
use std::collections::HashMap;
use std::ops::Range;

impl Case<'_, '_> {
    /// Posts from elsewhere stay whole, links and all.
    pub fn embeds(&mut self) {
        for n in self.inside() {
            if self.flat.around(self.line(n).elem).take(4).any(|e| self.flat.elems[e].signs & EMBED != 0) {
                self.fates[n] = Fate::Kept("a post from elsewhere");
            }
        }
    }

    /// Elements named like chrome that hold little of the text.
    pub fn regions(&mut self) {
        let all: f32 = self.inside().iter().map(|&n| self.worth.text[n]).sum::<f32>().max(1.0);
        for elem in 0..self.flat.elems.len() {
            let lines = self.flat.elems[elem].lines.clone();
            if self.within(&lines) && self.worth.is_region(self.flat, elem, all) {
                self.drop_region(lines, region_name(self.flat.elems[elem].signs));
            }
        }
    }

    /// Lines of one part of the body, and not all of it.
    fn within(&self, lines: &Range<usize>) -> bool {
        !lines.is_empty() && self.range_of(lines.start).is_some_and(|r| lines.end <= r.end && lines.len() < r.len())
    }

    /// Three or more boxes of one class side by side, each with a headline that is a link: other articles.
    pub fn teasers(&mut self) {
        let all = self.open_text().max(1.0);
        let linked: Vec<u32> = std::iter::once(0)
            .chain(self.flat.lines.iter().scan(0, |sum, l| {
                *sum += u32::from(l.chars >= 15 && l.link_share() > 0.8);
                Some(*sum)
            }))
            .collect();
        let mut rows: HashMap<(usize, &str), Vec<usize>> = HashMap::new();
        for (e, elem) in self.flat.elems.iter().enumerate().skip(1) {
            let lines = &elem.lines;
            let within = (2..=12).contains(&lines.len()) && self.within(lines);
            if within && linked[lines.end] > linked[lines.start] && self.begins_with_link(lines) {
                let class = elem.node.attr("class").unwrap_or(elem.node.value().name());
                rows.entry((elem.parent, class)).or_default().push(e);
            }
        }
        let rows: Vec<Vec<usize>> = rows.into_values().filter(|row| row.len() >= 3).collect();
        for row in rows {
            let text: f32 = row.iter().map(|&e| self.worth.text_in(self.flat, e)).sum();
            if text < 0.6 * all {
                for e in row {
                    self.drop_region(self.flat.elems[e].lines.clone(), "one of a row of teasers");
                }
            }
        }
    }

    /// A teaser's headline is its first or second line of text, and it links.
    fn begins_with_link(&self, lines: &Range<usize>) -> bool {
        let texts = lines.clone().map(|n| self.line(n)).filter(|l| l.chars > 0);
        texts.take(3).any(|l| l.chars >= 15 && l.link_share() > 0.8)
    }

    fn drop_region(&mut self, lines: Range<usize>, why: &'static str) {
        for n in lines {
            if self.fates[n] == Fate::Open {
                self.fates[n] = Fate::Dropped(why);
            }
        }
    }
}

fn region_name(signs: u32) -> &'static str {
    match signs & (CHROME | NOTE) {
        s if s & COMMENT != 0 => "a region of comments",
        s if s & RELATED != 0 => "a region of related articles",
        s if s & SHARE != 0 => "a region for sharing",
        s if s & FORM != 0 => "a form",
        s if s & ADVERT != 0 => "an advertisement",
        _ => "a region named like chrome",
    }
}
