//! Filling an empty store with what an export folder remembers.

use crate::article::{self, Article, Entry, Id, Judged, Outcome};
use crate::dedup::Print;
use crate::store::articles::Put;
use crate::store::retain::json_bytes;
use crate::store::trees::VOLUME;
use crate::store::{Kept, Logged, Mark, Result, Store, entries, record};
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

    /// An article as it was, with its print made again, and the marks of its own entry and of its copies', so that
    /// they are neither told nor fetched again.
    pub fn refill_article(&self, key: u64, kept: Kept, now: DateTime<Utc>) -> Result<()> {
        let marks = marks(&kept.article, now);
        let marks: Vec<_> =
            marks.into_iter().map(|(site, mark)| entries::Write::of(&site, None, mark)).collect::<Result<_>>()?;
        let print = Print::of(&kept.article.title, &article::plain(&kept.article.blocks));
        let bytes = json_bytes(&kept.article);
        let put = Put::at(key, kept, Some(vec![print]))?;
        let mut seqs = self.write();
        let volume = seqs.volume.with(bytes);
        let counted = record::pack(&volume)?;
        self.transaction(|trees| {
            record::put(&trees.meta, VOLUME.as_bytes(), &counted)?;
            put.apply_article(trees)?;
            put.apply_place(trees)?;
            marks.iter().try_for_each(|mark| mark.apply(trees))
        })?;
        seqs.volume = volume;
        Ok(())
    }

    /// An article that was taken away must not come back, whichever site shows it: a mark under no site's name.
    pub fn refill_gone(&self, id: &Id, now: DateTime<Utc>) -> Result<()> {
        let unknown = Url::parse("about:blank").expect("it is an address");
        let mark = settled(id, &unknown, None, Outcome::Stored, now);
        let write = entries::Write::of("", None, mark)?;
        let _one = self.write();
        self.transaction(|trees| write.apply(trees))
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
