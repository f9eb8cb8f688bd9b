//! Where a reference's bytes may be had: a web address or a file.

use std::fmt;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::client::{HttpClient, Request};
use crate::failure::Failure;
use crate::stream::ResumingStream;
use crate::url::{Url, UrlError};

/// One place to fetch from. Not trusted: what comes is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mirror {
    /// A web server.
    Http(Url),
    /// A file on this machine, or on a disk that is shared.
    File(PathBuf),
}

/// Why a text names no mirror.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MirrorError {
    /// A web address that cannot be used.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// `file:` without an absolute path on this machine.
    #[error("`{text}` names no file on this machine: expected `file:///<absolute path>`")]
    NotLocal {
        /// What was read.
        text: String,
    },
}

impl Mirror {
    /// Reads `http(s)://…`, `file:///…` or a plain path, which is taken from `folder`: the manifest's.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, MirrorError> {
        let not_local = || MirrorError::NotLocal { text: text.chars().take(200).collect() };
        if let Some(rest) = text.strip_prefix("file://") {
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            let path = percent_decoded(path).filter(|path| path.starts_with('/')).ok_or_else(not_local)?;
            return Ok(Self::File(path.into()));
        }
        if text.contains("://") {
            return Ok(Self::Http(text.parse()?));
        }
        Ok(Self::File(folder.join(text)))
    }

    /// Starts reading at `offset`; `None` if there is no such file.
    pub(crate) fn open(&self, client: &HttpClient, offset: u64) -> Result<Option<Incoming>, Failure> {
        match self {
            Self::Http(url) => Ok(ResumingStream::open(client, Request::of_mirror(url.clone(), offset))?
                .map(Box::new)
                .map(Incoming::Http)),
            Self::File(path) => open_file(path, offset),
        }
    }
}

/// Bytes on their way from a mirror.
pub(crate) enum Incoming {
    Http(Box<ResumingStream>),
    File { file: fs_err::File, size: u64 },
}

impl Incoming {
    /// Size of the whole file, if the mirror says it.
    pub(crate) fn total(&self) -> Option<u64> {
        match self {
            Self::Http(stream) => stream.total(),
            Self::File { size, .. } => Some(*size),
        }
    }

    /// The next bytes; 0 at the end.
    pub(crate) fn next(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        match self {
            Self::Http(stream) => stream.next(buffer),
            Self::File { file, .. } => file.read(buffer).map_err(|error| unreadable(&error)),
        }
    }
}

pub(crate) fn open_file(path: &Path, offset: u64) -> Result<Option<Incoming>, Failure> {
    let metadata = match fs_err::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&error)),
    };
    // A pipe would be waited for, and a device read, without end.
    if !metadata.is_file() {
        return Err(Failure::Unusable("it is not a regular file".to_owned()));
    }
    let mut file = fs_err::File::open(path).map_err(|error| unreadable(&error))?;
    file.seek(SeekFrom::Start(offset)).map_err(|error| unreadable(&error))?;
    Ok(Some(Incoming::File { file, size: metadata.len() }))
}

fn unreadable(error: &std::io::Error) -> Failure {
    Failure::Unusable(error.to_string())
}

impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(url) => url.fmt(f),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Replaces `%XX`; `None` for a broken escape, a NUL or what is not UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let high = char::from(bytes.next()?).to_digit(16)?;
        let low = char::from(bytes.next()?).to_digit(16)?;
        out.push((high * 16 + low) as u8);
    }
    String::from_utf8(out).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::{Mirror, MirrorError};

    #[test]
    fn a_mirror_is_a_url_a_file_url_or_a_path_from_the_manifests_folder() {
        let parse = |text| Mirror::parse(text, "/project".as_ref());
        assert_eq!(parse("https://h/x"), Ok(Mirror::Http("https://h/x".parse().unwrap())));
        assert_eq!(parse("file:///a%20b/c"), Ok(Mirror::File("/a b/c".into())));
        assert_eq!(parse("file://localhost/c"), Ok(Mirror::File("/c".into())));
        assert_eq!(parse("data/x.bin"), Ok(Mirror::File("/project/data/x.bin".into())));
        assert_eq!(parse("/mnt/x.bin"), Ok(Mirror::File("/mnt/x.bin".into())));
        for text in ["file://server/share", "file://", "file:///a%2", "file:///a%00"] {
            assert!(matches!(parse(text), Err(MirrorError::NotLocal { .. })), "{text}");
        }
        assert!(matches!(parse("ftp://h/x"), Err(MirrorError::Url(_))));
    }
}
