//! Fetching packs into the store, and why one could not be had.

use std::io::Read;
use std::path::{Path, PathBuf};

use weir_git::{GitError, Take};
use weir_log::{Source, SourceError};
use weir_model::lockfile::{LockedGit, LockedRelease};
use weir_model::manifest::GitTag;
use weir_model::{Release, ReleaseId, TreeDigest};
use weir_registry::content::{ContentError, pack_path, remade_pack};
use weir_store::EnsureError;
use weir_tree::Limits;

use super::{Supplier, delta};
use crate::error::ProjectError;
use weir_reach::{Counter, Event, Session, connect};

/// One tree to be fetched.
pub(super) struct PackJob {
    pub(super) id: ReleaseId,
    pub(super) tree: TreeDigest,
    /// What the record states; nothing if the lockfile does not say.
    pub(super) pack_bytes: Option<u64>,
    /// The bytes of its files, if it is said.
    pub(super) unpacked_bytes: Option<u64>,
    pub(super) limits: Limits,
    pub(super) supplier: Supplier,
    /// Other releases of the package that are here, the nearest first.
    pub(super) bases: Vec<TreeDigest>,
}

/// How many bytes a tree cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Came {
    /// Those that were fetched.
    pub(super) bytes: u64,
    /// Those of the pack that were not.
    pub(super) saved: u64,
}

impl PackJob {
    /// For progress only: what is unknown counts nothing.
    pub(super) fn bytes(&self) -> u64 {
        self.pack_bytes.unwrap_or_default()
    }

    pub(super) fn fetch(&self, session: &Session, store: &weir_store::Session) -> Result<Came, ProjectError> {
        let counter = Counter::new(session);
        let Self { tree, pack_bytes, limits, .. } = self;
        let bytes = match delta::fetch(self, session, store, &counter) {
            Some(bytes) => bytes,
            None => {
                let once = || ensure(store, &*self.supplier.source, tree, *pack_bytes, limits, &counter);
                let came = match once() {
                    Err(Failure::Store(error)) if error.is_integrity() && self.is_mended(session)? => once(),
                    came => came,
                };
                came.map_err(|failure| match failure {
                    Failure::Store(error) if !error.is_integrity() => {
                        ProjectError::of_store(store, &self.id, self.unpacked_bytes, error)
                    }
                    failure => self.explain(session, failure),
                })?;
                self.bytes()
            }
        };
        counter.to(self.bytes());
        session.report(&Event::Fetched { release: self.id.clone() });
        Ok(Came { bytes, saved: self.bytes().saturating_sub(bytes) })
    }

    /// Whether a pack that is damaged in its registry was brought there again from above.
    fn is_mended(&self, session: &Session) -> Result<bool, ProjectError> {
        let mended = self.supplier.source.mend(&pack_path(&self.tree));
        let mended = mended.map_err(|error| self.explain(session, Failure::Source(error)))?;
        if mended {
            let (id, registry) = (&self.id, &self.supplier.known.name);
            session.warn(format!(
                "the pack of `{id}` was damaged in the registry `{registry}`, and was brought again from above"
            ));
        }
        Ok(mended)
    }

    /// A registry that does not serve what it offered may have withdrawn it: its log says so.
    fn explain(&self, session: &Session, failure: Failure) -> ProjectError {
        let (id, location) = (self.id.clone(), self.supplier.known.location.clone());
        match failure {
            Failure::Source(source) => {
                ProjectError::NotFetched { id, registry: self.supplier.known.name.clone(), source }
            }
            Failure::Wrong(reason) => ProjectError::WrongContent { location, id, reason },
            Failure::Store(error) if error.is_integrity() => {
                ProjectError::WrongContent { location, id, reason: weir_model::chain(&error) }
            }
            Failure::Store(error) => error.into(),
            Failure::Absent(lost) => {
                let view = connect(session, &self.supplier.known)
                    .ok()
                    .and_then(|connection| connection.replica.index().release(&id).ok().flatten());
                let withdrawn = view.as_ref().and_then(|view| {
                    let withdrawn = view.withdrawn()?;
                    let reason = withdrawn.reason.as_deref().unwrap_or("no reason was given");
                    Some(format!(
                        "it is {} since {}, by {}: {reason}",
                        view.standing(),
                        withdrawn.mark.at,
                        withdrawn.mark.by
                    ))
                });
                ProjectError::ContentMissing { location, id, tree: self.tree, withdrawn, lost }
            }
        }
    }
}

/// Why one tree could not be had.
enum Failure {
    /// Or a part of it, which is told then.
    Absent(Option<String>),
    /// What it is made again of is not what it must be.
    Wrong(String),
    Source(SourceError),
    Store(weir_store::StoreError),
}

