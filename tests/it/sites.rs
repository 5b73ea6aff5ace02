//! Every page of tests/sites, extracted, against the `.md` beside it; and every feed.

use crate::house::{self, Place};
use crate::noon;
use diemtin::article::{Clean, Entry, Id, Page};
use diemtin::config::{Config, Site};
use diemtin::{article, export, parse, poll};
use std::fs;
use std::path::Path;
use std::sync::Arc;
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
    let raw = fs::read(place.folder.join(&place.files[&place.feed].0)).expect("a feed");
    let url: Url = format!("{base}{}", place.feed).parse().expect("an address");
    let mime = Some(place.files[&place.feed].1.as_str());
    let feed = parse::parse(&house::fill(&raw, &base, 7), mime, Some(&url), diemtin::text::VIETNAM);
    let feed = feed.unwrap_or_else(|why| panic!("{}: {why}", place.id));
    let entries = feed.items.into_iter().map(|item| poll::entry(item, &url).expect("an address")).collect();
    Fixture { base, site, entries }
}

/// What a page becomes, in the form of the `.md` files: some lines of the front matter, and the Markdown.
fn become_markdown(place: &Place, fixture: &Fixture, path: &str, shipped: &Config) -> String {
    let file = place.folder.join(&place.files[path].0);
    let url: Url = format!("{}{path}", fixture.base).parse().expect("an address");
    let body = house::fill(&fs::read(&file).expect("a page"), &fixture.base, 1949);
    let page = Page { url: url.clone(), content_type: Some(place.files[path].1.clone()), body };
    let entry = fixture.entries.iter().find(|entry| entry.id == Id::of(&url));
    let entry = entry.unwrap_or_else(|| panic!("{}: the feed does not show {path}", place.id));
    let topics = diemtin::select::Topics::new(&shipped.topics);
    let examined = poll::examine(Some(&page), entry, &fixture.site, &topics, noon());
    let examined = examined.unwrap_or_else(|why| panic!("{}: {why}", file.display()));
    let topics: Vec<&str> =
        examined.verdict.topics.iter().filter(|topic| topic.selected).map(|topic| topic.id.as_str()).collect();
    let Clean { authors, published, published_from, images, blocks, .. } = &examined.clean;
    format!(
        "---\ntitle: {}\nauthors: {}\npublished_at: {}\npublished_from: {}\nimages: {}\ntopics: {}\n---\n\n{}\n",
        json(&examined.title),
        json(authors),
        json(published.map(|at| at.to_rfc3339())),
        json(published.map_or(article::DateFrom::Seen, |_| *published_from)),
        json(images),
        json(topics),
        export::markdown_body(&examined.title, blocks),
    )
}

/// Compact, as front matter has it.
fn json(value: impl serde::Serialize) -> String {
    serde_json::to_string(&value).expect("plain data")
}

/// The pages that differ from what is expected, each with the first line that does.
fn differences(layout: bool) -> (usize, Vec<String>) {
    let shipped = shipped();
    let mut pages = 0;
    let mut wrong = Vec::new();
    for place in house::places() {
        let place = Arc::new(place);
        let fixture = fixture(&place, &shipped, layout);
        for (path, _, expected) in place.pages() {
            pages += 1;
            let is = become_markdown(&place, &fixture, &path, &shipped);
            let wanted = fs::read(&expected).unwrap_or_else(|why| panic!("{}: {why}", expected.display()));
            let wanted = String::from_utf8(house::fill(&wanted, &fixture.base, 0)).expect("UTF-8");
            if let Some(difference) = difference(&wanted, &is) {
                wrong.push(format!("{}\n{difference}", expected.display()));
            }
        }
    }
    (pages, wrong)
}

fn difference(wanted: &str, is: &str) -> Option<String> {
    let (mut wanted, mut is) = (wanted.trim_end().lines(), is.trim_end().lines());
    loop {
        match (wanted.next(), is.next()) {
            (None, None) => return None,
            (w, i) if w == i => {}
            (w, i) => {
                return Some(format!("  wanted: {}\n  is:     {}", w.unwrap_or("(the end)"), i.unwrap_or("(the end)")));
            }
        }
    }
}

#[test]
fn with_its_layout_every_page_is_exact() {
    let (pages, wrong) = differences(true);
    assert!(pages >= 20, "only {pages} fixture pages");
    assert!(wrong.is_empty(), "{} of {pages} pages differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The finder that knows nothing of a site finds the same.
#[test]
fn without_a_layout_every_page_is_exact() {
    let (pages, wrong) = differences(false);
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
