//! How a release was built, as the registry that offers it keeps it: the log, and the provenance.

use std::io::Read as _;
use std::path::Path;

use weir_index::{PackageView, ReleaseView};
use weir_model::{BuildFacts, Digest, PackageName, ReleaseId, Sha256, Version};
use weir_project::{Project, ProjectError};
use weir_reach::{Connection, Offline, ReachError, Session, connect, find, is_http};
use weir_registry::content::file_path;

use crate::error::RepoError;

/// More than a log ever has, unpacked: what builds print is cut long before.
const MAX_LOG: u64 = 64 << 20;
/// More than a statement ever has.
const MAX_STATEMENT: u64 = 16 << 20;

/// A file that tells how a release was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildEvidence {
    /// The release.
    pub release: ReleaseId,
    /// The digest of the file, as the registry holds it.
    pub digest: Sha256,
    /// What is in it, unpacked.
    pub bytes: Vec<u8>,
}

/// What a build printed.
///
/// # Errors
///
/// When there is no such release, it was not built from a recipe, or its log cannot be had or read.
pub fn build_log(
    session: &Session,
    project: Option<&Project>,
    name: &PackageName,
    version: Option<&Version>,
) -> Result<BuildEvidence, RepoError> {
    let found = Found::new(session, project, name, version)?;
    let digest = found.named("log", found.facts.log)?;
    let packed = found.read(&digest, MAX_LOG)?;
    let mut bytes = Vec::new();
    let unpacked = zstd::Decoder::new(&*packed).and_then(|log| log.take(MAX_LOG).read_to_end(&mut bytes));
    unpacked.map_err(|error| found.unreadable("log", &error))?;
    Ok(BuildEvidence { release: found.release, digest, bytes })
}

/// The in-toto statement of what a release was built from, by whom and where.
///
/// # Errors
///
/// When there is no such release, it was not built from a recipe, or the statement cannot be had.
pub fn build_provenance(
    session: &Session,
    project: Option<&Project>,
    name: &PackageName,
    version: Option<&Version>,
) -> Result<BuildEvidence, RepoError> {
    let found = Found::new(session, project, name, version)?;
    let digest = found.named("provenance", found.facts.provenance)?;
    let bytes = found.read(&digest, MAX_STATEMENT)?;
    Ok(BuildEvidence { release: found.release, digest, bytes })
}

/// A release, what is known of how it was built, and where that is.
struct Found {
    release: ReleaseId,
    facts: BuildFacts,
    connection: Connection,
    offline: bool,
}

impl Found {
    fn new(
        session: &Session,
        project: Option<&Project>,
        name: &PackageName,
        version: Option<&Version>,
    ) -> Result<Self, RepoError> {
        let connection =
            connect(session, &find(session, project.map(Project::registries), None, Path::new("."))?)?;
        let package = connection.package(name)?;
        let Some(view) = choose(session, &package, version) else {
            let place = connection.place();
            let asked = version.map(ToString::to_string).unwrap_or_default();
            let versions = package.releases.iter().map(|view| view.release.id.version.to_string());
            let versions = versions.collect();
            return Err(
                ReachError::UnknownVersion { name: name.clone(), version: asked, place, versions }.into()
            );
        };
        let release = view.release.id.clone();
        let facts = BuildFacts::read(&view.release.kind_facts)
            .map_err(|error| RepoError::NotFound(format!("of `{release}`, {error}")))?
            .unwrap_or_default();
        Ok(Self { release, facts, connection, offline: session.offline })
    }

    fn named(&self, what: &str, digest: Option<Sha256>) -> Result<Sha256, RepoError> {
        digest.ok_or_else(|| {
            RepoError::NotFound(format!(
                "`{}` has no {what}: it was published, and not built from a recipe",
                self.release
            ))
        })
    }

    /// A file of the registry, of at most `limit` bytes.
    fn read(&self, digest: &Sha256, limit: u64) -> Result<Vec<u8>, RepoError> {
        let source = &*self.connection.source;
        if self.offline && is_http(&self.connection.known.location) {
            return Err(Offline::lacks(format!("the file {digest}")).into());
        }
        let bytes = source.read(&file_path(digest), limit)?;
        let absent =
            || RepoError::NotFound(format!("`{}` does not hold the file {digest}", source.describe()));
        let bytes = bytes.ok_or_else(absent)?;
        if Digest::of(&bytes) != *digest {
            return Err(self.wrong(format!("the file {digest} has other bytes")));
        }
        Ok(bytes)
    }

    fn unreadable(&self, what: &str, error: &std::io::Error) -> RepoError {
        self.wrong(format!("its {what} cannot be unpacked: {error}"))
    }

    fn wrong(&self, reason: String) -> RepoError {
        let location = self.connection.source.describe();
        ProjectError::WrongContent { location, id: self.release.clone(), reason }.into()
    }
}

/// The newest release of a version, or of all; one for the platform in question before one for another, and what is
/// offered before what was removed.
fn choose<'p>(
    session: &Session,
    package: &'p PackageView,
    version: Option<&Version>,
) -> Option<&'p ReleaseView> {
    let platform = session.platform();
    let fits = |view: &&ReleaseView| version.is_none_or(|version| view.release.id.version == *version);
    let order = |view: &&'p ReleaseView| {
        let id = &view.release.id;
        let offered = view.standing().is_offered();
        (id.platform.serves(&platform), offered, id.version.clone(), id.revision)
    };
    let newest = package.releases.iter().filter(fits).max_by_key(order);
    newest.or_else(|| package.removed.iter().filter(fits).max_by_key(order))
}
