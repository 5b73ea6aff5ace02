//! Tags without the attributes that nobody reads: the parser looks at each letter of a name, and compares each attribute
//! with all others of its element. Of those that stay, as many and as long ones as people write.

use memchr::memchr;

/// A shorter tag cannot hold enough to matter.
const SHORT: usize = 160;
/// The attributes an element keeps, the first ones.
const MOST: usize = 64;
/// The longest value that is kept of what is never read, and of anything.
const LONG: usize = 400;
const LONGEST: usize = 8_000;

/// Which attributes stay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    All,
    /// Those that an extraction without a layout reads.
    Read,
}

/// What is read of any element, by the stage and by the parser; the frequent ones first.
const READ: [&str; 24] = [
    "class",
    "href",
    "id",
    "style",
    "title",
    "rel",
    "name",
    "content",
    "type",
    "role",
    "property",
    "itemprop",
    "datetime",
    "data-type",
    "data-testid",
    "data-component",
    "data-role",
    "aria-hidden",
    "hidden",
    "align",
    "lang",
    "xml:lang",
    "face",
    "encoding",
];

/// What is read of pictures too.
const OF_IMAGES: [&str; 9] =
    ["src", "alt", "width", "height", "srcset", "data-src", "data-original", "data-lazy-src", "data-srcset"];

/// Marks of text: of those that are left open the parser keeps no more than three that have the same attributes.
const MARKS: [&str; 13] = ["b", "strong", "em", "i", "font", "u", "small", "s", "big", "code", "nobr", "strike", "tt"];

/// Writes the start tag, which is whole, without what would only cost time.
pub fn trimmed(tag: &str, keep: Keep, out: &mut String) {
    let mut at = skip(tag, 1, |b| !b.is_ascii_whitespace() && !matches!(b, b'/' | b'>'));
    let element = &tag[1..at];
    let all = keep == Keep::All || is_one(element, &MARKS);
    if at + 1 == tag.len() || (all && tag.len() <= SHORT) {
        out.push_str(tag);
        return;
    }
    out.push_str(&tag[..at]);
    let mut kept = 0;
    while let Some((whole, name, value, end)) = next(tag, at).filter(|_| kept < MOST) {
        at = end;
        if is_kept(name, value) {
            kept += 1;
            if all || is_read(element, name) {
                out.push(' ');
                out.push_str(whole);
            }
        }
    }
    finish(&tag[at..], kept, out);
}

/// `rest` of a tag is `>`, perhaps with blanks and a slash before it, or more attributes than are kept.
fn finish(rest: &str, kept: usize, out: &mut String) {
    if kept == MOST {
        return out.push_str(if rest.ends_with("/>") { " />" } else { ">" });
    }
    if rest.starts_with('/') {
        // It is no part of the value before it.
        out.push(' ');
    }
    out.push_str(rest);
}

fn is_read(element: &str, name: &str) -> bool {
    is_one(name, &READ) || (is_one(element, &["img", "image"]) && is_one(name, &OF_IMAGES))
}

fn is_one(name: &str, of: &[&str]) -> bool {
    of.iter().any(|n| n.eq_ignore_ascii_case(name))
}

fn is_kept(name: &str, value: &str) -> bool {
    let read = |n: &str| name.eq_ignore_ascii_case(n);
    match value.len() {
        length if length <= LONG => true,
        _ if value.as_bytes().get(..5).is_some_and(|b| b.eq_ignore_ascii_case(b"data:")) => false,
        length if length <= LONGEST => {
            ["class", "id", "href", "src", "srcset", "content", "alt", "title"].into_iter().any(read)
                || ["data-src", "data-srcset", "data-original", "data-lazy-src"].into_iter().any(read)
        }
        _ => read("content"),
    }
}

/// The next attribute at or after a byte: as written, its name, its value without quotes, where it ends.
fn next(tag: &str, from: usize) -> Option<(&str, &str, &str, usize)> {
    let start = skip(tag, from, |b| b.is_ascii_whitespace() || b == b'/');
    // A name may begin with `=`.
    let first = tag[start..].chars().next().filter(|c| *c != '>')?;
    let name_end =
        skip(tag, start + first.len_utf8(), |b| !b.is_ascii_whitespace() && !matches!(b, b'=' | b'>' | b'/'));
    let equals = skip(tag, name_end, |b| b.is_ascii_whitespace());
    let name = &tag[start..name_end];
    if !tag[equals..].starts_with('=') {
        return Some((name, name, "", name_end));
    }
    let at = skip(tag, equals + 1, |b| b.is_ascii_whitespace());
    let (value, end) = match tag.as_bytes().get(at) {
        Some(quote @ (b'"' | b'\'')) => {
            let close = memchr(*quote, &tag.as_bytes()[at + 1..]).map_or(tag.len(), |n| at + 1 + n);
            (at + 1..close, (close + 1).min(tag.len()))
        }
        _ => {
            let end = skip(tag, at, |b| !b.is_ascii_whitespace() && b != b'>');
            (at..end, end)
        }
    };
    Some((&tag[start..end], name, &tag[value], end))
}

/// The first byte, from this one on, that is not so; all that is asked for is ASCII.
fn skip(tag: &str, from: usize, so: impl Fn(u8) -> bool) -> usize {
    tag.as_bytes()[from..].iter().position(|b| !so(*b)).map_or(tag.len(), |n| from + n)
}

#[cfg(test)]
mod tests {
    use super::{Keep, MOST, trimmed};

    fn trim(tag: &str) -> String {
        let mut out = String::new();
        trimmed(tag, Keep::All, &mut out);
        out
    }

    #[test]
    fn what_nobody_reads_goes() {
        for (tag, wanted) in [
            ("<div data-x=1 class=a/b onclick='a>b' id=c/>", "<div class=a/b id=c/>"),
            ("<a href=/a target=_blank/>", "<a href=/a>"),
            ("<a href=/a target='_blank'/>", "<a href=/a />"),
            ("<a HREF=/a src=b hidden/>", "<a HREF=/a hidden />"),
            ("<IMG src=a alt loading=lazy >", "<IMG src=a alt >"),
            ("<b onclick=x>", "<b onclick=x>"),
            ("<br/>", "<br />"),
            ("<p =\"x>y\">", "<p>y\">"),
        ] {
            let mut out = String::new();
            trimmed(tag, Keep::Read, &mut out);
            assert_eq!(out, wanted, "{tag}");
        }
    }

    #[test]
    fn what_is_read_stays() {
        let rest = "x".repeat(500);
        let tag = format!(
            "<img a  class = 'b c' onclick=\"{rest}\" href=/a/b?c=d hidden alt=\"a > b '{rest}\" src='data:image/gif;{rest}'/>"
        );
        assert_eq!(trim(&tag), format!("<img a class = 'b c' href=/a/b?c=d hidden alt=\"a > b '{rest}\" />"));
        assert_eq!(trim("<p onclick=x>"), "<p onclick=x>");
    }

    #[test]
    fn an_element_has_so_many_attributes_and_no_more() {
        let tag = format!("<p {}>", (0..100_000).map(|n| format!("a{n}=1 ")).collect::<String>());
        assert_eq!(trim(&tag).split(' ').count(), MOST + 1);
        for odd in ["=", "a=", "a='b", "\u{1ed9}=\u{1ed9}", "/ / ="] {
            trim(&format!("<p {}{odd}>", " ".repeat(200)));
        }
    }
}
