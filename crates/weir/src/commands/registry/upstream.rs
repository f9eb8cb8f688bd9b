//! `weir registry upstream …`: the registries above one.

use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use weir_model::record::{Only, Taken, UpstreamMode};
use weir_project::Project;
use weir_reach::{Upstreams, WhichRegistry};
use weir_wire::upstream::{UpstreamChange, UpstreamDocument, WantedUpstream};

use crate::context::Context;
use crate::failure::{Exit, Failure, ending};
use crate::help::examples;
use crate::output::{Cell, Page, count, harmless};

/// Name the registries above one, from which releases come down
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    Add(AddArguments),
    #[command(visible_alias = "ls")]
    List(ListArguments),
    Show(ShowArguments),
    #[command(visible_alias = "rm")]
    Remove(RemoveArguments),
    Follow(FollowArguments),
}

/// Name a registry above one, or give it another address, key or mode
///
/// It is reached, and its key is believed from now on; the log of the registry below says which key that is. What proves who asks there
/// is each machine's own, and never in the registry. Two registries cannot be above each other.
///
/// With `--only`, nothing but these packages may come from it: not even what they need, unless that is here or comes from another
/// registry above. What is taken is in the log, too, and is told to whoever misses something. What was admitted stays.
///
/// The package site of Elm is none of Weir's, and is named with `elm+` before its address; nor are repositories of git, with `git+`: their tags
/// are releases. What is needed of such a one is written down beside the registry, in a transcript that this machine signs.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir registry upstream add https://weir.example/public",
    "weir registry upstream add https://weir.example/public --mode mirror --registry team",
    "weir registry upstream add ../public --key public+1c2d3e4f+AbC…",
    "weir registry upstream add elm+https://package.elm-lang.org",
    "weir registry upstream add elm+https://package.elm-lang.org --only 'elm/*' --only rtfeldman/elm-css",
    "weir registry upstream add git+https://git.example/acme/str",
    "weir registry upstream add 'git+https://git.example/acme/*'   all repositories of an owner",
))]
pub(crate) struct AddArguments {
    /// The registry above: a folder, an address, or a name that is known here
    #[arg(value_name = "FOLDER-OR-ADDRESS")]
    above: String,
    /// What of it is admitted: `on-demand`, what is asked for; `mirror`, all that policy allows
    #[arg(long, value_name = "MODE", default_value = "on-demand", value_parser = mode())]
    mode: UpstreamMode,
    /// Take nothing of it but the packages of an owner, `owner/*`, or one package; may be repeated
    #[arg(long, value_name = "OWNER/NAME")]
    only: Vec<Taken>,
    /// The key that must sign for it; trusted on first use where nothing is said
    #[arg(long)]
    key: Option<String>,
    /// Put it before the upstreams that are there, and not after them
    #[arg(long)]
    first: bool,
}

pub(super) fn mode() -> impl TypedValueParser<Value = UpstreamMode> {
    let modes = [UpstreamMode::OnDemand, UpstreamMode::Mirror];
    PossibleValuesParser::new(modes.map(UpstreamMode::as_str)).try_map(|word| word.parse())
}

/// List the registries above one, the nearest first
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry upstream list", "weir registry upstream list --registry team"))]
pub(crate) struct ListArguments {}

/// Show a registry above one: how far it was admitted, and how it stands
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry upstream show public"))]
pub(crate) struct ShowArguments {
    /// Its name
    name: String,
}

/// Take nothing more from a registry above
///
/// What was admitted from it stays.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry upstream remove public"))]
pub(crate) struct RemoveArguments {
    /// Its name
    name: String,
}

/// Follow the registries above one: what is mirrored is admitted, as far as policy allows
///
/// Also without it, each is followed whenever somebody asks for something. Run it from time to time where something is mirrored.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry upstream follow", "weir registry upstream follow --content"))]
pub(crate) struct FollowArguments {
    /// Also bring the content of what was admitted, which is otherwise brought when it is first needed
    #[arg(long)]
    content: bool,
}

pub(crate) fn run(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Add(arguments) => add(context, arguments),
        Command::List(_) => list(context),
        Command::Show(arguments) => show(context, &arguments),
        Command::Remove(arguments) => remove(context, arguments),
        Command::Follow(arguments) => follow(context, &arguments),
    }
}

