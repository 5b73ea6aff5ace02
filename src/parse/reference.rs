//! Character references: XML's, HTML's named ones, and the numeric ones with their usual mistakes.

use std::borrow::Cow;

/// Name, tab, code points in hexadecimal with a space between; sorted by name. The names of the HTML standard, chapter 13.5.
const NAMED: &str = include_str!("entities.tsv");

/// The longest of them, and a little.
const LONGEST: usize = 40;

/// References resolved, once. A bare `&` and a name nobody knows stay as they are.
pub fn resolve(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = reference(rest, &mut out);
        if taken == 0 {
            out.push('&');
        }
        rest = &rest[taken.max(1)..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Writes what the reference at the start of `text` stands for; how many bytes it is, 0 if none.
fn reference(text: &str, out: &mut String) -> usize {
    let bytes = text.as_bytes();
    let Some(end) = bytes.iter().take(LONGEST).position(|b| *b == b';') else { return 0 };
    let name = &text[1..end];
    if let Some(digits) = name.strip_prefix('#') {
        return numeric(digits, &text[end + 1..], out).map_or(0, |more| end + 1 + more);
    }
    match named(name) {
        Some(codes) => out.extend(codes.split(' ').filter_map(code_point)),
        None => return 0,
    }
    end + 1
}

fn code_point(hex: &str) -> Option<char> {
    u32::from_str_radix(hex, 16).ok().and_then(char::from_u32)
}

/// The code points of a name, found by halving the table as it is.
fn named(name: &str) -> Option<&'static str> {
    match name {
        "amp" | "AMP" => return Some("26"),
        "lt" | "LT" => return Some("3C"),
        "gt" | "GT" => return Some("3E"),
        "quot" | "QUOT" => return Some("22"),
        "apos" => return Some("27"),
        "nbsp" => return Some("A0"),
        _ => {}
    }
    let (mut low, mut high) = (0, NAMED.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = NAMED[..middle].rfind('\n').map_or(0, |at| at + 1);
        let line = NAMED[start..].split('\n').next()?;
        let (key, codes) = line.split_once('\t')?;
        match name.as_bytes().cmp(key.as_bytes()) {
            std::cmp::Ordering::Equal => return Some(codes),
            std::cmp::Ordering::Less => high = start,
            std::cmp::Ordering::Greater => low = start + line.len() + 1,
        }
    }
    None
}

/// Control characters vanish, 128 to 159 are meant as windows-1252, two surrogates are one character.
fn numeric(digits: &str, after: &str, out: &mut String) -> Option<usize> {
    let code = number(digits)?;
    if let 0xd800..=0xdbff = code {
        let (low, length) = low_surrogate(after).unwrap_or((0, 0));
        let pair = 0x10000 + ((code - 0xd800) << 10) + low.saturating_sub(0xdc00);
        out.push(char::from_u32(pair).filter(|_| length > 0).unwrap_or('\u{fffd}'));
        return Some(length);
    }
    match code {
        0x09 | 0x0a | 0x0d => out.push(' '),
        0..0x20 | 0x7f => {}
        0x80..=0x9f => {
            let byte = [code as u8];
            out.push_str(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte).0);
        }
        _ => out.push(char::from_u32(code).unwrap_or('\u{fffd}')),
    }
    Some(0)
}

fn number(digits: &str) -> Option<u32> {
    let (radix, digits) = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => (16, hex),
        None => (10, digits),
    };
    let all = !digits.is_empty() && digits.bytes().all(|b| (b as char).is_digit(radix));
    // Too long for a number is no character either.
    all.then(|| u32::from_str_radix(digits, radix).unwrap_or(u32::MAX))
}

fn low_surrogate(after: &str) -> Option<(u32, usize)> {
    let end = after.bytes().take(12).position(|b| b == b';')?;
    let code = number(after.get(..end)?.strip_prefix("&#")?)?;
    (0xdc00..=0xdfff).contains(&code).then_some((code, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_numbers_and_mistakes() {
        let table = [
            ("a &amp; b &lt;p&gt;", "a & b <p>"),
            ("&Aacute;n &nbsp;&hellip;&rdquo;", "Án \u{a0}…”"),
            ("&NotEqualTilde;", "\u{2242}\u{338}"),
            ("&zwnj;&AElig;", "\u{200c}Æ"),
            ("MTTQ & c&aacute;c &unknown; &", "MTTQ & các &unknown; &"),
            ("?a=1&copy=2", "?a=1&copy=2"),
            ("&#272;&#x1EA3;ng &#147;x&#148;", "Đảng “x”"),
            ("&#xD83D;&#xDE00; &#xD83D;", "😀 \u{fffd}"),
            ("&#0;&#x1f;&#99999999999;", "\u{fffd}"),
            ("&amp;amp;", "&amp;"),
        ];
        for (given, expected) in table {
            assert_eq!(resolve(given), expected);
        }
    }
}
