//! Text out of elements: once as plain text, once as HTML.

use super::markup::{Node, Reader, find};
use super::reference::resolve;
use std::borrow::Cow;

/// Longer titles are cut there.
pub const TITLE: usize = 4_000;
/// Longer texts are cut there, in bytes.
pub const TEXT: usize = 4 << 20;
/// A comment's end is looked for so far.
const COMMENT: usize = 4_000;

/// The inside of an element with CDATA taken as it is, references resolved, comments and tags dropped.
pub fn content<'a>(reader: &Reader<'a>, node: &Node<'a>) -> Cow<'a, str> {
    let inside = &reader.text[node.start..node.end];
    let inside = cut(inside, TEXT);
    if !inside.contains('<') {
        return resolve(inside);
    }
    let mut out = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = rest.find('<') {
        out.push_str(&resolve(&rest[..at]));
        rest = &rest[at..];
        let (kept, length) = markup(rest, node.elements);
        out.push_str(kept);
        rest = &rest[length..];
    }
    out.push_str(&resolve(rest));
    Cow::Owned(out)
}

/// What stands at a `<`: text of a CDATA section, a comment, a tag or a bare `<`. What to keep, and how long it is.
fn markup(rest: &str, elements: bool) -> (&str, usize) {
    if let Some(data) = cdata(rest) {
        return data;
    }
    if rest.starts_with("<!--") {
        let end = cut(rest, COMMENT).find("-->").map(|at| at + 3);
        return ("", end.or_else(|| rest.find('>').map(|at| at + 1)).unwrap_or(rest.len()));
    }
    if rest.starts_with("<?") {
        return ("", rest.find('>').map_or(rest.len(), |at| at + 1));
    }
    let tag = rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    match rest[1..].find(['>', '<']).map(|at| at + 1) {
        Some(end) if tag && elements && rest.as_bytes()[end] == b'>' => ("", end + 1),
        _ => ("<", 1),
    }
}

fn cdata(rest: &str) -> Option<(&str, usize)> {
    let start = rest.get(..9).filter(|s| s.eq_ignore_ascii_case("<![CDATA["))?;
    let body = &rest[start.len()..];
    Some(match find(body, "]]>") {
        Some(end) => (&body[..end], 9 + end + 3),
        None => (body, rest.len()),
    })
}

/// The inside of an element as HTML: where it holds elements, its source; else the text, which is HTML written as text.
pub fn html<'a>(reader: &Reader<'a>, node: &Node<'a>) -> Cow<'a, str> {
    if node.elements {
        Cow::Owned(source(cut(&reader.text[node.start..node.end], TEXT)))
    } else {
        content(reader, node)
    }
}

/// Markup as written, CDATA opened.
pub fn source(inside: &str) -> String {
    let mut out = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = rest.find("<![") {
        out.push_str(&rest[..at]);
        let (kept, length) = cdata(&rest[at..]).unwrap_or(("<![", 3));
        out.push_str(kept);
        rest = &rest[at + length..];
    }
    out.push_str(rest);
    out
}

/// Text as HTML, not longer than is kept.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(TEXT));
    for part in text.split_inclusive(['&', '<', '>']) {
        let plain = part.trim_end_matches(['&', '<', '>']);
        out.push_str(plain);
        out.push_str(match &part[plain.len()..] {
            "&" => "&amp;",
            "<" => "&lt;",
            ">" => "&gt;",
            _ => "",
        });
        if out.len() > TEXT {
            break;
        }
    }
    out
}

/// A title without markup: tags dropped, references resolved once more, white space as single spaces.
pub fn plain(title: &str) -> Option<String> {
    let title = cut(title, TITLE * 4);
    let bare = if title.contains('<') { Cow::Owned(without_tags(title)) } else { Cow::Borrowed(title) };
    let text = resolve(&bare);
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    (!line.is_empty()).then(|| cut(&line, TITLE).to_owned())
}

pub fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut endless) = (text, [false; 2]);
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(length) = script(rest, &mut endless) {
            rest = &rest[length..];
            continue;
        }
        let (kept, length) = markup(rest, true);
        out.push_str(kept);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

/// A whole script or style element: how long it is. One without an end tells for those behind it, so that no text is
/// searched for an end more than once in vain.
fn script(rest: &str, endless: &mut [bool; 2]) -> Option<usize> {
    let names = ["script", "style"];
    let named = |name: &&str| rest.get(1..=name.len()).is_some_and(|s| s.eq_ignore_ascii_case(name));
    let kind = names.iter().position(named).filter(|kind| !endless[*kind])?;
    let end = rest.find(["</script", "</style"][kind]);
    let length = end.and_then(|end| Some(end + rest[end..].find('>')? + 1));
    endless[kind] = length.is_none();
    length
}

/// At most so many bytes, whole characters.
pub fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::{script, without_tags};

    #[test]
    fn what_has_no_end_is_looked_for_once() {
        let mut endless = [false; 2];
        assert_eq!(script("<SCRIPT>a</script >b", &mut endless), Some(19));
        assert_eq!(script("<script>a</script<style>", &mut endless), Some(24));
        assert_eq!((script("<script>a<style></script", &mut endless), endless), (None, [true, false]));
        assert_eq!(script("<script>a</script>", &mut endless), None, "it was not searched again");
        assert_eq!(script("<style>a</style>b", &mut endless), Some(16));
        assert_eq!(without_tags("a<script>b</script>c<style>d</style>e<style>f<i>g"), "acefg");
    }
}
