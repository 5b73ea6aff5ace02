//! The files: articles, days, feeds, the status and the change log.

use super::{Mirror, Round};
use crate::article::{Article, Id};
use crate::config::Format;
use crate::export::feeds::{self, Feed};
use crate::export::folder::Result;
use crate::export::manifest::{self, STATUS, Stamp};
use crate::export::{ExportError, article, schema};
use crate::status::SiteRow;
use crate::store::{Kept, Logged, Op, Store};
use crate::text::slug;
use chrono::NaiveDate;
use std::collections::BTreeSet;

/// Articles in a feed.
const LATEST: usize = 100;

const TITLE: &str = "Điểm tin dân vận";

const README: &[u8] = include_bytes!("../README.txt");

impl Mirror {
    pub(super) fn write_fixed(&mut self, round: &mut Round) -> Result<()> {
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
    pub(super) fn write_articles(&mut self, store: &Store, round: &mut Round, mut target: u64) -> Result<u64> {
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
        let mut anywhere = false;
        for change in changes(store, from, reached) {
            let change = change?;
            let now_at = store.kept(&change.id)?.map(|(_, kept)| article::path(&kept.article, "json"));
            if change.op != Op::Delete || now_at.as_ref() == Some(&change.path) {
                continue;
            }
            let day = change.path.get(9..19).and_then(|day| NaiveDate::parse_from_str(day, "%Y/%m/%d").ok());
            round.days.extend(day);
            match self.province_of(&change.path)? {
                // its name is that of the articles that are left
                Some(slug) => drop(round.provinces.entry(slug).or_default()),
                None => anywhere = true,
            }
            for extension in ["json", "md", "html"] {
                let path = format!("{}{extension}", change.path.trim_end_matches("json"));
                self.take(path, round)?;
            }
        }
        if anywhere {
            let names = self.manifest.files.keys().filter_map(|path| path.strip_prefix("feeds/province/"));
            for slug in names.filter_map(|name| name.strip_suffix(".json")) {
                round.provinces.entry(slug.to_owned()).or_default();
            }
        }
        Ok(())
    }

    /// In whose feed an article may be, by its file, which is taken away last; none where that cannot be believed.
    fn province_of(&mut self, path: &str) -> Result<Option<String>> {
        let bytes = match self.folder.read(path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) | Err(ExportError::NotPlain(_)) => return Ok(None),
            Err(why) => return Err(why),
        };
        if self.list_of(path, false)?.get(path) != Some(&Stamp::of(&bytes)) {
            return Ok(None);
        }
        // as the manifest says, so as it was written
        let article: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
        let province = article.as_ref().and_then(|article| article.pointer("/site/province_now")?.as_str());
        Ok(province.map(slug))
    }

    fn write_days(&mut self, store: &Store, reached: u64, round: &mut Round) -> Result<u64> {
        let mut latest = 0;
        for day in round.days.clone() {
            let kept = collect(store, store.of_day(day), reached, usize::MAX)?;
            latest = latest.max(kept.iter().map(|kept| kept.seq).max().unwrap_or(0));
            let mut articles: Vec<&Article> = kept.iter().map(|kept| &kept.article).collect();
            articles.sort_by_key(|a| (article::published(a), &a.id));
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
    pub(super) fn write_status(&mut self, sites: &[SiteRow], round: &mut Round) -> Result<()> {
        let mut text = Vec::new();
        for row in sites {
            text.extend(serde_json::to_vec(row).expect("strings, numbers and lists only"));
            text.push(b'\n');
        }
        round.wrote += usize::from(self.folder.write(STATUS, &text)?);
        Ok(())
    }

    pub(super) fn write_changes(&mut self, store: &Store, round: &mut Round, start: u64, target: u64) -> Result<()> {
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

pub(super) fn extension(format: Format) -> &'static str {
    match format {
        Format::Json => "json",
        Format::Md => "md",
        Format::Html => "html",
    }
}
