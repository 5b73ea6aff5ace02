//! A page without its chrome: `Page -> Clean`.
//!
//! The page is cut ([`slim`]), parsed, laid flat into lines ([`page`]); the part that holds the article is named by a
//! layout ([`layout`]) or found by where the text is dense ([`density`]); within it each line is kept or dropped by a
//! rule ([`chrome`]); where no layout named the part, learned weights correct the rules that guess ([`weights`]); what is
//! kept becomes blocks ([`blocks`]).

mod attributes;
mod blocks;
mod byline;
mod caption;
mod chrome;
mod closing;
mod density;
mod drift;
mod ends;
mod evidence;
mod features;
mod fonts;
mod headline;
mod ink;
mod join;
mod layout;
mod ld;
mod lead;
mod learned;
mod meta;
mod nesting;
mod page;
mod pager;
mod regions;
mod related;
mod signs;
mod slim;
mod summary;
mod tags;
#[cfg(test)]
mod tests;
mod trace;
mod weights;
mod when;
mod words;

use crate::article::{Block, Clean, DateFrom, Dropped, Entry, Image, Method, Page, Run, Sources};
use crate::config::Layout;
use crate::text::{decode, tidy};
use attributes::Keep;
use chrome::{Case, Fate};
use chrono::{DateTime, Utc};
use density::Worth;
pub use drift::{Degraded, Drift, Reading, Turn};
use features::Sight;
pub use join::{adds, join};
pub use learned::Learned;
use meta::{Head, Meta};
use page::Shape;
pub(crate) use page::{Flat, flatten};
use scraper::{Html, Selector};
use std::borrow::Cow;
use std::ops::Range;
pub use trace::{Part, PartFate};
use url::Url;

#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    #[error("no article text found on the page")]
    NoText,
    #[error("not a page: {0}")]
    NotAPage(String),
}

/// `entry` is what the feed said of the page, if a feed led to it; `now` bounds the dates that are believed.
pub fn extract(
    page: &Page,
    entry: Option<&Entry>,
    layout: Option<&Layout>,
    now: DateTime<Utc>,
) -> Result<Clean, ExtractError> {
    extract_learned(page, entry, layout, &Learned::default(), now)
}

/// Takes note of what a page of a site has, for [`extract_learned`]. Returns which earlier pages have something that is
/// known as chrome only now, by [`Learned::page`].
pub fn observe(learned: &mut Learned, page: &Page) -> Result<Vec<u32>, ExtractError> {
    let (html, base) = tree(page)?;
    let title = Head::read(&html, &[]).title;
    Ok(learned.observe_flat(&page::flatten(&html, &base), &page.url, title.as_deref().unwrap_or("")))
}

/// The address of the page after the `nth` (from 1) of the article that begins at `first`, if this one links to it.
pub fn next_page(page: &Page, first: &Url, nth: u32) -> Option<Url> {
    let (html, base) = tree(page).ok()?; // what is no page has none after it
    pager::next(&html, &page::flatten(&html, &base), &base, first, nth)
}

/// As [`extract`], with what the site prints on other pages left out.
pub fn extract_learned(
    page: &Page,
    entry: Option<&Entry>,
    layout: Option<&Layout>,
    learned: &Learned,
    now: DateTime<Utc>,
) -> Result<Clean, ExtractError> {
    extract_seen(page, entry, layout, learned, now, |_, _, _| ())
}

/// As [`extract_learned`], line by line.
pub fn trace(
    page: &Page,
    entry: Option<&Entry>,
    layout: Option<&Layout>,
    learned: &Learned,
    now: DateTime<Utc>,
) -> Result<Vec<Part>, ExtractError> {
    let mut parts = Vec::new();
    extract_seen(page, entry, layout, learned, now, |flat, worth, fates| parts = trace::parts(flat, worth, fates))?;
    Ok(parts)
}

