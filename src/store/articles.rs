//! Articles, and what a settled entry changes.

use crate::article::{Article, Copy, Id, Page, Revision};
use crate::dedup::Print;
use crate::export;
use crate::store::raw::raw_key;
use crate::store::record::{self, show};
use crate::store::retain::json_bytes;
use crate::store::trees::{Step, VOLUME, Within};
use crate::store::{Change, Kept, Logged, Mark, Op, Past, Result, Settled, Store, StoreError, Volume, entries};
use chrono::{DateTime, NaiveDate, SubsecRound, Utc};

/// How many shapes of an article are known again: its own, before and after revisions, and its copies'.
const PRINTS: usize = 8;

type Raw = (Vec<u8>, Vec<Vec<u8>>);

fn raw_of(mark: &Mark, raw: Option<&Page>, now: DateTime<Utc>) -> Result<Option<Raw>> {
    raw.map(|page| Ok((raw_key(&mark.entry.id, now), Store::raw_parts(page, now)?))).transpose()
}

impl Store {
    /// Mark, article, print, page as served and change number in one transaction.
    pub fn settle(
        &self,
        site: &str,
        mark: &Mark,
        change: Change,
        raw: Option<&Page>,
        now: DateTime<Utc>,
    ) -> Result<Settled> {
        let raw = raw_of(mark, raw, now)?;
        let mut seqs = self.write();
        let old = self.mark_locked(site, &mark.entry.id)?;
        let mark = entries::Write::of(site, old.as_ref(), entries::settled(mark, now))?;
        let put = self.placed(change, seqs.given + 1, now)?;
        let volume = put.as_ref().map_or(seqs.volume, |put| put.volume(seqs.volume));
        let counted = record::pack_light(&volume)?;
        self.transaction(|trees| {
            mark.apply(trees)?;
            if let Some((key, parts)) = &raw {
                record::put(&trees.raw, key, parts)?;
            }
            let Some(put) = &put else { return Ok(()) };
            record::put(&trees.meta, VOLUME.as_bytes(), &counted)?;
            put.apply(trees)
        })?;
        let Some(put) = put else { return Ok(Settled::default()) };
        (seqs.given, seqs.volume) = (put.seq, volume);
        Ok(Settled { key: Some(put.key), seq: Some(put.seq), rev: put.rev })
    }

    /// [`Store::settle`] of entries of which there are only marks to write, in one transaction.
    pub fn settle_marks(&self, site: &str, all: &[(Mark, Option<Page>)], now: DateTime<Utc>) -> Result<()> {
        if all.is_empty() {
            return Ok(());
        }
        let raws = all.iter().map(|(mark, raw)| raw_of(mark, raw.as_ref(), now)).collect::<Result<Vec<_>>>()?;
        let _one = self.write();
        let write = |(mark, _): &(Mark, _)| {
            let old = self.mark_locked(site, &mark.entry.id)?;
            entries::Write::of(site, old.as_ref(), entries::settled(mark, now))
        };
        let marks = all.iter().map(write).collect::<Result<Vec<_>>>()?;
        self.transaction(|trees| {
            marks.iter().try_for_each(|mark| mark.apply(trees))?;
            raws.iter().flatten().try_for_each(|(key, parts)| record::put(&trees.raw, key, parts))
        })
    }

    /// Takes an article away and leaves a tombstone in the change log. Its mark stays, so that it is not news again.
    pub fn forget(&self, id: &Id, now: DateTime<Utc>) -> Result<Settled> {
        self.take_away(id, false, now)
    }

    /// [`Store::forget`], but its prints stay a while, so that a copy is not news either.
    pub(super) fn retire(&self, id: &Id, now: DateTime<Utc>) -> Result<Settled> {
        self.take_away(id, true, now)
    }

