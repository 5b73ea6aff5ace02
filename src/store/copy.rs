//! A store as a folder of plain files, and into another store: backup, restore, compact.
//!
//! A backup has `backup.json` ([`Backup`], written last) and a file a tree, `TREE.records`: for each record in the
//! order of its keys, the length of the key and that of the value (u32, little-endian), both of them, and the CRC32C of
//! all that (u32, little-endian). Nothing in it depends on the machine or on sled.

use crate::store::{Result, Store, StoreError};
use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

const SCHEMA: &str = "diemtin.backup/1";
const INDEX: &str = "backup.json";

/// Longer ones are damage.
const LONGEST: usize = 1 << 24;

/// What a backup holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Backup {
    pub schema: String,
    pub made_at: DateTime<Utc>,
    /// The last change number.
    pub seq: u64,
    /// Records by tree.
    pub trees: BTreeMap<String, u64>,
}

/// How big a tree is.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Debug)]
pub struct TreeSize {
    pub records: u64,
    /// Of keys and values, as stored.
    pub bytes: u64,
}

impl Store {
    /// By name, in the order of [`crate::store`].
    pub fn sizes(&self) -> Result<BTreeMap<&'static str, TreeSize>> {
        let size = |(name, tree): (&'static str, &sled::Tree)| {
            let mut size = TreeSize::default();
            self.each(tree, |key, value| {
                size.records += 1;
                size.bytes += (key.len() + value.len()) as u64;
                Ok(())
            })?;
            Ok((name, size))
        };
        self.trees.named().into_iter().map(size).collect()
    }

    /// Bytes of its files: sled's own figure is that of the last time that it looked.
    pub fn bytes_on_disk(&self) -> Result<u64> {
        bytes_below(self.path()).map_err(|e| io_at(self.path(), e))
    }

    /// Into a folder that is not there yet or empty. Nothing may write meanwhile.
    pub fn backup(&self, dir: &Path, now: DateTime<Utc>) -> Result<Backup> {
        fs::create_dir_all(dir).map_err(|e| io_at(dir, e))?;
        if fs::read_dir(dir).map_err(|e| io_at(dir, e))?.next().is_some() {
            return Err(StoreError::Io(format!("{} is not empty", dir.display())));
        }
        let mut trees = BTreeMap::new();
        for (name, tree) in self.trees.named() {
            trees.insert(name.to_owned(), self.write_records(tree, &records_path(dir, name))?);
        }
        let backup = Backup { schema: SCHEMA.to_owned(), made_at: now.trunc_subsecs(0), seq: self.seq(), trees };
        let index = dir.join(INDEX);
        write_index(&index, &backup).and_then(|()| File::open(dir)?.sync_all()).map_err(|e| io_at(&index, e))?;
        Ok(backup)
    }

    fn write_records(&self, tree: &sled::Tree, path: &Path) -> Result<u64> {
        let mut file = BufWriter::new(File::create_new(path).map_err(|e| io_at(path, e))?);
        let mut count = 0;
        self.each(tree, |key, value| {
            count += 1;
            file.write_all(&record(key, value)).map_err(|e| io_at(path, e))
        })?;
        let file = file.into_inner().map_err(|e| io_at(path, e.into_error()))?;
        file.sync_all().map_err(|e| io_at(path, e))?;
        Ok(count)
    }

    /// Puts a store where none is yet, out of a backup, which must be whole.
    pub fn restore(dir: &Path, path: &Path) -> Result<Backup> {
        if path.exists() {
            return Err(StoreError::Io(format!("{} is there already: move it away first", path.display())));
        }
        let index = dir.join(INDEX);
        let text = fs::read(&index).map_err(|e| bad(&index, e))?;
        let backup: Backup = serde_json::from_slice(&text).map_err(|e| bad(&index, e))?;
        if backup.schema != SCHEMA {
            return Err(bad(&index, format!("it is {}, not {SCHEMA}", backup.schema)));
        }
        let new = with_suffix(path, "new");
        clear(&new)?;
        fill(&Store::open(&new)?, dir, &backup)?;
        checked(&new, dir)?;
        place(&new, path)?;
        Ok(backup)
    }

    /// Writes every tree into a new folder, in the order of its keys, and puts that in the place of the old one.
    pub fn compact(self) -> Result<(u64, u64)> {
        let (path, before) = (self.path().to_owned(), self.bytes_on_disk()?);
        let new = with_suffix(&path, "new");
        clear(&new)?;
        let copy = Store::open(&new)?;
        for ((name, from), (_, to)) in self.trees.named().into_iter().zip(copy.trees.named()) {
            let mut count = 0_u64;
            self.each(from, |key, value| {
                count += 1;
                copy.call(|| to.insert(key, value)).map(drop)
            })?;
            let mut there = 0_u64;
            copy.each(to, |_, _| {
                there += 1;
                Ok(())
            })?;
            if count != there {
                return Err(StoreError::Io(format!("{name}: {there} of {count} records were copied")));
            }
        }
        copy.close()?;
        let after = bytes_below(&new).map_err(|e| io_at(&new, e))?;
        self.close()?;
        let old = with_suffix(&path, "old");
        clear(&old)?;
        fs::rename(&path, &old).map_err(|e| io_at(&path, e))?;
        place(&new, &path)?;
        clear(&old)?;
        Ok((before, after))
    }

    /// A compaction that was killed between its two renames is undone.
    pub fn finish_compaction(path: &Path) -> Result<()> {
        let old = with_suffix(path, "old");
        if path.exists() || !old.exists() {
            return Ok(());
        }
        place(&old, path)
    }

    fn each(&self, tree: &sled::Tree, mut f: impl FnMut(&[u8], &[u8]) -> Result<()>) -> Result<()> {
        let mut records = tree.iter();
        while let Some((key, value)) = self.call(|| records.next().transpose())? {
            f(&key, &value)?;
        }
        Ok(())
    }
}