fn extract_seen(
    page: &Page,
    entry: Option<&Entry>,
    layout: Option<&Layout>,
    learned: &Learned,
    now: DateTime<Utc>,
    mut seen: impl FnMut(&Flat<'_>, &Worth, &[Fate]),
) -> Result<Clean, ExtractError> {
    // A layout may select by any attribute.
    let (html, base, json_ld) = document(page, if layout.is_some() { Keep::All } else { Keep::Read })?;
    let flat = page::flatten(&html, &base);
    let head = Head::read(&html, &json_ld);
    let mut worth = Worth::of(&flat);
    if learned.is_ready() {
        worth.lower(learned.recurring(&flat));
    }
    let text_at = worth.article(&flat).map_or(0, |a| density::first_text(&flat, &flat.elems[a].lines));
    let mut meta = meta::read(&head, &flat, text_at, &page.url, entry, now);
    if let Some(layout) = layout {
        from_layout(&flat, layout, &mut meta, now);
        if let Some(fates) = by_layout(&flat, &worth, layout, &meta) {
            seen(&flat, &worth, &fates);
            return finish(&flat, &worth, &fates, meta, Method::Layout);
        }
    }
    let (fates, body) = generic(&flat, &worth, &meta).ok_or(ExtractError::NoText)?;
    let fates = if meta.language.as_deref() == Some(VIETNAMESE) || guess_language(&flat, &fates) == VIETNAMESE {
        fates
    } else {
        let sight = Sight { flat: &flat, worth: &worth, head: &head, meta: &meta, fates: &fates, body, url: &page.url };
        weights::correct(&sight)
    };
    seen(&flat, &worth, &fates);
    let method = if worth.recurring.contains(&true) { Method::Learned } else { Method::Generic };
    let mut clean = finish(&flat, &worth, &fates, meta, method)?;
    if let Some(layout) = layout {
        let why = "the layout's body matched no text: found without it".to_owned();
        clean.dropped.insert(0, Dropped { text: format!("layout {}", layout.name), why });
    }
    Ok(clean)
}

/// The rules were made for Vietnamese pages and need no correction there: weights learned from the pages of other languages
/// spoil one in ten of the Vietnamese ones that were not learned from.
const VIETNAMESE: &str = "vi";

/// The article as the feed alone gives it, for sites with `pages = false`.
pub fn from_entry(entry: &Entry, now: DateTime<Utc>) -> Result<Clean, ExtractError> {
    let given = entry.content.as_deref().filter(|s| !s.trim().is_empty()).or(entry.summary.as_deref());
    let html = parsed(&slim::slim(given.ok_or(ExtractError::NoText)?, Keep::Read).html);
    let flat = page::flatten(&html, &entry.url);
    let head = Head::read(&html, &[]);
    let mut meta = meta::read(&head, &flat, 0, &entry.url, Some(entry), now);
    meta.title = entry.title.as_deref().map(tidy).filter(|t| !t.is_empty());
    meta.title_from = if meta.title.is_some() { "the feed" } else { meta::NONE };
    let date = entry.published.or(entry.updated).and_then(|d| when::believed(d, now));
    (meta.published, meta.published_from) = (date, if date.is_some() { DateFrom::Feed } else { DateFrom::Seen });
    let worth = Worth::of(&flat);
    let whole: Range<usize> = 0..flat.lines.len();
    let fates = Case::new(&flat, &worth, meta.title.as_deref().unwrap_or(""), vec![whole], true).judge(&meta.authors);
    match finish(&flat, &worth, &fates, meta.clone(), Method::Feed) {
        // a sentence beside a picture looks like its caption, a short text like chrome: but it is all that the feed says
        Err(ExtractError::NoText) => {
            let all: Vec<Fate> = fates.iter().map(|_| Fate::Kept("all that the feed says")).collect();
            finish(&flat, &worth, &all, meta, Method::Feed)
        }
        finished => finished,
    }
}

/// A page parsed, without what never shows, its depth bounded; and the base of its links.
pub(crate) fn tree(page: &Page) -> Result<(Html, Url), ExtractError> {
    document(page, Keep::All).map(|(html, base, _)| (html, base))
}

/// [`tree`], and the JSON-LD that stood among its scripts.
fn document(page: &Page, keep: Keep) -> Result<(Html, Url, Vec<String>), ExtractError> {
    let text = readable(page)?;
    let slim = slim::slim(&text, keep);
    let html = parsed(&slim.html);
    let base = base(&html, &page.url);
    Ok((html, base, slim.json_ld))
}

/// A page with a field for a password.
pub(crate) fn asks_for_password(page: &Page) -> bool {
    let field = Selector::parse("input[type=password i]").expect("it is a selector");
    tree(page).is_ok_and(|(html, _)| html.select(&field).next().is_some())
}

fn parsed(slim: &str) -> Html {
    let mut html = Html::parse_document(slim);
    if fonts::any(slim) {
        fonts::read(&mut html);
    }
    html
}

fn readable(page: &Page) -> Result<Cow<'_, str>, ExtractError> {
    if let Some(what) = evidence::other_file(page.content_type.as_deref(), &page.body) {
        return Err(ExtractError::NotAPage(what));
    }
    let declared = declared_charsets(page);
    let text = decode(&page.body, &declared.iter().map(String::as_str).collect::<Vec<_>>()).text;
    match evidence::other_text(&text) {
        Some(what) => Err(ExtractError::NotAPage(what.to_owned())),
        None => Ok(text),
    }
}

