//! robots.txt (RFC 9309): which pages of a host we may fetch.

use serde::{Deserialize, Serialize};
use url::{Position, Url};

/// Bytes read; what stands behind is ignored (2.5 asks for at least so many).
const READ: usize = 500 << 10;
/// Rules kept.
const RULES: usize = 2000;

/// The rules of the group that is meant for us.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Robots {
    rules: Vec<Rule>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
struct Rule {
    allow: bool,
    /// As [`comparable`] makes it.
    pattern: String,
}

impl Robots {
    /// The groups that name `product`, else those for everyone.
    pub fn of(text: &[u8], product: &str) -> Robots {
        let text = String::from_utf8_lossy(&text[..text.len().min(READ)]);
        let (mut own, mut everyone, mut named) = (Vec::new(), Vec::new(), false);
        let (mut ours, mut all, mut in_rules) = (false, false, false);
        for (key, value) in text.trim_start_matches('\u{feff}').lines().filter_map(line) {
            match key.as_str() {
                "user-agent" => {
                    if std::mem::take(&mut in_rules) {
                        (ours, all) = (false, false);
                    }
                    ours |= value.eq_ignore_ascii_case(product);
                    all |= value == "*";
                    named |= ours;
                }
                "allow" | "disallow" => {
                    in_rules = true;
                    let rule = Rule { allow: key == "allow", pattern: comparable(value, true) };
                    own.extend(ours.then(|| rule.clone()));
                    everyone.extend(all.then_some(rule));
                }
                _ => {}
            }
        }
        let mut rules = if named { own } else { everyone };
        rules.retain(|rule| !rule.pattern.is_empty());
        rules.truncate(RULES);
        Robots { rules }
    }

    /// The longest pattern that matches decides; of two as long, the one that allows.
    pub fn allows(&self, url: &Url) -> bool {
        let path = comparable(&url[Position::BeforePath..Position::AfterQuery], false);
        let matching = self.rules.iter().filter(|rule| matches(&rule.pattern, &path));
        matching.max_by_key(|rule| (rule.pattern.len(), rule.allow)).is_none_or(|rule| rule.allow)
    }
}

fn line(line: &str) -> Option<(String, &str)> {
    let line = line.split('#').next()?;
    let (key, value) = line.split_once(':')?;
    Some((key.trim().to_ascii_lowercase(), value.trim()))
}

/// One way to write a path (2.2.2): what need not be escaped is not, all else that is no part of an address is. In a rule a
/// star, and a dollar at the end, mean something; in a path they are characters like any other, as `%2A` is in a rule.
fn comparable(path: &str, rule: bool) -> String {
    let mut out = String::with_capacity(path.len());
    let mut bytes = path.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        let escaped =
            path.get(at + 1..at + 3).filter(|_| byte == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let meant = rule && (byte == b'*' || byte == b'$' && at + 1 == path.len());
        match escaped {
            Some(byte) => {
                bytes.nth(1);
                push(
                    &mut out,
                    byte,
                    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~'),
                );
            }
            None => push(&mut out, byte, meant || byte.is_ascii_graphic() && !b"*$\"<>\\^`{|}".contains(&byte)),
        }
    }
    out
}

fn push(out: &mut String, byte: u8, plain: bool) {
    if plain {
        out.push(char::from(byte));
    } else {
        *out += &format!("%{byte:02X}");
    }
}

/// `*` stands for anything, `$` at the end for the end. Each piece is taken where it first fits, so this is linear in
/// the path for each star.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, to_the_end) = pattern.strip_suffix('$').map_or((pattern, false), |pattern| (pattern, true));
    let mut pieces = pattern.split('*');
    let Some(mut rest) = path.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return !to_the_end || rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() && to_the_end {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::Robots;
    use url::Url;

    fn allows(text: &str, path: &str) -> bool {
        let url = Url::parse("http://a.vn").unwrap().join(path).unwrap();
        Robots::of(text.as_bytes(), "diemtin").allows(&url)
    }

    #[test]
    fn rules_are_read_as_the_standard_says() {
        let general =
            "User-agent: *\nDisallow: /admin # not for us\nAllow: /admin/tin\nDisallow: /*.pdf$\nDisallow: /tim*?q=\n";
        let table = [
            (general, "/", true),
            (general, "/admin/x", false),
            (general, "/admin/tin/1", true),
            (general, "/a/b.pdf", false),
            (general, "/a/b.pdf?x", true),
            (general, "/tim-kiem?q=a", false),
            (general, "/tim-kiem", true),
            ("user-agent: Diemtin\nuser-agent: other\ndisallow: /a\n\nuser-agent: *\ndisallow: /", "/b", true),
            ("user-agent: Diemtin\nuser-agent: other\ndisallow: /a\n\nuser-agent: *\ndisallow: /", "/a", false),
            ("user-agent: diemtin\ndisallow:\nuser-agent: *\ndisallow: /", "/b", true),
            ("user-agent: other\ndisallow: /", "/b", true),
            ("User-agent: *\nDisallow: /\nAllow: /$", "/", true),
            // RFC 9309, 2.2.2 and 2.2.3
            ("User-agent: *\nDisallow: /foo/bar?baz=https://foo.bar", "/foo/bar?baz=https://foo.bar", false),
            ("User-agent: *\nDisallow: /foo/bar/\u{1f4a9}", "/foo/bar/%F0%9F%92%A9", false),
            ("User-agent: *\nDisallow: /foo/bar/%f0%9f%92%a9", "/foo/bar/\u{1f4a9}", false),
            ("User-agent: *\nDisallow: /foo/bar/%62%61%7A", "/foo/bar/baz", false),
            ("User-agent: *\nDisallow: /foo/bar/baz", "/foo/bar/%62%61%7a", false),
            ("User-agent: *\nDisallow: /a%2Fb", "/a/b", true),
            ("User-agent: *\nDisallow: /a%2fb", "/a%2Fb", false),
            ("User-agent: *\nDisallow: /a-%2A.html", "/a-*.html", false),
            ("User-agent: *\nDisallow: /a-%2A.html", "/a-b.html", true),
            ("User-agent: *\nDisallow: /a-%24", "/a-$", false),
            ("User-agent: *\nDisallow: /a b%", "/a%20b%", false),
            ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", true),
            ("user-agent: a\nuser-agent: *\nuser-agent: b\ndisallow: /", "/b", false),
            ("user-agent: *\ndisallow: /a\nuser-agent: b\ndisallow: /", "/b", true),
            ("user-agent: b\nuser-agent: DIEMTIN\ndisallow: /a\nuser-agent: b\ndisallow: /b", "/b", true),
            ("user-agent: *\nuser-agent: diemtin\ndisallow: /a\nuser-agent: *\ndisallow: /b", "/b", true),
            ("disallow: /", "/b", true),
            ("<html>404</html>", "/b", true),
            ("", "/b", true),
        ];
        for (text, path, allowed) in table {
            assert_eq!(allows(text, path), allowed, "{path} by {text:?}");
        }
    }
}
