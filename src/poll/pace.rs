//! When to poll a site: pure arithmetic on its state and the clock.

use crate::config::{PollConfig, Site};
use crate::store::SiteState;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// How far apart the very first polls of the sites begin.
const FIRST_GAP: Duration = Duration::from_secs(2);

/// The `nth` of the sites' first poll after a start: when it was due, or one after the other where that is past.
pub fn first(state: &SiteState, nth: usize, every: Duration, now: DateTime<Utc>) -> DateTime<Utc> {
    let turn = FIRST_GAP.saturating_mul(u32::try_from(nth).unwrap_or(u32::MAX)).min(every);
    state.next_poll.unwrap_or(now).max(now + delta(turn))
}

/// After a success, the site's own moment within its interval (so that sites stay spread, over restarts too); after
/// failures, intervals that double; never earlier than its feeds' servers asked for.
pub fn next(site: &Site, poll: &PollConfig, state: &SiteState, now: DateTime<Utc>) -> DateTime<Utc> {
    let at = match state.failures {
        0 => own_moment(&site.id, site.every, now),
        failures => now + delta(backoff(site.every, failures, poll.at_most)),
    };
    let asked = site.feeds.iter().filter_map(|url| state.feeds.get(url)?.not_before).min();
    asked.map_or(at, |asked| at.max(asked))
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
