//! `diemtin sites`: a row a site, or all of one.

use super::{harmless, held};
use crate::config::Config;
use crate::status::{self, SiteRow, SiteSheet};
use crate::store::{Fetch, StoreError};
use crate::text::VIETNAM;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::io::{self, Write};

/// Pages of one kind that are listed of a site.
const LISTED: usize = 10;

pub fn sites(config: &Config, json: bool) -> anyhow::Result<()> {
    let rows = rows(config)?;
    let mut out = io::stdout().lock();
    if json {
        for row in &rows {
            writeln!(out, "{}", serde_json::to_string(row)?)?;
        }
        return Ok(());
    }
    if let Some(notice) = rows.iter().find_map(|row| row.notice.as_ref()) {
        writeln!(out, "{}", harmless(notice))?;
    }
    let width = rows.iter().map(|row| row.id.len()).max().unwrap_or(0).max(4);
    // the zone of all times is that of the heads
    let heads = ["LAST SUCCESS +07", "LAST NEW +07", "NEXT POLL +07"];
    let [success, new, next] = heads;
    writeln!(out, "{:width$}  {:8}  {success:16}  {new:16}  {:>5}  {next:16}  WHY", "SITE", "STATE", "FAILS")?;
    for row in &rows {
        let [success, new, next] = [row.last_success, row.last_new, row.next_poll].map(brief);
        let (id, state, failures, why) = (&row.id, row.state, row.failures, harmless(&why(row)));
        writeln!(out, "{id:width$}  {state:8}  {success:16}  {new:16}  {failures:>5}  {next:16}  {why}")?;
    }
    Ok(())
}

/// How one site does, its latest requests, the oldest first, and the pages that wait or were given up.
pub fn site(config: &Config, id: &str, json: bool) -> anyhow::Result<()> {
    if !config.sites.iter().any(|site| site.id == id) {
        let why = format!("{}: there is no [[site]] with id {id}", config.file.display());
        return Err(super::Exit { code: super::USAGE, why }.into());
    }
    let sheet = sheet(config, id)?;
    let mut out = io::stdout().lock();
    match json {
        true => objects(&mut out, &sheet)?,
        false => lines(&mut out, &sheet)?,
    }
    Ok(())
}

/// A request a line, then the pages.
fn objects(out: &mut impl Write, SiteSheet { row, requests, waiting }: &SiteSheet) -> io::Result<()> {
    requests.iter().try_for_each(|fetch| writeln!(out, "{}", json!(fetch)))?;
    waiting.iter().try_for_each(|page| writeln!(out, "{}", json!({"what": "waiting", "page": page})))?;
    row.given_up.iter().try_for_each(|page| writeln!(out, "{}", json!({"what": "given_up", "page": page})))
}

fn lines(out: &mut impl Write, SiteSheet { row, requests, waiting }: &SiteSheet) -> io::Result<()> {
    requests.iter().try_for_each(|fetch| writeln!(out, "{}", request(fetch)))?;
    let why = harmless(&why(row));
    writeln!(out, "{}: {}{}{why}", row.id, row.state, if why.is_empty() { "" } else { ": " })?;
    let waiting = waiting.iter().map(|page| {
        let due = page.due.map_or("-".to_owned(), super::moment);
        let why = page.why.as_ref().map_or("not tried yet".to_owned(), |why| format!("{} tries: {why}", page.tries));
        format!("{due}  {}  {why}", page.url)
    });
    pages(out, "pages that wait", row.waiting, waiting)?;
    pages(out, "pages given up", row.gave_up, row.given_up.iter().map(|page| format!("{}  {}", page.url, page.why)))
}

/// The first of them.
fn pages(out: &mut impl Write, what: &str, count: usize, pages: impl Iterator<Item = String>) -> io::Result<()> {
    if count > 0 {
        let some = if count > LISTED { format!(", {LISTED} of them") } else { String::new() };
        writeln!(out, "{what}: {count}{some}")?;
    }
    pages.take(LISTED).try_for_each(|page| writeln!(out, "  {}", harmless(&page)))
}

