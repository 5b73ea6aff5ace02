use crate::article::{Article, Outcome, Page};
use crate::export::tests::{add_copy, config, problems, put, rows, tree};
use crate::export::{self, HEALED, Healed, catch_up, open_store, path, rebuild};
use crate::store::tests::{article, at, entry, feed, keep, open, print, settled_mark};
use crate::store::{Change, Kept, Logged, Mark, SiteState, Store};
use chrono::TimeDelta;
use std::fs;
use std::path::{Path, PathBuf};

/// Six articles, one of them revised, one taken away, all exported; then the store is closed.
fn house() -> (tempfile::TempDir, PathBuf, Vec<Kept>) {
    let (dir, store) = open();
    for n in 1..=6 {
        keep(&store, n, &format!("Tin \"{n}\" <b>"), at(i64::from(n)));
    }
    add_copy(&store, 2, 77);
    store.forget(&entry(4).id, at(60)).unwrap();
    catch_up(&store, &config(dir.path()), &rows()).unwrap();
    let kept = store.articles().map(|a| a.unwrap().1).collect();
    store.close().unwrap();
    let path = dir.path().join("var/store");
    (dir, path, kept)
}

fn again(dir: &Path, path: &Path) -> (Store, Option<Healed>) {
    open_store(path, &dir.join("out"), at(1000)).unwrap()
}

fn as_written(kept: &[Kept]) -> Vec<(u64, Vec<u8>)> {
    kept.iter().map(|kept| (kept.seq, export::json(&kept.article))).collect()
}

#[test]
fn a_good_store_is_opened_as_it_is() {
    let (dir, path, _) = house();
    assert_eq!(again(dir.path(), &path).1, None);
    // not closed: as a kill would leave it
    fs::write(path.join("open"), "").unwrap();
    let (store, healed) = again(dir.path(), &path);
    assert!(healed.is_none() && store.closed_well());
}

#[test]
fn a_lost_store_comes_back_from_the_folder() {
    let (dir, path, kept) = house();
    fs::remove_dir_all(&path).unwrap();
    let before = tree(&dir.path().join("out"));
    let (store, healed) = again(dir.path(), &path);
    let healed = healed.unwrap();
    assert_eq!((healed.articles, healed.seq, healed.lost.len()), (5, 8, 0));
    for part in ["wait", "off topic", "given up", "taught", "as served", "fingerprints of copies", "store.bad-"] {
        assert!(healed.to_string().contains(part), "{healed}");
    }
    assert_eq!(store.note::<Healed>(HEALED).unwrap(), Some(healed));
    assert_eq!(catch_up(&store, &config(dir.path()), &rows()).unwrap().files, 0);
    assert_eq!(rebuild(&store, &config(dir.path()), &rows()).unwrap().files, 0);
    assert!(tree(&dir.path().join("out")) == before);
    let now: Vec<Kept> = store.articles().map(|a| a.unwrap().1).collect();
    assert_eq!(as_written(&now), as_written(&kept));
    assert!(now.iter().zip(&kept).all(|(new, old)| new.article.blocks == old.article.blocks));
    assert_eq!(store.check().problems, [""; 0]);
    let entries: Vec<_> = (1..=7).map(entry).collect();
    store.learn("hungyen", &feed(), &entries, &Default::default(), at(1001)).unwrap();
    let due = |n| store.due("hungyen", at(n)).unwrap().into_iter().map(|mark| mark.entry.id).collect::<Vec<_>>();
    assert_eq!(due(1001), [entry(7).id]);
    assert_eq!(keep(&store, 7, "Bảy", at(1002)).seq, Some(9));
    // and what its feed words anew is due as ever
    let anew = crate::article::Entry { title: Some("Khác".to_owned()), ..entry(1) };
    store.learn("hungyen", &feed(), &[anew], &Default::default(), at(2000)).unwrap();
    assert_eq!(due(2000), [entry(1).id]);
}

