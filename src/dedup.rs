//! Fingerprints, and whether two texts are one: `Clean -> Print`.

mod evidence;
mod print;

pub use print::Print;

use evidence::Overlap;
use print::Spread;

use std::collections::HashMap;

/// A shingle that so many articles share is furniture: it points to none of them.
const FURNITURE: usize = 6;

/// Shingles of its key that an article must share with a text to be compared with it.
const ENOUGH_HITS: u32 = 1;

/// The prints of all kept articles, in memory, by the store's article key. An article told in several shapes has
/// several prints under its one key.
#[derive(Default, Debug)]
pub struct Index {
    prints: HashMap<u64, Vec<Print>, Spread>,
    /// By shingle of the keys: the articles that have it, each once.
    shingles: HashMap<u32, Vec<u64>, Spread>,
    /// By hash of the whole text.
    texts: HashMap<u64, u64, Spread>,
}

/// The article that a text is a copy of.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Twin {
    pub key: u64,
    /// 0 to 1.
    pub similarity: f64,
}

impl Index {
    /// Adds a print to those of an article; false if it says nothing new of it.
    pub fn insert(&mut self, key: u64, print: &Print) -> bool {
        let known = self.prints.entry(key).or_default();
        if known.iter().any(|k| k.text == print.text) {
            return false;
        }
        known.push(print.clone());
        self.texts.entry(print.text).or_insert(key);
        for shingle in print.key() {
            let articles = self.shingles.entry(*shingle).or_default();
            if articles.len() <= FURNITURE && !articles.contains(&key) {
                articles.push(key);
            }
        }
        true
    }

    /// Forgets an article with all its prints.
    pub fn remove(&mut self, key: u64) {
        for print in self.prints.remove(&key).unwrap_or_default() {
            if self.texts.get(&print.text) == Some(&key) {
                self.texts.remove(&print.text);
            }
            for shingle in print.key() {
                self.forget(*shingle, key);
            }
        }
    }

    fn forget(&mut self, shingle: u32, key: u64) {
        let Some(articles) = self.shingles.get_mut(&shingle) else { return };
        articles.retain(|a| *a != key);
        if articles.is_empty() {
            self.shingles.remove(&shingle);
        }
    }

    /// The article that the text is a copy, an excerpt or an extended version of; the most similar, if several.
    pub fn twin(&self, print: &Print) -> Option<Twin> {
        if let Some(key) = self.texts.get(&print.text) {
            return Some(Twin { key: *key, similarity: 1.0 });
        }
        let near = self.candidates(print).into_iter().filter_map(|key| {
            let overlaps = self.prints[&key].iter().filter_map(|known| evidence::same(print, known));
            overlaps.max_by(Overlap::closeness).map(|overlap| (key, overlap))
        });
        let (key, closest) = near.max_by(|(a, x), (b, y)| x.closeness(y).then(b.cmp(a)))?;
        Some(Twin { key, similarity: closest.contained })
    }

    fn candidates(&self, print: &Print) -> Vec<u64> {
        let mut hits = HashMap::<u64, u32, Spread>::default();
        let articles = print.key().iter().filter_map(|s| self.shingles.get(s)).filter(|a| a.len() <= FURNITURE);
        articles.flatten().for_each(|key| *hits.entry(*key).or_default() += 1);
        hits.into_iter().filter(|(_, n)| *n >= ENOUGH_HITS).map(|(key, _)| key).collect()
    }
}
