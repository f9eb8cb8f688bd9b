//! Which releases are likely to be wanted, and how likely.
//!
//! Three rules, in numbers that only their order is meant by: a project that uses a package updates it, within what it is compatible with, sooner
//! or later; a new project takes the newest, one in four; and who uses packages of an owner comes to use another of theirs, one that
//! others need rather than one that nobody does.

use weir_index::PackageFilter;
use weir_model::{Platform, Range, Release};
use weir_reach::Connection;
use weir_rules::{best, newest};

use super::Why;
use super::used::Used;
use crate::error::ProjectError;

/// So many packages of an owner are looked at.
const MOST_OF_OWNER: usize = 1000;

/// A release that is likely to be wanted.
pub(super) struct Wish {
    pub(super) release: Release,
    pub(super) why: Why,
    /// How often it is expected to be used.
    pub(super) uses: f64,
}

/// What is likely to be wanted of a registry.
pub(super) fn wishes(
    connection: &Connection,
    used: &Used,
    platform: &Platform,
) -> Result<Vec<Wish>, ProjectError> {
    let index = connection.replica.index();
    let Some(used) = used.of(connection.replica.name()) else { return Ok(Vec::new()) };
    let mut wishes = Vec::new();
    for (name, package) in &used.packages {
        let Some(view) = index.package(name)? else { continue };
        for (version, projects) in &package.versions {
            let next = best(&view.releases, &Range::caret(version), platform);
            if let Some(next) = next {
                let why = Why::Update { from: version.clone(), projects: *projects };
                wishes.push(Wish { release: next.release.clone(), why, uses: *projects as f64 });
            }
        }
        if let (Some(newest), Some((from, _))) =
            (newest(&view.releases, Some(platform)), package.versions.last_key_value())
        {
            let projects = package.projects();
            let why = Why::Newest { from: from.clone(), projects };
            // Where an update leads there as well, that is why.
            if !wishes.iter().any(|wish: &Wish| wish.release.id == newest.release.id) {
                wishes.push(Wish { release: newest.release.clone(), why, uses: projects as f64 / 4.0 });
            }
        }
    }
    for (owner, projects) in &used.owners {
        let theirs = PackageFilter { prefix: Some(format!("{owner}/")), kind: None };
        for summary in index.list(&theirs, None, MOST_OF_OWNER)? {
            if used.packages.contains_key(&summary.name) {
                continue;
            }
            let view = index.package(&summary.name)?;
            let newest = view.as_ref().and_then(|view| newest(&view.releases, Some(platform)));
            if let Some(newest) = newest {
                let why = Why::SameOwner { owner: owner.clone(), projects: *projects };
                let uses = *projects as f64 * (2.0 + summary.dependents as f64).log2() / 16.0;
                wishes.push(Wish { release: newest.release.clone(), why, uses });
            }
        }
    }
    Ok(wishes)
}
