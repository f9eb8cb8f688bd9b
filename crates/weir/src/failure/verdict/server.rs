//! `weir serve`.

use std::io::ErrorKind;

use weir_accounts::AccountError;
use weir_remote::RemoteError;
use weir_server::{AppError, DataError, DataFolder, NotReady, ServeError, SettingsError};
use weir_wire::Code;

use super::{Exit, Verdict};

impl Verdict for DataError {
    fn exit(&self) -> Exit {
        match self {
            Self::Strange { .. } => Exit::Conflict,
            Self::Io(error) => error.exit(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Strange { .. } => Some(format!(
                "name a new folder, or one that a server has used: it has a folder `registries` or a file `{}`",
                DataFolder::SETTINGS
            )),
            Self::Io(_) => None,
        }
    }
}

impl Verdict for AppError {
    fn exit(&self) -> Exit {
        match self {
            Self::Fs(error) => error.exit(),
            Self::Accounts(error) => error.exit(),
            Self::Activity(_) | Self::Requests(_) | Self::Webhooks(_) => Exit::Failed,
            Self::InUse(_) => Exit::Conflict,
            Self::Settings(error) => error.exit(),
            Self::Io(error) => error.exit(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Fs(error) => error.help(),
            Self::InUse(_) => Some("stop it first, or name another folder".into()),
            Self::Io(error) => error.help(),
            Self::Settings(error) => error.help(),
            Self::Accounts(_) | Self::Activity(_) | Self::Requests(_) | Self::Webhooks(_) => {
                self.strange_file().map(|file| {
                    format!(
                        "start the version that wrote it, or put `{file}` back from a copy; where there is none, move it away: the server makes another, without what was in it"
                    )
                })
            }
        }
    }
}

impl Verdict for AccountError {
    fn exit(&self) -> Exit {
        match self {
            Self::Io(error) => error.exit(),
            _ => Exit::Failed,
        }
    }
}

/// The code of a problem by which a server says that there is no such registry, or none that who asks may see.
const NO_REGISTRY: &str = "no-registry";

/// What to do where no registry is found at an address.
pub(super) const PRIVATE_PERHAPS: &str =
    "check the address; of a private registry only those are told who may read it: `weir login`";

/// What a server said, to whoever asked it.
impl Verdict for RemoteError {
    fn exit(&self) -> Exit {
        match self {
            Self::OnlyFiles { .. } | Self::OtherLevel { .. } | Self::Unreadable { .. } => Exit::Failed,
            Self::NoServer { .. } => Exit::NotFound,
            Self::NotReached { .. } => Exit::Failed,
            Self::SignInNeeded { .. } | Self::BadCredential { .. } => Exit::Refused,
            Self::Source(error) => error.exit(),
            Self::Problem(problem) => match (problem.refusal(), problem.status) {
                (Some(refusal), _) => exit_of(refusal.code),
                (None, _) if ["access-denied", "expired-token"].contains(&problem.code.as_str()) => {
                    Exit::Refused
                }
                (None, 401 | 403 | 429) => Exit::Refused,
                (None, 404) => Exit::NotFound,
                (None, 409) => Exit::Conflict,
                (None, 400 | 422) => Exit::Usage,
                (None, _) => Exit::Failed,
            },
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::OnlyFiles { .. } => {
                Some("publish where its folder is: `--registry FOLDER`; or serve it with `weir serve`".into())
            }
            Self::NoServer { .. } => {
                Some("check the address; a server says where it listens when it starts".into())
            }
            Self::NotReached { .. } => {
                Some("check the address and its port, and whether the server runs".into())
            }
            Self::SignInNeeded { place, .. } | Self::BadCredential { place, .. } => Some(sign_in_help(place)),
            Self::OtherLevel { .. } => Some("use the version of Weir that the server has".into()),
            Self::Source(error) => error.help(),
            Self::Problem(problem) if problem.code == NO_REGISTRY => Some(PRIVATE_PERHAPS.into()),
            Self::Unreadable { .. } | Self::Problem(_) => None,
        }
    }
}

/// How to show a server who one is.
fn sign_in_help(place: &str) -> String {
    let variable = match weir_reach::token_variable(place) {
        Some(variable) => format!("`{variable}`"),
        None => format!("`{}` and the host", weir_reach::TOKEN_VARIABLE),
    };
    format!("`weir login {place}` signs you in; a program sends a token, in the variable {variable}")
}

/// How the program ends when a registry elsewhere refused something: as when one here does.
pub(super) fn exit_of(code: Code) -> Exit {
    match code {
        Code::NotPermitted
        | Code::NeedsApproval
        | Code::BeyondQuota
        | Code::Quarantined
        | Code::KindNotTaken
        | Code::DraftDiffers
        | Code::NotPublishable => Exit::Refused,
        Code::AlreadyPublished
        | Code::WasRemoved
        | Code::OtherKind
        | Code::Confusable
        | Code::BakedCycle
        | Code::Diamond
        | Code::WouldBreak
        | Code::OtherTier
        | Code::NoUpstream => Exit::Conflict,
        Code::Unsatisfiable => Exit::NoResolution,
        Code::NotFound => Exit::NotFound,
        Code::SecondTree | Code::BadContent => Exit::Integrity,
        Code::NotUploaded | Code::UnexpectedInputs | Code::BadRecord | Code::Busy | Code::Unavailable => {
            Exit::Failed
        }
    }
}

impl Verdict for SettingsError {
    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::Bad { .. } | Self::BadVariable { .. } | Self::Unknown { .. } | Self::Unusable { .. } => {
                Exit::Usage
            }
        }
    }

    fn help(&self) -> Option<String> {
        Some("docs/reference/server.md lists the settings".into())
    }
}

impl Verdict for NotReady {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NoPort => Some("set `listen` with a port".into()),
            Self::Unreachable { .. } => Some(
                "is it started, with the same settings? Whoever is given `--listen` is asked with it, too"
                    .into(),
            ),
            Self::Says { .. } => Some("its log says more, and what to do".into()),
        }
    }
}

impl Verdict for ServeError {
    fn exit(&self) -> Exit {
        match self {
            Self::Listen { .. } => Exit::Failed,
            Self::Tls { .. } => Exit::Usage,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Listen { address, error } => match error.kind() {
                ErrorKind::AddrInUse => Some(
                    "another program has it: `--listen ADDRESS:PORT` takes another, and port 0 a free one"
                        .into(),
                ),
                ErrorKind::PermissionDenied => Some(format!(
                    "who runs this may not take port {0}, as is usual below 1024: give the right (`AmbientCapabilities=CAP_NET_BIND_SERVICE` in a unit of systemd), or listen on a port above and let a proxy have {0}",
                    address.port()
                )),
                ErrorKind::AddrNotAvailable => Some(format!(
                    "this machine does not have the address {}: `0.0.0.0` and `[::]` stand for all that it has, `127.0.0.1` for itself alone",
                    address.ip()
                )),
                _ => None,
            },
            Self::Tls { .. } => Some(
                "`tls.certificate` and `tls.key` name two files in PEM, of which the server's user may read both"
                    .into(),
            ),
        }
    }
}
