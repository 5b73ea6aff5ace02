//! What the pages are made of: pinned up by the daemon, looked at by the server.

use super::SiteRow;
use super::catalogue::Catalogue;
use super::counters::Counters;
use crate::poll::{self, Pipeline};
use crate::status;
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A store of so few articles is catalogued while the reader waits.
const AT_ONCE: u64 = 300;
/// How long the sites' rows serve the next readers: of a thousand sites they take a while.
const ROWS_FOR: Duration = Duration::from_secs(2);

pub struct Board {
    pub started: DateTime<Utc>,
    pub counters: Counters,
    pinned: Mutex<Pinned>,
    extracting: Mutex<()>,
}

#[derive(Default)]
struct Pinned {
    /// None while no store is open.
    pipeline: Option<Arc<Pipeline>>,
    rows: Option<(Instant, Arc<Vec<SiteRow>>)>,
    catalogue: Shelf,
    /// Counts the stores, so that what was made of an earlier one is not kept.
    nth: u64,
}

#[derive(Default)]
enum Shelf {
    #[default]
    Empty,
    BeingMade,
    Made(Arc<Mutex<Catalogue>>),
}

impl Board {
    pub fn new(now: DateTime<Utc>) -> Board {
        Board { started: now, counters: Counters::default(), pinned: Mutex::default(), extracting: Mutex::default() }
    }

    /// From now on the pages show this; nothing of what was known before, where it is another store.
    pub fn pin(&self, pipeline: &Arc<Pipeline>) {
        let mut pinned = self.lock();
        let same = pinned.pipeline.as_ref().is_some_and(|old| Arc::ptr_eq(&old.store, &pipeline.store));
        if !same {
            (pinned.catalogue, pinned.nth) = (Shelf::Empty, pinned.nth + 1);
        }
        (pinned.pipeline, pinned.rows) = (Some(pipeline.clone()), None);
    }

    /// The store is let go.
    pub fn clear(&self) {
        let mut pinned = self.lock();
        *pinned = Pinned { nth: pinned.nth + 1, ..Pinned::default() };
    }

    pub fn pipeline(&self) -> Option<Arc<Pipeline>> {
        self.lock().pipeline.clone()
    }

    /// Two readers at once may both make them.
    pub fn rows(&self, pipeline: &Pipeline) -> Result<Arc<Vec<SiteRow>>, StoreError> {
        if let Some((_, rows)) = self.lock().rows.as_ref().filter(|(at, _)| at.elapsed() < ROWS_FOR) {
            return Ok(rows.clone());
        }
        let paused = poll::short_of_room(&pipeline.config);
        let rows = Arc::new(status::rows(&pipeline.config, &pipeline.store, paused.as_deref())?);
        self.lock().rows = Some((Instant::now(), rows.clone()));
        Ok(rows)
    }

    /// What finds articles, brought up to date; none while it is being made, which the first call begins.
    pub fn catalogue(self: &Arc<Board>, pipeline: &Arc<Pipeline>) -> Result<Option<Arc<Mutex<Catalogue>>>, StoreError> {
        let nth = {
            let mut pinned = self.lock();
            match &pinned.catalogue {
                Shelf::BeingMade => return Ok(None),
                Shelf::Made(catalogue) => {
                    let catalogue = catalogue.clone();
                    drop(pinned);
                    open(&catalogue).catch_up(&pipeline.store)?;
                    return Ok(Some(catalogue));
                }
                Shelf::Empty => pinned.catalogue = Shelf::BeingMade,
            }
            pinned.nth
        };
        if pipeline.store.volume().articles <= AT_ONCE {
            return self.make(pipeline, nth).map(Some);
        }
        let (board, pipeline) = (self.clone(), pipeline.clone());
        tokio::task::spawn_blocking(move || {
            if let Err(why) = board.make(&pipeline, nth) {
                tracing::warn!("no index for the status pages: {why}");
            }
        });
        Ok(None)
    }

    fn make(&self, pipeline: &Pipeline, nth: u64) -> Result<Arc<Mutex<Catalogue>>, StoreError> {
        let making = Making { board: self, nth };
        let made = Catalogue::of(&pipeline.store, || self.lock().nth == nth).map(|made| Arc::new(Mutex::new(made)))?;
        making.done(Shelf::Made(made.clone()));
        Ok(made)
    }

    /// One article is extracted at a time for the pages, however many are looked at.
    pub fn turn(&self) -> MutexGuard<'_, ()> {
        // a page that made the last one panic leaves nothing behind
        self.extracting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Pinned> {
        self.pinned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A catalogue on its way; where that ends in an error or a panic, the next reader begins anew.
struct Making<'a> {
    board: &'a Board,
    nth: u64,
}

impl Making<'_> {
    fn done(&self, shelf: Shelf) {
        let mut pinned = self.board.lock();
        if pinned.nth == self.nth {
            pinned.catalogue = shelf;
        }
    }
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        if matches!(self.board.lock().catalogue, Shelf::BeingMade) {
            self.done(Shelf::Empty);
        }
    }
}

/// One that a panic left is as good: what it lacks is found at the next look.
pub fn open(catalogue: &Mutex<Catalogue>) -> MutexGuard<'_, Catalogue> {
    catalogue.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_whose_making_ended_early_is_begun_anew() {
        let board = Board::new(Utc::now());
        let shelf = || matches!(board.lock().catalogue, Shelf::Empty);
        board.lock().catalogue = Shelf::BeingMade;
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _making = Making { board: &board, nth: 0 };
            assert!(!shelf());
            panic!("as a damaged record would");
        }));
        assert!(panicked.is_err() && shelf());
        // another store's is not touched
        board.lock().catalogue = Shelf::BeingMade;
        drop(Making { board: &board, nth: 7 });
        assert!(!shelf());
    }
}
