//! A site: how it does, what became of its latest pages, and why.

use super::parts::{badge, fact, list, spark, table, time, why};
use super::sites::extraction;
use super::{Look, Page};
use crate::article::{Id, Outcome};
use crate::config::{Select, Site, Tls};
use crate::fetch::public;
use crate::status::board::open;
use crate::status::catalogue::Wanted;
use crate::status::html::Html;
use crate::status::lang::day_of;
use crate::status::{FeedRow, SiteRow};
use crate::store::{Asked, Fetch, Mark};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;

/// Days of the chart.
const DAYS: usize = 60;
/// Articles, and pages of each kind.
const ARTICLES: usize = 10;
const PAGES: usize = 40;
/// Requests.
const FETCHES: usize = 20;

pub fn site(look: &Look) -> anyhow::Result<Option<Page>> {
    let config = look.pipeline.config.clone();
    let Some(site) = config.sites.iter().find(|site| site.id == look.id()) else { return Ok(None) };
    let rows = look.board.rows(&look.pipeline)?;
    let requests = look.pipeline.store.fetches(&site.id)?;
    let mut marks = marks(look, site, &requests)?;
    // the latest first
    marks.sort_by_key(|mark| std::cmp::Reverse(mark.settled.unwrap_or(mark.first_seen)));
    let mut main = Html::default();
    main.tag("h1", &site.name);
    if let Some(row) = rows.iter().find(|row| row.id == site.id) {
        state(&mut main, look, row);
        facts(&mut main, look, site, row);
        feeds(&mut main, look, row);
    }
    recent(&mut main, look, site)?;
    fetches(&mut main, look, &requests);
    if let Some(row) = rows.iter().find(|row| row.id == site.id) {
        quarantined(&mut main, look, row);
    }
    waiting(&mut main, look, &marks);
    settled(&mut main, look, &marks);
    Ok(Some(Page { title: site.name.clone(), main }))
}

/// Of what was fetched last and of what waits; of everything where no page was fetched. A site of many years has
/// thousands of marks.
fn marks(look: &Look, site: &Site, requests: &[Fetch]) -> anyhow::Result<Vec<Mark>> {
    let store = &look.pipeline.store;
    let pages = requests.iter().filter(|fetch| fetch.what == Asked::Page);
    let ids: BTreeSet<Id> = pages.map(|fetch| Id::of(&fetch.url)).collect();
    if ids.is_empty() {
        return Ok(store.marks(&site.id)?);
    }
    let mut marks = store.due(&site.id, DateTime::<Utc>::MAX_UTC - TimeDelta::days(1))?;
    for id in ids {
        let known = marks.iter().any(|mark| mark.entry.id == id);
        marks.extend(store.mark(&site.id, &id)?.filter(|_| !known));
    }
    Ok(marks)
}

fn state(main: &mut Html, look: &Look, row: &SiteRow) {
    main.raw("<p class=\"lead\">");
    badge(main, look, &row.state.to_string());
    if let Some(reason) = &row.reason {
        main.raw(" ");
        why(main, reason);
    }
    main.raw("</p>\n");
    if let Some(reason) = &row.extraction_reason {
        main.raw("<p>");
        badge(main, look, "degraded");
        main.raw(" ");
        why(main, reason);
        main.raw(" <small>").text(look.say("từ", "since")).raw(" ");
        time(main, look, row.extraction_since);
        main.raw("</small></p>\n");
    }
}

/// Not the headers: they may hold what is nobody's business.
fn facts(main: &mut Html, look: &Look, site: &Site, row: &SiteRow) {
    let every = humantime::format_duration(site.every).to_string();
    let select = match &site.select {
        Select::AnyTopic => look.say("mọi chủ đề", "any topic").to_owned(),
        Select::Everything => look.say("mọi bài", "everything").to_owned(),
        Select::Topics(topics) => topics.join(", "),
    };
    let layout = site.layout.as_ref().map_or("–", |layout| layout.name.as_str());
    let tls = match site.tls {
        Tls::Modern => "modern",
        Tls::Legacy => "legacy",
        Tls::Insecure => "insecure",
    };
    main.raw("<dl class=\"facts\">\n");
    for (name, text) in [
        (look.say("Mã", "Id"), site.id.clone()),
        (look.say("Tỉnh, thành", "Province"), province(site)),
        (look.say("Loại", "Kind"), look.lang.word(&format!("{:?}", site.kind).to_ascii_lowercase())),
        (look.say("Nhịp đọc", "Interval"), every),
        (look.say("Bố cục", "Layout"), layout.to_owned()),
        (look.say("Chọn bài", "Selects"), select),
        ("TLS", tls.to_owned()),
        (look.say("Lỗi liền nhau", "Failures in a row"), look.lang.number(row.failures)),
    ] {
        fact(main, name, |html| {
            html.text(text);
        });
    }
    fact(main, look.say("Đọc được lần cuối", "Last success"), |html| time(html, look, row.last_success));
    fact(main, look.say("Bài mới lần cuối", "Last new article"), |html| time(html, look, row.last_new));
    fact(main, look.say("Lượt đọc kế tiếp", "Next poll"), |html| time(html, look, row.next_poll));
    fact(main, look.say("Trích bài", "Extraction"), |html| badge(html, look, &extraction(row)));
    main.raw("</dl>\n");
}