    fn take_away(&self, id: &Id, prints_stay: bool, now: DateTime<Utc>) -> Result<Settled> {
        let mut seqs = self.write();
        let Some((key, kept)) = self.kept_locked(id)? else { return Ok(Settled::default()) };
        let seq = seqs.given + 1;
        let (article, rev) = (&kept.article, kept.article.rev + 1);
        let path = export::path(article, "json");
        let line = Logged { seq, at: now.trunc_subsecs(0), op: Op::Delete, id: id.clone(), rev, path, sha256: None };
        let line = record::pack(&line)?;
        let volume = seqs.volume.without(json_bytes(article));
        let counted = record::pack(&volume)?;
        let past = record::pack(&Past { id: id.clone(), at: now.trunc_subsecs(0) })?;
        self.transaction(|trees| {
            record::put(&trees.meta, VOLUME.as_bytes(), &counted)?;
            displace(trees, key, article)?;
            match prints_stay {
                true => record::put(&trees.past, &key.to_be_bytes(), &past)?,
                false => record::remove(&trees.prints, &key.to_be_bytes())?,
            }
            record::put(&trees.changes, &seq.to_be_bytes(), &line)
        })?;
        (seqs.given, seqs.volume) = (seq, volume);
        Ok(Settled { key: Some(key), seq: Some(seq), rev })
    }

    pub fn article(&self, id: &Id) -> Result<Option<Article>> {
        Ok(self.kept(id)?.map(|(_, kept)| kept.article))
    }

    pub fn article_at(&self, key: u64) -> Result<Option<Article>> {
        Ok(self.kept_at(key)?.map(|kept| kept.article))
    }

    /// The article that had this key, if it was let go.
    pub fn past(&self, key: u64) -> Result<Option<Past>> {
        self.get("past", &self.trees.past, &key.to_be_bytes())
    }

    /// The article's key, and the article with the change that made it what it is.
    pub fn kept(&self, id: &Id) -> Result<Option<(u64, Kept)>> {
        let _whole = self.read();
        self.kept_locked(id)
    }

    pub fn kept_at(&self, key: u64) -> Result<Option<Kept>> {
        self.get("articles", &self.trees.articles, &key.to_be_bytes())
    }

    /// Every article, in the order in which they came.
    pub fn articles(&self) -> impl Iterator<Item = Result<(u64, Kept)>> {
        self.records("articles", &self.trees.articles, 0)
    }

    /// Every article's prints, for [`crate::dedup::Index`]: its own and those of its copies, the latest last.
    pub fn prints(&self) -> impl Iterator<Item = Result<(u64, Vec<Print>)>> {
        let mut records = self.trees.prints.iter();
        let heads = std::iter::from_fn(move || self.call(|| records.next().transpose()).transpose());
        heads.filter_map(move |record| record.and_then(|(key, first)| self.prints_from(&key, first)).transpose())
    }

    /// None where the key is that of a part of a long value.
    fn prints_from(&self, key: &[u8], first: sled::IVec) -> Result<Option<(u64, Vec<Print>)>> {
        let Some(number) = record::number(key) else { return Ok(None) };
        let mut first = Some(first);
        let read = record::get_prints(key, |k| match first.take() {
            Some(first) => Ok(Some(first)),
            None => self.call(|| self.trees.prints.get(k)),
        });
        // a long value that is being written meanwhile has old parts and new ones
        let read = if read.is_err() { self.prints_at(number) } else { self.noted(read) };
        Ok(read?.map(|prints| (number, prints)))
    }

    /// An article's prints; none if there is no such article any more.
    pub fn prints_of(&self, key: u64) -> Result<Vec<Print>> {
        Ok(self.prints_at(key)?.unwrap_or_default())
    }

    fn prints_at(&self, key: u64) -> Result<Option<Vec<Print>>> {
        let _whole = self.read();
        self.prints_locked(key)
    }

    fn prints_locked(&self, key: u64) -> Result<Option<Vec<Print>>> {
        self.noted(record::get_prints(&key.to_be_bytes(), |k| self.call(|| self.trees.prints.get(k))))
    }

    /// The keys of a day's articles, in the order in which they came.
    pub fn of_day(&self, day: NaiveDate) -> impl Iterator<Item = Result<u64>> {
        self.walk(self.trees.shelves.scan_prefix(day_shelf(day)).keys()).map(|key| shelf_key(&key?))
    }

    /// The keys of a province's articles, the latest first; `slug` as [`crate::text::slug`] makes it of `province_now`.
    pub fn of_province(&self, slug: &str) -> impl Iterator<Item = Result<u64>> {
        self.walk(self.trees.shelves.scan_prefix(province_shelf(slug)).keys().rev()).map(|key| shelf_key(&key?))
    }

