//! One word, one spelling.

pub(super) mod letters;

use letters::{KINDS, NEXT, kind, lower, place, place_tone, state};
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// For matching and comparing: NFC, lower case, tones placed one way (*hoà* -> *hòa*, *quí* -> *quý*), ð as đ, every
/// run of white space one space, none at the ends, zero-width characters gone. Tones stay: *dân vận* and *dẫn vấn*
/// are different words. Folding twice changes nothing more.
pub fn fold(text: &str) -> String {
    if let Some(folded) = Folder::new(text).run(is_plain) {
        return folded;
    }
    decomposed_and_folded(text)
}

fn decomposed_and_folded(text: &str) -> String {
    // NFC comes last, so that what was parted by a zero-width character or exists in lower case only is composed
    let visible = text.chars().filter(|c| !vanishes(*c));
    let composed: String = reorder(visible.map(lower).nfd()).nfc().collect();
    Folder::new(&composed).run(|_| true).unwrap_or_default()
}

/// The syllables (runs of letters and digits) of a folded text.
pub fn syllables(folded: &str) -> impl Iterator<Item = &str> {
    pieces(folded).map(|(syllable, _)| syllable).filter(|s| !s.is_empty())
}

/// Each syllable, perhaps empty, with the one character that ends it, perhaps none.
pub fn pieces(folded: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = folded;
    std::iter::from_fn(move || {
        let (syllable, separator) = rest.split_at(syllable_len(rest));
        let separator = separator.chars().next().map_or("", |c| &separator[..c.len_utf8()]);
        rest = &rest[syllable.len() + separator.len()..];
        (!syllable.is_empty() || !separator.is_empty()).then_some((syllable, separator))
    })
}

/// The bytes of the syllable that a text begins with.
fn syllable_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        at += match bytes[at] {
            ascii @ 0..0x80 if ascii.is_ascii_alphanumeric() => 1,
            0..0x80 => break,
            // the letters of Vietnamese: U+00C0 to U+01BF but × and ÷, U+1E80 to U+1EFF
            0xc4..=0xc6 => 2,
            0xe1 if bytes[at + 1] >= 0xba && bytes[at + 1] <= 0xbb => 3,
            0xc3 if !matches!(bytes[at + 1], 0x97 | 0xb7) => 2,
            _ => match char_at(text, at) {
                letter if in_word(letter) => letter.len_utf8(),
                _ => break,
            },
        };
    }
    at
}

/// The character that begins at a byte.
fn char_at(text: &str, at: usize) -> char {
    text[at..].chars().next().unwrap_or(' ')
}

/// Of the character that begins at a byte: its kind and its width in bytes.
#[inline(always)]
fn kind_at(text: &str, at: usize) -> (u8, usize) {
    let bytes = text.as_bytes();
    match bytes[at] {
        ascii @ 0..0x80 => (KINDS[ascii as usize], 1),
        lead @ 0xc2..0xcc => (KINDS[(lead as usize & 0x1f) << 6 | bytes[at + 1] as usize & 0x3f], 2),
        0xe1 if matches!(bytes[at + 1], 0xb8..=0xbb) => {
            (KINDS[0x300 + ((bytes[at + 1] as usize & 3) << 6 | bytes[at + 2] as usize & 0x3f)], 3)
        }
        _ => {
            let c = char_at(text, at);
            (KINDS[place(c)], c.len_utf8())
        }
    }
}

/// Copies what is folded already, in runs, and writes anew only what changes.
struct Folder<'t> {
    text: &'t str,
    out: String,
    /// So many bytes of the text are in `out`.
    copied: usize,
}

impl<'t> Folder<'t> {
    fn new(text: &'t str) -> Self {
        Folder { text, out: String::with_capacity(text.len() + 4), copied: 0 }
    }

    /// None if a character outside the alphabet is not `allowed`.
    fn run(mut self, allowed: fn(char) -> bool) -> Option<String> {
        let (mut at, mut last) = (0, state::SPACE);
        while at < self.text.len() {
            let (kind, width) = kind_at(self.text, at);
            let mut next = NEXT[last as usize][kind as usize];
            if next & state::ACT != 0 {
                next = self.act(at, last, kind, allowed)?;
            }
            last = next;
            at += width;
        }
        Some(self.finish(last))
    }

