//! config.toml: as typed, then as meant.

use crate::article::{Kind, SiteRef};
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
    pub topics: Vec<TopicConfig>,
    pub sites: Vec<Arc<Site>>,
}

#[derive(Clone, Debug)]
pub struct StoreConfig {
    pub path: PathBuf,
    /// Zero keeps none.
    pub raw_pages: Duration,
}

#[derive(Clone, Debug)]
pub struct ExportConfig {
    pub path: PathBuf,
    pub formats: Vec<Format>,
    pub keep_tombstones: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Json,
    Md,
    Html,
}

#[derive(Clone, Debug)]
pub struct PollConfig {
    pub every: Duration,
    pub at_least: Duration,
    pub at_most: Duration,
    pub concurrency: usize,
}

#[derive(Clone, Debug)]
pub struct HttpConfig {
    pub user_agent: String,
    pub timeout: Duration,
    pub host_gap: Duration,
    pub max_body: u64,
    pub allow_private: bool,
}

#[derive(Clone, Debug)]
pub struct StatusConfig {
    pub listen: Option<SocketAddr>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct TopicConfig {
    pub id: String,
    pub threshold: f64,
    pub terms: Vec<TermConfig>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct TermConfig {
    pub say: String,
    pub weight: f64,
}

/// A site as configured.
#[derive(Clone, Debug)]
pub struct Site {
    pub id: String,
    pub name: String,
    pub province: String,
    /// `province` as it is called since July 2025.
    pub province_now: String,
    pub kind: Kind,
    pub feeds: Vec<Url>,
    pub layout: Option<Arc<Layout>>,
    pub every: Duration,
    pub tls: Tls,
    pub ca_file: Option<PathBuf>,
    /// False: no article page is fetched, the feed's own text is kept.
    pub pages: bool,
    pub select: Select,
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
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Tls {
    Modern,
    Legacy,
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

/// Every mistake found, each with its place.
#[derive(Debug, thiserror::Error)]
#[error("{}", mistakes.join("\n"))]
pub struct ConfigError {
    pub mistakes: Vec<String>,
}

impl Config {
    pub fn load(_file: &Path) -> Result<Config, ConfigError> {
        todo!()
    }
}
