//! Journeys of entries over several polls; the test says what time it is.

use crate::house::{Reply, fill};
use crate::{Office, noon, tree};
use chrono::TimeDelta;
use diemtin::article::{Id, Outcome};
use diemtin::config::{ListLayout, Site};
use diemtin::poll::{self, FeedNews, Round};
use std::sync::Arc;
use url::Url;

const SITE: &str = "longan";

fn page_path(office: &Office) -> String {
    office.house.place(SITE).pages().remove(0).0
}

fn outcome_of<'a>(round: &'a Round, path: &str) -> &'a Outcome {
    let found = round.settled.iter().find(|s| s.url[url::Position::BeforePath..] == *path);
    &found.unwrap_or_else(|| panic!("{path} was not settled: {:?}", round.settled)).outcome
}

fn entries(round: &Round) -> (usize, usize) {
    match &round.feeds[0].result {
        Ok(FeedNews::Read { entries, new, .. }) => (*entries, *new),
        other => panic!("not read: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_new_is_settled_once() {
    let office = Office::new(&[SITE]);
    let first = office.poll(SITE, noon()).await;
    let (all, new) = entries(&first);
    let pages = office.house.place(SITE).pages().len();
    assert!(all >= pages, "{all} entries");
    assert_eq!((new, first.settled.len()), (pages, pages));
    let again = office.poll(SITE, noon() + TimeDelta::hours(1)).await;
    assert!(matches!(again.feeds[0].result, Ok(FeedNews::Unchanged)));
    assert!(again.settled.is_empty(), "{:?}", again.settled);
    let asked: Vec<_> = office.house.seen().into_iter().map(|seen| (seen.path, seen.status)).collect();
    let feed = office.house.place(SITE).feed.clone();
    assert_eq!(asked.iter().filter(|(path, status)| *path == feed && *status == 304).count(), 1, "{asked:?}");
    // and its robots.txt once
    assert_eq!(asked.len(), new + 3, "{asked:?}");
}

#[tokio::test]
async fn a_page_that_is_gone_is_given_up_and_said_one_that_is_not_there_yet_is_not() {
    let office = Office::new(&[SITE]);
    let path = page_path(&office);
    office.house.script(SITE, &path, &[Reply::Status(404, ""), Reply::Status(410, "")]);
    let first = office.poll(SITE, noon()).await;
    assert!(matches!(outcome_of(&first, &path), Outcome::Later { why } if why.contains("404")));
    let second = office.poll(SITE, noon() + TimeDelta::days(1)).await;
    assert!(matches!(outcome_of(&second, &path), Outcome::GaveUp { why } if why.contains("410")));
    let later = office.poll(SITE, noon() + TimeDelta::days(2)).await;
    assert!(later.settled.is_empty(), "{:?}", later.settled);
}

#[tokio::test]
async fn a_page_that_fails_today_is_fetched_later() {
    let office = Office::new(&[SITE]);
    let path = page_path(&office);
    office.house.script(SITE, &path, &[Reply::Status(503, ""), Reply::HalfBody]);
    let first = office.poll(SITE, noon()).await;
    assert!(matches!(outcome_of(&first, &path), Outcome::Later { why } if why.contains("503")));
    let early = office.poll(SITE, noon() + TimeDelta::minutes(14)).await;
    let before_its_time = early.settled.iter().any(|s| s.url[url::Position::BeforePath..] == *path);
    assert!(!before_its_time, "{early:?}");
    let half = office.poll(SITE, noon() + TimeDelta::minutes(16)).await;
    assert!(matches!(outcome_of(&half, &path), Outcome::Later { .. }), "{half:?}");
    let well = office.poll(SITE, noon() + TimeDelta::hours(1)).await;
    assert!(matches!(outcome_of(&well, &path), Outcome::Stored | Outcome::OffTopic), "{well:?}");
}

#[tokio::test]
async fn the_eighth_failure_is_the_last_and_the_feeds_own_text_stands_if_it_is_wanted() {
    let office = Office::new(&[SITE]);
    let place = office.house.place(SITE);
    let path = page_path(&office);
    let (off_topic, ..) = place.pages().into_iter().find(|(path, ..)| path.contains("lua-dong-xuan")).expect("a page");
    for path in [&path, &off_topic] {
        office.house.script(SITE, path, &vec![Reply::Status(403, ""); 9]);
    }
    let mut now = noon();
    for nth in 1..8 {
        let round = office.poll(SITE, now).await;
        assert!(matches!(outcome_of(&round, &path), Outcome::Later { .. }), "try {nth}: {round:?}");
        now += TimeDelta::minutes(15) * 2_i32.pow(nth - 1);
    }
    let last = office.poll(SITE, now).await;
    assert_eq!(outcome_of(&last, &path), &Outcome::Stored);
    let doubt = last.settled.iter().find(|s| s.url.path() == path).and_then(|s| s.doubt.clone());
    assert!(doubt.is_some_and(|why| why.contains("what the feed says") && why.contains("403")), "{last:?}");
    assert!(matches!(outcome_of(&last, &off_topic), Outcome::GaveUp { .. }), "{last:?}");
    let once_more = office.poll(SITE, now + TimeDelta::days(8)).await;
    assert!(matches!(outcome_of(&once_more, &path), Outcome::Kept { .. }), "{once_more:?}");
    assert_eq!(once_more.settled.len(), 1);
    let after = office.poll(SITE, now + TimeDelta::days(30)).await;
    assert!(after.settled.is_empty(), "{after:?}");
}

#[tokio::test]
async fn retry_after_is_kept() {
    let office = Office::new(&[SITE]);
    let feed = office.house.place(SITE).feed.clone();
    office.house.script(SITE, &feed, &[Reply::Status(503, "Retry-After: 7200\r\n")]);
    let refused = office.poll(SITE, noon()).await;
    assert!(refused.failure().is_some_and(|why| why.contains("503")), "{refused:?}");
    office.house.seen();
    let waiting = office.poll(SITE, noon() + TimeDelta::hours(1)).await;
    assert!(matches!(waiting.feeds[0].result, Ok(FeedNews::Waiting(_))));
    assert!(office.house.seen().is_empty());
}

#[tokio::test]
async fn what_is_not_a_feed_leaves_no_validators() {
    let office = Office::new(&[SITE]);
    let feed = office.house.place(SITE).feed.clone();
    let right = office.house.bytes(SITE, &feed);
    office.house.replace(SITE, &feed, b"<!DOCTYPE html><html><body><p>B\xe1\xba\xa3o tr\xc3\xac</p></body></html>");
    let wrong = office.poll(SITE, noon()).await;
    assert!(wrong.failure().is_some_and(|why| why.contains("not a feed")), "{wrong:?}");
    office.house.replace(SITE, &feed, &right);
    let well = office.poll(SITE, noon() + TimeDelta::hours(1)).await;
    assert!(entries(&well).1 > 0);
}

/// The page's text changes and its feed says so: a revision. The counters change at every request: none.
#[tokio::test]
async fn a_changed_text_is_a_revision_and_a_changed_counter_is_none() {
    let office = Office::new(&[SITE]);
    let first = office.poll(SITE, noon()).await;
    let kept = first.settled.iter().find(|s| s.outcome == Outcome::Stored).expect("an article about the topic");
    let (path, title) = (kept.url[url::Position::BeforePath..].to_owned(), kept.title.clone());
    let before = tree(&office.export());

    touch_feed(&office, &title);
    let same = office.poll(SITE, noon() + TimeDelta::hours(1)).await;
    assert_eq!(outcome_of(&same, &path), &Outcome::Unchanged);

    let page = String::from_utf8(office.house.bytes(SITE, &path)).expect("UTF-8");
    let (word, another) = (" được ", " đã được ");
    assert!(page.contains(word) && !title.contains(word), "the fixture's text says {word}");
    office.house.replace(SITE, &path, page.replace(word, another).as_bytes());
    touch_feed(&office, &title);
    let changed = office.poll(SITE, noon() + TimeDelta::days(1)).await;
    assert_eq!(outcome_of(&changed, &path), &Outcome::Revision { rev: 2 });
    let after = tree(&office.export());
    let article = |tree: &std::collections::BTreeMap<String, Vec<u8>>| {
        let found = tree.iter().find(|(name, bytes)| {
            name.starts_with("articles/") && name.ends_with(".json") && String::from_utf8_lossy(bytes).contains(&title)
        });
        serde_json::from_slice::<serde_json::Value>(found.expect("exported").1).expect("JSON")
    };
    assert_eq!(article(&before)["rev"], 1);
    let now = article(&after);
    assert_eq!(now["rev"], 2);
    assert_eq!(now["history"][0]["why"], "text changed");
    assert!(now["content_text"].as_str().is_some_and(|text| text.contains(another)));
}

/// The feed's title for one entry changes, so the entry is due again.
fn touch_feed(office: &Office, title: &str) {
    let feed = office.house.place(SITE).feed.clone();
    let text = String::from_utf8(office.house.bytes(SITE, &feed)).expect("UTF-8");
    assert!(text.contains(title), "the feed shows the title in full: {title}");
    office.house.replace(SITE, &feed, text.replacen(title, &format!("{title} (cập nhật)"), 1).as_bytes());
}

/// Cut between any two steps, the walk goes on where it stood: here after its first page.
#[tokio::test]
async fn a_walk_that_was_cut_goes_on() {
    let office = Office::new(&[SITE]);
    let site = office.pipeline.config.sites[0].clone();
    let feed = office.house.place(SITE).feed.clone();
    let cut = {
        let mut walk = std::pin::pin!(diemtin::poll::poll(&office.pipeline, &site, noon()));
        loop {
            tokio::select! {
                biased;
                _ = tokio::task::yield_now() => {}
                done = &mut walk => break Some(done.expect("the store works")),
            }
            if office.house.seen().iter().any(|seen| seen.path != feed) {
                break None;
            }
        }
    };
    assert!(cut.is_none(), "the walk was not cut");
    let rest = office.poll(SITE, noon() + TimeDelta::minutes(1)).await;
    let whole = Office::new(&[SITE]).poll(SITE, noon()).await;
    assert!(!rest.settled.is_empty(), "nothing was left to do");
    let kept =
        tree(&office.export()).keys().filter(|name| name.ends_with(".json") && name.starts_with("articles/")).count();
    assert_eq!(kept, whole.settled.iter().filter(|s| s.outcome == Outcome::Stored).count());
}

/// A page that came as a maintenance notice with status 200 is not the article that the feed announced.
#[tokio::test]
async fn a_notice_in_place_of_an_article_is_not_believed() {
    let office = Office::new(&["hungyen"]);
    let place = office.house.place("hungyen");
    let (path, ..) =
        place.pages().into_iter().find(|(_, page, _)| page.ends_with("so-ket-quy-che-dan-chu.html")).expect("a page");
    let sentence = "Hệ thống đang được bảo trì để nâng cấp, mong bạn đọc quay lại sau ít phút nữa. ".repeat(6);
    let notice = format!(
        "<html><head><title>Bảo trì hệ thống</title></head><body><h1>Bảo trì</h1><p>{sentence}</p></body></html>"
    );
    office.house.script("hungyen", &path, &[Reply::Bytes("text/html; charset=utf-8", notice.into_bytes())]);
    let first = office.poll("hungyen", noon()).await;
    assert!(matches!(outcome_of(&first, &path), Outcome::Later { why } if why.contains("announced")), "{first:?}");
    let taught = office.pipeline.store.lessons("hungyen").expect("the store works").learned.pages();
    assert_eq!(taught as usize, first.settled.len() - 1, "a notice teaches nothing of the site's articles");
    let later = office.poll("hungyen", noon() + TimeDelta::hours(1)).await;
    assert_eq!(outcome_of(&later, &path), &Outcome::Stored);
}

/// However long it stays: at last the feed's own text stands, and a week later the page is tried once more.
#[tokio::test]
async fn a_notice_that_stays_for_days_loses_no_article() {
    let office = Office::new(&["hungyen"]);
    let place = office.house.place("hungyen");
    let (path, ..) =
        place.pages().into_iter().find(|(_, page, _)| page.ends_with("so-ket-quy-che-dan-chu.html")).expect("a page");
    let sentence = "Hệ thống đang được bảo trì để nâng cấp, mong bạn đọc quay lại sau ít phút nữa. ".repeat(6);
    let notice = format!("<html><title>Bảo trì</title><body><h1>Bảo trì</h1><p>{sentence}</p></body></html>");
    office.house.script("hungyen", &path, &vec![Reply::Bytes("text/html; charset=utf-8", notice.into_bytes()); 8]);
    let mut now = noon();
    for nth in 1..=8 {
        let round = office.poll("hungyen", now).await;
        assert_eq!(outcome_of(&round, &path).label(), if nth < 8 { "later" } else { "stored" }, "try {nth}");
        now += TimeDelta::hours(17);
    }
    let kept = || {
        let url: Url = format!("{}{path}", place.base).parse().expect("an address");
        office.pipeline.store.article(&Id::of(&url)).expect("the store works").expect("it is kept")
    };
    assert!(kept().extraction.degraded.is_some_and(|why| why.contains("what the feed says")));
    let early = office.poll("hungyen", now + TimeDelta::days(3)).await;
    assert!(early.settled.is_empty(), "{early:?}");
    let well = office.poll("hungyen", now + TimeDelta::days(8)).await;
    assert_eq!(outcome_of(&well, &path), &Outcome::Revision { rev: 2 });
    assert_eq!(kept().extraction.degraded, None);
}

/// A page in which no article can be found does not lose what the feed said of it.
#[tokio::test]
async fn at_last_the_feeds_own_text_stands_for_an_empty_page() {
    let office = Office::new(&["hungyen"]);
    let place = office.house.place("hungyen");
    let (path, ..) =
        place.pages().into_iter().find(|(_, page, _)| page.ends_with("so-ket-quy-che-dan-chu.html")).expect("a page");
    let empty = Reply::Bytes("text/html", b"<html><body><script>load()</script></body></html>".to_vec());
    office.house.script("hungyen", &path, &vec![empty; 8]);
    let mut now = noon();
    for nth in 0..8 {
        let round = office.poll("hungyen", now).await;
        match outcome_of(&round, &path) {
            Outcome::Later { .. } if nth < 7 => {}
            Outcome::Stored if nth == 7 => {}
            other => panic!("try {nth}: {other:?}"),
        }
        now += TimeDelta::days(2);
    }
}

/// A host that is down costs only the first pages a try.
#[tokio::test]
async fn a_host_that_is_down_is_left_alone() {
    let office = Office::new(&[SITE]);
    let pages = office.house.place(SITE).pages();
    for (path, ..) in &pages {
        office.house.script(SITE, path, &[Reply::HalfBody]);
    }
    let first = office.poll(SITE, noon()).await;
    assert_eq!(first.settled.len(), 3, "{first:?}");
    assert!(pages.len() > 3);
    office.house.seen();
    let soon = office.poll(SITE, noon() + TimeDelta::minutes(1)).await;
    assert!(soon.settled.is_empty() && soon.retry >= Some(noon() + TimeDelta::minutes(15)), "{soon:?}");
    let later = office.poll(SITE, noon() + TimeDelta::minutes(20)).await;
    assert_eq!(later.settled.len(), pages.len(), "it is well again");
}

#[tokio::test]
async fn without_pages_the_feeds_text_is_kept() {
    let office = Office::new(&["hungyen"]);
    let mut site = diemtin::config::Site::clone(&office.pipeline.config.sites[0]);
    site.pages = false;
    site.select = diemtin::config::Select::Everything;
    let round =
        diemtin::poll::poll(&office.pipeline, &std::sync::Arc::new(site), noon()).await.expect("the store works");
    assert!(round.settled.iter().any(|s| s.outcome == Outcome::Stored), "{round:?}");
    assert_eq!(office.house.seen().len(), 1, "the feed alone is asked");
}

#[tokio::test]
async fn a_page_that_lists_articles_is_polled_like_a_feed() {
    let office = Office::new(&["sonla"]);
    let place = office.house.place("sonla");
    let raw = std::fs::read(place.folder.join("danh-sach.html")).expect("a list page");
    let served = Reply::Bytes("text/html; charset=utf-8", fill(&raw, &place.base, 7));
    let broken = Reply::Bytes("text/html; charset=utf-8", b"<body><p>Trang web dang duoc nang cap</p></body>".to_vec());
    office.house.script("sonla", &place.feed, &[served, broken]);
    let mut site = Site::clone(&office.pipeline.config.sites[0]);
    site.lists.insert(site.feeds[0].clone(), ListLayout::default());
    let site = Arc::new(site);
    let first = poll::poll(&office.pipeline, &site, noon()).await.expect("the store works");
    assert_eq!(entries(&first), (6, 6));
    assert_eq!(first.settled.len(), 6);
    let later = poll::poll(&office.pipeline, &site, noon() + TimeDelta::hours(1)).await.expect("the store works");
    assert!(later.failure().is_some_and(|why| why.contains("no list of articles")), "{:?}", later.feeds);
}

/// What was given up by the settings of that day is not given up by those of today.
#[tokio::test]
async fn a_site_configured_otherwise_is_tried_again() {
    let office = Office::new(&[SITE]);
    let robots = Reply::Bytes("text/plain", b"User-agent: *\nDisallow: /\n".to_vec());
    office.house.script(SITE, "/robots.txt", &[robots]);
    let first = office.poll(SITE, noon()).await;
    let pages = office.house.place(SITE).pages().len();
    let refused = |outcome: &Outcome| matches!(outcome, Outcome::Later { why } if why.contains("robots"));
    assert_eq!(first.settled.iter().filter(|s| refused(&s.outcome)).count(), pages, "{first:?}");
    let same = office.poll(SITE, noon() + TimeDelta::minutes(10)).await;
    assert!(same.settled.is_empty(), "{same:?}");
    let mut site = Site::clone(&office.pipeline.config.sites[0]);
    site.robots = false;
    let site = Arc::new(site);
    let poll = async |now| poll::poll(&office.pipeline, &site, now).await.expect("the store works");
    let later = poll(noon() + TimeDelta::minutes(11)).await;
    assert_eq!(later.settled.len(), pages, "{later:?}");
    assert!(later.settled.iter().any(|s| s.outcome == Outcome::Stored), "{later:?}");
    // what was off topic before the site was well again is looked at once more, and that is all
    let last = poll(noon() + TimeDelta::hours(3)).await;
    assert!(last.settled.iter().all(|s| s.outcome == Outcome::OffTopic), "{last:?}");
}
