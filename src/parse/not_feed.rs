//! What came instead of a feed, in plain words.

use super::text::{cut, without_tags};
use crate::text::fold;
use url::Url;

/// How far into a page its kind is looked for.
const HEAD: usize = 64 << 10;
/// A page with less text, in bytes, was not made for readers.
const LITTLE: usize = 1_000;

/// Scripts and marks that only pages have which let no program in.
const CHALLENGES: [&str; 8] = [
    "challenge-platform",
    "cf-chl",
    "cf_chl",
    "just a moment...",
    "document.cookie=\"d1n=",
    "document.cookie='d1n=",
    "d1n=\"",
    "ddos-guard",
];

/// What a short page says of itself that wants a browser.
const WANTS_BROWSER: [&str; 4] = ["captcha", "enable javascript", "checking your browser", "bật javascript"];

/// What the title or the heading of an error page says, folded.
const ERRORS: [&str; 22] = [
    "400",
    "401",
    "403",
    "404",
    "500",
    "502",
    "503",
    "504",
    "not found",
    "forbidden",
    "bad gateway",
    "unavailable",
    "timeout",
    "runtime error",
    "server error",
    "exception",
    "access denied",
    "không tìm thấy",
    "không tồn tại",
    "bảo trì",
    "lỗi",
    "error",
];

/// Names the page; the address of a feed it advertises is part of the answer, absolute where `url` says of what.
pub fn name(text: &str, url: Option<&Url>) -> String {
    let head = cut(text, HEAD);
    if let Some(obstacle) = obstacle(head) {
        return obstacle.to_owned();
    }
    let lower = head.to_ascii_lowercase();
    let html = ["<html", "<!doctype html", "<body", "<head", "<script"].iter().any(|tag| lower.contains(tag));
    match alternate(head, &lower, url) {
        Some(address) => format!("an HTML page; its feed is {address}"),
        None if html => "an HTML page".to_owned(),
        None => "nothing that looks like one".to_owned(),
    }
}

/// What stands between a program and the page that was asked for: a challenge, a login form, an error.
pub fn obstacle(text: &str) -> Option<&'static str> {
    let head = cut(text, HEAD);
    let lower = head.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    let little = text.len() <= HEAD && without_tags(head).split_whitespace().map(str::len).sum::<usize>() < LITTLE;
    let reloads =
        || has(&["document.cookie"]) && has(&["location.reload", "location.href", "window.location", "location ="]);
    if has(&CHALLENGES) || little && (has(&WANTS_BROWSER) || reloads()) {
        return Some("a challenge page that wants a browser");
    }
    if is_error(head, &lower, little) {
        return Some("an error page");
    }
    let advertised = lower.contains("rel=\"alternate\"") && has(&["rss+xml", "atom+xml", "feed+json"]);
    let password = has(&["type=\"password\"", "type=password", "type='password'"]);
    (password && !advertised).then_some("a login page")
}

/// By its title or first heading; an XML one by its first element; a short text without markup by its words.
fn is_error(head: &str, lower: &str, little: bool) -> bool {
    let parts = ["title", "h1", "h2"].map(|name| inside(head, lower, name));
    let xml = ["<error", "<fault", "<exception"].iter().any(|tag| lower.contains(tag));
    let bare = !lower.contains('<') && head.len() < LITTLE;
    little && (xml || parts.into_iter().flatten().any(says_error)) || bare && says_error(head)
}

fn says_error(text: &str) -> bool {
    let text = fold(&without_tags(text));
    let words = || text.split(|c: char| !c.is_alphanumeric());
    ERRORS.iter().any(|sign| words().any(|word| word == *sign) || sign.contains(' ') && text.contains(sign))
}

/// The inside of the first element of this name.
fn inside<'a>(head: &'a str, lower: &str, name: &str) -> Option<&'a str> {
    let tag = format!("<{name}");
    let mut names = lower.match_indices(&tag).map(|(at, tag)| at + tag.len());
    let name_end = names.find(|at| lower[*at..].starts_with(['>', ' ']))?;
    let start = name_end + lower[name_end..].find('>')? + 1;
    let end = lower[start..].find("</").map_or(head.len(), |at| start + at);
    Some(cut(&head[start..end], 400))
}

/// The `href` of `<link rel="alternate" type="application/rss+xml">` or Atom's.
fn alternate(text: &str, lower: &str, url: Option<&Url>) -> Option<String> {
    for (at, _) in lower.match_indices("<link") {
        let end = lower[at..].find('>').map_or(lower.len(), |end| at + end);
        let (tag, lower) = (&text[at..end], &lower[at..end]);
        let feed = ["rss+xml", "atom+xml", "feed+json"].iter().any(|kind| lower.contains(kind));
        if lower.contains("alternate") && feed {
            let address = href(tag, lower)?;
            let absolute = url.and_then(|url| url.join(&address).ok());
            return Some(absolute.map_or(address, Url::into));
        }
    }
    None
}

fn href(tag: &str, lower: &str) -> Option<String> {
    let value = tag[lower.find("href")? + 4..].trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let inside = quote.map_or(value, |q| &value[q.len_utf8()..]);
    let end = inside.find(|c| quote.map_or(c == ' ', |q| c == q)).unwrap_or(inside.len());
    Some(super::reference::resolve(&inside[..end]).into_owned())
}
