//! What happened since the start, counted where a walker's round ends.

use crate::poll::{FeedNews, Round};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Upper bounds of the rounds' durations, in seconds.
pub const BOUNDS: [f64; 8] = [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0];

#[derive(Default, Debug)]
pub struct Counters(Mutex<Counts>);

#[derive(Clone, Default, Debug)]
pub struct Counts {
    /// By [`crate::article::Outcome::label`].
    pub outcomes: BTreeMap<&'static str, u64>,
    /// By what a feed answered.
    pub feeds: BTreeMap<&'static str, u64>,
    /// By how the text was found.
    pub methods: BTreeMap<String, u64>,
    /// Pages whose text is in doubt.
    pub doubted: u64,
    pub rounds: Durations,
    /// Rounds that ended in an error of the store, or of the program.
    pub broken: u64,
}

/// A histogram.
#[derive(Clone, Default, Debug)]
pub struct Durations {
    /// How many took up to each of [`BOUNDS`], not cumulated; then the longer ones.
    pub counts: [u64; BOUNDS.len() + 1],
    pub seconds: f64,
}

impl Durations {
    fn note(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        let at = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        self.counts[at] += 1;
        self.seconds += seconds;
    }
}

impl Counters {
    pub fn round(&self, round: &Round, took: Duration) {
        let mut counts = self.lock();
        counts.rounds.note(took);
        for (label, count) in round.tally() {
            *counts.outcomes.entry(label).or_default() += count as u64;
        }
        for feed in &round.feeds {
            let said = match &feed.result {
                Ok(FeedNews::Unchanged) => "unchanged",
                Ok(FeedNews::Read { .. }) => "read",
                Ok(_) => "waiting",
                Err(_) => "failed",
            };
            *counts.feeds.entry(said).or_default() += 1;
        }
        for settled in &round.settled {
            if let Some(method) = settled.method {
                *counts.methods.entry(format!("{method:?}").to_ascii_lowercase()).or_default() += 1;
            }
            counts.doubted += u64::from(settled.doubt.is_some());
        }
    }

    pub fn broken(&self) {
        self.lock().broken += 1;
    }

    pub fn now(&self) -> Counts {
        self.lock().clone()
    }

    /// Numbers are good whoever panicked.
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
