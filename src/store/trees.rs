//! Opening, closing, syncing; how every call into sled is made.

use crate::store::{Result, Seqs, Store, StoreError, record};
use serde::de::DeserializeOwned;
use sled::transaction::{TransactionError, Transactional, TransactionalTree, UnabortableTransactionError};
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Of the layout of trees, keys and records.
const SCHEMA: u32 = 1;

/// Bytes of sled's page cache.
const CACHE: u64 = 32 * 1024 * 1024;

pub struct Trees {
    pub meta: sled::Tree,
    pub sites: sled::Tree,
    pub entries: sled::Tree,
    pub due: sled::Tree,
    pub articles: sled::Tree,
    pub ids: sled::Tree,
    pub prints: sled::Tree,
    pub shelves: sled::Tree,
    pub changes: sled::Tree,
    pub raw: sled::Tree,
}

/// The same trees within a transaction.
pub struct Within {
    pub meta: TransactionalTree,
    pub sites: TransactionalTree,
    pub entries: TransactionalTree,
    pub due: TransactionalTree,
    pub articles: TransactionalTree,
    pub ids: TransactionalTree,
    pub prints: TransactionalTree,
    pub shelves: TransactionalTree,
    pub changes: TransactionalTree,
    pub raw: TransactionalTree,
}

/// What a transaction's steps return; sled's own error type makes it repeat conflicts.
pub type Step<T> = std::result::Result<T, UnabortableTransactionError>;

impl Store {
    /// Opens or creates. [`StoreError::Held`] at once where another process has it open.
    pub fn open(path: &Path) -> Result<Store> {
        let fresh = !path.join("db").exists();
        std::fs::create_dir_all(path).map_err(|e| at(path, e))?;
        let db = caught(path, || open_db(path))??;
        let trees = caught(path, || open_trees(&db))?.map_err(|e| damaged(path, e))?;
        let store = Store { path: path.to_owned(), db, trees, seqs: RwLock::new(Seqs { given: 0, synced: 0 }) };
        store.check_schema()?;
        let last = store.last_change()?;
        *store.write() = Seqs { given: last, synced: 0 };
        store.sync()?;
        if fresh {
            sync_folders(path).map_err(|e| at(path, e))?;
        }
        Ok(store)
    }

    /// Makes every write so far durable; returns the last change number that is. sled's own flush ends in
    /// sync_file_range, which does not reach the disk's cache nor the file's length.
    pub fn sync(&self) -> Result<u64> {
        let given = self.read().given;
        caught(&self.path, || self.db.flush())?.map_err(|e| at(&self.path, e))?;
        sync_files(&self.path).map_err(|e| at(&self.path, e))?;
        let mut seqs = self.write();
        seqs.synced = seqs.synced.max(given);
        Ok(seqs.synced)
    }

    fn check_schema(&self) -> Result<()> {
        match self.get::<u32>("meta", &self.trees.meta, b"schema")? {
            Some(SCHEMA) => Ok(()),
            Some(found) => {
                let path = self.path.display().to_string();
                Err(StoreError::Schema { path, found, wanted: SCHEMA })
            }
            None => {
                let parts = record::pack(&SCHEMA)?;
                self.transaction(|trees| record::put(&trees.meta, b"schema", &parts))
            }
        }
    }

    fn last_change(&self) -> Result<u64> {
        let last = self.call(|| self.trees.changes.last())?;
        let key = last.map(|(key, _)| key).unwrap_or_default();
        let number = key.first_chunk::<8>().map(|k| u64::from_be_bytes(*k));
        Ok(number.unwrap_or(0))
    }

