//! Fingerprints, and whether two texts are one: `Clean -> Print`.

mod evidence;
mod print;
mod record;

pub use print::Print;

use evidence::Overlap;
use print::Spread;

use std::collections::HashMap;

/// A shingle that so many articles share is furniture: it points to none of them.
const FURNITURE: usize = 6;

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
        for shingle in &print.key {
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
            for shingle in &print.key {
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
        let near = self.candidates(print).into_iter().filter_map(|(key, hits)| {
            let likely = self.prints[&key].iter().filter(|known| f64::from(hits) >= print.least_hits(known));
            let overlaps = likely.filter_map(|known| evidence::same(print, known));
            overlaps.max_by(Overlap::closeness).map(|overlap| (key, overlap))
        });
        let (key, closest) = near.max_by(|(a, x), (b, y)| x.closeness(y).then(b.cmp(a)))?;
        Some(Twin { key, similarity: closest.contained })
    }

    /// The articles that share enough of the key for a closer look.
    fn candidates(&self, print: &Print) -> Vec<(u64, u32)> {
        let mut hits = HashMap::<u64, u32, Spread>::default();
        let articles = print.key.iter().filter_map(|s| self.shingles.get(s)).filter(|a| a.len() <= FURNITURE);
        articles.flatten().for_each(|key| *hits.entry(*key).or_default() += 1);
        hits.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(text: &str) -> Print {
        Print::of("", &text.replace(" / ", "\n"))
    }

    fn rows() -> impl Iterator<Item = [&'static str; 4]> {
        let table = include_str!("../tests/twins.tsv").lines().filter(|l| !l.starts_with('#') && !l.is_empty());
        table.map(|line| line.split('\t').collect::<Vec<_>>().try_into().expect("four columns"))
    }

    #[test]
    fn table() {
        let mut read = 0;
        for [one, other, expected, why] in rows() {
            for (one, other) in [(one, other), (other, one)] {
                let mut index = Index::default();
                index.insert(7, &print(one));
                let twin = index.twin(&print(other));
                assert_eq!(twin.is_some(), expected == "same", "{why}: {twin:?}\n{one}\n{other}");
                assert!(twin.is_none_or(|t| t.key == 7 && t.similarity > 0.5 && t.similarity <= 1.0), "{twin:?}");
            }
            read += 1;
        }
        assert!(read >= 15, "{read}");
    }

    #[test]
    fn an_article_is_known_by_any_of_its_prints_until_it_is_removed() {
        let [whole, ..] = rows().next().expect("a row");
        let paragraphs: Vec<&str> = whole.split(" / ").collect();
        let (head, tail) = (paragraphs[..3].join("\n"), paragraphs[3..].join("\n"));
        let mut index = Index::default();
        assert!(index.insert(1, &print(&head)));
        assert!(index.twin(&print(&tail)).is_none());
        assert!(index.insert(1, &print(&tail)));
        assert!(!index.insert(1, &print(&tail)), "known already");
        assert_eq!(index.twin(&print(&tail)).map(|t| t.key), Some(1));
        index.remove(1);
        assert!(index.twin(&print(&head)).is_none() && index.twin(&print(&tail)).is_none());
        assert!(index.prints.is_empty() && index.shingles.is_empty() && index.texts.is_empty());
        index.remove(1);
    }

    #[test]
    fn of_equal_texts_the_first_keeps_its_name() {
        let [text, ..] = rows().next().expect("a row");
        let mut index = Index::default();
        index.insert(3, &print(text));
        index.insert(4, &print(text));
        assert_eq!(index.twin(&print(text)), Some(Twin { key: 3, similarity: 1.0 }));
        index.remove(4);
        assert_eq!(index.twin(&print(text)).map(|t| t.key), Some(3));
    }

    #[test]
    fn what_stands_on_every_page_points_to_none() {
        let line = |n: u64| format!("Mục {n}: nội quy số {}, điều {}, của ban biên tập trang tin.\n", n * 3, n * 5);
        let furniture: String = (0..60).map(line).collect();
        let page =
            |n: u64| print(&format!("{furniture}Việc {n} của thôn {n}, xã {n} nay đã xong, xin báo bà con biết."));
        let mut index = Index::default();
        index.insert(0, &page(0));
        assert_eq!(index.twin(&page(1)).map(|t| t.key), Some(0), "two pages may be twins");
        (1..10).for_each(|n| assert!(index.insert(n, &page(n))));
        assert_eq!(index.twin(&page(10)), None, "ten pages have furniture");
        assert!(index.shingles.values().all(|articles| articles.len() <= FURNITURE + 1));
    }

    #[test]
    fn any_text_has_a_print() {
        let mut index = Index::default();
        for (key, text) in ["", " ", "\u{0}", "một", "một hai ba bốn năm", "….…"].iter().enumerate() {
            index.twin(&print(text));
            index.insert(key as u64, &print(text));
        }
    }
}
