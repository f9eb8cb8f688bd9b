//! A file whose size and SHA-256 are known, from mirrors that nobody trusts.
//!
//! Mirrors are tried in order. What has arrived stays in a *partial file*, so that an interruption, of
//! a connection or of the whole program, costs nothing twice: the next attempt hashes what is there and
//! asks for the rest, from the same mirror or another. When the bytes turn out wrong and they came from
//! more than one place, nobody can be blamed yet; the mirror at hand is asked once more for all of it,
//! and what it sends then is its own.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use weir_log::SourceError;
use weir_model::{Hasher, Observer, Sha256, of};

use crate::client::HttpClient;
use crate::failure::Failure;
use crate::mirror::Mirror;

/// What the bytes must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// SHA-256 of the whole file.
    pub sha256: Sha256,
    /// Its size in bytes. Never more than this is written.
    pub size: u64,
}

/// What happens while a file is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DownloadEvent {
    /// A mirror is asked for the bytes from `offset` on.
    Trying {
        /// Which one.
        mirror: Mirror,
        /// Where it is to begin.
        offset: u64,
    },
    /// A mirror says how many bytes the file has, of which nothing else is known.
    Sized {
        /// How many.
        bytes: u64,
    },
    /// This many bytes are here now. Less than before when the file is started over.
    Progress {
        /// How many.
        bytes: u64,
    },
    /// A mirror was given up; the next is tried, if there is one.
    Failed(MirrorFailure),
}

/// What one mirror did instead of sending the right bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MirrorFailure {
    /// It has no such file.
    #[error("`{mirror}` has no such file")]
    Absent {
        /// The mirror.
        mirror: String,
    },
    /// It sent the right number of wrong bytes.
    #[error("`{mirror}` sent other bytes than the manifest names: {actual} instead of {expected}")]
    WrongBytes {
        /// The mirror.
        mirror: String,
        /// What was wanted.
        expected: Sha256,
        /// What came.
        actual: Sha256,
    },
    /// Its file has another size.
    #[error("`{mirror}` has a file of {actual} bytes instead of {expected}")]
    WrongSize {
        /// The mirror.
        mirror: String,
        /// Bytes wanted.
        expected: u64,
        /// Bytes it has, as far as it was read.
        actual: u64,
    },
    /// It could not be read to the end.
    #[error(transparent)]
    Failed(SourceError),
}

impl MirrorFailure {
    /// Whether the mirror answered, and what it said was not what was asked for.
    pub fn is_wrong_content(&self) -> bool {
        matches!(self, Self::WrongBytes { .. } | Self::WrongSize { .. })
    }
}

/// Why a file could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// Nobody was named to ask.
    #[error("there is no mirror to fetch it from")]
    NoMirror,
    /// Every mirror failed, each in its own way.
    #[error("no mirror sent it: {}", listed(failures))]
    AllFailed {
        /// One for each mirror, in the order they were tried.
        failures: Vec<MirrorFailure>,
    },
    /// What arrived cannot be written down.
    #[error("the download cannot be written: {0}")]
    Disk(#[from] io::Error),
}

impl DownloadError {
    /// What it comes to that no mirror sent it: how each failed, in the order they were tried.
    pub(crate) fn of(failures: Vec<MirrorFailure>) -> Self {
        if failures.is_empty() { Self::NoMirror } else { Self::AllFailed { failures } }
    }

    /// Whether a mirror sent something else than was asked for: an integrity failure, not an absence.
    pub fn is_integrity(&self) -> bool {
        matches!(self, Self::AllFailed { failures } if failures.iter().any(MirrorFailure::is_wrong_content))
    }

    /// Whether every mirror answered that it has no such file.
    pub fn is_absence(&self) -> bool {
        let is_absent = |failure: &MirrorFailure| matches!(failure, MirrorFailure::Absent { .. });
        matches!(self, Self::AllFailed { failures } if failures.iter().all(is_absent))
    }

    /// What the first mirror that could not be read failed with.
    pub fn source_error(&self) -> Option<&SourceError> {
        let Self::AllFailed { failures } = self else { return None };
        failures.iter().find_map(|failure| match failure {
            MirrorFailure::Failed(error) => Some(error),
            _ => None,
        })
    }
}

