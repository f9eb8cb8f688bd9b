//! `weir root …`: build roots, the systems that packages are built in.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;
use weir_build::{BuildRoot, SandboxKind};

use crate::context::Context;
use crate::documents::building::{MadeRoot, ShownRoot};
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, Page, count};

/// Make and look at the systems that packages are built in
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(CreateArguments),
    Show(ShowArguments),
}

/// Make a build root: a system of its own, in a folder
///
/// With debootstrap from the packages of a Debian or Ubuntu release, with compilers and build tools, which needs the
/// network and the rights of root; or from the layers of an OCI image, which needs neither.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir root create roots/bookworm --debootstrap bookworm --packages flex,bison",
    "weir root create roots/gcc --oci gcc-13.tar        as `skopeo copy docker://gcc:13 oci-archive:gcc-13.tar` makes it",
))]
#[command(group = clap::ArgGroup::new("from").required(true).args(["debootstrap", "oci"]))]
pub(crate) struct CreateArguments {
    /// The folder to make
    folder: PathBuf,
    /// From the packages of this suite, such as `bookworm`
    #[arg(long, value_name = "SUITE")]
    debootstrap: Option<String>,
    /// More packages of the suite
    #[arg(long, value_name = "PACKAGES", value_delimiter = ',', requires = "debootstrap")]
    packages: Vec<String>,
    /// Where the suite's packages are, instead of where debootstrap looks
    #[arg(long, value_name = "ADDRESS", requires = "debootstrap")]
    mirror: Option<String>,
    /// From this image: an OCI layout, as a folder or a .tar, or what `docker save` writes
    #[arg(long, value_name = "IMAGE")]
    oci: Option<PathBuf>,
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
        Command::Create(arguments) => create(context, &arguments),
        Command::Show(arguments) => show(context, &arguments),
    }
}

fn create(context: &Context, arguments: &CreateArguments) -> Result<ExitCode, Failure> {
    let folder = context.path(&arguments.folder)?;
    if let Some(parent) = folder.parent() {
        fs_err::create_dir_all(parent)?;
    }
    if let Some(suite) = &arguments.debootstrap {
        let packages: Vec<&str> = arguments.packages.iter().map(String::as_str).collect();
        weir_build::debootstrap(suite, &folder, &packages, arguments.mirror.as_deref())?;
    } else if let Some(layout) = &arguments.oci {
        weir_build::oci::unpack(&context.path(layout)?, &folder)?;
    }
    let root = BuildRoot::open(&folder)?;
    let toolchain = root.toolchain(SandboxKind::Bubblewrap, &[])?;
    let made = MadeRoot { folder, platform: root.platform().clone(), toolchain: toolchain.digest };
    context.output.show(&made, |page| {
        let good = page.palette.good;
        page.line(format!("{good}Made{good:#} `{}` for {}", made.folder.display(), made.platform));
        page.line(format!("To build in it: `--root {}`", arguments.folder.display()));
    })?;
    Ok(ExitCode::SUCCESS)
}

fn show(context: &Context, arguments: &ShowArguments) -> Result<ExitCode, Failure> {
    let root = match &arguments.folder {
        Some(folder) => BuildRoot::open(&context.path(folder)?)?,
        None => BuildRoot::host()?,
    };
    let sandbox = if arguments.no_sandbox { SandboxKind::None } else { SandboxKind::Bubblewrap };
    let toolchain = root.toolchain(sandbox, &[])?;
    let shown = ShownRoot {
        folder: root.folder().map(ToOwned::to_owned),
        platform: root.platform().clone(),
        toolchain: toolchain.digest,
        document: serde_json::from_slice(&toolchain.document).unwrap_or_default(),
    };
    context.output.answer(&shown, |page| {
        let place = root.folder().map_or("this machine".to_owned(), |folder| folder.display().to_string());
        page.heading(&place);
        page.facts(&[
            ("platform", root.platform().to_string()),
            ("toolchain", toolchain.digest.to_string()),
            ("sandbox", sandbox.as_str().to_owned()),
        ]);
        page.blank();
        show_contents(page, &shown.document);
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
