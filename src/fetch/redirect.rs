//! The way that redirects lead.

use super::{FetchError, words};
use url::Url;

const MOST: usize = 5;

/// Each URL asked so far, the first one first.
pub struct Redirects {
    asked: Vec<Url>,
    /// How many of the first steps were permanent.
    permanent: usize,
    /// Whether a step from https to http may be taken.
    downgrade: bool,
}

impl Redirects {
    pub fn from(url: &Url, downgrade: bool) -> Redirects {
        Redirects { asked: vec![url.clone()], permanent: 0, downgrade }
    }

    pub fn here(&self) -> &Url {
        &self.asked[self.asked.len() - 1]
    }

    /// Whether there was one.
    pub fn led(&self) -> bool {
        self.asked.len() > 1
    }

    /// Where the address has moved for good: as far as permanent redirects (301, 308) alone led.
    pub fn moved(&self) -> Option<&Url> {
        self.asked.get(self.permanent).filter(|_| self.permanent > 0)
    }

    /// One step on. `location` as the header has it, a char a byte. Where the answer set a new cookie, the same address
    /// may be asked again.
    pub fn follow(&mut self, status: u16, location: Option<&str>, new_cookie: bool) -> Result<(), FetchError> {
        let location = location.ok_or_else(|| failed(format!("HTTP {status} leads nowhere: no Location")))?;
        let mut next = join(self.here(), location).ok_or_else(|| failed(format!("HTTP {status} to no address")))?;
        next.set_fragment(None);
        let shown = words::public(&next);
        if self.here().scheme() == "https" && next.scheme() == "http" && !self.downgrade {
            return Err(FetchError::Refused(format!("redirected from https to {shown}, which is not encrypted")));
        }
        if self.asked.contains(&next) && !new_cookie {
            return Err(failed(format!("the redirects lead in a circle, back to {shown}")));
        }
        if self.asked.len() > MOST {
            return Err(failed(format!("more than {MOST} redirects, the last to {shown}")));
        }
        if matches!(status, 301 | 308) && self.permanent + 1 == self.asked.len() && next != self.asked[0] {
            self.permanent += 1;
        }
        self.asked.push(next);
        Ok(())
    }
}

fn failed(says: String) -> FetchError {
    FetchError::Network(says)
}

/// Some servers write UTF-8 here, unescaped. Within an origin user and password go on, however the address is written.
fn join(base: &Url, location: &str) -> Option<Url> {
    let bytes: Option<Vec<u8>> = location.chars().map(|c| u8::try_from(c).ok()).collect();
    let mut next = base.join(&String::from_utf8_lossy(&bytes?)).ok()?;
    let bare = next.username().is_empty() && next.password().is_none();
    if bare && next.origin() == base.origin() {
        // these fail for addresses without a host alone, which have an origin of their own
        next.set_username(base.username()).and_then(|()| next.set_password(base.password())).ok()?;
    }
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::Redirects;
    use url::Url;

    fn followed(from: &str, to: &str) -> Result<String, String> {
        let mut redirects = Redirects::from(&Url::parse(from).unwrap(), false);
        redirects.follow(302, Some(to), false).map(|()| redirects.here().to_string()).map_err(|e| e.to_string())
    }

    #[test]
    fn only_permanent_steps_from_the_first_on_are_a_move() {
        let moved = |steps: &[u16]| {
            let mut redirects = Redirects::from(&Url::parse("http://a.vn/0").unwrap(), false);
            for (n, status) in steps.iter().enumerate() {
                redirects.follow(*status, Some(&format!("/{}", n + 1)), false).unwrap();
            }
            redirects.moved().map(|url| url.path().to_owned())
        };
        let table = [
            (&[301, 308][..], Some("/2")),
            (&[301, 302, 301], Some("/1")),
            (&[302, 301], None),
            (&[303], None),
            (&[307], None),
        ];
        for (steps, to) in table {
            assert_eq!(moved(steps).as_deref(), to, "{steps:?}");
        }
    }

    #[test]
    fn encryption_is_given_up_where_that_is_allowed_alone() {
        let refused = followed("https://a.vn/", "http://a.vn/x").unwrap_err();
        assert_eq!(refused, "refused: redirected from https to http://a.vn/x, which is not encrypted");
        assert_eq!(followed("http://a.vn/", "https://a.vn/").unwrap(), "https://a.vn/");
        let mut allowed = Redirects::from(&Url::parse("https://a.vn/").unwrap(), true);
        allowed.follow(302, Some("http://a.vn/x"), false).unwrap();
        assert_eq!(allowed.here().as_str(), "http://a.vn/x");
    }

    #[test]
    fn a_password_goes_on_within_its_origin_alone() {
        let table = [
            ("https://a.vn/rss/", "https://u:p%40@a.vn/rss/"),
            ("/rss/", "https://u:p%40@a.vn/rss/"),
            ("https://A.vn:443/rss/", "https://u:p%40@a.vn/rss/"),
            ("https://v@a.vn/rss/", "https://v@a.vn/rss/"),
            ("https://b.vn/rss/", "https://b.vn/rss/"),
            ("https://a.vn:8443/rss/", "https://a.vn:8443/rss/"),
        ];
        for (to, next) in table {
            assert_eq!(followed("https://u:p%40@a.vn/rss", to).unwrap(), next, "{to}");
        }
        assert_eq!(followed("http://u:p@a.vn/rss", "https://a.vn/rss").unwrap(), "https://a.vn/rss");
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
