//! `diemtin explain`: what would become of a page, and why.

mod feed;
mod html;

use super::{BAD_DATA, Exit, USAGE};
use crate::article::{Clean, DateFrom, Entry, Id, Judged, Kind, Method, Outcome, Page, plain};
use crate::config::{Config, Select, Site, Tls};
use crate::extract::{self, ExtractError, Part, PartFate};
use crate::fetch::Fetcher;
use crate::poll::{self, Examined, Known, Pages, Told};
use crate::select::Topics;
use crate::store::{Mark, Store, StoreError};
use crate::text::VIETNAM;
use anyhow::Context;
use chrono::{DateTime, SubsecRound, Utc};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// How it is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Report,
    Json,
    Html,
}

/// All that is told of a page.
pub struct Explained {
    url: Url,
    site: Arc<Site>,
    examined: Examined,
    /// Of each page of the article, line by line.
    parts: Vec<Vec<Part>>,
    /// What the site's other pages taught.
    taught: String,
    asked: Asked,
}

pub fn explain(config: &Config, what: &str, site: Option<&str>, as_list: bool, form: Form) -> anyhow::Result<()> {
    let now = Utc::now().trunc_subsecs(0);
    let (url, pages) = match pages(config, what, site, now) {
        Ok(had) => had,
        Err(why) => return remembered(config, what, form, why),
    };
    let site = chosen_site(config, site, &url)?;
    if let Some(page) = pages.pages.first()
        && let Some(()) = feed::explain(&url, page, &site, as_list, form)?
    {
        return Ok(());
    }
    let store = store(config)?;
    let (known, taught) = taught(&store, &site)?;
    let entry = Entry::bare(Id::of(&url), url.clone(), None);
    let wrong = |why: ExtractError| Exit { code: BAD_DATA, why: format!("{what}: {why}") };
    let topics = Topics::new(&config.topics);
    let examined = poll::examine_known(&pages, &entry, &site, &topics, &known, now).map_err(wrong)?;
    // The way that was taken: without the layout where it did not fit.
    let layout = site.layout.as_deref().filter(|_| examined.clean.method == Method::Layout);
    let trace = |page| extract::trace(page, Some(&entry), layout, &known.lessons.learned, now);
    let parts = pages.pages.iter().map(trace).collect::<Result<_, _>>().map_err(wrong)?;
    let asked = asked(config, store, &site, &entry.id, &examined)?;
    let explained = Explained { url, site, examined, parts, taught, asked };
    let mut out = io::stdout().lock();
    match form {
        Form::Json => writeln!(out, "{}", as_json(&explained))?,
        Form::Html => write!(out, "{}", html::html(&explained))?,
        Form::Report => report(&mut out, &explained)?,
    }
    Ok(())
}

/// What the store remembers of a page that cannot be had, which is the error still where it remembers nothing.
fn remembered(config: &Config, what: &str, form: Form, why: anyhow::Error) -> anyhow::Result<()> {
    let (Ok(url), Ok(store)) = (what.parse::<Url>(), store(config)?) else { return Err(why) };
    let Some(mark) = mark(config, &store, None, &Id::of(&url))? else { return Err(why) };
    let mut out = io::stdout().lock();
    match form {
        Form::Json => writeln!(out, "{}", json!({"url": url, "error": format!("{why:#}"), "store": seen(&mark)}))?,
        _ => {
            writeln!(out, "page       {url}\nNOT HAD    {}\nSTORE", harmless(&format!("{why:#}")))?;
            seen(&mark).iter().try_for_each(|line| writeln!(out, "{}", harmless(line)))?;
        }
    }
    Ok(())
}

/// The mark of a page, whichever site's feed showed it: feeds may give addresses on other hosts.
fn mark(config: &Config, store: &Store, site: Option<&Site>, id: &Id) -> Result<Option<Mark>, StoreError> {
    let first = site.into_iter().map(|site| site.id.as_str());
    let mut ids = first.chain(config.sites.iter().map(|site| site.id.as_str()));
    ids.find_map(|site| store.mark(site, id).transpose()).transpose()
}

/// From the network, as the daemon would, or from a file.
fn pages(config: &Config, what: &str, site: Option<&str>, now: DateTime<Utc>) -> anyhow::Result<(Url, Pages)> {
    if !what.starts_with("http://") && !what.starts_with("https://") {
        let file =
            Path::new(what).canonicalize().with_context(|| format!("{what}: no such file, and not an http address"))?;
        let body = std::fs::read(&file)?;
        let url = Url::from_file_path(&file).map_err(|()| anyhow::anyhow!("{what}: not a path"))?;
        return Ok((url.clone(), Pages::one(Page { url, content_type: None, body })));
    }
    let url: Url = what.parse().with_context(|| what.to_owned())?;
    let site = chosen_site(config, site, &url)?;
    let fetcher = Fetcher::new(&config.http)?;
    match super::runtime()?.block_on(poll::pages(poll::By::Fetcher(&fetcher), &site, &url, true, now))? {
        Ok(pages) => Ok((url, pages)),
        Err(why) => Err(anyhow::Error::from(why).context(url)),
    }
}

