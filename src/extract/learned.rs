//! What a site prints on many of its pages is no article. Lines are remembered by their words, figures masked, and by
//! their place in the tree; lists of links by their place alone, since their items change. From the third page on what
//! recurs is chrome.

use super::density::{Worth, is_text};
use super::page::{Flat, Line};
use crate::text::fold;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use url::Url;

/// A line is chrome once it was on so many pages.
const PAGES: usize = 3;
/// A line that none of so many pages had is forgotten: the site was redesigned. What is no chrome yet goes sooner: most
/// of it is the articles' own.
const FORGOTTEN: u32 = 100;
const YOUNG_FORGOTTEN: u32 = 12;
/// The lines that are remembered of a site, at most: about 40 kB as stored.
const LINES: usize = 4_000;
/// The lists that are remembered of a site, at most.
const LISTS: usize = 400;
/// The elements around a line that make its place.
const AROUND: usize = 4;
const AROUND_LIST: usize = 6;
/// A box beside the article has less text.
const LEAST_TEXT: usize = 3;
/// So many links make a list.
const LIST: usize = 3;

/// What is known of one site.
#[derive(Clone, PartialEq, Serialize, Deserialize, Default, Debug)]
pub struct Learned {
    /// Pages seen so far; a page seen twice counts twice here.
    pages: u32,
    /// The hashes of the first pages, up to as many as it takes to judge by.
    #[serde(default)]
    first: Vec<u32>,
    /// By the hash of words and place.
    lines: BTreeMap<u64, Seen>,
    /// By the hash of the place.
    #[serde(default)]
    lists: BTreeMap<u64, Seen>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
#[serde(from = "Row", into = "Row")]
struct Seen {
    /// The hashes of the first pages that had it: a page that is fetched again is no second page.
    on: Vec<u32>,
    /// The numbers of the first and the last page that had it, and how many had it.
    since: u32,
    last: u32,
    count: u32,
}

/// Short as stored: there are thousands.
type Row = (Vec<u32>, u32, u32, u32);

impl From<Row> for Seen {
    fn from((on, since, last, count): Row) -> Seen {
        Seen { on, since, last, count }
    }
}

impl From<Seen> for Row {
    fn from(seen: Seen) -> Row {
        (seen.on, seen.since, seen.last, seen.count)
    }
}

impl Seen {
    /// Notes a page; true if it is the one that makes the line known.
    fn note(&mut self, page: u32, number: u32) -> bool {
        (self.last, self.count) = (number, self.count.saturating_add(1));
        let news = self.on.len() < PAGES && !self.on.contains(&page);
        if news {
            self.on.push(page);
        }
        news && self.on.len() == PAGES
    }

    /// On enough pages, and on half of all since it was first seen: what an article says more than once, such as the law
    /// that many of them begin with, is no chrome.
    fn recurs(&self, pages: u32) -> bool {
        self.on.len() >= PAGES && self.count.saturating_mul(2) > pages.saturating_sub(self.since)
    }

    fn age(&self) -> (bool, u32) {
        (self.on.len() > 1, self.last)
    }
}

impl Learned {
    /// Whether enough was seen to judge by.
    pub fn is_ready(&self) -> bool {
        self.first.len() >= PAGES
    }

    /// How many pages it was learned from.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// How a page is remembered.
    pub fn page(url: &Url) -> u32 {
        hash(&[crate::article::canonical(url).as_str()]) as u32
    }

    /// `title` is the document's. Returns which earlier pages have something that this page made known as chrome, by
    /// [`Learned::page`].
    pub(super) fn observe_flat(&mut self, flat: &Flat<'_>, url: &Url, title: &str) -> Vec<u32> {
        self.pages = self.pages.saturating_add(1);
        let page = self.same_article(flat, title).unwrap_or_else(|| Learned::page(url));
        if self.first.len() < PAGES && !self.first.contains(&page) {
            self.first.push(page);
        }
        let mut keys: HashSet<u64> = flat.lines.iter().filter_map(|line| key(flat, line)).collect();
        keys.extend(title_key(title));
        let mut known = note(&mut self.lines, &keys, page, self.pages);
        known.extend(note(&mut self.lists, &lists(flat).into_keys().collect(), page, self.pages));
        known.remove(&page);
        forget(&mut self.lines, self.pages, LINES);
        forget(&mut self.lists, self.pages, LISTS);
        known.into_iter().collect()
    }

