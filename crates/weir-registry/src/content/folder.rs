//! The packs of a registry's folder: taken in, withheld, given back, taken out.

use std::fmt;
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_log::{Faults, NoFaults};
use weir_model::{Observer, TreeDigest, Unobserved};
use weir_tree::{Expected, Handled, Limits, TreeError, Watched, check_pack};

use super::durable::{Writing, ensure_folder, sync_folder};
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
}

impl ContentFolder {
    /// The content of the registry in `root`. Nothing is touched yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), limits: Limits::default(), faults: Arc::new(NoFaults) }
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

    /// Whether the pack of `tree` was taken in, served or withheld.
    pub fn has_pack(&self, tree: &TreeDigest) -> bool {
        self.pack_size(tree).is_some()
    }

    /// Bytes of the pack of `tree` as it is kept. Another pack of the same tree, which was offered
    /// later, may have had another size.
    pub fn pack_size(&self, tree: &TreeDigest) -> Option<u64> {
        [pack_path(tree), held_path(tree)].iter().find_map(|path| size_of(&self.at(path)))
    }

    /// Takes in the pack that `from` brings, checked from end to end. A pack of `tree` that is there already,
    /// served or withheld, stays as it is, and nothing is read.
    ///
    /// # Errors
    ///
    /// When it is not a pack of `tree`, or cannot be read or written.
    pub(crate) fn put_pack(&self, from: &mut dyn Read, tree: &TreeDigest) -> Result<(), ContentError> {
        if self.has_pack(tree) || self.is_withheld(tree)? {
            return Ok(());
        }
        // Our own copy is what is checked: the original may be written to meanwhile.
        let limit = self.limits.pack_bytes;
        let Some(pack) = self.writing().beside(from, limit)? else {
            let reason = TreeError::TooLarge { what: "bytes of pack", got: limit.saturating_add(1), limit };
            return Err(ContentError::BadPack { tree: *tree, reason });
        };
        self.check(pack.reopened()?, tree, None)?;
        self.writing().name(vec![(pack, pack_path(tree))])?;
        self.stay_withheld(tree)
    }

    /// If the tree was quarantined while its pack was being taken in, takes the pack back out.
    fn stay_withheld(&self, tree: &TreeDigest) -> Result<(), ContentError> {
        if self.is_withheld(tree)? {
            remove(&self.at(&pack_path(tree)))?;
        }
        Ok(())
    }

    /// Who may not look there must not take in: what is withheld would be served again.
    fn is_withheld(&self, tree: &TreeDigest) -> io::Result<bool> {
        self.at(&held_path(tree)).try_exists()
    }

    /// Reads the pack of `tree` from end to end and checks all of it: in the withheld part if `held`,
    /// where it must be alone, else in the served part. Returns its bytes.
    ///
    /// # Errors
    ///
    /// When it is missing, damaged or of another size than `size`, or served although it is withheld.
    pub fn verify_pack(&self, tree: &TreeDigest, size: u64, held: bool) -> Result<u64, ContentError> {
        self.verify_pack_observed(tree, size, held, &Unobserved)
    }

    /// The same, telling `observer` of what was read.
    ///
    /// # Errors
    ///
    /// Those of [`ContentFolder::verify_pack`].
    pub fn verify_pack_observed(
        &self,
        tree: &TreeDigest,
        size: u64,
        held: bool,
        observer: &dyn Observer<Handled>,
    ) -> Result<u64, ContentError> {
        if held && self.at(&pack_path(tree)).exists() {
            return Err(ContentError::StillServed { tree: *tree });
        }
        let path = if held { held_path(tree) } else { pack_path(tree) };
        let file = match fs_err::File::open(self.at(&path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ContentError::no_pack(tree)),
            file => file?,
        };
        self.check(Watched::new(file, observer), tree, Some(size))
    }

    fn check(&self, pack: impl Read, tree: &TreeDigest, size: Option<u64>) -> Result<u64, ContentError> {
        let expected = Expected { tree: *tree, pack_bytes: size };
        match check_pack(pack, &expected, &self.limits) {
            Ok(pack) => Ok(pack.bytes()),
            Err(reason) => Err(ContentError::BadPack { tree: *tree, reason }),
        }
    }

    /// Withholds the pack of `tree`: moves it out of what is served. Harmless when done twice, or when
    /// there is no such pack.
    ///
    /// # Errors
    ///
    /// When files cannot be moved.
    pub(crate) fn withhold(&self, tree: &TreeDigest) -> Result<(), ContentError> {
        if self.at(&pack_path(tree)).exists() {
            self.ensure_held()?;
        }
        self.moved(&pack_path(tree), &held_path(tree))
    }

    /// Makes the folder of what is withheld. It is closed to the web server, if that runs as somebody else: that need
    /// not know the layout. Those who may write to the registry as a group may also withhold and audit as one;
    /// a group that only reads is kept out like everybody else.
    fn ensure_held(&self) -> io::Result<()> {
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
        sync_folder(&self.root)
    }

    /// Serves the pack of `tree` again. Harmless when done twice, or when there is no such pack.
    ///
    /// # Errors
    ///
    /// When files cannot be moved.
    pub(crate) fn restore(&self, tree: &TreeDigest) -> Result<(), ContentError> {
        self.moved(&held_path(tree), &pack_path(tree))
    }

    fn moved(&self, from: &str, to: &str) -> Result<(), ContentError> {
        let (from, to) = (self.at(from), self.at(to));
        if !from.exists() {
            return Ok(());
        }
        if to.exists() {
            // It was there before, and that is the one whose size was told.
            remove(&from)?;
            return Ok(sync_folder(from.parent().unwrap_or(&self.root))?);
        }
        ensure_folder(&self.root, to.parent().unwrap_or(&self.root))?;
        match fs_err::rename(&from, &to) {
            // Somebody else moved it first.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            moved => moved?,
        }
        for path in [&to, &from] {
            sync_folder(path.parent().unwrap_or(&self.root))?;
        }
        Ok(())
    }

    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn writing(&self) -> Writing<'_> {
        Writing { root: &self.root, faults: &*self.faults }
    }
}

impl fmt::Debug for ContentFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentFolder").field("root", &self.root).finish_non_exhaustive()
    }
}

/// Bytes of the file at `path`, if there is one.
pub(super) fn size_of(path: &Path) -> Option<u64> {
    fs_err::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len())
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
