//! Where a registry's files are read from: a folder, or the same files behind HTTP.
//!
//! Log reading is the first user; packs and snapshots are read through the same trait. What is absent
//! and what failed are kept apart by type: a refusal or a broken disk must never pass for "no such
//! file", or a request would fall through to another registry.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use weir_fs::Folder;

/// Read access to the files of one registry.
pub trait Source: Send + Sync {
    /// Reads a whole small file of at most `limit` bytes.
    ///
    /// `path` is relative, `/`-separated, without `.` and `..`. `None` means that the file does not
    /// exist (404); a 401, a 403 and a 500 are errors.
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError>;

    /// Reads several small files, in their order, each as [`read`](Self::read) does; over a network many at a time.
    fn read_each(&self, paths: &[String], limit: u64) -> Vec<Result<Option<Vec<u8>>, SourceError>> {
        paths.iter().map(|path| self.read(path, limit)).collect()
    }

    /// Streams a file from byte `offset`; `None` when it does not exist. An implementation that
    /// cannot seek skips. An offset beyond the end gives an empty stream.
    fn open(&self, path: &str, offset: u64) -> Result<Option<Box<dyn Read + Send>>, SourceError>;

    /// Whether a file is there, without reading it; `None` when it does not exist.
    fn find(&self, path: &str) -> Result<Option<Found>, SourceError> {
        Ok(self.open(path, 0)?.map(|_| Found { size: None }))
    }

    /// Has a file brought anew that turned out not to be what its name says, where there is somewhere to bring it from; whether it was.
    ///
    /// # Errors
    ///
    /// When it is damaged, and could not be brought.
    fn mend(&self, path: &str) -> Result<bool, SourceError> {
        let _ = path;
        Ok(false)
    }

    /// The folder or URL, for messages.
    fn describe(&self) -> String;
}

/// What is known of a file that was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// How many bytes it has, if whoever serves it says so.
    pub size: Option<u64>,
}

/// Why a file could not be read, although it may exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The disk or the connection failed.
    #[error("`{what}` cannot be read: {reason}")]
    NotReadable {
        /// Folder or URL, and path.
        what: String,
        /// What the system said.
        reason: String,
    },
    /// The file is larger than it may be; nothing of it was used.
    #[error("`{what}` is larger than the {limit} bytes it may have")]
    TooLarge {
        /// Folder or URL, and path.
        what: String,
        /// Bytes allowed.
        limit: u64,
    },
    /// No answer came in time, or it came too slowly.
    #[error("`{what}` did not arrive in time")]
    Timeout {
        /// Folder or URL, and path.
        what: String,
    },
    /// The server could not show that it is the one that was asked.
    #[error("`{what}` cannot be read: {why}")]
    Untrusted {
        /// URL and path.
        what: String,
        /// What is wrong.
        why: Distrust,
    },
    /// A server wants to know who asks, or does not give it to whoever that is.
    #[error("`{what}` was refused: {}status {status}", match (*status, *shown) {
        (401, false) => "the server asks for a password, ",
        (401, true) => "the server does not accept the token, ",
        _ => "",
    })]
    Refused {
        /// URL and path.
        what: String,
        /// HTTP status: 401, 403 or 451.
        status: u16,
        /// Whether it was shown a credential.
        shown: bool,
    },
    /// A server answered, and neither gave the file nor refused it.
    #[error("`{what}` cannot be read: the server answered with status {status}")]
    Status {
        /// URL and path.
        what: String,
        /// HTTP status.
        status: u16,
    },
    /// The proxy on the way to the server is what failed.
    #[error("`{what}` cannot be read: the proxy `{proxy}` {problem}")]
    Proxy {
        /// URL and path.
        what: String,
        /// The proxy's address, without a password.
        proxy: String,
        /// What is wrong with it.
        problem: ProxyProblem,
    },
}

