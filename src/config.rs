//! config.toml: as typed, then as meant.

mod feeds;
mod load;
mod near;
mod provinces;
mod section;
mod settings;
mod sites;
mod source;
#[cfg(test)]
mod tests;

pub use provinces::ProvinceNames;

use crate::article::{Kind, SiteRef};
use crate::store::Limits;
use chrono::FixedOffset;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The configuration as meant: every value checked, every path absolute, every name resolved.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it came from.
    pub file: PathBuf,
    pub store: StoreConfig,
    pub export: ExportConfig,
    pub poll: PollConfig,
    pub http: HttpConfig,
    pub status: StatusConfig,
    pub alert: AlertConfig,
    pub websub: WebsubConfig,
    /// At least one.
    pub topics: Vec<TopicConfig>,
    /// At least one, in the order of the files.
    pub sites: Vec<Arc<Site>>,
    /// By name.
    pub layouts: BTreeMap<String, Arc<Layout>>,
}

#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// sled's folder.
    pub path: PathBuf,
    /// How long pages are kept as served. Zero keeps none.
    pub raw_pages: Duration,
    pub limits: Limits,
    /// Below this many free bytes, or 5 % of the disk, polling pauses. Zero: never.
    pub min_free: u64,
}

#[derive(Clone, PartialEq, Debug)]
pub struct ExportConfig {
    pub path: PathBuf,
    /// How an article is written; without repeats.
    pub formats: Vec<Format>,
    /// How long a deletion stays visible.
    pub keep_tombstones: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Json,
    Md,
    Html,
}

/// `at_least` ≤ `every` ≤ `at_most`, none of them zero.
#[derive(Clone, Debug)]
pub struct PollConfig {
    /// From one poll of a site to the next, until its rhythm is known.
    pub every: Duration,
    pub at_least: Duration,
    pub at_most: Duration,
    /// Sites at once; at least 1.
    pub concurrency: usize,
}

#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// A valid header value.
    pub user_agent: String,
    /// For a whole request, redirects and body included. Never zero.
    pub timeout: Duration,
    /// From the end of one request to a host to the start of the next.
    pub host_gap: Duration,
    /// Bytes of a body after decompression. Never zero.
    pub max_body: u64,
    /// True: loopback and private addresses may be fetched.
    pub allow_private: bool,
}

#[derive(Clone, Debug)]
pub struct StatusConfig {
    /// `None`: no status pages are served.
    pub listen: Option<SocketAddr>,
}

/// Where hubs can reach us. By default nowhere: every feed is polled.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct WebsubConfig {
    /// http or https; what is asked for below it comes to the status server's `/websub/`. Ends with a slash.
    pub address: Option<Url>,
}

/// Who is told when the state of a site changes. By default nobody: the log and the rows say it anyway.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct AlertConfig {
    /// A program and its arguments, run without a shell. Empty: none.
    pub command: Vec<String>,
    /// http or https.
    pub webhook: Option<Url>,
}

/// The topic whose terms come with the program; every other has only what its configuration says.
pub const SHIPPED: &str = "dan-van";

