//! What is asked of the daemon from outside, and what systemd is told.

use sd_notify::NotifyState;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tracing::warn;

/// How often systemd's watchdog is fed where it asks for less.
const HEARTBEAT: Duration = Duration::from_secs(10);

pub enum Asked {
    Reopen,
    Heartbeat,
    Reload,
    Stop,
}

pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    heartbeat: tokio::time::Interval,
}

impl Signals {
    pub fn new() -> anyhow::Result<Signals> {
        let every = sd_notify::watchdog_enabled().map_or(HEARTBEAT, |limit| limit / 3);
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            heartbeat: tokio::time::interval(every.max(Duration::from_millis(100))),
        })
    }

    pub async fn next(&mut self, broken: &Notify) -> Asked {
        tokio::select! {
            () = broken.notified() => Asked::Reopen,
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.hangup.recv() => Asked::Reload,
            _ = self.heartbeat.tick() => Asked::Heartbeat,
        }
    }
}

/// To systemd, if it started us; without it there is nobody to tell.
pub fn tell(states: &[NotifyState]) {
    if let Err(why) = sd_notify::notify(states) {
        warn!("systemd was not reached: {why}");
    }
}

pub fn monotonic_now() -> NotifyState<'static> {
    // Fails only without CLOCK_MONOTONIC, which Linux always has; systemd then takes the time of arrival.
    NotifyState::monotonic_usec_now().unwrap_or(NotifyState::MonotonicUsec(0))
}
