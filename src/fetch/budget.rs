//! The time that a whole request may take, redirects and body included, waiting for the host's turn not.

use super::{FetchError, words};
use std::time::Duration;
use tokio::time::Instant;

pub struct Budget {
    whole: Duration,
    left: Duration,
}

impl Budget {
    pub fn new(whole: Duration) -> Budget {
        Budget { whole, left: whole }
    }

    /// What was used so far.
    pub fn spent(&self) -> Duration {
        self.whole - self.left
    }

    /// Runs one step of the request on what is left.
    pub async fn spend<T>(&mut self, step: impl Future<Output = T>) -> Result<T, FetchError> {
        let start = Instant::now();
        let done = tokio::time::timeout(self.left, step).await;
        self.left = self.left.saturating_sub(start.elapsed());
        done.map_err(|_| words::too_slow(self.whole))
    }
}

#[cfg(test)]
mod tests {
    use super::Budget;
    use std::time::Duration;
    use tokio::time::sleep;

    #[tokio::test(start_paused = true)]
    async fn each_step_takes_from_one_budget_and_waiting_takes_nothing() {
        let mut budget = Budget::new(Duration::from_secs(60));
        assert!(budget.spend(sleep(Duration::from_secs(35))).await.is_ok());
        sleep(Duration::from_secs(600)).await;
        assert!(budget.spend(sleep(Duration::from_secs(20))).await.is_ok());
        let slow = budget.spend(sleep(Duration::from_secs(20))).await.unwrap_err();
        assert_eq!(slow.to_string(), "no whole answer within 1m");
    }
}
