//! Cutting a large file where its content says, and the list that puts it together again.

use std::io::Read;

use fastcdc::v2020::StreamCDC;
use weir_model::{ChunkDigest, Digest, Sha256};

use super::error::ContentError;

/// Files of more bytes than this are cut.
pub const CHUNKED_ABOVE: u64 = 16 * 1024 * 1024;
/// No chunk but the last of a file is smaller.
pub const CHUNK_SMALLEST: u32 = 256 * 1024;
/// What a chunk has on average.
pub const CHUNK_AVERAGE: u32 = 1024 * 1024;
/// No chunk is larger.
pub const CHUNK_LARGEST: u32 = 4 * 1024 * 1024;

const HEADER: &str = "weir-chunks v1";
/// Bytes of a line: 64 digits, a space, at most 20 digits, the end of the line.
const LONGEST_LINE: u64 = 86;

/// A piece of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// Its name.
    pub digest: ChunkDigest,
    /// Where it begins in the file.
    pub offset: u64,
    /// How many bytes it has.
    pub size: u32,
}

/// The chunks of one file, in order and without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkList {
    sha256: Sha256,
    size: u64,
    chunks: Vec<Chunk>,
}

impl ChunkList {
    /// Puts a list together; `chunks` follow one another from offset 0 to `size`.
    pub(super) fn new(sha256: Sha256, size: u64, chunks: Vec<Chunk>) -> Self {
        Self { sha256, size, chunks }
    }

    /// The most bytes that the list of a file of `size` bytes has.
    pub fn longest(size: u64) -> u64 {
        (size / u64::from(CHUNK_SMALLEST) + 3) * LONGEST_LINE
    }

    /// Reads the list of the file `sha256`, which has `size` bytes, if that is known.
    ///
    /// # Errors
    ///
    /// When it is not such a list, is another file's, or has gaps, sizes or a number of chunks that no
    /// writer makes.
    pub fn parse(text: &[u8], sha256: &Sha256, size: Option<u64>) -> Result<Self, ContentError> {
        let bad = |reason: &str| ContentError::BadList { file: *sha256, reason: reason.to_owned() };
        let text = str::from_utf8(text).map_err(|_| bad("it is not text"))?;
        let text = text.strip_suffix('\n').ok_or_else(|| bad("it is cut off"))?;
        let mut lines = text.split('\n');
        let header = lines.next().unwrap_or_default();
        if header != HEADER {
            let shown: String = header.chars().take(40).collect();
            return Err(bad(&format!("it starts with `{shown}`, and this program reads `{HEADER}`")));
        }
        let malformed = || bad("a line is not a digest and a size");
        let (of, total) = entry(lines.next().unwrap_or_default()).ok_or_else(malformed)?;
        if of != sha256.to_hex() {
            return Err(bad("it is the list of another file"));
        }
        if let Some(size) = size.filter(|size| *size != total) {
            return Err(ContentError::BadSize { sha256: *sha256, expected: size, actual: total });
        }
        let mut chunks = Vec::new();
        let mut offset = 0_u64;
        for text in lines {
            let (digest, size) = entry(text).ok_or_else(malformed)?;
            let digest = ChunkDigest::from_hex(digest).map_err(|_| malformed())?;
            let size = u32::try_from(size).ok().filter(|size| (1..=CHUNK_LARGEST).contains(size));
            let size = size.ok_or_else(|| bad("a chunk is empty or too large"))?;
            chunks.push(Chunk { digest, offset, size });
            offset += u64::from(size);
            if size < CHUNK_SMALLEST && offset < total {
                return Err(bad("a chunk is too small"));
            }
        }
        if offset != total {
            return Err(bad("its chunks do not add up to the file"));
        }
        Ok(Self { sha256: *sha256, size: total, chunks })
    }

    /// The list as it is stored.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\n{} {}\n", self.sha256.to_hex(), self.size);
        for chunk in &self.chunks {
            text.push_str(&format!("{} {}\n", chunk.digest.to_hex(), chunk.size));
        }
        text
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its chunks, in order.
    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }
}

/// The hex digits of a digest, and a size.
fn entry(line: &str) -> Option<(&str, u64)> {
    let (digest, size) = line.split_once(' ')?;
    let plain = size.bytes().all(|byte| byte.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
    Some((digest, size.parse().ok().filter(|_| plain)?))
}

/// Cuts what `from` brings, and hands each chunk with its bytes to `take`.
pub(super) fn cut<E: From<std::io::Error>>(
    from: impl Read,
    mut take: impl FnMut(Chunk, Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let cutter =
        StreamCDC::new(from, CHUNK_SMALLEST as usize, CHUNK_AVERAGE as usize, CHUNK_LARGEST as usize);
    for piece in cutter {
        let piece = piece.map_err(std::io::Error::from)?;
        // A piece is at most `CHUNK_LARGEST` long.
        let chunk =
            Chunk { digest: Digest::of(&piece.data), offset: piece.offset, size: piece.data.len() as u32 };
        take(chunk, piece.data)?;
    }
    Ok(())
}
