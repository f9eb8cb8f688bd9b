//! What has become of the releases that a lockfile names: an install asks nobody while nothing is missing, so somebody
//! has to ask.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use weir_model::lockfile::LockedRelease;
use weir_model::{Lockfile, ReleaseId, Version};
use weir_registry::Replica;
use weir_rules::{Standing, newest};
use weir_wire::upstream::Unreached;

use crate::advisories::AdvisedRelease;
use crate::error::ProjectError;
use crate::project::Project;
use weir_reach::{ReachError, Session, connect_through, in_use, pinned_name};

/// What the registries say now of the releases that a lockfile names.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct LockAudit {
    /// How many releases a registry was asked about.
    pub releases: usize,
    /// Those that are not as they were, the worst first.
    pub findings: Vec<Finding>,
    /// Those against which something is known, the worst first.
    pub advised: Vec<AdvisedRelease>,
    /// Those that are from no registry, but from folders and git tags: nobody could be asked.
    pub unasked: Vec<ReleaseId>,
    /// The registries that could not follow what is above them, and why: what was withdrawn there may not be known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreached: Vec<Unreached>,
}

/// A release that is not as it was when it was locked.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "AuditFinding")]
pub struct Finding {
    /// Which one.
    #[serde(flatten)]
    pub id: ReleaseId,
    /// The registry it is from.
    pub registry: String,
    /// What has become of it.
    pub standing: LockedStanding,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why, in a person's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// An advisory that explains it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advisory: Option<String>,
    /// The newest version that is offered for the same platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<Version>,
}

/// What has become of a release, from the mildest to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LockedStanding {
    /// New resolutions avoid it.
    Yanked,
    /// It is no longer offered.
    Removed,
    /// It is withdrawn for everyone.
    Quarantined,
    /// The registry has never had it.
    Unknown,
    /// The registry has it with other content, or from other inputs.
    Different,
}

/// Asks the registries what has become of the releases of a project's lockfile, those for other platforms too. Offline, tells what was known last.
///
/// # Errors
///
/// When there is no lockfile, or a registry that it names cannot be asked.
pub fn audit(session: &Session, project: &Project) -> Result<LockAudit, ProjectError> {
    let lock = project.locked_anywhere()?;
    let (views, unreached) = views(session, project, lock)?;
    let (findings, advised, unasked) = (Vec::new(), Vec::new(), Vec::new());
    let mut audit = LockAudit { releases: 0, findings, advised, unasked, unreached };
    for release in &lock.releases {
        let Some(registry) = &release.registry else {
            audit.unasked.push(release.id());
            continue;
        };
        audit.releases += 1;
        let wanted = || format!("the registry `{registry}` of `weir.lock`");
        let view = views.get(registry).ok_or_else(|| ReachError::NoRegistry { wanted: wanted() })?;
        audit.findings.extend(finding(view, registry, release)?);
        audit.advised.extend(AdvisedRelease::find(view, release.id())?);
    }
    audit.findings.sort_by_key(|finding| std::cmp::Reverse(finding.standing));
    audit.advised.sort_by_key(|advised| std::cmp::Reverse(advised.worst()));
    Ok(audit)
}

/// The registries that a lockfile names, by the names they give themselves, each followed to its end; and what is above them that was not.
fn views(
    session: &Session,
    project: &Project,
    lock: &Lockfile,
) -> Result<(BTreeMap<String, Replica>, Vec<Unreached>), ProjectError> {
    let wanted: BTreeSet<&str> =
        lock.releases.iter().filter_map(|release| release.registry.as_deref()).collect();
    let mut views = BTreeMap::new();
    let mut unreached = Vec::new();
    for known in in_use(session, project.registries())? {
        if wanted.iter().all(|name| views.contains_key(*name)) {
            break;
        }
        let pinned = pinned_name(session, &known)?;
        // Of one that was never seen only itself can say what it is called.
        if pinned.is_some_and(|pinned| !wanted.contains(pinned.as_str())) {
            continue;
        }
        let (connection, not_followed) = connect_through(session, &known)?;
        let replica = connection.replica;
        if wanted.contains(replica.name()) {
            unreached.extend(not_followed);
        }
        views.entry(replica.name().to_owned()).or_insert(replica);
    }
    Ok((views, unreached))
}

fn finding(view: &Replica, registry: &str, locked: &LockedRelease) -> Result<Option<Finding>, ProjectError> {
    let id = locked.id();
    let there = view.index().release(&id)?;
    let standing = match &there {
        None => LockedStanding::Unknown,
        Some(there) if locked.tree.is_some_and(|tree| tree != there.release.tree) => {
            LockedStanding::Different
        }
        Some(there) if locked.input_digest.is_some_and(|digest| digest != there.release.input_digest) => {
            LockedStanding::Different
        }
        Some(there) => match there.standing() {
            Standing::Offered => return Ok(None),
            Standing::Yanked => LockedStanding::Yanked,
            Standing::Quarantined => LockedStanding::Quarantined,
            Standing::Removed => LockedStanding::Removed,
        },
    };
    let withdrawn = there.as_ref().and_then(|there| there.withdrawn());
    let releases = view.index().package(&id.name)?.map(|package| package.releases).unwrap_or_default();
    let newest = newest(&releases, Some(&id.platform)).map(|newest| newest.release.id.version.clone());
    Ok(Some(Finding {
        registry: registry.to_owned(),
        standing,
        since: withdrawn.map(|withdrawn| withdrawn.mark.at),
        by: withdrawn.map(|withdrawn| withdrawn.mark.by.clone()),
        reason: withdrawn.and_then(|withdrawn| withdrawn.reason.clone()),
        advisory: withdrawn.and_then(|withdrawn| withdrawn.advisory.clone()),
        newest,
        id,
    }))
}
