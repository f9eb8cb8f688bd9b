//! What sort of archive a file is, and taking its compression off.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

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
        ArchiveFormat::TarGzip => Box::new(GzipMembers::new(archive)),
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

/// The members of a gzip file, one behind the other, each compared with its checksum and length. As `gzip -t` reads them: zeros
/// behind the last are padding, anything else there is refused.
struct GzipMembers<R> {
    member: Option<flate2::bufread::GzDecoder<R>>,
}

impl<R: BufRead> GzipMembers<R> {
    fn new(archive: R) -> Self {
        Self { member: Some(flate2::bufread::GzDecoder::new(archive)) }
    }
}

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let rest = self.member.take().map(flate2::bufread::GzDecoder::into_inner);
            self.member = rest.map(next_member).transpose()?.flatten();
        }
        Ok(0)
    }
}

/// The member that begins here, if there is another.
fn next_member<R: BufRead>(mut rest: R) -> io::Result<Option<flate2::bufread::GzDecoder<R>>> {
    if rest.fill_buf()?.first().is_some_and(|&byte| byte != 0) {
        return Ok(Some(flate2::bufread::GzDecoder::new(rest)));
    }
    loop {
        let bytes = rest.fill_buf()?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes.iter().any(|&byte| byte != 0) {
            return Err(io::Error::other("there is more behind the zeros at its end"));
        }
        let zeros = bytes.len();
        rest.consume(zeros);
    }
}
