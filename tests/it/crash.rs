//! kill -9 at any moment loses nothing and repeats nothing.

use crate::house::House;
use crate::{command, diemtin, stdout, tree};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// At how many moments of a `once` it is killed; a longer run is asked for with DIEMTIN_KILLS.
const KILLS: u32 = 8;

#[test]
fn killed_at_any_moment_once_more_gives_the_same_export() {
    let house = House::open();
    let never = tempfile::tempdir().expect("a folder");
    one_by_one(&house, never.path());
    let started = std::time::Instant::now();
    assert!(diemtin(never.path(), &["once"]).status.success());
    let whole = started.elapsed();
    let wanted = timeless(never.path());
    let kills = std::env::var("DIEMTIN_KILLS").map_or(KILLS, |n| n.parse().expect("DIEMTIN_KILLS is a number"));
    let mut cut = 0;
    for nth in 0..kills {
        let folder = tempfile::tempdir().expect("a folder");
        one_by_one(&house, folder.path());
        cut += u32::from(killed_after(folder.path(), whole * nth / kills));
        let last = diemtin(folder.path(), &["once"]);
        assert!(last.status.success(), "{last:?}");
        let verified = diemtin(folder.path(), &["export", "verify"]);
        assert!(verified.status.success(), "{}", stdout(&verified));
        let is = timeless(folder.path());
        assert_eq!(wanted.keys().collect::<Vec<_>>(), is.keys().collect::<Vec<_>>(), "kill {nth}");
        for (name, text) in &wanted {
            assert_eq!(text, &is[name], "kill {nth}: {name}");
        }
    }
    assert!(cut > 0, "no run was still going when it was to be killed");
}

/// Sites at the same time race for who tells a copy first; one after the other they do not.
fn one_by_one(house: &House, folder: &Path) {
    let config = house.config(folder, &[]);
    let text = std::fs::read_to_string(&config).expect("a configuration");
    std::fs::write(&config, format!("[poll]\nconcurrency = 1\n{text}")).expect("writable");
}

/// Whether it was still running.
fn killed_after(folder: &Path, wait: Duration) -> bool {
    let mut running =
        command(folder, &["once"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    // The moment of the kill is what varies; no assertion depends on it.
    std::thread::sleep(wait);
    running.kill().expect("it can be killed");
    running.wait().expect("it ends").code().is_none()
}

/// The articles, the days, the lists and the changes of the export, without the times of sight, what follows from them, and
/// the order of lines.
fn timeless(folder: &Path) -> BTreeMap<String, String> {
    let files = tree(&folder.join("var/export"));
    let told = |name: &String| ["articles/", "daily/", "feeds/", "changes/"].iter().any(|told| name.starts_with(told));
    let files = files.into_iter().filter(|(name, _)| told(name));
    files.map(|(name, bytes)| (name, masked(&String::from_utf8(bytes).expect("UTF-8")))).collect()
}

fn masked(text: &str) -> String {
    let time = r#"("?(?:first_seen_at|updated_at|at|date_modified|sha256)"?: ?)"[^"]*"|(<updated>)[^<]*"#;
    let time = regex::Regex::new(time).expect("a right expression");
    let text = time.replace_all(text, "$1$2").into_owned();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}
