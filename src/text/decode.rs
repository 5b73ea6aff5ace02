//! Bytes to text.

/// Text, and how it was read.
#[derive(Clone, PartialEq, Debug)]
pub struct Decoded {
    pub text: String,
    /// The encoding's name in the WHATWG Encoding Standard.
    pub encoding: &'static str,
}

/// `declared` is what the transport or the document says of itself, the strongest first; bytes that are valid UTF-8
/// with something beyond ASCII are UTF-8 whatever was declared.
pub fn decode(_bytes: &[u8], _declared: &[&str]) -> Decoded {
    todo!()
}
