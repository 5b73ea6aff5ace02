//! `diemtin once`: every site once, and a summary.

use super::LogForm;
use crate::config::Config;
use crate::daemon;
use crate::poll::{self, FeedNews, Pipeline, Round};
use crate::store::StoreError;
use chrono::Utc;
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub fn once(config: Config, form: LogForm) -> anyhow::Result<()> {
    if form == LogForm::Json {
        super::log::start(form);
    }
    let pipeline = Arc::new(Pipeline::open(config)?);
    let runtime = super::runtime()?;
    let rounds = runtime.block_on(every_site(&pipeline))?;
    daemon::export_now(&pipeline)?;
    summarize(&pipeline, &rounds)
}

/// A bar on a terminal, nothing elsewhere.
async fn every_site(pipeline: &Arc<Pipeline>) -> Result<BTreeMap<String, Round>, StoreError> {
    let bar = ProgressBar::new(pipeline.config.sites.len() as u64);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").map_or(ProgressStyle::default_bar(), |s| s);
    bar.set_style(style);
    let slots = Arc::new(Semaphore::new(pipeline.config.poll.concurrency));
    let mut polls = JoinSet::new();
    for site in pipeline.config.sites.clone() {
        let (pipeline, slots) = (pipeline.clone(), slots.clone());
        polls.spawn(async move {
            // Never closed, so there is always a slot to wait for.
            let _slot = slots.acquire().await;
            (site.id.clone(), poll::poll(&pipeline, &site, Utc::now()).await)
        });
    }
    let mut rounds = BTreeMap::new();
    while let Some(done) = polls.join_next().await {
        let (site, round) = done.unwrap_or_else(|stopped| std::panic::resume_unwind(stopped.into_panic()));
        bar.set_message(site.clone());
        bar.inc(1);
        rounds.insert(site, round?);
    }
    bar.finish_and_clear();
    Ok(rounds)
}

/// Every site that has something to say, then the sum.
fn summarize(pipeline: &Pipeline, rounds: &BTreeMap<String, Round>) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let mut sum: BTreeMap<&str, usize> = BTreeMap::new();
    let mut failed = 0;
    for (site, round) in rounds {
        for (outcome, count) in round.tally() {
            *sum.entry(outcome).or_default() += count;
        }
        failed += usize::from(round.failure().is_some());
        for line in lines(round) {
            writeln!(out, "{site}: {line}")?;
        }
    }
    let sum: Vec<String> =
        sum.iter().map(|(outcome, count)| format!("{count} {}", outcome.replace('_', " "))).collect();
    let sum = if sum.is_empty() { "nothing new".to_owned() } else { sum.join(", ") };
    writeln!(
        out,
        "{} sites polled, {failed} failed; {sum}; export in {}",
        rounds.len(),
        pipeline.config.export.path.display()
    )?;
    if failed > 0 && failed == rounds.len() {
        writeln!(out, "no site answered: is this machine connected to the Internet?")?;
    }
    Ok(())
}

fn lines(round: &Round) -> Vec<String> {
    let mut lines = Vec::new();
    for feed in &round.feeds {
        match &feed.result {
            Ok(FeedNews::Unchanged) => {}
            Ok(FeedNews::Read { entries, new, repairs }) => {
                let mended =
                    if repairs.is_empty() { String::new() } else { format!("; mended: {}", repairs.join(", ")) };
                lines.push(format!("{entries} entries, {new} new{mended}"));
            }
            Ok(FeedNews::Waiting(until)) => lines.push(format!("{} asked to wait until {until}", feed.url)),
            Err(why) => lines.push(format!("{} failed: {}", feed.url, why.escape_debug())),
        }
    }
    let tally: Vec<String> = round.tally().iter().map(|(o, n)| format!("{n} {}", o.replace('_', " "))).collect();
    if !tally.is_empty() {
        lines.push(tally.join(", "));
    }
    lines
}
