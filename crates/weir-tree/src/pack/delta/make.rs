//! Making a delta of two packs.

use std::io::{self, Read, Write};
use std::ops::Range;

use zstd::zstd_safe::CParameter;

use super::change::{Change, Similar};
use super::parts::{DeltaParts, Part, Sieve};
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

/// Writes the delta between two trees, which are read from their packs; `parts` were [found](DeltaParts::between) in the same. Nothing is written, and nothing
/// given, where the trees have larger manifests, or differ by more, than a delta is made of.
///
/// # Errors
///
/// When a pack is damaged, or the writer fails. What was written up to there is of no use.
pub fn write_delta<A: Read, B: Read, W: Write>(
    from: &mut PackFiles<A>,
    to: &mut PackFiles<B>,
    parts: DeltaParts,
    writer: W,
) -> Result<Option<DeltaSummary>, TreeError> {
    let Some(change) = Change::between(from.manifest(), to.manifest(), parts) else { return Ok(None) };
    let mut counted = Counted::new(writer);
    let head = header(&from.manifest().digest(), &to.manifest().digest());
    counted.write_all(head.as_bytes()).map_err(written)?;

    let (old, manifest, parts) = (from.manifest().to_text(), to.manifest().to_text(), change.parts.to_text());
    let bytes = [&manifest, &parts].map(|text| 8 + text.len() as u64).iter().sum();
    let mut frame = encoder(counted, old.as_bytes(), bytes).map_err(written)?;
    for text in [manifest, parts] {
        frame.write_all(&(text.len() as u64).to_le_bytes()).map_err(written)?;
        frame.write_all(text.as_bytes()).map_err(written)?;
    }
    let counted = frame.finish().map_err(written)?;

    let copied = to.manifest().unpacked_size() - change.new_bytes;
    let prefix = prefix(from, &change)?;
    let mut frame = encoder(counted, &prefix, change.new_bytes).map_err(written)?;
    for number in change.new {
        let mut write = |piece: &[u8]| frame.write_all(piece).map_err(written);
        match change.parts.of(number) {
            None => to.content_at(number, write)?,
            Some(parts) => {
                let travels = new_ranges(parts);
                let mut sieve = Sieve::new(&travels);
                to.content_at(number, |piece| sieve.pass(piece, &mut write))?;
            }
        }
    }
    let mut counted = frame.finish().map_err(written)?;
    counted.flush().map_err(written)?;
    Ok(Some(DeltaSummary { bytes: counted.bytes(), copied }))
}

/// Where in a file those of its parts are that travel.
fn new_ranges(parts: &[Part]) -> Vec<Range<u64>> {
    let (mut ranges, mut at) = (Vec::new(), 0);
    for part in parts {
        match part {
            Part::Old(span) => at += span.length,
            Part::New { length } => {
                ranges.push(at..at + length);
                at += length;
            }
        }
    }
    ranges
}

/// What a change is compressed with, read from the pack of the old tree.
fn prefix<P: Read>(base: &mut PackFiles<P>, change: &Change) -> Result<Vec<u8>, TreeError> {
    let mut prefix = Vec::new();
    for Similar { entry, ranges } in &change.prefix {
        let mut sieve = Sieve::new(ranges);
        base.content_at(*entry, |piece| {
            sieve.pass(piece, |piece| {
                prefix.extend_from_slice(piece);
                Ok(())
            })
        })?;
    }
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
