//! When to poll a site: pure arithmetic on its state and the clock.

use crate::config::{PollConfig, Site};
use crate::store::SiteState;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// How far apart the very first polls of the sites begin.
const FIRST_GAP: Duration = Duration::from_secs(2);

/// The `nth` of the sites' first poll after a start or a reload: when it was due, or one after the other where that is
/// past. A site whose feeds or interval were changed does not wait for what was planned before.
pub fn first(site: &Site, state: &SiteState, poll: &PollConfig, nth: usize, now: DateTime<Utc>) -> DateTime<Utc> {
    let turn = now + delta(FIRST_GAP.saturating_mul(u32::try_from(nth).unwrap_or(u32::MAX)).min(site.every));
    let changed = site.feeds.iter().any(|url| !state.feeds.contains_key(url));
    let longest = if state.failures == 0 { site.every.saturating_mul(2) } else { poll.at_most };
    match state.next_poll {
        // Further away than any plan: the clock was wrong, or the interval has become shorter.
        Some(planned) if !changed && planned <= now + delta(longest) => planned.max(turn),
        _ => turn,
    }
}

/// After a success, the site's own moment within its interval (so that sites stay spread, over restarts too); after
/// failures, intervals that double; while every feed is asked to wait, not before the first of them may be asked.
pub fn next(site: &Site, poll: &PollConfig, state: &SiteState, now: DateTime<Utc>) -> DateTime<Utc> {
    let at = match state.failures {
        0 => own_moment(&site.id, site.every, now),
        failures => now + delta(backoff(site.every, failures, poll.at_most)),
    };
    let asked = |url| state.feeds.get(url)?.not_before.filter(|until| *until > now);
    let asked: Option<Vec<DateTime<Utc>>> = site.feeds.iter().map(asked).collect();
    asked.and_then(|all| all.into_iter().min()).map_or(at, |first| at.max(first))
}

fn backoff(every: Duration, failures: u32, at_most: Duration) -> Duration {
    every.saturating_mul(2_u32.saturating_pow(failures - 1)).min(at_most)
}

/// The first moment at least half an interval from now that lies at the site's own fraction of the interval.
fn own_moment(id: &str, every: Duration, now: DateTime<Utc>) -> DateTime<Utc> {
    let every = i64::try_from(every.as_secs()).unwrap_or(i64::MAX).max(1);
    let hash = blake3::hash(id.as_bytes());
    let [a, b, c, d, ..] = *hash.as_bytes();
    let phase = i64::from(u32::from_le_bytes([a, b, c, d])) % every;
    let earliest = now.timestamp() + every / 2;
    let wait = (phase - earliest).rem_euclid(every);
    now + TimeDelta::seconds(every / 2 + wait)
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn noon() -> DateTime<Utc> {
        "2026-03-10T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn sites_stay_spread_over_the_interval() {
        let moments: Vec<_> = (0..50).map(|n| own_moment(&format!("site-{n}"), HOUR, noon())).collect();
        for at in &moments {
            let wait = *at - noon();
            assert!(wait >= TimeDelta::minutes(30) && wait < TimeDelta::minutes(90), "{wait}");
        }
        let mut quarters: Vec<_> = moments.iter().map(|at| at.timestamp() % 3600 / 900).collect();
        quarters.sort_unstable();
        quarters.dedup();
        assert_eq!(quarters.len(), 4);
        let again = own_moment("site-7", HOUR, moments[7]);
        assert_eq!(again - moments[7], TimeDelta::hours(1));
    }

    #[test]
    fn failures_double_the_wait_up_to_the_bound() {
        let waits: Vec<_> = [1, 2, 3, 40].map(|failures| backoff(HOUR, failures, HOUR * 24)).to_vec();
        assert_eq!(waits, [HOUR, HOUR * 2, HOUR * 4, HOUR * 24]);
    }
}
