//! What stands around every page.

use super::{Look, Page};
use crate::status::html::Html;
use crate::status::lang::Lang;

/// The sections: path, Vietnamese, English.
const SECTIONS: [(&str, &str, &str); 3] =
    [("/", "Tổng quan", "Overview"), ("/sites", "Trang nguồn", "Sites"), ("/articles", "Bài viết", "Articles")];

pub fn frame(look: &Look, page: Page) -> Html {
    let lang = look.lang;
    let mut html = Html::of("<!doctype html>\n<html lang=\"");
    html.text(lang.code()).raw("\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    html.text(&page.title).raw(" · Điểm tin</title>\n<link rel=\"icon\" href=\"data:,\">\n");
    html.raw("<link rel=\"stylesheet\" href=\"/style.css?")
        .text(env!("CARGO_PKG_VERSION"))
        .raw("\">\n</head>\n<body>\n");
    html.raw("<a class=\"skip\" href=\"#main\">").text(lang.say("Đến nội dung", "Skip to content")).raw("</a>\n");
    header(&mut html, look);
    html.raw("<main id=\"main\">\n").add(page.main).raw("\n</main>\n");
    footer(&mut html, look);
    html.raw("</body>\n</html>\n");
    html
}

fn header(html: &mut Html, look: &Look) {
    html.raw("<header>\n<p class=\"name\"><a href=\"")
        .text(look.lang.at("/"))
        .raw("\">Điểm tin</a></p>\n<nav aria-label=\"");
    html.text(look.say("Các phần", "Sections")).raw("\">\n");
    for (path, vi, en) in SECTIONS {
        let here = if path == "/" { look.path == "/" } else { look.path.starts_with(path) };
        html.raw("<a href=\"").text(look.lang.at(path));
        html.raw(if here { "\" aria-current=\"true\">" } else { "\">" }).text(look.say(vi, en)).raw("</a>\n");
    }
    html.raw("</nav>\n");
    switch(html, look);
    html.raw("</header>\n");
}

/// The same page in the other language.
fn switch(html: &mut Html, look: &Look) {
    let (other, name) = match look.lang {
        Lang::Vi => (Lang::En, "English"),
        Lang::En => (Lang::Vi, "Tiếng Việt"),
    };
    let query = query(look);
    html.raw("<a class=\"lang\" hreflang=\"").text(other.code()).raw("\" lang=\"").text(other.code()).raw("\" href=\"");
    html.text(other.at(&look.path)).text(query).raw("\">").text(name).raw("</a>\n");
}

fn query(look: &Look) -> String {
    if look.query.is_empty() {
        return String::new();
    }
    let pairs = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&look.query).finish();
    format!("?{pairs}")
}

fn footer(html: &mut Html, look: &Look) {
    html.raw("<footer>\n<p>diemtin ").text(env!("CARGO_PKG_VERSION")).raw(" · ");
    html.text(look.say("lúc", "at")).raw(" ").text(look.lang.moment(look.now));
    html.text(look.say(", giờ Việt Nam (+07:00) · ", ", Vietnam's time (+07:00) · "));
    html.link("/metrics", "metrics").raw("</p>\n</footer>\n");
}
