//! What words as they are written stand for.

use crate::text::{Key, fold, syllables};

/// Twice as many words are remembered: there are seven thousand syllables in Vietnamese, each written in several ways.
const PLACES: usize = 1 << 14;

/// Remembers what a written word stands for, so that each is folded once.
#[derive(Debug)]
pub struct Written<T> {
    /// In the place that its bytes choose, the word that was asked for last and the one before, each with what it stands
    /// for: nothing if it is not one syllable.
    known: Vec<[(Key, Option<T>); 2]>,
}

impl<T: Copy> Default for Written<T> {
    fn default() -> Written<T> {
        Written { known: vec![[([0; 2], None); 2]; PLACES] }
    }
}

impl<T: Copy> Written<T> {
    /// `of` is asked with the word and with the syllable that it folds to, where it is not known; not if that is none, or
    /// more than one.
    #[inline]
    pub fn get<'w>(
        &mut self,
        key: Key,
        word: impl FnOnce() -> &'w str,
        of: impl FnOnce(&str, &str) -> Option<T>,
    ) -> Option<T> {
        let place = &mut self.known[place(key)];
        if place[0].0 != key {
            place.swap(0, 1);
            if place[0].0 != key {
                place[0] = (key, known(word(), of));
            }
        }
        place[0].1
    }
}

#[cold]
fn known<T>(word: &str, of: impl FnOnce(&str, &str) -> Option<T>) -> Option<T> {
    let folded = fold(word);
    if syllables(&folded).next() == Some(folded.as_str()) { of(word, &folded) } else { None }
}

fn place([first, second]: Key) -> usize {
    let both = (first ^ second.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (both >> 32) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::key;

    #[test]
    fn each_way_of_writing_is_known_by_itself() {
        let mut written = Written::<u64>::default();
        let ways = ["vận", "Vận", "van", "vân", "hoà", "hòa", "a", "aa", "abc", "acc", "hoa\u{300}", "nghiêngnghiên"];
        let number = |folded: &str| folded.bytes().fold(7, |h: u64, b| h.wrapping_mul(31).wrapping_add(b.into()));
        for way in ways.repeat(2) {
            let key = key(way).expect("a short one");
            assert_eq!(written.get(key, || way, |_, folded| Some(number(folded))), Some(number(&fold(way))), "{way}");
        }
    }

    #[test]
    fn a_known_one_is_not_asked_for_again() {
        let mut written = Written::<u32>::default();
        let key = key("Dân").expect("a short one");
        assert_eq!(written.get(key, || "Dân", |_, _| Some(5)), Some(5));
        assert_eq!(written.get(key, || unreachable!("it is known"), |_, _| unreachable!("it is known")), Some(5));
    }

    #[test]
    fn what_is_not_one_syllable_stands_for_nothing() {
        let mut written = Written::<u32>::default();
        for word in ["“dân", "dân\u{a0}vận", "–", "\u{200b}", "\u{0}"] {
            let key = key(word).expect("a short one");
            assert_eq!(written.get(key, || word, |_, _| Some(5)), None, "{word}");
        }
    }
}
