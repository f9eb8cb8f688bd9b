//! What sort of archive a file is, and taking its compression off.

use std::io::{BufReader, Read, Seek, SeekFrom};

use super::ImportError;

/// A sort of archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// tar, not compressed.
    Tar,
    /// tar in gzip: `.tar.gz`, `.tgz`, `.crate`.
    TarGzip,
    /// tar in xz.
    TarXz,
    /// tar in zstd.
    TarZstd,
    /// tar in bzip2.
    TarBzip2,
    /// zip: `.zip`, `.whl`.
    Zip,
}

/// The largest window of a zstd stream that somebody else made: 128 MiB, the most that zstd's own
/// program accepts unasked.
const FOREIGN_WINDOW_LOG: u32 = 27;

/// The most memory an xz stream may need. `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 128 << 20;

/// How many bytes the archive has, if no more than allowed.
pub(super) fn size(archive: &mut impl Seek, limit: u64) -> Result<u64, ImportError> {
    let got = archive.seek(SeekFrom::End(0)).map_err(ImportError::damaged)?;
    archive.rewind().map_err(ImportError::damaged)?;
    if got > limit {
        return Err(ImportError::TooLarge { what: "bytes of archive", got, limit });
    }
    Ok(got)
}

/// Tells the sort by what the archive begins with, or else by its name.
pub(super) fn detect(archive: &mut (impl Read + Seek), name: &str) -> Result<ArchiveFormat, ImportError> {
    let mut start = Vec::with_capacity(512);
    archive.by_ref().take(512).read_to_end(&mut start).map_err(ImportError::damaged)?;
    archive.rewind().map_err(ImportError::damaged)?;
    let unknown = || ImportError::UnknownFormat { name: name.to_owned() };
    by_content(&start).or_else(|| by_name(name)).ok_or_else(unknown)
}

fn by_content(start: &[u8]) -> Option<ArchiveFormat> {
    let magics: [(&[u8], ArchiveFormat); 6] = [
        (b"\x1f\x8b", ArchiveFormat::TarGzip),
        (b"\xfd7zXZ\0", ArchiveFormat::TarXz),
        (b"\x28\xb5\x2f\xfd", ArchiveFormat::TarZstd),
        (b"BZh", ArchiveFormat::TarBzip2),
        (b"PK\x03\x04", ArchiveFormat::Zip),
        (b"PK\x05\x06", ArchiveFormat::Zip),
    ];
    // A tar begins with a file's name, which may be anything, so its own mark comes first.
    if start.get(257..262) == Some(b"ustar") {
        return Some(ArchiveFormat::Tar);
    }
    magics.into_iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, format)| format)
}

/// An old tar has no mark, and a zip may have another program in front.
fn by_name(name: &str) -> Option<ArchiveFormat> {
    let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
    match extension.as_str() {
        "tar" => Some(ArchiveFormat::Tar),
        "zip" | "whl" => Some(ArchiveFormat::Zip),
        _ => None,
    }
}

/// The tar inside `archive`.
pub(super) fn decompressed<'a, R: Read + 'a>(
    format: ArchiveFormat,
    archive: R,
) -> Result<Box<dyn Read + 'a>, ImportError> {
    let archive = BufReader::with_capacity(128 << 10, archive);
    Ok(match format {
        ArchiveFormat::Tar | ArchiveFormat::Zip => Box::new(archive),
        ArchiveFormat::TarGzip => Box::new(flate2::bufread::MultiGzDecoder::new(archive)),
        ArchiveFormat::TarBzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(archive)),
        ArchiveFormat::TarXz => {
            let stream =
                liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED);
            Box::new(liblzma::bufread::XzDecoder::new_stream(archive, stream.map_err(ImportError::damaged)?))
        }
        ArchiveFormat::TarZstd => {
            let mut decoder = zstd::Decoder::with_buffer(archive).map_err(ImportError::damaged)?;
            decoder.window_log_max(FOREIGN_WINDOW_LOG).map_err(ImportError::damaged)?;
            Box::new(decoder)
        }
    })
}
