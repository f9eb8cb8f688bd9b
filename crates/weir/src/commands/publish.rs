//! `weir publish`: offer releases in a registry.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use weir_model::PackageName;
use weir_model::manifest::GitTag;
use weir_project::{GitPublication, PublishOptions};

use super::receipt;
use crate::arguments::{DryRun, manifest_lines};
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;

/// Publish packages, all of them together or none
///
/// Content is uploaded first. Then the registry checks that what each package needs is there, fixes
/// the dependencies that are not fluid to what it offers now, and shows everything under one new
/// checkpoint. Repeating it is harmless.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir publish",
    "weir publish --dry-run",
    "weir publish str term greet     three packages that need each other",
    "weir publish --from-git https://git.example/acme/str#v1.4.2",
))]
pub(crate) struct Arguments {
    /// The packages' folders; the project's own where nothing is said
    #[arg(value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// Also have the registry hold the data that references name
    #[arg(long)]
    with_references: bool,
    /// Publish files that are probably secrets, such as `.env` or a private key, all the same
    #[arg(long)]
    allow_secrets: bool,
    /// Publish what a tag of a git repository names, and first what that needs from other tags; may be repeated
    ///
    /// The manifest may be a weir.toml, basalt.toml, bpkg.json, package.json or package.sh; where there is none, what is offered is
    /// guessed by the names of files, and told. The commit is kept in the record;
    /// a tag that has moved since is refused.
    #[arg(long, value_name = "ADDRESS#TAG", value_parser = git_tag, conflicts_with = "folders")]
    from_git: Vec<GitTag>,
    /// The name of the package that the tag names, where its address does not end in `owner/name`
    #[arg(long, value_name = "OWNER/NAME", requires = "from_git")]
    name: Option<PackageName>,
    /// What the manifest of the tag is to say, over its own, or where it has none over what is guessed: a line of TOML such as
    /// `bash.source = ["z.sh"]`; may be repeated
    #[arg(long, value_name = "FIELD = VALUE", requires = "from_git")]
    set: Vec<String>,
    /// An owner of repositories that was renamed; may be repeated
    #[arg(long, value_name = "OLD=NEW", value_parser = old_and_new, requires = "from_git")]
    alias: Vec<(String, String)>,
    /// A dependency not to bring; may be repeated
    #[arg(long, value_name = "OWNER/NAME", requires = "from_git")]
    skip: Vec<PackageName>,
    #[command(flatten)]
    dry_run: DryRun,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let options = PublishOptions {
        dry_run: arguments.dry_run.dry_run,
        with_references: arguments.with_references,
        allow_secrets: arguments.allow_secrets,
    };
    if !arguments.from_git.is_empty() {
        let wanted = GitPublication {
            tags: arguments.from_git.clone(),
            name: arguments.name.clone(),
            manifest: manifest_lines(&arguments.set)?,
            aliases: arguments.alias.iter().cloned().collect(),
            skip: arguments.skip.iter().cloned().collect(),
            base: context.folder()?,
        };
        let project = context.project_if_any()?;
        let report = weir_project::publish_from_git(&session, project.as_ref(), &wanted, &options)?;
        context.output.act(options.dry_run, &report, |page| receipt::show_publication(page, &report))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut folders = Vec::new();
    for folder in &arguments.folders {
        folders.push(context.package_folder(folder)?);
    }
    if folders.is_empty() {
        folders.push(context.project()?.folder);
    }
    let report = weir_project::publish(&session, &folders, &options, &context.programs(&session)?)?;
    context.output.act(options.dry_run, &report, |page| receipt::show_publication(page, &report))?;
    Ok(ExitCode::SUCCESS)
}

fn git_tag(text: &str) -> Result<GitTag, String> {
    match text.rsplit_once('#') {
        Some((url, tag)) if !url.is_empty() && !tag.is_empty() => {
            Ok(GitTag { url: url.to_owned(), tag: tag.to_owned() })
        }
        _ => Err("expected `ADDRESS#TAG`, as in `https://git.example/acme/str#v1.4.2`".into()),
    }
}

fn old_and_new(text: &str) -> Result<(String, String), String> {
    let (old, new) = text.split_once('=').ok_or("expected `OLD=NEW`, as in `ann=acme`")?;
    Ok((old.to_owned(), new.to_owned()))
}
