//! Every CRC and every cross reference.

use crate::article::Id;
use crate::export;
use crate::store::record::{self, show};
use crate::store::retain::json_bytes;
use crate::store::{
    Fetch, Kept, Lessons, Logged, Mark, Op, Past, RawPage, Result, Rules, SiteState, Store, Volume, articles, entries,
    hosts,
};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// What a check found.
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize, Debug)]
pub struct Checked {
    /// The last change number.
    pub seq: u64,
    pub articles: usize,
    pub changes: usize,
    pub entries: usize,
    pub raw_pages: usize,
    /// One sentence each; empty: all is well.
    pub problems: Vec<String>,
}

/// More are not listed, since they say the same.
const LISTED: usize = 1000;

impl Store {
    /// Reads everything. Damage is a problem in the report, never an error.
    pub fn check(&self) -> Checked {
        let mut found = Checked { seq: self.seq(), ..Checked::default() };
        let parts: [fn(&Store, &mut Checked) -> Result<()>; 9] = [
            Store::check_meta,
            Store::check_changes,
            Store::check_articles,
            Store::check_ids,
            Store::check_shelves,
            Store::check_entries,
            Store::check_raw,
            Store::check_learned,
            Store::check_fetches,
        ];
        for part in parts {
            if let Err(why) = part(self, &mut found) {
                found.say(why.to_string());
            }
        }
        found
    }

    fn check_meta(&self, found: &mut Checked) -> Result<()> {
        for key in self.heads(&self.trees.meta, |key| !record::is_part(key))? {
            self.looked_at::<serde_json::Value>("meta", &self.trees.meta, &key, found)?;
        }
        for key in self.heads(&self.trees.sites, |key| !key.contains(&0))? {
            self.looked_at::<SiteState>("sites", &self.trees.sites, &key, found)?;
        }
        Ok(())
    }

    /// Numbers without a gap, and an article there for each id whose last change is no deletion.
    fn check_changes(&self, found: &mut Checked) -> Result<()> {
        let mut last: BTreeMap<Id, Op> = BTreeMap::new();
        let first = self.first_change()?;
        let mut next = Some(export::segment_of(first));
        for key in self.heads(&self.trees.changes, |key| key.len() == 8)? {
            let number = record::number(&key).unwrap_or(0);
            // old changes go a segment at a time
            if next.is_some_and(|next| next != number) {
                found.say(format!("changes: {number} where {} should be", next.unwrap_or(0)));
            }
            next = Some(number + 1);
            found.changes += 1;
            let Some(line) = self.looked_at::<Logged>("changes", &self.trees.changes, &key, found)? else { continue };
            if line.seq != number {
                found.say(format!("changes: {number} says that it is {}", line.seq));
            }
            last.insert(line.id, line.op);
        }
        for (id, op) in &last {
            let there = self.call(|| self.trees.ids.contains_key(id.as_str()))?;
            if there != (*op == Op::Upsert) {
                found.say(format!("changes: the last one of {id} is {op:?}, but there is {}", is(there)));
            }
        }
        Ok(())
    }

    fn check_articles(&self, found: &mut Checked) -> Result<()> {
        let first = self.first_change()?;
        let mut volume = Volume::default();
        for key in self.heads(&self.trees.articles, |key| key.len() == 8)? {
            found.articles += 1;
            let number = record::number(&key).unwrap_or(0);
            self.check_prints(&key, found)?;
            let Some(kept) = self.looked_at::<Kept>("articles", &self.trees.articles, &key, found)? else { continue };
            self.check_article(number, &kept, first, found)?;
            volume = volume.with(json_bytes(&kept.article));
        }
        if volume != self.volume() && found.problems.is_empty() {
            found.say(format!("volume: {:?} is remembered, {volume:?} is there", self.volume()));
        }
        let prints = self.heads(&self.trees.prints, |key| key.len() == 8)?.len();
        let past = self.heads(&self.trees.past, |key| key.len() == 8)?;
        if prints != found.articles + past.len() {
            found.say(format!("prints: {prints} of {} articles and {} of the past", found.articles, past.len()));
        }
        for key in past {
            self.check_prints(&key, found)?;
            self.looked_at::<Past>("past", &self.trees.past, &key, found)?;
        }
        Ok(())
    }

    fn check_prints(&self, key: &[u8], found: &mut Checked) -> Result<()> {
        let bad = found.problems.len();
        let prints = found.noted(record::get_prints(key, |k| self.call(|| self.trees.prints.get(k))))?;
        if prints.is_none_or(|prints| prints.is_empty()) && found.problems.len() == bad {
            found.say(format!("prints: none of the article {}", show(key)));
        }
        Ok(())
    }

    fn check_article(&self, number: u64, kept: &Kept, first: u64, found: &mut Checked) -> Result<()> {
        let (id, seq) = (&kept.article.id, kept.seq);
        let pointer = self.looked_at::<u64>("ids", &self.trees.ids, id.as_str().as_bytes(), found)?;
        if pointer != Some(number) {
            found.say(format!("articles: {number} is {id}, which stands for {pointer:?}"));
        }
        for shelf in articles::shelves(&kept.article, number) {
            if !self.call(|| self.trees.shelves.contains_key(&shelf))? {
                found.say(format!("shelves: {} is missing", show(&shelf)));
            }
        }
        if number > seq || seq > found.seq {
            found.say(format!("articles: {number} has the change {seq} of {}", found.seq));
        }
        if seq < first {
            return Ok(()); // its line went with an old segment
        }
        let line = self.looked_at::<Logged>("changes", &self.trees.changes, &seq.to_be_bytes(), found)?;
        let sha = export::sha256(&export::json(&kept.article));
        if !line.is_some_and(|line| line.id == *id && line.rev == kept.article.rev && line.sha256 == Some(sha)) {
            found.say(format!("articles: {id} is not as its change {seq} says"));
        }
        Ok(())
    }

