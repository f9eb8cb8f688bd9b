//! Changing what a project asks for: add, remove, update. The manifest's text keeps its comments, and is
//! written only when what it asks for could be resolved and fetched.

use std::collections::BTreeMap;

use serde::Serialize;
use weir_model::manifest::{GitTag, Reference, Requirement, Source};
use weir_model::{PackageName, Range, Scope, Version, nearest};

use crate::error::ProjectError;
use crate::install::{InstallOptions, InstallReport, install_lock, wanted_lock};
use crate::moving::Moving;
use crate::project::{Project, edited};
use crate::world::World;
use crate::{local, references};
use weir_reach::{Connections, ReachError, Session};

/// Something to be added to a manifest.
#[derive(Debug, Clone, PartialEq)]
pub enum Addition {
    /// A dependency.
    Package {
        /// The package.
        name: PackageName,
        /// The versions that would do; the newest and what is compatible with it where nothing is said.
        range: Option<Range>,
        /// What it is needed for.
        scope: Scope,
        /// Whether it may move without a new release of this package.
        fluid: bool,
        /// The registry it must come from.
        registry: Option<String>,
        /// Where it comes from if not from a registry.
        source: Source,
    },
    /// An external file.
    Reference {
        /// Its name.
        name: String,
        /// Where it is.
        url: String,
        /// Whether it is an archive to be unpacked.
        unpack: bool,
        /// Whether it may move.
        fluid: bool,
    },
}

/// What adding did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AddReport {
    /// What the manifest asks for now, as `name range`.
    pub added: Vec<String>,
    /// What installing did.
    pub install: InstallReport,
}

/// What removing did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RemoveReport {
    /// What the manifest no longer asks for.
    pub removed: Vec<PackageName>,
    /// The references it no longer names.
    pub references: Vec<String>,
    /// What installing did.
    pub install: InstallReport,
}

/// What updating did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UpdateReport {
    /// Ranges of the manifest that moved.
    pub ranges: Vec<RangeChange>,
    /// What installing did.
    pub install: InstallReport,
}

/// A range of the manifest that moved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RangeChange {
    /// The package.
    pub name: PackageName,
    /// What it is needed for.
    pub scope: Scope,
    /// The range before.
    pub before: Range,
    /// The range now.
    pub after: Range,
}

/// Adds to what a project asks for, and installs it.
///
/// # Errors
///
/// When something is not there, or does not go together with the rest; the manifest is then as it was.
pub fn add(
    session: &Session,
    project: &mut Project,
    what: &[Addition],
    options: &InstallOptions,
) -> Result<AddReport, ProjectError> {
    let connections = Connections::of(session, project.registries())?;
    let mut added = Vec::new();
    let mut requirements = Vec::new();
    let mut own_references = Vec::new();
    for addition in what {
        match addition {
            Addition::Package { .. } => {
                let requirement = requirement(session, &connections, project, addition)?;
                added.push(format!("{} {}", requirement.name, requirement.range));
                requirements.push(requirement);
            }
            Addition::Reference { name, url, unpack, fluid } => {
                let asked = Reference {
                    name: name.clone(),
                    mirrors: vec![url.clone()],
                    sha256: None,
                    size: None,
                    unpack: *unpack,
                    fluid: *fluid,
                    line: 0,
                };
                let reference = as_it_is(session, project, asked)?;
                added.push(format!("{name} {}", reference.sha256.map(|d| d.to_string()).unwrap_or_default()));
                own_references.push(reference);
            }
        }
    }
    let text = edited(&project.text, &project.manifest_path(), |editor| {
        requirements.iter().for_each(|requirement| editor.set_dependency(requirement));
        own_references.iter().for_each(|reference| editor.set_reference(reference));
    })?;
    let names: Vec<PackageName> = requirements.into_iter().map(|requirement| requirement.name).collect();
    let install = change(session, &connections, project, text, Moving::Packages(&names), options)?;
    Ok(AddReport { added, install })
}

/// Takes a changed manifest, resolves and fetches what it asks for, and writes it only then.
fn change(
    session: &Session,
    connections: &Connections<'_>,
    project: &mut Project,
    text: String,
    moving: Moving<'_>,
    options: &InstallOptions,
) -> Result<InstallReport, ProjectError> {
    if options.locked && text != project.text {
        return Err(ProjectError::LockOutdated { reason: "`weir.toml` would change".into() });
    }
    project.set_text(text)?;
    let lock = wanted_lock(session, connections, project, options.locked, moving)?;
    install_lock(session, connections, project, lock, options)
}

