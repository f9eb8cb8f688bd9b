//! One entry of a log, with the proof that it is there.

use std::io::ErrorKind;

use crate::bundle::EntryReader;
use crate::checkpoint::CheckedCheckpoint;
use crate::key::TrustedKeys;
use crate::proof::{InclusionProof, ProofError, prove_inclusion};
use crate::signed_tiles::TileError;
use crate::source::{Source, SourceError};
use crate::tile::{TILE_WIDTH, TileId};

/// Reads the entry `index` of `log`, and proves that it is what was signed.
///
/// # Errors
///
/// When there is no such entry, its tiles cannot be read, or they are not those that were signed.
pub fn read_entry(
    source: &dyn Source,
    log: &CheckedCheckpoint,
    keys: &TrustedKeys,
    index: u64,
) -> Result<(Vec<u8>, InclusionProof), ProofError> {
    let proof = prove_inclusion(source, log, index)?;
    let id = TileId::of_entry(index, log.size());
    let bundle = [id.path(), id.to_full().path()]
        .into_iter()
        .find_map(|path| source.open(&path, 0).map(|found| found.map(|bytes| (path, bytes))).transpose());
    let Some(bundle) = bundle else { return Err(TileError::Missing { file: id.path() }.into()) };
    let (path, bytes) = bundle.map_err(TileError::from)?;
    let mut entries = EntryReader::new(bytes);
    let mut entry = Vec::new();
    for _ in 0..=index % TILE_WIDTH {
        let read = entries.next_entry().map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => TileError::Missing { file: path.clone() },
            _ => SourceError::from_io(format!("{}/{path}", source.describe()), &error).into(),
        });
        entry.clear();
        entry.extend_from_slice(read?);
    }
    proof.check(&entry, keys)?;
    Ok((entry, proof))
}
