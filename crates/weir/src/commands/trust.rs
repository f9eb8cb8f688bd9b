//! `weir trust …`: programs that need no secret, since their provider says who they are.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use weir_policy::{Named, TokenScope, Verb};
use weir_wire::trust::{NewTrust, Trust};

use super::login::reach;
use super::policy::claims;
use super::token::{ServerOption, scope};
use crate::context::Context;
use crate::documents::server::{TrustedPrograms, UntrustedProgram};
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, count, harmless};

/// Say which programs may publish without a secret of their own
///
/// A job of a build server has an identity token, by which its provider says which repository, branch and so on it is of. Whoever trusts
/// such a program lends it what they may do themselves, for the packages and the registry that they name.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    Add(AddArguments),
    #[command(visible_alias = "ls")]
    List(ListArguments),
    Remove(RemoveArguments),
}

pub(crate) fn run(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Add(arguments) => add(context, arguments),
        Command::List(arguments) => list(context, &arguments),
        Command::Remove(arguments) => remove(context, &arguments),
    }
}

/// Trust a program
///
/// The job gets an identity token that is meant for the server (its address is the audience), and gives it to `weir` in the variable
/// `WEIR_IDENTITY_TOKEN`, or in a file that `WEIR_IDENTITY_TOKEN_FILE` names. What it does is done by it, on your behalf.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir trust add --issuer https://token.actions.githubusercontent.com --claim repository=acme/greet --claim environment=release --for acme/greet --to team",
    "weir trust add --issuer https://gitlab.com --claim project_path=acme/greet --claim 'ref=v*' --for acme --to team",
))]
pub(crate) struct AddArguments {
    /// The identity provider, as its tokens name it
    #[arg(long, value_name = "ADDRESS")]
    issuer: String,
    /// What the provider must say of the program; a value that ends in `*` need only begin so
    #[arg(long = "claim", value_name = "NAME=VALUE", required = true)]
    claims: Vec<String>,
    /// It may change this owner's packages, or this package
    #[arg(long = "for", value_name = "OWNER[/PACKAGE]", required = true)]
    names: Vec<Named>,
    /// The registry of the server that it may speak to
    #[arg(long = "to", value_name = "NAME")]
    within: String,
    /// It may do this, and what it takes
    #[arg(long = "action", value_name = "ACTION", default_value = "publish")]
    actions: Vec<Verb>,
    /// A token that it gets is good for so many minutes, at most 60
    #[arg(long, value_name = "MINUTES", default_value_t = 15)]
    minutes: u32,
    #[command(flatten)]
    server: ServerOption,
}

/// List the programs that you trust; an administrator sees those of everybody
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    server: ServerOption,
}

/// Trust a program no longer
#[derive(Debug, Args)]
#[command(after_help = examples!("weir trust remove 01kb6q3v8m9y5r2n7t4w0x1z3c"))]
pub(crate) struct RemoveArguments {
    /// The rule, by the id that `weir trust list` shows
    id: String,
    #[command(flatten)]
    server: ServerOption,
}

fn add(context: &Context, arguments: AddArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, arguments.server.server.as_deref())?;
    let new = NewTrust {
        issuer: arguments.issuer,
        claims: claims(&arguments.claims)?,
        registry: arguments.within,
        scope: TokenScope { verbs: arguments.actions.into_iter().collect(), names: arguments.names },
        minutes: arguments.minutes,
    };
    let added = reached.server.add_trust(&new)?;
    context.output.answer(&added, |page| {
        page.line(format!("`{}` trusts, by the rule `{}`:", added.by, added.id));
        page.facts(&[
            ("issuer", harmless(&added.issuer).into_owned()),
            ("claims", told_claims(&added)),
            ("may", format!("{} to {}", scope(&added.scope), harmless(&added.registry))),
            ("audience", harmless(&reached.known_as.clone().unwrap_or_else(|| reached.place())).into_owned()),
        ]);
    })?;
    Ok(ExitCode::SUCCESS)
}

fn list(context: &Context, arguments: &ListArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, arguments.server.server.as_deref())?;
    let trusted = TrustedPrograms { trusted: reached.server.trusts()? };
    context.output.answer(&trusted, |page| {
        if trusted.trusted.is_empty() {
            page.line("No program is trusted");
            return;
        }
        let rows = trusted.trusted.iter().map(|trust| {
            let used = trust.used.map_or("never".to_owned(), |at| at.strftime("%Y-%m-%d").to_string());
            let may = format!("{} to {}", scope(&trust.scope), harmless(&trust.registry));
            let texts = [
                trust.id.clone(),
                trust.by.to_string(),
                harmless(&trust.issuer).into_owned(),
                told_claims(trust),
                may,
                used,
            ];
            texts.into_iter().map(Cell::plain).collect()
        });
        page.table(&["rule", "by", "issuer", "claims", "may", "last used"], rows.collect());
        page.line(count(trusted.trusted.len(), "rule"));
    })?;
    Ok(ExitCode::SUCCESS)
}

fn told_claims(trust: &Trust) -> String {
    let pairs: Vec<String> = trust.claims.iter().map(|(claim, value)| format!("{claim}={value}")).collect();
    harmless(&pairs.join(" ")).into_owned()
}

fn remove(context: &Context, arguments: &RemoveArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, arguments.server.server.as_deref())?;
    reached.server.remove_trust(&arguments.id)?;
    let removed = UntrustedProgram { rule: arguments.id.clone(), server: reached.place() };
    context.output.show(&removed, |page| {
        page.line(format!("No program is trusted by the rule `{}` any longer", harmless(&removed.rule)));
    })?;
    Ok(ExitCode::SUCCESS)
}
