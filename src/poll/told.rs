//! What was told before: the article that a page tells again, and what becomes of the two.

use super::examine::Examined;
use super::settle::{extraction, matched};
use crate::article::{self, Article, Copy, Outcome, Revision};
use crate::config::Site;
use crate::dedup::{self, Index, Print, Relation, Twin};
use crate::store::{Change, Mark, Past, Store, StoreError};
use crate::text::fold;
use chrono::{DateTime, Utc};

/// The article that was told before: it is kept, or was let go.
pub enum Told {
    Kept(Box<Article>),
    Past(Past),
}

/// The nearest of those that are kept; where there is none, of those that were let go.
pub fn twin(store: &Store, index: &Index, print: &Print) -> Result<Option<(Told, Twin)>, StoreError> {
    let of = |past: bool| {
        index.twin(print, |key| match store.past(key)?.is_some() == past {
            true => store.prints_of(key),
            false => Ok(Vec::new()),
        })
    };
    if let Some(twin) = of(false)?
        && let Some(article) = store.article_at(twin.key)?
    {
        return Ok(Some((Told::Kept(Box::new(article)), twin)));
    }
    let Some(twin) = of(true)? else { return Ok(None) };
    Ok(store.past(twin.key)?.map(|past| (Told::Past(past), twin)))
}

/// Another page tells an article that is kept: a row among its copies. Where it tells more, or is the same site's later
/// word, its text is the article's.
pub(super) fn told(
    first: Article,
    prints: &[Print],
    site: &Site,
    mark: &Mark,
    (examined, twin): (&Examined, &Twin),
    now: DateTime<Utc>,
) -> (Outcome, Change) {
    let (outcome, print) = (Outcome::Duplicate { of: first.id.clone() }, examined.print().clone());
    let copy = copy_of(site, mark, examined, twin);
    // its own print is among them by now: it would look like a copy of itself
    if first.copies.iter().any(|row| row.url == copy.url) && prints.contains(&print) {
        return (outcome, Change::None);
    }
    if fuller(&first, examined) {
        let why = format!("extended: the fuller text of {}", copy.url);
        let copy = Copy { relation: Some(Relation::Extended), ..copy };
        let article = Box::new(retold(first, copy, examined, (why, now)));
        return (outcome, Change::Revise { article, print });
    }
    if corrected(&first, site, mark, examined, twin) {
        let why = format!("text changed: as the site tells it now at {}", copy.url);
        let copy = Copy { relation: Some(Relation::Revision), ..copy };
        let first = Article { title: examined.title.clone(), ..first };
        let article = Box::new(retold(first, copy, examined, (why, now)));
        return (outcome, Change::Revise { article, print });
    }
    (outcome, Change::Copied { of: first.id, copy, print: Some(print) })
}

/// Whether a text is that of a kept article, and more; nothing is taken from a page that is in doubt.
fn fuller(first: &Article, examined: &Examined) -> bool {
    let text = article::plain(&first.blocks);
    let own = Print::of(&first.title, &text);
    examined.doubt.is_none()
        && text.len() < article::plain(&examined.clean.blocks).len()
        && dedup::relation(examined.print(), &own) == Some(Relation::Extended)
}

/// Whether the site itself tells the article again, at another address and with another text: a system that gives a new
/// address to what is published anew. A text in doubt, or one that lost much, replaces none.
fn corrected(first: &Article, site: &Site, mark: &Mark, examined: &Examined, twin: &Twin) -> bool {
    let (old, new) = (article::plain(&first.blocks), article::plain(&examined.clean.blocks));
    let (was, is) = (fold(&first.title), fold(&examined.title));
    first.site.id == site.id
        && twin.relation == Relation::Copy
        && old != new
        && mark.first_seen > first.first_seen_at
        && examined.clean.published.zip(first.published_at).is_none_or(|(now, then)| now >= then)
        && examined.doubt.is_none()
        && new.len() * 10 >= old.len() * 9
        // *[Đính chính]* is put before the headline of what is corrected
        && (is.contains(&was) || was.contains(&is))
}

/// The article with the text of its copy: who told it first, where and when, stays.
fn retold(first: Article, copy: Copy, examined: &Examined, (why, now): (String, DateTime<Utc>)) -> Article {
    let (clean, rev) = (&examined.clean, first.rev + 1);
    let mut history = first.history;
    history.push(Revision { rev, at: now, why });
    let mut copies = first.copies;
    copies.retain(|row| row.url != copy.url);
    copies.push(copy);
    Article {
        rev,
        updated_at: now,
        history,
        copies,
        summary: clean.summary.clone().or(first.summary),
        authors: if clean.authors.is_empty() { first.authors } else { clean.authors.clone() },
        blocks: clean.blocks.clone(),
        images: clean.images.clone(),
        topics: Some(matched(&examined.verdict)).filter(|topics| !topics.is_empty()).unwrap_or(first.topics),
        extraction: extraction(examined),
        ..first
    }
}

/// Why the article's own page does not give it this text, where that of a copy is kept.
pub(super) fn superseded(known: &Article, shorter: bool) -> Option<String> {
    known.copies.iter().find_map(|copy| match copy.relation? {
        Relation::Revision => Some(format!("the site tells it anew at {}", copy.url)),
        Relation::Extended if shorter => Some(format!("the fuller text of {} is kept", copy.url)),
        _ => None,
    })
}

fn copy_of(site: &Site, mark: &Mark, examined: &Examined, twin: &Twin) -> Copy {
    Copy {
        url: article::canonical(&mark.entry.url),
        site: site.id.clone(),
        title: examined.title.clone(),
        published_at: examined.clean.published,
        similarity: twin.similarity,
        relation: Some(twin.relation),
    }
}
