//! How what a package of Elm offers differs between two of its releases, or from a release to what somebody works on.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::Serialize;
use weir_elm::api::{Api, Difference};
use weir_elm_protocol::{ReleaseFile, files};
use weir_model::{PackageName, ReleaseId, Version};
use weir_reach::{Connection, ReachError, Session, connect, find};

use crate::elm_docs;
use crate::error::ProjectError;
use crate::project::Project;
use crate::publish::PreparedPackage;

/// One of the two that are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ElmSide {
    /// A release; the newest where no version is said.
    Release(PackageName, Option<Version>),
    /// What is in a folder now.
    Folder(PathBuf),
}

/// The difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ElmDiff {
    /// What was offered: a release, or a folder.
    pub from: String,
    /// What is offered.
    pub to: String,
    /// How they differ.
    #[serde(flatten)]
    pub difference: Difference,
}

/// Compares. Of what is in a folder, the compiler on `programs`, a `PATH`, makes the documentation.
///
/// # Errors
///
/// When one of them is not there, or nobody made documentation of it.
pub fn elm_diff(
    session: &Session,
    project: Option<&Project>,
    from: &ElmSide,
    to: &ElmSide,
    programs: &OsStr,
) -> Result<ElmDiff, ProjectError> {
    let (old_name, old) = api(session, project, from, programs)?;
    let (new_name, new) = api(session, project, to, programs)?;
    Ok(ElmDiff { from: old_name, to: new_name, difference: Difference::between(&old, &new) })
}

fn api(
    session: &Session,
    project: Option<&Project>,
    side: &ElmSide,
    programs: &OsStr,
) -> Result<(String, Api), ProjectError> {
    let (name, docs) = match side {
        ElmSide::Release(name, version) => of_release(session, project, name, version.as_ref())?,
        ElmSide::Folder(folder) => of_folder(session, folder, programs)?,
    };
    let api = Api::parse(&docs).map_err(|error| ProjectError::Usage(format!("`{name}`: {error}")))?;
    Ok((name, api))
}

fn of_release(
    session: &Session,
    project: Option<&Project>,
    name: &PackageName,
    version: Option<&Version>,
) -> Result<(String, Vec<u8>), ProjectError> {
    let known = find(session, project.map(Project::registries), None, Path::new("."))?;
    let connection: Connection = connect(session, &known)?;
    let package = connection.package(name)?;
    let unknown = || ReachError::UnknownVersion {
        name: name.clone(),
        version: version.map(ToString::to_string).unwrap_or_default(),
        place: connection.place(),
        versions: package.releases.iter().map(|view| view.release.id.version.to_string()).collect(),
    };
    let newest = || package.newest().map(|view| &view.release.id.version);
    let version = version.or_else(newest).ok_or_else(unknown)?;
    let view = files::find(connection.replica.index(), name, version).map_err(std::io::Error::other)?;
    let view = view.ok_or_else(unknown)?;
    let id: &ReleaseId = &view.release.id;
    let docs = files::read(&*connection.source, &view, ReleaseFile::Docs).map_err(std::io::Error::other)?;
    let docs = docs.filter(|docs| docs.as_slice() != files::NO_DOCS);
    let docs = docs.ok_or_else(|| {
        ProjectError::Usage(format!(
            "`{id}` has no `docs.json`: it was published where there was no compiler"
        ))
    })?;
    Ok((id.to_string(), docs))
}

fn of_folder(session: &Session, folder: &Path, programs: &OsStr) -> Result<(String, Vec<u8>), ProjectError> {
    let package = PreparedPackage::read(session, folder)?;
    let id = package.package.id.clone();
    let with_docs = elm_docs::with_docs(session, package, &[], programs)?;
    let docs = with_docs.folder().join(ReleaseFile::Docs.file_name());
    let docs = weir_fs::read(&docs, elm_docs::MAX_DOCS).map_err(|_| {
        ProjectError::Usage(format!("there is no `docs.json` of `{id}`, and the compiler could not make one"))
    })?;
    Ok((format!("{}, as it is here", id.name), docs))
}
