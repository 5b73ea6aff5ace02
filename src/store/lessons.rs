//! What the pages of a site have taught.

use crate::article::Id;
use crate::extract::Learned;
use crate::store::{Result, Store, record};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// So many of the latest pages are extracted again once more is known.
const LATEST: usize = 12;

/// What is known of a site from its pages, and which were taken last.
#[derive(Clone, PartialEq, Serialize, Deserialize, Default, Debug)]
pub struct Lessons {
    pub learned: Learned,
    /// The newest last.
    pub latest: Vec<Taken>,
}

/// A page that was taken.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
pub struct Taken {
    /// [`Learned::page`]
    pub page: u32,
    pub id: Id,
    /// When it was settled: where its raw page is.
    pub at: DateTime<Utc>,
    /// Whether it has something that was known as chrome only later, so that it is to be extracted again.
    pub again: bool,
}

impl Lessons {
    /// Notes a page, in place of an earlier one of the same entry.
    pub fn took(&mut self, taken: Taken) {
        self.latest.retain(|known| known.id != taken.id);
        self.latest.push(taken);
        let surplus = self.latest.len().saturating_sub(LATEST);
        self.latest.drain(..surplus);
    }

    /// Marks pages to be extracted again, by [`Learned::page`].
    pub fn doubt(&mut self, pages: &[u32]) {
        for taken in self.latest.iter_mut().filter(|taken| pages.contains(&taken.page)) {
            taken.again = true;
        }
    }
}

impl Store {
    pub fn lessons(&self, site: &str) -> Result<Lessons> {
        Ok(self.get("learned", &self.trees.learned, site.as_bytes())?.unwrap_or_default())
    }

    pub fn put_lessons(&self, site: &str, lessons: &Lessons) -> Result<()> {
        let parts = record::pack_light(lessons)?;
        let _one = self.write();
        self.transaction(|trees| record::put(&trees.learned, site.as_bytes(), &parts))
    }
}
