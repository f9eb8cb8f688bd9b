//! Where the bytes of a fluid reference are while they come. Nobody knows beforehand what they will be, so they are not in the store: they are
//! among the user's own files, where nobody else writes, and are kept when they break off.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::FlockOperation;
use weir_client::Mirror;
use weir_fs::Folder;
use weir_model::Sha256;
use weir_reach::Session;

use crate::error::ProjectError;

/// After this long, what nobody went on with is given up.
const FORGOTTEN: Duration = Duration::from_hours(14 * 24);

/// The place for the bytes of one reference.
pub(super) struct Coming {
    path: PathBuf,
    /// Locked, so that no other process is at it. Nothing where nobody else knows of the place, which goes with this.
    kept: Option<fs_err::File>,
    _alone: Option<tempfile::TempDir>,
}

impl Coming {
    /// The place for what comes from these addresses: one in which something may be already, or where another process is at it, an empty one.
    pub(super) fn of(session: &Session, mirrors: &[Mirror]) -> Result<Self, ProjectError> {
        let is_on_the_web = mirrors.iter().any(|mirror| matches!(mirror, Mirror::Http(_)));
        if let Some(kept) = is_on_the_web.then(|| Self::kept(session, mirrors)).flatten() {
            return Ok(kept);
        }
        let folder = tempfile::tempdir()?;
        Ok(Self { path: folder.path().join("bytes"), kept: None, _alone: Some(folder) })
    }

    /// That it cannot be kept costs time and nothing else.
    fn kept(session: &Session, mirrors: &[Mirror]) -> Option<Self> {
        let place = session.home.data().join("coming");
        let folder = Folder::make(&place).ok()?;
        forget_old(session, &place);
        // What was not on the disk yet when the machine went down is of no worth, and cannot be told from what was.
        let boot = fs_err::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let addresses: Vec<String> = mirrors.iter().map(ToString::to_string).collect();
        let name = Sha256::of([boot.trim(), &addresses.join("\n")].join("\n")).to_hex();
        let file = folder.resume(&name).ok()?;
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
        let path = place.join(name);
        // Whoever held it before may have taken it away.
        let is_there =
            fs_err::metadata(&path).is_ok_and(|at| file.metadata().is_ok_and(|it| at.ino() == it.ino()));
        is_there.then_some(Self { path, kept: Some(file), _alone: None })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Forgets what came: it is elsewhere by now, or not wanted.
    pub(super) fn forget(self) {
        if self.kept.is_some() {
            let _ = fs_err::remove_file(&self.path);
        }
    }
}

fn forget_old(session: &Session, place: &Path) {
    for entry in fs_err::read_dir(place).into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|found| found.modified()).ok();
        let age = modified.and_then(|at| std::time::SystemTime::from(session.now).duration_since(at).ok());
        if age.is_some_and(|age| age > FORGOTTEN) {
            let _ = fs_err::remove_file(entry.path());
        }
    }
}
