//! Filling a store, an empty one or one that fell behind, with what an export folder remembers.

use crate::article::{self, Article, Entry, Id, Judged, Outcome};
use crate::dedup::Print;
use crate::store::articles::{Put, displace};
use crate::store::retain::json_bytes;
use crate::store::trees::VOLUME;
use crate::store::{Kept, Logged, Mark, Past, Result, Store, entries, record};
use chrono::{DateTime, Utc};
use url::Url;

/// Changes written in one transaction.
const BATCH: usize = 256;

impl Store {
    /// The change log as it was; the next change follows the last of these.
    pub fn refill_changes(&self, lines: &[Logged]) -> Result<()> {
        let mut seqs = self.write();
        for batch in lines.chunks(BATCH) {
            let packed = batch.iter().map(|line| Ok((line.seq.to_be_bytes(), record::pack(line)?)));
            let packed: Vec<_> = packed.collect::<Result<_>>()?;
            self.transaction(|trees| {
                packed.iter().try_for_each(|(key, parts)| record::put(&trees.changes, key, parts))
            })?;
        }
        seqs.given = lines.last().map_or(seqs.given, |line| seqs.given.max(line.seq));
        Ok(())
    }

    /// An article as it was, in place of an older text of it, with its print made again, and the marks of its own entry
    /// and of its copies', so that they are neither told nor fetched again.
    pub fn refill_article(&self, key: u64, kept: Kept, now: DateTime<Utc>) -> Result<()> {
        let print = Print::of(&kept.article.title, &article::plain(&kept.article.blocks));
        let bytes = json_bytes(&kept.article);
        let mut seqs = self.write();
        let old = self.kept_locked(&kept.article.id)?;
        let marks = marks(&kept.article, now).into_iter().map(|(site, mark)| self.remarked(&site, mark));
        let marks: Vec<_> = marks.collect::<Result<_>>()?;
        let put = Put::at(key, kept, self.printed(key, Some(print))?)?;
        let volume = old.as_ref().map_or(seqs.volume, |(_, old)| seqs.volume.without(json_bytes(&old.article)));
        let volume = volume.with(bytes);
        let counted = record::pack(&volume)?;
        self.transaction(|trees| {
            record::put(&trees.meta, VOLUME.as_bytes(), &counted)?;
            if let Some((was, old)) = old.as_ref().filter(|(was, _)| *was != key) {
                displace(trees, *was, &old.article)?;
                record::remove(&trees.prints, &was.to_be_bytes())?;
            }
            put.apply_article(trees)?;
            put.apply_place(trees)?;
            marks.iter().try_for_each(|mark| mark.apply(trees))
        })?;
        seqs.volume = volume;
        Ok(())
    }

    /// An article that was taken away at that time is taken away here too, and must not come back, whichever site shows
    /// it: where no site has a mark of it, it gets one under no site's name.
    pub fn refill_deleted(&self, id: &Id, at: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
        let mut seqs = self.write();
        let kept = self.kept_locked(id)?;
        let marks = self.marks_of(id, now)?;
        let past = record::pack(&Past { id: id.clone(), at })?;
        let volume = kept.as_ref().map_or(seqs.volume, |(_, kept)| seqs.volume.without(json_bytes(&kept.article)));
        let counted = record::pack(&volume)?;
        self.transaction(|trees| {
            if let Some((key, kept)) = &kept {
                record::put(&trees.meta, VOLUME.as_bytes(), &counted)?;
                displace(trees, *key, &kept.article)?;
                record::put(&trees.past, &key.to_be_bytes(), &past)?;
            }
            marks.iter().try_for_each(|mark| mark.apply(trees))
        })?;
        seqs.volume = volume;
        Ok(())
    }

    /// The marks that say that an article was kept once.
    fn marks_of(&self, id: &Id, now: DateTime<Utc>) -> Result<Vec<entries::Write>> {
        let mut marks = Vec::new();
        for site in self.site_ids()? {
            if let Some(old) = self.mark_locked(&site, id)? {
                let mark = Mark { due: None, tries: 0, outcome: Some(Outcome::Stored), ..old.clone() };
                marks.push(entries::Write::of(&site, Some(&old), mark)?);
            }
        }
        if marks.is_empty() {
            let unknown = Url::parse("about:blank").expect("it is an address");
            marks.push(self.remarked("", settled(id, &unknown, None, Outcome::Stored, now))?);
        }
        Ok(marks)
    }

    /// A mark that may be there already, with what its feed says: only what became of it is new.
    fn remarked(&self, site: &str, new: Mark) -> Result<entries::Write> {
        let old = self.mark_locked(site, &new.entry.id)?;
        let mark = old.clone().map_or(new.clone(), |old| Mark {
            due: None,
            tries: 0,
            outcome: new.outcome,
            settled: new.settled,
            judged: if new.judged.is_empty() { old.judged } else { new.judged },
            ..old
        });
        entries::Write::of(site, old.as_ref(), mark)
    }

    /// Every site that was ever asked.
    fn site_ids(&self) -> Result<Vec<String>> {
        let keys = self.walk(self.trees.sites.iter().keys());
        // longer keys are parts of a long value
        let ids = keys.filter(|key| key.as_ref().map_or(true, |key| !key.contains(&0)));
        ids.map(|key| Ok(String::from_utf8_lossy(&key?).into_owned())).collect()
    }
}

fn marks(article: &Article, now: DateTime<Utc>) -> Vec<(String, Mark)> {
    let judged = article.topics.iter().map(|topic| Judged {
        id: topic.id.clone(),
        score: topic.score,
        selected: true,
        hits: topic.hits.clone(),
    });
    let mark = settled(&article.id, &article.url, Some(&article.title), Outcome::Stored, now);
    let seen = (article.first_seen_at, Some(article.updated_at));
    let own = Mark { judged: judged.collect(), first_seen: seen.0, settled: seen.1, ..mark };
    let mut out = vec![(article.site.id.clone(), own)];
    for copy in &article.copies {
        let outcome = Outcome::Duplicate { of: article.id.clone() };
        out.push((copy.site.clone(), settled(&Id::of(&copy.url), &copy.url, Some(&copy.title), outcome, now)));
    }
    out
}

/// A mark that does not know what its feed said of it: the next sight only fills that in.
fn settled(id: &Id, url: &Url, title: Option<&str>, outcome: Outcome, now: DateTime<Utc>) -> Mark {
    Mark {
        entry: Entry::bare(id.clone(), url.clone(), title.map(str::to_owned)),
        feed: url.clone(),
        said: String::new(),
        first_seen: now,
        last_seen: now,
        tries: 0,
        due: None,
        settled: Some(now),
        unchanged: 0,
        outcome: Some(outcome),
        judged: Vec::new(),
    }
}