pub(crate) fn listed(failures: &[MirrorFailure]) -> String {
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Fetches a file into `partial`, which may hold what an earlier call brought.
///
/// After `Ok`, `partial` holds exactly the expected bytes and is on the disk; its folder entry is the
/// caller's business, who will rename it. After an error it holds what can be used next time.
pub fn download(
    client: &HttpClient,
    mirrors: &[Mirror],
    expected: &Expected,
    partial: &Path,
    observer: &dyn Observer<DownloadEvent>,
) -> Result<(), DownloadError> {
    let mut partial = Partial::open(partial, expected)?;
    if partial.is_complete() && partial.digest() == expected.sha256 {
        observer.event(&DownloadEvent::Progress { bytes: expected.size });
        return Ok(());
    }
    if partial.is_complete() && expected.size > 0 {
        partial.restart()?;
    }
    let mut failures = Vec::new();
    for mirror in mirrors {
        match from_mirror(client, mirror, &mut partial, observer)? {
            Ok(()) => return Ok(partial.file.sync_all()?),
            Err(failure) => {
                observer.event(&DownloadEvent::Failed(failure.clone()));
                failures.push(failure);
            }
        }
    }
    Err(DownloadError::of(failures))
}

/// Completes `partial` from one mirror. The outer error is the disk's.
fn from_mirror(
    client: &HttpClient,
    mirror: &Mirror,
    partial: &mut Partial,
    observer: &dyn Observer<DownloadEvent>,
) -> io::Result<Result<(), MirrorFailure>> {
    let mut borrowed = partial.size > 0;
    loop {
        observer.event(&DownloadEvent::Trying { mirror: mirror.clone(), offset: partial.size });
        if let Err(failure) = append(client, mirror, partial, observer)? {
            return Ok(Err(failure));
        }
        let (expected, actual) = (partial.expected.sha256, partial.digest());
        if expected == actual {
            return Ok(Ok(()));
        }
        partial.restart()?;
        if !borrowed {
            return Ok(Err(MirrorFailure::WrongBytes { mirror: mirror.to_string(), expected, actual }));
        }
        borrowed = false;
    }
}

/// Appends what `mirror` has after what is there, until the expected size is reached.
fn append(
    client: &HttpClient,
    mirror: &Mirror,
    partial: &mut Partial,
    observer: &dyn Observer<DownloadEvent>,
) -> io::Result<Result<(), MirrorFailure>> {
    let failed = |failure: Failure| Ok(Err(MirrorFailure::Failed(failure.about(mirror))));
    let expected = partial.expected.size;
    let wrong_size =
        |actual| Ok(Err(MirrorFailure::WrongSize { mirror: mirror.to_string(), expected, actual }));

    let mut incoming = match mirror.open(client, partial.size) {
        Ok(Some(incoming)) => incoming,
        Ok(None) => return Ok(Err(MirrorFailure::Absent { mirror: mirror.to_string() })),
        Err(failure) => return failed(failure),
    };
    if let Some(total) = incoming.total().filter(|total| *total != expected) {
        return wrong_size(total);
    }
    let mut buffer = vec![0; 64 * 1024];
    loop {
        // One byte more than is wanted shows a file that is too long, and is not kept.
        let room = (expected - partial.size).saturating_add(1).min(buffer.len() as u64) as usize;
        let read = match incoming.next(&mut buffer[..room]) {
            Ok(0) if partial.is_complete() => return Ok(Ok(())),
            Ok(0) => return wrong_size(partial.size),
            Ok(read) => read,
            Err(failure) => return failed(failure),
        };
        if partial.size + read as u64 > expected {
            partial.restart()?;
            return wrong_size(expected + 1);
        }
        partial.append(&buffer[..read])?;
        observer.event(&DownloadEvent::Progress { bytes: partial.size });
    }
}

/// What has arrived so far, on the disk, and its hash.
struct Partial {
    file: fs_err::File,
    hasher: Hasher<of::Bytes>,
    size: u64,
    expected: Expected,
}

impl Partial {
    /// Opens or makes the file, and hashes what it holds. More than is expected is worth nothing.
    fn open(path: &Path, expected: &Expected) -> io::Result<Self> {
        let mut options = fs_err::OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(path)?;
        let mut hasher = Hasher::new();
        let size = io::copy(&mut (&mut file).take(expected.size.saturating_add(1)), &mut hasher)?;
        let mut partial = Self { file, hasher, size, expected: *expected };
        if size > expected.size {
            partial.restart()?;
        }
        Ok(partial)
    }

    fn is_complete(&self) -> bool {
        self.size == self.expected.size
    }

    fn digest(&self) -> Sha256 {
        self.hasher.clone().finish()
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.hasher = Hasher::new();
        self.size = 0;
        Ok(())
    }
}
