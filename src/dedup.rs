//! Fingerprints, and whether two texts are one: `Clean -> Print`.

use serde::{Deserialize, Serialize};

/// What is remembered of a text to know it again. The same for NFC and NFD, old and new tone placement, any case
/// and white space.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Print {}

impl Print {
    pub fn of(_title: &str, _text: &str) -> Print {
        todo!()
    }
}

/// The prints of all kept articles, in memory, by the store's article key.
#[derive(Default, Debug)]
pub struct Index {}

/// The article that a text is a copy of.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Twin {
    pub key: u64,
    /// 0 to 1.
    pub similarity: f64,
}

impl Index {
    pub fn insert(&mut self, _key: u64, _print: &Print) {
        todo!()
    }

    pub fn remove(&mut self, _key: u64) {
        todo!()
    }

    pub fn twin(&self, _print: &Print) -> Option<Twin> {
        todo!()
    }
}
