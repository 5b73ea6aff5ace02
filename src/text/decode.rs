//! Bytes to text.

mod evidence;
mod legacy;

pub use legacy::from_font;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, WINDOWS_1258, X_USER_DEFINED};
use legacy::Legacy;
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// Text, and how it was read. What is UTF-8 already is not copied.
#[derive(Clone, PartialEq, Debug)]
pub struct Decoded<'a> {
    pub text: Cow<'a, str>,
    /// The encoding's name in the WHATWG Encoding Standard; or `TCVN3`, `VNI`, `VISCII`, `UTF-32LE`, `UTF-32BE`.
    pub encoding: &'static str,
}

/// `declared` is what the transport or the document says of itself, the strongest first; bytes that are valid UTF-8
/// with something beyond ASCII are UTF-8 whatever was declared. Never fails: what is no character becomes U+FFFD.
pub fn decode<'a>(bytes: &'a [u8], declared: &[&str]) -> Decoded<'a> {
    match Encoding::for_bom(bytes) {
        // An editor put the mark before a file that writes another encoding.
        Some((said, skip)) if said == UTF_8 && !is_utf8(&bytes[skip..]) => return unmarked(&bytes[skip..], declared),
        Some((encoding, skip)) => return read(&bytes[skip..], encoding),
        None => {}
    }
    match utf32(bytes) {
        Some(wide) => wide,
        None => unmarked(bytes, declared),
    }
}

fn is_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok() || mostly_utf8(bytes)
}

fn unmarked<'a>(bytes: &'a [u8], declared: &[&str]) -> Decoded<'a> {
    if let Some(encoding) = utf16_by_evidence(bytes) {
        return read(bytes, encoding);
    }
    let said = declared.iter().filter_map(|label| usable(label));
    if let Ok(text) = std::str::from_utf8(bytes) {
        return match said.into_iter().find(|e| !e.is_ascii_compatible() && text.contains('\u{1b}')) {
            Some(encoding) => read(bytes, encoding),
            None => carried(text),
        };
    }
    if mostly_utf8(bytes) {
        return read(bytes, UTF_8);
    }
    let labelled = declared.iter().find_map(|label| Legacy::labelled(label));
    let chosen = choose(bytes, said);
    let western = is_western(chosen) || chosen == WINDOWS_1258;
    match labelled.or_else(|| western.then(|| legacy::detect(bytes)).flatten()) {
        Some(legacy) => Decoded { text: legacy::read(bytes, legacy).into(), encoding: legacy.name() },
        None => read(bytes, chosen),
    }
}

/// UTF-8; the letters of an old font, carried over as if they were windows-1252, are what the font showed.
fn carried(text: &str) -> Decoded<'_> {
    match legacy::detect_carried(text) {
        Some(legacy) => Decoded { text: legacy.read(text).into(), encoding: legacy.name() },
        None => Decoded { text: text.into(), encoding: UTF_8.name() },
    }
}

/// For bytes that are not UTF-8: what was declared, unless Vietnamese in windows-1258 shows through.
fn choose(bytes: &[u8], mut said: impl Iterator<Item = &'static Encoding>) -> &'static Encoding {
    let said = said.find(|e| *e != UTF_8);
    if said.is_none_or(is_western) && looks_windows_1258(bytes) {
        return WINDOWS_1258;
    }
    said.unwrap_or(WINDOWS_1252)
}

fn is_western(encoding: &'static Encoding) -> bool {
    encoding == WINDOWS_1252 || encoding.name().starts_with("ISO-8859")
}

/// The encoding a label names, if bytes without BOM or NULs can be in it.
fn usable(label: &str) -> Option<&'static Encoding> {
    let label = label.trim().trim_matches(['"', '\'']);
    let encoding = Encoding::for_label_no_replacement(label.as_bytes()).or_else(|| by_code_page(label))?;
    let wide = encoding == UTF_16BE || encoding == UTF_16LE || encoding == X_USER_DEFINED;
    (!wide).then_some(encoding)
}

/// `cp1258`, `win-1258`, `windows1258`, `ansi_x3.4-1258`: names the standard does not list.
fn by_code_page(label: &str) -> Option<&'static Encoding> {
    let digits: String = label.chars().filter(char::is_ascii_digit).collect();
    match digits.as_str() {
        "936" => Encoding::for_label(b"gbk"),
        "950" => Encoding::for_label(b"big5"),
        "932" => Encoding::for_label(b"shift_jis"),
        "949" => Encoding::for_label(b"euc-kr"),
        _ if digits.len() == 4 => Encoding::for_label(format!("windows-{digits}").as_bytes()),
        _ => None,
    }
}

fn read<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> Decoded<'a> {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    // windows-1258 writes a vowel and its tone as two characters.
    let text = if encoding == WINDOWS_1258 { text.nfc().collect() } else { text };
    Decoded { text, encoding: encoding.name() }
}

/// Every second byte NUL over the beginning: ASCII markup in UTF-16.
fn utf16_by_evidence(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = &bytes[..bytes.len().min(512) & !1];
    if start.len() < 4 {
        return None;
    }
    let nuls = |from: usize| start.iter().skip(from).step_by(2).filter(|b| **b == 0).count();
    let (even, odd, half) = (nuls(0), nuls(1), start.len() / 2);
    match () {
        _ if even * 2 > half && odd * 8 < half => Some(UTF_16BE),
        _ if odd * 2 > half && even * 8 < half => Some(UTF_16LE),
        _ => None,
    }
}

