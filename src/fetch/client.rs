//! The HTTP clients, one for each way of trusting a server.

use super::guard::Guard;
use super::{FetchError, words};
use crate::config::{HttpConfig, Site, Tls};
use reqwest::{Certificate, ClientBuilder, redirect};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(10);
/// Without a byte.
const SILENCE: Duration = Duration::from_secs(20);
/// How long a connection is kept for the site's next page.
const IDLE: Duration = Duration::from_secs(20);

#[derive(Clone)]
pub struct Client {
    pub http: reqwest::Client,
    /// The machine has no list of trusted authorities, and the site names none: https must fail.
    pub rootless: bool,
}

/// Made when first needed.
pub struct Clients {
    http: HttpConfig,
    guard: Guard,
    made: Mutex<HashMap<(Tls, Option<PathBuf>), Client>>,
}

impl Clients {
    pub fn new(http: HttpConfig, guard: Guard) -> Clients {
        // an error means that one is installed already, by another Fetcher
        rustls::crypto::ring::default_provider().install_default().unwrap_or(());
        Clients { http, guard, made: Mutex::default() }
    }

    pub fn of(&self, site: &Site) -> Result<Client, FetchError> {
        self.trusting(site.tls, site.ca_file.as_deref())
    }

    /// For what is no site's.
    pub fn usual(&self) -> Result<Client, FetchError> {
        self.trusting(Tls::Modern, None)
    }

    fn trusting(&self, tls: Tls, ca_file: Option<&Path>) -> Result<Client, FetchError> {
        // what a panicking thread left behind is a whole client or none
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (tls, ca_file.map(Path::to_owned));
        if let Some(client) = made.get(&key) {
            return Ok(client.clone());
        }
        let client = self.make(tls, ca_file)?;
        made.insert(key, client.clone());
        Ok(client)
    }

    fn make(&self, tls: Tls, ca_file: Option<&Path>) -> Result<Client, FetchError> {
        let authorities = ca_file.map_or(Ok(Vec::new()), authorities)?;
        let builder = || tls_builder(self.plain(), tls);
        if let Ok(http) = builder()?.tls_certs_merge(authorities.clone()).build() {
            return Ok(Client { http, rootless: false });
        }
        // the machine's list of authorities cannot be read: what needs none still works
        let rootless = authorities.is_empty() && tls != Tls::Insecure;
        let http = builder()?.tls_certs_only(authorities).build().map_err(|e| words::setup(&e))?;
        Ok(Client { http, rootless })
    }

    /// Redirects, conditions and the total deadline are ours.
    fn plain(&self) -> ClientBuilder {
        reqwest::Client::builder()
            .user_agent(&self.http.user_agent)
            .dns_resolver(self.guard.clone())
            .redirect(redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(1)
    }
}

fn tls_builder(builder: ClientBuilder, tls: Tls) -> Result<ClientBuilder, FetchError> {
    match tls {
        Tls::Modern => Ok(builder.tls_backend_rustls()),
        Tls::Insecure => Ok(builder.tls_backend_rustls().tls_danger_accept_invalid_certs(true)),
        #[cfg(feature = "legacy-tls")]
        Tls::Legacy => Ok(builder.tls_backend_native().tls_version_min(reqwest::tls::Version::TLS_1_0)),
        #[cfg(not(feature = "legacy-tls"))]
        Tls::Legacy => Err(FetchError::Network("this diemtin was built without old TLS".to_owned())),
    }
}

fn authorities(file: &Path) -> Result<Vec<Certificate>, FetchError> {
    let unreadable = |e: &dyn std::fmt::Display| FetchError::Network(format!("ca_file {}: {e}", file.display()));
    let pem = std::fs::read(file).map_err(|e| unreadable(&e))?;
    Certificate::from_pem_bundle(&pem).map_err(|e| unreadable(&e))
}
