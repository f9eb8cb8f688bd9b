//! Projects, and what they take from repositories.

use std::ops::Range;
use std::path::Path;

use weir_fs::FsError;
use weir_git::{Fault, GitError};
use weir_kind::KindError;
use weir_model::manifest::{Reference, is_web};
use weir_package::PackageError;
use weir_project::{ProjectError, ReferenceProblem};
use weir_resolve::Explanation;

use super::{Exit, Verdict, did_you_mean};

/// The command by which a user names the file of a reference.
fn add_reference(reference: &Reference) -> String {
    let address = reference.mirrors.iter().find(|mirror| !is_web(mirror)).map_or("FILE", String::as_str);
    let address = word(address);
    let options = [("--fluid", reference.fluid), ("--unpack", reference.unpack)];
    let options = options.iter().filter(|(_, is_set)| *is_set).map(|(option, _)| format!(" {option}"));
    format!("weir add --reference {} {address}{}", reference.name, options.collect::<String>())
}

/// A text as one word to a shell.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:%@".contains(c);
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// Of what a repository does not give.
fn exit_of_fault(fault: Fault) -> Exit {
    match fault {
        Fault::Name => Exit::Usage,
        Fault::Refused => Exit::Refused,
        Fault::Absent => Exit::NotFound,
        Fault::Unreached | Fault::Content => Exit::Failed,
    }
}

impl Verdict for GitError {
    fn exit(&self) -> Exit {
        match self {
            Self::Unavailable { fault, .. } | Self::Repository { fault, .. } => exit_of_fault(*fault),
            Self::Offline { .. } => Exit::NotFound,
            Self::TagMoved { .. } => Exit::Integrity,
            Self::Unusable { .. } => Exit::Failed,
            Self::Store(error) => error.exit(),
            Self::Tree(error) => error.exit(),
            Self::Io(error) => error.exit(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::TagMoved { .. } => Some(
                "a tag must not move: ask why it did; if the new content is right, `weir update NAME` takes it".into(),
            ),
            Self::Offline { .. } => {
                Some("run it once without `--offline`, or bring it with `weir store import FILE`".into())
            }
            _ => None,
        }
    }
}

impl Verdict for FsError {
    fn exit(&self) -> Exit {
        if self.is_refusal() { Exit::Refused } else { Exit::Failed }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Link { .. } => Some(
                "what is read and written in a project must be in it: put the file or the folder itself there"
                    .into(),
            ),
            Self::Other { .. } | Self::TooLarge { .. } => {
                Some("if it came with the folder, look at it, and remove it".into())
            }
            _ => None,
        }
    }
}

impl Verdict for KindError {
    fn exit(&self) -> Exit {
        match self {
            Self::Collision { .. } | Self::Clash(_) => Exit::Conflict,
            Self::Io(error) => error.exit(),
            _ => Exit::Failed,
        }
    }
}

impl Verdict for PackageError {
    fn exit(&self) -> Exit {
        match self {
            Self::NotHandled(_) | Self::NotToml(_) => Exit::Usage,
            Self::Kind(error) => error.exit(),
            Self::File(error) => error.exit(),
            Self::Tree(error) => error.exit(),
            Self::NoManifest
            | Self::Manifest { .. }
            | Self::NotPublishable(_)
            | Self::License(_)
            | Self::Address(_)
            | Self::Facts(_) => Exit::Failed,
        }
    }
}

