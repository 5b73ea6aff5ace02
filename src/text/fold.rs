//! One word, one spelling.

/// For matching and comparing: NFC, lower case, tones placed the new way (*hoà* -> *hòa*), ð as đ, every kind of space
/// one space, zero-width characters gone. Tones stay: *dân vận* and *dẫn vấn* are different words.
pub fn fold(_text: &str) -> String {
    todo!()
}

/// The syllables (runs of letters and digits) of a folded text.
pub fn syllables(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|c: char| !c.is_alphanumeric()).filter(|s| !s.is_empty())
}

/// For keeping: NFC, otherwise as written; control and zero-width characters gone, runs of white space (NBSP too) one
/// space, none at the ends.
pub fn tidy(_text: &str) -> String {
    todo!()
}