    /// What is to be done about the character that begins at a byte; the next state.
    fn act(&mut self, at: usize, last: u8, mut kind: u8, allowed: fn(char) -> bool) -> Option<u8> {
        let c = char_at(self.text, at);
        if kind == kind::OTHER {
            if !allowed(c) {
                return None;
            }
            kind = kind_of_other(c);
        }
        let next = NEXT[last as usize][kind as usize] & !state::ACT;
        if last == state::MOVABLE && next < state::LETTER {
            self.end_syllable(at);
        }
        if kind & kind::CHANGES != 0 {
            self.replace(at, c, Some(lower(c)));
        } else if kind == kind::ODD_SPACE || (kind == kind::SPACE && last == state::SPACE) {
            self.replace(at, c, (last != state::SPACE).then_some(' '));
        }
        Some(next)
    }

    fn replace(&mut self, at: usize, c: char, by: Option<char>) {
        self.copy_to(at);
        self.copied = at + c.len_utf8();
        self.out.extend(by);
    }

    fn copy_to(&mut self, at: usize) {
        self.out.push_str(&self.text[self.copied..at]);
        self.copied = at;
    }

    /// The syllable that ends before a byte gets its tone where it belongs.
    fn end_syllable(&mut self, at: usize) {
        self.copy_to(at);
        let start = self.out.rfind(|c: char| !c.is_alphanumeric()).map_or(0, |p| p + char_at(&self.out, p).len_utf8());
        if let Some(moved) = place_tone(&self.out[start..]) {
            self.out.truncate(start);
            self.out.push_str(&moved);
        }
    }

    fn finish(mut self, last: u8) -> String {
        if last == state::MOVABLE {
            self.end_syllable(self.text.len());
        }
        self.copy_to(self.text.len());
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out
    }
}

/// Letters and digits, as `char::is_alphanumeric` has it, which takes long beyond Latin.
fn in_word(c: char) -> bool {
    match c {
        '\u{2010}'..='\u{2027}' => false,
        '\u{400}'..='\u{481}' | '\u{48a}'..='\u{52f}' => true,
        _ => is_caseless(c) || c.is_alphanumeric(),
    }
}

