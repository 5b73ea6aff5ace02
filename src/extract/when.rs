//! When it was published, and how that is known.

use crate::text::{self, VIETNAM};
use chrono::{DateTime, Duration, FixedOffset, NaiveDate, TimeZone, Utc};
use url::Url;

/// A date as a reader sees it. Longer texts are sentences, whose dates are about something else.
pub fn visible(text: &str) -> Option<DateTime<FixedOffset>> {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    if !(5..=24).contains(&digits) || text.chars().count() > 120 {
        return None;
    }
    text::date(text, VIETNAM)
}

/// Not before the web, not in the future.
pub fn believed(date: DateTime<FixedOffset>, now: DateTime<Utc>) -> Option<DateTime<FixedOffset>> {
    let early = Utc.with_ymd_and_hms(1990, 1, 1, 0, 0, 0).single()?;
    (date > early && date <= now + Duration::days(1)).then_some(date)
}

/// `/2024/01/24/`, `/2024-01-24/`, `/202401/`: the last has no day and is not used.
pub fn in_url(url: &Url) -> Option<DateTime<FixedOffset>> {
    let parts: Vec<&str> = url.path().split(['/', '-', '_', '.']).collect();
    parts.windows(3).find_map(|w| {
        let (y, m, d) = (number(w[0], 4)?, number(w[1], 2)?, number(w[2], 2)?);
        let day = NaiveDate::from_ymd_opt(i32::try_from(y).ok()?, m, d)?;
        VIETNAM.from_local_datetime(&day.and_hms_opt(0, 0, 0)?).single()
    })
}

fn number(part: &str, digits: usize) -> Option<u32> {
    let good = part.len() == digits || (digits == 2 && part.len() == 1);
    if good { part.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::in_url;

    #[test]
    fn an_address_may_name_the_day() {
        for (url, wanted) in [
            ("https://example.vn/2024/01/24/tin", Some("2024-01-24")),
            ("https://example.vn/tin-2024-1-4-a.html", Some("2024-01-04")),
            ("https://example.vn/tin/2024/13/45", None),
            ("https://example.vn/tin-5120.html", None),
        ] {
            let found = in_url(&url.parse().unwrap()).map(|d| d.date_naive().to_string());
            assert_eq!(found.as_deref(), wanted, "{url}");
        }
    }
}
