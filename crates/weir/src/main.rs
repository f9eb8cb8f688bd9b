//! `weir`: a package manager and a package registry in one program.
//!
//! This file is the table of contents. A command is a variant of [`Command`], a line of [`run`]
//! and a file of `commands/`, which holds its arguments, its call into a library and how the
//! result is shown. What every command shares:
//!
//! * [`arguments`]: the words of the command line that more than one command reads;
//! * [`settings`]: the environment, read here and nowhere else;
//! * [`context`]: both together, as the values that the libraries ask for;
//! * [`complete`]: what a shell offers to somebody who types;
//! * [`documents`]: what `--json` prints;
//! * [`output`]: results, on stdout, as text for people or one JSON document;
//! * [`progress`]: what is happening just now, on stderr, if a person is looking;
//! * [`question`]: what only a person can decide;
//! * [`failure`]: what went wrong, why, what to do now, and the exit code.

mod arguments;
mod commands;
mod complete;
mod context;
mod documents;
mod failure;
mod help;
mod output;
mod progress;
mod question;
mod settings;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::arguments::Shared;
use crate::context::Context;
use crate::failure::Failure;

/// A package manager and a package registry in one program.
#[derive(Parser)]
#[command(name = "weir", version, styles = help::STYLES, disable_help_subcommand = true)]
#[command(after_help = help::AFTERWORD, max_term_width = 100)]
struct Weir {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    shared: Shared,
}

#[derive(Subcommand)]
#[command(defer = true)]
enum Command {
    // A project and its dependencies.
    Init(commands::init::Arguments),
    #[command(visible_alias = "i")]
    Install(commands::install::Arguments),
    Add(commands::add::Arguments),
    #[command(visible_alias = "rm")]
    Remove(commands::remove::Arguments),
    #[command(visible_alias = "up")]
    Update(commands::update::Arguments),
    Lock(commands::lock::Arguments),
    Run(commands::run::Arguments),
    Env(commands::env::Arguments),
    Test(commands::test::Arguments),
    #[command(subcommand)]
    Bash(commands::bash::Command),
    #[command(subcommand)]
    Elm(commands::elm::Command),

    // Looking.
    Tree(commands::tree::Arguments),
    #[command(visible_alias = "ls")]
    List(commands::list::Arguments),
    Why(commands::why::Arguments),
    Outdated(commands::outdated::Arguments),
    Prefetch(commands::prefetch::Arguments),
    Audit(commands::audit::Arguments),
    #[command(subcommand)]
    Advisory(commands::advisory::Command),
    Search(commands::search::Arguments),
    #[command(alias = "show")]
    Info(commands::info::Arguments),
    Impact(commands::impact::Arguments),
    Downloads(commands::downloads::Arguments),
    Verify(commands::verify::Arguments),

    // Publishing.
    Pack(commands::pack::Arguments),
    Publish(commands::publish::Arguments),
    Promote(commands::promote::Arguments),
    Approve(commands::promote::ApproveArguments),
    Import(commands::import::Arguments),
    Yank(commands::withdraw::YankArguments),
    Unyank(commands::withdraw::UnyankArguments),
    Quarantine(commands::withdraw::QuarantineArguments),
    Unquarantine(commands::withdraw::UnquarantineArguments),
    Unpublish(commands::withdraw::UnpublishArguments),
    Batch(commands::batch::Arguments),
    Claim(commands::claim::Arguments),

    // Built packages.
    #[command(subcommand)]
    Repo(commands::repo::Command),
    Build(commands::build::Arguments),
    #[command(subcommand)]
    Sysroot(commands::sysroot::Command),
    #[command(subcommand)]
    Root(commands::root::Command),

    // What a machine keeps.
    #[command(subcommand)]
    Registry(commands::registry::Command),
    #[command(subcommand)]
    Policy(commands::policy::Command),
    Storage(commands::storage::Arguments),
    #[command(subcommand)]
    Store(commands::store::Command),

    // A server.
    Serve(commands::serve::Arguments),
    Login(commands::login::LoginArguments),
    Logout(commands::login::LogoutArguments),
    Whoami(commands::login::WhoamiArguments),
    #[command(subcommand)]
    Token(commands::token::Command),
    #[command(subcommand)]
    Trust(commands::trust::Command),
    #[command(subcommand)]
    User(commands::user::Command),
    #[command(subcommand)]
    Webhook(commands::webhook::Command),
    Activity(commands::activity::Arguments),

