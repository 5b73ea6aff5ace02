//! What is known of a site from its earlier pages: it grows with each page, and pages taken before something was known
//! are extracted again.

use super::examine::{Examined, examine_known};
use super::pages;
use super::settle;
use super::{Pipeline, Settled, caught};
use crate::article::{Id, Outcome, Page};
use crate::config::Site;
use crate::extract::{self, Drift, Learned};
use crate::status;
use crate::store::{Change, Lessons, Mark, Store, StoreError, Taken};
use chrono::{DateTime, Utc};

/// Said in the history of an article whose text changed without its page.
const AGAIN: &str = "extracted again, with what the site's other pages have taught since";

#[derive(Clone, Default, Debug)]
pub struct Known {
    pub lessons: Lessons,
    pub drift: Drift,
    /// Whether there is anything to be written.
    touched: bool,
}

impl Known {
    pub fn of(store: &Store, site: &str) -> Result<Known, StoreError> {
        Ok(Known { lessons: store.lessons(site)?, drift: store.site(site)?.drift, touched: false })
    }

    pub fn from(lessons: Lessons, drift: Drift) -> Known {
        Known { lessons, drift, touched: false }
    }

    /// With what a page teaches. Whether it is an article's is only known once it was read with this.
    pub(super) fn with(&self, id: &Id, page: &Page, now: DateTime<Utc>) -> Known {
        let taught = caught(|| {
            let mut learned = self.lessons.learned.clone();
            extract::observe(&mut learned, page).map(|pages| (learned, pages))
        });
        let mut known = self.clone();
        // what is no page teaches nothing, and is said when it is examined
        if let Ok(Ok((learned, pages))) = taught {
            known.touched = true;
            known.lessons.learned = learned;
            known.lessons.took(Taken { page: Learned::page(&page.url), id: id.clone(), at: now, again: false });
            known.lessons.doubt(&pages);
        }
        known
    }

    /// Takes what a page taught. What the first pages teach is written at once; later on, with the round.
    pub(super) fn take(&mut self, taught: Known, store: &Store, site: &Site) -> Result<(), StoreError> {
        let young = !self.lessons.learned.is_ready();
        *self = taught;
        if young { store.put_lessons(&site.id, &self.lessons) } else { Ok(()) }
    }

    /// Takes note of how a page was read.
    pub(super) fn read(&mut self, site: &Site, examined: &Examined, now: DateTime<Utc>) {
        self.touched = true;
        let turn =
            self.drift.note(Some(examined.clean.reading), examined.doubt.as_deref(), site.layout.as_deref(), now);
        status::extraction_turned(site, turn, &self.drift);
    }

    /// Takes note of a page that could not be read.
    pub(super) fn unread(&mut self, site: &Site, why: &str, now: DateTime<Utc>) {
        self.touched = true;
        let turn = self.drift.note(None, Some(why), site.layout.as_deref(), now);
        status::extraction_turned(site, turn, &self.drift);
    }

    /// Written, then what has to be is extracted again; returns what that changed.
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
        store.put_lessons(&site.id, &self.lessons)?;
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

/// Copies of other articles stay what they are.
fn may_change(mark: &Mark) -> bool {
    let settled = [Some("stored"), Some("revision"), Some("unchanged"), Some("off_topic")];
    settled.contains(&mark.outcome.as_ref().map(Outcome::label))
}
