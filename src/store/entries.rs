//! Sites and the marks of their entries.

use crate::article::{Entry, Id, Outcome};
use crate::store::trees::{Step, Within};
use crate::store::{Fetch, Mark, Result, SiteState, Store, record};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use url::Url;

/// How long the mark of a settled entry outlives the last sight of it.
const FORGET_AFTER: TimeDelta = TimeDelta::days(90);

/// How exact `last_seen` is: a mark is not written again at every poll.
const SEEN_TO: TimeDelta = TimeDelta::days(1);

/// The first time between two settlings of an entry whose feed keeps saying it changed; doubles while it did not.
const RECHECK: TimeDelta = TimeDelta::hours(1);

impl Store {
    pub fn site(&self, site: &str) -> Result<SiteState> {
        Ok(self.get("sites", &self.trees.sites, site.as_bytes())?.unwrap_or_default())
    }

    pub fn put_site(&self, site: &str, state: &SiteState) -> Result<()> {
        let parts = record::pack_light(state)?;
        let _one = self.write();
        self.transaction(|trees| record::put(&trees.sites, site.as_bytes(), &parts))
    }

    /// Remembers a feed's entries and the site's state (validators included) in one transaction. Entries never seen
    /// become due now; known ones have `last_seen` moved, and become due again where their feed says something else of
    /// them than before, but not more often than hourly, and ever more rarely while their pages do not change. Once
    /// a day, settled marks of this feed that it has not shown for 90 days go, but only against entries it shows now:
    /// a feed that is silent, or failing, forgets nothing. Returns how many are new.
    pub fn learn(
        &self,
        site: &str,
        feed: &Url,
        entries: &[Entry],
        state: &SiteState,
        now: DateTime<Utc>,
    ) -> Result<usize> {
        self.learn_of(site, feed, entries, state, None, now)
    }

    /// [`Store::learn`], with the record of the request that brought them.
    pub fn learn_of(
        &self,
        site: &str,
        feed: &Url,
        entries: &[Entry],
        state: &SiteState,
        fetch: Option<&Fetch>,
        now: DateTime<Utc>,
    ) -> Result<usize> {
        let fetch = fetch.map(record::pack_light).transpose()?;
        let _one = self.write();
        let noted = fetch.map(|parts| self.noted_fetch(site, parts)).transpose()?;
        let mut writes = Vec::new();
        let mut new = 0;
        let mut seen = std::collections::BTreeSet::new();
        for entry in entries.iter().filter(|entry| seen.insert(&entry.id)) {
            let old = self.mark_locked(site, &entry.id)?;
            // a mark under no site's name: made from a tombstone, when the store was made again
            let old = if old.is_none() { self.mark_locked("", &entry.id)? } else { old };
            new += usize::from(old.is_none());
            let let_go = old.as_ref().map_or(Ok(false), |old| self.let_go_locked(old))?;
            if let Some(mark) = learned(old.as_ref(), entry, feed, let_go, now) {
                writes.push(Write::of(site, old.as_ref(), mark)?);
            }
        }
        let forgotten = if entries.is_empty() { None } else { self.to_forget(site, feed, &seen, now)? };
        let chore = record::pack_light(&now)?;
        let state = record::pack_light(state)?;
        self.transaction(|trees| {
            for write in &writes {
                write.apply(trees)?;
            }
            for key in forgotten.iter().flatten() {
                record::remove(&trees.entries, key)?;
                trees.gone.remove(key.as_slice())?;
            }
            if forgotten.is_some() {
                record::put(&trees.meta, &swept_key(site, feed), &chore)?;
            }
            noted.as_ref().map_or(Ok(()), |noted| noted.apply(trees))?;
            record::put(&trees.sites, site.as_bytes(), &state)
        })?;
        Ok(new)
    }

    /// The site's entries that are due, the longest waiting first.
    pub fn due(&self, site: &str, now: DateTime<Utc>) -> Result<Vec<Mark>> {
        let until = due_time(now + TimeDelta::milliseconds(1));
        let mut due = Vec::new();
        for (time, id) in self.waiting(site)? {
            if time >= until {
                break;
            }
            due.extend(self.mark(site, &id)?);
        }
        Ok(due)
    }

    /// When the next of the site's entries is due, if any waits.
    pub fn next_due(&self, site: &str) -> Result<Option<DateTime<Utc>>> {
        let first = self.waiting(site)?.into_iter().next();
        Ok(first.and_then(|(time, _)| DateTime::from_timestamp_millis(i64::from_be_bytes(time))))
    }

    pub fn mark(&self, site: &str, id: &Id) -> Result<Option<Mark>> {
        let _whole = self.read();
        self.mark_locked(site, id)
    }

