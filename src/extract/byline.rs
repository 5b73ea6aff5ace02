//! Who wrote it: lines that name the author, and the names in them.

use super::page::Flat;
use super::signs::BYLINE;
use super::words;
use crate::text::fold;
use regex::Regex;
use std::sync::LazyLock;

/// So many lines before the text may hold its author.
const REACH: usize = 12;

/// What stands before a name, folded; the longest first among those that begin alike.
const LABELS: &[&str] = &[
    "tác giả bài viết:",
    "tác giả:",
    "nguồn tin và ảnh:",
    "nguồn tin:",
    "tin và ảnh:",
    "tin, ảnh:",
    "tin ảnh:",
    "tin - ảnh:",
    "tin – ảnh:",
    "tin, bài và ảnh:",
    "tin bài và ảnh:",
    "tin bài:",
    "bài và ảnh:",
    "bài, ảnh:",
    "bài ảnh:",
    "bài - ảnh:",
    "bài – ảnh:",
    "bài viết:",
    "ảnh và bài:",
    "thực hiện:",
    "người viết:",
    "ghi chép của",
    "người đăng:",
    "đăng bởi:",
    "biên tập:",
    "bài:",
    "tin:",
    "by:",
    "author:",
    "written by:",
    "written by",
    "reported by",
    "text:",
    "autor:",
    "autorin:",
    "von:",
];

/// *By* in the languages that put it before a name.
const PREPOSITIONS: &[&str] = &["bởi ", "by ", "von ", "par ", "por ", "di ", "door ", "af ", "av ", "texte ", "text "];

/// What names a source, not a person.
const SOURCES: &[&str] = &["nguồn tin:", "nguồn:", "nguồn ", "theo ", "source:", "quelle:", "fuente:"];

/// What stands before a photographer's name.
const CREDITS: &[&str] = &[
    "ảnh:",
    "ảnh ",
    "photo:",
    "photo by",
    "photo credit",
    "image credit",
    "photograph by",
    "foto:",
    "ảnh minh họa",
    "ảnh tư liệu",
    "video:",
    "clip:",
    "đồ họa:",
    "фото:",
    "bild:",
    "fot.",
    "crédit photo",
];

/// The first words of an office, folded.
const OFFICES: &[&str] = &[
    "phó ",
    "trưởng ",
    "chủ tịch",
    "bí thư",
    "giám đốc",
    "ủy viên",
    "ban ",
    "văn phòng",
    "chánh ",
    "hội ",
    "sở ",
    "phòng ",
    "ubmttq",
    "ubnd",
    "mttq",
    "huyện ",
    "tỉnh ",
    "thành ",
    "báo ",
    "đài ",
    "trung tâm",
    "chuyên viên",
    "cổng ",
    "công an",
    "đảng ",
    "đoàn ",
    "khối ",
    "thành ủy",
    "huyện ủy",
    "tuyên giáo",
    "ủy ban",
    "vp ",
    "lđlđ",
    "liên đoàn",
];

/// The names a line gives, if it is a byline: `Tin và ảnh: X`, `X – Y`, `X - Phó Trưởng Ban …`. `marked` says that
/// its place or look (right-aligned, bold, last, class `author`) already speaks for a byline.
pub fn byline(text: &str, marked: bool) -> Option<Vec<String>> {
    let text = text.trim().trim_matches(['(', ')', '*', '.', '/']).trim();
    if text.chars().count() > 140 || text.contains('\n') && text.lines().count() > 3 {
        return None;
    }
    let folded = fold(text);
    if let Some(label) = LABELS.iter().find(|l| folded.starts_with(**l)) {
        // Folding keeps the number of characters of these labels.
        let rest: String = text.chars().skip(label.chars().count()).collect();
        return Some(if label.starts_with("nguồn tin:") { Vec::new() } else { names(&rest) });
    }
    if SOURCES.iter().any(|s| folded.starts_with(s)) && text.chars().count() < 60 && !text.ends_with('.') {
        return (marked || folded.contains(':')).then(Vec::new);
    }
    if PREPOSITIONS.iter().any(|p| folded.starts_with(p)) && text.chars().count() < 80 {
        let found = names(text.split_once(' ').map_or("", |(_, rest)| rest));
        if !found.is_empty() {
            return Some(found);
        }
    }
    if !marked {
        return None;
    }
    let found = names(text);
    (!found.is_empty()).then_some(found)
}

/// The names in the elements named so that stand close before the text.
pub fn before(flat: &Flat<'_>, text_at: usize) -> Vec<String> {
    let from = text_at.saturating_sub(REACH);
    let near = flat.elems.iter().filter(|e| e.signs & BYLINE != 0 && (from..text_at).contains(&e.lines.start));
    let mut found = near.filter_map(|e| byline(&e.begins_with(), true));
    found.find(|names| !names.is_empty()).unwrap_or_default()
}

/// A photographer's or source line by itself.
pub fn is_credit(text: &str) -> bool {
    if text.len() > 400 {
        return false;
    }
    let text = text.trim().trim_matches(['(', ')']);
    if !begins_like_credit(text) {
        return false;
    }
    let folded = fold(text);
    folded.chars().count() < 60 && CREDITS.iter().any(|c| folded.starts_with(c)) && !folded.ends_with('.')
}

/// Whether it is worth to fold the text: an English letter before another one folds to its lower case.
fn begins_like_credit(text: &str) -> bool {
    match text.as_bytes() {
        [first, second, ..] if first.is_ascii_alphabetic() && second.is_ascii() => {
            CREDITS.iter().any(|c| c.as_bytes()[0] == first.to_ascii_lowercase())
        }
        _ => true,
    }
}

