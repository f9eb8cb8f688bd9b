//! Releases made of git tags: what a tag names is fetched once, and published with everything it needs from other tags.
//!
//! A registry holds what it offers: so a package whose manifest names tags of repositories is published together with what
//! those tags name, each as a release of its own, in one batch. In its manifest the tags become ranges. Which
//! commit a tag named is kept on this machine and in the record (`git` among the kind's facts); a tag
//! that names another commit later stops it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use serde_json::json;
use weir_model::manifest::{GitTag, Source};
use weir_model::{Manifest, PackageName, Scope, Version, manifest};
use weir_package::{TagManifest, detect_license, plain_address, release_manifest};
use weir_tree::{Selection, TreeManifest, copy_tree, read_folder};

use crate::error::ProjectError;
use crate::project::{Project, parse_manifest};
use crate::publish::{PreparedPackage, PublishOptions, PublishReport, publish_packages};
use weir_git::{Fault, Fetched, GitError, Take};
use weir_reach::replace;
use weir_reach::{Session, find};

/// The most repositories brought at once.
const MOST: usize = 500;

/// What to bring from git.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitPublication {
    /// The tags to publish.
    pub tags: Vec<GitTag>,
    /// The package's name, where only one tag is published and its address does not say it.
    pub name: Option<PackageName>,
    /// What the manifests of these tags are to say besides what the repositories' say, or in its place: TOML.
    pub manifest: Option<String>,
    /// Owners that were renamed: old and new. They win over those of the project's manifest, and those over what the registry has
    /// in the user's configuration.
    pub aliases: BTreeMap<String, String>,
    /// Dependencies to leave out: some manifests name what only tests need.
    pub skip: BTreeSet<PackageName>,
    /// The folder that relative addresses are meant from.
    pub base: PathBuf,
}

/// A tag still to be brought.
struct Pending {
    tag: GitTag,
    name: PackageName,
    /// What its manifest is to say besides.
    manifest: Option<String>,
    /// Who asks for it, for messages.
    origin: String,
}

/// Publishes what tags name, and first what that needs from other tags.
///
/// # Errors
///
/// When a tag cannot be had or has moved, when what it names is no package, or when the registry refuses;
/// nothing is published then.
pub fn publish_from_git(
    session: &Session,
    project: Option<&Project>,
    wanted: &GitPublication,
    options: &PublishOptions,
) -> Result<PublishReport, ProjectError> {
    let mut aliases = find(session, project.map(Project::registries), None, &wanted.base)?.aliases;
    aliases.extend(project.map(|project| project.manifest.aliases.clone()).unwrap_or_default());
    aliases.extend(wanted.aliases.clone());
    let wanted = &GitPublication { aliases, ..wanted.clone() };
    let mut pending: VecDeque<Pending> =
        wanted.tags.iter().map(|tag| first(wanted, tag)).collect::<Result<_, _>>()?;
    let scratch = tempfile::tempdir()?;
    let store = session.open_store()?.session()?;
    let mut met: BTreeSet<(PackageName, Version)> = BTreeSet::new();
    let mut packages = Vec::new();
    while let Some(next) = pending.pop_front() {
        let version = version_of(&next)?;
        if !met.insert((next.name.clone(), version.clone())) {
            continue;
        }
        if met.len() > MOST {
            return Err(ProjectError::Usage(format!("more than {MOST} packages come from repositories")));
        }
        let fetched = fetch(session, &store, &next)?;
        let folder = scratch.path().join(met.len().to_string());
        let stored = store.tree(&fetched.tree)?.ok_or_else(|| {
            ProjectError::NotFound(format!("the tree of {} is gone from the store", fetched.tag))
        })?;
        let tree = read_folder(stored.path(), &Selection::everything())?;
        copy_tree(stored.path(), &tree, &folder)?;
        let needs = write_manifest(session, wanted, &next, &version, &folder, &tree)?;
        pending.extend(needs);
        let mut package = PreparedPackage::read_all(session, &folder)?;
        let from =
            json!({ "url": plain_address(&fetched.url), "tag": fetched.tag, "commit": fetched.commit });
        package.package.facts.insert("git".into(), from);
        package.package.warnings.extend(fetched.left_out.told());
        let warnings = package.package.warnings.iter_mut();
        warnings.for_each(|warning| *warning = format!("{} {version}: {warning}", next.name));
        packages.push(package);
    }
    // What is needed comes before what needs it, as people read it.
    packages.reverse();
    publish_packages(session, project, &packages, Vec::new(), &wanted.base, options)
}

