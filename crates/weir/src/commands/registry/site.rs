//! `weir registry site`: the pages of a registry as a folder, for any static web server.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use weir_site::{Site, Written, write_site};

use super::upstream::with_registry;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{count, harmless};

/// Write the pages of a registry into a folder, which any static web server can serve
///
/// Its packages, releases and a search that reads a compact index in parts: all that a reader of the registry could have, and nothing
/// else. It can be put at any address. Run again, it writes what is another than before, and the first page last; the same registry gives the same bytes.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir registry site public_html",
    "weir registry site public_html --registry org --address https://weir.example/org",
))]
pub(crate) struct Arguments {
    /// The folder: empty, not there yet, or one that this command wrote before
    folder: PathBuf,
    /// Where the registry can be reached, which the pages tell those who use it; of one that is known by an address, that one
    #[arg(long, value_name = "URL")]
    address: Option<String>,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let folder = context.path(&arguments.folder)?;
    let written = with_registry(context, |session, which| {
        let known = which.known(session)?;
        let connection = weir_reach::connect(session, &known)?;
        let location = match &arguments.address {
            Some(address) => Some(weir_reach::told_address(address)?),
            // A folder of this machine is nobody's business.
            None => weir_reach::is_http(&known.location).then(|| known.location.clone()),
        };
        let site = Site {
            registry: connection.replica.name(),
            location: location.as_deref(),
            replica: &connection.replica,
            source: &*connection.source,
        };
        Ok(write_site(&site, &folder)?)
    })?;
    context.output.show(&written, |page| {
        let Written { files, changed, removed, packages, releases, unread, .. } = written;
        let shown = folder.display().to_string();
        page.line(format!(
            "{} of {} in `{}`: {}, {} changed, {removed} removed",
            count(packages, "package"),
            count(releases, "release"),
            harmless(&shown),
            count(files, "file"),
            changed
        ));
        if unread > 0 {
            page.line(format!(
                "Of {} the files could not be read: the pages say so",
                count(unread, "release")
            ));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
