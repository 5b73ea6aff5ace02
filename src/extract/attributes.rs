//! Tags with more attributes than people write, or longer ones, made short before the parser compares each attribute
//! with all others of its element.

/// A shorter tag cannot hold enough to matter.
const SHORT: usize = 160;
/// The attributes an element keeps, the first ones.
const MOST: usize = 64;
/// The longest value that is kept of what is never read, and of anything.
const LONG: usize = 400;
const LONGEST: usize = 8_000;

/// Writes the start tag, which is whole, without what would only cost time.
pub fn trimmed(tag: &str, out: &mut String) {
    if tag.len() <= SHORT {
        out.push_str(tag);
        return;
    }
    let mut at = skip(tag, 1, |c| !c.is_ascii_whitespace() && !matches!(c, '/' | '>'));
    out.push_str(&tag[..at]);
    let mut kept = 0;
    while let Some((whole, name, value, end)) = next(tag, at).filter(|_| kept < MOST) {
        at = end;
        if is_kept(name, value) {
            kept += 1;
            out.push(' ');
            out.push_str(whole);
        }
    }
    out.push_str(if tag.ends_with("/>") { " />" } else { ">" });
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
    let start = skip(tag, from, |c| c.is_ascii_whitespace() || c == '/');
    // A name may begin with `=`.
    let first = tag[start..].chars().next().filter(|c| *c != '>')?;
    let name_end = skip(tag, start + first.len_utf8(), |c| !c.is_ascii_whitespace() && !matches!(c, '=' | '>' | '/'));
    let equals = skip(tag, name_end, |c| c.is_ascii_whitespace());
    let name = &tag[start..name_end];
    if !tag[equals..].starts_with('=') {
        return Some((name, name, "", name_end));
    }
    let at = skip(tag, equals + 1, |c| c.is_ascii_whitespace());
    let (value, end) = match tag[at..].chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let close = skip(tag, at + 1, |c| c != quote);
            (at + 1..close, (close + 1).min(tag.len()))
        }
        _ => {
            let end = skip(tag, at, |c| !c.is_ascii_whitespace() && c != '>');
            (at..end, end)
        }
    };
    Some((&tag[start..end], name, &tag[value], end))
}

/// The first byte, from this one on, of a character that is not so.
fn skip(tag: &str, from: usize, so: impl Fn(char) -> bool) -> usize {
    tag[from..].find(|c| !so(c)).map_or(tag.len(), |n| from + n)
}

#[cfg(test)]
mod tests {
    use super::{MOST, trimmed};

    fn trim(tag: &str) -> String {
        let mut out = String::new();
        trimmed(tag, &mut out);
        out
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
