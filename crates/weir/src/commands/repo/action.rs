//! `weir repo add`, `update`, `remove` and `plan`: a plan, shown; a question, where much would go; and then all of it
//! in one batch.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use weir_build::PlanRequest;
use weir_model::PackageName;
use weir_repo::{Repo, RepoError, RepoPlan, RepoReport};

use super::page;
use crate::arguments::DryRun;
use crate::commands::building::{self, Pace, Place};
use crate::context::Context;
use crate::documents;
use crate::failure::{self, Exit, Failure};
use crate::help::examples;
use crate::output::{Format, count};
use crate::question;

/// Offer packages: build them, and first what they need
///
/// Prints what is built, in which order and why. When all of it is built, it becomes visible as one batch; if a build
/// fails, the registry stays as it is, and the same command goes on with what was built. A package that is offered
/// in the version of its recipe is left alone: `weir repo update` builds it again.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir repo add base/curl             and base/zlib first, if it is not offered",
    "weir repo add --all --dry-run",
))]
pub(crate) struct AddArguments {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    how: How,
}

/// Bring packages to what their recipes say, with all that was built with them
///
/// What is offered of them leaves; everything that has it in its closure leaves with it and is built again, in order.
/// All of it becomes visible as one batch.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir repo update base/zlib          and curl, and whatever else was built with it",
    "weir repo update --all --yes        whatever recipes, sources or the toolchain changed",
))]
pub(crate) struct UpdateArguments {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    how: How,
}

/// Offer packages no more, nor what was built with them
#[derive(Debug, Args)]
#[command(after_help = examples!("weir repo remove base/fmt", "weir repo remove base/fmt --dry-run"))]
pub(crate) struct RemoveArguments {
    /// The packages
    #[arg(required = true, value_name = "NAME")]
    names: Vec<PackageName>,
    #[command(flatten)]
    how: How,
}

/// Show what an action would do, and do nothing
#[derive(Debug, Args)]
#[command(after_help = examples!("weir repo plan update base/zlib", "weir repo plan update --all --json"))]
pub(crate) struct PlanArguments {
    /// What would be done
    action: Action,
    #[command(flatten)]
    which: Which,
    /// End with 1 if something would be done
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    place: Place,
}

/// The three actions.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Action {
    /// Offer packages.
    Add,
    /// Bring packages to what their recipes say.
    Update,
    /// Offer packages no more.
    Remove,
}

/// Which packages an action is about.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The packages
    #[arg(value_name = "NAME")]
    names: Vec<PackageName>,
    /// All that have a recipe
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
struct How {
    /// Go on without asking
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    dry_run: DryRun,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    pace: Pace,
}

pub(super) fn add(context: &Context, arguments: AddArguments) -> Result<ExitCode, Failure> {
    let request =
        if arguments.which.all { PlanRequest::AddAll } else { PlanRequest::Add(arguments.which.names) };
    act(context, &request, &arguments.how)
}

pub(super) fn update(context: &Context, arguments: UpdateArguments) -> Result<ExitCode, Failure> {
    let request =
        if arguments.which.all { PlanRequest::UpdateAll } else { PlanRequest::Update(arguments.which.names) };
    act(context, &request, &arguments.how)
}

pub(super) fn remove(context: &Context, arguments: RemoveArguments) -> Result<ExitCode, Failure> {
    act(context, &PlanRequest::Remove(arguments.names), &arguments.how)
}

pub(super) fn plan(context: &Context, arguments: PlanArguments) -> Result<ExitCode, Failure> {
    let request = match (arguments.action, arguments.which.all) {
        (Action::Add, true) => PlanRequest::AddAll,
        (Action::Add, false) => PlanRequest::Add(arguments.which.names),
        (Action::Update, true) => PlanRequest::UpdateAll,
        (Action::Update, false) => PlanRequest::Update(arguments.which.names),
        (Action::Remove, false) => PlanRequest::Remove(arguments.which.names),
        (Action::Remove, true) => {
            return Err(Failure::usage("`--all` does not go with `remove`")
                .with_help("name the packages that are to go"));
        }
    };
    let session = context.session()?;
    let project = context.project_if_any()?;
    let options = building::options(context, project.as_ref(), &arguments.place, &Pace::default())?;
    let plan = Repo::open(&session, project.as_ref(), options)?.plan(&request)?;
    if context.output.format == Format::Text {
        context.output.answer(&plan, |page| page::show_plan(page, &plan))?;
    }
    let ending = finish(context, &plan, None)?;
    Ok(if arguments.exit_code && !plan.is_empty() { failure::ending(Exit::Failed) } else { ending })
}

