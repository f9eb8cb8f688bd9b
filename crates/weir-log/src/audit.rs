//! Recomputing a whole log: every entry hashed, every tile at every level compared, every partial
//! version that is still there, and the root.
//!
//! The audit grows the tree again from the entries and compares what it gets, tile by tile, with what is
//! served; it holds one bundle and the right edge in memory, whatever the size of the log.

use std::fmt;

use crate::Hash;
use crate::bundle::{MAX_BUNDLE, parse_bundle};
use crate::checkpoint::{CheckedCheckpoint, Checkpoint, MAX_CHECKPOINT};
use crate::edge::Edge;
use crate::follow::FollowError;
use crate::key::TrustedKeys;
use crate::source::{Source, SourceError};
use crate::tile::{MAX_TILE, TILE_WIDTH, TileId, hashes_to_bytes};
use crate::writer::CHECKPOINT;

/// Problems reported at most; a log with more is beyond counting.
const MAX_PROBLEMS: usize = 1000;

/// What an audit found.
#[derive(Debug, Clone)]
pub struct AuditReport {
    /// The log that was audited.
    pub checkpoint: CheckedCheckpoint,
    /// Entries that were read and hashed.
    pub entries: u64,
    /// Files that were compared: bundles, hash tiles, partial versions.
    pub files: u64,
    /// What is wrong; empty for a sound log. Stops at a thousand.
    pub problems: Vec<Problem>,
}

impl AuditReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

/// One thing that is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to the registry.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.file, self.what)
    }
}

/// Recomputes the log at `source`. An error means that it could not be audited at all: no checkpoint, or
/// none that is signed. Everything else is a [`Problem`] in the report.
///
/// Expiry is not looked at: an archived log can be sound.
pub fn audit(source: &dyn Source, keys: &TrustedKeys) -> Result<AuditReport, FollowError> {
    let source_name = || source.describe();
    let note = source
        .read(CHECKPOINT, MAX_CHECKPOINT)?
        .ok_or_else(|| FollowError::NoLog { source_name: source_name() })?;
    let checkpoint = Checkpoint::verify(&note, keys)
        .map_err(|error| FollowError::Checkpoint { source_name: source_name(), error })?;
    let mut audit = Audit { source, files: 0, problems: Vec::new() };
    let entries = audit.tree(&checkpoint);
    Ok(AuditReport { checkpoint, entries, files: audit.files, problems: audit.problems })
}

struct Audit<'a> {
    source: &'a dyn Source,
    files: u64,
    problems: Vec<Problem>,
}

impl Audit<'_> {
    /// Returns how many entries could be read.
    fn tree(&mut self, log: &Checkpoint) -> u64 {
        let mut edge = Edge::default();
        while edge.size() < log.size() && self.problems.len() < MAX_PROBLEMS {
            let id = TileId::of_entry(edge.size(), log.size());
            let Some(bytes) = self.file(&id.path(), MAX_BUNDLE) else { return edge.size() };
            let entries = match parse_bundle(&bytes, id.width()) {
                Ok(entries) => entries,
                Err(error) => {
                    self.problem(id.path(), format!("is not a bundle of {} entries: {error}", id.width()));
                    return edge.size();
                }
            };
            for entry in entries {
                let Ok(()) = edge.push::<std::convert::Infallible>(Hash::of_leaf(entry), |tile, hashes| {
                    self.hash_tile(tile, hashes);
                    Ok(())
                });
            }
            if !id.is_full() {
                self.narrower(id, &bytes, |bytes, width| parse_bundle(bytes, width).is_ok());
            }
        }
        for (tile, hashes) in edge.unfinished() {
            self.hash_tile(tile, hashes);
            self.narrower(tile, &hashes_to_bytes(hashes), |bytes, width| {
                bytes.len() as u64 == width * Hash::LEN as u64
            });
        }
        if edge.frontier().root() != log.root() {
            let found = edge.frontier().root();
            self.problem(
                CHECKPOINT.to_owned(),
                format!("signs the root {}; the entries have {found}", log.root()),
            );
        }
        edge.size()
    }

    fn hash_tile(&mut self, tile: TileId, hashes: &[Hash]) {
        let Some(bytes) = self.file(&tile.path(), MAX_TILE) else { return };
        let expected = hashes_to_bytes(hashes);
        if bytes == expected {
            return;
        }
        let what = match bytes.chunks(Hash::LEN).zip(expected.chunks(Hash::LEN)).position(|(a, b)| a != b) {
            Some(place) => format!("has another hash at place {place} than the entries give"),
            None => format!("has {} bytes, not {}", bytes.len(), expected.len()),
        };
        self.problem(tile.path(), what);
    }

    /// Earlier, narrower versions of an unfinished tile may be there still; each must be a beginning of
    /// it, cut where a place ends.
    fn narrower(&mut self, tile: TileId, whole: &[u8], is_cut_right: impl Fn(&[u8], u64) -> bool) {
        for width in 1..tile.width().min(TILE_WIDTH) {
            let path = TileId::new(tile.level(), tile.index(), width).path();
            match self.source.read(&path, whole.len() as u64) {
                Ok(None) => {}
                Ok(Some(bytes)) if whole.starts_with(&bytes) && is_cut_right(&bytes, width) => {
                    self.files += 1;
                }
                Ok(Some(_)) | Err(SourceError::TooLarge { .. }) => {
                    self.files += 1;
                    self.problem(path, format!("is not the beginning of `{tile}`"));
                }
                Err(error) => self.problem(path, error.to_string()),
            }
        }
    }

    fn file(&mut self, path: &str, limit: u64) -> Option<Vec<u8>> {
        match self.source.read(path, limit) {
            Ok(Some(bytes)) => {
                self.files += 1;
                return Some(bytes);
            }
            Ok(None) => self.problem(path.to_owned(), "is missing".to_owned()),
            Err(error) => self.problem(path.to_owned(), error.to_string()),
        }
        None
    }

    fn problem(&mut self, file: String, what: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { file, what });
        }
    }
}