/// What the JSON does not say cannot come back, so it has no part in any file.
#[test]
fn parts_of_a_second_change_no_byte_of_the_folder() {
    let (dir, store) = open();
    let mut numbers = [1_u32, 4, 7];
    numbers.sort_by_key(|n| entry(*n).id);
    for (nth, n) in numbers.into_iter().enumerate() {
        store.learn("hungyen", &feed(), &[entry(n)], &SiteState::default(), at(0)).unwrap();
        let part = TimeDelta::milliseconds(900 - 100 * nth as i64);
        let published_at = Some((at(0) + part).fixed_offset());
        let article = Box::new(Article { published_at, ..article(n, "Tin") });
        let change = Change::New { article, print: print(n) };
        store.settle("hungyen", &settled_mark(&store, n, Outcome::Stored), change, None, at(0)).unwrap();
    }
    catch_up(&store, &config(dir.path()), &rows()).unwrap();
    let before = tree(&dir.path().join("out"));
    let (store, _) = lost(dir.path(), store);
    assert_eq!(rebuild(&store, &config(dir.path()), &rows()).unwrap().files, 0);
    assert!(tree(&dir.path().join("out")) == before);
}

#[test]
fn a_damaged_store_is_moved_aside_and_two_are_kept() {
    let (dir, path, _) = house();
    for n in 0..3 {
        let length = fs::metadata(path.join("db")).unwrap().len() as usize;
        fs::write(path.join("db"), vec![0xa5; length]).unwrap();
        let (store, healed) = open_store(&path, &dir.path().join("out"), at(n)).unwrap();
        assert!(healed.is_some_and(|healed| healed.articles == 5 && healed.aside.is_some_and(|aside| aside.exists())));
        store.close().unwrap();
    }
    let names = fs::read_dir(path.parent().unwrap()).unwrap().map(|item| item.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["store", "store.bad-20240124T100700Z", "store.bad-20240124T100800Z"]);
}

#[test]
fn what_the_store_forgot_the_folder_remembers() {
    let (dir, path, _) = house();
    let (store, _) = again(dir.path(), &path);
    store.close().unwrap();
    let old = dir.path().join("old");
    fs::create_dir(&old).unwrap();
    for file in ["db", "conf"] {
        fs::copy(path.join(file), old.join(file)).unwrap();
    }
    let (store, _) = again(dir.path(), &path);
    keep(&store, 8, "Tám", at(100));
    catch_up(&store, &config(dir.path()), &rows()).unwrap();
    store.close().unwrap();
    fs::remove_dir_all(&path).unwrap();
    fs::rename(&old, &path).unwrap();
    fs::create_dir(path.join("blobs")).unwrap();
    let (store, healed) = again(dir.path(), &path);
    let healed = healed.unwrap();
    assert_eq!((healed.why.as_str(), &healed.aside), ("it ends at change 8, the export folder at 9", &None));
    assert!(store.article(&entry(8).id).unwrap().is_some());
}

/// A store with more than articles, its backup, and the same store some changes later, all exported and closed.
fn backed_up() -> (tempfile::TempDir, PathBuf, Vec<Kept>) {
    let (dir, store) = open();
    for n in 1..=4 {
        keep(&store, n, &format!("Tin {n}"), at(i64::from(n)));
    }
    store.learn("hungyen", &feed(), &[entry(8), entry(9)], &SiteState::default(), at(5)).unwrap();
    let page = Page { url: entry(9).url, content_type: None, body: b"<p>x</p>".to_vec() };
    store.settle("hungyen", &settled_mark(&store, 9, Outcome::OffTopic), Change::None, Some(&page), at(6)).unwrap();
    catch_up(&store, &config(dir.path()), &rows()).unwrap();
    store.backup(&dir.path().join("saved"), at(7)).unwrap();
    keep(&store, 8, "Tám", at(10));
    add_copy(&store, 2, 77);
    store.forget(&entry(1).id, at(60)).unwrap();
    store.forget(&entry(3).id, at(60)).unwrap();
    keep(&store, 3, "Ba lần nữa", at(61));
    keep(&store, 5, "Năm", at(62));
    store.forget(&entry(5).id, at(63)).unwrap();
    catch_up(&store, &config(dir.path()), &rows()).unwrap();
    let kept = store.articles().map(|a| a.unwrap().1).collect();
    let path = store.path().to_owned();
    store.close().unwrap();
    (dir, path, kept)
}

