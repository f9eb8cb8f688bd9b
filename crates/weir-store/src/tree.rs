//! Trees: unpacked once, however many ask at once.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use weir_model::TreeDigest;
use weir_tree::{Expected, ExpectedDelta, Limits, Selection, TreeManifest};

use crate::error::{AtPath as _, EnsureError, StoreError};
use crate::faults;
use crate::layout::rename_into;
use crate::observe::Event;
use crate::partial::Partial;
use crate::pipe::Pipe;
use crate::readers::Readers;
use crate::seal;
use crate::session::{Found, Session};
use crate::staging::Staging;
use crate::store::Store;

/// A pack of at least this many bytes is kept while it comes, to be gone on with if it breaks off. A smaller one comes again sooner
/// than it is written twice.
const KEPT_FROM: u64 = 1 << 20;

/// A tree of more bytes is updated while no other large one is: it costs several times what unpacking costs of memory.
const TOGETHER: u64 = 8 << 20;

/// Who updates a large tree.
static LARGE: Mutex<()> = Mutex::new(());

/// A tree that is in the store, complete. Only the store makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTree {
    digest: TreeDigest,
    path: PathBuf,
}

impl StoredTree {
    /// The digest of the tree.
    pub fn digest(&self) -> &TreeDigest {
        &self.digest
    }

    /// The folder it lies in.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Session {
    /// The tree with this digest, if it is in the store. Costs one `lstat`.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn tree(&self, digest: &TreeDigest) -> Result<Option<StoredTree>, StoreError> {
        let path = self.store().layout().tree(digest);
        Ok(match self.look_up(&path)? {
            Some(Found::Folder) => Some(StoredTree { digest: *digest, path }),
            _ => None,
        })
    }

    /// Where the tree with this digest is, or will be once it is stored.
    pub fn place_of(&self, digest: &TreeDigest) -> PathBuf {
        self.store().layout().tree(digest)
    }

    /// The manifest of a tree that is in the store: its files, without reading the folder.
    ///
    /// # Errors
    ///
    /// When it is not there, or is not the one that the tree's name says.
    pub fn manifest(&self, tree: &TreeDigest) -> Result<TreeManifest, StoreError> {
        self.store().manifest(tree)
    }

    /// The tree with this digest, unpacked from the pack that `fetch` opens if it is not there.
    /// `pack_bytes` is how long that pack is, where a
    /// record states it.
    ///
    /// # Errors
    ///
    /// When `fetch` fails, when what it brings is not the tree, or when the store cannot be written. Then
    /// nothing is left of it.
    pub fn ensure_tree<E>(
        &self,
        digest: &TreeDigest,
        pack_bytes: Option<u64>,
        limits: &Limits,
        fetch: impl FnOnce() -> Result<Box<dyn Read + Send>, E>,
    ) -> Result<StoredTree, EnsureError<E>> {
        self.make_tree(digest, || {
            let pack = fetch().map_err(EnsureError::Source)?;
            Ok(self.store().unpack(digest, pack_bytes, limits, pack)?)
        })
    }

    /// The same for a pack that comes from afar: a large one whose length is known goes on where an earlier attempt broke off.
    /// `fetch` opens it from the byte that it is given.
    ///
    /// # Errors
    ///
    /// Those of [`Session::ensure_tree`]. What came before `fetch` failed is kept for the next attempt; what is wrong is not.
    pub fn download_tree<E>(
        &self,
        digest: &TreeDigest,
        pack_bytes: Option<u64>,
        limits: &Limits,
        mut fetch: impl FnMut(u64) -> Result<Box<dyn Read + Send>, E>,
    ) -> Result<StoredTree, EnsureError<E>> {
        let Some(bytes) = pack_bytes.filter(|bytes| *bytes >= KEPT_FROM) else {
            return self.ensure_tree(digest, pack_bytes, limits, || fetch(0));
        };
        self.make_tree(digest, || self.unpack_kept(digest, bytes, limits, &mut fetch))
    }

    /// The tree with this digest, made of `base`, which must be here, and the delta that `fetch` opens, if it is not there. The delta may have at most
    /// `most_bytes`.
    ///
    /// # Errors
    ///
    /// Those of [`Session::ensure_tree`], and when `base` is not here or is damaged. Nothing is left of it then: the pack still gives the tree.
    pub fn update_tree<E>(
        &self,
        digest: &TreeDigest,
        base: &TreeDigest,
        most_bytes: u64,
        limits: &Limits,
        fetch: impl FnOnce() -> Result<Box<dyn Read + Send>, E>,
    ) -> Result<StoredTree, EnsureError<E>> {
        self.make_tree(digest, || {
            let here = self.manifest(base)?;
            let delta = fetch().map_err(EnsureError::Source)?;
            let _alone = (here.unpacked_size() > TOGETHER)
                .then(|| LARGE.lock().unwrap_or_else(PoisonError::into_inner));
            let expected = ExpectedDelta { from: *base, to: *digest, most_bytes };
            let root = self.place_of(base);
            let staging = self.store().staging(&tree_item(digest));
            let tree = weir_tree::apply_delta(delta, &root, &here, &expected, limits, staging.path())
                .map_err(|source| StoreError::tree(digest, source))?;
            Ok(Draft { manifest: tree.into_manifest(), staging, readers: Readers::Everybody })
        })
    }

    /// Has `make` make the tree, unless it is there: one at a time.
    fn make_tree<E>(
        &self,
        digest: &TreeDigest,
        make: impl FnOnce() -> Result<Draft, EnsureError<E>>,
    ) -> Result<StoredTree, EnsureError<E>> {
        if let Some(tree) = self.tree(digest)? {
            return Ok(tree);
        }
        let lock = self.lock(&tree_item(digest))?;
        self.store().pass(faults::LOCKED, lock.path())?;
        if let Some(tree) = self.tree(digest)? {
            return Ok(tree);
        }
        Ok(make()?.store(self.store())?)
    }

    /// Unpacks what an earlier attempt left of a pack and the rest of it. The caller holds the tree's lock.
    fn unpack_kept<E>(
        &self,
        digest: &TreeDigest,
        bytes: u64,
        limits: &Limits,
        fetch: &mut impl FnMut(u64) -> Result<Box<dyn Read + Send>, E>,
    ) -> Result<Draft, EnsureError<E>> {
        let mut partial = Partial::open(self.store(), &tree_item(digest), bytes)?;
        loop {
            let here = partial.bytes()?;
            let rest = fetch(here).map_err(EnsureError::Source)?;
            let unpacked = self.store().unpack(digest, Some(bytes), limits, partial.and_then(rest)?);
            match unpacked {
                Ok(draft) => {
                    partial.remove();
                    return Ok(draft);
                }
                // What was here may be to blame: a broken disk, or another pack of the same tree. Without it, only the source can be.
                Err(error) if error.is_integrity() && here > 0 => partial.restart()?,
                Err(error) => {
                    if error.is_integrity() {
                        partial.remove();
                    }
                    return Err(error.into());
                }
            }
        }
    }

    /// Stores the files of a folder as a tree: a git dependency, or what a program made. The folder
    /// stays as it is, and may be changed by somebody meanwhile without doing harm.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read as a tree, changes while it is read, or the store cannot be written.
    pub fn add_folder(
        &self,
        folder: &Path,
        selection: &Selection,
        limits: &Limits,
    ) -> Result<StoredTree, StoreError> {
        let unreadable = |source| StoreError::Folder { path: folder.to_owned(), source };
        let manifest = weir_tree::read_folder(folder, selection).map_err(unreadable)?;
        let digest = manifest.digest();
        let pack = || -> Result<Box<dyn Read + Send>, StoreError> {
            Ok(Box::new(Pipe::pack(folder.to_owned(), manifest).at(folder)?))
        };
        self.ensure_tree(&digest, None, limits, pack).map_err(|error| match error {
            EnsureError::Source(error) | EnsureError::Store(error) => error,
        })
    }
}