    /// A lock that a panicking caller left is still good: what it guards is changed in one step after the write.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Seqs> {
        self.seqs.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Seqs> {
        self.seqs.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// One read of sled, which panics on some kinds of damage.
    pub(super) fn call<T>(&self, f: impl FnOnce() -> sled::Result<T>) -> Result<T> {
        caught(&self.path, f)?.map_err(|e| at(&self.path, e))
    }

    /// A record. The caller holds no lock.
    pub(super) fn get<T: DeserializeOwned>(
        &self,
        name: &'static str,
        tree: &sled::Tree,
        key: &[u8],
    ) -> Result<Option<T>> {
        let _whole = self.read();
        self.get_locked(name, tree, key)
    }

    /// A record. The caller holds the lock.
    pub(super) fn get_locked<T: DeserializeOwned>(
        &self,
        name: &'static str,
        tree: &sled::Tree,
        key: &[u8],
    ) -> Result<Option<T>> {
        record::get(name, key, |k| self.call(|| tree.get(k)))
    }

    /// All of `steps` or nothing. The caller holds the lock to write, or nobody else can be there.
    pub(super) fn transaction(&self, steps: impl Fn(&Within) -> Step<()>) -> Result<()> {
        let t = &self.trees;
        let all =
            [&t.meta, &t.sites, &t.entries, &t.due, &t.articles, &t.ids, &t.prints, &t.shelves, &t.changes, &t.raw];
        let run = || all.as_slice().transaction(|trees| Ok(steps(&within(trees))?));
        caught(&self.path, run)?.map_err(|e: TransactionError<()>| match e {
            TransactionError::Storage(e) => at(&self.path, e),
            TransactionError::Abort(()) => StoreError::Io("a transaction was given up".to_owned()),
        })
    }
}

fn within(trees: &[TransactionalTree]) -> Within {
    let tree = |n: usize| trees[n].clone();
    Within {
        meta: tree(0),
        sites: tree(1),
        entries: tree(2),
        due: tree(3),
        articles: tree(4),
        ids: tree(5),
        prints: tree(6),
        shelves: tree(7),
        changes: tree(8),
        raw: tree(9),
    }
}

fn open_db(path: &Path) -> Result<sled::Db> {
    let config = sled::Config::new().path(path).use_compression(false).cache_capacity(CACHE);
    match config.open() {
        Ok(db) => Ok(db),
        // sled gives its lock's refusal no kind of its own
        Err(sled::Error::Io(e)) if e.to_string().contains("could not acquire lock") => {
            Err(StoreError::Held(path.display().to_string()))
        }
        Err(sled::Error::Io(e)) if matches!(e.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::StorageFull) => {
            Err(at(path, e))
        }
        Err(e) => Err(damaged(path, e)),
    }
}

fn open_trees(db: &sled::Db) -> sled::Result<Trees> {
    Ok(Trees {
        meta: db.open_tree("meta")?,
        sites: db.open_tree("sites")?,
        entries: db.open_tree("entries")?,
        due: db.open_tree("due")?,
        articles: db.open_tree("articles")?,
        ids: db.open_tree("ids")?,
        prints: db.open_tree("prints")?,
        shelves: db.open_tree("shelves")?,
        changes: db.open_tree("changes")?,
        raw: db.open_tree("raw")?,
    })
}

fn caught<T>(path: &Path, f: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        damaged(path, said.unwrap_or("a panic without words"))
    })
}

fn damaged(path: &Path, why: impl ToString) -> StoreError {
    StoreError::Damaged { path: path.display().to_string(), why: why.to_string() }
}

fn at(path: &Path, e: impl std::fmt::Display) -> StoreError {
    StoreError::Io(format!("{}: {e}", path.display()))
}

/// The file of the log, and the files that sled puts very long messages into (records are cut so that there are none).
fn sync_files(path: &Path) -> io::Result<()> {
    let blobs = path.join("blobs");
    let mut any = false;
    for blob in std::fs::read_dir(&blobs)? {
        File::open(blob?.path())?.sync_all()?;
        any = true;
    }
    if any {
        File::open(&blobs)?.sync_all()?;
    }
    File::open(path.join("db"))?.sync_all()
}

fn sync_folders(path: &Path) -> io::Result<()> {
    File::open(path.join("conf"))?.sync_all()?;
    File::open(path)?.sync_all()?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}