/// Small Cyrillic letters, ideographs, Hangul: the lower case of each is itself.
fn is_caseless(c: char) -> bool {
    matches!(c, '\u{430}'..='\u{45f}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

fn kind_of_other(c: char) -> u8 {
    if is_caseless(c) {
        return kind::LETTER;
    }
    if c.is_whitespace() {
        return kind::ODD_SPACE;
    }
    if !in_word(c) {
        return kind::SEPARATOR;
    }
    if lower(c) == c { kind::LETTER } else { kind::LETTER | kind::CHANGES }
}

/// For keeping: NFC, otherwise as written; control and zero-width characters gone, runs of white space (NBSP too) one
/// space, none at the ends.
pub fn tidy(text: &str) -> String {
    tidied(text).into_owned()
}

/// As [`tidy`]; most texts are tidy but for the white space around them.
pub fn tidied(text: &str) -> Cow<'_, str> {
    let text = text.trim_ascii();
    if is_tidy(text) { Cow::Borrowed(text) } else { Cow::Owned(rewritten(text)) }
}

fn rewritten(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in composed(text).chars() {
        if c.is_whitespace() {
            push_space(&mut out);
        } else if !vanishes(c) {
            out.push(c);
        }
    }
    out.truncate(out.trim_end_matches(' ').len());
    out
}

/// Of a text without white space around it.
fn is_tidy(text: &str) -> bool {
    let mut last = 'a';
    text.chars().all(|c| {
        let single = c == ' ' && last != ' ';
        last = c;
        single || (is_plain(c) && !c.is_whitespace())
    })
}

fn composed(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(reorder(text.chars().filter(|c| !vanishes(*c)).nfd()).nfc().collect())
}

/// One space, unless the text is empty or ends in one.
fn push_space(out: &mut String) {
    if !out.is_empty() && !out.ends_with(' ') {
        out.push(' ');
    }
}

/// What every text in NFC consists of, in Vietnamese and in the languages that are written with letters of their own
/// without marks: composed already, and nothing that would have to vanish.
fn is_plain(c: char) -> bool {
    match c {
        ' '..='~' | '\t' | '\n' | '\r' => true,
        '\u{ad}' => false,
        '\u{a0}'..='\u{2ff}' | '\u{1e00}'..='\u{1eff}' => true,
        '\u{2010}'..='\u{2027}' | '\u{202f}'..='\u{205f}' | '\u{20a0}'..='\u{20bf}' => true,
        // Greek and Cyrillic, arrows and signs, kana and ideographs, Hangul
        '\u{388}'..='\u{3ff}' | '\u{400}'..='\u{482}' | '\u{48a}'..='\u{52f}' => true,
        '\u{2190}'..='\u{2328}' | '\u{2500}'..='\u{27bf}' => true,
        '\u{3001}'..='\u{3029}' | '\u{3030}'..='\u{3098}' | '\u{309b}'..='\u{30ff}' => true,
        '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff01}'..='\u{ff9d}' => true,
        _ => false,
    }
}

/// Control and zero-width characters, soft hyphens, byte-order marks, direction marks, variation selectors.
pub fn vanishes(c: char) -> bool {
    match c {
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{feff}' => true,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{fe00}'..='\u{fe0f}' | '\u{fff9}'..='\u{fffb}' => true,
        _ => c.is_control() && !c.is_whitespace(),
    }
}

/// Some keyboards write the tone before the circumflex, breve or horn (*a* ´ ^): both orders are canonical and look
/// alike, but only vowel sign, then tone, composes.
fn reorder(decomposed: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    let mut rest = decomposed.peekable();
    let mut held = None;
    std::iter::from_fn(move || {
        if let Some(tone) = held.take() {
            return Some(tone);
        }
        let c = rest.next()?;
        if is_tone(c) && rest.peek().is_some_and(|next| is_vowel_sign(*next)) {
            held = Some(c);
            return rest.next();
        }
        Some(c)
    })
}

/// Grave, acute, tilde, hook above.
fn is_tone(mark: char) -> bool {
    matches!(mark, '\u{300}' | '\u{301}' | '\u{303}' | '\u{309}')
}

/// Circumflex and breve; the horn sorts before all tones by itself.
fn is_vowel_sign(mark: char) -> bool {
    matches!(mark, '\u{302}' | '\u{306}')
}

#[cfg(test)]
mod tests {
    use super::letters::{VOWELS, vowel};
    use super::*;
    use unicode_normalization::is_nfc;

    /// Sentences with every tone, both placements where there are two, and words near each other.
    const SENTENCES: [&str; 8] = [
        "Ủy ban nhân dân huyện Thủy Nguyên họp với bà con xã Hòa Bình, thôn Quý Hòa",
        "Phong trào “Dân vận khéo” góp phần xóa đói, giảm nghèo; sức khỏe của trẻ nhỏ được chăm lo",
        "Đồng chí Nguyễn Thị Thúy, tổ hòa giải khu phố 3, ghé thăm nhà ông Vũ Quỳ ở tổ 12",
        "Toàn thể hội viên quyết tâm hoàn thành 15/15 chỉ tiêu; ngoài ra còn vượt 4 chỉ tiêu khác",
        "Người dân vận chuyển lúa bằng thuyền, khuya vẫn chưa ngủ, tuy nhiên ai nấy đều phấn khởi",
        "Quy chế dân chủ ở cơ sở: dân biết, dân bàn, dân làm, dân kiểm tra, dân giám sát",
        "Ðoàn giám sát nghe báo cáo về tiếp công dân – kết luận số 43-KL/TW ngày 7/1/2019",
        "Cậu bé huýt sáo, khoác áo loè xòe, ngã khuỵu trước cửa toà nhà cũ kỹ",
    ];

    /// Tones put the other way in syllables that end in oa, oe, uy.
    fn old_placement(text: &str) -> String {
        let swap = |word: &str| {
            let mut letters: Vec<char> = word.chars().collect();
            if let [.., a, b] = letters.as_mut_slice()
                && let (Some((row, tone)), Some((second, 0))) = (vowel(*a), vowel(*b))
                && matches!((VOWELS[row][0], *b), ('o', 'a' | 'e') | ('u', 'y'))
            {
                (*a, *b) = (VOWELS[row][0], VOWELS[second][tone]);
            }
            letters.into_iter().collect::<String>()
        };
        text.split(' ').map(swap).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn table() {
        for line in include_str!("../../tests/folding.tsv").lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
            let (given, folded) = line.split_once('\t').expect("given, tab, folded");
            assert_eq!(fold(&unescape(given)), folded, "{line}");
        }
    }

    /// `\u{a0}` in the table is that character.
    fn unescape(text: &str) -> String {
        let mut parts = text.split("\\u{");
        let mut out = parts.next().unwrap_or("").to_owned();
        for part in parts {
            let (hex, rest) = part.split_once('}').expect("a closing brace");
            out.push(char::from_u32(u32::from_str_radix(hex, 16).expect("hex")).expect("a character"));
            out.push_str(rest);
        }
        out
    }

    #[test]
    fn every_spelling_of_a_sentence_folds_alike() {
        for sentence in SENTENCES {
            let folded = fold(sentence);
            let old = old_placement(sentence);
            let nfd: String = sentence.nfd().collect();
            let spellings = [
                nfd.clone(),
                old.nfd().collect(),
                old.to_uppercase(),
                sentence.to_uppercase(),
                nfd.to_uppercase(),
                sentence.replace('đ', "ð").replace('Đ', "Ð"),
                sentence.replace(' ', "\u{a0}\u{200b}\n "),
                sentence.chars().flat_map(|c| [c, '\u{200d}']).collect(),
                nfd.chars().flat_map(|c| [c, '\u{ad}']).collect(),
                old,
                folded.clone(),
            ];
            for spelling in spellings {
                assert_eq!(fold(&spelling), folded, "{spelling}");
            }
            assert!(is_nfc(&folded));
        }
    }

    #[test]
    fn different_words_stay_different() {
        let words =
            ["dân vận", "dẫn vấn", "dân vần", "đân vận", "dan van", "hoa", "hòa", "họa", "hoàn", "quy", "quý", "cuí"];
        for (i, a) in words.iter().enumerate() {
            assert!(words[i + 1..].iter().all(|b| fold(a) != fold(b)), "{a}");
        }
    }

    #[test]
    fn any_character_folds_and_tidies_once_and_for_all() {
        for c in ('\0'..'\u{3100}').chain('\u{f900}'..='\u{ffff}') {
            let text = format!("a {c}b\u{301}{c}");
            assert_eq!(fold(&fold(&text)), fold(&text), "{:x}", c as u32);
            assert_eq!(tidy(&tidy(&text)), tidy(&text), "{:x}", c as u32);
        }
    }

    #[test]
    fn the_short_way_and_the_long_way_lead_to_the_same() {
        for c in ('\0'..='\u{ffff}').filter(|c| is_plain(*c)) {
            let text = format!("A {c}ò{c} {c}");
            assert_eq!(Folder::new(&text).run(is_plain), Some(decomposed_and_folded(&text)), "{:x}", c as u32);
            assert_eq!(c.nfc().collect::<Vec<_>>(), [c], "{:x}", c as u32);
        }
    }

    #[test]
    fn what_is_known_of_letters_is_what_unicode_says() {
        for c in '\0'..='\u{ffff}' {
            assert_eq!(in_word(c), c.is_alphanumeric(), "{:x}", c as u32);
            assert!(!is_caseless(c) || (c.is_alphanumeric() && c.to_lowercase().eq([c])), "{:x}", c as u32);
            let text = format!("a{c}b");
            assert!(!is_tidy(&text) || rewritten(&text) == text, "{:x}", c as u32);
        }
    }

    #[test]
    fn tidy_keeps_what_was_written() {
        assert_eq!(tidy(" \u{feff}Hoà\u{a0}\u{a0}Bình\r\n\tUỶ BAN\u{200b} "), "Hoà Bình UỶ BAN");
        assert_eq!(tidy("Da\u{302}n va\u{323}\u{302}n"), "Dân vận");
        assert_eq!(tidy("\u{0}\u{7}"), "");
    }

    #[test]
    fn syllables_are_runs_of_letters_and_digits() {
        let folded = fold("Điểm 1/2: “Dân vận”- khéo…");
        assert_eq!(syllables(&folded).collect::<Vec<_>>(), ["điểm", "1", "2", "dân", "vận", "khéo"]);
    }
}
