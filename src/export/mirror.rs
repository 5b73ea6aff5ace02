//! One round: from the change where the folder stands to the last durable one.

use crate::article::{Article, Id};
use crate::config::{ExportConfig, Format};
use crate::export::feeds::{self, Feed};
use crate::export::folder::{Folder, Result};
use crate::export::manifest::{self, HEAD, Manifest, PATH, STATUS, Stamp};
use crate::export::verify::read_head;
use crate::export::{ExportError, Wrote, article, schema};
use crate::status::SiteRow;
use crate::store::{Kept, Logged, Op, Store};
use crate::text::slug;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// Articles in a feed.
const LATEST: usize = 100;

const FOLD_ABOVE: u64 = 5000;

const TITLE: &str = "Điểm tin dân vận";

const README: &[u8] = include_bytes!("README.txt");

/// The folder, as its manifest says it is; kept open by whoever exports again and again.
pub struct Mirror {
    folder: Folder,
    formats: Vec<Format>,
    manifest: Manifest,
    /// As it stands in the folder.
    written: Vec<u8>,
    /// The change that the folder's manifest was at when it was opened, believed or not.
    claimed: u64,
    /// Above so many articles each month has a part of the manifest of its own, so that a new article costs the same
    /// in a big folder as in a small one.
    pub fold_above: u64,
    folded: bool,
    /// The parts that this round has to do with, and whether they changed.
    parts: BTreeMap<String, (BTreeMap<String, Stamp>, bool)>,
    /// Whether files that the manifest does not name are taken away, once.
    sweep: bool,
}

/// What a round has touched so far.
#[derive(Default)]
struct Round {
    wrote: usize,
    days: BTreeSet<NaiveDate>,
    /// Name by slug.
    provinces: BTreeMap<String, String>,
    /// To be taken away once the manifest no longer names them.
    gone: BTreeSet<String>,
}

impl Mirror {
    pub fn open(config: &ExportConfig) -> Result<Mirror> {
        let folder = Folder::create(&config.path)?;
        let written = folder.read(PATH)?.unwrap_or_default();
        let mut formats = config.formats.clone();
        // the change log's hashes are of the JSON files
        if !formats.contains(&Format::Json) {
            formats.insert(0, Format::Json);
        }
        let names: Vec<String> = formats.iter().map(|format| extension(*format).to_owned()).collect();
        let found = Manifest::read(&written);
        let claimed = found.as_ref().map_or(0, |m| m.seq);
        // one for other formats: everything is written again, what is not wanted any more goes
        let sweep = found.as_ref().is_some_and(|m| m.formats != names);
        let manifest = found.filter(|m| m.formats == names).unwrap_or(Manifest::empty(names));
        let folded = manifest.files.keys().any(|path| manifest::is_part(path));
        let (fold_above, parts) = (FOLD_ABOVE, BTreeMap::new());
        Ok(Mirror { folder, formats, manifest, written, claimed, fold_above, folded, parts, sweep })
    }

    /// Brings the folder up to date: syncs the store first, and writes only what changed.
    pub fn catch_up(&mut self, store: &Store, sites: &[SiteRow]) -> Result<Wrote> {
        let target = store.sync()?;
        self.check_lineage(store, target)?;
        match self.round(store, sites, target) {
            Err(ExportError::Part(_)) => self.rebuild(store, sites),
            other => other,
        }
    }

    /// Looks at everything again, whatever the folder says of itself.
    pub fn rebuild(&mut self, store: &Store, sites: &[SiteRow]) -> Result<Wrote> {
        let target = store.sync()?;
        self.forget_manifest();
        self.sweep = true;
        self.round(store, sites, target)
    }

    fn round(&mut self, store: &Store, sites: &[SiteRow], target: u64) -> Result<Wrote> {
        let start = self.manifest.seq;
        let mut round = Round::default();
        self.parts.clear();
        self.fold(store.volume().articles > self.fold_above, &mut round)?;
        self.write_fixed(&mut round)?;
        let target = self.write_articles(store, &mut round, target)?;
        self.write_status(sites, &mut round)?;
        self.write_changes(store, &mut round, start, target)?;
        self.folder.sync()?;
        if self.folder.write(HEAD, format!("{target}\n").as_bytes())? {
            self.folder.sync()?;
        }
        self.write_parts(&mut round)?;
        self.write_manifest(store, target)?;
        self.take_away(&round)?;
        self.parts.clear();
        Ok(Wrote { seq: target, files: round.wrote })
    }

