//! What came instead of a feed, in plain words.

use super::text::cut;

/// How far into a page its kind is looked for.
const HEAD: usize = 64 << 10;

/// Names the page; the address of a feed it advertises is part of the answer.
pub fn name(text: &str) -> String {
    let head = cut(text, HEAD).to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| head.contains(part));
    if has(&["challenge-platform", "cf-chl", "cf_chl", "d1n", "document.cookie", "just a moment", "ddos", "captcha"])
        && head.len() < 40_000
    {
        return "a challenge page that wants a browser".to_owned();
    }
    let html = has(&["<html", "<!doctype html", "<body", "<head", "<script"]);
    if let Some(address) = alternate(cut(text, HEAD)) {
        return format!("an HTML page; its feed is {address}");
    }
    if html && has(&["type=\"password\"", "type=password", "type='password'", "/login", "ăng nhập", "dang-nhap"]) {
        return "a login page".to_owned();
    }
    if has(&["<error>", "<fault", "runtime error", "exception", "not found", "bad gateway", "forbidden", "unavailable"])
    {
        return "an error page".to_owned();
    }
    if html { "an HTML page".to_owned() } else { "nothing that looks like one".to_owned() }
}

/// The `href` of `<link rel="alternate" type="application/rss+xml">` or Atom's.
fn alternate(text: &str) -> Option<String> {
    for tag in text.split('<').skip(1) {
        let tag = &tag[..tag.find('>').unwrap_or(tag.len())];
        let lower = tag.to_ascii_lowercase();
        let feed = lower.contains("rss+xml") || lower.contains("atom+xml") || lower.contains("feed+json");
        if lower.starts_with("link") && lower.contains("alternate") && feed {
            let after = &tag[lower.find("href")? + 4..];
            let value = after.trim_start().strip_prefix('=')?.trim_start();
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
            let inside = quote.map_or(value, |q| &value[q.len_utf8()..]);
            let end = inside.find(|c| quote.map_or(c == ' ', |q| c == q)).unwrap_or(inside.len());
            return Some(super::reference::resolve(&inside[..end]).into_owned());
        }
    }
    None
}
