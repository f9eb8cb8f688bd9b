//! `weir build`: build recipes, and publish nothing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use weir_model::{PackageName, ReleaseId};
use weir_repo::{BuildReport, CheckReport, Checked, Repo, RepoPlan};

use super::building::{self, Pace, Place};
use super::repo::page::{self, took};
use crate::context::Context;
use crate::documents::building::Build;
use crate::failure::{self, Exit, Failure};
use crate::help::examples;
use crate::output::{Cell, Page, count, harmless};

/// Build packages from recipes without publishing them
///
/// What they need is built first where there is a recipe for it, and taken from the registry where there is none.
/// What was built is kept: `weir repo add` publishes it without building it again.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir build base/curl",
    "weir build --check                  every recipe twice: is it reproducible?",
    "weir build base/curl --out curl     and copy what it installs",
))]
pub(crate) struct Arguments {
    /// The packages; every recipe where nothing is said
    #[arg(value_name = "NAME")]
    names: Vec<PackageName>,
    /// Build each of them a second time, and compare
    #[arg(long)]
    check: bool,
    /// Copy what the one package installs into this folder, which must not be there or be empty
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    pace: Pace,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    if arguments.out.is_some() && arguments.names.len() != 1 {
        return Err(Failure::usage("`--out` copies one package")
            .with_help("name it, as in `weir build base/curl --out curl`"));
    }
    let out = arguments.out.as_deref().map(|out| context.path(out)).transpose()?;
    if let Some(out) = &out {
        // Better known before hours of building than after.
        must_be_free(out)?;
    }
    let session = context.session()?;
    let project = context.project_if_any()?;
    let options = building::options(context, project.as_ref(), &arguments.place, &arguments.pace)?;
    let repo = Repo::open(&session, project.as_ref(), options)?;
    let plan = repo.plan_from_recipes(&arguments.names)?;
    for left_out in &plan.left_out {
        context.output.warn(&format!("`{}` is not built: {}", left_out.name, left_out.reason));
    }
    let built = repo.build(&plan)?;
    for one in &built.built {
        page::warn(&context.output, one);
    }
    if let (Some(out), [name]) = (&out, &*arguments.names) {
        copy(&repo, &plan, &built, name, out)?;
    }
    let check = if arguments.check { Some(repo.check(&plan, &built, &arguments.names)?) } else { None };
    let document = Build { plan: &plan, report: &built, check: check.as_ref() };
    context.output.act(arguments.check, &document, |page| {
        show(page, &built);
        if let Some(check) = &check {
            show_check(page, check);
        }
    })?;
    if !plan.left_out.is_empty() {
        // What was left out was asked for: whoever automates it must notice.
        return Ok(failure::ending(Exit::BuildFailed));
    }
    let same = check.is_none_or(|check| check.checked.iter().all(Checked::is_reproducible));
    Ok(if same { ExitCode::SUCCESS } else { failure::ending(Exit::Failed) })
}

/// Where nothing is yet, or an empty folder.
fn must_be_free(out: &Path) -> Result<(), Failure> {
    let is_free = match fs_err::read_dir(out) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if is_free {
        return Ok(());
    }
    let what = format!("`{}` is there already, and is no empty folder", out.display());
    Err(Failure::conflict(what).with_help("`--out` makes a new folder: name one that is not there yet"))
}

fn copy(
    repo: &Repo<'_>,
    plan: &RepoPlan,
    built: &BuildReport,
    name: &PackageName,
    out: &Path,
) -> Result<(), Failure> {
    let Some(one) = built.built.iter().find(|one| one.id.name == *name) else {
        return Err(Failure::not_found(format!("`{name}` was not built")));
    };
    Ok(repo.copy_out(plan, one, out)?)
}

fn show(page: &mut Page, report: &BuildReport) {
    let faint = page.palette.faint;
    let row = |built: &weir_repo::BuiltPackage| {
        vec![
            Cell::plain(name(&built.id)),
            Cell::plain(took(built)),
            Cell::new(format!("inputs {}", built.input_digest.short()), faint),
            Cell::new(format!("tree {}", built.tree.short()), faint),
        ]
    };
    page.table(&[], report.built.iter().map(row).collect());
}

fn show_check(page: &mut Page, check: &CheckReport) {
    let (good, bad) = (page.palette.good, page.palette.bad);
    page.blank();
    for one in &check.checked {
        let id = name(&one.id);
        if one.is_reproducible() {
            page.line(format!("{good}✓{good:#} {id} is reproducible"));
            continue;
        }
        let differences = count(one.differences.len(), "difference");
        page.line(format!("{bad}✗{bad:#} {id} is not reproducible: {differences}"));
        for difference in &one.differences {
            page.line(format!("    {}", harmless(&difference.to_string())));
        }
    }
}

/// Which revision it would be matters to those who publish.
fn name(id: &ReleaseId) -> String {
    format!("{} {}", id.name, id.version)
}
