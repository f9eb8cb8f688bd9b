//! Where things lie under the store's root, and the format file that says so.

use std::io;
use std::path::{Path, PathBuf};

use weir_model::{InputDigest, Sha256, TreeDigest};

use crate::error::{AtPath as _, StoreError};
use crate::readers::Readers;
use crate::staging;

/// What the format file holds, without its newline.
pub(crate) const FORMAT: &str = "weir-store v1";

const FORMAT_FILE: &str = "format";

/// A format file is read up to here, whatever it is.
const MAX_FORMAT_BYTES: u64 = 256;

/// The folders of a store. A root that holds nothing else is one whose making was interrupted.
const FOLDERS: [&str; 6] = ["tree", "file", "derived", "projects", "lock", "tmp"];

/// The paths of one store.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Opens the store at `root`, making it if there is none.
    pub(crate) fn open(root: &Path, readers: Readers) -> Result<Self, StoreError> {
        let layout = Self { root: root.to_owned() };
        match layout.read_format() {
            Ok(()) => Ok(layout),
            Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                layout.create(readers)?;
                Ok(layout)
            }
            Err(error) => Err(error),
        }
    }

    fn read_format(&self) -> Result<(), StoreError> {
        use std::io::Read as _;
        let path = self.root.join(FORMAT_FILE);
        let mut bytes = Vec::new();
        let file = fs_err::File::open(&path).at(&path)?;
        file.take(MAX_FORMAT_BYTES).read_to_end(&mut bytes).at(&path)?;
        let found = String::from_utf8_lossy(&bytes);
        match found.trim_end() {
            FORMAT => Ok(()),
            found => {
                Err(StoreError::Newer { path: self.root.clone(), found: found.escape_debug().collect() })
            }
        }
    }

    /// Makes the folders, then the format file, which says that they are all there.
    fn create(&self, readers: Readers) -> Result<(), StoreError> {
        self.create_root(readers).at(&self.root)?;
        for entry in fs_err::read_dir(&self.root).at(&self.root)? {
            let name = entry.at(&self.root)?.file_name();
            let ours = FOLDERS.iter().any(|folder| name == *folder) || name == FORMAT_FILE;
            if !ours {
                let holds = name.to_string_lossy().into_owned();
                return Err(StoreError::NotAStore { path: self.root.clone(), holds });
            }
        }
        for folder in FOLDERS {
            let path = self.root.join(folder);
            fs_err::create_dir_all(&path).at(&path)?;
        }
        let gc = self.gc_lock();
        fs_err::OpenOptions::new().create(true).append(true).open(&gc).at(&gc)?;
        let draft = self.tmp().join(format!("format.{}", staging::unique()));
        fs_err::write(&draft, format!("{FORMAT}\n")).at(&draft)?;
        fs_err::rename(&draft, self.root.join(FORMAT_FILE)).at(&self.root)
    }

    /// Makes the store's own folder. One that is there was made by somebody who knows whom it is for.
    fn create_root(&self, readers: Readers) -> io::Result<()> {
        if let Some(above) = self.root.parent() {
            fs_err::create_dir_all(above)?;
        }
        let mode = rustix::fs::Mode::from_raw_mode(readers.of_mode(0o777));
        match rustix::fs::mkdir(&self.root, mode) {
            Err(rustix::io::Errno::EXIST) => Ok(()),
            made => Ok(made?),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn trees(&self) -> PathBuf {
        self.root.join("tree")
    }

    pub(crate) fn files(&self) -> PathBuf {
        self.root.join("file")
    }

    pub(crate) fn derivations(&self) -> PathBuf {
        self.root.join("derived")
    }

    pub(crate) fn projects(&self) -> PathBuf {
        self.root.join("projects")
    }

    pub(crate) fn locks(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(crate) fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    pub(crate) fn tree(&self, digest: &TreeDigest) -> PathBuf {
        sharded(self.trees(), &digest.to_hex())
    }

    pub(crate) fn manifest(&self, digest: &TreeDigest) -> PathBuf {
        let mut path = self.tree(digest).into_os_string();
        path.push(MANIFEST_SUFFIX);
        path.into()
    }

    pub(crate) fn file(&self, digest: &Sha256) -> PathBuf {
        sharded(self.files(), &digest.to_hex())
    }

    pub(crate) fn derivation(&self, inputs: &InputDigest) -> PathBuf {
        sharded(self.derivations(), &inputs.to_hex())
    }

    pub(crate) fn project(&self, identity: &Sha256) -> PathBuf {
        self.projects().join(identity.to_hex())
    }

    pub(crate) fn lock(&self, item: &str) -> PathBuf {
        self.locks().join(item)
    }

    pub(crate) fn gc_lock(&self) -> PathBuf {
        self.lock(GC_LOCK)
    }
}

/// The name of the lock that the collector takes.
pub(crate) const GC_LOCK: &str = "gc";

/// What follows a tree's digest in the name of its manifest.
pub(crate) const MANIFEST_SUFFIX: &str = ".manifest";

/// `<aa>/<hex>`: no folder grows beyond what a file system likes.
fn sharded(mut folder: PathBuf, hex: &str) -> PathBuf {
    folder.push(&hex[..2]);
    folder.push(hex);
    folder
}

/// Renames into a sharded place, whose folder may not be there yet.
pub(crate) fn rename_into(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::rename(from, to) {
        Err(rustix::io::Errno::NOENT) => {
            if let Some(folder) = to.parent() {
                fs_err::create_dir_all(folder)?;
            }
            Ok(rustix::fs::rename(from, to)?)
        }
        done => Ok(done?),
    }
}
