//! `diemtin once`: every site once, and a summary.

use super::{LogForm, harmless};
use crate::article::Outcome;
use crate::config::{Config, Tls};
use crate::daemon;
use crate::fetch::public;
use crate::poll::{self, FeedNews, FeedReport, Pipeline, Round};
use crate::status;
use chrono::{SubsecRound, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub fn once(config: Config, form: LogForm, json: bool) -> anyhow::Result<()> {
    if form == LogForm::Json {
        super::log::start(form);
    }
    super::need_own_store(&config)?;
    let pipeline = Arc::new(Pipeline::open(config)?);
    for site in pipeline.config.sites.iter().filter(|site| site.tls == Tls::Insecure) {
        eprintln!("{}: tls = \"insecure\": its certificate is not verified, its articles are marked", site.id);
    }
    let done = round(&pipeline, json);
    if pipeline.store.poisoned().is_some() {
        // sled would write what failed once more as it is dropped, and panic; the process ends here anyway.
        std::mem::forget(pipeline.store.clone());
    }
    done
}

fn round(pipeline: &Arc<Pipeline>, json: bool) -> anyhow::Result<()> {
    if let Some(why) = poll::short_of_room(&pipeline.config) {
        daemon::export_now(pipeline).map(drop)?;
        anyhow::bail!("{why}");
    }
    let rounds = super::runtime()?.block_on(async {
        status::waiting(pipeline)?;
        let rounds = every_site(pipeline).await;
        status::deliver(pipeline).await;
        anyhow::Ok(rounds)
    })?;
    // What the sites brought is told first: it is stored, whatever becomes of the folder.
    let stopped = if json { list(&rounds)? } else { summarize(pipeline, &rounds)? };
    if let Some(why) = nothing_read(&rounds) {
        eprintln!("NO SITE could be read. If this machine is not connected to the Internet, that is why. {why}");
    }
    export(pipeline)?;
    match stopped {
        0 => Ok(()),
        count => Err(anyhow::anyhow!("{count} sites were not polled to the end, see above")),
    }
}

/// Until the store is within its limits.
fn export(pipeline: &Pipeline) -> anyhow::Result<()> {
    let mut let_go = 0;
    loop {
        let gone = daemon::export_now(pipeline)?;
        if gone == 0 {
            break;
        }
        let_go += gone;
    }
    if let_go > 0 {
        eprintln!("{let_go} articles were let go by the limits in [store]");
    }
    Ok(())
}

type Rounds = BTreeMap<String, anyhow::Result<Told>>;

/// What is told of a site's round; the entries of ten thousand sites need not be held for that.
struct Told {
    failed: Option<String>,
    tally: BTreeMap<&'static str, usize>,
    lines: Vec<String>,
}

impl Told {
    fn of(round: &Round) -> Told {
        Told { failed: round.failure().map(str::to_owned), tally: round.tally(), lines: lines(round) }
    }
}

/// A bar on a terminal, nothing elsewhere.
async fn every_site(pipeline: &Arc<Pipeline>) -> Rounds {
    let bar = ProgressBar::new(pipeline.config.sites.len() as u64);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").map_or(ProgressStyle::default_bar(), |s| s);
    bar.set_style(style);
    let slots = Arc::new(Semaphore::new(pipeline.config.poll.concurrency));
    let (mut polls, mut names) = (JoinSet::new(), HashMap::new());
    for site in pipeline.config.sites.clone() {
        // In the order of the configuration; never closed, so there is always a slot to wait for.
        let slot = slots.clone().acquire_owned().await;
        let (pipeline, bar, name) = (pipeline.clone(), bar.clone(), site.id.clone());
        let task = polls.spawn(async move {
            let _slot = slot;
            let round = poll::poll(&pipeline, &site, Utc::now().trunc_subsecs(0)).await;
            bar.set_message(site.id.clone());
            bar.inc(1);
            round.map(|round| Told::of(&round))
        });
        names.insert(task.id(), name);
    }
    let mut rounds = BTreeMap::new();
    while let Some(done) = polls.join_next_with_id().await {
        let (task, round) = match done {
            Ok((task, round)) => (task, round.map_err(anyhow::Error::from)),
            Err(stopped) => (stopped.id(), Err(stopped.into())),
        };
        // Every task was noted as it was started, and ends once.
        rounds.extend(names.remove(&task).map(|site| (site, round)));
    }
    bar.finish_and_clear();
    rounds
}

/// Every site that has something to say, then the sum. Returns how many rounds stopped half-way.
fn summarize(pipeline: &Pipeline, rounds: &Rounds) -> anyhow::Result<usize> {
    let mut out = io::stdout().lock();
    let mut sum: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut failed, mut stopped) = (0, 0);
    if let Some(healed) = &pipeline.healed {
        writeln!(out, "{}", harmless(&healed.to_string()))?;
    }
    for (site, round) in rounds {
        match round {
            Ok(round) => {
                for (outcome, count) in &round.tally {
                    *sum.entry(outcome).or_default() += count;
                }
                failed += usize::from(round.failed.is_some());
                round.lines.iter().try_for_each(|line| writeln!(out, "{site}: {}", harmless(line)))?;
            }
            Err(why) => {
                stopped += 1;
                writeln!(out, "{site}: stopped: {why:#}")?;
            }
        }
    }
    let sum = if sum.is_empty() { "nothing new".to_owned() } else { in_words(&sum) };
    let folder = pipeline.config.export.path.display();
    writeln!(out, "{} sites polled, {failed} failed; {sum}; export in {folder}", rounds.len())?;
    Ok(stopped)
}

