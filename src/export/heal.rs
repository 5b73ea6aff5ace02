//! A store that is lost or damaged is made again from the folder, by itself; what stood in its place is moved aside.

mod salvage;
#[cfg(test)]
mod tests;

use crate::export::folder::{Folder, Result, failed};
use crate::export::manifest::{self, HEAD, Manifest, PATH};
use crate::export::verify::read_head;
use crate::store::{Logged, Store, StoreError};
use chrono::{DateTime, SecondsFormat, Utc};
use salvage::Salvage;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The store's note of the last time.
pub const HEALED: &str = "healed";

/// How many damaged stores are kept beside the good one.
const KEPT: usize = 2;

/// That a store was made again, and how well.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Healed {
    pub at: DateTime<Utc>,
    pub why: String,
    /// Where the damaged one lies now.
    pub aside: PathBuf,
    pub articles: usize,
    /// The last change number.
    pub seq: u64,
    /// What could not be taken from the folder, a sentence a file.
    pub lost: Vec<String>,
}

impl std::fmt::Display for Healed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.at.to_rfc3339_opts(SecondsFormat::Secs, true);
        write!(f, "{at}: the store was damaged or lost ({}) and was made again from the export folder: ", self.why)?;
        write!(f, "{} articles, change {}", self.articles, self.seq)?;
        if !self.lost.is_empty() {
            write!(f, "; {} files of the folder could not be used: {}", self.lost.len(), self.lost.join("; "))?;
        }
        write!(f, ". The damaged one lies in {}", self.aside.display())
    }
}

/// Opens the store; where it is damaged, or has forgotten changes that the folder holds, it is made again first.
/// `Some` where that happened just now.
pub fn open(path: &Path, export: &Path, now: DateTime<Utc>) -> Result<(Store, Option<Healed>)> {
    Store::finish_compaction(path)?;
    let why = match twice(path) {
        Ok(store) => match wrong(&store, export)? {
            None => return Ok((store, None)),
            Some(why) => why,
        },
        Err(StoreError::Damaged { why, .. }) => why,
        Err(why @ StoreError::Value { .. }) => why.to_string(),
        Err(other) => return Err(other.into()),
    };
    let healed = heal(path, export, &why, now)?;
    Ok((Store::open_again(path)?, Some(healed)))
}

/// A daemon that is just stopping lets go within a second.
const HELD_TRIES: usize = 10;

/// What fails once may have been the machine's fault.
fn twice(path: &Path) -> std::result::Result<Store, StoreError> {
    match Store::open_within(path, HELD_TRIES) {
        Err(StoreError::Damaged { .. }) => Store::open_again(path),
        other => other,
    }
}

/// Why the store cannot be the truth, if so. One that was not closed well is read from end to end.
fn wrong(store: &Store, export: &Path) -> Result<Option<String>> {
    if let Some(why) = forgotten(store, export)? {
        return Ok(Some(why));
    }
    if store.closed_well() {
        return Ok(None);
    }
    let found = store.check();
    if found.problems.is_empty() {
        store.believe();
    }
    Ok(found.problems.first().map(|first| format!("{} problems, the first: {first}", found.problems.len())))
}

/// The folder goes on where the store ends: what was durable is not any more. A folder of another store is not meant.
fn forgotten(store: &Store, export: &Path) -> Result<Option<String>> {
    let Some(folder) = existing(export)? else { return Ok(None) };
    let (mine, theirs) = (store.seq(), reached(&folder)?);
    if theirs <= mine {
        return Ok(None);
    }
    let line = folder.read(&manifest::segment_path(manifest::segment_of(mine)))?.and_then(|s| line(&s, mine));
    let same = line.is_none() || line == store.change(mine)?;
    Ok(same.then(|| format!("it ends at change {mine}, the export folder at {theirs}")))
}

/// The last change that a folder holds, whatever its HEAD says; 0 where there is no folder.
pub fn written(export: &Path) -> Result<u64> {
    existing(export)?.map_or(Ok(0), |folder| reached(&folder))
}

fn existing(export: &Path) -> Result<Option<Folder>> {
    export.exists().then(|| Folder::open(export)).transpose()
}

/// The last change that the folder holds: HEAD and the manifest must agree that it was written.
fn reached(folder: &Folder) -> Result<u64> {
    let head = folder.read(HEAD)?.as_deref().and_then(read_head).unwrap_or(0);
    let manifest = folder.read(PATH)?.as_deref().and_then(Manifest::read).map_or(0, |manifest| manifest.seq);
    let last = head.max(manifest);
    let written = |seq: u64| -> Result<bool> {
        let segment = folder.read(&manifest::segment_path(manifest::segment_of(seq)))?;
        Ok(seq > 0 && segment.is_some_and(|s| line(&s, seq).is_some()))
    };
    // one of the two may be damaged, then the change log decides
    if head == manifest || written(last)? { Ok(last) } else { Ok(head.min(manifest)) }
}

fn line(segment: &[u8], seq: u64) -> Option<Logged> {
    let mut lines = segment.split_inclusive(|b| *b == b'\n');
    // a damaged line is not the one that is looked for
    lines.find_map(|line| serde_json::from_slice::<Logged>(line).ok().filter(|change| change.seq == seq))
}

/// The new store is whole and durable before the old one moves.
pub fn heal(path: &Path, export: &Path, why: &str, now: DateTime<Utc>) -> Result<Healed> {
    let new = beside(path, "new");
    clear(&new)?;
    let (articles, seq, lost) = refill(&new, export, now)?;
    let aside = beside(path, &format!("bad-{}", now.format("%Y%m%dT%H%M%SZ")));
    let healed = Healed { at: now, why: why.to_owned(), aside, articles, seq, lost };
    let store = Store::open_again(&new)?;
    store.put_note(HEALED, &healed)?;
    store.close()?;
    clear(&healed.aside)?;
    match fs::rename(path, &healed.aside) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(failed(path, e)),
        _ => {}
    }
    fs::rename(&new, path).map_err(|e| failed(&new, e))?;
    sync_parent(path)?;
    keep_latest(path)?;
    Ok(healed)
}

fn refill(new: &Path, export: &Path, now: DateTime<Utc>) -> Result<(usize, u64, Vec<String>)> {
    let store = Store::open(new)?;
    let Some(folder) = existing(export)? else {
        store.close()?;
        return Ok((0, 0, vec![format!("{} is not there: the new store is empty", export.display())]));
    };
    let salvage = Salvage::of(folder, now)?.into_store(&store)?;
    let seq = store.seq();
    store.close()?;
    Ok((salvage.taken, seq, salvage.lost))
}

fn sync_parent(path: &Path) -> Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent).and_then(|folder| folder.sync_all()).map_err(|e| failed(parent, e))
}

fn clear(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed(folder, e)),
        _ => Ok(()),
    }
}

/// `var/store` -> `var/store.new`
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{what}"));
    path.with_file_name(name)
}

/// The older damaged ones go.
fn keep_latest(path: &Path) -> Result<()> {
    let prefix = beside(path, "bad-");
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut aside = Vec::new();
    for item in fs::read_dir(parent).map_err(|e| failed(parent, e))? {
        let item = parent.join(item.map_err(|e| failed(parent, e))?.file_name());
        let (name, start) = (item.file_name().unwrap_or_default(), prefix.file_name().unwrap_or_default());
        if name.to_string_lossy().starts_with(&*start.to_string_lossy()) {
            aside.push(item);
        }
    }
    aside.sort();
    let surplus = aside.len().saturating_sub(KEPT);
    aside[..surplus].iter().try_for_each(|old| clear(old))
}
