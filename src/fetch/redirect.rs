//! The way that redirects lead.

use super::{FetchError, words};
use url::Url;

const MOST: usize = 5;

/// Each URL asked so far, the first one first.
pub struct Redirects {
    asked: Vec<Url>,
}

impl Redirects {
    pub fn from(url: &Url) -> Redirects {
        Redirects { asked: vec![url.clone()] }
    }

    pub fn here(&self) -> &Url {
        &self.asked[self.asked.len() - 1]
    }

    /// One step on. `location` as the header has it, a char a byte.
    pub fn follow(&mut self, status: u16, location: Option<&str>) -> Result<(), FetchError> {
        let location = location.ok_or_else(|| failed(format!("HTTP {status} leads nowhere: no Location")))?;
        let mut next = join(self.here(), location).ok_or_else(|| failed(format!("HTTP {status} to no address")))?;
        next.set_fragment(None);
        let shown = words::public(&next);
        if self.here().scheme() == "https" && next.scheme() == "http" {
            return Err(FetchError::Refused(format!("redirected from https to {shown}, which is not encrypted")));
        }
        if self.asked.contains(&next) {
            return Err(failed(format!("the redirects lead in a circle, back to {shown}")));
        }
        if self.asked.len() > MOST {
            return Err(failed(format!("more than {MOST} redirects, the last to {shown}")));
        }
        self.asked.push(next);
        Ok(())
    }
}

fn failed(says: String) -> FetchError {
    FetchError::Network(says)
}

/// Some servers write UTF-8 here, unescaped.
fn join(base: &Url, location: &str) -> Option<Url> {
    let bytes: Option<Vec<u8>> = location.chars().map(|c| u8::try_from(c).ok()).collect();
    base.join(&String::from_utf8_lossy(&bytes?)).ok()
}
