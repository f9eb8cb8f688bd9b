//! Content of what was admitted: fetched from above when it is first needed, by one fetch however many ask, and held from then on.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_fs::Folder;
use weir_log::{FolderSource, Found, Source, SourceError};
use weir_model::TreeDigest;
use weir_policy::Caller;
use weir_registry::content::{open_pack, pack_path};
use weir_registry::{Face, Registrar, ReplicaError, SubmitError};

use crate::connect::source_of;
use crate::error::ReachError;
use crate::session::Session;
use crate::upstream::{folder_registrar, known_upstream, upstreams_in};

/// The files of a registry in a folder that others are above.
pub(crate) struct PullingSource {
    session: Session,
    root: PathBuf,
    files: FolderSource,
}

impl PullingSource {
    pub(crate) fn new(session: &Session, root: &Path) -> Self {
        Self { session: session.clone(), root: root.to_owned(), files: FolderSource::new(root) }
    }

    /// A pack that is not here yet: from above, where it is held from then on if this folder can be written.
    fn pulled(&self, tree: &TreeDigest, offset: u64) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
        let failed = |error: &ReachError| match error {
            ReachError::Source(error)
            | ReachError::Replica(ReplicaError::Source(error))
            | ReachError::Submit(SubmitError::Unreachable(error)) => error.clone(),
            error => SourceError::NotReadable {
                what: format!("{}/{}", self.root.display(), pack_path(tree)),
                reason: weir_model::chain(error),
            },
        };
        let registrar = folder_registrar(&self.session, &self.root).map_err(|error| failed(&error))?;
        let caller = Caller::new(self.session.principal.clone(), self.session.now);
        match pull_pack(&self.session, &registrar, &self.root, &caller, tree) {
            Ok(true) => self.files.open(&pack_path(tree), offset),
            Ok(false) => Ok(None),
            Err(error) if !is_writable(&self.root) => {
                let above = above(&self.session, &registrar, &self.root, &caller, tree);
                match above {
                    Ok(Some(source)) => open_pack(&*source, tree, offset),
                    _ => Err(failed(&error)),
                }
            }
            Err(error) => Err(failed(&error)),
        }
    }
}

impl Source for PullingSource {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        self.files.read(path, limit)
    }

    fn open(&self, path: &str, offset: u64) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
        match (self.files.open(path, offset)?, Face::parse(path)) {
            (None, Some(Face::Pack(tree))) if !self.session.offline => self.pulled(&tree, offset),
            (found, _) => Ok(found),
        }
    }

    fn find(&self, path: &str) -> Result<Option<Found>, SourceError> {
        self.files.find(path)
    }

    fn describe(&self) -> String {
        self.files.describe()
    }
}

fn is_writable(root: &Path) -> bool {
    rustix::fs::access(root, rustix::fs::Access::WRITE_OK).is_ok()
}

/// Where the pack of a release that was admitted comes from; nothing if none was that may be used.
fn above(
    session: &Session,
    registrar: &Registrar,
    root: &Path,
    caller: &Caller,
    tree: &TreeDigest,
) -> Result<Option<Arc<dyn Source>>, ReachError> {
    let view = registrar.view_for(caller)?;
    let uses = view.index().by_tree(tree)?;
    let Some(origin) =
        uses.into_iter().filter(|view| view.standing().is_usable()).find_map(|view| view.origin)
    else {
        return Ok(None);
    };
    let facts = view.index().facts()?;
    let registry = facts.name.clone().unwrap_or_default();
    let Some(upstream) = upstreams_in(&facts, root)?.into_iter().find(|above| above.name == origin.registry)
    else {
        return Ok(None);
    };
    Ok(Some(source_of(session, &known_upstream(&registry, &upstream)?.location)?))
}

/// Brings the pack of a release that was admitted from above, if it is not here: by exactly one fetch, for who comes meanwhile waits and
/// finds it. Whether it is here afterwards: nothing is brought that no release of this registry consists of.
///
/// # Errors
///
/// When the registry above is not reached or does not have it, what it sends is something else, or it cannot be written here.
pub fn pull_pack(
    session: &Session,
    registrar: &Registrar,
    root: &Path,
    caller: &Caller,
    tree: &TreeDigest,
) -> Result<bool, ReachError> {
    let Some(source) = above(session, registrar, root, caller, tree)? else { return Ok(false) };
    let folder = Folder::open(root).map_err(std::io::Error::from)?;
    let waiting = folder.make_folder(".pull").map_err(std::io::Error::from)?;
    // One lock for many packs: what waits in vain waits for a download.
    let lock = waiting.lock_file(&tree.to_hex()[..2]).map_err(std::io::Error::from)?;
    lock.lock()?;
    if folder.look(pack_path(tree)).map_err(std::io::Error::from)?.is_some() {
        return Ok(true);
    }
    let Some(mut pack) = open_pack(&*source, tree, 0)? else {
        return Err(SourceError::NotReadable {
            what: format!("{}/{}", source.describe(), pack_path(tree)),
            reason: "the registry above does not have it".into(),
        }
        .into());
    };
    registrar.take_in(caller, tree, &mut pack)?;
    Ok(true)
}
