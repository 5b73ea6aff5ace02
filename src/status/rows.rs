//! A row a site, out of what the configuration and the store say.

use super::{ExtractionHealth, FeedRow, GivenUp, SiteHealth, SiteRow};
use crate::article::Outcome;
use crate::config::{Config, Site};
use crate::export::{HEALED, Healed};
use crate::fetch::public;
use crate::poll::silence;
use crate::store::{FeedState, Mark, SiteState, Store, StoreError};
use chrono::{DateTime, Utc};
use url::Url;

/// Pages given up that are told of a site.
const SHOWN: usize = 20;

/// In the order of the configuration. `paused`: why nothing is polled now.
pub fn rows(config: &Config, store: &Store, paused: Option<&str>) -> Result<Vec<SiteRow>, StoreError> {
    let notice = notice(store, paused)?;
    config.sites.iter().map(|site| row(site, store, notice.as_deref())).collect()
}

/// The row of one site; none where no site has that id.
pub fn row_of(config: &Config, store: &Store, id: &str, paused: Option<&str>) -> Result<Option<SiteRow>, StoreError> {
    let notice = notice(store, paused)?;
    let site = config.sites.iter().find(|site| site.id == id);
    site.map(|site| row(site, store, notice.as_deref())).transpose()
}

/// That the store was made again is said until `diemtin store check` finds nothing wrong.
fn notice(store: &Store, paused: Option<&str>) -> Result<Option<String>, StoreError> {
    let healed = store.note::<Healed>(HEALED)?.map(|healed| healed.to_string());
    let said: Vec<String> = paused.map(str::to_owned).into_iter().chain(healed).collect();
    Ok((!said.is_empty()).then(|| said.join(" | ")))
}

fn row(site: &Site, store: &Store, notice: Option<&str>) -> Result<SiteRow, StoreError> {
    let state = store.site(&site.id)?;
    let Condition { state: health, extraction, reason, since } = condition(site, &state);
    Ok(SiteRow {
        id: site.id.clone(),
        name: site.name.clone(),
        province: site.province.clone(),
        kind: site.kind,
        state: health,
        reason,
        notice: notice.map(str::to_owned),
        since,
        last_success: state.last_success,
        last_new: state.last_new,
        failures: state.failures,
        next_poll: state.next_poll,
        extraction,
        extraction_reason: extraction_reason(site, &state),
        extraction_since: state.drift.degraded.as_ref().map(|degraded| degraded.since),
        feeds: site.feeds.iter().map(|url| feed_row(url, &state)).collect(),
        waiting: store.waiting_count(&site.id)?,
        gave_up: store.gave_up_count(&site.id)?,
        given_up: given_up(&site.id, store)?,
    })
}

/// What is to be known of a site at once, and told when it changes.
pub struct Condition {
    pub state: SiteHealth,
    pub extraction: ExtractionHealth,
    pub reason: Option<String>,
    pub since: Option<DateTime<Utc>>,
}

pub fn condition(site: &Site, state: &SiteState) -> Condition {
    let ((health, reason), extraction) = (health(site, state), extraction(site, state));
    Condition { state: health, extraction, since: since(site, state, health), reason }
}

/// One failing feed of several is enough: it must not die silently.
fn health(site: &Site, state: &SiteState) -> (SiteHealth, Option<String>) {
    let failing = site.feeds.iter().find_map(|url| Some((url, state.feeds.get(url)?.last_error.as_ref()?)));
    if let Some((url, why)) = failing {
        return (SiteHealth::Failing, Some(format!("{}: {why}", public(url))));
    }
    if state.feeds.is_empty() {
        return (SiteHealth::New, Some("never polled".to_owned()));
    }
    if let Some((url, _)) = feeds_of(site, state).find(|(_, feed)| feed.emptied.is_some()) {
        return (SiteHealth::Empty, Some(format!("{} shows no entry", public(url))));
    }
    match (state.quiet, silence::rhythm(site, state)) {
        (Some(_), Some(rhythm)) => {
            let (last, days) = (rhythm.last, rhythm.days.round());
            (SiteHealth::Quiet, Some(format!("nothing new since {last}, though it published every {days} days")))
        }
        _ => (SiteHealth::Ok, told(site, state)),
    }
}

fn feeds_of<'a>(site: &'a Site, state: &'a SiteState) -> impl Iterator<Item = (&'a Url, &'a FeedState)> {
    site.feeds.iter().filter_map(|url| Some((url, state.feeds.get(url)?)))
}

/// What the operator should know of a site that is well.
fn told(site: &Site, state: &SiteState) -> Option<String> {
    let moved = |(url, feed): (_, &'_ FeedState)| Some((public(url), feed.moved.clone().filter(|m| m.times >= 2)?));
    let moved = feeds_of(site, state).find_map(moved);
    moved.map(|(url, moved)| format!("{url} has moved for good: put {} into the configuration", public(&moved.to)))
}

/// Of several feeds, since the first of them is so.
fn since(site: &Site, state: &SiteState, health: SiteHealth) -> Option<DateTime<Utc>> {
    let mut feeds = feeds_of(site, state).map(|(_, feed)| feed);
    match health {
        SiteHealth::Failing => feeds.filter_map(|feed| feed.failing).min(),
        SiteHealth::Empty => feeds.find_map(|feed| feed.emptied),
        SiteHealth::Quiet => state.quiet,
        SiteHealth::Ok | SiteHealth::New => None,
    }
}

fn extraction(site: &Site, state: &SiteState) -> ExtractionHealth {
    let listed = site.feeds.iter().any(|url| state.feeds.get(url).is_some_and(|feed| feed.drift.is_some()));
    match state.drift.degraded {
        _ if listed => ExtractionHealth::Degraded,
        _ if !site.pages || !state.drift.is_known() => ExtractionHealth::Unknown,
        Some(_) => ExtractionHealth::Degraded,
        None => ExtractionHealth::Ok,
    }
}

/// Why its pages, or one of its list pages, are not read as they used to be.
pub fn extraction_reason(site: &Site, state: &SiteState) -> Option<String> {
    let listed =
        || feeds_of(site, state).find_map(|(url, feed)| Some(format!("{}: {}", public(url), feed.drift.clone()?)));
    state.drift.degraded.as_ref().map(|degraded| degraded.why.clone()).or_else(listed)
}

fn feed_row(url: &url::Url, state: &SiteState) -> FeedRow {
    let feed = state.feeds.get(url).cloned().unwrap_or_default();
    let moved = feed.moved.filter(|moved| moved.times >= 2);
    FeedRow {
        url: public(url).to_string(),
        last_success: feed.last_success,
        failures: feed.failures,
        last_error: feed.last_error,
        // one that is gone is not asked any more
        next: feed.next.filter(|_| feed.stopped.is_none()),
        interval: feed.interval,
        stopped: feed.stopped,
        moved_to: moved.map(|moved| public(&moved.to).to_string()),
        empty_since: feed.emptied,
        rolled_over: feed.rolled_over,
        drift: feed.drift,
    }
}

/// The pages that were given up, not all where there are many.
fn given_up(site: &str, store: &Store) -> Result<Vec<GivenUp>, StoreError> {
    let gone = |mark: Mark| match mark.outcome {
        Some(Outcome::GaveUp { why }) => Some(GivenUp { url: public(&mark.entry.url).to_string(), why }),
        _ => None,
    };
    Ok(store.gave_up(site, SHOWN)?.into_iter().filter_map(gone).collect())
}
