//! Making a delta of two packs.

use std::io::{self, Read, Write};

use zstd::zstd_safe::CParameter;

use super::change::Change;
use super::{header, window_log};
use crate::TreeError;
use crate::pack::PackFiles;
use crate::pack::write::{Counted, written};

/// Up to so many bytes, prefix and contents together, as much is tried as zstd can; beyond, matches far away are looked for in another way,
/// which takes a few seconds where that would take minutes.
const THOROUGH_BYTES: u64 = 24 << 20;
/// zstd's level for those.
const THOROUGH: i32 = 19;
/// And for the others.
const QUICK: i32 = 12;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeltaSummary {
    /// How many bytes the delta has.
    pub bytes: u64,
    /// How many bytes of files the new tree takes from the old one as they are.
    pub copied: u64,
}

/// Writes the delta between two trees, which are read from their packs. Nothing is written, and nothing given, where they are larger, or differ by
/// more, than a delta is made of.
///
/// # Errors
///
/// When a pack is damaged, or the writer fails. What was written up to there is of no use.
pub fn write_delta<A: Read, B: Read, W: Write>(
    from: &mut PackFiles<A>,
    to: &mut PackFiles<B>,
    writer: W,
) -> Result<Option<DeltaSummary>, TreeError> {
    let Some(change) = Change::between(from.manifest(), to.manifest()) else { return Ok(None) };
    let mut counted = Counted::new(writer);
    let head = header(&from.manifest().digest(), &to.manifest().digest());
    counted.write_all(head.as_bytes()).map_err(written)?;

    let (old, text) = (from.manifest().to_text(), to.manifest().to_text());
    let mut frame = encoder(counted, old.as_bytes(), 8 + text.len() as u64).map_err(written)?;
    frame.write_all(&(text.len() as u64).to_le_bytes()).map_err(written)?;
    frame.write_all(text.as_bytes()).map_err(written)?;
    let counted = frame.finish().map_err(written)?;

    let copied = to.manifest().unpacked_size() - change.new_bytes;
    let prefix = prefix(from, &change)?;
    let mut frame = encoder(counted, &prefix, change.new_bytes).map_err(written)?;
    to.contents(change.new, |piece| frame.write_all(piece).map_err(written))?;
    let mut counted = frame.finish().map_err(written)?;
    counted.flush().map_err(written)?;
    Ok(Some(DeltaSummary { bytes: counted.bytes(), copied }))
}

/// What a change is compressed with, read from the pack of the old tree.
pub(super) fn prefix<P: Read>(base: &mut PackFiles<P>, change: &Change) -> Result<Vec<u8>, TreeError> {
    let mut prefix = Vec::new();
    base.contents(change.prefix.iter().copied(), |piece| {
        prefix.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(prefix)
}

fn encoder<W: Write>(writer: W, prefix: &[u8], bytes: u64) -> io::Result<zstd::Encoder<'_, W>> {
    let all = prefix.len() as u64 + bytes;
    let is_small = all <= THOROUGH_BYTES;
    let mut encoder =
        zstd::Encoder::with_ref_prefix(writer, if is_small { THOROUGH } else { QUICK }, prefix)?;
    encoder.set_pledged_src_size(Some(bytes))?;
    encoder.include_checksum(false)?;
    // The prefix is reached as long as the window holds the contents; a window for both has zstd make its tables for both.
    let window = window_log(all);
    encoder.window_log(window)?;
    if is_small {
        encoder.set_parameter(CParameter::ChainLog(window + 1))?;
        encoder.set_parameter(CParameter::HashLog(window.min(22)))?;
    } else {
        encoder.long_distance_matching(true)?;
    }
    Ok(encoder)
}
