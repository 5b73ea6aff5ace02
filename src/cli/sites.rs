//! `diemtin sites`: a row a site.

use crate::config::Config;
use crate::status::{self, SiteRow};
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use std::io::{self, Write};

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
        writeln!(out, "{notice}")?;
    }
    let width = rows.iter().map(|row| row.id.len()).max().unwrap_or(0).max(4);
    writeln!(
        out,
        "{:width$}  {:8}  {:16}  {:16}  {:>5}  {:16}  WHY",
        "SITE", "STATE", "LAST SUCCESS", "LAST NEW", "FAILS", "NEXT POLL"
    )?;
    for row in &rows {
        writeln!(
            out,
            "{:width$}  {:8}  {:16}  {:16}  {:>5}  {:16}  {}",
            row.id,
            row.state,
            moment(row.last_success),
            moment(row.last_new),
            row.failures,
            moment(row.next_poll),
            why(row)
        )?;
    }
    Ok(())
}

/// The latest requests to one site, the oldest first.
pub fn requests(config: &Config, id: &str, json: bool) -> anyhow::Result<()> {
    if !config.sites.iter().any(|site| site.id == id) {
        let why = format!("{}: there is no [[site]] with id {id}", config.file.display());
        return Err(super::Exit { code: super::USAGE, why }.into());
    }
    let mut out = io::stdout().lock();
    for fetch in super::existing_store(config)?.fetches(id)? {
        if json {
            writeln!(out, "{}", serde_json::to_string(&fetch)?)?;
            continue;
        }
        let status = fetch.status.map_or("-".to_owned(), |status| status.to_string());
        let (at, next) = (super::moment(fetch.at), moment(fetch.next));
        let (wire, decoded, ms) = (fetch.wire, fetch.decoded, fetch.ms);
        // what servers say may hold anything
        let (url, decision) = (fetch.url.as_str(), fetch.decision.escape_debug());
        writeln!(out, "{at}  {status:>3}  {wire:>8}  {decoded:>8}  {ms:>6} ms  next {next:16}  {url}  {decision}")?;
    }
    Ok(())
}

/// What is wrong with the site, and what is wrong with its pages.
fn why(row: &SiteRow) -> String {
    let counted = [(row.waiting, "pages wait"), (row.gave_up, "pages given up")];
    let counted = counted.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let degraded = row
        .extraction_reason
        .as_ref()
        .map(|why| format!("extraction: degraded since {}: {why}", moment(row.extraction_since)));
    let drifted = row.feeds.iter().filter_map(|feed| Some(format!("{}: {}", feed.url, feed.drift.as_ref()?)));
    let since = row.since.map_or(String::new(), |at| format!(" (since {})", super::moment(at)));
    let reason = row.reason.iter().map(|why| format!("{why}{since}"));
    reason.chain(degraded).chain(drifted).chain(counted).collect::<Vec<_>>().join("; ")
}

/// From the store; while a daemon holds it, what that daemon wrote last.
fn rows(config: &Config) -> anyhow::Result<Vec<SiteRow>> {
    // root looks at what the daemon wrote, and leaves its store alone
    if config.store.path.exists() && super::need_own_store(config).is_err() {
        return written_rows(config);
    }
    match super::existing_store(config) {
        Ok(store) => Ok(status::rows(config, &store, crate::poll::short_of_room(config).as_deref())?),
        Err(why) if matches!(why.downcast_ref(), Some(StoreError::Held(_))) => written_rows(config),
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

fn moment(at: Option<DateTime<Utc>>) -> String {
    at.map_or("-".to_owned(), super::moment)
}