    /// The keys of all articles, the latest first.
    pub fn latest(&self) -> impl Iterator<Item = Result<u64>> {
        let keys = self.walk(self.trees.articles.iter().keys().rev());
        // longer keys are parts of a long value
        keys.filter_map(|key| key.map(|key| record::number(&key)).transpose())
    }

    pub(super) fn kept_locked(&self, id: &Id) -> Result<Option<(u64, Kept)>> {
        let Some(key) = self.get_locked::<u64>("ids", &self.trees.ids, id.as_str().as_bytes())? else {
            return Ok(None);
        };
        let kept = self.get_locked("articles", &self.trees.articles, &key.to_be_bytes())?;
        kept.map(|kept| Some((key, kept))).ok_or_else(|| StoreError::Value {
            tree: "ids",
            key: id.to_string(),
            why: format!("there is no article {key}"),
        })
    }

    /// What a change writes; none where there is nothing to write.
    fn placed(&self, change: Change, seq: u64, now: DateTime<Utc>) -> Result<Option<Put>> {
        match change {
            Change::None => Ok(None),
            Change::New { article, print } | Change::Revise { article, print } => {
                let (key, article, was) = match self.kept_locked(&article.id)? {
                    None => (seq, *article, None),
                    Some((key, old)) => (key, revised(old.article.clone(), *article), Some(json_bytes(&old.article))),
                };
                let put = Put::of(key, seq, article, self.printed(key, Some(print))?, now)?;
                Ok(Some(Put { was, ..put }))
            }
            Change::Copied { of, copy, print } => {
                let Some((key, kept)) = self.kept_locked(&of)? else { return Ok(None) };
                let was = Some(json_bytes(&kept.article));
                let Some(article) = with_copy(kept.article, copy, now) else { return Ok(None) };
                let put = Put::of(key, seq, article, self.printed(key, print)?, now)?;
                Ok(Some(Put { was, ..put }))
            }
        }
    }

    /// The article's prints with one more; none where it is known.
    pub(super) fn printed(&self, key: u64, print: Option<Print>) -> Result<Option<Vec<Print>>> {
        let Some(print) = print else { return Ok(None) };
        let mut prints = self.prints_locked(key)?.unwrap_or_default();
        if prints.contains(&print) {
            return Ok(None);
        }
        prints.push(print);
        // the first is the article's own
        if prints.len() > PRINTS {
            prints.remove(1);
        }
        Ok(Some(prints))
    }
}

/// An article to be written, and everything that goes with it.
pub(super) struct Put {
    key: u64,
    seq: u64,
    rev: u32,
    id: Id,
    kept: Vec<Vec<u8>>,
    /// The record of the key under the id.
    pointer: Vec<Vec<u8>>,
    prints: Option<Vec<Vec<u8>>>,
    shelves: [Vec<u8>; 2],
    line: Vec<Vec<u8>>,
    /// Bytes of its JSON, and before.
    bytes: u64,
    was: Option<u64>,
}

impl Put {
    fn of(key: u64, seq: u64, article: Article, prints: Option<Vec<Print>>, now: DateTime<Utc>) -> Result<Put> {
        let json = export::json(&article);
        let line = Logged {
            seq,
            at: now.trunc_subsecs(0),
            op: Op::Upsert,
            id: article.id.clone(),
            rev: article.rev,
            path: export::path(&article, "json"),
            sha256: Some(export::sha256(&json)),
        };
        let line = record::pack(&line)?;
        Ok(Put { line, bytes: json.len() as u64, ..Put::at(key, Kept { seq, article }, prints)? })
    }

    /// Without a line of the change log.
    pub fn at(key: u64, kept: Kept, prints: Option<Vec<Print>>) -> Result<Put> {
        Ok(Put {
            key,
            seq: kept.seq,
            rev: kept.article.rev,
            id: kept.article.id.clone(),
            shelves: shelves(&kept.article, key),
            kept: record::pack(&kept)?,
            pointer: record::pack(&key)?,
            prints: prints.as_deref().map(record::pack_prints).transpose()?,
            line: Vec::new(),
            bytes: 0,
            was: None,
        })
    }

