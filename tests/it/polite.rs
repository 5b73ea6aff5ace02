//! tests/polite.tsv, walked: what a good citizen does, against a scripted server; the test says what time it is.

use crate::noon;
use chrono::{DateTime, TimeDelta, Utc};
use diemtin::article::Outcome;
use diemtin::config::Config;
use diemtin::poll::{self, FeedNews, Pipeline, Round};
use diemtin::status;
use diemtin::store::FeedState;
use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::{fs, thread};

/// One row of the table.
struct Row<'a> {
    number: &'a str,
    title: &'a str,
    given: &'a str,
    expected: &'a str,
}

fn rows(table: &str) -> Vec<Row<'_>> {
    let lines = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let mut cells = line.split('\t');
            let mut cell = || cells.next().unwrap_or_default();
            Row { number: cell(), title: cell(), given: cell(), expected: cell() }
        })
        .collect()
}

#[tokio::test]
async fn the_table_holds() {
    let table = include_str!("../polite.tsv");
    let rows = rows(table);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut failed, sources) = (String::new(), sources(&root.join("src")) + &sources(&root.join("tests/it")));
    for (nth, row) in rows.iter().enumerate() {
        assert_eq!(row.number, (nth + 1).to_string(), "the rows are numbered");
        let wrong = match row.given.strip_prefix("test ") {
            Some(names) => named(names, &sources),
            None => play(row).await,
        };
        for why in wrong {
            writeln!(failed, "{} {}: {why}", row.number, row.title).expect("a string takes all");
        }
    }
    assert!(rows.len() >= 40 && failed.is_empty(), "{failed}");
}

#[tokio::test]
async fn sites_of_one_host_ask_for_robots_txt_once() {
    let (server, folder) = (Server::start(), tempfile::tempdir().expect("a temporary folder"));
    let pipeline = open(folder.path(), &server, &["pages", "sites=2"]);
    let answers = vec![("/rss", "200 n1"), ("/rss2", "200 n1@2"), ("/robots.txt", "404"), ("/robots.txt", "404")];
    server.script(&Poll { answers, ..Poll::default() }, noon());
    let (a, b) = (&pipeline.config.sites[0], &pipeline.config.sites[1]);
    let rounds = tokio::join!(poll::poll(&pipeline, a, noon()), poll::poll(&pipeline, b, noon()));
    assert_eq!((rounds.0.unwrap().settled.len(), rounds.1.unwrap().settled.len()), (1, 1));
    let mut asked: Vec<String> = server.asked().into_iter().map(|asked| asked.path).collect();
    asked.sort_unstable();
    assert_eq!(asked, ["/p/1", "/p/2", "/robots.txt", "/rss", "/rss2"]);
}

/// The long form is `cargo run --release --example day`.
#[test]
fn a_day_passes_and_nobody_is_early_late_or_at_once() {
    for seed in 1..=3 {
        let told = crate::day::simulate(crate::day::Scale { feeds: 60, hosts: 7, hours: 24, seed });
        assert!(told.wrong.is_empty(), "seed {seed}: {:#?}", told.wrong);
        assert!(told.polls > 500 && told.settled > 100 && told.failed > 10, "{told:?}");
    }
}

/// What is wrong with the names of tests: none may be missing.
fn named(names: &str, sources: &str) -> Vec<String> {
    let missing = |name: &&str| {
        let function = name.rsplit(':').next().expect("a name");
        !sources.contains(&format!("fn {function}("))
    };
    names.split(' ').filter(|name| !name.is_empty()).filter(missing).map(|name| format!("no test {name}")).collect()
}

fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        match path.extension() {
            None => all += &sources(&path),
            Some(end) if end == "rs" => all += &fs::read_to_string(&path).expect("UTF-8"),
            Some(_) => {}
        }
    }
    all
}

/// One poll of a row: when, whether after a restart, and the answers by path.
#[derive(Clone, Default)]
struct Poll<'a> {
    after: Option<TimeDelta>,
    restart: bool,
    answers: Vec<(&'a str, &'a str)>,
}

fn polls(given: &str) -> Vec<Poll<'_>> {
    let mut polls = Vec::new();
    for mut words in given.split(" | ").map(str::trim) {
        let mut poll = Poll::default();
        let mut times = 1;
        loop {
            let (word, rest) = words.split_once(' ').unwrap_or((words, ""));
            match word.as_bytes() {
                [b'+', ..] => poll.after = Some(duration(&word[1..])),
                [b'x', b'0'..=b'9', ..] => times = word[1..].parse().expect("a number"),
                b"restart" => poll.restart = true,
                [] => break,
                _ => {
                    poll.answers = words.split(" > ").map(path_of).collect();
                    break;
                }
            }
            words = rest.trim_start();
        }
        polls.extend(std::iter::repeat_n(poll, times));
    }
    polls
}

