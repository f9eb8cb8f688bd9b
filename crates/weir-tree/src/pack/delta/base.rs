//! The tree that is here already: what a delta is compressed with, and where what did not change is copied from.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags, open, openat};
use rustix::io::Errno;
use weir_model::{EntryDigest, Hasher};

use super::change::{Change, Similar, is_file};
use super::parts::{Span, Take};
use crate::TreeError;
use crate::landing::NewFile;
use crate::manifest::{Entry, TreeManifest};
use crate::pack::stream::check_digest;
use crate::parallel::READ_BYTES;

/// The contents of the old tree, by their digests. Not trusted: what is copied is hashed.
pub(super) struct Base<'t> {
    root: &'t Path,
    folder: OwnedFd,
    manifest: &'t TreeManifest,
    /// The file that has it.
    files: HashMap<EntryDigest, usize>,
    /// Where in the prefix it is, if it is.
    places: HashMap<EntryDigest, std::ops::Range<usize>>,
    buffer: Vec<u8>,
}

impl<'t> Base<'t> {
    /// The tree `manifest` in the folder `root`, with the prefix of a change.
    pub(super) fn read(
        root: &'t Path,
        manifest: &'t TreeManifest,
        change: &Change,
    ) -> Result<(Self, Vec<u8>), TreeError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = open(root, flags, Mode::empty()).map_err(|source| TreeError::io(root, source))?;
        let entries = manifest.entries();
        let files = (0..entries.len()).filter(|number| is_file(&entries[*number]));
        let mut base = Self {
            root,
            folder,
            manifest,
            files: files.map(|number| (entries[number].digest, number)).collect(),
            places: HashMap::with_capacity(change.prefix.len()),
            buffer: vec![0; READ_BYTES],
        };
        let mut prefix = Vec::with_capacity(usize::try_from(change.prefix_bytes).unwrap_or_default());
        for Similar { entry, ranges } in &change.prefix {
            let start = prefix.len();
            for range in ranges {
                let length = range.end - range.start;
                base.read_span(&Span { entry: *entry, offset: range.start, length }, &mut |piece| {
                    prefix.extend_from_slice(piece);
                    Ok(())
                })?;
            }
            if (prefix.len() - start) as u64 == entries[*entry].size {
                base.places.insert(entries[*entry].digest, start..prefix.len());
            }
        }
        Ok((base, prefix))
    }

    /// Writes the content of `entry`, which the old tree has as well, to `file`.
    pub(super) fn copy(
        &mut self,
        entry: &Entry,
        prefix: &[u8],
        file: &mut NewFile<'_>,
    ) -> Result<(), TreeError> {
        if let Some(content) = self.places.get(&entry.digest).and_then(|place| prefix.get(place.clone())) {
            check_digest(entry, weir_model::Digest::of(content))?;
            return file.write(content);
        }
        let missing = TreeError::NotThatDelta { reason: "it leaves out a file that is not here" };
        let number = *self.files.get(&entry.digest).ok_or(missing)?;
        let mut hasher = Hasher::new();
        let whole = Span { entry: number, offset: 0, length: entry.size };
        self.read_span(&whole, &mut |piece| {
            hasher.update(piece);
            file.write(piece)
        })?;
        check_digest(entry, hasher.finish())
    }

    /// Gives some bytes of a file to `take`.
    pub(super) fn read_span(&mut self, span: &Span, take: &mut Take<'_>) -> Result<(), TreeError> {
        let entry = &self.manifest.entries()[span.entry];
        let failed = |source| TreeError::io(self.root.join(&entry.path), source);
        // Whether it is still the file that it was is seen by its digest, and needs no looking at the file.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&self.folder, entry.path.as_str(), flags, Mode::empty()).map_err(failed)?;
        let (mut at, end) = (span.offset, span.offset + span.length);
        while at < end {
            let most = usize::try_from(end - at).unwrap_or(usize::MAX).min(self.buffer.len());
            match rustix::io::pread(&file, &mut self.buffer[..most], at) {
                Ok(0) => return Err(TreeError::ChangedWhileRead { path: self.root.join(&entry.path) }),
                Ok(read) => {
                    take(&self.buffer[..read])?;
                    at += read as u64;
                }
                Err(Errno::INTR) => {}
                Err(source) => return Err(failed(source)),
            }
        }
        Ok(())
    }
}
