//! From the files of a package to the draft of a release.

use std::path::{Path, PathBuf};

use weir_kind::{Facts, PackageFiles, read_text};
use weir_kinds::kind;
use weir_model::manifest::{self, Requirement, Source, check_published, is_web};
use weir_model::{KindName, License, Manifest, Platform, Range, ReferenceFact, ReleaseId, Scope, lockfile};
use weir_tree::{Mode, Selection, TreeError, TreeManifest, read_folder};
use weir_wire::{Draft, Wanted};

use crate::error::PackageError;
use crate::tag_manifest::TagManifest;
use weir_model::unseen::Named as _;

/// The largest manifest that is read, in bytes.
pub const MAX_MANIFEST: u64 = 4 << 20;

/// A package that can be published, read.
#[derive(Debug, Clone)]
pub struct Package {
    /// What its manifest says.
    pub manifest: Manifest,
    /// Which release it would be. The revision is whoever publishes it's to choose.
    pub id: ReleaseId,
    /// Its files.
    pub tree: TreeManifest,
    /// What its kind found out about it.
    pub facts: Facts,
    /// What its publisher should know.
    pub warnings: Vec<String>,
}

impl Package {
    /// Reads a package of which `tree` lists the files.
    ///
    /// # Errors
    ///
    /// When it has no manifest, or one that cannot be published, or its kind refuses it.
    pub fn read(files: &dyn PackageFiles, tree: TreeManifest) -> Result<Self, PackageError> {
        let manifest = read_manifest(files)?.ok_or(PackageError::NoManifest)?;
        let package = &manifest.package;
        let lacks = |field: &str| PackageError::NotPublishable(format!("`[package]` has no `{field}`"));
        let name = package.name.clone().ok_or_else(|| lacks("name"))?;
        let version = package.version.clone().ok_or_else(|| lacks("version"))?;
        let id = ReleaseId { name, version, platform: package.platform.clone(), revision: 0 };
        manifest.dependencies.iter().try_for_each(check_source)?;
        package.license.as_deref().map(str::parse::<License>).transpose()?;
        for reference in &manifest.references {
            check_published(&reference.name, &reference.mirrors)?;
            check_files(reference, &tree)?;
        }
        let inspection = kind(package.kind)?.inspect(files, &manifest, &tree)?;
        let mut warnings = inspection.warnings;
        if package.license.is_none() {
            warnings.push("`[package]` has no `license`: nobody knows what they may do with it".into());
        }
        Ok(Self { id, tree, facts: inspection.facts, warnings, manifest })
    }

    /// The release that follows from it, whose pack has `size` bytes.
    pub fn draft(&self, size: u64) -> Draft {
        let package = &self.manifest.package;
        let needed = self.manifest.dependencies.iter().filter(|needed| needed.scope != Scope::Dev);
        Draft {
            id: self.id.clone(),
            kind: package.kind,
            tree: self.tree.digest(),
            size,
            unpacked: self.tree.unpacked_size(),
            files: self.tree.files(),
            dependencies: needed.map(wanted).collect(),
            references: self.manifest.references.iter().map(reference).collect(),
            recipe: None,
            toolchain: None,
            input_digest: None,
            license: package.license.clone(),
            description: package.description.clone().filter(|text| !text.is_empty()),
            facts: self.facts.clone(),
        }
    }
}

/// What is known of a tree that a recipe built: it has no manifest, only files.
///
/// # Errors
///
/// When packages of the kind are not built from recipes, or it refuses what is in the tree.
pub fn built_facts(
    of: KindName,
    files: &dyn PackageFiles,
    tree: &TreeManifest,
    platform: &Platform,
) -> Result<Facts, PackageError> {
    Ok(kind(of)?.inspect_built(files, tree, platform)?)
}

/// The manifest of a package: its `weir.toml`, its ecosystem's own, or what both say together.
///
/// # Errors
///
/// When it cannot be read.
pub fn read_manifest(files: &dyn PackageFiles) -> Result<Option<Manifest>, PackageError> {
    let text = read_text(files, manifest::FILE_NAME, MAX_MANIFEST)?;
    for own in weir_kinds::own_manifests() {
        let Some(own_text) = read_text(files, own.file(), MAX_MANIFEST)? else { continue };
        let beside = match &text {
            Some(text) => parse(files.place(manifest::FILE_NAME), text)?,
            None => Manifest::default(),
        };
        if own.is_beside(&beside) {
            return Ok(Some(own.read(&own_text)?.with(beside)));
        }
    }
    let (path, text) = match text {
        Some(text) => (files.place(manifest::FILE_NAME), text),
        None => match weir_kinds::read_foreign(files)? {
            Some(foreign) => (foreign.file, foreign.manifest),
            None => return Ok(None),
        },
    };
    parse(path, &text).map(Some)
}

