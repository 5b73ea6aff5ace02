//! What a site prints on many of its pages is no article: lines are remembered by their words, figures masked, and by
//! their place in the tree, and from the third page on what recurs is chrome.

use super::page::{Flat, Line};
use crate::text::fold;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use url::Url;

/// A line is chrome once it was on so many pages.
const PAGES: usize = 3;
/// A line that none of so many pages had is forgotten: the site was redesigned.
const FORGOTTEN: u32 = 100;
/// The lines that are remembered of a site, at most: about 100 kB as stored.
const LINES: usize = 4_000;
/// The elements around a line that make its place.
const AROUND: usize = 4;

/// What is known of one site.
#[derive(Clone, PartialEq, Serialize, Deserialize, Default, Debug)]
pub struct Learned {
    /// Pages seen so far; a page seen twice counts twice here.
    pages: u32,
    /// By the hash of words and place.
    lines: BTreeMap<u64, Seen>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
struct Seen {
    /// The hashes of the first pages that had it: a page that is fetched again is no second page.
    on: Vec<u32>,
    /// The number of the last page that had it.
    last: u32,
}

impl Learned {
    /// Whether enough was seen to judge by.
    pub fn is_ready(&self) -> bool {
        self.pages >= PAGES as u32
    }

    pub(super) fn observe_flat(&mut self, flat: &Flat<'_>, url: &Url) {
        self.pages = self.pages.saturating_add(1);
        let page = hash(&[crate::article::canonical(url).as_str()]) as u32;
        let keys: HashSet<u64> = flat.lines.iter().filter_map(|line| key(flat, line)).collect();
        for key in keys {
            let seen = self.lines.entry(key).or_insert(Seen { on: Vec::new(), last: 0 });
            seen.last = self.pages;
            if seen.on.len() < PAGES && !seen.on.contains(&page) {
                seen.on.push(page);
            }
        }
        self.forget();
    }

    fn forget(&mut self) {
        let old = self.pages.saturating_sub(FORGOTTEN);
        self.lines.retain(|_, seen| seen.last > old);
        if self.lines.len() > LINES {
            // What was on one page only goes first, then what was seen longest ago.
            let mut ages: Vec<(bool, u32)> = self.lines.values().map(age).collect();
            let cut = self.lines.len() - LINES;
            let (_, limit, _) = ages.select_nth_unstable(cut);
            let limit = *limit;
            self.lines.retain(|_, seen| age(seen) >= limit);
        }
    }

    /// By line of the page: whether the site prints it elsewhere too.
    pub(super) fn recurring(&self, flat: &Flat<'_>) -> Vec<bool> {
        let known = |line: &Line| {
            let seen = key(flat, line).and_then(|key| self.lines.get(&key));
            seen.is_some_and(|seen| seen.on.len() >= PAGES)
        };
        flat.lines.iter().map(known).collect()
    }
}

fn age(seen: &Seen) -> (bool, u32) {
    (seen.on.len() > 1, seen.last)
}

/// Words and place; none for a line without words.
fn key(flat: &Flat<'_>, line: &Line) -> Option<u64> {
    if line.chars == 0 {
        return None;
    }
    let words = masked(&line.text);
    let mut parts: Vec<&str> = vec![&words];
    for elem in flat.around(line.elem).take(AROUND) {
        parts.push(flat.name(elem));
    }
    Some(hash(&parts))
}

/// Folded, each run of figures one `0`: `Hôm nay652 Hôm qua1,050` is the same line for ever.
fn masked(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    for c in fold(text).chars() {
        match c {
            '0'..='9' if masked.ends_with('0') => {}
            '0'..='9' => masked.push('0'),
            '.' | ',' if masked.ends_with('0') => {}
            _ => masked.push(c),
        }
    }
    masked
}

/// The first 64 bits of BLAKE3 over the parts: the same on every machine, so that what was learned can be stored.
fn hash(parts: &[&str]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::{FORGOTTEN, LINES, Learned, masked};
    use crate::extract::page::flatten;
    use scraper::Html;
    use url::Url;

    fn observe(learned: &mut Learned, n: usize, html: &str) -> Vec<bool> {
        let url: Url = format!("https://example.vn/{n}").parse().unwrap();
        let html = Html::parse_document(html);
        let flat = flatten(&html, &url);
        learned.observe_flat(&flat, &url);
        learned.recurring(&flat)
    }

    #[test]
    fn what_recurs_is_chrome_from_the_third_page_on() {
        let mut learned = Learned::default();
        let page = |n: usize| format!("<p>Xã họp dân {}</p><p>Hôm nay{n} Hôm qua1,05{n}</p>", ["a", "b", "c", "d"][n]);
        assert_eq!(observe(&mut learned, 0, &page(0)), [false, false]);
        // The same page once more teaches nothing.
        assert_eq!(observe(&mut learned, 0, &page(0)), [false, false]);
        assert_eq!(observe(&mut learned, 1, &page(1)), [false, false]);
        assert_eq!(observe(&mut learned, 2, &page(2)), [false, true]);
        let elsewhere = "<table><tr><td>Hôm nay7 Hôm qua1,057</table>";
        assert_eq!(observe(&mut learned, 3, elsewhere), [false]);
    }

    #[test]
    fn what_is_learned_is_bounded_and_ages() {
        let mut learned = Learned::default();
        let many = |from: usize| {
            (from..from + 3_000)
                .map(|n| format!("<p>{}</p>", "a".repeat(n % 60) + &"b".repeat(n / 60)))
                .collect::<String>()
        };
        for n in 0..4 {
            observe(&mut learned, n, &format!("<h6>Trang chủ</h6>{}", many(n * 3_000)));
        }
        assert!(learned.lines.len() <= LINES + 3_000);
        assert!(observe(&mut learned, 5, "<h6>Trang chủ</h6>")[0]);
        let stored = serde_json::to_string(&learned).unwrap();
        assert_eq!(serde_json::from_str::<Learned>(&stored).unwrap(), learned);
        for n in 0..=FORGOTTEN as usize {
            observe(&mut learned, 10 + n, "<p>a</p>");
        }
        assert!(!observe(&mut learned, 6, "<h6>Trang chủ</h6>")[0]);
    }

    #[test]
    fn figures_are_masked() {
        assert_eq!(masked("Hôm nay652 Hôm qua1,050"), masked("Hôm nay7 Hôm qua12"));
    }
}
