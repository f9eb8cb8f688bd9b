//! `weir registry init` and `create`: new registries, in a folder and on a server.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use weir_log::Origin;
use weir_model::KindName;
use weir_model::manifest::RegistryAddress;
use weir_registry::NewRegistry;
use weir_wire::people::WantedRegistry;

use super::must_be_free;
use crate::arguments::handled_kind;
use crate::commands::login::reach;
use crate::commands::token::ServerOption;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::harmless;

/// Make a registry in a folder
///
/// The folder is all there is to it: any web server can serve it for reading. The key that signs for
/// it is made and kept in this machine's home; only who has it can publish.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir registry init /srv/registry --name org --default",
    "weir registry init registry --name org --closed",
))]
pub(crate) struct InitArguments {
    /// The folder; empty, or not there yet
    folder: PathBuf,
    /// Its name, by which manifests and checkpoints mean it; the folder's where nothing is said
    #[arg(long)]
    name: Option<String>,
    /// Promise never to show a release whose dependency is missing
    #[arg(long)]
    closed: bool,
    /// Take only packages of this kind; may be repeated. All kinds where nothing is said
    #[arg(long = "kind", value_name = "KIND", value_parser = handled_kind())]
    kinds: Vec<KindName>,
    /// Have checkpoints expire after this many days, so that a mirror that stands still shows
    #[arg(long, value_name = "DAYS")]
    expires: Option<u32>,
    /// Also make it the one that this user's projects use where they name none
    #[arg(long)]
    default: bool,
    /// Go on without asking where another registry has the name
    #[arg(long, short)]
    yes: bool,
}

/// Make a registry on a server: for its administrators
///
/// The key that signs for it is made and kept by the server.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir registry create team --server https://weir.example",
    "weir registry create internal --closed --kind native",
    "weir registry create public --policy open",
))]
pub(crate) struct CreateArguments {
    /// Its name: the part of its address, and the name that manifests and checkpoints mean it by
    name: String,
    /// Promise never to show a release whose dependency is missing
    #[arg(long)]
    closed: bool,
    /// Take only packages of this kind; may be repeated. All kinds where nothing is said
    #[arg(long = "kind", value_name = "KIND", value_parser = handled_kind())]
    kinds: Vec<KindName>,
    /// Have checkpoints expire after this many days, so that a mirror that stands still shows
    #[arg(long, value_name = "DAYS")]
    expires: Option<u32>,
    /// The built-in policy set that it goes by at first: `team`, `closed`, `open`, `curated` or `folder`
    #[arg(long, value_name = "SET", default_value = "team")]
    policy: String,
    #[command(flatten)]
    server: ServerOption,
}

pub(super) fn init(context: &Context, arguments: InitArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let folder = context.path(&arguments.folder)?;
    let name = match arguments.name {
        Some(name) => name,
        None => folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
    };
    let new = NewRegistry {
        name: Origin::new(&name).map_err(|error| Failure::usage(error.to_string()))?,
        closed: arguments.closed,
        kinds: arguments.kinds,
        validity: arguments.expires.map(|days| 24 * 3600 * u64::from(days)),
    };
    must_be_free(context, &name, &folder.display().to_string(), arguments.yes)?;
    let made = weir_reach::registry_init(&session, &folder, &new)?;
    if arguments.default {
        let address = RegistryAddress { url: folder.display().to_string(), key: None, default: true };
        weir_project::registry_add(&session, None, &name, &address, &folder)?;
    }
    context.output.show(&made, |page| {
        let good = page.palette.good;
        page.line(format!("{good}Made{good:#} the registry `{name}` in `{}`", folder.display()));
        page.line(format!("Its key is in `{}`: who has it can publish; keep a copy", made.key.display()));
        if arguments.default {
            page.line("It is the default registry of this user's projects now");
        } else {
            page.line(format!("To use it: `weir registry add {name} {} --default`", folder.display()));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn create(context: &Context, arguments: CreateArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, arguments.server.server.as_deref())?;
    let wanted = WantedRegistry {
        name: arguments.name,
        closed: arguments.closed,
        kinds: arguments.kinds,
        validity: arguments.expires.map(|days| u64::from(days) * 24 * 60 * 60),
        policy: Some(arguments.policy),
    };
    let descriptor = reached.server.create_registry(&wanted)?;
    context.output.show(&descriptor, |page| {
        page.line(format!("Made the registry `{0}` at {1}/{0}", wanted.name, reached.place()));
        for key in &descriptor.keys {
            page.line(format!("  signed by {}", harmless(key)));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
