//! How far a reader has come: what it keeps between two syncs.
//!
//! A [`Prefix`] says which entries are known: the frontier over them, and how many bytes of the last,
//! incomplete bundle they took, so that only the bytes after them are fetched next time. A
//! [`Position`] adds the checkpoint under which the prefix was reached: the evidence when a log is
//! later found rewritten.

use std::fmt;
use std::str::FromStr;

use crate::bundle::{LENGTH_FIELD, MAX_ENTRY};
use crate::tile::TILE_WIDTH;
use crate::{Checkpoint, CheckpointError, Frontier, FrontierError, Hash};

const PREFIX_HEADER: &str = "weir-log-prefix v1\n";
const POSITION_HEADER: &str = "weir-log-position v1\n";

/// The first entries of a log, as little of them as is needed to go on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prefix {
    frontier: Frontier,
    offset: u64,
}

/// The first entries of a log, and the checkpoint that vouched for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    prefix: Prefix,
    seen: Checkpoint,
}

/// Why a text is not a position, or not a sound one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PositionError {
    /// Not written by this program, or by a newer one.
    #[error("not a log position of version 1")]
    UnknownFormat,
    /// The frontier in it is broken.
    #[error(transparent)]
    Frontier(#[from] FrontierError),
    /// The checkpoint in it is broken.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The byte offset cannot be that of this many entries.
    #[error("{size} entries cannot end at byte {offset} of their bundle")]
    BadOffset {
        /// Entries known.
        size: u64,
        /// The offset found.
        offset: u64,
    },
    /// Frontier and checkpoint are of different trees: the file was damaged or edited.
    #[error("the position's {size} entries are not those of its checkpoint")]
    Disagrees {
        /// Entries known.
        size: u64,
        /// The checkpoint.
        note: String,
    },
}

impl Prefix {
    /// Nothing known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree over the known entries.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Entries known.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Bytes that the known entries take of the last bundle; 0 when that is complete.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Adds the next entry and returns its index.
    pub fn push(&mut self, entry: &[u8]) -> u64 {
        let index = self.size();
        self.frontier.push(Hash::of_leaf(entry));
        self.offset = match self.size() % TILE_WIDTH {
            0 => 0,
            _ => self.offset + (LENGTH_FIELD + entry.len()) as u64,
        };
        index
    }

    fn parse_body(body: &str) -> Result<Self, PositionError> {
        let (first, rest) = body.split_once('\n').ok_or(PositionError::UnknownFormat)?;
        let offset = first
            .strip_prefix("offset ")
            .and_then(|offset| offset.parse().ok())
            .ok_or(PositionError::UnknownFormat)?;
        let frontier: Frontier = rest.parse()?;
        let partial = frontier.size() % TILE_WIDTH;
        let possible = partial * LENGTH_FIELD as u64..=partial * (LENGTH_FIELD + MAX_ENTRY) as u64;
        if !possible.contains(&offset) {
            return Err(PositionError::BadOffset { size: frontier.size(), offset });
        }
        Ok(Self { frontier, offset })
    }

    fn fmt_body(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "offset {}\n{}", self.offset, self.frontier)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX_HEADER)?;
        self.fmt_body(f)
    }
}

impl FromStr for Prefix {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        Self::parse_body(text.strip_prefix(PREFIX_HEADER).ok_or(PositionError::UnknownFormat)?)
    }
}

impl Position {
    /// Joins a prefix and the checkpoint of the same tree.
    pub fn new(prefix: Prefix, seen: Checkpoint) -> Result<Self, PositionError> {
        if prefix.size() != seen.size() || prefix.frontier.root() != seen.root() {
            return Err(PositionError::Disagrees { size: prefix.size(), note: seen.note().to_owned() });
        }
        Ok(Self { prefix, seen })
    }

    /// The known entries.
    pub fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// The checkpoint under which they were read. It was checked then; the keys trusted now may be others.
    pub fn seen(&self) -> &Checkpoint {
        &self.seen
    }

    /// Entries known.
    pub fn size(&self) -> u64 {
        self.prefix.size()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(POSITION_HEADER)?;
        self.prefix.fmt_body(f)?;
        write!(f, "\n{}", self.seen.note())
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let body = text.strip_prefix(POSITION_HEADER).ok_or(PositionError::UnknownFormat)?;
        let (prefix, note) = body.split_once("\n\n").ok_or(PositionError::UnknownFormat)?;
        let prefix = Prefix::parse_body(&format!("{prefix}\n"))?;
        Self::new(prefix, Checkpoint::parse(note.as_bytes())?)
    }
}