/// The transport's charset, then the document's own.
fn declared_charsets(page: &Page) -> Vec<String> {
    let head = String::from_utf8_lossy(&page.body[..page.body.len().min(4096)]).to_ascii_lowercase();
    let header = page.content_type.as_deref().map(str::to_ascii_lowercase);
    let name = |text: &str| {
        let (_, after) = text.split_once("charset")?;
        let after = after.trim_start_matches([' ', '=', '"', '\'']);
        let name: String =
            after.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':')).collect();
        (!name.is_empty()).then_some(name)
    };
    header.as_deref().and_then(name).into_iter().chain(name(&head)).collect()
}

fn base(html: &Html, page: &Url) -> Url {
    let element = html.tree.nodes().filter_map(|n| n.value().as_element()).find(|e| e.name() == "base");
    let href = element.and_then(|e| e.attr("href"));
    // A base that is no address leaves the page's own.
    href.and_then(|h| page.join(h.trim()).ok()).unwrap_or_else(|| page.clone())
}

/// What the layout's own selectors say goes before what was found without them.
fn from_layout(flat: &Flat<'_>, layout: &Layout, meta: &mut Meta, now: DateTime<Utc>) {
    if let Some(title) = layout::text(flat, layout.title.as_ref()) {
        (meta.title, meta.title_from) = (Some(title), "the layout's title");
    }
    let read = |t: String| crate::text::date(&t, crate::text::VIETNAM);
    let date = layout::datetime(flat, layout.date.as_ref()).and_then(read);
    let date = date.or_else(|| layout::text(flat, layout.date.as_ref()).and_then(read));
    if let Some(date) = date.and_then(|d| when::believed(d, now)) {
        (meta.published, meta.published_from) = (Some(date), DateFrom::Page);
    }
    let named = layout::texts(flat, layout.author.as_ref());
    let named: Vec<String> = named.iter().filter_map(|t| byline::byline(t, true)).flatten().collect();
    if !named.is_empty() {
        (meta.authors, meta.authors_from) = (meta::unique(named), "the layout's author");
    }
}

/// `None` if the layout's body matches no text: the page was redesigned, or is another kind of page.
fn by_layout(flat: &Flat<'_>, worth: &Worth, layout: &Layout, meta: &Meta) -> Option<Vec<Fate>> {
    let body = layout::body(flat, layout);
    let mut case = Case::new(flat, worth, meta.title.as_deref().unwrap_or(""), body, true);
    for (lines, why) in layout::dropped(flat, layout) {
        for n in lines {
            if case.fates[n] == Fate::Open {
                case.fates[n] = Fate::Dropped(why);
            }
        }
    }
    let fates = case.judge(&meta.authors);
    has_text(flat, &fates).then_some(fates)
}

fn has_text(flat: &Flat<'_>, fates: &[Fate]) -> bool {
    fates.iter().zip(&flat.lines).any(|(f, l)| f.is_kept() && l.chars > 0)
}

/// What the weights are learned from: each line of a page, what is measured of it, and its words.
#[doc(hidden)]
pub struct Sample {
    pub text: String,
    /// How likely it must be text to be kept; `None` where the weights have no say.
    pub limit: Option<f32>,
    pub numbers: Vec<f32>,
    pub words: Vec<String>,
    pub names: Vec<String>,
    /// The line's number, then the elements around it.
    pub place: Vec<usize>,
}

