//! What a project has from elsewhere than registries, and what of that is something else there by now.

use serde::Serialize;
use weir_client::FluidLook;
use weir_model::manifest::GitTag;
use weir_model::{PackageName, ReleaseId};
use weir_reach::Session;

use crate::error::ProjectError;
use crate::project::Project;
use crate::references::Looking;

/// What is something else by now at the place that it came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct MovedOutside {
    /// Tags of repositories that name another commit.
    pub tags: Vec<MovedTag>,
    /// Fluid references whose addresses have other bytes, or do not say.
    pub references: Vec<MovedReference>,
}

/// A tag that names another commit than the one that is locked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct MovedTag {
    /// The package that comes from it.
    pub name: PackageName,
    /// The repository.
    pub url: String,
    /// The tag.
    pub tag: String,
    /// The commit that is locked.
    pub locked: String,
    /// The commit that it names now.
    pub now: String,
}

/// A fluid reference that is not known to be what is locked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct MovedReference {
    /// Its name.
    pub name: String,
    /// The release that has it; nothing for the project's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<ReleaseId>,
    /// Whether other bytes are known to be there. Some addresses do not tell without giving all of them.
    pub certain: bool,
}

impl MovedOutside {
    /// Whether nothing moved.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty() && self.references.is_empty()
    }
}

/// Asks the places that tags and fluid references came from whether they still have what is locked. Nothing is fetched; offline, nobody is asked. Whoever
/// watches is warned of those that do not say.
///
/// # Errors
///
/// When this machine's notes of addresses cannot be read.
pub(crate) fn moved_outside(session: &Session, project: &Project) -> Result<MovedOutside, ProjectError> {
    let Some(lock) = project.lock.as_ref().filter(|_| !session.offline) else {
        return Ok(MovedOutside::default());
    };
    let mut moved = MovedOutside::default();
    let git = session.git();
    let looking = Looking::new(session)?;
    let own = lock.references.iter().map(|reference| (None, reference));
    let of_releases = lock
        .releases
        .iter()
        .flat_map(|release| release.references.iter().map(|reference| (Some(release.id()), reference)));
    for (of, reference) in own.chain(of_releases).filter(|(_, reference)| reference.fluid) {
        let certain = match looking.at(reference, &project.folder) {
            Ok(FluidLook::Unchanged) => continue,
            Ok(FluidLook::Changed) => true,
            Ok(FluidLook::Unknown) => false,
            // What else is behind is worth telling all the same.
            Err(error) => {
                session.warn(error.to_string());
                continue;
            }
        };
        moved.references.push(MovedReference { name: reference.name.clone(), of, certain });
    }
    for release in &lock.releases {
        let Some(locked) = &release.git else { continue };
        let tag = weir_git::at(&GitTag { url: locked.url.clone(), tag: locked.tag.clone() }, &project.folder);
        let now = git.commit_now(&tag).unwrap_or_else(|error| {
            session.warn(error.to_string());
            None
        });
        let Some(now) = now.filter(|now| *now != locked.commit) else { continue };
        moved.tags.push(MovedTag {
            name: release.name.clone(),
            url: locked.url.clone(),
            tag: locked.tag.clone(),
            locked: locked.commit.clone(),
            now,
        });
    }
    Ok(moved)
}
