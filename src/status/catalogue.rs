//! What finds articles: a small row each, in memory, made when the pages first need it.
//!
//! A row has the words of the title and the terms that the article was selected by, without tones, about 150 bytes.

use super::lang::number_of;
use crate::article::{Article, Id};
use crate::store::{Op, Result, Store};
use crate::text::{bare, slug};
use chrono::NaiveDate;
use memchr::memmem::Finder;
use std::collections::BTreeMap;

/// So many changes are taken in at a time; the rest waits for the next reader.
const AT_A_TIME: usize = 300;
/// How often it is asked whether the making still serves anyone.
const ASK_EVERY: usize = 256;

#[derive(Default, Debug)]
pub struct Catalogue {
    /// The last change that it knows of.
    seq: u64,
    /// In the order of their keys, which is that of their arrival.
    rows: Vec<Row>,
    names: Names,
}

#[derive(Debug)]
struct Row {
    key: u64,
    id: u64,
    /// Of publication, in days since the year 0.
    day: i32,
    site: u16,
    province: u16,
    /// The set of its topics.
    topics: u16,
    /// A space before and after every word.
    words: Box<str>,
}

/// Names by number.
#[derive(Default, Debug)]
struct Names(BTreeMap<String, u16>);

impl Names {
    /// After 65,535 names all others are one.
    fn number(&mut self, name: &str) -> u16 {
        let next = u16::try_from(self.0.len()).unwrap_or(u16::MAX);
        if let Some(known) = self.0.get(name) {
            return *known;
        }
        self.0.insert(name.to_owned(), next);
        next
    }
}

/// What a reader looks for; what is empty or none asks for nothing.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// As typed.
    pub words: String,
    /// As [`slug`] makes it of `province_now`.
    pub province: String,
    pub site: String,
    pub topic: String,
    /// Of publication.
    pub day: Option<NaiveDate>,
}

impl Wanted {
    pub fn is_all(&self) -> bool {
        *self == Wanted::default()
    }

    pub fn fits(&self, article: &Article) -> bool {
        let words = words_of(article);
        (self.day.is_none_or(|day| day == article.day))
            && (self.site.is_empty() || self.site == article.site.id)
            && (self.province.is_empty() || self.province == slug(&article.site.province_now))
            && (self.topic.is_empty() || article.topics.iter().any(|topic| topic.id == self.topic))
            && needles(&self.words).iter().all(|needle| words.contains(needle.as_str()))
    }
}

impl Catalogue {
    /// Of everything; given up where `wanted` no longer holds.
    pub fn of(store: &Store, wanted: impl Fn() -> bool) -> Result<Catalogue> {
        let mut catalogue = Catalogue { seq: store.seq(), ..Catalogue::default() };
        for (nth, item) in store.articles().enumerate() {
            let (key, kept) = item?;
            catalogue.put(key, &kept.article);
            if nth % ASK_EVERY == 0 && !wanted() {
                break;
            }
        }
        catalogue.rows.shrink_to_fit();
        Ok(catalogue)
    }

    pub fn catch_up(&mut self, store: &Store) -> Result<()> {
        if store.first_change()? > self.seq + 1 {
            *self = Catalogue::of(store, || true)?;
        }
        for change in store.changes(self.seq).take(AT_A_TIME) {
            let change = change?;
            match store.kept(&change.id)? {
                Some((key, kept)) if change.op == Op::Upsert => self.put(key, &kept.article),
                Some(_) => {}
                None => self.rows.retain(|row| row.id != number(&change.id)),
            }
            self.seq = change.seq;
        }
        Ok(())
    }

    fn put(&mut self, key: u64, article: &Article) {
        let topics: Vec<&str> = article.topics.iter().map(|topic| topic.id.as_str()).collect();
        let row = Row {
            key,
            id: number(&article.id),
            day: number_of(article.day),
            site: self.names.number(&article.site.id),
            province: self.names.number(&slug(&article.site.province_now)),
            topics: self.names.number(&format!("\0{}\0", topics.join("\0"))),
            words: words_of(article).into(),
        };
        match self.rows.binary_search_by_key(&key, |row| row.key) {
            Ok(at) => self.rows[at] = row,
            Err(at) => self.rows.insert(at, row),
        }
    }

    /// Keys, those that have the words next to each other first, then the latest first.
    pub fn find(&self, wanted: &Wanted) -> Vec<u64> {
        let Some(sieve) = Sieve::of(wanted, &self.names) else { return Vec::new() };
        let rows = self.rows.iter().rev().filter(|row| sieve.passes(row));
        let (mut close, mut loose) = (Vec::new(), Vec::new());
        rows.for_each(|row| {
            if sieve.phrase.find(row.words.as_bytes()).is_some() { close.push(row.key) } else { loose.push(row.key) }
        });
        close.append(&mut loose);
        close
    }

    /// How many articles of each site were published on each of the `days` days up to `last`.
    pub fn rhythm(&self, last: NaiveDate, days: usize) -> BTreeMap<&str, Vec<u32>> {
        let last = number_of(last);
        let mut counts: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
        for row in &self.rows {
            // how long ago; what is in the future, or older, is not a day that is looked at
            let Some(back) = usize::try_from(last - row.day).ok().filter(|back| *back < days) else { continue };
            counts.entry(row.site).or_insert_with(|| vec![0; days])[days - 1 - back] += 1;
        }
        let named = self.names.0.iter().filter_map(|(name, number)| Some((name.as_str(), counts.remove(number)?)));
        named.collect()
    }
}

