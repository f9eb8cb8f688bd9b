//! Looking at what a project uses, and at what registries offer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;

use serde::Serialize;
use weir_index::{Dependent, HeldRelease, KnownAdvisory, PackageFilter, PackageView, SearchHit};
use weir_model::lockfile::LockedRelease;
use weir_model::record::Hold;
use weir_model::{KindName, Lockfile, PackageName, Range, ReleaseId, Scope, TreeDigest, Version, nearest};
use weir_registry::Replica;
use weir_rules::Standing;
use weir_wire::downloads::PackageDownloads;
use weir_wire::upstream::{Look, Looked};

use crate::downloads::downloads_if_any;
use crate::error::ProjectError;
use crate::project::Project;
use crate::resolve::scopes;
use weir_reach::{Connection, ReachError, Session, WasLooked, connect, find, in_use, look_above};

/// A package in the tree of what a project uses.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct TreeNode {
    /// Which release it is.
    pub id: ReleaseId,
    /// What the project needs it for, if the project itself asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Whether the one above it lets it move.
    pub fluid: bool,
    /// How it was withdrawn, as far as this machine knows: `yanked`, `quarantined` or `removed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Standing>,
    /// Whether it stands elsewhere in the tree with what it needs, which is not repeated here.
    pub repeated: bool,
    /// What it needs.
    pub dependencies: Vec<TreeNode>,
}

/// How deep a tree is drawn.
const DEEPEST: usize = 64;

/// The tree of what a project uses: first what it needs to be used, then what to be built, then what to be worked on. No registry is asked: what was withdrawn is told as it was known last.
///
/// # Errors
///
/// When there is no lockfile.
pub fn dependency_tree(session: &Session, project: &Project) -> Result<Vec<TreeNode>, ProjectError> {
    let lock = project.locked()?;
    let mut tree = Tree { lock, known: known_views(session, project)?, shown: BTreeSet::new() };
    let scopes = scopes(project);
    let scope = |id: &ReleaseId| scopes.get(&id.name).copied().unwrap_or_default();
    let mut direct: Vec<_> = lock.direct.iter().map(|direct| (scope(&direct.0), &direct.0)).collect();
    direct.sort();
    let nodes = direct.into_iter().map(|(scope, id)| {
        let node = tree.node(id, false, 0)?;
        Ok(TreeNode { scope: Some(scope), ..node })
    });
    nodes.collect()
}

/// What this machine knows of the registries that a project uses, by the name each calls itself.
pub(crate) fn known_views(
    session: &Session,
    project: &Project,
) -> Result<BTreeMap<String, Replica>, ProjectError> {
    let home = session.home.replicas();
    let known = in_use(session, project.registries())?;
    let views =
        known.iter().filter_map(|known| Replica::offline(&home, &known.location, known.key.as_deref()).ok());
    Ok(views.map(|replica| (replica.name().to_owned(), replica)).collect())
}

struct Tree<'a> {
    lock: &'a Lockfile,
    known: BTreeMap<String, Replica>,
    shown: BTreeSet<ReleaseId>,
}

impl Tree<'_> {
    fn node(&mut self, id: &ReleaseId, fluid: bool, depth: usize) -> Result<TreeNode, ProjectError> {
        let lock = self.lock;
        let release = lock.release(id);
        let has_dependencies = release.is_some_and(|release| !release.dependencies.is_empty());
        let repeated = has_dependencies && (!self.shown.insert(id.clone()) || depth >= DEEPEST);
        let mut dependencies = Vec::new();
        if let Some(release) = release.filter(|_| !repeated) {
            for dependency in &release.dependencies {
                let fluid = release.fluid.iter().any(|choice| choice.name == dependency.0.name);
                dependencies.push(self.node(&dependency.0, fluid, depth + 1)?);
            }
        }
        let withdrawn = release.map(|release| self.withdrawn(release)).transpose()?.flatten();
        Ok(TreeNode { id: id.clone(), scope: None, fluid, withdrawn, repeated, dependencies })
    }

    fn withdrawn(&self, release: &LockedRelease) -> Result<Option<Standing>, ProjectError> {
        let Some(replica) = release.registry.as_ref().and_then(|name| self.known.get(name)) else {
            return Ok(None);
        };
        let view = replica.index().release(&release.id())?;
        Ok(view.map(|view| view.standing()).filter(|state| *state != Standing::Offered))
    }
}

