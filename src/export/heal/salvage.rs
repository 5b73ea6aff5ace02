//! What of a folder can be believed.

mod behind;

use crate::article::{Article, Id, Revision};
use crate::export::article::{json, sha256};
use crate::export::folder::{Folder, Result};
use crate::export::manifest::{self, Manifest, PATH, Stamp};
use crate::export::verify::add_parts;
use crate::export::{ExportError, read};
use crate::store::{Kept, Logged, Op, Store};
use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// An article is believed where its hash is that of its last change or of the manifest, or where the day's file says
/// the very same of it. The change log keeps its numbers; what it cannot say any more is said again by its last line.
pub struct Salvage {
    folder: Folder,
    now: DateTime<Utc>,
    stamps: BTreeMap<String, Stamp>,
    /// By number.
    log: BTreeMap<u64, Logged>,
    /// Of each id: the change that brought it, and the last one.
    told: BTreeMap<Id, (u64, u64)>,
    /// Where the log began before anything was added to it.
    began: u64,
    /// The last number that the manifest knows.
    end: u64,
    /// The last number whose own line was lost; 0: none.
    filled: u64,
    /// The last change that the store has had before.
    mine: u64,
    /// The day read last.
    day: Option<Day>,
    /// Articles.
    pub taken: usize,
    pub lost: Vec<String>,
}

/// A file of `daily`.
struct Day {
    day: NaiveDate,
    /// It is as the manifest says.
    whole: bool,
    articles: BTreeMap<Id, Article>,
}

/// An article that is believed, not yet in the store.
struct Found {
    article: Article,
    /// The change that made it so, if the log still has it.
    seq: Option<u64>,
    /// A change is added to the log for it.
    anew: bool,
}

impl Salvage {
    pub fn of(folder: Folder, now: DateTime<Utc>) -> Result<Salvage> {
        let mut manifest = plain(folder.read(PATH))?.as_deref().and_then(Manifest::read);
        if let Some(manifest) = &mut manifest {
            add_parts(&folder, manifest)?;
        }
        let (seq, stamps) = manifest.map_or((0, BTreeMap::new()), |m| (m.seq, m.files));
        let mut salvage = Salvage {
            folder,
            now: now.trunc_subsecs(0),
            stamps,
            log: BTreeMap::new(),
            told: BTreeMap::new(),
            began: 1,
            end: seq,
            filled: 0,
            mine: 0,
            day: None,
            taken: 0,
            lost: Vec::new(),
        };
        salvage.read_log()?;
        Ok(salvage)
    }

    fn read_log(&mut self) -> Result<()> {
        let names = self.folder.list()?;
        let mut firsts: Vec<u64> = names.iter().filter_map(|path| manifest::segment_first(path)).collect();
        firsts.sort_unstable();
        for first in firsts {
            let path = manifest::segment_path(first);
            let bytes = plain(self.folder.read(&path))?.unwrap_or_default();
            let bad = self.read_segment(first, &bytes);
            if bad > 0 {
                self.lost.push(format!("{path}: {bad} lines are damaged"));
            }
        }
        self.began = self.log.first_key_value().map_or(self.end + 1, |(seq, _)| *seq);
        self.began = manifest::segment_of(self.began);
        self.fill();
        for change in self.log.values() {
            let told = self.told.entry(change.id.clone()).or_insert((change.seq, change.seq));
            // an article that was taken away and came again is a new one
            let again = self.log.get(&told.1).is_some_and(|last| last.op == Op::Delete);
            *told = (if again { change.seq } else { told.0 }, change.seq);
        }
        Ok(())
    }

    /// Returns how many lines cannot be used.
    fn read_segment(&mut self, first: u64, bytes: &[u8]) -> usize {
        let mut bad = 0;
        for (line, seq) in bytes.split_inclusive(|b| *b == b'\n').zip(first..) {
            match serde_json::from_slice::<Logged>(line) {
                Ok(change) if change.seq == seq && manifest::change_line(&change) == line && well_formed(&change) => {
                    self.log.insert(seq, change);
                }
                _ => bad += 1,
            }
        }
        bad
    }

    /// Every number gets a line: where its own is lost, the last line of all is said once more, which
    /// changes nothing for who reads them in order.
    fn fill(&mut self) {
        let Some((last, line)) = self.log.last_key_value().map(|(seq, line)| (*seq, line.clone())) else { return };
        for seq in self.began..=last.max(self.end) {
            self.log.entry(seq).or_insert_with(|| {
                self.filled = seq;
                Logged { seq, ..line.clone() }
            });
        }
    }

