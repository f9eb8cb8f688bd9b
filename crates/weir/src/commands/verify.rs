//! `weir verify`: is what is installed what the lockfile says?

use std::process::ExitCode;

use clap::Args;

use crate::arguments::Whose;
use crate::context::Context;
use crate::failure::{self, Exit, Failure};
use crate::help::examples;
use crate::output::{bytes, count, harmless};

/// Check every file of the project's releases against the lockfile
#[derive(Debug, Args)]
#[command(after_help = examples!("weir verify"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    whose: Whose,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_of(arguments.whose)?;
    let report = weir_project::verify(&session, &project)?;
    context.output.answer(&report, |page| {
        let (good, bad) = (page.palette.good, page.palette.bad);
        for problem in &report.problems {
            page.line(format!("{bad}✗{bad:#} {}", harmless(problem)));
        }
        if report.problems.is_empty() {
            page.line(format!(
                "{good}✓{good:#} Verified {}, {}",
                count(report.releases, "release"),
                bytes(report.bytes)
            ));
        }
    })?;
    if report.problems.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Ok(failure::ending(Exit::Integrity))
}
