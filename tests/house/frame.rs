//! Pages made of a site's frame and an article, with chrome that changes at each request.

use std::collections::HashMap;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{compose, is_combining_mark};

/// What [`fill`] replaces, not [`assemble`].
const AT_EACH_REQUEST: [&str; 5] = ["base", "hits", "clock", "or", "end"];

/// A page's file is `key: value` lines, a blank line and the body. Its values stand where the frame names them:
/// `{{key}}`, `{{body}}`; what a page does not have is empty.
pub fn assemble(frame: &str, page: &str) -> String {
    let (head, body) = page.split_once("\n\n").expect("lines of values, a blank line, the body");
    let pair = |line| str::split_once(line, ": ").unwrap_or_else(|| panic!("no value: {line}"));
    let mut values: HashMap<&str, &str> = head.lines().map(pair).collect();
    values.insert("body", body.trim_end());
    let mut out = String::new();
    for (n, part) in frame.split("{{").enumerate() {
        match part.split_once("}}") {
            Some((key, rest)) if !AT_EACH_REQUEST.contains(&key) && !key.starts_with("some ") => {
                out += values.get(key).copied().unwrap_or("");
                out += rest;
            }
            _ => out += &(if n > 0 { "{{".to_owned() + part } else { part.to_owned() }),
        }
    }
    out
}

/// `{{some 2}}a{{or}}b{{or}}c{{end}}` is two of the three, from another one on at each request.
pub fn turn(raw: &[u8], hits: u64) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(raw.len()), raw);
    for nth in 0.. {
        let Some((before, inner)) = cut(rest, b"{{some ") else { break };
        let (count, inner) = cut(inner, b"}}").expect("a count");
        let (inner, after) = cut(inner, b"{{end}}").expect("an end");
        let count = std::str::from_utf8(count).expect("a count").parse().expect("a count");
        let all: Vec<&[u8]> = split(inner, b"{{or}}");
        let from = (hits.wrapping_mul(0x9e37_79b9).wrapping_add(nth * 7) >> 3) as usize;
        out.extend_from_slice(before);
        (0..count).for_each(|n| out.extend_from_slice(all[(from + n) % all.len()]));
        rest = after;
    }
    out.extend_from_slice(rest);
    out
}

fn split<'b>(mut bytes: &'b [u8], mark: &[u8]) -> Vec<&'b [u8]> {
    let mut parts = Vec::new();
    while let Some((part, rest)) = cut(bytes, mark) {
        parts.push(part);
        bytes = rest;
    }
    parts.push(bytes);
    parts
}

fn cut<'b>(bytes: &'b [u8], mark: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let at = bytes.windows(mark.len()).position(|w| w == mark)?;
    Some((&bytes[..at], &bytes[at + mark.len()..]))
}

/// As this site would send the text.
pub fn encode(text: &str, charset: &str) -> Vec<u8> {
    match charset {
        "utf-8" => text.as_bytes().to_vec(),
        "nfd" => text.nfd().collect::<String>().into_bytes(),
        "windows-1258" => encoding_rs::WINDOWS_1258.encode(&text.chars().map(tone_apart).collect::<String>()).0.into(),
        "tcvn3" => text.chars().map(tcvn3).collect(),
        other => panic!("no charset {other}"),
    }
}

/// The letter with its hat or horn, then the tone: windows-1258 has no other way.
fn tone_apart(c: char) -> String {
    let mut letters = [c].into_iter().nfd();
    let mut letter = letters.next().expect("a character");
    let mut tone = String::new();
    for mark in letters.filter(|c| is_combining_mark(*c)) {
        match mark {
            '\u{302}' | '\u{306}' | '\u{31b}' => letter = compose(letter, mark).expect("a Vietnamese letter"),
            _ => tone.push(mark),
        }
    }
    letter.to_string() + &tone
}

/// TCVN 5712:1993, VN3, from 0xA1 on; the font for capitals has the same codes.
const TCVN3: &str = "ĂÂÊÔƠƯĐăâêôơưđ\0\0\0\0\0\0àảãáạ\0ằẳẵắ\0\0\0\0\0\0\0ặầẩẫấậè\0ẻẽéẹềểễếệìỉ\0\0\0ĩíịò\0ỏõóọồổỗốộờởỡớợù\0ủũúụừửữứựỳỷỹýỵ";

fn tcvn3(c: char) -> u8 {
    let code = |c: char| TCVN3.chars().position(|t| t == c).map(|at| 0xa1 + at as u8);
    let dash = |c: char| if matches!(c, '–' | '—') { '-' } else { c };
    let small = || c.to_lowercase().next().and_then(code);
    u8::try_from(dash(c)).ok().filter(u8::is_ascii).or_else(|| code(c)).or_else(small).unwrap_or(b'"')
}
