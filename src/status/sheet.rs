//! What the commands are told of a store, from the store itself or, while a daemon holds it, by that daemon.

use super::{SiteRow, rows};
use crate::article::{Id, Outcome};
use crate::config::Config;
use crate::extract::Drift;
use crate::fetch::public;
use crate::store::{Fetch, Lessons, Mark, Store, StoreError};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Waiting pages that are told of a site.
const SHOWN: usize = 20;

/// A site: how it does, its latest requests, the oldest first, and some of the pages that wait.
#[derive(Serialize, Deserialize, Debug)]
pub struct SiteSheet {
    pub row: SiteRow,
    pub requests: Vec<Fetch>,
    /// The next to be tried first.
    pub waiting: Vec<Waiting>,
}

/// A page that is to be tried.
#[derive(Serialize, Deserialize, Debug)]
pub struct Waiting {
    pub url: String,
    /// None where it was not tried yet.
    pub why: Option<String>,
    pub tries: u32,
    pub due: Option<DateTime<Utc>>,
}

/// What is remembered of a page and of the site that it belongs to.
#[derive(Default, Serialize, Deserialize, Debug)]
pub struct Remembered {
    pub lessons: Lessons,
    pub drift: Drift,
    pub mark: Option<Mark>,
    /// The revision of its article, where that is kept.
    pub rev: Option<u32>,
}

impl SiteSheet {
    /// None where no site has that id.
    pub fn of(config: &Config, store: &Store, id: &str, paused: Option<&str>) -> Result<Option<SiteSheet>, StoreError> {
        let Some(row) = rows::row_of(config, store, id, paused)? else { return Ok(None) };
        let waiting = store.waiting_marks(id, SHOWN)?.into_iter().map(waiting).collect();
        Ok(Some(SiteSheet { row, requests: store.fetches(id)?, waiting }))
    }
}

fn waiting(mark: Mark) -> Waiting {
    let why = match mark.outcome {
        Some(Outcome::Later { why }) => Some(why),
        Some(Outcome::Stored) => Some("only what its feed says is kept".to_owned()),
        _ => None,
    };
    Waiting { url: public(&mark.entry.url).to_string(), why, tries: mark.tries, due: mark.due }
}

impl Remembered {
    /// The mark is that of whichever site's feed showed the page: feeds may give addresses on other hosts.
    pub fn of(config: &Config, store: &Store, site: &str, id: &Id) -> Result<Remembered, StoreError> {
        let mut ids = std::iter::once(site).chain(config.sites.iter().map(|site| site.id.as_str()));
        let mark = ids.find_map(|site| store.mark(site, id).transpose()).transpose()?;
        Ok(Remembered {
            lessons: store.lessons(site)?,
            drift: store.site(site)?.drift,
            mark: mark.map(without_secrets),
            rev: store.article(id)?.map(|article| article.rev),
        })
    }
}

fn without_secrets(mut mark: Mark) -> Mark {
    mark.feed = public(&mark.feed);
    mark.entry.url = public(&mark.entry.url);
    mark
}