    fn check_ids(&self, found: &mut Checked) -> Result<()> {
        let ids = self.heads(&self.trees.ids, |key| key.len() == Id::LEN)?;
        for key in &ids {
            let Some(number) = self.looked_at::<u64>("ids", &self.trees.ids, key, found)? else { continue };
            if !self.call(|| self.trees.articles.contains_key(number.to_be_bytes()))? {
                found.say(format!("ids: {} stands for the article {number}, which is not there", show(key)));
            }
        }
        if ids.len() != found.articles {
            found.say(format!("ids: {} of {} articles", ids.len(), found.articles));
        }
        Ok(())
    }

    fn check_shelves(&self, found: &mut Checked) -> Result<()> {
        let shelves = self.heads(&self.trees.shelves, |_| true)?.len();
        if shelves != found.articles * 2 {
            found.say(format!("shelves: {shelves} places of {} articles", found.articles));
        }
        Ok(())
    }

    /// Who waits stands among the due, who was given up among the gone, and nobody else.
    fn check_entries(&self, found: &mut Checked) -> Result<()> {
        let is_head = |key: &[u8]| key.iter().position(|b| *b == 0).is_some_and(|at| key.len() == at + 1 + Id::LEN);
        let (mut due, mut gone) = (0, 0);
        for key in self.heads(&self.trees.entries, is_head)? {
            found.entries += 1;
            let Some(mark) = self.looked_at::<Mark>("entries", &self.trees.entries, &key, found)? else { continue };
            let site = String::from_utf8_lossy(&key[..key.len() - Id::LEN - 1]).into_owned();
            if entries::entry_key(&site, &mark.entry.id) != key {
                found.say(format!("entries: {} is the mark of {}", show(&key), mark.entry.id));
            }
            if let Some(at) = mark.due {
                due += 1;
                if !self.call(|| self.trees.due.contains_key(entries::due_key(&site, at, &mark.entry.id)))? {
                    found.say(format!("due: {} is missing", show(&key)));
                }
            }
            gone += usize::from(self.call(|| self.trees.gone.contains_key(&key))?);
        }
        for (name, tree, wanted) in [("due", &self.trees.due, due), ("gone", &self.trees.gone, gone)] {
            let there = self.heads(tree, |_| true)?.len();
            if there != wanted {
                found.say(format!("{name}: {there} keys of {wanted} marks"));
            }
        }
        Ok(())
    }

    fn check_raw(&self, found: &mut Checked) -> Result<()> {
        for key in self.heads(&self.trees.raw, |key| key.len() == 4 + Id::LEN)? {
            found.raw_pages += 1;
            self.looked_at::<RawPage>("raw", &self.trees.raw, &key, found)?;
        }
        Ok(())
    }

    fn check_learned(&self, found: &mut Checked) -> Result<()> {
        for key in self.heads(&self.trees.learned, |key| !key.contains(&0))? {
            self.looked_at::<Lessons>("learned", &self.trees.learned, &key, found)?;
        }
        Ok(())
    }

    fn check_fetches(&self, found: &mut Checked) -> Result<()> {
        let is_head = |key: &[u8]| key.iter().position(|b| *b == 0).is_some_and(|at| key.len() == at + 1 + 8);
        for key in self.heads(&self.trees.fetches, is_head)? {
            self.looked_at::<Fetch>("fetches", &self.trees.fetches, &key, found)?;
        }
        for key in self.heads(&self.trees.hosts, |key| !key.contains(&0))? {
            self.looked_at::<DateTime<Utc>>("hosts", &self.trees.hosts, &key, found)?;
        }
        let robots = |key: &[u8]| key.strip_prefix(hosts::ROBOTS).is_some_and(|origin| !origin.contains(&0));
        for key in self.heads(&self.trees.hosts, robots)? {
            self.looked_at::<Rules>("hosts", &self.trees.hosts, &key, found)?;
        }
        Ok(())
    }

    /// The keys of a tree's records, without those of the parts of long values.
    fn heads(&self, tree: &sled::Tree, is_head: impl Fn(&[u8]) -> bool) -> Result<Vec<Vec<u8>>> {
        let mut heads = Vec::new();
        for key in self.walk(tree.iter().keys()) {
            heads.extend(Some(key?.to_vec()).filter(|key| is_head(key)));
        }
        Ok(heads)
    }

    fn looked_at<T: DeserializeOwned>(
        &self,
        name: &'static str,
        tree: &sled::Tree,
        key: &[u8],
        found: &mut Checked,
    ) -> Result<Option<T>> {
        found.noted(record::get(name, key, |k| self.call(|| tree.get(k))))
    }
}

impl Checked {
    /// The record, or a problem. Only sled's own failure is an error.
    fn noted<T>(&mut self, read: Result<Option<T>>) -> Result<Option<T>> {
        match read {
            Err(why @ crate::store::StoreError::Value { .. }) => {
                self.say(why.to_string());
                Ok(None)
            }
            other => other,
        }
    }

    fn say(&mut self, problem: String) {
        if self.problems.len() < LISTED {
            self.problems.push(problem);
        }
    }
}

fn is(there: bool) -> &'static str {
    if there { "an article" } else { "no article" }
}