fn restored(dir: &Path, path: &Path) {
    fs::remove_dir_all(path).unwrap();
    Store::restore(&dir.join("saved"), path).unwrap();
}

/// What only a store knows is still there, and what came later too.
fn took_over(dir: &Path, path: &Path, kept: &[Kept]) {
    let out = tree(&dir.join("out"));
    let (store, healed) = again(dir, path);
    let healed = healed.unwrap();
    assert_eq!((&healed.aside, healed.seq, &healed.lost), (&None, 11, &Vec::new()), "{healed}");
    assert!(!healed.to_string().contains("begins anew"), "{healed}");
    assert_eq!(healed.why, "it ends at change 4, the export folder at 11");
    assert_eq!(store.check().problems, [""; 0]);
    let now: Vec<Kept> = store.articles().map(|a| a.unwrap().1).collect();
    assert_eq!(as_written(&now), as_written(kept));
    let mark = |n| store.mark("hungyen", &entry(n).id).unwrap().unwrap();
    assert_eq!(mark(9).outcome, Some(Outcome::OffTopic));
    assert!(store.raw(&entry(9).id, at(6)).unwrap().is_some());
    assert_eq!((mark(8).outcome, mark(8).due), (Some(Outcome::Stored), None));
    store.learn("hungyen", &feed(), &[entry(1), entry(5)], &SiteState::default(), at(1001)).unwrap();
    assert_eq!(store.due("hungyen", at(9000)).unwrap(), [] as [Mark; 0]);
    assert_eq!(catch_up(&store, &config(dir), &rows()).unwrap().files, 0);
    assert_eq!(rebuild(&store, &config(dir), &rows()).unwrap().files, 0);
    assert!(tree(&dir.join("out")) == out);
    store.close().unwrap();
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing was moved aside");
}

#[test]
fn a_restored_backup_is_kept_and_takes_over_what_the_folder_has_since() {
    let (dir, path, kept) = backed_up();
    restored(dir.path(), &path);
    took_over(dir.path(), &path, &kept);
    assert_eq!(again(dir.path(), &path).1, None);
    // killed in the middle of it
    restored(dir.path(), &path);
    let store = Store::open_again(&path).unwrap();
    store.put_note("behind", &4_u64).unwrap();
    store.refill_deleted(&entry(3).id, at(60), at(1000)).unwrap();
    store.refill_article(9, kept.iter().find(|kept| kept.seq == 9).unwrap().clone(), at(1000)).unwrap();
    store.close().unwrap();
    took_over(dir.path(), &path, &kept);
}

#[test]
fn what_is_lost_of_the_changes_since_leaves_the_text_of_the_backup() {
    let (dir, path_of_store, _) = backed_up();
    let (out, gone) = (dir.path().join("out"), path(&article(2, ""), "json"));
    fs::write(out.join(&gone), "{}").unwrap();
    fs::remove_file(out.join("daily/2024-01-26.jsonl")).unwrap();
    restored(dir.path(), &path_of_store);
    let (store, healed) = again(dir.path(), &path_of_store);
    let healed = healed.unwrap();
    assert!(healed.aside.is_none() && healed.lost.len() == 1 && healed.lost[0].starts_with(&gone), "{healed}");
    let article = store.article(&entry(2).id).unwrap().unwrap();
    assert_eq!((article.rev, article.title.as_str(), article.history.len()), (3, "Tin 2", 1));
    assert_eq!(store.check().problems, [""; 0]);
    rebuild(&store, &config(dir.path()), &rows()).unwrap();
    assert_eq!(problems(&out), [""; 0]);
}

