//! A polite, bounded, guarded GET: `Url -> Page`.

use crate::article::Page;
use crate::config::{HttpConfig, Site};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

/// What a server gave us to ask with next time; byte for byte.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Validators {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

/// What came of a GET that was answered.
#[derive(Debug)]
pub enum Fetched {
    /// 200, with its validators.
    Page { page: Page, validators: Validators },
    /// 304, with the validators to use from now on (those of the 304 where it has some, else the old ones).
    NotModified { validators: Validators },
}

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// 404 or 410: it is not there.
    #[error("HTTP {status}: not there")]
    Gone { status: u16 },
    /// 429 or 503: asked to wait, if it said so until when.
    #[error("HTTP {status}: asked to wait")]
    Busy { status: u16, until: Option<DateTime<Utc>> },
    #[error("HTTP {status}")]
    Status { status: u16 },
    /// An address that must not be fetched.
    #[error("refused: {0}")]
    Refused(String),
    #[error("larger than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("{0}")]
    Network(String),
}

/// One client for all sites.
pub struct Fetcher {}

impl Fetcher {
    pub fn new(_http: &HttpConfig) -> anyhow::Result<Fetcher> {
        todo!()
    }

    pub async fn get(&self, _site: &Site, _url: &Url, _validators: &Validators) -> Result<Fetched, FetchError> {
        todo!()
    }
}
