//! `cargo run --release --example measure < pages.jsonl > lines.jsonl`: what the weights are learned from. A page a
//! line as `diemtin try extract --jsonl` reads them; out come, a page a line, its lines of text with their numbers.

use anyhow::Context;
use chrono::Utc;
use diemtin::article::Page;
use diemtin::extract::{sample_names, samples};
use serde_json::{Value, json};
use std::io::{BufRead, BufWriter, Write, stdin, stdout};
use url::Url;

fn main() -> anyhow::Result<()> {
    let mut out = BufWriter::new(stdout().lock());
    serde_json::to_writer(&mut out, &sample_names())?;
    writeln!(out)?;
    for line in stdin().lock().lines() {
        let given: Value = serde_json::from_str(&line?)?;
        let lines = samples(&page(&given)?, Utc::now()).unwrap_or_default();
        let rows: Vec<Value> =
            lines.iter().map(|s| json!([s.text, s.limit, s.numbers, s.words, s.names, s.place])).collect();
        serde_json::to_writer(&mut out, &json!({"id": given["id"], "lines": rows}))?;
        writeln!(out)?;
    }
    out.flush()?;
    Ok(())
}

fn page(given: &Value) -> anyhow::Result<Page> {
    let nowhere = Url::parse("http://localhost/")?;
    let url = given["url"].as_str().and_then(|u| nowhere.join(u).ok()).unwrap_or(nowhere);
    let html = given["html"].as_str().context("no html")?;
    Ok(Page { url, content_type: Some("text/html; charset=utf-8".to_owned()), body: html.as_bytes().to_vec() })
}