/// How often an action is planned again because somebody else changed the registry meanwhile.
const MOST_PLANS: usize = 10;

fn act(context: &Context, request: &PlanRequest, how: &How) -> Result<ExitCode, Failure> {
    for _ in 1..MOST_PLANS {
        match act_once(context, request, how) {
            Err(Ended::Overtaken) => {
                context.output.note("Somebody else changed the registry meanwhile: planning again");
            }
            Err(Ended::Failed(failure)) => return Err(failure),
            Ok(ending) => return Ok(ending),
        }
    }
    act_once(context, request, how).map_err(|ended| match ended {
        Ended::Failed(failure) => failure,
        Ended::Overtaken => Failure::conflict("the registry is changed all the time by somebody else")
            .with_help("run it again when less goes on: what was built is kept"),
    })
}

/// Why an action was not carried out.
enum Ended {
    Overtaken,
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

fn act_once(context: &Context, request: &PlanRequest, how: &How) -> Result<ExitCode, Ended> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let options = building::options(context, project.as_ref(), &how.place, &how.pace)?;
    let repo = Repo::open(&session, project.as_ref(), options)?;
    let plan = repo.plan(request)?;
    let json = context.output.format == Format::Json;
    if !json {
        context.output.act(how.dry_run.dry_run, &plan, |page| page::show_plan(page, &plan))?;
    }
    if how.dry_run.dry_run || plan.is_empty() {
        return Ok(finish(context, &plan, None)?);
    }
    if !how.yes && !may_go_on(context, request, &plan)? {
        return Err(Failure::declined().into());
    }
    if session.offline {
        return Err(Failure::not_found("a registry cannot be changed with `--offline`")
            .with_help("run it without; `--dry-run` shows what it would do")
            .into());
    }
    let report = match repo.carry_out(&plan) {
        Err(RepoError::Overtaken(_)) => return Err(Ended::Overtaken),
        report => report?,
    };
    for built in &report.built {
        page::warn(&context.output, built);
    }
    Ok(finish(context, &plan, Some(&report))?)
}

fn finish(context: &Context, plan: &RepoPlan, report: Option<&RepoReport>) -> Result<ExitCode, Failure> {
    match (context.output.format, report) {
        (Format::Json, _) => context.output.json(&documents::building::Action { plan, report })?,
        (Format::Text, Some(report)) => {
            context.output.show(report, |page| page::show_report(page, report))?;
        }
        (Format::Text, None) => {}
    }
    // What was left out was asked for: whoever automates it must notice.
    Ok(if plan.left_out.is_empty() { ExitCode::SUCCESS } else { failure::ending(Exit::BuildFailed) })
}

/// Whether a plan may be carried out without or after asking. Taking away is asked for always, and so is
/// taking more away than was named; where nobody can be asked, only the first is refused.
fn may_go_on(context: &Context, request: &PlanRequest, plan: &RepoPlan) -> Result<bool, Failure> {
    let removes = matches!(request, PlanRequest::Remove(_));
    if !removes && !takes_more_than_named(request, plan) {
        return Ok(true);
    }
    if context.output.format == Format::Text && question::can_be_asked() {
        return question::ask(&context.output, "Go on?");
    }
    if removes {
        let leaving = count(plan.plan.leaves.len(), "package");
        return Err(Failure::usage(format!("{leaving} would leave, and nobody can be asked"))
            .with_help("look at the plan with `--dry-run`, and carry it out with `--yes`"));
    }
    Ok(true)
}

/// Whether something leaves that nobody named.
fn takes_more_than_named(request: &PlanRequest, plan: &RepoPlan) -> bool {
    let named: BTreeSet<&PackageName> = match request {
        PlanRequest::Add(names) | PlanRequest::Update(names) | PlanRequest::Remove(names) => {
            names.iter().collect()
        }
        // Who says "all" has named everything.
        PlanRequest::AddAll | PlanRequest::UpdateAll => return false,
    };
    plan.plan.leaves.iter().any(|leaving| !named.contains(&leaving.id.name))
}
