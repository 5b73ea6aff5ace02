//! One input of `diemtin try` to one answer. What a stage cannot use is answered with `"ok": false`.

use super::{Answer, Given};
use crate::article::{self, Clean, Page};
use crate::cli::{Exit, USAGE};
use crate::config::{Config, Layout, TopicConfig};
use crate::dedup::{self, Index, Print, Related, Relation, Twin};
use crate::extract::{self, Learned};
use crate::parse::{self, Feed, Item};
use crate::select::Topics;
use crate::text;
use crate::text::VIETNAM;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use url::Url;

pub enum Stage {
    Parse,
    /// `learned` by host.
    Extract {
        layout: Option<Arc<Layout>>,
        learned: BTreeMap<String, Learned>,
        now: DateTime<Utc>,
    },
    Select(Box<Topics>),
}

/// The fields of a line, whichever stage reads them; texts without escapes are not copied.
#[derive(Default, Deserialize)]
struct Line<'a> {
    #[serde(default)]
    id: Value,
    #[serde(borrow)]
    body_base64: Option<Cow<'a, str>>,
    content_type: Option<String>,
    url: Option<String>,
    default_offset: Option<String>,
    html: Option<String>,
    #[serde(borrow)]
    html_base64: Option<Cow<'a, str>>,
    title: Option<String>,
    text: Option<String>,
    /// What a file holds, which is no line.
    #[serde(skip)]
    bytes: Option<&'a [u8]>,
}

type Found = Result<Map<String, Value>, String>;

impl Stage {
    pub fn extract(layout: Option<&str>, config: Option<&Path>) -> anyhow::Result<Stage> {
        let layout = layout.map(|name| named_layout(name, config)).transpose()?;
        Ok(Stage::Extract { layout, learned: BTreeMap::new(), now: Utc::now() })
    }

    /// The topics of the configuration that is named or found; the shipped one where there is none.
    pub fn select(config: Option<&Path>) -> anyhow::Result<Stage> {
        let topics = match Config::find(config) {
            Ok(file) => Config::load(&file)?.topics,
            Err(none) if config.is_some() => return Err(none.into()),
            Err(_) => vec![TopicConfig::shipped()],
        };
        Ok(Stage::Select(Box::new(Topics::new(&topics))))
    }

    /// Takes note of a page for its host.
    pub fn learn(&mut self, given: &Given) {
        let Stage::Extract { learned, .. } = self else { return };
        // What is no line or no page teaches nothing, and is refused when its turn to be answered comes.
        let Ok(line) = Line::read(given, bytes_file) else { return };
        let Ok(page) = line.page() else { return };
        let learned = learned.entry(host(&page.url)).or_default();
        caught(given, || extract::observe(learned, &page).ok()).unwrap_or(None);
    }

    pub fn answer(&self, given: &Given) -> Answer {
        let answer = || match self {
            Stage::Parse => parse_answer(given),
            Stage::Extract { layout, learned, now } => {
                answer(given, bytes_file, |line| extract_line(line, layout.as_deref(), learned, *now))
            }
            Stage::Select(topics) => answer(given, text_file, |line| select_line(line, topics)),
        };
        caught(given, answer).unwrap_or_else(|refusal| Answer::of(&refusal))
    }
}

/// A stage is pure, so what it was given is all that a panic of it can have spoilt; the others are answered.
fn caught<T>(given: &Given, work: impl FnOnce() -> T) -> Result<T, Value> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        let id = Line::read(given, bytes_file).map_or(Value::Null, |line| line.id);
        refusal(id, "the program stopped on it: a mistake of diemtin's own, please report it")
    })
}

fn named_layout(name: &str, config: Option<&Path>) -> anyhow::Result<Arc<Layout>> {
    let config = Config::load(&Config::find(config)?)?;
    let found = config.layouts.get(name).cloned();
    let why = format!("{}: there is no [layout.{name}]", config.file.display());
    found.ok_or_else(|| Exit { code: USAGE, why }.into())
}

