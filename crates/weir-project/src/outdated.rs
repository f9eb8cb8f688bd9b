//! What is behind: where `weir update` and `weir update --full` would go, and what holds back what they do not move.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use weir_model::lockfile::LockedRelease;
use weir_model::manifest::Source;
use weir_model::{PackageName, Range, ReleaseId, Scope, Version};
use weir_reach::{Connections, Session};
use weir_resolve::{Requirement, Resolution, View as _};
use weir_wire::upstream::Patched;

use crate::advisories::AdvisedRelease;
use crate::changes::{built, is_first};
use crate::choose::{Chooser, movable, versions};
use crate::edit::{RangeChange, same_style};
use crate::error::ProjectError;
use crate::moving::Moving;
use crate::outside::{MovedOutside, moved_outside};
use crate::project::Project;
use crate::resolve::scopes;

/// A package that is behind.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Outdated {
    /// The package.
    pub name: PackageName,
    /// What the project needs it for, if it asks for it itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// What the manifest accepts, if it asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// What the lockfile has.
    pub current: Option<Version>,
    /// How often that was built again.
    #[serde(skip_serializing_if = "is_first")]
    pub current_revision: u32,
    /// Where `weir update` goes.
    pub wanted: Option<Version>,
    /// How often that was built again.
    #[serde(skip_serializing_if = "is_first")]
    pub wanted_revision: u32,
    /// Where `weir update --full` goes.
    pub full: Option<Version>,
    /// How often that was built again.
    #[serde(skip_serializing_if = "is_first")]
    pub full_revision: u32,
    /// The newest that is offered.
    pub newest: Option<Version>,
    /// Whether what the lockfile has was withdrawn.
    pub yanked: bool,
    /// What keeps even `weir update --full` from the newest.
    pub held: Vec<Hold>,
}

/// A release that does not move to the newest.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Held {
    /// The package.
    pub name: PackageName,
    /// Where it stays.
    pub version: Version,
    /// The newest that is offered.
    pub newest: Version,
    /// What holds it.
    pub held: Vec<Hold>,
}

/// What keeps a package from moving to its newest version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "hold")]
pub enum Hold {
    /// A release was published with it.
    Baked {
        /// Which one.
        by: ReleaseId,
    },
    /// A range does not reach the newest.
    Range {
        /// Whose: a place in a manifest, or a release.
        by: String,
        /// The range.
        range: Range,
    },
    /// The newest is not on this machine, which is offline.
    NotHere,
    /// The newest is in a registry further up, and has not come down: it does not go together with the rest.
    Above,
    /// The newest does not go together with the rest.
    Together {
        /// Why, if that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Baked { by } => write!(f, "`{by}` was published with it"),
            Self::Range { by, range } => write!(f, "`{by}` asks for {range}"),
            Self::Above => f.write_str("the newest is further up, and does not go together with the rest"),
            Self::NotHere => f.write_str("the newest is not on this machine"),
            Self::Together { why: Some(why) } => f.write_str(why),
            Self::Together { why: None } => f.write_str("the newest does not go together with the rest"),
        }
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, version, newest, held } = self;
        write!(f, "`{name}` stays at {version}, though {newest} is offered")?;
        write_holds(f, held)
    }
}

pub(crate) fn write_holds(f: &mut fmt::Formatter<'_>, held: &[Hold]) -> fmt::Result {
    for (index, hold) in held.iter().enumerate() {
        write!(f, "{}{hold}", if index == 0 { ": " } else { ", and " })?;
    }
    Ok(())
}

/// A version of a package, and how often it was built again: both together are what moves.
type Build = (Version, u32);

impl Outdated {
    /// What the lockfile has, in words; nothing if it has none.
    pub fn current(&self) -> Option<String> {
        self.current.as_ref().map(|version| built(version, self.current_revision))
    }

    /// Where `weir update` goes, in words; nothing if it takes none.
    pub fn wanted(&self) -> Option<String> {
        self.wanted.as_ref().map(|version| built(version, self.wanted_revision))
    }

    /// Where `weir update --full` goes, in words; nothing if it takes none.
    pub fn full(&self) -> Option<String> {
        self.full.as_ref().map(|version| built(version, self.full_revision))
    }

