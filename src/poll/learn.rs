//! Feeds to entries: every feed is asked, what it shows is remembered together with its validators.

use super::decide::{self, Bounds, Case, Decided, Heard, Shown, Turn, Which};
use super::{FeedNews, FeedReport, Pipeline, asked, blocking, caught, drift, websub};
use crate::article::{Entry, Id, Page};
use crate::config::Site;
use crate::fetch::{Answer, Facts, FetchError, Fetched, Validators};
use crate::parse::{self, Feed, Item};
use crate::status;
use crate::store::{Asked, FeedState, Hub, StoreError};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use url::Url;

pub async fn learn(
    pipeline: &Arc<Pipeline>,
    site: &Arc<Site>,
    which: Which,
    now: DateTime<Utc>,
) -> Result<Vec<FeedReport>, StoreError> {
    let mut reports = Vec::with_capacity(site.feeds.len());
    for url in &site.feeds {
        let Some(report) = ask(pipeline, site, url, which, now).await? else { continue };
        status::feed_asked(site, &report);
        reports.push(report);
    }
    Ok(reports)
}

/// None where its time has not come.
async fn ask(
    pipeline: &Arc<Pipeline>,
    site: &Arc<Site>,
    url: &Url,
    which: Which,
    now: DateTime<Utc>,
) -> Result<Option<FeedReport>, StoreError> {
    let before = pipeline.store.site(&site.id)?.feeds.remove(url).unwrap_or_default();
    let before = decide::credible(before, &Bounds::of(site, &pipeline.config.poll), now);
    let unasked = match decide::turn(&before, which, now) {
        Turn::Ask => None,
        Turn::NotDue => return Ok(None),
        Turn::Wait(until) => Some(FeedNews::Waiting(until)),
        Turn::Stopped(since) => Some(FeedNews::Stopped(since)),
    };
    if let Some(news) = unasked {
        return Ok(Some(FeedReport { url: url.clone(), result: Ok(news), notes: Vec::new() }));
    }
    let question = decide::question(url, &before);
    let Answer { result, facts } = pipeline.fetcher.ask(site, &question.url, &question.validators, now).await;
    let (pipeline, site, url) = (pipeline.clone(), site.clone(), url.clone());
    blocking(move || {
        let bounds = bounds(&pipeline, &site, &url, &before, now)?;
        let case = Case { url: &url, before: &before, asked: &question, facts: &facts, bounds: &bounds, now };
        understand(&pipeline, &site, case, result).map(Some)
    })
    .await
}

/// A feed whose hub tells of it is asked as rarely as it may be.
fn bounds(
    pipeline: &Pipeline,
    site: &Site,
    url: &Url,
    before: &FeedState,
    now: DateTime<Utc>,
) -> Result<Bounds, StoreError> {
    let bounds = Bounds::of(site, &pipeline.config.poll);
    let pushed = before.hub.is_some() && websub::is_pushed(&pipeline.store, site, url, now)?;
    Ok(Bounds { pushed, ..bounds })
}

/// From an answer to what is remembered of it.
fn understand(
    pipeline: &Pipeline,
    site: &Site,
    case: Case,
    answer: Result<Fetched, FetchError>,
) -> Result<FeedReport, StoreError> {
    let page = match answer {
        Ok(Fetched::Page { page, validators }) => (page, validators),
        Ok(Fetched::NotModified { validators }) => {
            let decided = decide::decide(case, Heard::NotModified(validators));
            remember(pipeline, site, case, &decided, &[])?;
            return Ok(report(case, decided, Ok(FeedNews::Unchanged)));
        }
        Err(error) => {
            let decided = decide::decide(case, Heard::Failed(&error));
            asked::hold(pipeline, &case.asked.url, case.facts, &error, case.now)?;
            remember(pipeline, site, case, &decided, &[])?;
            let result = match error {
                FetchError::Held { until, .. } => Ok(FeedNews::Waiting(until)),
                error => Err(decided.state.last_error.clone().unwrap_or_else(|| error.to_string())),
            };
            return Ok(report(case, decided, result));
        }
    };
    read(pipeline, site, case, page.0, page.1)
}

/// A body: the same as last time, a feed, or something else.
fn read(
    pipeline: &Pipeline,
    site: &Site,
    case: Case,
    page: Page,
    validators: Validators,
) -> Result<FeedReport, StoreError> {
    let hash = blake3::hash(&page.body).to_hex().to_string();
    if case.before.body_hash.as_ref() == Some(&hash) {
        let decided = decide::decide(case, Heard::Same(validators));
        remember(pipeline, site, case, &decided, &[])?;
        return Ok(report(case, decided, Ok(FeedNews::Unchanged)));
    }
    match feed(site, case.url, &page) {
        Ok(Feed { items, repairs, .. }) => {
            let all = items.len();
            let entries: Vec<Entry> = items.into_iter().filter_map(|item| entry(item, &page.url)).collect();
            let shown = Shown::of(&entries, parse::schedule(&page.body), &case.before.window, case.now);
            let shown = Shown { hub: hub(&page, case.facts), ..shown };
            let decided = decide::decide(case, Heard::Read { validators, hash, shown: Box::new(shown) });
            let new = remember(pipeline, site, case, &decided, &entries)?;
            if decided.state.hub != case.before.hub {
                pipeline.hubs.notify_one();
            }
            if new > 0 && case.bounds.pushed {
                websub::trust(&pipeline.store, site, case.url, false)?;
            }
            if site.lists.contains_key(case.url) {
                note_drift(pipeline, site, case, &decided, &entries, new)?;
            }
            let addressless = all - entries.len();
            let news = FeedNews::Read { entries: entries.len(), new, addressless, repairs };
            Ok(report(case, decided, Ok(news)))
        }
        Err(why) => {
            let decided = decide::decide(case, Heard::NotAFeed(&why));
            remember(pipeline, site, case, &decided, &[])?;
            Ok(report(case, decided, Err(why)))
        }
    }
}

