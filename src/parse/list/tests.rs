use super::list;
use crate::article::Page;
use crate::config::ListLayout;
use crate::parse::{Feed, ParseError};
use crate::text::VIETNAM;
use scraper::Selector;

const PAGE: &str = include_str!("../../../tests/sites/sonla/danh-sach.html");

fn read(html: &str, layout: &ListLayout) -> Result<Feed, ParseError> {
    let url = "https://sonla.example/tin-tuc".parse().expect("an address");
    let body = html.replace("{{base}}", "https://sonla.example").into_bytes();
    list(&Page { url, content_type: Some("text/html; charset=utf-8".to_owned()), body }, layout, VIETNAM)
}

fn layout(item: &str, link: &str, title: &str, date: &str) -> ListLayout {
    let selector = |css: &str| (!css.is_empty()).then(|| Selector::parse(css).expect("a selector"));
    ListLayout { item: selector(item), link: selector(link), title: selector(title), date: selector(date) }
}

/// Path, title, date of each entry.
fn rows(feed: &Feed) -> Vec<(String, String, Option<String>)> {
    let path = |link: &str| link.strip_prefix("https://sonla.example").unwrap_or(link).to_owned();
    let row = |item: &crate::parse::Item| {
        let link = item.link.as_deref().expect("a link");
        (path(link), item.title.clone().expect("a title"), item.published.map(|d| d.to_rfc3339()))
    };
    feed.items.iter().map(row).collect()
}

#[test]
fn with_selectors_and_without_the_same_entries_are_found() {
    let found = read(PAGE, &ListLayout::default()).expect("a list");
    let all = rows(&found);
    assert_eq!(all.len(), 6, "{all:#?}");
    assert_eq!(all[0].0, "/xay-dung-dang/huoi-nga-doi-thay-tu-dan-van-kheo-70412.html");
    assert_eq!(all[0].2.as_deref(), Some("2024-03-14T09:05:00+07:00"));
    assert_eq!(all[5].1, "Ấm áp Ngày hội Đại đoàn kết ở tiểu khu Phiêng Hát");
    assert_eq!(all[5].2.as_deref(), Some("2023-11-14T20:10:00+07:00"));
    assert_eq!((found.format.as_str(), found.title.as_deref()), ("list, found", Some("Tin tức - Báo Sơn La điện tử")));
    for (item, link, title, date) in [
        ("article.lead, .stories li", "", "", ""),
        ("article.lead, .stories li", "h2 a, h3 a", "", ".time"),
        ("h2 a, h3 a", "", "", ""),
        ("article.lead, .stories li", "h2, h3", "", "span"),
    ] {
        let feed = read(PAGE, &layout(item, link, title, date)).expect("a list");
        let expected: Vec<_> = all.iter().map(|r| (&r.0, &r.1)).collect();
        let rows = rows(&feed);
        assert_eq!(rows.iter().map(|r| (&r.0, &r.1)).collect::<Vec<_>>(), expected, "{item} {link}");
        assert!(item.starts_with("h2") || rows == all, "{item} {link}: {rows:#?}");
        assert_eq!(feed.format, "list");
    }
}

#[test]
fn a_layout_that_no_longer_fits_is_said() {
    let why = |layout: &ListLayout| read(PAGE, layout).expect_err("no list").to_string();
    assert_eq!(why(&layout(".gone", "", "", "")), "unreadable: nothing on the page matches the list's `item`");
    assert_eq!(why(&layout("li p", "", "", "")), "unreadable: no `item` of the list has a link with a title");
}

#[test]
fn cards_that_are_links_as_a_whole() {
    let card = |n: u8| {
        format!(
            "<a class=card href=/bai/{n}><h4>Bản số {n} họp bàn việc làm đường</h4>
             <div><span>{n}</span><span>02/2024</span></div><p>Tóm tắt của bài thứ {n}, dài hơn nhan đề nhiều.</p></a>"
        )
    };
    let menu = "<ul><li><a href=/a>Giới thiệu chung về huyện</a><li><a href=/b>Cơ cấu tổ chức bộ máy</a>
        <li><a href=/c>Văn bản mới ban hành</a><li><a href=/d>Lịch công tác tuần này</a></ul>";
    let body: String = (1..=4).map(card).collect();
    let feed = read(&format!("<body>{menu}<div><section>{body}</section></div>"), &ListLayout::default());
    let rows = rows(&feed.expect("a list"));
    assert_eq!(rows.len(), 4, "{rows:#?}");
    assert_eq!((rows[2].0.as_str(), rows[2].1.as_str()), ("/bai/3", "Bản số 3 họp bàn việc làm đường"));
    assert_eq!(rows[2].2.as_deref(), Some("2024-02-03T00:00:00+07:00"));
}

#[test]
fn rows_of_columns_are_one_list_and_numbers_are_no_dates() {
    let cell = |n: u8| {
        format!(
            "<td><p><a href='chi-tiet.aspx?id={n}'>Cựu chiến binh thôn {n} giữ gìn ngõ xóm</a></p>
             <i>Lượt xem: 1.024</i><i>0912345678</i></td>"
        )
    };
    let row = |n: u8| format!("<tr>{}{}</tr>", cell(n), cell(n + 1));
    let body: String = [1, 3, 5].map(row).concat();
    let feed = read(&format!("<body><table>{body}</table>"), &ListLayout::default()).expect("a list");
    let rows = rows(&feed);
    assert_eq!(rows.len(), 6, "{rows:#?}");
    assert_eq!((rows[5].0.as_str(), &rows[5].2), ("/chi-tiet.aspx?id=6", &None));
}

#[test]
fn a_page_without_a_list_is_no_feed() {
    let article =
        "<body><h1>Một bài</h1><p>Văn bản dài <a href=/x>xem thêm ở bài này nữa</a></p><a href=/y>Trang chủ</a>";
    let why = read(article, &ListLayout::default()).expect_err("no list").to_string();
    assert_eq!(why, "not a feed: an HTML page; no list of articles was found on it: name its `item`");
}

#[test]
fn hostile_pages_take_bounded_time() {
    let links = "<a href=/x>một hai ba bốn năm</a><i>1/2/2024</i>".repeat(20_000);
    read(&links, &ListLayout::default()).expect_err("one address");
    let deep = format!("{}<a href=/x>một hai ba bốn</a>", "<div>".repeat(50_000));
    read(&deep, &ListLayout::default()).expect_err("one link");
}
