//! Links to other articles: labels with their lists, lines and lists of links.

use super::chrome::{Case, Fate};
use super::density::is_text;
use super::page::Shape;
use super::words;

impl Case<'_, '_> {
    /// `Tin liên quan`, `Read more`, … with the list that follows.
    pub fn labels(&mut self) {
        let inside = self.inside();
        for (at, &n) in inside.iter().enumerate() {
            if self.fates[n] != Fate::Open || self.line(n).chars > 60 {
                continue;
            }
            let folded = self.folded(n);
            if words::is_box_label(folded) {
                self.fates[n] = Fate::Dropped("a label of the site");
                if words::is_advert_label(folded) {
                    self.drop_pictures(n, &inside[at + 1..]);
                }
            } else if words::is_related_label(folded) {
                self.fates[n] = Fate::Dropped("a label of related articles");
                self.drop_list(&inside[at + 1..]);
            }
        }
    }

    /// The pictures next to a label in its box.
    fn drop_pictures(&mut self, label: usize, after: &[usize]) {
        let elem = self.line(label).elem;
        let within = self.flat.elems[self.flat.elems[elem].parent].lines.clone();
        let pictures = after.iter().take_while(|&&n| within.contains(&n) && self.line(n).shape == Shape::Image);
        for &n in pictures.collect::<Vec<_>>() {
            self.fates[n] = Fate::Dropped("an advertisement");
        }
    }

    /// What follows a label of related articles, up to the next running text.
    fn drop_list(&mut self, after: &[usize]) {
        let mut pictures = Vec::new();
        let mut list_before = None;
        for &n in after {
            let line = self.line(n);
            let list = if let Shape::Item { list, .. } = line.shape { Some(list) } else { None };
            if line.shape == Shape::Image {
                // A teaser's picture, if more of the list follows it.
                pictures.push(n);
                continue;
            }
            let same_list = list.is_some() && list == list_before;
            if !(line.link_share() > 0.5 || same_list || self.ends_in_date(n)) {
                return;
            }
            for gone in pictures.drain(..).chain([n]) {
                self.fates[gone] = Fate::Dropped("listed under related articles");
            }
            list_before = list;
        }
    }

    /// `… (24/01/2024)`
    fn ends_in_date(&self, n: usize) -> bool {
        let text = self.folded(n).trim_end_matches(')');
        let digits = text.chars().rev().take(10).filter(char::is_ascii_digit).count();
        text.len() < self.folded(n).len() && digits >= 6 && text.chars().count() < 250
    }

    /// Lines and lists that are links and nothing else.
    pub fn links(&mut self) {
        let inside = self.inside();
        let text: f32 = inside.iter().map(|&n| self.worth.text[n]).sum();
        if text < 200.0 {
            return;
        }
        let told = self.told_headings(&inside);
        for (lines, why) in self.groups(&inside) {
            if lines.iter().all(|n| told.contains(n)) {
                continue;
            }
            let (chars, linked) =
                lines.iter().fold((0, 0), |(c, l), &n| (c + self.line(n).chars, l + self.line(n).linked));
            if chars > 0 && linked * 10 >= chars * 8 {
                for n in lines {
                    self.fates[n] = Fate::Dropped(why);
                }
            }
        }
    }

    /// Linked headings with the text right under them, three or more: a round-up tells the news that it links to.
    fn told_headings(&self, inside: &[usize]) -> Vec<usize> {
        let parent = |n: usize| self.flat.elems[self.line(n).elem].parent;
        let heading = |n: usize| matches!(self.line(n).shape, Shape::Heading(_));
        let told = |w: &&[usize]| heading(w[0]) && is_text(self.line(w[1])) && parent(w[0]) == parent(w[1]);
        let told: Vec<usize> = inside.windows(2).filter(told).map(|w| w[0]).collect();
        if told.len() < 3 { Vec::new() } else { told }
    }

    /// Items by their list, other lines alone.
    fn groups(&self, inside: &[usize]) -> Vec<(Vec<usize>, &'static str)> {
        let mut groups: Vec<(Vec<usize>, &'static str)> = Vec::new();
        let mut last = None;
        for &n in inside {
            let list = match self.line(n).shape {
                Shape::Item { list, .. } => Some(list),
                Shape::Image => continue,
                _ => None,
            };
            match (groups.last_mut(), list) {
                (Some((lines, _)), Some(_)) if list == last => lines.push(n),
                (_, Some(_)) => groups.push((vec![n], "a list of links")),
                _ => groups.push((vec![n], "a line of links")),
            }
            last = list;
        }
        groups
    }
}
