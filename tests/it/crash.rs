//! kill -9 at any moment loses nothing and repeats nothing.

use crate::house::House;
use crate::{command, diemtin, stdout, tree};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// How many times `once` is killed, each time a little later; a longer run is asked for with DIEMTIN_KILLS.
const KILLS: u32 = 12;

#[test]
fn killed_at_any_moment_once_more_gives_the_same_export() {
    let house = House::open();
    let (never, often) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    for folder in [&never, &often] {
        house.config(folder.path(), &[]);
    }
    let started = std::time::Instant::now();
    assert!(diemtin(never.path(), &["once"]).status.success());
    let whole = started.elapsed();
    let kills = std::env::var("DIEMTIN_KILLS").map_or(KILLS, |n| n.parse().expect("DIEMTIN_KILLS is a number"));
    for nth in 0..kills {
        killed_after(often.path(), whole * nth / kills);
    }
    let last = diemtin(often.path(), &["once"]);
    assert!(last.status.success(), "{last:?}");
    let verified = diemtin(often.path(), &["export", "verify"]);
    assert!(verified.status.success(), "{}", stdout(&verified));
    let (never, often) = (timeless(never.path()), timeless(often.path()));
    assert_eq!(never.keys().collect::<Vec<_>>(), often.keys().collect::<Vec<_>>());
    for (name, bytes) in &never {
        assert_eq!(bytes, &often[name], "{name}");
    }
}

fn killed_after(folder: &Path, wait: Duration) {
    let mut running =
        command(folder, &["once"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    // The moment of the kill is what varies; no assertion depends on it.
    std::thread::sleep(wait);
    running.kill().expect("it can be killed");
    running.wait().expect("it ends");
}

/// The export without what depends on when and in which order the sites were read: times of sight, numbers, checksums.
fn timeless(folder: &Path) -> BTreeMap<String, String> {
    let files = tree(&folder.join("var/export"));
    let articles = files.into_iter().filter(|(name, _)| name.starts_with("articles/") && name.ends_with(".json"));
    let articles = articles.map(|(name, bytes)| {
        let mut article: Value = serde_json::from_slice(&bytes).expect("JSON");
        for key in ["first_seen_at", "updated_at", "history"] {
            article.as_object_mut().expect("an object").remove(key);
        }
        (name, serde_json::to_string_pretty(&article).expect("JSON"))
    });
    articles.collect()
}
