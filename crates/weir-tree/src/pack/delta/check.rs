//! Checking a delta without applying it, by whoever keeps both packs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write as _};
use std::os::unix::fs::FileExt as _;

use super::change::Change;
use super::parts::{Sieve, Span, Take, content_in_parts};
use super::{ExpectedDelta, Opened, open, window_log};
use crate::manifest::Mode;
use crate::pack::PackFiles;
use crate::pack::read::read_target;
use crate::pack::stream::PackStream;
use crate::parallel::READ_BYTES;
use crate::{Limits, TreeError};

/// Reads a whole delta and checks that, applied to the tree in the pack `base`, it gives the expected one. Gives its bytes. Nothing is written but, where parts
/// of large files are taken, those files to one that has no name.
///
/// # Errors
///
/// When it does not, or the pack is not what it says.
pub fn check_delta<R: Read, P: Read>(
    reader: R,
    base: &mut PackFiles<P>,
    expected: &ExpectedDelta,
    limits: &Limits,
) -> Result<u64, TreeError> {
    let Opened { rest, manifest, change } = open(reader, base.manifest(), expected, limits)?;
    let mut old = Old::read(base, &change)?;
    let prefix = std::mem::take(&mut old.prefix);
    let mut stream = PackStream::behind(rest, &prefix, window_log(change.new_bytes), expected.most_bytes)?;
    for number in change.new {
        let entry = &manifest.entries()[number];
        match (entry.mode, change.parts.of(number)) {
            (Mode::Link, _) => drop(read_target(&mut stream, entry)?),
            (_, None) => stream.content(entry, |_| Ok(()))?,
            (_, Some(parts)) => {
                let span = |span: &Span, take: &mut Take<'_>| old.read_span(span, take);
                content_in_parts(&mut stream, entry, parts, span, |_| Ok(()))?;
            }
        }
    }
    stream.finish()
}

/// What a delta needs of the old tree, read from its pack once.
struct Old {
    prefix: Vec<u8>,
    /// The large files of which parts are taken, one behind the other, in a file that nobody else sees.
    large: Option<File>,
    /// Where each of them begins, by the number of its entry.
    places: BTreeMap<usize, u64>,
    buffer: Vec<u8>,
}

impl Old {
    fn read<P: Read>(base: &mut PackFiles<P>, change: &Change) -> Result<Self, TreeError> {
        let mut wanted: BTreeMap<usize, &[std::ops::Range<u64>]> =
            change.prefix.iter().map(|similar| (similar.entry, &*similar.ranges)).collect();
        let taken_from = change.parts.taken_from();
        for entry in &taken_from {
            wanted.entry(*entry).or_default();
        }
        let large = if taken_from.is_empty() { None } else { Some(tempfile::tempfile().map_err(spooled)?) };
        let mut old =
            Self { prefix: Vec::new(), large, places: BTreeMap::new(), buffer: vec![0; READ_BYTES] };
        let mut at = 0;
        for (entry, ranges) in wanted {
            let mut spool = old.large.as_mut().filter(|_| taken_from.contains(&entry));
            if spool.is_some() {
                old.places.insert(entry, at);
                at += base.manifest().entries()[entry].size;
            }
            let mut sieve = Sieve::new(ranges);
            base.content_at(entry, |piece| {
                if let Some(file) = &mut spool {
                    file.write_all(piece).map_err(spooled)?;
                }
                sieve.pass(piece, |piece| {
                    old.prefix.extend_from_slice(piece);
                    Ok(())
                })
            })?;
        }
        Ok(old)
    }

    fn read_span(&mut self, span: &Span, take: &mut Take<'_>) -> Result<(), TreeError> {
        let missing = TreeError::NotThatDelta { reason: "it takes a part of a file that is not there" };
        let (Some(file), Some(place)) = (&self.large, self.places.get(&span.entry)) else {
            return Err(missing);
        };
        let (mut at, end) = (place + span.offset, place + span.offset + span.length);
        while at < end {
            let most = usize::try_from(end - at).unwrap_or(usize::MAX).min(self.buffer.len());
            file.read_exact_at(&mut self.buffer[..most], at).map_err(spooled)?;
            take(&self.buffer[..most])?;
            at += most as u64;
        }
        Ok(())
    }
}

fn spooled(source: std::io::Error) -> TreeError {
    TreeError::io(std::env::temp_dir(), source)
}