    /// Every mark of a site, in the order of the ids.
    pub fn marks(&self, site: &str) -> Result<Vec<Mark>> {
        let ids = self.entry_ids(site)?;
        let marks = ids.iter().map(|id| self.mark(site, id));
        Ok(marks.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    pub(super) fn mark_locked(&self, site: &str, id: &Id) -> Result<Option<Mark>> {
        self.get_locked("entries", &self.trees.entries, &entry_key(site, id))
    }

    fn entry_ids(&self, site: &str) -> Result<Vec<Id>> {
        let prefix = entry_prefix(site);
        let mut ids = Vec::new();
        for key in self.walk(self.trees.entries.scan_prefix(&prefix).keys()) {
            let key = key?;
            // longer keys are parts of a long value
            ids.extend(std::str::from_utf8(&key[prefix.len()..]).ok().and_then(Id::from_name));
        }
        Ok(ids)
    }

    /// When each waiting entry is due, the first first.
    fn waiting(&self, site: &str) -> Result<Vec<([u8; 8], Id)>> {
        let prefix = entry_prefix(site);
        let mut waiting = Vec::new();
        for key in self.walk(self.trees.due.scan_prefix(&prefix).keys()) {
            let key = key?;
            if let Some((time, id)) = key[prefix.len()..].split_first_chunk::<8>() {
                waiting.extend(std::str::from_utf8(id).ok().and_then(Id::from_name).map(|id| (*time, id)));
            }
        }
        Ok(waiting)
    }

    /// The first of the site's entries that wait, the next to be settled first.
    pub fn waiting_marks(&self, site: &str, most: usize) -> Result<Vec<Mark>> {
        let first = self.waiting(site)?.into_iter().take(most);
        let marks: Result<Vec<_>> = first.map(|(_, id)| self.mark(site, &id)).collect();
        Ok(marks?.into_iter().flatten().collect())
    }

    /// How many of the site's entries wait to be settled.
    pub fn waiting_count(&self, site: &str) -> Result<usize> {
        Ok(self.waiting(site)?.len())
    }

    /// How many of the site's remembered entries were given up.
    pub fn gave_up_count(&self, site: &str) -> Result<usize> {
        let keys = self.walk(self.trees.gone.scan_prefix(entry_prefix(site)).keys());
        keys.map(|key| key.map(|_| 1)).sum()
    }

    /// The first of the site's entries that were given up, in the order of their ids.
    pub fn gave_up(&self, site: &str, most: usize) -> Result<Vec<Mark>> {
        let prefix = entry_prefix(site);
        let mut marks = Vec::new();
        for key in self.walk(self.trees.gone.scan_prefix(&prefix).keys()).take(most) {
            let id = key?[prefix.len()..].to_vec();
            let id = std::str::from_utf8(&id).ok().and_then(Id::from_name);
            marks.extend(id.map_or(Ok(None), |id| self.mark(site, &id))?);
        }
        Ok(marks)
    }

    /// Writes the mark of an entry that is to be settled again.
    pub fn wait_again(&self, site: &str, mark: &Mark) -> Result<()> {
        let _one = self.write();
        let write = Write::of(site, self.mark_locked(site, &mark.entry.id)?.as_ref(), mark.clone())?;
        self.transaction(|trees| write.apply(trees))
    }

    /// Keys of marks that may go; none where the feed was swept less than a day ago.
    fn to_forget(
        &self,
        site: &str,
        feed: &Url,
        seen: &std::collections::BTreeSet<&Id>,
        now: DateTime<Utc>,
    ) -> Result<Option<Vec<Vec<u8>>>> {
        let swept: Option<DateTime<Utc>> = self.get_locked("meta", &self.trees.meta, &swept_key(site, feed))?;
        if swept.is_some_and(|at| now - at < TimeDelta::days(1)) {
            return Ok(None);
        }
        let mut keys = Vec::new();
        for id in self.entry_ids(site)? {
            let Some(mark) = self.mark_locked(site, &id)? else { continue };
            // a mark that was made again from the export folder knows no feed
            let its = mark.feed == *feed || mark.said.is_empty();
            if its && mark.due.is_none() && now - mark.last_seen > FORGET_AFTER && !seen.contains(&id) {
                keys.push(entry_key(site, &id));
            }
        }
        Ok(Some(keys))
    }
}

/// A mark to be written, and its place among the due.
pub(super) struct Write {
    key: Vec<u8>,
    parts: Vec<Vec<u8>>,
    was_due: Option<Vec<u8>>,
    is_due: Option<Vec<u8>>,
    gave_up: bool,
}

impl Write {
    pub fn of(site: &str, old: Option<&Mark>, mut mark: Mark) -> Result<Write> {
        let id = mark.entry.id.clone();
        if mark.due.is_none() {
            mark.entry.summary = None;
            mark.entry.content = None;
        }
        let due_key = |mark: &Mark| mark.due.map(|due| due_key(site, due, &id));
        let (was_due, is_due) = (old.and_then(due_key), due_key(&mark));
        let gave_up = matches!(mark.outcome, Some(Outcome::GaveUp { .. }));
        Ok(Write { key: entry_key(site, &id), parts: record::pack_light(&mark)?, was_due, is_due, gave_up })
    }

    pub fn apply(&self, trees: &Within) -> Step<()> {
        record::put(&trees.entries, &self.key, &self.parts)?;
        if let Some(key) = &self.was_due {
            trees.due.remove(key.as_slice())?;
        }
        if let Some(key) = &self.is_due {
            trees.due.insert(key.as_slice(), &[])?;
        }
        match self.gave_up {
            true => trees.gone.insert(self.key.as_slice(), &[])?,
            false => trees.gone.remove(self.key.as_slice())?,
        };
        Ok(())
    }
}

/// The mark after its feed showed the entry; none where nothing need be written.
fn learned(old: Option<&Mark>, entry: &Entry, feed: &Url, let_go: bool, now: DateTime<Utc>) -> Option<Mark> {
    let said = said(entry);
    let Some(old) = old else { return Some(first(entry, feed, said, now)) };
    if old.said.is_empty() {
        let entry = entry.clone();
        return Some(Mark { said, entry, feed: feed.clone(), last_seen: now, ..old.clone() });
    }
    let stale = now - old.last_seen >= SEEN_TO;
    // two feeds of a site may word the same entry differently: the first to bring it is believed, until it no longer
    // shows it, is no longer asked, or has been unchanged for long
    let changed = !let_go && old.said != said && (old.feed == *feed || stale);
    if !changed && !stale {
        return None;
    }
    let mut mark = Mark { last_seen: now, ..old.clone() };
    if stale && old.feed != *feed {
        (mark.feed, mark.said) = (feed.clone(), said.clone());
    }
    if changed {
        mark.said = said;
        mark.entry = entry.clone();
        if old.due.is_none() {
            let wait = RECHECK * (1 << old.unchanged.min(10));
            mark.due = Some(old.settled.map_or(now, |settled| now.max(settled + wait)));
            mark.tries = 0;
        }
    }
    Some(mark)
}

fn first(entry: &Entry, feed: &Url, said: String, now: DateTime<Utc>) -> Mark {
    Mark {
        entry: entry.clone(),
        feed: feed.clone(),
        said,
        first_seen: now,
        last_seen: now,
        tries: 0,
        due: Some(now),
        settled: None,
        unchanged: 0,
        outcome: None,
        judged: Vec::new(),
    }
}

/// The mark as the store keeps it after settling.
pub(super) fn settled(mark: &Mark, now: DateTime<Utc>) -> Mark {
    let mut mark = mark.clone();
    if mark.due.is_none() {
        let news = matches!(mark.outcome, Some(Outcome::Stored | Outcome::Revision { .. }));
        let again = mark.settled.replace(now).is_some() && !news;
        mark.unchanged = if again { mark.unchanged.saturating_add(1) } else { 0 };
    }
    mark
}

/// What a feed says of an entry, in short. Where it gives a time of change, that and the title are believed: texts in
/// feeds carry counters.
fn said(entry: &Entry) -> String {
    let mut hash = blake3::Hasher::new();
    let text = if entry.updated.is_none() { [&entry.summary, &entry.content] } else { [&None, &None] };
    let updated = entry.updated.map(|t| t.timestamp().to_string());
    let parts = BTreeMap::from([
        ("title", entry.title.as_deref()),
        ("updated", updated.as_deref()),
        ("summary", text[0].as_deref()),
        ("content", text[1].as_deref()),
    ]);
    for (name, part) in parts {
        let Some(part) = part else { continue };
        hash.update(name.as_bytes()).update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    hash.finalize().to_hex()[..32].to_owned()
}

fn entry_prefix(site: &str) -> Vec<u8> {
    [site.as_bytes(), b"\0"].concat()
}

pub(super) fn entry_key(site: &str, id: &Id) -> Vec<u8> {
    [site.as_bytes(), b"\0", id.as_str().as_bytes()].concat()
}

pub(super) fn due_key(site: &str, due: DateTime<Utc>, id: &Id) -> Vec<u8> {
    [site.as_bytes(), b"\0", &due_time(due), id.as_str().as_bytes()].concat()
}

/// Milliseconds since 1970, so that keys sort by time.
fn due_time(due: DateTime<Utc>) -> [u8; 8] {
    due.timestamp_millis().max(0).to_be_bytes()
}

fn swept_key(site: &str, feed: &Url) -> Vec<u8> {
    [b"swept\0", site.as_bytes(), b"\0", feed.as_str().as_bytes()].concat()
}
