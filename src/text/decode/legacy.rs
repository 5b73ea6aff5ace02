//! Vietnamese before Unicode: TCVN3 (ABC) and VNI, which are fonts over windows-1252, and VISCII (RFC 1456). No crate
//! reads them; the tables are the facts of TCVN 5712:1993 (VN3), of the VNI fonts for Windows, and of the RFC.

use super::evidence::Evidence;
use encoding_rs::WINDOWS_1252;
use std::borrow::Cow;
use std::collections::HashSet;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Legacy {
    Tcvn3,
    Vni,
    Viscii,
}

pub const ALL: [Legacy; 3] = [Legacy::Tcvn3, Legacy::Vni, Legacy::Viscii];

/// In so much of a text letters beyond ASCII are looked for.
const FAR: usize = 64 << 10;
/// So many bytes of words with such letters show what they are written in.
const SAMPLE: usize = 2 << 10;
/// So many bytes at once are seen to be ASCII.
const CHUNK: usize = 64;

/// From U+00A1 on, `\0` where the font has no letter.
const TCVN3: &str = "ĂÂÊÔƠƯĐăâêôơưđ\0\0\0\0\0\0àảãáạ\0ằẳẵắ\0\0\0\0\0\0\0ặầẩẫấậè\0ẻẽéẹềểễếệìỉ\0\0\0ĩíịò\0ỏõóọồổỗốộờởỡớợù\0ủũúụừửữứựỳỷỹýỵ";

/// From 0x80 on.
const VISCII: &str = "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ";

/// Where VISCII has letters instead of control characters.
const VISCII_LOW: [(char, char); 6] =
    [('\u{2}', 'Ẳ'), ('\u{5}', 'Ẵ'), ('\u{6}', 'Ẫ'), ('\u{14}', 'Ỷ'), ('\u{19}', 'Ỹ'), ('\u{1e}', 'Ỵ')];

/// What windows-1252 has from 0x80 to 0x9f.
const C1: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

/// VNI's letters of their own.
const VNI_LETTERS: [(char, char); 9] =
    [('ñ', 'đ'), ('ô', 'ơ'), ('ö', 'ư'), ('í', 'í'), ('ì', 'ì'), ('æ', 'ỉ'), ('ó', 'ĩ'), ('ò', 'ị'), ('î', 'ỵ')];

/// VNI's marks stand behind a letter: the letters they stand behind, the mark, what becomes of each.
const VNI_MARKS: [(&str, char, &str); 17] = [
    ("aeouyôö", 'ù', "áéóúýớứ"),
    ("aeouyôö", 'ø', "àèòùỳờừ"),
    ("aeouyôö", 'û', "ảẻỏủỷởử"),
    ("aeouyôö", 'õ', "ãẽõũỹỡữ"),
    ("aeouyôö", 'ï', "ạẹọụỵợự"),
    ("aeo", 'â', "âêô"),
    ("aeo", 'á', "ấếố"),
    ("aeo", 'à', "ầềồ"),
    ("aeo", 'å', "ẩểổ"),
    ("aeo", 'ã', "ẫễỗ"),
    ("aeo", 'ä', "ậệộ"),
    ("a", 'ê', "ă"),
    ("a", 'é', "ắ"),
    ("a", 'è', "ằ"),
    ("a", 'ú', "ẳ"),
    ("a", 'ü', "ẵ"),
    ("a", 'ë', "ặ"),
];

impl Legacy {
    pub fn name(self) -> &'static str {
        match self {
            Legacy::Tcvn3 => "TCVN3",
            Legacy::Vni => "VNI",
            Legacy::Viscii => "VISCII",
        }
    }

    /// By a charset's label: none of these is in the WHATWG Encoding Standard.
    pub fn labelled(label: &str) -> Option<Legacy> {
        let label = label.to_ascii_lowercase();
        let names = [("tcvn", Legacy::Tcvn3), ("vni", Legacy::Vni), ("viscii", Legacy::Viscii)];
        names.into_iter().find(|(name, _)| label.contains(name)).map(|(_, legacy)| legacy)
    }

    /// By one of the families in `font-family` or `<font face>`; and whether it is a font of capitals.
    fn of_font(face: &str) -> Option<(Legacy, bool)> {
        let families = face.split(',').map(|f| f.trim().trim_matches(['"', '\'']).to_ascii_lowercase());
        families.into_iter().find_map(|family| match () {
            _ if family.starts_with(".vn") => Some((Legacy::Tcvn3, family.ends_with('h'))),
            _ if family.starts_with("vni-") || family.starts_with("vni ") => Some((Legacy::Vni, false)),
            _ if family.contains("viscii") => Some((Legacy::Viscii, false)),
            _ => None,
        })
    }

    /// A text read as windows-1252 (or Latin-1), as it was meant.
    pub fn read(self, text: &str) -> String {
        match self {
            Legacy::Tcvn3 => text.chars().map(tcvn3).collect(),
            Legacy::Vni => vni(text),
            Legacy::Viscii => text.chars().map(viscii).collect(),
        }
    }
}

