//! Fingerprints, and whether two texts are one: `Clean -> Print`.

mod evidence;
mod print;
mod record;
mod runs;

pub use print::Print;
pub use record::{Unreadable, pack, unpack};

pub use evidence::{Related, Relation, relation};

use evidence::{Overlap, Sought};
use runs::{Runs, pair};

use std::collections::HashSet;

/// A shingle that so many articles share is furniture: it points to none of them.
const FURNITURE: usize = 6;

/// An article has a handful of prints: of more occurrences than this, a shingle is furniture without a closer look.
const OCCURRENCES: usize = 64;

/// Removed articles are looked past until there is one to so many kept.
const REMOVED: usize = 8;

/// By what the prints of all kept articles are found, in memory: about 130 bytes each. The prints themselves stay where
/// they are stored. An article has the store's key, and may have several prints, one for each shape in which it was told.
#[derive(Default, Debug)]
pub struct Index {
    /// Of each print, its article.
    articles: Vec<u64>,
    /// Of each print, [`Print::weight`].
    weights: Vec<u8>,
    /// By shingle of the key: the prints that have it.
    shingles: Runs,
    /// By upper half of the hash of the whole text.
    texts: Runs,
    removed: HashSet<u64>,
}

/// The article that a text is a copy of.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Twin {
    pub key: u64,
    /// The share of the shorter text that the longer one has.
    pub similarity: f64,
    /// What the text is to the article's nearest shape.
    pub relation: Relation,
}

/// What is known of a text.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct Known {
    pub twin: Option<Twin>,
    /// Where it has no twin: the article of which it has most, and how.
    pub related: Option<(u64, Related)>,
}

impl Index {
    /// Of all prints that are stored, by article.
    pub fn of<E>(stored: impl Iterator<Item = Result<(u64, Vec<Print>), E>>) -> Result<Index, E> {
        let (mut index, mut shingles, mut texts) = (Index::default(), Vec::new(), Vec::new());
        for item in stored {
            let (key, prints) = item?;
            for print in prints {
                let number = index.number(key, &print);
                shingles.extend(print.key.iter().map(|shingle| pair(*shingle, number)));
                texts.push(pair(half(&print), number));
            }
        }
        (index.shingles, index.texts) = (Runs::of(shingles), Runs::of(texts));
        Ok(index)
    }

    /// Adds a print to those of an article; false if it says nothing new of it.
    pub fn insert(&mut self, key: u64, print: &Print) -> bool {
        if self.same_text(print).any(|known| known == key) {
            return false;
        }
        let number = self.number(key, print);
        print.key.iter().for_each(|shingle| self.shingles.push(*shingle, number));
        self.texts.push(half(print), number);
        true
    }

    fn number(&mut self, key: u64, print: &Print) -> u32 {
        let number = u32::try_from(self.articles.len()).expect("four thousand million prints do not fit into memory");
        self.articles.push(key);
        self.weights.push(print.weight());
        number
    }

    /// Forgets an article with all its prints.
    pub fn remove(&mut self, key: u64) {
        self.removed.insert(key);
        if self.removed.len() * REMOVED > self.articles.len() {
            self.purge();
        }
    }

    fn purge(&mut self) {
        let numbers = (0..).zip(&self.articles).filter(|(_, key)| self.removed.contains(key));
        let numbers: HashSet<u32> = numbers.map(|(number, _)| number).collect();
        self.shingles.remove(&numbers);
        self.texts.remove(&numbers);
        self.removed.clear();
    }

    /// The article that the text is a copy, an excerpt or an extended version of; the most similar, if several.
    /// `read` gives the prints that are stored of an article.
    pub fn twin<P: AsRef<[Print]>, E>(
        &self,
        print: &Print,
        read: impl FnMut(u64) -> Result<P, E>,
    ) -> Result<Option<Twin>, E> {
        Ok(self.known(print, read)?.twin)
    }

