//! What came today, what is wrong, in plain words.

use super::parts::{fact, list, time, why};
use super::{Look, Page};
use crate::article::Article;
use crate::status::html::Html;
use crate::status::lang::day_of;
use crate::status::{ExtractionHealth, SiteHealth, SiteRow};
use crate::store::Op;
use std::collections::BTreeSet;

/// Of today's articles, and of each kind of trouble.
const SHOWN: usize = 20;
/// So many changes are looked at, at most, for what came today.
const LOOKED_AT: u64 = 2000;

pub fn overview(look: &Look) -> anyhow::Result<Option<Page>> {
    let rows = look.board.rows(&look.pipeline)?;
    let (today, count) = today(look)?;
    let mut main = Html::default();
    main.tag("h1", look.say("Hôm nay", "Today"));
    headline(&mut main, look, &today, &count);
    notices(&mut main, look, &rows);
    trouble(&mut main, look, &rows);
    main.tag("h2", look.say("Bài mới", "New articles"));
    match today.is_empty() {
        true => latest(&mut main, look)?,
        false => list(&mut main, look, today.iter()),
    }
    main.raw("<p>")
        .link(look.lang.at("/articles"), look.say("Mọi bài, tìm kiếm", "All articles, search"))
        .raw("</p>\n");
    figures(&mut main, look, &rows);
    Ok(Some(Page { title: look.say("Tổng quan", "Overview").to_owned(), main }))
}

/// The latest of the articles that came today, the latest first, and how many came. By the change log, which is read
/// backwards: a first look at a big store costs no more than one at a small one.
fn today(look: &Look) -> anyhow::Result<(Vec<Article>, String)> {
    let (store, day) = (&look.pipeline.store, day_of(look.now));
    let (mut today, mut count) = (Vec::new(), 0_usize);
    let last = store.seq();
    for seq in (1..=last).rev() {
        // the older ones were let go
        let Some(change) = store.change(seq)?.filter(|change| day_of(change.at) == day) else { break };
        if last - seq >= LOOKED_AT {
            return Ok((today, format!("{}+", look.lang.number(count))));
        }
        // an article's key is the number of the change that brought it
        if change.op != Op::Upsert || change.rev != 1 {
            continue;
        }
        count += 1;
        if today.len() < SHOWN {
            today.extend(store.article_at(seq)?);
        }
    }
    Ok((today, look.lang.number(count)))
}

fn headline(main: &mut Html, look: &Look, today: &[Article], count: &str) {
    main.raw("<p class=\"lead\">");
    if today.is_empty() {
        main.text(look.say("Chưa có bài mới nào.", "No new article yet.")).raw("</p>\n");
        return;
    }
    let sites: BTreeSet<&str> = today.iter().map(|article| article.site.id.as_str()).collect();
    main.tag("strong", count).raw(" ").text(match count {
        "1" => look.say("bài mới được chọn", "new article was selected"),
        _ => look.say("bài mới được chọn", "new articles were selected"),
    });
    if today.len() < SHOWN {
        main.raw(", ").text(look.say("từ", "from")).raw(" ").text(look.lang.number(sites.len())).raw(" ");
        main.text(look.say("trang", if sites.len() == 1 { "site" } else { "sites" }));
    }
    main.raw(".</p>\n");
}

/// What befell the whole program.
fn notices(main: &mut Html, look: &Look, rows: &[SiteRow]) {
    let Some(notice) = rows.iter().find_map(|row| row.notice.as_ref()) else { return };
    main.raw("<div class=\"alert\">\n").tag("h2", look.say("Cần chú ý", "Attention")).raw("<p>");
    why(main, notice);
    main.raw("</p>\n</div>\n");
}

