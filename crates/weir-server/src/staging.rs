//! Uploads that are not whole yet: each is a file that grows, and is checked and taken in when it is whole.
//!
//! Each user has uploads of their own: nobody goes on with, or spoils, what somebody else began. What nobody goes on with is
//! removed after [`KEPT`].

use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use weir_fs::{Folder, FsError};
use weir_model::Sha256;

/// For so long an upload is kept that nobody goes on with.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// So many uploads may be begun at once, in all.
const MOST: usize = 4096;

/// So many by one user.
const MOST_EACH: usize = 64;

/// The beginnings of uploads.
#[derive(Debug)]
pub(crate) struct Staging {
    folder: Folder,
}

/// Why an upload cannot be gone on with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StagingError {
    /// Somebody goes on with it at this moment.
    #[error("the same upload is under way in another request")]
    InUse,
    /// There are too many.
    #[error("too many uploads were begun and not finished: what nobody goes on with goes after a day")]
    Full,
    /// The disk fails.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// The disk, or whoever sends, fails.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// An upload that somebody goes on with; nobody else can.
#[derive(Debug)]
pub(crate) struct Upload<'s> {
    staging: &'s Staging,
    name: String,
    file: fs_err::File,
}

impl Staging {
    /// Those in the folder at `path`, which is made if it is not there.
    pub(crate) fn new(path: PathBuf) -> Result<Self, FsError> {
        Ok(Self { folder: Folder::make(path)? })
    }

    /// How many bytes there are of what `who` uploads as `what`; both may be any text.
    pub(crate) fn bytes(&self, who: &str, what: &str) -> Result<u64, FsError> {
        Ok(self.folder.look(name(who, what))?.map_or(0, |found| found.bytes))
    }

    /// Goes on with what `who` uploads as `what`, or begins it.
    pub(crate) fn resume(&self, who: &str, what: &str) -> Result<Upload<'_>, StagingError> {
        let name = name(who, what);
        if self.folder.look(&name)?.is_none() {
            let (all, own) = self.remove_abandoned(who)?;
            if all >= MOST || own >= MOST_EACH {
                return Err(StagingError::Full);
            }
        }
        let file = self.folder.resume(&name)?;
        match file.file().try_lock() {
            Ok(()) => Ok(Upload { staging: self, name, file }),
            Err(std::fs::TryLockError::WouldBlock) => Err(StagingError::InUse),
            Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Removes what nobody went on with for long; gives how many are left, and how many of them are `who`'s.
    fn remove_abandoned(&self, who: &str) -> Result<(usize, usize), FsError> {
        let own = whose(who);
        let oldest = SystemTime::now().checked_sub(KEPT).unwrap_or(SystemTime::UNIX_EPOCH);
        let oldest = oldest.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let (mut left, mut theirs) = (0, 0);
        for entry in self.folder.entries()? {
            let Some(found) = self.folder.look(&entry.name)? else { continue };
            if u64::try_from(found.modified.0).unwrap_or(0) < oldest {
                self.folder.remove_file(&entry.name)?;
                continue;
            }
            left += 1;
            theirs += usize::from(entry.name.to_str().is_some_and(|name| name.starts_with(&own)));
        }
        Ok((left, theirs))
    }
}

impl Upload<'_> {
    /// How many bytes there are.
    pub(crate) fn bytes(&self) -> Result<u64, StagingError> {
        Ok(self.file.metadata()?.len())
    }

    /// Appends what `from` brings, at most `most` bytes; whether that was all of it. What came before `from` failed is kept.
    pub(crate) fn append(&mut self, from: &mut dyn Read, most: u64) -> Result<bool, StagingError> {
        self.file.seek(SeekFrom::End(0))?;
        io::copy(&mut from.take(most), &mut self.file)?;
        Ok(from.read(&mut [0])? == 0)
    }

    /// All of it, from its beginning.
    pub(crate) fn whole(&mut self) -> Result<&mut fs_err::File, StagingError> {
        self.file.seek(SeekFrom::Start(0))?;
        Ok(&mut self.file)
    }

    /// Forgets it.
    pub(crate) fn remove(self) -> Result<(), StagingError> {
        self.staging.folder.remove_file(&self.name)?;
        Ok(())
    }
}

/// The name of the file: nothing that a request says reaches it but through a digest.
fn name(who: &str, what: &str) -> String {
    format!("{}-{}", whose(who), Sha256::of(what.as_bytes()).to_hex())
}

/// What the names of a user's uploads begin with.
fn whose(who: &str) -> String {
    Sha256::of(who.as_bytes()).to_hex()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_grows_and_is_one_persons() {
        let place = tempfile::tempdir().unwrap();
        let staging = Staging::new(place.path().join("uploads")).unwrap();
        let mut upload = staging.resume("user:ann", "pack x").unwrap();
        assert!(upload.append(&mut &b"one"[..], 100).unwrap());
        assert!(matches!(staging.resume("user:ann", "pack x"), Err(StagingError::InUse)));
        drop(upload);
        let mut again = staging.resume("user:ann", "pack x").unwrap();
        assert!(!again.append(&mut &b"two more"[..], 3).unwrap(), "there was more than it may have");
        let mut text = String::new();
        again.whole().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), staging.bytes("user:ann", "pack x").unwrap()), ("onetwo", 6));
        assert_eq!(staging.bytes("user:bob", "pack x").unwrap(), 0);
        again.remove().unwrap();
        assert_eq!(staging.bytes("user:ann", "pack x").unwrap(), 0);
    }

    #[test]
    fn nobody_begins_more_than_a_few() {
        let place = tempfile::tempdir().unwrap();
        let staging = Staging::new(place.path().to_owned()).unwrap();
        for number in 0..MOST_EACH {
            staging.resume("user:eve", &format!("pack {number}")).unwrap();
        }
        assert!(matches!(staging.resume("user:eve", "one more"), Err(StagingError::Full)));
        assert!(staging.resume("user:eve", "pack 0").is_ok(), "what was begun is gone on with");
        assert!(staging.resume("user:ann", "pack 0").is_ok());
    }

    #[test]
    fn what_nobody_goes_on_with_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let staging = Staging::new(place.path().to_owned()).unwrap();
        staging.resume("user:ann", "old").unwrap().append(&mut &b"x"[..], 9).unwrap();
        let old = SystemTime::now() - KEPT - Duration::from_secs(60);
        let file =
            fs_err::File::options().write(true).open(place.path().join(name("user:ann", "old"))).unwrap();
        file.file().set_modified(old).unwrap();
        staging.resume("user:ann", "new").unwrap();
        assert_eq!(staging.folder.entries().unwrap().len(), 1);
    }
}
