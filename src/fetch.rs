//! A polite, bounded, guarded GET: `Url -> Page`.

mod body;
mod budget;
mod client;
mod gate;
mod guard;
mod headers;
mod redirect;
#[cfg(test)]
mod tests;
mod words;

use crate::article::Page;
use crate::config::{HttpConfig, Site};
use budget::Budget;
use chrono::{DateTime, Utc};
use client::{Client, Clients};
use gate::Gate;
use guard::Guard;
use redirect::Redirects;
use reqwest::header;
use serde::{Deserialize, Serialize};
use url::Url;

/// What a server gave us to ask with next time, byte for byte: a char is a byte (Latin-1).
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
    #[error("HTTP {status}: {}", if *.status == 410 { "gone for good" } else { "not there" })]
    Gone { status: u16 },
    /// 429 or 503: asked to wait, if it said so until when.
    #[error("HTTP {status}: asked to wait")]
    Busy { status: u16, until: Option<DateTime<Utc>> },
    /// Any other answer than 200.
    #[error("HTTP {status}: {}", words::status(*.status))]
    Status { status: u16 },
    /// An address that must not be fetched; says why.
    #[error("refused: {0}")]
    Refused(String),
    #[error("larger than {}", bytesize::ByteSize(*.limit))]
    TooLarge { limit: u64 },
    /// No whole answer, in plain words.
    #[error("{0}")]
    Network(String),
}

/// One for all sites: what it knows of a host is shared by all who ask there.
pub struct Fetcher {
    http: HttpConfig,
    guard: Guard,
    clients: Clients,
    gate: Gate,
}

impl Fetcher {
    pub fn new(http: &HttpConfig) -> anyhow::Result<Fetcher> {
        Ok(Fetcher::guarded(http, Guard::new(http.allow_private)))
    }

    fn guarded(http: &HttpConfig, guard: Guard) -> Fetcher {
        let clients = Clients::new(http.clone(), guard.clone());
        Fetcher { http: http.clone(), guard, clients, gate: Gate::new(http.host_gap) }
    }

    /// A GET that follows redirects. `HttpConfig::timeout` is for all of it; waiting for the host's turn does not count.
    pub async fn get(&self, site: &Site, url: &Url, validators: &Validators) -> Result<Fetched, FetchError> {
        let client = self.clients.of(site)?;
        let mut redirects = Redirects::from(url);
        let mut budget = Budget::new(self.http.timeout);
        loop {
            let url = redirects.here();
            self.guard.check(url)?;
            let _turn = self.gate.enter(url.host_str().unwrap_or_default()).await;
            match budget.spend(self.hop(&client, site, url, validators)).await?? {
                Hop::Fetched(fetched) => return Ok(fetched),
                Hop::Redirect { status, location } => redirects.follow(status, location.as_deref())?,
            }
        }
    }

    /// One request and its answer.
    async fn hop(&self, client: &Client, site: &Site, url: &Url, known: &Validators) -> Result<Hop, FetchError> {
        let request = client.http.get(url.clone()).headers(headers::request(site, url, known));
        let response = request.send().await.map_err(|e| words::failure(&e, client))?;
        let (status, given) = (response.status().as_u16(), response.headers());
        match status {
            200 => {
                let validators = headers::validators(given);
                let content_type = headers::text(given, header::CONTENT_TYPE);
                let body = body::read(response, self.http.max_body, client).await?;
                let page = Page { url: words::public(url), content_type, body };
                Ok(Hop::Fetched(Fetched::Page { page, validators }))
            }
            304 if *known != Validators::default() => {
                let validators = headers::renewed(known, headers::validators(given));
                Ok(Hop::Fetched(Fetched::NotModified { validators }))
            }
            301 | 302 | 303 | 307 | 308 => {
                Ok(Hop::Redirect { status, location: headers::text(given, header::LOCATION) })
            }
            404 | 410 => Err(FetchError::Gone { status }),
            429 | 503 => Err(FetchError::Busy { status, until: headers::retry_after(given, Utc::now()) }),
            _ => Err(FetchError::Status { status }),
        }
    }
}

enum Hop {
    Fetched(Fetched),
    Redirect { status: u16, location: Option<String> },
}