const TAILS: &[&str] =
    &["ảnh: ", "(ảnh ", "photo: ", "photograph: ", "foto: ", "getty images", "/reuters", "/ap)", "/afp"];

static ANY_TAIL: LazyLock<Regex> = LazyLock::new(|| words::any_of(TAILS));

/// `… . Ảnh: X` at the end of a line: a caption's mark.
pub fn ends_in_credit(text: &str) -> bool {
    let tail = fold(&text[text.char_indices().rev().take(45).last().map_or(0, |(n, _)| n)..]);
    ANY_TAIL.is_match(&tail)
}

/// The persons named in a run of names; empty if it is anything else.
pub fn names(text: &str) -> Vec<String> {
    if text.split_once(')').is_some_and(|(_, after)| after.contains(char::is_alphanumeric)) {
        return Vec::new();
    }
    let text = text.split(['\n', '(']).next().unwrap_or("").trim();
    let text = text.strip_prefix("By ").or(text.strip_prefix("by ")).or(text.strip_prefix("Von ")).unwrap_or(text);
    let mut found = Vec::new();
    if text.starts_with(|c: char| c.is_alphanumeric() && !c.is_uppercase()) {
        return found; // a name's words have capitals
    }
    for part in split_names(text) {
        if is_name(part) {
            found.push(part.to_owned());
        } else if !found.is_empty() && is_office(part) {
            break;
        } else {
            return Vec::new();
        }
    }
    found
}

fn split_names(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '&', '–', '—', '|', '/'])
        .flat_map(|p| p.split(" - "))
        .flat_map(|p| p.split(" và "))
        .flat_map(|p| p.split(" and "))
        .map(|p| p.trim().trim_end_matches('.'))
        .filter(|p| !p.is_empty())
}

/// One to five words, each with a capital, no figure: *Thu Oanh*, *PV*, *H.Nam*, *Quàng Thị Mai*.
fn is_name(part: &str) -> bool {
    let words: Vec<&str> = part.split_whitespace().collect();
    let capital = |w: &&str| w.starts_with(char::is_uppercase);
    // What has to fold it comes last.
    (1..=5).contains(&words.len())
        && words.iter().all(capital)
        && part.chars().count() <= 40
        && !part.contains(|c: char| c.is_ascii_digit() || matches!(c, ':' | '?' | '!' | '"' | '“' | '@'))
        && !is_label_or_office(part)
        && !is_numbered(&words)
}

/// `Chương II`, `Phần IV`: a part of a document, not a person.
fn is_numbered(words: &[&str]) -> bool {
    let part = |w: &str| matches!(fold(w).as_str(), "chương" | "phần" | "mục" | "điều" | "phụ" | "lục" | "bài" | "kỳ");
    let roman = |w: &&str| w.chars().all(|c| matches!(c, 'I' | 'V' | 'X' | 'L' | 'C'));
    words.iter().skip(1).any(roman) && words.first().is_some_and(|w| part(w))
}

/// One word with a capital, and nobody's name: labels, buttons.
const LABELLING: [&str; 13] =
    ["bởi", "by", "tác giả", "author", "tweet", "like", "zalo", "facebook", "share", "thích", "gửi", "email", "admin"];

fn is_label_or_office(part: &str) -> bool {
    let folded = fold(part);
    LABELLING.contains(&folded.as_str()) || names_office(folded + " ")
}

/// An office, or a person's with the office behind: `Ban Biên tập`, `Thu Trang – LĐLĐ tỉnh`. A sentence may begin so.
pub fn is_of_office(text: &str) -> bool {
    let short = text.split_whitespace().count() <= MOST_OF_OFFICE && !text.ends_with(['.', '!', '?', ';', ':']);
    short && text.split([',', '-', '–']).any(|part| is_office(part.trim()))
}

/// A short sentence has more words.
const MOST_OF_OFFICE: usize = 7;

fn is_office(part: &str) -> bool {
    names_office(fold(part) + " ")
}

fn names_office(folded: String) -> bool {
    OFFICES.iter().any(|o| folded.starts_with(o))
}

#[cfg(test)]
mod tests {
    use super::{byline, ends_in_credit};

    #[test]
    fn bylines_name_their_authors() {
        for (line, wanted) in [
            ("Tin và ảnh: Lò Mai", vec!["Lò Mai"]),
            ("Tác giả: Hà Thu – Bế Lan", vec!["Hà Thu", "Bế Lan"]),
            ("Lý Văn An - Phó Trưởng Ban Dân vận Huyện ủy", vec!["Lý Văn An"]),
            ("Hà Thu và Bế Lan", vec!["Hà Thu", "Bế Lan"]),
            ("PV", vec!["PV"]),
        ] {
            assert_eq!(
                byline(line, true).as_deref(),
                Some(&wanted.iter().map(|s| s.to_string()).collect::<Vec<_>>()[..]),
                "{line}"
            );
        }
    }

    #[test]
    fn sentences_are_no_bylines() {
        for line in [
            "Lò Mai (Tổ 2): lần thứ ba",
            "Hội nghị kết thúc lúc 11 giờ",
            "Xã Tân Lập họp dân",
            "Một là, giữ đoàn kết",
            "Chương II",
            "Phần thứ IV",
        ] {
            assert_eq!(byline(line, true), None, "{line}");
        }
        assert_eq!(byline("Lò Mai", false), None);
    }

    #[test]
    fn captions_end_in_a_credit() {
        assert!(ends_in_credit("Bà con thôn Bản Ỏ dọn đường. Ảnh: Lò Mai"));
        assert!(!ends_in_credit("Bà con thôn Bản Ỏ dọn đường."));
    }
}
