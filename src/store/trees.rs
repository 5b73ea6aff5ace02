//! Opening, closing, syncing; how every call into sled is made.

use crate::store::{Result, Seqs, Store, StoreError, Volume, record};
use serde::de::DeserializeOwned;
use sled::transaction::{TransactionError, Transactional, TransactionalTree, UnabortableTransactionError};
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// Of the layout of trees, keys and records.
pub const SCHEMA: u32 = 2;

/// sled's own threads let go of its file a moment after it is closed.
const CLOSING: Duration = Duration::from_millis(100);
const CLOSING_TRIES: usize = 100;

/// Of a file that is there while the store is open.
const OPEN: &str = "open";

/// Of a file that is there once the first records are durable.
const MADE: &str = "made";

/// The record of how much is kept.
pub const VOLUME: &str = "volume";

/// Bytes of a segment of sled's log. A segment is cleaned once half of it is garbage; of 20,000 articles the files are 1.05
/// times as large as the articles' JSON with sled's own 512 KiB, .71 times with this, .82 times with four times this.
const SEGMENT: usize = 2 * 1024 * 1024;

/// Bytes of sled's page cache.
const CACHE: u64 = 32 * 1024 * 1024;

pub struct Trees {
    pub meta: sled::Tree,
    pub sites: sled::Tree,
    pub entries: sled::Tree,
    pub due: sled::Tree,
    pub gone: sled::Tree,
    pub articles: sled::Tree,
    pub ids: sled::Tree,
    pub prints: sled::Tree,
    pub shelves: sled::Tree,
    pub changes: sled::Tree,
    pub raw: sled::Tree,
    pub learned: sled::Tree,
    pub past: sled::Tree,
    pub fetches: sled::Tree,
    pub hosts: sled::Tree,
}

impl Trees {
    pub fn named(&self) -> [(&'static str, &sled::Tree); 15] {
        [
            ("meta", &self.meta),
            ("sites", &self.sites),
            ("entries", &self.entries),
            ("due", &self.due),
            ("gone", &self.gone),
            ("articles", &self.articles),
            ("ids", &self.ids),
            ("prints", &self.prints),
            ("shelves", &self.shelves),
            ("changes", &self.changes),
            ("raw", &self.raw),
            ("learned", &self.learned),
            ("past", &self.past),
            ("fetches", &self.fetches),
            ("hosts", &self.hosts),
        ]
    }
}

/// The same trees within a transaction.
pub struct Within {
    pub meta: TransactionalTree,
    pub sites: TransactionalTree,
    pub entries: TransactionalTree,
    pub due: TransactionalTree,
    pub gone: TransactionalTree,
    pub articles: TransactionalTree,
    pub ids: TransactionalTree,
    pub prints: TransactionalTree,
    pub shelves: TransactionalTree,
    pub changes: TransactionalTree,
    pub raw: TransactionalTree,
    pub learned: TransactionalTree,
    pub past: TransactionalTree,
    pub fetches: TransactionalTree,
    pub hosts: TransactionalTree,
}

/// What a transaction's steps return; sled's own error type makes it repeat conflicts.
pub type Step<T> = std::result::Result<T, UnabortableTransactionError>;

impl Store {
    /// Opens or creates. [`StoreError::Held`] at once where another process has it open.
    pub fn open(path: &Path) -> Result<Store> {
        let fresh = !path.join(MADE).exists();
        std::fs::create_dir_all(path).map_err(|e| at(path, e))?;
        let db = caught(path, || open_db(path))??;
        let trees = caught(path, || open_trees(&db))?.map_err(|e| damaged(path, e))?;
        let seqs = RwLock::new(Seqs { given: 0, synced: 0, volume: Volume::default() });
        let believed = AtomicBool::new(mark_open(path, fresh).map_err(|e| at(path, e))?);
        let store = Store { path: path.to_owned(), db, trees, seqs, poison: OnceLock::new(), believed };
        store.check_schema(fresh)?;
        let last = store.last_change()?;
        let volume = store.note(VOLUME)?.map_or_else(|| store.measured(), Ok)?;
        *store.write() = Seqs { given: last, synced: 0, volume };
        store.sync()?;
        if fresh {
            File::create(path.join(MADE)).and_then(|_| sync_folders(path)).map_err(|e| at(path, e))?;
        }
        Ok(store)
    }

    /// One that this process closed a moment ago: sled's own threads may still hold its file.
    pub fn open_again(path: &Path) -> Result<Store> {
        Store::open_within(path, CLOSING_TRIES)
    }

    /// One that another may be closing: looked at so many times, a tenth of a second apart.
    pub fn open_within(path: &Path, tries: usize) -> Result<Store> {
        for _ in 1..tries {
            match Store::open(path) {
                Err(StoreError::Held(_)) => std::thread::sleep(CLOSING),
                other => return other,
            }
        }
        Store::open(path)
    }

    /// Makes every write so far durable; returns the last change number that is. sled's own flush ends in
    /// sync_file_range, which does not reach the disk's cache nor the file's length.
    pub fn sync(&self) -> Result<u64> {
        self.refuse_if_poisoned()?;
        let given = self.read().given;
        let flushed = caught(&self.path, || self.db.flush()).and_then(|done| done.map_err(|e| at(&self.path, e)));
        let synced = flushed.and_then(|_| sync_files(&self.path).map_err(|e| at(&self.path, e)));
        self.noted(synced)?;
        let mut seqs = self.write();
        seqs.synced = seqs.synced.max(given);
        Ok(seqs.synced)
    }

    /// Whether the program that had it open before came to its end.
    pub fn closed_well(&self) -> bool {
        self.believed.load(Ordering::Relaxed)
    }

