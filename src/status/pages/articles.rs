//! Articles: search without tones, by province, day and topic.

use super::parts::list;
use super::{Look, Page};
use crate::article::Article;
use crate::status::board::open;
use crate::status::catalogue::Wanted;
use crate::status::html::Html;
use crate::store::Store;
use crate::text::slug;
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const A_PAGE: usize = 25;
/// What is typed beyond is not looked for.
const LONGEST: usize = 200;
/// How long articles are looked through while there is no catalogue.
const PATIENCE: Duration = Duration::from_millis(20);

pub fn articles(look: &Look) -> anyhow::Result<Option<Page>> {
    let wanted = wanted(look);
    // what is no number is the first page
    let nth = look.asked("page").parse().unwrap_or(1_usize).clamp(1, 100_000);
    let found = find(look, &wanted, (nth - 1) * A_PAGE)?;
    let mut main = Html::default();
    main.tag("h1", look.say("Bài viết", "Articles"));
    form(&mut main, look, &wanted);
    said(&mut main, look, &found);
    list(&mut main, look, found.articles.iter());
    turn(&mut main, look, nth, &found);
    Ok(Some(Page { title: look.say("Bài viết", "Articles").to_owned(), main }))
}

fn wanted(look: &Look) -> Wanted {
    Wanted {
        words: look.asked("q").chars().take(LONGEST).collect(),
        province: slug(look.asked("province")),
        site: look.asked("site").to_owned(),
        topic: look.asked("topic").to_owned(),
        // a day that is none is any day
        day: look.asked("day").parse().ok(),
    }
}

struct Found {
    articles: Vec<Article>,
    /// Of all pages, where known.
    total: Option<usize>,
    more: bool,
    /// Whether only the latest articles were looked through.
    partial: bool,
}

fn find(look: &Look, wanted: &Wanted, skip: usize) -> anyhow::Result<Found> {
    let store = &look.pipeline.store;
    // the first pages of all articles need no catalogue
    if wanted.is_all() && skip <= 40 * A_PAGE {
        let mut articles = Vec::new();
        for key in store.latest().skip(skip).take(A_PAGE) {
            articles.extend(store.article_at(key?)?);
        }
        let total = usize::try_from(store.volume().articles).unwrap_or(usize::MAX);
        return Ok(Found { articles, total: Some(total), more: total > skip + A_PAGE, partial: false });
    }
    let Some(catalogue) = look.board.catalogue(&look.pipeline)? else { return scan(store, wanted, skip) };
    let keys = open(&catalogue).find(wanted);
    let mut articles = Vec::new();
    for key in keys.iter().skip(skip).take(A_PAGE) {
        articles.extend(store.article_at(*key)?);
    }
    Ok(Found { articles, total: Some(keys.len()), more: keys.len() > skip + A_PAGE, partial: false })
}

/// Through the articles themselves, along the shelf that fits, as far as patience goes.
fn scan(store: &Store, wanted: &Wanted, skip: usize) -> anyhow::Result<Found> {
    let began = Instant::now();
    let mut found = Found { articles: Vec::new(), total: None, more: false, partial: false };
    let mut passed = 0;
    for key in shelf(store, wanted)? {
        if began.elapsed() > PATIENCE {
            found.partial = true;
            break;
        }
        let Some(article) = store.article_at(key?)?.filter(|article| wanted.fits(article)) else { continue };
        passed += 1;
        if passed > skip + A_PAGE {
            found.more = true;
            break;
        }
        if passed > skip {
            found.articles.push(article);
        }
    }
    Ok(found)
}

type Keys<'a> = Box<dyn Iterator<Item = crate::store::Result<u64>> + 'a>;

fn shelf<'a>(store: &'a Store, wanted: &'a Wanted) -> anyhow::Result<Keys<'a>> {
    Ok(match wanted.day {
        Some(day) => {
            let mut keys = store.of_day(day).collect::<crate::store::Result<Vec<u64>>>()?;
            keys.reverse();
            Box::new(keys.into_iter().map(Ok))
        }
        None if !wanted.province.is_empty() => Box::new(store.of_province(&wanted.province)),
        None => Box::new(store.latest()),
    })
}

