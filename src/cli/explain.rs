//! `diemtin explain`: what would become of a page, and why.

mod feed;
mod html;
mod memory;
mod report;

use super::{BAD_DATA, Exit, USAGE, harmless};
use crate::article::{Entry, Id, Kind, Method, Page};
use crate::config::{Config, Select, Site, Tls};
use crate::extract::{self, ExtractError, Part};
use crate::fetch::{Fetcher, public};
use crate::poll::{self, Examined, Pages};
use crate::select::Topics;
use crate::text::VIETNAM;
use anyhow::Context;
use chrono::{DateTime, SubsecRound, Utc};
use memory::{Asked, Memory};
use report::{as_json, report, seen};
use serde_json::json;
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
        Err(why) => return remembered(config, what, site, form, why),
    };
    let site = chosen_site(config, site, &url)?;
    if let Some(page) = pages.pages.first()
        && let Some(()) = feed::explain(&url, page, &site, as_list, form)?
    {
        return Ok(());
    }
    let id = Id::of(&url);
    let memory = Memory::of(config, &site, &id)?;
    let (known, taught) = memory.taught();
    // what its feed says of a page fills what the page does not say
    let bare = || Entry::bare(id.clone(), url.clone(), None);
    let entry = memory.mark().map_or_else(bare, |mark| mark.entry.clone());
    let wrong = |why: ExtractError| Exit { code: BAD_DATA, why: format!("{what}: {why}") };
    let topics = Topics::new(&config.topics);
    let examined = poll::examine_known(&pages, &entry, &site, &topics, &known, now).map_err(wrong)?;
    // The way that was taken: without the layout where it did not fit.
    let layout = site.layout.as_deref().filter(|_| examined.clean.method == Method::Layout);
    let trace = |page| extract::trace(page, Some(&entry), layout, &known.lessons.learned, now);
    let parts = pages.pages.iter().map(trace).collect::<Result<_, _>>().map_err(wrong)?;
    let asked = memory.asked(&id, &examined)?;
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
fn remembered(config: &Config, what: &str, site: Option<&str>, form: Form, why: anyhow::Error) -> anyhow::Result<()> {
    let Ok(url) = what.parse::<Url>() else { return Err(why) };
    let memory = Memory::of(config, chosen_site(config, site, &url)?.as_ref(), &Id::of(&url))?;
    let Some(mark) = memory.mark() else { return Err(why) };
    let (url, why) = (public(&url), format!("{why:#}"));
    let mut out = io::stdout().lock();
    match form {
        Form::Json => writeln!(out, "{}", json!({"url": url, "error": why, "store": seen(mark)}))?,
        _ => {
            writeln!(out, "page       {url}\nNOT HAD    {}\nSTORE", harmless(&why))?;
            seen(mark).iter().try_for_each(|line| writeln!(out, "{}", harmless(line)))?;
        }
    }
    Ok(())
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
        Err(why) => Err(anyhow::Error::from(why).context(public(&url))),
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