fn first(wanted: &GitPublication, tag: &GitTag) -> Result<Pending, ProjectError> {
    let tag = weir_git::at(&aliased(&wanted.aliases, tag), &wanted.base);
    let name = match &wanted.name {
        Some(name) if wanted.tags.len() == 1 => Ok(name.clone()),
        _ => name_of(&tag.url),
    };
    let name =
        name.map_err(|reason| ProjectError::Usage(format!("`{}` {reason}: say it with `--name`", tag.url)))?;
    Ok(Pending { origin: "--from-git".into(), tag, name, manifest: wanted.manifest.clone() })
}

/// `owner/name`, as the last two parts of an address have it.
fn name_of(url: &str) -> Result<PackageName, String> {
    let mut parts = plain_address(url).rsplit(['/', ':']);
    let name = parts.next().unwrap_or_default();
    let owner = parts.next().unwrap_or_default();
    format!("{owner}/{name}").parse().map_err(|error| format!("does not name a package: {error}"))
}

/// An address in which an owner that was renamed has the new name.
fn aliased(aliases: &BTreeMap<String, String>, tag: &GitTag) -> GitTag {
    let is_folder = tag.url.starts_with(['.', '/']);
    let parts: Vec<&str> = tag.url.split('/').collect();
    let owner = parts.len().checked_sub(2).filter(|_| !is_folder);
    let renamed = |(index, part): (usize, &&str)| match aliases.get(*part) {
        Some(new) if Some(index) == owner => new.clone(),
        _ => (*part).to_owned(),
    };
    let url = parts.iter().enumerate().map(renamed).collect::<Vec<_>>().join("/");
    GitTag { url, tag: tag.tag.clone() }
}

fn error(pending: &Pending, fault: Fault, reason: String) -> ProjectError {
    ProjectError::Git {
        origin: pending.origin.clone(),
        name: pending.name.clone(),
        url: pending.tag.url.clone(),
        tag: pending.tag.tag.clone(),
        reason,
        fault,
    }
}

fn version_of(pending: &Pending) -> Result<Version, ProjectError> {
    Version::from_tag(&pending.tag.tag)
        .map_err(|reason| error(pending, Fault::Absent, format!("the tag does not name a version: {reason}")))
}

