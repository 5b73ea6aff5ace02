//! Writing into the folder: whole files, durable, and never through a symbolic link.

use crate::export::ExportError;
use std::collections::BTreeSet;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub type Result<T> = std::result::Result<T, ExportError>;

/// Paths are relative to the root, `/` between their parts.
pub struct Folder {
    root: PathBuf,
    /// Folders whose names on disk are not durable yet.
    unsynced: BTreeSet<PathBuf>,
}

impl Folder {
    /// The root is the operator's word: it is made, and it may be a link.
    pub fn create(root: &Path) -> Result<Folder> {
        fs::create_dir_all(root).map_err(|e| failed(root, e))?;
        Folder::open(root)
    }

    pub fn open(root: &Path) -> Result<Folder> {
        let root = root.canonicalize().map_err(|e| failed(root, e))?;
        Ok(Folder { root, unsynced: BTreeSet::new() })
    }

    /// The file's bytes; none where there is no such file.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let full = self.root.join(path);
        if !self.parents_are_folders(path)? {
            return Ok(None);
        }
        let Some(seen) = self.look(&full)? else { return Ok(None) };
        if !seen.is_file() {
            return Err(ExportError::NotPlain(full));
        }
        let mut file = File::open(&full).map_err(|e| failed(&full, e))?;
        let opened = file.metadata().map_err(|e| failed(&full, e))?;
        if (opened.dev(), opened.ino()) != (seen.dev(), seen.ino()) && !opened.is_file() {
            return Err(ExportError::NotPlain(full));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(opened.len()).unwrap_or(0));
        file.read_to_end(&mut bytes).map_err(|e| failed(&full, e))?;
        Ok(Some(bytes))
    }

    /// Makes the file hold these bytes; false where it already did. Durable after [`Folder::sync`].
    pub fn write(&mut self, path: &str, bytes: &[u8]) -> Result<bool> {
        let (parent, name) = self.make_parents(path)?;
        let full = parent.join(&name);
        let temporary = parent.join(format!(".{name}.tmp"));
        clear(&temporary).map_err(|e| failed(&temporary, e))?;
        if self.read(path)?.is_some_and(|old| old == bytes) {
            return Ok(false);
        }
        replace(&temporary, &full, bytes).map_err(|e| failed(&full, e))?;
        self.unsynced.insert(parent);
        Ok(true)
    }

    /// Takes a file away (or a link, not what it points to), and the folders that are empty then. False where there is
    /// none.
    pub fn remove(&mut self, path: &str) -> Result<bool> {
        let full = self.root.join(path);
        if !self.parents_are_folders(path)? || self.look(&full)?.is_none() {
            return Ok(false);
        }
        fs::remove_file(&full).map_err(|e| failed(&full, e))?;
        let mut parent = full.parent();
        while let Some(folder) = parent.filter(|folder| *folder != self.root) {
            self.unsynced.insert(folder.to_owned());
            // it is not empty
            if fs::remove_dir(folder).is_err() {
                break;
            }
            self.unsynced.remove(folder);
            parent = folder.parent();
        }
        self.unsynced.extend(parent.map(Path::to_owned));
        Ok(true)
    }

    /// Makes every new name durable.
    pub fn sync(&mut self) -> Result<()> {
        while let Some(folder) = self.unsynced.first().cloned() {
            File::open(&folder).and_then(|f| f.sync_all()).map_err(|e| failed(&folder, e))?;
            self.unsynced.remove(&folder);
        }
        Ok(())
    }

    /// Every name in the folder that is not itself a folder, sorted; links are named, not followed.
    pub fn list(&self) -> Result<Vec<String>> {
        let mut out = Vec::new();
        let mut todo = vec![String::new()];
        while let Some(folder) = todo.pop() {
            let full = self.root.join(&folder);
            for item in fs::read_dir(&full).map_err(|e| failed(&full, e))? {
                let item = item.map_err(|e| failed(&full, e))?;
                let name = item.file_name().to_string_lossy().into_owned();
                let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                let kind = item.file_type().map_err(|e| failed(&full, e))?;
                if kind.is_dir() { todo.push(path) } else { out.push(path) }
            }
        }
        out.sort();
        Ok(out)
    }

    fn look(&self, full: &Path) -> Result<Option<Metadata>> {
        match fs::symlink_metadata(full) {
            Ok(seen) => Ok(Some(seen)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failed(full, e)),
        }
    }

    /// False where one is missing.
    fn parents_are_folders(&self, path: &str) -> Result<bool> {
        for folder in self.parents(path) {
            match self.look(&folder)? {
                Some(seen) if seen.is_dir() => {}
                Some(_) => return Err(ExportError::NotPlain(folder)),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    fn make_parents(&mut self, path: &str) -> Result<(PathBuf, String)> {
        let mut above = self.root.clone();
        for folder in self.parents(path) {
            match self.look(&folder)? {
                Some(seen) if seen.is_dir() => {}
                Some(_) => return Err(ExportError::NotPlain(folder)),
                None => {
                    fs::create_dir(&folder).map_err(|e| failed(&folder, e))?;
                    self.unsynced.insert(above);
                }
            }
            above = folder;
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        Ok((above, name.to_owned()))
    }

    /// The folders on the way to a file, from the top.
    fn parents(&self, path: &str) -> Vec<PathBuf> {
        path.match_indices('/').map(|(at, _)| self.root.join(&path[..at])).collect()
    }
}

/// What a killed run left: the temporary name is always the same, and its next run writes the same files.
fn clear(temporary: &Path) -> io::Result<()> {
    match fs::remove_file(temporary) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

fn replace(temporary: &Path, full: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(temporary, full)
}

pub fn failed(path: &Path, e: io::Error) -> ExportError {
    ExportError::Io { path: path.to_owned(), why: e.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn the_same_bytes_are_not_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut folder = Folder::create(&dir.path().join("out")).unwrap();
        assert!(folder.write("a/b/c.json", b"1").unwrap());
        let inode = || fs::metadata(dir.path().join("out/a/b/c.json")).unwrap().ino();
        let before = inode();
        assert!(!folder.write("a/b/c.json", b"1").unwrap());
        assert_eq!(inode(), before);
        assert!(folder.write("a/b/c.json", b"2").unwrap());
        assert_ne!(inode(), before);
        folder.sync().unwrap();
        assert_eq!(folder.list().unwrap(), ["a/b/c.json"]);
    }

    #[test]
    fn a_left_temporary_file_is_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        let mut folder = Folder::create(dir.path()).unwrap();
        fs::write(dir.path().join(".x.tmp"), b"half").unwrap();
        assert!(folder.write("x", b"whole").unwrap());
        assert_eq!(folder.list().unwrap(), ["x"]);
    }

    #[test]
    fn links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("f"), b"mine").unwrap();
        let mut folder = Folder::create(&dir.path().join("out")).unwrap();
        let out = dir.path().join("out");
        symlink(&outside, out.join("articles")).unwrap();
        symlink(outside.join("f"), out.join("f")).unwrap();
        symlink(outside.join("f"), out.join(".g.tmp")).unwrap();
        assert!(matches!(folder.write("articles/f", b"x"), Err(ExportError::NotPlain(_))));
        assert!(matches!(folder.read("f"), Err(ExportError::NotPlain(_))));
        assert!(folder.write("g", b"x").unwrap());
        assert!(folder.remove("f").unwrap());
        assert_eq!(fs::read(outside.join("f")).unwrap(), b"mine");
        assert_eq!(folder.list().unwrap(), ["articles", "g"]);
    }

    #[test]
    fn empty_folders_go_with_their_last_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut folder = Folder::create(dir.path()).unwrap();
        folder.write("a/b/c", b"1").unwrap();
        folder.write("a/d", b"1").unwrap();
        folder.remove("a/b/c").unwrap();
        folder.sync().unwrap();
        assert!(!dir.path().join("a/b").exists());
        assert!(dir.path().join("a/d").exists());
        assert!(!folder.remove("a/b/c").unwrap());
    }
}
