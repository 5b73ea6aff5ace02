use super::*;
use crate::article::{Article, Block, Outcome, Run};
use crate::config::Format;
use crate::status::{ExtractionHealth, SiteHealth};
use crate::store::tests::{article, at, copy, entry, feed, keep, open, print, settled_mark};
use crate::store::{Change, Logged, SiteState};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

pub type Tree = BTreeMap<String, Vec<u8>>;

pub fn config(path: &Path) -> ExportConfig {
    ExportConfig {
        path: path.join("out"),
        formats: vec![Format::Json, Format::Md, Format::Html],
        keep_tombstones: Duration::from_secs(90 * 86400),
    }
}

pub fn rows() -> Vec<SiteRow> {
    vec![SiteRow {
        id: "hungyen".to_owned(),
        name: "Ban Dân vận".to_owned(),
        province: "Hưng Yên".to_owned(),
        kind: crate::article::Kind::Party,
        state: SiteHealth::Ok,
        reason: None,
        notice: None,
        since: None,
        last_success: Some(at(0)),
        last_new: None,
        failures: 0,
        next_poll: None,
        extraction: ExtractionHealth::Ok,
        extraction_reason: None,
        extraction_since: None,
        feeds: Vec::new(),
        waiting: 0,
        gave_up: 0,
        given_up: Vec::new(),
    }]
}

/// Every file below a folder.
pub fn tree(root: &Path) -> Tree {
    let mut out = Tree::new();
    let mut todo = vec![root.to_owned()];
    while let Some(folder) = todo.pop() {
        for item in fs::read_dir(folder).unwrap().map(|item| item.unwrap().path()) {
            match item.is_dir() {
                true => todo.push(item),
                false => {
                    let name = item.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                    drop(out.insert(name, fs::read(&item).unwrap()));
                }
            }
        }
    }
    out
}

pub fn put(root: &Path, tree: &Tree) {
    for (path, bytes) in tree {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), bytes).unwrap();
    }
}

pub fn add_copy(store: &Store, of: u32, n: u32) {
    let mark = settled_mark(store, of, Outcome::Stored);
    let change = Change::Copied { of: entry(of).id, copy: copy(n, 0.912_345_678), print: None };
    store.settle("hungyen", &mark, change, None, at(50)).unwrap();
}

pub fn problems(root: &Path) -> Vec<String> {
    verify(root).unwrap().problems
}

#[test]
fn the_folder_holds_what_the_store_holds() {
    let (dir, store) = open();
    let config = config(dir.path());
    assert_eq!(catch_up(&store, &config, &rows()).unwrap().seq, 0);
    assert_eq!(problems(&config.path), [""; 0]);
    for n in 1..=5 {
        keep(&store, n, &format!("Tin {n}"), at(0));
    }
    add_copy(&store, 2, 9);
    assert_eq!(catch_up(&store, &config, &rows()).unwrap().seq, 6);
    assert_eq!(problems(&config.path), [""; 0]);
    let out = tree(&config.path);
    assert_eq!(out["changes/HEAD"], b"6\n");
    let path = path(&article(2, ""), "json");
    let json: Value = serde_json::from_slice(&out[&path]).unwrap();
    assert_eq!((&json["rev"], &json["word_count"]), (&2.into(), &9.into()));
    assert_eq!(json["topics"][0]["score"], 0.3);
    assert_eq!(json["copies"][0]["similarity"], 0.9123);
    let mut lines = out["changes/1.jsonl"].split_inclusive(|b| *b == b'\n');
    let last: Logged = serde_json::from_slice(lines.next_back().unwrap()).unwrap();
    assert_eq!((last.seq, last.path, last.sha256), (6, path.clone(), Some(sha256(&out[&path]))));
    assert_eq!(out["daily/2024-01-24.jsonl"].iter().filter(|b| **b == b'\n').count(), 1);
    assert_eq!(out["daily/2024-01-26.jsonl"].iter().filter(|b| **b == b'\n').count(), 2);
    let feed: Value = serde_json::from_slice(&out["feeds/province/hung-yen.json"]).unwrap();
    assert_eq!(feed["items"].as_array().unwrap().len(), 5);
    assert_eq!(feed["items"][0]["title"], "Tin 5");
    assert_eq!(out["status/sites.json"].iter().filter(|b| **b == b'\n').count(), 1);
}