fn feed(site: &Site, url: &Url, page: &Page) -> Result<Feed, String> {
    let parse = || match site.lists.get(url) {
        Some(layout) => parse::list(page, layout, site.default_offset),
        None => parse::parse(&page.body, page.content_type.as_deref(), Some(&page.url), site.default_offset),
    };
    caught(parse).and_then(|feed| feed.map_err(|why| why.to_string()))
}

/// What the answer's header says comes before what the feed says.
fn hub(page: &Page, facts: &Facts) -> Option<Hub> {
    let (url, own) = match &facts.hub {
        (Some(hub), own) => (hub.clone(), own.clone()),
        _ => parse::hub(&page.body, &page.url)?,
    };
    Some(Hub { url, topic: own.unwrap_or_else(|| page.url.clone()) })
}

/// What a hub brought: its entries are remembered as a poll's are.
pub async fn pushed(
    pipeline: &Arc<Pipeline>,
    site: &Arc<Site>,
    url: &Url,
    page: Page,
    wire: u64,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let _one = pipeline.rounds.enter(&site.id).await;
    let (pipeline, site, url) = (pipeline.clone(), site.clone(), url.clone());
    blocking(move || {
        let before = pipeline.store.site(&site.id)?.feeds.remove(&url).unwrap_or_default();
        let (asked, bounds) = (decide::question(&url, &before), Bounds::of(&site, &pipeline.config.poll));
        let facts = Facts { wire, decoded: page.body.len() as u64, ..Facts::default() };
        let case = Case { url: &url, before: &before, asked: &asked, facts: &facts, bounds: &bounds, now };
        let result = match feed(&site, &url, &page) {
            Ok(Feed { items, repairs, .. }) => {
                let all = items.len();
                let entries: Vec<Entry> = items.into_iter().filter_map(|item| entry(item, &page.url)).collect();
                let shown = Shown::of(&entries, parse::schedule(&page.body), &before.window, now);
                let new = remember(&pipeline, &site, case, &decide::pushed(case, shown), &entries)?;
                websub::trust(&pipeline.store, &site, &url, true)?;
                Ok(FeedNews::Read { entries: entries.len(), new, addressless: all - entries.len(), repairs })
            }
            Err(why) => Err(format!("what its hub brought: {why}")),
        };
        status::feed_asked(&site, &FeedReport { url, result, notes: Vec::new() });
        Ok(())
    })
    .await
}

/// What is unlike before on a list page.
fn note_drift(
    pipeline: &Pipeline,
    site: &Site,
    case: Case,
    decided: &Decided,
    entries: &[Entry],
    new: usize,
) -> Result<(), StoreError> {
    let mut state = pipeline.store.site(&site.id)?;
    let mut noted = decided.state.clone();
    drift::note(&mut noted, entries, entries.len() - new);
    state.feeds.insert(case.url.clone(), noted);
    pipeline.store.put_site(&site.id, &state)
}

fn report(case: Case, decided: Decided, result: Result<FeedNews, String>) -> FeedReport {
    FeedReport { url: case.url.clone(), result, notes: decided.notes }
}

/// The feed's state, its entries and the record of the request. Returns how many entries were never seen before.
fn remember(
    pipeline: &Pipeline,
    site: &Site,
    case: Case,
    decided: &Decided,
    entries: &[Entry],
) -> Result<usize, StoreError> {
    let mut state = pipeline.store.site(&site.id)?;
    state.feeds.insert(case.url.clone(), decided.state.clone());
    super::note_feeds(&mut state, site, case.now);
    let (what, next) = ((Asked::Feed, &case.asked.url), Some(decided.next));
    let fetch = asked::fetch(what, case.facts, decided.why.clone(), next, case.now);
    pipeline.store.learn_of(&site.id, case.url, entries, &state, Some(&fetch), case.now)
}

/// None for an item without an address: it has no identity and cannot be fetched.
pub fn entry(item: Item, base: &Url) -> Option<Entry> {
    let link = item.link.or(item.id.filter(|id| id.starts_with("http")))?;
    let url = base.join(link.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(Entry {
        id: Id::of(&url),
        url,
        title: item.title,
        published: item.published,
        updated: item.updated,
        authors: item.authors,
        summary: item.summary,
        content: item.content,
    })
}
