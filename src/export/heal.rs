//! A store that is lost or damaged is made again from the folder, by itself; what stood in its place is moved aside.

mod salvage;
#[cfg(test)]
mod tests;

use crate::export::ExportError;
use crate::export::folder::{Folder, Result, failed};
use crate::export::lineage::{Lineage, lineage};
use crate::store::{Store, StoreError};
use chrono::{DateTime, SecondsFormat, Utc};
use salvage::Salvage;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The store's note of the last time.
pub const HEALED: &str = "healed";

/// The store's note of its last change, while it takes over those that only the folder has.
const BEHIND: &str = "behind";

/// How many damaged stores are kept beside the good one.
const KEPT: usize = 2;

/// That a store was made again, and how well.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Healed {
    pub at: DateTime<Utc>,
    pub why: String,
    /// Where the damaged one lies now; none where it was sound, but behind the folder, and took over what it lacked.
    pub aside: Option<PathBuf>,
    pub articles: usize,
    /// The last change number.
    pub seq: u64,
    /// What could not be taken from the folder, a sentence a file, not all where there are many.
    pub lost: Vec<String>,
    /// How many more.
    #[serde(default)]
    pub lost_besides: usize,
}

/// Of a store that was made again.
const NOT_IN_THE_FOLDER: &str = "The folder does not know, so this begins anew: which pages wait, were off topic or given \
     up, what the sites taught, pages as served, and the fingerprints of copies and of articles that were let go.";

/// Where much of a folder is damaged, more would say the same.
const LISTED: usize = 20;

/// The first of them, and how many more.
fn listed(mut lost: Vec<String>) -> (Vec<String>, usize) {
    let more = lost.len().saturating_sub(LISTED);
    lost.truncate(LISTED);
    (lost, more)
}

impl std::fmt::Display for Healed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (at, why) = (self.at.to_rfc3339_opts(SecondsFormat::Secs, true), &self.why);
        match self.aside {
            Some(_) => {
                write!(f, "{at}: the store was damaged or lost ({why}) and was made again from the export folder: ")?
            }
            None => write!(f, "{at}: the store was behind the export folder ({why}) and took over what it lacked: ")?,
        }
        write!(f, "{} articles, change {}", self.articles, self.seq)?;
        if !self.lost.is_empty() {
            let count = self.lost.len() + self.lost_besides;
            write!(f, "; {count} files of the folder could not be used: {}", self.lost.join("; "))?;
        }
        if self.lost_besides > 0 {
            write!(f, "; and {} more", self.lost_besides)?;
        }
        match &self.aside {
            Some(aside) => write!(f, ". {NOT_IN_THE_FOLDER} The damaged one lies in {}", aside.display()),
            None => Ok(()),
        }
    }
}

/// Opens the store; where it is damaged, or has forgotten changes that the folder holds, it is made again first. One that
/// is sound, and ends at a change that the folder knows, is kept and takes over the changes since. `Some` where either
/// happened just now.
pub fn open(path: &Path, export: &Path, now: DateTime<Utc>) -> Result<(Store, Option<Healed>)> {
    Store::finish_compaction(path)?;
    let why = match twice(path) {
        Ok(store) => match condition(&store, export)? {
            Condition::Sound => return Ok((store, None)),
            Condition::Behind(mine) => match take_over(&store, export, mine, now)? {
                Ok(healed) => return Ok((store, Some(healed))),
                Err(why) => why,
            },
            Condition::Wrong(why) => why,
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

/// What is to be done with a store that opens.
enum Condition {
    Sound,
    /// It is sound, but ends at this change, from which the folder goes on.
    Behind(u64),
    /// It cannot be the truth.
    Wrong(String),
}

/// A store that was not closed well, or is behind, is read from end to end.
fn condition(store: &Store, export: &Path) -> Result<Condition> {
    if let Some(mine) = store.note(BEHIND)? {
        return Ok(Condition::Behind(mine));
    }
    let lineage = lineage(store, export)?;
    // what was durable is not any more; a folder of another store is not meant
    if let Lineage::Beyond(theirs) = lineage {
        return Ok(Condition::Wrong(behind(store.seq(), theirs)));
    }
    let is_behind = matches!(lineage, Lineage::Ahead(_));
    if !store.closed_well() || is_behind {
        if let Some(why) = unsound(store) {
            return Ok(Condition::Wrong(why));
        }
        store.believe();
    }
    Ok(if is_behind { Condition::Behind(store.seq()) } else { Condition::Sound })
}

fn behind(mine: u64, theirs: u64) -> String {
    format!("it ends at change {mine}, the export folder at {theirs}")
}

fn unsound(store: &Store) -> Option<String> {
    let problems = store.check().problems;
    problems.first().map(|first| format!("{} problems, the first: {first}", problems.len()))
}

/// Killed on the way, it is begun again at the next opening. Why, where no sound store comes of it.
fn take_over(
    store: &Store,
    export: &Path,
    mine: u64,
    now: DateTime<Utc>,
) -> Result<std::result::Result<Healed, String>> {
    let gone =
        || ExportError::Io { path: export.to_owned(), why: "what the store was to take from it is gone".to_owned() };
    let salvage = Salvage::of(existing(export)?.ok_or_else(gone)?, now)?;
    if salvage.is_empty() {
        return Err(gone());
    }
    let why = behind(mine, salvage.last());
    if !salvage.is_whole_after(mine) {
        return Ok(Err(format!("{why}, and changes between them are damaged")));
    }
    store.put_note(BEHIND, &mine)?;
    store.sync()?;
    let Salvage { taken, lost, .. } = salvage.take_over(store, mine)?;
    if let Some(wrong) = unsound(store) {
        return Ok(Err(format!("{why}; after it took over the changes since: {wrong}")));
    }
    let (lost, lost_besides) = listed(lost);
    let healed = Healed { at: now, why, aside: None, articles: taken, seq: store.seq(), lost, lost_besides };
    store.put_note(HEALED, &healed)?;
    store.drop_note(BEHIND)?;
    store.sync()?;
    store.believe();
    Ok(Ok(healed))
}

fn existing(export: &Path) -> Result<Option<Folder>> {
    export.exists().then(|| Folder::open(export)).transpose()
}

/// The new store is whole and durable before the old one moves.
pub fn heal(path: &Path, export: &Path, why: &str, now: DateTime<Utc>) -> Result<Healed> {
    let new = beside(path, "new");
    clear(&new)?;
    let (articles, seq, lost) = refill(&new, export, now)?;
    let aside = beside(path, &format!("bad-{}", now.format("%Y%m%dT%H%M%SZ")));
    let (lost, lost_besides) = listed(lost);
    let healed = Healed { at: now, why: why.to_owned(), aside: Some(aside.clone()), articles, seq, lost, lost_besides };
    let store = Store::open_again(&new)?;
    store.put_note(HEALED, &healed)?;
    store.close()?;
    clear(&aside)?;
    match fs::rename(path, &aside) {
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
