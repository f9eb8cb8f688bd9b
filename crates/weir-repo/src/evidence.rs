//! How a release was built, as the registry that offers it keeps it: the log, and the provenance.

use std::path::Path;

use weir_index::{PackageView, ReleaseView};
use weir_model::{BuildFacts, PackageName, ReleaseId, Sha256, Version};
use weir_project::{Project, ProjectError};
use weir_reach::{Connection, Offline, ReachError, Session, connect, find, is_http};
use weir_registry::Evidence;
use weir_registry::content::{ContentError, shown_evidence};

use crate::error::RepoError;

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
    found.read(Evidence::Log { digest }, digest)
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
    found.read(Evidence::Provenance { digest }, digest)
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

    /// A document of the registry, as it is read.
    fn read(self, evidence: Evidence, digest: Sha256) -> Result<BuildEvidence, RepoError> {
        let source = &*self.connection.source;
        if self.offline && is_http(&self.connection.known.location) {
            return Err(Offline::lacks_thing(format!("the file {digest}")).into());
        }
        let location = source.describe();
        let shown = match shown_evidence(source, &evidence, usize::MAX) {
            Ok(shown) => shown.and_then(|shown| shown.bytes),
            Err(ContentError::Source(error)) => return Err(error.into()),
            Err(error) => {
                let (id, reason) = (self.release, error.to_string());
                return Err(ProjectError::WrongContent { location, id, reason }.into());
            }
        };
        let absent = || RepoError::NotFound(format!("`{location}` does not hold the file {digest}"));
        Ok(BuildEvidence { release: self.release, digest, bytes: shown.ok_or_else(absent)? })
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