    /// Why it does not come to the newest even with `weir update --full`, if something keeps it.
    pub fn why_held(&self) -> Option<Held> {
        let (version, newest) = (self.full.clone()?, self.newest.clone()?);
        (!self.held.is_empty()).then(|| Held {
            name: self.name.clone(),
            version,
            newest,
            held: self.held.clone(),
        })
    }
}

/// What is behind in a project.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct OutdatedPackages {
    /// The packages that are behind; none if all are at their newest.
    pub packages: Vec<Outdated>,
    /// What would be newer, and is kept out by the policy of a registry that others are above.
    pub kept_out: Vec<weir_model::record::Hold>,
    /// What is used and patched in a registry, and newer above that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patched: Vec<Patched>,
    /// What is used and something is known against.
    pub advised: Vec<AdvisedRelease>,
    /// What is something else by now where it came from, outside of registries.
    #[serde(flatten)]
    pub outside: MovedOutside,
}

impl OutdatedPackages {
    /// Whether anything is behind that could move.
    pub fn is_anything(&self) -> bool {
        !self.packages.is_empty() || !self.outside.is_empty()
    }
}

/// What `weir update` and `weir update --full` would do, and what is behind and does not move.
///
/// # Errors
///
/// When a registry cannot be asked, or what the manifest asks for cannot be met.
pub fn outdated(session: &Session, project: &Project) -> Result<OutdatedPackages, ProjectError> {
    if let Some(broken) = &project.broken_lock {
        return Err(project.unreadable_lock(broken));
    }
    let connections = Connections::of(session, project.registries())?.beyond_ranges();
    let mut project = project.clone();
    project.loosen(Moving::All)?;
    let project = &project;
    let movable = movable(session, &connections, project)?;
    let within_ranges = movable.as_ref().map_or(Moving::All, |movable| Moving::Packages(&movable.names));
    let chooser = Chooser::new(session, &connections, project, Moving::All)?;
    let requirements = chooser.requirements();
    let wanted = Chooser::new(session, &connections, project, within_ranges)?.choose(&requirements)?;
    let Wider { requirements: wider, resolution: full, .. } =
        newest_ranges(&chooser, project, &requirements, &wanted, Moving::All)?;
    let holds = held(session, &chooser, &full, &wider)?;
    let direct = [locked_directly(project), asked_for(&wanted), asked_for(&full)];
    let kept_out = kept_out(session, &chooser, &versions(&full));
    let (wanted, full) = (builds(&wanted), builds(&full));
    let locked = from_registries(project);
    let current = by_package(locked.values());
    let names: BTreeSet<&PackageName> = current.keys().chain(wanted.keys()).chain(full.keys()).collect();
    let scopes = scopes(project);
    let mut behind = Vec::new();
    for name in names {
        let newest = chooser.newest(name)?;
        let asked = project.manifest.dependencies.iter().find(|asked| asked.name == *name);
        let all = [&current, &wanted, &full].map(|of| listed(of, name));
        for (is_direct, [current, wanted, full]) in paired(all, direct.each_ref().map(|of| of.get(name))) {
            let asked = asked.filter(|_| is_direct);
            let withdrawn = |build: &Build| match locked.get(&(name.clone(), build.clone())) {
                Some(id) => chooser.world.is_withdrawn(id),
                None => Ok(false),
            };
            let yanked = current.as_ref().map(withdrawn).transpose()?.unwrap_or_default();
            let moves = current != wanted || current != full;
            let [(current, current_revision), (wanted, wanted_revision), (full, full_revision)] =
                [current, wanted, full].map(|build| match build {
                    Some((version, revision)) => (Some(version), revision),
                    None => (None, 0),
                });
            let row = Outdated {
                scope: scopes.get(name).copied().filter(|_| is_direct),
                range: asked.map(|asked| asked.range.clone()),
                held: holds
                    .iter()
                    .filter(|held| held.name == *name && Some(&held.version) == full.as_ref())
                    .flat_map(|held| held.held.clone())
                    .collect(),
                name: name.clone(),
                newest: newest.clone(),
                yanked,
                current,
                current_revision,
                wanted,
                wanted_revision,
                full,
                full_revision,
            };
            if row.yanked || moves || !row.held.is_empty() {
                behind.push(row);
            }
        }
    }
    let mut advised = Vec::new();
    let locked = project.lock.iter().flat_map(|lock| &lock.releases);
    for release in locked.filter(|release| release.registry.is_some()) {
        advised.extend(chooser.world.advised(release.id())?);
    }
    let outside = moved_outside(session, project)?;
    let mut patched = connections.patched();
    patched.retain(|patched| current.contains_key(&patched.name));
    Ok(OutdatedPackages { packages: behind, kept_out, patched, advised, outside })
}

