//! A polite, bounded, guarded GET: `Url -> Page`.

mod body;
mod budget;
mod client;
mod cookies;
mod encoding;
mod gate;
mod guard;
mod headers;
mod redirect;
mod robots;
#[cfg(test)]
mod tests;
mod words;

pub use body::opened;
pub use gate::Gate;
pub use guard::blocked;
pub use robots::Robots;
pub use words::public;

use crate::article::Page;
use crate::config::{HttpConfig, Site};
use budget::Budget;
use chrono::{DateTime, Utc};
use client::{Client, Clients};
use cookies::Cookies;
use guard::Guard;
use redirect::Redirects;
use reqwest::header;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::Instant;
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

/// One GET, redirects included, and what is known of it beside its result.
#[derive(Debug)]
pub struct Answer {
    pub result: Result<Fetched, FetchError>,
    pub facts: Facts,
}

#[derive(Clone, Default, PartialEq, Debug)]
pub struct Facts {
    /// Of the last answer; none where none came.
    pub status: Option<u16>,
    /// Bytes of bodies as they came, and after decompression.
    pub wire: u64,
    pub decoded: u64,
    /// Without the waiting for the host's turn.
    pub took: Duration,
    /// Where the address asked has moved for good (301, 308).
    pub moved: Option<Url>,
    /// How long the answer is fresh, where it says so (RFC 9111).
    pub freshness: Option<Duration>,
    /// Whose answer it was, where redirects led elsewhere; without a password.
    pub answered: Option<Url>,
    /// The hub that its `Link` names, and its own address there.
    pub hub: (Option<Url>, Option<Url>),
}

