//! What never shows is cut before parsing: it is more than half of a page's bytes.

use super::attributes::{Keep, trimmed};
use super::nesting::{Nesting, Tag};
use super::tags::is_block;
use memchr::{memchr, memchr3};

/// A page without scripts, styles, comments and drawings.
pub struct Slim {
    pub html: String,
    /// The text of each `<script type="application/ld+json">`.
    pub json_ld: Vec<String>,
}

/// Elements whose content is never text of the page.
const CUT: [&str; 6] = ["script", "style", "svg", "noscript", "iframe", "template"];

/// One pass, linear: an element that is never closed is looked for once.
pub fn slim(html: &str, keep: Keep) -> Slim {
    let mut out = Slim { html: String::with_capacity(html.len()), json_ld: Vec::new() };
    let mut unclosed = [false; CUT.len()];
    let mut nesting = Nesting::default();
    let mut at = 0;
    let mut after_block = false;
    while let Some(open) = memchr(b'<', &html.as_bytes()[at..]).map(|n| at + n) {
        let rest = &html[open..];
        let block = begins_block(rest);
        if !(after_block || block) || !is_blank(&html[at..open]) {
            out.html.push_str(&html[at..open]);
            after_block = false;
        }
        after_block |= block;
        if rest.starts_with("<!--") {
            at = open + comment_len(rest);
            continue;
        }
        let tag_end = open + tag_len(rest);
        match CUT.iter().position(|name| opens(rest, name)) {
            Some(n) if !unclosed[n] && !self_closed(n, &html[open..tag_end]) => {
                match close_of(&html[tag_end..], CUT[n]) {
                    Some((inner, end)) => {
                        keep_json_ld(n, &html[open..tag_end], &html[tag_end..tag_end + inner], &mut out);
                        at = tag_end + end;
                    }
                    None => {
                        unclosed[n] = true;
                        at = tag_end;
                    }
                }
            }
            Some(_) => at = tag_end,
            None => {
                copy_tag(&html[open..tag_end], keep, &mut nesting, &mut out.html);
                at = tag_end;
            }
        }
    }
    out.html.push_str(&html[at..]);
    out
}

/// Space beside a block's tag shows nowhere, and would be a node of the tree.
fn is_blank(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' ' | b'\n' | b'\t' | b'\r'))
}

/// Of tags in lower case, as nearly all are.
fn begins_block(rest: &str) -> bool {
    let name = rest[1..].strip_prefix('/').unwrap_or(&rest[1..]);
    let end = name.bytes().take(LONGEST_NAME).position(|b| !b.is_ascii_alphanumeric());
    end.is_some_and(|end| is_block(&name[..end]))
}

/// No block's name is longer.
const LONGEST_NAME: usize = 12;

