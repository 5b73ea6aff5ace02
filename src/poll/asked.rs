//! What is asked of servers beside feeds: pages, and whether they may be asked for. Each request leaves a record.

use super::Pipeline;
use crate::article::Outcome;
use crate::config::Site;
use crate::fetch::{Answer, Facts, FetchError, Fetched, Robots, Validators, public};
use crate::store::{Asked, Fetch, Rules, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use url::{Position, Url};

/// How long robots.txt is believed.
const ROBOTS_FOR: TimeDelta = TimeDelta::days(1);
/// After a fault of the server, when robots.txt is asked for again.
const ROBOTS_AGAIN: TimeDelta = TimeDelta::hours(1);
const FAULTY_FOR: TimeDelta = TimeDelta::days(30);

/// An article's page, if its host's robots.txt lets us. No answer: there was no request for it.
pub async fn page(
    pipeline: &Pipeline,
    site: &Site,
    url: &Url,
    now: DateTime<Utc>,
) -> Result<(Result<crate::article::Page, FetchError>, Option<Facts>), StoreError> {
    if let Err(no) = permitted(pipeline, site, url, now).await? {
        return Ok((Err(no), None));
    }
    let Answer { result, facts } = pipeline.fetcher.ask(site, url, &Validators::default(), now).await;
    let page = whole(result);
    if let Err(error) = &page {
        hold(pipeline, url, &facts, error, now)?;
    }
    let asked = !matches!(page, Err(FetchError::Held { .. }));
    Ok((page, asked.then_some(facts)))
}

/// Nobody asked for less than the whole page.
pub fn whole(fetched: Result<Fetched, FetchError>) -> Result<crate::article::Page, FetchError> {
    match fetched? {
        Fetched::Page { page, .. } => Ok(page),
        Fetched::NotModified { .. } => Err(FetchError::Status { status: 304 }),
    }
}

/// The record of a page's request, once it is known what became of it.
pub fn note_page(
    pipeline: &Pipeline,
    site: &Site,
    url: &Url,
    facts: &Facts,
    (outcome, next): (&Outcome, Option<DateTime<Utc>>),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let decision = match outcome {
        Outcome::Later { why } | Outcome::GaveUp { why } | Outcome::Kept { why } => {
            format!("{}: {why}", outcome.label())
        }
        _ => outcome.label().to_owned(),
    };
    note(pipeline, site, (Asked::Page, url), facts, decision, next, now)
}

pub fn note(
    pipeline: &Pipeline,
    site: &Site,
    (what, url): (Asked, &Url),
    facts: &Facts,
    decision: String,
    next: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    pipeline.store.note_fetch(&site.id, &fetch((what, url), facts, decision, next, now))
}

pub fn fetch(
    (what, url): (Asked, &Url),
    facts: &Facts,
    decision: String,
    next: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Fetch {
    let Facts { status, wire, decoded, took, .. } = *facts;
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    Fetch { at: now, what, url: public(url), status, wire, decoded, ms, decision, next }
}

/// A host that asked to wait is left alone by everyone, over a restart too: the one that answered.
pub fn hold(
    pipeline: &Pipeline,
    url: &Url,
    facts: &Facts,
    error: &FetchError,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    match (error, facts.answered.as_ref().unwrap_or(url).host_str()) {
        (FetchError::Busy { until: Some(until), .. }, Some(host)) => pipeline.store.hold(host, *until, now),
        _ => Ok(()),
    }
}

async fn permitted(
    pipeline: &Pipeline,
    site: &Site,
    url: &Url,
    now: DateTime<Utc>,
) -> Result<Result<(), FetchError>, StoreError> {
    if !site.robots {
        return Ok(Ok(()));
    }
    let rules = match rules(pipeline, site, url, now).await? {
        Ok(rules) => rules,
        Err(no) => return Ok(Err(no)),
    };
    let host = || url.host_str().unwrap_or_default().to_owned();
    Ok(match rules.robots {
        Some(robots) if robots.allows(url) => Ok(()),
        Some(_) => Err(FetchError::Forbidden(host())),
        // a server with a fault may mean anything by it: RFC 9309, 2.3.1.4
        None => Err(FetchError::Held { host: host(), until: rules.at + ROBOTS_AGAIN }),
    })
}

/// As remembered, or asked for now.
async fn rules(
    pipeline: &Pipeline,
    site: &Site,
    url: &Url,
    now: DateTime<Utc>,
) -> Result<Result<Rules, FetchError>, StoreError> {
    let origin = public(url)[..Position::BeforePath].to_owned();
    // sites that share a host ask once
    let _one = pipeline.rounds.enter(&origin).await;
    let known = pipeline.store.rules(&origin)?;
    let since = |known: &Rules| known.since.or(known.robots.is_none().then_some(known.at)).map(|since| since.min(now));
    let faulty_since = known.as_ref().and_then(since);
    if let Some(known) = known.filter(|known| known.at <= now) {
        let lasts = if known.robots.is_some() { ROBOTS_FOR } else { ROBOTS_AGAIN };
        if now < known.at + lasts {
            return Ok(Ok(known));
        }
    }
    // an http or https address takes any path
    let Ok(address) = url.join("/robots.txt") else {
        return Ok(Ok(Rules { at: now, robots: Some(Robots::default()), since: None }));
    };
    let Answer { result, facts } = pipeline.fetcher.ask(site, &address, &Validators::default(), now).await;
    let (robots, decision) = match &result {
        Ok(Fetched::Page { page, .. }) => (Some(Robots::of(&page.body, pipeline.fetcher.product())), "kept for a day"),
        Err(FetchError::Busy { .. }) => (None, "no page is asked for within the hour"),
        Err(FetchError::Status { status }) if *status >= 500 => (None, "no page is asked for within the hour"),
        Err(FetchError::Gone { .. } | FetchError::Status { .. } | FetchError::TooLarge { .. }) => {
            (Some(Robots::default()), "there is none: every page may be asked for")
        }
        Err(FetchError::Network(_)) => (None, "no page is asked for within the hour"),
        Err(FetchError::Refused(_) | FetchError::Held { .. } | FetchError::Forbidden(_)) | Ok(_) => {
            let error = result.err().unwrap_or(FetchError::Status { status: 304 });
            return Ok(Err(error));
        }
    };
    if let Err(error) = &result {
        hold(pipeline, &address, &facts, error, now)?;
    }
    let since = if robots.is_none() { Some(faulty_since.unwrap_or(now)) } else { None };
    // a fault that stays so long is taken for none being there: RFC 9309, 2.3.1.4
    let robots = if since.is_some_and(|since| now - since > FAULTY_FOR) { Some(Robots::default()) } else { robots };
    let lasts = if robots.is_some() { ROBOTS_FOR } else { ROBOTS_AGAIN };
    note(pipeline, site, (Asked::Robots, &address), &facts, decision.to_owned(), Some(now + lasts), now)?;
    let rules = Rules { at: now, robots, since };
    pipeline.store.put_rules(&origin, &rules)?;
    Ok(Ok(rules))
}
