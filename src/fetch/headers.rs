//! What is said and heard beside a body.

use super::Validators;
use super::encoding::Coding;
use crate::config::Site;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use url::Url;

/// The longest that a server may ask to wait.
pub const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);

/// The encodings of [`super::encoding`].
const ENCODINGS: HeaderValue = HeaderValue::from_static("gzip, br, zstd, deflate");

/// The site's own headers, where the feeds live and nowhere else, and the conditions.
pub fn request(site: &Site, url: &Url, known: &Validators) -> HeaderMap {
    let mut headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, ENCODINGS)]);
    if site.feeds.iter().any(|feed| feed.origin() == url.origin()) {
        // both were found valid when the configuration was read
        let valid = |(name, value): &(String, String)| Some((name.parse().ok()?, value.parse().ok()?));
        headers.extend(site.headers.iter().filter_map(valid).map(|h: (HeaderName, HeaderValue)| h));
    }
    let conditions = [(header::IF_NONE_MATCH, &known.etag), (header::IF_MODIFIED_SINCE, &known.last_modified)];
    for (name, value) in conditions {
        headers.extend(value.as_deref().and_then(bytes).map(|value| (name, value)));
    }
    headers
}

/// Those of a 200 or a 304; an empty one is none.
pub fn validators(headers: &HeaderMap) -> Validators {
    let given = |name| text(headers, name).filter(|value| !value.is_empty());
    Validators { etag: given(header::ETAG), last_modified: given(header::LAST_MODIFIED) }
}

/// After a 304: what it gave, else what was known.
pub fn renewed(known: &Validators, given: Validators) -> Validators {
    Validators {
        etag: given.etag.or(known.etag.clone()),
        last_modified: given.last_modified.or(known.last_modified.clone()),
    }
}

/// A header's value, a char a byte (Latin-1).
pub fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).map(latin1)
}

pub fn latin1(value: &HeaderValue) -> String {
    value.as_bytes().iter().copied().map(char::from).collect()
}

/// All lines of a header as one list (RFC 9110, 5.3).
fn list(headers: &HeaderMap, name: HeaderName) -> String {
    headers.get_all(name).iter().map(latin1).collect::<Vec<_>>().join(",")
}

/// The first link of a relation (RFC 8288).
pub fn link(headers: &HeaderMap, relation: &str, base: &Url) -> Option<Url> {
    let links = list(headers, header::LINK);
    let target = links.split('<').skip(1).find_map(|link| {
        let (target, parameters) = link.split_once('>')?;
        let mut parameters = parameters.split([';', ',']).filter_map(|parameter| parameter.split_once('='));
        let (_, said) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("rel"))?;
        let mut said = said.trim().trim_matches('"').split(' ');
        said.any(|known| known.eq_ignore_ascii_case(relation)).then_some(target)
    })?;
    base.join(target.trim()).ok()
}

/// In the order in which they were applied.
pub fn codings(headers: &HeaderMap) -> Vec<Coding> {
    list(headers, header::CONTENT_ENCODING).split(',').filter_map(Coding::named).collect()
}

/// How long the answer stays fresh for a private cache (RFC 9111, 4.2): `max-age`, else a later `Expires`; less what its
/// `Age` says; none where it may not be kept, or says nothing. `s-maxage` is for shared caches.
pub fn freshness(headers: &HeaderMap, now: DateTime<Utc>) -> Option<std::time::Duration> {
    let control = list(headers, header::CACHE_CONTROL);
    let directives = directives(&control);
    let named = |name: &str| directives.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_deref());
    // with an argument it is about some headers of the answer alone
    if named("no-store").is_some() || matches!(named("no-cache"), Some(None)) {
        return None;
    }
    let fresh = match named("max-age") {
        // what is no number is stale (4.2.1)
        Some(value) => TimeDelta::seconds(seconds(value?)?),
        None => http_date(text(headers, header::EXPIRES)?.trim())? - now,
    };
    let age = text(headers, header::AGE).and_then(|age| seconds(age.trim())).unwrap_or(0);
    (fresh - TimeDelta::seconds(age)).to_std().ok().filter(|left| !left.is_zero())
}

/// More digits than fit are as long as can be said.
fn seconds(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse::<u32>().unwrap_or(u32::MAX).into())
}

/// Names in lower case, each with its argument; commas within quotes part nothing.
fn directives(list: &str) -> Vec<(String, Option<String>)> {
    let mut quoted = false;
    let parts = list.split(|c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    let directive = |part: &str| {
        let (name, value) = part.split_once('=').map_or((part, None), |(name, value)| (name, Some(value)));
        (name.trim().to_ascii_lowercase(), value.map(|value| value.trim().trim_matches('"').to_owned()))
    };
    parts.map(directive).collect()
}

/// The way back from [`text`]; `None` for what never was a header.
pub fn bytes(value: &str) -> Option<HeaderValue> {
    let bytes: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(c).ok()).collect();
    HeaderValue::from_bytes(&bytes?).ok()
}