fn province(site: &Site) -> String {
    match site.province == site.province_now {
        true => site.province.clone(),
        false => format!("{} ({})", site.province, site.province_now),
    }
}

fn feeds(main: &mut Html, look: &Look, row: &SiteRow) {
    main.tag("h2", look.say("Nguồn tin", "Feeds"));
    let heads = [
        look.say("Địa chỉ", "Address"),
        look.say("Đọc được lần cuối", "Last success"),
        look.say("Lỗi liền", "Failures"),
        look.say("Vì sao", "Why"),
    ];
    table(main, look.say("Nguồn tin", "Feeds"), &heads, |html| {
        row.feeds.iter().for_each(|feed| feed_line(html, look, feed));
    });
}

fn feed_line(html: &mut Html, look: &Look, feed: &FeedRow) {
    html.raw("<tr><td class=\"url\">").outside(&feed.url, &feed.url).raw("</td><td class=\"when\">");
    time(html, look, feed.last_success);
    html.raw("</td><td class=\"count\">").text(feed.failures).raw("</td><td>");
    why(html, &noted(look, feed).join("; "));
    html.raw("</td></tr>\n");
}

/// All that is to be known of a feed.
fn noted(look: &Look, feed: &FeedRow) -> Vec<String> {
    let since = |(vi, en), at| format!("{} {}", look.say(vi, en), look.lang.moment(at));
    let empty = feed.empty_since.map(|at| since(("không có mục nào từ", "shows no entry since"), at));
    let stopped = feed.stopped.map(|at| since(("đã bỏ hẳn (410) từ", "gone for good (410) since"), at));
    let moved = feed.moved_to.as_ref().map(|to| format!("{} {to}", look.say("đã chuyển đến", "has moved for good to")));
    let missed = (feed.rolled_over > 0).then(|| {
        format!(
            "{}: {}",
            look.say("có thể đã sót mục giữa hai lần đọc", "entries may have been missed"),
            feed.rolled_over
        )
    });
    feed.last_error
        .iter()
        .chain(&feed.drift)
        .cloned()
        .chain([empty, stopped, moved, missed].into_iter().flatten())
        .collect()
}

fn recent(main: &mut Html, look: &Look, site: &Site) -> anyhow::Result<()> {
    main.tag("h2", look.say("Bài đang giữ", "Articles kept"));
    let Some(catalogue) = look.board.catalogue(&look.pipeline)? else {
        main.tag(
            "p",
            look.say(
                "Danh mục đang được lập; xin tải lại sau giây lát.",
                "The index is being made; reload in a moment.",
            ),
        );
        return Ok(());
    };
    let catalogue = open(&catalogue);
    let wanted = Wanted { site: site.id.clone(), ..Wanted::default() };
    let keys = catalogue.find(&wanted);
    let rhythm = catalogue.rhythm(day_of(look.now), DAYS).remove(site.id.as_str()).unwrap_or(vec![0; DAYS]);
    drop(catalogue);
    let mut articles = Vec::new();
    for key in keys.iter().take(ARTICLES) {
        articles.extend(look.pipeline.store.article_at(*key)?);
    }
    main.raw("<p>");
    spark(main, look, &rhythm);
    main.raw(" ").link(
        look.lang.at(&format!("/articles?site={}", site.id)),
        format!("{} {}", look.lang.number(keys.len()), look.say("bài", "articles")),
    );
    main.raw("</p>\n");
    list(main, look, articles.iter());
    Ok(())
}

/// The latest requests, the newest first.
fn fetches(main: &mut Html, look: &Look, all: &[Fetch]) {
    if all.is_empty() {
        return;
    }
    main.tag("h2", look.say("Các lượt tải gần đây", "Latest requests"));
    let heads = [
        look.say("Lúc", "When"),
        look.say("Địa chỉ", "Address"),
        "HTTP",
        look.say("Byte", "Bytes"),
        look.say("Mili giây", "Milliseconds"),
        look.say("Kết quả", "What came of it"),
    ];
    table(main, look.say("Các lượt tải gần đây", "Latest requests"), &heads, |html| {
        all.iter().rev().take(FETCHES).for_each(|fetch| fetch_line(html, look, fetch));
    });
}

