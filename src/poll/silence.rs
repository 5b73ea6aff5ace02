//! Whether a site that used to publish has fallen silent, by its own rhythm. Pure.

use crate::config::Site;
use crate::store::SiteState;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use std::collections::BTreeSet;

/// Days of publication remembered: the rhythm is that of the latest.
const REMEMBERED: usize = 10;
/// Fewer make no rhythm.
const FEWEST: usize = 3;
/// After so many times the usual pause it is silent.
const PATIENCE: f64 = 3.0;

/// How often a site publishes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rhythm {
    /// The last day on which it did.
    pub last: NaiveDate,
    /// From one such day to the next, on average; at least 1.
    pub days: f64,
}

/// The latest of some days, each once, oldest first.
pub fn days(all: impl Iterator<Item = NaiveDate>) -> Vec<NaiveDate> {
    let sorted: BTreeSet<NaiveDate> = all.collect();
    let surplus = sorted.len().saturating_sub(REMEMBERED);
    sorted.into_iter().skip(surplus).collect()
}

/// In Vietnam.
pub fn day(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&crate::text::VIETNAM).date_naive()
}

/// Of all feeds of a site together: many entries on one day are one sign of life.
pub fn rhythm(site: &Site, state: &SiteState) -> Option<Rhythm> {
    let feeds = site.feeds.iter().filter_map(|url| state.feeds.get(url));
    let days = days(feeds.flat_map(|feed| feed.days.iter().copied()));
    let (first, last) = (*days.first()?, *days.last()?);
    let pauses = days.len() - 1;
    let whole = (last - first).num_days() as f64;
    (days.len() >= FEWEST).then(|| Rhythm { last, days: whole / pauses as f64 })
}

/// Since when it is silent: the end of the last day on which it published.
pub fn since(site: &Site, state: &SiteState, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let Rhythm { last, days } = rhythm(site, state)?;
    let silent = (day(now) - last).num_days() as f64 > PATIENCE * days;
    let midnight = last.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN);
    midnight.and_local_timezone(crate::text::VIETNAM).single().filter(|_| silent).map(|at| at.to_utc())
}