    // Weir itself.
    Demo(commands::demo::Arguments),
    Completions(commands::completions::Arguments),
    Man(commands::man::Arguments),
}

fn main() -> ExitCode {
    complete::answer();
    let weir = match arguments::parse_command_line() {
        Ok(weir) => weir,
        Err(answered) => return answered,
    };
    let context = Context::new(weir.shared);
    match run(weir.command, &context) {
        Ok(code) => code,
        Err(failure) => {
            progress::wait_if_interrupted();
            failure.report(&context.output)
        }
    }
}

fn run(command: Command, context: &Context) -> Result<ExitCode, Failure> {
    match command {
        Command::Init(arguments) => commands::init::run(context, arguments),
        Command::Install(arguments) => commands::install::run(context, &arguments),
        Command::Add(arguments) => commands::add::run(context, arguments),
        Command::Remove(arguments) => commands::remove::run(context, &arguments),
        Command::Update(arguments) => commands::update::run(context, &arguments),
        Command::Lock(arguments) => commands::lock::run(context, &arguments),
        Command::Run(arguments) => commands::run::run(context, &arguments),
        Command::Env(arguments) => commands::env::run(context, &arguments),
        Command::Test(arguments) => commands::test::run(context, &arguments),
        Command::Bash(command) => commands::bash::run(context, command),
        Command::Elm(command) => commands::elm::run(context, command),

        Command::Tree(arguments) => commands::tree::run(context, &arguments),
        Command::List(arguments) => commands::list::run(context, &arguments),
        Command::Why(arguments) => commands::why::run(context, &arguments),
        Command::Outdated(arguments) => commands::outdated::run(context, &arguments),
        Command::Prefetch(arguments) => commands::prefetch::run(context, &arguments),
        Command::Audit(arguments) => commands::audit::run(context, &arguments),
        Command::Advisory(command) => commands::advisory::run(context, command),
        Command::Search(arguments) => commands::search::run(context, &arguments),
        Command::Info(arguments) => commands::info::run(context, &arguments),
        Command::Impact(arguments) => commands::impact::run(context, &arguments),
        Command::Downloads(arguments) => commands::downloads::run(context, &arguments),
        Command::Verify(arguments) => commands::verify::run(context, &arguments),

        Command::Pack(arguments) => commands::pack::run(context, &arguments),
        Command::Publish(arguments) => commands::publish::run(context, &arguments),
        Command::Promote(arguments) => commands::promote::run(context, arguments),
        Command::Approve(arguments) => commands::promote::approve(context, &arguments),
        Command::Import(arguments) => commands::import::run(context, arguments),
        Command::Yank(arguments) => commands::withdraw::yank(context, arguments),
        Command::Unyank(arguments) => commands::withdraw::unyank(context, arguments),
        Command::Quarantine(arguments) => commands::withdraw::quarantine(context, arguments),
        Command::Unquarantine(arguments) => commands::withdraw::unquarantine(context, arguments),
        Command::Unpublish(arguments) => commands::withdraw::unpublish(context, arguments),
        Command::Batch(arguments) => commands::batch::run(context, &arguments),
        Command::Claim(arguments) => commands::claim::run(context, arguments),

        Command::Repo(command) => commands::repo::run(context, command),
        Command::Build(arguments) => commands::build::run(context, &arguments),
        Command::Sysroot(command) => commands::sysroot::run(context, command),
        Command::Root(command) => commands::root::run(context, command),

        Command::Registry(command) => commands::registry::run(context, command),
        Command::Policy(command) => commands::policy::run(context, command),
        Command::Storage(arguments) => commands::storage::run(context, arguments),
        Command::Store(command) => commands::store::run(context, command),

        Command::Serve(arguments) => commands::serve::run(context, &arguments),
        Command::Login(arguments) => commands::login::login(context, &arguments),
        Command::Logout(arguments) => commands::login::logout(context, &arguments),
        Command::Whoami(arguments) => commands::login::whoami(context, &arguments),
        Command::Token(command) => commands::token::run(context, command),
        Command::Trust(command) => commands::trust::run(context, command),
        Command::User(command) => commands::user::run(context, command),
        Command::Webhook(command) => commands::webhook::run(context, command),
        Command::Activity(arguments) => commands::activity::run(context, &arguments),

        Command::Demo(arguments) => commands::demo::run(context, &arguments),
        Command::Completions(arguments) => commands::completions::run(context, &arguments),
        Command::Man(arguments) => commands::man::run(context, &arguments),
    }
}