/// A run of text as the font `face` shows it: `®¶ng` in `.VnTime` is *đảng*. `None` where the face is none of these
/// fonts, or the text is Unicode already, whatever face is named.
pub fn from_font(text: &str, face: &str) -> Option<String> {
    let (legacy, capitals) = Legacy::of_font(face)?;
    if text.chars().any(|c| {
        matches!(c, '\u{1ea0}'..='\u{1ef9}' | 'ă' | 'đ' | 'ĩ' | 'ũ' | 'ơ' | 'ư' | 'Ă' | 'Đ' | 'Ĩ' | 'Ũ' | 'Ơ' | 'Ư')
    }) {
        return None;
    }
    let read = legacy.read(text);
    let worse = Evidence::of(&read).share() < Evidence::of(text).share();
    let shown = if capitals { read.to_uppercase() } else { read };
    (!worse && shown != text).then_some(shown)
}

/// The encoding of bytes that are no UTF-8, by the share of words beyond ASCII that are Vietnamese syllables.
pub fn detect(bytes: &[u8]) -> Option<Legacy> {
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(&bytes[..bytes.len().min(FAR)]);
    detect_text(&text)
}

/// The same for a text that was carried to Unicode as if it were windows-1252.
pub fn detect_carried(text: &str) -> Option<Legacy> {
    let mut letters = 0;
    for (at, chunk) in text.as_bytes().chunks(CHUNK).enumerate().filter(|(_, chunk)| !chunk.is_ascii()) {
        for (i, byte) in chunk.iter().enumerate() {
            match byte {
                0xc2 | 0xc3 => letters += 1,
                // U+2000 to U+207F: marks, quotation marks, spaces
                0xe2 if matches!(text.as_bytes().get(at * CHUNK + i + 1), Some(0x80 | 0x81)) => {}
                0xc4.. => return None,
                _ => {}
            }
        }
    }
    let end = text.floor_char_boundary(FAR);
    if letters < 5 { None } else { detect_text(&text[..end]) }
}

fn detect_text(text: &str) -> Option<Legacy> {
    let sample = sample(text);
    let before = Evidence::of(&sample);
    // most texts of other languages and all good Vietnamese end here
    if before.words < 5 || before.share() > 0.7 {
        return None;
    }
    let read = ALL.map(|legacy| (legacy, Evidence::of(&legacy.read(&sample))));
    let good = read.into_iter().filter(|(_, after)| after.convinces(&before));
    good.max_by(|a, b| a.1.share().total_cmp(&b.1.share())).map(|(legacy, _)| legacy)
}

/// The first words with letters beyond ASCII, each once: one foreign name, however often it stands there, shows nothing.
fn sample(text: &str) -> String {
    let lines = text.split('\n').filter(|line| !line.is_ascii());
    let words = lines.flat_map(|line| line.split([' ', '\t', '\r'])).filter(|word| !word.is_ascii());
    let mut seen = HashSet::new();
    let mut sample = String::new();
    for word in words.filter(|word| seen.insert(*word)) {
        sample.extend([word, " "]);
        if sample.len() > SAMPLE {
            break;
        }
    }
    sample
}

fn tcvn3(c: char) -> char {
    nth(TCVN3, c as u32, 0xa1).filter(|c| *c != '\0').unwrap_or(c)
}

fn viscii(c: char) -> char {
    if matches!(c, ' '..='~' | '\n') {
        return c;
    }
    if let Some((_, letter)) = VISCII_LOW.iter().find(|(code, _)| *code == c) {
        return *letter;
    }
    let code = C1.chars().position(|known| known == c).map_or(c as u32, |at| 0x80 + at as u32);
    nth(VISCII, code, 0x80).unwrap_or(c)
}

fn nth(table: &str, code: u32, first: u32) -> Option<char> {
    table.chars().nth(code.checked_sub(first)? as usize)
}

/// A mark is in upper case or lower case whatever its letter is.
fn vni(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let marked = rest.peek().and_then(|mark| vni_marked(c, *mark));
        if marked.is_some() {
            rest.next();
        }
        out.push(marked.unwrap_or_else(|| vni_letter(c)));
    }
    out
}

fn vni_marked(letter: char, mark: char) -> Option<char> {
    if mark.is_ascii() {
        return None;
    }
    let (small, mark) = (lower(letter), lower(mark));
    let of_mark = VNI_MARKS.iter().filter(|(_, m, _)| *m == mark);
    let mut found =
        of_mark.filter_map(|(letters, _, read)| read.chars().nth(letters.chars().position(|l| l == small)?));
    found.next().map(|read| if small == letter { read } else { upper(read) })
}

fn vni_letter(c: char) -> char {
    let small = lower(c);
    let read = VNI_LETTERS.iter().find(|(code, _)| *code == small).map(|(_, read)| *read);
    read.map_or(c, |read| if small == c { read } else { upper(read) })
}