/// What a reader looks for, in the catalogue's numbers.
struct Sieve {
    needles: Vec<Finder<'static>>,
    phrase: Finder<'static>,
    day: Option<i32>,
    site: Option<u16>,
    province: Option<u16>,
    topics: Option<Vec<u16>>,
}

impl Sieve {
    /// None where a name is asked for that no article has.
    fn of(wanted: &Wanted, names: &Names) -> Option<Sieve> {
        let named = |name: &str| if name.is_empty() { Some(None) } else { names.0.get(name).map(|n| Some(*n)) };
        let topic = format!("\0{}\0", wanted.topic);
        let sets = || names.0.iter().filter(|(set, _)| set.contains(&topic)).map(|(_, number)| *number).collect();
        Some(Sieve {
            needles: needles(&wanted.words).iter().map(|needle| finder(needle)).collect(),
            phrase: finder(&format!(" {}", bare(&wanted.words))),
            day: wanted.day.map(number_of),
            site: named(&wanted.site)?,
            province: named(&wanted.province)?,
            topics: (!wanted.topic.is_empty()).then(sets),
        })
    }

    fn passes(&self, row: &Row) -> bool {
        self.day.is_none_or(|day| day == row.day)
            && self.site.is_none_or(|site| site == row.site)
            && self.province.is_none_or(|province| province == row.province)
            && self.topics.as_ref().is_none_or(|sets| sets.contains(&row.topics))
            && self.needles.iter().all(|needle| needle.find(row.words.as_bytes()).is_some())
    }
}

fn finder(words: &str) -> Finder<'static> {
    Finder::new(words).into_owned()
}

/// Whole words, each between its spaces; the last may be the beginning of one.
fn needles(words: &str) -> Vec<String> {
    let mut needles: Vec<String> = bare(words).split_whitespace().map(|word| format!(" {word} ")).collect();
    needles.iter_mut().rev().take(1).for_each(|last| last.truncate(last.trim_end().len()));
    needles
}

fn words_of(article: &Article) -> String {
    let mut words = format!(" {}", bare(&article.title));
    let mut terms: Vec<&str> =
        article.topics.iter().flat_map(|topic| &topic.hits).map(|hit| hit.term.as_str()).collect();
    terms.sort_unstable();
    terms.dedup();
    for term in terms {
        words += " | ";
        words += &bare(term);
    }
    words + " "
}

/// Stands for the id in a row.
fn number(id: &Id) -> u64 {
    id.as_str().bytes().fold(0, |sum: u64, byte| sum.wrapping_mul(37).wrapping_add(u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{at, keep, open};

    fn wanted(words: &str) -> Wanted {
        Wanted { words: words.to_owned(), ..Wanted::default() }
    }

    #[test]
    fn words_are_found_without_tones_and_near_ones_first() {
        let (_folder, store) = open();
        let first = keep(&store, 1, "Mô hình dân vận khéo ở xã Hưng Đạo", at(0)).key.unwrap();
        let second = keep(&store, 2, "Người khéo tay, dân làng và cuộc vận động", at(1)).key.unwrap();
        let mut catalogue = Catalogue::of(&store, || true).unwrap();
        assert_eq!(catalogue.find(&wanted("dan van kheo")), [first, second]);
        assert_eq!(catalogue.find(&wanted("DÂN VẬN KHÉO hung dao")), [first]);
        assert_eq!(catalogue.find(&wanted("hung da")), [first], "the last word may be half typed");
        assert_eq!(catalogue.find(&wanted("an van")), [0_u64; 0], "a word's end is not a word");
        assert_eq!(catalogue.find(&wanted("hun dao")), [0_u64; 0], "nor is its beginning, but the last one's");
        assert_eq!(catalogue.find(&Wanted::default()), [second, first]);
        let third = keep(&store, 3, "Dân vận khéo", at(2)).key.unwrap();
        catalogue.catch_up(&store).unwrap();
        assert_eq!(catalogue.find(&wanted("dan van")), [third, first, second]);
        let gone = store.article_at(first).unwrap().unwrap();
        store.forget(&gone.id, at(3)).unwrap();
        catalogue.catch_up(&store).unwrap();
        assert_eq!(catalogue.find(&wanted("dan van")), [third, second]);
    }

    #[test]
    fn a_row_and_an_article_are_judged_alike() {
        let (_folder, store) = open();
        let key = keep(&store, 1, "Đối thoại với nhân dân", at(0)).key.unwrap();
        let article = store.article_at(key).unwrap().unwrap();
        let catalogue = Catalogue::of(&store, || true).unwrap();
        let all = [
            wanted("doi thoai"),
            wanted("thoai doi"),
            wanted("oi"),
            Wanted { day: Some(article.day), ..Wanted::default() },
            Wanted { day: article.day.succ_opt(), ..Wanted::default() },
            Wanted { site: article.site.id.clone(), ..Wanted::default() },
            Wanted { site: "none".to_owned(), ..Wanted::default() },
            Wanted { province: slug(&article.site.province_now), ..Wanted::default() },
            Wanted { province: "none".to_owned(), ..Wanted::default() },
            Wanted { topic: "dan-van".to_owned(), ..Wanted::default() },
            Wanted { topic: "dan".to_owned(), ..Wanted::default() },
        ];
        for wanted in all {
            assert_eq!(catalogue.find(&wanted) == [key], wanted.fits(&article), "{wanted:?}");
        }
    }
}
