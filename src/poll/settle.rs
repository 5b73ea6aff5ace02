//! Entries to articles: each page is fetched, examined and decided upon, and the decision written at once.

use super::examine::{Examined, examine_known, wanted};
use super::known::Known;
use super::pages::{self, By, Pages};
use super::told::{self, Told};
use super::{Pipeline, Settled, asked, blocking, by_feed, caught};
use crate::article::{self, Article, DateFrom, Extraction, Outcome, Page, Revision, TopicMatch, Verdict};
use crate::config::Site;
use crate::dedup::Index;
use crate::extract;
use crate::fetch::{Facts, FetchError};
use crate::status;
use crate::store::{Change, Mark, StoreError};
use crate::text::{VIETNAM, fold};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use tokio::time::Instant;
use url::Url;

/// After the eighth failure a page is asked for no more; the waits between double from a quarter of an hour to 16 hours.
const TRIES: u32 = 8;
const FIRST_WAIT: TimeDelta = TimeDelta::minutes(15);
/// After that the page of an article of which there is only what its feed says is tried once more.
const ONCE_MORE: TimeDelta = TimeDelta::days(7);
/// After so many pages in a row that could not be reached, the rest waits as long as the first of them.
const UNREACHABLE: u32 = 3;

pub async fn settle(
    pipeline: &Arc<Pipeline>,
    site: &Arc<Site>,
    now: DateTime<Utc>,
) -> Result<Vec<Settled>, StoreError> {
    let (store, id) = (pipeline.store.clone(), site.id.clone());
    let due = blocking(move || store.due(&id, now)).await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    if !site.pages {
        return by_feed::settle(pipeline, site, due, now).await;
    }
    let (store, id) = (pipeline.store.clone(), site.id.clone());
    let mut known = blocking(move || Known::of(&store, &id)).await?;
    let mut all = Vec::new();
    let (mut unreachable, begun) = (0, Instant::now());
    // until when the rest waits, in its order
    let (mut left_alone, mut held_back) = (None, 0);
    for mark in due {
        // pages come one after the other, some seconds apart
        let now = now + TimeDelta::seconds(begun.elapsed().as_secs().try_into().unwrap_or(0));
        if let Some(until) = left_alone {
            held_back += 1;
            wait_until(pipeline, site, mark, until + TimeDelta::milliseconds(held_back), now).await?;
            continue;
        }
        let (mut facts, last) = (Vec::new(), mark.tries + 1 >= TRIES);
        let page = pages::pages(By::Pipeline(pipeline, &mut facts), site, &mark.entry.url, last, now).await?;
        unreachable = if of_the_host(&page) { unreachable + 1 } else { 0 };
        // nobody asked, so it costs no try; entries of other hosts go on
        if let Err(held @ FetchError::Held { until, .. }) = &page {
            status::pages_wait(site, held);
            held_back += 1;
            let (until, why) = (*until, Outcome::Later { why: held.to_string() });
            let (noted_in, noted_for) = (pipeline.clone(), site.clone());
            blocking(move || note(&noted_in, &noted_for, (&why, Some(until)), &facts, now)).await?;
            wait_until(pipeline, site, mark, until + TimeDelta::milliseconds(held_back), now).await?;
            continue;
        }
        // The rest is not asked for today, so it costs them no try.
        left_alone = match &page {
            Err(FetchError::Busy { until, .. }) => Some(until.unwrap_or(now + FIRST_WAIT)),
            _ => (unreachable == UNREACHABLE).then(|| now + FIRST_WAIT),
        };
        let settled;
        (settled, known) = settle_one(pipeline, site, mark, (page, facts), known, now).await?;
        status::entry_settled(site, &settled);
        all.push(settled);
    }
    let (pipeline, site) = (pipeline.clone(), site.clone());
    let changed = blocking(move || {
        let changed = known.keep(&pipeline, &site, now)?;
        changed.iter().for_each(|settled| status::entry_settled(&site, settled));
        Ok::<_, StoreError>(changed)
    });
    all.extend(changed.await?);
    Ok(all)
}

