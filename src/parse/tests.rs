mod generated;

use super::{Feed, ParseError, parse};
use crate::text::VIETNAM;
use url::Url;

fn read(text: &str) -> Feed {
    bytes(text.as_bytes())
}

fn bytes(body: &[u8]) -> Feed {
    let url = Url::parse("https://tinh.example.vn/rss/tin.xml").expect("an address");
    parse(body, None, Some(&url), VIETNAM).expect("a feed")
}

fn not_a_feed(text: &str) -> String {
    parse(text.as_bytes(), None, None, VIETNAM).expect_err("no feed").to_string()
}

fn repaired(feed: &Feed, repair: &str) -> bool {
    feed.repairs.iter().any(|r| r == repair)
}

const RSS: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>Cổng thông tin</title><link>https://tinh.example.vn/</link>
<image><title>Biểu trưng</title></image>
<item><title>Tổ dân vận về bản &amp; làng</title><link>/tin/mot.html</link><guid isPermaLink="false">news_1</guid>
<pubDate>Wed, 24 Jan 2024 17:06:00 GMT+7</pubDate><dc:creator>Thu An</dc:creator>
<description><![CDATA[<p>Sáng nay</p>]]></description><content:encoded>&lt;p&gt;Cả bài&lt;/p&gt;</content:encoded></item>
<item><title>Đối thoại</title><guid>https://tinh.example.vn/tin/hai.html</guid><pubDate>25/01/2024 08:03</pubDate></item>
</channel></rss>"#;

#[test]
fn rss() {
    let feed = read(RSS);
    assert_eq!((feed.format.as_str(), feed.title.as_deref()), ("rss 2.0", Some("Cổng thông tin")));
    assert_eq!(feed.repairs, Vec::<String>::new());
    let [one, two] = &feed.items[..] else { panic!("two items") };
    assert_eq!(one.title.as_deref(), Some("Tổ dân vận về bản & làng"));
    assert_eq!(one.link.as_deref(), Some("https://tinh.example.vn/tin/mot.html"));
    assert_eq!(one.id.as_deref(), Some("news_1"));
    assert_eq!(one.published.map(|d| d.to_rfc3339()).as_deref(), Some("2024-01-24T17:06:00+07:00"));
    assert_eq!(one.authors, ["Thu An"]);
    assert_eq!((one.summary.as_deref(), one.content.as_deref()), (Some("<p>Sáng nay</p>"), Some("<p>Cả bài</p>")));
    assert_eq!(two.link.as_deref(), Some("https://tinh.example.vn/tin/hai.html"));
    assert_eq!(two.published.map(|d| d.to_rfc3339()).as_deref(), Some("2024-01-25T08:03:00+07:00"));
}

#[test]
fn atom_of_both_ages() {
    let feed = read(
        r#"<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://a.example.vn/"><title type="html">Tin &lt;b&gt;mới&lt;/b&gt;</title>
        <entry><title>Một</title><link rel="enclosure" href="a.mp3"/><link href="bai/1"/><id>urn:1</id>
        <updated>2024-01-24T10:06:00Z</updated><author><name>Hải</name></author>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Đoạn</p></div></content></entry></feed>"#,
    );
    assert_eq!((feed.format.as_str(), feed.title.as_deref()), ("atom 1.0", Some("Tin mới")));
    let item = &feed.items[0];
    assert_eq!(item.link.as_deref(), Some("https://a.example.vn/bai/1"));
    assert_eq!(item.content.as_deref(), Some("<p>Đoạn</p>"));
    assert_eq!(item.authors, ["Hải"]);
    let old = read(
        r#"<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>T</title><entry><title>E</title>
        <issued>2004-01-24T10:06:00Z</issued><modified>2004-01-25T10:06:00Z</modified>
        <content mode="escaped" type="text/html">&lt;p&gt;x&lt;/p&gt;</content></entry></feed>"#,
    );
    assert_eq!((old.format.as_str(), old.items[0].content.as_deref()), ("atom 0.3", Some("<p>x</p>")));
    assert_eq!(old.items[0].published.map(|d| d.to_rfc3339()).as_deref(), Some("2004-01-24T10:06:00+00:00"));
}