fn request(fetch: &Fetch) -> String {
    let status = fetch.status.map_or("-".to_owned(), |status| status.to_string());
    let (at, next) = (super::moment(fetch.at), fetch.next.map_or("-".to_owned(), super::moment));
    let (wire, decoded, ms) = (fetch.wire, fetch.decoded, fetch.ms);
    let (url, decision) = (fetch.url.as_str(), harmless(&fetch.decision));
    format!("{at}  {status:>3}  {wire:>8}  {decoded:>8}  {ms:>6} ms  next {next:23}  {url}  {decision}")
}

/// What is wrong with the site, and what is wrong with its pages.
fn why(row: &SiteRow) -> String {
    let counted = [(row.waiting, "pages wait"), (row.gave_up, "pages given up")];
    let counted = counted.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let since = |at: Option<DateTime<Utc>>| at.map_or("-".to_owned(), super::moment);
    let degraded = row
        .extraction_reason
        .as_ref()
        .map(|why| format!("extraction: degraded since {}: {why}", since(row.extraction_since)));
    let drifted = row.feeds.iter().filter_map(|feed| Some(format!("{}: {}", feed.url, feed.drift.as_ref()?)));
    let since = row.since.map_or(String::new(), |at| format!(" (since {})", super::moment(at)));
    let reason = row.reason.iter().map(|why| format!("{why}{since}"));
    reason.chain(degraded).chain(drifted).chain(counted).collect::<Vec<_>>().join("; ")
}

/// From the store; while a daemon holds it, what that daemon says, else what it wrote last.
fn sheet(config: &Config, id: &str) -> anyhow::Result<SiteSheet> {
    if let Some(store) = own_store(config)? {
        let paused = crate::poll::short_of_room(config);
        let sheet = SiteSheet::of(config, &store, id, paused.as_deref())?;
        return Ok(sheet.expect("the site is configured"));
    }
    let no = match held::ask(config, &format!("/json/sites/{id}")) {
        Ok(sheet) => return Ok(sheet),
        Err(no) => no,
    };
    let row = written_rows(config)?.into_iter().find(|row| row.id == id);
    let row = row.ok_or_else(|| anyhow::anyhow!("{id} is not known to the daemon yet: reload it"))?;
    eprintln!("its latest requests are in the store alone, which the daemon holds; {no}");
    Ok(SiteSheet { row, requests: Vec::new(), waiting: Vec::new() })
}

fn rows(config: &Config) -> anyhow::Result<Vec<SiteRow>> {
    match own_store(config)? {
        Some(store) => Ok(status::rows(config, &store, crate::poll::short_of_room(config).as_deref())?),
        None => written_rows(config),
    }
}

/// None while a daemon holds it, and for root where it is not root's: root leaves it alone.
fn own_store(config: &Config) -> anyhow::Result<Option<crate::store::Store>> {
    if config.store.path.exists() && super::need_own_store(config).is_err() {
        return Ok(None);
    }
    match super::existing_store(config) {
        Ok(store) => Ok(Some(store)),
        Err(why) if matches!(why.downcast_ref(), Some(StoreError::Held(_))) => Ok(None),
        Err(why) => Err(why),
    }
}

fn written_rows(config: &Config) -> anyhow::Result<Vec<SiteRow>> {
    let file = config.export.path.join("status/sites.json");
    let text = std::fs::read_to_string(&file).map_err(|why| {
        anyhow::anyhow!("the store is the daemon's, which has not written {} yet ({why}): ask again", file.display())
    })?;
    eprintln!("the store is the daemon's; this is what it last wrote to {}", file.display());
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Without the zone, for a table.
fn brief(at: Option<DateTime<Utc>>) -> String {
    at.map_or("-".to_owned(), |at| at.with_timezone(&VIETNAM).format("%Y-%m-%d %H:%M").to_string())
}
