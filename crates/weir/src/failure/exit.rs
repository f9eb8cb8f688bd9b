//! How the program ends.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Something failed that has no code of its own.
    Failed = 1,
    /// The program was called wrongly.
    Usage = 2,
    /// The requirements cannot be met together.
    NoResolution = 3,
    /// A policy said no.
    Refused = 4,
    /// Something is not there, or the machine is offline and does not have it.
    NotFound = 5,
    /// A hash, a signature or a log is not what it must be.
    Integrity = 6,
    /// A build failed.
    BuildFailed = 7,
    /// Something would be overwritten, or the closed world broken.
    Conflict = 8,
    /// The user stopped it.
    Interrupted = 130,
}

impl Exit {
    /// Its name, in JSON and in the documentation.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::NoResolution => "no-resolution",
            Self::Refused => "refused",
            Self::NotFound => "not-found",
            Self::Integrity => "integrity",
            Self::BuildFailed => "build-failed",
            Self::Conflict => "conflict",
            Self::Interrupted => "interrupted",
        }
    }
}

/// The code, as a process ends with it.
pub(crate) fn ending(exit: Exit) -> ExitCode {
    ExitCode::from(exit as u8)
}