/// The store, or why it is not asked.
fn store(config: &Config) -> anyhow::Result<Result<Store, String>> {
    if !config.store.path.exists() {
        return Ok(Err(format!("there is no store yet at {}", config.store.path.display())));
    }
    if let Err(why) = super::need_own_store(config) {
        return Ok(Err(why.to_string()));
    }
    match Store::open(&config.store.path) {
        Ok(store) => Ok(Ok(store)),
        Err(StoreError::Held(_)) => Ok(Err("a running daemon holds the store".to_owned())),
        Err(other) => Err(other.into()),
    }
}

/// What is known of the site, and how much that is, in words.
fn taught(store: &Result<Store, String>, site: &Site) -> anyhow::Result<(Known, String)> {
    let store = match store {
        Ok(store) => store,
        Err(why) => return Ok((Known::default(), format!("not used: {why}"))),
    };
    let known = Known::of(store, &site.id)?;
    let pages = known.lessons.learned.pages();
    let said = match known.lessons.learned.is_ready() {
        true => format!("from {pages} pages of the site"),
        false => format!("too little yet: {pages} pages of the site were seen"),
    };
    Ok((known, said))
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
        downgrade: false,
        ca_file: None,
        pages: true,
        robots: true,
        select: Select::AnyTopic,
        headers: Vec::new(),
    }
}

fn bare_host(url: &Url) -> Option<&str> {
    url.host_str().map(|host| host.strip_prefix("www.").unwrap_or(host))
}

/// What the store knows of the page.
enum Asked {
    /// No store was asked, and why.
    Not(String),
    Yes {
        mark: Option<Box<Mark>>,
        kept: Option<u32>,
        twin: Option<(Id, String, f64)>,
    },
}

fn asked(
    config: &Config,
    store: Result<Store, String>,
    site: &Site,
    id: &Id,
    examined: &Examined,
) -> anyhow::Result<Asked> {
    let store = match store {
        Ok(store) => store,
        Err(why) => return Ok(Asked::Not(why)),
    };
    let twin = match poll::twin(&store, &poll::index(&store)?, examined.print())? {
        Some((Told::Kept(article), twin)) => Some((article.id, article.title, twin.similarity)),
        _ => None,
    };
    Ok(Asked::Yes {
        mark: mark(config, &store, Some(site), id)?.map(Box::new),
        kept: store.article(id)?.map(|article| article.rev),
        twin: twin.filter(|(twin, ..)| twin != id),
    })
}

fn report(out: &mut impl Write, explained: &Explained) -> io::Result<()> {
    for (name, value) in facts(explained) {
        writeln!(out, "{name:10} {}", harmless(&value))?;
    }
    writeln!(out, "\n{}", whole_verdict(explained))?;
    topic_lines(explained).iter().try_for_each(|line| writeln!(out, "{line}"))?;
    known_lines(&explained.asked).iter().try_for_each(|line| writeln!(out, "{line}"))?;
    let clean = &explained.examined.clean;
    writeln!(
        out,
        "\nKEPT {} blocks, DROPPED {} parts; in the order of the page,",
        clean.blocks.len(),
        clean.dropped.len()
    )?;
    writeln!(out, "each with what it speaks for the article where the article is looked for:")?;
    for (n, parts) in explained.parts.iter().enumerate() {
        if explained.parts.len() > 1 {
            writeln!(out, "\nPAGE {}", n + 1)?;
        }
        lines(out, parts)?;
    }
    Ok(())
}

/// A rule is said once for the parts in a row that fell to it.
fn lines(out: &mut impl Write, parts: &[Part]) -> io::Result<()> {
    let mut before = None;
    for part in parts {
        let rule = (part.fate, part.why.as_str());
        if before != Some(rule) {
            writeln!(out, "  {}: {}", fate(part.fate), part.why)?;
        }
        before = Some(rule);
        let sign = match part.fate {
            PartFate::Kept => '+',
            PartFate::Caption | PartFate::Byline => '~',
            PartFate::Dropped => '-',
        };
        let text = part.image.as_ref().map_or_else(|| short(&part.text), |url| format!("picture {url}"));
        writeln!(out, "  {sign} {:>7.1}  {text}", part.score)?;
    }
    Ok(())
}