#[test]
fn rdf_sitemap_and_json() {
    let rdf = read(
        r#"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
        <channel><title>K</title></channel><item rdf:about="https://a.vn/1"><title>Một</title><link>https://a.vn/1</link></item></rdf:RDF>"#,
    );
    assert_eq!((rdf.format.as_str(), rdf.title.as_deref(), rdf.items.len()), ("rss 1.0", Some("K"), 1));
    let map = read(
        r#"<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:n="http://www.google.com/schemas/sitemap-news/0.9">
        <url><loc>https://a.vn/1</loc><n:news><n:title>Một</n:title><n:publication_date>2024-01-24</n:publication_date></n:news></url></urlset>"#,
    );
    assert_eq!((map.format.as_str(), map.items[0].title.as_deref()), ("sitemap", Some("Một")));
    let index = "<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><sitemap><loc>https://a.vn/1.xml</loc></sitemap></sitemapindex>";
    assert_eq!(not_a_feed(index), "not a feed: an index of sitemaps: https://a.vn/1.xml");
    let json = read(
        r#"{"version":"https://jsonfeed.org/version/1","items":[{"id":"x","external_url":"https://b.vn/","content_text":"1 < 2","author":{"name":"An"}}]}"#,
    );
    let item = &json.items[0];
    assert_eq!((json.format.as_str(), item.link.as_deref()), ("json feed 1", Some("https://b.vn/")));
    assert_eq!((item.content.as_deref(), &item.authors[..]), (Some("1 &lt; 2"), &["An".to_owned()][..]));
    let json = read(
        r#"{"version":"https://jsonfeed.org/version/1.1","title":"J","items":[{"id":7,"url":"/1","title":"Một",
        "content_html":"<p>x</p>","date_published":"2024-01-24T17:06:00+07:00","authors":[{"name":"An"}]}]}"#,
    );
    assert_eq!((json.format.as_str(), json.items[0].id.as_deref()), ("json feed 1.1", Some("7")));
    assert_eq!(json.items[0].link.as_deref(), Some("https://tinh.example.vn/1"));
}

#[test]
fn markup_that_is_broken() {
    let table = [
        (
            "<rss version='2.0'><channel><item><title>A & B <5 tuổi</title></item></channel></rss>",
            "A & B <5 tuổi",
            "bare < in text",
        ),
        (
            "<rss version='2.0'><channel><item><title>Một</titel><link>x</link></item></channel></rss>",
            "Một",
            "end tag that fits no start tag",
        ),
        (
            "<rss version='2.0'><channel><item><title>Một<link>x</link></item></channel></rss>",
            "Một",
            "element without end tag",
        ),
        (
            "<rss version='2.0'><channel><item><title>Một</title><item><title>Hai</title></item></channel></rss>",
            "Một",
            "entry without end tag",
        ),
        (
            "<rss version='2.0'><channel><item><title>Một\u{1}</title></item></channel></rss>",
            "Một",
            "control characters",
        ),
        (
            "<!DOCTYPE rss [<!ENTITY a 'b'>]><rss version='2.0'><channel><item><title>&a;&nbsp;</title></item></channel></rss>",
            "&a;",
            "DOCTYPE dropped",
        ),
        ("<rss version='2.0'><channel><item><title>Một</title></item></channel></rss><p>", "Một", "text after the end"),
        ("<rss><channel><item><title>Một</title></item></channel></rss>", "Một", "rss without version"),
        (
            "<rss version='2.0'><channel><item a='1' a='2'><title>Một</title></item></channel></rss>",
            "Một",
            "attribute given twice",
        ),
        ("<rss version='2.0'><channel><item><title>M\u{f0}ng ở</title></item></channel></rss>", "Mđng ở", "ð for đ"),
    ];
    for (text, title, repair) in table {
        let feed = read(text);
        assert_eq!(feed.items[0].title.as_deref(), Some(title), "{text}");
        assert!(repaired(&feed, repair), "{text}: {:?}", feed.repairs);
    }
}

