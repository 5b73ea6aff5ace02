//! Small pages, each with one thing that pages do.

mod short;

use super::{ExtractError, extract, from_entry, sample_names, samples};
use crate::article::{Clean, DateFrom, Entry, Id, Method, Page, Sources, plain};
use crate::config::Layout;
use chrono::{DateTime, TimeZone, Utc};
use scraper::Selector;

const FIRST: &str = "Sáng nay, xã Bản Lầm mở buổi đối thoại giữa lãnh đạo xã và bà con ba thôn về con đường vào khu sản xuất, \
                     có hơn hai trăm người dự.";
const SECOND: &str = "Nhiều ý kiến đề nghị công khai dự toán trước khi góp ngày công, và được trả lời ngay tại chỗ, không hẹn \
                      lại lần sau như mọi năm.";
const THIRD: &str = "Kết thúc buổi họp, ban quản lý thôn nhận phần việc của mình, ghi vào biên bản và đọc lại cho mọi người \
                     cùng nghe.";

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2024, 6, 1, 0, 0, 0).unwrap()
}

fn page(html: &str) -> Page {
    let url = "https://example.vn/tin/bai.html".parse().unwrap();
    Page { url, content_type: Some("text/html; charset=utf-8".to_owned()), body: html.as_bytes().to_vec() }
}

fn clean(html: &str) -> Clean {
    extract(&page(html), None, None, now()).unwrap()
}

fn text(html: &str) -> String {
    plain(&clean(html).blocks)
}

fn whole() -> String {
    format!("{FIRST}\n\n{SECOND}\n\n{THIRD}")
}

#[test]
fn paragraphs_are_found_however_they_are_made() {
    for body in [
        format!("<p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p>"),
        format!("<div>{FIRST}</div><div>{SECOND}</div><div>{THIRD}</div>"),
        format!("{FIRST}<br><br>{SECOND}<br/>&nbsp;<br/>{THIRD}"),
        format!("{FIRST}<p>{SECOND}</p>{THIRD}"),
        format!(
            "<table><tr><td><table><tr><td><p>{FIRST}</p><p>{SECOND}</p></td></tr></table>{THIRD}</td></tr></table>"
        ),
        format!("<p>\u{200b}{FIRST}</p><span><p>{SECOND}</p></span><p style='display:none'>Ẩn.</p><p>{THIRD}</p>"),
    ] {
        assert_eq!(text(&format!("<h1>Đối thoại ở Bản Lầm</h1><div class=noidung>{body}</div>")), whole(), "{body}");
    }
}

#[test]
fn what_shows_under_the_pointer_is_no_text() {
    let rest = FIRST.strip_prefix("Sáng nay,").unwrap();
    let word = "<span class=tooltip>Sáng nay<span class=tooltip-text>Thứ năm, 23/5, lúc tám giờ.</span></span>";
    let html = format!("<h1>Đối thoại ở Bản Lầm</h1><div><p>{word},{rest}</p><p>{SECOND}</p><p>{THIRD}</p></div>");
    assert_eq!(text(&html), whole());
    let word =
        "<span class=tooltip><a class=tooltip-link href=/x>Sáng nay</a><span class=tooltip-text>23/5</span></span>";
    let html = format!("<h1>Đối thoại ở Bản Lầm</h1><div><p>{word},{rest}</p><p>{SECOND}</p><p>{THIRD}</p></div>");
    assert_eq!(text(&html), whole());
    let html = format!("<h1>Đối thoại</h1><p class=tooltips>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p>");
    assert_eq!(text(&html), whole());
}

/// What the weights see of a line, by name.
fn measured(html: &str, text: &str, name: &str) -> Option<f32> {
    let at = sample_names().iter().position(|n| n == name).unwrap();
    let samples = samples(&page(html), now()).unwrap();
    samples.iter().find(|s| s.text == text).map(|s| s.numbers[at])
}

