//! `weir outdated`: which dependencies have newer releases.

use std::process::ExitCode;

use clap::Args;
use weir_model::record::Hold;
use weir_project::{MovedOutside, MovedReference, MovedTag, Outdated, OutdatedPackages};

use crate::arguments::Whose;
use crate::context::Context;
use crate::failure::{self, Exit, Failure};
use crate::help::examples;
use crate::output::{Cell, Page, harmless};

/// Show which dependencies have newer releases
///
/// `wanted` is where `weir update` goes and `full` where `weir update --full` goes: both are worked out as those
/// commands do it. `newest` is the newest that is offered; where even `full` stays behind it, a line tells why.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir outdated", "weir outdated --exit-code"))]
pub(crate) struct Arguments {
    /// End with exit code 1 if anything is outdated
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    whose: Whose,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_of(arguments.whose)?;
    let outdated = weir_project::outdated(&session, &project)?;
    context.output.answer(&outdated, |page| show(page, &outdated, session.offline))?;
    let exit_code = arguments.exit_code && outdated.is_anything();
    Ok(if exit_code { failure::ending(Exit::Failed) } else { ExitCode::SUCCESS })
}

fn show(page: &mut Page, outdated: &OutdatedPackages, offline: bool) {
    if !outdated.is_anything() {
        page.line(if offline { "Nothing newer is known here" } else { "Everything is at its newest" });
    }
    if !outdated.packages.is_empty() {
        table(page, &outdated.packages);
    }
    outdated.patched.iter().for_each(|patched| page.line(harmless(&patched.to_string())));
    outdated.advised.iter().for_each(|advised| super::audit::show_advised(page, advised));
    show_outside(page, &outdated.outside);
    show_kept_out(page, &outdated.kept_out);
}

/// What would be newer, if a policy let it in.
pub(super) fn show_kept_out(page: &mut Page, kept_out: &[Hold]) {
    kept_out.iter().for_each(|hold| page.line(harmless(&hold.to_string())));
}

fn table(page: &mut Page, outdated: &[Outdated]) {
    let palette = page.palette;
    let told = |build: Option<String>| build.unwrap_or_else(|| "–".into());
    let rows = outdated.iter().map(|package| {
        let (current, wanted, full) = (told(package.current()), told(package.wanted()), told(package.full()));
        let (moves, moves_further) = (wanted != current, full != wanted);
        vec![
            Cell::plain(&package.name),
            Cell::plain(package.range.as_ref().map_or_else(String::new, ToString::to_string)),
            Cell::new(
                if package.yanked { format!("{current} (yanked)") } else { current },
                if package.yanked { palette.bad } else { palette.faint },
            ),
            Cell::new(wanted, if moves { palette.good } else { palette.faint }),
            Cell::new(full, if moves_further { palette.good } else { palette.faint }),
            Cell::new(told(package.newest.as_ref().map(ToString::to_string)), palette.notice),
        ]
    });
    page.table(&["package", "range", "current", "wanted", "full", "newest"], rows.collect());
    for held in outdated.iter().filter_map(Outdated::why_held) {
        page.line(harmless(&held.to_string()));
    }
}

fn show_outside(page: &mut Page, moved: &MovedOutside) {
    for MovedTag { name, url, tag, locked, now } in &moved.tags {
        page.line(harmless(&format!(
            "`{name}` is locked to the commit {locked}, and the tag `{tag}` of {url} names {now} by now: `weir update {name}` takes that"
        )));
    }
    for MovedReference { name, of, certain } in &moved.references {
        let (whose, command) = match of {
            Some(of) => (format!(" of `{of}`"), format!("weir update {}", of.name)),
            None => (String::new(), "weir update".to_owned()),
        };
        let is = match certain {
            true => "has other bytes at its address by now",
            false => "may have other bytes at its address by now, which does not tell without giving them",
        };
        page.line(harmless(&format!("The reference `{name}`{whose} {is}: `{command}` takes them")));
    }
}
