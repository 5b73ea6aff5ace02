//! One article as a file. Pure: the same article gives the same bytes for ever.

use crate::article::Article;

pub fn path(_article: &Article, _extension: &str) -> String {
    todo!()
}

pub fn json(_article: &Article) -> Vec<u8> {
    todo!()
}

pub fn markdown(_article: &Article) -> Vec<u8> {
    todo!()
}

pub fn html(_article: &Article) -> Vec<u8> {
    todo!()
}

/// In hex.
pub fn sha256(_bytes: &[u8]) -> String {
    todo!()
}
