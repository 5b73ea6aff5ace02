//! diemtin from outside: the fixture sites on loopback, a temporary store, the real binary.

#[path = "../day/mod.rs"]
mod day;
#[path = "../house/mod.rs"]
mod house;

mod commands;
mod consumer;
mod copies;
mod crash;
mod daemon;
mod journeys;
mod learned;
mod pages;
mod polite;
mod readme;
mod reselect;
mod safety;
mod sites;
mod websub;

use chrono::{DateTime, Utc};
use diemtin::config::Config;
use diemtin::daemon::export_now;
use diemtin::poll::{self, Pipeline, Round};
use house::House;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use tempfile::TempDir;

/// The real binary, in a folder of its own.
pub fn diemtin(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("the binary starts")
}

pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_diemtin"));
    command.args(arguments).current_dir(folder);
    for name in
        ["DIEMTIN_STORE_PATH", "DIEMTIN_EXPORT_PATH", "DIEMTIN_STATUS_LISTEN", "JOURNAL_STREAM", "NOTIFY_SOCKET"]
    {
        command.env_remove(name);
    }
    command
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// A house, a folder, and the pipeline in this process, so that a test says what time it is.
pub struct Office {
    pub house: House,
    pub folder: TempDir,
    pub pipeline: Arc<Pipeline>,
}

impl Office {
    pub fn new(only: &[&str]) -> Office {
        Office::of(House::open(), only, "")
    }

    /// With more in its configuration.
    pub fn of(house: House, only: &[&str], more: &str) -> Office {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = house.config(folder.path(), only);
        let text = fs::read_to_string(&file).expect("a configuration");
        fs::write(&file, format!("{text}{more}")).expect("a writable file");
        let config = Config::load(&file).expect("the fixtures' configuration is right");
        let pipeline = Arc::new(Pipeline::open(config).expect("a new store opens"));
        Office { house, folder, pipeline }
    }

    pub async fn poll(&self, site: &str, now: DateTime<Utc>) -> Round {
        let site = self.pipeline.config.sites.iter().find(|s| s.id == site).expect("a configured site");
        poll::poll(&self.pipeline, site, now).await.expect("the store works")
    }

    pub fn export(&self) -> PathBuf {
        export_now(&self.pipeline).expect("the folder can be written");
        self.pipeline.config.export.path.clone()
    }
}

/// Every file below a folder.
pub fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).expect("below the folder").to_string_lossy().into_owned();
            files.insert(name, fs::read(&path).expect("a readable file"));
        }
    }
    files
}

/// Wednesday noon.
pub fn noon() -> DateTime<Utc> {
    "2026-03-11T05:00:00Z".parse().expect("a time")
}
