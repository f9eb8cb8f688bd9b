//! Appending to a log whose files are kept anywhere: what is there is read through a [`Source`], what is new is handed out,
//! the checkpoint last. Who keeps the files sees to it that only one appends at a time.

use std::io;

use crate::bundle::{MAX_BUNDLE, write_entry};
use crate::checkpoint::{CheckedCheckpoint, Checkpoint, MAX_CHECKPOINT, Stamp};
use crate::key::{Signers, TrustedKeys};
use crate::signed_tiles::read_edge;
use crate::source::Source;
use crate::tile::{TILE_WIDTH, TileId, hashes_to_bytes};
use crate::writer::{CHECKPOINT, WriteError};
use crate::{Hash, MAX_SIZE};

/// Appends `entries` to the log at `source` under one new checkpoint; with none, signs it anew. Each new or changed file is
/// given to `put`, with its path; what it keeps must be safe before it returns, since the checkpoint comes last.
///
/// # Errors
///
/// When the log cannot be read, is not signed by one of `trusted`, or a file cannot be kept.
pub fn append_to(
    source: &dyn Source,
    put: &mut dyn FnMut(&str, &[u8]) -> io::Result<()>,
    entries: &[&[u8]],
    stamp: &Stamp,
    signers: &Signers,
    trusted: &TrustedKeys,
) -> Result<CheckedCheckpoint, WriteError> {
    let folder = || source.describe().into();
    let failed = |error| WriteError::Io { folder: folder(), error };
    let note =
        source.read(CHECKPOINT, MAX_CHECKPOINT)?.ok_or_else(|| WriteError::NoLog { folder: folder() })?;
    let checkpoint = Checkpoint::verify(&note, trusted)?;
    let damaged = |reason: String| WriteError::Damaged { folder: folder(), reason };
    let mut edge = read_edge(source, &checkpoint).map_err(|error| damaged(error.to_string()))?;
    if entries.len() as u64 > MAX_SIZE - edge.size() {
        return Err(WriteError::TooManyEntries);
    }
    let mut bundle = Vec::new();
    if !edge.size().is_multiple_of(TILE_WIDTH) {
        let id = TileId::of_entry(edge.size(), edge.size());
        let read = source.read(&id.path(), MAX_BUNDLE)?;
        bundle = read.ok_or_else(|| damaged(format!("`{id}` is missing")))?;
    }
    for entry in entries {
        write_entry(&mut bundle, entry).map_err(|length| WriteError::EntryTooLong { length })?;
        edge.push(Hash::of_leaf(entry), |id, hashes| put(&id.path(), &hashes_to_bytes(hashes)))
            .map_err(failed)?;
        if edge.size().is_multiple_of(TILE_WIDTH) {
            put(&TileId::of_entry(edge.size() - 1, edge.size()).path(), &bundle).map_err(failed)?;
            bundle.clear();
        }
    }
    for (id, hashes) in edge.unfinished() {
        put(&id.path(), &hashes_to_bytes(hashes)).map_err(failed)?;
    }
    if !bundle.is_empty() {
        put(&TileId::of_entry(edge.size(), edge.size()).path(), &bundle).map_err(failed)?;
    }
    let stamp = Stamp { snapshot: stamp.snapshot.or(checkpoint.snapshot()), ..*stamp };
    let signed = CheckedCheckpoint::sign(edge.size(), edge.frontier().root(), &stamp, signers)?;
    put(CHECKPOINT, signed.note().as_bytes()).map_err(failed)?;
    Ok(signed)
}

/// Begins a log without entries: signs the checkpoint of the empty tree and gives it to `put`.
///
/// # Errors
///
/// When there is a log already, or it cannot be kept.
pub fn begin_log(
    source: &dyn Source,
    put: &mut dyn FnMut(&str, &[u8]) -> io::Result<()>,
    stamp: &Stamp,
    signers: &Signers,
) -> Result<(), WriteError> {
    let folder = || source.describe().into();
    if source.read(CHECKPOINT, MAX_CHECKPOINT)?.is_some() {
        return Err(WriteError::Exists { folder: folder() });
    }
    let signed = CheckedCheckpoint::sign(0, Hash::EMPTY, stamp, signers)?;
    put(CHECKPOINT, signed.note().as_bytes()).map_err(|error| WriteError::Io { folder: folder(), error })
}