#[derive(Clone, PartialEq, Debug)]
pub struct TopicConfig {
    /// Unique; `dan-van` is the shipped model.
    pub id: String,
    /// The score from which an article is selected; more than 0.
    pub threshold: f64,
    /// Added to the shipped terms of the topic, or in place of them.
    pub terms: Vec<TermConfig>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct TermConfig {
    /// The phrase, as typed.
    pub say: String,
    /// What it adds to the score; finite, may be negative.
    pub weight: f64,
}

impl TopicConfig {
    /// What is asked where the configuration names no topic.
    pub fn shipped() -> TopicConfig {
        TopicConfig { id: SHIPPED.to_owned(), threshold: 1.0, terms: Vec::new() }
    }
}

/// A site as configured.
#[derive(Clone, Debug)]
pub struct Site {
    /// `[a-z0-9-]+`, unique.
    pub id: String,
    pub name: String,
    /// As typed, in the table's spelling; `Trung ương` for central sites that name none.
    pub province: String,
    /// `province` as it is called since July 2025.
    pub province_now: String,
    pub kind: Kind,
    /// At least one; http or https; none of them twice in the whole configuration.
    pub feeds: Vec<Url>,
    /// Those of `feeds` that are HTML pages, and where their entries are.
    pub lists: BTreeMap<Url, ListLayout>,
    /// `None`: the extractor finds the article by itself.
    pub layout: Option<Arc<Layout>>,
    /// For times in its feeds and list pages that name no zone.
    pub default_offset: FixedOffset,
    /// The first guess of its interval.
    pub every: Duration,
    pub tls: Tls,
    /// True: a redirect from https to http is followed.
    pub downgrade: bool,
    /// PEM certificates of authorities that this site is trusted by, too.
    pub ca_file: Option<PathBuf>,
    /// False: no article page is fetched, the feed's own text is kept.
    pub pages: bool,
    /// False: robots.txt is not asked whether its pages may be fetched.
    pub robots: bool,
    pub select: Select,
    /// Sent with each request to the origins of its feeds; valid names and values.
    pub headers: Vec<(String, String)>,
}

impl Site {
    pub fn reference(&self) -> SiteRef {
        SiteRef {
            id: self.id.clone(),
            name: self.name.clone(),
            province: self.province.clone(),
            province_now: self.province_now.clone(),
            kind: self.kind,
            insecure: self.tls == Tls::Insecure,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Tls {
    /// TLS 1.2 and 1.3 with forward secrecy.
    Modern,
    /// Old protocol versions and ciphers too, still verified. Needs the cargo feature `legacy-tls`.
    Legacy,
    /// Any certificate is believed.
    Insecure,
}

/// Which of a site's articles are kept.
#[derive(Clone, PartialEq, Debug)]
pub enum Select {
    /// Those that match any topic.
    AnyTopic,
    /// All of them.
    Everything,
    /// Those that match one of these topics.
    Topics(Vec<String>),
}

/// Where a CMS puts the parts of an article: CSS selectors, compiled.
#[derive(Clone, Debug)]
pub struct Layout {
    pub name: String,
    pub title: Option<scraper::Selector>,
    pub body: Option<scraper::Selector>,
    pub date: Option<scraper::Selector>,
    pub author: Option<scraper::Selector>,
    pub drop: Vec<scraper::Selector>,
}

/// Where a list page has its entries: CSS selectors, compiled. Without `item` they are found by what repeats on the page;
/// the others are looked for within an item, and found by themselves where not given.
#[derive(Clone, Default, Debug)]
pub struct ListLayout {
    pub item: Option<scraper::Selector>,
    pub link: Option<scraper::Selector>,
    pub title: Option<scraper::Selector>,
    pub date: Option<scraper::Selector>,
}

/// Every mistake found, each with its place.
#[derive(Debug, thiserror::Error)]
#[error("{}", mistakes.join("\n"))]
pub struct ConfigError {
    pub mistakes: Vec<String>,
}

impl Config {
    /// Reads `file` and the `conf.d/*.toml` beside it; `DIEMTIN_STORE_PATH`, `DIEMTIN_EXPORT_PATH` (relative to the
    /// working directory) and `DIEMTIN_STATUS_LISTEN` override.
    pub fn load(file: &Path) -> Result<Config, ConfigError> {
        load::load(file, |name| std::env::var_os(name))
    }

    /// The file named on the command line, else `config.toml` in the working directory, else in `/etc/diemtin`.
    pub fn find(explicit: Option<&Path>) -> Result<PathBuf, ConfigError> {
        if let Some(file) = explicit {
            return Ok(file.to_owned());
        }
        let places = [Path::new("config.toml"), Path::new("/etc/diemtin/config.toml")];
        if let Some(file) = places.iter().find(|file| file.exists()) {
            return Ok(file.to_path_buf());
        }
        let here = std::env::current_dir().map_or("the working directory".into(), |d| d.display().to_string());
        let says = format!("no configuration: neither config.toml in {here} nor {}", places[1].display());
        Err(ConfigError { mistakes: vec![says + " is there; name one with --config FILE"] })
    }
}