fn requirement(
    session: &Session,
    connections: &Connections<'_>,
    project: &Project,
    addition: &Addition,
) -> Result<Requirement, ProjectError> {
    let Addition::Package { name, range, scope, fluid, registry, source } = addition else {
        return Err(ProjectError::Usage("a reference is not a package".into()));
    };
    let range = match (range, source) {
        (Some(range), _) => range.clone(),
        (None, Source::Registry) => {
            let newest = newest(session, connections, name, registry.as_deref())?;
            Range::caret(&newest)
        }
        (None, Source::Path(_)) => Range::any(),
        (None, Source::Git(git)) => {
            let version = Version::from_tag(&git.tag).map_err(|_| {
                ProjectError::Usage(format!(
                    "the tag `{}` names no version: say which with `{name}@=1.2.3`",
                    git.tag
                ))
            })?;
            Range::exact(&version)
        }
    };
    if let Source::Path(path) = source {
        let folder = project.folder.join(path);
        if local::package_manifest(&folder)?.is_none() {
            return Err(ProjectError::NotFound(format!("there is no package in `{}`", folder.display())));
        }
    }
    Ok(Requirement {
        name: name.clone(),
        range,
        scope: *scope,
        fluid: *fluid,
        registry: registry.clone(),
        source: source.clone(),
        line: 0,
    })
}

/// The newest version of a package that may be used here.
fn newest(
    session: &Session,
    connections: &Connections<'_>,
    name: &PackageName,
    registry: Option<&str>,
) -> Result<Version, ProjectError> {
    use weir_resolve::View as _;
    let world = World::new(connections, BTreeMap::new());
    if world.is_empty() {
        return Err(ReachError::NoRegistry { wanted: format!("`{name}`") }.into());
    }
    let place = world.describe(registry);
    let Some(candidates) = world.candidates(name, registry)? else {
        let similar = world.similar_names(name).first().map(ToString::to_string);
        return Err(ReachError::UnknownPackage { name: name.clone(), place, similar }.into());
    };
    let platform = session.platform();
    let usable = candidates.releases.iter().filter(|candidate| {
        candidate.state == weir_resolve::State::Offered && candidate.platform.serves(&platform)
    });
    let newest =
        usable.max_by_key(|candidate| (!candidate.version.is_prerelease(), candidate.version.clone()));
    newest.map(|candidate| candidate.version.clone()).ok_or_else(|| {
        ProjectError::from(ReachError::UnknownVersion {
            name: name.clone(),
            version: format!("for {platform}"),
            place,
            versions: candidates.releases.iter().map(|c| format!("{} ({})", c.version, c.platform)).collect(),
        })
    })
}

/// A new reference, fixed to what there is now unless it may move. What cannot be had is found in either case.
fn as_it_is(session: &Session, project: &Project, asked: Reference) -> Result<Reference, ProjectError> {
    let any = Reference { fluid: true, ..asked.clone() };
    let (sha256, size) = references::current(session, &any, &project.folder)?;
    if asked.fluid {
        return Ok(asked);
    }
    Ok(Reference { sha256: Some(sha256), size: Some(size), ..asked })
}

/// Removes packages and references from what a project asks for, and installs what remains.
///
/// # Errors
///
/// When the project does not ask for one of them; the manifest is then as it was.
pub fn remove(
    session: &Session,
    project: &mut Project,
    names: &[PackageName],
    references: &[String],
    options: &InstallOptions,
) -> Result<RemoveReport, ProjectError> {
    for name in names {
        let asked = || project.manifest.dependencies.iter().map(|requirement| requirement.name.as_str());
        if !asked().any(|other| other == name.as_str()) {
            let similar = nearest(name.as_str(), asked()).map(str::to_owned);
            let place = "`weir.toml`".into();
            return Err(ReachError::UnknownPackage { name: name.clone(), place, similar }.into());
        }
    }
    for name in references {
        let named = || project.manifest.references.iter().map(|reference| reference.name.as_str());
        if !named().any(|other| other == name) {
            let nearest = nearest(name, named()).map(|other| format!(": did you mean `{other}`?"));
            let nearest = nearest.unwrap_or_default();
            return Err(ProjectError::NotFound(format!(
                "there is no reference `{name}` in `weir.toml`{nearest}"
            )));
        }
    }
    let connections = Connections::of(session, project.registries())?;
    let text = edited(&project.text, &project.manifest_path(), |editor| {
        for name in names {
            editor.remove_dependency(name);
        }
        for name in references {
            editor.remove_reference(name);
        }
    })?;
    let install = change(session, &connections, project, text, Moving::Nothing, options)?;
    Ok(RemoveReport { removed: names.to_vec(), references: references.to_vec(), install })
}