/// How many paths `why` tells at most.
const MOST_PATHS: usize = 20;

/// By which paths a project comes to use a package: shortest first.
///
/// # Errors
///
/// When it does not use it.
pub fn why(project: &Project, name: &PackageName) -> Result<Vec<Vec<ReleaseId>>, ProjectError> {
    let lock = project.locked()?;
    if !lock.releases.iter().any(|release| release.name == *name) {
        let similar = nearest(name.as_str(), lock.releases.iter().map(|release| release.name.as_str()));
        let similar = similar.map(str::to_owned);
        let place = "`weir.lock`".into();
        return Err(ReachError::UnknownPackage { name: name.clone(), place, similar }.into());
    }
    // Backwards from the package: each step is one that can be part of an answer.
    let mut users: BTreeMap<&ReleaseId, Vec<ReleaseId>> = BTreeMap::new();
    for release in &lock.releases {
        for dependency in &release.dependencies {
            users.entry(&dependency.0).or_default().push(release.id());
        }
    }
    let direct: BTreeSet<&ReleaseId> = lock.direct.iter().map(|direct| &direct.0).collect();
    let targets =
        lock.releases.iter().filter(|release| release.name == *name).map(|release| vec![release.id()]);
    let mut pending: VecDeque<Vec<ReleaseId>> = targets.collect();
    let mut paths = Vec::new();
    let mut steps = 0;
    while let Some(path) = pending.pop_front() {
        steps += 1;
        if paths.len() >= MOST_PATHS || steps > 100_000 {
            break;
        }
        let Some(first) = path.last() else { continue };
        if direct.contains(first) {
            paths.push(path.iter().rev().cloned().collect());
        }
        for user in users.get(first).into_iter().flatten() {
            if !path.contains(user) {
                let mut longer = path.clone();
                longer.push(user.clone());
                pending.push_back(longer);
            }
        }
    }
    Ok(paths)
}

/// A package that a project uses.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Installed {
    /// Which release it is.
    pub id: ReleaseId,
    /// What sort of package it is.
    pub kind: KindName,
    /// Whether the project asks for it itself.
    pub direct: bool,
    /// The registry it is from, if it is from one.
    pub registry: Option<String>,
    /// The digest of its tree, if it is fixed.
    pub tree: Option<TreeDigest>,
    /// Where its files are, if they are on this machine.
    #[serde(serialize_with = "weir_model::path_text::maybe_path")]
    pub path: Option<PathBuf>,
}

/// The packages that a project uses.
///
/// # Errors
///
/// When there is no lockfile.
pub fn list(session: &Session, project: &Project) -> Result<Vec<Installed>, ProjectError> {
    let lock = project.locked()?;
    let store = session.open_store()?.session()?;
    let mut installed = Vec::with_capacity(lock.releases.len());
    for release in &lock.releases {
        let id = release.id();
        let path = match (&release.path, release.tree) {
            (Some(path), _) => Some(project.folder.join(path)),
            (None, Some(tree)) => store.tree(&tree)?.map(|stored| stored.path().to_owned()),
            (None, None) => None,
        };
        installed.push(Installed {
            direct: lock.direct.iter().any(|direct| direct.0 == id),
            id,
            kind: release.kind,
            registry: release.registry.clone(),
            tree: release.tree,
            path,
        });
    }
    Ok(installed)
}

