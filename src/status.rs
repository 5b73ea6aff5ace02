//! One event: its log line and its counter.
