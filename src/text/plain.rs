//! The syllables of a line as it is written, for callers that remember what a syllable folds to.

/// Gives every syllable of a line, unfolded, and at which byte it begins, where folding each by itself is the same as folding the line: printable ASCII,
/// composed Vietnamese letters and common punctuation, words one space apart, none at the ends. False where the line has
/// anything else; what was given until then is to be taken back.
pub fn plain_syllables<'t>(line: &'t str, mut each: impl FnMut(usize, &'t str)) -> bool {
    let bytes = line.as_bytes();
    if bytes.first() == Some(&b' ') || bytes.last() == Some(&b' ') {
        return false;
    }
    let (mut at, mut start) = (0, 0);
    while at < bytes.len() {
        let (width, letter) = match bytes[at] {
            ascii if ascii.is_ascii_alphanumeric() => (1, true),
            b' ' if bytes[at + 1] == b' ' => return false,
            b' '..=b'~' => (1, false),
            0xc2 if matches!(bytes[at + 1], 0xa7 | 0xa9 | 0xab | 0xae | 0xb0 | 0xb7 | 0xbb) => (2, false),
            // İ and ẞ: their small letters have another length
            0xc4 if bytes[at + 1] == 0xb0 => return false,
            0xc3 => (2, !matches!(bytes[at + 1], 0x97 | 0xb7)),
            0xc4..=0xc6 => (2, true),
            0xe1 if bytes[at + 1..at + 3] == [0xba, 0x9e] => return false,
            0xe1 if matches!(bytes[at + 1], 0xba | 0xbb) => (3, true),
            // dashes, quotation marks, bullets, the ellipsis
            0xe2 if bytes[at + 1] == 0x80 && (0x90..=0xa7).contains(&bytes[at + 2]) => (3, false),
            _ => return false,
        };
        if !letter {
            if start < at {
                each(start, &line[start..at]);
            }
            start = at + width;
        }
        at += width;
    }
    if start < at {
        each(start, &line[start..at]);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{fold, syllables};

    fn given(line: &str) -> Option<Vec<String>> {
        let mut all = Vec::new();
        plain_syllables(line, |at, syllable| {
            assert_eq!(&line[at..at + syllable.len()], syllable);
            all.push(fold(syllable));
        })
        .then_some(all)
    }

    #[test]
    fn what_is_given_is_what_folding_the_line_gives() {
        let lines = [
            "Ủy ban nhân dân xã Hoà Bình – thôn Quý Hoà, 15/15 chỉ tiêu “dân vận khéo”…",
            "ĐỒNG CHÍ NGUYỄN THỊ THUÝ: số 43-KL/TW © 2024 «khoẻ»",
            "",
            "a",
            "–",
        ];
        for line in lines {
            assert_eq!(given(line).as_deref(), Some(&*syllables(&fold(line)).map(str::to_owned).collect::<Vec<_>>()));
        }
        for c in ('\u{1}'..'\u{2100}').chain('\u{fe00}'..='\u{ffff}') {
            let line = format!("xã{c}Hoà {c} Bình, a{c}");
            let folded = fold(&line);
            if let Some(plain) = given(&line) {
                assert_eq!(plain, syllables(&folded).collect::<Vec<_>>(), "{:x}", c as u32);
                assert_eq!(folded.len(), line.len(), "{:x}", c as u32);
            }
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for line in [" a", "a ", "a  b", "a\tb", "a\u{a0}b", "Hoa\u{300}", "a\u{200b}b", "ａ", "x\u{ad}y"] {
            assert_eq!(given(line), None, "{line:?}");
        }
    }
}
