//! Whether a text is Vietnamese: how many of its words beyond ASCII are syllables that the language can have.

use crate::text::fold::letters::{VOWELS, lower, vowel};

const ONSETS: &[&str] = &[
    "", "b", "c", "ch", "d", "đ", "g", "gh", "gi", "h", "k", "kh", "l", "m", "n", "ng", "ngh", "nh", "p", "ph", "qu",
    "r", "s", "t", "th", "tr", "v", "x",
];

/// Without tones, in the order of `str`.
const RIMES: &[&str] = &[
    "a", "ac", "ach", "ai", "am", "an", "ang", "anh", "ao", "ap", "at", "au", "ay", "e", "ec", "em", "en", "eng", "eo",
    "ep", "et", "i", "ia", "ich", "im", "in", "inh", "ip", "it", "iu", "iêc", "iêm", "iên", "iêng", "iêp", "iêt",
    "iêu", "o", "oa", "oac", "oach", "oai", "oam", "oan", "oang", "oanh", "oao", "oap", "oat", "oay", "oc", "oe",
    "oen", "oeo", "oet", "oi", "om", "on", "ong", "ooc", "oong", "op", "ot", "oăc", "oăm", "oăn", "oăng", "oăt", "u",
    "ua", "uc", "ui", "um", "un", "ung", "up", "ut", "uy", "uya", "uych", "uyn", "uynh", "uyt", "uyu", "uyên", "uyêt",
    "uân", "uâng", "uât", "uây", "uê", "uêch", "uênh", "uôc", "uôi", "uôm", "uôn", "uông", "uôp", "uôt", "uơ", "y",
    "ych", "ynh", "yt", "yu", "yêm", "yên", "yêng", "yêt", "yêu", "âc", "âm", "ân", "âng", "âp", "ât", "âu", "ây", "ê",
    "êch", "êm", "ên", "ênh", "êp", "êt", "êu", "ô", "ôc", "ôi", "ôm", "ôn", "ông", "ôp", "ôt", "ăc", "ăm", "ăn",
    "ăng", "ăp", "ăt", "ơ", "ơi", "ơm", "ơn", "ơp", "ơt", "ư", "ưa", "ưc", "ưi", "ưm", "ưng", "ưt", "ưu", "ươc", "ươi",
    "ươm", "ươn", "ương", "ươp", "ươt", "ươu",
];

/// Longer than any syllable, in letters.
const LONGEST: usize = 7;

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Evidence {
    /// Words with a letter beyond ASCII, or with a sign of windows-1252 that the fonts write letters with.
    pub words: usize,
    pub syllables: usize,
}

impl Evidence {
    /// A sign by itself, `£` or `©`, is no word, though the fonts write a letter with it.
    pub fn of(text: &str) -> Evidence {
        let words = text.split(|c: char| !is_letter(c)).filter(|w| !w.is_ascii() && !is_sign(w));
        let mut evidence = Evidence::default();
        for word in words {
            evidence.words += 1;
            evidence.syllables += usize::from(is_syllable(word));
        }
        evidence
    }

    /// From 0 to 1.
    pub fn share(&self) -> f64 {
        if self.words == 0 { 0.0 } else { self.syllables as f64 / self.words as f64 }
    }

    /// Read so, the text is Vietnamese; as it was, it was not.
    pub fn convinces(&self, before: &Evidence) -> bool {
        self.syllables >= 5 && self.share() >= 0.8 && self.share() - before.share() >= 0.3
    }
}

/// In a text not read yet letters look like signs: `®`, `¶`, `µ`. Quotation marks and dashes are never letters.
fn is_letter(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '\u{a1}'..='\u{bf}')
}

fn is_sign(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(|c| !c.is_alphabetic()) && chars.next().is_none()
}

fn is_syllable(word: &str) -> bool {
    let (mut plain, mut tone) = (String::with_capacity(2 * LONGEST), 0);
    for (at, c) in word.chars().enumerate() {
        let small = lower(c);
        let Some((row, column)) = vowel(small) else {
            plain.push(small);
            continue;
        };
        // two tones, or more letters than a syllable has
        if at >= LONGEST || tone > 0 && column > 0 {
            return false;
        }
        tone = tone.max(column);
        plain.push(VOWELS[row][0]);
    }
    let mut rimes = ONSETS.iter().filter_map(|onset| plain.strip_prefix(onset));
    rimes.any(|rime| RIMES.binary_search(&rime).is_ok() && fits(rime, tone))
}

/// A rime that ends in a stop has the rising tone or the heavy one.
fn fits(rime: &str, tone: usize) -> bool {
    !rime.ends_with(['c', 'p', 't']) && !rime.ends_with("ch") || matches!(tone, 2 | 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rimes_can_be_searched() {
        assert!(RIMES.is_sorted());
    }

    #[test]
    fn syllables_of_the_language() {
        for good in "vận Đảng quyền nghiệp giếng gìn khuỷu ngoằn quốc Ứng thuở ý ở được".split(' ')
        {
            assert!(is_syllable(good), "{good}");
        }
        for bad in "été fộr ®¶ng müßig vầc tất\u{301} lêt nghuyềnn".split(' ') {
            assert!(!is_syllable(bad), "{bad}");
        }
    }
}
