//! The decompressed bytes of a pack, metered: how many come in, and no more of them out than are asked for.

use std::io::{self, BufRead as _, BufReader, Read};

use weir_model::Hasher;

use super::WINDOW_LOG;
use crate::error::bounded;
use crate::manifest::{Entry, TreeManifest};
use crate::{Limits, TreeError};

/// How much is decompressed at once at most. A file up to this size is seen in one piece.
const BUFFER_BYTES: usize = 256 << 10;

/// How much is at first: most packs are small, and clearing more room than they need takes longer than they do.
const FIRST_BYTES: usize = 16 << 10;

/// Where the bytes of a pack come from.
pub(super) type PackSource<R> = BufReader<Metered<R>>;

/// A pack that is being read, or one of the frames of a delta, which was compressed with what is borrowed here as its prefix.
pub(super) struct PackStream<'p, R: Read> {
    decoder: zstd::Decoder<'p, PackSource<R>>,
    buffer: Vec<u8>,
    /// What of the buffer was decompressed and not yet taken.
    filled: std::ops::Range<usize>,
    /// The size that the pack must have, if it is known.
    expected: Option<u64>,
    limit: u64,
    /// `pack` or `delta`: whoever is told of what is wrong with it wants to know which.
    what: &'static str,
}

/// Counts what is read, stops one byte behind the limit, and remembers what the source complained of.
pub(super) struct Metered<R> {
    inner: R,
    count: u64,
    limit: u64,
    failed: Option<io::Error>,
}

/// Bytes that come from `reader`, at most `limit` of them.
pub(super) fn metered<R: Read>(reader: R, limit: u64) -> PackSource<R> {
    BufReader::with_capacity(64 << 10, Metered { inner: reader, count: 0, limit, failed: None })
}

impl<R: Read> PackStream<'static, R> {
    pub(super) fn new(reader: R, expected: Option<u64>, limits: &Limits) -> Result<Self, TreeError> {
        if let Some(expected) = expected {
            bounded("bytes of pack", expected, limits.pack_bytes)?;
        }
        let limit = expected.unwrap_or(limits.pack_bytes);
        let decoder =
            zstd::Decoder::with_buffer(metered(reader, limit)).map_err(|error| no_memory(&error))?;
        Self::of(decoder, WINDOW_LOG, expected, limit, "pack")
    }
}

impl<'p, R: Read> PackStream<'p, R> {
    /// One frame of what comes from `source`, compressed with `prefix` before it. It is refused if it wants a larger window than
    /// 2 to the power of `window_log`.
    pub(super) fn behind(
        source: PackSource<R>,
        prefix: &'p [u8],
        window_log: u32,
        limit: u64,
    ) -> Result<Self, TreeError> {
        let decoder = zstd::Decoder::with_ref_prefix(source, prefix).map_err(|error| no_memory(&error))?;
        Self::of(decoder, window_log, None, limit, "delta")
    }

    fn of(
        decoder: zstd::Decoder<'p, PackSource<R>>,
        window_log: u32,
        expected: Option<u64>,
        limit: u64,
        what: &'static str,
    ) -> Result<Self, TreeError> {
        let mut decoder = decoder.single_frame();
        decoder.window_log_max(window_log).map_err(|error| no_memory(&error))?;
        Ok(Self { decoder, buffer: vec![0; FIRST_BYTES], filled: 0..0, expected, limit, what })
    }

    /// Reads the manifest, which a pack begins with.
    pub(super) fn manifest(&mut self, limits: &Limits) -> Result<TreeManifest, TreeError> {
        let manifest = TreeManifest::parse(&self.text("bytes of manifest", limits.manifest_bytes)?)?;
        bounded("files", manifest.files(), limits.files)?;
        bounded("bytes of files", manifest.unpacked_size(), limits.unpacked_bytes)?;
        Ok(manifest)
    }