#[test]
fn an_article_cut_into_sections_is_measured_whole() {
    let links: String = (0..60).map(|n| format!("<li><a href=/{n}>Tin số {n}</a></li>")).collect();
    let parts =
        format!("<section><p>{FIRST}</p><p>{SECOND}</p></section><ul>{links}</ul><section><p>{THIRD}</p></section>");
    let html = |name: &str| format!("<h1>Đối thoại</h1><{name}>{parts}</{name}>");
    assert_eq!(measured(&html("article"), THIRD, "text"), Some(1.0));
    assert_eq!(measured(&html("div"), THIRD, "text"), None);
}

#[test]
fn text_that_comes_again_is_seen_from_both_places() {
    let html = format!(
        "<h1>Đối thoại</h1><div><p>{FIRST}</p><p>{SECOND}</p><figure><img src=/a.jpg><p>{FIRST}</p></figure></div>"
    );
    assert_eq!(measured(&html, FIRST, "again_after"), Some(1.0));
    assert_eq!(measured(&html, FIRST, "again_before"), Some(0.0));
    assert_eq!(measured(&html, SECOND, "again_after"), Some(0.0));
    assert_eq!(measured(&html, SECOND, "picture"), Some(1.0));
}

#[test]
fn chrome_in_and_around_the_text_goes_and_says_why() {
    let html = format!(
        "<ul class=menu><li><a href=/>Trang chủ</a><li><a href=/a>Giới thiệu</a></ul>
        <h1>Đối thoại ở Bản Lầm</h1><div id=bai><p>{FIRST}</p>
        <p><b>Tin liên quan</b></p><ul><li><a href=/1>Thôn Nà Bó sửa xong đập nước</a></ul>
        <p>{SECOND}</p><p>{THIRD}</p><p align=right><b>Tin và ảnh: Lò Mai</b></p>
        <p>Số lần đọc: 310</p></div>
        <div>Hôm nay12 Hôm qua340 Tuần này1,880</div>"
    );
    let clean = clean(&html);
    assert_eq!(plain(&clean.blocks), whole());
    assert_eq!(clean.authors, ["Lò Mai"]);
    assert_eq!(clean.method, Method::Generic);
    assert_eq!(clean.kept_by.len(), clean.blocks.len());
    let why = |text: &str| clean.dropped.iter().find(|d| d.text.contains(text)).map(|d| d.why.as_str());
    assert_eq!(why("Nà Bó"), Some("listed under related articles"));
    assert_eq!(why("Số lần đọc"), Some("a line of the site"));
    assert_eq!(why("Hôm qua"), Some("outside the article"));
}

#[test]
fn the_lead_is_text_wherever_it_stands() {
    let html = format!(
        "<div class=head><h1>Đối thoại ở Bản Lầm</h1><h2 class=detail-sapo>{FIRST}</h2></div>
        <div class=sidebar-1><div class=body><p>{SECOND}</p><p>{THIRD}</p></div></div>"
    );
    assert_eq!(text(&html), whole());
}

#[test]
fn captions_go_to_the_pictures() {
    let html = format!(
        "<h1>Đối thoại ở Bản Lầm</h1><div><p>{FIRST}</p>
        <p style='text-align:center'><img src='/anh/1.jpg'></p><p style='text-align:center'><i>Bà con góp ý tại nhà văn hóa</i></p>
        <p>{SECOND}</p><figure><img data-src='2.jpg' src='data:image/gif;base64,R0'><figcaption>Con đường mới. Ảnh: PV</figcaption></figure>
        <p>{THIRD}</p></div>"
    );
    let clean = clean(&html);
    assert_eq!(plain(&clean.blocks), whole());
    let images: Vec<_> = clean.images.iter().map(|i| (i.url.as_str(), i.caption.as_deref())).collect();
    assert_eq!(
        images,
        [
            ("https://example.vn/anh/1.jpg", Some("Bà con góp ý tại nhà văn hóa")),
            ("https://example.vn/tin/2.jpg", Some("Con đường mới. Ảnh: PV")),
        ]
    );
}

