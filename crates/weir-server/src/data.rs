//! What a server keeps, in one folder:
//!
//! ```text
//! weir-server.toml      what an administrator writes
//! registries/<name>/    a registry each, byte for byte as without a server
//! keys/                 what signs for them
//! state.db              accounts: who there is, and which tokens speak for whom
//! webhooks.db           who is told what happens, and what waits to be sent to them
//! requests.db           promotions that wait until others have approved them
//! activity.db           what happened: who did what, and what was refused
//! downloads.db          how often what was downloaded, by day
//! measures.db           how the server answered, by day
//! uploads/              what was uploaded in part
//! views/                what is known of the registries; made anew from them when it is lost
//! ```
//!
//! All but the registries is for the eyes of who runs the server only.

use std::fs::Permissions;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use weir_reach::Home;
use weir_registry::ReplicaHome;

/// The folder of a server.
#[derive(Debug, Clone)]
pub struct DataFolder {
    root: PathBuf,
}

/// The folder of a server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A person named another folder than they meant, perhaps: nothing was written there.
    #[error("`{}` is not empty, and holds no server's data", folder.display())]
    Strange {
        /// The folder.
        folder: PathBuf,
    },
    /// The file system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl DataFolder {
    /// The name of the file of the settings.
    pub const SETTINGS: &str = "weir-server.toml";

    /// The name of the folder of the registries.
    const REGISTRIES: &str = "registries";

    /// The data of a server in `root`. Nothing is touched yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file of the settings, which need not be there.
    pub fn settings(&self) -> PathBuf {
        self.root.join(Self::SETTINGS)
    }

    /// The folder of the keys that sign for them.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// The file of the accounts.
    pub fn accounts(&self) -> PathBuf {
        self.root.join("state.db")
    }

    /// The file of what waits for approvals.
    pub fn requests(&self) -> PathBuf {
        self.root.join("requests.db")
    }

    /// The file of who is told what happens.
    pub fn webhooks(&self) -> PathBuf {
        self.root.join("webhooks.db")
    }

    /// The file of what happened.
    pub fn activity(&self) -> PathBuf {
        self.root.join("activity.db")
    }

    /// The file of how often content was downloaded.
    pub fn downloads(&self) -> PathBuf {
        self.root.join("downloads.db")
    }

    /// The file of how the server answered.
    pub fn measures(&self) -> PathBuf {
        self.root.join("measures.db")
    }

    /// The folder of uploads that are not whole yet.
    pub fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    /// The views of the registries, and of those above them.
    pub fn views(&self) -> ReplicaHome {
        self.home().replicas().lasting()
    }

    /// Where what is known of other registries is kept; in `credentials.toml` of the data folder stands what proves to their servers who
    /// asks.
    pub(crate) fn home(&self) -> Home {
        Home::new(self.root.join("views"), &self.root)
    }

    /// The folder of the registries.
    pub fn registries(&self) -> PathBuf {
        self.root.join(Self::REGISTRIES)
    }

    /// The folders that a server writes in.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        vec![self.root.clone(), self.registries(), self.keys(), self.uploads(), self.root.join("views")]
    }

    /// The files that a server writes.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        vec![
            self.accounts(),
            self.webhooks(),
            self.requests(),
            self.activity(),
            self.downloads(),
            self.measures(),
        ]
    }

    /// Refuses a folder that has something else in it than a server's data: whoever named it meant another, perhaps.
    ///
    /// # Errors
    ///
    /// When that is so, or it cannot be looked into.
    pub fn refuse_strange(&self) -> Result<(), DataError> {
        match self.settings().exists() || self.registries().exists() || self.is_free()? {
            true => Ok(()),
            false => Err(DataError::Strange { folder: self.root.clone() }),
        }
    }

    /// Makes what is missing of it. Harmless when nothing is.
    ///
    /// # Errors
    ///
    /// When there is something else in the folder, or it cannot be written.
    pub fn make(&self) -> Result<(), DataError> {
        self.refuse_strange()?;
        // Who may read a registry the server decides, and not whoever has an account on the machine. A folder that is there keeps its mode.
        if let Some(above) = self.root.parent() {
            fs_err::create_dir_all(above)?;
        }
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.root)?;
        fs_err::create_dir_all(self.registries())?;
        for private in [self.keys(), self.uploads(), self.root.join("views")] {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(private)?;
        }
        Ok(())
    }

    /// Takes from everybody else what is for who runs the server only, as a copy that was put back may not be. Gives what was open, and
    /// why it still is, where it could not be closed.
    ///
    /// # Errors
    ///
    /// When it cannot be looked at.
    pub(crate) fn close(&self) -> Result<Vec<(PathBuf, Option<std::io::Error>)>, std::io::Error> {
        let folders = [self.keys(), self.uploads(), self.root.join("views")].map(|path| (path, 0o700));
        let ends = [".db", ".db-wal", ".db-shm"];
        let is_private = |path: &PathBuf| {
            let name = path.to_string_lossy();
            *path == self.home().credentials() || ends.iter().any(|end| name.ends_with(end))
        };
        let paths = |folder: &Path| -> Result<Vec<PathBuf>, std::io::Error> {
            fs_err::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
        };
        let (files, keys) = (paths(&self.root)?, paths(&self.keys())?);
        let files = files.into_iter().filter(is_private).chain(keys).filter(|path| path.is_file());
        let mut open = Vec::new();
        for (path, mode) in folders.into_iter().chain(files.map(|path| (path, 0o600))) {
            // Of a link, what it leads to is meant.
            if fs_err::metadata(&path)?.permissions().mode() & 0o077 != 0 {
                let closed = fs_err::set_permissions(&path, Permissions::from_mode(mode));
                open.push((path, closed.err()));
            }
        }
        Ok(open)
    }

    fn is_free(&self) -> Result<bool, std::io::Error> {
        match fs_err::read_dir(&self.root) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
            entries => Ok(entries?.next().is_none()),
        }
    }
}
