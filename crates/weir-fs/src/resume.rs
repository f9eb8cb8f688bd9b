//! A file that is written by and by: whoever comes next goes on where the one before stopped.

use std::path::Path;

use rustix::fs::{Mode, OFlags};

use crate::Result;
use crate::error::AtPath as _;
use crate::file::regular;
use crate::folder::Folder;

impl Folder {
    /// Opens a regular file below to be read and written as it is; one that is not there is made, for its owner only.
    ///
    /// # Errors
    ///
    /// When it cannot be opened or made; when it, or a name on the way to it, is a link; when it is no regular file.
    pub fn resume(&self, below: impl AsRef<Path>) -> Result<fs_err::File> {
        let place = self.place(below.as_ref())?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd =
            rustix::fs::openat(place.fd(), place.name, flags, Mode::from_raw_mode(0o600)).at(place.path())?;
        regular(fd, place.path())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::Folder;

    #[test]
    fn a_file_is_gone_on_with_and_a_link_or_a_pipe_in_its_place_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        folder.resume("part").unwrap().write_all(b"one").unwrap();
        let again = folder.resume("part").unwrap();
        assert_eq!(again.metadata().unwrap().len(), 3);
        fs_err::write(place.path().join("elsewhere"), "kept").unwrap();
        std::os::unix::fs::symlink("elsewhere", place.path().join("link")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, place.path().join("pipe"), rustix::fs::Mode::RUSR).unwrap();
        for name in ["link", "pipe"] {
            folder.resume(name).unwrap_err();
        }
    }
}