#[test]
fn the_headline_is_neither_the_site_nor_a_class() {
    let html = format!(
        "<title>DetailController - Hội đồng xã</title><header><h1><a href=/>HỘI ĐỒNG XÃ BẢN LẦM</a></h1></header>
        <h1>DetailController</h1><h3 class=tieude>Đối thoại ở Bản Lầm kéo dài hai giờ</h3><div>21/12/2022 00:00</div>
        <div><p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p></div>"
    );
    let clean = clean(&html);
    assert_eq!(clean.title.as_deref(), Some("Đối thoại ở Bản Lầm kéo dài hai giờ"));
    assert_eq!(clean.published.unwrap().to_rfc3339(), "2022-12-21T00:00:00+07:00");
    assert_eq!(clean.published_from, DateFrom::Page);
    assert_eq!(plain(&clean.blocks), whole());
}

#[test]
fn it_is_said_where_title_authors_and_summary_were_found() {
    let html = format!(
        "<meta property=og:description content='Trang thông tin điện tử xã Bản Lầm'><h1>Đối thoại ở Bản Lầm</h1>
        <div><p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p><p align=right><b>Lò Mai</b></p></div>"
    );
    let Sources { title, authors, summary } = clean(&html).sources;
    assert_eq!((title, authors, summary), ("the page's h1", "a byline at the text", "nowhere"));
    assert_eq!(clean(&html).summary, None);
    let of_the_layout = Layout { title: Selector::parse("b").ok(), ..layout("div", ".x") };
    let clean = extract(&page(&html), None, Some(&of_the_layout), now()).unwrap();
    assert_eq!((clean.title.as_deref(), clean.sources.title), (Some("Lò Mai"), "the layout's title"));
}

fn layout(body: &str, drop: &str) -> Layout {
    let one = |s: &str| Selector::parse(s).unwrap();
    Layout { name: "a".to_owned(), title: None, body: Some(one(body)), date: None, author: None, drop: vec![one(drop)] }
}

#[test]
fn a_layout_joins_what_matches_and_drops_what_it_names() {
    let html = format!(
        "<h1>Đối thoại ở Bản Lầm</h1><div class=sapo>{FIRST}</div><p>Một dòng không thuộc bài, nằm giữa hai phần của trang.</p>
        <div class=b><div class=b><p>{SECOND}</p></div><p class=x>Quảng cáo ở giữa bài, có dấu chấm.</p><p>{THIRD}</p></div>"
    );
    let clean = extract(&page(&html), None, Some(&layout(".sapo, .b", ".x")), now()).unwrap();
    assert_eq!((clean.method, plain(&clean.blocks)), (Method::Layout, whole()));
    let fallen_back = extract(&page(&html), None, Some(&layout(".gone", ".x")), now()).unwrap();
    assert_eq!(fallen_back.method, Method::Generic);
    assert!(fallen_back.dropped[0].why.contains("matched no text"));
}

#[test]
fn a_feed_alone_gives_an_article() {
    let url: url::Url = "https://example.vn/tin/1".parse().unwrap();
    let entry = Entry {
        id: Id::of(&url),
        url,
        title: Some("Đối thoại ở Bản Lầm".to_owned()),
        published: DateTime::parse_from_rfc3339("2024-01-24T17:06:00+07:00").ok(),
        updated: None,
        authors: vec![],
        summary: Some(format!("<p>{FIRST}</p><p>{SECOND}</p>{THIRD}")),
        content: None,
    };
    let clean = from_entry(&entry, now()).unwrap();
    assert_eq!((clean.method, clean.published_from), (Method::Feed, DateFrom::Feed));
    assert_eq!(plain(&clean.blocks), whole());
}

