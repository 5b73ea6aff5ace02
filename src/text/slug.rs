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

/// For a search box: *Dân vận  KHÉO* -> `dan van kheo`. Letters and digits alone, without tones and marks, a space
/// between the words.
pub fn bare(text: &str) -> String {
    slug(&super::fold(text)).replace('-', " ")
}

#[cfg(test)]
mod tests {
    use super::{bare, slug};

    #[test]
    fn a_search_needs_no_tones() {
        for (given, wanted) in [
            ("Dân vận khéo", "dan van kheo"),
            ("  ĐỐI THOẠI,\u{a0}hoà giải! ", "doi thoai hoa giai"),
            ("Da\u{302}n va\u{302}\u{323}n", "dan van"),
            ("quí II/2024", "quy ii 2024"),
            ("…", ""),
        ] {
            assert_eq!(bare(given), wanted, "{given}");
        }
    }

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
