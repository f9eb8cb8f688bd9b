//! Checking that what is installed is what the lockfile says: every file of every tree, and every link.

use serde::Serialize;
use weir_store::{Broken, Damage, Item, Scope};

use crate::error::ProjectError;
use crate::fits::misfit;
use crate::install::{InstallOptions, installed};
use crate::project::Project;
use weir_reach::Session;

/// What verifying found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct VerifyReport {
    /// How many releases were looked at.
    pub releases: usize,
    /// How many trees and files of references were read whole.
    pub items: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is wrong; empty if all is well.
    pub problems: Vec<String>,
}

/// Reads everything the project uses, and compares it with what the lockfile says.
///
/// # Errors
///
/// When it cannot be read at all. What is wrong with it is in the report.
pub fn verify(session: &Session, project: &Project) -> Result<VerifyReport, ProjectError> {
    let lock = project.locked()?;
    let store = session.open_store()?.session()?;
    let mut report = VerifyReport { releases: lock.releases.len(), ..VerifyReport::default() };
    report.problems.extend(misfit(session, project)?);
    let mut present: Vec<Item> = Vec::new();
    for release in &lock.releases {
        let Some(tree) = release.tree else { continue };
        match store.tree(&tree)? {
            Some(_) => present.push(Item::Tree(tree)),
            None => report.problems.push(format!("`{}` is not in the store (tree {tree})", release.id())),
        }
    }
    for reference in
        lock.references.iter().chain(lock.releases.iter().flat_map(|release| &release.references))
    {
        match store.file(&reference.sha256)? {
            Some(_) => present.push(Item::File(reference.sha256)),
            None => report.problems.push(format!("the reference `{}` is not in the store", reference.name)),
        }
    }
    let checked = store.verify(Scope::Only(&present))?;
    report.items = checked.items;
    report.bytes = checked.bytes;
    report.problems.extend(checked.broken.iter().map(|broken| {
        let users = lock.releases.iter().filter(|release| Some(broken.item) == release.tree.map(Item::Tree));
        let users: Vec<String> = users.map(|release| format!("`{}`", release.id())).collect();
        format!("{}: {}", users.join(", "), describe(broken))
    }));
    if report.problems.is_empty() && installed(session, &project.folder, &InstallOptions::default()).is_none()
    {
        report.problems.push(format!(
            "`weir_packages` is not what `{}` and `weir.lock` want: run `weir install`",
            project.manifest_name()
        ));
    }
    Ok(report)
}

/// What is wrong with something in the store, in words.
pub fn describe(broken: &Broken) -> String {
    const SHOWN: usize = 3;
    let what = match &broken.item {
        Item::Tree(digest) => format!("the tree {}", digest.short()),
        Item::File(digest) => format!("the file {}", digest.short()),
        Item::Derivation(digest) => format!("the note about {}", digest.short()),
    };
    match &broken.damage {
        Damage::Manifest => format!("{what} has lost its manifest"),
        Damage::Content(got) => format!("{what} has other bytes, whose digest is {}", got.short()),
        Damage::Unreadable(error) => format!("{what} cannot be read: {}", weir_model::chain(error)),
        Damage::Differences(differences) => {
            let mut shown: Vec<String> = differences.iter().take(SHOWN).map(ToString::to_string).collect();
            if differences.len() > SHOWN {
                shown.push(format!("and {} more", differences.len() - SHOWN));
            }
            format!("{what}: {}", shown.join("; "))
        }
        other => format!("{what}: {other:?}"),
    }
}