#[test]
fn a_sentence_beside_a_picture_is_all_that_a_feed_says() {
    let url: url::Url = "https://example.vn/tin/1".parse().unwrap();
    let (id, summary) = (Id::of(&url), Some("<img src=\"/a.jpg\"/>Trưởng bản đến từng nhà.".to_owned()));
    let title = Some("Đối thoại ở Bản Lầm".to_owned());
    let none = Vec::new;
    let entry = Entry { id, url, title, published: None, updated: None, authors: none(), summary, content: None };
    let clean = from_entry(&entry, now()).unwrap();
    assert!(plain(&clean.blocks).contains("Trưởng bản đến từng nhà."), "{:?}", clean.blocks);
}

#[test]
fn what_is_no_page_is_refused() {
    let mut file = page("");
    file.body = b"%PDF-1.4".to_vec();
    assert!(matches!(extract(&file, None, None, now()), Err(ExtractError::NotAPage(_))));
    let feed = format!("<?xml version='1.0'?><rss><channel><item><description>{FIRST} {SECOND}</description></item>");
    assert_eq!(extract(&page(&feed), None, None, now()).unwrap_err().to_string(), "not a page: a feed");
    assert!(matches!(extract(&page("<html></html>"), None, None, now()), Err(ExtractError::NoText)));
}

#[test]
fn every_number_that_is_measured_has_a_name_and_is_one() {
    let html = format!(
        "<script type='application/ld+json'>{{\"@type\":\"NewsArticle\",\"articleBody\":\"{FIRST}\"}}</script>
        <h1>Đối thoại ở Bản Lầm</h1><div><h2>Việc làng</h2><p>{FIRST}</p><ul><li>Một</ul><p><b>Lò Mai</b></div><p>{SECOND}</p>"
    );
    let (names, samples) = (sample_names(), samples(&page(&html), now()).unwrap());
    assert_eq!(samples.len(), 6);
    for sample in &samples {
        assert_eq!(sample.numbers.len(), names.len());
        assert!(sample.numbers.iter().all(|n| n.is_finite()), "{}", sample.text);
    }
    let number = |text: &str, name: &str| {
        let sample = samples.iter().find(|s| s.text.starts_with(text)).unwrap();
        sample.numbers[names.iter().position(|n| n == name).unwrap()]
    };
    assert_eq!((number("Sáng nay", "in_body"), number("Nhiều", "in_body")), (1.0, 0.0));
    assert_eq!((number("Sáng nay", "heading_ago"), number("Sáng nay", "shape-1")), (1.0, 2.0));
    assert_eq!((number("Lò Mai", "bold"), number("Sáng nay", "inside")), (1.0, 1.0));
}

/// Each of these would take the square of its length.
#[test]
fn deep_and_broken_pages_end_in_time() {
    let attributes: String = (0..10_000).map(|n| format!("<p a{n}=1 ")).collect();
    let fonts: String = (0..10_000).map(|n| format!("<p><font color={n}>a")).collect();
    let units = [
        "<div>",
        "<b>",
        "<table><tr><td>",
        "<ul><li>",
        "<!--",
        "<script>",
        "<svg>",
        "<svg ",
        "<a href='",
        "<span>",
        "<blockquote><p>a",
        "<div aria-hidden=true><img>",
        "<b><p>",
        "<a><div>",
        "<x-a>",
        "<p class=sapo>a",
        "<h1>a b",
    ];
    for deep in units.iter().map(|u| u.repeat(10_000)).chain([attributes, fonts]) {
        let begin = std::time::Instant::now();
        drop(extract(&page(&format!("<p>{FIRST}</p>{deep}<p>{SECOND}</p>")), None, None, now()));
        assert!(begin.elapsed().as_secs() < 20, "{}", &deep[..20]);
    }
}

/// A layout whose body matches every paragraph: parts and elements are not compared each with each.
#[test]
fn a_body_of_many_parts_takes_no_longer() {
    let html = format!("<h1>Đối thoại</h1>{}", format!("<p class=related><b>{FIRST}</b></p>").repeat(10_000));
    let begin = std::time::Instant::now();
    let clean = extract(&page(&html), None, Some(&layout("p", ".x")), now()).unwrap();
    assert_eq!(clean.blocks.len(), 10_000);
    assert!(begin.elapsed().as_secs() < 20);
}
