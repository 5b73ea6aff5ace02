//! `diemtin store`: care of the store, while no daemon runs.

use super::{BAD_DATA, Exit, FAILED, harmless, held};
use crate::config::Config;
use crate::export::{self, ExportError, HEALED, Lineage};
use crate::store::{Checked, Store, StoreError};
use chrono::Utc;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[derive(Args, Debug)]
pub struct StoreArgs {
    /// One JSON object instead of lines
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Subcommand, Debug)]
enum StoreCommand {
    /// Read everything: every checksum, every cross reference
    Check,
    /// How much is kept, and where the bytes are
    Stats,
    /// Write the store into a new folder of plain files, for any machine
    Backup { dir: PathBuf },
    /// Make the store from such a folder; none may be there yet
    Restore { dir: PathBuf },
    /// Write the store anew, without what sled keeps of the past
    Compact,
}

pub fn store(config: &Config, arguments: &StoreArgs) -> anyhow::Result<()> {
    cared_for(config, arguments).map_err(|why| match why.downcast_ref::<StoreError>() {
        Some(StoreError::Held(_)) => why.context(held_how(config)),
        _ => why,
    })
}

/// What to do while a daemon holds it.
fn held_how(config: &Config) -> String {
    let pages = held::address(config).map_or(String::new(), |at| format!("; its sizes are on http://{at}/metrics"));
    format!("stop the daemon first (`systemctl stop diemtin`, or Ctrl-C where it runs){pages}")
}

fn cared_for(config: &Config, arguments: &StoreArgs) -> anyhow::Result<()> {
    super::need_own_store(config)?;
    let (path, json) = (config.store.path.as_path(), arguments.json);
    match &arguments.command {
        StoreCommand::Check => check(config, json),
        StoreCommand::Stats => stats(path, json),
        StoreCommand::Backup { dir } => {
            let made = open(path)?.backup(dir, Utc::now())?;
            say(json, serde_json::to_value(&made)?, &format!("{}: change {}", dir.display(), made.seq))
        }
        StoreCommand::Restore { dir } => restore(dir, path, json),
        StoreCommand::Compact => {
            let (before, after) = open(path)?.compact()?;
            let line = format!("{}: {before} bytes before, {after} after", path.display());
            say(json, json!({"bytes_before": before, "bytes_after": after}), &line)
        }
    }
}

/// A store that is there.
fn open(path: &Path) -> anyhow::Result<Store> {
    Store::finish_compaction(path)?;
    anyhow::ensure!(path.exists(), "there is no store at {}", path.display());
    Ok(Store::open(path)?)
}

fn check(config: &Config, json: bool) -> anyhow::Result<()> {
    let (mut found, mut lineage) = (Checked::default(), Lineage::Unknown);
    match open(&config.store.path) {
        Ok(store) => (found, lineage) = (checked(&store)?, export::lineage(&store, &config.export.path)?),
        Err(why) => match why.downcast_ref::<StoreError>() {
            Some(StoreError::Damaged { .. } | StoreError::Value { .. }) => found.problems.push(why.to_string()),
            _ => return Err(why),
        },
    }
    // sled may open with its newest records forgotten, all that is left being sound
    let mut note = beside(lineage, found.seq).filter(|_| found.problems.is_empty());
    if !matches!(lineage, Lineage::Ahead(_)) {
        found.problems.extend(note.take());
    }
    if found.problems.is_empty() && note.is_none() {
        false_head(config, found.seq);
    }
    let Checked { seq, articles, changes, entries, raw_pages, problems } = &found;
    let counts = format!("{articles} articles, {changes} changes, {entries} entries, {raw_pages} pages");
    let mut lines: Vec<String> = problems.iter().map(|problem| harmless(problem)).collect();
    lines.extend(note.clone());
    lines.push(format!("{counts}, change {seq}: {} problems", problems.len()));
    let mut value = serde_json::to_value(&found)?;
    value["note"] = note.into();
    say(json, value, &lines.join("\n"))?;
    let why = if matches!(lineage, Lineage::Other(_)) { NOT_OF_ONE } else { DAMAGED };
    if problems.is_empty() { Ok(()) } else { Err(Exit { code: FAILED, why: why.to_owned() }.into()) }
}

const DAMAGED: &str = "the store is damaged: the next `diemtin run` or `once` moves it aside and makes it again from the \
                       export folder; where a backup is newer or the folder damaged (`diemtin export verify`), restore that";
const NOT_OF_ONE: &str = "the store and the export folder are of two histories";

/// The folder may be told to be further than it is.
fn false_head(config: &Config, seq: u64) {
    if let Some(head) = export::head(&config.export.path).filter(|head| *head > seq) {
        let folder = config.export.path.display();
        eprintln!(
            "{folder}/changes/HEAD names change {head}, which was never made: `diemtin export rebuild` mends that"
        );
    }
}

/// What of the export folder is to be known beside a store that ends at this change.
fn beside(lineage: Lineage, seq: u64) -> Option<String> {
    match lineage {
        Lineage::Ahead(to) => Some(format!(
            "the export folder goes on to change {to}: the next `diemtin run` or `once` takes the changes after {seq} over \
             into this store"
        )),
        Lineage::Beyond(to) => {
            Some(format!("the export folder is at change {to}, the store at {seq}, which the folder does not know"))
        }
        Lineage::Other(folder) => Some(ExportError::Diverged { folder, store: seq }.to_string()),
        Lineage::Unknown | Lineage::Same | Lineage::Older => None,
    }
}

/// What was said of a store that was made again has been heard; a damaged one is checked again at its next opening.
fn checked(store: &Store) -> anyhow::Result<Checked> {
    let found = store.check();
    match found.problems.is_empty() {
        true => {
            store.drop_note(HEALED)?;
            store.believe();
        }
        false => store.doubt(),
    }
    Ok(found)
}

fn stats(path: &Path, json: bool) -> anyhow::Result<()> {
    let store = open(path)?;
    let (sizes, volume) = (store.sizes()?, store.volume());
    let (seq, first, disk) = (store.seq(), store.first_change()?, store.bytes_on_disk()?);
    let value = json!({"seq": seq, "first_change": first, "articles": volume.articles, "json_bytes": volume.bytes,
        "bytes_on_disk": disk, "trees": sizes});
    let mut lines = vec![format!("{:10}  {:>10}  {:>14}", "TREE", "RECORDS", "BYTES")];
    lines.extend(sizes.iter().map(|(name, size)| format!("{name:10}  {:>10}  {:>14}", size.records, size.bytes)));
    lines.push(format!(
        "{} articles of {} bytes of JSON; changes {first} to {seq}; {disk} bytes on disk",
        volume.articles, volume.bytes
    ));
    say(json, value, &lines.join("\n"))
}

fn restore(dir: &Path, path: &Path, json: bool) -> anyhow::Result<()> {
    match Store::restore(dir, path) {
        Ok(made) => say(json, serde_json::to_value(&made)?, &format!("{}: change {}", path.display(), made.seq)),
        Err(why @ StoreError::Backup { .. }) => Err(Exit { code: BAD_DATA, why: why.to_string() }.into()),
        Err(other) => Err(other.into()),
    }
}

fn say(as_json: bool, value: Value, lines: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if as_json {
        writeln!(out, "{value}")?
    } else {
        writeln!(out, "{lines}")?
    }
    Ok(())
}