/// The names of a sample's numbers.
#[doc(hidden)]
pub fn sample_names() -> Vec<String> {
    features::names()
}

/// The lines of text of a page, measured.
#[doc(hidden)]
pub fn samples(page: &Page, now: DateTime<Utc>) -> Result<Vec<Sample>, ExtractError> {
    let (html, base, json_ld) = document(page, Keep::Read)?;
    let flat = page::flatten(&html, &base);
    let head = Head::read(&html, &json_ld);
    let worth = Worth::of(&flat);
    let article = worth.article(&flat).ok_or(ExtractError::NoText)?;
    let text_at = density::first_text(&flat, &flat.elems[article].lines);
    let meta = meta::read(&head, &flat, text_at, &page.url, None, now);
    let (fates, body) = generic(&flat, &worth, &meta).ok_or(ExtractError::NoText)?;
    let sight = Sight { flat: &flat, worth: &worth, head: &head, meta: &meta, fates: &fates, body, url: &page.url };
    let mut samples = Vec::new();
    features::measure(
        &sight,
        &weights::Weights::default(),
        |_| true,
        |n, numbers| {
            let (words, names) = features::tokens(&flat, &flat.lines[n]);
            let limit = weights::limit(&fates[n], &flat.lines[n]);
            let around = flat.around(flat.lines[n].elem).take(8);
            let place = std::iter::once(n).chain(around).collect();
            let text = flat.lines[n].text.clone();
            samples.push(Sample { text, limit, numbers: numbers.to_vec(), words, names, place });
        },
    );
    Ok(samples)
}

/// What becomes of each line, and the lines of the element that holds the article.
fn generic(flat: &Flat<'_>, worth: &Worth, meta: &Meta) -> Option<(Vec<Fate>, Range<usize>)> {
    let article = worth.article(flat)?;
    let title = meta.title.as_deref().unwrap_or("");
    let body = flat.elems[article].lines.clone();
    let mut ranges = lead::before(flat, worth, &body, title);
    ranges.push(body);
    let mut fates = Case::new(flat, worth, title, ranges, false).judge(&meta.authors);
    if !fates.iter().any(|f| matches!(f, Fate::Byline(_))) {
        chrome::bylines_after(flat, flat.elems[article].lines.end, &mut fates);
    }
    has_text(flat, &fates).then_some((fates, flat.elems[article].lines.clone()))
}

fn finish(flat: &Flat<'_>, worth: &Worth, fates: &[Fate], meta: Meta, method: Method) -> Result<Clean, ExtractError> {
    let kept = kept(flat, fates);
    let (mut blocks, kept_by) = blocks::blocks(flat, &kept);
    caption_figures(flat, fates, &kept, &mut blocks);
    if blocks.iter().all(|b| matches!(b, Block::Figure { .. })) {
        return Err(ExtractError::NoText);
    }
    let (authors, authors_from) = authors(flat, fates, &meta);
    let text = kept.iter().map(|(n, _)| flat.lines[*n].folded());
    let (summary, summary_from) = summary::find(&meta, &blocks, &kept_by, text);
    let sources = Sources { title: meta.title_from, authors: authors_from, summary: summary_from };
    let language = meta.language.unwrap_or_else(|| guess_language(flat, fates));
    Ok(Clean {
        title: meta.title,
        published: meta.published,
        published_from: meta.published_from,
        authors,
        language,
        summary,
        images: images(&blocks),
        blocks,
        kept_by,
        tags: meta.tags,
        method,
        sources,
        dropped: dropped(flat, fates),
        reading: reading(flat, worth, fates),
    })
}

/// Of running text that the site does not print elsewhere.
fn reading(flat: &Flat<'_>, worth: &Worth, fates: &[Fate]) -> Reading {
    let mut reading = Reading::default();
    for (n, line) in flat.lines.iter().enumerate().filter(|(_, line)| density::is_text(line)) {
        let chars = u32::try_from(line.chars).unwrap_or(u32::MAX);
        if fates[n].is_kept() {
            reading.kept = reading.kept.saturating_add(chars);
        }
        if worth.recurring.get(n) != Some(&true) {
            reading.found = reading.found.saturating_add(chars);
        }
    }
    reading
}

