//! `weir root …`: build roots, the systems that packages are built in.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use weir_build::{BuildRoot, SandboxKind};

use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, Page, count};

/// Make and look at the systems that packages are built in
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Show(ShowArguments),
}

/// Show what a build root is: its platform, its toolchain's digest, and what that consists of
///
/// Whatever was built with another toolchain is built again by `weir repo update --all`.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir root show               this machine", "weir root show roots/bookworm"))]
pub(crate) struct ShowArguments {
    /// The folder of an unpacked root file system; this machine where nothing is said
    folder: Option<PathBuf>,
    /// Show what builds without a sandbox see
    #[arg(long)]
    no_sandbox: bool,
}

pub(crate) fn run(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Show(arguments) => show(context, &arguments),
    }
}

fn show(context: &Context, arguments: &ShowArguments) -> Result<ExitCode, Failure> {
    let root = match &arguments.folder {
        Some(folder) => BuildRoot::open(&context.path(folder)?)?,
        None => BuildRoot::host()?,
    };
    let sandbox = if arguments.no_sandbox { SandboxKind::None } else { SandboxKind::Bubblewrap };
    let toolchain = root.toolchain(sandbox)?;
    let document: Value = serde_json::from_slice(&toolchain.document).unwrap_or_default();
    let shown = json!({
        "folder": root.folder(),
        "platform": root.platform(),
        "toolchain": toolchain.digest,
        "document": document,
    });
    context.output.answer(&shown, |page| {
        let place = root.folder().map_or("this machine".to_owned(), |folder| folder.display().to_string());
        page.heading(&place);
        page.facts(&[
            ("platform", root.platform().to_string()),
            ("toolchain", toolchain.digest.to_string()),
            ("sandbox", sandbox.as_str().to_owned()),
        ]);
        page.blank();
        show_contents(page, &document);
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What is known of a root: the packages of its tools, its content, or what its tools say of themselves.
fn show_contents(page: &mut Page, document: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if let Some(packages) = document["packages"].as_array() {
        page.line(format!("{} that a build sees:", count(packages.len(), "Debian package")));
        let row = |package: &Value| text(package).split(' ').map(Cell::plain).collect();
        page.table(&[], packages.iter().map(row).collect());
    } else if let Some(versions) = document["versions"].as_object() {
        page.line("What its tools say of themselves:");
        let row = |(tool, said): (&String, &Value)| {
            let first = text(said).lines().next().unwrap_or_default().to_owned();
            vec![Cell::plain(tool), Cell::plain(first)]
        };
        page.table(&[], versions.iter().map(row).collect());
    } else {
        page.line(format!("All of its files count: {}", text(&document["root"])));
    }
}