    /// The earlier page that this one is again, under another address: its title, and nearly all of its text. A site that
    /// tells an article three times must not teach that the article is chrome.
    fn same_article(&self, flat: &Flat<'_>, title: &str) -> Option<u32> {
        let titled = self.lines.get(&title_key(title)?)?;
        let article = Worth::of(flat).article(flat)?;
        let lines = flat.elems[article].lines.clone().map(|n| &flat.lines[n]).filter(|line| is_text(line));
        let texts: Vec<u64> = lines.filter_map(|line| key(flat, line)).collect();
        let has = |key: &&u64, page: u32| self.lines.get(key).is_some_and(|seen| seen.on.contains(&page));
        let same = |page: u32| texts.iter().filter(|key| has(key, page)).count() * 10 >= texts.len() * 9;
        titled.on.iter().copied().find(|page| texts.len() >= LEAST_TEXT && same(*page))
    }

    /// By line of the page: whether the site prints it elsewhere too.
    pub(super) fn recurring(&self, flat: &Flat<'_>) -> Vec<bool> {
        let recurs = |map: &BTreeMap<u64, Seen>, key: u64| map.get(&key).is_some_and(|seen| seen.recurs(self.pages));
        let mut recurring: Vec<bool> =
            flat.lines.iter().map(|line| key(flat, line).is_some_and(|key| recurs(&self.lines, key))).collect();
        for (_, items) in lists(flat).into_iter().filter(|(key, _)| recurs(&self.lists, *key)) {
            items.into_iter().for_each(|n| recurring[n] = true);
        }
        let again: Vec<usize> = (0..recurring.len()).filter(|&n| self.is_said_again(flat, n, &recurring)).collect();
        again.into_iter().for_each(|n| recurring[n] = false);
        recurring
    }

