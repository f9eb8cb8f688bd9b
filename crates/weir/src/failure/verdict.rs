//! What the command line makes of a library's error: the exit code, and what to do now.
//!
//! Libraries say what happened, with the facts; what that means for whoever called the program is said here, one
//! table for each crate.

mod build;
mod project;
mod promote;
mod registry;
mod server;

use std::error::Error;
use std::ops::Range;
use std::path::Path;

use weir_fs::FsError;
use weir_log::SourceError;
use weir_model::causes;
use weir_resolve::Explanation;

use super::{Builds, Exit};

/// An error of a library, as the command line judges it.
pub(crate) trait Verdict: Error {
    /// How the program ends because of it.
    fn exit(&self) -> Exit;

    /// What to do now, if that is known.
    fn help(&self) -> Option<String> {
        None
    }

    /// What led to it, outermost first.
    fn because(&self) -> Vec<String>
    where
        Self: Sized,
    {
        causes(self)
    }

    /// The text that it is about, with its place, if it is about one.
    fn place(&self) -> Option<(&Path, &str, Range<usize>)> {
        None
    }

    /// Why requirements cannot be met together, if that is what happened.
    fn explanation(&self) -> Option<&Explanation> {
        None
    }

    /// The builds that failed, and what came of the others.
    fn builds(&self) -> Option<Builds> {
        None
    }
}

fn did_you_mean(similar: Option<&impl std::fmt::Display>) -> Option<String> {
    similar.map(|name| format!("did you mean `{name}`?"))
}

fn there_are(what: &[impl ToString]) -> String {
    let names: Vec<String> = what.iter().map(ToString::to_string).collect();
    format!("there are: {}", names.join(", "))
}

/// What the system refused; or what a library was refused by `weir-fs`, or by a registry in the middle of a stream.
impl Verdict for std::io::Error {
    fn exit(&self) -> Exit {
        match (FsError::of(self), SourceError::of(self)) {
            (Some(error), _) => error.exit(),
            (_, Some(error)) => error.exit(),
            (None, None) => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        FsError::of(self).and_then(Verdict::help).or_else(|| SourceError::of(self).and_then(Verdict::help))
    }
}
