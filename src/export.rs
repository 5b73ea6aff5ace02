//! Makes the folder hold what the store holds.
//!
//! The folder is a function of the store (and, for `status/sites.json`, of the configuration): no clock is asked. A
//! round begins where the manifest says that the last one ended, so one that was killed is simply done again.

mod article;
mod feeds;
mod folder;
mod heal;
mod lineage;
mod manifest;
mod mirror;
mod read;
mod schema;
#[cfg(test)]
mod tests;
mod verify;

pub use article::{html, json, markdown, markdown_body, path, sha256};
pub use heal::{HEALED, Healed, heal, open as open_store};
pub use lineage::{Lineage, lineage};
pub use manifest::{segment_end, segment_of};
pub use mirror::Mirror;
pub use schema::schemas;
pub use verify::verify;

use crate::config::ExportConfig;
use crate::status::SiteRow;
use crate::store::{Store, StoreError};
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("export: {path}: {why}")]
    Io { path: PathBuf, why: String },
    /// A part of the manifest cannot be read: what it lists is made again.
    #[error("export: {0} is damaged")]
    Part(String),
    /// Something other than a file or folder stands where the export would write.
    #[error("export: {0} is a symbolic link or no plain file: not followed")]
    NotPlain(PathBuf),
    /// The folder holds changes that the store never made.
    #[error(
        "export: the folder is at change {folder}, the store at {store}, and they do not follow one from the other. To keep \
         what the folder holds, stop diemtin and move the store aside: the next start makes it again from the folder. \
         `diemtin export rebuild --force` makes the folder again from the store, and takes away the articles that only the \
         folder has"
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
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize, Debug)]
pub struct Report {
    pub seq: u64,
    pub files: usize,
    /// One sentence each; empty: all is well.
    pub problems: Vec<String>,
    /// How many of the problems are files that are none of the export's, which it never takes away.
    #[serde(skip)]
    pub foreign: usize,
}

/// The last change that a folder holds by its own word, if it has one.
pub fn head(folder: &std::path::Path) -> Option<u64> {
    // A folder that cannot be read says nothing; `verify` tells why.
    std::fs::read(folder.join(manifest::HEAD)).ok().as_deref().and_then(verify::read_head)
}

/// One round for a caller that exports once; [`Mirror`] is for many. Syncs the store first, and writes only what
/// changed. `sites` are all sites, in the order of the configuration.
pub fn catch_up(store: &Store, config: &ExportConfig, sites: &[SiteRow]) -> Result<Wrote, ExportError> {
    Mirror::open(config)?.catch_up(store, Some(sites))
}

/// Makes the whole folder again: the same bytes as a folder always kept up to date. Files under the export's own names
/// that do not belong are taken away, others are left alone.
pub fn rebuild(store: &Store, config: &ExportConfig, sites: &[SiteRow]) -> Result<Wrote, ExportError> {
    Mirror::open(config)?.rebuild(store, sites)
}

/// Refuses where the folder may be the only copy of what it holds: it is of another store, or ahead of this one.
pub fn refuse_other(store: &Store, config: &ExportConfig) -> Result<(), ExportError> {
    match lineage(store, &config.path)? {
        Lineage::Ahead(folder) | Lineage::Beyond(folder) | Lineage::Other(folder) => {
            Err(ExportError::Diverged { folder, store: store.seq() })
        }
        Lineage::Unknown | Lineage::Same | Lineage::Older => Ok(()),
    }
}
