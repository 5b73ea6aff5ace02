//! Terms change: what was kept and what was dropped is judged again.

use crate::house::House;
use crate::{Office, diemtin, noon, stderr, stdout, tree};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const SITE: &str = "hoabinh";
const ORANGES: &str = "[[topic]]\nid = \"dan-van\"\nthreshold = 1000.0\n[[topic.term]]\nsay = \"Cam Cao Kỳ\"\n\
                       weight = 2000.0\n";

/// A site polled once.
fn polled() -> (House, TempDir) {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    house.config(folder.path(), &[SITE]);
    let once = diemtin(folder.path(), &["once"]);
    assert!(once.status.success(), "{}", stderr(&once));
    (house, folder)
}

fn topics(house: &House, folder: &Path, topics: &str) {
    let file = house.config(folder, &[SITE]);
    let text = fs::read_to_string(&file).expect("a configuration");
    fs::write(&file, format!("{text}{topics}")).expect("writable");
}

/// How many ended how.
fn reselected(folder: &Path, more: &[&str]) -> BTreeMap<String, u64> {
    let done = diemtin(folder, &[&["reselect", "--json"], more].concat());
    assert!(done.status.success(), "{}", stderr(&done));
    let last: Value = serde_json::from_str(stdout(&done).lines().last().expect("a sum")).expect("JSON");
    serde_json::from_value(last["outcomes"].clone()).expect("counts")
}

/// The articles of the export folder, by title.
fn exported(folder: &Path) -> BTreeMap<String, Value> {
    let files = tree(&folder.join("var/export/articles"));
    let articles = files.iter().filter(|(name, _)| name.ends_with(".json"));
    let read = articles.map(|(_, bytes)| serde_json::from_slice::<Value>(bytes).expect("JSON"));
    read.map(|article| (article["title"].as_str().expect("a title").to_owned(), article)).collect()
}

fn is_orange(title: &&String) -> bool {
    title.starts_with("Cam Cao Kỳ")
}

#[test]
fn what_is_no_longer_wanted_goes_what_is_wanted_now_comes_and_all_of_it_back() {
    let (house, folder) = polled();
    let folder = folder.path();
    let before = exported(folder);
    assert!(before.len() > 2 && !before.keys().any(|title| is_orange(&title)));
    assert_eq!(reselected(folder, &[]).get("same"), Some(&(before.len() as u64)), "nothing changed");

    topics(&house, folder, ORANGES);
    house.seen();
    let would = reselected(folder, &["--dry-run"]);
    assert_eq!(exported(folder), before, "only said");
    let did = reselected(folder, &[]);
    assert_eq!(would, did);
    assert_eq!((did["taken_away"], did["taken_in"]), (before.len() as u64, 1));
    assert_eq!(exported(folder).keys().filter(is_orange).count(), 1);
    assert_eq!(exported(folder).len(), 1);
    assert!(house.seen().is_empty(), "the network is not asked");
    assert!(diemtin(folder, &["export", "verify"]).status.success());
    let changes = tree(&folder.join("var/export/changes"));
    let lines =
        changes.values().flat_map(|file| String::from_utf8_lossy(file).lines().map(str::to_owned).collect::<Vec<_>>());
    assert_eq!(lines.filter(|line| line.contains("\"delete\"")).count(), before.len(), "tombstones");

    topics(&house, folder, "");
    let did = reselected(folder, &[]);
    assert_eq!((did["taken_away"], did["taken_in"]), (1, before.len() as u64));
    let after = exported(folder);
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    for (title, article) in &after {
        assert_eq!(article["content_text"], before[title]["content_text"]);
        assert_eq!(article["topics"], before[title]["topics"]);
    }
    let again = diemtin(folder, &["once"]);
    assert!(stdout(&again).contains("nothing new"), "{}", stdout(&again));
    assert!(diemtin(folder, &["store", "check"]).status.success());
}

