//! One word, one spelling.

use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// For matching and comparing: NFC, lower case, tones placed one way (*hoà* -> *hòa*, *quí* -> *quý*), ð as đ, every
/// run of white space one space, none at the ends, zero-width characters gone. Tones stay: *dân vận* and *dẫn vấn*
/// are different words. Folding twice changes nothing more.
pub fn fold(text: &str) -> String {
    let mut out = Folded { text: String::with_capacity(text.len() + 8), syllable: 0, toned: false };
    if text.chars().all(is_plain) {
        text.chars().for_each(|c| out.push(lower(c)));
    } else {
        // NFC comes last, so that what was parted by a zero-width character or exists in lower case only is composed
        let visible = text.chars().filter(|c| !vanishes(*c));
        reorder(visible.flat_map(char::to_lowercase).nfd()).nfc().for_each(|c| out.push(lower(c)));
    }
    out.finish()
}

/// The syllables (runs of letters and digits) of a folded text.
pub fn syllables(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|c: char| !c.is_alphanumeric()).filter(|s| !s.is_empty())
}

/// For keeping: NFC, otherwise as written; control and zero-width characters gone, runs of white space (NBSP too) one
/// space, none at the ends.
pub fn tidy(text: &str) -> String {
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

/// What every Vietnamese text in NFC consists of: composed already, and nothing that would have to vanish.
fn is_plain(c: char) -> bool {
    match c {
        ' '..='~' | '\t' | '\n' | '\r' => true,
        '\u{ad}' => false,
        '\u{a0}'..='\u{2ff}' | '\u{1e00}'..='\u{1eff}' => true,
        '\u{2010}'..='\u{2027}' | '\u{202f}'..='\u{205f}' | '\u{20a0}'..='\u{20bf}' => true,
        _ => false,
    }
}

/// Control and zero-width characters, soft hyphens, byte-order marks, direction marks, variation selectors.
fn vanishes(c: char) -> bool {
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

fn lower(c: char) -> char {
    match c {
        'A'..='Z' => c.to_ascii_lowercase(),
        '\0'..='\u{7f}' => c,
        'Ð' | 'ð' | 'Ɖ' | 'ɖ' => 'đ',
        // pairs of upper and lower case; the ring of exceptions from U+1E96 to U+1E9F has none
        '\u{1e00}'..='\u{1e95}' | '\u{1ea0}'..='\u{1eff}' => char::from_u32(c as u32 | 1).unwrap_or(c),
        _ => lower_other(c),
    }
}

fn lower_other(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        // İ, the only letter with a longer lower case, keeps its base
        (Some(first), Some(_)) => first,
        (None, _) => c,
    }
}

/// A folded text as it grows.
struct Folded {
    text: String,
    /// Where the running syllable began.
    syllable: usize,
    /// It holds a vowel with a tone, or qu with i.
    toned: bool,
}

impl Folded {
    fn push(&mut self, c: char) {
        if c.is_ascii_lowercase() {
            self.toned |= c == 'i' && self.text.ends_with("qu");
            self.text.push(c);
        } else if c.is_alphanumeric() {
            self.toned |= vowel(c).is_some_and(|(_, tone)| tone > 0);
            self.text.push(c);
        } else {
            self.end_syllable();
            if c.is_whitespace() {
                push_space(&mut self.text);
            } else if !c.is_control() {
                self.text.push(c);
            }
            self.syllable = self.text.len();
        }
    }

    fn end_syllable(&mut self) {
        if std::mem::take(&mut self.toned)
            && let Some(moved) = place_tone(&self.text[self.syllable..])
        {
            self.text.truncate(self.syllable);
            self.text.push_str(&moved);
        }
    }

    fn finish(mut self) -> String {
        self.end_syllable();
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text
    }
}

/// The syllable with its tone where it belongs, if it stood elsewhere: in *oa*, *oe*, *uy* on the first vowel when
/// they end the syllable (*hòa*), on the second when a letter follows (*hoàn*); after *qu* never on the u; and *qui*
/// is *quy*.
fn place_tone(syllable: &str) -> Option<String> {
    let mut letters: Vec<char> = syllable.chars().collect();
    let first = (0..letters.len().checked_sub(1)?).find(|&at| is_pair(&letters, at))?;
    let (a, first_tone) = vowel(letters[first])?;
    let (mut b, second_tone) = vowel(letters[first + 1])?;
    let ends = first + 2 == letters.len();
    let after_q = is_after_q(&letters, first);
    if after_q && ends && VOWELS[b][0] == 'i' {
        b = vowel('y')?.0;
    }
    let tone = first_tone.max(second_tone);
    let on_first = ends && !after_q;
    letters[first] = VOWELS[a][if on_first { tone } else { 0 }];
    letters[first + 1] = VOWELS[b][if on_first { 0 } else { tone }];
    let placed: String = letters.into_iter().collect();
    (placed != syllable).then_some(placed)
}

/// Two vowels whose tone is written on either, at most one of them toned.
fn is_pair(letters: &[char], at: usize) -> bool {
    let (Some((a, one)), Some((b, other))) = (vowel(letters[at]), vowel(letters[at + 1])) else { return false };
    let pair = matches!((VOWELS[a][0], VOWELS[b][0]), ('o', 'a' | 'e') | ('u', 'y'));
    (one == 0 || other == 0) && (pair || (VOWELS[a][0] == 'u' && is_after_q(letters, at)))
}

fn is_after_q(letters: &[char], at: usize) -> bool {
    at > 0 && letters[at - 1] == 'q'
}

/// A row a vowel, a column a tone; the first column has none.
const VOWELS: [[char; 6]; 12] = [
    ['a', 'à', 'á', 'ả', 'ã', 'ạ'],
    ['ă', 'ằ', 'ắ', 'ẳ', 'ẵ', 'ặ'],
    ['â', 'ầ', 'ấ', 'ẩ', 'ẫ', 'ậ'],
    ['e', 'è', 'é', 'ẻ', 'ẽ', 'ẹ'],
    ['ê', 'ề', 'ế', 'ể', 'ễ', 'ệ'],
    ['i', 'ì', 'í', 'ỉ', 'ĩ', 'ị'],
    ['o', 'ò', 'ó', 'ỏ', 'õ', 'ọ'],
    ['ô', 'ồ', 'ố', 'ổ', 'ỗ', 'ộ'],
    ['ơ', 'ờ', 'ớ', 'ở', 'ỡ', 'ợ'],
    ['u', 'ù', 'ú', 'ủ', 'ũ', 'ụ'],
    ['ư', 'ừ', 'ứ', 'ử', 'ữ', 'ự'],
    ['y', 'ỳ', 'ý', 'ỷ', 'ỹ', 'ỵ'],
];

/// By [`place`]: 0 for what is no vowel, else 1 + 6 × row + column of [`VOWELS`].
static PLACES: [u8; 0x400] = places();

const fn places() -> [u8; 0x400] {
    let mut table = [0; 0x400];
    let mut at = 0;
    while at < 72 {
        table[place(VOWELS[at / 6][at % 6])] = at as u8 + 1;
        at += 1;
    }
    table
}

/// Where a letter stands in [`PLACES`]; all that cannot be a vowel share the first place.
const fn place(c: char) -> usize {
    match c as u32 {
        low @ 0..0x300 => low as usize,
        high @ 0x1e00..0x1f00 => high as usize - 0x1e00 + 0x300,
        _ => 0,
    }
}

/// Row and column in [`VOWELS`].
fn vowel(c: char) -> Option<(usize, usize)> {
    let at = (PLACES[place(c)] as usize).checked_sub(1)?;
    Some((at / 6, at % 6))
}

#[cfg(test)]
mod tests {
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
