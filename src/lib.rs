//! diemtin (*điểm tin*): the morning press digest, made without a person.
//!
//! One article's walk, a file a stage, in the order in which it lives:
//!
//! 1. [`poll`] asks a site's feeds, one request at a time;
//! 2. [`fetch`] brings the bytes, bounded and guarded: `Url -> Page`;
//! 3. [`parse`] reads the feed, however broken: `bytes -> Feed`;
//! 4. the store remembers the entries with the validators they came with;
//! 5. for each entry that is due, [`fetch`] brings its page;
//! 6. [`extract`] takes the site's chrome away: `Page -> Clean`;
//! 7. [`select`] says whether it is about civic mobilization, and why: `Clean -> Verdict`;
//! 8. [`dedup`] says whether it was already told: `Clean -> Print`;
//! 9. [`store`] writes article, print, mark and change number in one transaction;
//! 10. [`export`] makes the folder hold what the store holds.
//!
//! What always holds: the store is the truth and the folder its mirror; validators are never remembered before the
//! entries they stand for; a change number in `changes/HEAD` is durable in the store; nothing a site serves reaches
//! the folder except as text in [`article::Block`]s.

pub mod config;

pub mod daemon;
pub mod poll;

pub mod fetch;

pub mod parse;

pub mod extract;

pub mod select;

pub mod dedup;

pub mod store;

pub mod export;

pub mod article;
pub mod cli;
pub mod status;
pub mod text;
