//! `weir add`: add dependencies to `weir.toml`, and install them.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::{Args, ValueHint};
use weir_model::Scope;
use weir_model::manifest::{GitTag, Source};
use weir_project::{Addition, PassedOver, Project};
use weir_reach::Session;

use super::install;
use crate::arguments::{Installing, PackageAtRange, Whose, manifest_lines};
use crate::complete;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;

/// Add dependencies to `weir.toml`, and install them
///
/// Without a range, the newest version that fits is taken and `^` of it written. Comments and
/// order of `weir.toml` stay.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir add acme/str",
    "weir add acme/str@^1.4 acme/term@=0.6.3",
    "weir add --dev acme/check",
    "weir add acme/str --path ../str",
    "weir add acme/str --git https://git.example/str.git --tag v1.4.2",
    "weir add --reference corpus https://data.example/corpus.tar.zst --unpack",
))]
pub(crate) struct Arguments {
    /// Packages, `owner/name` or `owner/name@RANGE`; with `--reference`, the address of the data
    #[arg(required = true, value_name = "PACKAGE", add = complete::known_packages())]
    what: Vec<String>,
    /// Needed only to work on this package
    #[arg(long, conflicts_with = "build")]
    dev: bool,
    /// Needed only to build this package
    #[arg(long)]
    build: bool,
    /// May move within its range without a new release of this package
    #[arg(long)]
    fluid: bool,
    /// From a folder, instead of a registry
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, conflicts_with = "git")]
    path: Option<String>,
    /// From a git repository, instead of a registry
    #[arg(long, value_name = "URL", requires = "tag")]
    git: Option<String>,
    /// The tag of the git repository
    #[arg(long, requires = "git")]
    tag: Option<String>,
    /// What the manifest of the tag is to say, over its own, or where it has none over what is guessed: a line of TOML such as
    /// `bash.source = ["z.sh"]`; may be repeated
    #[arg(long, value_name = "FIELD = VALUE", requires = "git")]
    set: Vec<String>,
    /// Not a package but an external file, under this name
    #[arg(long, value_name = "NAME", conflicts_with_all = ["dev", "build", "path", "git"])]
    reference: Option<String>,
    /// The data is an archive to be unpacked
    #[arg(long, requires = "reference")]
    unpack: bool,
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    installing: Installing,
}

pub(crate) fn run(context: &Context, arguments: Arguments) -> Result<ExitCode, Failure> {
    let mut session = context.session_for(arguments.installing.platform.platform.as_ref())?;
    let options = install::options(&arguments.installing, false);
    session.looks_only = options.dry_run;
    let dry_run = options.dry_run;
    let whose = arguments.whose;
    let mut additions = additions(arguments)?;
    let mut project = if whose.global { install::own_packages(&session)? } else { context.project()? };
    if let Some(named) =
        context.named_registry().map(|named| name_to_write(&session, &project, named)).transpose()?.flatten()
    {
        come_from(&mut additions, &named);
        // That is said of what is added. All else comes from where it comes from without it.
        session.registry = None;
    }
    let report = weir_project::add(&session, &mut project, &additions, &options)?;
    context.output.act(dry_run, &report, |page| {
        let verb = if dry_run { "Would add" } else { "Added" };
        for added in &report.added {
            page.line(format!("{verb} {added}"));
        }
        for PassedOver { name, newest, .. } in &report.passed_over {
            page.line(format!(
                "`{name}` {newest} is newer and does not go with the rest: `weir add {name}@{newest}` tells why"
            ));
        }
        install::show(page, &report.install);
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The name under which a registry is written down that `--registry` names, by its name or where it is. Nothing if
/// nobody knows it by a name, or it is the user's only one: then there is nothing to tell apart.
fn name_to_write(session: &Session, project: &Project, named: &str) -> Result<Option<String>, Failure> {
    let known = weir_reach::registries(session, Some(project.registries()))?;
    let Some(meant) = known.iter().find(|known| known.name == named || known.location == named) else {
        return Ok(None);
    };
    let is_written = project.manifest.registries.contains_key(&meant.name) || known.len() > 1;
    Ok(is_written.then(|| meant.name.clone()))
}

/// A registry that `--registry` names is written down as the one the packages come from.
fn come_from(additions: &mut [Addition], named: &str) {
    for addition in additions {
        if let Addition::Package { registry, .. } = addition {
            *registry = Some(named.to_owned());
        }
    }
}

fn additions(arguments: Arguments) -> Result<Vec<Addition>, Failure> {
    if let Some(name) = arguments.reference {
        let [url] = arguments.what.as_slice() else {
            return Err(Failure::usage("a reference has one address").with_help(format!(
                "as in `weir add --reference {name} https://data.example/data.tar.zst`"
            )));
        };
        let (unpack, fluid) = (arguments.unpack, arguments.fluid);
        return Ok(vec![Addition::Reference { name, url: url.clone(), unpack, fluid }]);
    }
    let scope = match (arguments.dev, arguments.build) {
        (true, _) => Scope::Dev,
        (_, true) => Scope::Build,
        _ => Scope::Run,
    };
    let manifest = manifest_lines(&arguments.set)?;
    let source = match (arguments.path, arguments.git, arguments.tag) {
        (Some(path), _, _) => Source::Path(path),
        (None, Some(url), Some(tag)) => Source::Git { tag: GitTag { url, tag }, manifest },
        _ => Source::Registry,
    };
    if source != Source::Registry && arguments.what.len() > 1 {
        return Err(Failure::usage("`--path` and `--git` name where one package comes from"));
    }
    let addition = |text: &String| {
        let package: PackageAtRange = text.parse().map_err(Failure::usage)?;
        Ok(Addition::Package {
            name: package.name,
            range: package.range,
            scope,
            fluid: arguments.fluid,
            registry: None,
            source: source.clone(),
        })
    };
    let additions: Vec<Addition> = arguments.what.iter().map(addition).collect::<Result<_, Failure>>()?;
    let names = additions.iter().filter_map(|addition| match addition {
        Addition::Package { name, .. } => Some(name),
        Addition::Reference { .. } => None,
    });
    let mut seen = BTreeSet::new();
    match names.into_iter().find(|name| !seen.insert(*name)) {
        Some(twice) => Err(Failure::usage(format!("`{twice}` is to be added twice"))
            .with_help(format!("name it once, with a range: `weir add '{twice}@>=1, <3'`"))),
        None => Ok(additions),
    }
}