/// Does something with the registry that is meant.
pub(super) fn with_registry<T>(
    context: &Context,
    work: impl FnOnce(&weir_reach::Session, WhichRegistry<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let folder = context.folder()?;
    let registries = project.as_ref().map(Project::registries);
    work(&session, WhichRegistry { project: registries, named: None, folder: &folder })
}

fn add(context: &Context, arguments: AddArguments) -> Result<ExitCode, Failure> {
    let changed = with_registry(context, |session, which| {
        let known = weir_reach::registries(session, which.project)?;
        let named = known.iter().find(|known| known.name == arguments.above);
        let wanted = WantedUpstream {
            address: named.map_or(arguments.above, |known| known.location.clone()),
            key: arguments.key.or_else(|| named?.key.clone()),
            mode: arguments.mode,
            only: Only::of(arguments.only),
            first: arguments.first,
        };
        Ok(weir_reach::upstream_change(session, which, &UpstreamChange::Add(wanted))?)
    })?;
    show_list(context, &changed, true)
}

fn list(context: &Context) -> Result<ExitCode, Failure> {
    let upstreams = with_registry(context, |session, which| Ok(weir_reach::upstreams(session, which)?))?;
    show_list(context, &upstreams, false)
}

fn show_list(context: &Context, upstreams: &Upstreams, changed: bool) -> Result<ExitCode, Failure> {
    let write = |page: &mut Page| {
        if upstreams.upstreams.is_empty() {
            page.line(format!("Nothing is above the registry `{}`", harmless(&upstreams.registry)));
            return;
        }
        page.line(format!("Above the registry `{}`, the nearest first:", harmless(&upstreams.registry)));
        let (faint, name) = (page.palette.faint, page.palette.name);
        let row = |above: &UpstreamDocument| {
            vec![
                Cell::new(&above.name, name),
                Cell::plain(match above.only.is_all() {
                    true => above.mode.to_string(),
                    false => format!("{}, only {}", above.mode, above.only),
                }),
                Cell::new(above.address.as_deref().unwrap_or("where it is, its keeper knows"), faint),
            ]
        };
        page.table(&[], upstreams.upstreams.iter().map(row).collect());
    };
    match changed {
        true => context.output.show(upstreams, write)?,
        false => context.output.answer(upstreams, write)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn show(context: &Context, arguments: &ShowArguments) -> Result<ExitCode, Failure> {
    let shown = with_registry(context, |session, which| {
        Ok(weir_reach::upstream_show(session, which, &arguments.name)?)
    })?;
    context.output.answer(&shown, |page| {
        page.heading(&shown.upstream.name);
        let mode = shown.upstream.mode;
        let mut facts = vec![
            ("above", shown.registry.clone()),
            ("at", shown.upstream.address.clone().unwrap_or_default()),
            ("mode", format!("{mode}: {}", mode.told())),
            ("key", shown.upstream.key.clone()),
        ];
        if !shown.upstream.only.is_all() {
            facts.push(("only", shown.upstream.only.to_string()));
        }
        facts.extend(shown.trust.clone().map(|trust| ("trust", trust)));
        facts.extend(shown.records.map(|records| ("records", records.to_string())));
        facts.extend(shown.stats.as_ref().map(|stats| ("packages", stats.packages.to_string())));
        facts.push((
            "admitted",
            shown.admitted_to.as_ref().map_or_else(
                || "nothing yet".to_owned(),
                |cursor| format!("up to {}, at {}", count(cursor.size, "record"), cursor.mark.at),
            ),
        ));
        if !shown.above.is_empty() {
            facts.push(("upstreams", shown.above.join(", ")));
        }
        page.facts(&facts);
        if let Some(why) = &shown.unreached {
            let bad = page.palette.bad;
            page.line(format!("{bad}not reached{bad:#}: {}", harmless(why)));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn follow(context: &Context, arguments: &FollowArguments) -> Result<ExitCode, Failure> {
    let followed = with_registry(context, |session, which| {
        Ok(weir_reach::upstream_follow(session, which, arguments.content)?)
    })?;
    context.output.show(&followed, |page| {
        let registry = harmless(&followed.registry);
        page.line(format!(
            "The registry `{registry}` admitted {}, and newly holds {}",
            count(followed.answer.admitted, "release"),
            followed.answer.held
        ));
        if followed.answer.let_go > 0 {
            let releases = count(followed.answer.let_go, "release");
            page.line(format!("Holds {releases} no longer"));
        }
        if followed.answer.withdrawn > 0 {
            let withdrawals = count(followed.answer.withdrawn, "withdrawal");
            page.line(format!("Followed {withdrawals}, as above"));
        }
        if arguments.content {
            page.line(format!("Brought {} of content", count(followed.brought, "object")));
        }
    })?;
    // Whatever else came, something of it was not what it must be.
    match followed.answer.unreached.iter().any(|one| one.unbelieved) {
        true => Ok(ending(Exit::Integrity)),
        false => Ok(ExitCode::SUCCESS),
    }
}

fn remove(context: &Context, arguments: RemoveArguments) -> Result<ExitCode, Failure> {
    let changed = with_registry(context, |session, which| {
        let remove = UpstreamChange::Remove { name: arguments.name };
        Ok(weir_reach::upstream_change(session, which, &remove)?)
    })?;
    show_list(context, &changed, true)
}
