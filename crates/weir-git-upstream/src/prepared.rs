//! What a tag names, made into the package of a release, as `weir publish --from-git` makes it.

use std::collections::BTreeMap;
use std::io::Seek as _;
use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;
use weir_fs::{Access, Durability, Folder};
use weir_git::GitError;
use weir_model::manifest::{self, GitTag, Source};
use weir_model::{Manifest, PackageName, Platform, Range, ReleaseId, Scope, Version};
use weir_package::{
    Package, TagManifest, detect_license, plain_address, release_manifest, selection_of_commit,
};
use weir_registry::{Acting, Batch, Intent, Registry as _, SubmitError};
use weir_tree::{QUICK_PACK_LEVEL, Selection, copy_tree, read_folder, write_pack};
use weir_upstream::ForeignError;

use crate::told::{Tag, unreadable};

/// A release that can be written down.
pub(crate) struct Prepared {
    pub(crate) package: Package,
    /// What it needs, wherever that is from.
    pub(crate) needs: Vec<(PackageName, Range)>,
    folder: PathBuf,
    _scratch: TempDir,
}

/// Fetches a release: what its tag names, checked to be what that named when it was first seen.
pub(crate) fn prepare(
    url: &str,
    name: &PackageName,
    version: &Version,
    tag: &Tag,
) -> Result<Prepared, ForeignError> {
    let id = ReleaseId {
        name: name.clone(),
        version: version.clone(),
        platform: Platform::default(),
        revision: 0,
    };
    let bad = |reason: String| ForeignError::Unusable {
        id: Box::new(id.clone()),
        address: url.to_owned(),
        reason: format!("the tag `{}`: {reason}", tag.name),
    };
    let scratch = tempfile::tempdir()?;
    let wanted = GitTag { url: url.to_owned(), tag: tag.name.clone() };
    let came = weir_git::files_of(&wanted, scratch.path()).map_err(|error| match error {
        GitError::Unusable { reason, .. } => bad(reason),
        error => unreadable(url, &error),
    });
    let (commit, all) = came?;
    if commit != tag.commit {
        let reason = format!(
            "the tag `{}` is said to name the commit {}, and what is sent for it is {commit}",
            tag.name, tag.commit
        );
        return Err(ForeignError::Changed { address: url.to_owned(), reason });
    }
    // What is told has no paths of this machine.
    let folder = scratch.path().join("package");
    let places = [&all, &folder].map(|folder| format!("{}/", folder.display()));
    let unusable = |error: &dyn std::error::Error| {
        bad(places.iter().fold(error.to_string(), |told, place| told.replace(place, "")))
    };
    let selection = selection_of_commit(&all, None).map_err(|error| unusable(&error))?;
    let tree = read_folder(&all, &selection).map_err(|error| unusable(&error))?;
    copy_tree(&all, &tree, &folder).map_err(|error| unusable(&error))?;
    let found = TagManifest::read(&folder, &tree, None).map_err(|error| unusable(&error))?;
    let found = found.ok_or_else(|| {
        bad("it has no `weir.toml`, nor another manifest that is known, nor anything to guess it from".into())
    })?;
    let manifest = Manifest::parse(&found.text).map_err(|error| unusable(&error))?;
    if found.is_own {
        must_be(&manifest, name, version).map_err(&bad)?;
    }
    let needs = tags_needed(&manifest).map_err(&bad)?;
    let text = release_manifest(&found.text, &manifest, (name, version), needs, detect_license(&folder))
        .map_err(|error| unusable(&error))?;
    let files = Folder::open(&folder).map_err(std::io::Error::from)?;
    files
        .replace(manifest::FILE_NAME, text, Access::Usual, Durability::Quick)
        .map_err(std::io::Error::from)?;
    let tree = read_folder(&folder, &Selection::everything()).map_err(|error| unusable(&error))?;
    let mut package = Package::read(&files, tree).map_err(|error| unusable(&error))?;
    let from = json!({ "url": plain_address(url), "tag": tag.name, "commit": commit });
    package.facts.insert("git".into(), from);
    let needed = package.manifest.dependencies.iter().filter(|needed| needed.scope == Scope::Run);
    let needs = needed.map(|needed| (needed.name.clone(), needed.range.clone())).collect();
    Ok(Prepared { package, needs, folder, _scratch: scratch })
}

/// Refuses a manifest of something else: a repository does not choose whose name it has here, nor which version a tag is.
fn must_be(manifest: &Manifest, name: &PackageName, version: &Version) -> Result<(), String> {
    let package = &manifest.package;
    if let Some(other) = package.name.as_ref().filter(|other| *other != name) {
        return Err(format!(
            "its `weir.toml` is of `{other}`, and not of `{name}`: if that is meant, name the repository with `?name={other}` behind its address"
        ));
    }
    match package.version.as_ref().filter(|other| *other != version) {
        Some(other) => Err(format!("its `weir.toml` is of the version {other}, and not of {version}")),
        None => Ok(()),
    }
}

/// What is needed from tags of other repositories, as versions of packages.
fn tags_needed(manifest: &Manifest) -> Result<BTreeMap<PackageName, Version>, String> {
    let mut needs = BTreeMap::new();
    for needed in manifest.dependencies.iter().filter(|needed| needed.scope == Scope::Run) {
        let Source::Git { tag, .. } = &needed.source else { continue };
        let version = Version::from_tag(&tag.tag).map_err(|error| {
            format!("it needs `{}` by the tag `{}`, which names no version: {error}", needed.name, tag.tag)
        })?;
        needs.insert(needed.name.clone(), version);
    }
    Ok(needs)
}

impl Prepared {
    /// Has a registry offer it.
    pub(crate) fn submit(&self, into: &Acting) -> Result<(), SubmitError> {
        let tree = self.package.tree.digest();
        let size = match into.pack_size(&tree)? {
            Some(size) => size,
            None => {
                let mut pack = tempfile::tempfile()?;
                write_pack(&self.folder, &self.package.tree, &mut pack, QUICK_PACK_LEVEL)
                    .map_err(std::io::Error::other)?;
                pack.rewind()?;
                into.put_pack(&tree, &mut pack)?
            }
        };
        let intent = Intent::Publish(Box::new(self.package.draft(size)));
        into.submit(&Batch { intents: vec![intent] }).map(drop)
    }
}
