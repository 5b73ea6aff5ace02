//! A line as it is written, cut into words fast: eight bytes at a time.

/// The bytes of a word, up to 15 of them, and zeros after them.
pub type Key = [u64; 2];

const EACH: u64 = 0x0101_0101_0101_0101;
const TOP: u64 = 0x80 * EACH;

/// Gives every run of ASCII letters, ASCII digits and characters beyond ASCII: where it begins and ends, and its key if
/// it is short enough. Folding each by itself gives the syllables of the folded line, but for lines with ASCII control
/// characters, which may stand within a syllable: false then, and what was given is to be taken back.
pub fn words(line: &str, mut each: impl FnMut(usize, usize, Option<Key>)) -> bool {
    let bytes = line.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let (length, key) = word(bytes, at);
        if length > 0 {
            each(at, at + length, key);
        }
        at += length;
        if bytes.get(at).is_some_and(|separator| *separator != b' ' && vanishes(*separator)) {
            return false;
        }
        at += 1;
    }
    true
}

/// ASCII control characters that are no white space.
fn vanishes(ascii: u8) -> bool {
    matches!(ascii, 0..=8 | 14..=31 | 127)
}

/// The key of a word by itself.
pub fn key(of: &str) -> Option<Key> {
    (of.len() < 16).then(|| [eight(of.as_bytes(), 0), eight(of.as_bytes(), 8)])
}

/// The bytes of the word that begins at a byte, perhaps none.
#[inline]
fn word(bytes: &[u8], at: usize) -> (usize, Option<Key>) {
    let first = eight(bytes, at);
    let ends = separators(first);
    if ends != 0 {
        return (count(ends), Some([before(first, ends), 0]));
    }
    let second = eight(bytes, at + 8);
    let ends = separators(second);
    if ends != 0 {
        return (8 + count(ends), Some([first, before(second, ends)]));
    }
    let mut length = 16;
    loop {
        let ends = separators(eight(bytes, at + length));
        if ends != 0 {
            return (length + count(ends), None);
        }
        length += 8;
    }
}

/// Eight bytes, zeros beyond the end.
#[inline]
fn eight(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..at + 8).and_then(<[u8]>::first_chunk) {
        Some(eight) => u64::from_le_bytes(*eight),
        None => last(bytes.get(at..).unwrap_or_default()),
    }
}

#[cold]
fn last(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// The top bit of each byte that is ASCII but neither letter nor digit.
fn separators(eight: u64) -> u64 {
    let low = eight & !TOP;
    let small = low | (0x20 * EACH);
    // adding to seven bits carries into the eighth, and no further, from a certain character on
    let from = |bytes: u64, character: u8| bytes + u64::from(0x80 - character) * EACH;
    let letters = from(small, b'a') & !from(small, b'z' + 1);
    let digits = from(low, b'0') & !from(low, b'9' + 1);
    !(letters | digits | eight) & TOP
}

/// How many bytes stand before the first of these.
fn count(ends: u64) -> usize {
    ends.trailing_zeros() as usize / 8
}

fn before(eight: u64, ends: u64) -> u64 {
    eight & ((1 << (ends.trailing_zeros() & 56)) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{fold, syllables};

    fn cut(line: &str) -> Option<Vec<&str>> {
        let mut all = Vec::new();
        words(line, |from, to, key| {
            let (word, mut padded) = (&line[from..to], [0; 16]);
            if word.len() < 16 {
                padded[..word.len()].copy_from_slice(word.as_bytes());
                assert_eq!(key.map(|key| key.map(u64::to_le_bytes).concat()), Some(padded.to_vec()), "{word}");
            } else {
                assert_eq!(key, None, "{word}");
            }
            all.push(word);
        })
        .then_some(all)
    }

    #[test]
    fn a_line_is_cut_at_ascii_that_is_neither_letter_nor_digit() {
        assert_eq!(cut("Xã Hoà Bình: 15/15 chỉ tiêu."), Some(vec!["Xã", "Hoà", "Bình", "15", "15", "chỉ", "tiêu"]));
        assert_eq!(
            cut("  “dân vận khéo” – nghiengnghiengngh"),
            Some(vec!["“dân", "vận", "khéo”", "–", "nghiengnghiengngh"])
        );
        assert_eq!(cut(""), Some(vec![]));
        assert_eq!(cut("a\u{1}b"), None);
        for c in '\0'..'\u{80}' {
            let line = format!("xã{c}nghiêng");
            let word = c.is_ascii_alphanumeric();
            let expected = if word { vec![line.as_str()] } else { vec!["xã", "nghiêng"] };
            assert_eq!(cut(&line), (!c.is_control() || c.is_whitespace()).then_some(expected), "{c:?}");
        }
    }

    #[test]
    fn each_word_folds_by_itself() {
        for c in ('\u{1}'..'\u{3100}').chain('\u{f900}'..='\u{ffff}') {
            let line = format!("xã{c}Hoà {c} Bình,{c} <{c}a\u{302}{c}\u{301}- uỷ{c}");
            let Some(cut) = cut(&line) else { continue };
            let folded: Vec<String> = cut.into_iter().map(fold).collect();
            let alone: Vec<&str> = folded.iter().flat_map(|word| syllables(word)).collect();
            assert_eq!(alone, syllables(&fold(&line)).collect::<Vec<_>>(), "{:x}", c as u32);
        }
    }
}