/// The name of a tree's lock and of its drafts.
pub(crate) fn tree_item(digest: &TreeDigest) -> String {
    format!("tree-{}", digest.to_hex())
}

/// A tree in `tmp/`, complete and verified.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) manifest: TreeManifest,
    pub(crate) staging: Staging,
    pub(crate) readers: Readers,
}

impl Store {
    /// Unpacks into `tmp/`. The caller holds the tree's lock.
    pub(crate) fn unpack(
        &self,
        digest: &TreeDigest,
        pack_bytes: Option<u64>,
        limits: &Limits,
        pack: impl Read,
    ) -> Result<Draft, StoreError> {
        let staging = self.staging(&tree_item(digest));
        let expected = Expected { tree: *digest, pack_bytes };
        let tree = weir_tree::unpack(pack, &expected, limits, staging.path())
            .map_err(|source| StoreError::tree(digest, source))?;
        Ok(Draft { manifest: tree.into_manifest(), staging, readers: Readers::Everybody })
    }

    /// The manifest of a tree in the store, checked against the name it lies under.
    pub(crate) fn manifest(&self, digest: &TreeDigest) -> Result<TreeManifest, StoreError> {
        let path = self.layout().manifest(digest);
        let damaged = || StoreError::DamagedManifest { digest: *digest, path: path.clone() };
        let bytes = match fs_err::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(damaged()),
            Err(error) => return Err(StoreError::io(&path, error)),
        };
        let manifest = TreeManifest::parse(&bytes).map_err(|_| damaged())?;
        if manifest.digest() == *digest { Ok(manifest) } else { Err(damaged()) }
    }

    /// Writes a tree's manifest beside the tree's place.
    pub(crate) fn write_manifest(&self, manifest: &TreeManifest) -> Result<(), StoreError> {
        let digest = manifest.digest();
        let place = self.layout().manifest(&digest);
        let staging = self.staging(&tree_item(&digest));
        fs_err::write(staging.path(), manifest.to_text()).at(staging.path())?;
        rename_into(staging.path(), &place).at(&place)
    }
}

impl Draft {
    /// Moves the tree into its place, its manifest first: what is there is complete.
    pub(crate) fn store(self, store: &Store) -> Result<StoredTree, StoreError> {
        let digest = self.manifest.digest();
        let place = store.layout().tree(&digest);
        store.pass(faults::UNPACKED, self.staging.path())?;
        seal::folders(self.staging.path(), &self.manifest)?;
        store.write_manifest(&self.manifest)?;
        store.pass(faults::MANIFEST, &place)?;
        match rename_into(self.staging.path(), &place) {
            Ok(()) => seal::top(&place, self.readers),
            // Somebody whose lock is not seen here was first. Theirs is as good; ours is dropped.
            Err(error) if is_taken(&error) && place.is_dir() => {}
            Err(error) => return Err(StoreError::io(&place, error)),
        }
        store.pass(faults::RENAMED, &place)?;
        store.tell(Event::Stored { tree: digest, bytes: self.manifest.unpacked_size() });
        Ok(StoredTree { digest, path: place })
    }
}

fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty)
}
