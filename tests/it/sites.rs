//! Every page of tests/sites, extracted, against the `.md` beside it; and every feed.

use crate::house::{self, Place};
use crate::noon;
use diemtin::article::{Clean, Entry, Id, Page};
use diemtin::config::{Config, Site};
use diemtin::extract::{self, Learned};
use diemtin::select::Topics;
use diemtin::{article, export, parse, poll};
use std::fs;
use std::path::{Path, PathBuf};
use url::Url;

fn shipped() -> Config {
    Config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config.toml")).expect("the shipped config.toml is right")
}

/// The place's site as a configuration would have it, with or without its layout.
fn site(place: &Place, base: &str, shipped: &Config, layout: bool) -> Site {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let table = place.table.lines().filter(|line| layout || !line.starts_with("layout")).collect::<Vec<_>>().join("\n");
    let mut text = format!("[[site]]\n{table}\nfeeds = [\"{base}{}\"]\n", place.feed);
    for name in shipped.layouts.keys() {
        text += &format!("[layout.{name}]\n");
    }
    let file = folder.path().join("config.toml");
    fs::write(&file, text).expect("a writable folder");
    let config = Config::load(&file).expect("a fixture site is a right site");
    let mut site = Site::clone(&config.sites[0]);
    site.layout = site.layout.map(|named| shipped.layouts[&named.name].clone());
    site
}

struct Fixture {
    base: String,
    site: Site,
    entries: Vec<Entry>,
}

fn fixture(place: &Place, shipped: &Config, layout: bool) -> Fixture {
    let base = format!("http://{}.example", place.id);
    let site = site(place, &base, shipped, layout);
    let raw = place.raw(&place.feed).expect("a feed");
    let url: Url = format!("{base}{}", place.feed).parse().expect("an address");
    let mime = Some(place.files[&place.feed].1.as_str());
    let feed = parse::parse(&house::fill(&raw, &base, 7), mime, Some(&url), diemtin::text::VIETNAM);
    let feed = feed.unwrap_or_else(|why| panic!("{}: {why}", place.id));
    let entries = feed.items.into_iter().map(|item| poll::entry(item, &url).expect("an address")).collect();
    Fixture { base, site, entries }
}

/// A page as the site serves it to the visitor of this number.
fn served(place: &Place, fixture: &Fixture, path: &str, visitor: u64) -> Page {
    let url: Url = format!("{}{path}", fixture.base).parse().expect("an address");
    let body = house::fill(&place.raw(path).expect("a page"), &fixture.base, visitor);
    Page { url, content_type: Some(place.files[path].1.clone()), body }
}

fn entry<'f>(fixture: &'f Fixture, page: &Page) -> &'f Entry {
    let entry = fixture.entries.iter().find(|entry| entry.id == Id::of(&page.url));
    entry.unwrap_or_else(|| panic!("the feed does not show {}", page.url))
}

/// What a page becomes on the daemon's own path.
fn examined(fixture: &Fixture, page: &Page, topics: &Topics) -> String {
    let examined = poll::examine(Some(page), entry(fixture, page), &fixture.site, topics, noon());
    let examined = examined.unwrap_or_else(|why| panic!("{}: {why}", page.url));
    written(&examined.title, &examined.clean, topics)
}

/// What it becomes without a layout, by what was seen of the site.
fn learned(fixture: &Fixture, page: &Page, learned: &Learned, topics: &Topics) -> String {
    let clean = extract::extract_learned(page, Some(entry(fixture, page)), None, learned, noon());
    let clean = clean.unwrap_or_else(|why| panic!("{}: {why}", page.url));
    written(clean.title.as_deref().unwrap_or_default(), &clean, topics)
}

/// In the form of the `.md` files: some lines of the front matter, and the Markdown.
fn written(title: &str, clean: &Clean, topics: &Topics) -> String {
    let text = article::plain(&clean.blocks);
    let verdict = topics.judge(title, &text.split("\n\n").collect::<Vec<_>>());
    let topics: Vec<&str> =
        verdict.topics.iter().filter(|topic| topic.selected).map(|topic| topic.id.as_str()).collect();
    let Clean { authors, published, published_from, images, blocks, .. } = clean;
    format!(
        "---\ntitle: {}\nauthors: {}\npublished_at: {}\npublished_from: {}\nimages: {}\ntopics: {}\n---\n\n{}\n",
        json(title),
        json(authors),
        json(published.map(|at| at.to_rfc3339())),
        json(published.map_or(article::DateFrom::Seen, |_| *published_from)),
        json(images),
        json(topics),
        export::markdown_body(title, blocks),
    )
}

/// Compact, as front matter has it.
fn json(value: impl serde::Serialize) -> String {
    serde_json::to_string(&value).expect("plain data")
}

/// How many pages there are, and those that differ from what is expected, each with the first line that does.
type Compared = (usize, Vec<String>);

