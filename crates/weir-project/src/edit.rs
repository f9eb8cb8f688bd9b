//! Changing what a project asks for: add, remove, update. The manifest's text keeps its comments, and is
//! written only when what it asks for could be resolved and fetched.

use std::collections::BTreeSet;

use serde::Serialize;
use weir_model::manifest::{GitTag, Reference, Requirement, Source};
use weir_model::record::Hold;
use weir_model::{PackageName, Range, Scope, Version, nearest};

use crate::choose::{Chooser, movable, versions};
use crate::error::ProjectError;
use crate::install::{InstallOptions, InstallReport, install_lock, manifest_would_change, wanted_lock};
use crate::moving::Moving;
use crate::outdated::{Held, Wider, held, kept_out, newest_ranges};
use crate::own::Edited;
use crate::project::{Project, ProjectLock};
use crate::{local, named, references};
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
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AddReport {
    /// What the manifest asks for now, as `name range`.
    pub added: Vec<String>,
    /// Newer versions than those that were taken, which do not go together with the rest.
    pub passed_over: Vec<PassedOver>,
    /// What installing did.
    pub install: InstallReport,
}

/// A newer version than the one that was taken.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct PassedOver {
    /// The package.
    pub name: PackageName,
    /// The version that was taken.
    pub taken: Version,
    /// The newest, which does not go together with the rest.
    pub newest: Version,
}

/// What removing did.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct RemoveReport {
    /// What the manifest no longer asks for.
    pub removed: Vec<PackageName>,
    /// The references it no longer names.
    pub references: Vec<String>,
    /// What installing did.
    pub install: InstallReport,
}

/// What updating did.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct UpdateReport {
    /// Ranges of the manifest that moved.
    pub ranges: Vec<RangeChange>,
    /// What was to move and is not at the newest that is offered.
    pub held: Vec<Held>,
    /// What would be newer, and is kept out by the policy of a registry that others are above.
    pub kept_out: Vec<Hold>,
    /// Why what is above a registry was not asked, where it was not: then more may be newer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unasked: Option<String>,
    /// What installing did.
    pub install: InstallReport,
}