/// `/PATH: …`, else the feed.
fn path_of(answer: &str) -> (&str, &str) {
    let answer = answer.trim();
    let named = answer.strip_prefix('/').and_then(|_| answer.split_once(": "));
    named.unwrap_or(("/rss", answer))
}

fn checks(expected: &str) -> Vec<Vec<&str>> {
    let mut all = Vec::new();
    for poll in expected.split('|').map(str::trim) {
        let repeated = poll.strip_prefix('x').and_then(|rest| {
            let (times, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            Some((times.parse::<usize>().ok()?, rest))
        });
        let (times, rest) = repeated.unwrap_or((1, poll));
        let checks: Vec<&str> = rest.split(", ").map(str::trim).filter(|check| !check.is_empty()).collect();
        all.extend(std::iter::repeat_n(checks, times));
    }
    all
}

fn duration(text: &str) -> TimeDelta {
    TimeDelta::from_std(humantime::parse_duration(text).expect("a duration")).expect("a short one")
}

/// A row's own server, store and site.
async fn play(row: &Row<'_>) -> Vec<String> {
    let (flags, given) = flags(row.given);
    let server = Server::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut pipeline = open(folder.path(), &server, &flags);
    let (polls, checks) = (polls(given), checks(row.expected));
    let mut wrong = Vec::new();
    if checks.len() > polls.len() {
        wrong.push(format!("{} checks of {} polls", checks.len(), polls.len()));
    }
    let mut now = noon();
    for (nth, poll) in polls.iter().enumerate() {
        if nth > 0 {
            now += poll.after.unwrap_or(TimeDelta::hours(1));
        }
        if poll.restart {
            drop(pipeline);
            pipeline = open(folder.path(), &server, &flags);
        }
        server.script(poll, now);
        let site = pipeline.config.sites[0].clone();
        let round = poll::poll(&pipeline, &site, now).await.expect("the store works");
        let saw = Saw { round, asked: server.asked(), pipeline: &pipeline, now };
        for check in checks.get(nth).into_iter().flatten().filter(|check| !saw.holds(check)) {
            let feeds = &saw.round.feeds;
            let next = saw.state().next.map(|next| next - now);
            wrong.push(format!("poll {}: not `{check}`: asked {:?}, {feeds:?}, next {next:?}", nth + 1, saw.asked));
        }
    }
    wrong
}

fn flags(given: &str) -> (Vec<&str>, &str) {
    let (mut flags, mut rest) = (Vec::new(), given);
    while let Some((flag, behind)) = rest.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        flags.push(flag);
        rest = behind;
    }
    (flags, rest)
}

fn open(folder: &Path, server: &Server, flags: &[&str]) -> Arc<Pipeline> {
    let base = &server.base;
    let feeds =
        if flags.contains(&"feeds=2") { format!("\"{base}/rss\", \"{base}/rss2\"") } else { format!("\"{base}/rss\"") };
    let pages = flags.contains(&"pages");
    let robots = !flags.contains(&"robots=false");
    let headers = if flags.contains(&"cookie") { "headers = { Cookie = \"k=v\" }\n" } else { "" };
    let text = format!(
        "[store]\nmin_free = \"0\"\n[http]\nhost_gap = \"0s\"\nallow_private = true\n[[site]]\nid = \"a\"\nname = \"A\"\n\
         province = \"Huế\"\nkind = \"party\"\nfeeds = [{feeds}]\npages = {pages}\nrobots = {robots}\n{headers}"
    );
    let other = text[text.find("[[site]]").expect("a site")..].replace("\"a\"", "\"b\"").replace("/rss", "/rss2");
    let text = if flags.contains(&"sites=2") { text + &other } else { text };
    let file = folder.join("config.toml");
    fs::write(&file, text).expect("a writable folder");
    // sled's own threads let go of a closed store a moment later
    diemtin::store::Store::open_within(&folder.join("var/store"), 100)
        .and_then(|store| store.close())
        .expect("it opens");
    let config = Config::load(&file).expect("a right configuration");
    Arc::new(Pipeline::open(config).expect("a store that opens"))
}

/// What a poll did, from both sides.
struct Saw<'a> {
    round: Round,
    asked: Vec<Asked>,
    pipeline: &'a Pipeline,
    now: DateTime<Utc>,
}