#[test]
fn where_changes_since_are_damaged_the_store_is_made_again() {
    let (dir, path, _) = backed_up();
    let log = dir.path().join("out/changes/1.jsonl");
    let mut lines: Vec<Vec<u8>> =
        fs::read(&log).unwrap().split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    lines[5] = b"{}\n".to_vec();
    fs::write(&log, lines.concat()).unwrap();
    restored(dir.path(), &path);
    let (store, healed) = again(dir.path(), &path);
    assert!(healed.is_some_and(|healed| healed.aside.is_some() && healed.why.ends_with("are damaged")));
    assert_eq!(store.check().problems, [""; 0]);
}

/// Three articles, exported, of which the change log tells no more; the store is open.
fn older_than_the_log() -> (tempfile::TempDir, Store, Vec<Kept>) {
    let (dir, store) = open();
    for n in 1..=3 {
        keep(&store, n, &format!("Tin {n}"), at(0));
    }
    let last = store.change(3).unwrap().unwrap();
    let lines: Vec<Logged> = (4..=1000).map(|seq| Logged { seq, ..last.clone() }).collect();
    store.refill_changes(&lines).unwrap();
    keep(&store, 4, "Tin 4", at(60));
    assert_eq!(store.prune_changes(TimeDelta::minutes(30), at(60)).unwrap(), 1000);
    catch_up(&store, &config(dir.path()), &rows()).unwrap();
    let mut kept: Vec<Kept> = store.articles().map(|a| a.unwrap().1).collect();
    kept[..3].sort_by(|a, b| a.article.id.cmp(&b.article.id));
    (dir, store, kept)
}

fn lost(dir: &Path, store: Store) -> (Store, Healed) {
    let path = store.path().to_owned();
    store.close().unwrap();
    fs::remove_dir_all(&path).unwrap();
    let (store, healed) = again(dir, &path);
    assert_eq!(store.check().problems, [""; 0]);
    (store, healed.unwrap())
}

fn told(kept: impl Iterator<Item = Kept>) -> Vec<(String, u32, String)> {
    kept.map(|Kept { article, .. }| (article.id.to_string(), article.rev, export::sha256(&export::json(&article))))
        .collect()
}

#[test]
fn articles_older_than_the_log_come_back_in_the_order_of_their_first_sight() {
    let (dir, store, kept) = older_than_the_log();
    let (store, healed) = lost(dir.path(), store);
    assert_eq!((healed.articles, healed.seq, healed.lost), (4, 1001, Vec::new()));
    assert_eq!(store.articles().map(|a| a.unwrap().0).collect::<Vec<_>>(), [1, 2, 3, 1001]);
    assert_eq!(told(store.articles().map(|a| a.unwrap().1)), told(kept.into_iter()));
}

/// Then only the day and the manifest know it as it was acknowledged.
#[test]
fn an_article_older_than_the_log_outlives_a_round_that_was_killed() {
    let (dir, store, kept) = older_than_the_log();
    add_copy(&store, 1, 77);
    let (path, newer) = (path(&article(1, ""), "json"), store.article(&entry(1).id).unwrap().unwrap());
    fs::write(dir.path().join("out").join(&path), export::json(&newer)).unwrap();
    let (store, healed) = lost(dir.path(), store);
    assert_eq!(healed.lost, [format!("{path} is damaged, its day's file was used instead")]);
    assert_eq!(told(store.articles().map(|a| a.unwrap().1)), told(kept.clone().into_iter()));
    // and so it does where its file is gone
    fs::remove_file(dir.path().join("out").join(&path)).unwrap();
    let (store, healed) = lost(dir.path(), store);
    assert_eq!(healed.lost, [format!("{path} is missing, its day's file was used instead")]);
    assert_eq!(told(store.articles().map(|a| a.unwrap().1)), told(kept.into_iter()));
    rebuild(&store, &config(dir.path()), &rows()).unwrap();
    assert_eq!(problems(&dir.path().join("out")), [""; 0]);
}

#[test]
fn a_folder_of_another_store_is_not_taken_for_its_own() {
    let (dir, path, _) = house();
    fs::remove_dir_all(&path).unwrap();
    let store = Store::open_again(&path).unwrap();
    keep(&store, 9, "Khác", at(3));
    store.close().unwrap();
    assert_eq!(again(dir.path(), &path).1, None);
}