    /// [`Index::twin`], and what the text has of another article where there is none.
    pub fn known<P: AsRef<[Print]>, E>(
        &self,
        print: &Print,
        mut read: impl FnMut(u64) -> Result<P, E>,
    ) -> Result<Known, E> {
        let mut same: Vec<u64> = self.same_text(print).collect();
        same.sort_unstable();
        for key in same {
            if read(key)?.as_ref().iter().any(|known| known.text == print.text) {
                let twin = Twin { key, similarity: 1.0, relation: Relation::Copy };
                return Ok(Known { twin: Some(twin), ..Known::default() });
            }
        }
        let (mut nearest, sought): (Option<(u64, Overlap)>, _) = (None, Sought::of(print));
        let mut related: Option<(u64, Overlap, Related)> = None;
        for (key, hits) in self.candidates(print) {
            let prints = read(key)?;
            let likely = prints.as_ref().iter().filter(|known| f64::from(hits) >= print.least_hits(known.weight()));
            let (same, other): (Vec<Overlap>, Vec<Overlap>) =
                likely.filter_map(|known| sought.overlap(known)).partition(Overlap::same);
            if let Some(overlap) = same.into_iter().max_by(Overlap::closeness)
                // of equally near ones the first
                && nearest.is_none_or(|(first, known)| overlap.closeness(&known).then(first.cmp(&key)).is_gt())
            {
                nearest = Some((key, overlap));
            }
            for (overlap, relation) in other.iter().filter_map(|overlap| Some((overlap, overlap.related()?))) {
                if related.is_none_or(|(first, known, _)| overlap.closeness(&known).then(first.cmp(&key)).is_gt()) {
                    related = Some((key, *overlap, relation));
                }
            }
        }
        let twin = |(key, overlap): (u64, Overlap)| {
            let (similarity, relation) = (overlap.contained, overlap.relation());
            Twin { key, similarity, relation }
        };
        let related = related.filter(|_| nearest.is_none()).map(|(key, _, relation)| (key, relation));
        Ok(Known { twin: nearest.map(twin), related })
    }

    /// The articles that have a print with, as far as half its hash tells, the same text.
    fn same_text(&self, print: &Print) -> impl Iterator<Item = u64> {
        let keys = self.texts.get(half(print)).map(|number| self.articles[number as usize]);
        keys.filter(|key| !self.removed.contains(key))
    }

    /// The articles that share enough of the key for a closer look, and how many shingles of it.
    fn candidates(&self, print: &Print) -> Vec<(u64, u32)> {
        let mut shared: Vec<(u64, u8)> = Vec::with_capacity(2 * print.key.len());
        print.key.iter().for_each(|shingle| self.articles_with(*shingle, &mut shared));
        shared.sort_unstable();
        let of_one = shared.chunk_by(|a, b| a.0 == b.0);
        let near = of_one.map(|of_one| (of_one[0], of_one.len() as u32));
        let near = near.filter(|((_, lightest), hits)| f64::from(*hits) >= print.least_hits(*lightest));
        near.map(|((key, _), hits)| (key, hits)).collect()
    }

    /// Adds each once, with the least weight of its prints; none if the shingle is furniture.
    fn articles_with(&self, shingle: u32, found: &mut Vec<(u64, u8)>) {
        let from = found.len();
        for number in self.shingles.get(shingle).take(OCCURRENCES + 1) {
            let at = number as usize;
            found.push((self.articles[at], self.weights[at]));
        }
        if found.len() == from + 1 {
            let (key, _) = found[from];
            return found.truncate(if self.removed.contains(&key) { from } else { from + 1 });
        }
        let mut these = found.split_off(from);
        if these.len() > OCCURRENCES {
            return;
        }
        these.sort_unstable();
        these.dedup_by_key(|(key, _)| *key);
        these.retain(|(key, _)| !self.removed.contains(key));
        if these.len() <= FURNITURE {
            found.extend(these);
        }
    }

    /// Of memory that it takes.
    pub fn bytes(&self) -> usize {
        let tables = self.articles.capacity() * size_of::<u64>() + self.weights.capacity();
        tables + self.shingles.bytes() + self.texts.bytes() + self.removed.capacity() * size_of::<u64>()
    }
}

