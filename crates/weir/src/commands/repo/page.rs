//! Plans and what came of them, as text.

use weir_build::{StayReason, Untouched};
use weir_native::Level;
use weir_repo::{BuiltPackage, How, RepoPlan, RepoReport};

use crate::output::{Cell, Output, Page, count, duration, short};

/// The most packages that stay as they are and are named one by one.
const MOST_SHOWN: usize = 5;

/// What leaves and what is built, in order, each with the reason.
///
/// ```text
/// For x86-64-debian-12, in the registry `org`:
/// leaves    base/zlib 1.2.13           asked for: version changed from 1.2.13 to 1.3.1
///           base/curl 7.88.1           depends on base/zlib 1.2.13, which leaves
/// builds 1  base/zlib 1.3.1            asked for: version changed from 1.2.13 to 1.3.1
///        2  base/curl 7.88.1 revision 1   depends on base/zlib 1.2.13, which leaves
/// ```
pub(super) fn show_plan(page: &mut Page, plan: &RepoPlan) {
    let palette = page.palette;
    if plan.is_empty() {
        page.line(format!("Nothing to do in the registry `{}` for {}", plan.registry, plan.platform));
    } else {
        page.heading(&format!("In the registry `{}`, for {}:", plan.registry, plan.platform));
    }
    let words = |text: String| without_platform(&text, plan);
    let mut rows = Vec::new();
    for (number, leaving) in plan.plan.leaves.iter().enumerate() {
        let word = if number == 0 { "leaves" } else { "" };
        rows.push(vec![
            Cell::new(word, palette.bad),
            Cell::plain(""),
            Cell::plain(short(&leaving.id)),
            Cell::plain(words(leaving.because.to_string())),
        ]);
    }
    for (number, step) in plan.plan.builds.iter().enumerate() {
        let word = if number == 0 { "builds" } else { "" };
        let before = if plan.ready.contains(&step.id) { "built before; " } else { "" };
        rows.push(vec![
            Cell::new(word, palette.good),
            Cell::new(number + 1, palette.faint),
            Cell::plain(short(&step.id)),
            Cell::plain(words(format!("{before}{}", step.because))),
        ]);
    }
    // Of a whole repository that is as it should be, a number says enough.
    let current =
        |untouched: &&Untouched| matches!(untouched.because, StayReason::Offered | StayReason::UpToDate);
    let many = plan.plan.untouched.iter().filter(current).count() > MOST_SHOWN;
    let (shown, counted): (Vec<_>, Vec<_>) =
        plan.plan.untouched.iter().partition(|untouched| !many || !current(untouched));
    for (number, untouched) in shown.into_iter().enumerate() {
        let word = if number == 0 { "stays" } else { "" };
        rows.push(vec![
            Cell::new(word, palette.faint),
            Cell::plain(""),
            Cell::plain(short(&untouched.id)),
            Cell::plain(words(untouched.because.to_string())),
        ]);
    }
    for (number, left_out) in plan.left_out.iter().enumerate() {
        let word = if number == 0 { "left out" } else { "" };
        rows.push(vec![
            Cell::new(word, palette.bad),
            Cell::plain(""),
            Cell::plain(&left_out.name),
            Cell::plain(words(left_out.reason.clone())),
        ]);
    }
    page.entries(rows);
    if !counted.is_empty() {
        page.line(format!("{} stay as they are", count(counted.len(), "package")));
    }
}

/// What was built, and what the registry shows now.
pub(super) fn show_report(page: &mut Page, report: &RepoReport) {
    let palette = page.palette;
    let of = |how: How| report.built.iter().filter(|built| built.how == how).count();
    let (new, before) = (of(How::Built), of(How::Kept) + of(How::Published));
    let mut parts = Vec::new();
    if new > 0 {
        parts.push(format!("{} built", count(new, "package")));
    }
    if before > 0 {
        parts.push(format!("{} built before", count(before, "package")));
    }
    if !report.left.is_empty() {
        parts.push(format!("{} left", count(report.left.len(), "release")));
    }
    let good = palette.good;
    page.line(format!("{good}Done{good:#}: {}, in one batch", parts.join(", ")));
}

/// Warns of what is doubtful about a package that was built. What was merely done to it is in its record.
pub(in crate::commands) fn warn(output: &Output, built: &BuiltPackage) {
    for finding in built.findings.iter().filter(|finding| finding.level != Level::Note) {
        output.warn(&format!("`{}`: {finding}", short(&built.id)));
    }
    if !built.unused.is_empty() {
        let unused: Vec<String> = built.unused.iter().map(|name| format!("`{name}`")).collect();
        let names = unused.join(", ");
        output.warn(&format!(
            "`{}`: its build system has no use for {names}, which its recipe sets",
            short(&built.id)
        ));
    }
}

/// How long a build took, for a table.
pub(in crate::commands) fn took(built: &BuiltPackage) -> String {
    match (built.how, built.seconds) {
        (How::Built, Some(seconds)) => format!("built in {}", duration(seconds.round() as u64)),
        (How::Built, None) => "built".into(),
        (How::Kept | How::Published, _) => "built before".into(),
    }
}

/// Everything is for one platform, which the heading names.
fn without_platform(text: &str, plan: &RepoPlan) -> String {
    text.replace(&format!(" {}", plan.platform), "")
}
