//! The way of one site through time: when its next round is, and what it is for.

use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;
use tokio::time::Instant;

/// Two looks at a site's waiting pages are at least so far apart.
const RETRY_AT_LEAST: TimeDelta = TimeDelta::minutes(1);

/// The machine's time, or one that passes as tokio's does, for a day that passes in a minute.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    System,
    From(DateTime<Utc>, Instant),
}

impl Clock {
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Clock::System => Utc::now(),
            Clock::From(then, since) => *then + TimeDelta::from_std(since.elapsed()).unwrap_or(TimeDelta::MAX),
        }
    }

    async fn sleep_until(&self, at: DateTime<Utc>) {
        tokio::time::sleep((at - self.now()).to_std().unwrap_or(Duration::ZERO)).await;
    }
}

/// What a round is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Round {
    /// Its feeds whose time has come, and the pages.
    Feeds,
    /// Pages that are tried again.
    Pages,
}

/// When the next rounds are.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub feeds: DateTime<Utc>,
    pub pages: Option<DateTime<Utc>>,
}

/// One round after the other, each at the time that the one before planned; never two at once. Whenever `woken` ends
/// before, there are pages. Ends where a round has no plan.
pub async fn walk<F, R, W, V>(clock: Clock, first: Plan, woken: W, mut round: F)
where
    F: FnMut(Round) -> R,
    R: Future<Output = Option<Plan>>,
    W: Fn() -> V,
    V: Future<Output = ()>,
{
    let mut plan = first;
    loop {
        let next = plan.pages.map_or(plan.feeds, |pages| pages.min(plan.feeds));
        let what = tokio::select! {
            () = clock.sleep_until(next) => if next >= plan.feeds { Round::Feeds } else { Round::Pages },
            () = woken() => Round::Pages,
        };
        let Some(planned) = round(what).await else { return };
        let pages = planned.pages.map(|at| at.max(clock.now() + RETRY_AT_LEAST));
        plan = Plan { pages, ..planned };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    #[tokio::test(start_paused = true)]
    async fn rounds_of_a_site_never_overlap() {
        let start: DateTime<Utc> = "2026-03-10T12:00:00Z".parse().unwrap();
        let clock = Clock::From(start, Instant::now());
        let (busy, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
        walk(clock, Plan { feeds: start, pages: None }, std::future::pending, |_| async {
            assert!(!busy.swap(true, Ordering::Relaxed));
            let begun = clock.now();
            // longer than until the next one
            tokio::time::sleep(Duration::from_secs(90)).await;
            busy.store(false, Ordering::Relaxed);
            let go_on = rounds.fetch_add(1, Ordering::Relaxed) < 20;
            go_on.then_some(Plan { feeds: begun + TimeDelta::seconds(60), pages: Some(begun) })
        })
        .await;
        assert_eq!(rounds.load(Ordering::Relaxed), 21);
    }

    #[tokio::test(start_paused = true)]
    async fn pages_have_their_own_time_and_feeds_theirs() {
        let start: DateTime<Utc> = "2026-03-10T12:00:00Z".parse().unwrap();
        let clock = Clock::From(start, Instant::now());
        let mut seen = Vec::new();
        walk(clock, Plan { feeds: start, pages: None }, std::future::pending, |what| {
            seen.push((what, (clock.now() - start).num_minutes()));
            let feeds = start + TimeDelta::minutes(if seen.len() == 1 { 30 } else { 60 });
            let pages = (seen.len() == 1).then_some(start + TimeDelta::minutes(10));
            let plan = (seen.len() < 4)
                .then_some(Plan { feeds: if seen.len() == 2 { start + TimeDelta::minutes(30) } else { feeds }, pages });
            async move { plan }
        })
        .await;
        assert_eq!(seen, [(Round::Feeds, 0), (Round::Pages, 10), (Round::Feeds, 30), (Round::Feeds, 60)]);
    }

    #[tokio::test(start_paused = true)]
    async fn pages_that_came_by_themselves_do_not_wait() {
        let start: DateTime<Utc> = "2026-03-10T12:00:00Z".parse().unwrap();
        let clock = Clock::From(start, Instant::now());
        let (mut seen, wakes) = (Vec::new(), tokio::sync::Notify::new());
        let plan = |hours| Plan { feeds: start + TimeDelta::hours(hours), pages: None };
        let walked = walk(
            clock,
            plan(1),
            || wakes.notified(),
            |what| {
                seen.push((what, (clock.now() - start).num_minutes()));
                let plan = (seen.len() < 3).then_some(plan(if seen.len() == 1 { 1 } else { 2 }));
                async move { plan }
            },
        );
        let wake = async {
            tokio::time::sleep(Duration::from_secs(600)).await;
            wakes.notify_one();
        };
        tokio::join!(walked, wake);
        assert_eq!(seen, [(Round::Pages, 10), (Round::Feeds, 60), (Round::Feeds, 120)]);
    }
}
