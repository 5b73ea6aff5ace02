//! `diemtin sites`: a row a site.

use crate::config::Config;
use crate::status::{self, SiteRow};
use crate::store::{Store, StoreError};
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
            row.reason.as_deref().unwrap_or("")
        )?;
    }
    Ok(())
}

/// From the store; while a daemon holds it, what that daemon wrote last.
fn rows(config: &Config) -> anyhow::Result<Vec<SiteRow>> {
    match Store::open(&config.store.path) {
        Ok(store) => Ok(status::rows(config, &store)?),
        Err(StoreError::Held(_)) => written_rows(config),
        Err(other) => Err(other.into()),
    }
}

fn written_rows(config: &Config) -> anyhow::Result<Vec<SiteRow>> {
    let file = config.export.path.join("status/sites.json");
    let text = std::fs::read_to_string(&file).map_err(|why| {
        anyhow::anyhow!("the daemon holds the store and has not written {} yet ({why}): ask again", file.display())
    })?;
    eprintln!("the daemon is running; this is what it last wrote to {}", file.display());
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Vietnam's time, to the minute.
fn moment(at: Option<DateTime<Utc>>) -> String {
    at.map_or("-".to_owned(), |at| at.with_timezone(&crate::text::VIETNAM).format("%Y-%m-%d %H:%M").to_string())
}
