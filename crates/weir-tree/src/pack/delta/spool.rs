//! What a delta needs of the old tree where that is in a pack, which is read once and in order.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Write as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use super::change::Change;
use super::parts::{Sieve, Span, Take};
use crate::TreeError;
use crate::pack::PackFiles;
use crate::parallel::READ_BYTES;

/// Files of the old tree, one behind the other, in a file without a name.
pub(super) struct Spool {
    file: Option<File>,
    /// Where each of them begins, by the number of its entry.
    places: BTreeMap<usize, u64>,
    buffer: Vec<u8>,
}

impl Spool {
    /// Keeps the files with the numbers `also`, and those of which the change takes parts. Gives the prefix of the change as well.
    pub(super) fn read<P: Read>(
        base: &mut PackFiles<P>,
        change: &Change,
        also: BTreeSet<usize>,
    ) -> Result<(Self, Vec<u8>), TreeError> {
        let kept: BTreeSet<usize> = change.parts.taken_from().into_iter().chain(also).collect();
        let mut wanted: BTreeMap<usize, &[Range<u64>]> =
            change.prefix.iter().map(|similar| (similar.entry, &*similar.ranges)).collect();
        for entry in &kept {
            wanted.entry(*entry).or_default();
        }
        let mut file = if kept.is_empty() { None } else { Some(tempfile::tempfile().map_err(spooled)?) };
        let (mut places, mut prefix, mut at) = (BTreeMap::new(), Vec::new(), 0);
        for (entry, ranges) in wanted {
            let mut keeping = file.as_mut().filter(|_| kept.contains(&entry));
            if keeping.is_some() {
                places.insert(entry, at);
                at += base.manifest().entries()[entry].size;
            }
            let mut sieve = Sieve::new(ranges);
            base.content_at(entry, |piece| {
                if let Some(file) = &mut keeping {
                    file.write_all(piece).map_err(spooled)?;
                }
                sieve.pass(piece, |piece| {
                    prefix.extend_from_slice(piece);
                    Ok(())
                })
            })?;
        }
        Ok((Self { file, places, buffer: vec![0; READ_BYTES] }, prefix))
    }

    /// Gives some bytes of a file that is kept to `take`.
    pub(super) fn read_span(&mut self, span: &Span, take: &mut Take<'_>) -> Result<(), TreeError> {
        let missing = TreeError::NotThatDelta { reason: "it takes a part of a file that is not there" };
        let (Some(file), Some(place)) = (&self.file, self.places.get(&span.entry)) else {
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
