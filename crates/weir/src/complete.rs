//! What shells complete: names of packages and of scripts, as far as this machine knows them without asking anybody.
//!
//! The script of `weir completions` calls the program again, and clap answers; what stands here are the values that only
//! Weir knows. Whatever cannot be read is not offered: a completion has nobody to tell.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use clap::CommandFactory as _;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::CompleteEnv;
use weir_project::Project;

use crate::Weir;
use crate::arguments::Shared;
use crate::context::Context;

/// The variable by which the shell's script asks for completions.
pub(crate) const VARIABLE: &str = "_WEIR_COMPLETE";

/// How many packages of a registry are offered.
const MOST: usize = 200;

/// Answers a shell, if it is one that asks, and ends.
pub(crate) fn answer() {
    CompleteEnv::with_factory(Weir::command).var(VARIABLE).complete();
}

/// Packages that the project's lockfile names.
pub(crate) fn used_packages() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| offered(typed, used))
}

/// Packages that the registries offer, as this machine knows them.
pub(crate) fn known_packages() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        offered(typed, |typed| {
            let known = known(typed).unwrap_or_default();
            Some(known.into_iter().chain(used(typed).unwrap_or_default()).collect())
        })
    })
}

/// Scripts of the project, and commands of its packages.
pub(crate) fn scripts() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        offered(typed, |_| {
            let project = project()?;
            let commands = weir_project::commands(&project).into_keys();
            Some(project.manifest.scripts.keys().cloned().chain(commands).collect())
        })
    })
}

fn offered(typed: &OsStr, names: impl FnOnce(&str) -> Option<BTreeSet<String>>) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str() else { return Vec::new() };
    let names = names(typed).unwrap_or_default();
    let fitting = names.into_iter().filter(|name| name.starts_with(typed) && is_plain(name));
    fitting.map(CompletionCandidate::new).collect()
}

/// Whether a name means nothing to a shell or a terminal: Bash puts what is offered into the line as it is, and names of
/// scripts are whatever somebody wrote into a manifest.
fn is_plain(name: &str) -> bool {
    name.chars().all(|character| character.is_ascii_alphanumeric() || "-_./+:".contains(character))
}

fn used(_: &str) -> Option<BTreeSet<String>> {
    let project = project()?;
    let locked = project.locked().ok()?;
    Some(locked.releases.iter().map(|release| release.name.to_string()).collect())
}

fn known(typed: &str) -> Option<BTreeSet<String>> {
    let context = context();
    let session = context.session().ok()?;
    let project = context.project_if_any().ok()?;
    let names = weir_project::offered_names(&session, project.as_ref(), typed, MOST).ok()?;
    Some(names.iter().map(ToString::to_string).collect())
}

fn project() -> Option<Project> {
    context().project_if_any().ok()?
}

/// Nobody is asked, and nothing is said.
fn context() -> Context {
    Context::new(Shared { offline: true, quiet: true, ..Shared::default() })
}