async fn wait_until(
    pipeline: &Arc<Pipeline>,
    site: &Arc<Site>,
    mark: Mark,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (store, id, mark) = (pipeline.store.clone(), site.id.clone(), Mark { due: Some(until.max(now)), ..mark });
    blocking(move || store.settle(&id, &mark, Change::None, None, now).map(drop)).await
}

/// What became of each request for a page is told.
fn note(
    pipeline: &Pipeline,
    site: &Site,
    (outcome, due): (&Outcome, Option<DateTime<Utc>>),
    facts: &[(Url, Facts)],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    facts.iter().try_for_each(|(url, facts)| asked::note_page(pipeline, site, url, facts, (outcome, due), now))
}

/// Whether a failure says more of the host than of the page.
fn of_the_host(page: &Result<Pages, FetchError>) -> bool {
    matches!(page, Err(FetchError::Network(_)))
}

async fn settle_one(
    pipeline: &Arc<Pipeline>,
    site: &Arc<Site>,
    mark: Mark,
    (pages, facts): (Result<Pages, FetchError>, Vec<(Url, Facts)>),
    mut known: Known,
    now: DateTime<Utc>,
) -> Result<(Settled, Known), StoreError> {
    let (pipeline, site) = (pipeline.clone(), site.clone());
    blocking(move || {
        let id = mark.entry.id.clone();
        let settled = match pages {
            Ok(pages) => judge(&pipeline, &site, mark, &pages, &mut known, now),
            Err(error) => {
                // pages that cannot be had say as much of a site as those that cannot be read
                let why = facts.last().map_or_else(|| error.to_string(), |(_, facts)| facts.says(&error));
                if mark.tries == 0 && !matches!(error, FetchError::Busy { .. }) {
                    known.unread(&site, &why, now);
                }
                put_off(&pipeline, &site, mark, &error, why, now)
            }
        }?;
        let due = pipeline.store.mark(&site.id, &id)?.and_then(|mark| mark.due);
        note(&pipeline, &site, (&settled.outcome, due), &facts, now)?;
        Ok((settled, known))
    })
    .await
}

/// Noted, examined and written.
fn judge(
    pipeline: &Pipeline,
    site: &Site,
    mark: Mark,
    pages: &Pages,
    known: &mut Known,
    now: DateTime<Utc>,
) -> Result<Settled, StoreError> {
    let page = pages.pages.first().expect("there are no pages without the first");
    let taught = known.with(&mark.entry.id, page, now);
    let examined = match fit(pipeline, site, &mark, (page, pages), &taught, now) {
        Ok(examined) => examined,
        Err(why) => {
            // one page is one sign, however often it is tried
            if mark.tries == 0 {
                known.unread(site, &why, now);
            }
            return later(pipeline, site, mark, (why, None, true), now);
        }
    };
    known.take(taught, &pipeline.store, site)?;
    known.read(site, &examined, now);
    let raw = (!pipeline.config.store.raw_pages.is_zero()).then_some(page);
    if raw.is_some() {
        pages::keep_rest(&pipeline.store, pages, now)?;
    }
    let mark = Mark { due: None, ..mark };
    let settled = conclude(pipeline, site, mark, examined, raw, now, |_| true)?;
    Ok(settled.expect("it is wanted whatever it is"))
}

/// Decided, and written if that is `wanted`, with the index held in between.
pub(super) fn conclude(
    pipeline: &Pipeline,
    site: &Site,
    mark: Mark,
    examined: Examined,
    raw: Option<&Page>,
    now: DateTime<Utc>,
    wanted: impl FnOnce(&mut Change) -> bool,
) -> Result<Option<Settled>, StoreError> {
    let mut index = pipeline.lock_index();
    let (outcome, mut change) = decide(pipeline, site, &mark, &examined, &index, now)?;
    if !wanted(&mut change) {
        return Ok(None);
    }
    let settled = settled(&mark, &examined, outcome.clone());
    let mark = Mark { outcome: Some(outcome), judged: settled.judged.clone(), ..mark };
    let written = pipeline.store.settle(&site.id, &mark, change, raw, now)?;
    if let Some(key) = written.key {
        index.insert(key, examined.print());
        pipeline.changed.notify_one();
    }
    Ok(Some(settled))
}