impl Verdict for ProjectError {
    fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::NotHandled(_) => Exit::Usage,
            Self::NoResolution(explanation) if explanation.is_of_something_missing() => Exit::NotFound,
            Self::NoResolution(explanation) if explanation.is_of_something_held() => Exit::Refused,
            Self::NoResolution(_) => Exit::NoResolution,
            Self::PathDependency { missing, .. } => {
                if *missing {
                    Exit::NotFound
                } else {
                    Exit::Failed
                }
            }
            Self::NoProject { .. }
            | Self::ContentMissing { .. }
            | Self::UnknownCommand { .. }
            | Self::NotFound(_)
            | Self::ReferenceMoved { .. }
            | Self::UnknownAdvisory { .. }
            | Self::HoldsNothing { .. }
            | Self::KeepsEverything { .. }
            | Self::NotLocked => Exit::NotFound,
            Self::Git { fault, .. } => exit_of_fault(*fault),
            Self::Advisories { .. } | Self::TooManyFiles { .. } => Exit::Refused,
            Self::WrongContent { .. }
            | Self::OtherThanLocked { .. }
            | Self::Damaged { .. }
            | Self::Facts { .. } => Exit::Integrity,
            Self::Reference { problem, .. } => match problem {
                ReferenceProblem::Wrong => Exit::Integrity,
                ReferenceProblem::Absent => Exit::NotFound,
                ReferenceProblem::Source(error) => error.exit(),
                ReferenceProblem::Other => Exit::Failed,
            },
            Self::NotFetched { source, .. } => source.exit(),
            Self::Exists { .. }
            | Self::FolderExists { .. }
            | Self::LockOutdated { .. }
            | Self::InTheWay { .. }
            | Self::StrangeCommand { .. }
            | Self::LayoutCollision { .. } => Exit::Conflict,
            Self::Circle { .. } | Self::PlatformsApart { .. } => Exit::NoResolution,
            Self::Secrets { .. } => Exit::Refused,
            Self::Offline(error) => error.exit(),
            Self::Repository(error) => error.exit(),
            Self::Reach(error) => error.exit(),
            Self::Kind(error) => error.exit(),
            Self::Store(error) => error.exit(),
            Self::Tree(error) => error.exit(),
            Self::Submit(error) => error.exit(),
            Self::Content(error) => error.exit(),
            Self::Source(error) => error.exit(),
            Self::Manifest { .. }
            | Self::Lockfile { .. }
            | Self::NotWritable(_)
            | Self::Resolver(_)
            | Self::BatchFile { .. }
            | Self::NotPublishable { .. }
            | Self::License { .. }
            | Self::NoRoom { .. }
            | Self::Index(_) => Exit::Failed,
            Self::Import(error) if error.is_integrity() => Exit::Integrity,
            Self::Import(_) => Exit::Failed,
            // What is not what it must be counts for more than who was away.
            Self::Several(errors) if errors.iter().any(|error| error.exit() == Exit::Integrity) => {
                Exit::Integrity
            }
            Self::Several(errors) => errors.first().map_or(Exit::Failed, Verdict::exit),
            Self::OtherOwner { .. } | Self::OutsideFile { .. } | Self::LocalRepository { .. } => {
                Exit::Refused
            }
            Self::File(error) => error.exit(),
            Self::Io(error) => error.exit(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NoResolution(explanation) => {
                let mut help = explanation.help();
                help.extend(explanation.is_of_something_held().then(|| super::registry::HELD.to_owned()));
                Some(help.join("\n")).filter(|help| !help.is_empty())
            }
            Self::NoProject { .. } => Some("`weir init` makes a project of this folder".into()),
            Self::Exists { .. } => Some("`weir init --force` writes a new one over it".into()),
            Self::FolderExists { .. } => Some("name a folder that is not there yet: `--into FOLDER`".into()),
            Self::Manifest { error, .. } => error.help.clone(),
            Self::Lockfile { .. } => Some(
                "`weir lock` makes it anew from `weir.toml`, and keeps the choices that can still be read, from both sides of a conflict"
                    .into(),
            ),
            Self::ReferenceMoved { .. } => Some(
                "`weir update` takes what is there now; or bring the locked bytes from a machine that has them: `weir store export` there, `weir store import` here. Published with `--with-references`, a registry keeps them"
                    .into(),
            ),
            Self::OtherThanLocked { id, .. } => Some(format!(
                "a registry never changes a release: ask whoever runs it, and keep what is told here. If `weir.lock` was edited, take it from version control; if what is offered is right, `weir update {}` takes it",
                id.name
            )),
            Self::WrongContent { .. } => Some(
                "if `weir.lock` was edited, take it from version control, or remove the table of that release and run `weir lock`; else ask whoever runs the registry"
                    .into(),
            ),
            Self::UnknownAdvisory { similar, .. } => did_you_mean(similar.as_ref())
                .or_else(|| Some("`weir advisory list --all` shows those that it knows".into())),
            Self::KeepsEverything { .. } => Some("`weir registry retention set --last NUMBER --days DAYS` says what it keeps".into()),
            Self::Advisories { .. } => Some(
                "correct them, or leave them out; https://ossf.github.io/osv-schema/ says what they have to look like".into(),
            ),
            Self::NotLocked | Self::LockOutdated { .. } => {
                Some("run `weir lock`, look at the difference, and commit `weir.lock`".into())
            }
            Self::Circle { .. } => Some(
                "take one of these dependencies out: what both sides need can be a package of its own".into(),
            ),
            Self::PlatformsApart { .. } => Some(
                "narrow the ranges in `weir.toml` until both can have the same, or take one out of `platforms`".into(),
            ),
            Self::UnknownCommand { similar, .. } => did_you_mean(similar.as_ref()),
            Self::ContentMissing { withdrawn, .. } => withdrawn.clone(),
            Self::Damaged { .. } => {
                Some("`weir store repair` fetches damaged trees again; `weir install` mends links".into())
            }
            Self::Secrets { .. } => Some(
                "leave them out with `exclude` in `[package]` or `.weirignore`; if they are not secret, `--allow-secrets`".into(),
            ),
            Self::License { error, .. } => error.help(),
            Self::StrangeCommand { .. } => {
                Some("`weir install` puts in order what it put there, and tells what else is in the way".into())
            }
            Self::NoRoom { store, .. } => Some(format!(
                "make room on that disk (`weir store gc` takes out what no project uses), or keep the store, which is `{}`, on another one: `WEIR_STORE`",
                store.display()
            )),
            Self::InTheWay { .. } => Some("move it away: nothing is replaced but what weir made".into()),
            Self::OtherOwner { folder, .. } => Some(format!(
                "if you trust whoever that is with what runs as you, add `trusted-folders = [{:?}]` to `config.toml`, or set `WEIR_TRUSTED_FOLDERS`",
                folder.display().to_string()
            )),
            Self::OutsideFile { reference, folder, .. } => Some(format!(
                "whoever wrote the manifest may want a copy of what is yours. If you mean that file, name it: `{}`; if you trust the project with any file, add `trusted-folders = [{:?}]` to `config.toml`, or set `WEIR_TRUSTED_FOLDERS`",
                add_reference(reference),
                folder.display().to_string()
            )),
            Self::LocalRepository { name, git, folder, .. } => Some(format!(
                "whoever wrote the manifest may want a copy of what is yours. If you mean that repository, name it: `weir add {name} --git {} --tag {}`; if you trust the project with any, add `trusted-folders = [{:?}]` to `config.toml`, or set `WEIR_TRUSTED_FOLDERS`",
                word(&git.url),
                word(&git.tag),
                folder.display().to_string()
            )),
            Self::NotFetched { source: error, .. }
            | Self::Reference { problem: ReferenceProblem::Source(error), .. } => error.help(),
            Self::Several(errors) => errors.iter().find_map(Verdict::help),
            Self::File(error) => error.help(),
            Self::Offline(error) => error.help(),
            Self::Repository(error) => error.help(),
            Self::Reach(error) => error.help(),
            Self::Submit(error) => error.help(),
            Self::Source(error) => error.help(),
            Self::Store(error) => error.help(),
            _ => None,
        }
    }

    fn place(&self) -> Option<(&Path, &str, Range<usize>)> {
        self.source_code()
    }

    fn explanation(&self) -> Option<&Explanation> {
        match self {
            Self::NoResolution(explanation) => Some(explanation),
            _ => None,
        }
    }
}
