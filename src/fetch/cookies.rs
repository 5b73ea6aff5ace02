//! Cookies for as long as one chain of redirects: some servers send every newcomer back to the same address with one.

use super::headers;
use reqwest::header::{HeaderMap, HeaderValue, SET_COOKIE};
use url::{Origin, Url};

#[derive(Default)]
pub struct Cookies {
    /// The origin that set it, its name, and the pair as it goes back.
    kept: Vec<(Origin, String, String)>,
}

impl Cookies {
    /// Keeps what an answer sets; whether anything is new.
    pub fn keep(&mut self, url: &Url, given: &HeaderMap) -> bool {
        let before = self.kept.clone();
        for value in given.get_all(SET_COOKIE) {
            let value = headers::latin1(value);
            let pair = value.split(';').next().unwrap_or_default().trim();
            let Some((name, _)) = pair.split_once('=').filter(|(name, _)| !name.is_empty()) else { continue };
            self.kept.retain(|(origin, known, _)| *origin != url.origin() || known != name);
            self.kept.push((url.origin(), name.to_owned(), pair.to_owned()));
        }
        self.kept != before
    }

    /// What goes back to where it came from, and nowhere else; with the site's own, but for those that were set anew.
    pub fn for_url(&self, url: &Url, own: Option<&HeaderValue>) -> Option<HeaderValue> {
        let set: Vec<_> = self.kept.iter().filter(|(origin, ..)| *origin == url.origin()).collect();
        let own = own.map(headers::latin1).unwrap_or_default();
        let is_set = |pair: &str| pair.split('=').next().is_some_and(|own| set.iter().any(|(_, name, _)| name == own));
        let own = own.split(';').map(str::trim).filter(|pair| !pair.is_empty() && !is_set(pair));
        let pairs: Vec<&str> = own.chain(set.iter().map(|(.., pair)| pair.as_str())).collect();
        if pairs.is_empty() { None } else { headers::bytes(&pairs.join("; ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::Cookies;
    use reqwest::header::{HeaderMap, SET_COOKIE};
    use url::Url;

    #[test]
    fn a_cookie_goes_back_to_its_origin_alone() {
        let (home, away) = (Url::parse("http://a.vn/x").unwrap(), Url::parse("http://b.vn/").unwrap());
        let given = HeaderMap::from_iter([(SET_COOKIE, "s=1; Path=/; HttpOnly".parse().unwrap())]);
        let mut cookies = Cookies::default();
        assert!(cookies.keep(&home, &given));
        assert!(!cookies.keep(&home, &given));
        assert_eq!(cookies.for_url(&home, None).unwrap(), "s=1");
        assert_eq!(cookies.for_url(&away, None), None);
        let own = "k=v;s=0; t".parse().unwrap();
        assert_eq!(cookies.for_url(&home, Some(&own)).unwrap(), "k=v; t; s=1");
        assert_eq!(cookies.for_url(&away, Some(&own)).unwrap(), "k=v; s=0; t");
    }
}