#[test]
fn what_did_not_change_is_not_written_again() {
    let (dir, store) = open();
    let config = config(dir.path());
    for n in 1..=4 {
        keep(&store, n, "Tin", at(0));
    }
    catch_up(&store, &config, &rows()).unwrap();
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let before = tree(&config.path);
    for path in before.keys() {
        fs::File::open(config.path.join(path)).unwrap().set_modified(old).unwrap();
    }
    let untouched = || {
        let is_old = |path: &&String| fs::metadata(config.path.join(path)).unwrap().modified().unwrap() == old;
        before.keys().filter(is_old).cloned().collect::<Vec<_>>()
    };
    assert_eq!(catch_up(&store, &config, &rows()).unwrap().files, 0);
    assert_eq!(rebuild(&store, &config, &rows()).unwrap().files, 0);
    assert_eq!(untouched().len(), before.len());
    add_copy(&store, 1, 9);
    catch_up(&store, &config, &rows()).unwrap();
    let untouched = untouched();
    assert!(untouched.contains(&path(&article(2, ""), "json")));
    assert!(untouched.contains(&"daily/2024-01-26.jsonl".to_owned()));
    assert!(untouched.contains(&"status/sites.json".to_owned()));
    assert!(!untouched.contains(&path(&article(1, ""), "json")));
    assert!(!untouched.contains(&"daily/2024-01-25.jsonl".to_owned()));
}

/// A kill leaves any part of a round done: each file as before or as after, and a temporary one perhaps.
#[test]
fn a_round_that_was_killed_is_done_again() {
    let (dir, store) = open();
    let config = config(dir.path());
    for n in 1..=3 {
        keep(&store, n, "Tin", at(0));
    }
    catch_up(&store, &config, &rows()).unwrap();
    let before = tree(&config.path);
    for n in 4..=6 {
        keep(&store, n, "Tin", at(0));
    }
    add_copy(&store, 1, 9);
    catch_up(&store, &config, &rows()).unwrap();
    let after = tree(&config.path);
    let order = |path: &String| match path.as_str() {
        "manifest.json" => 9,
        "changes/HEAD" => 8,
        p if p.starts_with("changes") => 7,
        p if p.starts_with("articles") => 1,
        _ => 5,
    };
    let mut paths: Vec<&String> = after.keys().collect();
    paths.sort_by_key(|path| order(path));
    for done in 0..=paths.len() {
        fs::remove_dir_all(&config.path).unwrap();
        put(&config.path, &before);
        put(&config.path, &paths[..done].iter().map(|p| ((*p).clone(), after[*p].clone())).collect());
        // only a file that changes is written
        if let Some(next) = paths.get(done).filter(|path| before.get(**path) != after.get(**path)) {
            let (folder, name) =
                next.rsplit_once('/').map_or((String::new(), next.as_str()), |(f, n)| (format!("{f}/"), n));
            put(&config.path, &Tree::from([(format!("{folder}.{name}.tmp"), b"half".to_vec())]));
        }
        catch_up(&store, &config, &rows()).unwrap();
        let now = tree(&config.path);
        assert_eq!(now.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "{done} done");
        assert!(now == after, "{done} done");
    }
}

