//! `diemtin explain`: what would become of a page, and why.

mod feed;

use super::{BAD_DATA, Exit, USAGE};
use crate::article::{Clean, DateFrom, Dropped, Entry, Id, Judged, Kind, Method, Outcome, Page, plain};
use crate::config::{Config, Select, Site, Tls};
use crate::fetch::{FetchError, Fetched, Fetcher, Validators};
use crate::poll::{self, Examined};
use crate::select::Topics;
use crate::store::{Mark, Store, StoreError};
use crate::text::VIETNAM;
use anyhow::Context;
use chrono::{SubsecRound, Utc};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

pub fn explain(config: &Config, what: &str, site: Option<&str>, as_list: bool, json: bool) -> anyhow::Result<()> {
    let (url, page) = page(config, what, site)?;
    let site = chosen_site(config, site, &url)?;
    if let Some(()) = feed::explain(&url, &page, &site, as_list, json)? {
        return Ok(());
    }
    let entry = Entry {
        id: Id::of(&url),
        url: url.clone(),
        title: None,
        published: None,
        updated: None,
        authors: Vec::new(),
        summary: None,
        content: None,
    };
    let topics = Topics::new(&config.topics);
    let examined = poll::examine(Some(&page), &entry, &site, &topics, Utc::now().trunc_subsecs(0));
    let examined = examined.map_err(|why| Exit { code: BAD_DATA, why: format!("{what}: {why}") })?;
    let known = known(config, &site, &entry.id, &examined)?;
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", as_json(&url, &site, &examined, &known))?;
        return Ok(());
    }
    report(&mut out, &url, &site, &examined, &known)?;
    Ok(())
}

/// From the network, as the daemon would, or from a file.
fn page(config: &Config, what: &str, site: Option<&str>) -> anyhow::Result<(Url, Page)> {
    if !what.starts_with("http://") && !what.starts_with("https://") {
        let file =
            Path::new(what).canonicalize().with_context(|| format!("{what}: no such file, and not an http address"))?;
        let body = std::fs::read(&file)?;
        let url = Url::from_file_path(&file).map_err(|()| anyhow::anyhow!("{what}: not a path"))?;
        return Ok((url.clone(), Page { url, content_type: None, body }));
    }
    let url: Url = what.parse().with_context(|| what.to_owned())?;
    let site = chosen_site(config, site, &url)?;
    let fetcher = Fetcher::new(&config.http)?;
    match super::runtime()?.block_on(fetcher.get(&site, &url, &Validators::default())) {
        Ok(Fetched::Page { page, .. }) => Ok((url, page)),
        Ok(Fetched::NotModified { .. }) => Err(FetchError::Status { status: 304 }.into()),
        Err(why) => Err(anyhow::Error::from(why).context(url)),
    }
}

/// The site that was named, else the one whose feeds share the page's host, else one without settings.
fn chosen_site(config: &Config, id: Option<&str>, url: &Url) -> anyhow::Result<Arc<Site>> {
    if let Some(id) = id {
        let found = config.sites.iter().find(|site| site.id == id).cloned();
        let why = format!("{}: there is no [[site]] with id {id}", config.file.display());
        return found.ok_or_else(|| Exit { code: USAGE, why }.into());
    }
    let same_host =
        |site: &&Arc<Site>| url.has_host() && site.feeds.iter().any(|feed| bare_host(feed) == bare_host(url));
    Ok(config.sites.iter().find(same_host).cloned().unwrap_or_else(|| Arc::new(unlisted(url))))
}

/// A page of a site that no configuration names: fetched and judged with what is the default everywhere.
fn unlisted(url: &Url) -> Site {
    Site {
        id: String::new(),
        name: String::new(),
        province: String::new(),
        province_now: String::new(),
        kind: Kind::Government,
        feeds: vec![url.clone()],
        lists: Default::default(),
        layout: None,
        default_offset: VIETNAM,
        every: Duration::from_secs(20 * 60),
        tls: Tls::Modern,
        ca_file: None,
        pages: true,
        select: Select::AnyTopic,
        headers: Vec::new(),
    }
}

fn bare_host(url: &Url) -> Option<&str> {
    url.host_str().map(|host| host.strip_prefix("www.").unwrap_or(host))
}

/// What the store knows of the page.
enum Known {
    /// No store was asked, and why.
    NotAsked(String),
    Asked {
        mark: Option<Box<Mark>>,
        kept: Option<u32>,
        twin: Option<(Id, String, f64)>,
    },
}

fn known(config: &Config, site: &Site, id: &Id, examined: &Examined) -> anyhow::Result<Known> {
    if !config.store.path.exists() {
        return Ok(Known::NotAsked(format!("there is no store yet at {}", config.store.path.display())));
    }
    let store = match Store::open(&config.store.path) {
        Ok(store) => store,
        Err(StoreError::Held(_)) => return Ok(Known::NotAsked("a running daemon holds the store".to_owned())),
        Err(other) => return Err(other.into()),
    };
    let twin = poll::index(&store)?.twin(&examined.print, |key| store.prints_of(key))?;
    let twin =
        twin.map(|twin| Ok::<_, StoreError>(store.article_at(twin.key)?.map(|a| (a.id, a.title, twin.similarity))));
    Ok(Known::Asked {
        mark: store.mark(&site.id, id)?.map(Box::new),
        kept: store.article(id)?.map(|article| article.rev),
        twin: twin.transpose()?.flatten().filter(|(twin, ..)| twin != id),
    })
}

