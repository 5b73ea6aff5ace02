//! The export folder, kept up to date beside the walkers.

use crate::export::Mirror;
use crate::poll::{self, Pipeline};
use crate::status;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::{error, info};

/// The folder is brought up to date this long after the first change, so that one write serves many.
const EXPORT_AFTER: Duration = Duration::from_secs(2);
/// The rows of the sites are written this often, and at once where the state of one is another: to make them costs the
/// more, the more sites there are, and a poll as a rule brings nothing but a time.
const ROWS_EVERY: Duration = Duration::from_secs(60);
/// How many parts of old pages, and how many articles, are let go in one round.
const PRUNE: usize = 500;

/// Brings the export folder up to date whenever something changed.
pub async fn mirror(pipeline: Arc<Pipeline>, broken: Arc<Notify>) {
    let mut rows = Rows { next: Instant::now(), stale: false };
    loop {
        let due = rows.wait(&pipeline.changed, &pipeline.polled).await;
        let wanted = pipeline.turned.swap(false, Ordering::Relaxed) || due;
        let round = pipeline.clone();
        let done = tokio::task::spawn_blocking(move || export(&round, wanted)).await;
        match done.map_err(anyhow::Error::from).and_then(|done| done) {
            Ok(_) => rows.done(wanted),
            Err(why) if pipeline.store.poisoned().is_some() => {
                error!("the store failed during the export: {why:#}");
                broken.notify_one();
                return;
            }
            Err(why) => {
                error!("the export folder could not be brought up to date, tried again in a minute: {why:#}");
                pipeline.turned.store(true, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_secs(60)).await;
                pipeline.changed.notify_one();
            }
        }
    }
}

/// When the rows of the sites are written.
struct Rows {
    /// Not before, unless they must be.
    next: Instant,
    /// There was a poll since.
    stale: bool,
}

impl Rows {
    /// Until there is something to do; whether it is time for the rows as well.
    async fn wait(&mut self, changed: &Notify, polled: &Notify) -> bool {
        loop {
            tokio::select! {
                () = changed.notified() => {
                    tokio::time::sleep(EXPORT_AFTER).await;
                    break;
                }
                () = polled.notified(), if !self.stale => self.stale = true,
                () = tokio::time::sleep_until(self.next), if self.stale => break,
            }
        }
        Instant::now() >= self.next
    }

    fn done(&mut self, written: bool) {
        self.stale = !written;
        if written {
            self.next = Instant::now() + ROWS_EVERY;
        }
    }
}

/// One round of the export, on the folder as it was left open, if it was. Returns how many articles were let go by the
/// limits.
pub fn export_now(pipeline: &Pipeline) -> anyhow::Result<usize> {
    export(pipeline, true)
}

/// Without the rows of the sites where they are not wanted yet.
fn export(pipeline: &Pipeline, rows: bool) -> anyhow::Result<usize> {
    let mut open = pipeline.mirror.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let config = &pipeline.config.export;
    let mut mirror = match open.take() {
        Some((kept, mirror)) if kept == *config => mirror,
        _ => Mirror::open(config)?,
    };
    let keep = TimeDelta::from_std(pipeline.config.store.raw_pages).unwrap_or(TimeDelta::MAX);
    let pruned = pipeline.store.prune_raw(keep, Utc::now(), PRUNE)?;
    let let_go = limit(pipeline, Utc::now())?;
    let mend = pipeline.mend.load(Ordering::Relaxed);
    let paused = || poll::short_of_room(&pipeline.config);
    let rows = (rows || mend).then(|| status::rows(&pipeline.config, &pipeline.store, paused().as_deref()));
    let rows = rows.transpose()?;
    match rows.as_ref().filter(|_| mend) {
        Some(rows) => {
            mirror.rebuild(&pipeline.store, rows)?;
            pipeline.mend.store(false, Ordering::Relaxed);
        }
        None => drop(mirror.catch_up(&pipeline.store, rows.as_deref())?),
    }
    *open = Some((config.clone(), mirror));
    // there is more of it
    if pruned == PRUNE || let_go == PRUNE {
        pipeline.changed.notify_one();
    }
    Ok(let_go)
}

/// Lets go of what is beyond the limits, and of old tombstones. Returns how many articles went.
fn limit(pipeline: &Pipeline, now: DateTime<Utc>) -> anyhow::Result<usize> {
    let config = &pipeline.config;
    let mut index = pipeline.lock_index();
    let gone = pipeline.store.retain(&config.store.limits, now, PRUNE)?;
    pipeline.store.prune_past(now, PRUNE)?.iter().for_each(|key| index.remove(*key));
    drop(index);
    if !gone.is_empty() {
        info!(articles = gone.len(), "let go by the limits in [store]");
    }
    let keep = TimeDelta::from_std(config.export.keep_tombstones).unwrap_or(TimeDelta::MAX);
    pipeline.store.prune_changes(keep, now)?;
    Ok(gone.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    /// How many rounds there are in an hour of polls ten seconds apart, and how many of them write the rows.
    async fn hour(change_every: u64) -> (usize, usize) {
        let (changed, polled) = (Notify::new(), Notify::new());
        let (rounds, written) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mirror = async {
            let mut rows = Rows { next: Instant::now(), stale: false };
            loop {
                let due = rows.wait(&changed, &polled).await;
                rounds.fetch_add(1, Ordering::Relaxed);
                written.fetch_add(usize::from(due), Ordering::Relaxed);
                rows.done(due);
            }
        };
        let polls = async {
            for poll in 1..=360 {
                tokio::time::sleep(Duration::from_secs(10)).await;
                polled.notify_one();
                if poll % change_every == 0 {
                    changed.notify_one();
                }
            }
        };
        tokio::select! {
            () = mirror => {}
            () = polls => {}
        }
        (rounds.into_inner(), written.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn polls_that_bring_nothing_cost_a_round_a_minute() {
        let (rounds, written) = hour(1000).await;
        assert!(rounds == written && (45..=60).contains(&rounds), "{rounds} {written}");
    }

    #[tokio::test(start_paused = true)]
    async fn each_change_has_its_round_and_the_rows_their_minute() {
        let (rounds, written) = hour(2).await;
        assert!((180..=240).contains(&rounds) && (45..=60).contains(&written), "{rounds} {written}");
    }
}