/// A range of the manifest that moved.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
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
    let alone = project.hold(session)?;
    project.use_on(session.platform());
    let mut connections = Connections::of(session, project.registries())?;
    let mut added = Vec::new();
    let mut requirements = Vec::new();
    let mut own_references = Vec::new();
    for addition in what {
        match addition {
            Addition::Package { .. } => {
                requirements.push(requirement(session, project, addition)?);
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
    let with = |project: &Project, requirements: &[Requirement]| {
        project.edited(|editing| {
            requirements.iter().for_each(|requirement| editing.set_dependency(requirement));
            own_references.iter().for_each(|reference| editing.set_reference(reference));
        })
    };
    let mut tried = project.clone();
    tried.set(with(project, &requirements)?)?;
    if !goes_with_pins(session, &connections, &tried, &requirements)? {
        for project in [&mut *project, &mut tried] {
            project.loosen(Moving::All)?;
        }
        // Registries were asked for what goes with the exact versions, and that was nothing.
        connections = Connections::of(session, project.registries())?.after(&connections);
    }
    let passed_over = take_newest_that_fit(session, &connections, &tried, what, &mut requirements)?;
    let edited = with(project, &requirements)?;
    let asked = requirements.iter().map(|requirement| format!("{} {}", requirement.name, requirement.range));
    added.splice(0..0, asked);
    let names: Vec<PackageName> = requirements.into_iter().map(|requirement| requirement.name).collect();
    let install = change(session, &connections, project, &alone, edited, Moving::Added(&names), options)?;
    Ok(AddReport { added, passed_over, install })
}

/// Has the registries of a project admit what it would take of those above them if it asked for these packages as well, as [`add`] does.
/// What cannot be had together is none of it. Nothing of the project changes.
///
/// # Errors
///
/// When a registry cannot be asked.
pub(crate) fn ask_to_add(
    session: &Session,
    project: &Project,
    names: &[PackageName],
) -> Result<(), ProjectError> {
    let mut tried = project.clone();
    let asked = names.iter().map(|name| Requirement {
        name: name.clone(),
        range: Range::any(),
        scope: Scope::Run,
        fluid: false,
        registry: None,
        source: Source::Registry,
        line: 0,
    });
    let asked: Vec<Requirement> = asked.collect();
    tried.set(project.edited(|editing| asked.iter().for_each(|asked| editing.set_dependency(asked)))?)?;
    let goes = |tried: &Project| -> Result<bool, ProjectError> {
        let connections = Connections::of(session, project.registries())?;
        let chooser = Chooser::new(session, &connections, tried, Moving::Added(names))?;
        let goes = chooser.can_meet(&chooser.requirements());
        connections.failed_to_ask().map_or(goes, |failure| Err(failure.into()))
    };
    if !goes(&tried)? && tried.loosen(Moving::All)? {
        goes(&tried)?;
    }
    Ok(())
}

/// Whether what is added goes with the exact versions that a manifest names, if it names any: they move only where they must.
fn goes_with_pins(
    session: &Session,
    connections: &Connections<'_>,
    tried: &Project,
    added: &[Requirement],
) -> Result<bool, ProjectError> {
    if tried.pins().is_empty() {
        return Ok(true);
    }
    let names: Vec<PackageName> = added.iter().map(|requirement| requirement.name.clone()).collect();
    let chooser = Chooser::new(session, connections, tried, Moving::Added(&names))?;
    chooser.can_meet(&chooser.requirements())
}

/// Takes a changed manifest, resolves and fetches what it asks for, and writes it only then.
fn change(
    session: &Session,
    connections: &Connections<'_>,
    project: &mut Project,
    alone: &ProjectLock,
    edited: Edited,
    moving: Moving<'_>,
    options: &InstallOptions,
) -> Result<InstallReport, ProjectError> {
    if options.locked && project.differs(&edited) {
        return Err(manifest_would_change(project));
    }
    project.set(edited)?;
    let lock = wanted_lock(session, connections, project, options.locked, moving)?;
    install_lock(session, connections, project, alone, (lock, moving), options)
}

/// What an addition asks for; of a registry without a range, any version for now.
fn requirement(
    session: &Session,
    project: &Project,
    addition: &Addition,
) -> Result<Requirement, ProjectError> {
    let Addition::Package { name, range, scope, fluid, registry, source } = addition else {
        return Err(ProjectError::Usage("a reference is not a package".into()));
    };
    let range = match (range, source) {
        (Some(range), Source::Registry) if !project.pins().is_empty() => as_pin(range),
        (Some(range), _) => range.clone(),
        (None, Source::Registry | Source::Path(_)) => Range::any(),
        (None, Source::Git { tag, .. }) => {
            let version = Version::from_tag(&tag.tag).map_err(|_| {
                ProjectError::Usage(format!(
                    "the tag `{}` names no version: say which with `{name}@=1.2.3`",
                    tag.tag
                ))
            })?;
            Range::exact(&version)
        }
    };
    if let Source::Git { manifest: Some(says), .. } = source {
        weir_package::parse_said(says).map_err(|error| ProjectError::of_package(&project.folder, error))?;
    }
    if let Source::Git { tag, .. } = source {
        let place = weir_git::at(tag, &project.folder);
        named::remember(session, named::there(weir_git::folders(&place)), &project.folder);
    }
    if let Source::Path(path) = source {
        let folder = project.folder.join(path);
        if !folder.is_dir() || local::package_manifest(&folder)?.is_none() {
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

/// Where a manifest names exact versions, a version that is asked for is meant exactly.
fn as_pin(range: &Range) -> Range {
    range.as_str().parse().map_or_else(|_| range.clone(), |version| Range::exact(&version))
}

/// How many versions of a package are tried at most.
const MOST_TRIED: usize = 200;

/// Gives each of `requirements` that was added without a range the newest version that goes together with the rest, and
/// tells where there is a newer one. `tried` is the project as it would be with them.
fn take_newest_that_fit(
    session: &Session,
    connections: &Connections<'_>,
    tried: &Project,
    what: &[Addition],
    requirements: &mut [Requirement],
) -> Result<Vec<PassedOver>, ProjectError> {
    let is_open = |name: &PackageName| {
        let open = |addition: &Addition| matches!(addition, Addition::Package { name: added, range: None, source: Source::Registry, .. } if added == name);
        what.iter().any(open)
    };
    let open: Vec<usize> =
        (0..requirements.len()).filter(|index| is_open(&requirements[*index].name)).collect();
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<PackageName> = requirements.iter().map(|requirement| requirement.name.clone()).collect();
    let chooser = Chooser::new(session, connections, tried, Moving::Added(&names))?;
    let mut asked = chooser.requirements();
    let mut passed_over = Vec::new();
    for index in open {
        let Requirement { name, scope, registry, .. } = &requirements[index];
        let offered = offered(session, &chooser, name, registry.as_deref())?;
        let is_it = |asked: &Requirement| asked.name == *name && asked.scope == *scope;
        let Some(place) = tried.manifest.dependencies.iter().position(is_it) else { continue };
        let taken = newest_that_fits(&chooser, &mut asked, place, &offered)?;
        if let Some(newest) = offered.first().filter(|newest| **newest > taken) {
            passed_over.push(PassedOver { name: name.clone(), taken: taken.clone(), newest: newest.clone() });
        }
        let is_versioned = taken != local::unversioned();
        requirements[index].range = if is_versioned { Range::caret(&taken) } else { Range::any() };
    }
    Ok(passed_over)
}

/// The newest version of what is asked for in `place` that goes together with the rest; `asked` then asks for it.
fn newest_that_fits(
    chooser: &Chooser<'_>,
    asked: &mut [weir_resolve::Requirement],
    place: usize,
    offered: &[Version],
) -> Result<Version, ProjectError> {
    for version in offered.iter().take(MOST_TRIED) {
        asked[place].range = Range::exact(version);
        if chooser.can_meet(asked)? {
            return Ok(version.clone());
        }
    }
    // None goes together with the rest, or is here: what is said of any version tells why.
    asked[place].range = Range::any();
    let chosen = chooser.choose(asked)?;
    Ok(chosen.target(&chosen.roots[place]).id.version.clone())
}

/// The versions of a package that may be used here, the newest first.
fn offered(
    session: &Session,
    chooser: &Chooser<'_>,
    name: &PackageName,
    registry: Option<&str>,
) -> Result<Vec<Version>, ProjectError> {
    use weir_resolve::View as _;
    // What stands in for a package everywhere is offered, and nothing else of it.
    if let Some(fixed) = chooser.locals.fixed().into_iter().find(|fixed| fixed.name == *name) {
        return Ok(vec![fixed.candidate.version]);
    }
    let world = &chooser.world;
    if world.is_empty() {
        return Err(ReachError::NoRegistry { wanted: format!("`{name}`") }.into());
    }
    match world.offered(name, registry, &session.platform())? {
        Some(offered) => Ok(offered),
        None => {
            let (place, held) = (world.describe(registry), world.held(name));
            let name = name.clone();
            if !held.is_empty() {
                return Err(chooser.told_of_missing(&[], ReachError::OnlyHeld { name, place, held }.into()));
            }
            let similar = world.similar_names(&name).first().map(ToString::to_string);
            let unknown = ReachError::UnknownPackage { name: name.clone(), place, similar };
            Err(chooser.told_of_missing(&[&name], unknown.into()))
        }
    }
}

/// A new reference, fixed to what there is now unless it may move. What cannot be had is found in either case.
fn as_it_is(session: &Session, project: &Project, asked: Reference) -> Result<Reference, ProjectError> {
    let any = Reference { fluid: true, ..asked.clone() };
    let (sha256, size) = references::current_of_named(session, &any, &project.folder)?;
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
    let alone = project.hold(session)?;
    project.use_on(session.platform());
    for name in names {
        let asked = || project.manifest.dependencies.iter().map(|requirement| requirement.name.as_str());
        if !asked().any(|other| other == name.as_str()) {
            let similar = nearest(name.as_str(), asked()).map(str::to_owned);
            let place = format!("`{}`", project.manifest_name());
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
    let edited = project.edited(|editing| {
        for name in names {
            editing.remove_dependency(name);
        }
        for name in references {
            editing.remove_reference(name);
        }
    })?;
    let install = change(session, &connections, project, &alone, edited, Moving::Nothing, options)?;
    let removed = names.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
    let references = references.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
    Ok(RemoveReport { removed, references, install })
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
    let alone = project.hold(session)?;
    project.use_on(session.platform());
    for name in names {
        let locked = project.chosen_before().into_iter().flat_map(|lock| &lock.releases);
        let locked = locked.map(|release| release.name.as_str());
        let asked = project.manifest.dependencies.iter().map(|requirement| requirement.name.as_str());
        let known: Vec<&str> = locked.chain(asked).collect();
        if !known.contains(&name.as_str()) {
            let similar = nearest(name.as_str(), known.iter().copied()).map(str::to_owned);
            let place = "this project".into();
            return Err(ReachError::UnknownPackage { name: name.clone(), place, similar }.into());
        }
    }
    let connections = Connections::of(session, project.registries())?;
    let connections = if full { connections.beyond_ranges() } else { connections };
    forget_named(session, project, names)?;
    project.loosen(if names.is_empty() { Moving::All } else { Moving::Packages(names) })?;
    let movable = if names.is_empty() { movable(session, &connections, project)? } else { None };
    let wanted = match &movable {
        _ if !names.is_empty() => Moving::Packages(names),
        Some(movable) => Moving::Packages(&movable.names),
        None => Moving::All,
    };
    // With other ranges, what was withdrawn may move as well.
    let moving = if full && names.is_empty() { Moving::All } else { wanted };
    if let Some(movable) = movable.as_ref().filter(|_| !full) {
        for release in &movable.withdrawn {
            session.warn(format!(
                "`{release}` was withdrawn and stays, for nothing else is in its range: `weir update --full` moves the range"
            ));
        }
    }
    let Foreseen { ranges, held, kept_out } = foresee(session, &connections, project, wanted, moving, full)?;
    let edited = project.edited(|editing| {
        for change in &ranges {
            editing.set_range(&change.name, change.scope, &change.after);
        }
    })?;
    let install = change(session, &connections, project, &alone, edited, moving, options)?;
    let unasked = connections.failed_to_ask().map(|failure| weir_model::chain(&failure));
    Ok(UpdateReport { ranges, held, kept_out, unasked, install })
}

/// Packages that are named are taken as they are now: the commits of their tags, and the content that their registry offers. Tags of others
/// must not have moved.
fn forget_named(session: &Session, project: &mut Project, names: &[PackageName]) -> Result<(), ProjectError> {
    let folder = project.folder.clone();
    let Some(lock) = &mut project.lock else { return Ok(()) };
    let git = session.git();
    for release in &mut lock.releases {
        if names.contains(&release.name) {
            // Without it, nobody says what the content must be.
            release.input_digest = None;
        }
        let Some(locked) = &release.git else { continue };
        let tag = weir_git::at(&GitTag { url: locked.url.clone(), tag: locked.tag.clone() }, &folder);
        if names.contains(&release.name) {
            git.forget(&tag, &weir_git::Take::Package(locked.manifest.clone()));
            release.git = None;
        } else if names.is_empty() {
            git.check_tag(&tag, &locked.commit)?;
        }
    }
    Ok(())
}

/// What updating comes to.
struct Foreseen {
    ranges: Vec<RangeChange>,
    held: Vec<Held>,
    kept_out: Vec<Hold>,
}

fn foresee(
    session: &Session,
    connections: &Connections<'_>,
    project: &Project,
    within_ranges: Moving<'_>,
    moving: Moving<'_>,
    full: bool,
) -> Result<Foreseen, ProjectError> {
    let within = Chooser::new(session, connections, project, within_ranges)?;
    let asked = within.requirements();
    let wanted = within.choose(&asked)?;
    let chooser = Chooser::new(session, connections, project, moving)?;
    let (ranges, asked, resolution) = match full {
        true => {
            let Wider { ranges, requirements, resolution } =
                newest_ranges(&chooser, project, &asked, &wanted, moving)?;
            (ranges, requirements, resolution)
        }
        false => (Vec::new(), asked, wanted),
    };
    let mut held = held(session, &chooser, &resolution, &asked)?;
    held.retain(|held| moving.moves(&held.name));
    let mut kept_out = kept_out(session, &chooser, &versions(&resolution));
    kept_out.retain(|hold| moving.moves(&hold.id.name));
    Ok(Foreseen { ranges, held, kept_out })
}

/// A range that accepts `version`, written as the old one was: `=1.2.3`, `~1.2`, `^1.2` or `1.2`.
pub(crate) fn same_style(old: &Range, version: &Version) -> Range {
    let old = old.as_str();
    // Elm's `1.0.0 <= v < 2.0.0`.
    if old.contains(" v ") {
        let until = format!("{version} <= v < {}.0.0", version.major().saturating_add(1));
        return until.parse().unwrap_or_else(|_| Range::caret(version));
    }
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
        for (old, new) in [
            ("^1.2", "^2.3"),
            ("~1.2.3", "~2.3.4"),
            ("1", "2"),
            ("=1.0.0", "=2.3.4"),
            (">=1, <2", "^2.3.4"),
            ("1.0.0 <= v < 2.0.0", "2.3.4 <= v < 3.0.0"),
        ] {
            assert_eq!(same_style(&old.parse().unwrap(), &version).to_string(), new, "{old}");
        }
    }
}