fn form(main: &mut Html, look: &Look, wanted: &Wanted) {
    main.raw("<form method=\"get\" role=\"search\" action=\"").text(look.lang.at("/articles")).raw("\">\n");
    main.raw("<label>").text(look.say("Tìm (gõ không dấu cũng được)", "Search (tones may be left out)"));
    main.raw(" <input type=\"search\" name=\"q\" maxlength=\"200\" value=\"").text(&wanted.words).raw("\"></label>\n");
    select(
        main,
        look.say("Tỉnh, thành", "Province"),
        "province",
        &wanted.province,
        look.say("tất cả", "all"),
        &provinces(look),
    );
    main.raw("<label>").text(look.say("Ngày đăng", "Day")).raw(" <input type=\"date\" name=\"day\" value=\"");
    main.text(wanted.day.as_ref().map(NaiveDate::to_string).unwrap_or_default()).raw("\"></label>\n");
    let topics: BTreeMap<String, String> =
        look.pipeline.config.topics.iter().map(|t| (t.id.clone(), t.id.clone())).collect();
    select(main, look.say("Chủ đề", "Topic"), "topic", &wanted.topic, look.say("tất cả", "all"), &topics);
    if !wanted.site.is_empty() {
        let sites: BTreeMap<String, String> =
            look.pipeline.config.sites.iter().map(|s| (s.id.clone(), s.name.clone())).collect();
        select(main, look.say("Trang", "Site"), "site", &wanted.site, look.say("tất cả", "all"), &sites);
    }
    main.raw("<button>").text(look.say("Tìm", "Search")).raw("</button>\n</form>\n");
}

fn select(
    main: &mut Html,
    label: &str,
    name: &'static str,
    chosen: &str,
    any: &str,
    options: &BTreeMap<String, String>,
) {
    main.raw("<label>")
        .text(label)
        .raw(" <select name=\"")
        .raw(name)
        .raw("\">\n<option value=\"\">")
        .text(any)
        .raw("</option>\n");
    for (value, text) in options {
        main.raw("<option value=\"").text(value).raw(if value == chosen { "\" selected>" } else { "\">" });
        main.text(text).raw("</option>\n");
    }
    main.raw("</select></label>\n");
}

/// Of the configured sites, as they are called now.
fn provinces(look: &Look) -> BTreeMap<String, String> {
    look.pipeline.config.sites.iter().map(|site| (slug(&site.province_now), site.province_now.clone())).collect()
}

fn said(main: &mut Html, look: &Look, found: &Found) {
    main.raw("<p role=\"status\">");
    match found.total {
        Some(total) => main
            .text(look.lang.number(total))
            .raw(" ")
            .text(look.say("bài", if total == 1 { "article" } else { "articles" })),
        None if found.partial => main.text(look.say(
            "Danh mục đang được lập: đây là từ những bài mới nhất. Xin tải lại sau giây lát để tìm trong mọi bài.",
            "The index is being made: these are of the latest articles. Reload in a moment to search all of them.",
        )),
        None => main
            .text(look.lang.number(found.articles.len()))
            .raw(" ")
            .text(look.say("bài ở trang này", "articles on this page")),
    };
    main.raw("</p>\n");
}

fn turn(main: &mut Html, look: &Look, nth: usize, found: &Found) {
    main.raw("<nav class=\"pages\" aria-label=\"").text(look.say("Các trang kết quả", "Pages of results")).raw("\">\n");
    if nth > 1 {
        main.link(address(look, nth - 1), look.say("← Trang trước", "← Previous")).raw("\n");
    }
    if nth > 1 || found.more {
        main.raw("<span>").text(look.say("Trang", "Page")).raw(" ").text(look.lang.number(nth)).raw("</span>\n");
    }
    if found.more {
        main.link(address(look, nth + 1), look.say("Trang sau →", "Next →")).raw("\n");
    }
    main.raw("</nav>\n");
}

/// The same search, another page.
fn address(look: &Look, nth: usize) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(look.query.iter().filter(|(name, value)| *name != "page" && !value.is_empty()));
    query.append_pair("page", &nth.to_string());
    format!("{}?{}", look.lang.at("/articles"), query.finish())
}
