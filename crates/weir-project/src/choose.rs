//! Choosing releases for a project: what its lockfile has, what is on this machine, or the newest of all that is offered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use weir_model::lockfile::LockedRelease;
use weir_model::manifest::{Prefer, Source};
use weir_model::{PackageName, Platform, ReleaseId, Scope, Version};
use weir_reach::{Connections, ReachError, Requirements, Session};
use weir_resolve::{
    Here, Lock, Origin, Override, Replacement, Request, Requirement, Resolution, ResolveError, Resolver,
    Settings, View,
};
use weir_wire::upstream::{Ask, Asked, AskedInstead};

use crate::error::ProjectError;
use crate::local::Locals;
use crate::moving::Moving;
use crate::project::Project;
use crate::tools;
use crate::world::World;

/// All that a project's releases are chosen from, for any number of questions.
pub(crate) struct Chooser<'a> {
    session: &'a Session,
    project: &'a Project,
    pub(crate) connections: &'a Connections<'a>,
    moving: Moving<'a>,
    pub(crate) world: World<'a>,
    pub(crate) locals: Locals,
    prefer: Prefer,
}

impl<'a> Chooser<'a> {
    pub(crate) fn new(
        session: &'a Session,
        connections: &'a Connections<'a>,
        project: &'a Project,
        moving: Moving<'a>,
    ) -> Result<Self, ProjectError> {
        let store = session.open_store()?.session()?;
        let locals = Locals::read(session, &store, project)?;
        let locked = project.chosen_before().into_iter().flat_map(|lock| &lock.releases);
        let kept = locked
            .filter(|release| !moving.moves(&release.name))
            .map(weir_model::lockfile::LockedRelease::id);
        let world =
            World::new(connections, locked_registries(project), store, kept.collect(), project.tools());
        let prefer = preference(session, project)?;
        let chooser = Self { session, project, moving, world, locals, prefer, connections };
        connections.ask(&chooser.asked_of_registries());
        Ok(chooser)
    }

    /// What the manifest asks for, in its order.
    pub(crate) fn requirements(&self) -> Vec<Requirement> {
        let asked = self.project.manifest.dependencies.iter().map(|requirement| Requirement {
            name: requirement.name.clone(),
            range: requirement.range.clone(),
            registry: requirement.registry.as_deref().map(Arc::from),
            fluid: requirement.fluid,
            origin: Origin::new(self.project.origin_of(requirement)),
        });
        asked.collect()
    }

    /// The same, as registries are asked that have others above them; packages in folders and repositories bring theirs along.
    fn asked_of_registries(&self) -> Requirements {
        let fixed = self.locals.fixed();
        let is_fixed = |name: &PackageName| fixed.iter().any(|fixed| fixed.name == *name);
        let own = self.requirements().into_iter().filter(|asked| !is_fixed(&asked.name)).map(|asked| {
            let Requirement { name, range, registry, fluid, .. } = asked;
            (Asked { name, range, fluid }, registry.map(|registry| registry.to_string()))
        });
        let mut required: Vec<(Asked, Option<String>)> = own.collect();
        let brought = fixed.iter().flat_map(|fixed| &fixed.dependencies);
        for needed in brought.filter(|needed| needed.scope == Scope::Run && !is_fixed(&needed.name)) {
            let (name, range) = (needed.name.clone(), needed.range.clone());
            required.push((Asked { name, range, fluid: true }, None));
        }
        let overrides = self.overrides().into_iter().filter_map(|instead| match instead.replacement {
            Replacement::Range(range) => Some(AskedInstead { name: instead.name, range }),
            Replacement::Fixed => None,
        });
        let newest = match self.moving {
            Moving::Packages(names) => names.to_vec(),
            Moving::Nothing | Moving::Added(_) | Moving::All => Vec::new(),
        };
        let beyond: BTreeSet<&PackageName> = match self.connections.look_beyond_ranges() {
            true => {
                required.iter().map(|(asked, _)| &asked.name).filter(|name| self.moving.moves(name)).collect()
            }
            false => BTreeSet::new(),
        };
        let ask = Ask {
            beyond: beyond.into_iter().cloned().collect(),
            overrides: overrides.collect(),
            platform: self.session.platform(),
            prefer: self.preferred_releases(),
            newest,
            ..Ask::default()
        };
        Requirements { required, ask }
    }

