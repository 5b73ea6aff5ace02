//! Vietnamese text: decode, normalize, fold, split. The only file that knows the alphabet.

mod decode;
mod fold;
mod slug;

pub use decode::{Decoded, decode};
pub use fold::{fold, syllables, tidy};
pub use slug::slug;