/// What is wrong with a proxy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyProblem {
    /// It wants to know who asks.
    #[error("asks for a password, status 407")]
    AsksForPassword,
    /// It does not lead to that server.
    #[error("refused to lead there: status {status}")]
    Refused {
        /// HTTP status.
        status: u16,
    },
    /// It cannot be reached, or does not answer as a proxy does.
    #[error("does not serve: {0}")]
    Unreachable(String),
}

/// Why a server is not believed to be the one that was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// Its certificate was issued by somebody this machine does not trust.
    #[error("nobody whom this machine trusts vouches for the server's certificate")]
    UnknownIssuer,
    /// Its certificate is another server's.
    #[error("the server's certificate is not for this name{}", if .names.is_empty() { String::new() } else { format!(", but for {}", .names.join(", ")) })]
    OtherName {
        /// The names it is for, as far as they are known.
        names: Vec<String>,
    },
    /// Its certificate is no longer valid.
    #[error("the server's certificate has expired")]
    Expired,
    /// Its certificate is not valid yet.
    #[error("the server's certificate is not valid yet")]
    NotValidYet,
    /// Something else.
    #[error("the server's certificate cannot be used: {0}")]
    Other(String),
}

impl SourceError {
    /// The error that [`Source::open`]'s stream broke off with, where `error` carries one.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// Wraps what the system said while `what` was being read.
    pub fn from_io(what: impl Into<String>, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut => Self::Timeout { what: what.into() },
            _ => Self::NotReadable { what: what.into(), reason: error.to_string() },
        }
    }
}

/// A registry in a local folder.
#[derive(Debug, Clone)]
pub struct FolderSource {
    root: PathBuf,
}

impl FolderSource {
    /// Reads below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn what(&self, path: &str) -> String {
        format!("{}/{path}", self.root.display())
    }

    /// Opens a regular file of the registry, through no link: whoever may write there is not who says what else is read.
    fn open_file(&self, path: &str) -> Result<Option<fs_err::File>, SourceError> {
        let opened = Folder::open(&self.root).and_then(|root| root.open_file(path));
        match opened {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(SourceError::from_io(self.what(path), &error.into())),
        }
    }
}

impl Source for FolderSource {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let Some(file) = self.open_file(path)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| SourceError::from_io(self.what(path), &error))?;
        if bytes.len() as u64 > limit {
            return Err(SourceError::TooLarge { what: self.what(path), limit });
        }
        Ok(Some(bytes))
    }

    fn open(&self, path: &str, offset: u64) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
        let Some(mut file) = self.open_file(path)? else { return Ok(None) };
        if offset > 0 {
            file.seek(SeekFrom::Start(offset))
                .map_err(|error| SourceError::from_io(self.what(path), &error))?;
        }
        Ok(Some(Box::new(file)))
    }

    fn find(&self, path: &str) -> Result<Option<Found>, SourceError> {
        let Some(file) = self.open_file(path)? else { return Ok(None) };
        let metadata = file.metadata().map_err(|error| SourceError::from_io(self.what(path), &error))?;
        Ok(Some(Found { size: Some(metadata.len()) }))
    }

    fn describe(&self) -> String {
        self.root.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_is_none_and_everything_else_that_fails_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("five"), b"12345").unwrap();
        let source = FolderSource::new(folder.path());

        assert_eq!(source.read("nothing/here", 10), Ok(None));
        assert_eq!(source.read("five", 5), Ok(Some(b"12345".to_vec())));
        assert!(matches!(source.read("five", 4), Err(SourceError::TooLarge { limit: 4, .. })));
        for escape in ["../five", "/etc/passwd", "", "a/../../five", "."] {
            assert!(matches!(source.read(escape, 10), Err(SourceError::NotReadable { .. })), "{escape:?}");
        }

        assert_eq!(source.find("five"), Ok(Some(Found { size: Some(5) })));
        assert_eq!(source.find("nothing/here"), Ok(None));

        let mut rest = String::new();
        source.open("five", 3).unwrap().unwrap().read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "45");
        assert_eq!(source.open("five", 9).unwrap().unwrap().read(&mut [0]).unwrap(), 0);
    }
}
