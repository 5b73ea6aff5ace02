use super::*;
use crate::article::*;
use chrono::{NaiveDate, TimeDelta};

/// 2024-01-24 10:06:00 UTC and some minutes.
pub fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_706_090_760, 0).unwrap() + TimeDelta::minutes(minutes)
}

pub fn entry(n: u32) -> Entry {
    let url: Url = format!("https://danvan.example.vn/tin/{n}.html").parse().unwrap();
    Entry {
        id: Id::of(&url),
        url,
        title: Some(format!("Tin {n}")),
        published: None,
        updated: None,
        authors: Vec::new(),
        summary: Some("<p>Tóm tắt</p>".to_owned()),
        content: None,
    }
}

pub fn article(n: u32, title: &str) -> Article {
    let entry = entry(n);
    Article {
        id: entry.id,
        rev: 1,
        url: entry.url,
        site: SiteRef {
            id: "hungyen".to_owned(),
            name: "Ban Dân vận".to_owned(),
            province: "Hưng Yên".to_owned(),
            province_now: "Hưng Yên".to_owned(),
            kind: Kind::Party,
            insecure: false,
        },
        title: title.to_owned(),
        summary: None,
        authors: vec!["Nguyễn Văn A".to_owned()],
        language: "vi".to_owned(),
        published_at: Some(at(i64::from(n)).fixed_offset()),
        published_from: DateFrom::Page,
        first_seen_at: at(100),
        updated_at: at(100),
        day: NaiveDate::from_ymd_opt(2024, 1, 24 + n % 3).unwrap(),
        blocks: vec![Block::Paragraph(vec![Run::Text(format!("Bài số {n}: ba điển hình dân vận khéo."))])],
        images: Vec::new(),
        tags: vec!["dân vận".to_owned()],
        topics: vec![TopicMatch { id: "dan-van".to_owned(), score: 0.1 + 0.2, hits: Vec::new() }],
        copies: Vec::new(),
        history: Vec::new(),
        extraction: Extraction { method: Method::Layout, dropped: 3, degraded: None },
    }
}

/// The print of a text that is unlike those of other numbers.
pub fn print(n: u32) -> Print {
    Print::of("", &format!("Văn bản thứ {n}"))
}

pub fn copy(n: u32, similarity: f64) -> Copy {
    let entry = entry(n);
    Copy {
        url: entry.url,
        site: "longan".to_owned(),
        title: "Bản sao".to_owned(),
        published_at: None,
        similarity,
        relation: None,
    }
}

pub fn feed() -> Url {
    "https://danvan.example.vn/rss".parse().unwrap()
}

/// Learns and settles one article.
pub fn keep(store: &Store, n: u32, title: &str, now: DateTime<Utc>) -> Settled {
    store.learn("hungyen", &feed(), &[entry(n)], &SiteState::default(), now).unwrap();
    let mark = settled_mark(store, n, Outcome::Stored);
    let change = Change::New { article: Box::new(article(n, title)), print: print(n) };
    store.settle("hungyen", &mark, change, None, now).unwrap()
}

pub fn settled_mark(store: &Store, n: u32, outcome: Outcome) -> Mark {
    let mark = store.mark("hungyen", &entry(n).id).unwrap().unwrap();
    Mark { due: None, outcome: Some(outcome), ..mark }
}

pub fn open() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open_again(&dir.path().join("var/store")).unwrap();
    (dir, store)
}

