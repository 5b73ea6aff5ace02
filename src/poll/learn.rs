//! Feeds to entries: every feed is asked, what it shows is remembered together with its validators.

use super::{FeedNews, FeedReport, Pipeline, blocking, caught, drift};
use crate::article::{Entry, Id, Page};
use crate::config::Site;
use crate::fetch::{FetchError, Fetched, Validators};
use crate::parse::{self, Feed, Item};
use crate::status;
use crate::store::{FeedState, StoreError};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use url::Url;

pub async fn learn(
    pipeline: &Arc<Pipeline>,
    site: &Arc<Site>,
    now: DateTime<Utc>,
) -> Result<Vec<FeedReport>, StoreError> {
    let mut reports = Vec::with_capacity(site.feeds.len());
    for url in &site.feeds {
        let result = ask(pipeline, site, url, now).await?;
        status::feed_asked(site, url, &result);
        reports.push(FeedReport { url: url.clone(), result });
    }
    Ok(reports)
}

async fn ask(
    pipeline: &Arc<Pipeline>,
    site: &Arc<Site>,
    url: &Url,
    now: DateTime<Utc>,
) -> Result<Result<FeedNews, String>, StoreError> {
    let (store, id) = (pipeline.store.clone(), site.id.clone());
    let before = blocking(move || store.site(&id)).await?.feeds.remove(url).unwrap_or_default();
    if let Some(until) = before.not_before.filter(|until| *until > now) {
        return Ok(Ok(FeedNews::Waiting(until)));
    }
    let answer = pipeline.fetcher.get(site, url, &before.validators).await;
    let (pipeline, site, url) = (pipeline.clone(), site.clone(), url.clone());
    blocking(move || match answer {
        Ok(Fetched::Page { page, validators }) => read(&pipeline, &site, &url, &before, page, validators, now),
        Ok(Fetched::NotModified { validators }) => {
            remember(&pipeline, &site, &url, &succeeded(&before, validators, now), &[], now)?;
            Ok(Ok(FeedNews::Unchanged))
        }
        Err(error) => failed(&pipeline, &site, &url, before, &error, now),
    })
    .await
}

/// A body: the same as last time, a feed, or something else.
fn read(
    pipeline: &Pipeline,
    site: &Site,
    url: &Url,
    before: &FeedState,
    page: Page,
    validators: Validators,
    now: DateTime<Utc>,
) -> Result<Result<FeedNews, String>, StoreError> {
    let hash = blake3::hash(&page.body).to_hex().to_string();
    let after = FeedState { body_hash: Some(hash), ..succeeded(before, validators, now) };
    if before.body_hash == after.body_hash {
        remember(pipeline, site, url, &after, &[], now)?;
        return Ok(Ok(FeedNews::Unchanged));
    }
    let parse = || match site.lists.get(url) {
        Some(layout) => parse::list(&page, layout, site.default_offset),
        None => parse::parse(&page.body, page.content_type.as_deref(), Some(&page.url), site.default_offset),
    };
    match caught(parse).and_then(|feed| feed.map_err(|why| why.to_string())) {
        Ok(Feed { items, repairs, .. }) => {
            let all = items.len();
            let entries: Vec<Entry> = items.into_iter().filter_map(|item| entry(item, &page.url)).collect();
            let new = remember(pipeline, site, url, &after, &entries, now)?;
            if site.lists.contains_key(url) {
                let mut noted = after.clone();
                drift::note(&mut noted, &entries, entries.len() - new);
                remember(pipeline, site, url, &noted, &[], now)?;
            }
            let addressless = all - entries.len();
            Ok(Ok(FeedNews::Read { entries: entries.len(), new, addressless, repairs }))
        }
        // What was not a feed must not answer 304 next time.
        Err(error) => {
            let before = FeedState { validators: Validators::default(), body_hash: None, ..before.clone() };
            stumbled(pipeline, site, url, before, error, None, now)
        }
    }
}

fn succeeded(before: &FeedState, validators: Validators, now: DateTime<Utc>) -> FeedState {
    FeedState {
        validators,
        body_hash: before.body_hash.clone(),
        last_success: Some(now),
        failures: 0,
        last_error: None,
        not_before: None,
        ..before.clone()
    }
}

fn failed(
    pipeline: &Pipeline,
    site: &Site,
    url: &Url,
    before: FeedState,
    error: &FetchError,
    now: DateTime<Utc>,
) -> Result<Result<FeedNews, String>, StoreError> {
    let until = match error {
        FetchError::Busy { until, .. } => *until,
        _ => None,
    };
    stumbled(pipeline, site, url, before, error.to_string(), until, now)
}

fn stumbled(
    pipeline: &Pipeline,
    site: &Site,
    url: &Url,
    before: FeedState,
    why: String,
    not_before: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Result<FeedNews, String>, StoreError> {
    let after = FeedState { failures: before.failures + 1, last_error: Some(why.clone()), not_before, ..before };
    remember(pipeline, site, url, &after, &[], now)?;
    Ok(Err(why))
}

/// Returns how many entries were never seen before.
fn remember(
    pipeline: &Pipeline,
    site: &Site,
    url: &Url,
    feed: &FeedState,
    entries: &[Entry],
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    let mut state = pipeline.store.site(&site.id)?;
    state.feeds.insert(url.clone(), feed.clone());
    pipeline.store.learn(&site.id, url, entries, &state, now)
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
