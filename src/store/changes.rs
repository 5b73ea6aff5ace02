//! The change log, and walks over trees whose keys are numbers.

use crate::store::{Logged, Result, Store, record};
use serde::Serialize;
use serde::de::DeserializeOwned;

impl Store {
    /// The changes after a number, in order.
    pub fn changes(&self, after: u64) -> impl Iterator<Item = Result<Logged>> {
        self.records("changes", &self.trees.changes, after.saturating_add(1)).map(|item| item.map(|(_, line)| line))
    }

    pub fn change(&self, seq: u64) -> Result<Option<Logged>> {
        self.get("changes", &self.trees.changes, &seq.to_be_bytes())
    }

    /// Something to be remembered of the store itself.
    pub fn put_note<T: Serialize>(&self, name: &str, note: &T) -> Result<()> {
        let parts = record::pack(note)?;
        let _one = self.write();
        self.transaction(|trees| record::put(&trees.meta, name.as_bytes(), &parts))
    }

    pub fn note<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        self.get("meta", &self.trees.meta, name.as_bytes())
    }

    /// The names that begin so, of notes that are one record each.
    pub fn notes(&self, prefix: &str) -> Result<Vec<String>> {
        let keys = self.walk(self.trees.meta.scan_prefix(prefix).keys());
        keys.map(|key| Ok(String::from_utf8_lossy(&key?).into_owned())).collect()
    }

    pub fn drop_note(&self, name: &str) -> Result<()> {
        let _one = self.write();
        self.transaction(|trees| record::remove(&trees.meta, name.as_bytes()))
    }

    /// The number of the first change that is still kept; 1 where there is none.
    pub fn first_change(&self) -> Result<u64> {
        let first = self.call(|| self.trees.changes.first())?;
        Ok(first.and_then(|(key, _)| record::number(&key)).unwrap_or(1))
    }

    /// The records of a tree keyed by number, from one number on.
    pub(super) fn records<T: DeserializeOwned>(
        &self,
        name: &'static str,
        tree: &sled::Tree,
        from: u64,
    ) -> impl Iterator<Item = Result<(u64, T)>> {
        let tree = tree.clone();
        // longer keys are parts of a long value
        let numbers = self
            .walk(tree.range(from.to_be_bytes()..).keys())
            .filter_map(|key| key.map(|key| record::number(&key)).transpose());
        // a value taken away since is passed over
        numbers.filter_map(move |number| {
            let value = number.and_then(|n| Ok(self.get(name, &tree, &n.to_be_bytes())?.map(|value| (n, value))));
            value.transpose()
        })
    }

    /// sled reads pages as its iterators go on, so each step is a call of its own.
    pub(super) fn walk(
        &self,
        mut keys: impl Iterator<Item = sled::Result<sled::IVec>>,
    ) -> impl Iterator<Item = Result<sled::IVec>> {
        std::iter::from_fn(move || self.call(|| keys.next().transpose()).transpose())
    }
}
