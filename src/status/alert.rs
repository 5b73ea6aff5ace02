//! Silence is a fault: a site whose state changes is said in the log, and told to whoever `[alert]` names, once.

use super::rows::{Condition, condition, extraction_reason};
use super::{ExtractionHealth, SiteHealth};
use crate::config::{AlertConfig, Site};
use crate::poll::Pipeline;
use crate::store::{SiteState, Store, StoreError};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::Notify;
use tracing::{error, info, warn};

/// For `[alert] command`.
const PATIENCE: Duration = Duration::from_secs(30);
/// Of what a failed command said.
const SAID: usize = 2000;

/// The sites whose change nobody was told yet.
#[derive(Default)]
pub struct Alerts {
    turned: Mutex<BTreeSet<String>>,
    /// Told of each.
    pub more: Notify,
}

impl Alerts {
    fn add(&self, site: &str) {
        // what a panicking thread left behind is a whole set
        self.turned.lock().unwrap_or_else(PoisonError::into_inner).insert(site.to_owned());
        self.more.notify_one();
    }

    fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut self.turned.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What was last said of a site. Remembered in the store, so that a restart repeats nothing and loses nothing.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, Debug)]
struct Said {
    state: SiteHealth,
    degraded: bool,
    /// What was not told yet.
    #[serde(default)]
    untold: Option<Change>,
}

/// A site's state is another one.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug)]
struct Change {
    site: String,
    name: String,
    state: SiteHealth,
    was: SiteHealth,
    reason: Option<String>,
    /// Since when it is in this state, where known.
    since: Option<DateTime<Utc>>,
    extraction: ExtractionHealth,
    extraction_reason: Option<String>,
    extraction_since: Option<DateTime<Utc>>,
    at: DateTime<Utc>,
}

/// What a command reads and a webhook is sent.
#[derive(Serialize)]
struct Message<'a> {
    schema: &'static str,
    /// All of it, a line a site.
    text: String,
    changes: &'a [Change],
}

fn key(site: &str) -> String {
    format!("alert/{site}")
}

/// After a round: whether the site's state is another one than was last said.
pub fn look(pipeline: &Pipeline, site: &Site, state: &SiteState, now: DateTime<Utc>) -> Result<(), StoreError> {
    let before: Said = pipeline.store.note(&key(&site.id))?.unwrap_or_default();
    let Some(change) = change(site, &before, state, now) else { return Ok(()) };
    say(&change);
    let degraded = change.extraction == ExtractionHealth::Degraded;
    let wanted = pipeline.config.alert != AlertConfig::default();
    let said = Said { state: change.state, degraded, untold: wanted.then_some(change) };
    pipeline.store.put_note(&key(&site.id), &said)?;
    pipeline.turned.store(true, Ordering::Relaxed);
    pipeline.changed.notify_one();
    if wanted {
        pipeline.alerts.add(&site.id);
    }
    Ok(())
}

fn change(site: &Site, before: &Said, is: &SiteState, now: DateTime<Utc>) -> Option<Change> {
    let Condition { state, extraction, reason, since } = condition(site, is);
    // a site that was never polled has no state that could change
    let same = before.state == state || state == SiteHealth::New;
    if same && before.degraded == (extraction == ExtractionHealth::Degraded) {
        return None;
    }
    Some(Change {
        site: site.id.clone(),
        name: site.name.clone(),
        state,
        was: before.state,
        reason,
        since,
        extraction,
        extraction_reason: extraction_reason(site, is),
        extraction_since: is.drift.degraded.as_ref().map(|degraded| degraded.since),
        at: now,
    })
}

fn say(change: &Change) {
    let Change { site, state, was, reason, since, extraction, extraction_reason, .. } = change;
    let (reason, since) = (reason.as_deref(), since.map(|at| at.to_rfc3339()));
    match extraction {
        ExtractionHealth::Degraded => {
            let extraction = extraction_reason.as_deref();
            warn!(site, %state, %was, reason, since, extraction, "site needs a look")
        }
        _ if *state == SiteHealth::Ok => info!(site, %state, %was, "site is well"),
        _ => warn!(site, %state, %was, reason, since, "site needs a look"),
    }
}

