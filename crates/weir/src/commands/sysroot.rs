//! `weir sysroot …`: built packages with all they need, in one folder.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use weir_kind::LinkTreeFiles;
use weir_native::Variant;

use crate::arguments::{ForPlatform, PackageAtRange};
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, count, short};

/// Lay built packages out for compilers
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    Create(CreateArguments),
}

/// Make a folder of headers and libraries: packages, and all that they need
///
/// `FOLDER/release` and `FOLDER/debug` are each a prefix as compilers take one: `CMAKE_PREFIX_PATH`,
/// `PKG_CONFIG_PATH`, `-I` and `-L` may point into it. Made again, it is replaced.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir sysroot create sysroot base/curl base/fmt@^9",
    "weir sysroot create sysroot base/curl --variant debug",
))]
pub(crate) struct CreateArguments {
    /// The folder
    folder: PathBuf,
    /// The packages
    #[arg(required = true, value_name = "PACKAGE")]
    packages: Vec<PackageAtRange>,
    /// Only this variant: release or debug; may be repeated
    #[arg(long, value_name = "VARIANT")]
    variant: Vec<Variant>,
    /// Make files of their own, which may be changed, instead of names for those of the store
    #[arg(long)]
    copy: bool,
    #[command(flatten)]
    platform: ForPlatform,
}

pub(crate) fn run(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Create(arguments) => create(context, arguments),
    }
}

fn create(context: &Context, arguments: CreateArguments) -> Result<ExitCode, Failure> {
    let session = context.session_for(arguments.platform.platform.as_ref())?;
    let project = context.project_if_any()?;
    let folder = context.path(&arguments.folder)?;
    let wanted: Vec<_> =
        arguments.packages.into_iter().map(|package| (package.name, package.range)).collect();
    let mut variants = arguments.variant;
    if variants.is_empty() {
        variants = Variant::ALL.to_vec();
    }
    variants.sort_unstable();
    variants.dedup();
    let files = if arguments.copy { LinkTreeFiles::Copied } else { LinkTreeFiles::Linked };
    let made = weir_repo::sysroot_create(&session, project.as_ref(), &folder, &wanted, &variants, files)?;
    context.output.show(&made, |page| {
        let packages = count(made.releases.len(), "package");
        page.line(format!("Made `{}` of {packages} for {}", made.folder.display(), made.platform));
        let rows = made.releases.iter().map(|id| vec![Cell::plain(format!("  {}", short(id)))]);
        page.table(&[], rows.collect());
        for (variant, files) in made.variants.iter().zip(&made.files) {
            page.line(format!("{}: {}", made.folder.join(variant.as_str()).display(), count(*files, "file")));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