    /// The next opener checks it.
    pub fn doubt(&self) {
        self.believed.store(false, Ordering::Relaxed);
    }

    /// After a check found nothing.
    pub fn believe(&self) {
        self.believed.store(true, Ordering::Relaxed);
    }

    /// Makes everything durable and lets the folder go, with a word on what went wrong where `drop` has none.
    pub fn close(self) -> Result<()> {
        self.sync().map(drop)
    }

    fn check_schema(&self, fresh: bool) -> Result<()> {
        match self.get::<u32>("meta", &self.trees.meta, b"schema")? {
            Some(found) => self.migrate(found),
            None if !fresh => Err(damaged(&self.path, "nothing of what was written is there any more")),
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
        self.refuse_if_poisoned()?;
        self.noted(caught(&self.path, f).and_then(|read| read.map_err(|e| at(&self.path, e))))
    }

    fn refuse_if_poisoned(&self) -> Result<()> {
        let refuse = |why: &str| StoreError::Poisoned { path: self.path.display().to_string(), why: why.to_owned() };
        self.poisoned().map_or(Ok(()), |why| Err(refuse(why)))
    }

    /// A failure is the last thing that is done with the trees: a kernel reports a failed fsync once, and sled leaves
    /// half of a failed write in memory.
    pub(super) fn noted<T>(&self, done: Result<T>) -> Result<T> {
        if let Err(why) = &done {
            self.poison.get_or_init(|| why.to_string());
        }
        done
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
        self.noted(record::get(name, key, |k| self.call(|| tree.get(k))))
    }

    /// All of `steps` or nothing. The caller holds the lock to write, or nobody else can be there.
    pub(super) fn transaction(&self, steps: impl Fn(&Within) -> Step<()>) -> Result<()> {
        self.refuse_if_poisoned()?;
        let all = self.trees.named().map(|(_, tree)| tree);
        let run = || all.as_slice().transaction(|trees| Ok(steps(&within(trees))?));
        let failed = |e: TransactionError<()>| match e {
            TransactionError::Storage(e) => at(&self.path, e),
            TransactionError::Abort(()) => StoreError::Io("a transaction was given up".to_owned()),
        };
        self.noted(caught(&self.path, run).and_then(|done| done.map_err(failed)))
    }
}

impl Drop for Store {
    /// The mark of an unclean end goes only where all is durable; without it the next opener need not check.
    fn drop(&mut self) {
        if self.closed_well() && self.poisoned().is_none() && self.sync().is_ok() {
            // one that stays costs the next opener a check
            let _: io::Result<()> = std::fs::remove_file(self.path.join(OPEN));
        }
    }
}

/// Leaves the mark that goes when the store is closed well; false where it was there already.
fn mark_open(path: &Path, fresh: bool) -> io::Result<bool> {
    let well = fresh || !path.join(OPEN).exists();
    File::create(path.join(OPEN))?;
    if well {
        File::open(path)?.sync_all()?;
    }
    Ok(well)
}

fn within(trees: &[TransactionalTree]) -> Within {
    let tree = |n: usize| trees[n].clone();
    Within {
        meta: tree(0),
        sites: tree(1),
        entries: tree(2),
        due: tree(3),
        gone: tree(4),
        articles: tree(5),
        ids: tree(6),
        prints: tree(7),
        shelves: tree(8),
        changes: tree(9),
        raw: tree(10),
        learned: tree(11),
        past: tree(12),
        fetches: tree(13),
        hosts: tree(14),
    }
}

fn open_db(path: &Path) -> Result<sled::Db> {
    let config = sled::Config::new().path(path).use_compression(false).cache_capacity(CACHE);
    let config = config.segment_size(made_with(path).unwrap_or(SEGMENT));
    match config.open() {
        Ok(db) => Ok(db),
        // sled gives its lock's refusal no kind of its own
        Err(sled::Error::Io(e)) if e.to_string().contains("could not acquire lock") => {
            Err(StoreError::Held(path.display().to_string()))
        }
        // the system's own errors say nothing of what the files hold
        Err(sled::Error::Io(e)) if e.raw_os_error().is_some() => Err(at(path, e)),
        Err(e) => Err(damaged(path, e)),
    }
}

/// sled opens a store only with the size of segments that it was made with; what else is in its file is sled's to judge.
fn made_with(path: &Path) -> Option<usize> {
    let conf = std::fs::read(path.join("conf")).ok()?;
    let line = conf.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(b"segment_size: "))?;
    std::str::from_utf8(line).ok()?.trim().parse().ok()
}

fn open_trees(db: &sled::Db) -> sled::Result<Trees> {
    Ok(Trees {
        meta: db.open_tree("meta")?,
        sites: db.open_tree("sites")?,
        entries: db.open_tree("entries")?,
        due: db.open_tree("due")?,
        gone: db.open_tree("gone")?,
        articles: db.open_tree("articles")?,
        ids: db.open_tree("ids")?,
        prints: db.open_tree("prints")?,
        shelves: db.open_tree("shelves")?,
        changes: db.open_tree("changes")?,
        raw: db.open_tree("raw")?,
        learned: db.open_tree("learned")?,
        past: db.open_tree("past")?,
        fetches: db.open_tree("fetches")?,
        hosts: db.open_tree("hosts")?,
    })
}

fn caught<T>(path: &Path, f: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        let said = said.unwrap_or("a panic without words");
        // an error of the system that sled unwrapped says nothing of what the files hold
        if said.contains("Os { code:") { at(path, said) } else { damaged(path, said) }
    })
}

/// sled's panics are caught and said by [`StoreError::Damaged`]; its own message is not for the reader of a log. Once,
/// as the process begins.
pub fn silence_sled() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic.location().is_some_and(|at| at.file().contains("/sled-")) {
            usual(panic);
        }
    }));
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