    /// A line on less than most pages (two more are added, for three tell little) next to new running text of the same
    /// element: an article that quotes what another one quoted.
    fn is_said_again(&self, flat: &Flat<'_>, n: usize, recurring: &[bool]) -> bool {
        let seen = key(flat, &flat.lines[n]).filter(|_| recurring[n]).and_then(|key| self.lines.get(&key));
        let pages = |seen: &Seen| u64::from(self.pages.saturating_sub(seen.since)) + 3;
        let seldom = seen.is_some_and(|seen| u64::from(seen.count) * 10 < pages(seen) * 6);
        seldom && (beside(flat, n, (0..n).rev(), recurring) || beside(flat, n, n + 1..flat.lines.len(), recurring))
    }
}

/// Whether the next line with words is running text of the same element that is not on other pages.
fn beside(flat: &Flat<'_>, n: usize, mut next: impl Iterator<Item = usize>, recurring: &[bool]) -> bool {
    let parent = |n: usize| flat.elems[flat.lines[n].elem].parent;
    next.find(|&m| flat.lines[m].chars > 0)
        .is_some_and(|m| !recurring[m] && is_text(&flat.lines[m]) && parent(m) == parent(n))
}

/// Notes what a page has; returns the pages that have what it made known.
fn note(map: &mut BTreeMap<u64, Seen>, keys: &HashSet<u64>, page: u32, number: u32) -> HashSet<u32> {
    let mut known = HashSet::new();
    for key in keys {
        let seen = map.entry(*key).or_insert(Seen { on: Vec::new(), since: number, last: number, count: 0 });
        if seen.note(page, number) {
            known.extend(&seen.on);
        }
    }
    known
}

fn forget(map: &mut BTreeMap<u64, Seen>, pages: u32, most: usize) {
    map.retain(|_, seen| {
        let kept = if seen.on.len() >= PAGES { FORGOTTEN } else { YOUNG_FORGOTTEN };
        seen.last > pages.saturating_sub(kept)
    });
    if map.len() > most {
        // What was on one page only goes first, then what was seen longest ago.
        let mut ages: Vec<(bool, u32)> = map.values().map(Seen::age).collect();
        let cut = map.len() - most;
        let (_, limit, _) = ages.select_nth_unstable(cut);
        let limit = *limit;
        // Of a page with more lines than are kept, none is.
        map.retain(|_, seen| seen.age() > limit);
    }
}

/// Of a document's title; none where there is none.
fn title_key(title: &str) -> Option<u64> {
    let words = masked(title.trim());
    (!words.is_empty()).then(|| hash(&["the title", &words]))
}

/// Words and place; none for a line without words.
fn key(flat: &Flat<'_>, line: &Line) -> Option<u64> {
    let words = masked(&line.text);
    // Figures alone are the cells of any table.
    if !words.contains(char::is_alphabetic) {
        return None;
    }
    let mut parts: Vec<&str> = vec![&words];
    for elem in flat.around(line.elem).take(AROUND) {
        parts.push(flat.name(elem));
    }
    Some(hash(&parts))
}

/// The lists of links, by their places: the numbers of their lines. A place that holds running text too is no list.
fn lists(flat: &Flat<'_>) -> HashMap<u64, Vec<usize>> {
    let mut places: HashMap<u64, Option<Vec<usize>>> = HashMap::new();
    // Neighbours stand in the same place, mostly.
    let mut last = None;
    for (n, line) in flat.lines.iter().enumerate().filter(|(_, line)| line.chars > 0) {
        let text = is_text(line);
        if !text && line.link_share() < 0.8 {
            continue;
        }
        let place = match last {
            Some((elem, place)) if elem == line.elem => place,
            _ => place(flat, line.elem),
        };
        last = Some((line.elem, place));
        let items = places.entry(place).or_insert_with(|| Some(Vec::new()));
        match items {
            Some(items) if !text => items.push(n),
            items => *items = None,
        }
    }
    places.into_iter().filter_map(|(place, items)| Some((place, items.filter(|items| items.len() >= LIST)?))).collect()
}

/// The elements around, with their classes.
fn place(flat: &Flat<'_>, elem: usize) -> u64 {
    let around: Vec<String> = flat
        .around(elem)
        .take(AROUND_LIST)
        .map(|e| format!("{} {}", flat.name(e), masked(flat.elems[e].node.attr("class").unwrap_or(""))))
        .collect();
    hash(&around.iter().map(String::as_str).collect::<Vec<_>>())
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
    use super::{FORGOTTEN, LINES, Learned, YOUNG_FORGOTTEN, masked};
    use crate::extract::page::flatten;
    use scraper::Html;
    use url::Url;

    fn observe(learned: &mut Learned, n: usize, html: &str) -> Vec<bool> {
        let url: Url = format!("https://example.vn/{n}").parse().unwrap();
        let html = Html::parse_document(html);
        let flat = flatten(&html, &url);
        learned.observe_flat(&flat, &url, "");
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
        assert!(learned.lines.len() <= LINES);
        assert!(observe(&mut learned, 5, "<h6>Trang chủ</h6>")[0]);
        let stored = serde_json::to_string(&learned).unwrap();
        assert_eq!(serde_json::from_str::<Learned>(&stored).unwrap(), learned);
        for n in 0..=YOUNG_FORGOTTEN as usize {
            observe(&mut learned, 10 + n, "<p>a</p>");
        }
        assert_eq!(learned.lines.len(), 2, "lines of single pages are gone");
        for n in 0..=FORGOTTEN as usize {
            observe(&mut learned, 100 + n, "<p>a</p>");
        }
        assert!(!observe(&mut learned, 6, "<h6>Trang chủ</h6>")[0]);
        assert_eq!(learned.lines.len(), 2);
    }

    #[test]
    fn a_redesign_is_learned_within_three_pages() {
        let mut learned = Learned::default();
        for n in 0..40 {
            observe(&mut learned, n, "<h6>Trang chủ</h6>");
        }
        let news = |learned: &mut Learned, n: usize| observe(learned, n, "<nav>Trang nhất</nav>")[0];
        assert_eq!([50, 51, 52].map(|n| news(&mut learned, n)), [false, false, true]);
    }

    /// Many articles begin with the same law; a site's footer is on nearly every page.
    #[test]
    fn what_few_pages_share_is_no_chrome() {
        let mut learned = Learned::default();
        for n in 0..40 {
            let law = if n % 4 == 0 {
                "<p>Căn cứ Luật Đất đai số 31 được Quốc hội thông qua;</p>"
            } else {
                ""
            };
            let seen = observe(&mut learned, n, &format!("<h6>Bản quyền</h6>{law}<table><tr><td>12,5<td>7</table>"));
            if n > 8 {
                assert!(seen[0] && !seen[1], "{n}: {seen:?}");
                assert!(!seen[seen.len() - 1], "figures in a table are the article's");
            }
        }
    }

    #[test]
    fn a_list_whose_items_change_is_chrome_by_its_place() {
        let mut learned = Learned::default();
        let item = |n: usize| format!("<li><a href=/{n}>Tin {}</a>", "xyzuv".repeat(n + 1));
        let page = |n: usize| {
            let items: String = (n * 4..n * 4 + 4).map(item).collect();
            format!("<div class=tinkhac{n}><ul>{items}</ul></div><div class=bai><ul>{}</ul></div>", item(100 + n))
        };
        for n in 0..2 {
            assert_eq!(observe(&mut learned, n, &page(n)), [false; 5]);
        }
        assert_eq!(observe(&mut learned, 2, &page(2)), [true, true, true, true, false]);
    }

    #[test]
    fn an_article_at_several_addresses_is_one_page() {
        let text =
            "<p>Bà con thôn Đông cùng nhau góp công, góp của để mở rộng con đường liên xã, ai cũng phấn khởi.</p>";
        let html = Html::parse_document(&format!("<h6>Trang chủ</h6><div>{}</div>", text.repeat(3)));
        let lines = |title: fn(usize) -> String| {
            let mut learned = Learned::default();
            for n in 0..4 {
                let url: Url = format!("https://example.vn/{n}").parse().unwrap();
                learned.observe_flat(&flatten(&html, &url), &url, &title(n));
            }
            learned.recurring(&flatten(&html, &"https://example.vn/4".parse().unwrap()))
        };
        assert!(!lines(|_| "Mở đường".to_owned()).contains(&true));
        assert!(lines(|n| ["Một", "Hai", "Ba", "Bốn"][n].to_owned()).contains(&true), "a box on every page");
    }

    #[test]
    fn the_pages_that_have_what_became_known_are_told() {
        let mut learned = Learned::default();
        let url = |n: usize| -> Url { format!("https://example.vn/{n}").parse().unwrap() };
        let html = Html::parse_document("<h6>Trang chủ</h6>");
        let mut told = Vec::new();
        for n in 0..5 {
            told.push(learned.observe_flat(&flatten(&html, &url(n)), &url(n), ""));
        }
        let mut first = [Learned::page(&url(0)), Learned::page(&url(1))].to_vec();
        first.sort_unstable();
        told[2].sort_unstable();
        assert_eq!(told, [vec![], vec![], first, vec![], vec![]]);
    }

    #[test]
    fn figures_are_masked() {
        assert_eq!(masked("Hôm nay652 Hôm qua1,050"), masked("Hôm nay7 Hôm qua12"));
    }
}