    pub fn into_store(mut self, store: &Store) -> Result<Salvage> {
        let mut kept = BTreeSet::new();
        let mut old: Vec<(DateTime<Utc>, Id, String)> = Vec::new();
        for path in self.paths()? {
            let Some(id) = read::id_of(&path).filter(|id| !kept.contains(id)) else { continue };
            let Some(found) = self.find(&path, &id)? else { continue };
            kept.insert(id.clone());
            match found.seq {
                // read once more in their order: all of them at once may be more than there is memory
                None if !found.anew => old.push((found.article.first_seen_at, id, path)),
                seq => self.take(store, seq, found.article)?,
            }
        }
        self.take_old(store, old)?;
        self.bury(store, &kept)?;
        self.fill();
        let lines: Vec<Logged> = self.log.values().cloned().collect();
        store.refill_changes(&lines)?;
        Ok(self)
    }

    /// Where articles are, then where the manifest or the log knows of one whose file is not there.
    fn paths(&self) -> Result<Vec<String>> {
        let mut paths = self.folder.list()?;
        let there: BTreeSet<&String> = paths.iter().collect();
        let told = self.told.values().filter_map(|(_, last)| self.log.get(last)).map(|last| &last.path);
        let missing: BTreeSet<&String> = self.stamps.keys().chain(told).filter(|path| !there.contains(path)).collect();
        let missing: Vec<String> = missing.into_iter().cloned().collect();
        paths.extend(missing);
        Ok(paths)
    }

    /// The article of a file; none where it was taken away, or cannot be believed.
    fn find(&mut self, path: &str, id: &Id) -> Result<Option<Found>> {
        let file = plain(self.folder.read(path))?;
        let is = if file.is_some() { "damaged" } else { "missing" };
        let bytes = file.unwrap_or_default();
        let last = self.told.get(id).and_then(|(_, last)| self.log.get(last)).cloned();
        if last.as_ref().is_some_and(|last| last.op == Op::Delete && last.path == path) {
            return Ok(None);
        }
        let sha = Some(sha256(&bytes));
        let by_log = last.as_ref().is_some_and(|last| last.sha256 == sha);
        let by_manifest = self.stamps.get(path).is_some_and(|stamp| Some(&stamp.sha256) == sha.as_ref());
        let read = read::read_file(path, &bytes);
        let same_day = self.of_day(path, id)?;
        let trusted =
            by_log || by_manifest || read.as_ref().is_ok_and(|a| same_day.as_ref().is_some_and(|d| same(a, d)));
        if let (Ok(article), true) = (&read, trusted) {
            let seq = last.filter(|_| by_log).map(|last| last.seq);
            let anew = !by_log && (self.told.contains_key(id) || self.began == 1 || !by_manifest);
            return Ok(Some(Found { article: article.clone(), seq, anew }));
        }
        let as_told = |a: &Article| last.as_ref().is_some_and(|last| last.sha256 == Some(sha256(&json(a))));
        let by_day = |a: &Article| as_told(a) || self.day.as_ref().is_some_and(|day| day.whole);
        if let Some(article) = same_day.filter(by_day) {
            self.lost.push(format!("{path} is {is}, its day's file was used instead"));
            if as_told(&article) {
                return Ok(Some(Found { article, seq: last.map(|last| last.seq), anew: false }));
            }
            // a round that was killed wrote a newer file, of which nothing tells yet
            let anew = last.is_some() || self.began == 1;
            let article = last.into_iter().fold(article, |article, last| earlier(article, last.rev, self.now));
            return Ok(Some(Found { article, seq: None, anew }));
        }
        let why = read.err().unwrap_or_else(|| "its checksum is wrong".to_owned());
        self.lost.push(if is == "missing" {
            format!("{path} is missing")
        } else {
            format!("{path} is damaged: {why}")
        });
        Ok(None)
    }

    /// Articles older than the log, in the order of their first sight.
    fn take_old(&mut self, store: &Store, mut old: Vec<(DateTime<Utc>, Id, String)>) -> Result<()> {
        old.sort();
        for (n, (_, id, path)) in (1..).zip(old) {
            let Some(article) = self.read_old(&path, &id)? else { continue };
            if n < self.began {
                store.refill_article(n, Kept { seq: n, article }, self.now)?;
                self.taken += 1;
            } else {
                self.take(store, None, article)?;
            }
        }
        Ok(())
    }

