//! Entries of which the feed says it all: nobody is asked for a page.

use super::known::Known;
use super::pages::{self, Pages};
use super::settle::{conclude, decide, fit, give_up, settled};
use super::{Pipeline, Settled, blocking, wanted};
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
            let (known, mut marks) = (Known::of(&pipeline.store, &site.id)?, Vec::new());
            let settle = |mark| one(&pipeline, &site, mark, &known, &mut marks, now);
            let settled = some.into_iter().map(settle).collect::<Result<Vec<_>, StoreError>>()?;
            pipeline.store.settle_marks(&site.id, &marks, now)?;
            settled.iter().for_each(|settled| status::entry_settled(&site, settled));
            Ok::<_, StoreError>(settled)
        });
        all.extend(settled.await?);
    }
}

/// Most are off topic, and have no more than a mark, which is left to be written with the others.
fn one(
    pipeline: &Pipeline,
    site: &Site,
    mark: Mark,
    known: &Known,
    marks: &mut Vec<(Mark, Option<Page>)>,
    now: DateTime<Utc>,
) -> Result<Settled, StoreError> {
    let examined = match fit(pipeline, site, &mark, &Pages::default(), known, now) {
        Ok(examined) => examined,
        // the feed says the same the next time, and something else makes it due again
        Err(why) => return give_up(pipeline, site, mark, why, now),
    };
    let raw = pages::of_entry(&mark.entry).filter(|_| !pipeline.config.store.raw_pages.is_zero());
    let mark = Mark { due: None, ..mark };
    let off_topic = !wanted(site, &examined.verdict) && {
        let index = pipeline.index.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
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