#[test]
fn made_again_it_is_the_same_byte_for_byte() {
    let (dir, store) = open();
    let config = config(dir.path());
    for n in 1..=8 {
        keep(&store, n, "Tin", at(i64::from(n)));
        if n % 3 == 0 {
            add_copy(&store, n - 1, n + 100);
            catch_up(&store, &config, &rows()).unwrap();
        }
    }
    store.forget(&entry(2).id, at(60)).unwrap();
    catch_up(&store, &config, &rows()).unwrap();
    assert_eq!(problems(&config.path), [""; 0]);
    let kept = tree(&config.path);
    assert!(!kept.contains_key(&path(&article(2, ""), "md")));
    fs::remove_dir_all(&config.path).unwrap();
    rebuild(&store, &config, &rows()).unwrap();
    assert!(tree(&config.path) == kept);
    let id = entry(77).id;
    let stray =
        [format!("articles/2020/01/01/{id}.json"), "daily/2020-01-01.jsonl".to_owned(), "changes/.HEAD.tmp".to_owned()];
    put(&config.path, &stray.map(|path| (path, b"x".to_vec())).into());
    put(&config.path, &Tree::from([("notes.txt".to_owned(), b"mine".to_vec())]));
    fs::write(config.path.join("changes/1.jsonl"), "").unwrap();
    rebuild(&store, &config, &rows()).unwrap();
    let mut now = tree(&config.path);
    assert_eq!(now.remove("notes.txt").unwrap(), b"mine");
    assert!(now == kept);
}

#[test]
fn a_deletion_concerns_the_feed_of_its_province_alone() {
    let (dir, store) = open();
    let config = config(dir.path());
    keep(&store, 1, "Tin", at(0));
    keep(&store, 4, "Tin", at(0));
    store.learn("hungyen", &feed(), &[entry(2)], &SiteState::default(), at(0)).unwrap();
    let mut other = article(2, "Tin");
    (other.site.province, other.site.province_now) = ("Long An".to_owned(), "Tây Ninh".to_owned());
    let change = Change::New { article: Box::new(other), print: print(2) };
    store.settle("hungyen", &settled_mark(&store, 2, Outcome::Stored), change, None, at(0)).unwrap();
    catch_up(&store, &config, &rows()).unwrap();
    let other = config.path.join("feeds/province/tay-ninh.json");
    fs::write(&other, "as it was").unwrap();
    store.forget(&entry(1).id, at(9)).unwrap();
    catch_up(&store, &config, &rows()).unwrap();
    assert_eq!(fs::read(&other).unwrap(), b"as it was", "it has nothing to do with that");
    let feed: Value = serde_json::from_slice(&tree(&config.path)["feeds/province/hung-yen.json"]).unwrap();
    assert_eq!(feed["items"].as_array().unwrap().len(), 1);
    // where the article's file does not say its province, it may be any
    fs::write(config.path.join(path(&article(4, ""), "json")), "{}").unwrap();
    store.forget(&entry(4).id, at(9)).unwrap();
    catch_up(&store, &config, &rows()).unwrap();
    assert_eq!(problems(&config.path), [""; 0]);
    let now = tree(&config.path);
    assert!(now["feeds/province/tay-ninh.json"] != b"as it was" && !now.contains_key("feeds/province/hung-yen.json"));
}

#[test]
fn other_formats_are_written_for_all_articles() {
    let (dir, store) = open();
    let mut config = config(dir.path());
    keep(&store, 1, "Tin", at(0));
    catch_up(&store, &config, &rows()).unwrap();
    let all = tree(&config.path);
    config.formats = vec![Format::Md];
    catch_up(&store, &config, &rows()).unwrap();
    let fewer = tree(&config.path);
    assert!(!fewer.contains_key(&path(&article(1, ""), "html")));
    assert!(fewer.contains_key(&path(&article(1, ""), "json")));
    assert_eq!(problems(&config.path), [""; 0]);
    config.formats = vec![Format::Json, Format::Md, Format::Html];
    catch_up(&store, &config, &rows()).unwrap();
    assert!(tree(&config.path) == all);
}