/// UTF-32, which no browser and no crate reads: by BOM or by the first `<`.
fn utf32(bytes: &[u8]) -> Option<Decoded<'static>> {
    let little = match bytes.get(..4)? {
        [0, 0, 0xfe, 0xff] | [0, 0, 0, b'<'] => false,
        [0xff, 0xfe, 0, 0] | [b'<', 0, 0, 0] => true,
        _ => return None,
    };
    let unit = |b: &[u8]| {
        let four = [b[0], b[1], b[2], b[3]];
        char::from_u32(if little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) }).unwrap_or('\u{fffd}')
    };
    let text: String = bytes.chunks_exact(4).map(unit).filter(|c| *c != '\u{feff}').collect();
    Some(Decoded { text: text.into(), encoding: if little { "UTF-32LE" } else { "UTF-32BE" } })
}

/// More whole (or nearly whole) sequences beyond ASCII than stray bytes: UTF-8 with damage, not another encoding.
fn mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().bytes().filter(|b| *b >= 0xc0).count();
        // a sequence cut short speaks for UTF-8 as well
        good += usize::from(chunk.invalid().len() > 1);
        bad += usize::from(chunk.invalid().len() == 1);
    }
    // what breaks off within a character breaks off anywhere
    let torn = bytes.last().is_some_and(|last| *last >= 0xc2) && good > 0;
    good > bad - usize::from(torn && bad > 0)
}

/// Tones of windows-1258 (grave, hook, tilde, acute, dot) right behind a vowel; in windows-1252 these are `Ì Ò Þ ì ò`,
/// which hardly ever follow one.
fn looks_windows_1258(bytes: &[u8]) -> bool {
    let tones = bytes.windows(2).filter(|w| is_vowel_1258(w[0]) && matches!(w[1], 0xcc | 0xd2 | 0xde | 0xec | 0xf2));
    let tones = tones.count();
    let high = bytes.iter().filter(|b| **b >= 0x80).count();
    tones >= 2 && tones * 5 >= high
}

fn is_vowel_1258(byte: u8) -> bool {
    let plain = matches!(byte.to_ascii_lowercase(), b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    plain || matches!(byte | 0x20, 0xe2 | 0xe3 | 0xea | 0xf4 | 0xf5 | 0xfd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_wins() {
        let read = decode(b"\xff\xfe<\0a\0", &["utf-8"]);
        assert_eq!((&*read.text, read.encoding), ("<a", "UTF-16LE"));
        assert_eq!(decode("\u{feff}dân".as_bytes(), &["windows-1252"]).text, "dân");
    }

    #[test]
    fn wide_text_is_found_without_a_mark() {
        let big: Vec<u8> = "<rss>đất</rss>".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(&big, &[]).text, "<rss>đất</rss>");
        let little: Vec<u8> = "<rss>đất</rss>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&little, &["utf-8"]).text, "<rss>đất</rss>");
    }

    #[test]
    fn valid_utf8_wins_over_what_is_declared() {
        assert_eq!(decode("Dân vận khéo".as_bytes(), &["iso-8859-1"]).text, "Dân vận khéo");
        assert_eq!(decode(b"plain", &["shift_jis"]).text, "plain");
    }

    #[test]
    fn windows_1258_is_composed_and_found_under_other_names() {
        // "vận động", "Đảng bộ", "thành phố" as the code page writes them
        let bytes = b"v\xe2\xf2n \xf0\xf4\xf2ng \xd0a\xd2ng b\xf4\xf2 tha\xccnh ph\xf4\xec";
        for declared in [&["windows-1258"][..], &["utf-8"], &["iso-8859-1"], &["cp1258"], &[]] {
            let read = decode(bytes, declared);
            assert_eq!((&*read.text, read.encoding), ("vận động Đảng bộ thành phố", "windows-1258"));
        }
        let marked = [b"\xef\xbb\xbf", &bytes[..]].concat();
        assert_eq!(decode(&marked, &[]).text, "vận động Đảng bộ thành phố");
    }

    #[test]
    fn a_mark_that_the_bytes_disprove_is_not_believed() {
        for (bytes, text) in
            [(&b"\xef\xbb\xbfcaf\xe9"[..], "café"), (b"\xef\xbb\xbfd\xc3\xa2n v\xe1\xba\xadn \xe1", "dân vận \u{fffd}")]
        {
            assert_eq!(decode(bytes, &[]).text, text);
        }
    }

    #[test]
    fn a_few_broken_bytes_do_not_make_it_another_encoding() {
        let mut bytes = "Ủy ban Mặt trận ".as_bytes().to_vec();
        bytes.push(0xe1);
        assert_eq!(decode(&bytes, &["utf-8"]).text, "Ủy ban Mặt trận \u{fffd}");
    }

    #[test]
    fn what_is_declared_is_believed_otherwise() {
        assert_eq!(decode(b"caf\xe9", &["utf-8", "iso-8859-1"]).text, "café");
        assert_eq!(decode(b"\xcf\xf0\xe8\xe2\xe5\xf2", &["nonsense", "windows-1251"]).text, "Привет");
    }
}
