//! `weir search`: find packages by words.

use std::process::ExitCode;

use clap::Args;
use weir_index::PackageFilter;
use weir_model::{KindName, OwnerName, Platform};
use weir_rules::Standing;

use crate::arguments::{any_kind, found_standing};
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, count, harmless};

/// Find packages by words in their names, keywords and descriptions
#[derive(Debug, Args)]
#[command(after_help = examples!("weir search json parser", "weir search --kind data corpus", "weir search --license MIT --state offered json"))]
pub(crate) struct Arguments {
    /// Words; the last one may be unfinished
    #[arg(required = true, value_name = "WORD")]
    words: Vec<String>,
    /// Only packages of this kind
    #[arg(long, value_parser = any_kind())]
    kind: Option<KindName>,
    /// Only packages that run on this platform
    #[arg(long)]
    platform: Option<Platform>,
    /// Only packages of this owner
    #[arg(long)]
    owner: Option<OwnerName>,
    /// Only packages whose licence names this one, by its SPDX identifier
    #[arg(long, value_name = "SPDX")]
    license: Option<String>,
    /// Only packages with a release that stands so
    #[arg(long, value_parser = found_standing())]
    state: Option<Standing>,
    /// How many to show
    #[arg(long, default_value_t = 20, value_name = "NUMBER")]
    limit: usize,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let query = arguments.words.join(" ");
    let filter = PackageFilter {
        prefix: None,
        owner: arguments.owner.clone(),
        kind: arguments.kind,
        platform: arguments.platform.clone(),
        license: arguments.license.clone(),
        standing: arguments.state,
    };
    let report = weir_project::search(&session, project.as_ref(), &query, &filter, arguments.limit)?;
    context.output.answer(&report, |page| {
        let palette = page.palette;
        if report.hits.is_empty() {
            page.line(format!("Nothing found for `{query}` in the registry `{}`", report.registry));
        }
        let rows = report.hits.iter().map(|hit| {
            vec![
                Cell::new(&hit.name, palette.name),
                Cell::plain(
                    hit.version.as_ref().map_or_else(|| hit.standing.to_string(), ToString::to_string),
                ),
                Cell::new(hit.kind, palette.faint),
                Cell::plain(hit.description.as_deref().unwrap_or_default()),
            ]
        });
        page.table(&[], rows.collect());
        let shown = u64::try_from(report.hits.len()).unwrap_or(u64::MAX);
        if report.total.is_some_and(|total| total > shown) {
            let more = count(report.total.unwrap_or_default() - shown, "package");
            let faint = palette.faint;
            page.line(format!("{faint}… and {more} more: `--limit` shows them{faint:#}"));
        }
        if !report.above.is_empty() {
            let above = report.above.iter().map(|name| format!("`{}`", harmless(name))).collect::<Vec<_>>().join(", ");
            let faint = palette.faint;
            page.line(format!(
                "{faint}What only those above have ({above}) is not searched: `weir info OWNER/NAME` asks them{faint:#}"
            ));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