fn ensure(
    store: &weir_store::Session,
    source: &dyn Source,
    tree: &TreeDigest,
    size: Option<u64>,
    limits: &Limits,
    counter: &Counter,
) -> Result<PathBuf, Failure> {
    let open = |offset| -> Result<Box<dyn Read + Send>, Failure> {
        counter.to(offset);
        match source.open(&pack_path(tree), offset) {
            Ok(Some(stream)) => Ok(Box::new(counter.read(stream))),
            Ok(None) => Err(Failure::Absent(None)),
            Err(error) => Err(Failure::Source(error)),
        }
    };
    match store.download_tree(tree, size, limits, open) {
        Ok(stored) => Ok(stored.path().to_owned()),
        Err(EnsureError::Source(Failure::Absent(_))) => ensure_remade(store, source, tree, limits),
        Err(EnsureError::Source(failure)) => Err(failure),
        Err(EnsureError::Store(error)) => Err(match error.pack_source().and_then(SourceError::of) {
            Some(error) => Failure::Source(error.clone()),
            None => Failure::Store(error),
        }),
    }
}

/// The tree of a pack that the registry does not keep, but tells how it is made again. How many bytes that has depends on who makes it.
fn ensure_remade(
    store: &weir_store::Session,
    source: &dyn Source,
    tree: &TreeDigest,
    limits: &Limits,
) -> Result<PathBuf, Failure> {
    let open = || -> Result<Box<dyn Read + Send>, Failure> {
        let made = remade_pack(source, tree, limits).map_err(|error| match error {
            ContentError::Source(error) => Failure::Source(error),
            error @ ContentError::Absent { .. } => Failure::Absent(Some(error.to_string())),
            error if error.is_integrity() => Failure::Wrong(weir_model::chain(&error)),
            error => Failure::Source(SourceError::NotReadable {
                what: format!("{}/{}", source.describe(), pack_path(tree)),
                reason: weir_model::chain(&error),
            }),
        })?;
        Ok(Box::new(made.ok_or(Failure::Absent(None))?.pack))
    };
    match store.ensure_tree(tree, None, limits, open) {
        Ok(stored) => Ok(stored.path().to_owned()),
        Err(EnsureError::Source(failure)) => Err(failure),
        Err(EnsureError::Store(error)) => Err(Failure::Store(error)),
    }
}

/// Makes sure that a release's tree is in the store, and says where.
///
/// # Errors
///
/// [`ProjectError::ContentMissing`] when the registry does not serve it, and what the registry or the store says.
pub fn ensure_release(
    store: &weir_store::Session,
    source: &dyn Source,
    release: &Release,
) -> Result<PathBuf, ProjectError> {
    let limits = Limits::stated(release.unpacked, Some(release.files));
    let counter = Counter::silent();
    ensure(store, source, &release.tree, Some(release.size), &limits, &counter).map_err(|failure| {
        match failure {
            Failure::Wrong(reason) => {
                ProjectError::WrongContent { location: source.describe(), id: release.id.clone(), reason }
            }
            Failure::Absent(lost) => ProjectError::ContentMissing {
                location: source.describe(),
                id: release.id.clone(),
                tree: release.tree,
                withdrawn: None,
                lost,
            },
            Failure::Source(error) => ProjectError::NotFetched {
                id: release.id.clone(),
                registry: source.describe(),
                source: error,
            },
            Failure::Store(error) => {
                ProjectError::of_store(store, &release.id, Some(release.unpacked), error)
            }
        }
    })
}

/// Makes sure that a tree is in the store, from a registry that may hold its pack; nothing if it does not.
///
/// # Errors
///
/// What the registry or the store says.
pub fn pack_from_registry(
    store: &weir_store::Session,
    source: &dyn Source,
    tree: &TreeDigest,
    size: u64,
) -> Result<Option<PathBuf>, ProjectError> {
    match ensure(store, source, tree, Some(size), &Limits::default(), &Counter::silent()) {
        Ok(path) => Ok(Some(path)),
        Err(Failure::Absent(_)) => Ok(None),
        Err(Failure::Wrong(reason)) => {
            let what = format!("{}/{}", source.describe(), pack_path(tree));
            Err(SourceError::NotReadable { what, reason }.into())
        }
        Err(Failure::Source(error)) => Err(error.into()),
        Err(Failure::Store(error)) => Err(error.into()),
    }
}

/// A repository is asked only when the store lacks its tree: whoever has the lockfile and the store needs it no more.
pub(super) fn fetch_git(
    session: &Session,
    store: &weir_store::Session,
    folder: &Path,
    release: &LockedRelease,
    git: &LockedGit,
    tree: TreeDigest,
) -> Result<(), ProjectError> {
    let locked = GitTag { url: git.url.clone(), tag: git.tag.clone() };
    let tag = weir_git::at(&locked, folder);
    let fetched = session
        .git()
        .fetch(store, &tag, &Take::Package(git.manifest.clone()))
        .map_err(|error| ProjectError::from_git("weir.lock", &release.name, &locked, error))?;
    if fetched.commit != git.commit {
        let (before, after) = (git.commit.clone(), fetched.commit);
        return Err(GitError::TagMoved { url: tag.url, tag: tag.tag, before, after }.into());
    }
    if fetched.tree != tree {
        return Err(ProjectError::WrongContent {
            location: git.url.clone(),
            id: release.id(),
            reason: format!("the commit gives the tree {}, the lockfile has {tree}", fetched.tree),
        });
    }
    Ok(())
}