fn fetch_line(html: &mut Html, look: &Look, fetch: &Fetch) {
    html.raw("<tr><td class=\"when\">");
    time(html, look, Some(fetch.at));
    html.raw("</td><td class=\"url\">").text(public(&fetch.url)).raw("</td>");
    html.tag("td class=\"count\"", fetch.status.map_or("–".to_owned(), |status| status.to_string()));
    html.tag("td class=\"count\"", look.lang.number(fetch.wire)).tag("td class=\"count\"", look.lang.number(fetch.ms));
    html.raw("<td>");
    match fetch.decision.contains(' ') {
        true => why(html, &fetch.decision),
        // an outcome alone
        false => {
            html.text(look.lang.word(&fetch.decision));
        }
    }
    html.raw("</td></tr>\n");
}

/// Some of them, as the row tells them.
fn quarantined(main: &mut Html, look: &Look, row: &SiteRow) {
    if row.gave_up == 0 {
        return;
    }
    let caption = look.say("Trang đã bỏ", "Pages given up");
    main.raw("<h2>").text(caption).raw(" (").text(look.lang.number(row.gave_up)).raw(")</h2>\n");
    let says = look.say(
        "Sẽ thử lại khi nguồn tin nói điều gì mới về trang, hoặc khi cấu hình của trang nguồn được sửa.",
        "Tried again when the feed says something new of them, or when the site is configured otherwise.",
    );
    main.tag("p", says);
    table(main, caption, &[look.say("Trang", "Page"), look.say("Vì sao", "Why")], |html| {
        for gone in &row.given_up {
            html.raw("<tr><td class=\"url\">").outside(&gone.url, &gone.url).raw("</td><td>");
            why(html, &gone.why);
            html.raw("</td></tr>\n");
        }
    });
}

fn waiting(main: &mut Html, look: &Look, marks: &[Mark]) {
    let mut due: Vec<&Mark> = marks.iter().filter(|mark| mark.due.is_some()).collect();
    if due.is_empty() {
        return;
    }
    due.sort_by_key(|mark| mark.due);
    main.raw("<h2>").text(look.say("Đang chờ", "Waiting")).raw(" (").text(look.lang.number(due.len())).raw(")</h2>\n");
    lines(main, look, look.say("Đang chờ", "Waiting"), &due);
}

fn settled(main: &mut Html, look: &Look, marks: &[Mark]) {
    main.tag("h2", look.say("Các trang gần đây", "Latest pages"));
    let latest: Vec<&Mark> = marks.iter().filter(|mark| mark.due.is_none()).collect();
    if latest.is_empty() {
        main.tag("p", look.say("Chưa có trang nào.", "None yet."));
        return;
    }
    lines(main, look, look.say("Các trang gần đây", "Latest pages"), &latest);
}

fn lines(main: &mut Html, look: &Look, caption: &str, marks: &[&Mark]) {
    let heads = [
        look.say("Trang", "Page"),
        look.say("Kết quả", "Outcome"),
        look.say("Vì sao", "Why"),
        look.say("Lúc", "When"),
        look.say("Thử", "Tries"),
    ];
    table(main, caption, &heads, |html| marks.iter().take(PAGES).for_each(|mark| line(html, look, mark)));
}

fn line(html: &mut Html, look: &Look, mark: &Mark) {
    let title = mark.entry.title.as_deref().unwrap_or(mark.entry.url.as_str());
    html.raw("<tr><td>");
    match &mark.outcome {
        Some(Outcome::Stored | Outcome::Revision { .. } | Outcome::Unchanged | Outcome::Kept { .. }) => {
            html.link(look.lang.at(&format!("/articles/{}", mark.entry.id)), title)
        }
        _ => html.outside(mark.entry.url.as_str(), title),
    };
    html.raw("</td><td>");
    match &mark.outcome {
        Some(outcome) => badge(html, look, outcome.label()),
        None => badge(html, look, "new"),
    }
    html.raw("</td><td class=\"reasons\">");
    reasons(html, look, mark);
    html.raw("</td><td class=\"when\">");
    time(html, look, mark.due.or(mark.settled));
    html.raw("</td><td class=\"count\">").text(mark.tries).raw("</td></tr>\n");
}

fn reasons(html: &mut Html, look: &Look, mark: &Mark) {
    match &mark.outcome {
        Some(Outcome::Later { why: because } | Outcome::GaveUp { why: because } | Outcome::Kept { why: because }) => {
            why(html, because);
        }
        Some(Outcome::Duplicate { of }) => {
            html.link(
                look.lang.at(&format!("/articles/{of}")),
                look.say("trùng với bài này", "a copy of this article"),
            );
        }
        _ => {
            for judged in &mark.judged {
                let terms: Vec<&str> = judged.hits.iter().take(3).map(|hit| hit.term.as_str()).collect();
                html.text(&judged.id)
                    .raw(" ")
                    .text(look.lang.score(judged.score))
                    .raw(" ")
                    .text(terms.join(", "))
                    .raw(" ");
            }
        }
    }
}
