//! `cargo run --release --example speed -- PAGES.jsonl…`: how much of parsing's pace is left when a page is extracted.
//! For each file, `{"id", "url", "html"}` a line as `diemtin try extract --jsonl` reads them, the pages per CPU second of
//! `scraper::Html::parse_document` alone, of the whole extraction of the same pages in the same run, their ratio, and
//! the page that takes longest. All are parsed, then extracted, three times; the quickest round of each counts.

use anyhow::Context;
use chrono::Utc;
use diemtin::article::Page;
use diemtin::extract::extract;
use scraper::Html;
use serde_json::Value;
use std::fs;
use std::time::{Duration, Instant};
use url::Url;

const ROUNDS: usize = 3;

fn main() -> anyhow::Result<()> {
    for file in std::env::args().skip(1) {
        let lines = fs::read_to_string(&file).with_context(|| file.clone())?;
        let pages = lines.lines().map(page).collect::<anyhow::Result<Vec<Given>>>()?;
        let (mut parsing, mut extracting) = (f64::MAX, f64::MAX);
        let mut longest = vec![Duration::MAX; pages.len()];
        for _ in 0..ROUNDS {
            parsing = parsing.min(cpu(&pages, &mut longest.clone(), |given| drop(Html::parse_document(&given.html)))?);
            // A page without an article takes its time too.
            let whole = |given: &Given| drop(extract(&given.page, None, None, Utc::now()));
            extracting = extracting.min(cpu(&pages, &mut longest, whole)?);
        }
        report(&file, &pages, parsing, extracting, &longest);
    }
    Ok(())
}

struct Given {
    id: String,
    html: String,
    page: Page,
}

fn report(file: &str, pages: &[Given], parsing: f64, extracting: f64, longest: &[Duration]) {
    let count = pages.len() as f64;
    let (parsed, extracted) = (count / parsing, count / extracting);
    let ratio = 100.0 * parsing / extracting;
    println!("{file}: parsed {parsed:.0}, extracted {extracted:.0} pages a CPU second: {ratio:.0} %");
    let mut by_time: Vec<(&Duration, &Given)> = longest.iter().zip(pages).collect();
    by_time.sort_by_key(|(time, _)| std::cmp::Reverse(**time));
    for (time, given) in by_time.iter().take(2) {
        println!("  longest: {:.3} s, {} kB, {}", time.as_secs_f64(), given.html.len() / 1000, given.id);
    }
}

/// CPU seconds for all pages; for each page the least wall time so far.
fn cpu(pages: &[Given], least: &mut [Duration], work: impl Fn(&Given)) -> anyhow::Result<f64> {
    let begin = cpu_seconds()?;
    for (given, least) in pages.iter().zip(least) {
        let begin = Instant::now();
        work(given);
        *least = begin.elapsed().min(*least);
    }
    Ok(cpu_seconds()? - begin)
}

fn page(line: &str) -> anyhow::Result<Given> {
    let given: Value = serde_json::from_str(line)?;
    let html = given["html"].as_str().context("no html")?.to_owned();
    let nowhere = Url::parse("http://localhost/")?;
    let url = given["url"].as_str().and_then(|url| nowhere.join(url).ok()).unwrap_or(nowhere);
    let content_type = Some("text/html; charset=utf-8".to_owned());
    Ok(Given { id: given["id"].to_string(), page: Page { url, content_type, body: html.clone().into_bytes() }, html })
}

/// What this thread has had of the processor, as Linux counts it (proc(5), `schedstat`: nanoseconds first).
fn cpu_seconds() -> anyhow::Result<f64> {
    let counted = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = counted.split(' ').next().context("an empty schedstat")?;
    Ok(nanoseconds.trim().parse::<f64>()? / 1e9)
}
