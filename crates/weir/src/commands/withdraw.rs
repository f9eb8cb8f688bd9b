//! `weir yank`, `unyank`, `quarantine`, `unquarantine` and `unpublish`: whether a release may be used.

use std::process::ExitCode;

use clap::Args;
use weir_model::{Platform, WithdrawalVerb};
use weir_registry::{Intent, Withdraw};

use super::receipt;
use crate::arguments::{DryRun, PackageAtVersion};
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;

/// Which releases.
#[derive(Debug, Args)]
struct Which {
    /// Releases, `owner/name@version`
    #[arg(required = true, value_name = "RELEASE")]
    releases: Vec<PackageAtVersion>,
    /// Only the release for this platform
    #[arg(long)]
    platform: Option<Platform>,
    /// Only this revision: 0 is the first build of a version, 1 the next
    #[arg(long, value_name = "NUMBER")]
    revision: Option<u32>,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Have new resolutions avoid releases; lockfiles keep them
#[derive(Debug, Args)]
#[command(after_help = examples!("weir yank acme/str@1.4.2 --reason 'loses the last line'"))]
pub(crate) struct YankArguments {
    #[command(flatten)]
    which: Which,
    /// Why, for those who use it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Take a yank back
#[derive(Debug, Args)]
#[command(after_help = examples!("weir unyank acme/str@1.4.2"))]
pub(crate) struct UnyankArguments {
    #[command(flatten)]
    which: Which,
}

/// Withdraw releases now, for everyone, lockfiles included
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir quarantine acme/str@1.4.2 --reason 'steals keys' --advisory https://advisories.example/7",
))]
pub(crate) struct QuarantineArguments {
    #[command(flatten)]
    which: Which,
    /// Why, for those who use it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Where the advisory is
    #[arg(long, value_name = "ADDRESS")]
    advisory: Option<String>,
}

/// Take a quarantine back
#[derive(Debug, Args)]
#[command(after_help = examples!("weir unquarantine acme/str@1.4.2"))]
pub(crate) struct UnquarantineArguments {
    #[command(flatten)]
    which: Which,
}

/// Take releases out of what a registry offers
///
/// The version is never given again. A closed registry refuses if something was built with it.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir unpublish acme/str@1.4.2 --reason 'published by mistake'"))]
pub(crate) struct UnpublishArguments {
    #[command(flatten)]
    which: Which,
    /// Why, for those who use it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(crate) fn yank(context: &Context, arguments: YankArguments) -> Result<ExitCode, Failure> {
    withdraw(
        context,
        WithdrawalVerb::Yank,
        arguments.which,
        &Why { reason: arguments.reason, advisory: None },
    )
}

pub(crate) fn unyank(context: &Context, arguments: UnyankArguments) -> Result<ExitCode, Failure> {
    withdraw(context, WithdrawalVerb::Unyank, arguments.which, &Why::default())
}

pub(crate) fn quarantine(context: &Context, arguments: QuarantineArguments) -> Result<ExitCode, Failure> {
    withdraw(
        context,
        WithdrawalVerb::Quarantine,
        arguments.which,
        &Why { reason: arguments.reason, advisory: arguments.advisory },
    )
}

pub(crate) fn unquarantine(context: &Context, arguments: UnquarantineArguments) -> Result<ExitCode, Failure> {
    withdraw(context, WithdrawalVerb::Unquarantine, arguments.which, &Why::default())
}

pub(crate) fn unpublish(context: &Context, arguments: UnpublishArguments) -> Result<ExitCode, Failure> {
    withdraw(
        context,
        WithdrawalVerb::Remove,
        arguments.which,
        &Why { reason: arguments.reason, advisory: None },
    )
}

/// What those who use it are told.
#[derive(Default)]
struct Why {
    reason: Option<String>,
    advisory: Option<String>,
}

fn withdraw(context: &Context, verb: WithdrawalVerb, which: Which, why: &Why) -> Result<ExitCode, Failure> {
    let one = |package: PackageAtVersion| Withdraw {
        verb,
        name: package.name,
        version: package.version,
        platform: which.platform.clone(),
        revision: which.revision,
        reason: why.reason.clone(),
        advisory: why.advisory.clone(),
        because: None,
    };
    let intents = which.releases.into_iter().map(one).map(Intent::Withdraw).collect();
    receipt::carry_out(context, intents, &which.dry_run)
}