/// Of each package that was chosen the newest release that is newer and that a policy keeps out.
pub(crate) fn kept_out(
    session: &Session,
    chooser: &Chooser<'_>,
    chosen: &BTreeMap<PackageName, BTreeSet<Version>>,
) -> Vec<weir_model::record::Hold> {
    let platform = session.platform();
    let newest = chosen.iter().filter_map(|(name, versions)| {
        let newer = |version: &Version| versions.iter().all(|chosen| version > chosen);
        let mut held = chooser.world.held(name).into_iter();
        held.find(|hold| newer(&hold.id.version) && hold.id.platform.serves(&platform))
    });
    newest.collect()
}

/// Builds of one package, before and after, of which each row is one: first those that the project asks for itself, then those
/// that stay, then the others in order. Each with whether the project asks for it.
fn paired(all: [Vec<Build>; 3], direct: [Option<&Build>; 3]) -> Vec<(bool, [Option<Build>; 3])> {
    let mut rest = all;
    let mut rows = Vec::new();
    let mut take = |rest: &mut [Vec<Build>; 3], is_direct: bool, these: [Option<&Build>; 3]| {
        for (of, this) in rest.iter_mut().zip(these) {
            of.retain(|version| Some(version) != this);
        }
        rows.push((is_direct, these.map(Option::<&_>::cloned)));
    };
    if direct.iter().any(Option::is_some) {
        take(&mut rest, true, direct);
    }
    for build in rest[0].clone() {
        if rest.iter().all(|of| of.contains(&build)) {
            take(&mut rest, false, [Some(&build); 3]);
        }
    }
    for place in 0..rest.iter().map(Vec::len).max().unwrap_or_default() {
        rows.push((false, rest.each_ref().map(|of| of.get(place).cloned())));
    }
    rows
}

/// What the project asks for itself, as the lockfile has it.
fn locked_directly(project: &Project) -> BTreeMap<PackageName, Build> {
    let direct = project.lock.iter().flat_map(|lock| &lock.direct);
    direct.map(|direct| (direct.0.name.clone(), build(&direct.0))).collect()
}

/// What the project asks for itself, as it was chosen.
fn asked_for(resolution: &Resolution) -> BTreeMap<PackageName, Build> {
    let roots = resolution.roots.iter().map(|root| &resolution.target(root).id);
    roots.map(|id| (id.name.clone(), build(id))).collect()
}

fn build(id: &ReleaseId) -> Build {
    (id.version.clone(), id.revision)
}

/// The builds of a package, the newest first.
fn listed(builds: &BTreeMap<PackageName, BTreeSet<Build>>, name: &PackageName) -> Vec<Build> {
    builds.get(name).into_iter().flatten().rev().cloned().collect()
}

/// The releases of a lockfile that come from registries; of those of several platforms the first.
fn from_registries(project: &Project) -> BTreeMap<(PackageName, Build), ReleaseId> {
    let releases = project.lock.iter().flat_map(|lock| &lock.releases);
    let mut locked = BTreeMap::new();
    for id in releases.filter(|release| release.registry.is_some()).map(LockedRelease::id) {
        locked.entry((id.name.clone(), build(&id))).or_insert(id);
    }
    locked
}

/// What was chosen from registries.
fn builds(resolution: &Resolution) -> BTreeMap<PackageName, BTreeSet<Build>> {
    let nodes = resolution.nodes.iter();
    by_package(
        nodes.filter(|node| matches!(node.source, weir_resolve::Source::Registry(_))).map(|node| &node.id),
    )
}

fn by_package<'r>(releases: impl Iterator<Item = &'r ReleaseId>) -> BTreeMap<PackageName, BTreeSet<Build>> {
    let mut builds: BTreeMap<PackageName, BTreeSet<Build>> = BTreeMap::new();
    for id in releases {
        builds.entry(id.name.clone()).or_default().insert(build(id));
    }
    builds
}

/// The newest that the project could have if its ranges moved as well.
pub(crate) struct Wider {
    pub(crate) ranges: Vec<RangeChange>,
    /// What the manifest would ask for.
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) resolution: Resolution,
}