type FromFile = for<'a> fn(&str, &'a [u8]) -> Line<'a>;

fn answer(given: &Given, from_file: FromFile, work: impl FnOnce(&Line) -> Found) -> Answer {
    let line = match Line::read(given, from_file) {
        Ok(line) => line,
        Err(refusal) => return Answer::of(&refusal),
    };
    match work(&line) {
        Ok(fields) => {
            let mut all = Map::from_iter([("id".to_owned(), line.id), ("ok".to_owned(), json!(true))]);
            all.extend(fields);
            Answer::of(&Value::Object(all))
        }
        Err(why) => Answer::of(&refusal(line.id, &why)),
    }
}

fn refusal(id: Value, why: &str) -> Value {
    json!({"id": id, "ok": false, "error": why})
}

impl<'a> Line<'a> {
    /// The input, or the answer that says why it cannot be used.
    fn read(given: &'a Given, from_file: FromFile) -> Result<Line<'a>, Value> {
        match given {
            Given::File { name, bytes } => Ok(from_file(name, bytes)),
            Given::Unreadable { name, why } => Err(refusal(json!(name), why)),
            Given::Line(text) => serde_json::from_str(text)
                .map_err(|why| refusal(Value::Null, &format!("not a line of JSON as this stage reads it: {why}"))),
        }
    }

    /// A saved page may have kept only a part of its address.
    fn url(&self) -> Result<Option<Url>, String> {
        let url = self.url.as_deref().filter(|url| !url.is_empty());
        url.map(|url| nowhere().join(url).map_err(|why| format!("url: {why}"))).transpose()
    }

    fn offset(&self) -> Result<FixedOffset, String> {
        let offset = self.default_offset.as_deref().map(str::parse).transpose();
        offset.map(|offset| offset.unwrap_or(VIETNAM)).map_err(|why| format!("default_offset: {why}"))
    }

    fn page(&self) -> Result<Page, String> {
        let url = self.url()?.unwrap_or_else(nowhere);
        match (&self.html, &self.html_base64) {
            // A string is Unicode already, whatever the page declares of itself.
            (Some(html), _) => {
                Ok(Page { url, content_type: Some("text/html; charset=utf-8".into()), body: html.clone().into_bytes() })
            }
            _ => {
                let body = self.body(self.html_base64.as_deref(), "html or html_base64")?.into_owned();
                Ok(Page { url, content_type: self.content_type.clone(), body })
            }
        }
    }

    /// The bytes of a file, or of a field in Base64.
    fn body(&self, field: Option<&str>, name: &str) -> Result<Cow<'a, [u8]>, String> {
        match (self.bytes, field) {
            (Some(bytes), _) => Ok(Cow::Borrowed(bytes)),
            (None, Some(text)) => BASE64_STANDARD.decode(text).map(Cow::Owned).map_err(|why| format!("{name}: {why}")),
            (None, None) => Err(format!("no {name}")),
        }
    }
}

fn bytes_file<'a>(name: &str, bytes: &'a [u8]) -> Line<'a> {
    Line { id: json!(name), bytes: Some(bytes), ..Line::default() }
}

/// The first line is the title.
fn text_file<'a>(name: &str, bytes: &'a [u8]) -> Line<'a> {
    let text = text::decode(bytes, &[]).text;
    let (title, text) = text.split_once('\n').unwrap_or(("", &text));
    Line { id: json!(name), title: Some(title.to_owned()), text: Some(text.to_owned()), ..Line::default() }
}

/// Where a page without an address lies.
fn nowhere() -> Url {
    Url::parse("http://localhost/").expect("a constant address")
}

fn fields(value: Value) -> Found {
    match value {
        Value::Object(fields) => Ok(fields),
        other => Err(format!("not an object: {other}")),
    }
}

#[derive(Serialize)]
struct Parsed<'a> {
    id: &'a Value,
    ok: bool,
    format: &'a str,
    title: Option<&'a str>,
    entries: Vec<ParsedEntry<'a>>,
    repairs: &'a [String],
}