fn trouble(main: &mut Html, look: &Look, rows: &[SiteRow]) {
    main.tag("h2", look.say("Điều chưa ổn", "What is wrong"));
    let is = |row: &&SiteRow, states: &[SiteHealth]| states.contains(&row.state);
    let failing: Vec<&SiteRow> = rows.iter().filter(|row| is(row, &[SiteHealth::Failing])).collect();
    let silent: Vec<&SiteRow> = rows.iter().filter(|row| is(row, &[SiteHealth::Quiet, SiteHealth::Empty])).collect();
    let degraded: Vec<&SiteRow> = rows.iter().filter(|row| row.extraction == ExtractionHealth::Degraded).collect();
    let gave_up: usize = rows.iter().map(|row| row.gave_up).sum();
    let unknown = rows.iter().filter(|row| is(row, &[SiteHealth::New])).count();
    if unknown > 0 {
        let says = look.say("Trang chưa được đọc lần nào", "Sites that were never polled yet");
        main.raw("<p>").text(says).raw(": ").tag("strong", look.lang.number(unknown)).raw("</p>\n");
    }
    if failing.is_empty() && silent.is_empty() && degraded.is_empty() && gave_up == 0 {
        if unknown > 0 {
            return;
        }
        main.tag(
            "p class=\"fine\"",
            look.say("Không có gì: mọi trang đều đọc được.", "Nothing: every site can be read."),
        );
        return;
    }
    let says = look.say("Trang có nguồn tin không đọc được", "Sites with a feed that cannot be read");
    let since = look.say("từ", "since");
    troubled(main, look, (says, since, "?state=failing"), &failing, |row| (row.since, row.reason.as_deref()));
    let says = look.say("Trang im lặng lâu hơn lệ thường", "Sites that are silent for longer than usual");
    troubled(main, look, (says, since, ""), &silent, |row| (row.since, row.reason.as_deref()));
    let says =
        look.say("Trang mà bài không còn được trích như trước", "Sites whose pages are no longer read as before");
    troubled(main, look, (says, since, "?state=degraded"), &degraded, |row| {
        (row.extraction_since, row.extraction_reason.as_deref())
    });
    if gave_up > 0 {
        let says = look.say("Trang bài đã bỏ sau nhiều lần thử", "Pages given up after many tries");
        main.raw("<p>").text(says).raw(": ").tag("strong", look.lang.number(gave_up));
        main.raw("</p>\n");
    }
}

type Told<'a> = (Option<chrono::DateTime<chrono::Utc>>, Option<&'a str>);

fn troubled(
    main: &mut Html,
    look: &Look,
    (says, since, state): (&str, &str, &str),
    rows: &[&SiteRow],
    told: for<'a> fn(&'a SiteRow) -> Told<'a>,
) {
    if rows.is_empty() {
        return;
    }
    let count = look.lang.number(rows.len());
    main.raw("<p>").text(says).raw(": ").tag("strong", count).raw("</p>\n<ul class=\"trouble\">\n");
    for row in rows.iter().take(SHOWN) {
        let (at, reason) = told(row);
        main.raw("<li>").link(look.lang.at(&format!("/sites/{}", row.id)), &row.name);
        if at.is_some() {
            main.raw(" <small>").text(since).raw(" ");
            time(main, look, at);
            main.raw("</small>");
        }
        main.raw("<br>");
        why(main, reason.unwrap_or_default());
        main.raw("</li>\n");
    }
    main.raw("</ul>\n");
    if rows.len() > SHOWN {
        main.raw("<p>").link(look.lang.at(&format!("/sites{state}")), look.say("Tất cả", "All of them")).raw("</p>\n");
    }
}

/// Where nothing came today.
fn latest(main: &mut Html, look: &Look) -> anyhow::Result<()> {
    let store = &look.pipeline.store;
    let mut articles = Vec::new();
    for key in store.latest().take(5) {
        articles.extend(store.article_at(key?)?);
    }
    main.tag("p", look.say("Hôm nay chưa có; gần đây nhất:", "None today; the latest:"));
    list(main, look, articles.iter());
    Ok(())
}

fn figures(main: &mut Html, look: &Look, rows: &[SiteRow]) {
    let (lang, store) = (look.lang, &look.pipeline.store);
    let unread = [SiteHealth::Failing, SiteHealth::New];
    let read = rows.iter().filter(|row| !unread.contains(&row.state)).count();
    let next = rows.iter().filter_map(|row| row.next_poll).min();
    main.tag("h2", look.say("Con số", "Figures")).raw("<dl class=\"facts\">\n");
    fact(main, look.say("Trang đọc được", "Sites read"), |html| {
        html.text(lang.number(read)).raw(" / ").text(lang.number(rows.len()));
    });
    fact(main, look.say("Bài đang giữ", "Articles kept"), |html| {
        html.text(lang.number(store.volume().articles));
    });
    fact(main, look.say("Mục đang chờ", "Entries waiting"), |html| {
        html.text(lang.number(rows.iter().map(|row| row.waiting).sum::<usize>()));
    });
    fact(main, look.say("Lượt đọc kế tiếp", "Next poll"), |html| time(html, look, next));
    fact(main, look.say("Chạy từ", "Running since"), |html| time(html, look, Some(look.board.started)));
    fact(main, look.say("Thư mục xuất", "Export folder"), |html| {
        html.tag("code", look.pipeline.config.export.path.display());
    });
    main.raw("</dl>\n");
}
