//! Packages that no registry offers: from a folder, or from a tag of a git repository.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use weir_fs::Folder;
use weir_kinds::kind;
use weir_model::lockfile::{LockedGit, LockedRelease};
use weir_model::manifest::{Requirement, Source};
use weir_model::{Dependency, Digest, KindName, Lockfile, Manifest, Platform, TreeDigest, Version, manifest};
use weir_resolve::{Candidate, Fixed, Origin, Override, Replacement};
use weir_rules::{Standing, needed_first};
use weir_tree::{Selection, read_folder};

use crate::error::ProjectError;
use crate::named;
use crate::project::{Project, parse_manifest};
use crate::tools;
use weir_git::{Fault, GitError, Take};
use weir_package::TagManifest;
use weir_reach::Session;

/// The most packages a project may use from folders and repositories, over all levels.
const MOST: usize = 1000;

/// A package from a folder or a repository.
#[derive(Debug, Clone)]
pub(crate) struct Local {
    pub(crate) fixed: Fixed,
    /// Its table in the lockfile, without its dependencies.
    pub(crate) locked: LockedRelease,
    nested: bool,
    origin: String,
}

/// The packages of a project that no registry offers, by the label under which they are resolved.
#[derive(Debug, Clone, Default)]
pub(crate) struct Locals {
    by_label: BTreeMap<String, Local>,
}

/// A package still to be looked at.
struct Pending {
    requirement: Requirement,
    /// The label of what asks for it.
    by: String,
    /// The folder that its path is relative to.
    base: PathBuf,
    origin: String,
    nested: bool,
}

impl Locals {
    /// Reads every package that the project asks for by path or by git tag, and what those ask for the same way.
    pub(crate) fn read(
        session: &Session,
        store: &weir_store::Session,
        project: &Project,
    ) -> Result<Self, ProjectError> {
        let mut locals = Self::default();
        let mut needs = Needs::new();
        let own = project.manifest.dependencies.iter().chain(&project.manifest.overrides);
        let mut pending: VecDeque<Pending> = own
            .filter(|requirement| requirement.source != Source::Registry)
            .map(|requirement| Pending {
                requirement: requirement.clone(),
                by: relative(&project.folder, &project.folder),
                base: project.folder.clone(),
                origin: project.origin_of(requirement),
                nested: false,
            })
            .collect();
        while let Some(next) = pending.pop_front() {
            if locals.by_label.len() >= MOST {
                return Err(ProjectError::Usage(format!(
                    "more than {MOST} packages come from folders and repositories"
                )));
            }
            let label = label(project, &next);
            needs.entry(next.by.clone()).or_default().insert(label.clone());
            if locals.by_label.contains_key(&label) {
                continue;
            }
            let read = match &next.requirement.source {
                Source::Path(path) => read_path(project, &next, path)?,
                Source::Git { tag, manifest } => {
                    read_git(session, store, project.chosen_before(), &next, (tag, manifest.as_deref()))?
                }
                Source::Registry => continue,
            };
            let below = read.manifest.dependencies.iter().filter(|below| {
                below.scope == weir_model::Scope::Run
                    && matches!(below.source, Source::Path(_) | Source::Git { .. })
            });
            for below in below {
                let origin = format!("{}/{}:{}", label, manifest::FILE_NAME, below.line);
                let (by, base) = (label.clone(), read.folder.clone());
                pending.push_back(Pending { requirement: below.clone(), by, base, origin, nested: true });
            }
            let mut local = read.into_local(&label, &next);
            local.fixed.dependencies.extend(tools::need(
                local.fixed.kind,
                &local.locked.facts,
                &project.tools(),
            ));
            locals.by_label.insert(label.clone(), local);
        }
        match circle(&needs) {
            Some(labels) => Err(ProjectError::Circle { labels }),
            None => Ok(locals),
        }
    }

    pub(crate) fn fixed(&self) -> Vec<Fixed> {
        self.by_label.values().map(|local| local.fixed.clone()).collect()
    }

    /// What a package from a folder asks for by path stands in for that name everywhere.
    pub(crate) fn overrides(&self) -> Vec<Override> {
        let nested = self.by_label.values().filter(|local| local.nested);
        nested
            .map(|local| Override {
                name: local.fixed.name.clone(),
                replacement: Replacement::Fixed,
                origin: Origin::new(local.origin.as_str()),
            })
            .collect()
    }

