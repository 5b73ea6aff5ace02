//! What is known of a site from its earlier pages: it grows with each page, and pages taken before something was known
//! are extracted again.

use super::examine::{Examined, examine_known};
use super::pages;
use super::settle;
use super::{Pipeline, Settled, caught};
use crate::article::{Id, Outcome, Page};
use crate::config::Site;
use crate::extract::{self, Drift, ExtractError, Learned, Reading, Turn};
use crate::status;
use crate::store::{Change, Lessons, Mark, Store, StoreError, Taken};
use chrono::{DateTime, Utc};

/// Said in the history of an article whose text changed without its page.
const AGAIN: &str = "extracted again, with what the site's other pages have taught since";

#[derive(Clone, Default, Debug)]
pub struct Known {
    pub lessons: Lessons,
    pub drift: Drift,
    /// Whether a page was noted in the drift.
    touched: bool,
    /// Since when the site's pages were not read as they used to be, once they are again.
    was_degraded: Option<DateTime<Utc>>,
}

/// So many pages, the latest, are asked for again at once.
const ASKED_AGAIN: usize = 100;

impl Known {
    pub fn of(store: &Store, site: &str) -> Result<Known, StoreError> {
        Ok(Known::from(store.lessons(site)?, store.site(site)?.drift))
    }

    pub fn from(lessons: Lessons, drift: Drift) -> Known {
        Known { lessons, drift, touched: false, was_degraded: None }
    }

    /// With what a page teaches. Whether it is an article's is only known once it was read with this.
    pub(super) fn with(&self, id: &Id, page: &Page, now: DateTime<Utc>) -> Known {
        let taken = Taken { page: Learned::page(&page.url), id: id.clone(), at: now, again: false };
        // one that comes again, as after a killed run, is no second page
        if let Some(known) = self.lessons.latest.iter().find(|known| known.id == *id && known.page == taken.page) {
            let taken = Taken { again: known.again, ..taken };
            let mut known = self.clone();
            known.lessons.took(taken);
            return known;
        }
        let taught = caught(|| {
            let mut known = self.clone();
            let pages = extract::observe(&mut known.lessons.learned, page)?;
            known.lessons.took(taken);
            known.lessons.doubt(&pages);
            Ok::<_, ExtractError>(known)
        });
        match taught {
            Ok(Ok(known)) => known,
            // what is no page teaches nothing, and is said when it is examined
            _ => self.clone(),
        }
    }

    /// Takes what a page taught, written at once: a run that is killed goes on with what its pages taught.
    pub(super) fn take(&mut self, taught: Known, store: &Store, site: &Site) -> Result<(), StoreError> {
        *self = taught;
        store.put_lessons(&site.id, &self.lessons)
    }

    /// Takes note of how a page was read.
    pub(super) fn read(&mut self, site: &Site, examined: &Examined, now: DateTime<Utc>) {
        self.note(site, Some(examined.clean.reading), examined.doubt.as_deref(), now);
    }

    /// Takes note of a page that could not be read.
    pub(super) fn unread(&mut self, site: &Site, why: &str, now: DateTime<Utc>) {
        self.note(site, None, Some(why), now);
    }

    fn note(&mut self, site: &Site, reading: Option<Reading>, doubt: Option<&str>, now: DateTime<Utc>) {
        self.touched = true;
        let since = self.drift.degraded.as_ref().map(|degraded| degraded.since);
        let turn = self.drift.note(reading, doubt, site.layout.as_deref(), now);
        if turn == Some(Turn::WellAgain) {
            self.was_degraded = since;
        }
        status::extraction_turned(site, turn, &self.drift);
    }

    /// The drift is written, then what has to be is extracted again; returns what that changed.
    pub(super) fn keep(
        mut self,
        pipeline: &Pipeline,
        site: &Site,
        now: DateTime<Utc>,
    ) -> Result<Vec<Settled>, StoreError> {
        if !self.touched {
            return Ok(Vec::new());
        }
        let store = &pipeline.store;
        let mut state = store.site(&site.id)?;
        state.drift = self.drift.clone();
        store.put_site(&site.id, &state)?;
        let again: Vec<Taken> = self.lessons.latest.iter().filter(|taken| taken.again).cloned().collect();
        let mut changed = Vec::new();
        for taken in &again {
            changed.extend(self.extract_again(pipeline, site, taken, now)?);
        }
        if !again.is_empty() {
            self.lessons.latest.iter_mut().for_each(|taken| taken.again = false);
            store.put_lessons(&site.id, &self.lessons)?;
        }
        if let Some(since) = self.was_degraded {
            ask_again(store, &site.id, since, now)?;
        }
        Ok(changed)
    }

    /// From the pages as they were served; nothing is written where that changes nothing.
    fn extract_again(
        &self,
        pipeline: &Pipeline,
        site: &Site,
        taken: &Taken,
        now: DateTime<Utc>,
    ) -> Result<Option<Settled>, StoreError> {
        let Some(mark) = pipeline.store.mark(&site.id, &taken.id)?.filter(may_change) else { return Ok(None) };
        let Some(pages) = pages::kept(&pipeline.store, taken)? else { return Ok(None) };
        let look = || examine_known(&pages, &mark.entry, site, &pipeline.topics, self, now);
        let Ok(Ok(mut examined)) = caught(look) else { return Ok(None) };
        let before = pipeline.store.article(&taken.id)?;
        if let Some(before) = &before {
            // what the feed said went when the entry was settled, and pages that could not be had are still not there
            examined.clean.summary = before.summary.clone().or(examined.clean.summary);
            examined.doubt = examined.doubt.or(before.extraction.degraded.clone());
        }
        settle::conclude(pipeline, site, mark, examined, None, now, |change| match change {
            Change::Revise { article, .. } if article.id == taken.id => {
                article.history.iter_mut().rev().take(1).for_each(|line| line.why = AGAIN.to_owned());
                true
            }
            change => !matches!(change, Change::None),
        })
    }
}

/// What was dropped while the pages were not read as they should be was perhaps not what the pages say.
fn ask_again(store: &Store, site: &str, since: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), StoreError> {
    let mut dropped = store.marks(site)?;
    dropped.retain(|mark| mark.outcome == Some(Outcome::OffTopic) && mark.settled.is_some_and(|at| at >= since));
    dropped.sort_by_key(|mark| std::cmp::Reverse(mark.settled));
    for mark in dropped.into_iter().take(ASKED_AGAIN) {
        store.settle(site, &Mark { due: Some(now), tries: 0, ..mark }, Change::None, None, now)?;
    }
    Ok(())
}

/// Copies of other articles stay what they are.
fn may_change(mark: &Mark) -> bool {
    let settled = [Some("stored"), Some("revision"), Some("unchanged"), Some("off_topic")];
    settled.contains(&mark.outcome.as_ref().map(Outcome::label))
}