/// Until when, at most a day ahead (RFC 9110, 10.2.3). Nonsense and dates gone by are no answer.
pub fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let value = text(headers, header::RETRY_AFTER)?;
    let value = value.trim();
    let latest = now + LONGEST_WAIT;
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // more digits than fit are more than a day
        let seconds = value.parse::<u32>().map_or(LONGEST_WAIT, |s| TimeDelta::seconds(s.into()));
        return Some(latest.min(now + seconds));
    }
    http_date(value).filter(|until| *until > now).map(|until| until.min(latest))
}

/// The three forms of RFC 9110, 5.6.7; a wrong day of the week does no harm.
fn http_date(value: &str) -> Option<DateTime<Utc>> {
    let value = value.split_once(", ").map_or(value, |(_weekday, date)| date);
    let old = ["%d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let old = || old.iter().find_map(|form| NaiveDateTime::parse_from_str(value, form).ok());
    let new = DateTime::parse_from_rfc2822(value).ok();
    new.map(|date| date.to_utc()).or_else(|| Some(old()?.and_utc()))
}

#[cfg(test)]
mod tests {
    use super::{bytes, retry_after, text};
    use chrono::{DateTime, Utc};
    use reqwest::header::{ETAG, HeaderMap, HeaderValue, RETRY_AFTER};

    fn asked(value: &str) -> Option<String> {
        let now: DateTime<Utc> = "2024-01-24T10:00:00Z".parse().unwrap();
        let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
        retry_after(&headers, now).map(|until| until.format("%d %H:%M:%S").to_string())
    }

    #[test]
    fn a_wait_is_asked_in_seconds_or_by_date() {
        let table = [
            ("120", Some("24 10:02:00")),
            (" 0 ", Some("24 10:00:00")),
            ("99999999999999999999", Some("25 10:00:00")),
            ("172800", Some("25 10:00:00")),
            ("Wed, 24 Jan 2024 10:30:00 GMT", Some("24 10:30:00")),
            ("Wednesday, 24-Jan-24 10:30:00 GMT", Some("24 10:30:00")),
            ("Wed Jan 24 10:30:00 2024", Some("24 10:30:00")),
            ("Wed, 24 Jan 2034 10:30:00 GMT", Some("25 10:00:00")),
            ("Wed, 24 Jan 2024 09:30:00 GMT", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ];
        for (value, until) in table {
            assert_eq!(asked(value).as_deref(), until, "{value}");
        }
    }

    #[test]
    fn an_answer_says_how_long_it_is_fresh() {
        let now: DateTime<Utc> = "2024-01-24T10:00:00Z".parse().unwrap();
        let table = [
            ("cache-control: max-age=600", Some(600)),
            ("cache-control: public, MAX-AGE=\"600\"", Some(600)),
            ("cache-control: private=\"a, max-age=5\", max-age=600", Some(600)),
            ("cache-control: s-maxage=9, max-age=600, max-age=7", Some(600)),
            ("cache-control: s-maxage=600", None),
            ("cache-control: max-age=600, no-cache", None),
            ("cache-control: max-age=600, no-cache=\"set-cookie\"", Some(600)),
            ("cache-control: no-store, max-age=600", None),
            ("cache-control: max-age=soon|expires: Wed, 24 Jan 2024 10:10:00 GMT", None),
            ("cache-control: max-age=0|expires: Wed, 24 Jan 2024 10:10:00 GMT", None),
            ("cache-control: max-age=600|age: 200", Some(400)),
            ("cache-control: public|cache-control: max-age=600", Some(600)),
            ("expires: Wed, 24 Jan 2024 10:10:00 GMT", Some(600)),
            ("expires: Wed, 24 Jan 2024 09:10:00 GMT", None),
            ("expires: 0", None),
            ("cache-control: max-age=99999999999", Some(u64::from(u32::MAX))),
        ];
        for (given, seconds) in table {
            let lines = given.split('|').map(|line| line.split_once(": ").unwrap());
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(name, value.parse().unwrap());
            }
            assert_eq!(super::freshness(&headers, now).map(|d| d.as_secs()), seconds, "{given}");
        }
    }

    #[test]
    fn links_are_found_by_their_relation() {
        let base = "http://a.vn/rss".parse().unwrap();
        let given = "<https://h.vn/?a,b>; title=x; rel=\"Hub preconnect\", </rss>; rel=self";
        let headers = HeaderMap::from_iter([(reqwest::header::LINK, given.parse().unwrap())]);
        let link = |relation| super::link(&headers, relation, &base).map(String::from);
        assert_eq!(link("hub").as_deref(), Some("https://h.vn/?a,b"));
        assert_eq!(link("self").as_deref(), Some("http://a.vn/rss"));
        assert_eq!(link("preload"), None);
    }

    #[test]
    fn a_validator_is_kept_byte_for_byte() {
        let value = HeaderValue::from_bytes(b"W/\"\xe1\xba\xa1 \xff\"").unwrap();
        let headers = HeaderMap::from_iter([(ETAG, value.clone())]);
        assert_eq!(bytes(&text(&headers, ETAG).unwrap()), Some(value));
        assert_eq!(bytes("ạ"), None);
    }
}
