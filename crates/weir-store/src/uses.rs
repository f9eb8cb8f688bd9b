//! Who uses what: the projects' lockfiles, turned around.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_model::{Lockfile, Sha256, TreeDigest, lockfile};

use crate::error::StoreError;
use crate::project::Project;
use crate::store::Store;

/// The projects that use a tree or a file.
pub(crate) type Users = BTreeSet<Arc<Path>>;

/// What the projects of a store use.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    trees: BTreeMap<TreeDigest, Users>,
    files: BTreeMap<Sha256, Users>,
    /// Projects of this machine whose folders are gone.
    pub(crate) gone: Vec<Project>,
    /// Projects that use nobody knows what.
    pub(crate) unreadable: Vec<UnreadableProject>,
}

/// A project whose lockfile cannot be read, so that nobody knows what it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableProject {
    /// Its folder.
    pub path: PathBuf,
    /// The machine it lies on.
    pub machine: String,
    /// Why its lockfile cannot be read.
    pub reason: String,
}

impl Uses {
    /// Reads every project's lockfiles: the one installed last, and the one in its folder now.
    pub(crate) fn gather(store: &Store) -> Result<Self, StoreError> {
        let mut uses = Self::default();
        for project in store.projects()? {
            if project.is_here && is_gone(&project.path) {
                uses.gone.push(project);
                continue;
            }
            let who: Arc<Path> = project.path.as_path().into();
            let present = if project.is_here { read_lockfile(&project.path) } else { Ok(None) };
            for lock in [project.installed.map(Some), present] {
                match lock {
                    Ok(Some(lock)) => uses.add(&who, &lock),
                    Ok(None) => {}
                    Err(reason) => uses.unreadable.push(UnreadableProject {
                        path: project.path.clone(),
                        machine: project.machine.clone(),
                        reason,
                    }),
                }
            }
        }
        Ok(uses)
    }

    fn add(&mut self, who: &Arc<Path>, lock: &Lockfile) {
        for tree in trees_of(lock) {
            self.trees.entry(tree).or_default().insert(who.clone());
        }
        for (file, _) in files_of(lock) {
            self.files.entry(file).or_default().insert(who.clone());
        }
    }

    pub(crate) fn of_tree(&self, digest: &TreeDigest) -> Option<&Users> {
        self.trees.get(digest)
    }

    pub(crate) fn of_file(&self, digest: &Sha256) -> Option<&Users> {
        self.files.get(digest)
    }
}

/// The trees a lockfile names.
pub(crate) fn trees_of(lock: &Lockfile) -> BTreeSet<TreeDigest> {
    lock.releases.iter().filter_map(|release| release.tree).collect()
}

/// The files that references in a lockfile name, and how many bytes each has.
pub(crate) fn files_of(lock: &Lockfile) -> BTreeMap<Sha256, u64> {
    let of_releases = lock.releases.iter().flat_map(|release| &release.references);
    of_releases.chain(&lock.references).map(|reference| (reference.sha256, reference.size)).collect()
}

fn is_gone(folder: &Path) -> bool {
    fs_err::metadata(folder)
        .is_err_and(|error| matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
}

fn read_lockfile(folder: &Path) -> Result<Option<Lockfile>, String> {
    let file = match fs_err::File::open(folder.join(lockfile::FILE_NAME)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let mut text = String::new();
    let limit = lockfile::MAX_BYTES as u64 + 1;
    file.take(limit).read_to_string(&mut text).map_err(|error| error.to_string())?;
    Lockfile::parse(&text).map(Some).map_err(|error| error.to_string())
}