    /// Chooses releases. Offline, of what is on this machine, if that can be; otherwise also what is missing, so that it
    /// can be named.
    pub(crate) fn choose(&self, requirements: &[Requirement]) -> Result<Resolution, ProjectError> {
        if !self.session.offline {
            return self.choose_online(requirements);
        }
        match self.choose_with(requirements, Here::Only) {
            Err(ProjectError::NoResolution(_)) => self.choose_with(requirements, Here::First),
            settled => settled,
        }
    }

    /// Whether requirements can be met; offline, by what is on this machine.
    pub(crate) fn can_meet(&self, requirements: &[Requirement]) -> Result<bool, ProjectError> {
        let chosen = match self.session.offline {
            true => self.choose_with(requirements, Here::Only),
            false => self.choose_online(requirements),
        };
        match chosen {
            Ok(_) => Ok(true),
            Err(ProjectError::NoResolution(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What would be chosen with a network, as far as this machine knows.
    pub(crate) fn choose_online(&self, requirements: &[Requirement]) -> Result<Resolution, ProjectError> {
        let anything = self.prefer == Prefer::Newest || matches!(self.moving, Moving::All);
        self.choose_with(requirements, if anything { Here::Ignored } else { Here::FirstIfFluid })
    }

    /// The newest version of a package that is offered for the platform, here or by what is told of registries further up.
    pub(crate) fn newest(&self, name: &PackageName) -> Result<Option<Version>, ProjectError> {
        let offered = self.world.offered(name, None, &self.session.platform())?;
        let here = offered.and_then(|offered| offered.into_iter().next());
        Ok(here.max(self.connections.newer_above(name)))
    }

    fn choose_with(&self, requirements: &[Requirement], here: Here) -> Result<Resolution, ProjectError> {
        self.choose_in(&self.world, requirements, here).map_err(|error| match error {
            ProjectError::NoResolution(_) if self.world.is_empty() => {
                let wanted = format!("the dependencies of `{}`", self.project.manifest_name());
                ReachError::NoRegistry { wanted }.into()
            }
            ProjectError::NoResolution(explanation) => {
                let asked = requirements.iter().map(|asked| &asked.name);
                let missing: Vec<&PackageName> =
                    asked.filter(|_| explanation.is_of_something_missing()).collect();
                self.told_of_missing(&missing, ProjectError::NoResolution(explanation))
            }
            error => error,
        })
    }

    /// `error`, or that registries could not be asked: what was not asked for is not known to be missing. What there is to know of why these
    /// packages do not come from above is told.
    pub(crate) fn told_of_missing(&self, missing: &[&PackageName], error: ProjectError) -> ProjectError {
        let mut notes = self.connections.not_asked();
        if !missing.is_empty() {
            notes.extend(self.connections.why_missing(missing));
        }
        notes.into_iter().for_each(|note| self.session.warn(note));
        self.connections.failed_to_ask().map_or(error, Into::into)
    }

    /// Chooses of what any view offers.
    pub(crate) fn choose_in<E: std::error::Error + Into<ProjectError> + 'static>(
        &self,
        view: &impl View<Error = E>,
        requirements: &[Requirement],
        here: Here,
    ) -> Result<Resolution, ProjectError> {
        let newest = match self.moving {
            Moving::Packages(names) => names.iter().cloned().collect(),
            Moving::Nothing | Moving::Added(_) | Moving::All => BTreeSet::new(),
        };
        let settings = Settings {
            platform: self.session.platform(),
            fixed: self.locals.fixed(),
            overrides: self.overrides(),
            here,
            newest,
        };
        let resolver =
            Resolver::new(view, settings).map_err(|error| ProjectError::Usage(error.to_string()))?;
        let lock = self.preferences();
        let chosen =
            resolver.resolve(Request { requirements, lock: Some(&lock) }).map_err(|error| match error {
                ResolveError::Impossible(explanation) => ProjectError::NoResolution(explanation),
                ResolveError::View(error) => error.into(),
                other => ProjectError::Resolver(other.to_string()),
            })?;
        Ok(tools::taken_out(chosen, &self.project.tools()))
    }

    fn overrides(&self) -> Vec<Override> {
        let own = self.project.manifest.overrides.iter().map(|requirement| Override {
            name: requirement.name.clone(),
            replacement: match requirement.source {
                Source::Registry => Replacement::Range(requirement.range.clone()),
                Source::Path(_) | Source::Git { .. } => Replacement::Fixed,
            },
            origin: Origin::new(self.project.origin(requirement.line)),
        });
        let mut all: Vec<Override> = own.collect();
        for nested in self.locals.overrides() {
            if all.iter().all(|own| own.name != nested.name) {
                all.push(nested);
            }
        }
        all
    }

    /// The releases that are preferred, for whoever is asked elsewhere.
    fn preferred_releases(&self) -> Vec<ReleaseId> {
        let pins = self.project.pins().into_iter().map(|(name, version)| ReleaseId {
            name: name.clone(),
            version: version.clone(),
            platform: Platform::any(),
            revision: 0,
        });
        let locked = self.project.chosen_before().into_iter().flat_map(|lock| &lock.releases);
        let locked = locked.filter(|release| release.registry.is_some()).map(LockedRelease::id);
        pins.chain(locked).filter(|id| !self.moving.moves(&id.name)).collect()
    }

    /// What the lockfile prefers, without what may move.
    fn preferences(&self) -> Lock {
        let Self { project, moving, .. } = self;
        let mut preferred = Lock::new();
        let stays = |name: &PackageName| !moving.moves(name);
        let pins = project.pins();
        let locked = project.chosen_before();
        let is_locked = |name: &PackageName, version: &Version| {
            let mut releases = locked.into_iter().flat_map(|lock| &lock.releases);
            releases.any(|release| release.name == *name && release.version == *version)
        };
        for (name, version) in pins.iter().filter(|(name, version)| stays(name) && !is_locked(name, version))
        {
            let (name, version) = (name.clone(), version.clone());
            preferred.add_release(ReleaseId { name, version, platform: Platform::any(), revision: 0 });
        }
        // What a manifest pins is what a person sees, and goes before what the lockfile has.
        let stays = |name: &PackageName, version: &Version| {
            stays(name) && pins.get(name).is_none_or(|pin| pin == version)
        };
        let Some(lock) = locked else { return preferred };
        for release in lock.releases.iter().filter(|release| stays(&release.name, &release.version)) {
            preferred.add_release(release.id());
            for choice in release.fluid.iter().filter(|choice| stays(&choice.name, &choice.chosen)) {
                let chosen = release.dependencies.iter().find(|dependency| {
                    dependency.0.name == choice.name && dependency.0.version == choice.chosen
                });
                if let Some(chosen) = chosen {
                    preferred.add_edge(Some(release.id()), choice.range.clone(), chosen.0.clone());
                }
            }
        }
        for direct in lock.direct.iter().filter(|direct| stays(&direct.0.name, &direct.0.version)) {
            let asked =
                project.manifest.dependencies.iter().filter(|requirement| requirement.name == direct.0.name);
            for requirement in asked {
                preferred.add_edge(None, requirement.range.clone(), direct.0.clone());
            }
        }
        preferred
    }

    /// Tells of overrides that replace nothing.
    pub(crate) fn warn_of_unused_overrides(&self, resolution: &Resolution) {
        for requirement in &self.project.manifest.overrides {
            if resolution.nodes.iter().all(|node| node.id.name != requirement.name) {
                self.session.warn(format!(
                    "the override of `{}` in `{}` changes nothing: nothing here needs it",
                    requirement.name,
                    self.project.origin(requirement.line)
                ));
            }
        }
    }

    /// Tells what would be newer with a network.
    pub(crate) fn warn_of_what_is_not_here(&self, requirements: &[Requirement], chosen: &Resolution) {
        let Ok(with_network) = self.choose_online(requirements) else { return };
        let (here, there) = (versions(chosen), versions(&with_network));
        for (name, versions) in &here {
            let Some(others) = there.get(name).filter(|others| *others != versions) else { continue };
            self.session.warn(format!(
                "`{name}` is taken as {}, which is on this machine; with a network it would be {}",
                listed(versions),
                listed(others)
            ));
        }
    }
}

/// Of a project in which everything may move: what may, if it cannot be everything. A release that was withdrawn and is the only
/// one in its range stays where it is, and must not keep all others from moving. `None` where everything may.
pub(crate) fn movable<'a>(
    session: &'a Session,
    connections: &'a Connections<'a>,
    project: &'a Project,
) -> Result<Option<Movable>, ProjectError> {
    let all = Chooser::new(session, connections, project, Moving::All)?;
    let impossible = match all.choose(&all.requirements()) {
        Ok(_) => return Ok(None),
        Err(impossible @ ProjectError::NoResolution(_)) => impossible,
        Err(error) => return Err(error),
    };
    let mut movable = Movable::default();
    for release in project.chosen_before().into_iter().flat_map(|lock| &lock.releases) {
        if release.registry.is_some() && all.world.is_withdrawn(&release.id())? {
            movable.withdrawn.push(release.id());
        }
    }
    let asked = project.manifest.dependencies.iter().map(|asked| &asked.name);
    let locked = project.chosen_before().into_iter().flat_map(|lock| &lock.releases);
    let names: BTreeSet<&PackageName> = asked.chain(locked.map(|release| &release.name)).collect();
    let stays = |name: &PackageName| movable.withdrawn.iter().any(|release| release.name == *name);
    movable.names = names.into_iter().filter(|name| !stays(name)).cloned().collect();
    if movable.withdrawn.is_empty() {
        return Err(impossible);
    }
    let some = Chooser::new(session, connections, project, Moving::Packages(&movable.names))?;
    match some.choose(&some.requirements()) {
        Ok(_) => Ok(Some(movable)),
        Err(_) => Err(impossible),
    }
}

/// What of a project may move.
#[derive(Debug, Default)]
pub(crate) struct Movable {
    pub(crate) names: Vec<PackageName>,
    /// What was withdrawn, and stays all the same.
    pub(crate) withdrawn: Vec<ReleaseId>,
}

/// What a project prefers where any in range will do; the user, where it says nothing.
pub(crate) fn preference(session: &Session, project: &Project) -> Result<Prefer, ProjectError> {
    Ok(match project.manifest.prefer {
        Some(prefer) => prefer,
        None => weir_reach::preference(session)?,
    })
}

/// The registry that each package was locked from, by its own name.
pub(crate) fn locked_registries(project: &Project) -> BTreeMap<PackageName, String> {
    let releases = project.chosen_before().into_iter().flat_map(|lock| &lock.releases);
    releases.filter_map(|release| Some((release.name.clone(), release.registry.clone()?))).collect()
}

/// The versions that a resolution has of each package of a registry.
pub(crate) fn versions(resolution: &Resolution) -> BTreeMap<PackageName, BTreeSet<Version>> {
    let mut versions: BTreeMap<PackageName, BTreeSet<Version>> = BTreeMap::new();
    for node in &resolution.nodes {
        if matches!(node.source, weir_resolve::Source::Registry(_)) {
            let ReleaseId { name, version, .. } = node.id.clone();
            versions.entry(name).or_default().insert(version);
        }
    }
    versions
}

fn listed(versions: &BTreeSet<Version>) -> String {
    versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}