pub(super) fn settled(mark: &Mark, examined: &Examined, outcome: Outcome) -> Settled {
    Settled {
        url: mark.entry.url.clone(),
        title: examined.title.clone(),
        outcome,
        judged: examined.verdict.topics.clone(),
        method: Some(examined.clean.method),
        dropped: examined.clean.dropped.len(),
        doubt: examined.doubt.clone(),
    }
}

/// Examined, or why that must wait: the page holds no article, or another than its feed announced.
fn fit(
    pipeline: &Pipeline,
    site: &Site,
    mark: &Mark,
    (first, pages): (&Page, &Pages),
    known: &Known,
    now: DateTime<Utc>,
) -> Result<Examined, String> {
    if let Some(why) = led_astray(&mark.entry.url, first) {
        return Err(why.to_owned());
    }
    let examined = caught(|| examine_known(pages, &mark.entry, site, &pipeline.topics, known, now));
    let examined = examined?.map_err(|why| why.to_string())?;
    if !announced(pipeline, site, mark, &examined, now) {
        return Err("the page is about something else than its feed announced".to_owned());
    }
    Ok(examined)
}

/// Where an article's address leads to the front page or to a login page, that is not the article.
fn led_astray(asked: &Url, page: &Page) -> Option<&'static str> {
    let front = |url: &Url| url.query().is_none() && matches!(url.path(), "" | "/" | "/index.html" | "/default.aspx");
    if front(&page.url) && !front(asked) {
        return Some("its address leads to the front page");
    }
    let moved = page.url.path() != asked.path();
    (moved && extract::asks_for_password(page)).then_some("its address leads to a login page")
}

/// Whether a page that is off topic is the one that its feed announced. Maintenance and login pages come with status
/// 200; an article that the feed's own words select is not lost to one.
fn announced(pipeline: &Pipeline, site: &Site, mark: &Mark, examined: &Examined, now: DateTime<Utc>) -> bool {
    if wanted(site, &examined.verdict) {
        return true;
    }
    let Some(title) = mark.entry.title.as_deref().map(fold) else { return true };
    let found = fold(&examined.title);
    let same = found.contains(title.trim_end_matches(['.', '…', ' '])) || title.contains(&found);
    let of_feed = || by_feed::look(pipeline, site, mark, now);
    same || !of_feed().is_ok_and(|of_feed| wanted(site, &of_feed.verdict))
}

pub(super) fn decide(
    pipeline: &Pipeline,
    site: &Site,
    mark: &Mark,
    examined: &Examined,
    index: &Index,
    now: DateTime<Utc>,
) -> Result<(Outcome, Change), StoreError> {
    if let Some(known) = pipeline.store.article(&mark.entry.id)? {
        let owned = pipeline.config.sites.iter().any(|other| other.id == known.site.id && other.id != site.id);
        return Ok(if owned { another(&known) } else { again(known, site, mark, examined, now) });
    }
    if pipeline.store.let_go(mark)? {
        let why = "its article was let go by the limits in [store]".to_owned();
        return Ok((Outcome::Kept { why }, Change::None));
    }
    if !wanted(site, &examined.verdict) {
        return Ok((Outcome::OffTopic, Change::None));
    }
    match told::twin(&pipeline.store, index, examined.print())? {
        Some((Told::Kept(first), twin)) => {
            let prints = pipeline.store.prints_of(twin.key)?;
            Ok(told::told(*first, &prints, site, mark, (examined, &twin), now))
        }
        Some((Told::Past(past), _)) => Ok((Outcome::Duplicate { of: past.id }, Change::None)),
        None => {
            let article = Box::new(new_article(site, mark, examined, now));
            Ok((Outcome::Stored, Change::New { article, print: examined.print().clone() }))
        }
    }
}

/// The page of an article that is already kept, for another site that is still configured.
fn another(known: &Article) -> (Outcome, Change) {
    (Outcome::Kept { why: format!("the same address is kept for {}", known.site.id) }, Change::None)
}

