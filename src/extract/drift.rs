//! Whether a site's pages are still read as they used to be: by its layout, and as much of them.

use crate::article::{Clean, Method};
use crate::config::Layout;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// So many pages make a history to compare with, and so many are remembered.
const HISTORY: usize = 5;
const REMEMBERED: usize = 20;
/// So many doubted pages in a row, or so many of the latest, degrade a site; so many good ones in a row end it.
const ROW: usize = 3;
const MANY: usize = 6;
const LATEST: usize = 10;
/// After so many short pages in a row their length is the usual one.
const USUAL_AFTER: u32 = 50;

/// How a site's latest pages were read.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, Debug)]
pub struct Drift {
    pub degraded: Option<Degraded>,
    /// Of pages that were not doubted, the newest last.
    history: Vec<Reading>,
    /// The newest last.
    latest: Vec<Look>,
    /// Doubted pages in a row.
    doubted: u32,
    /// The layout that all this was seen with.
    layout: Option<String>,
}

/// That and why a site's pages are no longer read as they used to be.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Degraded {
    pub since: DateTime<Utc>,
    pub why: String,
}

/// Characters of running text: kept, and on the whole page.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Reading {
    pub kept: u32,
    pub found: u32,
}

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
struct Look {
    at: DateTime<Utc>,
    doubt: Option<String>,
}

/// What a page changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    Degraded,
    WellAgain,
}

impl Drift {
    /// Whether any page was read.
    pub fn is_known(&self) -> bool {
        !self.latest.is_empty() || !self.history.is_empty()
    }

    /// Why a page's text is in doubt: the layout does not fit it, or it is far shorter than the site's articles are
    /// while far more text than usual was left out.
    pub fn doubt(&self, clean: &Clean, layout: Option<&Layout>) -> Option<String> {
        let misses = layout.filter(|layout| layout.body.is_some() && clean.method != Method::Layout);
        if let Some(layout) = misses {
            return Some(format!("the body of [layout.{}] matched nothing", layout.name));
        }
        let Reading { kept, found } = clean.reading;
        let usual = self.usual(|reading| f64::from(reading.kept))?;
        let share = self.usual(|reading| f64::from(reading.kept) / f64::from(reading.found.max(1)))?;
        let short = f64::from(kept) < 0.4 * usual && f64::from(kept) < 0.5 * share * f64::from(found);
        short.then(|| format!("{kept} characters of text were kept of {found}, where {usual:.0} are usual"))
    }

    fn usual(&self, of: impl Fn(&Reading) -> f64) -> Option<f64> {
        if self.history.len() < HISTORY {
            return None;
        }
        let mut all: Vec<f64> = self.history.iter().map(of).collect();
        let middle = all.len() / 2;
        Some(*all.select_nth_unstable_by(middle, f64::total_cmp).1)
    }

    /// Takes note of a page; `reading` is none where no text was found.
    pub fn note(
        &mut self,
        reading: Option<Reading>,
        doubt: Option<&str>,
        layout: Option<&Layout>,
        now: DateTime<Utc>,
    ) -> Option<Turn> {
        let layout = layout.map(|layout| layout.name.clone());
        if self.layout != layout {
            let degraded = self.degraded.take();
            *self = Drift { layout, degraded, ..Drift::default() };
        }
        match (doubt, reading) {
            (None, Some(reading)) => {
                self.doubted = 0;
                last(&mut self.history, reading, REMEMBERED);
            }
            _ => self.doubted = self.doubted.saturating_add(1),
        }
        if self.doubted >= USUAL_AFTER {
            self.doubted = 0;
            self.history.clear();
        }
        last(&mut self.latest, Look { at: now, doubt: doubt.map(str::to_owned) }, LATEST);
        self.turn()
    }

