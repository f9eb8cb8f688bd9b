//! `weir storage`: who holds how much of a registry's storage, and how much they may.

use std::process::ExitCode;

use clap::Args;
use weir_model::OwnerName;
use weir_model::record::{Quota, QuotaOf};
use weir_registry::Intent;
use weir_wire::storage::{OwnerStorage, Storage};

use crate::arguments::DryRun;
use crate::context::Context;
use crate::documents::registry::StorageAnswer;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, Page, bytes, count};

/// Show who holds how much of a registry, or say how much they may
///
/// What several packages share is stored once: it is told as shared with each. A quota goes by the packs of all releases that are not
/// removed, each for itself; beyond it nothing more is published or admitted, and from four fifths of it on whoever publishes is told.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir storage",
    "weir storage acme",
    "weir storage acme --limit 10GiB",
    "weir storage --each-owner --limit 1GiB   for those who have no limit of their own",
    "weir storage --limit none                for all owners together",
))]
pub(crate) struct Arguments {
    /// Only this owner
    owner: Option<OwnerName>,
    /// How much the owner, or all together, may hold from now on; `none` for as much as they like
    #[arg(long, value_name = "SIZE", value_parser = limit)]
    limit: Option<Limit>,
    /// With `--limit`: each owner that has no limit of its own
    #[arg(long, requires = "limit", conflicts_with = "owner")]
    each_owner: bool,
    #[command(flatten)]
    dry_run: DryRun,
}

/// How much may be held.
#[derive(Debug, Clone, Copy)]
struct Limit(Option<u64>);

fn limit(text: &str) -> Result<Limit, String> {
    match text {
        "none" => Ok(Limit(None)),
        text => super::prefetch::size(text).map(|bytes| Limit(Some(bytes))),
    }
}

pub(crate) fn run(context: &Context, arguments: Arguments) -> Result<ExitCode, Failure> {
    match arguments.limit {
        Some(Limit(bytes)) => set(context, arguments.owner, arguments.each_owner, bytes, &arguments.dry_run),
        None => show(context, arguments.owner.as_ref()),
    }
}

fn set(
    context: &Context,
    owner: Option<OwnerName>,
    each_owner: bool,
    bytes: Option<u64>,
    dry_run: &DryRun,
) -> Result<ExitCode, Failure> {
    let of = match (owner, each_owner) {
        (Some(owner), _) => QuotaOf::Owner(owner),
        (None, true) => QuotaOf::EachOwner,
        (None, false) => QuotaOf::Registry,
    };
    let session = context.session()?;
    let project = context.project_if_any()?;
    let intents = vec![Intent::Quota(Quota { of, bytes })];
    let mut answer = StorageAnswer::default();
    if dry_run.dry_run {
        answer.preview = weir_project::preview(&session, project.as_ref(), intents)?;
    } else {
        answer.receipt = Some(weir_project::submit(&session, project.as_ref(), intents)?);
    }
    context.output.act(dry_run.dry_run, &answer, |page| {
        let allowed = bytes_or_all(bytes);
        let outcomes = answer.receipt.iter().flat_map(|receipt| &receipt.outcomes).chain(&answer.preview);
        for outcome in outcomes {
            let may = if dry_run.dry_run { "would be allowed" } else { "may hold" };
            page.line(format!("`{}` {may} {allowed}", outcome.subject));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn bytes_or_all(limit: Option<u64>) -> String {
    limit.map_or_else(|| "as much as they like".to_owned(), bytes)
}

fn show(context: &Context, owner: Option<&OwnerName>) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let storage = weir_project::storage(&session, project.as_ref(), owner)?;
    let answer = StorageAnswer { storage: Some(storage), ..StorageAnswer::default() };
    context.output.answer(&answer, |page| {
        if let Some(storage) = &answer.storage {
            match owner {
                Some(_) => storage.owners.iter().for_each(|owner| show_owner(page, owner)),
                None => show_all(page, storage),
            }
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn show_all(page: &mut Page, storage: &Storage) {
    let Storage { total, removed, unnamed, quota, counted, .. } = storage;
    page.heading(&storage.registry);
    let parts =
        [(total.packs, "packs"), (total.deltas, "deltas"), (total.files, "files"), (total.other, "other")];
    let parts =
        parts.iter().filter(|(size, _)| *size > 0).map(|(size, what)| format!("{what} {}", bytes(*size)));
    let some = |size: u64| if size > 0 { bytes(size) } else { String::new() };
    page.facts(&[
        ("stored", bytes(total.sum())),
        ("of it", parts.collect::<Vec<_>>().join(", ")),
        ("removed", some(*removed)),
        ("left over", some(*unnamed)),
        ("counted", of_quota(*counted, *quota)),
    ]);
    let faint = page.palette.faint;
    let rows = storage.owners.iter().map(|owner| {
        vec![
            Cell::plain(&owner.owner),
            Cell::plain(of_quota(owner.counted, owner.quota)),
            Cell::plain(bytes(owner.alone)),
            Cell::plain(bytes(owner.shared)),
            Cell::new(count(owner.packages.len(), "package"), faint),
        ]
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        page.table(&["owner", "counted", "alone", "shared", ""], rows);
    }
}

fn show_owner(page: &mut Page, owner: &OwnerStorage) {
    page.heading(owner.owner.as_str());
    page.facts(&[
        ("counted", of_quota(owner.counted, owner.quota)),
        ("alone", bytes(owner.alone)),
        ("shared", bytes(owner.shared)),
    ]);
    let mut packages: Vec<_> = owner.packages.iter().collect();
    packages.sort_by_key(|package| std::cmp::Reverse(package.counted));
    let faint = page.palette.faint;
    let rows = packages.into_iter().map(|package| {
        vec![
            Cell::plain(&package.name),
            Cell::plain(bytes(package.counted)),
            Cell::plain(bytes(package.alone)),
            Cell::plain(bytes(package.shared)),
            Cell::new(count(package.releases, "release"), faint),
        ]
    });
    page.table(&["package", "counted", "alone", "shared", ""], rows.collect());
}

/// How much is held of how much may be.
fn of_quota(counted: u64, quota: Option<u64>) -> String {
    match quota {
        Some(quota) => format!("{} of {}", bytes(counted), bytes(quota)),
        None => bytes(counted),
    }
}
