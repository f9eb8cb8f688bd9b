//! Registries: reading them, believing them, changing them; and the store and the trees that come from them.

use weir_log::{Distrust, FollowError, SourceError};
use weir_model::ReleaseId;
use weir_reach::{Offline, ReachError};
use weir_registry::content::ContentError;
use weir_registry::{KeysError, OpenError, ReplicaError, SubmitError, TrustError};
use weir_store::StoreError;
use weir_tree::TreeError;

use super::{Exit, Verdict, did_you_mean, there_are};

impl Verdict for Offline {
    fn exit(&self) -> Exit {
        Exit::NotFound
    }

    fn help(&self) -> Option<String> {
        Some("run it once without `--offline`, or bring them with `weir store import FILE`".into())
    }
}

impl Verdict for ReachError {
    fn exit(&self) -> Exit {
        match self {
            Self::BadName { .. } | Self::BadAddress { .. } | Self::NotAFile { .. } => Exit::Usage,
            Self::NoRegistry { .. }
            | Self::UnknownRegistry { .. }
            | Self::UnknownPackage { .. }
            | Self::UnknownVersion { .. }
            | Self::NoFile { .. } => Exit::NotFound,
            Self::Offline(error) => error.exit(),
            Self::Replica(error) => error.exit(),
            Self::Submit(error) => error.exit(),
            Self::Content(error) => error.exit(),
            Self::Source(error) => error.exit(),
            Self::Config { .. }
            | Self::ReadOnlyRegistry { .. }
            | Self::Index(_)
            | Self::Key(_)
            | Self::Io(_) => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NoRegistry { .. } => Some(
                "name one: `weir registry add NAME FOLDER-OR-ADDRESS --default`, or make one: `weir registry init FOLDER`"
                    .into(),
            ),
            Self::UnknownRegistry { similar, .. } => did_you_mean(similar.as_ref())
                .or_else(|| Some("`weir registry list` shows those that are known".into())),
            Self::ReadOnlyRegistry { .. } => Some("publish where its folder is: `--registry FOLDER`".into()),
            Self::UnknownPackage { similar, .. } => {
                did_you_mean(similar.as_ref()).or_else(|| Some("`weir search WORDS` finds packages".into()))
            }
            Self::UnknownVersion { versions, .. } => Some(there_are(versions)),
            Self::Offline(error) => error.help(),
            Self::Replica(error) => error.help(),
            Self::Submit(error) => error.help(),
            Self::Source(error) => error.help(),
            _ => None,
        }
    }
}

impl Verdict for SourceError {
    fn exit(&self) -> Exit {
        match self {
            Self::Refused { .. } => Exit::Refused,
            _ => Exit::Failed,
        }
    }

    /// What to do about a server that is not believed to be the one that was asked.
    fn help(&self) -> Option<String> {
        let Self::Untrusted { why, .. } = self else { return None };
        match why {
            Distrust::UnknownIssuer => Some(
                "if your organisation has an authority of its own, name the file with its certificate: `ca-file = \"…\"` under `[http]` in `config.toml`, or the variable `SSL_CERT_FILE`".into(),
            ),
            Distrust::OtherName { .. } => Some("use the address that the certificate is for".into()),
            Distrust::Expired | Distrust::NotValidYet => {
                Some("whoever runs the server has to renew its certificate; is the clock of this machine right?".into())
            }
            Distrust::Other(_) => None,
        }
    }
}

impl Verdict for FollowError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoLog { .. } => Exit::NotFound,
            Self::Source(_) => Exit::Failed,
            _ => Exit::Integrity,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Rollback { .. } | Self::Fork { .. } | Self::Tampered { .. } => Some(
                "nothing was changed on this machine. Keep the two checkpoints: they are the evidence. Ask whoever runs the registry".into(),
            ),
            Self::Source(error) => error.help(),
            Self::Frozen { .. } => Some(
                "the copy you read stands still: try another address, or `weir registry renew` where the registry is".into(),
            ),
            _ => None,
        }
    }
}

impl Verdict for ReplicaError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoRegistry(_) | Self::NeverSynced(_) => Exit::NotFound,
            Self::Source(error) => error.exit(),
            Self::Io(_) | Self::Index(_) | Self::Trust(TrustError::Io(_)) => Exit::Failed,
            Self::Follow(error) => error.exit(),
            _ => Exit::Integrity,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Source(error) => error.help(),
            Self::NoRegistry(_) => {
                Some("check the address; `weir registry init FOLDER` makes a new registry".into())
            }
            Self::NeverSynced(_) => Some("run `weir install` once without `--offline`".into()),
            Self::Trust(TrustError::GivenNotPinned { .. }) => Some(
                "ask whoever runs the registry which key is right. `weir registry remove` forgets the pinned one; a key that was rotated comes by itself".into(),
            ),
            Self::Trust(TrustError::OtherOrigin { .. } | TrustError::BadRotation { .. }) => Some(
                "if this really is another registry now, `weir registry remove` forgets the old one and its key".into(),
            ),
            Self::Follow(error) => error.help(),
            _ => None,
        }
    }
}