#[test]
fn a_folder_of_another_store_is_left_alone() {
    let (dir, store) = open();
    let config = config(dir.path());
    for n in 1..=3 {
        keep(&store, n, "Tin", at(0));
    }
    catch_up(&store, &config, &rows()).unwrap();
    let before = tree(&config.path);
    let (_other_dir, other) = open();
    keep(&other, 7, "Khác", at(0));
    let refused = || catch_up(&other, &config, &rows());
    assert!(matches!(refused(), Err(ExportError::Diverged { folder: 3, store: 1 })));
    fs::remove_file(config.path.join("changes/HEAD")).unwrap();
    assert!(matches!(refused(), Err(ExportError::Diverged { folder: 3, store: 1 })));
    put(&config.path, &before);
    for n in 8..=12 {
        keep(&other, n, "Khác", at(0));
    }
    assert!(matches!(refused(), Err(ExportError::Diverged { folder: 3, store: 6 })));
    assert!(tree(&config.path) == before);
    assert!(matches!(refuse_other(&other, &config), Err(ExportError::Diverged { folder: 3, store: 6 })));
    rebuild(&other, &config, &rows()).unwrap();
    refuse_other(&other, &config).unwrap();
    assert_eq!(problems(&config.path), [""; 0]);
    assert!(!tree(&config.path).contains_key(&path(&article(1, ""), "json")));
}

/// Flipped bits in the numbers and in the last line are no other history.
#[test]
fn a_damaged_folder_is_not_taken_for_one_of_another_store() {
    let (dir, store) = open();
    let config = config(dir.path());
    for n in 1..=3 {
        keep(&store, n, "Tin", at(0));
    }
    catch_up(&store, &config, &rows()).unwrap();
    let good = tree(&config.path);
    let with = |path: &str, from: &str, to: &str| {
        let text = String::from_utf8(good[path].clone()).unwrap();
        assert!(text.contains(from), "{path}: {text}");
        (path.to_owned(), text.replacen(from, to, 1).into_bytes())
    };
    let id = entry(3).id;
    for damage in [
        with("changes/HEAD", "3", "7"),
        with("changes/HEAD", "3", "1"),
        with("changes/HEAD", "3", "x"),
        with("manifest.json", "\"seq\":3", "\"seq\":7"),
        with("changes/1.jsonl", &format!("\"id\":\"{id}\",\"rev\":1"), &format!("\"id\":\"{id}\",\"rev\":5")),
    ] {
        put(&config.path, &Tree::from([damage]));
        refuse_other(&store, &config).unwrap();
        catch_up(&store, &config, &rows()).unwrap();
        assert_eq!(problems(&config.path), [""; 0]);
        assert!(tree(&config.path) == good);
    }
}

#[test]
fn every_kind_of_damage_is_found() {
    let (dir, store) = open();
    let config = config(dir.path());
    for n in 1..=3 {
        keep(&store, n, "Tin", at(0));
    }
    catch_up(&store, &config, &rows()).unwrap();
    let good = tree(&config.path);
    for path in good.keys() {
        let mut flipped = good[path].clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        for bytes in [flipped, good[path][..middle].to_vec()] {
            fs::write(config.path.join(path), bytes).unwrap();
            let found = problems(&config.path);
            // one character of a name in the status is not to be told from another
            assert!(!found.is_empty() || path == "status/sites.json", "{path}");
        }
        fs::remove_file(config.path.join(path)).unwrap();
        assert!(!problems(&config.path).is_empty(), "{path} missing");
        put(&config.path, &good);
    }
    fs::write(config.path.join("articles/.x.tmp"), "").unwrap();
    assert_eq!(problems(&config.path), ["articles/.x.tmp is none of diemtin's files"]);
    fs::remove_file(config.path.join("articles/.x.tmp")).unwrap();
    let moved = config.path.join(path(&article(1, ""), "json"));
    fs::rename(&moved, dir.path().join("moved")).unwrap();
    std::os::unix::fs::symlink(dir.path().join("moved"), &moved).unwrap();
    assert_eq!(problems(&config.path).len(), 1);
}

