//! What is kept and what was dropped, judged again after a change of the terms.

use super::examine::{examine_known, wanted};
use super::known::Known;
use super::pages::{self, Pages};
use super::{Pipeline, Settled, caught, settle};
use crate::article::{self, Article, Entry, Id, Outcome, Revision, TopicMatch, Verdict};
use crate::config::Site;
use crate::dedup::Print;
use crate::extract::Learned;
use crate::store::{Change, Mark, StoreError, Taken};
use chrono::{DateTime, Days, Utc};

/// Said in the history of an article whose reasons changed without its text.
const AGAIN: &str = "judged again: the terms changed";

/// What became of an article or a dropped page that was judged again.
#[derive(Debug)]
pub enum Reselected {
    /// Nothing changed.
    Same,
    /// Kept still, for other reasons or with another score: a revision.
    Otherwise(Article),
    /// No longer wanted: taken away, its mark says why.
    TakenAway(Article),
    /// Kept for a site that is not configured any more: left alone.
    NoSite,
    /// Dropped once, now wanted: stored, or a copy of another.
    TakenIn(Settled),
    /// Still dropped.
    StillDropped,
    /// Dropped, and its page as served is not kept any more.
    NoPage,
}

/// Every kept article, then every dropped page; `each` is told in turn. Nothing is written if `dry`.
pub fn reselect(
    pipeline: &Pipeline,
    now: DateTime<Utc>,
    dry: bool,
    mut each: impl FnMut(Reselected),
) -> Result<(), StoreError> {
    // what is dropped on the way must not be taken for kept, nor the other way round
    let dropped = all_dropped(pipeline)?;
    let ids = pipeline.store.articles().map(|kept| Ok(kept?.1.article.id)).collect::<Result<Vec<_>, StoreError>>()?;
    for id in ids {
        if let Some((key, kept)) = pipeline.store.kept(&id)? {
            each(judge_kept(pipeline, key, kept.article, now, dry)?);
        }
    }
    for (site, marks) in dropped {
        let known = Known::of(&pipeline.store, &site.id)?;
        for mark in marks {
            each(judge_dropped(pipeline, site, mark, &known, now, dry)?);
        }
    }
    Ok(())
}

fn all_dropped(pipeline: &Pipeline) -> Result<Vec<(&Site, Vec<Mark>)>, StoreError> {
    let of_site = |site: &'_ std::sync::Arc<Site>| {
        let mut marks = pipeline.store.marks(&site.id)?;
        marks.retain(|mark| mark.outcome == Some(Outcome::OffTopic));
        Ok(marks)
    };
    pipeline.config.sites.iter().map(|site| Ok((&**site, of_site(site)?))).collect()
}

fn judge_kept(
    pipeline: &Pipeline,
    key: u64,
    article: Article,
    now: DateTime<Utc>,
    dry: bool,
) -> Result<Reselected, StoreError> {
    let Some(site) = pipeline.config.sites.iter().find(|site| site.id == article.site.id) else {
        return Ok(Reselected::NoSite);
    };
    let text = article::plain(&article.blocks);
    let verdict = pipeline.topics.judge(&article.title, &text.split("\n\n").collect::<Vec<_>>());
    let topics = settle::matched(&verdict);
    let stays = wanted(site, &verdict);
    if stays && topics == article.topics {
        return Ok(Reselected::Same);
    }
    if !dry {
        match stays {
            true => revise(pipeline, site, article.clone(), &text, topics, verdict, now)?,
            false => take_away(pipeline, site, key, &article, verdict, now)?,
        }
    }
    Ok(if stays { Reselected::Otherwise(article) } else { Reselected::TakenAway(article) })
}

fn revise(
    pipeline: &Pipeline,
    site: &Site,
    article: Article,
    text: &str,
    topics: Vec<TopicMatch>,
    verdict: Verdict,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let rev = article.rev + 1;
    let mark =
        Mark { outcome: Some(Outcome::Revision { rev }), judged: verdict.topics, ..mark(pipeline, site, &article)? };
    let print = Print::of(&article.title, text);
    let mut article = Article { rev, topics, updated_at: now, ..article };
    article.history.push(Revision { rev, at: now, why: AGAIN.to_owned() });
    let change = Change::Revise { article: Box::new(article), print };
    pipeline.store.settle(&site.id, &mark, change, None, now).map(drop)
}

