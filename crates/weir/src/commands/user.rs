//! `weir user …`: who there is on a server.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use weir_wire::AccountName;
use weir_wire::people::{ChangeUser, Invite, User};

use super::login::reach;
use super::token::ServerOption;
use crate::context::Context;
use crate::documents::server::{Invitations, RemovedUser, Uninvited, Users};
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, count, harmless};
use crate::question;

/// Invite users to a server, and say in which groups they are
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    #[command(visible_alias = "ls")]
    List(ListArguments),
    Invite(InviteArguments),
    Invitations(InvitationsArguments),
    Uninvite(UninviteArguments),
    Groups(GroupsArguments),
    Disable(NameArguments),
    Enable(EnableArguments),
    #[command(visible_alias = "rm")]
    Remove(RemoveArguments),
}

pub(crate) fn run(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::List(arguments) => list(context, &arguments),
        Command::Invite(arguments) => invite(context, arguments),
        Command::Invitations(arguments) => invitations(context, &arguments),
        Command::Uninvite(arguments) => uninvite(context, &arguments),
        Command::Groups(arguments) => {
            let groups = Some(arguments.groups.into_iter().collect());
            change(context, &arguments.name, &arguments.server, &ChangeUser { groups, disabled: None })
        }
        Command::Disable(arguments) => disable(context, &arguments, true),
        Command::Enable(arguments) => disable(context, &arguments.who, false),
        Command::Remove(arguments) => remove(context, &arguments),
    }
}

/// List the users of a server
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    server: ServerOption,
}

/// Invite somebody to be a user
///
/// The invitation is good once, for three days; whoever has it chooses a password with `weir login SERVER --invitation …`. Whose name is
/// a user's already is not invited: with `--again`, that user is, to choose another password.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir user invite bob --group core",
    "weir user invite eve --group admins",
    "weir user invite bob --again",
))]
pub(crate) struct InviteArguments {
    /// The name they get
    name: AccountName,
    /// A group they will be in; the members of `admins` govern the server
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<AccountName>,
    /// It is the same person as the user of that name who was removed: they get it back, and what belongs to it
    #[arg(long)]
    returning: bool,
    /// They are a user already: they choose another password, are signed out everywhere, and stay in their groups
    #[arg(long, conflicts_with_all = ["groups", "returning"])]
    again: bool,
    #[command(flatten)]
    server: ServerOption,
}

/// List the invitations that nobody has accepted yet
#[derive(Debug, Args)]
pub(crate) struct InvitationsArguments {
    #[command(flatten)]
    server: ServerOption,
}

/// Take an invitation back
#[derive(Debug, Args)]
#[command(after_help = examples!("weir user uninvite bob"))]
pub(crate) struct UninviteArguments {
    /// The name that it is for, or what `weir user invitations` calls it
    which: String,
    #[command(flatten)]
    server: ServerOption,
}

/// Say in which groups a user is, and in no others
#[derive(Debug, Args)]
#[command(after_help = examples!("weir user groups bob core release-managers", "weir user groups bob"))]
pub(crate) struct GroupsArguments {
    /// The user
    name: AccountName,
    /// The groups
    groups: Vec<AccountName>,
    #[command(flatten)]
    server: ServerOption,
}

/// Let a user sign in again
///
/// The tokens that they had are not good again: they sign in anew.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir user enable bob"))]
pub(crate) struct EnableArguments {
    #[command(flatten)]
    who: NameArguments,
}

/// Let a user sign in no longer, and revoke their tokens
#[derive(Debug, Args)]
#[command(after_help = examples!("weir user disable bob"))]
pub(crate) struct NameArguments {
    /// The user
    name: AccountName,
    #[command(flatten)]
    server: ServerOption,
}

/// Remove a user for good
///
/// Their password, groups, tokens and invitations go, and so do the programs that they trusted. Logs go on naming them, what belongs to them
/// is nobody else's, and nobody else becomes a user of that name: `weir user invite NAME --returning` lets the same person come back.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir user remove bob", "weir claim acme user:ann"))]
pub(crate) struct RemoveArguments {
    #[command(flatten)]
    who: NameArguments,
    /// Go on without asking
    #[arg(long, short)]
    yes: bool,
}

fn list(context: &Context, arguments: &ListArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, arguments.server.server.as_deref())?;
    let users = Users { users: reached.server.users()? };
    context.output.answer(&users, |page| {
        let rows = users.users.iter().map(|user| {
            let since = user.created.strftime("%Y-%m-%d").to_string();
            let standing = if user.disabled { "disabled" } else { "" };
            vec![
                Cell::plain(&user.name),
                Cell::plain(groups_of(user)),
                Cell::plain(since),
                Cell::plain(standing),
            ]
        });
        page.table(&["user", "groups", "since", ""], rows.collect());
        page.line(count(users.users.len(), "user"));
    })?;
    Ok(ExitCode::SUCCESS)
}