#[derive(Serialize)]
struct ParsedEntry<'a> {
    id: Option<&'a str>,
    title: Option<&'a str>,
    link: Option<&'a str>,
    published: Option<String>,
    updated: Option<String>,
    summary: Option<&'a str>,
    content_html: Option<&'a str>,
}

fn parse_answer(given: &Given) -> Answer {
    let line = match Line::read(given, bytes_file) {
        Ok(line) => line,
        Err(refusal) => return Answer::of(&refusal),
    };
    match parse_line(&line) {
        Ok(Feed { format, title, items, repairs }) => {
            let entries = items.iter().map(entry).collect();
            let title = title.as_deref();
            let parsed = Parsed { id: &line.id, ok: true, format: &format, title, entries, repairs: &repairs };
            Answer::written(&parsed, true)
        }
        Err(why) => Answer::of(&refusal(line.id, &why)),
    }
}

fn parse_line(line: &Line) -> Result<Feed, String> {
    let body = line.body(line.body_base64.as_deref(), "body_base64")?;
    let url = line.url()?;
    let feed = parse::parse(&body, line.content_type.as_deref(), url.as_ref(), line.offset()?);
    feed.map_err(|why| why.to_string())
}

fn entry(item: &Item) -> ParsedEntry<'_> {
    ParsedEntry {
        id: item.id.as_deref(),
        title: item.title.as_deref(),
        link: item.link.as_deref(),
        published: item.published.map(|at| at.to_rfc3339()),
        updated: item.updated.map(|at| at.to_rfc3339()),
        summary: item.summary.as_deref(),
        content_html: item.content.as_deref(),
    }
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or("").trim_start_matches("www.").to_owned()
}

fn extract_line(
    line: &Line,
    layout: Option<&Layout>,
    learned: &BTreeMap<String, Learned>,
    now: DateTime<Utc>,
) -> Found {
    let page = line.page()?;
    let nothing = Learned::default();
    let learned = learned.get(&host(&page.url)).unwrap_or(&nothing);
    let clean = extract::extract_learned(&page, None, layout, learned, now).map_err(|why| why.to_string())?;
    let Clean { title, published, published_from, authors, blocks, images, method, dropped, .. } = &clean;
    fields(json!({"title": title, "published": published.map(|at| at.to_rfc3339()),
        "published_from": published.map(|_| published_from), "authors": authors,
        "content_text": article::plain(blocks), "content_html": article::html(blocks),
        "images": images, "method": method, "dropped": dropped}))
}

fn select_line(line: &Line, topics: &Topics) -> Found {
    let text = line.text.as_deref().ok_or("no text")?;
    let paragraphs: Vec<&str> = text.split('\n').filter(|p| !p.trim().is_empty()).collect();
    let verdict = topics.judge(line.title.as_deref().unwrap_or(""), &paragraphs);
    let topics = verdict.topics.iter();
    let best = topics.max_by(|a, b| a.selected.cmp(&b.selected).then(a.score.total_cmp(&b.score)));
    let best = best.ok_or("the configuration has no [[topic]]")?;
    fields(json!({"selected": verdict.selected(), "score": best.score, "hits": best.hits}))
}

/// A text's print, or why there is none.
pub struct Printed {
    id: Value,
    print: Result<Print, Value>,
}

pub fn print(given: &Given) -> Printed {
    caught(given, || printed(given)).unwrap_or_else(|refusal| Printed { id: Value::Null, print: Err(refusal) })
}

fn printed(given: &Given) -> Printed {
    let line = match Line::read(given, text_file) {
        Ok(line) => line,
        Err(refusal) => return Printed { id: Value::Null, print: Err(refusal) },
    };
    let print = match &line.text {
        Some(text) => Ok(Print::of(line.title.as_deref().unwrap_or(""), text)),
        None => Err(refusal(line.id.clone(), "no text")),
    };
    Printed { id: line.id, print }
}

