//! `diemtin try STAGE`: one stage alone, over files or JSON Lines, on all cores, answers in input order.

mod stages;

use super::{BAD_DATA, Exit};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use stages::{Dedup, Stage};
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

#[derive(Args, Debug)]
pub struct Try {
    #[command(subcommand)]
    stage: StageName,
}

#[derive(Subcommand, Debug)]
enum StageName {
    /// Read feeds: {"id","body_base64","content_type"?,"url"?,"default_offset"?}
    Parse(Input),
    /// Take the chrome from pages: {"id","url","html"} or "html_base64"
    Extract {
        #[command(flatten)]
        input: Input,
        /// Use this [layout] of the configuration
        #[arg(long, value_name = "NAME")]
        layout: Option<String>,
        /// Read all pages twice: those of one host teach each other what is chrome
        #[arg(long)]
        learn: bool,
    },
    /// Judge texts: {"id","title","text"}
    Select(Input),
    /// Find copies, in order of arrival: {"id","title"?,"text"}
    Dedup(Input),
}

#[derive(Args, Debug)]
struct Input {
    /// A feed, a page or a text as it is; one answer each
    #[arg(value_name = "FILE", required_unless_present = "jsonl", conflicts_with = "jsonl")]
    files: Vec<PathBuf>,
    /// One object a line, from standard input
    #[arg(long)]
    jsonl: bool,
    /// Threads [default: one a core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

pub fn try_stage(what: &Try, config: Option<&Path>) -> anyhow::Result<()> {
    match &what.stage {
        StageName::Parse(input) => each(input, &Stage::Parse),
        StageName::Extract { input, layout, learn: false } => each(input, &Stage::extract(layout.as_deref(), config)?),
        StageName::Extract { input, layout, learn: true } => {
            let mut stage = Stage::extract(layout.as_deref(), config)?;
            let all = all(input)?;
            all.iter().for_each(|given| stage.learn(given));
            bulk(input, |give| hand_out(all, give), |given| stage.answer(given), |answer| answer)
        }
        StageName::Select(input) => each(input, &Stage::select(config)?),
        StageName::Dedup(input) => {
            let mut dedup = Dedup::default();
            bulk(input, |give| read(input, give), stages::print, |printed| dedup.place(printed))
        }
    }
}

fn each(input: &Input, stage: &Stage) -> anyhow::Result<()> {
    bulk(input, |give| read(input, give), |given| stage.answer(given), |answer| answer)
}

/// Everything there is to work on, in memory.
fn all(input: &Input) -> anyhow::Result<Vec<Given>> {
    let (give, take) = sync_channel(64);
    thread::scope(|scope| {
        let reader = scope.spawn(move || read(input, &give));
        let all = take.iter().map(|(_, given)| given).collect();
        match reader.join() {
            Ok(read) => read.map(|()| all),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Stops early, without an error, when nobody takes what is handed out.
fn hand_out(all: Vec<Given>, give: &SyncSender<(usize, Given)>) -> anyhow::Result<()> {
    for numbered in all.into_iter().enumerate() {
        if give.send(numbered).is_err() {
            break;
        }
    }
    Ok(())
}

/// One thing to work on, or why there is none.
#[derive(Clone)]
pub enum Given {
    Line(String),
    File { name: String, bytes: Vec<u8> },
    Unreadable { name: String, why: String },
}

/// What `source` hands out, numbered from 0; `work` on all threads, then `finish` in input order, then a line of output.
fn bulk<T: Send>(
    input: &Input,
    source: impl FnOnce(&SyncSender<(usize, Given)>) -> anyhow::Result<()> + Send,
    work: impl Fn(Given) -> T + Sync,
    mut finish: impl FnMut(T) -> Value,
) -> anyhow::Result<()> {
    let jobs =
        input.jobs.map_or_else(|| thread::available_parallelism().map_or(1, NonZeroUsize::get), NonZeroUsize::get);
    let (give, take) = sync_channel::<(usize, Given)>(jobs * 4);
    let (done, collect) = sync_channel::<(usize, T)>(jobs * 4);
    let take = Mutex::new(take);
    thread::scope(|scope| {
        let reader = scope.spawn(move || source(&give));
        for _ in 0..jobs {
            let (take, work, done) = (&take, &work, done.clone());
            scope.spawn(move || work_off(take, work, &done));
        }
        drop(done);
        let all_good = match write_in_order(collect, &mut finish) {
            Ok(all_good) => all_good,
            // The reader may be waiting for a line that never comes, so nothing is joined: `… | head` ends here.
            Err(why) => std::process::exit(i32::from(super::report(&why))),
        };
        match reader.join() {
            Ok(read) => read?,
            Err(panic) => std::panic::resume_unwind(panic),
        }
        // A bad line is answered in its place; only for named files is it the command's failure.
        if all_good || input.jsonl {
            return Ok(());
        }
        Err(Exit { code: BAD_DATA, why: "not every file could be used, see `error`".to_owned() }.into())
    })
}

fn work_off<T>(take: &Mutex<Receiver<(usize, Given)>>, work: impl Fn(Given) -> T, done: &SyncSender<(usize, T)>) {
    loop {
        let next = take.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).recv();
        let Ok((n, given)) = next else { return };
        if done.send((n, work(given))).is_err() {
            return;
        }
    }
}

/// Stops early, without an error, when nobody takes what is read.
fn read(input: &Input, give: &SyncSender<(usize, Given)>) -> anyhow::Result<()> {
    if !input.jsonl {
        for (n, file) in input.files.iter().enumerate() {
            let name = file.display().to_string();
            let given = match std::fs::read(file) {
                Ok(bytes) => Given::File { name, bytes },
                Err(why) => Given::Unreadable { name, why: why.to_string() },
            };
            if give.send((n, given)).is_err() {
                return Ok(());
            }
        }
        return Ok(());
    }
    let mut stdin = io::stdin().lock();
    let mut line = Vec::new();
    for n in 0.. {
        line.clear();
        if stdin.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if give.send((n, Given::Line(String::from_utf8_lossy(&line).into_owned()))).is_err() {
            break;
        }
    }
    Ok(())
}

/// Whether every answer said `ok`.
fn write_in_order<T>(collect: Receiver<(usize, T)>, finish: &mut impl FnMut(T) -> Value) -> anyhow::Result<bool> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut early = BTreeMap::new();
    let mut next = 0;
    let mut all_good = true;
    for (n, answer) in collect {
        early.insert(n, answer);
        while let Some(answer) = early.remove(&next) {
            let answer = finish(answer);
            all_good &= answer["ok"] == json!(true);
            serde_json::to_writer(&mut out, &answer)?;
            out.write_all(b"\n")?;
            next += 1;
        }
    }
    out.flush()?;
    Ok(all_good)
}