    /// What [`Salvage::find`] found, without a look at the day where the file itself will do.
    fn read_old(&mut self, path: &str, id: &Id) -> Result<Option<Article>> {
        let bytes = plain(self.folder.read(path))?.unwrap_or_default();
        if self.stamps.get(path).is_some_and(|stamp| stamp.sha256 == sha256(&bytes))
            && let Ok(article) = read::read_file(path, &bytes)
        {
            return Ok(Some(article));
        }
        let said = self.lost.len();
        let found = self.find(path, id)?;
        self.lost.truncate(if found.is_some() { said } else { self.lost.len() });
        Ok(found.map(|found| found.article))
    }

    /// Tombstones for what is lost, which may come again; marks for what was taken away, which may not.
    fn bury(&mut self, store: &Store, kept: &BTreeSet<Id>) -> Result<()> {
        let lasts: Vec<Logged> = self.told.values().filter_map(|(_, last)| self.log.get(last)).cloned().collect();
        for last in lasts.into_iter().filter(|last| !kept.contains(&last.id)) {
            match last.op {
                Op::Delete => store.refill_deleted(&last.id, last.at, self.now)?,
                Op::Upsert => {
                    let rev = last.rev + 1;
                    self.append(Logged { op: Op::Delete, rev, sha256: None, at: self.now, ..last });
                }
            }
        }
        Ok(())
    }

    /// Into the store, with a change of its own where none of the log fits.
    fn take(&mut self, store: &Store, seq: Option<u64>, article: Article) -> Result<()> {
        let seq = seq.unwrap_or_else(|| {
            self.append(Logged {
                seq: 0,
                at: self.now,
                op: Op::Upsert,
                id: article.id.clone(),
                rev: article.rev,
                path: crate::export::path(&article, "json"),
                sha256: Some(sha256(&json(&article))),
            })
        });
        let key = self.key_of(store, &article.id, seq)?;
        store.refill_article(key, Kept { seq, article }, self.now)?;
        self.taken += 1;
        Ok(())
    }

    fn append(&mut self, line: Logged) -> u64 {
        let seq = self.log.last_key_value().map_or(self.end + 1, |(last, _)| last + 1);
        self.log.insert(seq, Logged { seq, ..line });
        seq
    }

    /// What the day's file says of an article.
    fn of_day(&mut self, path: &str, id: &Id) -> Result<Option<Article>> {
        let Some(day) = read::day_of(path) else { return Ok(None) };
        if self.day.as_ref().is_none_or(|read| read.day != day) {
            let file = format!("daily/{day}.jsonl");
            let bytes = plain(self.folder.read(&file))?.unwrap_or_default();
            let whole = self.stamps.get(&file) == Some(&Stamp::of(&bytes));
            // a damaged line says nothing
            let lines = bytes.split(|b| *b == b'\n').filter_map(|line| read::read(line, day).ok());
            self.day = Some(Day { day, whole, articles: lines.map(|article| (article.id.clone(), article)).collect() });
        }
        Ok(self.day.as_ref().and_then(|day| day.articles.get(id)).cloned())
    }
}

/// An earlier text in place of that of a revision that is lost.
fn earlier(article: Article, lost: u32, now: DateTime<Utc>) -> Article {
    let rev = lost + 1;
    if article.rev >= rev {
        return article;
    }
    let mut history = article.history.clone();
    history.push(Revision {
        rev,
        at: now,
        why: format!("the text of revision {lost} was lost, this is an earlier one"),
    });
    Article { rev, updated_at: now, history, ..article }
}

fn same(a: &Article, b: &Article) -> bool {
    json(a) == json(b)
}

fn well_formed(change: &Logged) -> bool {
    let sha = change.sha256.as_ref().is_none_or(|sha| sha.len() == 64 && sha.bytes().all(|b| b.is_ascii_hexdigit()));
    sha && change.sha256.is_some() == (change.op == Op::Upsert)
        && read::id_of(&change.path).as_ref() == Some(&change.id)
}

/// A link where a file should be is no file.
fn plain(read: Result<Option<Vec<u8>>>) -> Result<Option<Vec<u8>>> {
    match read {
        Err(ExportError::NotPlain(_)) => Ok(None),
        other => other,
    }
}
