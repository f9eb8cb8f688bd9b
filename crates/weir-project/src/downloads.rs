//! How often a package was downloaded, by the word of the server that sent it.

use std::path::Path;

use weir_model::PackageName;
use weir_reach::{Session, find, open_served};
use weir_wire::downloads::PackageDownloads;

use crate::error::ProjectError;
use crate::project::Project;

/// Asks how often a package was downloaded in the last days.
///
/// # Errors
///
/// When its registry is no server's, or knows no such package.
pub fn downloads(
    session: &Session,
    project: Option<&Project>,
    name: &PackageName,
    days: u32,
) -> Result<PackageDownloads, ProjectError> {
    let known = find(session, project.map(Project::registries), None, Path::new("."))?;
    let registry = open_served(session, &known)?;
    Ok(registry.downloads(name, days).map_err(weir_reach::ReachError::from)?)
}

/// The same of the last month, where the registry is a server's that says so: it is told besides other things, and is not worth an error.
pub(crate) fn downloads_if_any(
    session: &Session,
    known: &weir_reach::KnownRegistry,
    name: &PackageName,
) -> Option<PackageDownloads> {
    const DAYS: u32 = 30;
    if session.offline || !weir_reach::is_http(&known.location) {
        return None;
    }
    open_served(session, known).ok()?.downloads(name, DAYS).ok()
}
