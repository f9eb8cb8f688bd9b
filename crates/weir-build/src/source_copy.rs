//! A copy of a source, for a build to change as it likes.

use std::fs::FileTimes;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// When everything in a source was last changed, in seconds since 1970: the first day of 1980, before which
/// archives of zip cannot go.
///
/// One time for all files also keeps generated ones, such as `configure`, from looking older than what they were
/// generated from.
pub(crate) const SOURCE_EPOCH: u64 = 315_532_800;

/// Copies the folder `from` to the new folder `to`: what is executable stays so, all can be written to, links
/// stay as they are. The system clones the files where it can.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let times = FileTimes::new().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(SOURCE_EPOCH));
    let mut copied = Vec::new();
    let mut folders = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = folders.pop() {
        fs_err::create_dir(&to)?;
        for entry in fs_err::read_dir(&from)? {
            let entry = entry?;
            let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
            if kind.is_dir() {
                folders.push((entry.path(), target));
            } else if kind.is_symlink() {
                fs_err::os::unix::fs::symlink(fs_err::read_link(entry.path())?, target)?;
            } else if kind.is_file() {
                copy_file(&entry.path(), &target, times)?;
            }
        }
        copied.push(to);
    }
    // A folder's time changes with what is put into it.
    for folder in copied {
        fs_err::File::open(folder)?.file().set_times(times)?;
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path, times: FileTimes) -> io::Result<()> {
    let mut source = fs_err::File::open(from)?;
    let mut copy = fs_err::File::create_new(to)?;
    let executable = source.metadata()?.permissions().mode() & 0o111 != 0;
    io::copy(source.file_mut(), copy.file_mut())?;
    copy.file().set_permissions(std::fs::Permissions::from_mode(if executable { 0o755 } else { 0o644 }))?;
    copy.file().set_times(times)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::{SOURCE_EPOCH, copy};

    #[test]
    fn a_copy_can_be_changed_and_all_its_files_are_as_old() {
        let place = tempfile::tempdir().unwrap();
        let (from, to) = (place.path().join("from"), place.path().join("to"));
        fs_err::create_dir_all(from.join("sub")).unwrap();
        fs_err::write(from.join("sub/configure"), "#!/bin/sh").unwrap();
        fs_err::set_permissions(from.join("sub/configure"), std::fs::Permissions::from_mode(0o555)).unwrap();
        fs_err::write(from.join("zconf.h"), "1").unwrap();
        fs_err::set_permissions(from.join("zconf.h"), std::fs::Permissions::from_mode(0o444)).unwrap();
        fs_err::os::unix::fs::symlink("../outside", from.join("link")).unwrap();
        copy(&from, &to).unwrap();
        let seen = |path: &str| {
            let meta = fs_err::symlink_metadata(to.join(path)).unwrap();
            (meta.mode() & 0o777, meta.mtime())
        };
        let epoch = i64::try_from(SOURCE_EPOCH).unwrap();
        assert_eq!(seen("sub/configure"), (0o755, epoch));
        assert_eq!(seen("zconf.h"), (0o644, epoch));
        assert_eq!(seen("sub").1, epoch);
        assert_eq!(fs_err::read_link(to.join("link")).unwrap().to_str(), Some("../outside"));
    }
}
