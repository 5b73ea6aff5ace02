//! Reads the folder alone: every checksum, every sequence.

use crate::export::article::sha256;
use crate::export::folder::{Folder, Result};
use crate::export::manifest::{self, HEAD, Manifest, PATH, STATUS, Stamp};
use crate::export::{ExportError, Report};
use crate::store::{Logged, Op};
use std::collections::BTreeMap;
use std::path::Path;

/// How often to look again where the folder moved on meanwhile.
const TRIES: usize = 3;

pub fn verify(root: &Path) -> Result<Report> {
    let folder = Folder::open(root)?;
    for _ in 1..TRIES {
        let before = folder.read(PATH)?;
        let report = once(&folder)?;
        if report.problems.is_empty() || folder.read(PATH)? == before {
            return Ok(report);
        }
    }
    once(&folder)
}

fn once(folder: &Folder) -> Result<Report> {
    let mut report = Report::default();
    let Some(bytes) = folder.read(PATH)? else {
        report.problems.push(format!("{PATH} is missing"));
        return Ok(report);
    };
    let Some(mut manifest) = Manifest::read(&bytes) else {
        report.problems.push(format!("{PATH} is not a manifest of {}", manifest::SCHEMA));
        return Ok(report);
    };
    let damaged = add_parts(folder, &mut manifest)?;
    (report.seq, report.files) = (manifest.seq, manifest.files.len());
    check_files(folder, &manifest, &mut report.problems)?;
    check_strangers(folder, &manifest, &damaged, &mut report)?;
    check_head(folder, &manifest, &mut report.problems)?;
    check_status(folder, &mut report.problems)?;
    check_changes(folder, &manifest, &damaged, &mut report.problems)?;
    Ok(report)
}

fn check_files(folder: &Folder, manifest: &Manifest, problems: &mut Vec<String>) -> Result<()> {
    for (path, stamp) in &manifest.files {
        match plain(folder.read(path))? {
            Err(why) => problems.push(format!("{path} {why}")),
            Ok(None) => problems.push(format!("{path} is missing")),
            Ok(Some(bytes)) if Stamp::of(&bytes) != *stamp => {
                let (found, wanted) = (bytes.len(), stamp.bytes);
                problems.push(format!(
                    "{path} is damaged: {found} bytes of {wanted}, SHA-256 {} instead of {}",
                    sha256(&bytes),
                    stamp.sha256
                ));
            }
            Ok(Some(_)) => {}
        }
    }
    Ok(())
}

/// The files that parts of the manifest list; returns the parts that cannot be read.
pub fn add_parts(folder: &Folder, manifest: &mut Manifest) -> Result<Vec<String>> {
    let parts: Vec<String> = manifest.files.keys().filter(|path| manifest::is_part(path)).cloned().collect();
    let mut damaged = Vec::new();
    for path in parts {
        match plain(folder.read(&path))?.ok().flatten().as_deref().and_then(manifest::read_part) {
            Some(files) => manifest.files.extend(files),
            None => damaged.push(path),
        }
    }
    Ok(damaged)
}

fn check_strangers(folder: &Folder, manifest: &Manifest, damaged: &[String], report: &mut Report) -> Result<()> {
    for path in folder.list()? {
        // the damaged part is a problem of its own, what it listed is none
        if manifest::part_of(&path).is_some_and(|part| damaged.contains(&part)) {
            continue;
        }
        if manifest.files.contains_key(&path) || [PATH, HEAD, STATUS].contains(&path.as_str()) {
            continue;
        }
        if manifest::owned(&path) {
            report.problems.push(format!("{path} is not in the manifest"));
        } else {
            report.problems.push(format!("{path} is none of diemtin's files"));
            report.foreign += 1;
        }
    }
    Ok(())
}

fn check_head(folder: &Folder, manifest: &Manifest, problems: &mut Vec<String>) -> Result<()> {
    let head = plain(folder.read(HEAD))?;
    let said = head.as_ref().ok().and_then(Option::as_deref).and_then(read_head);
    match said {
        Some(head) if head == manifest.seq => {}
        Some(head) => problems.push(format!("{HEAD} is {head}, the manifest is at {}", manifest.seq)),
        None => problems.push(format!("{HEAD} holds no number")),
    }
    Ok(())
}

fn check_status(folder: &Folder, problems: &mut Vec<String>) -> Result<()> {
    let rows = plain(folder.read(STATUS))?;
    let row = |line: &[u8]| serde_json::from_slice::<serde_json::Value>(line).is_ok_and(|row| row.is_object());
    if !matches!(rows, Ok(Some(bytes)) if bytes.split_inclusive(|b| *b == b'\n').all(row)) {
        problems.push(format!("{STATUS} is not a row a line"));
    }
    Ok(())
}

fn check_changes(folder: &Folder, manifest: &Manifest, damaged: &[String], problems: &mut Vec<String>) -> Result<()> {
    let mut firsts: Vec<u64> = manifest.files.keys().filter_map(|path| manifest::segment_first(path)).collect();
    firsts.sort_unstable();
    let mut next = firsts.first().copied().unwrap_or(1);
    let mut last: BTreeMap<String, Logged> = BTreeMap::new();
    for first in firsts {
        let path = manifest::segment_path(first);
        let Ok(Some(bytes)) = plain(folder.read(&path))? else { continue };
        if first != next {
            problems.push(format!("{path} should begin with change {next}"));
            next = first;
        }
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            match serde_json::from_slice::<Logged>(line) {
                Ok(change) if change.seq == next => drop(last.insert(change.path.clone(), change)),
                Ok(change) => problems.push(format!("{path}: change {} where {next} should be", change.seq)),
                Err(e) => problems.push(format!("{path}: change {next} cannot be read: {e}")),
            }
            next += 1;
        }
    }
    if next != manifest.seq + 1 {
        problems.push(format!("the changes end at {}, the manifest is at {}", next - 1, manifest.seq));
    }
    last.retain(|path, _| manifest::part_of(path).is_none_or(|part| !damaged.contains(&part)));
    check_articles(manifest, &last, problems);
    Ok(())
}

/// Every article is as its last change left it. Articles whose changes went with an old segment are not judged.
fn check_articles(manifest: &Manifest, last: &BTreeMap<String, Logged>, problems: &mut Vec<String>) {
    for (path, change) in last {
        let found = manifest.files.get(path).map(|stamp| stamp.sha256.as_str());
        let wanted = change.sha256.as_deref().filter(|_| change.op == Op::Upsert);
        if found != wanted {
            let say = |hash: Option<&str>| hash.unwrap_or("nothing").to_owned();
            let (found, wanted) = (say(found), say(wanted));
            problems.push(format!("{path} is {found} in the manifest, {wanted} after change {}", change.seq));
        }
    }
}

pub fn read_head(bytes: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(bytes).ok()?; // not text: no number
    text.strip_suffix('\n')?.parse().ok() // likewise
}

/// A link where a file should be is a finding, not a failure.
fn plain(read: Result<Option<Vec<u8>>>) -> Result<std::result::Result<Option<Vec<u8>>, &'static str>> {
    match read {
        Ok(found) => Ok(Ok(found)),
        Err(ExportError::NotPlain(_)) => Ok(Err("is a symbolic link or no plain file")),
        Err(e) => Err(e),
    }
}