fn half(print: &Print) -> u32 {
    (print.text >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    fn print(text: &str) -> Print {
        Print::of("", &text.replace(" / ", "\n"))
    }

    /// An index, and the prints where they are stored.
    #[derive(Default)]
    struct Known {
        index: Index,
        prints: BTreeMap<u64, Vec<Print>>,
    }

    impl Known {
        fn insert(&mut self, key: u64, print: &Print) -> bool {
            let new = self.index.insert(key, print);
            if new {
                self.prints.entry(key).or_default().push(print.clone());
            }
            new
        }

        fn twin(&self, print: &Print) -> Option<Twin> {
            let Ok(twin) = self.index.twin(print, |key| Ok::<_, Infallible>(self.prints[&key].as_slice()));
            twin
        }
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
                let mut known = Known::default();
                known.insert(7, &print(one));
                let twin = known.twin(&print(other));
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
        let mut known = Known::default();
        assert!(known.insert(1, &print(&head)));
        assert!(known.twin(&print(&tail)).is_none());
        assert!(known.insert(1, &print(&tail)));
        assert!(!known.insert(1, &print(&tail)), "known already");
        assert_eq!(known.twin(&print(&tail)).map(|t| t.key), Some(1));
        known.index.remove(1);
        assert!(known.twin(&print(&head)).is_none() && known.twin(&print(&tail)).is_none());
        known.index.purge();
        assert!(print(&head).key.iter().all(|shingle| known.index.shingles.get(*shingle).next().is_none()));
    }

    #[test]
    fn a_part_is_an_excerpt_and_what_has_more_is_an_extended_version() {
        let [whole, ..] = rows().next().expect("a row");
        let paragraphs: Vec<&str> = whole.split(" / ").collect();
        let half = paragraphs[..paragraphs.len() / 2].join("\n");
        let whole = paragraphs.join("\n");
        for (known, told, relation) in [
            (&whole, &half, Relation::Excerpt),
            (&half, &whole, Relation::Extended),
            (&whole, &whole.replace(';', ","), Relation::Copy),
        ] {
            let mut index = Known::default();
            index.insert(1, &print(known));
            assert_eq!(index.twin(&print(told)).map(|twin| twin.relation), Some(relation), "{told}");
        }
    }

    #[test]
    fn a_digest_contains_and_a_follow_up_repeats() {
        let told = |why: &str, relation| {
            let [one, other, ..] = rows().find(|row| row[3].starts_with(why)).expect("a row");
            let mut known = Known::default();
            known.insert(1, &print(one));
            let Ok(found) = known.index.known(&print(other), |key| Ok::<_, Infallible>(known.prints[&key].as_slice()));
            assert_eq!((found.twin, found.related), (None, relation), "{why}");
        };
        told("a digest that has all of it", Some((1, Related::Contains)));
        told("a follow-up that repeats most of it", Some((1, Related::FollowUp)));
        told("two articles", None);
    }

    #[test]
    fn of_equal_texts_the_first_keeps_its_name() {
        let [text, ..] = rows().next().expect("a row");
        let mut known = Known::default();
        known.insert(3, &print(text));
        known.insert(4, &print(text));
        assert_eq!(known.twin(&print(text)), Some(Twin { key: 3, similarity: 1.0, relation: Relation::Copy }));
        known.index.remove(4);
        assert_eq!(known.twin(&print(text)).map(|t| t.key), Some(3));
    }

    #[test]
    fn what_stands_on_every_page_points_to_none() {
        let line = |n: u64| format!("Mục {n}: nội quy số {}, điều {}, của ban biên tập trang tin.\n", n * 3, n * 5);
        let furniture: String = (0..60).map(line).collect();
        let page =
            |n: u64| print(&format!("{furniture}Việc {n} của thôn {n}, xã {n} nay đã xong, xin báo bà con biết."));
        let mut known = Known::default();
        known.insert(0, &page(0));
        assert_eq!(known.twin(&page(1)).map(|t| t.key), Some(0), "two pages may be twins");
        (1..10).for_each(|n| assert!(known.insert(n, &page(n))));
        assert_eq!(known.twin(&page(10)), None, "ten pages have furniture");
        known.index.remove(3);
        known.index.remove(4);
        known.index.remove(5);
        known.index.remove(6);
        assert!(known.twin(&page(10)).is_some(), "six pages may be twins");
    }

    #[test]
    fn any_text_has_a_print() {
        let mut known = Known::default();
        for (key, text) in ["", " ", "\u{0}", "một", "một hai ba bốn năm", "….…"].iter().enumerate() {
            known.twin(&print(text));
            known.insert(key as u64, &print(text));
        }
    }
}
