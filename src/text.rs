//! Vietnamese text: decode, normalize, fold, split. The only file that knows the alphabet.

mod decode;
mod fold;

pub use decode::{Decoded, decode};
pub use fold::{fold, pieces, syllables, tidy};
