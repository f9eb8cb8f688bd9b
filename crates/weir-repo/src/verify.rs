//! Proving what a repository promises.

use weir_project::Project;
use weir_reach::{Session, Verify, registry_verify};
use weir_registry::RegistryAudit;

use crate::error::RepoError;

/// Recomputes the registry of a repository, and demands a closed world of it whatever it says of itself: nothing
/// that is offered misses what it was built with, or was built with something older; all content is there and
/// intact, byte for byte, and nothing else is. Over HTTP all of it is fetched.
///
/// # Errors
///
/// When it cannot be audited at all. What is wrong with it is in the report.
pub fn repo_verify(
    session: &Session,
    project: Option<&Project>,
    folder: &std::path::Path,
) -> Result<RegistryAudit, RepoError> {
    let how = Verify { read: true, closed: true };
    Ok(registry_verify(session, project.map(Project::registries), None, folder, how)?)
}