fn kept(flat: &Flat<'_>, fates: &[Fate]) -> Vec<(usize, String)> {
    let of = |n: usize| match &fates[n] {
        Fate::Kept(why) => Some((n, (*why).to_owned())),
        Fate::Raised(likely, why) => Some((n, chrome::weighed(*likely, why))),
        _ => None,
    };
    (0..flat.lines.len()).filter_map(of).collect()
}

/// The captions that follow a picture are its.
fn caption_figures(flat: &Flat<'_>, fates: &[Fate], kept: &[(usize, String)], blocks: &mut [Block]) {
    let images = kept.iter().filter(|(n, _)| flat.lines[*n].shape == Shape::Image).map(|(n, _)| *n);
    let figures = blocks.iter_mut().filter(|b| matches!(b, Block::Figure { .. }));
    for (image, block) in images.zip(figures) {
        let Block::Figure { caption, .. } = block else { continue };
        let after = (image + 1..flat.lines.len())
            .skip_while(|&n| flat.lines[n].chars == 0 && flat.lines[n].shape != Shape::Image);
        for n in after.take_while(|&n| matches!(fates[n], Fate::Caption(_))) {
            let blank = if caption.is_empty() { "" } else { " " };
            caption.push(Run::Text(blank.to_owned() + &tidy(&flat.lines[n].text)));
        }
    }
}

fn images(blocks: &[Block]) -> Vec<Image> {
    let image = |b: &Block| match b {
        Block::Figure { url, caption } => {
            let text = tidy(&crate::article::plain(&[Block::Paragraph(caption.clone())]));
            Some(Image { url: url.clone(), caption: (!text.is_empty()).then_some(text) })
        }
        _ => None,
    };
    blocks.iter().filter_map(image).collect()
}

const BYLINE: &str = "a byline at the text";

/// Names printed in the article go before those in its metadata.
fn authors(flat: &Flat<'_>, fates: &[Fate], meta: &Meta) -> (Vec<String>, &'static str) {
    let lines = fates.iter().zip(&flat.lines).filter(|(f, _)| matches!(f, Fate::Byline(_)));
    let printed: Vec<String> = lines.filter_map(|(_, l)| byline::byline(&l.text, true)).flatten().collect();
    if !printed.is_empty() {
        return (meta::unique(printed), BYLINE);
    }
    let text_at = fates.iter().position(Fate::is_kept).unwrap_or(0);
    let before = if meta.authors.is_empty() { byline::before(flat, text_at) } else { Vec::new() };
    match before.is_empty() {
        true => (meta.authors.clone(), meta.authors_from),
        false => (meta::unique(before), "a byline before the text"),
    }
}

fn dropped(flat: &Flat<'_>, fates: &[Fate]) -> Vec<Dropped> {
    let of = |(line, fate): (&page::Line, &Fate)| {
        let why = match fate {
            Fate::Dropped(why) | Fate::Byline(why) | Fate::Caption(why) => (*why).to_owned(),
            Fate::Lowered(likely, why) => chrome::weighed(*likely, why),
            Fate::Kept(_) | Fate::Raised(..) | Fate::Open => return None,
        };
        (line.chars > 0).then(|| Dropped { text: line.text.clone(), why })
    };
    flat.lines.iter().zip(fates).filter_map(of).collect()
}

/// By letters that only Vietnamese writes; empty if there are few.
fn guess_language(flat: &Flat<'_>, fates: &[Fate]) -> String {
    let lines = fates.iter().zip(&flat.lines).filter(|(f, _)| f.is_kept());
    let vietnamese = |c: char| matches!(c, 'ơ' | 'ư' | '\u{1ea0}'..='\u{1ef9}');
    let count: usize = lines.map(|(_, l)| l.text.chars().filter(|c| vietnamese(*c)).count()).sum();
    if count >= 10 { VIETNAMESE.to_owned() } else { String::new() }
}

/// The text of a piece of HTML in one line.
fn plain_html(html: &str) -> String {
    let html = Html::parse_fragment(&slim::slim(html, Keep::Read).html);
    let text: Vec<&str> = html.tree.values().filter_map(|n| n.as_text().map(|t| &**t)).collect();
    tidy(&text.join(" "))
}
