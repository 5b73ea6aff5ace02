//! When to poll: pure arithmetic on what is remembered and the clock.

use crate::config::{PollConfig, Site};
use crate::store::SiteState;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// How far apart the very first polls of the sites begin.
const FIRST_GAP: Duration = Duration::from_secs(2);
/// As long as a server may ask to wait.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The `nth` of `all` sites' first poll after a start or a reload: when it was planned, or one after the other where that
/// is past. A site whose feeds were changed does not wait for what was planned before.
pub fn first(
    site: &Site,
    state: &SiteState,
    poll: &PollConfig,
    (nth, all): (usize, usize),
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let share = |time: Duration| time.mul_f64(nth as f64 / all.max(1) as f64);
    let one_by_one = FIRST_GAP.saturating_mul(u32::try_from(nth).unwrap_or(u32::MAX));
    let turn = now + delta(one_by_one.min(share(site.every)));
    let changed = site.feeds.iter().any(|url| !state.feeds.contains_key(url));
    match state.next_poll {
        // Further away than any plan: the clock was wrong, or the bound has become shorter.
        Some(planned) if !changed && planned > now && planned <= now + delta(poll.at_most.max(DAY) * 2) => planned,
        _ => turn,
    }
}

/// When the first of its feeds is to be asked.
pub fn next(site: &Site, state: &SiteState, now: DateTime<Utc>) -> DateTime<Utc> {
    let asked = site.feeds.iter().filter_map(|url| state.feeds.get(url)).filter(|feed| feed.stopped.is_none());
    let planned = asked.filter_map(|feed| feed.next).min();
    let none_left = site.feeds.iter().all(|url| state.feeds.get(url).is_some_and(|feed| feed.stopped.is_some()));
    let unplanned = if none_left { DAY } else { site.every };
    planned.map_or(now + delta(unplanned), |next| next.max(now + TimeDelta::seconds(1)))
}

pub fn backoff(every: Duration, failures: u32, at_most: Duration) -> Duration {
    every.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(at_most)
}

/// The first moment at least half an interval from now that lies at the feed's own fraction of the interval; where that is
/// later than `at_most`, half an interval before it, from where it is reached by and by.
pub fn own_moment(id: &str, every: Duration, at_most: Duration, now: DateTime<Utc>) -> DateTime<Utc> {
    let every = i64::try_from(every.as_secs()).unwrap_or(i64::MAX).max(1);
    let phase = i64::try_from(hash(id) >> 1).unwrap_or(0) % every;
    let earliest = now.timestamp() + every / 2;
    let wait = TimeDelta::seconds(every / 2 + (phase - earliest).rem_euclid(every));
    now + if wait > delta(at_most) { wait - TimeDelta::seconds(every / 2) } else { wait }
}

/// The same for ever.
pub fn hash(of: &str) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *blake3::hash(of.as_bytes()).as_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

pub fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn site(feed: url::Url) -> Site {
        Site {
            id: "a".into(),
            name: "A".into(),
            province: "Huế".into(),
            province_now: "Huế".into(),
            kind: crate::article::Kind::Party,
            feeds: vec![feed],
            lists: Default::default(),
            layout: None,
            every: HOUR,
            tls: crate::config::Tls::Modern,
            downgrade: false,
            ca_file: None,
            pages: true,
            robots: true,
            default_offset: crate::text::VIETNAM,
            select: crate::config::Select::AnyTopic,
            headers: Vec::new(),
        }
    }

    fn noon() -> DateTime<Utc> {
        "2026-03-10T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn sites_stay_spread_over_the_interval() {
        let moments: Vec<_> = (0..50).map(|n| own_moment(&format!("site-{n}"), HOUR, HOUR * 2, noon())).collect();
        for at in &moments {
            let wait = *at - noon();
            assert!(wait >= TimeDelta::minutes(30) && wait < TimeDelta::minutes(90), "{wait}");
        }
        let mut quarters: Vec<_> = moments.iter().map(|at| at.timestamp() % 3600 / 900).collect();
        quarters.sort_unstable();
        quarters.dedup();
        assert_eq!(quarters.len(), 4);
        let again = own_moment("site-7", HOUR, HOUR * 2, moments[7]);
        assert_eq!(again - moments[7], TimeDelta::hours(1));
    }

    #[test]
    fn no_moment_is_later_than_the_bound_and_each_is_reached() {
        for n in 0..50 {
            let (id, mut at) = (format!("site-{n}"), noon());
            for _ in 0..3 {
                let next = own_moment(&id, HOUR, HOUR, at);
                assert!(next - at >= TimeDelta::minutes(30) && next - at <= TimeDelta::hours(1), "{id}: {}", next - at);
                at = next;
            }
            assert_eq!(own_moment(&id, HOUR, HOUR, at) - at, TimeDelta::hours(1));
            assert_eq!(at, own_moment(&id, HOUR, HOUR * 2, at) - TimeDelta::hours(1));
        }
    }

    #[test]
    fn a_start_spreads_what_is_past() {
        let feed: url::Url = "http://a.example/rss".parse().unwrap();
        let poll = PollConfig { every: HOUR, at_least: HOUR, at_most: HOUR * 24, concurrency: 1 };
        let first = |next: i64, nth| {
            let next_poll = Some(noon() + TimeDelta::minutes(next));
            let state =
                SiteState { feeds: [(feed.clone(), Default::default())].into(), next_poll, ..Default::default() };
            first(&site(feed.clone()), &state, &poll, (nth, 7200), noon()) - noon()
        };
        assert_eq!(first(30, 100), TimeDelta::minutes(30));
        assert_eq!(first(-30, 3600), TimeDelta::minutes(30));
        assert!(first(-30, 7199) < TimeDelta::hours(1) && first(-30, 7199) > first(-30, 7198));
        assert_eq!(first(60 * 24 * 365, 0), TimeDelta::zero());
    }

    #[test]
    fn failures_double_the_wait_up_to_the_bound() {
        let waits: Vec<_> = [1, 2, 3, 40].map(|failures| backoff(HOUR, failures, HOUR * 24)).to_vec();
        assert_eq!(waits, [HOUR, HOUR * 2, HOUR * 4, HOUR * 24]);
    }
}
