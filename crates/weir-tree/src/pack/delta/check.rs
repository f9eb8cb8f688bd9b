//! Checking a delta without applying it, by whoever keeps both packs.

use std::io::Read;

use super::{ExpectedDelta, Opened, open, window_log};
use crate::manifest::Mode;
use crate::pack::PackFiles;
use crate::pack::read::read_target;
use crate::pack::stream::PackStream;
use crate::{Limits, TreeError};

/// Reads a whole delta and checks that, applied to the tree in the pack `base`, it gives the expected one. Gives its bytes. Nothing is written.
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
    let prefix = super::make::prefix(base, &change)?;
    let mut stream = PackStream::behind(rest, &prefix, window_log(change.new_bytes), expected.most_bytes)?;
    for number in change.new {
        let entry = &manifest.entries()[number];
        match entry.mode {
            Mode::Link => drop(read_target(&mut stream, entry)?),
            Mode::File | Mode::Executable => stream.content(entry, |_| Ok(()))?,
        }
    }
    stream.finish()
}