/// What searching found.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct SearchReport {
    /// The registry that was searched.
    pub registry: String,
    /// What was found, best first.
    pub hits: Vec<SearchHit>,
    /// How many there are in all, if that is known.
    pub total: Option<u64>,
    /// The registries above it, the nearest first. What only they have was not searched.
    pub above: Vec<String>,
}

/// Searches the packages of a registry.
///
/// # Errors
///
/// When the registry cannot be asked.
pub fn search(
    session: &Session,
    project: Option<&Project>,
    query: &str,
    filter: &PackageFilter,
    limit: usize,
) -> Result<SearchReport, ProjectError> {
    let folder = std::path::Path::new(".");
    let connection = connect(session, &find(session, project.map(Project::registries), None, folder)?)?;
    let results = connection.replica.index().search(query, filter, limit, 0)?;
    let above = names_above(&connection)?;
    let registry = connection.known.name.clone();
    Ok(SearchReport { registry, hits: results.hits, total: results.total, above })
}

/// The names of packages that the registry in use offers and that begin with `prefix`, the first `limit` of them.
///
/// # Errors
///
/// When the registry cannot be reached, or offline is not known.
pub fn offered_names(
    session: &Session,
    project: Option<&Project>,
    prefix: &str,
    limit: usize,
) -> Result<Vec<PackageName>, ProjectError> {
    let folder = std::path::Path::new(".");
    let connection = connect(session, &find(session, project.map(Project::registries), None, folder)?)?;
    let filter = PackageFilter { prefix: Some(prefix.to_owned()), ..PackageFilter::default() };
    let packages = connection.replica.index().list(&filter, None, limit)?;
    Ok(packages.into_iter().map(|package| package.name).collect())
}

/// What a registry says of a package.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct InfoReport {
    /// The registry.
    pub registry: String,
    /// To whom its owner belongs.
    pub owners: Vec<String>,
    /// The package and its releases.
    pub package: PackageView,
    /// The release that was asked for: the newest where no version was named.
    pub chosen: Option<ReleaseId>,
    /// The packages that need it, with the versions they accept.
    pub dependents: Vec<(ReleaseId, Range)>,
    /// What the project uses of it.
    pub used: Vec<Version>,
    /// How often it was downloaded in the last thirty days, where a server says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downloads: Option<PackageDownloads>,
    /// Releases of a registry above that are kept out, the newest first.
    pub held: Vec<HeldRelease>,
    /// The advisories on the package.
    pub advisories: Vec<KnownAdvisory>,
}

/// A package that only a registry above the one in use has.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct AboveReport {
    /// The registry that does not have it.
    pub registry: String,
    /// The package.
    pub name: PackageName,
    /// What there is of it above.
    pub above: Looked,
}

/// What there is to know of a package.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Info {
    /// The registry has it.
    Here(Box<InfoReport>),
    /// Only one above it has.
    Above(AboveReport),
}

/// Tells what a registry knows of a package, or those above it where it knows none.
///
/// # Errors
///
/// When the package or the version is not there.
pub fn info(
    session: &Session,
    project: Option<&Project>,
    name: &PackageName,
    version: Option<&Version>,
) -> Result<Info, ProjectError> {
    let folder = std::path::Path::new(".");
    let connection = connect(session, &find(session, project.map(Project::registries), None, folder)?)?;
    match info_here(session, project, &connection, name, version) {
        Err(ProjectError::Reach(missing @ ReachError::UnknownPackage { .. })) => {
            info_above(session, &connection, name, version, missing).map(Info::Above)
        }
        here => Ok(Info::Here(Box::new(here?))),
    }
}

