//! Makes the folder hold what the store holds.

mod article;

pub use article::{html, json, markdown, path, sha256};

use crate::config::ExportConfig;
use crate::status::SiteRow;
use crate::store::{Store, StoreError};
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("export: {path}: {why}")]
    Io { path: PathBuf, why: String },
    /// Something other than a file or folder stands where the export would write.
    #[error("export: {0} is a symbolic link or no plain file: not followed")]
    NotPlain(PathBuf),
    /// The folder holds changes that the store never made.
    #[error(
        "export: the folder is at change {folder}, the store at {store}, and they do not follow one from the other; \
         `diemtin export rebuild` makes the folder again from the store"
    )]
    Diverged { folder: u64, store: u64 },
}

/// What a round wrote.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Wrote {
    /// The last change number that the folder now holds.
    pub seq: u64,
    pub files: usize,
}

/// What is wrong with a folder.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Report {
    pub seq: u64,
    pub files: usize,
    /// One sentence each; empty: all is well.
    pub problems: Vec<String>,
}

/// Brings the folder up to date with the store: syncs the store first, and writes only what changed.
pub fn catch_up(_store: &Store, _config: &ExportConfig, _sites: &[SiteRow]) -> Result<Wrote, ExportError> {
    todo!()
}

/// Makes the whole folder again: the same bytes as a folder always kept up to date, and nothing else in it.
pub fn rebuild(_store: &Store, _config: &ExportConfig, _sites: &[SiteRow]) -> Result<Wrote, ExportError> {
    todo!()
}

/// Reads the folder alone: every checksum, every sequence.
pub fn verify(_folder: &Path) -> Result<Report, ExportError> {
    todo!()
}

/// The JSON Schemas, by the names of their files.
pub fn schemas() -> Vec<(&'static str, serde_json::Value)> {
    todo!()
}
