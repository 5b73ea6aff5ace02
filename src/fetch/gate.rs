//! One request at a time to a host, and to a machine that is several hosts; a pause between two; and none to a host that
//! asked to be left alone.

use super::headers::LONGEST_WAIT;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

/// When the last request to the host ended.
type Host = Arc<tokio::sync::Mutex<Option<Instant>>>;

pub struct Gate {
    gap: Duration,
    hosts: Mutex<HashMap<String, Host>>,
    /// Until when a host is to be left alone.
    held: Mutex<HashMap<String, DateTime<Utc>>>,
}

/// The right to ask one host. The pause begins when it is dropped.
pub struct Turn {
    ended: OwnedMutexGuard<Option<Instant>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.ended = Some(Instant::now());
    }
}

/// Hosts remembered before the first look for those that may be forgotten.
const MANY: usize = 1024;

impl Gate {
    pub fn new(gap: Duration) -> Gate {
        Gate { gap, hosts: Mutex::default(), held: Mutex::default() }
    }

    /// The same hosts under another pause.
    pub fn with_gap(&self, gap: Duration) -> Gate {
        // what a panicking thread left behind is a whole map
        let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Gate { gap, hosts: Mutex::new(hosts), held: Mutex::new(held) }
    }

    /// Nobody asks the host before then.
    pub fn hold(&self, host: &str, until: DateTime<Utc>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let known = held.entry(name(host)).or_insert(until);
        *known = until.max(*known);
    }

    /// Until when the host is to be left alone, if it is.
    pub fn held(&self, host: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let until = held.get_mut(&name(host))?;
        // one further away is of a clock that was wrong
        *until = (*until).min(now + LONGEST_WAIT);
        let until = *until;
        if until <= now {
            held.remove(&name(host));
        }
        Some(until).filter(|until| *until > now)
    }

    /// The host's turn, then that of the machine it shares with others. In this order always, so nobody waits in a ring.
    pub async fn enter_both(&self, host: &str, machine: Option<IpAddr>) -> (Turn, Option<Turn>) {
        let host = self.enter(host).await;
        match machine {
            Some(machine) => (host, Some(self.enter(&machine.to_string()).await)),
            None => (host, None),
        }
    }

    /// Waits, in the order of coming, until the host may be asked.
    pub async fn enter(&self, host: &str) -> Turn {
        let ended = self.host(host).lock_owned().await;
        if let Some(ended) = *ended {
            tokio::time::sleep_until(ended + self.gap).await;
        }
        Turn { ended }
    }

    fn host(&self, host: &str) -> Host {
        // what a panicking thread left behind is a whole map
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= MANY && hosts.len() == hosts.capacity() {
            let now = Instant::now();
            hosts.retain(|_, host| self.is_awaited(host, now));
        }
        hosts.entry(name(host)).or_default().clone()
    }

    /// Someone asks it, waits for it, or its pause is not over.
    fn is_awaited(&self, host: &Host, now: Instant) -> bool {
        Arc::strong_count(host) > 1
            || host.try_lock().is_ok_and(|ended| ended.is_some_and(|ended| ended + self.gap > now))
    }
}

fn name(host: &str) -> String {
    host.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Gate, MANY};
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::time::Instant;

    const GAP: Duration = Duration::from_secs(1);
    const REQUEST: Duration = Duration::from_millis(300);

    /// Two requests of 300 ms each, one after the other; when they began.
    async fn walker(gate: Arc<Gate>, host: &'static str) -> Vec<Instant> {
        let mut begun = Vec::new();
        for _ in 0..2 {
            let _turn = gate.enter(host).await;
            begun.push(Instant::now());
            tokio::time::sleep(REQUEST).await;
        }
        begun
    }

    #[tokio::test(start_paused = true)]
    async fn requests_to_a_host_are_apart_whoever_asks() {
        let gate = Arc::new(Gate::new(GAP));
        let walkers = [0, 1, 2].map(|_| tokio::spawn(walker(gate.clone(), "a.example")));
        let mut begun = Vec::new();
        for walker in walkers {
            begun.extend(walker.await.unwrap());
        }
        begun.sort();
        assert!(begun.windows(2).all(|pair| pair[1] - pair[0] >= GAP + REQUEST));
        assert_eq!(begun.len(), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn hosts_on_one_machine_take_turns() {
        let gate = Arc::new(Gate::new(GAP));
        let machine = Some("192.0.2.1".parse().unwrap());
        let start = Instant::now();
        for host in ["a.example", "b.example", "a.example"] {
            let _turns = gate.enter_both(host, machine).await;
            tokio::time::sleep(REQUEST).await;
        }
        assert!(start.elapsed() >= 3 * REQUEST + 2 * GAP);
        let waiting = tokio::time::timeout(GAP / 2, gate.enter_both("c.example", machine)).await;
        assert!(waiting.is_err());
        assert!(tokio::time::timeout(GAP / 2, gate.enter_both("d.example", None)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_is_held_until_the_longest_that_it_asked_for() {
        let gate = Gate::new(GAP);
        let at = |minute: i64| chrono::DateTime::from_timestamp(1_706_090_760 + 60 * minute, 0).unwrap();
        gate.hold("a.example.", at(10));
        gate.hold("a.example", at(5));
        assert_eq!(gate.with_gap(GAP).held("a.example", at(9)), Some(at(10)));
        assert_eq!(gate.held("b.example", at(9)), None);
        assert_eq!(gate.held("a.example", at(10)), None);
        gate.hold("a.example", at(60 * 24 * 365));
        assert_eq!(gate.held("a.example", at(0)), Some(at(60 * 24)), "the clock was wrong");
        assert_eq!(gate.held("a.example", at(60 * 24)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn hosts_do_not_wait_for_each_other() {
        let gate = Arc::new(Gate::new(GAP));
        let start = Instant::now();
        let walkers = ["a.example", "b.example", "c.example"].map(|host| tokio::spawn(walker(gate.clone(), host)));
        for walker in walkers {
            walker.await.unwrap();
        }
        assert!(start.elapsed() < 2 * REQUEST + GAP + Duration::from_millis(20));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_was_broken_off_counts_too() {
        let gate = Arc::new(Gate::new(GAP));
        let start = Instant::now();
        assert!(tokio::time::timeout(REQUEST / 2, walker(gate.clone(), "a.example")).await.is_err());
        drop(gate.enter("a.example.").await);
        assert!(start.elapsed() >= REQUEST / 2 + GAP);
    }

    #[tokio::test(start_paused = true)]
    async fn hosts_are_forgotten_when_their_pause_is_over() {
        let gate = Gate::new(GAP);
        for n in 0..20 * MANY {
            drop(gate.enter(&format!("{n}.example")).await);
            if n % 100 == 0 {
                tokio::time::advance(GAP).await;
            }
        }
        assert!(gate.hosts.lock().unwrap().len() < 4 * MANY);
    }
}
