//! What is said and heard beside a body.

use super::Validators;
use crate::config::Site;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use url::Url;

/// The longest that a server may ask to wait.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);

/// The site's own headers, where the feeds live and nowhere else, and the conditions.
pub fn request(site: &Site, url: &Url, known: &Validators) -> HeaderMap {
    let mut headers = HeaderMap::new();
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
    Some(headers.get(name)?.as_bytes().iter().copied().map(char::from).collect())
}

/// The way back from [`text`]; `None` for what never was a header.
fn bytes(value: &str) -> Option<HeaderValue> {
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
    fn a_validator_is_kept_byte_for_byte() {
        let value = HeaderValue::from_bytes(b"W/\"\xe1\xba\xa1 \xff\"").unwrap();
        let headers = HeaderMap::from_iter([(ETAG, value.clone())]);
        assert_eq!(bytes(&text(&headers, ETAG).unwrap()), Some(value));
        assert_eq!(bytes("ạ"), None);
    }
}
