//! Making the pack of the new tree again, of the pack of the old one and a delta.

use std::collections::HashMap;
use std::io::{Read, Write};

use weir_model::EntryDigest;

use super::change::is_file;
use super::parts::{Span, Take, content_in_parts};
use super::spool::Spool;
use super::{ExpectedDelta, Opened, open, window_log};
use crate::manifest::{Entry, TreeManifest};
use crate::pack::stream::PackStream;
use crate::pack::write::{PackEncoder, begin, finish, written};
use crate::pack::{PackFiles, PackSummary};
use crate::{Limits, TreeError};

/// Writes the pack of the expected tree, compressed at `level` (zstd's, from 1 to 22), of the pack `base` and a delta. One version of zstd makes the same
/// bytes of them as [`write_pack`](super::super::write_pack) does of the tree.
///
/// # Errors
///
/// When the delta is not the expected one, the pack is not what it says, or the writer fails. What was written up to there is of no use.
pub fn remake_pack<R: Read, P: Read, W: Write>(
    reader: R,
    base: &mut PackFiles<P>,
    expected: &ExpectedDelta,
    limits: &Limits,
    writer: W,
    level: i32,
) -> Result<PackSummary, TreeError> {
    let Opened { rest, manifest, change } = open(reader, base.manifest(), expected, limits)?;
    let known = numbers(base.manifest());
    let copied = manifest.entries().iter().filter(|entry| is_file(entry));
    let copied = copied.filter_map(|entry| known.get(&entry.digest).copied()).collect();
    let (mut old, prefix) = Spool::read(base, &change, copied)?;
    let mut stream = PackStream::behind(rest, &prefix, window_log(change.new_bytes), expected.most_bytes)?;
    let mut pack = begin(writer, &manifest, level)?;
    let mut new = change.new.iter().peekable();
    for (number, entry) in manifest.entries().iter().enumerate() {
        let is_new = new.next_if(|next| **next == number).is_some();
        let take = |piece: &[u8]| pack.write_all(piece).map_err(written);
        match change.parts.of(number) {
            Some(parts) => {
                let span = |span: &Span, take: &mut Take<'_>| old.read_span(span, take);
                content_in_parts(&mut stream, entry, parts, span, take)?;
            }
            None if is_new => stream.content(entry, take)?,
            None => copy(&mut old, &known, entry, &mut pack)?,
        }
    }
    stream.finish()?;
    finish(pack, &manifest)
}

/// What the old tree has, by its digest: the first entry of it.
fn numbers(tree: &TreeManifest) -> HashMap<EntryDigest, usize> {
    let files = tree.entries().iter().enumerate().filter(|(_, entry)| is_file(entry)).rev();
    files.map(|(number, entry)| (entry.digest, number)).collect()
}

/// Copies the content of `entry`, which was checked when it was read from the old tree's pack.
fn copy<W: Write>(
    old: &mut Spool,
    known: &HashMap<EntryDigest, usize>,
    entry: &Entry,
    pack: &mut PackEncoder<W>,
) -> Result<(), TreeError> {
    let missing = TreeError::NotThatDelta { reason: "it leaves out a file that is not here" };
    let whole = Span { entry: *known.get(&entry.digest).ok_or(missing)?, offset: 0, length: entry.size };
    old.read_span(&whole, &mut |piece| pack.write_all(piece).map_err(written))
}