/// What those above a registry have of a package that it does not have: it is asked for that, and admits nothing.
fn info_above(
    session: &Session,
    connection: &Connection,
    name: &PackageName,
    version: Option<&Version>,
    missing: ReachError,
) -> Result<AboveReport, ProjectError> {
    let (registry, upstreams) = (connection.known.name.clone(), names_above(connection)?);
    if let Some(note) = connection.kept_here(name) {
        session.warn(note);
        return Err(missing.into());
    }
    if upstreams.is_empty() {
        return Err(missing.into());
    }
    if session.offline {
        let upstreams = upstreams.join(", ");
        session
            .warn(format!("with a network, `{registry}` would be asked for what is above it: {upstreams}"));
        return Err(missing.into());
    }
    let mut above = match look_above(session, connection, &Look { name: name.clone(), via: Vec::new() })? {
        WasLooked::Yes(looked) => looked,
        WasLooked::No(reason) => {
            session.warn(format!("`{registry}` was not asked for what is above it: {reason}"));
            return Err(missing.into());
        }
    };
    let Some(there) = above.through.last() else {
        above.missing.iter().for_each(|why| session.warn(why.to_string()));
        return match above.unreached.is_empty() {
            true => Err(missing.into()),
            false => Err(ReachError::AboveNotAsked { upstreams: above.unreached }.into()),
        };
    };
    if let Some(version) = version {
        let place = format!("the registry `{there}`, above `{registry}`");
        let versions = above.releases.iter().map(|release| release.id.version.to_string()).collect();
        above.releases.retain(|release| release.id.version == *version);
        if above.releases.is_empty() {
            let (name, version) = (name.clone(), version.to_string());
            return Err(ReachError::UnknownVersion { name, version, place, versions }.into());
        }
    }
    Ok(AboveReport { registry, name: name.clone(), above })
}

/// The registries above one, the nearest first.
fn names_above(connection: &Connection) -> Result<Vec<String>, ProjectError> {
    let facts = connection.replica.index().facts()?;
    Ok(facts.upstreams().iter().map(|above| above.name.clone()).collect())
}

fn info_here(
    session: &Session,
    project: Option<&Project>,
    connection: &Connection,
    name: &PackageName,
    version: Option<&Version>,
) -> Result<InfoReport, ProjectError> {
    let downloads = downloads_if_any(session, &connection.known, name);
    let index = connection.replica.index();
    // All that is told is of one moment.
    let _reading = index.reading()?;
    let place = connection.place();
    let package = connection.package(name)?;
    let held = index.held_of(name)?;
    let chosen = match version {
        None => {
            let here = weir_rules::newest(&package.releases, Some(&session.platform()));
            here.or_else(|| package.newest()).map(|view| view.release.id.clone())
        }
        Some(version) => {
            let found = package.releases.iter().find(|view| view.release.id.version == *version);
            let of_it: Vec<Hold> = held
                .iter()
                .map(|held| &held.hold)
                .filter(|hold| hold.id.version == *version)
                .cloned()
                .collect();
            let found = found.ok_or_else(|| match of_it.is_empty() {
                false => ReachError::OnlyHeld { name: name.clone(), place, held: of_it },
                true => ReachError::UnknownVersion {
                    name: name.clone(),
                    version: version.to_string(),
                    place,
                    versions: package
                        .releases
                        .iter()
                        .map(|view| view.release.id.version.to_string())
                        .collect(),
                },
            })?;
            Some(found.release.id.clone())
        }
    };
    let offered = |dependent: &Dependent| dependent.standing.is_offered();
    let dependents = index.dependents(name)?.into_iter().filter(offered);
    let locked = project.and_then(|project| project.lock.as_ref());
    let used = locked.into_iter().flat_map(|lock| &lock.releases).filter(|release| release.name == *name);
    Ok(InfoReport {
        registry: connection.known.name.clone(),
        owners: index.owner(&name.owner_name())?.map(|claim| claim.who).unwrap_or_default(),
        chosen,
        dependents: dependents.map(|dependent| (dependent.id, dependent.dependency.range)).collect(),
        used: used.map(|release| release.version.clone()).collect(),
        held,
        advisories: index.advisories_of(name)?,
        package,
        downloads,
    })
}