#[test]
fn a_gap_in_the_changes_is_found() {
    let (dir, store) = open();
    let config = config(dir.path());
    for n in 1..=3 {
        keep(&store, n, "Tin", at(0));
    }
    catch_up(&store, &config, &rows()).unwrap();
    let out = tree(&config.path);
    let lines: Vec<&[u8]> = out["changes/1.jsonl"].split_inclusive(|b| *b == b'\n').collect();
    let without = [lines[0], lines[2]].concat();
    let mut manifest = manifest::Manifest::read(&out["manifest.json"]).unwrap();
    manifest.files.insert("changes/1.jsonl".to_owned(), manifest::Stamp::of(&without));
    fs::write(config.path.join("changes/1.jsonl"), without).unwrap();
    fs::write(config.path.join("manifest.json"), manifest.write()).unwrap();
    assert_eq!(
        problems(&config.path),
        ["changes/1.jsonl: change 3 where 2 should be", "the changes end at 2, the manifest is at 3"]
    );
}

#[test]
fn changes_go_on_in_new_segments() {
    let (dir, store) = open();
    let config = config(dir.path());
    keep(&store, 1, "Tin", at(0));
    for n in 0..1005 {
        let mark = settled_mark(&store, 1, Outcome::Stored);
        let change = Change::Copied { of: entry(1).id, copy: copy(1, f64::from(n)), print: None };
        store.settle("hungyen", &mark, change, None, at(50)).unwrap();
    }
    catch_up(&store, &config, &rows()).unwrap();
    let out = tree(&config.path);
    let count = |path: &str| out[path].iter().filter(|b| **b == b'\n').count();
    assert_eq!((count("changes/1.jsonl"), count("changes/1001.jsonl")), (1000, 6));
    assert_eq!(problems(&config.path), [""; 0]);
    // old segments go, the last one stays, and the folder can still be made from the store, and the store from it
    keep(&store, 2, "Tin", at(60));
    catch_up(&store, &config, &rows()).unwrap();
    let month = chrono::TimeDelta::days(30);
    assert_eq!(store.prune_changes(month, at(50) + month).unwrap(), 0);
    assert_eq!(store.prune_changes(month, at(70) + month).unwrap(), 1000);
    catch_up(&store, &config, &rows()).unwrap();
    let pruned = tree(&config.path);
    assert!(!pruned.contains_key("changes/1.jsonl"));
    assert_eq!(problems(&config.path), [""; 0]);
    assert_eq!(store.check().problems, [""; 0]);
    fs::remove_dir_all(&config.path).unwrap();
    rebuild(&store, &config, &rows()).unwrap();
    assert!(tree(&config.path) == pruned);
    put(&config.path, &out);
    catch_up(&store, &config, &rows()).unwrap();
    assert!(tree(&config.path) == pruned);
    let path = store.path().to_owned();
    store.close().unwrap();
    fs::remove_dir_all(&path).unwrap();
    let (store, healed) = open_store(&path, &config.path, at(99)).unwrap();
    assert_eq!(healed.map(|healed| (healed.seq, healed.articles, healed.lost)), Some((1007, 2, Vec::new())));
    assert_eq!(catch_up(&store, &config, &rows()).unwrap().files, 0);
    assert_eq!(store.check().problems, [""; 0]);
}

