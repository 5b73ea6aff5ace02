//! What a feed says of how often it is worth asking: RSS `ttl`, `skipHours`, `skipDays`, and `sy:updatePeriod`.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Bytes looked at: these stand before the first entry.
const HEAD: usize = 64 << 10;

/// Some write midnight as 24.
const HOURS: u32 = 24;

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(default)]
pub struct Schedule {
    /// Seconds that a poll should at least be after the one before; the longer of `ttl` and `sy:updatePeriod`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// A bit an hour of the day in GMT, 0 the lowest.
    #[serde(skip_serializing_if = "is_zero")]
    pub skip_hours: u32,
    /// A bit a day, Monday the lowest.
    #[serde(skip_serializing_if = "is_zero")]
    pub skip_days: u32,
}

fn is_zero(bits: &u32) -> bool {
    *bits == 0
}

/// Of a feed's bytes; nothing where they are in no encoding that has ASCII in it.
pub fn schedule(body: &[u8]) -> Schedule {
    let head = &*head(body);
    let ttl = inside(head, "ttl")
        .and_then(|minutes| minutes.trim().parse::<u32>().ok())
        .map(|minutes| u64::from(minutes) * 60);
    Schedule {
        seconds: ttl.filter(|seconds| *seconds > 0).max(period(head)),
        skip_hours: bits(head, "skipHours", "hour", |hour| hour.parse::<u32>().ok().map(|hour| hour % HOURS)),
        skip_days: bits(head, "skipDays", "day", day),
    }
}

/// What stands before the first entry.
pub(super) fn head(body: &[u8]) -> Cow<'_, str> {
    let body = &body[..body.len().min(HEAD)];
    let first = [b"<item".as_slice(), b"<entry"].iter().filter_map(|tag| memchr::memmem::find(body, tag)).min();
    String::from_utf8_lossy(&body[..first.unwrap_or(body.len())])
}

/// RSS module syndication; `always` asks for nothing.
fn period(head: &str) -> Option<u64> {
    let period = match inside(head, "updatePeriod")?.trim().to_ascii_lowercase().as_str() {
        "hourly" => 3600,
        "daily" => 24 * 3600,
        "weekly" => 7 * 24 * 3600,
        "monthly" => 30 * 24 * 3600,
        "yearly" => 365 * 24 * 3600,
        _ => return None,
    };
    let times = inside(head, "updateFrequency").and_then(|times| times.trim().parse::<u64>().ok());
    Some(period / times.unwrap_or(1).max(1))
}

fn bits(head: &str, list: &str, item: &str, bit: impl Fn(&str) -> Option<u32>) -> u32 {
    let Some(mut rest) = inside(head, list) else { return 0 };
    let mut bits = 0;
    while let Some(value) = inside(rest, item) {
        bits |= bit(value.trim()).filter(|bit| *bit < 32).map_or(0, |bit| 1 << bit);
        // `value` lies within `rest`
        rest = &rest[value.as_ptr() as usize - rest.as_ptr() as usize + value.len()..];
    }
    bits
}

fn day(name: &str) -> Option<u32> {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let day = days.iter().position(|day| name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(day)))?;
    u32::try_from(day).ok()
}

/// What stands within the first element of this name, whatever its prefix.
fn inside<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = text;
    loop {
        let at = rest.find(name)?;
        let (before, after) = (rest[..at].chars().next_back(), &rest[at + name.len()..]);
        let opens = matches!(before, Some('<' | ':')) && after.starts_with(['>', ' ', '\n', '\t', '\r']);
        // an end tag is `</name` or `</sy:name`
        let closes = rest[..at].rfind('<').is_some_and(|tag| rest[tag..].starts_with("</"));
        if opens && !closes {
            let start = after.find('>')? + 1;
            return Some(until_end(&after[start..], name));
        }
        rest = after;
    }
}

/// Up to the end tag of this name.
fn until_end<'a>(inner: &'a str, name: &str) -> &'a str {
    let local = |tag: &str| tag.rsplit(':').next().map(str::trim_end) == Some(name);
    end_tags(inner).find(|(_, tag)| local(tag)).map_or(inner, |(at, _)| &inner[..at])
}

/// Where each end tag begins, and what stands in it. No tag has another one in it, so each byte is looked at once.
fn end_tags(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + text[from..].find("</")?;
            from = at + 2 + text[at + 2..].find(['<', '>'])?;
            if text[from..].starts_with('>') {
                return Some((at, &text[at + 2..from]));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Schedule, end_tags, schedule};

    #[test]
    fn feeds_say_how_often_they_change() {
        let hint = |seconds| Schedule { seconds, ..Schedule::default() };
        let table = [
            ("<rss><channel><ttl>60</ttl><item><ttl>5</ttl>", hint(Some(3600))),
            ("<rss><channel><ttl> 0 </ttl></channel></rss>", hint(None)),
            ("<rss><channel><ttl>soon</ttl></channel></rss>", hint(None)),
            ("<rss><channel><item><ttl>60</ttl></item>", hint(None)),
            (
                "<sy:updatePeriod>\n hourly </sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>",
                hint(Some(1800)),
            ),
            ("<sy:updatePeriod>daily</sy:updatePeriod>", hint(Some(86400))),
            ("<sy:updatePeriod>always</sy:updatePeriod>", hint(None)),
            ("<ttl>60</ttl><updatePeriod>daily</updatePeriod>", hint(Some(86400))),
            (
                "<skipHours><hour>0</hour><hour> 5 </hour><hour>24</hour><hour>x</hour></skipHours>",
                Schedule { skip_hours: 0b10_0001, ..hint(None) },
            ),
            (
                "<skipDays><day>Saturday</day><day>sunday</day></skipDays>",
                Schedule { skip_days: 0b110_0000, ..hint(None) },
            ),
            ("<ttl", hint(None)),
            ("<ttl>", hint(None)),
            ("", hint(None)),
        ];
        for (feed, expected) in table {
            assert_eq!(schedule(feed.as_bytes()), expected, "{feed}");
        }
    }

    #[test]
    fn end_tags_without_an_end_are_not_read_to_the_end_of_the_feed() {
        let open = "</x".repeat(20_000);
        let tags: Vec<_> = end_tags(&open).collect();
        assert_eq!(tags, []);
        let closed = open + "</a:ttl >";
        let tags: Vec<_> = end_tags(&closed).collect();
        assert_eq!(tags, [(60_000, "a:ttl ")]);
        assert_eq!(schedule(b"<ttl>60</x</ttl>").seconds, None);
        assert_eq!(schedule(b"<ttl>60<!-- </x --></a:ttl >").seconds, None);
        assert_eq!(schedule(b"<a:ttl>60</a:ttl ><x>").seconds, Some(3600));
    }
}