impl Verdict for OpenError {
    fn exit(&self) -> Exit {
        Exit::Conflict
    }

    fn help(&self) -> Option<String> {
        None
    }
}

impl Verdict for KeysError {
    fn exit(&self) -> Exit {
        match self {
            Self::Missing { .. } | Self::OtherPlace { .. } => Exit::Refused,
            Self::Bad { .. } | Self::Key(_) | Self::Io(_) => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Missing { .. } => Some(
                "only who has the key can change the registry: copy it from the machine that made it, and run `weir registry bind`".into(),
            ),
            Self::OtherPlace { here, .. } => Some(format!(
                "if the registry was moved here, run `weir registry bind {here}`; a copy that is published into becomes another log of the same name, which readers refuse"
            )),
            _ => None,
        }
    }
}

impl Verdict for SubmitError {
    fn exit(&self) -> Exit {
        match self {
            Self::Refused(_) | Self::QuarantinedContent { .. } | Self::KindNotTaken { .. } => Exit::Refused,
            Self::AlreadyPublished { .. }
            | Self::WasRemoved { .. }
            | Self::OtherKind { .. }
            | Self::Confusable { .. }
            | Self::BakedCycle { .. }
            | Self::Diamond { .. }
            | Self::WouldBreak { .. } => Exit::Conflict,
            Self::Unsatisfiable { .. } => Exit::NoResolution,
            Self::UnknownPackage { .. } | Self::UnknownVersion { .. } | Self::UnknownBuild { .. } => {
                Exit::NotFound
            }
            Self::SecondTree { .. } => Exit::Integrity,
            Self::Replica(error) => error.exit(),
            Self::Open(error) => error.exit(),
            Self::Keys(error) => error.exit(),
            Self::Content(error) => error.exit(),
            _ => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::AlreadyPublished { .. } | Self::WasRemoved { .. } => {
                Some("raise `version` in `weir.toml` and publish that".into())
            }
            Self::KindNotTaken { .. } => Some(
                "publish it in another registry: `--registry REGISTRY`; `weir registry show` tells which kinds one takes".into(),
            ),
            Self::Unsatisfiable { similar: Some(similar), .. } => did_you_mean(Some(similar)),
            Self::Unsatisfiable { versions, .. } if versions.is_empty() => {
                Some("publish it first, or both together: `weir publish FOLDER FOLDER`".into())
            }
            Self::Unsatisfiable { versions, .. } => Some(format!("it offers: {}", versions.join(", "))),
            Self::UnknownPackage { similar, .. } => did_you_mean(similar.as_ref()),
            Self::UnknownVersion { versions, .. } => Some(there_are(versions)),
            Self::BakedCycle { .. } => Some("make one of the dependencies fluid: `fluid = true`".into()),
            Self::UnknownBuild { there, .. } => Some(there_are(there)),
            Self::SecondTree { .. } => Some(
                "a build that gives other bytes each time cannot be repeated: take what was built before, or change the recipe"
                    .into(),
            ),
            Self::Diamond { diamond, .. } => diamond_help(diamond),
            Self::WouldBreak { .. } => {
                Some("remove them in the same batch, or `weir yank` it instead".into())
            }
            Self::Refused(refusal) if refusal.decision.policy == "owner-claim" => {
                Some("somebody the owner belongs to can add you: `weir claim OWNER PEOPLE`".into())
            }
            Self::Keys(error) => error.help(),
            Self::Replica(error) => error.help(),
            _ => None,
        }
    }
}

/// What to build again so that two builds of one package no longer meet: whatever has the older one.
fn diamond_help(diamond: &weir_rules::diamond::Diamond) -> Option<String> {
    let standing = |path: &&Vec<ReleaseId>| path.last().map(|id| (id.version.clone(), id.revision));
    let mut paths = [&diamond.one, &diamond.other];
    paths.sort_by_key(standing);
    let [older, newer] = paths;
    let [.., user, _] = older.as_slice() else { return None };
    Some(format!("build `{}` again with `{}`, in the same batch", user.name, newer.last()?))
}

impl Verdict for StoreError {
    fn exit(&self) -> Exit {
        if self.is_integrity() { Exit::Integrity } else { Exit::Failed }
    }
}

impl Verdict for TreeError {
    fn exit(&self) -> Exit {
        if self.is_integrity() { Exit::Integrity } else { Exit::Failed }
    }
}

impl Verdict for ContentError {
    fn exit(&self) -> Exit {
        if self.is_integrity() { Exit::Integrity } else { Exit::Failed }
    }
}
