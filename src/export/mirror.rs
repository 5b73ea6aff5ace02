//! One round: from the change where the folder stands to the last durable one.

mod files;
mod lists;

use crate::config::{ExportConfig, Format};
use crate::export::folder::{Folder, Result};
use crate::export::lineage::{self, Lineage};
use crate::export::manifest::{self, HEAD, Manifest, PATH, Stamp};
use crate::export::verify::read_head;
use crate::export::{ExportError, Wrote};
use crate::status::SiteRow;
use crate::store::Store;
use chrono::NaiveDate;
use files::extension;
use std::collections::{BTreeMap, BTreeSet};

const FOLD_ABOVE: u64 = 5000;

/// The folder, as its manifest says it is; kept open by whoever exports again and again.
pub struct Mirror {
    folder: Folder,
    formats: Vec<Format>,
    manifest: Manifest,
    /// As it stands in the folder.
    written: Vec<u8>,
    /// The change that the folder's manifest was at when it was opened, believed or not.
    claimed: u64,
    /// Above so many articles each month has a part of the manifest of its own, so that a new article costs the same
    /// in a big folder as in a small one.
    pub fold_above: u64,
    folded: bool,
    /// The parts that this round has to do with, and whether they changed.
    parts: BTreeMap<String, (BTreeMap<String, Stamp>, bool)>,
    /// Whether files that the manifest does not name are taken away, once.
    sweep: bool,
}

/// What a round has touched so far.
#[derive(Default)]
struct Round {
    wrote: usize,
    days: BTreeSet<NaiveDate>,
    /// Name by slug.
    provinces: BTreeMap<String, String>,
    /// To be taken away once the manifest no longer names them.
    gone: BTreeSet<String>,
}

impl Mirror {
    pub fn open(config: &ExportConfig) -> Result<Mirror> {
        let folder = Folder::create(&config.path)?;
        let written = folder.read(PATH)?.unwrap_or_default();
        let mut formats = config.formats.clone();
        // the change log's hashes are of the JSON files
        if !formats.contains(&Format::Json) {
            formats.insert(0, Format::Json);
        }
        let names: Vec<String> = formats.iter().map(|format| extension(*format).to_owned()).collect();
        let found = Manifest::read(&written);
        let claimed = found.as_ref().map_or(0, |m| m.seq);
        // one for other formats: everything is written again, what is not wanted any more goes
        let sweep = found.as_ref().is_some_and(|m| m.formats != names);
        let manifest = found.filter(|m| m.formats == names).unwrap_or(Manifest::empty(names));
        let folded = manifest.files.keys().any(|path| manifest::is_part(path));
        let (fold_above, parts) = (FOLD_ABOVE, BTreeMap::new());
        Ok(Mirror { folder, formats, manifest, written, claimed, fold_above, folded, parts, sweep })
    }

    /// Brings the folder up to date: syncs the store first, and writes only what changed. Without `sites` the status stays.
    pub fn catch_up(&mut self, store: &Store, sites: Option<&[SiteRow]>) -> Result<Wrote> {
        let target = store.sync()?;
        self.check_lineage(store, target)?;
        match self.round(store, sites, target) {
            Err(ExportError::Part(_)) => self.anew(store, sites),
            other => other,
        }
    }

    /// Looks at everything again, whatever the folder says of itself.
    pub fn rebuild(&mut self, store: &Store, sites: &[SiteRow]) -> Result<Wrote> {
        self.anew(store, Some(sites))
    }

    fn anew(&mut self, store: &Store, sites: Option<&[SiteRow]>) -> Result<Wrote> {
        let target = store.sync()?;
        self.forget_manifest();
        self.sweep = true;
        self.round(store, sites, target)
    }

    fn round(&mut self, store: &Store, sites: Option<&[SiteRow]>, target: u64) -> Result<Wrote> {
        let start = self.manifest.seq;
        let mut round = Round::default();
        self.parts.clear();
        self.fold(store.volume().articles > self.fold_above, &mut round)?;
        self.write_fixed(&mut round)?;
        let target = self.write_articles(store, &mut round, target)?;
        if let Some(sites) = sites {
            self.write_status(sites, &mut round)?;
        }
        self.write_changes(store, &mut round, start, target)?;
        self.folder.sync()?;
        if self.folder.write(HEAD, format!("{target}\n").as_bytes())? {
            self.folder.sync()?;
        }
        self.write_parts(&mut round)?;
        self.write_manifest(store, target)?;
        self.take_away(&round)?;
        self.parts.clear();
        Ok(Wrote { seq: target, files: round.wrote })
    }

    /// The folder must be at a change that the store made too.
    fn check_lineage(&mut self, store: &Store, target: u64) -> Result<()> {
        match lineage::of(&self.folder, self.claimed, store, target)? {
            Lineage::Ahead(folder) | Lineage::Beyond(folder) | Lineage::Other(folder) => {
                return Err(ExportError::Diverged { folder, store: target });
            }
            Lineage::Same => {}
            // nothing in the folder is believed
            Lineage::Unknown => self.forget_manifest(),
            Lineage::Older => {
                self.forget_manifest();
                self.sweep = true;
            }
        }
        // one of the two is damaged, so what the manifest lists is not believed either
        if self.claimed > target || self.folder.read(HEAD)?.as_deref().and_then(read_head).is_none() {
            self.forget_manifest();
        }
        Ok(())
    }

    fn forget_manifest(&mut self) {
        self.manifest = Manifest::empty(self.manifest.formats.clone());
        self.parts.clear();
        self.folded = false;
    }
}
