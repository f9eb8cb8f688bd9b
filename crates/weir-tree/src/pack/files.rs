//! Reading single files out of a pack.

use std::io::Read;

use super::Expected;
use super::read::open;
use super::stream::PackStream;
use crate::manifest::{Mode, TreeManifest};
use crate::{Limits, TreeError};

/// A pack that is read file by file, in the order of its tree. What is passed over is not checked, and nothing behind the
/// last file that is asked for is read.
pub struct PackFiles<R: Read> {
    stream: PackStream<'static, R>,
    manifest: TreeManifest,
    /// The entry whose content comes next.
    next: usize,
}

impl<R: Read> PackFiles<R> {
    /// Reads the beginning of a pack: its manifest, which must be the expected one.
    ///
    /// # Errors
    ///
    /// When the pack is not one, or of another tree, or exceeds a limit.
    pub fn open(reader: R, expected: &Expected, limits: &Limits) -> Result<Self, TreeError> {
        let (stream, manifest) = open(reader, expected, limits)?;
        Ok(Self { stream, manifest, next: 0 })
    }

    /// What is in the tree.
    pub fn manifest(&self) -> &TreeManifest {
        &self.manifest
    }

    /// Whether the content of `path` was passed over: to have it, the pack must be read from its beginning again.
    pub fn is_behind(&self, path: &str) -> bool {
        self.position(path).is_some_and(|position| position < self.next)
    }

    /// Gives the content of the file `path` to `take`, piece by piece, and checks its digest at the end. Gives `false` where
    /// no file of that path is still to come; nothing is read then.
    ///
    /// # Errors
    ///
    /// When the pack is damaged, or `take` fails.
    pub fn content(
        &mut self,
        path: &str,
        take: impl FnMut(&[u8]) -> Result<(), TreeError>,
    ) -> Result<bool, TreeError> {
        let Some(wanted) = self.position(path).filter(|position| *position >= self.next) else {
            return Ok(false);
        };
        self.content_at(wanted, take)?;
        Ok(true)
    }

    /// Gives the content of the entry with this number, which is not behind, to `take`, and checks its digest.
    pub(super) fn content_at(
        &mut self,
        wanted: usize,
        take: impl FnMut(&[u8]) -> Result<(), TreeError>,
    ) -> Result<(), TreeError> {
        self.pass_to(wanted)?;
        self.stream.content(&self.manifest.entries()[wanted], take)
    }

    /// Passes over what comes before the entry `wanted`, which is not behind.
    fn pass_to(&mut self, wanted: usize) -> Result<(), TreeError> {
        for entry in &self.manifest.entries()[self.next..wanted] {
            self.stream.skip(entry.size)?;
        }
        self.next = wanted + 1;
        Ok(())
    }

    /// Where the file `path` is among the entries.
    fn position(&self, path: &str) -> Option<usize> {
        let entries = self.manifest.entries();
        let found = entries.binary_search_by(|entry| entry.path.as_str().cmp(path)).ok()?;
        (entries[found].mode != Mode::Link).then_some(found)
    }
}