/// Tags that nest too deep go; long ones are shortened.
fn copy_tag(tag: &str, keep: Keep, nesting: &mut Nesting, out: &mut String) {
    let end = tag.as_bytes().get(1) == Some(&b'/');
    let name = &tag.as_bytes()[1 + usize::from(end)..];
    let name =
        &name[..name.iter().position(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>')).unwrap_or(name.len())];
    if !name.first().is_some_and(u8::is_ascii_alphabetic) {
        return out.push_str(tag);
    }
    if !tag.ends_with('>') {
        // The page ends within it: no tag, as for a browser.
        return;
    }
    match nesting.tag(name, end) {
        Tag::Stays if end => out.push_str(tag),
        Tag::Stays => trimmed(tag, keep, out),
        Tag::Goes => {}
        // A `<p>` would have the parser look through what is open once more.
        Tag::Paragraph if !out.ends_with("<br><br>") => out.push_str("<br><br>"),
        Tag::Paragraph => {}
    }
}

fn self_closed(n: usize, tag: &str) -> bool {
    CUT[n] == "svg" && tag.ends_with("/>")
}

fn keep_json_ld(n: usize, tag: &str, inner: &str, out: &mut Slim) {
    if n == 0 && tag.to_ascii_lowercase().contains("ld+json") {
        out.json_ld.push(inner.to_owned());
    }
}

/// `<!-- … -->`; without an end it runs to the end of the page, as in a browser.
fn comment_len(rest: &str) -> usize {
    if rest.starts_with("<!-->") {
        return 5;
    }
    rest[4..].find("-->").map_or(rest.len(), |n| 4 + n + 3)
}

fn opens(rest: &str, name: &str) -> bool {
    let bytes = rest.as_bytes();
    let end = 1 + name.len();
    bytes.len() > end
        && bytes[1..end].eq_ignore_ascii_case(name.as_bytes())
        && matches!(bytes[end], b' ' | b'>' | b'/' | b'\n' | b'\t' | b'\r' | 0x0c)
}

/// The length of the tag that starts here, quoted values stepped over; a lone `<` is one byte.
fn tag_len(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    if !bytes.get(1).is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'/' | b'!' | b'?')) {
        return 1;
    }
    let mut at = 1;
    while let Some(mark) = memchr3(b'>', b'"', b'\'', &bytes[at..]).map(|n| at + n) {
        at = mark + 1;
        if bytes[mark] == b'>' {
            return at;
        }
        // Elsewhere a quotation mark is a letter like any other.
        if bytes[..mark].trim_ascii_end().ends_with(b"=") {
            match memchr(bytes[mark], &bytes[at..]) {
                Some(n) => at += n + 1,
                None => return rest.len(),
            }
        }
    }
    rest.len()
}

/// Where the element that was just opened ends: (length of its content, length with its end tag).
fn close_of(rest: &str, name: &str) -> Option<(usize, usize)> {
    let mut at = 0;
    let mut depth = 1;
    let nests = name == "svg" || name == "template";
    while let Some(open) = memchr(b'<', &rest.as_bytes()[at..]).map(|n| at + n) {
        let here = &rest[open..];
        at = open + 1;
        if here.as_bytes().get(1) == Some(&b'/') && opens_at(here, 2, name) {
            depth -= 1;
            if depth == 0 {
                let end = here.find('>').map_or(rest.len(), |n| open + n + 1);
                return Some((open, end));
            }
        } else if nests && opens(here, name) {
            at = open + tag_len(here);
            depth += usize::from(!rest[..at].ends_with("/>"));
        }
    }
    None
}

fn opens_at(rest: &str, from: usize, name: &str) -> bool {
    rest.as_bytes().get(from..from + name.len()).is_some_and(|b| b.eq_ignore_ascii_case(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{Keep, Slim};

    fn slim(html: &str) -> Slim {
        super::slim(html, Keep::All)
    }

    #[test]
    fn what_never_shows_goes() {
        for (given, wanted) in [
            ("a<script>if (a<b) '</p>'</script>b", "ab"),
            ("a<!-- <p> -->b<!-->c", "abc"),
            ("a<STYLE type='x>y'>p{}</STYLE >b", "ab"),
            ("a<svg><g><svg/></g><svg></svg></svg>b", "ab"),
            ("1 < 2 <p title='a > b'>x</p>", "1 < 2 <p title='a > b'>x</p>"),
            ("<a title=x\"y>b</a>", "<a title=x\"y>b</a>"),
            ("a<script>b", "ab"),
            ("<scripture>a</scripture>", "<scripture>a</scripture>"),
            ("a<", "a<"),
        ] {
            assert_eq!(slim(given).html, wanted, "{given}");
        }
    }

    #[test]
    fn the_parser_sees_no_endless_depth_and_no_endless_tag() {
        let deep = slim(&format!("{}a{}", "<div>".repeat(50_000), "</div>".repeat(50_000))).html;
        assert!(deep.matches("<div>").count() <= 250);
        assert!(deep.ends_with(&format!("<br><br>a{}", "</div>".repeat(250))));
        let long = slim(&format!("<p {}>a", "b=c ".repeat(100_000))).html;
        assert!(long.len() < 500, "{}", long.len());
    }

    #[test]
    fn structured_data_is_set_aside() {
        let page = slim("<script type=\"application/ld+json\">{\"a\":1}</script><script>no</script>");
        assert_eq!(page.json_ld, ["{\"a\":1}"]);
    }
}