fn fill(store: &Store, dir: &Path, backup: &Backup) -> Result<()> {
    for (name, tree) in store.trees.named() {
        let path = records_path(dir, name);
        // a backup from before there was such a tree
        if !backup.trees.contains_key(name) && !path.exists() {
            continue;
        }
        let mut file = BufReader::new(File::open(&path).map_err(|e| bad(&path, e))?);
        let mut count = 0;
        while let Some((key, value)) = read_record(&mut file).map_err(|e| bad(&path, format!("record {count}: {e}")))? {
            count += 1;
            store.call(|| tree.insert(key, value))?;
        }
        if backup.trees.get(name) != Some(&count) {
            return Err(bad(&path, format!("it has {count} records, not {:?}", backup.trees.get(name))));
        }
    }
    store.sync().map(drop)
}

/// Opened anew, so that what is counted and migrated at an opening is.
fn checked(new: &Path, dir: &Path) -> Result<()> {
    let store = Store::open_again(new)?;
    let found = store.check();
    store.close()?;
    match found.problems.first() {
        Some(first) => Err(bad(dir, format!("{} problems, the first: {first}", found.problems.len()))),
        None => Ok(()),
    }
}

fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(12 + key.len() + value.len());
    // sled's keys and values are far shorter
    out.extend_from_slice(&(key.len() as u32).to_le_bytes());
    out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    out.extend_from_slice(key);
    out.extend_from_slice(value);
    out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
    out
}

type Pair = (Vec<u8>, Vec<u8>);

/// None at the end of the file.
fn read_record(file: &mut impl Read) -> io::Result<Option<Pair>> {
    let mut head = [0; 8];
    if file.read(&mut head[..1])? == 0 {
        return Ok(None);
    }
    file.read_exact(&mut head[1..])?;
    let [a, b, c, d, e, f, g, h] = head;
    let (key, value) = (u32::from_le_bytes([a, b, c, d]) as usize, u32::from_le_bytes([e, f, g, h]) as usize);
    if key > LONGEST || value > LONGEST {
        return Err(io::Error::other("its length is damaged"));
    }
    let mut rest = vec![0; key + value + 4];
    file.read_exact(&mut rest)?;
    let (body, crc) = rest.split_at(key + value);
    if crc32c::crc32c_append(crc32c::crc32c(&head), body).to_le_bytes() != crc {
        return Err(io::Error::other("its CRC32C is wrong"));
    }
    Ok(Some((body[..key].to_vec(), body[key..].to_vec())))
}

fn write_index(path: &Path, backup: &Backup) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(backup).map_err(io::Error::other)?;
    text.push(b'\n');
    let mut file = File::create_new(path)?;
    file.write_all(&text)?;
    file.sync_all()
}

fn records_path(dir: &Path, tree: &str) -> PathBuf {
    dir.join(format!("{tree}.records"))
}

/// Of all files in a folder; one that goes meanwhile counts for nothing.
fn bytes_below(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        bytes += match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => bytes_below(&path)?,
            Ok(found) => found.len(),
            Err(_) => 0,
        };
    }
    Ok(bytes)
}

fn place(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|e| io_at(from, e))?;
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent).and_then(|folder| folder.sync_all()).map_err(|e| io_at(parent, e))
}

fn clear(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(io_at(folder, e)),
        _ => Ok(()),
    }
}

/// `var/store` -> `var/store.new`
fn with_suffix(path: &Path, what: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{what}"));
    path.with_file_name(name)
}

fn io_at(path: &Path, e: io::Error) -> StoreError {
    StoreError::Io(format!("{}: {e}", path.display()))
}

fn bad(path: &Path, why: impl ToString) -> StoreError {
    StoreError::Backup { path: path.display().to_string(), why: why.to_string() }
}