    pub(crate) fn get(&self, label: &str) -> Option<&LockedRelease> {
        self.by_label.get(label).map(|local| &local.locked)
    }
}

/// What asks for what, by label.
type Needs = BTreeMap<String, BTreeSet<String>>;

/// Labels that ask for each other in a circle, if any do; the first stands at the end again.
fn circle(needs: &Needs) -> Option<Vec<String>> {
    let labels: Vec<&String> = needs.keys().collect();
    let places: BTreeMap<&String, usize> =
        labels.iter().enumerate().map(|(place, label)| (*label, place)).collect();
    let below = |place: usize| needs[labels[place]].iter().filter_map(|label| places.get(label).copied());
    let circle = needed_first(labels.len(), below).err()?;
    Some(circle.into_iter().map(|place| labels[place].clone()).collect())
}

/// What was found in a folder or a repository.
struct Read {
    folder: PathBuf,
    manifest: Manifest,
    kind: KindName,
    version: Version,
    tree: Option<TreeDigest>,
    path: Option<String>,
    git: Option<LockedGit>,
    facts: weir_kind::Facts,
}

impl Read {
    fn into_local(self, label: &str, pending: &Pending) -> Local {
        let dependencies = self.manifest.dependencies.iter().filter(|d| d.scope == weir_model::Scope::Run);
        let dependencies = dependencies.map(|requirement| Dependency {
            name: requirement.name.clone(),
            range: requirement.range.clone(),
            scope: requirement.scope,
            baked: None,
        });
        // Nothing of a folder is fixed, so its input digest names the place.
        let input_digest = self.tree.map_or_else(|| Digest::of(label), |tree| Digest::of(tree.to_string()));
        let name = pending.requirement.name.clone();
        let candidate = Candidate {
            version: self.version.clone(),
            platform: Platform::any(),
            revision: 0,
            input_digest,
            standing: Standing::Offered,
            reason: None,
            handle: 0,
        };
        let fixed = Fixed {
            name: name.clone(),
            kind: self.kind,
            candidate,
            dependencies: dependencies.collect(),
            label: label.into(),
        };
        let locked = LockedRelease {
            name,
            version: self.version,
            platform: Platform::any(),
            revision: 0,
            kind: self.kind,
            tree: self.tree,
            input_digest: None,
            size: None,
            unpacked: None,
            registry: None,
            path: self.path,
            git: self.git,
            dependencies: Vec::new(),
            fluid: Vec::new(),
            references: Vec::new(),
            facts: self.facts,
        };
        Local { fixed, locked, nested: pending.nested, origin: pending.origin.clone() }
    }
}

/// Under which name a package from elsewhere is resolved, and shown.
fn label(project: &Project, pending: &Pending) -> String {
    match &pending.requirement.source {
        Source::Path(path) => relative(&project.folder, &pending.base.join(path)),
        Source::Git { tag, .. } => format!("{}#{}", tag.url, tag.tag),
        Source::Registry => String::new(),
    }
}

/// A folder as the project sees it: `../near`.
fn relative(from: &Path, to: &Path) -> String {
    let to = fs_err::canonicalize(to).unwrap_or_else(|_| to.to_owned());
    let common = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(common).map(|_| "..".to_owned());
    let down = to.components().skip(common).map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<String> = up.chain(down).collect();
    if parts.is_empty() { ".".into() } else { parts.join("/") }
}

fn read_path(project: &Project, pending: &Pending, path: &str) -> Result<Read, ProjectError> {
    let name = &pending.requirement.name;
    let folder = pending.base.join(path);
    let failure = |missing: bool, reason: String| ProjectError::PathDependency {
        origin: pending.origin.clone(),
        name: name.clone(),
        folder: folder.clone(),
        missing,
        reason,
    };
    let error = |reason: String| failure(false, reason);
    if !folder.is_dir() {
        return Err(failure(true, "there is no such folder".into()));
    }
    let no_manifest = || failure(true, "it has no `weir.toml`".into());
    let manifest = package_manifest(&folder)?.ok_or_else(no_manifest)?;
    if let Some(own) = &manifest.package.name
        && own != name
    {
        return Err(error(format!("the package in it is `{own}`")));
    }
    let version = manifest.package.version.clone().unwrap_or_else(unversioned);
    if !pending.requirement.range.contains(&version) {
        return Err(error(format!(
            "its version is {version}, which {} does not accept",
            pending.requirement.range
        )));
    }
    let tree = read_folder(&folder, &weir_package::selection(&manifest.package)?)?;
    let facts = kind(manifest.package.kind)?.inspect(&Folder::open(&folder)?, &manifest, &tree)?.facts;
    let path = Some(relative(&project.folder, &folder));
    let kind = manifest.package.kind;
    Ok(Read { folder, kind, version, tree: None, path, git: None, facts, manifest })
}