    /// How much is kept after it.
    fn volume(&self, before: Volume) -> Volume {
        self.was.map_or(before, |was| before.without(was)).with(self.bytes)
    }

    fn apply(&self, trees: &Within) -> Step<()> {
        self.apply_article(trees)?;
        record::put(&trees.changes, &self.seq.to_be_bytes(), &self.line)?;
        if self.key == self.seq { self.apply_place(trees) } else { Ok(()) }
    }

    pub fn apply_article(&self, trees: &Within) -> Step<()> {
        record::put(&trees.articles, &self.key.to_be_bytes(), &self.kept)?;
        match &self.prints {
            Some(prints) => record::put(&trees.prints, &self.key.to_be_bytes(), prints),
            None => Ok(()),
        }
    }

    /// Where a new article is found.
    pub fn apply_place(&self, trees: &Within) -> Step<()> {
        record::put(&trees.ids, self.id.as_str().as_bytes(), &self.pointer)?;
        for shelf in &self.shelves {
            trees.shelves.insert(shelf.as_slice(), &[])?;
        }
        Ok(())
    }
}

/// Takes an article away, but for its prints.
pub(super) fn displace(trees: &Within, key: u64, article: &Article) -> Step<()> {
    record::remove(&trees.articles, &key.to_be_bytes())?;
    record::remove(&trees.ids, article.id.as_str().as_bytes())?;
    for shelf in shelves(article, key) {
        trees.shelves.remove(shelf)?;
    }
    Ok(())
}

/// Lines of an article's history; the oldest beyond are told in one. An article that changes every day would grow for ever.
const HISTORY: usize = 50;

fn bounded(mut history: Vec<Revision>) -> Vec<Revision> {
    let surplus = history.len().saturating_sub(HISTORY);
    if surplus > 0 {
        let Revision { rev, at, .. } = history.remove(surplus);
        history.splice(
            ..surplus,
            [Revision { rev, at, why: format!("revisions up to {rev}, no longer told one by one") }],
        );
    }
    history
}

/// The new text in the old place.
fn revised(old: Article, new: Article) -> Article {
    let rev = old.rev + 1;
    let mut history = old.history;
    let why = new.history.last().map_or_else(|| "the page changed".to_owned(), |line| line.why.clone());
    history.push(Revision { rev, at: new.updated_at, why });
    let mut copies = new.copies;
    copies.extend(old.copies.into_iter().filter(|row| copies.iter().all(|c| c.url != row.url)).collect::<Vec<_>>());
    let history = bounded(history);
    Article { rev, first_seen_at: old.first_seen_at, day: old.day, site: old.site, history, copies, ..new }
}

/// None where the row is there already.
fn with_copy(mut article: Article, copy: Copy, now: DateTime<Utc>) -> Option<Article> {
    if article.copies.contains(&copy) {
        return None;
    }
    article.rev += 1;
    article.updated_at = now;
    article.history.push(Revision { rev: article.rev, at: now, why: format!("also at {}", copy.url) });
    article.history = bounded(article.history);
    match article.copies.iter_mut().find(|row| row.url == copy.url) {
        Some(row) => *row = copy,
        None => article.copies.push(copy),
    }
    Some(article)
}

/// Where an article is found by day and by province: both as of its first sight, so that they never move.
pub(super) fn shelves(article: &Article, key: u64) -> [Vec<u8>; 2] {
    let place = |shelf: Vec<u8>| [shelf.as_slice(), &key.to_be_bytes()].concat();
    [place(day_shelf(article.day)), place(province_shelf(&crate::text::slug(&article.site.province_now)))]
}

fn day_shelf(day: NaiveDate) -> Vec<u8> {
    format!("d{day}\0").into_bytes()
}

fn province_shelf(slug: &str) -> Vec<u8> {
    format!("p{slug}\0").into_bytes()
}

fn shelf_key(key: &[u8]) -> Result<u64> {
    key.last_chunk::<8>().map(|k| u64::from_be_bytes(*k)).ok_or_else(|| StoreError::Value {
        tree: "shelves",
        key: show(key),
        why: "too short".to_owned(),
    })
}