/// Both are damaged: what can be verified is taken, the rest is named, and the folder made from it is whole.
#[test]
fn each_damaged_file_of_the_folder_is_named() {
    let (dir, path_of_store, kept) = house();
    let out = dir.path().join("out");
    let whole = tree(&out);
    let held = |name: &&String| ["articles", "changes", "daily", "manifest"].iter().any(|held| name.starts_with(held));
    for name in whole.keys().filter(held).filter(|name| !name.ends_with(".md") && !name.ends_with(".html")) {
        for bad in [None, Some(whole[name].len() / 2)] {
            fs::remove_dir_all(&out).unwrap();
            put(&out, &whole);
            match bad {
                None => fs::remove_file(out.join(name)).unwrap(),
                Some(at) => {
                    let mut bytes = whole[name].clone();
                    bytes[at] ^= 1;
                    fs::write(out.join(name), bytes).unwrap();
                }
            }
            fs::remove_dir_all(&path_of_store).unwrap();
            let (store, healed) = again(dir.path(), &path_of_store);
            let healed = healed.unwrap_or_else(|| panic!("{name} {bad:?}"));
            assert_eq!(healed.articles, 5, "{name} {bad:?} {healed}");
            assert_eq!(store.check().problems, [""; 0], "{name} {bad:?}");
            let now = store.articles().map(|a| export::json(&a.unwrap().1.article));
            let (mut now, mut old): (Vec<_>, Vec<_>) =
                (now.collect(), as_written(&kept).into_iter().map(|k| k.1).collect());
            now.sort();
            old.sort();
            assert!(now == old, "{name} {bad:?}");
            rebuild(&store, &config(dir.path()), &rows()).unwrap();
            assert_eq!(problems(&out), [""; 0], "{name} {bad:?}");
            store.close().unwrap();
        }
    }
}

#[test]
fn an_article_that_is_damaged_everywhere_is_given_up_and_may_come_again() {
    let (dir, path_of_store, _) = house();
    let out = dir.path().join("out");
    let gone = path(&article(1, ""), "json");
    fs::write(out.join(&gone), "{}").unwrap();
    fs::remove_file(out.join("daily/2024-01-25.jsonl")).unwrap();
    fs::remove_dir_all(&path_of_store).unwrap();
    let (store, healed) = again(dir.path(), &path_of_store);
    let healed = healed.unwrap();
    assert_eq!((healed.articles, healed.seq), (4, 9));
    assert!(healed.lost.len() == 1 && healed.lost[0].starts_with(&gone), "{healed}");
    assert_eq!(store.check().problems, [""; 0]);
    rebuild(&store, &config(dir.path()), &rows()).unwrap();
    assert_eq!(problems(&out), [""; 0]);
    store.learn("hungyen", &feed(), &[entry(1)], &Default::default(), at(1001)).unwrap();
    assert_eq!(store.due("hungyen", at(1001)).unwrap().len(), 1);
}

#[test]
fn of_many_lost_files_some_are_named_and_all_are_counted() {
    let (dir, store) = open();
    for n in 1..=45 {
        keep(&store, n, "Tin", at(0));
    }
    let out = config(dir.path());
    catch_up(&store, &out, &rows()).unwrap();
    fs::remove_dir_all(out.path.join("articles")).unwrap();
    fs::remove_dir_all(out.path.join("daily")).unwrap();
    let (_store, healed) = lost(dir.path(), store);
    assert_eq!((healed.lost.len(), healed.lost_besides), (20, 25));
    let said = healed.to_string();
    assert!(said.contains("; 45 files of the folder could not be used: ") && said.contains("; and 25 more"), "{said}");
}

#[test]
fn where_both_are_gone_it_begins_empty() {
    let (dir, path, _) = house();
    fs::remove_dir_all(dir.path().join("out")).unwrap();
    fs::write(path.join("db"), vec![0xa5; 100_000]).unwrap();
    let (store, healed) = again(dir.path(), &path);
    assert!(healed.is_some_and(|healed| healed.lost.len() == 1));
    assert_eq!(store.seq(), 0);
}
