//! What is compressed, and how, by its first bytes.

use std::io::{self, Read};

/// How something is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// How many bytes [`Self::of`] looks at.
    pub(super) const MAGIC: usize = 4;

    /// How something is compressed that begins so.
    pub(super) fn of(magic: &[u8]) -> Self {
        match magic {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// What was compressed, whether and however it is.
pub(super) fn plain<'a>(mut stream: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut magic = Vec::new();
    stream.by_ref().take(Compression::MAGIC as u64).read_to_end(&mut magic)?;
    let how = Compression::of(&magic);
    let stream = io::Cursor::new(magic).chain(stream);
    Ok(match how {
        Compression::None => Box::new(stream),
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(stream)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(stream)?),
    })
}
