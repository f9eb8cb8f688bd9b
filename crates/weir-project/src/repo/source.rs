//! Sources of recipes, as trees: what a tag, an archive or a folder holds, whoever still has it.
//!
//! A source is told by its *origin*: the same origin is the same tree, for ever. A registry that built from
//! one holds it, so it is asked before anybody else, and a repository that is gone stops nobody.

use weir_model::manifest::{GitTag, Reference};
use weir_model::{Digest, PackageName, Release};
use weir_native::{Recipe, SourceSpec};
use weir_store::EnsureError;
use weir_tree::{ImportOptions, Limits, Selection};

use crate::error::{ProjectError, chain};
use crate::repo::{Repo, Workbench};
use crate::{fetch, git, references};

/// A source, known by its tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceTree {
    /// Its tree.
    pub(crate) tree: Digest,
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
        SourceSpec::Git { .. } => {
            let at = git_tag(recipe)?;
            Some(format!("git+{}@{}", at.url, at.tag))
        }
        SourceSpec::Archive { sha256, .. } => Some(format!("archive+{sha256}")),
        SourceSpec::Path(_) => None,
    }
}

fn git_tag(recipe: &Recipe) -> Option<GitTag> {
    let SourceSpec::Git { url, tag } = &recipe.source else { return None };
    Some(git::at(&GitTag { url: url.clone(), tag: tag.clone() }, &recipe.folder))
}

/// Finds out which tree a recipe is built from. Asks the registry, then this machine, then the origin.
pub(crate) fn find(repo: &Repo<'_>, recipe: &Recipe) -> Result<SourceTree, ProjectError> {
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
) -> Result<Option<SourceTree>, ProjectError> {
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
) -> Result<std::path::PathBuf, ProjectError> {
    if let (Some(tag), Some(commit)) = (git_tag(recipe), &source.commit) {
        git::check_tag(at.session, &tag, commit)?;
    }
    if let Some(stored) = at.store.tree(&source.tree)? {
        return Ok(stored.path().to_owned());
    }
    if let Some(size) = source.held
        && let Some(path) = fetch::pack_from_registry(at.store, at.files, &source.tree, size)?
    {
        return Ok(path);
    }
    let (tree, commit) = fetch_from_origin(at, recipe)?;
    if tree != source.tree {
        return Err(match (git_tag(recipe), &source.commit, commit) {
            (Some(tag), Some(before), Some(after)) => {
                ProjectError::TagMoved { url: tag.url, tag: tag.tag, before: before.clone(), after }
            }
            _ => ProjectError::SourceChanged { name: recipe.name.clone(), before: source.tree, after: tree },
        });
    }
    let stored = at.store.tree(&tree)?;
    let stored = stored.ok_or_else(|| ProjectError::NotFound(format!("the source {tree} left the store")))?;
    Ok(stored.path().to_owned())
}

/// Brings a source from where its recipe says into the store.
fn fetch_from_origin(at: &Workbench<'_>, recipe: &Recipe) -> Result<(Digest, Option<String>), ProjectError> {
    match &recipe.source {
        SourceSpec::Git { .. } => {
            let tag = git_tag(recipe).expect("its source is a tag");
            let fetched = git::fetch(at.session, at.store, &tag)?;
            let fetched = fetched.map_err(|reason| ProjectError::Git {
                origin: recipe.file.display().to_string(),
                name: recipe.name.clone(),
                url: tag.url,
                tag: tag.tag,
                reason,
            })?;
            Ok((fetched.tree, Some(fetched.commit)))
        }
        SourceSpec::Archive { mirrors, sha256 } => Ok((archive(at, recipe, mirrors, sha256)?, None)),
        SourceSpec::Path(path) => {
            let folder = recipe.folder.join(path);
            if !folder.is_dir() {
                return Err(ProjectError::NotFound(format!(
                    "`{}` takes its source from `{}`, which is no folder",
                    recipe.name,
                    folder.display()
                )));
            }
            let stored = at.store.add_folder(&folder, &Selection::package(&[], &[])?, &Limits::default())?;
            Ok((*stored.digest(), None))
        }
    }
}

fn archive(
    at: &Workbench<'_>,
    recipe: &Recipe,
    mirrors: &[String],
    sha256: &Digest,
) -> Result<Digest, ProjectError> {
    let wrong = |reason: String| ProjectError::Reference {
        name: format!("source of {}", recipe.name),
        reason,
        integrity: true,
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
