//! Dates as sites write them. No date rather than a wrong one.

mod reader;
mod words;

use chrono::{DateTime, Duration, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use reader::Reader;
use unicode_normalization::UnicodeNormalization;

/// Vietnam's time, the year round.
pub const VIETNAM: FixedOffset = FixedOffset::east_opt(7 * 3600).expect("seven hours are less than a day");

/// Which of two numbers is the day, where both could be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DateOrder {
    DayFirst,
    MonthFirst,
}

/// Longer texts are cut: a date is short, and what follows it says nothing of it.
const LONGEST: usize = 160;

/// The moment a text names, day before month where both could be; `default` is used where no zone is written.
/// `None` where the text names no complete date, or an impossible one. Words around the date are ignored.
pub fn date(text: &str, default: FixedOffset) -> Option<DateTime<FixedOffset>> {
    date_in(text, default, DateOrder::DayFirst)
}

/// Like [`date`], with the order of day and month as found by [`date_order`].
pub fn date_in(text: &str, default: FixedOffset, order: DateOrder) -> Option<DateTime<FixedOffset>> {
    if let Some(moment) = standard(text) {
        return Some(moment);
    }
    let clean = prepare(text);
    if let Some(moment) = epoch(&clean) {
        return Some(moment.with_timezone(&default));
    }
    let mut reader = Reader::new(&clean, order);
    let time = reader.time();
    if time.is_none() && reader.impossible_time() {
        return None;
    }
    let day = reader.day().or_else(|| reader.partial())?;
    let offset = reader.offset().unwrap_or(if reader.korean() { hours(9)? } else { default });
    let (clock, carry) = time.unwrap_or((NaiveTime::MIN, Duration::zero()));
    let local = NaiveDateTime::new(day, clock).checked_add_signed(carry)?;
    local.and_local_timezone(offset).single()
}

/// The order a feed's own dates show: a number above 12 decides; else the way that keeps neighbours closer together;
/// else day first, but month first for the notation only en-US has (a narrow no-break space before AM or PM).
pub fn date_order<'a>(texts: impl Iterator<Item = &'a str>) -> DateOrder {
    let (mut day_first, mut month_first, mut american) = (0usize, 0usize, 0usize);
    let (mut by_day, mut by_month) = (Spread::default(), Spread::default());
    for text in texts {
        if standard(text).is_some() {
            continue;
        }
        let clean = prepare(text);
        let Some((a, b, year)) = Reader::new(&clean, DateOrder::DayFirst).numeric_day() else { continue };
        day_first += usize::from(a > 12 && b <= 12);
        month_first += usize::from(b > 12 && a <= 12);
        american += usize::from(text.contains("\u{202f}AM") || text.contains("\u{202f}PM"));
        by_day.add(NaiveDate::from_ymd_opt(year, b, a));
        by_month.add(NaiveDate::from_ymd_opt(year, a, b));
    }
    let first = match (month_first.cmp(&day_first), american > 0) {
        (std::cmp::Ordering::Greater, _) => true,
        (std::cmp::Ordering::Less, _) => false,
        (_, true) => true,
        (_, false) => by_month.days * 3 < by_day.days,
    };
    if first { DateOrder::MonthFirst } else { DateOrder::DayFirst }
}

/// RFC 3339 and RFC 822 with a numeric zone, as most feeds write them: the short way. The same answer as the long one.
fn standard(text: &str) -> Option<DateTime<FixedOffset>> {
    let text = text.trim();
    let end = text.len().checked_sub(5)?;
    let zone = text.as_bytes().get(end..)?;
    let numeric = matches!(zone[0], b'+' | b'-') && zone[1..].iter().all(u8::is_ascii_digit);
    let read = match text.as_bytes()[0] {
        b'0'..=b'9' if text.as_bytes().get(10) == Some(&b'T') => DateTime::parse_from_rfc3339(text),
        b'A'..=b'Z' if numeric || text.ends_with(" GMT") => DateTime::parse_from_rfc2822(text),
        _ => return None,
    };
    // What it refuses (and a leap second, which it keeps as one) goes the long way.
    read.ok().filter(|d| d.nanosecond() < 1_000_000_000).and_then(|d| d.with_nanosecond(0))
}

/// How far apart neighbouring dates lie, in days.
#[derive(Default)]
struct Spread {
    last: Option<NaiveDate>,
    days: i64,
}

impl Spread {
    fn add(&mut self, day: Option<NaiveDate>) {
        if let (Some(a), Some(b)) = (self.last, day) {
            self.days += (b - a).num_days().abs();
        }
        self.last = day.or(self.last);
    }
}

/// NFC, lower case, every space a space, invisible characters gone.
fn prepare(text: &str) -> String {
    let visible = text.nfc().filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{feff}'));
    visible.take(LONGEST).flat_map(char::to_lowercase).map(|c| if c.is_whitespace() { ' ' } else { c }).collect()
}

/// Seconds or milliseconds since 1970, when the text is nothing else: ten digits or thirteen.
fn epoch(clean: &str) -> Option<DateTime<FixedOffset>> {
    let digits = clean.trim();
    let number: i64 = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()?;
    match digits.len() {
        9 | 10 => DateTime::from_timestamp(number, 0).map(|d| d.fixed_offset()),
        13 => DateTime::from_timestamp(number / 1000, 0).map(|d| d.fixed_offset()),
        _ => None,
    }
}

fn hours(count: i32) -> Option<FixedOffset> {
    FixedOffset::east_opt(count * 3600)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(text: &str) -> FixedOffset {
        text.parse().expect("an offset")
    }

    #[test]
    fn notations() {
        for line in include_str!("../../tests/dates.tsv").lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let columns: Vec<&str> = line.split('\t').collect();
            let [given, default, expected] = columns[..] else { panic!("three columns: {line:?}") };
            let read = date(given, offset(default)).map_or("none".to_owned(), |d| d.to_rfc3339());
            assert_eq!(read, expected, "{given:?}");
        }
    }

    #[test]
    fn a_number_above_twelve_decides_for_the_whole_feed() {
        let american = ["2/5/2024 8:03:09 AM", "1/24/2024 5:06:45 PM"];
        assert_eq!(date_order(american.into_iter()), DateOrder::MonthFirst);
        let day_first = ["05/02/2024 08:03", "24/01/2024 17:06"];
        assert_eq!(date_order(day_first.into_iter()), DateOrder::DayFirst);
        let read = date_in(american[0], offset("+07:00"), DateOrder::MonthFirst).expect("a date");
        assert_eq!(read.to_rfc3339(), "2024-02-05T08:03:09+07:00");
    }

    #[test]
    fn neighbours_stay_close() {
        let monthly = ["3/7/2024", "3/6/2024", "3/5/2024", "3/4/2024"];
        assert_eq!(date_order(monthly.into_iter()), DateOrder::MonthFirst);
        assert_eq!(date_order(["07/03/2024", "06/03/2024"].into_iter()), DateOrder::DayFirst);
        assert_eq!(date_order(["3/7/2024"].into_iter()), DateOrder::DayFirst);
        assert_eq!(date_order(["3/7/2024 5:06\u{202f}PM"].into_iter()), DateOrder::MonthFirst);
    }

    #[test]
    fn any_text_is_read_without_panic() {
        for text in ["", "-", "+", "1", ":", "12:", "th", "tháng", "thứ", "99999999999999999999", "+99:99", "a.m", "1/"]
        {
            assert_eq!(date(text, offset("+07:00")), None, "{text:?}");
        }
    }
}
