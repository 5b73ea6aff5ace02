//! The page of an entry, and those on which its article goes on.

use super::{Pipeline, asked, blocking, caught};
use crate::article::{Entry, Id, Page};
use crate::config::Site;
use crate::extract;
use crate::fetch::{Facts, FetchError, Fetcher, Validators, public};
use crate::store::{Store, StoreError, Taken};
use chrono::{DateTime, Utc};
use url::Url;

/// Of one article, at most.
const MOST: usize = 10;

/// The type of what is kept in place of a page where only the feed is asked.
const ENTRY: &str = "application/vnd.diemtin.entry+json";

/// An article's pages as served, the first one first; none for what only its feed told.
#[derive(Clone, Default, Debug)]
pub struct Pages {
    pub pages: Vec<Page>,
    /// The address that was asked for each.
    pub asked: Vec<Url>,
    /// Why those that follow are left out, if any do.
    pub cut: Option<String>,
}

impl Pages {
    pub fn one(page: Page) -> Pages {
        Pages { asked: vec![page.url.clone()], pages: vec![page], cut: None }
    }

    /// The address of the page after the last one, unless it leads back.
    fn next(&self) -> Option<Url> {
        let (first, last) = (self.pages.first()?, self.pages.last()?);
        let nth = u32::try_from(self.pages.len()).unwrap_or(u32::MAX);
        // a mistake of the program's own costs the rest of an article at most, and is said when the page is examined
        let next = caught(|| extract::next_page(last, &first.url, nth)).ok().flatten()?;
        (!self.asked.contains(&next)).then_some(next)
    }

    fn push(&mut self, asked: Url, page: Page) {
        self.asked.push(asked);
        self.pages.push(page);
    }

    /// Whether a page has text that the first one has not.
    fn adds(&self, page: &Page, now: DateTime<Utc>) -> bool {
        let read = |page: &Page| caught(|| extract::extract(page, None, None, now)).ok().and_then(Result::ok);
        // one that cannot be read adds nothing
        self.pages.last().and_then(read).zip(read(page)).is_some_and(|(before, page)| extract::adds(&before, &page))
    }
}

/// Fetched, one after the other. A following page that fails for now fails the article for now, so that it is not kept
/// cut; one that is not there, or at the `last` try, leaves it cut and said to be.
pub async fn pages(
    mut by: By<'_>,
    site: &Site,
    url: &Url,
    last: bool,
    now: DateTime<Utc>,
) -> Result<Result<Pages, FetchError>, StoreError> {
    let first = match by.page(site, url, now).await? {
        Ok(page) => page,
        Err(error) => return Ok(Err(error)),
    };
    let mut all = Pages { pages: vec![first], asked: vec![url.clone()], cut: None };
    loop {
        let (next, back) = blocking(move || (all.next(), all)).await;
        all = back;
        let Some(next) = next else { return Ok(Ok(all)) };
        if all.pages.len() == MOST {
            all.cut = Some(format!("only {MOST} pages were read, it goes on at {}", public(&next)));
            return Ok(Ok(all));
        }
        match by.page(site, &next, now).await? {
            Ok(page) => {
                let (adds, page, back) = blocking(move || (all.adds(&page, now), page, all)).await;
                all = back;
                if !adds {
                    return Ok(Ok(all));
                }
                all.push(next, page);
            }
            // one that is held was not asked for
            Err(error) if is_lasting(&error) || (last && !matches!(error, FetchError::Held { .. })) => {
                all.cut = Some(format!("it goes on at {}, which could not be had: {error}", public(&next)));
                return Ok(Ok(all));
            }
            Err(error) => return Ok(Err(error)),
        }
    }
}

fn is_lasting(error: &FetchError) -> bool {
    matches!(
        error,
        FetchError::Gone { .. } | FetchError::Refused(_) | FetchError::TooLarge { .. } | FetchError::Forbidden(_)
    )
}

/// Who asks.
pub enum By<'a> {
    /// Someone who looks: nothing is remembered.
    Fetcher(&'a Fetcher),
    /// The daemon: robots.txt is obeyed, and what is known of each request is told.
    Pipeline(&'a Pipeline, &'a mut Vec<(Url, Facts)>),
}

impl By<'_> {
    async fn page(
        &mut self,
        site: &Site,
        url: &Url,
        now: DateTime<Utc>,
    ) -> Result<Result<Page, FetchError>, StoreError> {
        match self {
            By::Fetcher(fetcher) => Ok(asked::whole(fetcher.get(site, url, &Validators::default()).await)),
            By::Pipeline(pipeline, told) => {
                let (page, facts) = asked::page(pipeline, site, url, now).await?;
                told.extend(facts.map(|facts| (url.clone(), facts)));
                Ok(page)
            }
        }
    }
}

/// Those after the first are kept as served too, each under the id of its address.
pub fn keep_rest(store: &Store, pages: &Pages, now: DateTime<Utc>) -> Result<(), StoreError> {
    let rest = pages.asked.iter().zip(&pages.pages).skip(1);
    rest.into_iter().try_for_each(|(asked, page)| store.put_raw(&Id::of(asked), page, now))
}

/// What a feed said of an entry, to be kept in place of its page.
pub fn of_entry(entry: &Entry) -> Option<Page> {
    // texts and times can be written; without it the entry is only not judged again
    let body = serde_json::to_vec(entry).ok()?;
    Some(Page { url: entry.url.clone(), content_type: Some(ENTRY.to_owned()), body })
}

/// What the feed said, where that was kept in place of a page.
pub fn entry_of(pages: &Pages) -> Option<Entry> {
    let page = pages.pages.first().filter(|page| page.content_type.as_deref() == Some(ENTRY))?;
    // it was written by `of_entry`, maybe of another version
    serde_json::from_slice(&page.body).ok()
}

/// The pages of an entry as they were taken; none where they are not kept any more.
pub fn kept(store: &Store, taken: &Taken) -> Result<Option<Pages>, StoreError> {
    let raw = |id: &Id| Ok::<_, StoreError>(store.raw(id, taken.at)?.and_then(|raw| raw.page()));
    let Some(first) = raw(&taken.id)? else { return Ok(None) };
    let mut all = Pages::one(first);
    while let Some(next) = all.next() {
        // what added nothing was not kept
        let Some(page) = raw(&Id::of(&next))? else { break };
        all.push(next, page);
    }
    Ok(Some(all))
}