fn parse(path: PathBuf, text: &str) -> Result<Manifest, PackageError> {
    Manifest::parse(text).map_err(|error| PackageError::Manifest {
        path,
        text: text.to_owned(),
        error: Box::new(error),
    })
}

/// Which files of a folder that somebody works in belong to a package. Its lockfile is about the machine it was made on: who depends on it has
/// their own.
///
/// # Errors
///
/// When a pattern of its manifest cannot be read.
pub fn selection(package: &manifest::Package) -> Result<Selection, TreeError> {
    Ok(listed(package)?.of_working_folder())
}

/// Which files of a commit, which are in `folder`, belong to the package that it is, with what `says` says over its manifest: the same as if
/// a fresh clone of it was published. A manifest that cannot be read says nothing of it; whoever needs it is told then.
///
/// # Errors
///
/// When the folder cannot be read, or a pattern of the manifest.
pub fn selection_of_commit(folder: &Path, says: Option<&str>) -> Result<Selection, TreeError> {
    let tree = read_folder(folder, &Selection::everything())?;
    let found = TagManifest::read(folder, &tree, says).ok().flatten();
    let manifest = found.as_ref().and_then(|found| Manifest::parse(&found.text).ok()).unwrap_or_default();
    let selection = listed(&manifest.package)?.of_commit();
    let file = found.as_ref().and_then(|found| found.file.file_name()?.to_str());
    Ok(match file {
        Some(file) => selection.keeping(file),
        None => selection,
    })
}

fn listed(package: &manifest::Package) -> Result<Selection, TreeError> {
    let mut exclude = package.exclude.clone();
    exclude.push(format!("/{}", lockfile::FILE_NAME));
    Selection::package(&package.include, &exclude)
}

/// What is published must be had by everybody: a folder of one machine cannot, and a git host may vanish.
fn check_source(requirement: &Requirement) -> Result<(), PackageError> {
    let name = &requirement.name;
    let reason = match &requirement.source {
        // As with Cargo: the folder is for work, and the range is what others get.
        Source::Path(path) if requirement.range == Range::any() && requirement.scope != Scope::Dev => {
            format!(
                "it needs `{name}` from the folder `{path}`, which others do not have: give a `range` beside the `path`, and publish that too"
            )
        }
        Source::Git { tag, .. } if requirement.scope != Scope::Dev => format!(
            "it needs `{name}` from the git tag `{}`: publish that into the registry, and give a `range`",
            tag.tag
        ),
        Source::Registry | Source::Path(_) | Source::Git { .. } => return Ok(()),
    };
    Err(PackageError::NotPublishable(reason))
}

/// What may move and is reached by no address is a file of the package: nobody else has another. One whose digest is fixed may be left
/// out of it, for a registry can hold it beside.
fn check_files(reference: &manifest::Reference, tree: &TreeManifest) -> Result<(), PackageError> {
    let is_file =
        |path: &str| tree.entries().iter().any(|one| one.path.as_str() == path && one.mode != Mode::Link);
    match reference.mirrors.iter().find(|mirror| reference.fluid && !is_web(mirror) && !is_file(mirror)) {
        None => Ok(()),
        Some(mirror) => Err(PackageError::NotPublishable(format!(
            "the reference `{}` is at `{}`, which is no file of the package",
            reference.name,
            mirror.named()
        ))),
    }
}

fn wanted(requirement: &Requirement) -> Wanted {
    Wanted {
        name: requirement.name.clone(),
        range: requirement.range.clone(),
        scope: requirement.scope,
        fluid: requirement.fluid,
    }
}

fn reference(reference: &manifest::Reference) -> ReferenceFact {
    ReferenceFact {
        name: reference.name.clone(),
        sha256: reference.sha256,
        size: reference.size,
        fluid: reference.fluid,
        range: None,
        held: false,
    }
}
