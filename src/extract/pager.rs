//! The next page of the same article.

use super::page::Flat;
use super::signs::{COMMENT, RELATED};
use crate::text::{fold, tidy};
use scraper::Html;
use url::Url;

/// What links to the next page say, marks left out.
const WORDS: [&str; 12] = [
    "trang sau",
    "trang tiếp",
    "trang tiếp theo",
    "trang kế",
    "tiếp",
    "tiếp theo",
    "xem tiếp",
    "đọc tiếp",
    "sau",
    "next",
    "next page",
    "",
];
const MARKS: [char; 9] = ['›', '»', '>', '→', '.', '…', '|', ']', '['];
/// The names under which queries carry a page's number. Not `p`, which names an article as often.
const KEYS: [&str; 8] = ["page", "trang", "pg", "paged", "pageno", "pageindex", "start", "limitstart"];
/// The same in paths.
const PARTS: [&str; 5] = ["page", "trang", "pg", "phan", "p"];

/// The address of the page after the `nth` (counted from 1) of the article that begins at `first`: the same address but
/// for the page's number.
pub fn next(html: &Html, flat: &Flat<'_>, base: &Url, first: &Url, nth: u32) -> Option<Url> {
    let head = html.tree.nodes().filter_map(scraper::ElementRef::wrap).filter(|e| e.value().name() == "link");
    let head = head.filter(|e| says_next(e.attr("rel"))).filter_map(|e| Some((e.attr("href")?, true, String::new())));
    let links = (0..flat.elems.len()).filter(|&e| flat.name(e) == "a" && !apart(flat, e));
    let links = links.filter_map(|e| {
        let node = flat.elems[e].node;
        let text = tidy(&node.text().collect::<Vec<_>>().join(" "));
        Some((node.attr("href")?, says_next(node.attr("rel")), text))
    });
    head.chain(links).find_map(|(href, named, text)| {
        let url = base.join(href.trim()).ok()?; // what is no address leads nowhere
        let number = number(first, &url)?;
        let counted = number == nth + 1 && (named || is_word(&text) || text == number.to_string());
        // Some count from 0.
        (counted || (number == nth && (named || is_word(&text)))).then_some(url)
    })
}

fn says_next(rel: Option<&str>) -> bool {
    rel.is_some_and(|rel| rel.split_whitespace().any(|word| word.eq_ignore_ascii_case("next")))
}

/// Comments and lists of other articles have pages of their own.
fn apart(flat: &Flat<'_>, elem: usize) -> bool {
    flat.around(elem).any(|e| flat.elems[e].signs & (COMMENT | RELATED) != 0)
}

fn is_word(text: &str) -> bool {
    let said = fold(text);
    let said = said.trim_matches(|c: char| c.is_whitespace() || MARKS.contains(&c));
    !text.is_empty() && WORDS.iter().any(|word| fold(word) == said)
}

/// The number of the page at `url`, if it differs from `first` in that alone.
fn number(first: &Url, url: &Url) -> Option<u32> {
    if (url.host_str(), url.port()) != (first.host_str(), first.port()) || !url.scheme().starts_with("http") {
        return None;
    }
    let (known, found) = (query(first), query(url));
    if url.path() == first.path() {
        return found.1.filter(|_| known.0 == found.0);
    }
    if known.0 != found.0 || found.1.is_some() {
        return None;
    }
    let rest = stem(url.path()).strip_prefix(stem(first.path()))?;
    let digits = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
    let mark = rest[..rest.len() - digits.len()].to_ascii_lowercase();
    let word = mark.trim_matches(['/', '-', '_', '.', '=']);
    let good = PARTS.contains(&word) || (word.is_empty() && matches!(mark.as_str(), "/" | "_"));
    page_number(digits).filter(|_| good)
}

/// The pairs but for the page's number, in order; and that.
fn query(url: &Url) -> (Vec<(String, String)>, Option<u32>) {
    let of_page = |key: &str| KEYS.iter().any(|known| key.eq_ignore_ascii_case(known));
    let pairs = url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned()));
    let (numbers, mut rest): (Vec<_>, Vec<_>) =
        pairs.partition(|(key, value)| of_page(key) && page_number(value).is_some());
    rest.sort();
    (rest, numbers.last().and_then(|(_, value)| page_number(value)))
}

/// A path without its ending.
fn stem(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    match path.rsplit_once('.') {
        Some((stem, end))
            if end.len() <= 5 && end.chars().all(|c| c.is_ascii_alphanumeric()) && !stem.ends_with('/') =>
        {
            stem
        }
        _ => path,
    }
}

fn page_number(text: &str) -> Option<u32> {
    if text.is_empty() || text.len() > 2 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok() // two figures
}

#[cfg(test)]
mod tests {
    use crate::article::Page;
    use crate::extract::next_page;
    use url::Url;

    fn found(first: &str, nth: u32, body: &str) -> Option<String> {
        let url: Url = first.parse().unwrap();
        let html = format!("<html><body><p>Sáng nay, xã mở buổi đối thoại.</p>{body}</body></html>");
        let page = Page { url: url.clone(), content_type: None, body: html.into_bytes() };
        next_page(&page, &url, nth).map(|url| url.to_string())
    }

    #[test]
    fn the_next_page_has_the_same_address_but_for_its_number() {
        for (first, nth, link, good) in [
            ("https://a.vn/tin/bai.html", 1, "<a href='/tin/bai-trang-2.html'>Trang sau »</a>", true),
            ("https://a.vn/tin/bai.html", 1, "<a href='bai-p2.html'>2</a>", true),
            ("https://a.vn/tin/bai/", 1, "<a href='/tin/bai/2/'>Tiếp theo</a>", true),
            ("https://a.vn/tin/bai/", 1, "<link rel=next href='/tin/bai/page/2/'>", true),
            ("https://a.vn/x.aspx?id=7", 1, "<a href='?id=7&page=2'>Next &gt;</a>", true),
            ("https://a.vn/x.aspx?id=7", 1, "<a rel=next href='?start=1&id=7'>...</a>", true),
            ("https://a.vn/x.aspx?id=7", 2, "<a href='?id=7&page=1'>1</a><a href='?id=7&page=3'>3</a>", true),
            ("https://a.vn/x.aspx?id=7", 1, "<a href='?id=8&page=2'>Next</a>", false),
            ("https://a.vn/x.aspx?id=7", 1, "<a href='?id=7&page=2'>Bài nhiều người xem</a>", false),
            ("https://a.vn/x.aspx?id=7", 1, "<a href='?id=7&page=5'>5</a>", false),
            ("https://a.vn/tin/bai", 1, "<a rel=next href='/tin/bai-khac'>Next</a>", false),
            ("https://a.vn/tin/bai", 1, "<a rel=next href='/tin/bai-2'>Next</a>", false),
            ("https://a.vn/?p=12", 1, "<a rel=next href='/?p=13'>Next</a>", false),
            ("https://a.vn/tin/bai", 1, "<a href='https://b.vn/tin/bai?page=2'>Next</a>", false),
            ("https://a.vn/tin/bai", 1, "<div id=comments><a href='?page=2'>Next</a></div>", false),
        ] {
            assert_eq!(found(first, nth, link).is_some(), good, "{first} {link}");
        }
    }
}