fn report(out: &mut impl Write, url: &Url, site: &Site, examined: &Examined, known: &Known) -> io::Result<()> {
    let clean = &examined.clean;
    writeln!(out, "page       {url}")?;
    writeln!(
        out,
        "site       {}",
        if site.id.is_empty() { "none in the configuration has this host" } else { &site.id }
    )?;
    writeln!(out, "title      {} (from {})", examined.title, clean.sources.title)?;
    writeln!(out, "published  {}", published(clean))?;
    writeln!(out, "authors    {} (from {})", clean.authors.join(", "), clean.sources.authors)?;
    writeln!(out, "method     {}", method(clean, site))?;
    verdict(out, site, examined, known)?;
    writeln!(out, "\nKEPT, {} blocks", clean.blocks.len())?;
    for (block, why) in clean.blocks.iter().zip(&clean.kept_by) {
        let text = plain(std::slice::from_ref(block));
        let text = if text.is_empty() { "(picture)".to_owned() } else { short(&text) };
        writeln!(out, "  + {text}\n      {why}")?;
    }
    for image in &clean.images {
        writeln!(out, "  + picture {} {}", image.url, short(image.caption.as_deref().unwrap_or("")))?;
    }
    writeln!(out, "\nDROPPED, {} parts", clean.dropped.len())?;
    for (why, texts) in by_reason(&clean.dropped) {
        writeln!(out, "  {why}")?;
        texts.iter().try_for_each(|text| writeln!(out, "    - {}", short(text)))?;
    }
    Ok(())
}

fn verdict(out: &mut impl Write, site: &Site, examined: &Examined, known: &Known) -> io::Result<()> {
    writeln!(out, "\nVERDICT    {}", if poll::wanted(site, &examined.verdict) { "kept" } else { "off topic" })?;
    examined.verdict.topics.iter().try_for_each(|topic| judged(out, topic))?;
    known_lines(known).iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// The reasons in the order of the page, each with what fell to it.
fn by_reason(dropped: &[Dropped]) -> Vec<(&str, Vec<&str>)> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for Dropped { text, why } in dropped {
        match reasons.iter_mut().find(|(known, _)| known == why) {
            Some((_, texts)) => texts.push(text),
            None => reasons.push((why, vec![text])),
        }
    }
    reasons
}

fn published(clean: &Clean) -> String {
    match (clean.published, clean.published_from) {
        (None, _) | (_, DateFrom::Seen) => "unknown: the time of first sight stands for it".to_owned(),
        (Some(at), DateFrom::Page) => format!("{} (from the page)", at.to_rfc3339()),
        (Some(at), DateFrom::Feed) => format!("{} (from the feed)", at.to_rfc3339()),
        (Some(at), DateFrom::Url) => format!("{} (from the address)", at.to_rfc3339()),
    }
}

fn method(clean: &Clean, site: &Site) -> String {
    let method = format!("{:?}", clean.method).to_ascii_lowercase();
    match &site.layout {
        Some(layout) if clean.method != Method::Layout => {
            format!("{method}: NOTHING on the page matched the body of [layout.{}]", layout.name)
        }
        Some(layout) => format!("{method} [layout.{}]", layout.name),
        None => method,
    }
}

fn judged(out: &mut impl Write, topic: &Judged) -> io::Result<()> {
    let about = if topic.selected { "yes" } else { "no" };
    writeln!(out, "  {}: {about}, score {:.2}", topic.id, topic.score)?;
    let hits: Vec<String> =
        topic.hits.iter().map(|hit| format!("{} ({:?} {:+.2})", hit.term, hit.r#where, hit.weight)).collect();
    if !hits.is_empty() {
        writeln!(out, "    {}", hits.join(", "))?;
    }
    Ok(())
}

fn known_lines(known: &Known) -> Vec<String> {
    let (mark, kept, twin) = match known {
        Known::NotAsked(why) => return vec![format!("STORE      not asked: {why}")],
        Known::Asked { mark, kept, twin } => (mark, kept, twin),
    };
    let mut lines = vec![match kept {
        Some(rev) => format!("STORE      kept, revision {rev}"),
        None => "STORE      not kept".to_owned(),
    }];
    if let Some((id, title, similarity)) = twin {
        lines.push(format!("  twin of {id} ({similarity:.2}): {title}"));
    }
    lines.extend(mark.as_deref().map(seen));
    lines
}

fn seen(mark: &Mark) -> String {
    let outcome = match &mark.outcome {
        None => "not settled yet".to_owned(),
        Some(Outcome::Later { why }) => format!("to be tried again: {why}"),
        Some(Outcome::GaveUp { why }) => format!("given up: {why}"),
        Some(other) => other.label().replace('_', " "),
    };
    format!("  first seen {}, {outcome}", super::moment(mark.first_seen))
}

fn as_json(url: &Url, site: &Site, examined: &Examined, known: &Known) -> Value {
    let clean = &examined.clean;
    let kept = clean.blocks.iter().zip(&clean.kept_by);
    let kept: Vec<Value> =
        kept.map(|(block, why)| json!({"text": plain(std::slice::from_ref(block)), "why": why})).collect();
    json!({
        "url": url, "site": site.id, "title": examined.title, "published": clean.published, "published_from": clean.published_from,
        "authors": clean.authors, "method": clean.method, "kept": kept, "images": clean.images, "dropped": clean.dropped,
        "selected": poll::wanted(site, &examined.verdict), "topics": examined.verdict.topics, "store": known_lines(known),
    })
}

/// One line of a terminal.
fn short(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 100 {
        return line;
    }
    line.chars().take(99).chain(['…']).collect()
}