/// The page of an article that is already kept.
fn again(known: Article, site: &Site, mark: &Mark, examined: &Examined, now: DateTime<Utc>) -> (Outcome, Change) {
    let well_again = known.extraction.degraded.is_some() && examined.doubt.is_none();
    if known.title == examined.title && same_text(&known, examined) && !well_again {
        return (Outcome::Unchanged, Change::None);
    }
    if let Some(why) = worse(&known, examined) {
        return (Outcome::Kept { why }, Change::None);
    }
    let rev = known.rev + 1;
    let mut history = known.history.clone();
    history.push(Revision { rev, at: now, why: difference(&known, examined) });
    let article = Article {
        rev,
        updated_at: now,
        history,
        first_seen_at: known.first_seen_at,
        day: known.day,
        copies: known.copies,
        ..new_article(site, mark, examined, now)
    };
    (Outcome::Revision { rev }, Change::Revise { article: Box::new(article), print: examined.print().clone() })
}

/// A page that became an error page with status 200, or lost most of its text, does not replace a good text.
fn worse(known: &Article, examined: &Examined) -> Option<String> {
    let (old, new) = (article::plain(&known.blocks).len(), article::plain(&examined.clean.blocks).len());
    let doubted = if known.extraction.degraded.is_none() { examined.doubt.as_deref() } else { None };
    if let Some(why) = told::superseded(known, new < old) {
        return Some(why);
    }
    match doubted {
        Some(doubt) if new < old => {
            Some(format!("{new} bytes of text now, where {old} are kept, and in doubt: {doubt}"))
        }
        _ => (new * 2 < old).then(|| format!("the page now has {new} bytes of text where {old} are kept")),
    }
}

/// As it is written: blocks that came back from the export folder may be cut otherwise.
fn same_text(known: &Article, examined: &Examined) -> bool {
    known.blocks == examined.clean.blocks || article::html(&known.blocks) == article::html(&examined.clean.blocks)
}

fn difference(known: &Article, examined: &Examined) -> String {
    match (known.title == examined.title, same_text(known, examined)) {
        (false, true) => "title changed".to_owned(),
        (true, false) => "text changed".to_owned(),
        (true, true) => "the text is no longer in doubt".to_owned(),
        _ => "title and text changed".to_owned(),
    }
}

fn new_article(site: &Site, mark: &Mark, examined: &Examined, now: DateTime<Utc>) -> Article {
    let clean = &examined.clean;
    let seen = mark.first_seen;
    Article {
        id: mark.entry.id.clone(),
        rev: 1,
        url: article::canonical(&mark.entry.url),
        site: site.reference(),
        title: examined.title.clone(),
        summary: clean.summary.clone(),
        authors: clean.authors.clone(),
        language: clean.language.clone(),
        published_at: clean.published,
        published_from: if clean.published.is_some() { clean.published_from } else { DateFrom::Seen },
        first_seen_at: seen,
        updated_at: now,
        day: clean.published.map_or(seen.with_timezone(&VIETNAM), |at| at.with_timezone(&VIETNAM)).date_naive(),
        blocks: clean.blocks.clone(),
        images: clean.images.clone(),
        tags: clean.tags.clone(),
        topics: matched(&examined.verdict),
        copies: Vec::new(),
        history: Vec::new(),
        extraction: extraction(examined),
    }
}

pub(super) fn extraction(examined: &Examined) -> Extraction {
    Extraction {
        method: examined.clean.method,
        dropped: u32::try_from(examined.clean.dropped.len()).unwrap_or(u32::MAX),
        degraded: examined.doubt.clone(),
    }
}

/// The topics that an article carries.
pub(super) fn matched(verdict: &Verdict) -> Vec<TopicMatch> {
    let topics = verdict.topics.iter().filter(|topic| topic.selected);
    topics.map(|t| TopicMatch { id: t.id.clone(), score: t.score, hits: t.hits.clone() }).collect()
}

