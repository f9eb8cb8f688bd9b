//! Checking a delta without applying it, by whoever keeps both packs.

use std::collections::BTreeSet;
use std::io::Read;

use super::parts::{Span, Take, content_in_parts};
use super::spool::Spool;
use super::{ExpectedDelta, Opened, open, window_log};
use crate::manifest::Mode;
use crate::pack::PackFiles;
use crate::pack::read::read_target;
use crate::pack::stream::PackStream;
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
    let (mut old, prefix) = Spool::read(base, &change, BTreeSet::new())?;
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
