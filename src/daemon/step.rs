//! What every step of a walker needs, taken once for the watchdog.

use crate::poll::Pipeline;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// A thread of the blocking pool, the store and the index of prints: where one of them is never had, no site is polled
/// any more, however well the rest of the program answers.
pub struct Step(JoinHandle<()>);

impl Step {
    pub fn begin(pipeline: &Arc<Pipeline>) -> Step {
        let pipeline = pipeline.clone();
        Step(tokio::task::spawn_blocking(move || {
            pipeline.store.seq();
            drop(pipeline.index.lock());
        }))
    }

    pub fn taken(&self) -> bool {
        self.0.is_finished()
    }
}
