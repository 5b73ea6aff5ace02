//! The manifest's lists: which files there are, and what is no longer named goes.

use super::{Mirror, Round};
use crate::export::ExportError;
use crate::export::folder::Result;
use crate::export::manifest::{self, HEAD, PATH, STATUS, Stamp};
use crate::store::Store;
use std::collections::BTreeMap;

impl Mirror {
    /// From one list to a list a month, or back.
    pub(super) fn fold(&mut self, wanted: bool, round: &mut Round) -> Result<()> {
        if wanted == self.folded {
            return Ok(());
        }
        let articles = self.manifest.files.range("articles/".to_owned().."articles0".to_owned());
        let articles: Vec<(String, Stamp)> = articles.map(|(path, stamp)| (path.clone(), stamp.clone())).collect();
        for (path, stamp) in articles {
            self.manifest.files.remove(&path);
            if wanted {
                let part = manifest::part_of(&path).unwrap_or_default();
                let (files, changed) = self.parts.entry(part).or_default();
                files.insert(path, stamp);
                *changed = true;
            } else {
                self.manifest.files.extend(self.read_part(&path)?);
                round.gone.insert(path);
            }
        }
        self.folded = wanted;
        Ok(())
    }

    /// One left by a round that was killed is as good: what that round did is done again.
    pub(super) fn read_part(&self, part: &str) -> Result<BTreeMap<String, Stamp>> {
        let bytes = self.folder.read(part)?.unwrap_or_default();
        manifest::read_part(&bytes).ok_or_else(|| ExportError::Part(part.to_owned()))
    }

    /// The list that a file is in, which is about to change if `change`.
    pub(super) fn list_of(&mut self, path: &str, change: bool) -> Result<&mut BTreeMap<String, Stamp>> {
        let Some(part) = manifest::part_of(path).filter(|part| self.folded && part != path) else {
            return Ok(&mut self.manifest.files);
        };
        if !self.parts.contains_key(&part) {
            let known = self.manifest.files.contains_key(&part);
            let files = if known { self.read_part(&part)? } else { BTreeMap::new() };
            self.parts.insert(part.clone(), (files, false));
        }
        let (files, changed) = self.parts.entry(part).or_default();
        *changed |= change;
        Ok(files)
    }

    pub(super) fn write_parts(&mut self, round: &mut Round) -> Result<()> {
        for (part, (files, changed)) in std::mem::take(&mut self.parts) {
            if changed && files.is_empty() {
                self.take(part, round)?;
            } else if changed {
                self.put(&part, &manifest::write_part(&files), round)?;
                self.parts.insert(part, (files, false));
            }
        }
        self.folder.sync()
    }

    pub(super) fn write_manifest(&mut self, store: &Store, target: u64) -> Result<()> {
        self.manifest.seq = target;
        self.claimed = target;
        self.manifest.generated_at = store.change(target)?.map(|change| change.at);
        let bytes = self.manifest.write();
        if bytes != self.written {
            self.folder.write(PATH, &bytes)?;
            self.written = bytes;
        }
        self.folder.sync()
    }

    /// What the manifest no longer names; in a sweep, also what earlier rounds left behind.
    pub(super) fn take_away(&mut self, round: &Round) -> Result<()> {
        let mut gone = round.gone.clone();
        if std::mem::take(&mut self.sweep) {
            let stays = |path: &String| [PATH, HEAD, STATUS].contains(&path.as_str());
            gone.extend(self.folder.list()?.into_iter().filter(|path| manifest::owned(path) && !stays(path)));
        }
        for path in &gone {
            if !self.list_of(path, false)?.contains_key(path) {
                self.folder.remove(path)?;
            }
        }
        self.folder.sync()
    }

    pub(super) fn put(&mut self, path: &str, bytes: &[u8], round: &mut Round) -> Result<()> {
        round.wrote += usize::from(self.folder.write(path, bytes)?);
        self.list_of(path, true)?.insert(path.to_owned(), Stamp::of(bytes));
        Ok(())
    }

    pub(super) fn take(&mut self, path: String, round: &mut Round) -> Result<()> {
        self.list_of(&path, true)?.remove(&path);
        round.gone.insert(path);
        Ok(())
    }
}
