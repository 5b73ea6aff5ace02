//! The alphabet: what each letter is for folding, and where a syllable has its tone.

/// A row a vowel, a column a tone; the first column has none.
pub const VOWELS: [[char; 6]; 12] = [
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

/// What a character is to the folder.
pub mod kind {
    /// Not in the table: nothing that Vietnamese is written with.
    pub const OTHER: u8 = 0;
    pub const SEPARATOR: u8 = 1;
    pub const SPACE: u8 = 2;
    /// White space that is written as one space.
    pub const ODD_SPACE: u8 = 3;
    /// From here on letters and digits, the ones by name those that decide where a tone stands.
    pub const LETTER: u8 = 4;
    pub const Q: u8 = 5;
    pub const I: u8 = 6;
    pub const O: u8 = 7;
    pub const O_TONED: u8 = 8;
    pub const U: u8 = 9;
    pub const U_TONED: u8 = 10;
    pub const A_OR_E: u8 = 11;
    pub const A_OR_E_TONED: u8 = 12;
    pub const Y: u8 = 13;
    pub const Y_TONED: u8 = 14;
    /// Beside one of the above: an upper-case letter, or ð.
    pub const CHANGES: u8 = 0x10;
}

/// The tables have a place for U+0000 to U+02FF and one for U+1E00 to U+1EFF; all other characters share the first.
const PLACES: usize = 0x400;

pub const fn place(c: char) -> usize {
    match c as u32 {
        low @ 0..0x300 => low as usize,
        high @ 0x1e00..0x1f00 => high as usize - 0x1e00 + 0x300,
        _ => 0,
    }
}

/// The kind of the character at a place.
pub static KINDS: [u8; PLACES] = kinds();

/// The lower case of the character at a place, 0 where the table does not say.
static LOWER: [u16; PLACES] = lowers();

/// 0 for what is no vowel, else 1 + 6 × row + column of [`VOWELS`].
static VOWEL_AT: [u8; PLACES] = vowels();

/// Row and column in [`VOWELS`].
pub fn vowel(c: char) -> Option<(usize, usize)> {
    let at = (VOWEL_AT[place(c)] as usize).checked_sub(1)?;
    Some((at / 6, at % 6))
}

pub fn lower(c: char) -> char {
    match (LOWER[place(c)], c) {
        (0, 'Ɖ' | 'ɖ') => 'đ',
        // of the letters whose lower case is several characters, the first
        (0, _) => c.to_lowercase().next().unwrap_or(c),
        (known, _) => char::from_u32(u32::from(known)).unwrap_or(c),
    }
}

const fn vowels() -> [u8; PLACES] {
    let mut table = [0; PLACES];
    let mut at = 0;
    while at < 72 {
        table[place(VOWELS[at / 6][at % 6])] = at as u8 + 1;
        at += 1;
    }
    table
}

const fn lowers() -> [u16; PLACES] {
    let mut table = [0; PLACES];
    let mut at = 0;
    while at < PLACES {
        let code = if at < 0x300 { at } else { at - 0x300 + 0x1e00 } as u16;
        table[at] = match code {
            0x41..=0x5a => code + 0x20,
            0x20..=0x7e => code,
            0xd0 | 0xf0 => 'đ' as u16,
            0xc0..=0xd6 | 0xd8..=0xde => code + 0x20,
            0xdf..=0xff => code,
            // pairs, the upper case even, then odd
            0x100..=0x12f | 0x132..=0x137 | 0x14a..=0x177 | 0x1e00..=0x1e95 | 0x1ea0..=0x1eff => code | 1,
            0x139..=0x148 | 0x179..=0x17e => code + (code & 1),
            0x1a0 | 0x1a1 => 0x1a1,
            0x1af | 0x1b0 => 0x1b0,
            _ => 0,
        };
        at += 1;
    }
    table
}

const fn kinds() -> [u8; PLACES] {
    let (lower, vowel) = (lowers(), vowels());
    let mut table = [kind::OTHER; PLACES];
    let mut at = 0;
    while at < PLACES {
        let low = if lower[at] < 0x1e00 { lower[at] } else { lower[at] - 0x1e00 + 0x300 } as usize;
        let changes = if low != at { kind::CHANGES } else { 0 };
        table[at] = match low {
            0 => kind::OTHER,
            0x20 => kind::SPACE,
            0x30..=0x39 => kind::LETTER,
            0xd7 | 0xf7 => kind::SEPARATOR,
            0x71 => kind::Q | changes,
            0x21..=0x60 | 0x7b..=0x7e => kind::SEPARATOR,
            _ => vowel_kind(vowel[low]) | changes,
        };
        at += 1;
    }
    table[b'\t' as usize] = kind::ODD_SPACE;
    table[b'\n' as usize] = kind::ODD_SPACE;
    table[b'\r' as usize] = kind::ODD_SPACE;
    table[0xa0] = kind::ODD_SPACE;
    table
}

/// Of an entry of [`VOWEL_AT`].
const fn vowel_kind(at: u8) -> u8 {
    let Some(at) = at.checked_sub(1) else { return kind::LETTER };
    match (VOWELS[at as usize / 6][0], at % 6) {
        ('o', 0) => kind::O,
        ('o', _) => kind::O_TONED,
        ('u', 0) => kind::U,
        ('u', _) => kind::U_TONED,
        ('a' | 'e', 0) => kind::A_OR_E,
        ('a' | 'e', _) => kind::A_OR_E_TONED,
        ('y', 0) => kind::Y,
        ('y', _) => kind::Y_TONED,
        ('i', _) => kind::I,
        _ => kind::LETTER,
    }
}

/// What was last read, and what is to be done about it.
pub mod state {
    /// At the beginning, too.
    pub const SPACE: u8 = 0;
    pub const SEPARATOR: u8 = 1;
    /// From here on within a syllable, the states by name those in which the next letter may show that the tone
    /// has to move.
    pub const LETTER: u8 = 2;
    pub const Q: u8 = 3;
    pub const QU: u8 = 4;
    pub const QU_TONED: u8 = 5;
    pub const O: u8 = 6;
    pub const O_TONED: u8 = 7;
    pub const U: u8 = 8;
    pub const U_TONED: u8 = 9;
    /// The tone of the syllable may have to move.
    pub const MOVABLE: u8 = 10;
    pub const COUNT: usize = 11;
    /// Beside one of the above: something is not just copied.
    pub const ACT: u8 = 0x80;
}

/// By state and kind: the next state.
pub static NEXT: [[u8; 32]; state::COUNT] = next_states();

const fn next_states() -> [[u8; 32]; state::COUNT] {
    let mut table = [[0; 32]; state::COUNT];
    let mut at = 0;
    while at < state::COUNT * 32 {
        let (from, kind) = ((at / 32) as u8, (at % 32) as u8);
        let to = next_state(from, kind & !kind::CHANGES);
        let ends_movable = from == state::MOVABLE && to < state::LETTER;
        let space = kind == kind::ODD_SPACE || (kind == kind::SPACE && from == state::SPACE);
        let act = space || ends_movable || kind & kind::CHANGES != 0 || kind == kind::OTHER;
        table[from as usize][kind as usize] = if act { to | state::ACT } else { to };
        at += 1;
    }
    table
}

const fn next_state(from: u8, kind: u8) -> u8 {
    match (from, kind) {
        (_, kind::SPACE | kind::ODD_SPACE) => state::SPACE,
        (_, kind::SEPARATOR | kind::OTHER) => state::SEPARATOR,
        (state::MOVABLE, _) => state::MOVABLE,
        (state::O, kind::A_OR_E_TONED) | (state::O_TONED, kind::A_OR_E | kind::A_OR_E_TONED) => state::MOVABLE,
        (state::U, kind::Y_TONED) | (state::U_TONED, kind::Y | kind::Y_TONED) => state::MOVABLE,
        (state::QU, kind::I) | (state::QU_TONED, _) => state::MOVABLE,
        (state::Q, kind::U) => state::QU,
        (state::Q, kind::U_TONED) => state::QU_TONED,
        (_, kind::Q) => state::Q,
        (_, kind::O) => state::O,
        (_, kind::O_TONED) => state::O_TONED,
        (_, kind::U) => state::U,
        (_, kind::U_TONED) => state::U_TONED,
        _ => state::LETTER,
    }
}

/// The folded syllable with its tone where it belongs, if it stood elsewhere: in *oa*, *oe*, *uy* on the first vowel
/// when they end the syllable (*hòa*), on the second when a letter follows (*hoàn*); after *qu* never on the u; and
/// *qui* is *quy*.
pub fn place_tone(syllable: &str) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_agree_with_unicode() {
        for c in (0..0x1f00).filter_map(char::from_u32).filter(|c| place(*c) > 0 && LOWER[place(*c)] != 0) {
            let expected = if matches!(c, 'Ð' | 'ð') { 'đ' } else { c.to_lowercase().next().expect("one at least") };
            assert_eq!(lower(c), expected, "{:x}", c as u32);
            let is_letter = KINDS[place(c)] & !kind::CHANGES >= kind::LETTER;
            assert_eq!(is_letter, c.is_alphanumeric(), "{:x}", c as u32);
            assert_eq!(KINDS[place(c)] & kind::CHANGES != 0, lower(c) != c, "{:x}", c as u32);
        }
    }
}