/// The page could not be had. Some sites announce a page before it is there: only 410 is believed at once.
fn put_off(
    pipeline: &Pipeline,
    site: &Site,
    mark: Mark,
    error: &FetchError,
    why: String,
    now: DateTime<Utc>,
) -> Result<Settled, StoreError> {
    match error {
        FetchError::Gone { status: 410 } => give_up(pipeline, site, mark, why, now),
        FetchError::Busy { until, .. } => later(pipeline, site, mark, (why, *until, false), now),
        _ => later(pipeline, site, mark, (why, None, false), now),
    }
}

/// Tried again, for this reason and not before that time; `had` is whether there was a page.
fn later(
    pipeline: &Pipeline,
    site: &Site,
    mark: Mark,
    (why, not_before, had): (String, Option<DateTime<Utc>>, bool),
    now: DateTime<Utc>,
) -> Result<Settled, StoreError> {
    let tries = mark.tries + 1;
    if tries >= TRIES {
        return at_last(pipeline, site, Mark { tries, due: None, ..mark }, (why, had), now);
    }
    let due = now + FIRST_WAIT * 2_i32.pow(tries - 1);
    let due = not_before.map_or(due, |at| at.max(due));
    let mark = Mark { tries, due: Some(due), ..mark };
    write(pipeline, site, mark, Outcome::Later { why }, now)
}

/// What the feed itself says stands for a page that could not be read, and a week later the page is tried once more. But
/// not for an article that is kept, and a page that was never `had` is off topic only by its own text.
fn at_last(
    pipeline: &Pipeline,
    site: &Site,
    mark: Mark,
    (why, had): (String, bool),
    now: DateTime<Utc>,
) -> Result<Settled, StoreError> {
    if pipeline.store.article(&mark.entry.id)?.is_some() {
        return write(pipeline, site, mark, Outcome::Kept { why }, now);
    }
    match by_feed::look(pipeline, site, &mark, now) {
        Ok(mut examined) if had || wanted(site, &examined.verdict) => {
            examined.doubt = Some(format!("this is what the feed says, for its page could not be read: {why}"));
            let raw = by_feed::raw(pipeline, &mark);
            let again = wanted(site, &examined.verdict).then(|| now + ONCE_MORE);
            let mark = Mark { tries: TRIES - 1, due: again, ..mark };
            let settled = conclude(pipeline, site, mark, examined, raw.as_ref(), now, |_| true)?;
            Ok(settled.expect("it is wanted whatever it is"))
        }
        _ => give_up(pipeline, site, mark, why, now),
    }
}

pub(super) fn give_up(
    pipeline: &Pipeline,
    site: &Site,
    mark: Mark,
    why: String,
    now: DateTime<Utc>,
) -> Result<Settled, StoreError> {
    write(pipeline, site, Mark { due: None, ..mark }, Outcome::GaveUp { why }, now)
}

/// An entry of which there is only a mark to write.
fn write(
    pipeline: &Pipeline,
    site: &Site,
    mark: Mark,
    outcome: Outcome,
    now: DateTime<Utc>,
) -> Result<Settled, StoreError> {
    let mark = Mark { outcome: Some(outcome.clone()), ..mark };
    pipeline.store.settle(&site.id, &mark, Change::None, None, now)?;
    let title = mark.entry.title.clone().unwrap_or_default();
    Ok(Settled { url: mark.entry.url, title, outcome, judged: Vec::new(), method: None, dropped: 0, doubt: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_front_page_or_a_login_page_is_not_the_article_that_was_asked_for() {
        let asked: Url = "http://danvan.example/tin/3.html".parse().unwrap();
        let led = |to: &str, body: &str| {
            let page = Page { url: to.parse().unwrap(), content_type: None, body: body.as_bytes().to_vec() };
            led_astray(&asked, &page)
        };
        let login = "<form><input name=u><INPUT type=\"Password\" name=p></form>";
        assert!(led("http://danvan.example/", "").is_some());
        assert!(led("http://danvan.example/dang-nhap", login).is_some());
        assert_eq!(led("http://danvan.example/tin/3.html", login), None, "a login box beside the article");
        assert_eq!(led("http://danvan.example/tin/so-3.html", ""), None, "the article has moved");
        assert_eq!(led("http://danvan.example/?id=3", ""), None);
    }
}
