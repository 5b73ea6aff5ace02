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

#[cfg(test)]
mod tests {
    use super::Redirects;
    use url::Url;

    fn followed(from: &str, to: &str) -> Result<String, String> {
        let mut redirects = Redirects::from(&Url::parse(from).unwrap());
        redirects.follow(302, Some(to)).map(|()| redirects.here().to_string()).map_err(|e| e.to_string())
    }

    #[test]
    fn encryption_is_never_given_up() {
        let refused = followed("https://a.vn/", "http://a.vn/x").unwrap_err();
        assert_eq!(refused, "refused: redirected from https to http://a.vn/x, which is not encrypted");
        assert_eq!(followed("http://a.vn/", "https://a.vn/").unwrap(), "https://a.vn/");
    }

    #[test]
    fn a_location_is_read_as_servers_write_it() {
        let latin1 = |text: &str| text.bytes().map(char::from).collect::<String>();
        assert_eq!(followed("http://a.vn/b/c", "../d").unwrap(), "http://a.vn/d");
        assert_eq!(followed("https://a.vn/", "//b.vn/#x").unwrap(), "https://b.vn/");
        assert_eq!(followed("http://a.vn/", &latin1("/điểm")).unwrap(), "http://a.vn/%C4%91i%E1%BB%83m");
        assert_eq!(followed("http://a.vn/", "http://").unwrap_err(), "HTTP 302 to no address");
    }
}