#[test]
fn what_is_settled_is_there_after_a_restart() {
    let (dir, store) = open();
    let first = keep(&store, 1, "Một", at(0));
    assert_eq!(first, Settled { key: Some(1), seq: Some(1), rev: 1 });
    keep(&store, 2, "Hai", at(1));
    let kept = store.article_at(1).unwrap();
    store.sync().unwrap();
    drop(store);
    let store = Store::open_again(&dir.path().join("var/store")).unwrap();
    assert_eq!(store.article_at(1).unwrap(), kept);
    assert_eq!(kept.unwrap().title, "Một");
    assert_eq!((store.seq(), store.synced()), (2, 2));
    assert_eq!(store.prints().map(|p| p.unwrap().0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(store.changes(1).map(|c| c.unwrap().id).collect::<Vec<_>>(), [entry(2).id]);
    assert_eq!(keep(&store, 3, "Ba", at(2)).key, Some(3));
}

#[test]
fn a_second_opener_is_told_at_once() {
    let (dir, store) = open();
    let path = dir.path().join("var/store");
    assert!(matches!(Store::open(&path), Err(StoreError::Held(_))));
    drop(store);
    assert!(Store::open_again(&path).is_ok());
}

#[test]
fn a_damaged_store_is_an_error_not_a_panic() {
    let (dir, store) = open();
    for n in 0..50 {
        keep(&store, n, "Tin", at(0));
        let page = Page { url: entry(n).url, content_type: None, body: record::tests::noise(60_000).into_bytes() };
        store.settle("hungyen", &settled_mark(&store, n, Outcome::Stored), Change::None, Some(&page), at(0)).unwrap();
    }
    store.sync().unwrap();
    drop(store);
    let felt = (0..24).filter(|n| feels_damage(&dir.path().join("var/store"), *n)).count();
    assert!(felt > 0);
}

/// Opens a copy with 64 bytes of its log turned round. It may open, since sled takes damage near the end for a torn
/// write and forgets what follows; what it may not do is end the process.
fn feels_damage(path: &Path, n: usize) -> bool {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("blobs")).unwrap();
    for file in std::fs::read_dir(path).unwrap().map(|file| file.unwrap()) {
        if file.file_type().unwrap().is_file() {
            std::fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
        }
    }
    let db = dir.path().join("db");
    let mut bytes = std::fs::read(&db).unwrap();
    let used = bytes.iter().rposition(|b| *b != 0).unwrap();
    let from = used * n / 24;
    bytes[from..(from + 64).min(used)].iter_mut().for_each(|b| *b = !*b);
    std::fs::write(&db, bytes).unwrap();
    match Store::open(dir.path()) {
        Ok(store) => store.articles().filter(Result::is_ok).count() < 50,
        Err(StoreError::Held(why)) => panic!("held: {why}"),
        Err(_) => true,
    }
}

#[test]
fn after_a_failed_sync_nothing_is_believed_until_it_is_opened_again() {
    let (dir, store) = open();
    keep(&store, 1, "Một", at(0));
    store.sync().unwrap();
    let (db, away) = (dir.path().join("var/store/db"), dir.path().join("db"));
    std::fs::rename(&db, &away).unwrap();
    store.learn("hungyen", &feed(), &[entry(2)], &SiteState::default(), at(1)).unwrap();
    assert!(matches!(store.sync(), Err(StoreError::Io(_))));
    std::fs::rename(&away, &db).unwrap();
    assert!(matches!(store.sync(), Err(StoreError::Poisoned { .. })));
    assert!(matches!(store.article(&entry(1).id), Err(StoreError::Poisoned { .. })));
    assert!(matches!(store.put_site("hungyen", &SiteState::default()), Err(StoreError::Poisoned { .. })));
    assert!(matches!(store.articles().next(), Some(Err(StoreError::Poisoned { .. }))));
    assert!(store.poisoned().is_some());
    drop(store);
    let store = Store::open_again(&dir.path().join("var/store")).unwrap();
    assert_eq!((store.seq(), store.articles().count()), (1, 1));
}

#[test]
fn another_schema_is_refused() {
    let (dir, store) = open();
    let parts = record::pack(&99_u32).unwrap();
    store.transaction(|trees| record::put(&trees.meta, b"schema", &parts)).unwrap();
    store.sync().unwrap();
    drop(store);
    let again = Store::open_again(&dir.path().join("var/store"));
    assert!(matches!(again, Err(StoreError::Schema { found: 99, .. })));
}

#[test]
fn a_damaged_value_names_its_tree_and_key() {
    let (_dir, store) = open();
    keep(&store, 1, "Một", at(0));
    let key = 1_u64.to_be_bytes();
    let mut value = store.trees.articles.get(key).unwrap().unwrap().to_vec();
    *value.last_mut().unwrap() ^= 1;
    store.trees.articles.insert(key, value).unwrap();
    let error = store.article_at(1).unwrap_err();
    assert!(matches!(&error, StoreError::Value { tree: "articles", key, .. } if key == "1"), "{error}");
}

#[test]
fn entries_wait_until_they_are_settled() {
    let (_dir, store) = open();
    let state = SiteState { failures: 7, ..SiteState::default() };
    let learn = |numbers: &[u32], now| {
        let entries: Vec<Entry> = numbers.iter().map(|n| entry(*n)).collect();
        store.learn("hungyen", &feed(), &entries, &state, now).unwrap()
    };
    assert_eq!(learn(&[1, 2, 2], at(0)), 2);
    assert_eq!(learn(&[2, 3], at(5)), 1);
    assert_eq!(store.site("hungyen").unwrap(), state);
    assert_eq!(store.due("hungyen", at(4)).unwrap().len(), 2);
    assert_eq!(store.due("hungyen", at(5)).unwrap().len(), 3);
    assert_eq!(store.due("other", at(5)).unwrap().len(), 0);
    let mark = settled_mark(&store, 1, Outcome::OffTopic);
    let judged = vec![Judged { id: "dan-van".to_owned(), score: 0.4, selected: false, hits: Vec::new() }];
    store.settle("hungyen", &Mark { judged: judged.clone(), ..mark }, Change::None, None, at(6)).unwrap();
    let mark = store.mark("hungyen", &entry(1).id).unwrap().unwrap();
    assert_eq!((mark.judged, mark.settled, mark.entry.summary), (judged, Some(at(6)), None));
    let later = store.mark("hungyen", &entry(2).id).unwrap().unwrap();
    store.settle("hungyen", &Mark { due: Some(at(60)), ..later }, Change::None, None, at(6)).unwrap();
    let due = store.due("hungyen", at(7)).unwrap();
    assert_eq!(due.iter().map(|m| &m.entry.id).collect::<Vec<_>>(), [&entry(3).id]);
    assert_eq!(store.next_due("hungyen").unwrap(), Some(at(5)));
    assert_eq!((store.waiting_count("hungyen").unwrap(), store.seq()), (2, 0));
    let settle = |outcome| {
        store.settle("hungyen", &settled_mark(&store, 3, outcome), Change::None, None, at(8)).unwrap();
        store.gave_up_count("hungyen").unwrap()
    };
    assert_eq!(settle(Outcome::GaveUp { why: "HTTP 404: not there".to_owned() }), 1);
    assert_eq!(settle(Outcome::OffTopic), 0);
}

#[test]
fn an_entry_that_its_feed_words_anew_is_due_again_but_not_at_once() {
    let (_dir, store) = open();
    let learn = |title: &str, feed: &Url, now| {
        let entry = Entry { title: Some(title.to_owned()), ..entry(1) };
        store.learn("hungyen", feed, std::slice::from_ref(&entry), &SiteState::default(), now).unwrap();
        store.mark("hungyen", &entry.id).unwrap().unwrap().due
    };
    let settle = |outcome, now| {
        let mark = settled_mark(&store, 1, outcome);
        let change = Change::New { article: Box::new(article(1, "Tin")), print: print(1) };
        store.settle("hungyen", &mark, change, None, now).unwrap();
    };
    learn("A", &feed(), at(0));
    settle(Outcome::OffTopic, at(1));
    assert_eq!(learn("A", &feed(), at(2)), None);
    assert_eq!(learn("B", &"https://danvan.example.vn/other".parse().unwrap(), at(2)), None);
    assert_eq!(learn("B", &feed(), at(2)), Some(at(61)));
    settle(Outcome::Unchanged, at(61));
    assert_eq!(learn("C", &feed(), at(62)), Some(at(61 + 120)));
    settle(Outcome::Unchanged, at(200));
    assert_eq!(learn("D", &feed(), at(201)), Some(at(200 + 240)));
    settle(Outcome::Revision { rev: 2 }, at(500));
    assert_eq!(learn("E", &feed(), at(1000)), Some(at(1000)));
}

/// After a day without news nobody knows which of two feeds still shows an entry: what the other says may be an edit.
#[test]
fn an_entry_that_another_feed_words_anew_after_a_quiet_day_is_due() {
    let (_dir, store) = open();
    keep(&store, 1, "Một", at(0));
    let (other, id): (Url, Id) = ("https://danvan.example.vn/chuyen-muc/rss".parse().unwrap(), entry(1).id);
    let learn = |feed: &Url, title: &str, hours| {
        let entry = Entry { title: Some(title.to_owned()), ..entry(1) };
        store.learn("hungyen", feed, &[entry], &SiteState::default(), at(0) + TimeDelta::hours(hours)).unwrap();
        store.mark("hungyen", &id).unwrap().unwrap().due
    };
    let title = entry(1).title.unwrap();
    assert_eq!(learn(&other, "Khác", 1), None, "two feeds may word it differently");
    assert_eq!(learn(&other, &title, 30), None, "the same words");
    assert_eq!(learn(&feed(), "Sửa", 31), None);
    assert_eq!(learn(&feed(), "Sửa", 60), Some(at(0) + TimeDelta::hours(60)));
}

#[test]
fn marks_go_ninety_days_after_their_entry_was_last_seen() {
    let (_dir, store) = open();
    keep(&store, 1, "Một", at(0));
    store.learn("hungyen", &feed(), &[entry(2)], &SiteState::default(), at(0)).unwrap();
    let learn = |days| {
        store.learn("hungyen", &feed(), &[entry(3)], &SiteState::default(), at(0) + TimeDelta::days(days)).unwrap();
        [1, 2, 3].map(|n| store.mark("hungyen", &entry(n).id).unwrap().is_some())
    };
    assert_eq!(learn(89), [true, true, true]);
    assert_eq!(learn(91), [false, true, true]);
    assert!(store.article(&entry(1).id).unwrap().is_some());
}

#[test]
fn a_copy_becomes_a_row_of_the_first() {
    let (_dir, store) = open();
    keep(&store, 1, "Một", at(0));
    store.learn("hungyen", &feed(), &[entry(2)], &SiteState::default(), at(1)).unwrap();
    let settle = |row: Copy, print| {
        let mark = settled_mark(&store, 2, Outcome::Duplicate { of: entry(1).id });
        store.settle("hungyen", &mark, Change::Copied { of: entry(1).id, copy: row, print }, None, at(2)).unwrap()
    };
    assert_eq!(settle(copy(2, 0.9), Some(print(2))), Settled { key: Some(1), seq: Some(2), rev: 2 });
    assert_eq!(settle(copy(2, 0.9), None), Settled::default());
    assert_eq!(settle(copy(2, 0.8), None).rev, 3);
    let article = store.article(&entry(1).id).unwrap().unwrap();
    assert_eq!((article.rev, article.copies.len(), article.history.len()), (3, 1, 2));
    assert_eq!(article.copies[0].similarity, 0.8);
    assert_eq!(article.updated_at, at(2));
    assert!(store.prints().all(|p| p.unwrap().0 == 1));
}

#[test]
fn a_revision_stays_in_its_place_and_keeps_its_copies() {
    let (_dir, store) = open();
    keep(&store, 1, "Một", at(0));
    let mark = settled_mark(&store, 1, Outcome::Revision { rev: 2 });
    let change = Change::Copied { of: entry(1).id, copy: copy(2, 0.9), print: None };
    store.settle("hungyen", &mark, change, None, at(1)).unwrap();
    let moved = NaiveDate::from_ymd_opt(2020, 1, 1).unwrap();
    let new = Article { day: moved, first_seen_at: at(999), updated_at: at(3), ..article(1, "Mới") };
    let change = Change::Revise { article: Box::new(new), print: print(9) };
    let settled = store.settle("hungyen", &mark, change, None, at(3)).unwrap();
    assert_eq!(settled, Settled { key: Some(1), seq: Some(3), rev: 3 });
    let now = store.article(&entry(1).id).unwrap().unwrap();
    assert_eq!((now.title.as_str(), now.day, now.first_seen_at), ("Mới", article(1, "").day, at(100)));
    assert_eq!((now.copies.len(), now.history.len(), now.history[1].rev), (1, 2, 3));
    assert_eq!(store.articles().count(), 1);
}

#[test]
fn the_history_of_an_article_is_bounded() {
    let (_dir, store) = open();
    keep(&store, 1, "Một", at(0));
    let mark = settled_mark(&store, 1, Outcome::Stored);
    for n in 1..=60_u32 {
        let change = match n % 2 {
            0 => Change::Copied { of: entry(1).id, copy: copy(2, f64::from(n)), print: None },
            _ => Change::Revise { article: Box::new(article(1, &format!("Tin {n}"))), print: print(1) },
        };
        store.settle("hungyen", &mark, change, None, at(i64::from(n))).unwrap();
    }
    let article = store.article(&entry(1).id).unwrap().unwrap();
    let told: Vec<u32> = article.history.iter().map(|line| line.rev).collect();
    assert_eq!((article.rev, told), (61, (12..=61).collect()));
    assert_eq!(article.history[0].why, "revisions up to 12, no longer told one by one");
    assert!(article.history[1].why != article.history[0].why);
}

#[test]
fn a_forgotten_article_leaves_a_tombstone_and_its_mark() {
    let (_dir, store) = open();
    keep(&store, 1, "Một", at(0));
    keep(&store, 2, "Hai", at(0));
    assert_eq!(store.forget(&entry(1).id, at(9)).unwrap().seq, Some(3));
    assert_eq!(store.forget(&entry(1).id, at(9)).unwrap(), Settled::default());
    assert_eq!(store.article(&entry(1).id).unwrap(), None);
    assert!(store.mark("hungyen", &entry(1).id).unwrap().is_some());
    let last = store.change(3).unwrap().unwrap();
    assert_eq!((last.op, last.id, last.sha256), (Op::Delete, entry(1).id, None));
    assert_eq!(store.latest().collect::<Result<Vec<_>>>().unwrap(), [2]);
    assert_eq!(store.of_day(article(1, "").day).count(), 0);
    assert_eq!(store.of_province("hung-yen").collect::<Result<Vec<_>>>().unwrap(), [2]);
}

#[test]
fn beyond_the_limits_the_first_to_come_go_and_do_not_come_back() {
    let (dir, store) = open();
    for n in 1..=6 {
        keep(&store, n, "Tin", at(0));
    }
    let measured = store.measured().unwrap();
    assert_eq!((store.volume(), measured.articles), (measured, 6));
    let none = Limits::default();
    assert_eq!(store.retain(&none, at(9_999_999), 10).unwrap(), [0; 0]);
    let two_less = Limits { max_articles: Some(4), ..none };
    assert_eq!(store.retain(&two_less, at(200), 1).unwrap(), [1]);
    assert_eq!(store.retain(&two_less, at(200), 10).unwrap(), [2]);
    let one_less = Limits { max_bytes: Some(store.volume().bytes - 1), ..none };
    assert_eq!(store.retain(&one_less, at(200), 10).unwrap(), [3]);
    let old = |days: u64| Limits { max_age: Some(std::time::Duration::from_secs(days * 86400)), ..none };
    assert_eq!(store.retain(&old(3), at(100) + TimeDelta::days(3), 10).unwrap(), [0; 0]);
    assert_eq!(store.retain(&old(2), at(100) + TimeDelta::days(3), 2).unwrap(), [4, 5]);
    assert_eq!(store.check().problems, [""; 0]);
    let volume = store.volume();
    assert_eq!((volume, volume.articles), (store.measured().unwrap(), 1));
    let anew = Entry { title: Some("Mới".to_owned()), ..entry(1) };
    store.learn("hungyen", &feed(), &[anew], &SiteState::default(), at(9000)).unwrap();
    assert_eq!(store.due("hungyen", at(99_000)).unwrap().len(), 0);
    assert!(store.let_go(&store.mark("hungyen", &entry(1).id).unwrap().unwrap()).unwrap());
    assert!(!store.let_go(&store.mark("hungyen", &entry(6).id).unwrap().unwrap()).unwrap());
    assert_eq!(store.past(2).unwrap().map(|past| past.id), Some(entry(2).id));
    assert_eq!((store.past(6).unwrap(), store.prints().count()), (None, 6), "a copy may still come");
    let later = |days| at(200) + TimeDelta::days(days);
    assert_eq!(store.prune_past(later(90), 10).unwrap(), [0; 0]);
    assert_eq!(store.prune_past(later(91), 2).unwrap(), [1, 2]);
    assert_eq!(store.prune_past(later(99), 10).unwrap(), [3, 4, 5]);
    assert_eq!((store.prints().count(), store.check().problems), (1, Vec::new()));
    drop(store);
    assert_eq!(Store::open_again(&dir.path().join("var/store")).unwrap().volume(), volume);
}

#[test]
fn each_kind_of_damage_is_found_by_the_check() {
    let damages: [fn(&Store); 12] = [
        |s| drop(s.trees.articles.remove(1_u64.to_be_bytes()).unwrap()),
        |s| drop(s.trees.ids.remove(entry(1).id.as_str()).unwrap()),
        |s| drop(s.trees.prints.remove(1_u64.to_be_bytes()).unwrap()),
        |s| drop(s.trees.changes.remove(1_u64.to_be_bytes()).unwrap()),
        |s| drop(s.trees.changes.remove(2_u64.to_be_bytes()).unwrap()),
        |s| drop(s.trees.shelves.pop_min().unwrap()),
        |s| drop(s.trees.shelves.insert(b"d2020-01-01\0\0\0\0\0\0\0\0\x01", b"").unwrap()),
        |s| drop(s.trees.due.pop_min().unwrap()),
        |s| drop(s.trees.gone.insert(b"x", b"").unwrap()),
        |s| drop(s.trees.raw.insert([0; 30], b"x").unwrap()),
        |s| drop(s.trees.learned.insert("hungyen", b"x").unwrap()),
        |s| drop(s.trees.entries.insert([b"a\0".as_slice(), entry(5).id.as_str().as_bytes()].concat(), b"x").unwrap()),
    ];
    let (_dir, store) = open();
    fill(&store);
    assert_eq!(store.check().problems, [""; 0]);
    for (nth, damage) in damages.iter().enumerate() {
        let (_dir, store) = open();
        fill(&store);
        damage(&store);
        assert!(!store.check().problems.is_empty(), "damage {nth}");
    }
}

#[test]
fn a_long_note_is_no_damage() {
    let (_dir, store) = open();
    fill(&store);
    store.put_note("healed", &record::tests::noise(30_000)).unwrap();
    assert!(store.trees.meta.iter().keys().count() > 4, "it has several parts");
    assert_eq!(store.check().problems, [""; 0]);
    let swept = store.trees.meta.iter().keys().map(|key| key.unwrap()).find(|key| key.starts_with(b"swept\0"));
    store.trees.meta.insert(swept.expect("its feed was swept"), b"x").unwrap();
    assert_eq!(store.check().problems.len(), 1, "but what is damaged is found");
}

fn fill(store: &Store) {
    for n in 1..=3 {
        keep(store, n, "Tin", at(0));
    }
    store.learn("hungyen", &feed(), &[entry(9)], &SiteState::default(), at(1)).unwrap();
    let mut lessons = Lessons::default();
    lessons.took(Taken { page: 7, id: entry(9).id, at: at(1), again: false });
    store.put_lessons("hungyen", &lessons).unwrap();
    assert_eq!(store.lessons("hungyen").unwrap(), lessons);
}

#[test]
fn pages_as_served_are_kept_and_pruned() {
    let (_dir, store) = open();
    store.learn("hungyen", &feed(), &[entry(1)], &SiteState::default(), at(0)).unwrap();
    let mark = settled_mark(&store, 1, Outcome::OffTopic);
    for body in [b"<p>m\xe1t</p>".to_vec(), "<p>một</p>".repeat(5000).into_bytes()] {
        let page = Page { url: entry(1).url, content_type: Some("text/html".to_owned()), body };
        store.settle("hungyen", &mark, Change::None, Some(&page), at(0)).unwrap();
        let raw = store.raw(&entry(1).id, at(0)).unwrap().unwrap();
        assert_eq!(raw.page().unwrap().body, page.body);
    }
    assert_eq!(store.prune_raw(TimeDelta::days(30), at(0) + TimeDelta::days(29), 100).unwrap(), 0);
    assert_eq!(store.prune_raw(TimeDelta::days(30), at(0) + TimeDelta::days(31), 100).unwrap(), 1);
    assert_eq!(store.raw(&entry(1).id, at(0)).unwrap(), None);
}

#[test]
fn a_backup_is_restored_elsewhere_and_its_damage_found() {
    let (dir, store) = open();
    fill(&store);
    let (backup, elsewhere) = (dir.path().join("backup"), dir.path().join("elsewhere/store"));
    std::fs::create_dir(dir.path().join("elsewhere")).unwrap();
    let made = store.backup(&backup, at(0)).unwrap();
    assert_eq!((made.seq, made.trees["articles"]), (3, 3));
    assert!(matches!(store.backup(&backup, at(0)), Err(StoreError::Io(_))));
    assert_eq!(Store::restore(&backup, &elsewhere).unwrap(), made);
    let there = Store::open_again(&elsewhere).unwrap();
    assert_eq!(there.sizes().unwrap(), store.sizes().unwrap());
    assert_eq!((there.seq(), there.article(&entry(2).id).unwrap()), (3, store.article(&entry(2).id).unwrap()));
    assert!(matches!(Store::restore(&backup, &elsewhere), Err(StoreError::Io(_))));
    let file = backup.join("learned.records");
    let whole = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let third = dir.path().join("third");
    assert!(matches!(Store::restore(&backup, &third), Err(StoreError::Backup { .. })), "it has the tree");
    std::fs::write(&file, whole).unwrap();
    let file = backup.join("articles.records");
    let whole = std::fs::read(&file).unwrap();
    for at in [0, 7, 30, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        for bytes in [bytes, whole[..at].to_vec()] {
            std::fs::write(&file, bytes).unwrap();
            assert!(matches!(Store::restore(&backup, &third), Err(StoreError::Backup { .. })), "{at}");
            assert!(!third.exists());
        }
    }
}

#[test]
fn a_backup_of_before_there_were_lessons_is_restored() {
    let (dir, store) = open();
    fill(&store);
    let backup = dir.path().join("backup");
    let mut made = store.backup(&backup, at(0)).unwrap();
    made.trees.remove("learned");
    std::fs::write(backup.join("backup.json"), serde_json::to_vec(&made).unwrap()).unwrap();
    std::fs::remove_file(backup.join("learned.records")).unwrap();
    let there = dir.path().join("there");
    assert_eq!(Store::restore(&backup, &there).unwrap(), made);
    assert_eq!(Store::open_again(&there).unwrap().lessons("hungyen").unwrap(), Lessons::default());
}

#[test]
fn compaction_keeps_everything_and_may_be_killed() {
    let (dir, store) = open();
    fill(&store);
    let (path, sizes) = (store.path().to_owned(), store.sizes().unwrap());
    let (before, after) = store.compact().unwrap();
    assert!(before > 0 && after > 0);
    let store = Store::open_again(&path).unwrap();
    assert!(store.closed_well());
    assert_eq!((store.sizes().unwrap(), store.seq(), store.check().problems), (sizes, 3, Vec::new()));
    store.close().unwrap();
    std::fs::rename(&path, dir.path().join("var/store.old")).unwrap();
    Store::finish_compaction(&path).unwrap();
    assert_eq!(Store::open_again(&path).unwrap().seq(), 3);
}

#[test]
fn a_store_of_schema_1_forgets_the_prints_of_what_was_let_go() {
    let (dir, store) = open();
    fill(&store);
    store.retire(&entry(2).id, at(9)).unwrap();
    let old = record::pack(&["AQ"]).unwrap();
    for key in 1..=3_u64 {
        store.transaction(|trees| record::put(&trees.prints, &key.to_be_bytes(), &old)).unwrap();
    }
    store.put_note("schema", &1_u32).unwrap();
    let path = store.path().to_owned();
    store.close().unwrap();
    let store = Store::open_again(&path).unwrap();
    assert_eq!(store.check().problems, [""; 0]);
    assert_eq!(store.prints().map(|print| print.unwrap().0).collect::<Vec<_>>(), [1, 3]);
    assert_eq!((store.past(2).unwrap(), store.note::<u32>("schema").unwrap()), (None, Some(2)));
    drop((store, dir));
}

#[test]
fn a_store_of_schema_0_is_brought_up_to_date() {
    let (dir, store) = open();
    fill(&store);
    let (path, volume) = (store.path().to_owned(), store.volume());
    let prints: Vec<_> = store.prints().map(Result::unwrap).collect();
    // as schema 0 left it: without shelves, ids and volume, with prints in JSON
    let old = record::pack(&["AQ"]).unwrap();
    for (key, _) in &prints {
        store.transaction(|trees| record::put(&trees.prints, &key.to_be_bytes(), &old)).unwrap();
    }
    store.trees.shelves.clear().unwrap();
    store.trees.ids.clear().unwrap();
    store.drop_note("volume").unwrap();
    store.put_note("schema", &0_u32).unwrap();
    store.close().unwrap();
    let store = Store::open_again(&path).unwrap();
    assert_eq!((store.volume(), store.check().problems), (volume, Vec::new()));
    assert_eq!(store.note::<u32>("schema").unwrap(), Some(2));
    assert_eq!(store.prints().count(), prints.len());
    assert_eq!(store.of_province("hung-yen").count(), 3);
    drop((store, dir));
}
