//! The export folder, kept up to date beside the walkers.

use crate::export::Mirror;
use crate::poll::{self, Pipeline};
use crate::status;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Notify;
use tracing::{error, info};

/// The folder is brought up to date this long after the first change, so that one write serves many.
const EXPORT_AFTER: Duration = Duration::from_secs(2);
/// How many parts of old pages, and how many articles, are let go in one round.
const PRUNE: usize = 500;

/// Brings the export folder up to date whenever something changed.
pub async fn mirror(pipeline: Arc<Pipeline>, broken: Arc<Notify>) {
    loop {
        pipeline.changed.notified().await;
        tokio::time::sleep(EXPORT_AFTER).await;
        let round = pipeline.clone();
        let done = tokio::task::spawn_blocking(move || export_now(&round)).await;
        if let Err(why) = done.map_err(anyhow::Error::from).and_then(|done| done.map(drop)) {
            if pipeline.store.poisoned().is_some() {
                error!("the store failed during the export: {why:#}");
                broken.notify_one();
                return;
            }
            error!("the export folder could not be brought up to date, tried again in a minute: {why:#}");
            tokio::time::sleep(Duration::from_secs(60)).await;
            pipeline.changed.notify_one();
        }
    }
}

/// One round of the export, on the folder as it was left open, if it was. Returns how many articles were let go by the
/// limits.
pub fn export_now(pipeline: &Pipeline) -> anyhow::Result<usize> {
    let mut open = pipeline.mirror.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let config = &pipeline.config.export;
    let mut mirror = match open.take() {
        Some((kept, mirror)) if kept == *config => mirror,
        _ => Mirror::open(config)?,
    };
    let keep = TimeDelta::from_std(pipeline.config.store.raw_pages).unwrap_or(TimeDelta::MAX);
    pipeline.store.prune_raw(keep, Utc::now(), PRUNE)?;
    let let_go = limit(pipeline, Utc::now())?;
    let rows = status::rows(&pipeline.config, &pipeline.store, poll::short_of_room(&pipeline.config).as_deref())?;
    if pipeline.mend.load(Ordering::Relaxed) {
        mirror.rebuild(&pipeline.store, &rows)?;
        pipeline.mend.store(false, Ordering::Relaxed);
    } else {
        mirror.catch_up(&pipeline.store, &rows)?;
    }
    *open = Some((config.clone(), mirror));
    Ok(let_go)
}

/// Lets go of what is beyond the limits, and of old tombstones. Returns how many articles went.
fn limit(pipeline: &Pipeline, now: DateTime<Utc>) -> anyhow::Result<usize> {
    let config = &pipeline.config;
    let mut index = pipeline.index.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
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
