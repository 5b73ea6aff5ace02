//! Entries of which the feed says it all: nobody is asked for a page.

use super::examine::{Examined, examine};
use super::pages;
use super::settle::{conclude, decide, give_up, settled};
use super::{Pipeline, Settled, blocking, caught, wanted};
use crate::article::{Outcome, Page};
use crate::config::Site;
use crate::status;
use crate::store::{Mark, StoreError};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Entries settled in one hop.
const A_HOP: usize = 64;

/// Entries of which the feed says it all: nobody is asked, and a hop serves many.
pub async fn settle(
    pipeline: &Arc<Pipeline>,
    site: &Arc<Site>,
    due: Vec<Mark>,
    now: DateTime<Utc>,
) -> Result<Vec<Settled>, StoreError> {
    let (mut due, mut all) = (due.into_iter(), Vec::new());
    loop {
        let some: Vec<Mark> = due.by_ref().take(A_HOP).collect();
        if some.is_empty() {
            return Ok(all);
        }
        let (pipeline, site) = (pipeline.clone(), site.clone());
        let settled = blocking(move || {
            let mut marks = Vec::new();
            let settle = |mark| one(&pipeline, &site, mark, &mut marks, now);
            let settled = some.into_iter().map(settle).collect::<Result<Vec<_>, StoreError>>()?;
            pipeline.store.settle_marks(&site.id, &marks, now)?;
            settled.iter().for_each(|settled| status::entry_settled(&site, settled));
            Ok::<_, StoreError>(settled)
        });
        all.extend(settled.await?);
    }
}

/// Examined by what the feed says alone, or why that cannot be.
pub fn look(pipeline: &Pipeline, site: &Site, mark: &Mark, now: DateTime<Utc>) -> Result<Examined, String> {
    let examined = caught(|| examine(None, &mark.entry, site, &pipeline.topics, now));
    examined?.map_err(|why| why.to_string())
}

/// What is kept in place of a page, where pages are kept.
pub fn raw(pipeline: &Pipeline, mark: &Mark) -> Option<Page> {
    pages::of_entry(&mark.entry).filter(|_| !pipeline.config.store.raw_pages.is_zero())
}

/// Most are off topic, and have no more than a mark, which is left to be written with the others.
fn one(
    pipeline: &Pipeline,
    site: &Site,
    mark: Mark,
    marks: &mut Vec<(Mark, Option<Page>)>,
    now: DateTime<Utc>,
) -> Result<Settled, StoreError> {
    let examined = match look(pipeline, site, &mark, now) {
        Ok(examined) => examined,
        // the feed says the same the next time, and something else makes it due again
        Err(why) => return give_up(pipeline, site, mark, why, now),
    };
    let raw = raw(pipeline, &mark);
    let mark = Mark { due: None, ..mark };
    let off_topic = !wanted(site, &examined.verdict) && {
        let index = pipeline.lock_index();
        decide(pipeline, site, &mark, &examined, &index, now)?.0 == Outcome::OffTopic
    };
    if !off_topic {
        let settled = conclude(pipeline, site, mark, examined, raw.as_ref(), now, |_| true)?;
        return Ok(settled.expect("it is wanted whatever it is"));
    }
    let settled = settled(&mark, &examined, Outcome::OffTopic);
    marks.push((Mark { outcome: Some(Outcome::OffTopic), judged: settled.judged.clone(), ..mark }, raw));
    Ok(settled)
}
