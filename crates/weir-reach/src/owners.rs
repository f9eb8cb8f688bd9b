//! Whose projects are used.
//!
//! A `weir.toml` says which registries to ask and what `weir run` starts. Whoever can write one in a folder above
//! (`/tmp`, a shared disk) would otherwise decide that for everybody who works below. So the project must belong to who uses it,
//! as git asks of a repository, or its folder must be named as trusted.

use std::path::{Path, PathBuf};

use weir_fs::{Folder, FsError};

/// What stands for every folder among those that are trusted.
pub const EVERYWHERE: &str = "*";

/// The users whose projects are used, and the folders in which anybody's are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owners {
    /// The numbers of the users: who runs the program and, if that is root for somebody else, who that is.
    pub users: Vec<u32>,
    /// Folders that are trusted with all that is below them; [`EVERYWHERE`] trusts all there are.
    pub folders: Vec<PathBuf>,
}

impl Owners {
    /// The number of another user who can change `file` in `folder`, unless the folder is trusted. `None` also where there is no
    /// such file. Root can change anything anyway.
    ///
    /// # Errors
    ///
    /// When it cannot be looked at.
    pub fn stranger(&self, folder: &Folder, file: &str) -> Result<Option<u32>, FsError> {
        let Some(found) = folder.look(file)? else { return Ok(None) };
        Ok(self.other_than_us([found.owner, folder.owner()?]).filter(|_| !self.trusts(folder.path())))
    }

    fn other_than_us(&self, owners: [u32; 2]) -> Option<u32> {
        owners.into_iter().find(|owner| *owner != 0 && !self.users.contains(owner))
    }

    /// Whether the user trusts whoever has a project in `folder`.
    pub fn trusts(&self, folder: &Path) -> bool {
        self.folders.iter().any(|trusted| trusted.as_os_str() == EVERYWHERE || folder.starts_with(trusted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody can give a file away but root, so the test is whose program it is.
    #[test]
    fn a_project_must_be_its_users_or_be_trusted() {
        const ANN: u32 = 1000;
        const BOB: u32 = 1001;
        let owners = |users: &[u32]| Owners { users: users.to_vec(), folders: Vec::new() };
        assert_eq!(owners(&[ANN]).other_than_us([ANN, ANN]), None);
        assert_eq!(owners(&[ANN]).other_than_us([BOB, 0]), Some(BOB), "a manifest in /tmp");
        assert_eq!(owners(&[ANN]).other_than_us([ANN, BOB]), Some(BOB), "whose folder it is can replace it");
        assert_eq!(owners(&[ANN]).other_than_us([0, 0]), None, "an image that root made");
        assert_eq!(owners(&[0]).other_than_us([ANN, ANN]), Some(ANN), "root in somebody's project");
        assert_eq!(owners(&[0, ANN]).other_than_us([ANN, ANN]), None, "`sudo` in one's own project");
    }

    #[test]
    fn a_folder_that_is_trusted_may_be_anybodys() {
        let me = rustix::process::geteuid().as_raw();
        let place = tempfile::tempdir().unwrap();
        fs_err::write(place.path().join("weir.toml"), "").unwrap();
        let stranger = |users: Vec<u32>, folders: Vec<PathBuf>| {
            let folder = Folder::open(place.path()).unwrap();
            Owners { users, folders }.stranger(&folder, "weir.toml").unwrap()
        };
        assert_eq!(stranger(vec![me], vec![]), None);
        if me != 0 {
            assert_eq!(stranger(vec![], vec![]), Some(me));
            assert_eq!(stranger(vec![], vec![place.path().into()]), None);
        }
        let nobody = |folder: &str| Owners { users: vec![], folders: vec![folder.into()] };
        assert!(nobody("*").trusts(Path::new("/a/b")));
        assert!(nobody("/a").trusts(Path::new("/a/b")));
        assert!(!nobody("/a").trusts(Path::new("/ab")));
    }
}
