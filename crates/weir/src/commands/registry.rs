//! `weir registry …`: registries, as this machine knows them and as their keepers keep them.

mod adopt;
mod carry;
mod collecting;
mod compact;
mod deltas;
mod held;
mod keys;
mod making;
mod naming;
mod retention;
mod showing;
mod site;
mod upstream;
mod verifying;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use weir_project::Project;

use crate::context::Context;
use crate::failure::Failure;
use crate::question;

pub(super) use verifying::show_audit;

/// Make, name, look at and keep registries
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    Init(making::InitArguments),
    Create(making::CreateArguments),
    #[command(visible_alias = "ls")]
    List(naming::ListArguments),
    Add(naming::AddArguments),
    #[command(visible_alias = "rm")]
    Remove(naming::RemoveArguments),
    Show(showing::WhichArguments),
    Capabilities(showing::CapabilitiesArguments),
    Verify(verifying::VerifyArguments),
    Gc(collecting::GcArguments),
    Deltas(deltas::DeltasArguments),
    Compact(compact::CompactArguments),
    Renew(keys::RenewArguments),
    RotateKey(keys::RotateKeyArguments),
    Bind(keys::BindArguments),
    #[command(subcommand)]
    Upstream(upstream::Command),
    Held(held::Arguments),
    Adopt(adopt::Arguments),
    #[command(subcommand)]
    Retention(retention::Command),
    Site(site::Arguments),
    Export(carry::ExportArguments),
    Import(carry::ImportArguments),
}

pub(crate) fn run(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Init(arguments) => making::init(context, arguments),
        Command::Create(arguments) => making::create(context, arguments),
        Command::List(_) => naming::list(context),
        Command::Add(arguments) => naming::add(context, arguments),
        Command::Remove(arguments) => naming::remove(context, &arguments),
        Command::Show(arguments) => showing::show(context, &arguments),
        Command::Capabilities(arguments) => showing::capabilities(context, &arguments),
        Command::Verify(arguments) => verifying::verify(context, &arguments),
        Command::Gc(arguments) => collecting::gc(context, &arguments),
        Command::Deltas(arguments) => deltas::run(context, &arguments),
        Command::Compact(arguments) => compact::run(context, &arguments),
        Command::Renew(arguments) => keys::renew(context, &arguments),
        Command::RotateKey(arguments) => keys::rotate_key(context, &arguments),
        Command::Bind(arguments) => keys::bind(context, &arguments),
        Command::Upstream(command) => upstream::run(context, command),
        Command::Held(_) => held::run(context),
        Command::Adopt(arguments) => adopt::run(context, arguments),
        Command::Retention(command) => retention::run(context, command),
        Command::Site(arguments) => site::run(context, &arguments),
        Command::Export(arguments) => carry::export(context, arguments),
        Command::Import(arguments) => carry::import(context, &arguments),
    }
}

/// Which registry.
#[derive(Debug, Args)]
struct Which {
    /// A name, a folder or an address; the default registry where nothing is said
    #[arg(value_name = "REGISTRY")]
    which: Option<String>,
}

/// A name that another registry has is given to this one only if a person agrees.
fn must_be_free(context: &Context, name: &str, address: &str, yes: bool) -> Result<(), Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let known = weir_reach::registries(&session, project.as_ref().map(Project::registries))?;
    let place = weir_reach::location(address, &context.folder()?);
    let Some(other) = known.iter().find(|known| known.name == name && known.location != place) else {
        return Ok(());
    };
    let question = format!(
        "`{name}` is the registry `{}`, in `{}`. Give the name to `{place}`?",
        other.location, other.from
    );
    question::must_agree(&context.output, yes, &question)
}
