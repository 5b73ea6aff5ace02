//! The pure middle of the walk: pages in, judgement out.

use super::known::Known;
use super::pages::Pages;
use crate::article::{self, Clean, Entry, Method, Page, Verdict};
use crate::config::{Layout, Select, Site};
use crate::dedup::Print;
use crate::extract::{self, ExtractError};
use crate::select::Topics;
use chrono::{DateTime, Utc};
use std::sync::OnceLock;

/// An article as judged, before anyone asked whether it is known.
#[derive(Debug)]
pub struct Examined {
    pub title: String,
    pub clean: Clean,
    pub verdict: Verdict,
    print: OnceLock<Print>,
    /// Why the text may not be the whole article, or not the article alone.
    pub doubt: Option<String>,
}

/// [`examine_known`] of one page, of a site of which nothing is known.
pub fn examine(
    page: Option<&Page>,
    entry: &Entry,
    site: &Site,
    topics: &Topics,
    now: DateTime<Utc>,
) -> Result<Examined, ExtractError> {
    let pages = page.cloned().map_or(Pages::default(), Pages::one);
    examine_known(&pages, entry, site, topics, &Known::default(), now)
}

/// The pure middle of the walk: bytes in, judgement out.
pub fn examine_known(
    pages: &Pages,
    entry: &Entry,
    site: &Site,
    topics: &Topics,
    known: &Known,
    now: DateTime<Utc>,
) -> Result<Examined, ExtractError> {
    let (clean, doubt) = match pages.pages.is_empty() {
        true => (extract::from_entry(entry, now)?, None),
        false => read(pages, entry, site, known, now)?,
    };
    let title = clean.title.clone().or_else(|| entry.title.clone()).unwrap_or_else(|| opening(&clean));
    let text = article::plain(&clean.blocks);
    let paragraphs: Vec<&str> = text.split("\n\n").collect();
    let verdict = topics.judge(&title, &paragraphs);
    Ok(Examined { title, clean, verdict, print: OnceLock::new(), doubt })
}

impl Examined {
    /// Most articles are about something else, and need none.
    pub fn print(&self) -> &Print {
        self.print.get_or_init(|| Print::of(&self.title, &article::plain(&self.clean.blocks)))
    }
}

/// Where the layout takes far less than it used to, and there is more, it is taken without it.
fn read(
    pages: &Pages,
    entry: &Entry,
    site: &Site,
    known: &Known,
    now: DateTime<Utc>,
) -> Result<(Clean, Option<String>), ExtractError> {
    let layout = site.layout.as_deref();
    let mut clean = joined(pages, entry, layout, known, now)?;
    let doubt = known.drift.doubt(&clean, layout);
    if doubt.is_some() && clean.method == Method::Layout {
        let other = joined(pages, entry, None, known, now);
        clean = other.ok().filter(|other| other.reading.kept / 2 > clean.reading.kept).unwrap_or(clean); // none is no more
    }
    Ok((clean, pages.cut.clone().or(doubt)))
}

fn joined(
    pages: &Pages,
    entry: &Entry,
    layout: Option<&Layout>,
    known: &Known,
    now: DateTime<Utc>,
) -> Result<Clean, ExtractError> {
    let one = |page: &Page| extract::extract_learned(page, Some(entry), layout, &known.lessons.learned, now);
    let mut cleans = pages.pages.iter().map(one);
    let first = cleans.next().ok_or(ExtractError::NoText)??;
    // a following page was only taken since it has text
    Ok(extract::join(first, cleans.filter_map(Result::ok)))
}

/// Stands for the title where neither page nor feed has one.
fn opening(clean: &Clean) -> String {
    let text = article::plain(&clean.blocks);
    let words: Vec<&str> = text.split_whitespace().take(16).collect();
    format!("{}…", words.join(" "))
}

/// Whether a site keeps an article with this verdict.
pub fn wanted(site: &Site, verdict: &Verdict) -> bool {
    match &site.select {
        Select::Everything => true,
        Select::AnyTopic => verdict.selected(),
        Select::Topics(ids) => verdict.topics.iter().any(|topic| topic.selected && ids.contains(&topic.id)),
    }
}
