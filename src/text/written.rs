//! What syllables as they are written stand for.

use crate::text::fold;

/// So many syllables are remembered: there are seven thousand in Vietnamese.
const PLACES: usize = 8192;

/// Remembers what a written syllable stands for, so that each is folded once.
#[derive(Debug)]
pub struct Written<T> {
    /// Each in the place that its bytes choose: the syllable, up to 14 bytes and their number, and what it stands for.
    known: Vec<(u128, T)>,
}

impl<T: Copy + Default> Default for Written<T> {
    fn default() -> Written<T> {
        Written { known: vec![(0, T::default()); PLACES] }
    }
}

impl<T: Copy> Written<T> {
    /// Of an unfolded syllable; `of` is asked with the folded one where it is not known.
    pub fn get(&mut self, syllable: &str, of: impl FnOnce(&str) -> T) -> T {
        let Some(written) = packed(syllable) else { return of(&fold(syllable)) };
        let place = &mut self.known[place(written)];
        if place.0 != written {
            *place = (written, of(&fold(syllable)));
        }
        place.1
    }
}

fn place(written: u128) -> usize {
    let both = (written as u64).rotate_left(23) ^ (written >> 64) as u64;
    let product = u128::from(both ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93;
    (((product as u64) ^ (product >> 64) as u64) >> 32) as usize % PLACES
}

/// The bytes of a syllable and how many they are, in one number; none if it is longer than any in Vietnamese. Bytes that
/// are read twice make it no less certain, and spare a copy of unknown length.
fn packed(syllable: &str) -> Option<u128> {
    let bytes = syllable.as_bytes();
    let number = match bytes.len() {
        0 => return None,
        length @ 1..4 => u64::from_le_bytes([bytes[0], bytes[length / 2], bytes[length - 1], 0, 0, 0, 0, 0]),
        4..=8 => {
            let (first, last) = (bytes.first_chunk()?, bytes.last_chunk()?);
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
        }
        9..15 => {
            let (first, last) = (bytes.first_chunk()?, bytes.last_chunk::<6>()?);
            let last = u64::from_le_bytes([last[0], last[1], last[2], last[3], last[4], last[5], 0, 0]);
            return Some(u128::from(u64::from_le_bytes(*first)) | u128::from(last | (bytes.len() as u64) << 56) << 64);
        }
        _ => return None,
    };
    Some(u128::from(number) | (bytes.len() as u128) << 120)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_of_writing_is_known_by_itself() {
        let mut written = Written::<u64>::default();
        let ways =
            ["vận", "Vận", "van", "vân", "hoà", "hòa", "a", "aa", "abc", "acc", "nghiêngnghiêng", "nghiêngnghiêngg"];
        for _ in 0..2 {
            for way in ways {
                let expected = fold(way).bytes().fold(7, |h: u64, b| h.wrapping_mul(31).wrapping_add(b.into()));
                let given = written
                    .get(way, |folded| folded.bytes().fold(7, |h: u64, b| h.wrapping_mul(31).wrapping_add(b.into())));
                assert_eq!(given, expected, "{way}");
            }
        }
    }

    #[test]
    fn a_known_one_is_not_asked_for_again() {
        let mut written = Written::<u32>::default();
        assert_eq!(written.get("Dân", |_| 5), 5);
        assert_eq!(written.get("Dân", |_| unreachable!("it is known")), 5);
    }
}