impl Saw<'_> {
    fn state(&self) -> FeedState {
        let site = &self.pipeline.config.sites[0];
        let mut state = self.pipeline.store.site(&site.id).expect("the store works");
        state.feeds.remove(&site.feeds[0]).expect("the feed was asked")
    }

    fn holds(&self, check: &str) -> bool {
        let (word, rest) = check.split_once(' ').unwrap_or((check, ""));
        let header = |name: &str| self.asked.first().and_then(|asked| asked.header(name));
        let news = &self.round.feeds[0].result;
        match word {
            "inm" => header("if-none-match").as_deref() == Some(rest),
            "ims" => header("if-modified-since").as_deref() == Some(rest),
            "no" => header("if-modified-since").is_none(),
            "bare" => {
                header("if-none-match").is_none() && header("if-modified-since").is_none() && !self.asked.is_empty()
            }
            "agent" => {
                let agent = rest.replace("VERSION", env!("CARGO_PKG_VERSION"));
                header("user-agent").is_some_and(|said| said.starts_with(&agent))
            }
            "accepts" => header("accept-encoding").is_some_and(|said| rest.split(' ').all(|name| said.contains(name))),
            "cookie" => self.asked.last().and_then(|asked| asked.header("cookie")).as_deref() == Some(rest),
            "to" => self.asked.first().is_some_and(|asked| asked.path == rest),
            "asked" => self.asked.len().to_string() == rest,
            "paths" => self.paths().join(" ") == rest,
            "quiet" => self.asked.is_empty(),
            "new" => matches!(news, Ok(FeedNews::Read { new, .. }) if new.to_string() == rest),
            "unchanged" => matches!(news, Ok(FeedNews::Unchanged)),
            "waits" => matches!(news, Ok(FeedNews::Waiting(_))),
            "stopped" => matches!(news, Ok(FeedNews::Stopped(_))),
            "fails" => news.as_ref().is_err_and(|why| why.contains(rest)),
            "note" => self.round.feeds[0].notes.iter().any(|note| note.contains(rest)),
            _ => self.remembers(word, rest),
        }
    }

    /// What was asked for, in turn; pages last and by name, for those that wait for one moment have no order.
    fn paths(&self) -> Vec<&str> {
        let mut paths: Vec<&str> = self.asked.iter().map(|asked| asked.path.as_str()).collect();
        let pages = paths.iter().position(|path| path.starts_with("/p/")).unwrap_or(paths.len());
        paths[pages..].sort_unstable();
        paths
    }

    /// Of what is in the store.
    fn remembers(&self, word: &str, rest: &str) -> bool {
        let state = self.state();
        match word {
            "next" => {
                let (sign, bound) = rest.split_once(' ').expect("a sign and a time");
                let wait = state.next.expect("every feed has a next time") - self.now;
                let at = self.round.next == state.next.expect("as before") || self.round.feeds.len() > 1;
                at && if sign == ">=" { wait >= duration(bound) } else { wait <= duration(bound) }
            }
            "failures" => state.failures.to_string() == rest,
            "is" => {
                let rows = status::rows(&self.pipeline.config, &self.pipeline.store, None).expect("the store works");
                let (row, (is, why)) = (&rows[0], rest.split_once(' ').unwrap_or((rest, "")));
                let said = row.reason.as_deref().unwrap_or_default();
                row.state.to_string() == is && said.contains(why) && (is == "ok" || row.since.is_some())
            }
            "moved" => state.moved.is_some_and(|moved| moved.times >= 2 && moved.to.path() == rest),
            "rolled" => state.rolled_over.to_string() == rest,
            "empty" => state.emptied.is_some() && state.window.items > 0,
            "full" => state.emptied.is_none(),
            "outcome" => {
                let (label, why) = rest.split_once(' ').expect("a label and a reason");
                let fits = |outcome: &Outcome| match outcome {
                    Outcome::Later { why: said } | Outcome::GaveUp { why: said } => said.contains(why),
                    _ => false,
                };
                self.round.settled.iter().any(|s| s.outcome.label() == label && fits(&s.outcome))
            }
            "record" | "records" => self.recorded(word, rest),
            other => panic!("no such check: {other}"),
        }
    }

    fn recorded(&self, word: &str, rest: &str) -> bool {
        let all = self.pipeline.store.fetches("a").expect("the store works");
        if word == "records" {
            return all.len().to_string() == rest;
        }
        let (status, says) = rest.split_once(' ').expect("a status and a word");
        let last = all.last().expect("a record");
        let whole =
            last.at == self.now && last.next == self.state().next && (last.status != Some(200) || last.wire > 0);
        whole && last.status.map(|status| status.to_string()).as_deref() == Some(status) && last.decision.contains(says)
    }
}

