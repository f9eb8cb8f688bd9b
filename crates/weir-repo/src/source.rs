//! Sources of recipes, as trees: what a tag, an archive or a folder holds, whoever still has it.
//!
//! A source is told by its *origin*: the same origin is the same tree, for ever. A registry that built from
//! one holds it, so it is asked before anybody else, and a repository that is gone stops nobody.

use std::io::Read as _;
use std::path::Path;

use weir_git::{GitError, Submodules, Take};
use weir_model::manifest::{GitTag, Reference};
use weir_model::{PackageName, Release, Sha256, TreeDigest, chain};
use weir_native::{Recipe, SourceSpec};
use weir_project::{ProjectError, ReferenceProblem, fetch, references};
use weir_store::EnsureError;
use weir_tree::{ImportOptions, Limits, Selection, TreePath};

use crate::error::RepoError;
use crate::{Repo, Workbench};

/// How much of a `.gitmodules` is looked at, in bytes.
const MAX_GITMODULES: u64 = 1 << 20;

/// A source, known by its tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceTree {
    /// Its tree.
    pub(crate) tree: TreeDigest,
    /// Where it comes from: what fixes it, as a recipe says it.
    pub(crate) origin: Option<String>,
    /// Of a tag, the commit.
    pub(crate) commit: Option<String>,
    /// The bytes of its pack, if the registry holds it.
    pub(crate) held: Option<u64>,
}

/// Where a source comes from, in a form that can be compared. A folder has none: it can change at any time.
fn origin(recipe: &Recipe) -> Option<String> {
    match &recipe.source {
        SourceSpec::Git { submodules, .. } => {
            let at = git_tag(recipe)?;
            // No tag has a `?` in it.
            let with = if *submodules { "?submodules" } else { "" };
            Some(format!("git+{}@{}{with}", at.url, at.tag))
        }
        SourceSpec::Archive { sha256, .. } => Some(format!("archive+{sha256}")),
        SourceSpec::Path(_) => None,
    }
}

fn git_tag(recipe: &Recipe) -> Option<GitTag> {
    let SourceSpec::Git { url, tag, .. } = &recipe.source else { return None };
    Some(weir_git::at(&GitTag { url: url.clone(), tag: tag.clone() }, &recipe.folder))
}

/// Finds out which tree a recipe is built from. Asks the registry, then this machine, then the origin.
pub(crate) fn find(repo: &Repo<'_>, recipe: &Recipe) -> Result<SourceTree, RepoError> {
    let origin = origin(recipe);
    if let Some(origin) = &origin
        && let Some(known) = known_to_registry(repo, &recipe.name, origin)?
    {
        return Ok(known);
    }
    let (tree, commit) = fetch_from_origin(&repo.workbench(), recipe)?;
    let held = repo.held_pack(&tree);
    Ok(SourceTree { tree, origin, commit, held })
}

/// A release of the package that was built from this origin, offered or not, says which tree that was.
fn known_to_registry(
    repo: &Repo<'_>,
    name: &PackageName,
    origin: &str,
) -> Result<Option<SourceTree>, RepoError> {
    let Some(package) = repo.index().package(name)? else { return Ok(None) };
    let releases = package.releases.iter().chain(&package.removed).map(|view| &view.release);
    Ok(releases.filter_map(built_from).find(|source| source.origin.as_deref() == Some(origin)))
}

/// What a release was built from, as its record says.
pub(crate) fn built_from(release: &Release) -> Option<SourceTree> {
    let build = release.build()?;
    let source = build.source?;
    Some(SourceTree {
        tree: source.tree,
        origin: build.origin,
        commit: build.commit,
        held: Some(source.size),
    })
}

/// Makes sure that a source is in the store.
pub(crate) fn ensure(
    at: &Workbench<'_>,
    recipe: &Recipe,
    source: &SourceTree,
) -> Result<std::path::PathBuf, RepoError> {
    if let (Some(tag), Some(commit)) = (git_tag(recipe), &source.commit) {
        at.session.git().check_tag(&tag, commit)?;
    }
    if let Some(stored) = at.store.tree(&source.tree)? {
        return Ok(stored.path().to_owned());
    }
    // What the registry holds may be damaged: then the origin has it still, or what is wrong is told.
    let held = source.held.map(|size| fetch::pack_from_registry(at.store, at.files, &source.tree, size));
    let held = held.transpose();
    if let Ok(Some(Some(path))) = held {
        return Ok(path);
    }
    let (tree, commit) = match (fetch_from_origin(at, recipe), held) {
        (Ok(fetched), _) => fetched,
        (Err(_), Err(damaged)) => return Err(damaged.into()),
        (Err(error), Ok(_)) => return Err(error),
    };
    if tree != source.tree {
        return Err(match (git_tag(recipe), &source.commit, commit) {
            (Some(tag), Some(before), Some(after)) => {
                GitError::TagMoved { url: tag.url, tag: tag.tag, before: before.clone(), after }.into()
            }
            _ => RepoError::SourceChanged { name: recipe.name.clone(), before: source.tree, after: tree },
        });
    }
    let stored = at.store.tree(&tree)?;
    let stored = stored.ok_or_else(|| RepoError::NotFound(format!("the source {tree} left the store")))?;
    Ok(stored.path().to_owned())
}

