//! What became of applications that were compiled with another version of a package.

use weir_project::{BrokenModule, Rebuild, RebuildOutcome};

use crate::output::{Page, count, harmless, harmless_line};

pub(super) fn show(page: &mut Page, rebuild: &Rebuild, limit: usize) {
    let applications = rebuild.applications.len() as u64;
    page.line(format!(
        "Compiled {} with {}, by Elm {}",
        count(applications, "application"),
        harmless(&rebuild.with),
        rebuild.compiler
    ));
    let (bad, good, faint) = (page.palette.bad, page.palette.good, page.palette.faint);
    for application in &rebuild.applications {
        let id = super::short(&application.id);
        match &application.outcome {
            RebuildOutcome::Compiles => page.line(format!("  {good}✓{good:#} {id} still compiles")),
            RebuildOutcome::Breaks { modules } => {
                page.line(format!("  {bad}✗{bad:#} {id} breaks{}", named(modules)));
                mistakes(page, modules);
            }
            RebuildOutcome::DoesNotGoWith { reason } => {
                page.line(format!("  {bad}✗{bad:#} {id} does not go with it"));
                indented(page, reason);
            }
            RebuildOutcome::BrokenBefore { modules } => {
                page.line(format!("  – {id} does not compile as it was published either{}", named(modules)));
            }
            RebuildOutcome::CannotBeHad { reason } => {
                page.line(format!("  – {id} cannot be had as it was published either"));
                indented(page, reason);
            }
        }
    }
    if rebuild.untried.is_empty() {
        return;
    }
    page.line(format!("Not compiled: {}", count(rebuild.untried.len() as u64, "application")));
    for untried in rebuild.untried.iter().take(limit) {
        let reason = harmless_line(&untried.reason);
        page.line(format!("  {} {faint}{reason}{faint:#}", super::short(&untried.id)));
    }
    super::more(page, rebuild.untried.len(), limit);
}

/// In which modules something is wrong.
fn named(modules: &[BrokenModule]) -> String {
    let names: Vec<&str> = modules.iter().filter_map(|broken| broken.module.as_deref()).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!(" in {}", harmless(&names.join(", "))),
    }
}

/// What the compiler says.
fn mistakes(page: &mut Page, modules: &[BrokenModule]) {
    for broken in modules {
        for mistake in &broken.mistakes {
            let place = broken.module.iter().map(|module| match mistake.line {
                Some(line) => format!(" {module}, line {line}"),
                None => format!(" {module}"),
            });
            let place: String = place.collect();
            page.line(format!("      -- {}{}", harmless(&mistake.title), harmless(&place)));
            indented(page, &mistake.said);
        }
    }
}

fn indented(page: &mut Page, text: &str) {
    for line in text.lines() {
        page.line(format!("      {}", harmless(line)).trim_end());
    }
}
