//! `weir token …`: what speaks for you where no person is asked.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use ipnet::IpNet;
use jiff::Timestamp;
use weir_policy::{Named, TokenScope, Verb};
use weir_wire::people::{NewToken, Token, TokenEnd, USUAL_TOKEN_DAYS};

use super::login::reach;
use crate::context::Context;
use crate::documents::server::{RevokedToken, Tokens};
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, count, harmless};

/// Make, list and revoke tokens, by which programs act for you
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    Create(CreateArguments),
    #[command(visible_alias = "ls")]
    List(ListArguments),
    Revoke(RevokeArguments),
}

pub(crate) fn run(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Create(arguments) => create(context, arguments),
        Command::List(arguments) => list(context, &arguments),
        Command::Revoke(arguments) => revoke(context, &arguments),
    }
}

/// Make a token
///
/// It is shown once: keep it where the program that uses it finds it. It may do what you may, or less; it can make no other tokens.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir token create ci --action publish --for acme --expires 90",
    "weir token create mirror --action read --from 10.0.0.0/8",
))]
pub(crate) struct CreateArguments {
    /// What you call it
    name: String,
    /// It may only do this: read, upload, publish, yank, quarantine, remove, claim, collect, describe
    #[arg(long = "action", value_name = "ACTION")]
    actions: Vec<Verb>,
    /// It may only change this owner's packages, or this package
    #[arg(long = "for", value_name = "OWNER[/PACKAGE]")]
    names: Vec<Named>,
    /// It may only speak to this registry of the server
    #[arg(long = "to", value_name = "NAME")]
    registries: Vec<String>,
    /// It may only be used from this network
    #[arg(long = "from", value_name = "NETWORK")]
    networks: Vec<IpNet>,
    /// It is good for so many days; 0 is for ever
    #[arg(long, value_name = "DAYS", default_value_t = USUAL_TOKEN_DAYS)]
    expires: u32,
    #[command(flatten)]
    server: ServerOption,
}

/// Which server is meant.
#[derive(Debug, Args)]
pub(crate) struct ServerOption {
    /// The server, or one of its registries by address or name; that of the default registry if nothing is said
    #[arg(long, value_name = "SERVER")]
    pub(crate) server: Option<String>,
}

/// List your tokens
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    server: ServerOption,
}

/// Have a token speak for nobody any longer
#[derive(Debug, Args)]
#[command(after_help = examples!("weir token revoke ci"))]
pub(crate) struct RevokeArguments {
    /// Its name, or its id
    which: String,
    #[command(flatten)]
    server: ServerOption,
}

fn create(context: &Context, arguments: CreateArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, arguments.server.server.as_deref())?;
    let expires = match arguments.expires {
        0 => TokenEnd::Never,
        days => TokenEnd::At(TokenEnd::days_after(session.now, days)),
    };
    let new = NewToken {
        name: arguments.name,
        scope: TokenScope { verbs: arguments.actions.into_iter().collect(), names: arguments.names },
        registries: arguments.registries.into_iter().collect::<BTreeSet<_>>(),
        networks: arguments.networks,
        expires,
    };
    let made = reached.server.create_token(&new)?;
    context.output.answer(&made, |page| {
        page.line(&made.secret);
    })?;
    context.output.note(&format!(
        "This is the token `{}`, and it is not shown again. A program finds it in the variable {}{}",
        harmless(&made.token.name),
        weir_reach::TOKEN_VARIABLE,
        weir_reach::variable_of(reached.address.origin())
    ));
    Ok(ExitCode::SUCCESS)
}

fn list(context: &Context, arguments: &ListArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, arguments.server.server.as_deref())?;
    let tokens = Tokens { tokens: reached.server.tokens()? };
    context.output.answer(&tokens, |page| {
        if tokens.tokens.is_empty() {
            page.line("No tokens");
            return;
        }
        let rows = tokens.tokens.iter().map(|token| {
            let day = |at: Option<Timestamp>, none: &str| {
                Cell::plain(at.map_or(none.to_owned(), |at| at.strftime("%Y-%m-%d").to_string()))
            };
            vec![
                Cell::plain(harmless(&token.name)),
                Cell::plain(limits(token)),
                day(token.expires, "never"),
                day(token.used, "never"),
            ]
        });
        page.table(&["token", "may", "ends", "last used"], rows.collect());
        page.line(count(tokens.tokens.len(), "token"));
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What a token may, in a few words.
fn limits(token: &Token) -> String {
    let mut parts = Vec::new();
    if token.login {
        parts.push("all that you may".to_owned());
    }
    let registries: Vec<String> = token.registries.iter().map(|name| harmless(name).to_string()).collect();
    let networks: Vec<String> = token.networks.iter().map(ToString::to_string).collect();
    if !token.login {
        parts.push(scope(&token.scope));
    }
    for (word, list) in [("to", registries), ("from", networks)] {
        if !list.is_empty() {
            parts.push(format!("{word} {}", list.join(", ")));
        }
    }
    parts.join(" ")
}

/// What a scope allows, in a few words.
pub(super) fn scope(scope: &TokenScope) -> String {
    let verbs: Vec<&str> = scope.verbs.iter().map(|verb| verb.as_str()).collect();
    let names: Vec<String> = scope.names.iter().map(ToString::to_string).collect();
    let verbs = if verbs.is_empty() { "anything".to_owned() } else { verbs.join(", ") };
    if names.is_empty() { verbs } else { format!("{verbs} for {}", names.join(", ")) }
}

fn revoke(context: &Context, arguments: &RevokeArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, arguments.server.server.as_deref())?;
    reached.server.revoke_token(&arguments.which)?;
    let revoked = RevokedToken { token: arguments.which.clone(), server: reached.place() };
    context.output.show(&revoked, |page| {
        page.line(format!("The token `{}` speaks for nobody any longer", harmless(&revoked.token)));
    })?;
    Ok(ExitCode::SUCCESS)
}
