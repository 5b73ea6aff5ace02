//! `diemtin explain` of a feed, or of a page that lists articles: what was taken of it, and why.

use super::report::short;
use super::{Form, html};
use crate::article::{Dropped, Page};
use crate::cli::{BAD_DATA, Exit, harmless, moment};
use crate::config::Site;
use crate::fetch::public;
use crate::parse::{self, Feed, Item, Look, ParseError};
use serde_json::{Value, json};
use std::io::{self, Write};
use url::Url;

/// None for a page that is neither one of the site's feeds nor asked to be read as a list.
pub fn explain(url: &Url, page: &Page, site: &Site, as_list: bool, form: Form) -> anyhow::Result<Option<()>> {
    let Some(look) = look(url, page, site, as_list) else { return Ok(None) };
    let look = look.map_err(|why| Exit { code: BAD_DATA, why: format!("{}: {why}", public(url)) })?;
    let mut out = io::stdout().lock();
    match form {
        Form::Json => writeln!(out, "{}", as_json(url, site, &look))?,
        Form::Report => report(&mut out, url, site, &look)?,
        Form::Html => {
            let mut said = Vec::new();
            report(&mut said, url, site, &look)?;
            write!(out, "{}", html::of_report(url, &String::from_utf8_lossy(&said)))?;
        }
    }
    Ok(Some(()))
}

fn look(url: &Url, page: &Page, site: &Site, as_list: bool) -> Option<Result<Look, ParseError>> {
    let known = site.lists.get(url).or_else(|| if as_list { site.lists.values().next() } else { None });
    if known.is_some() || as_list {
        // without selectors the list is looked for
        let layout = known.cloned().unwrap_or_default();
        // A saved list's addresses are those of the page it was saved from.
        let of = if url.scheme() == "file" { site.lists.keys().next() } else { None };
        let page = Page { url: of.unwrap_or(&page.url).clone(), ..page.clone() };
        return Some(parse::explain_list(&page, &layout, site.default_offset));
    }
    // Sites without settings have the page itself as their feed.
    if site.id.is_empty() || !site.feeds.contains(url) {
        return None;
    }
    let feed = parse::parse(&page.body, page.content_type.as_deref(), Some(&page.url), site.default_offset);
    Some(feed.map(|feed| Look { feed, place: String::new(), left: Vec::new() }))
}

fn report(out: &mut impl Write, url: &Url, site: &Site, look: &Look) -> io::Result<()> {
    let Look { feed: Feed { format, title, items, repairs }, place, left } = look;
    writeln!(out, "feed       {}", public(url))?;
    writeln!(
        out,
        "site       {}",
        if site.id.is_empty() { "none in the configuration has this host" } else { &site.id }
    )?;
    writeln!(out, "title      {}", harmless(title.as_deref().unwrap_or("none")))?;
    writeln!(out, "read as    {format}{}{place}", if place.is_empty() { "" } else { ": " })?;
    if !repairs.is_empty() {
        writeln!(out, "repairs    {}", harmless(&repairs.join("; ")))?;
    }
    writeln!(out, "\nENTRIES, {}", items.len())?;
    items.iter().try_for_each(|item| entry(out, item))?;
    if place.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nLEFT, {} links", left.len())?;
    for (why, texts) in by_reason(left) {
        writeln!(out, "  {}", harmless(why))?;
        texts.iter().try_for_each(|text| writeln!(out, "    - {}", short(text)))?;
    }
    Ok(())
}

/// The reasons in the order of the page, each with what fell to it.
fn by_reason(left: &[Dropped]) -> Vec<(&str, Vec<&str>)> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for Dropped { text, why } in left {
        match reasons.iter_mut().find(|(known, _)| known == why) {
            Some((_, texts)) => texts.push(text),
            None => reasons.push((why, vec![text])),
        }
    }
    reasons
}

fn entry(out: &mut impl Write, item: &Item) -> io::Result<()> {
    let when = item.published.or(item.updated).map_or("no date                ".to_owned(), |at| moment(at.to_utc()));
    writeln!(out, "  + {when}  {}", short(item.title.as_deref().unwrap_or("(no title)")))?;
    let link = link(item).unwrap_or_else(|| "no address: it cannot be fetched".to_owned());
    writeln!(out, "      {}", harmless(&link))
}

/// Without the password that it may have.
fn link(item: &Item) -> Option<String> {
    let typed = item.link.as_deref()?;
    // a relative one has none
    Some(Url::parse(typed).map_or_else(|_| typed.to_owned(), |url| public(&url).into()))
}

fn as_json(url: &Url, site: &Site, look: &Look) -> Value {
    let Look { feed: Feed { format, title, items, repairs }, place, left } = look;
    let entry = |item: &Item| json!({"title": item.title, "link": link(item), "published": item.published, "updated": item.updated});
    let left: Vec<Value> = left.iter().map(|Dropped { text, why }| json!({"text": text, "why": why})).collect();
    json!({
        "url": public(url), "site": site.id, "format": format, "title": title, "place": place, "repairs": repairs,
        "entries": items.iter().map(entry).collect::<Vec<_>>(), "left": left,
    })
}
