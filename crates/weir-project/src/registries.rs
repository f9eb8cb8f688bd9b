//! The registries of a project: named in its manifest, and beside them those of the user.

use std::path::Path;

use weir_model::manifest;
use weir_model::manifest::RegistryAddress;
use weir_reach::{KnownRegistry, ManifestRegistries, Session};

use crate::error::ProjectError;
use crate::project::Project;

impl Project {
    /// What its manifest says of registries.
    pub fn registries(&self) -> ManifestRegistries<'_> {
        ManifestRegistries { folder: &self.folder, named: &self.manifest.registries }
    }
}

/// Names a registry, in the project's manifest or else in the user's configuration.
///
/// # Errors
///
/// When the name is no name, the address no address, or the file cannot be written.
pub fn registry_add(
    session: &Session,
    project: Option<&mut Project>,
    name: &str,
    address: &RegistryAddress,
    folder: &Path,
) -> Result<KnownRegistry, ProjectError> {
    let Some(project) = project else {
        return Ok(weir_reach::registry_add(session, name, address, folder)?);
    };
    weir_reach::check_new(session, name, address, &project.folder)?;
    let alone = project.hold(session)?;
    let edited = project.edited(|editing| editing.set_registry(name, address))?;
    project.set(edited)?;
    project.write_manifest(&alone)?;
    Ok(weir_reach::known_registry(name.into(), address, &project.folder, manifest::FILE_NAME.into()))
}

/// Forgets a registry's name, where the project or else the user's configuration gives it; and what this machine
/// knows of the registry, its pinned key included.
///
/// # Errors
///
/// When nothing is named so, or a file cannot be written.
pub fn registry_remove(
    session: &Session,
    project: Option<&mut Project>,
    name: &str,
) -> Result<KnownRegistry, ProjectError> {
    let known = weir_reach::registries(session, project.as_deref().map(Project::registries))?;
    let registry = weir_reach::named(&known, name)?;
    match project {
        Some(project) if registry.from == manifest::FILE_NAME => {
            let alone = project.hold(session)?;
            let edited = project.edited(|editing| editing.remove_registry(name))?;
            project.set(edited)?;
            project.write_manifest(&alone)?;
        }
        _ => weir_reach::registry_unname(session, name)?,
    }
    weir_reach::forget(session, &known, registry)?;
    Ok(registry.clone())
}