fn compared(each: impl FnMut(&Place) -> Compared) -> Compared {
    let places = house::places();
    let all: Vec<Compared> = places.iter().map(each).collect();
    for (place, (pages, wrong)) in places.iter().zip(&all) {
        println!("{}: {} of {pages} exact", place.id, pages - wrong.len());
    }
    all.into_iter().fold((0, Vec::new()), |(sum, mut list), (pages, wrong)| {
        list.extend(wrong);
        (sum + pages, list)
    })
}

/// Each page by itself.
fn differences(layout: bool) -> Compared {
    let shipped = shipped();
    let topics = Topics::new(&shipped.topics);
    compared(|place| {
        let fixture = fixture(place, &shipped, layout);
        let pages = place.pages();
        let is = pages.iter().map(|(path, ..)| examined(&fixture, &served(place, &fixture, path, 1949), &topics));
        (pages.len(), wrong(place, &fixture, is))
    })
}

/// The pages of each site one after the other, each served to another visitor. From the third on, what was seen so far
/// is used; the first two are extracted again then, as they were served.
fn differences_learned() -> Compared {
    let shipped = shipped();
    let topics = Topics::new(&shipped.topics);
    compared(|place| {
        let fixture = fixture(place, &shipped, false);
        let visitor =
            |(nth, (path, ..)): (usize, &(String, _, _))| served(place, &fixture, path, 1949 + 37 * nth as u64);
        let pages: Vec<Page> = place.pages().iter().enumerate().map(visitor).collect();
        let mut seen = Learned::default();
        let mut is = Vec::new();
        for (nth, page) in pages.iter().enumerate() {
            extract::observe(&mut seen, page).expect("a page");
            let again = if nth == 2 { 0..3 } else { nth..nth + usize::from(nth > 2) };
            is.extend(pages[again].iter().map(|page| learned(&fixture, page, &seen, &topics)));
        }
        (pages.len(), wrong(place, &fixture, is.into_iter()))
    })
}

fn wrong(place: &Place, fixture: &Fixture, is: impl Iterator<Item = String>) -> Vec<String> {
    let compare = |((_, _, expected), is): ((String, _, PathBuf), String)| {
        let wanted = fs::read(&expected).unwrap_or_else(|why| panic!("{}: {why}", expected.display()));
        let wanted = String::from_utf8(house::fill(&wanted, &fixture.base, 0)).expect("UTF-8");
        difference(&wanted, &is).map(|difference| format!("{}\n{difference}", expected.display()))
    };
    place.pages().into_iter().zip(is).filter_map(compare).collect()
}

/// Each line of the front matter that differs, then the first of the rest.
fn difference(wanted: &str, is: &str) -> Option<String> {
    let (mut wanted, mut is) = (wanted.trim_end().lines(), is.trim_end().lines());
    let mut all = Vec::new();
    for nth in 1.. {
        let (w, i) = (wanted.next(), is.next());
        if w != i {
            all.push(format!("  wanted: {}\n  is:     {}", w.unwrap_or("(the end)"), i.unwrap_or("(the end)")));
        }
        if w.or(i).is_none() || (nth > FRONT_MATTER && w != i) {
            break;
        }
    }
    (!all.is_empty()).then(|| all.join("\n"))
}

/// Lines, the marks around it included.
const FRONT_MATTER: usize = 8;

#[test]
fn with_its_layout_every_page_is_exact() {
    let (pages, wrong) = differences(true);
    assert!(pages >= 20, "only {pages} fixture pages");
    assert!(wrong.is_empty(), "{} of {pages} pages differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The finder that knows nothing of a site finds the same, but on one page, where a box outweighs the only paragraph.
#[test]
fn without_a_layout_every_page_but_one_is_exact() {
    let (pages, wrong) = differences(false);
    assert!(wrong.len() <= 1, "{} of {pages} pages differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The finder that has seen three pages of the site finds the same on every page, and what the site prints on all of them
/// changes nothing.
#[test]
fn once_three_pages_were_seen_every_page_is_exact() {
    let (pages, wrong) = differences_learned();
    assert!(pages >= 90, "only {pages} fixture pages");
    assert!(wrong.is_empty(), "{} of {pages} pages differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_feed_shows_every_page_of_its_site() {
    let shipped = shipped();
    for place in house::places() {
        let fixture = fixture(&place, &shipped, true);
        for (path, ..) in place.pages() {
            let id = Id::of(&format!("{}{path}", fixture.base).parse().expect("an address"));
            let entry = fixture.entries.iter().find(|entry| entry.id == id);
            let entry = entry.unwrap_or_else(|| panic!("{}: {path} is not in the feed", place.id));
            let title = entry.title.as_deref().unwrap_or_default();
            assert!(title.contains(' ') && !title.contains('\u{fffd}'), "{}: {title:?}", place.id);
        }
    }
}