/// All letters here have one lower and one upper case, of one character each.
fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

fn upper(c: char) -> char {
    c.to_uppercase().next().unwrap_or(c)
}

/// Bytes in one of these, read.
pub fn read(bytes: &[u8], legacy: Legacy) -> String {
    let mut out = String::with_capacity(bytes.len() + bytes.len() / 4);
    let mut rest = bytes;
    while !rest.is_empty() {
        let (part, after) = rest.split_at(part(rest));
        let text: Cow<str> = WINDOWS_1252.decode_without_bom_handling(part).0;
        out.push_str(&legacy.read(&text));
        rest = after;
    }
    out
}

/// So many bytes end between two words, if they can: no letter is parted from its mark.
fn part(bytes: &[u8]) -> usize {
    let most = bytes.len().min(FAR);
    let space = bytes[..most].iter().rposition(|b| matches!(b, b' ' | b'\n')).filter(|_| most < bytes.len());
    space.map_or(most, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{decode, from_font};

    /// Encoding, the look of its bytes in windows-1252, what was meant.
    fn rows() -> Vec<[String; 3]> {
        let table = include_str!("../../../tests/charsets.tsv").lines().filter(|l| !l.starts_with('#'));
        let row = |line: &str| {
            let columns: Vec<&str> = line.split('\t').collect();
            let [name, look, meant] = columns[..] else { panic!("three columns: {line:?}") };
            [name.to_owned(), unescape(look), meant.to_owned()]
        };
        table.map(row).collect()
    }

    fn unescape(text: &str) -> String {
        let mut parts = text.split("\\u{");
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (hex, rest) = part.split_once('}').expect("a closing brace");
            out.push(char::from_u32(u32::from_str_radix(hex, 16).expect("hex")).expect("a character"));
            out.push_str(rest);
        }
        out
    }

    fn bytes(look: &str) -> Vec<u8> {
        let byte = |c: char| C1.chars().position(|known| known == c).map_or(c as u32, |at| 0x80 + at as u32);
        look.chars().map(|c| u8::try_from(byte(c)).expect("a byte")).collect()
    }

    #[test]
    fn each_sentence_is_found_and_read_by_its_syllables() {
        for [name, look, meant] in rows() {
            let encoding = if name == "-" { "windows-1252" } else { &name };
            for declared in [&["iso-8859-1"][..], &["utf-8"], &[]] {
                let bytes = bytes(&look);
                let read = decode(&bytes, declared);
                assert_eq!((&*read.text, read.encoding), (meant.as_str(), encoding), "{declared:?}");
            }
        }
    }

    #[test]
    fn carried_into_utf8_it_is_found_as_well() {
        for [name, look, meant] in rows().into_iter().filter(|r| r[0] != "VISCII") {
            let read = decode(look.as_bytes(), &["utf-8"]);
            let encoding = if name == "-" { "UTF-8" } else { &name };
            assert_eq!((&*read.text, read.encoding), (meant.as_str(), encoding));
        }
    }

    #[test]
    fn the_sentences_have_every_letter() {
        use crate::text::fold::letters::VOWELS;
        for legacy in ALL {
            let rows = rows().into_iter().filter(|r| r[0] == legacy.name());
            let all: String = rows.map(|r| r[2].to_lowercase()).collect();
            let missing = VOWELS.as_flattened().iter().chain(&['đ']).filter(|c| !all.contains(**c));
            assert_eq!(missing.collect::<String>(), "", "{legacy:?}");
        }
    }

    #[test]
    fn what_is_declared_is_enough_for_a_short_text() {
        assert_eq!(decode(b"v\xa7n", &["VISCII"]).text, "vận");
        assert_eq!(decode(b"v\xcbn", &["x-viet-tcvn5712"]).text, "vận");
        assert_eq!(decode(b"va\xe4n", &["x-viet-vni"]).text, "vận");
        assert_eq!(decode(b"v\xcbn", &[]).text, "vËn");
    }

    #[test]
    fn a_font_says_how_its_text_is_read() {
        let table = [
            ("D©n vËn khÐo", ".VnTime", Some("Dân vận khéo")),
            ("®¶ng bé", "'.VnTimeH', Arial", Some("ĐẢNG BỘ")),
            ("Daân vaän kheùo", "VNI-Times", Some("Dân vận khéo")),
            ("ÑAÛNG BOÄ", "Arial, VNI-Helve", Some("ĐẢNG BỘ")),
            ("Dân vận khéo", ".VnTime", None),
            ("D©n vËn khÐo", "Times New Roman", None),
            ("plain", ".VnTime", None),
            ("plain", ".VnArialH", Some("PLAIN")),
        ];
        for (text, face, shown) in table {
            assert_eq!(from_font(text, face).as_deref(), shown, "{text} in {face}");
        }
    }
}