#[test]
fn wherever_it_is_cut_the_whole_entries_stay() {
    let first = RSS.find("</item>").expect("an end") + "</item>".len();
    // an end tag that lacks only its `>` has ended the entry
    let second = RSS.rfind("</item>").expect("an end") + "</item".len();
    for end in (first..RSS.len()).filter(|i| RSS.is_char_boundary(*i)) {
        let feed = read(&RSS[..end]);
        assert_eq!(feed.items.len(), if end < second { 1 } else { 2 }, "cut at {end}");
        assert!(feed.repairs.iter().any(|r| r.starts_with("cut off") || r == "end tag without >"), "cut at {end}");
    }
}

#[test]
fn compression_that_was_forgotten() {
    use std::io::Write;
    let mut once = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    once.write_all(RSS.as_bytes()).expect("memory");
    let mut twice = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    twice.write_all(&once.finish().expect("memory")).expect("memory");
    let twice = twice.finish().expect("memory");
    let feed = bytes(&twice);
    assert_eq!(feed.items.len(), 2);
    assert_eq!(feed.repairs, ["compressed body"]);
    let mut thrice = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    thrice.write_all(&twice).expect("memory");
    let thrice = thrice.finish().expect("memory");
    assert!(parse(&thrice, None, None, VIETNAM).is_err(), "more than two layers are not unpacked");
    let mut once = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    once.write_all(RSS.as_bytes()).expect("memory");
    let once = once.finish().expect("memory");
    let feed = bytes(&once[..once.len() - 20]);
    assert_eq!(feed.items.len(), 2, "what could be unpacked is read");
    assert!(repaired(&feed, "damage in a compressed body"));
}

#[test]
fn a_declaration_in_the_middle_is_read_over() {
    let feed = read(
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>Một<?xml version='1.0' encoding='iso-8859-1'?></title></entry></feed>",
    );
    assert_eq!(feed.items[0].title.as_deref(), Some("Một"));
}

#[test]
fn a_time_without_zone_is_in_the_zone_that_is_given() {
    let body =
        "<rss version='2.0'><channel><item><title>x</title><pubDate>24/01/2024 17:06</pubDate></item></channel></rss>";
    for (offset, read) in [("+07:00", "2024-01-24T17:06:00+07:00"), ("+00:00", "2024-01-24T17:06:00+00:00")] {
        let feed = parse(body.as_bytes(), None, None, offset.parse().expect("an offset")).expect("a feed");
        assert_eq!(feed.items[0].published.map(|d| d.to_rfc3339()).as_deref(), Some(read));
    }
}

#[test]
fn what_is_no_feed_is_named() {
    assert!(matches!(parse(b" \n", None, None, VIETNAM), Err(ParseError::Empty)));
    let url = "https://tinh.example.vn/vi/".parse().expect("an address");
    let page =
        "<html><head><LINK type='application/atom+xml' HREF='tin.atom?a=1&amp;b=2' rel='alternate'></head></html>";
    let named = parse(page.as_bytes(), None, Some(&url), VIETNAM).expect_err("no feed").to_string();
    assert_eq!(named, "not a feed: an HTML page; its feed is https://tinh.example.vn/vi/tin.atom?a=1&b=2");
    let page = "<!DOCTYPE html><html><head><link rel=\"alternate\" type=\"application/rss+xml\" href=\"/rss.xml\"></head></html>";
    assert_eq!(not_a_feed(page), "not a feed: an HTML page; its feed is /rss.xml");
    assert_eq!(not_a_feed("<html><form><input type=\"password\"></form></html>"), "not a feed: a login page");
    let long = "<p>Tổ dân vận về thôn nghe dân nói chuyện làm đường.</p>".repeat(40);
    for error in [
        "<html><h1>502 Bad Gateway</h1></html>",
        "<html><title>Không tìm thấy trang</title><p>Xin thử lại</p></html>",
        "<?xml version='1.0'?><error><code>7</code></error>",
        "File not found.",
    ] {
        assert_eq!(not_a_feed(error), "not a feed: an error page", "{error}");
    }
    for challenge in [
        "<html><body><script>document.cookie=\"D1N=1b;path=/\";window.location.reload(true);</script></body></html>",
        "<html><title>Just a moment...</title><script src='/cdn-cgi/challenge-platform/h/b.js'></script></html>",
        "<html><script>document.cookie='a=1';location.href='/rss'</script></html>",
        "<html><p>Nhập captcha để tiếp tục</p></html>",
    ] {
        assert_eq!(not_a_feed(challenge), "not a feed: a challenge page that wants a browser", "{challenge}");
    }
    for page in [
        "<html><p>Xin chào</p></html>".to_owned(),
        format!("<html><title>Xã có 404 hộ</title>{long}<p>captcha</p></html>"),
        format!("<html><script>document.cookie='a=1';window.location</script>{long}</html>"),
    ] {
        assert_eq!(not_a_feed(&page), "not a feed: an HTML page", "{page}");
    }
    assert_eq!(not_a_feed("xin chào"), "not a feed: nothing that looks like one");
    assert_eq!(not_a_feed("{\"error\":\"gone\"}"), "not a feed: JSON without a list of items");
}