/// The first site's reason, where every site failed.
fn nothing_read(rounds: &Rounds) -> Option<String> {
    let failure = |(site, round): (&String, &anyhow::Result<Told>)| {
        round.as_ref().ok()?.failed.as_ref().map(|why| format!("{site}: {}", harmless(why)))
    };
    let all: Option<Vec<String>> = rounds.iter().map(failure).collect();
    all?.into_iter().next()
}

/// An object a site, then one for all. Returns how many rounds stopped half-way.
fn list(rounds: &Rounds) -> anyhow::Result<usize> {
    let mut out = io::stdout().lock();
    for (site, round) in rounds {
        let line = match round {
            Ok(round) => {
                json!({"site": site, "failed": round.failed, "outcomes": round.tally, "said": round.lines})
            }
            Err(why) => json!({"site": site, "stopped": format!("{why:#}")}),
        };
        writeln!(out, "{line}")?;
    }
    let read = rounds.values().flatten();
    let failed = read.filter(|round| round.failed.is_some()).count();
    let stopped = rounds.values().filter(|round| round.is_err()).count();
    writeln!(out, "{}", json!({"sites": rounds.len(), "failed": failed, "stopped": stopped}))?;
    Ok(stopped)
}

/// What the feeds said, each page that was not had, and how many ended how.
fn lines(round: &Round) -> Vec<String> {
    let mut lines: Vec<String> = round.feeds.iter().filter_map(feed_line).collect();
    for feed in &round.feeds {
        lines.extend(feed.notes.iter().map(|note| format!("{}: {note}", public(&feed.url))));
    }
    for settled in &round.settled {
        if let Outcome::Later { why } | Outcome::GaveUp { why } | Outcome::Kept { why } = &settled.outcome {
            let outcome = settled.outcome.label().replace('_', " ");
            lines.push(format!("{outcome}: {}: {why}", public(&settled.url)));
        }
    }
    let kept = |outcome: &Outcome| matches!(outcome, Outcome::Stored | Outcome::Revision { .. });
    for settled in round.settled.iter().filter(|settled| kept(&settled.outcome)) {
        lines.extend(settled.doubt.as_ref().map(|why| format!("in doubt: {}: {why}", public(&settled.url))));
    }
    let tally = round.tally();
    if !tally.is_empty() {
        lines.push(in_words(&tally));
    }
    if let Some(at) = round.retry {
        lines.push(format!("pages wait for another try, the first until {}", super::moment(at)));
    }
    lines
}

/// `3 stored, 1 off topic`
fn in_words(tally: &BTreeMap<&str, usize>) -> String {
    let counts = tally.iter().map(|(outcome, count)| format!("{count} {}", outcome.replace('_', " ")));
    counts.collect::<Vec<_>>().join(", ")
}

fn feed_line(feed: &FeedReport) -> Option<String> {
    let url = public(&feed.url);
    match &feed.result {
        Ok(FeedNews::Unchanged) => None,
        Ok(FeedNews::Read { entries, new, addressless, repairs }) => {
            let mut line = format!("{entries} entries, {new} new");
            if *addressless > 0 {
                line += &format!("; {addressless} without an address");
            }
            if !repairs.is_empty() {
                line += &format!("; mended: {}", repairs.join(", "));
            }
            Some(line)
        }
        Ok(FeedNews::Waiting(until)) => Some(format!("{url} asked to wait until {}", super::moment(*until))),
        Ok(FeedNews::Stopped(since)) => {
            Some(format!("{url} is gone for good since {}: not asked any more", super::moment(*since)))
        }
        Err(why) => Some(format!("{url} failed: {why}")),
    }
}
