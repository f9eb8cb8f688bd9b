//! A log in a temporary folder, in one line.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use weir_log::{
    CheckedCheckpoint, FolderSource, FollowError, LogFolder, Origin, Position, Signers, SigningKey, Source,
    SourceError, Stamp, TrustedKeys, Update, follow,
};

/// The moment at which every test takes place.
pub(crate) fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// Checkpoints are good for thirty days.
pub(crate) fn stamp() -> Stamp {
    Stamp::new(now(), Some(now() + SignedDuration::from_hours(30 * 24)))
}

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&Origin::new("org").unwrap(), &[seed; 32]).unwrap()
}

pub(crate) fn trusting(seeds: &[u8]) -> TrustedKeys {
    TrustedKeys::new(seeds.iter().map(|&seed| key(seed).verifying_key().clone())).unwrap()
}

/// Entries told apart by a word, of different lengths.
pub(crate) fn entries(word: &str, count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| format!("{word} {number} {}", ".".repeat(number % 7)).into_bytes()).collect()
}

/// A log signed by key 1.
pub(crate) struct Log {
    folder: tempfile::TempDir,
}

impl Log {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        LogFolder::new(folder.path()).create(&key(1).into(), &stamp()).unwrap();
        Self { folder }
    }

    /// A log that holds these entries, appended in one batch.
    pub(crate) fn of(entries: &[Vec<u8>]) -> Self {
        let log = Self::new();
        log.append(entries);
        log
    }

    pub(crate) fn append(&self, batch: &[Vec<u8>]) -> CheckedCheckpoint {
        self.append_stamped(batch, &stamp())
    }

    pub(crate) fn append_stamped(&self, batch: &[Vec<u8>], stamp: &Stamp) -> CheckedCheckpoint {
        let signers = Signers::from(key(1));
        let trusted = signers.trusted();
        LogFolder::new(self.path()).writer(signers, &trusted).unwrap().append(batch, stamp).unwrap()
    }

    /// A second log with the same files, as a backup or an attacker would have it.
    pub(crate) fn copy(&self) -> Self {
        let copy = tempfile::tempdir().unwrap();
        for path in self.files() {
            let target = copy.path().join(&path);
            fs_err::create_dir_all(target.parent().unwrap()).unwrap();
            fs_err::copy(self.path().join(&path), target).unwrap();
        }
        Self { folder: copy }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn source(&self) -> FolderSource {
        FolderSource::new(self.path())
    }

    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    pub(crate) fn follow(&self, previous: Option<&Position>) -> Result<(Update, Vec<Vec<u8>>), FollowError> {
        read(&self.source(), previous)
    }

    /// Every file, relative to the folder, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs_err::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => found.push(path.strip_prefix(self.path()).unwrap().to_str().unwrap().to_owned()),
                }
            }
        }
        found.sort();
        found
    }
}

/// Follows a log signed by key 1 and returns what is new in it.
pub(crate) fn read(
    source: &dyn Source,
    previous: Option<&Position>,
) -> Result<(Update, Vec<Vec<u8>>), FollowError> {
    let mut new = Vec::new();
    let update = follow(source, &trusting(&[1]), previous, now(), &mut |index, entry| {
        assert_eq!(index, previous.map_or(0, Position::size) + new.len() as u64);
        new.push(entry.to_vec());
        Ok(())
    })?;
    assert_eq!(update.checkpoint.size() - update.first, new.len() as u64);
    Ok((update, new))
}

/// Counts what is read, as a network would bill it, and calls back before each file.
pub(crate) struct Watched<'a> {
    pub(crate) inner: FolderSource,
    pub(crate) before: Box<dyn Fn(&str) + Send + Sync + 'a>,
    pub(crate) bytes: std::sync::Arc<Mutex<BTreeMap<String, u64>>>,
}

impl<'a> Watched<'a> {
    pub(crate) fn new(log: &Log, before: impl Fn(&str) + Send + Sync + 'a) -> Self {
        Self { inner: log.source(), before: Box::new(before), bytes: std::sync::Arc::default() }
    }

    /// Bytes read of each file.
    pub(crate) fn bill(&self) -> BTreeMap<String, u64> {
        self.bytes.lock().unwrap().clone()
    }
}

impl Source for Watched<'_> {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        (self.before)(path);
        let read = self.inner.read(path, limit)?;
        let length = read.as_ref().map_or(0, |bytes| bytes.len() as u64);
        *self.bytes.lock().unwrap().entry(path.to_owned()).or_default() += length;
        Ok(read)
    }

    fn open(&self, path: &str, offset: u64) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
        (self.before)(path);
        let Some(inner) = self.inner.open(path, offset)? else { return Ok(None) };
        Ok(Some(Box::new(Counted { inner, path: path.to_owned(), bytes: self.bytes.clone() })))
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

struct Counted {
    inner: Box<dyn Read + Send>,
    path: String,
    bytes: std::sync::Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        *self.bytes.lock().unwrap().entry(self.path.clone()).or_default() += read as u64;
        Ok(read)
    }
}