/// The sites whose change an earlier run could not tell any more are queued again.
pub fn waiting(pipeline: &Pipeline) -> Result<(), StoreError> {
    if pipeline.config.alert == AlertConfig::default() {
        return Ok(());
    }
    for site in &pipeline.config.sites {
        let said: Option<Said> = pipeline.store.note(&key(&site.id))?;
        if said.is_some_and(|said| said.untold.is_some()) {
            pipeline.alerts.add(&site.id);
        }
    }
    Ok(())
}

/// Tells all that was not told yet, in one message. It counts as told before it is: no change is told twice.
pub async fn deliver(pipeline: &Arc<Pipeline>) {
    let (store, sites) = (pipeline.store.clone(), pipeline.alerts.take());
    if sites.is_empty() {
        return;
    }
    let changes = tokio::task::spawn_blocking(move || take(&store, sites)).await.map_err(anyhow::Error::from);
    let changes = match changes.and_then(|taken| Ok(taken?)) {
        Ok(changes) if changes.is_empty() => return,
        Ok(changes) => changes,
        Err(why) => return error!("alerts were not told: {why:#}"),
    };
    let text: Vec<String> = changes.iter().map(line).collect();
    let message = Message { schema: "diemtin.alert/1", text: text.join("\n"), changes: &changes };
    let json = serde_json::to_vec(&message).expect("texts, times and lists only");
    let alert = &pipeline.config.alert;
    if let Err(why) = run(&alert.command, &json).await {
        // its arguments may be secret
        error!(command = alert.command.first(), why, sites = changes.len(), "the alert command failed");
    }
    if let Some(url) = &alert.webhook
        && let Err(why) = pipeline.fetcher.post(url, "application/json", json).await
    {
        // the path of such an address is a secret as a rule
        error!(host = url.host_str(), %why, sites = changes.len(), "the alert webhook failed");
    }
}

fn take(store: &Store, sites: BTreeSet<String>) -> Result<Vec<Change>, StoreError> {
    let mut changes = Vec::new();
    for site in sites {
        let Some(said) = store.note::<Said>(&key(&site))? else { continue };
        let Some(change) = said.untold.clone() else { continue };
        store.put_note(&key(&site), &Said { untold: None, ..said })?;
        changes.push(change);
    }
    store.sync()?;
    Ok(changes)
}

/// `hungyen-danvan (Ban Dân vận): failing since …: why`
fn line(change: &Change) -> String {
    let Change { site, name, state, reason, since, extraction_reason: degraded, extraction_since, .. } = change;
    let told = |at: &Option<DateTime<Utc>>| at.map(|at| at.format(" since %Y-%m-%d %H:%M UTC").to_string());
    let why = |why: &Option<String>| why.as_ref().map(|why| format!(": {why}"));
    let state = [Some(state.to_string()), told(since), why(reason)];
    let extraction = degraded.as_ref().map(|_| "; extraction degraded".to_owned());
    let parts = state.into_iter().chain([extraction, told(extraction_since), why(degraded)]).flatten();
    format!("{site} ({name}): {}", parts.collect::<String>())
}

/// Without a shell, the message on its stdin. What it says is told where it fails.
async fn run(command: &[String], json: &[u8]) -> Result<(), String> {
    let Some((program, arguments)) = command.split_first() else { return Ok(()) };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|why| format!("it cannot be started: {why}"))?;
    let stdin = child.stdin.take();
    let write = async {
        // one that reads nothing is free to
        if let Some(mut stdin) = stdin {
            stdin.write_all(json).await.unwrap_or(());
        }
    };
    let done = async { tokio::join!(write, child.wait_with_output()).1 };
    let output = tokio::time::timeout(PATIENCE, done).await;
    let output = output.map_err(|_| format!("it did not end within {}", humantime::format_duration(PATIENCE)))?;
    let output = output.map_err(|why| why.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned();
    Err(format!("{}; it said: {}", output.status, said.chars().take(SAID).collect::<String>()))
}