/// The ranges of the manifest that would have to move, so that as much as can be used together is at its newest.
/// `wanted` is what they accept as they are: nothing falls behind that.
pub(crate) fn newest_ranges(
    chooser: &Chooser<'_>,
    project: &Project,
    requirements: &[Requirement],
    wanted: &Resolution,
    moving: Moving<'_>,
) -> Result<Wider, ProjectError> {
    let mut wider = requirements.to_vec();
    let asked = || project.manifest.dependencies.iter().enumerate();
    let moves = || asked().filter(|(_, asked)| asked.source == Source::Registry && moving.moves(&asked.name));
    for (index, asked) in moves() {
        let now = &wanted.target(&wanted.roots[index]).id.version;
        if let Ok(range) = format!("{} || >={now}", asked.range).parse() {
            wider[index].range = range;
        }
    }
    let resolution = chooser.choose(&wider)?;
    let mut ranges = Vec::new();
    for (index, asked) in moves() {
        let newest = &resolution.target(&resolution.roots[index]).id.version;
        wider[index].range = asked.range.clone();
        if !asked.range.contains(newest) {
            let after = same_style(&asked.range, newest);
            wider[index].range = after.clone();
            ranges.push(RangeChange {
                name: asked.name.clone(),
                scope: asked.scope,
                before: asked.range.clone(),
                after,
            });
        }
    }
    Ok(Wider { ranges, requirements: wider, resolution })
}

/// The releases of a resolution that are not the newest that is offered, and what holds each.
pub(crate) fn held(
    session: &Session,
    chooser: &Chooser<'_>,
    resolution: &Resolution,
    requirements: &[Requirement],
) -> Result<Vec<Held>, ProjectError> {
    let mut all = Vec::new();
    for (index, node) in resolution.nodes.iter().enumerate() {
        if !matches!(node.source, weir_resolve::Source::Registry(_)) {
            continue;
        }
        let Some(newest) = chooser.newest(&node.id.name)? else { continue };
        if newest <= node.id.version {
            continue;
        }
        let mut held = holds(resolution, requirements, index, &newest);
        if held.is_empty() {
            let is_here = chooser.world.is_version_here(&node.id.name, &newest)?;
            held.push(match chooser.connections.newer_above(&node.id.name) {
                Some(above) if above == newest => Hold::Above,
                _ if session.offline && !is_here => Hold::NotHere,
                _ => Hold::Together {
                    why: (all.len() < MOST_EXPLAINED)
                        .then(|| why_apart(chooser, (resolution, requirements), index, &newest))
                        .flatten(),
                },
            });
        }
        let ReleaseId { name, version, .. } = node.id.clone();
        all.push(Held { name, version, newest, held });
    }
    Ok(all)
}

/// Of so many packages it is found out why the newest does not go together with the rest: each takes a resolution.
const MOST_EXPLAINED: usize = 20;

/// What stands against the newest version of a release that the project itself asks for: the last of the steps that decide.
fn why_apart(
    chooser: &Chooser<'_>,
    (resolution, requirements): (&Resolution, &[Requirement]),
    index: usize,
    newest: &Version,
) -> Option<String> {
    let place = resolution.roots.iter().position(|edge| edge.to == index)?;
    let mut asked = requirements.to_vec();
    asked.get_mut(place)?.range = Range::exact(newest);
    match chooser.choose(&asked) {
        Err(ProjectError::NoResolution(explanation)) => {
            let decides = explanation.decisive().last().copied()?;
            Some(explanation.steps.get(decides.checked_sub(1)?)?.to_string())
        }
        _ => None,
    }
}

/// Who asks for a release in a way that excludes `newest`.
fn holds(resolution: &Resolution, requirements: &[Requirement], index: usize, newest: &Version) -> Vec<Hold> {
    let mut holds = Vec::new();
    for (asked, edge) in requirements.iter().zip(&resolution.roots) {
        if edge.to == index && !asked.range.contains(newest) {
            holds.push(Hold::Range { by: asked.origin.label.to_string(), range: asked.range.clone() });
        }
    }
    for node in &resolution.nodes {
        for edge in node.edges.iter().filter(|edge| edge.to == index) {
            match &edge.fluid {
                None => holds.push(Hold::Baked { by: node.id.clone() }),
                Some(range) if !range.contains(newest) => {
                    holds.push(Hold::Range { by: node.id.to_string(), range: range.clone() });
                }
                Some(_) => {}
            }
        }
    }
    holds
}