impl Facts {
    /// An error, and where redirects had led to.
    pub fn says(&self, error: &FetchError) -> String {
        self.answered.as_ref().map_or_else(|| error.to_string(), |to| format!("redirected to {to}: {error}"))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// 404 or 410: it is not there.
    #[error("HTTP {status}: {}", if *.status == 410 { "gone for good" } else { "not there" })]
    Gone { status: u16 },
    /// 429 or 503: asked to wait, if it said so until when.
    #[error("HTTP {status}: asked to wait")]
    Busy { status: u16, until: Option<DateTime<Utc>> },
    /// Not asked: the host wants to be left alone until then.
    #[error("{host} wants to be left alone until {until}")]
    Held { host: String, until: DateTime<Utc> },
    /// Not asked: robots.txt says no.
    #[error("robots.txt of {0} forbids it")]
    Forbidden(String),
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

    /// Under another configuration, with what is known of the hosts.
    pub fn renewed(&self, http: &HttpConfig) -> anyhow::Result<Fetcher> {
        Ok(Fetcher { gate: self.gate.with_gap(http.host_gap), ..Fetcher::new(http)? })
    }

    fn guarded(http: &HttpConfig, guard: Guard) -> Fetcher {
        let clients = Clients::new(http.clone(), guard.clone());
        Fetcher { http: http.clone(), guard, clients, gate: Gate::new(http.host_gap) }
    }

    /// The name by which robots.txt knows us (RFC 9309, 2.2.1): the User-Agent up to its version.
    pub fn product(&self) -> &str {
        self.http.user_agent.split(['/', ' ']).next().unwrap_or_default()
    }

    /// Nobody asks the host before then.
    pub fn hold(&self, host: &str, until: DateTime<Utc>) {
        self.gate.hold(host, until);
    }

    /// [`Fetcher::ask`] where nobody wants to know more.
    pub async fn get(&self, site: &Site, url: &Url, validators: &Validators) -> Result<Fetched, FetchError> {
        self.ask(site, url, validators, Utc::now()).await.result
    }

    /// A GET that follows redirects. `HttpConfig::timeout` is for all of it; waiting for the host's turn does not count.
    pub async fn ask(&self, site: &Site, url: &Url, validators: &Validators, now: DateTime<Utc>) -> Answer {
        let mut facts = Facts::default();
        let mut budget = Budget::new(self.http.timeout);
        let clock = Clock { now, since: Instant::now() };
        let result = self.chain(site, url, validators, &mut budget, &mut facts, &clock).await;
        facts.took = budget.spent();
        Answer { result, facts }
    }

    /// To an address of the operator's own, or a hub; guarded like any other. A redirect is not followed.
    pub async fn post(&self, url: &Url, content_type: &str, body: Vec<u8>) -> Result<(), FetchError> {
        self.guard.check(url)?;
        let client = self.clients.usual()?;
        let mut budget = Budget::new(self.http.timeout);
        let machine = budget.spend(self.guard.machine(url)).await?;
        let _turns = self.gate.enter_both(url.host_str().unwrap_or_default(), machine).await;
        let request = client.http.post(url.clone()).header(header::CONTENT_TYPE, content_type).body(body);
        let answered = budget.spend(request.send()).await?.map_err(|e| words::failure(&e, &client))?;
        let status = answered.status();
        if status.is_success() { Ok(()) } else { Err(FetchError::Status { status: status.as_u16() }) }
    }

    async fn chain(
        &self,
        site: &Site,
        url: &Url,
        validators: &Validators,
        budget: &mut Budget,
        facts: &mut Facts,
        clock: &Clock,
    ) -> Result<Fetched, FetchError> {
        let client = self.clients.of(site)?;
        let (mut redirects, mut cookies) = (Redirects::from(url, site.downgrade), Cookies::default());
        loop {
            let url = redirects.here();
            facts.answered = redirects.led().then(|| public(url));
            self.guard.check(url)?;
            let host = url.host_str().unwrap_or_default();
            self.refuse_if_held(host, clock)?;
            let machine = budget.spend(self.guard.machine(url)).await?;
            let _turns = self.gate.enter_both(host, machine).await;
            // another request may have been told to wait meanwhile
            self.refuse_if_held(host, clock)?;
            let request = Request { site, url, validators, cookies: &cookies };
            match budget.spend(self.hop(&client, request, facts, clock)).await?? {
                Hop::Fetched(fetched) => {
                    facts.moved = redirects.moved().cloned();
                    return Ok(fetched);
                }
                Hop::Redirect { status, given } => {
                    let new_cookie = cookies.keep(url, &given);
                    let location = headers::text(&given, header::LOCATION);
                    redirects.follow(status, location.as_deref(), new_cookie)?;
                }
            }
        }
    }

    fn refuse_if_held(&self, host: &str, clock: &Clock) -> Result<(), FetchError> {
        let held = self.gate.held(host, clock.now());
        held.map_or(Ok(()), |until| Err(FetchError::Held { host: host.to_owned(), until }))
    }

    /// One request and its answer.
    async fn hop(
        &self,
        client: &Client,
        request: Request<'_>,
        facts: &mut Facts,
        clock: &Clock,
    ) -> Result<Hop, FetchError> {
        let Request { site, url, validators: known, cookies } = request;
        let mut headers = headers::request(site, url, known);
        if let Some(cookie) = cookies.for_url(url, headers.get(header::COOKIE)) {
            headers.insert(header::COOKIE, cookie);
        }
        let response = client.http.get(url.clone()).headers(headers).send().await;
        let response = response.map_err(|e| words::failure(&e, client))?;
        let (status, given) = (response.status().as_u16(), response.headers());
        (facts.status, facts.freshness) = (Some(status), None);
        match status {
            200 => {
                facts.freshness = headers::freshness(given, clock.now());
                facts.hub = (headers::link(given, "hub", url), headers::link(given, "self", url));
                let validators = headers::validators(given);
                let content_type = headers::text(given, header::CONTENT_TYPE);
                let body = body::read(response, self.http.max_body, client, facts).await?;
                let page = Page { url: words::public(url), content_type, body };
                Ok(Hop::Fetched(Fetched::Page { page, validators }))
            }
            304 if *known != Validators::default() => {
                facts.freshness = headers::freshness(given, clock.now());
                let validators = headers::renewed(known, headers::validators(given));
                Ok(Hop::Fetched(Fetched::NotModified { validators }))
            }
            301 | 302 | 303 | 307 | 308 => Ok(Hop::Redirect { status, given: given.clone() }),
            404 | 410 => Err(FetchError::Gone { status }),
            429 | 503 => {
                let until = headers::retry_after(given, clock.now());
                until.inspect(|until| self.gate.hold(url.host_str().unwrap_or_default(), *until));
                Err(FetchError::Busy { status, until })
            }
            _ => Err(FetchError::Status { status }),
        }
    }
}

/// The caller's time, going on while it waits.
struct Clock {
    now: DateTime<Utc>,
    since: Instant,
}

impl Clock {
    fn now(&self) -> DateTime<Utc> {
        // a request that lasts for longer than can be said never ends
        self.now + chrono::TimeDelta::from_std(self.since.elapsed()).unwrap_or_default()
    }
}

struct Request<'a> {
    site: &'a Site,
    url: &'a Url,
    validators: &'a Validators,
    cookies: &'a Cookies,
}

enum Hop {
    Fetched(Fetched),
    Redirect { status: u16, given: header::HeaderMap },
}

/// A hop to the blocking pool, for what computes for long.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
    }
}
