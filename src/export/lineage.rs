//! Whether a folder and a store are of one history.

use crate::export::folder::{Folder, Result};
use crate::export::manifest::{self, HEAD, Manifest, PATH, Stamp};
use crate::export::verify::read_head;
use crate::store::{Logged, Store};
use std::path::Path;

/// How the last change of a folder stands to the last change of a store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lineage {
    /// The folder holds no change, or none that can be read.
    Unknown,
    /// The store made it.
    Same,
    /// The store has let go of changes so old.
    Older,
    /// The folder goes on, up to this change, from where the store ends.
    Ahead(u64),
    /// The folder is further, at this change, and nothing says whether from there.
    Beyond(u64),
    /// The folder, at this change, has another change than the store under the same number.
    Other(u64),
}

/// Of a folder that may not be there.
pub fn lineage(store: &Store, export: &Path) -> Result<Lineage> {
    if !export.exists() {
        return Ok(Lineage::Unknown);
    }
    let folder = Folder::open(export)?;
    let claimed = folder.read(PATH)?.as_deref().and_then(Manifest::read).map_or(0, |manifest| manifest.seq);
    of(&folder, claimed, store, store.seq())
}

/// `claimed`: where the folder's manifest says that it is; `mine`: the store's change that counts as its last.
pub fn of(folder: &Folder, claimed: u64, store: &Store, mine: u64) -> Result<Lineage> {
    let theirs = reached(folder, claimed)?;
    if theirs == 0 {
        return Ok(Lineage::Unknown);
    }
    let common = mine.min(theirs);
    let (told, made) = (line(folder, common)?, store.change(common)?);
    let same = told.is_some() && told == made;
    // a line that was damaged tells of no other history
    let told = if same || !is_damaged(folder, common, theirs)? { told } else { None };
    Ok(match (told, made) {
        _ if same && theirs > mine => Lineage::Ahead(theirs),
        _ if same => Lineage::Same,
        (Some(_), Some(_)) => Lineage::Other(theirs),
        _ if theirs > mine => Lineage::Beyond(theirs),
        (None, _) => Lineage::Unknown,
        (_, None) => Lineage::Older,
    })
}

/// The last change that the folder holds: HEAD and the manifest must agree that it was written.
fn reached(folder: &Folder, claimed: u64) -> Result<u64> {
    let head = folder.read(HEAD)?.as_deref().and_then(read_head).unwrap_or(0);
    let last = head.max(claimed);
    // one of the two may be damaged, then the change log decides
    let written = head == claimed || line(folder, last)?.is_some();
    Ok(if written { last } else { head.min(claimed) })
}

fn line(folder: &Folder, seq: u64) -> Result<Option<Logged>> {
    let segment = folder.read(&manifest::segment_path(manifest::segment_of(seq)))?.unwrap_or_default();
    let mut lines = segment.split_inclusive(|b| *b == b'\n');
    // a damaged line is not the one that is looked for
    Ok(lines.find_map(|line| serde_json::from_slice::<Logged>(line).ok().filter(|change| change.seq == seq)))
}

/// Whether the segment of a change is not what the manifest of the folder's last change says.
fn is_damaged(folder: &Folder, seq: u64, theirs: u64) -> Result<bool> {
    let path = manifest::segment_path(manifest::segment_of(seq));
    let Some(manifest) = folder.read(PATH)?.as_deref().and_then(Manifest::read) else { return Ok(false) };
    let segment = folder.read(&path)?.unwrap_or_default();
    let stamp = manifest.files.get(&path).filter(|_| manifest.seq == theirs);
    Ok(stamp.is_some_and(|stamp| *stamp != Stamp::of(&segment)))
}
