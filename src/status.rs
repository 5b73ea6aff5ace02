//! One event: its log line and its counter.

use crate::article::Outcome;
use crate::config::Site;
use crate::poll::{FeedNews, Settled};
use tracing::{info, warn};
use url::Url;

// What servers and feeds say is logged with `?`, which escapes control characters.

pub fn feed_asked(site: &Site, url: &Url, result: &Result<FeedNews, String>) {
    let (site, url) = (site.id.as_str(), url.as_str());
    match result {
        Ok(FeedNews::Unchanged) => info!(site, url, "feed unchanged"),
        Ok(FeedNews::Read { entries, new, repairs }) => info!(site, url, entries, new, ?repairs, "feed read"),
        Ok(FeedNews::Waiting(until)) => info!(site, url, %until, "feed asked us to wait"),
        Err(why) => warn!(site, url, ?why, "feed failed"),
    }
}

pub fn entry_settled(site: &Site, settled: &Settled) {
    let (site, url, outcome) = (site.id.as_str(), settled.url.as_str(), settled.outcome.label());
    match &settled.outcome {
        Outcome::Later { why } | Outcome::GaveUp { why } | Outcome::Kept { why } => {
            warn!(site, url, outcome, ?why, "article")
        }
        Outcome::Duplicate { of } => info!(site, url, outcome, %of, title = ?settled.title, "article"),
        _ => info!(site, url, outcome, title = ?settled.title, dropped = settled.dropped, "article"),
    }
}