/// Moves the lockfile to the newest releases in range: of all packages, or of those named. With `full`, also
/// moves the manifest's own ranges to the newest releases there are.
///
/// # Errors
///
/// When a package is not used, or the requirements cannot be met; manifest and lockfile are then as they were.
pub fn update(
    session: &Session,
    project: &mut Project,
    names: &[PackageName],
    full: bool,
    options: &InstallOptions,
) -> Result<UpdateReport, ProjectError> {
    for name in names {
        let locked = project.lock.iter().flat_map(|lock| &lock.releases).map(|release| release.name.as_str());
        let asked = project.manifest.dependencies.iter().map(|requirement| requirement.name.as_str());
        let known: Vec<&str> = locked.chain(asked).collect();
        if !known.contains(&name.as_str()) {
            let similar = nearest(name.as_str(), known.iter().copied()).map(str::to_owned);
            let place = "this project".into();
            return Err(ReachError::UnknownPackage { name: name.clone(), place, similar }.into());
        }
    }
    let connections = Connections::of(session, project.registries())?;
    let moving = if names.is_empty() { Moving::All } else { Moving::Packages(names) };
    forget_tags(session, project, names)?;
    let ranges = if full { newer_ranges(session, &connections, project, moving)? } else { Vec::new() };
    let text = edited(&project.text, &project.manifest_path(), |editor| {
        for change in &ranges {
            editor.set_range(&change.name, change.scope, &change.after);
        }
    })?;
    let install = change(session, &connections, project, text, moving, options)?;
    Ok(UpdateReport { ranges, install })
}

/// Tags of packages that are named are taken as they are now; the others must not have moved.
fn forget_tags(session: &Session, project: &mut Project, names: &[PackageName]) -> Result<(), ProjectError> {
    let folder = project.folder.clone();
    let Some(lock) = &mut project.lock else { return Ok(()) };
    let git = session.git();
    for release in &mut lock.releases {
        let Some(locked) = &release.git else { continue };
        let tag = weir_git::at(&GitTag { url: locked.url.clone(), tag: locked.tag.clone() }, &folder);
        if names.contains(&release.name) {
            git.forget(&tag);
            release.git = None;
        } else if names.is_empty() {
            git.check_tag(&tag, &locked.commit)?;
        }
    }
    Ok(())
}

/// The ranges of the manifest that do not reach the newest release there is.
fn newer_ranges(
    session: &Session,
    connections: &Connections<'_>,
    project: &Project,
    moving: Moving<'_>,
) -> Result<Vec<RangeChange>, ProjectError> {
    let mut ranges = Vec::new();
    for requirement in &project.manifest.dependencies {
        if requirement.source != Source::Registry || !moving.moves(&requirement.name) {
            continue;
        }
        let newest = newest(session, connections, &requirement.name, requirement.registry.as_deref())?;
        if !requirement.range.contains(&newest) {
            ranges.push(RangeChange {
                name: requirement.name.clone(),
                scope: requirement.scope,
                before: requirement.range.clone(),
                after: same_style(&requirement.range, &newest),
            });
        }
    }
    Ok(ranges)
}

/// A range that accepts `version`, written as the old one was: `=1.2.3`, `~1.2`, `^1.2` or `1.2`.
fn same_style(old: &Range, version: &Version) -> Range {
    let old = old.as_str();
    let parts = old.trim_start_matches(['^', '~', '=', ' ']).split('.').count();
    let text = version.to_string();
    let short: Vec<&str> =
        text.split('.').take(if version.is_prerelease() { usize::MAX } else { parts.max(1) }).collect();
    let plain = old.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '^' | '~' | '='));
    let sign: String = old.chars().take_while(|c| matches!(c, '^' | '~' | '=')).collect();
    let written = format!("{sign}{}", short.join(".")).parse().ok().filter(|_| plain);
    written.filter(|range: &Range| range.contains(version)).unwrap_or_else(|| Range::caret(version))
}

#[cfg(test)]
mod tests {
    use super::same_style;

    #[test]
    fn a_range_moves_in_the_style_it_was_written_in() {
        let version = "2.3.4".parse().unwrap();
        for (old, new) in
            [("^1.2", "^2.3"), ("~1.2.3", "~2.3.4"), ("1", "2"), ("=1.0.0", "=2.3.4"), (">=1, <2", "^2.3.4")]
        {
            assert_eq!(same_style(&old.parse().unwrap(), &version).to_string(), new, "{old}");
        }
    }
}
