//! A decision of a page stands as long as the site is configured as it was when it was made: where that changes, pages
//! that were given up, or wait for another try, are tried again, and its feeds are read anew.

use crate::article::Outcome;
use crate::config::{Layout, Site};
use crate::fetch::Validators;
use crate::store::{Mark, SiteState, Store, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use scraper::selector::ToCss;

/// Since their feed last showed them.
const STILL_WANTED: TimeDelta = TimeDelta::days(30);

/// Makes those pages due now where the site's settings are others than at the last call. Returns how many.
pub fn renew(store: &Store, site: &Site, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let (before, settings) = (store.site(&site.id)?, settings(site));
    if before.settings.as_ref() == Some(&settings) {
        return Ok(0);
    }
    let mut again = 0;
    // of a site that is new here nothing was decided otherwise
    if before.settings.is_some() {
        let gave_up = store.gave_up(&site.id, usize::MAX)?.into_iter();
        let waits = store.waiting_marks(&site.id, usize::MAX)?.into_iter();
        let waits = waits.filter(|mark| matches!(mark.outcome, None | Some(Outcome::Later { .. })));
        for mark in gave_up.filter(|mark| now - mark.last_seen <= STILL_WANTED).chain(waits) {
            store.wait_again(&site.id, &due_now(mark, now))?;
            again += 1;
        }
    }
    // last, so that what was cut off is done again
    let mut state = SiteState { settings: Some(settings), ..before };
    // what they show is read anew, though it be the same
    for feed in state.feeds.values_mut() {
        (feed.validators, feed.body_hash) = (Validators::default(), None);
    }
    store.put_site(&site.id, &state)?;
    Ok(again)
}

fn due_now(mark: Mark, now: DateTime<Utc>) -> Mark {
    let outcome = match mark.outcome {
        Some(Outcome::GaveUp { why }) => Some(Outcome::Later { why: format!("was given up: {why}") }),
        other => other,
    };
    Mark { tries: 0, due: Some(now), outcome, ..mark }
}

/// Of what is configured, all that decides how its pages are had and read, in short.
fn settings(site: &Site) -> String {
    let Site { tls, downgrade, ca_file, pages, robots, select, headers, lists, default_offset, .. } = site;
    let layout = site.layout.as_deref().map(selectors);
    let said = format!(
        "{tls:?} {downgrade} {ca_file:?} {pages} {robots} {select:?} {headers:?} {layout:?} {lists:?} {default_offset}"
    );
    blake3::hash(said.as_bytes()).to_hex()[..16].to_owned()
}

fn selectors(layout: &Layout) -> Vec<String> {
    let Layout { name: _, title, body, date, author, drop } = layout;
    let parts = [("title", title), ("body", body), ("date", date), ("author", author)];
    let parts = parts.into_iter().filter_map(|(name, part)| Some((name, part.as_ref()?)));
    parts
        .chain(drop.iter().map(|part| ("drop", part)))
        .map(|(name, part)| format!("{name} {}", part.to_css_string()))
        .collect()
}
