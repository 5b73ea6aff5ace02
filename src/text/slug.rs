//! Names for files out of names for people.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// ASCII, lower case, words joined by hyphens: *Thừa Thiên - Huế* -> `thua-thien-hue`. For file names only: tones
/// and vowels that differ become one.
pub fn slug(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => out.push(c),
            'đ' | 'ð' => out.push('d'),
            _ if out.is_empty() || out.ends_with('-') => {}
            _ => out.push('-'),
        }
    }
    out.truncate(out.trim_end_matches('-').len());
    out
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn provinces_become_file_names() {
        for (given, wanted) in [
            ("Hưng Yên", "hung-yen"),
            ("Đắk Lắk", "dak-lak"),
            ("Thừa Thiên - Huế", "thua-thien-hue"),
            ("TP. Hồ Chí Minh", "tp-ho-chi-minh"),
            ("Hu\u{1ebf}", "hue"),
            ("Hue\u{302}\u{301}", "hue"),
            ("../..", ""),
        ] {
            assert_eq!(slug(given), wanted, "{given}");
        }
    }
}