/// Brings a source from where its recipe says into the store.
fn fetch_from_origin(at: &Workbench<'_>, recipe: &Recipe) -> Result<(TreeDigest, Option<String>), RepoError> {
    match &recipe.source {
        SourceSpec::Git { submodules, .. } => {
            let tag = git_tag(recipe).expect("its source is a tag");
            let submodules = if *submodules { Submodules::Included } else { Submodules::LeftOut };
            let asked_by = recipe.file.display().to_string();
            let fetched = at.session.git().fetch(at.store, &tag, &Take::Everything(submodules));
            let fetched =
                fetched.map_err(|error| ProjectError::from_git(&asked_by, &recipe.name, &tag, error))?;
            Ok((fetched.tree, Some(fetched.commit)))
        }
        SourceSpec::Archive { mirrors, sha256 } => Ok((archive(at, recipe, mirrors, sha256)?, None)),
        SourceSpec::Path(path) => {
            let folder = recipe.folder.join(path);
            if !folder.is_dir() {
                return Err(RepoError::NotFound(format!(
                    "`{}` takes its source from `{}`, which is no folder",
                    recipe.name,
                    folder.display()
                )));
            }
            refuse_outside(at, recipe, &folder)?;
            let stored = at.store.add_folder(&folder, &Selection::package(&[], &[])?, &Limits::default())?;
            Ok((*stored.digest(), None))
        }
    }
}

/// Refuses a folder that is not the recipes': a stranger's recipe could publish what is in any other.
fn refuse_outside(at: &Workbench<'_>, recipe: &Recipe, folder: &Path) -> Result<(), RepoError> {
    let Some(own) = at.sources_in else { return Ok(()) };
    let folder = fs_err::canonicalize(folder)?;
    if folder.starts_with(own) {
        return Ok(());
    }
    Err(RepoError::SourceOutside { name: recipe.name.clone(), folder, own: own.to_owned() })
}

/// Of a source that names submodules and does not have them, what to do about it, if the last lines that its build
/// printed name one of them: then it may be why the build failed.
pub(crate) fn about_missing_submodules(recipe: &Recipe, source: &Path, tail: &[String]) -> Option<String> {
    let missing = missing_submodules(source);
    let is_named = |path: &String| {
        let name = path.rsplit('/').next().unwrap_or(path);
        tail.iter().any(|line| line.contains(name))
    };
    let first = missing.iter().find(|path| is_named(path))?;
    let others = if missing.len() > 1 { " and others" } else { "" };
    Some(match &recipe.source {
        SourceSpec::Git { submodules: false, .. } => {
            format!(
                "its source lacks its submodules, `{first}`{others}: write `submodules = true` in `source`"
            )
        }
        SourceSpec::Git { submodules: true, .. } => return None,
        SourceSpec::Archive { .. } | SourceSpec::Path(_) => format!(
            "its source lacks its submodules, `{first}`{others}: a `git` source with `submodules = true` has them"
        ),
    })
}

/// The folders that `.gitmodules` names and that hold nothing. It is only asked for a hint, so it is read as it is
/// usually written.
fn missing_submodules(source: &Path) -> Vec<String> {
    let file = source.join(".gitmodules");
    let is_file = fs_err::symlink_metadata(&file).is_ok_and(|metadata| metadata.is_file());
    let Some(opened) = is_file.then(|| fs_err::File::open(&file).ok()).flatten() else { return Vec::new() };
    let mut text = Vec::new();
    if opened.take(MAX_GITMODULES).read_to_end(&mut text).is_err() {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(&text);
    let paths = text.lines().filter_map(|line| line.trim().strip_prefix("path")?.trim().strip_prefix('='));
    let named = paths.filter_map(|path| TreePath::new(path.trim().trim_end_matches('/')).ok());
    let is_empty = |path: &TreePath| {
        let mut entries = fs_err::read_dir(source.join(path.as_str())).ok();
        entries.as_mut().is_none_or(|entries| entries.next().is_none())
    };
    named.filter(is_empty).map(|path| path.to_string()).collect()
}

fn archive(
    at: &Workbench<'_>,
    recipe: &Recipe,
    mirrors: &[String],
    sha256: &Sha256,
) -> Result<TreeDigest, RepoError> {
    let wrong = |reason: String| {
        let name = format!("source of {}", recipe.name);
        RepoError::from(ProjectError::Reference { name, reason, problem: ReferenceProblem::Wrong })
    };
    if at.store.file(sha256)?.is_none() {
        let reference = Reference {
            name: format!("source of {}", recipe.name),
            mirrors: mirrors.to_vec(),
            sha256: Some(*sha256),
            size: None,
            unpack: true,
            fluid: false,
            line: 0,
        };
        let (found, size) = references::current(at.session, &reference, &recipe.folder)?;
        if found != *sha256 {
            return Err(wrong(format!("its {size} bytes have the digest {found}, not {sha256}")));
        }
    }
    match at.store.ensure_unpacked(sha256, &ImportOptions::default()) {
        Ok(stored) => Ok(*stored.digest()),
        Err(EnsureError::Source(error)) => Err(wrong(chain(&error))),
        Err(EnsureError::Store(error)) => Err(error.into()),
    }
}