fn fate(fate: PartFate) -> &'static str {
    match fate {
        PartFate::Kept => "kept",
        PartFate::Caption => "to its picture",
        PartFate::Byline => "to the authors",
        PartFate::Dropped => "dropped",
    }
}

/// What is known of the page, each with its name.
fn facts(explained: &Explained) -> Vec<(&'static str, String)> {
    let (clean, site) = (&explained.examined.clean, &explained.site);
    let none = "none in the configuration has this host";
    let mut facts = vec![
        ("page", explained.url.to_string()),
        ("site", if site.id.is_empty() { none.to_owned() } else { site.id.clone() }),
        ("title", format!("{} (from {})", explained.examined.title, clean.sources.title)),
        ("published", published(clean)),
        ("authors", format!("{} (from {})", clean.authors.join(", "), clean.sources.authors)),
        ("method", method(clean, site)),
        ("learned", explained.taught.clone()),
    ];
    if explained.parts.len() > 1 {
        facts.push(("pages", explained.parts.len().to_string()));
    }
    facts.extend(explained.examined.doubt.clone().map(|why| ("in doubt", why)));
    facts
}

fn whole_verdict(explained: &Explained) -> String {
    let wanted = poll::wanted(&explained.site, &explained.examined.verdict);
    format!("VERDICT    {}", if wanted { "kept" } else { "off topic" })
}

fn topic_lines(explained: &Explained) -> Vec<String> {
    explained.examined.verdict.topics.iter().flat_map(judged).collect()
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

fn judged(topic: &Judged) -> Vec<String> {
    let about = if topic.selected { "yes" } else { "no" };
    let mut lines = vec![format!("  {}: {about}, score {:.2}", topic.id, topic.score)];
    let hits: Vec<String> =
        topic.hits.iter().map(|hit| format!("{} ({:?} {:+.2})", hit.term, hit.r#where, hit.weight)).collect();
    if !hits.is_empty() {
        lines.push(format!("    {}", hits.join(", ")));
    }
    lines
}

fn known_lines(asked: &Asked) -> Vec<String> {
    let (mark, kept, twin) = match asked {
        Asked::Not(why) => return vec![format!("STORE      not asked: {why}")],
        Asked::Yes { mark, kept, twin } => (mark, kept, twin),
    };
    let mut lines = vec![match kept {
        Some(rev) => format!("STORE      kept, revision {rev}"),
        None => "STORE      not kept".to_owned(),
    }];
    if let Some((id, title, similarity)) = twin {
        lines.push(format!("  twin of {id} ({similarity:.2}): {title}"));
    }
    lines.extend(mark.as_deref().map(seen).into_iter().flatten());
    lines
}

/// What became of an entry, and why it was dropped, as it was judged then.
fn seen(mark: &Mark) -> Vec<String> {
    let outcome = match &mark.outcome {
        None => "not settled yet".to_owned(),
        Some(Outcome::Later { why }) => format!("to be tried again: {why}"),
        Some(Outcome::GaveUp { why }) => format!("given up: {why}"),
        Some(other) => other.label().replace('_', " "),
    };
    let first_seen = super::moment(mark.first_seen);
    let settled = mark.settled.filter(|_| mark.outcome == Some(Outcome::OffTopic));
    let settled = settled.map_or(String::new(), |at| format!(", judged {}", super::moment(at)));
    let mut lines = vec![format!("  first seen {first_seen}, {outcome}{settled}")];
    if mark.outcome == Some(Outcome::OffTopic) {
        lines.extend(mark.judged.iter().flat_map(judged).map(|line| format!("  {line}")));
    }
    lines
}

fn as_json(explained: &Explained) -> Value {
    let Explained { url, site, examined, parts, taught, asked } = explained;
    let clean = &examined.clean;
    let kept = clean.blocks.iter().zip(&clean.kept_by);
    let kept: Vec<Value> =
        kept.map(|(block, why)| json!({"text": plain(std::slice::from_ref(block)), "why": why})).collect();
    json!({
        "url": url, "site": site.id, "title": examined.title, "published": clean.published, "published_from": clean.published_from,
        "authors": clean.authors, "method": clean.method, "learned": taught, "doubt": examined.doubt, "kept": kept,
        "images": clean.images, "dropped": clean.dropped, "selected": poll::wanted(site, &examined.verdict),
        "topics": examined.verdict.topics, "store": known_lines(asked), "pages": parts,
    })
}

/// What a terminal would obey goes.
fn harmless(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// One line of a terminal.
fn short(text: &str) -> String {
    let line = harmless(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    if line.chars().count() <= 100 {
        return line;
    }
    line.chars().take(99).chain(['…']).collect()
}
