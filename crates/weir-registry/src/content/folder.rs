//! The packs of a registry's folder: taken in, withheld, given back, taken out. What is withheld lies apart.

use std::fmt;
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_fs::{Durability, Folder, FsError, Settled, Sort};
use weir_log::{Faults, NoFaults};
use weir_model::TreeDigest;
use weir_tree::{Expected, Limits, TreeError, check_pack};

use super::durable::Writing;
use super::error::ContentError;
use super::{held_path, pack_path};

/// The bits of a mode that say what a group may do, and that what is made in a folder is of its group.
const GROUP: u32 = 0o2070;
const GROUP_WRITES: u32 = 0o020;

/// The content of one registry folder, for writing. Any number of processes may write at once.
#[derive(Clone)]
pub struct ContentFolder {
    root: PathBuf,
    limits: Limits,
    faults: Arc<dyn Faults>,
    settled: Settled,
}

impl ContentFolder {
    /// The content of the registry in `root`. Nothing is touched yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let (limits, faults) = (Limits::default(), Arc::new(NoFaults));
        Self { root: root.into(), limits, faults, settled: Settled::default() }
    }

    /// Tells `faults` of each of [`POINTS`](super::POINTS), for tests that interrupt it.
    #[must_use]
    pub fn with_faults(self, faults: Arc<dyn Faults>) -> Self {
        Self { faults, ..self }
    }

    /// Takes nothing in that exceeds `limits`.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Takes in the pack that `from` brings, checked from end to end. A pack of `tree` that is there already,
    /// served, withheld or made again of what is there, stays as it is, and nothing is read.
    ///
    /// # Errors
    ///
    /// When it is not a pack of `tree`, or cannot be read or written.
    pub(crate) fn put_pack(&self, from: &mut dyn Read, tree: &TreeDigest) -> Result<(), ContentError> {
        if self.is_served(tree)? || self.is_withheld(tree)? || self.note_in_force(tree)?.is_some() {
            return Ok(());
        }
        self.put_whole(from, tree)?;
        self.forget(tree)?;
        self.stay_withheld(tree)
    }

    /// Takes in a pack, whatever there is of it.
    pub(super) fn put_whole(&self, from: &mut dyn Read, tree: &TreeDigest) -> Result<(), ContentError> {
        // Our own copy is what is checked: the original may be written to meanwhile.
        let limit = self.limits.pack_bytes;
        let Some(pack) = self.writing().beside(from, limit)? else {
            let reason = TreeError::TooLarge { what: "bytes of pack", got: limit.saturating_add(1), limit };
            return Err(ContentError::BadPack { tree: *tree, reason });
        };
        self.check(pack.reopened()?, tree)?;
        Ok(self.writing().name(vec![(pack, pack_path(tree))])?)
    }

    /// If the tree was quarantined while its pack was being taken in, takes the pack back out.
    fn stay_withheld(&self, tree: &TreeDigest) -> Result<(), ContentError> {
        if self.is_withheld(tree)? {
            self.remove(&pack_path(tree))?;
        }
        Ok(())
    }

    /// Who may not look there must not take in: what is withheld would be served again.
    fn is_withheld(&self, tree: &TreeDigest) -> Result<bool, ContentError> {
        Ok(self.size_of(&held_path(tree))?.is_some())
    }

    fn is_served(&self, tree: &TreeDigest) -> Result<bool, ContentError> {
        Ok(self.size_of(&pack_path(tree))?.is_some())
    }

    fn check(&self, pack: impl Read, tree: &TreeDigest) -> Result<(), ContentError> {
        let expected = Expected { tree: *tree, pack_bytes: None };
        let checked = check_pack(pack, &expected, &self.limits);
        checked.map(drop).map_err(|reason| ContentError::BadPack { tree: *tree, reason })
    }

    /// Withholds the pack of `tree`: moves it out of what is served. Harmless when done twice, or when
    /// there is no such pack. What is made again of it is lost to readers: see [`crate::made_of`].
    ///
    /// # Errors
    ///
    /// When files cannot be moved.
    pub(crate) fn withhold_pack(&self, tree: &TreeDigest) -> Result<(), ContentError> {
        match self.make_whole(tree) {
            // There is nothing to be moved then, and nobody is to make it of what may come back.
            Err(error) if error.is_lost_or_wrong() => self.forget(tree)?,
            made => made?,
        }
        self.remove_deltas_to(tree)?;
        if self.is_served(tree)? {
            self.ensure_held()?;
        }
        self.moved(&pack_path(tree), &held_path(tree))
    }

    /// Makes the folder of what is withheld. It is closed to the web server, if that runs as somebody else: that need
    /// not know the layout. Those who may write to the registry as a group may also withhold and audit as one;
    /// a group that only reads is kept out like everybody else.
    pub(super) fn ensure_held(&self) -> io::Result<()> {
        let folder = self.root.join(".held");
        if folder.is_dir() {
            return Ok(());
        }
        match std::fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            made => made?,
        }
        let above = fs_err::metadata(&self.root)?;
        if above.mode() & GROUP_WRITES != 0 {
            let _ = chown(&folder, None, Some(above.gid()));
            if fs_err::metadata(&folder)?.gid() == above.gid() {
                let mode = 0o700 | above.mode() & GROUP;
                // Some file systems know no modes, such as that of a USB stick; there is nothing to open then.
                let _ = fs_err::set_permissions(&folder, std::fs::Permissions::from_mode(mode));
            }
        }
        Ok(Folder::open(&self.root)?.sync()?)
    }

    /// Serves the pack of `tree` again. Harmless when done twice, or when there is no such pack.
    ///
    /// # Errors
    ///
    /// When files cannot be moved.
    pub(crate) fn restore_pack(&self, tree: &TreeDigest) -> Result<(), ContentError> {
        self.moved(&held_path(tree), &pack_path(tree))
    }

    pub(super) fn moved(&self, from: &str, to: &str) -> Result<(), ContentError> {
        if self.size_of(from)?.is_none() {
            return Ok(());
        }
        let root = self.folder()?;
        if self.size_of(to)?.is_some() {
            // It was there before, and that is the one whose size was told.
            self.remove(from)?;
            return Ok(root.folder(above(from))?.sync()?);
        }
        root.make_shared_folder(above(to), Durability::Durable)?;
        match root.rename(from, to) {
            // Somebody else moved it first.
            Err(error) if error.is_not_found() => {}
            moved => moved?,
        }
        for path in [to, from] {
            if let Some(folder) = root.find_folder(above(path))? {
                folder.sync()?;
            }
        }
        Ok(())
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn folder(&self) -> Result<Folder, ContentError> {
        Ok(Folder::open(&self.root)?)
    }

    /// Bytes of the file at `path` below the registry, if there is one. What is no file there is told.
    pub(super) fn size_of(&self, path: &str) -> Result<Option<u64>, ContentError> {
        match self.folder()?.look(path)? {
            None => Ok(None),
            Some(found) if found.sort == Sort::File => Ok(Some(found.bytes)),
            Some(found) => Err(not_a_file(self.root.join(path), found.sort).into()),
        }
    }

    /// Opens the file at `path` below the registry, if there is one, and tells its bytes.
    pub(super) fn open_path(&self, path: &str) -> Result<Option<(fs_err::File, u64)>, ContentError> {
        match self.folder()?.open_file(path) {
            Err(error) if error.is_not_found() => Ok(None),
            file => {
                let file = file?;
                let size = file.metadata()?.len();
                Ok(Some((file, size)))
            }
        }
    }

    /// Removes the file at `path` below the registry. Harmless if it is not there.
    pub(super) fn remove(&self, path: &str) -> Result<(), ContentError> {
        self.folder()?.remove_file(path)?;
        Ok(())
    }

    pub(super) fn writing(&self) -> Writing<'_> {
        Writing { root: &self.root, faults: &*self.faults, settled: &self.settled }
    }
}

impl fmt::Debug for ContentFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentFolder").field("root", &self.root).finish_non_exhaustive()
    }
}

/// The folder of a path below the registry.
fn above(path: &str) -> &Path {
    Path::new(path).parent().unwrap_or(Path::new(""))
}

fn not_a_file(path: PathBuf, found: Sort) -> FsError {
    match found {
        Sort::Link => FsError::Link { path },
        found => FsError::Other { path, found, wanted: Sort::File },
    }
}
