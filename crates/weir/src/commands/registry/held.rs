//! `weir registry held`: what policy keeps out of what is above.

use std::process::ExitCode;

use clap::Args;

use super::upstream::with_registry;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, harmless};

/// Show the releases of registries above that policy keeps out, by which rule, and until when
///
/// Those are told of that somebody asked for, and of mirrored registries all. When time or another policy lets one in, it is admitted by the
/// next that ask.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry held", "weir registry held --registry team --json"))]
pub(crate) struct Arguments {}

pub(crate) fn run(context: &Context) -> Result<ExitCode, Failure> {
    let held = with_registry(context, |session, which| Ok(weir_reach::registry_held(session, which)?))?;
    context.output.answer(&held, |page| {
        if held.held.is_empty() {
            page.line(format!("Nothing is held by the registry `{}`", harmless(&held.registry)));
            return;
        }
        let (faint, name) = (page.palette.faint, page.palette.name);
        let rows = held.held.iter().map(|held| {
            let until = held.hold.until.map(|until| format!("until {until}")).unwrap_or_default();
            vec![
                Cell::new(held.hold.id.to_string(), name),
                Cell::plain(&held.hold.policy),
                Cell::plain(until),
                Cell::new(&held.hold.reason, faint),
            ]
        });
        page.table(&[], rows.collect());
    })?;
    Ok(ExitCode::SUCCESS)
}
