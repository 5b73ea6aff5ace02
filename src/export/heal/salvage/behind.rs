//! Into a sound store that ends before the folder: only what changed since.

use super::{Salvage, earlier};
use crate::article::Id;
use crate::export::folder::Result;
use crate::store::{Logged, Op, Store};

impl Salvage {
    /// Whether the folder tells of no change at all.
    pub fn is_empty(&self) -> bool {
        self.log.is_empty()
    }

    /// The last change that the folder tells of.
    pub fn last(&self) -> u64 {
        self.log.last_key_value().map_or(self.end, |(seq, _)| *seq)
    }

    /// Whether the log has every change after this one as it was written.
    pub fn is_whole_after(&self, mine: u64) -> bool {
        self.began <= mine && self.filled <= mine
    }

    /// The changes after `mine`, the log last. Half of it done, it can be done again.
    pub fn take_over(mut self, store: &Store, mine: u64) -> Result<Salvage> {
        self.mine = mine;
        let lasts = self.told.values().filter(|(_, last)| *last > mine).filter_map(|(_, last)| self.log.get(last));
        let mut lasts: Vec<Logged> = lasts.cloned().collect();
        lasts.sort_unstable_by_key(|last| last.seq);
        for last in lasts {
            match last.op {
                Op::Delete => store.refill_deleted(&last.id, last.at, self.now)?,
                Op::Upsert => self.take_over_article(store, last)?,
            }
        }
        let lines: Vec<Logged> = self.log.range(mine + 1..).map(|(_, line)| line.clone()).collect();
        store.refill_changes(&lines)?;
        Ok(self)
    }

    /// Where its file is lost, the text that the store has is better than none.
    fn take_over_article(&mut self, store: &Store, last: Logged) -> Result<()> {
        if let Some(found) = self.find(&last.path, &last.id)? {
            return self.take(store, found.seq, found.article);
        }
        match store.article(&last.id)? {
            Some(article) => self.take(store, None, earlier(article, last.rev, self.now)),
            None => {
                self.append(Logged { op: Op::Delete, rev: last.rev + 1, sha256: None, at: self.now, ..last });
                Ok(())
            }
        }
    }

    /// That of the change that brought the article, or that it has in the store, unless it was taken away since.
    pub(super) fn key_of(&self, store: &Store, id: &Id, seq: u64) -> Result<u64> {
        let first = self.told.get(id).map_or(seq, |(first, _)| *first);
        let Some((key, _)) = store.kept(id)? else { return Ok(first) };
        let mut since = self.log.range(self.mine + 1..first.max(self.mine + 1));
        let gone = since.any(|(_, line)| line.id == *id && line.op == Op::Delete);
        Ok(if gone { first } else { key })
    }
}