    /// Reads a text behind its length (u64, little-endian), of at most `limit` bytes.
    pub(super) fn text(&mut self, what: &'static str, limit: u64) -> Result<Vec<u8>, TreeError> {
        let length = self.whole(8)?;
        let length = u64::from_le_bytes(length.try_into().expect("eight bytes were asked for"));
        bounded(what, length, limit)?;
        // Grows as bytes arrive: a length alone reserves nothing.
        let mut text = Vec::new();
        self.next(length, |piece| {
            text.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(text)
    }

    /// The next `length` bytes in one piece; `length` is at most [`BUFFER_BYTES`].
    pub(super) fn whole(&mut self, length: usize) -> Result<&[u8], TreeError> {
        debug_assert!(length <= BUFFER_BYTES);
        if self.buffer.len() < length {
            self.buffer.resize(BUFFER_BYTES, 0);
        }
        if self.buffer.len() - self.filled.start < length {
            self.buffer.copy_within(self.filled.clone(), 0);
            self.filled = 0..self.filled.len();
        }
        while self.filled.len() < length {
            self.fill()?;
        }
        let start = self.filled.start;
        self.filled.start += length;
        Ok(&self.buffer[start..start + length])
    }

    /// The next bytes: at least one, at most `most`.
    pub(super) fn piece(&mut self, most: u64) -> Result<&[u8], TreeError> {
        if self.filled.is_empty() {
            self.filled = 0..0;
            self.fill()?;
        }
        let length = usize::try_from(most).unwrap_or(usize::MAX).min(self.filled.len());
        let start = self.filled.start;
        self.filled.start += length;
        Ok(&self.buffer[start..start + length])
    }

    /// Gives the content of `entry` to `take`, piece by piece, and checks its digest at the end.
    pub(super) fn content(
        &mut self,
        entry: &Entry,
        mut take: impl FnMut(&[u8]) -> Result<(), TreeError>,
    ) -> Result<(), TreeError> {
        let mut hasher = Hasher::new();
        self.next(entry.size, |piece| {
            hasher.update(piece);
            take(piece)
        })?;
        check_digest(entry, hasher.finish())
    }

    /// Gives the next `length` bytes to `take`.
    pub(super) fn next(
        &mut self,
        length: u64,
        mut take: impl FnMut(&[u8]) -> Result<(), TreeError>,
    ) -> Result<(), TreeError> {
        let mut left = length;
        while left > 0 {
            let piece = self.piece(left)?;
            left -= piece.len() as u64;
            take(piece)?;
        }
        Ok(())
    }

    /// Passes over the next `length` bytes.
    pub(super) fn skip(&mut self, length: u64) -> Result<(), TreeError> {
        self.next(length, |_| Ok(()))
    }

    /// The whole content of `entry` as one checked piece, if it is small enough for that.
    pub(super) fn small(&mut self, entry: &Entry) -> Result<Option<&[u8]>, TreeError> {
        let Some(size) = usize::try_from(entry.size).ok().filter(|size| *size <= BUFFER_BYTES / 2) else {
            return Ok(None);
        };
        let content = self.whole(size)?;
        check_digest(entry, weir_model::Digest::of(content))?;
        Ok(Some(content))
    }

    /// Makes sure that the frame ends here. Gives what comes behind it.
    pub(super) fn end(mut self) -> Result<PackSource<R>, TreeError> {
        self.expect_end()?;
        Ok(self.decoder.finish())
    }

    fn expect_end(&mut self) -> Result<(), TreeError> {
        if !self.filled.is_empty() {
            return Err(TreeError::TrailingBytes);
        }
        // The frame's end may still be unread.
        match self.decoder.read(&mut self.buffer) {
            Ok(0) => Ok(()),
            Ok(_) => Err(TreeError::TrailingBytes),
            Err(error) => Err(self.fault(&error)),
        }
    }

    /// Makes sure that the pack ends here, and has the size it should have. Gives that size.
    pub(super) fn finish(mut self) -> Result<u64, TreeError> {
        self.expect_end()?;
        match self.decoder.get_mut().fill_buf() {
            Ok([]) => {}
            Ok(_) => return Err(self.too_long()),
            Err(error) => return Err(self.fault(&error)),
        }
        let got = self.decoder.get_ref().get_ref().count;
        match self.expected {
            Some(expected) if expected != got => Err(TreeError::WrongSize { expected, got }),
            _ if got > self.limit => Err(self.too_long()),
            _ => Ok(got),
        }
    }

    fn fill(&mut self) -> Result<(), TreeError> {
        let room = self.buffer.len() - self.filled.end;
        match self.decoder.read(&mut self.buffer[self.filled.end..]) {
            Ok(0) => Err(self.truncated()),
            Ok(read) => {
                self.filled.end += read;
                if read == room {
                    self.buffer.resize((2 * self.buffer.len()).min(BUFFER_BYTES), 0);
                }
                Ok(())
            }
            Err(error) => Err(self.fault(&error)),
        }
    }

    /// What an error of the decompressor means: the source failed, ended, went on too long, or is damaged.
    fn fault(&mut self, error: &io::Error) -> TreeError {
        let metered = self.decoder.get_mut().get_mut();
        if let Some(source) = metered.failed.take() {
            return TreeError::PackRead { source };
        }
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return self.truncated();
        }
        TreeError::Damaged { what: self.what, reason: format!("it cannot be decompressed: {error}") }
    }

    fn truncated(&self) -> TreeError {
        let got = self.decoder.get_ref().get_ref().count;
        match self.expected {
            _ if got > self.limit => self.too_long(),
            Some(expected) if expected != got => TreeError::WrongSize { expected, got },
            _ => TreeError::Truncated { what: self.what, bytes: got },
        }
    }

    fn too_long(&self) -> TreeError {
        let got = self.decoder.get_ref().get_ref().count;
        match self.expected {
            Some(expected) if got != expected => TreeError::WrongSize { expected, got },
            _ if got > self.limit => {
                let what = if self.what == "delta" { "bytes of delta" } else { "bytes of pack" };
                TreeError::TooLarge { what, got, limit: self.limit }
            }
            _ => TreeError::TrailingBytes,
        }
    }
}

fn no_memory(source: &io::Error) -> TreeError {
    TreeError::Damaged { what: "pack", reason: format!("it cannot be decompressed: {source}") }
}

pub(super) fn check_digest(entry: &Entry, got: weir_model::EntryDigest) -> Result<(), TreeError> {
    if got == entry.digest {
        return Ok(());
    }
    Err(TreeError::WrongContent { path: entry.path.to_string(), expected: entry.digest, got })
}

impl<R> Metered<R> {
    /// What the source complained of, if it did.
    pub(super) fn failed(&mut self) -> Option<io::Error> {
        self.failed.take()
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.limit.saturating_add(1).saturating_sub(self.count);
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        match self.inner.read(&mut buffer[..most]) {
            Ok(read) => {
                self.count += read as u64;
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let kind = error.kind();
                self.failed = Some(error);
                Err(kind.into())
            }
        }
    }
}