#[derive(Debug)]
struct Asked {
    path: String,
    headers: Vec<(String, String)>,
}

impl Asked {
    fn header(&self, name: &str) -> Option<String> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}

/// Bytes as they go over the wire.
type Answers = HashMap<String, VecDeque<Vec<u8>>>;

struct Server {
    base: String,
    answers: Arc<Mutex<Answers>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback address");
        let base = format!("http://{}", listener.local_addr().expect("a bound socket"));
        let server = Server { base, answers: Arc::default(), asked: Arc::default() };
        let (answers, asked) = (server.answers.clone(), server.asked.clone());
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                // A client that went away is its own affair.
                drop(give(connection, &answers, &asked));
            }
        });
        server
    }

    fn script(&self, poll: &Poll, now: DateTime<Utc>) {
        let mut answers = self.answers.lock().unwrap();
        answers.clear();
        let port = self.base.rsplit(':').next().expect("a port");
        for (path, answer) in &poll.answers {
            answers.entry((*path).to_owned()).or_default().push_back(bytes(path, &answer.replace("PORT", port), now));
        }
    }

    /// Since the last call.
    fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn give(mut connection: TcpStream, answers: &Mutex<Answers>, asked: &Mutex<Vec<Asked>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(connection.try_clone()?.take(64 * 1024)).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let path = first.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut headers = Vec::new();
    while let Some(line) = lines.next().transpose()?.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap_or((&line, ""));
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    asked.lock().unwrap().push(Asked { path: path.clone(), headers });
    let answer = answers.lock().unwrap().get_mut(&path).and_then(VecDeque::pop_front);
    // pages of which the table says nothing are asked for once
    let status = if path.starts_with("/p/") { "410 Gone" } else { "404 Not Here" };
    let none = || format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes();
    connection.write_all(&answer.unwrap_or_else(none))
}

/// An answer as the table writes it.
fn bytes(path: &str, answer: &str, now: DateTime<Utc>) -> Vec<u8> {
    if answer == "drop" {
        return Vec::new();
    }
    let (status, mut rest) = answer.split_once(' ').unwrap_or((answer, ""));
    let mut head = format!("HTTP/1.1 {status} As Scripted\r\nConnection: close\r\n");
    while let Some((header, behind)) = rest.trim_start().strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        head += &format!("{header}\r\n");
        rest = behind;
    }
    let body = if path == "/robots.txt" { rest.trim().replace('^', "\n").into_bytes() } else { body(rest, now) };
    head += &format!("Content-Length: {}\r\n\r\n", body.len());
    [head.into_bytes(), body].concat()
}

fn body(words: &str, now: DateTime<Utc>) -> Vec<u8> {
    let (mut layers, mut before, mut items, mut feed) = (0, String::new(), String::new(), true);
    for word in words.split_whitespace() {
        match word {
            "gzip" => layers += 1,
            "html" => feed = false,
            "empty" => {}
            _ if word.starts_with('n') => items = entries(&word[1..], now),
            _ => before += word,
        }
    }
    let html = || "<!DOCTYPE html><html><head><title>x</title></head><body><p>Bảo trì</p></body></html>".to_owned();
    let rss = || {
        let namespace = "xmlns:sy=\"http://purl.org/rss/1.0/modules/syndication/\"";
        format!(
            "<?xml version=\"1.0\"?><rss version=\"2.0\" {namespace}><channel><title>A</title>{before}{items}</channel></rss>"
        )
    };
    let text = if feed { rss() } else { html() };
    (0..layers).fold(text.into_bytes(), |body, _| packed(&body))
}

/// `N`, `N@FIRST`, `N/APART` or both.
fn entries(word: &str, now: DateTime<Utc>) -> String {
    let (numbers, apart) =
        word.split_once('/').map_or((word, None), |(numbers, apart)| (numbers, Some(duration(apart))));
    let (count, first) = numbers.split_once('@').unwrap_or((numbers, "1"));
    let (count, first): (i32, i32) = (count.parse().expect("a number"), first.parse().expect("a number"));
    let one = |n: i32| {
        let date =
            apart.map(|apart| format!("<pubDate>{}</pubDate>", (now - apart * (first + count - 1 - n)).to_rfc2822()));
        format!("<item><title>Tin {n}</title><link>/p/{n}</link>{}</item>", date.unwrap_or_default())
    };
    // the newest first
    (first..first + count).rev().map(one).collect()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
}
