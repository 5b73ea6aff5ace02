//! tests/consumer.py, which export/README.txt shows, follows the folder and ends with what the manifest names.

use crate::house::House;
use crate::{command, diemtin, stderr};
use diemtin::article::Id;
use diemtin::store::Store;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SCRIPT: &str = include_str!("../consumer.py");
const README: &str = include_str!("../../src/export/README.txt");

/// Past the test harness, which keeps what a passing test prints.
fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("stderr can be written");
}

fn python() -> bool {
    let found = Command::new("python3").arg("--version").output().is_ok_and(|done| done.status.success());
    if !found {
        say("NOT TRIED: python3 is not installed, so tests/consumer.py was not run");
    }
    found
}

/// A consumer with its state, and the folder it follows.
struct Consumer {
    export: PathBuf,
    state: PathBuf,
}

impl Consumer {
    fn of(folder: &Path, state: &str) -> Consumer {
        Consumer { export: folder.join("var/export"), state: folder.join(state) }
    }

    /// One run; the change it stands at.
    fn run(&self) -> u64 {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/consumer.py");
        let done = Command::new("python3").arg(script).arg(&self.export).arg(&self.state).output().expect("python3");
        assert!(done.status.success(), "{}", stderr(&done));
        self.state()["seq"].as_u64().expect("a number")
    }

    fn state(&self) -> Value {
        serde_json::from_slice(&fs::read(&self.state).expect("a state")).expect("JSON")
    }

    /// Whether the last run began again from the manifest.
    fn began_again(&self) -> bool {
        self.state()["last"].is_null()
    }

    fn kept(&self) -> BTreeSet<(String, String)> {
        let state = self.state();
        let kept = state["kept"].as_object().expect("an object").values();
        kept.map(|kept| (word(&kept[0]), word(&kept[1]))).collect()
    }

    fn agrees(&self) {
        assert_eq!(self.kept(), manifest(&self.export).1);
    }
}

fn word(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// Its change, and its articles: path and SHA-256.
fn manifest(export: &Path) -> (u64, BTreeSet<(String, String)>) {
    let manifest: Value = serde_json::from_slice(&fs::read(export.join("manifest.json")).expect("one")).expect("JSON");
    let files = manifest["files"].as_array().expect("files").iter().map(|f| (word(&f["path"]), word(&f["sha256"])));
    let articles = files.filter(|(path, _)| path.starts_with("articles/") && path.ends_with(".json")).collect();
    (manifest["seq"].as_u64().expect("a number"), articles)
}

/// Whether so many sites were read, as the folder says.
fn all_read(export: &Path, sites: usize) -> bool {
    let rows = fs::read_to_string(export.join("status/sites.json")).expect("written before the manifest");
    // entries of years ago: a site that was read is quiet
    let read = |row: &&str| row.contains(r#""state":"ok""#) || row.contains(r#""state":"quiet""#);
    rows.lines().filter(read).count() == sites
}

#[test]
fn the_readme_shows_it_whole_and_short() {
    assert!(README.contains(SCRIPT), "src/export/README.txt does not show tests/consumer.py as it is");
    assert!(SCRIPT.lines().count() <= 40);
}

#[test]
fn a_consumer_ends_with_what_the_manifest_names() {
    if !python() {
        return;
    }
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    let consumer = Consumer::of(folder.path(), "state.json");
    followed_while_written(&house, folder.path(), &consumer);
    followed_over_a_rebuild(folder.path(), &consumer);
    followed_over_a_deletion(folder.path(), &consumer);
    followed_over_pruned_segments(folder.path());
    followed_to_another_store(&house, folder.path(), &consumer);
}

fn followed_while_written(house: &House, folder: &Path, consumer: &Consumer) {
    let all: Vec<&str> = house.places.iter().map(|place| place.id.as_str()).collect();
    quick(house, folder, &all[1..]);
    let mut daemon = command(folder, &["run"]).stderr(Stdio::null()).spawn().expect("it starts");
    let first = followed_until(consumer, all.len() - 1, 0);
    // one site more, so that there is another round to follow
    quick(house, folder, &all);
    let reload = Command::new("kill").args(["-HUP", &daemon.id().to_string()]).status().expect("kill is there");
    assert!(reload.success());
    followed_until(consumer, all.len(), first);
    daemon.kill().expect("it can be killed");
    daemon.wait().expect("it ends");
    assert!(diemtin(folder, &["once"]).status.success());
    consumer.run();
    consumer.agrees();
    assert!(consumer.kept().len() > 10 && !consumer.began_again());
}

/// A configuration under which the sites are read every second.
fn quick(house: &House, folder: &Path, only: &[&str]) {
    let config = house.config(folder, only);
    let text = fs::read_to_string(&config).expect("a configuration");
    fs::write(&config, text + "[poll]\nevery = \"1s\"\nat_least = \"1s\"\n").expect("writable");
}

/// Runs the consumer again and again until so many sites are read and it has all of the folder; the change it then
/// stands at, which is beyond another.
fn followed_until(consumer: &Consumer, sites: usize, beyond: u64) -> u64 {
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < Duration::from_secs(120), "not all of {sites} sites were read");
        if !consumer.export.join("manifest.json").exists() {
            std::thread::yield_now();
            continue;
        }
        let seq = consumer.run();
        if seq > beyond && all_read(&consumer.export, sites) && seq == manifest(&consumer.export).0 {
            return seq;
        }
    }
}

fn followed_over_a_rebuild(folder: &Path, consumer: &Consumer) {
    fs::remove_dir_all(&consumer.export).expect("removable");
    assert!(diemtin(folder, &["export", "rebuild"]).status.success());
    consumer.run();
    consumer.agrees();
    assert!(!consumer.began_again());
}

fn followed_over_a_deletion(folder: &Path, consumer: &Consumer) {
    let (path, _) = consumer.kept().pop_last().expect("an article");
    let id =
        Id::from_name(Path::new(&path).file_stem().and_then(|name| name.to_str()).expect("a name")).expect("an id");
    let store = Store::open(&folder.join("var/store")).expect("it opens");
    store.forget(&id, chrono::Utc::now()).expect("it can be forgotten");
    drop(store);
    assert!(diemtin(folder, &["once"]).status.success());
    consumer.run();
    consumer.agrees();
    assert!(!consumer.kept().iter().any(|(kept, _)| *kept == path), "{path} was deleted");
}

/// The log begins later than one consumer has read, and not later than another has.
fn followed_over_pruned_segments(folder: &Path) {
    let (early, late) = (Consumer::of(folder, "early.json"), Consumer::of(folder, "late.json"));
    let log = early.export.join("changes/1.jsonl");
    let text = fs::read_to_string(&log).expect("a log");
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.len() / 2;
    for (consumer, seq) in [(&early, first - 2), (&late, first - 1)] {
        fs::write(&consumer.state, format!(r#"{{"seq":{seq},"last":null,"kept":{{}}}}"#)).expect("writable");
    }
    let rest: String = lines[first - 1..].iter().map(|line| format!("{line}\n")).collect();
    fs::write(early.export.join(format!("changes/{first}.jsonl")), rest).expect("writable");
    fs::remove_file(&log).expect("removable");
    early.run();
    early.agrees();
    assert!(early.began_again());
    late.run();
    assert!(!late.began_again());
}

fn followed_to_another_store(house: &House, folder: &Path, consumer: &Consumer) {
    fs::remove_dir_all(folder.join("var")).expect("removable");
    house.config(folder, &["longan", "sonla"]);
    assert!(diemtin(folder, &["once"]).status.success());
    consumer.run();
    consumer.agrees();
    assert!(consumer.began_again());
}
