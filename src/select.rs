//! Is it about civic mobilization, and why: `Clean -> Verdict`.

use crate::article::Verdict;
use crate::config::TopicConfig;

/// The topics of a configuration, their terms compiled.
#[derive(Debug)]
pub struct Topics {}

impl Topics {
    pub fn new(_topics: &[TopicConfig]) -> Topics {
        todo!()
    }

    /// `paragraphs[0]` is the lead.
    pub fn judge(&self, _title: &str, _paragraphs: &[&str]) -> Verdict {
        todo!()
    }
}