    /// The folder must be at a change that the store made too.
    fn check_lineage(&mut self, store: &Store, target: u64) -> Result<()> {
        let head = self.folder.read(HEAD)?.as_deref().and_then(read_head).unwrap_or(0);
        let diverged = ExportError::Diverged { folder: head.max(self.claimed), store: target };
        if head > target || self.claimed > target {
            return Err(diverged);
        }
        if head == 0 {
            self.forget_manifest();
            return Ok(());
        }
        let segment = self.folder.read(&manifest::segment_path(manifest::segment_of(head)))?.unwrap_or_default();
        let mut lines = segment.split_inclusive(|b| *b == b'\n');
        let here = lines.find_map(|line| serde_json::from_slice::<Logged>(line).ok().filter(|c| c.seq == head));
        match (here, store.change(head)?) {
            (Some(here), Some(there)) if here != there => Err(diverged),
            // the segment is damaged: nothing in the folder is believed
            (None, _) => {
                self.forget_manifest();
                Ok(())
            }
            // the store has let go of the changes since
            (_, None) => {
                self.forget_manifest();
                self.sweep = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn forget_manifest(&mut self) {
        self.manifest = Manifest::empty(self.manifest.formats.clone());
        self.parts.clear();
        self.folded = false;
    }

    /// From one list to a list a month, or back.
    fn fold(&mut self, wanted: bool, round: &mut Round) -> Result<()> {
        if wanted == self.folded {
            return Ok(());
        }
        let articles = self.manifest.files.range("articles/".to_owned().."articles0".to_owned());
        let articles: Vec<(String, Stamp)> = articles.map(|(path, stamp)| (path.clone(), stamp.clone())).collect();
        for (path, stamp) in articles {
            self.manifest.files.remove(&path);
            if wanted {
                let part = manifest::part_of(&path).unwrap_or_default();
                let (files, changed) = self.parts.entry(part).or_default();
                files.insert(path, stamp);
                *changed = true;
            } else {
                self.manifest.files.extend(self.read_part(&path)?);
                round.gone.insert(path);
            }
        }
        self.folded = wanted;
        Ok(())
    }

    /// One left by a round that was killed is as good: what that round did is done again.
    fn read_part(&self, part: &str) -> Result<BTreeMap<String, Stamp>> {
        let bytes = self.folder.read(part)?.unwrap_or_default();
        manifest::read_part(&bytes).ok_or_else(|| ExportError::Part(part.to_owned()))
    }

    /// The list that a file is in, which is about to change if `change`.
    fn list_of(&mut self, path: &str, change: bool) -> Result<&mut BTreeMap<String, Stamp>> {
        let Some(part) = manifest::part_of(path).filter(|part| self.folded && part != path) else {
            return Ok(&mut self.manifest.files);
        };
        if !self.parts.contains_key(&part) {
            let known = self.manifest.files.contains_key(&part);
            let files = if known { self.read_part(&part)? } else { BTreeMap::new() };
            self.parts.insert(part.clone(), (files, false));
        }
        let (files, changed) = self.parts.entry(part).or_default();
        *changed |= change;
        Ok(files)
    }

    fn write_parts(&mut self, round: &mut Round) -> Result<()> {
        for (part, (files, changed)) in std::mem::take(&mut self.parts) {
            if changed && files.is_empty() {
                self.take(part, round)?;
            } else if changed {
                self.put(&part, &manifest::write_part(&files), round)?;
                self.parts.insert(part, (files, false));
            }
        }
        self.folder.sync()
    }

    fn write_fixed(&mut self, round: &mut Round) -> Result<()> {
        if self.fixed_is_current() {
            return Ok(());
        }
        self.put("README.txt", README, round)?;
        for (name, schema) in schema::schemas() {
            self.put(&format!("schema/{name}"), &schema_bytes(&schema), round)?;
        }
        Ok(())
    }

    /// By the manifest: a new program may bring new texts.
    fn fixed_is_current(&self) -> bool {
        let is = |path: &str, bytes: &[u8]| self.manifest.files.get(path) == Some(&Stamp::of(bytes));
        let schemas = schema::schemas();
        is("README.txt", README)
            && schemas.iter().all(|(name, schema)| is(&format!("schema/{name}"), &schema_bytes(schema)))
    }

    /// Articles, days and feeds; returns the change that they stand for. Whoever writes to the store meanwhile may
    /// have changed an article already read: then the round goes on to the change that did, once that is durable.
    fn write_articles(&mut self, store: &Store, round: &mut Round, mut target: u64) -> Result<u64> {
        let mut reached = self.manifest.seq;
        if target == 0 {
            self.write_feeds(store, 0, round)?;
        }
        while reached < target {
            let from = reached;
            reached = target;
            for id in touched(store, from, reached)? {
                target = target.max(self.write_article(store, &id, round)?);
            }
            self.note_deleted(store, from, reached, round)?;
            target = target.max(self.write_days(store, reached, round)?);
            target = target.max(self.write_feeds(store, reached, round)?);
        }
        Ok(reached)
    }

    /// Returns the change that made the article what it is, once durable; 0 where there is none any more.
    fn write_article(&mut self, store: &Store, id: &Id, round: &mut Round) -> Result<u64> {
        let Some((_, kept)) = store.kept(id)? else { return Ok(0) };
        durable(store, &kept)?;
        let article = &kept.article;
        for format in self.formats.clone() {
            let bytes = match format {
                Format::Json => article::json(article),
                Format::Md => article::markdown(article),
                Format::Html => article::html(article),
            };
            self.put(&article::path(article, extension(format)), &bytes, round)?;
        }
        round.days.insert(article.day);
        round.provinces.insert(slug(&article.site.province_now), article.site.province_now.clone());
        Ok(kept.seq)
    }

    fn note_deleted(&mut self, store: &Store, from: u64, reached: u64, round: &mut Round) -> Result<()> {
        for change in changes(store, from, reached) {
            let change = change?;
            let now_at = store.kept(&change.id)?.map(|(_, kept)| article::path(&kept.article, "json"));
            if change.op != Op::Delete || now_at.as_ref() == Some(&change.path) {
                continue;
            }
            for extension in ["json", "md", "html"] {
                let path = format!("{}{extension}", change.path.trim_end_matches("json"));
                self.take(path, round)?;
            }
            let day = change.path.get(9..19).and_then(|day| NaiveDate::parse_from_str(day, "%Y/%m/%d").ok());
            round.days.extend(day);
            // it is gone from its province's feed too, whichever that was
            for path in self.manifest.files.keys() {
                let slug = path.strip_prefix("feeds/province/").and_then(|name| name.strip_suffix(".json"));
                round.provinces.entry(slug.unwrap_or_default().to_owned()).or_default();
            }
            round.provinces.remove("");
        }
        Ok(())
    }

    fn write_days(&mut self, store: &Store, reached: u64, round: &mut Round) -> Result<u64> {
        let mut latest = 0;
        for day in round.days.clone() {
            let kept = collect(store, store.of_day(day), reached, usize::MAX)?;
            latest = latest.max(kept.iter().map(|kept| kept.seq).max().unwrap_or(0));
            let mut articles: Vec<&Article> = kept.iter().map(|kept| &kept.article).collect();
            articles.sort_by(|a, b| a.published_at.cmp(&b.published_at).then_with(|| a.id.cmp(&b.id)));
            let path = format!("daily/{day}.jsonl");
            let lines: Vec<u8> = articles.iter().flat_map(|article| article::line(article)).collect();
            let is_there = self.manifest.files.contains_key(&path);
            if lines.is_empty() {
                self.take(path, round)?
            } else {
                self.put(&path, &lines, round)?
            }
            self.put_archive(day, articles, round)?;
            // the day after it links to this one
            if is_there == lines.is_empty()
                && let Some(next) = self.day_after(day).filter(|next| !round.days.contains(next))
            {
                let kept = collect(store, store.of_day(next), reached, usize::MAX)?;
                latest = latest.max(kept.iter().map(|kept| kept.seq).max().unwrap_or(0));
                self.put_archive(next, kept.iter().map(|kept| &kept.article).collect(), round)?;
            }
        }
        Ok(latest)
    }

    /// The day's articles as an archive document of the feed of all (RFC 5005): a reader goes back from day to day.
    fn put_archive(&mut self, day: NaiveDate, articles: Vec<&Article>, round: &mut Round) -> Result<()> {
        let path = archive_path(day);
        if articles.is_empty() {
            return self.take(format!("feeds/{path}"), round);
        }
        let mut feed = Feed::of(path.trim_end_matches(".atom").to_owned(), format!("{TITLE}: {day}"), articles);
        feed.previous = self.day_before(day).map(archive_path);
        feed.archive = true;
        self.put(&format!("feeds/{path}"), &feeds::atom(&feed), round)
    }

    fn day_before(&self, day: NaiveDate) -> Option<NaiveDate> {
        let before = self.manifest.files.range("daily/".to_owned()..format!("daily/{day}.jsonl"));
        before.last().and_then(|(path, _)| day_of(path))
    }

    fn last_day(&self) -> Option<NaiveDate> {
        let days = self.manifest.files.range("daily/".to_owned().."daily0".to_owned());
        days.last().and_then(|(path, _)| day_of(path))
    }

    fn day_after(&self, day: NaiveDate) -> Option<NaiveDate> {
        let after = self.manifest.files.range(format!("daily/{day}.jsonm")..).next();
        after.and_then(|(path, _)| day_of(path))
    }

    fn write_feeds(&mut self, store: &Store, reached: u64, round: &mut Round) -> Result<u64> {
        let kept = collect(store, store.latest(), reached, LATEST)?;
        let mut latest = kept.iter().map(|kept| kept.seq).max().unwrap_or(0);
        let articles = kept.iter().map(|kept| &kept.article).collect();
        let mut all = Feed::of("all".to_owned(), TITLE.to_owned(), articles);
        all.previous = self.last_day().map(archive_path);
        self.put_feed(&all, round)?;
        for (slug, name) in round.provinces.clone() {
            let kept = collect(store, store.of_province(&slug), reached, LATEST)?;
            latest = latest.max(kept.iter().map(|kept| kept.seq).max().unwrap_or(0));
            let Some(first) = kept.first() else {
                self.take(format!("feeds/province/{slug}.json"), round)?;
                self.take(format!("feeds/province/{slug}.atom"), round)?;
                continue;
            };
            let name = if name.is_empty() { first.article.site.province_now.clone() } else { name };
            let articles = kept.iter().map(|kept| &kept.article).collect();
            let feed = Feed::of(format!("province/{slug}"), format!("{TITLE}: {name}"), articles);
            self.put_feed(&feed, round)?;
        }
        Ok(latest)
    }

    fn put_feed(&mut self, feed: &Feed, round: &mut Round) -> Result<()> {
        self.put(&format!("feeds/{}.json", feed.name), &feeds::json_feed(feed), round)?;
        self.put(&format!("feeds/{}.atom", feed.name), &feeds::atom(feed), round)
    }

    /// A row a line, as `diemtin sites --json` prints them.
    fn write_status(&mut self, sites: &[SiteRow], round: &mut Round) -> Result<()> {
        let mut text = Vec::new();
        for row in sites {
            text.extend(serde_json::to_vec(row).expect("strings, numbers and lists only"));
            text.push(b'\n');
        }
        round.wrote += usize::from(self.folder.write(STATUS, &text)?);
        Ok(())
    }

    fn write_changes(&mut self, store: &Store, round: &mut Round, start: u64, target: u64) -> Result<()> {
        if start == target {
            return self.take_old_segments(store.first_change()?, round);
        }
        let oldest = store.first_change()?;
        let mut first = manifest::segment_of(oldest.max(start + 1));
        while first <= target {
            let last = manifest::segment_end(first).min(target);
            let mut lines = Vec::new();
            for change in changes(store, first - 1, last) {
                lines.extend(manifest::change_line(&change?));
            }
            self.put(&manifest::segment_path(first), &lines, round)?;
            first = manifest::segment_end(first) + 1;
        }
        self.take_old_segments(oldest, round)
    }

    fn take_old_segments(&mut self, oldest: u64, round: &mut Round) -> Result<()> {
        let segments = self.manifest.files.range("changes/".to_owned().."changes0".to_owned());
        let firsts = segments.filter_map(|(path, _)| manifest::segment_first(path));
        let old: Vec<u64> = firsts.filter(|first| manifest::segment_end(*first) < oldest).collect();
        old.into_iter().try_for_each(|first| self.take(manifest::segment_path(first), round))
    }

    fn write_manifest(&mut self, store: &Store, target: u64) -> Result<()> {
        self.manifest.seq = target;
        self.claimed = target;
        self.manifest.generated_at = store.change(target)?.map(|change| change.at);
        let bytes = self.manifest.write();
        if bytes != self.written {
            self.folder.write(PATH, &bytes)?;
            self.written = bytes;
        }
        self.folder.sync()
    }

    /// What the manifest no longer names; in a sweep, also what earlier rounds left behind.
    fn take_away(&mut self, round: &Round) -> Result<()> {
        let mut gone = round.gone.clone();
        if std::mem::take(&mut self.sweep) {
            let stays = |path: &String| [PATH, HEAD, STATUS].contains(&path.as_str());
            gone.extend(self.folder.list()?.into_iter().filter(|path| manifest::owned(path) && !stays(path)));
        }
        for path in &gone {
            if !self.list_of(path, false)?.contains_key(path) {
                self.folder.remove(path)?;
            }
        }
        self.folder.sync()
    }

    fn put(&mut self, path: &str, bytes: &[u8], round: &mut Round) -> Result<()> {
        round.wrote += usize::from(self.folder.write(path, bytes)?);
        self.list_of(path, true)?.insert(path.to_owned(), Stamp::of(bytes));
        Ok(())
    }

    fn take(&mut self, path: String, round: &mut Round) -> Result<()> {
        self.list_of(&path, true)?.remove(&path);
        round.gone.insert(path);
        Ok(())
    }
}

/// The articles that changed after `from`, up to `reached`.
fn touched(store: &Store, from: u64, reached: u64) -> Result<BTreeSet<Id>> {
    let mut ids = BTreeSet::new();
    if from + 1 < store.first_change()? {
        // articles that no change tells of any more
        for article in store.articles() {
            ids.insert(article?.1.article.id);
        }
    }
    for change in changes(store, from, reached) {
        ids.insert(change?.id);
    }
    Ok(ids)
}

fn changes(store: &Store, after: u64, last: u64) -> impl Iterator<Item = crate::store::Result<Logged>> {
    let within = move |item: &crate::store::Result<Logged>| item.as_ref().map_or(true, |change| change.seq <= last);
    store.changes(after).take_while(within)
}

/// The first `most` of these articles that are there as of a change.
fn collect(
    store: &Store,
    keys: impl Iterator<Item = crate::store::Result<u64>>,
    reached: u64,
    most: usize,
) -> Result<Vec<Kept>> {
    let mut out = Vec::new();
    for key in keys {
        let key = key?;
        if key > reached {
            continue;
        }
        if let Some(kept) = store.kept_at(key)? {
            durable(store, &kept)?;
            out.push(kept);
        }
        if out.len() == most {
            break;
        }
    }
    Ok(out)
}

/// Nothing goes into the folder before it would survive a loss of power.
fn durable(store: &Store, kept: &Kept) -> Result<()> {
    if kept.seq > store.synced() {
        store.sync()?;
    }
    Ok(())
}

/// From the folder `feeds`.
fn archive_path(day: NaiveDate) -> String {
    format!("archive/{day}.atom")
}

fn day_of(path: &str) -> Option<NaiveDate> {
    let day = path.strip_prefix("daily/")?.strip_suffix(".jsonl")?;
    day.parse().ok() // another name is no day's
}

fn schema_bytes(schema: &serde_json::Value) -> Vec<u8> {
    format!("{schema:#}\n").into_bytes()
}

fn extension(format: Format) -> &'static str {
    match format {
        Format::Json => "json",
        Format::Md => "md",
        Format::Html => "html",
    }
}
