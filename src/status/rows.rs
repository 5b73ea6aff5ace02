//! A row a site, out of what the configuration and the store say.

use super::{ExtractionHealth, FeedRow, SiteHealth, SiteRow};
use crate::config::{Config, Site};
use crate::export::{HEALED, Healed};
use crate::store::{SiteState, Store, StoreError};
use chrono::{DateTime, Utc};

/// In the order of the configuration. `paused`: why nothing is polled now.
pub fn rows(config: &Config, store: &Store, paused: Option<&str>) -> Result<Vec<SiteRow>, StoreError> {
    let notice = notice(store, paused)?;
    config.sites.iter().map(|site| row(site, store, notice.as_deref())).collect()
}

/// That the store was made again is said until `diemtin store check` finds nothing wrong.
fn notice(store: &Store, paused: Option<&str>) -> Result<Option<String>, StoreError> {
    let healed = store.note::<Healed>(HEALED)?.map(|healed| healed.to_string());
    let said: Vec<String> = paused.map(str::to_owned).into_iter().chain(healed).collect();
    Ok((!said.is_empty()).then(|| said.join(" | ")))
}

fn row(site: &Site, store: &Store, notice: Option<&str>) -> Result<SiteRow, StoreError> {
    let state = store.site(&site.id)?;
    let (health, reason) = health(site, &state);
    Ok(SiteRow {
        id: site.id.clone(),
        name: site.name.clone(),
        province: site.province.clone(),
        kind: site.kind,
        state: health,
        reason,
        notice: notice.map(str::to_owned),
        since: since(&state, health),
        last_success: state.last_success,
        last_new: state.last_new,
        failures: state.failures,
        next_poll: state.next_poll,
        extraction: extraction(site, &state),
        extraction_reason: state.drift.degraded.as_ref().map(|degraded| degraded.why.clone()),
        extraction_since: state.drift.degraded.as_ref().map(|degraded| degraded.since),
        feeds: site.feeds.iter().map(|url| feed_row(url, &state)).collect(),
        waiting: store.waiting_count(&site.id)?,
        gave_up: store.gave_up_count(&site.id)?,
    })
}

/// One failing feed of several is enough: it must not die silently.
fn health(site: &Site, state: &SiteState) -> (SiteHealth, Option<String>) {
    let failing = site.feeds.iter().find_map(|url| Some((url, state.feeds.get(url)?.last_error.as_ref()?)));
    if let Some((url, why)) = failing {
        return (SiteHealth::Failing, Some(format!("{url}: {why}")));
    }
    if state.feeds.is_empty() {
        return (SiteHealth::New, Some("never polled".to_owned()));
    }
    (SiteHealth::Ok, None)
}

/// A failing site was last well when its failing feed last answered.
fn since(state: &SiteState, health: SiteHealth) -> Option<DateTime<Utc>> {
    let failing = || state.feeds.values().filter(|feed| feed.last_error.is_some());
    match health {
        SiteHealth::Failing => failing().filter_map(|feed| feed.last_success).min(),
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

fn feed_row(url: &url::Url, state: &SiteState) -> FeedRow {
    let feed = state.feeds.get(url);
    FeedRow {
        url: url.to_string(),
        last_success: feed.and_then(|feed| feed.last_success),
        failures: feed.map_or(0, |feed| feed.failures),
        last_error: feed.and_then(|feed| feed.last_error.clone()),
        drift: feed.and_then(|feed| feed.drift.clone()),
    }
}
