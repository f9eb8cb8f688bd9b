//! Who is affected by a release: by what a registry knows, and in the project at hand.

use std::path::Path;

use serde::Serialize;
use weir_index::{Impact, KnownAdvisory, Upgrade};
use weir_model::{PackageName, ReleaseId, Version, WithdrawalVerb};
use weir_reach::{ReachError, Session, connect, find};
use weir_registry::Intent;
use weir_rules::is_affected;
use weir_wire::downloads::{DayDownloads, DownloadCounts};

use crate::downloads::downloads_if_any;
use crate::elm_rebuild::Rebuild;
use crate::error::ProjectError;
use crate::look::why;
use crate::project::Project;

/// Who is affected by releases of a package.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ImpactReport {
    /// The registry.
    pub registry: String,
    /// The package.
    pub name: PackageName,
    /// The version that was asked about; all where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// What its releases reach.
    pub impact: Impact,
    /// The version that the upgrades are to: the one that was asked about, else the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade_to: Option<Version>,
    /// What each package that needs it directly would do about that version.
    pub upgrades: Vec<Upgrade>,
    /// Each way by which the project uses what was asked about, which stands at its end.
    pub used: Vec<Vec<ReleaseId>>,
    /// The advisories that say that what was asked about is affected; without a version, all on the package.
    pub advisories: Vec<KnownAdvisory>,
    /// How often what was asked about was downloaded in the last thirty days, and by what sort of caller, where a server says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downloads: Option<DownloadCounts>,
    /// What became of the applications that were compiled with that version, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<Rebuild>,
}

/// Tells who is affected by a version of a package, or by any of its releases; and what an upgrade to that version, which need
/// not be there yet, would find.
///
/// # Errors
///
/// When the registry cannot be asked or has never heard of the package.
pub fn impact(
    session: &Session,
    project: Option<&Project>,
    name: &PackageName,
    version: Option<&Version>,
) -> Result<ImpactReport, ProjectError> {
    let connection =
        connect(session, &find(session, project.map(Project::registries), None, Path::new("."))?)?;
    let downloads = downloads_if_any(session, &connection.known, name).map(|downloads| {
        let meant = |day: &&DayDownloads| version.is_none_or(|version| day.version == *version);
        let those = downloads.days.iter().filter(meant).map(|day| day.downloads);
        those.fold(DownloadCounts::default(), DownloadCounts::plus)
    });
    let index = connection.replica.index();
    // All that is told is of one moment.
    let _reading = index.reading()?;
    let package = connection.package(name)?;
    let newest = || package.newest().map(|view| view.release.id.version.clone());
    let upgrade_to = version.cloned().or_else(newest);
    let upgrades = match &upgrade_to {
        Some(version) => index.upgrades(name, version).map_err(ReachError::from)?,
        None => Vec::new(),
    };
    let mut advisories = index.advisories_of(name).map_err(ReachError::from)?;
    advisories.retain(|known| version.is_none_or(|version| is_affected(&known.advisory, name, version)));
    Ok(ImpactReport {
        registry: connection.known.name.clone(),
        impact: index.impact(name, version).map_err(ReachError::from)?,
        used: used(project, name, version)?,
        name: name.clone(),
        version: version.cloned(),
        upgrade_to,
        upgrades,
        advisories,
        downloads,
        rebuild: None,
    })
}

/// How many are affected by a withdrawal of a version.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Affected {
    /// The package.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// How many releases it reaches.
    pub releases: u64,
    /// Of how many packages.
    pub packages: u64,
    /// How many of those would still bring it to whoever installs their newest release now.
    pub now: u64,
}

/// How many are affected by each quarantine among `intents`; nothing of those that affect nobody. At most the first few are asked about.
///
/// # Errors
///
/// When the registry cannot be asked.
pub fn affected(
    session: &Session,
    project: Option<&Project>,
    intents: &[Intent],
) -> Result<Vec<Affected>, ProjectError> {
    const MOST: usize = 16;
    let quarantined: Vec<_> = intents
        .iter()
        .filter_map(|intent| match intent {
            Intent::Withdraw(what) if what.verb == WithdrawalVerb::Quarantine => {
                Some((&what.name, &what.version))
            }
            _ => None,
        })
        .take(MOST)
        .collect();
    if quarantined.is_empty() {
        return Ok(Vec::new());
    }
    let connection =
        connect(session, &find(session, project.map(Project::registries), None, Path::new("."))?)?;
    let mut affected = Vec::new();
    for (name, version) in quarantined {
        let Impact { releases, packages, now, .. } =
            connection.replica.index().impact(name, Some(version)).map_err(ReachError::from)?;
        let packages = packages.len() as u64;
        if packages > 0 {
            affected.push(Affected { name: name.clone(), version: version.clone(), releases, packages, now });
        }
    }
    Ok(affected)
}

/// Each way by which a project that has a lockfile uses a package.
fn used(
    project: Option<&Project>,
    name: &PackageName,
    version: Option<&Version>,
) -> Result<Vec<Vec<ReleaseId>>, ProjectError> {
    let locked = |project: &&Project| {
        let mut locked = project.lock.iter().flat_map(|lock| &lock.releases);
        locked.any(|release| release.name == *name)
    };
    let Some(project) = project.filter(locked) else { return Ok(Vec::new()) };
    let meant = |way: &Vec<ReleaseId>| {
        version.is_none_or(|version| way.last().is_some_and(|id| id.version == *version))
    };
    Ok(why(project, name)?.into_iter().filter(meant).collect())
}