#[test]
fn no_title_can_break_the_front_matter() {
    for title in [
        "---",
        "Hết\n---\nkey: value",
        "\"trích\": 'dẫn' # không phải chú thích",
        "- a: [b, {c}] & *d !e %f @g `h",
        "\u{85}\u{2028}---\u{2029}\u{feff}\u{7f}\u{0}",
        "\\\" null ~",
    ] {
        let text = String::from_utf8(markdown(&article(1, title))).unwrap();
        let lines: Vec<&str> = text.split(['\n', '\u{85}', '\u{2028}', '\u{2029}']).collect();
        let end = lines.iter().skip(1).position(|line| *line == "---").unwrap() + 1;
        assert_eq!((lines[0], end), ("---", 23), "{title}");
        let (key, value) = lines[10].split_once(": ").unwrap();
        assert_eq!((key, serde_json::from_str::<String>(value).unwrap().as_str()), ("title", title));
        let keys: Vec<&str> = lines[1..end].iter().map(|line| line.split_once(": ").unwrap().0).collect();
        assert_eq!(keys[0..3], ["schema", "id", "rev"]);
        assert_eq!(keys[19..], ["topics", "copies", "extraction"]);
    }
}

#[test]
fn feeds_and_documents_escape_what_they_are_given() {
    let bad = "<script>&\"]]>\u{0}\u{b}";
    let article = Article {
        summary: Some(bad.to_owned()),
        authors: vec![bad.to_owned()],
        tags: vec![bad.to_owned()],
        blocks: vec![Block::Paragraph(vec![Run::Text(bad.to_owned())])],
        ..article(1, bad)
    };
    let feed = feeds::Feed::of("all".to_owned(), bad.to_owned(), vec![&article]);
    let atom = String::from_utf8(feeds::atom(&feed)).unwrap();
    assert!(!atom.contains("<script>") && !atom.contains("]]>") && !atom.contains(['\u{0}', '\u{b}']));
    assert!(atom.contains("&lt;p&gt;&amp;lt;script&amp;gt;"));
    let read: Value = serde_json::from_slice(&feeds::json_feed(&feed)).unwrap();
    assert_eq!(read["items"][0]["title"], bad);
    assert!(!String::from_utf8(html(&article)).unwrap().contains("<script>"));
}

#[test]
fn schemas_name_what_the_files_hold() {
    let article: Value = serde_json::from_slice(&json(&article(1, "Tin"))).unwrap();
    let change = serde_json::json!({"seq": 1, "at": "", "op": "", "id": "", "rev": 1, "path": "", "sha256": ""});
    let manifest: Value = serde_json::from_slice(&manifest::Manifest::empty(Vec::new()).write()).unwrap();
    for ((name, schema), object) in schemas().into_iter().zip([article, change, manifest]) {
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
        let keys = |of: &Value| of.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&schema["properties"]), keys(&object), "{name}");
        let required: Vec<String> = serde_json::from_value(schema["required"].clone()).unwrap();
        assert_eq!(required, keys(&object), "{name}");
    }
}

#[test]
fn a_revision_is_one_more_change() {
    let (dir, store) = open();
    let config = config(dir.path());
    keep(&store, 1, "Cũ", at(0));
    let mut mirror = Mirror::open(&config).unwrap();
    mirror.catch_up(&store, Some(&rows())).unwrap();
    let mark = settled_mark(&store, 1, Outcome::Revision { rev: 2 });
    let change = Change::Revise { article: Box::new(article(1, "Mới")), print: print(2) };
    store.settle("hungyen", &mark, change, None, at(5)).unwrap();
    mirror.catch_up(&store, Some(&rows())).unwrap();
    assert_eq!(problems(&config.path), [""; 0]);
    let out = tree(&config.path);
    let json: Value = serde_json::from_slice(&out[&path(&article(1, ""), "json")]).unwrap();
    assert_eq!((&json["title"], &json["history"][0]["rev"]), (&"Mới".into(), &2.into()));
    assert_eq!(json["history"].as_array().unwrap().len(), 1);
}