#[test]
fn what_a_feed_alone_told_is_judged_again_from_it() {
    let house = House::open();
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let with = |topics: &str| {
        let file = house.config(folder, &[SITE]);
        let text = fs::read_to_string(&file).expect("a configuration");
        let text = text.replacen("[[site]]\n", "[[site]]\npages = false\n", 1);
        fs::write(&file, format!("{text}{topics}")).expect("writable");
    };
    with("");
    assert!(diemtin(folder, &["once"]).status.success());
    assert!(!exported(folder).keys().any(|title| is_orange(&title)));
    with(ORANGES);
    assert_eq!(reselected(folder, &[])["taken_in"], 1);
    assert!(exported(folder).keys().all(|title| is_orange(&title)));
}

/// What goes takes its copies with it from the export, but they may be wanted by themselves.
#[test]
fn a_copy_of_what_is_taken_away_is_judged_by_itself() {
    let (house, _sites) = crate::copies::told_by(2);
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for sites in [&["a"][..], &["a", "b"]] {
        house.config(folder, sites);
        assert!(diemtin(folder, &["once"]).status.success(), "{sites:?}");
    }
    let file = folder.join("config.toml");
    let kept_for = || exported(folder).into_values().map(|article| article["site"]["id"].clone()).collect::<Vec<_>>();
    assert_eq!(kept_for(), ["a"]);
    let text = fs::read_to_string(&file).expect("a configuration");
    fs::write(&file, text.replacen("select = false\n", "", 1) + ORANGES).expect("writable");
    assert_eq!(reselected(folder, &[])["taken_away"], 1);
    assert!(!folder.join("var/export/articles").exists(), "none is left");
    let again = diemtin(folder, &["once"]);
    assert!(again.status.success(), "{}", stderr(&again));
    assert_eq!(kept_for(), ["b"]);
}

#[test]
fn other_reasons_are_a_revision_that_says_so() {
    let (house, folder) = polled();
    let folder = folder.path();
    let before = exported(folder);
    topics(&house, folder, "[[topic]]\nid = \"dan-van\"\n[[topic.term]]\nsay = \"công tác dân vận\"\nweight = 7.5\n");
    let did = reselected(folder, &[]);
    assert!(did["revised"] > 0 && !did.contains_key("taken_away"), "{did:?}");
    let changed: Vec<Value> = exported(folder).into_values().filter(|article| article["rev"] == 2).collect();
    assert_eq!(changed.len() as u64, did["revised"]);
    for article in changed {
        let title = article["title"].as_str().expect("a title");
        assert_eq!(article["history"][0]["why"], "judged again: the terms changed");
        assert_eq!(article["content_text"], before[title]["content_text"]);
        assert_ne!(article["topics"], before[title]["topics"]);
    }
    assert!(!reselected(folder, &[]).contains_key("revised"), "once");
}

#[test]
fn a_dropped_article_is_explained_also_when_its_page_is_gone() {
    let (house, folder) = polled();
    let place = house.place(SITE);
    let pages = place.pages();
    let path = &pages.iter().find(|(_, file, _)| file.ends_with("khai-giang-truong-noi-tru.html")).expect("a page").0;
    let address = format!("{}{path}", place.base);
    for gone in [false, true] {
        if gone {
            house.script(SITE, path, &[crate::house::Reply::Status(404, "")]);
        }
        let explained = diemtin(folder.path(), &["explain", &address]);
        let said = stdout(&explained);
        assert!(explained.status.success(), "{}", stderr(&explained));
        assert_eq!(said.contains("NOT HAD"), gone, "{said}");
        let store = said.split("STORE").nth(1).expect("what the store knows");
        for part in ["off topic, judged ", "dan-van: no, score ", "ban dân vận tỉnh ủy ("] {
            assert!(store.contains(part), "{part}: {store}");
        }
    }
    house.script(SITE, "/never-seen", &[crate::house::Reply::Status(404, "")]);
    let explained = diemtin(folder.path(), &["explain", &format!("{}/never-seen", place.base)]);
    assert_eq!(explained.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_held_is_said() {
    let office = Office::new(&[SITE]);
    office.poll(SITE, noon()).await;
    let done = diemtin(office.folder.path(), &["reselect"]);
    assert_eq!(done.status.code(), Some(69), "{}", stderr(&done));
}
