//! `weir promote`: bring a release up into another registry. `weir approve`: let one in that somebody else promotes.

use std::process::ExitCode;

use clap::Args;
use weir_model::{Platform, TreeDigest};
use weir_project::Project;
use weir_promote::{Promote, PromotionReport};
use weir_registry::Done;
use weir_wire::promotion::{KeptPromotion, PromotionRequest};

use super::receipt;
use crate::arguments::{DryRun, PackageAtVersion};
use crate::complete;
use crate::context::Context;
use crate::documents::publishing::Promotion;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, Page, bytes, count, harmless};

/// Bring a release, with what it needs, up into another registry
///
/// It is published there as it is here: the same content, fixed to the same, of the same input digest, so that no lockfile changes.
/// The policy of this registry says whether it may go up, that of the other whether it may come in. All of it comes in
/// together, or nothing. Repeating it is harmless, and goes on where it was cut short.
///
/// Where the other registry's policy wants approvals, the promotion waits on its server as a request.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir promote acme/str@1.4.2 --to public --dry-run",
    "weir promote acme/str@1.4.2 --to public --registry team",
    "weir promote --list --to public      what waits there for approvals",
))]
pub(crate) struct Arguments {
    /// The release, `owner/name@version`
    #[arg(value_name = "RELEASE", add = complete::known_packages(), required_unless_present_any = ["list", "withdraw"])]
    release: Option<PackageAtVersion>,
    /// The registry that it is to go into: a name, a folder or an address; the first of those above where nothing is said
    #[arg(long, value_name = "REGISTRY")]
    to: Option<String>,
    /// Only the release for this platform
    #[arg(long)]
    platform: Option<Platform>,
    /// Only this revision: 0 is the first build of a version, 1 the next
    #[arg(long, value_name = "NUMBER")]
    revision: Option<u32>,
    /// List the promotions that wait for approvals: your own, and those that you may approve
    #[arg(long, conflicts_with_all = ["release", "withdraw", "platform", "revision", "dry_run"])]
    list: bool,
    /// Take back a promotion that waits, or turn it down
    #[arg(long, value_name = "REQUEST", conflicts_with_all = ["release", "platform", "revision", "dry_run"])]
    withdraw: Option<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Approve a promotion that somebody else asked for
///
/// Where that was the last approval that the policy wants, it is carried out, by the rules as they are then and in the name of
/// who asked for it. `weir promote --list` shows what waits.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir approve 01KAFQ5V5D4F9Z0000000000AA --to public"))]
pub(crate) struct ApproveArguments {
    /// The request, as `weir promote --list` names it
    request: String,
    /// The registry that it waits in: a name or an address; the default one where nothing is said
    #[arg(long, value_name = "REGISTRY")]
    to: Option<String>,
}

pub(crate) fn run(context: &Context, arguments: Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let registries = project.as_ref().map(Project::registries);
    let Arguments { release, to, platform, revision, dry_run, withdraw, .. } = arguments;
    if let Some(request) = withdraw {
        let request = weir_promote::withdraw(&session, registries, to.as_deref(), &request)?;
        let text = format!("{}: {}", request.id, releases(&request));
        let answer = Promotion { withdrawn: Some(request), ..Promotion::default() };
        context.output.act(false, &answer, |page| {
            let word = page.palette.notice;
            page.line(format!("{word}Taken back{word:#} {text}"));
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    // Without a release, clap has seen to it that `--list` or `--withdraw` is there.
    let Some(PackageAtVersion { name, version }) = release else {
        let requests = weir_promote::requests(&session, registries, to.as_deref())?;
        let answer = Promotion { requests: Some(requests), ..Promotion::default() };
        context.output.answer(&answer, |page| {
            show_waiting(page, answer.requests.as_deref().unwrap_or_default());
        })?;
        return Ok(ExitCode::SUCCESS);
    };
    let dry_run = dry_run.dry_run;
    let what = Promote { name, version, platform, revision, to, dry_run };
    let report = weir_promote::promote(&session, registries, &what)?;
    let answer = Promotion { promotion: Some(report), ..Promotion::default() };
    context.output.act(dry_run, &answer, |page| {
        answer.promotion.iter().for_each(|report| show(page, report));
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn approve(context: &Context, arguments: &ApproveArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let registries = project.as_ref().map(Project::registries);
    let to = arguments.to.as_deref();
    let kept = weir_promote::approve(&session, registries, to, &arguments.request)?;
    context.output.act(false, &kept, |page| show_approved(page, &kept))?;
    Ok(ExitCode::SUCCESS)
}

fn show(page: &mut Page, report: &PromotionReport) {
    let palette = page.palette;
    if report.releases.is_empty() {
        for id in &report.already {
            page.line(format!("{}Already so:{:#} `{id}` in `{}`", palette.faint, palette.faint, report.to));
        }
        return;
    }
    let done = |id: &str| {
        let mut outcomes = report.receipt.iter().flat_map(|receipt| &receipt.outcomes);
        outcomes.find(|outcome| outcome.subject == id).map(|outcome| outcome.done)
    };
    for release in &report.releases {
        let (word, style) = match done(&release.id.to_string()) {
            Some(Done::Already) => ("Already so:", palette.faint),
            Some(_) => ("Promoted", palette.good),
            None if report.request.is_some() => ("To be promoted:", palette.notice),
            None => ("Would promote", palette.notice),
        };
        page.line(format!("{style}{word}{style:#} `{}`: {}", release.id, bytes(release.size)));
        page.line(format!(
            "  {}from `{}`, its record {}, into `{}`{:#}",
            palette.faint, report.from, release.from.index, report.to, palette.faint
        ));
    }
    if !report.already.is_empty() {
        let there = count(report.already.len(), "release");
        page.line(format!(
            "{}{there} that it needs in `{}` already{:#}",
            palette.faint, report.to, palette.faint
        ));
    }
    let Some(waits) = &report.waits else { return };
    let notice = palette.notice;
    match &report.request {
        Some(request) => page.line(format!("{notice}Waits{notice:#} as {}: {}", request.id, harmless(waits))),
        None => page.line(format!("{notice}It would wait:{notice:#} {}", harmless(waits))),
    }
}

fn show_waiting(page: &mut Page, requests: &[PromotionRequest]) {
    if requests.is_empty() {
        return page.line("No promotion waits for an approval that is for you to see");
    }
    let faint = page.palette.faint;
    let rows = requests.iter().map(|request| {
        vec![
            Cell::plain(&request.id),
            Cell::plain(releases(request)),
            Cell::new(request.trees.last().map(TreeDigest::short).unwrap_or_default(), faint),
            Cell::new(format!("from {} by {}", harmless(&request.from), harmless(&request.by)), faint),
            Cell::new(approvals(request), faint),
        ]
    });
    let rows = rows.collect();
    page.table(&[], rows);
}

fn show_approved(page: &mut Page, kept: &KeptPromotion) {
    let (good, faint) = (page.palette.good, page.palette.faint);
    if let Some(request) = &kept.request {
        match kept.already {
            true => page.line(format!(
                "{faint}You have approved{faint:#} {} already: {}",
                request.id,
                releases(request)
            )),
            false => page.line(format!("{good}Approved{good:#} {}: {}", request.id, releases(request))),
        }
        if kept.receipt.is_none() {
            page.line(format!("It waits for others: {}", approvals(request)));
        }
    }
    if let Some(receipt) = &kept.receipt {
        receipt::show(page, receipt);
    }
}

/// What would be promoted, in a few words.
fn releases(request: &PromotionRequest) -> String {
    match request.releases.as_slice() {
        [] => String::new(),
        // What was asked for comes after what it needs.
        [last] => format!("`{last}`"),
        [needed @ .., last] => format!("`{last}` and {} more", needed.len()),
    }
}

fn approvals(request: &PromotionRequest) -> String {
    match request.approvals.as_slice() {
        [] => "nobody approved it yet".to_owned(),
        some => {
            let names: Vec<_> = some.iter().map(|approval| harmless(&approval.by)).collect();
            format!("approved by {}", names.join(", "))
        }
    }
}
