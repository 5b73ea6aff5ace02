//! Vietnamese text: decode, normalize, fold, split. The only file that knows the alphabet.

mod date;
mod decode;
mod fold;
mod plain;
mod slug;
mod words;
mod written;

pub use date::{DateOrder, VIETNAM, date, date_in, date_order};
pub use decode::{Decoded, decode, from_font};
pub use fold::{fold, pieces, syllables, tidied, tidy, vanishes};
pub use plain::plain_syllables;
pub use slug::{bare, slug};
pub use words::{Key, key, words};
pub use written::Written;
