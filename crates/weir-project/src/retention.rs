//! What a registry keeps: said, looked at, and carried out as removals. Content goes with the collector, later.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use weir_index::ReleaseView;
use weir_model::record::Retention;
use weir_model::{PackageName, ReleaseId, Version, WithdrawalVerb};
use weir_reach::{
    Connection, KnownRegistry, ReachError, Session, connect, find, is_http, open_for_writing, open_served,
};
use weir_registry::{Batch, Intent, Withdraw};
use weir_rules::{Kept, Stays, retained};

use crate::error::ProjectError;
use crate::project::Project;

/// So many releases are removed together.
const TOGETHER: usize = 2000;

/// So often it is planned again because somebody published meanwhile.
const MOST_ATTEMPTS: u32 = 8;

/// What a registry keeps, and what goes.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RetentionReport {
    /// The registry.
    pub registry: String,
    /// What it keeps.
    pub rule: Retention,
    /// Whether this is only what would go.
    pub dry_run: bool,
    /// Every release that is there, by name and version, and why it stays.
    pub releases: Vec<ReleaseFate>,
    /// How many go.
    pub removed: u64,
    /// Bytes of the packs of those.
    pub bytes: u64,
}

/// What becomes of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ReleaseFate {
    /// Which.
    #[serde(flatten)]
    pub id: ReleaseId,
    /// Why it stays; nothing if it goes.
    pub stays: Option<Stays>,
}

/// A plan, and how much of the log it was made on.
struct Plan {
    rule: Retention,
    size: u64,
    /// Each release with the entry that published it, its size, and why it stays.
    fates: Vec<(u64, u64, ReleaseFate)>,
}

/// What a registry keeps, as its log says.
///
/// # Errors
///
/// When it cannot be asked.
pub fn retention(session: &Session, project: Option<&Project>) -> Result<(String, Retention), ProjectError> {
    let connection = connect(session, &known(session, project)?)?;
    let rule = connection.replica.index().facts()?.retention;
    Ok((connection.known.name, rule))
}

/// Has a registry remove what it need not keep, or tells what it would. Releases go as removals in its log, with the rule as the reason.
///
/// # Errors
///
/// When it keeps everything, cannot be asked, or does not permit it.
pub fn retain(
    session: &Session,
    project: Option<&Project>,
    dry_run: bool,
) -> Result<RetentionReport, ProjectError> {
    let known = known(session, project)?;
    let plan = plan(session, &known, true)?;
    if dry_run {
        return Ok(report(known.name, plan, true));
    }
    let registry = open_for_writing(session, &known)?;
    for _ in 0..MOST_ATTEMPTS {
        let plan = self::plan(session, &known, false)?;
        let mut going: Vec<_> = plan.fates.iter().filter(|(.., fate)| fate.stays.is_none()).collect();
        // What was built with something is newer than that, and goes first.
        going.sort_by_key(|(index, ..)| std::cmp::Reverse(*index));
        let reason = format!("the registry keeps {}", plan.rule);
        let mut size = plan.size;
        let mut moved = false;
        for together in going.chunks(TOGETHER) {
            // Whoever published meanwhile may have built with what goes.
            let now = connect(session, &known)?.replica.index().position()?.size;
            if now != size {
                moved = true;
                break;
            }
            let withdraw = |fate: &ReleaseFate| {
                let exactly = Withdraw::exactly(WithdrawalVerb::Remove, fate.id.clone());
                Intent::Withdraw(Withdraw { reason: Some(reason.clone()), ..exactly })
            };
            let batch = Batch { intents: together.iter().map(|(.., fate)| withdraw(fate)).collect() };
            size = registry.submit(&batch)?.size;
        }
        if !moved {
            return Ok(report(known.name, plan, false));
        }
    }
    Err(weir_registry::SubmitError::Busy.into())
}

fn known(session: &Session, project: Option<&Project>) -> Result<KnownRegistry, ProjectError> {
    Ok(find(session, project.map(Project::registries), None, Path::new("."))?)
}

fn report(registry: String, plan: Plan, dry_run: bool) -> RetentionReport {
    let going = plan.fates.iter().filter(|(.., fate)| fate.stays.is_none());
    let bytes = going.clone().fold(0u64, |sum, (_, size, _)| sum.saturating_add(*size));
    let removed = going.count() as u64;
    let mut releases: Vec<ReleaseFate> = plan.fates.into_iter().map(|(.., fate)| fate).collect();
    releases.sort_by(|a, b| a.id.cmp(&b.id));
    RetentionReport { registry, rule: plan.rule, dry_run, releases, removed, bytes }
}

fn plan(session: &Session, known: &KnownRegistry, tell: bool) -> Result<Plan, ProjectError> {
    let connection = connect(session, known)?;
    let index = connection.replica.index();
    let rule = index.facts()?.retention;
    if rule.is_empty() {
        return Err(ProjectError::KeepsEverything { registry: known.name.clone() });
    }
    let views: Vec<ReleaseView> = index.live_releases().collect::<Result<_, _>>()?;
    let since = rule.days.map(|days| {
        let days = SignedDuration::from_hours(24 * i64::from(days));
        session.now.checked_sub(days).unwrap_or(Timestamp::MIN)
    });
    let published = |view: &ReleaseView| since.is_some_and(|since| view.mark.at >= since);
    let fates_of = |recent: &dyn Fn(&ReleaseView) -> bool| {
        let kept: Vec<Kept<'_>> = views
            .iter()
            .map(|view| Kept {
                release: &view.release,
                standing: view.standing(),
                from_above: view.origin.is_some(),
                recent: recent(view),
            })
            .collect();
        retained(&rule, &kept)
    };
    let mut fates = fates_of(&published);
    if let Some(days) = rule.days {
        // Only what would go else has to be asked about.
        let names: BTreeSet<&PackageName> = views
            .iter()
            .zip(&fates)
            .filter(|(_, fate)| fate.is_none())
            .map(|(view, _)| &view.release.id.name)
            .collect();
        let downloaded = downloaded(session, &connection, &names, days, tell)?;
        let was_downloaded = |view: &ReleaseView| {
            let id = &view.release.id;
            downloaded.get(&id.name).is_some_and(|versions| versions.contains(&id.version))
        };
        fates = fates_of(&|view| published(view) || was_downloaded(view));
    }
    let size = index.position()?.size;
    let fates = views.into_iter().zip(fates).map(|(view, stays)| {
        (view.mark.index, view.release.size, ReleaseFate { id: view.release.id, stays })
    });
    let fates = fates.collect();
    Ok(Plan { rule, size, fates })
}

/// Which versions of packages were downloaded in the last days, by the word of the server. What is read of a folder nobody counts.
fn downloaded(
    session: &Session,
    connection: &Connection,
    names: &BTreeSet<&PackageName>,
    days: u32,
    tell: bool,
) -> Result<BTreeMap<PackageName, BTreeSet<Version>>, ProjectError> {
    let mut downloaded = BTreeMap::new();
    if names.is_empty() {
        return Ok(downloaded);
    }
    if !is_http(&connection.known.location) {
        if tell {
            session.warn("nobody counts what is read of a folder: what was published lately stays, whoever uses the rest".to_owned());
        }
        return Ok(downloaded);
    }
    let registry = open_served(session, &connection.known)?;
    for name in names {
        let told = registry.downloads(name, days).map_err(ReachError::from)?;
        downloaded.insert((*name).clone(), told.days.into_iter().map(|day| day.version).collect());
    }
    Ok(downloaded)
}