#[test]
fn day_and_month_as_the_feed_has_them() {
    let item = |date: &str| format!("<item><title>x</title><pubDate>{date}</pubDate></item>");
    let body = item("2/5/2024 8:03:09 AM") + &item("1/24/2024 5:06:45 PM");
    let feed = read(&format!("<rss version='2.0'><channel>{body}</channel></rss>"));
    assert_eq!(feed.items[0].published.map(|d| d.to_rfc3339()).as_deref(), Some("2024-02-05T08:03:09+07:00"));
}

#[test]
fn hostile_size_is_bounded() {
    let items = "<item><title>x</title></item>".repeat(10_050);
    let feed = read(&format!("<rss version='2.0'><channel>{items}</channel></rss>"));
    assert_eq!(feed.items.len(), 10_000);
    assert!(repaired(&feed, "more entries than are read"));
    let title = "dân vận ".repeat(5_000);
    let feed = read(&format!("<rss version='2.0'><channel><item><title>{title}</title></item></channel></rss>"));
    assert!(feed.items[0].title.as_ref().is_some_and(|t| t.len() <= 4_000 && title.starts_with(t.as_str())));
    let base = "d/".repeat(1_000);
    let entries: String = (0..10_000).map(|n| format!("<entry><link href='{n}'/></entry>")).collect();
    let feed =
        read(&format!("<feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://a.vn/{base}'>{entries}</feed>"));
    let links: usize = feed.items.iter().filter_map(|item| item.link.as_ref()).map(String::len).sum();
    assert!(links < 17 << 20 && feed.items.len() > 5_000, "{links}");
    assert!(repaired(&feed, "more entries than are read"));
    let attributes: String = (0..5_000).map(|n| format!(" a{n}='x'")).collect();
    let feed = read(&format!("<rss version='2.0'><channel><item{attributes}><title>x</title></item></channel></rss>"));
    assert_eq!(feed.items.len(), 1);
    let deep = format!("<rss version='2.0'><channel>{}", "<a>".repeat(50_000));
    assert!(repaired(&read(&deep), "elements too deep"));
}

#[test]
fn minutes_that_are_months_are_not_believed() {
    let item = |day: u8, second: u8| {
        format!("<item><title>x</title><pubDate>Wed, {day} Mar 2024 08:03:{second:02} GMT</pubDate></item>")
    };
    let body = item(27, 5) + &item(26, 11) + &item(25, 40);
    let with = |generator: &str| {
        read(&format!("<rss version='2.0'><channel><generator>{generator}</generator>{body}</channel></rss>"))
    };
    let feed = with("NukeViet v4.0");
    assert_eq!(feed.items[0].published.map(|d| d.to_rfc3339()).as_deref(), Some("2024-03-27T08:00:00+07:00"));
    assert!(repaired(&feed, "minutes that are months: the hour is known only, and it is local"));
    let feed = with("Joomla");
    assert_eq!(feed.items[0].published.map(|d| d.to_rfc3339()).as_deref(), Some("2024-03-27T08:03:05+00:00"));
}

#[test]
fn json_that_breaks_off_keeps_what_came_before() {
    let feed = read(r#"{"version":"https://jsonfeed.org/version/1","items":[{"id":"1","title":"Một"},{"id":"2","ti"#);
    assert_eq!(feed.items.len(), 1);
    assert!(repaired(&feed, "cut off within an entry"));
    assert!(not_a_feed(r#"{"error":"gone"}"#).starts_with("not a feed"));
    assert!(not_a_feed(r#"{"items":[{"#).starts_with("unreadable"));
}
