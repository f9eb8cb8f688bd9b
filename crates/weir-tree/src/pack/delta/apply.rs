//! Applying: from a folder and a hostile stream to a folder that holds exactly one tree.

use std::io::Read;
use std::path::Path;

use super::base::Base;
use super::parts::{Span, Take, content_in_parts};
use super::{ExpectedDelta, Opened, open, window_log};
use crate::landing::{Access, Landing};
use crate::manifest::{Mode, TreeManifest};
use crate::pack::VerifiedTree;
use crate::pack::read::read_target;
use crate::pack::stream::PackStream;
use crate::pack::unpack::write_file;
use crate::{Limits, TreeError};

/// Makes the expected tree in the new folder `destination`, of the tree `base` in the folder `root` and a delta. What is true of
/// [`unpack`](super::super::unpack()) is true of it.
///
/// # Errors
///
/// When `destination` exists, when the delta is not the expected one in any respect or the folder does not hold the tree `base` any
/// more, when a limit is exceeded, or when the system refuses to write.
pub fn apply_delta<R: Read>(
    reader: R,
    root: &Path,
    base: &TreeManifest,
    expected: &ExpectedDelta,
    limits: &Limits,
    destination: &Path,
) -> Result<VerifiedTree, TreeError> {
    let opened = open(reader, base, expected, limits)?;
    let landing = Landing::create(destination, Access::ReadOnly)?;
    match fill(opened, root, base, expected, landing) {
        Ok(tree) => Ok(tree),
        Err(error) => {
            // What was wrong matters more than whether the half-made folder could be removed.
            let _ = fs_err::remove_dir_all(destination);
            Err(error)
        }
    }
}

fn fill<R: Read>(
    opened: Opened<R>,
    root: &Path,
    base: &TreeManifest,
    expected: &ExpectedDelta,
    mut landing: Landing,
) -> Result<VerifiedTree, TreeError> {
    let Opened { rest, manifest, change } = opened;
    let (mut base, prefix) = Base::read(root, base, &change)?;
    let mut stream = PackStream::behind(rest, &prefix, window_log(change.new_bytes), expected.most_bytes)?;
    let mut links = Vec::new();
    let mut new = change.new.iter().peekable();
    for (number, entry) in manifest.entries().iter().enumerate() {
        let is_new = new.next_if(|next| **next == number).is_some();
        match entry.mode {
            Mode::Link => links.push((entry, read_target(&mut stream, entry)?)),
            Mode::File | Mode::Executable if is_new => match change.parts.of(number) {
                Some(parts) => {
                    let mut file = landing.file(&entry.path, entry.mode)?;
                    let old = |span: &Span, take: &mut Take<'_>| base.read_span(span, take);
                    content_in_parts(&mut stream, entry, parts, old, |piece| file.write(piece))?;
                }
                None => write_file(&mut stream, entry, &mut landing)?,
            },
            Mode::File | Mode::Executable => {
                let mut file = landing.file(&entry.path, entry.mode)?;
                base.copy(entry, &prefix, &mut file)?;
            }
        }
    }
    let bytes = stream.finish()?;
    for (entry, target) in &links {
        landing.link(&entry.path, target)?;
    }
    drop(links);
    Ok(VerifiedTree::new(manifest, bytes))
}