/// The mark first: should the program end in between, the article is taken away the next time.
fn take_away(
    pipeline: &Pipeline,
    site: &Site,
    key: u64,
    article: &Article,
    verdict: Verdict,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut index = pipeline.lock_index();
    let mark = Mark { outcome: Some(Outcome::OffTopic), judged: verdict.topics, ..mark(pipeline, site, article)? };
    pipeline.store.settle(&site.id, &mark, Change::None, None, now)?;
    copies_wait(pipeline, site, article, now)?;
    pipeline.store.forget(&article.id, now)?;
    index.remove(key);
    Ok(())
}

/// The pages that were told to be copies of it are judged by themselves.
fn copies_wait(pipeline: &Pipeline, site: &Site, article: &Article, now: DateTime<Utc>) -> Result<(), StoreError> {
    let copies = article.copies.iter().map(|copy| (copy.site.as_str(), Id::of(&copy.url)));
    let others = pipeline.config.sites.iter().map(|other| other.id.as_str()).filter(|other| *other != site.id);
    for (site, id) in copies.chain(others.map(|other| (other, article.id.clone()))) {
        let Some(mark) = pipeline.store.mark(site, &id)?.filter(|mark| mark.due.is_none()) else { continue };
        let of_feed = kept_pages(pipeline, &mark)?.and_then(|pages| pages::entry_of(&pages));
        let entry = of_feed.unwrap_or(mark.entry);
        let mark = Mark { entry, due: Some(now), outcome: None, tries: 0, ..mark };
        pipeline.store.wait_again(site, &mark)?;
    }
    Ok(())
}

/// The article's mark; one made anew where its feed has not shown it for long.
fn mark(pipeline: &Pipeline, site: &Site, article: &Article) -> Result<Mark, StoreError> {
    if let Some(mark) = pipeline.store.mark(&site.id, &article.id)? {
        return Ok(mark);
    }
    let bare = Entry::bare(article.id.clone(), article.url.clone(), Some(article.title.clone()));
    let entry = Entry { published: article.published_at, ..bare };
    Ok(Mark {
        entry,
        feed: site.feeds.first().unwrap_or(&article.url).clone(),
        said: String::new(),
        first_seen: article.first_seen_at,
        last_seen: article.first_seen_at,
        tries: 0,
        due: None,
        settled: Some(article.updated_at),
        unchanged: 0,
        outcome: Some(Outcome::Stored),
        judged: Vec::new(),
    })
}

/// From its page as served, or from what its feed said where no page is asked for.
fn judge_dropped(
    pipeline: &Pipeline,
    site: &Site,
    mut mark: Mark,
    known: &Known,
    now: DateTime<Utc>,
    dry: bool,
) -> Result<Reselected, StoreError> {
    let Some(mut pages) = kept_pages(pipeline, &mark)? else { return Ok(Reselected::NoPage) };
    if let Some(entry) = pages::entry_of(&pages) {
        (mark.entry, pages) = (entry, Pages::default());
    }
    let look = || examine_known(&pages, &mark.entry, site, &pipeline.topics, known, now);
    let Ok(Ok(examined)) = caught(look) else { return Ok(Reselected::StillDropped) };
    if wanted(site, &examined.verdict) {
        let settled = match dry {
            true => settle::settled(&mark, &examined, Outcome::Stored),
            false => settle::conclude(pipeline, site, mark, examined, None, now, |_| true)?.expect("all is wanted"),
        };
        return Ok(Reselected::TakenIn(settled));
    }
    if !dry && examined.verdict.topics != mark.judged {
        let mark = Mark { judged: examined.verdict.topics, ..mark };
        pipeline.store.settle(&site.id, &mark, Change::None, None, now)?;
    }
    Ok(Reselected::StillDropped)
}

/// They lie at the day on which the entry was settled with them: that of the last time, or an earlier one.
fn kept_pages(pipeline: &Pipeline, mark: &Mark) -> Result<Option<Pages>, StoreError> {
    let mut at = mark.settled.unwrap_or(mark.first_seen);
    loop {
        let taken = Taken { page: Learned::page(&mark.entry.url), id: mark.entry.id.clone(), at, again: false };
        if let Some(pages) = pages::kept(&pipeline.store, &taken)? {
            return Ok(Some(pages));
        }
        match at.checked_sub_days(Days::new(1)) {
            Some(before) if before.date_naive() >= mark.first_seen.date_naive() => at = before,
            _ => return Ok(None),
        }
    }
}