#[test]
fn the_archives_lead_back_through_every_day() {
    let (dir, store) = open();
    let config = config(dir.path());
    // days come and go in any order: 25, 26, then 24 before them, then 25 is left without articles
    for n in [1, 2, 3] {
        keep(&store, n, "Tin", at(0));
        catch_up(&store, &config, &rows()).unwrap();
    }
    let linked = || {
        let out = tree(&config.path);
        let mut path = "feeds/all.atom".to_owned();
        let mut days = Vec::new();
        loop {
            let text = String::from_utf8(out[&path].clone()).unwrap();
            assert_eq!(text.contains("<fh:archive"), path.contains("archive"));
            let Some((_, rest)) = text.split_once("rel=\"prev-archive\" href=\"") else { return days };
            let link = rest.split_once('"').unwrap().0.trim_start_matches("../");
            path = format!("feeds/{link}");
            days.push(link.to_owned());
        }
    };
    assert_eq!(linked(), ["archive/2024-01-26.atom", "archive/2024-01-25.atom", "archive/2024-01-24.atom"]);
    store.forget(&entry(1).id, at(9)).unwrap();
    catch_up(&store, &config, &rows()).unwrap();
    assert_eq!(linked(), ["archive/2024-01-26.atom", "archive/2024-01-24.atom"]);
    let kept = tree(&config.path);
    fs::remove_dir_all(&config.path).unwrap();
    rebuild(&store, &config, &rows()).unwrap();
    assert!(tree(&config.path) == kept);
    assert_eq!(problems(&config.path), [""; 0]);
}

#[test]
fn a_big_folder_lists_its_articles_by_month() {
    let (dir, store) = open();
    let config = config(dir.path());
    for n in 1..=4 {
        keep(&store, n, "Tin", at(0));
    }
    let mirror = |above| {
        let mut mirror = Mirror::open(&config).unwrap();
        mirror.fold_above = above;
        mirror
    };
    mirror(9).catch_up(&store, Some(&rows())).unwrap();
    let small = tree(&config.path);
    keep(&store, 5, "Tin", at(0));
    let mut open_mirror = mirror(4);
    open_mirror.catch_up(&store, Some(&rows())).unwrap();
    let big = tree(&config.path);
    let part = "articles/2024/01/manifest.json";
    assert_eq!(manifest::read_part(&big[part]).unwrap().len(), 15);
    let manifest = manifest::Manifest::read(&big["manifest.json"]).unwrap();
    assert_eq!(manifest.files.keys().filter(|path| path.starts_with("articles")).collect::<Vec<_>>(), [part]);
    assert_eq!(problems(&config.path), [""; 0]);
    // kept up to date, it is as made again; killed after the part was written, it goes on
    keep(&store, 6, "Tin", at(0));
    open_mirror.catch_up(&store, Some(&rows())).unwrap();
    let kept = tree(&config.path);
    mirror(4).rebuild(&store, &rows()).unwrap();
    assert!(tree(&config.path) == kept);
    fs::write(config.path.join("manifest.json"), &big["manifest.json"]).unwrap();
    mirror(4).catch_up(&store, Some(&rows())).unwrap();
    assert!(tree(&config.path) == kept);
    // a damaged part is found, and made again with the next change of its month
    fs::write(config.path.join(part), "x").unwrap();
    assert_eq!(problems(&config.path).len(), 1);
    store.forget(&entry(6).id, at(9)).unwrap();
    mirror(4).catch_up(&store, Some(&rows())).unwrap();
    assert_eq!(problems(&config.path), [""; 0]);
    // and back to one list, which the store can be made from as well as from parts
    let path = store.path().to_owned();
    store.close().unwrap();
    fs::remove_dir_all(&path).unwrap();
    let (store, healed) = open_store(&path, &config.path, at(99)).unwrap();
    assert_eq!(healed.map(|healed| (healed.articles, healed.lost)), Some((5, Vec::new())));
    store.forget(&entry(5).id, at(99)).unwrap();
    mirror(4).catch_up(&store, Some(&rows())).unwrap();
    assert_eq!(problems(&config.path), [""; 0]);
    let names = |tree: &Tree| tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&tree(&config.path)), names(&small));
}