/// The texts seen so far, in order of arrival; a cluster's key is its first text's place.
#[derive(Default)]
pub struct Dedup {
    index: Index,
    ids: Vec<Value>,
    /// By cluster.
    prints: HashMap<u64, Vec<Print>>,
}

impl Dedup {
    pub fn place(&mut self, Printed { id, print }: Printed) -> Answer {
        let print = match print {
            Ok(print) => print,
            Err(refusal) => return Answer::of(&refusal),
        };
        let read = |key| Ok::<_, Infallible>(self.prints.get(&key).map_or(&[][..], Vec::as_slice));
        let Ok(dedup::Known { twin, related }) = self.index.known(&print, read);
        let new = self.ids.len() as u64;
        self.ids.push(id);
        // A copy's print stands for its cluster too, so that a copy of the copy is known.
        let cluster = twin.map_or(new, |twin| twin.key);
        if self.index.insert(cluster, &print) {
            self.prints.entry(cluster).or_default().push(print);
        }
        self.answer(new as usize, cluster as usize, twin, related)
    }

    fn answer(&self, this: usize, first: usize, twin: Option<Twin>, related: Option<(u64, Related)>) -> Answer {
        let (id, cluster) = (&self.ids[this], &self.ids[first]);
        let kind = if twin.is_some() { "duplicate" } else { "new" };
        let (similarity, relation) = (twin.map(|twin| twin.similarity), twin.map(|twin| twin.relation));
        let of = twin.map(|_| cluster);
        let related = related.map(|(key, relation)| RelatedTo { to: &self.ids[key as usize], relation });
        Answer::written(&Placed { id, ok: true, kind, cluster, of, similarity, relation, related }, true)
    }
}

#[derive(Serialize)]
struct Placed<'a> {
    id: &'a Value,
    ok: bool,
    kind: &'a str,
    cluster: &'a Value,
    of: Option<&'a Value>,
    similarity: Option<f64>,
    relation: Option<Relation>,
    /// Of a new one only.
    #[serde(skip_serializing_if = "Option::is_none")]
    related: Option<RelatedTo<'a>>,
}

#[derive(Serialize)]
struct RelatedTo<'a> {
    to: &'a Value,
    relation: Related,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TermConfig;

    fn topic(id: &str, threshold: f64, weight: f64) -> TopicConfig {
        TopicConfig { id: id.to_owned(), threshold, terms: vec![TermConfig { say: "lúa".to_owned(), weight }] }
    }

    fn answered(stage: &Stage, line: &str) -> Value {
        serde_json::from_slice(&stage.answer(&Given::Line(line.to_owned())).json).unwrap()
    }

    #[test]
    fn a_verdict_is_told_with_the_score_of_a_topic_that_selects() {
        let topics = [topic("high", 5.0, 2.0), topic("low", 1.0, 1.0), topic("lower", 0.1, 0.5)];
        let answer = answered(&Stage::Select(Box::new(Topics::new(&topics))), r#"{"text":"lúa"}"#);
        assert_eq!((&answer["selected"], &answer["score"]), (&json!(true), &json!(1.0)), "{answer}");
        assert_eq!(answer["hits"][0]["weight"], json!(1.0));
        let answer = answered(&Stage::Select(Box::new(Topics::new(&topics[..1]))), r#"{"text":"lúa"}"#);
        assert_eq!((&answer["selected"], &answer["score"]), (&json!(false), &json!(2.0)), "{answer}");
    }

    #[test]
    fn what_the_program_stops_on_is_answered_with_its_id() {
        let line = Given::Line(r#"{"id":7,"text":"x"}"#.to_owned());
        let file = Given::File { name: "a".to_owned(), bytes: Vec::new() };
        for (given, id) in [(line, json!(7)), (file, json!("a")), (Given::Line("{".to_owned()), Value::Null)] {
            let refusal = caught(&given, || panic!("a mistake")).unwrap_err();
            assert_eq!((&refusal["id"], &refusal["ok"]), (&id, &json!(false)), "{refusal}");
        }
        assert_eq!(caught(&Given::Line(String::new()), || 1), Ok(1));
    }
}