    fn turn(&mut self) -> Option<Turn> {
        let doubts = || self.latest.iter().filter(|look| look.doubt.is_some());
        let row = |doubted: bool| {
            self.latest.len() >= ROW && self.latest.iter().rev().take(ROW).all(|look| look.doubt.is_some() == doubted)
        };
        if self.degraded.is_some() && row(false) {
            self.degraded = None;
            self.latest.clear();
            return Some(Turn::WellAgain);
        }
        let (count, of) = (doubts().count(), self.latest.len());
        let newest = doubts().next_back().filter(|_| self.degraded.is_some() || row(true) || count >= MANY)?;
        let since = self.degraded.as_ref().map_or(doubts().next().map_or(newest.at, |first| first.at), |d| d.since);
        let why = format!("{}; {count} of the last {of} pages", newest.doubt.as_deref().unwrap_or_default());
        match self.degraded.replace(Degraded { since, why }) {
            None => Some(Turn::Degraded),
            Some(_) => None,
        }
    }
}

fn last<T>(all: &mut Vec<T>, new: T, most: usize) {
    all.push(new);
    let surplus = all.len().saturating_sub(most);
    all.drain(..surplus);
}

#[cfg(test)]
mod tests {
    use super::{Degraded, Drift, Reading, Turn, USUAL_AFTER};
    use crate::article::{Clean, Method, Page};
    use crate::config::Layout;
    use chrono::{DateTime, TimeDelta, Utc};

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    fn clean(method: Method, kept: u32, found: u32) -> Clean {
        let html =
            "<title>a</title><p>Sáng nay, xã mở buổi đối thoại giữa lãnh đạo xã và bà con ba thôn về con đường.</p>";
        let page = Page { url: "https://a.vn/b".parse().unwrap(), content_type: None, body: html.into() };
        let clean = crate::extract::extract(&page, None, None, at(0)).unwrap();
        Clean { method, reading: Reading { kept, found }, ..clean }
    }

    fn layout() -> Layout {
        let body = scraper::Selector::parse("#bai").ok();
        Layout { name: "a".into(), title: None, body, date: None, author: None, drop: Vec::new() }
    }

    fn see(drift: &mut Drift, clean: &Clean, layout: Option<&Layout>, n: i64) -> (bool, Option<Turn>) {
        let doubt = drift.doubt(clean, layout);
        (doubt.is_some(), drift.note(Some(clean.reading), doubt.as_deref(), layout, at(n)))
    }

    #[test]
    fn a_layout_that_no_longer_fits_is_noticed_within_three_pages() {
        let (mut drift, layout) = (Drift::default(), layout());
        for n in 0..20 {
            assert_eq!(see(&mut drift, &clean(Method::Layout, 900, 1000), Some(&layout), n), (false, None));
        }
        let missed = clean(Method::Generic, 900, 1000);
        let turns = [20, 21, 22].map(|n| see(&mut drift, &missed, Some(&layout), n));
        assert_eq!(turns, [(true, None), (true, None), (true, Some(Turn::Degraded))]);
        let why = "the body of [layout.a] matched nothing; 3 of the last 10 pages".to_owned();
        assert_eq!(drift.degraded, Some(Degraded { since: at(20), why }));
        let turns = [23, 24, 25].map(|n| see(&mut drift, &clean(Method::Layout, 900, 1000), Some(&layout), n).1);
        assert_eq!(turns, [None, None, Some(Turn::WellAgain)]);
        assert_eq!(drift.degraded, None);
    }

    #[test]
    fn a_text_cut_short_is_doubted_and_a_short_article_is_not() {
        let mut drift = Drift::default();
        for n in 0..8 {
            assert!(!see(&mut drift, &clean(Method::Generic, 2000, 2500), None, n).0);
        }
        assert_eq!(drift.doubt(&clean(Method::Generic, 300, 420), None), None, "a short article on a short page");
        assert_eq!(drift.doubt(&clean(Method::Generic, 1500, 5000), None), None, "a long one beside much else");
        let cut = clean(Method::Generic, 300, 2500);
        let said = "300 characters of text were kept of 2500, where 2000 are usual";
        assert_eq!(drift.doubt(&cut, None).as_deref(), Some(said));
        for n in 8..8 + i64::from(USUAL_AFTER) {
            assert!(see(&mut drift, &cut, None, n).0, "what is cut never becomes the history");
        }
        assert_eq!(drift.doubt(&cut, None), None, "but at last it is what the site is like");
    }
}