fn read_git(
    session: &Session,
    store: &weir_store::Session,
    lock: Option<&Lockfile>,
    pending: &Pending,
    (tag, says): (&manifest::GitTag, Option<&str>),
) -> Result<Read, ProjectError> {
    let name = &pending.requirement.name;
    let mut locked =
        lock.into_iter().flat_map(|lock| &lock.releases).filter_map(|release| release.git.as_ref());
    let before = locked.find(|git| git.url == tag.url && git.tag == tag.tag);
    let place = weir_git::at(tag, &pending.base);
    // Whoever knows the commit knows what is in it. What is in the project's own folder may lead out of it by a link.
    let is_known = before.is_some() || weir_git::is_commit(&tag.tag);
    if !is_known
        && let Some(repository) =
            named::unnamed(session, named::there(weir_git::folders(&place)), &pending.base)
    {
        let (origin, name) = (pending.origin.clone(), name.clone());
        let (git, folder) = (tag.clone(), pending.base.clone());
        return Err(ProjectError::LocalRepository { origin, name, git, repository, folder });
    }
    let fetched = session
        .git()
        .fetch(store, &place, &Take::Package(says.map(str::to_owned)))
        .map_err(|error| ProjectError::from_git(&pending.origin, name, tag, error))?;
    if let Some(before) = before
        && before.commit != fetched.commit
    {
        let (url, tag) = (tag.url.clone(), tag.tag.clone());
        return Err(
            GitError::TagMoved { url, tag, before: before.commit.clone(), after: fetched.commit }.into()
        );
    }
    let stored = store
        .tree(&fetched.tree)?
        .ok_or_else(|| ProjectError::NotFound(format!("the tree of {} is gone from the store", tag.tag)))?;
    let folder = stored.path().to_owned();
    let tree = read_folder(&folder, &Selection::everything())?;
    if before.is_none() {
        let told = fetched.left_out.told();
        told.for_each(|told| session.warn(format!("`{name}` {}: {told}", tag.tag)));
    }
    let found =
        TagManifest::read(&folder, &tree, says).map_err(|error| ProjectError::of_package(&folder, error))?;
    let manifest = match &found {
        Some(found) => parse_manifest(&found.file, &found.text)?,
        None => Manifest::default(),
    };
    if let Some(guess) = found.as_ref().and_then(TagManifest::guess).filter(|_| before.is_none()) {
        session.warn(format!("`{name}` {}: {guess}", tag.tag));
    }
    let version = Version::from_tag(&tag.tag)
        .ok()
        .or_else(|| manifest.package.version.clone())
        .filter(|version| pending.requirement.range.contains(version))
        .or_else(|| exact_version(&pending.requirement.range))
        .ok_or_else(|| ProjectError::Git {
            origin: pending.origin.clone(),
            name: name.clone(),
            url: tag.url.clone(),
            tag: tag.tag.clone(),
            reason: format!(
                "neither the tag nor its manifest names a version that {} accepts",
                pending.requirement.range
            ),
            fault: Fault::Absent,
        })?;
    let facts = kind(manifest.package.kind)?.inspect(&Folder::open(&folder)?, &manifest, &tree)?.facts;
    let git = LockedGit {
        url: tag.url.clone(),
        tag: tag.tag.clone(),
        commit: fetched.commit,
        manifest: says.map(str::to_owned),
    };
    let kind = manifest.package.kind;
    Ok(Read { folder, kind, version, tree: Some(fetched.tree), path: None, git: Some(git), facts, manifest })
}

/// The version that a range such as `=1.2.3` names.
fn exact_version(range: &weir_model::Range) -> Option<Version> {
    range.as_str().strip_prefix('=')?.trim().parse().ok()
}

/// The manifest of a package's folder: its `weir.toml`, or its ecosystem's own.
pub(crate) fn package_manifest(folder: &Path) -> Result<Option<Manifest>, ProjectError> {
    weir_package::read_manifest(&Folder::open(folder)?)
        .map_err(|error| ProjectError::of_package(folder, error))
}

/// What a package without a version counts as.
pub(crate) fn unversioned() -> Version {
    "0.0.0".parse().expect("it is a version")
}
