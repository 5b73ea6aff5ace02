//! Names of months and zones, lower case.

/// English by its first three letters, other languages by their names and usual abbreviations.
pub fn month(word: &str) -> Option<u32> {
    english(word).or_else(|| foreign(word))
}

fn english(word: &str) -> Option<u32> {
    const FULL: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let fits = |full: &&str| word.len() >= 3 && full.starts_with(word);
    let at = FULL.iter().position(fits).or_else(|| (word == "sept").then_some(8))?;
    Some(at as u32 + 1)
}

fn foreign(word: &str) -> Option<u32> {
    Some(match word {
        "januar" | "janvier" | "janv" | "enero" | "ene" | "gennaio" | "ιαν" | "január" | "januári" => 1,
        "februar" | "février" | "fevrier" | "févr" | "febrero" | "febbraio" | "φεβ" | "február" | "februári" => {
            2
        }
        "märz" | "mär" | "mars" | "marzo" | "μάώ" | "μαώ" | "μαρ" | "március" => 3,
        "avril" | "avr" | "abril" | "abr" | "aprile" | "απρ" | "április" | "ápril" => 4,
        "mai" | "mayo" | "maggio" | "μάι" | "μαϊ" | "μαι" | "μαΐ" | "május" | "máj" => 5,
        "juni" | "juin" | "junio" | "giugno" | "ιούν" | "ιον" | "június" => 6,
        "juli" | "juillet" | "juil" | "julio" | "luglio" | "ιούλ" | "ιολ" | "július" => 7,
        "août" | "aout" | "agosto" | "ago" | "αύγ" | "αυγ" | "augusztus" => 8,
        "septembre" | "septiembre" | "settembre" | "σεπ" | "szeptember" => 9,
        "oktober" | "okt" | "octobre" | "octubre" | "ottobre" | "οκτ" | "október" => 10,
        "novembre" | "noviembre" | "νοέ" | "νοε" => 11,
        "dezember" | "dez" | "décembre" | "déc" | "diciembre" | "dic" | "dicembre" | "δεκ" => 12,
        _ => return None,
    })
}

/// The word after *tháng*, and how many words it took (*mười một* is two).
pub fn vietnamese_month(word: &str, next: Option<&str>) -> Option<(u32, usize)> {
    Some(match (word, next) {
        ("mười", Some("một")) => (11, 2),
        ("mười", Some("hai")) => (12, 2),
        ("một" | "giêng", _) => (1, 1),
        ("hai", _) => (2, 1),
        ("ba", _) => (3, 1),
        ("tư" | "bốn", _) => (4, 1),
        ("năm", _) => (5, 1),
        ("sáu", _) => (6, 1),
        ("bảy" | "bẩy", _) => (7, 1),
        ("tám", _) => (8, 1),
        ("chín", _) => (9, 1),
        ("mười", _) => (10, 1),
        _ => return None,
    })
}

/// The word after *thứ*, also without its tone.
pub fn is_weekday(word: &str) -> bool {
    matches!(word, "hai" | "ba" | "tư" | "tu" | "năm" | "nam" | "sáu" | "sau" | "bảy" | "bẩy" | "bay")
}

/// Minutes east of Greenwich, for the abbreviations RFC 822 has and those met in feeds.
pub fn zone(word: &str) -> Option<i32> {
    Some(match word {
        "z" | "ut" | "utc" | "gmt" | "wet" => 0,
        "bst" | "cet" | "met" | "west" | "mez" => 60,
        "cest" | "mest" | "eet" | "mesz" | "sast" => 2 * 60,
        "eest" | "msk" => 3 * 60,
        "ist" => 5 * 60 + 30,
        "ict" => 7 * 60,
        "hkt" | "sgt" | "awst" | "pht" | "myt" => 8 * 60,
        "jst" | "kst" => 9 * 60,
        "aest" => 10 * 60,
        "aedt" => 11 * 60,
        "nzst" => 12 * 60,
        "nzdt" => 13 * 60,
        "ast" | "edt" => -4 * 60,
        "adt" => -3 * 60,
        "est" | "et" | "cdt" => -5 * 60,
        "cst" | "ct" | "mdt" => -6 * 60,
        "mst" | "mt" | "pdt" => -7 * 60,
        "pst" | "pt" | "akdt" => -8 * 60,
        "akst" => -9 * 60,
        "hst" => -10 * 60,
        _ => return None,
    })
}
