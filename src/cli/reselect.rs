//! `diemtin reselect`: what is kept and what was dropped, judged again after a change of the terms.

use super::harmless;
use crate::article::Article;
use crate::config::Config;
use crate::daemon;
use crate::fetch::public;
use crate::poll::{self, Pipeline, Reselected};
use chrono::{SubsecRound, Utc};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// In the order in which they are told.
const OUTCOMES: [(&str, &str); 7] = [
    ("same", "as before"),
    ("revised", "kept for other reasons, a revision each"),
    ("taken_away", "no longer wanted, taken away"),
    ("taken_in", "dropped before, now taken in"),
    ("still_dropped", "still dropped"),
    ("no_page", "dropped before, their pages no longer kept: they stay dropped"),
    ("no_site", "of sites that are not configured any more, left alone"),
];

pub fn reselect(config: Config, dry: bool, json: bool) -> anyhow::Result<()> {
    super::need_store(&config)?;
    super::need_own_store(&config)?;
    let pipeline = Pipeline::open(config)?;
    let mut out = io::stdout().lock();
    let (mut counts, mut written) = (BTreeMap::<&str, usize>::new(), Ok(()));
    poll::reselect(&pipeline, Utc::now().trunc_subsecs(0), dry, |one| {
        let (outcome, what) = told(&one);
        *counts.entry(outcome).or_default() += 1;
        if let (Some((url, title)), Ok(())) = (what, &written) {
            written = match json {
                true => writeln!(out, "{}", json!({"outcome": outcome, "url": url, "title": title})),
                false => writeln!(out, "{}: {url} {}", outcome.replace('_', " "), harmless(&title)),
            };
        }
    })?;
    if !dry {
        daemon::export_now(&pipeline)?;
    }
    written?;
    if json {
        return Ok(writeln!(out, "{}", json!({"written": !dry, "outcomes": counts}))?);
    }
    for (outcome, words) in OUTCOMES {
        if let Some(count) = counts.get(outcome) {
            writeln!(out, "{count} {words}")?;
        }
    }
    Ok(writeln!(out, "{}", if dry { "nothing was written" } else { "all is written" })?)
}

/// Its name; address and title of what changed.
fn told(one: &Reselected) -> (&'static str, Option<(String, String)>) {
    let article = |article: &Article| Some((article.url.to_string(), article.title.clone()));
    match one {
        Reselected::Same => ("same", None),
        Reselected::Otherwise(kept) => ("revised", article(kept)),
        Reselected::TakenAway(gone) => ("taken_away", article(gone)),
        Reselected::NoSite => ("no_site", None),
        Reselected::TakenIn(settled) => ("taken_in", Some((public(&settled.url).to_string(), settled.title.clone()))),
        Reselected::StillDropped => ("still_dropped", None),
        Reselected::NoPage => ("no_page", None),
    }
}