/// What the tag names; `2.1.0` and `v2.1.0` are the same tag to people.
fn fetch(session: &Session, store: &weir_store::Session, pending: &Pending) -> Result<Fetched, ProjectError> {
    let GitTag { url, tag } = &pending.tag;
    let other = tag.strip_prefix('v').map_or_else(|| format!("v{tag}"), str::to_owned);
    let git = session.git();
    let take = Take::Package(pending.manifest.clone());
    let mut first = None;
    for tag in [tag, &other] {
        let tag = GitTag { url: url.clone(), tag: tag.clone() };
        match git.fetch(store, &tag, &take) {
            Ok(fetched) => {
                git.check_tag(&tag, &fetched.commit)?;
                return Ok(fetched);
            }
            Err(GitError::Unavailable { reason, fault, .. }) => {
                let (fault, reason) = first.get_or_insert((fault, reason));
                // There is no other spelling of what cannot be reached, or kept.
                if *fault != Fault::Absent {
                    return Err(error(pending, *fault, std::mem::take(reason)));
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    let (fault, reason) = first.unwrap_or((Fault::Absent, String::new()));
    Err(error(pending, fault, reason))
}

/// Writes the manifest of a package under the name and the version of its release, with ranges instead of tags; gives what it
/// needs from other tags.
fn write_manifest(
    session: &Session,
    wanted: &GitPublication,
    pending: &Pending,
    version: &Version,
    folder: &Path,
    tree: &TreeManifest,
) -> Result<Vec<Pending>, ProjectError> {
    let path = folder.join(manifest::FILE_NAME);
    let text = manifest_text(session, pending, folder, tree)?;
    let manifest = parse_manifest(&path, &text)?;
    let needs = git_dependencies(wanted, &manifest, &format!("{} {version}", pending.name))?;
    let mut versions = Vec::with_capacity(needs.len());
    for need in &needs {
        versions.push((need.name.clone(), version_of(need)?));
    }
    let license = detect_license(folder);
    let text = release_manifest(&text, &manifest, (&pending.name, version), versions, license)
        .map_err(|error| ProjectError::of_package(folder, error))?;
    Ok(replace(&path, text.as_bytes()).map(|()| needs)?)
}

/// The text of a folder's manifest: its `weir.toml`, or its ecosystem's own as one, or what it probably is.
fn manifest_text(
    session: &Session,
    pending: &Pending,
    folder: &Path,
    tree: &TreeManifest,
) -> Result<String, ProjectError> {
    let found = TagManifest::read(folder, tree, pending.manifest.as_deref())
        .map_err(|error| ProjectError::of_package(folder, error))?;
    let found = found.ok_or_else(|| {
        let reason = "it has no `weir.toml`, nor another manifest that is known, nor anything to guess it from: \
                      `--set` says what it would say";
        error(pending, Fault::Absent, reason.into())
    })?;
    for warning in found.warnings.iter().cloned().chain(found.guess()) {
        session.warn(format!("{} {}: {warning}", pending.name, pending.tag.tag));
    }
    Ok(found.text)
}

fn git_dependencies(
    wanted: &GitPublication,
    manifest: &Manifest,
    origin: &str,
) -> Result<Vec<Pending>, ProjectError> {
    let mut needs = Vec::new();
    for requirement in &manifest.dependencies {
        let Source::Git { tag, manifest } = &requirement.source else { continue };
        let owner = requirement.name.owner();
        let name = match wanted.aliases.get(owner) {
            Some(new) => format!("{new}/{}", requirement.name.name())
                .parse()
                .map_err(|error| ProjectError::Usage(format!("the alias `{owner}={new}`: {error}")))?,
            None => requirement.name.clone(),
        };
        let skipped = wanted.skip.contains(&requirement.name) || wanted.skip.contains(&name);
        if requirement.scope == Scope::Run && !skipped {
            let tag = aliased(&wanted.aliases, tag);
            needs.push(Pending { tag, name, manifest: manifest.clone(), origin: origin.to_owned() });
        }
    }
    Ok(needs)
}

#[cfg(test)]
mod tests {
    use super::{aliased, name_of};
    use std::collections::BTreeMap;
    use weir_model::manifest::GitTag;

    #[test]
    fn an_address_names_a_package_by_its_last_two_parts() {
        for url in ["https://h.example/acme/str.git", "git@h.example:acme/str", "/srv/acme/str/", "acme/str"]
        {
            assert_eq!(name_of(url).unwrap().to_string(), "acme/str", "{url}");
        }
        assert!(name_of("str").is_err());
    }

    #[test]
    fn a_renamed_owner_is_renamed_only_where_an_owner_stands() {
        let aliases = BTreeMap::from([("old".to_owned(), "new".to_owned())]);
        let renamed = |url: &str| aliased(&aliases, &GitTag { url: url.into(), tag: "v1.0.0".into() }).url;
        assert_eq!(renamed("https://old/old/old.git"), "https://old/new/old.git");
        assert_eq!(renamed("/srv/old/str"), "/srv/old/str");
    }
}