fn invite(context: &Context, arguments: InviteArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, arguments.server.server.as_deref())?;
    let groups: BTreeSet<AccountName> = arguments.groups.into_iter().collect();
    let InviteArguments { name, again, returning, .. } = arguments;
    let invited = reached.server.invite(&Invite { name, groups, again, returning })?;
    context.output.answer(&invited, |page| {
        let becomes = if invited.again { "chooses another password" } else { "becomes a user" };
        let until = invited.expires.strftime("%Y-%m-%d %H:%M UTC");
        if !reached.takes_passwords() {
            page.line(format!("`{}` {becomes}, until {until}, by following this link:", invited.name));
            page.line(format!("  {}", reached.invitation_link(&invited.invitation)));
            return;
        }
        page.line(format!("`{}` {becomes}, until {until}, with", invited.name));
        page.line(format!(
            "  weir login {} --user {} --invitation {}",
            reached.place(),
            invited.name,
            invited.invitation
        ));
    })?;
    Ok(ExitCode::SUCCESS)
}

fn invitations(context: &Context, arguments: &InvitationsArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, arguments.server.server.as_deref())?;
    let invitations = Invitations { invitations: reached.server.invitations()? };
    context.output.answer(&invitations, |page| {
        let rows = invitations.invitations.iter().map(|one| {
            let name = one.name.as_ref().map_or("(any name)", AccountName::as_str);
            let groups = if one.again { "(another password)".to_owned() } else { listed(&one.groups) };
            vec![
                Cell::plain(name),
                Cell::plain(groups),
                Cell::plain(one.expires.strftime("%Y-%m-%d %H:%M UTC").to_string()),
                Cell::plain(harmless(&one.id)),
            ]
        });
        page.table(&["invited", "groups", "until", "id"], rows.collect());
        page.line(count(invitations.invitations.len(), "invitation"));
    })?;
    Ok(ExitCode::SUCCESS)
}

fn uninvite(context: &Context, arguments: &UninviteArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, arguments.server.server.as_deref())?;
    reached.server.uninvite(&arguments.which)?;
    let taken_back = Uninvited { invitation: arguments.which.clone(), server: reached.place() };
    context.output.show(&taken_back, |page| {
        page.line(format!("The invitation of `{}` is good no longer", harmless(&taken_back.invitation)));
    })?;
    Ok(ExitCode::SUCCESS)
}

fn remove(context: &Context, arguments: &RemoveArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let NameArguments { name, server } = &arguments.who;
    let reached = reach(&session, server.server.as_deref())?;
    let question = format!(
        "The user `{name}` of {} goes, with their tokens and the programs they trust. Go on?",
        reached.place()
    );
    question::must_agree(&context.output, arguments.yes, &question)?;
    reached.server.remove_user(name)?;
    let removed = RemovedUser { user: name.to_string(), server: reached.place() };
    context.output.show(&removed, |page| {
        page.line(format!(
            "`{}` is no user any more, and nobody else becomes one of that name",
            removed.user
        ));
        page.line("What belongs to them stays so: `weir claim OWNER WHO` gives an owner to somebody else");
    })?;
    Ok(ExitCode::SUCCESS)
}

fn disable(context: &Context, arguments: &NameArguments, disabled: bool) -> Result<ExitCode, Failure> {
    let change_to = ChangeUser { groups: None, disabled: Some(disabled) };
    change(context, &arguments.name, &arguments.server, &change_to)
}

fn change(
    context: &Context,
    name: &AccountName,
    server: &ServerOption,
    to: &ChangeUser,
) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, server.server.as_deref())?;
    let user = reached.server.change_user(name, to)?;
    context.output.show(&user, |page| {
        let groups = groups_of(&user);
        let groups = if groups.is_empty() { "no group".to_owned() } else { groups };
        let standing = if user.disabled { ", and is disabled" } else { "" };
        page.line(format!("`{}` is in {groups}{standing}", user.name));
    })?;
    Ok(ExitCode::SUCCESS)
}

fn groups_of(user: &User) -> String {
    listed(&user.groups)
}

fn listed(groups: &BTreeSet<AccountName>) -> String {
    groups.iter().map(AccountName::as_str).collect::<Vec<_>>().join(", ")
}
