//! `diemtin try STAGE`: one stage alone, over files or JSON Lines, on all cores, answers in input order.

mod stages;

use super::{BAD_DATA, Exit};
use clap::{Args, Subcommand};
use encoding_rs::UTF_8;
use serde::Serialize;
use serde_json::Value;
use stages::{Dedup, Stage};
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Bytes of input read at once.
const READ: usize = 256 << 10;
/// Lines worked on in one go, at most.
const BATCH: usize = 32;

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
            bulk(input, |give| hand_out(all, give), |given| stage.answer(&given), |answer| answer)
        }
        StageName::Select(input) => each(input, &Stage::select(config)?),
        StageName::Dedup(input) => {
            let mut dedup = Dedup::default();
            let place = |printed| dedup.place(printed);
            bulk(input, |give| read(input, give), |given| stages::print(&given), place)
        }
    }
}

fn each(input: &Input, stage: &Stage) -> anyhow::Result<()> {
    bulk(input, |give| read(input, give), |given| stage.answer(&given), |answer| answer)
}

/// Everything there is to work on, in memory.
fn all(input: &Input) -> anyhow::Result<Vec<Given>> {
    let (give, take) = sync_channel(64);
    thread::scope(|scope| {
        let reader = scope.spawn(move || read(input, &give));
        let all = take.iter().flat_map(|(_, batch)| batch).collect();
        match reader.join() {
            Ok(read) => read.map(|()| all),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Stops early, without an error, when nobody takes what is handed out.
fn hand_out(all: Vec<Given>, give: &SyncSender<Numbered<Given>>) -> anyhow::Result<()> {
    for (n, given) in all.into_iter().enumerate() {
        if give.send((n, vec![given])).is_err() {
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

/// A few of the inputs, which are short and many, or of what became of them; batches are numbered from 0.
type Numbered<T> = (usize, Vec<T>);

/// An answer as it is written.
pub struct Answer {
    json: Vec<u8>,
    ok: bool,
}

impl Answer {
    pub fn of(answer: &Value) -> Answer {
        Answer::written(answer, answer["ok"] == true)
    }

    pub fn written(answer: &impl Serialize, ok: bool) -> Answer {
        let mut json = serde_json::to_vec(answer).expect("texts, numbers and lists can be written");
        json.push(b'\n');
        Answer { json, ok }
    }
}

/// What `source` hands out; `work` on all threads, then `finish` in input order, then a line of output.
fn bulk<T: Send>(
    input: &Input,
    source: impl FnOnce(&SyncSender<Numbered<Given>>) -> anyhow::Result<()> + Send,
    work: impl Fn(Given) -> T + Sync,
    mut finish: impl FnMut(T) -> Answer,
) -> anyhow::Result<()> {
    let jobs =
        input.jobs.map_or_else(|| thread::available_parallelism().map_or(1, NonZeroUsize::get), NonZeroUsize::get);
    let (give, take) = sync_channel::<Numbered<Given>>(jobs * 2);
    let (done, collect) = sync_channel::<Numbered<T>>(jobs * 2);
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

fn work_off<T>(take: &Mutex<Receiver<Numbered<Given>>>, work: impl Fn(Given) -> T, done: &SyncSender<Numbered<T>>) {
    loop {
        let next = take.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).recv();
        let Ok((n, batch)) = next else { return };
        if done.send((n, batch.into_iter().map(&work).collect())).is_err() {
            return;
        }
    }
}

/// Stops early, without an error, when nobody takes what is read.
fn read(input: &Input, give: &SyncSender<Numbered<Given>>) -> anyhow::Result<()> {
    if !input.jsonl {
        return hand_out_files(&input.files, give);
    }
    let mut stdin = io::BufReader::with_capacity(READ, io::stdin().lock());
    for n in 0.. {
        let batch = lines(&mut stdin)?;
        if batch.is_empty() || give.send((n, batch)).is_err() {
            break;
        }
    }
    Ok(())
}

/// Each is read when its turn comes.
fn hand_out_files(files: &[PathBuf], give: &SyncSender<Numbered<Given>>) -> anyhow::Result<()> {
    for (n, file) in files.iter().enumerate() {
        let name = file.display().to_string();
        let given = match std::fs::read(file) {
            Ok(bytes) => Given::File { name, bytes },
            Err(why) => Given::Unreadable { name, why: why.to_string() },
        };
        if give.send((n, vec![given])).is_err() {
            break;
        }
    }
    Ok(())
}

/// The next lines; no more than have come already, so that nobody waits for one that comes later. None at the end.
fn lines(from: &mut io::BufReader<impl io::Read>) -> io::Result<Vec<Given>> {
    let mut batch = Vec::new();
    while batch.is_empty() || !from.buffer().is_empty() && batch.len() < BATCH {
        let mut line = Vec::new();
        if from.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        // what std needs for texts beyond ASCII is a fifth of the whole of `try dedup`
        batch.push(Given::Line(UTF_8.decode_without_bom_handling(&line).0.into_owned()));
    }
    Ok(batch)
}

/// Whether every answer said `ok`.
fn write_in_order<T>(collect: Receiver<Numbered<T>>, finish: &mut impl FnMut(T) -> Answer) -> anyhow::Result<bool> {
    let mut out = io::stdout().lock();
    let mut early = BTreeMap::new();
    let mut next = 0;
    let mut all_good = true;
    for (n, answers) in collect {
        early.insert(n, answers);
        while let Some(answers) = early.remove(&next) {
            for answer in answers.into_iter().map(&mut *finish) {
                all_good &= answer.ok;
                out.write_all(&answer.json)?;
            }
            next += 1;
        }
    }
    out.flush()?;
    Ok(all_good)
}
