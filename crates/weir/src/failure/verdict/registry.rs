//! Registries: reading them, believing them, changing them; and the store and the trees that come from them.

use weir_index::{FoldError, SnapshotError};
use weir_log::{Distrust, FollowError, ProxyProblem, SourceError, WriteError};
use weir_model::ReleaseId;
use weir_reach::{Offline, ReachError};
use weir_registry::content::ContentError;
use weir_registry::{CarriedError, KeysError, OpenError, PortError, ReplicaError, SubmitError, TrustError};
use weir_remote::RemoteError;
use weir_site::SiteError;
use weir_store::StoreError;
use weir_tree::TreeError;
use weir_upstream::ForeignError;

use super::server::{PRIVATE_PERHAPS, exit_of};
use super::{Exit, Verdict, did_you_mean, there_are};

impl Verdict for Offline {
    fn exit(&self) -> Exit {
        Exit::NotFound
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Lacks { .. } => {
                "run it once without `--offline`, or bring them with `weir store import FILE`; `weir prefetch` fetches ahead what is likely to be wanted".into()
            }
            Self::LacksThing { .. } => {
                "run it once without `--offline`, or bring them with `weir store import FILE`".into()
            }
            Self::Needs { .. } => "run it without `--offline`".into(),
        })
    }
}

impl Verdict for SiteError {
    fn exit(&self) -> Exit {
        match self {
            Self::Taken(_) => Exit::Conflict,
            Self::Fs(error) => error.exit(),
            Self::Io(error) => error.exit(),
            Self::Index(_) | Self::Page(_) | Self::Json(_) | Self::Name(_) => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Taken(_) => {
                Some("name a folder that is empty or not there, or one that this command wrote".into())
            }
            _ => None,
        }
    }
}

/// What to do about something that a rule keeps out.
pub(super) const HELD: &str = "`weir registry held` lists all that is kept out. The policy of the registry that keeps it out decides: under another one, the next who asks gets it";

impl Verdict for ReachError {
    fn exit(&self) -> Exit {
        match self {
            Self::BadName { .. }
            | Self::BadAddress { .. }
            | Self::NotAFile { .. }
            | Self::Key(_)
            | Self::DeltasElsewhere { .. }
            | Self::CompactElsewhere { .. } => Exit::Usage,
            Self::InTheWay { .. } => Exit::Conflict,
            Self::NoRegistry { .. }
            | Self::UnknownRegistry { .. }
            | Self::UnknownPackage { .. }
            | Self::UnknownVersion { .. }
            | Self::NoAddress { .. }
            | Self::NoFile { .. } => Exit::NotFound,
            Self::Offline(error) => error.exit(),
            Self::Replica(error) => error.exit(),
            Self::Submit(error) => error.exit(),
            Self::Content(error) => error.exit(),
            Self::Source(error) => error.exit(),
            Self::Io(error) => error.exit(),
            Self::Credential { .. } | Self::KeyElsewhere { .. } => Exit::Refused,
            Self::Remote(error) => error.exit(),
            Self::PolicyLocksOut { .. } | Self::NotServed { .. } | Self::OnlyHeld { .. } => Exit::Refused,
            Self::Carried { error, .. } => error.exit(),
            Self::Foreign { error, .. } => error.exit(),
            Self::NotWeirs { .. } => Exit::Usage,
            Self::NotAbove { .. } | Self::Gap { .. } | Self::NoSuchRecord { .. } => Exit::NotFound,
            Self::AboveNotAsked { upstreams } if upstreams.iter().any(|one| one.unbelieved) => {
                Exit::Integrity
            }
            Self::AboveNotAsked { .. }
            | Self::Older { .. }
            | Self::Config { .. }
            | Self::NotAdmitted { .. }
            | Self::PoliciesElsewhere { .. }
            | Self::Policy(_)
            | Self::PolicyCases { .. }
            | Self::Index(_) => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Key(_) => Some("`weir registry show` tells it where the registry is".into()),
            Self::InTheWay { .. } => Some("name another file, or move that one away".into()),
            Self::NoRegistry { .. } => Some(
                "name one: `weir registry add NAME FOLDER-OR-ADDRESS --default`, or make one: `weir registry init FOLDER`"
                    .into(),
            ),
            Self::UnknownRegistry { similar, .. } => did_you_mean(similar.as_ref())
                .or_else(|| Some("`weir registry list` shows those that are known".into())),
            Self::KeyElsewhere { .. } => Some("run it there".into()),
            Self::CompactElsewhere { .. } => Some(
                "run `weir registry compact FOLDER` there; of a registry of `weir serve` that is `registries/NAME` below its data, as the server's user"
                    .into(),
            ),
            Self::NoAddress { upstream, .. } => Some(format!(
                "whoever keeps the registry says it: `weir registry upstream add FOLDER-OR-ADDRESS` with that of `{upstream}`"
            )),
            Self::NotServed { .. } => Some("`weir serve` serves a folder of registries".into()),
            Self::Remote(error) => error.help(),
            Self::PoliciesElsewhere { .. } => {
                Some("do it where its folder is: `--registry FOLDER`; `weir policy show` tells which set is in force".into())
            }
            Self::PolicyLocksOut { .. } => Some(
                "permit yourself `govern`, perhaps by a group in `groups.toml`; or `--lock-out`, if that is what you want".into(),
            ),
            Self::UnknownPackage { similar, .. } => {
                did_you_mean(similar.as_ref()).or_else(|| Some("`weir search WORDS` finds packages".into()))
            }
            Self::UnknownVersion { versions, .. } => Some(there_are(versions)),
            Self::NotAbove { .. } => Some(
                "`--key KEY` names it as an upstream, believed by that key: `weir registry show` tells it there".into(),
            ),
            Self::Gap { known, .. } => {
                Some(format!("have it written from there on: `weir registry export FILE --since {known}`"))
            }
            Self::Older { .. } => Some("import the newest; each begins where the one before ended".into()),
            Self::NoSuchRecord { .. } => {
                Some("`--since` is the number that the last import told on the other side".into())
            }
            Self::OnlyHeld { .. } => Some(HELD.into()),
            Self::AboveNotAsked { upstreams } if upstreams.iter().any(|one| one.unbelieved) => Some(
                "nothing of it came in. Keep what is told here: it is the evidence. Ask whoever keeps the registry that is not believed".into(),
            ),
            Self::AboveNotAsked { .. } => {
                Some("what is missing may be there: try again, or ask whoever keeps those registries".into())
            }
            Self::Foreign { location, error } => match &**error {
                ForeignError::Changed { .. } => Some(format!(
                    "what was admitted stays. If whoever keeps it says that this is right, name it once more: `weir registry upstream add {location}`"
                )),
                ForeignError::Unreached(error) => error.help(),
                _ => None,
            },
            Self::Offline(error) => error.help(),
            Self::Replica(error) => error.help(),
            Self::Submit(error) => error.help(),
            Self::Source(error) => error.help(),
            _ => None,
        }
    }
}

impl Verdict for ForeignError {
    fn exit(&self) -> Exit {
        match self {
            Self::Unreached(error) => error.exit(),
            Self::Changed { .. } | Self::Different { .. } | Self::Unusable { .. } => Exit::Integrity,
            Self::Release { error, .. } => error.exit(),
            Self::Submit(error) => error.exit(),
            Self::Io(error) => error.exit(),
            Self::Gone { .. } => Exit::NotFound,
            Self::Unreadable { .. } | Self::GaveUp(_) => Exit::Failed,
        }
    }
}

impl Verdict for CarriedError {
    fn exit(&self) -> Exit {
        match self {
            Self::Unusable(_) | Self::WrongContent { .. } | Self::Missing { .. } => Exit::Integrity,
            Self::Newer(_) => Exit::Failed,
            Self::Source(error) => error.exit(),
            Self::Content(error) => error.exit(),
            Self::Io(error) => error.exit(),
        }
    }
}

impl Verdict for SourceError {
    fn exit(&self) -> Exit {
        match self {
            Self::Refused { .. }
            | Self::Proxy { problem: ProxyProblem::AsksForPassword | ProxyProblem::Refused { .. }, .. } => {
                Exit::Refused
            }
            Self::NotReadable { .. }
            | Self::TooLarge { .. }
            | Self::Timeout { .. }
            | Self::Untrusted { .. }
            | Self::Status { .. }
            | Self::Proxy { problem: ProxyProblem::Unreachable(_), .. } => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Untrusted { why, .. } => help_about_distrust(why),
            Self::Refused { status: 401, shown: true, .. } => {
                Some("it may have ended, or be another server's: `weir login` signs you in anew".into())
            }
            Self::Refused { status: 401, .. } => {
                Some("`weir login` signs you in; or ask whoever runs the server".into())
            }
            Self::Refused { .. } => Some("ask whoever runs the server whether it is open to you".into()),
            Self::Proxy { problem, .. } => Some(match problem {
                ProxyProblem::AsksForPassword => {
                    "write `USER:PASSWORD@` before the host in the variable that names the proxy: `HTTPS_PROXY`, `HTTP_PROXY` or `ALL_PROXY`".into()
                }
                ProxyProblem::Refused { .. } | ProxyProblem::Unreachable(_) => {
                    "`HTTPS_PROXY`, `HTTP_PROXY` or `ALL_PROXY` names the proxy; `NO_PROXY` lists the hosts that are reached without it".into()
                }
            }),
            Self::Timeout { .. } => {
                Some("try again, or wait longer: `timeout = SECONDS` under `[http]` in `config.toml`".into())
            }
            _ => None,
        }
    }
}

/// What to do about a server that is not believed to be the one that was asked.
fn help_about_distrust(why: &Distrust) -> Option<String> {
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

impl Verdict for FollowError {
    fn exit(&self) -> Exit {
        match self {
            error if error.is_integrity() => Exit::Integrity,
            Self::NoLog { .. } => Exit::NotFound,
            Self::Source(error) => error.exit(),
            Self::Sink { error, .. } => error.downcast_ref::<FoldError>().map_or(Exit::Failed, Verdict::exit),
            _ => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Rollback { .. } | Self::Fork { .. } | Self::Tampered { .. } => Some(
                "nothing was changed on this machine. Keep the two checkpoints: they are the evidence. Ask whoever runs the registry".into(),
            ),
            Self::Source(error) => error.help().or_else(|| match error {
                SourceError::NotReadable { what, .. } if weir_reach::is_http(what) => Some(
                    "where there is no network, most commands go by what this machine knows and has: `--offline`".into(),
                ),
                _ => None,
            }),
            Self::Frozen { .. } => Some(
                "the copy you read stands still: try another address, or `weir registry renew` where the registry is".into(),
            ),
            _ => None,
        }
    }
}

impl Verdict for FoldError {
    fn exit(&self) -> Exit {
        if self.is_integrity() { Exit::Integrity } else { Exit::Failed }
    }
}

impl Verdict for SnapshotError {
    fn exit(&self) -> Exit {
        match self {
            error if error.is_integrity() => Exit::Integrity,
            Self::Io(error) => error.exit(),
            _ => Exit::Failed,
        }
    }
}

impl Verdict for WriteError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoLog { .. } => Exit::NotFound,
            Self::Exists { .. } => Exit::Conflict,
            Self::Source(error) => error.exit(),
            Self::Damaged { .. } => Exit::Integrity,
            _ => Exit::Failed,
        }
    }
}

impl Verdict for ReplicaError {
    fn exit(&self) -> Exit {
        match self {
            unbelieved if unbelieved.is_unbelieved() => Exit::Integrity,
            Self::NoRegistry(_) | Self::NeverSynced(_) => Exit::NotFound,
            Self::Source(error) => error.exit(),
            Self::Io(error) | Self::Trust(TrustError::Io(error)) => error.exit(),
            Self::Index(_) => Exit::Failed,
            Self::Follow(error) => error.exit(),
            Self::Fold(error) => error.exit(),
            Self::LoadSnapshot(error) => error.exit(),
            Self::Unproven {
                error: weir_log::ProofError::Tile(weir_log::TileError::Source(error)), ..
            } => error.exit(),
            Self::NotAsElsewhere { error, .. } => error.exit(),
            Self::NotAsBelow { .. } => Exit::Integrity,
            Self::Descriptor { .. } | Self::Trust(_) | Self::Snapshot { .. } | Self::Unproven { .. } => {
                Exit::Failed
            }
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Source(error) => error.help(),
            Self::NoRegistry(place) if weir_reach::is_http(place) => {
                Some(PRIVATE_PERHAPS.into())
            }
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
            Self::NotAsBelow { .. } => Some(
                "nothing of it was admitted. Ask whoever runs it: if it was put back from an old copy, what was lost has to come back; if another registry takes its place, `weir registry upstream add ADDRESS --key KEY` says so".into(),
            ),
            Self::NotAsElsewhere { other, .. } => Some(format!(
                "what was withdrawn since is offered by a copy that was put aside: use the registry at `{other}`, or bring the copy up to date"
            )),
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
            Self::Refused(_)
            | Self::NeedsApproval { .. }
            | Self::BeyondQuota(_)
            | Self::BadPromotion { .. }
            | Self::QuarantinedContent { .. }
            | Self::KindNotTaken { .. }
            | Self::DraftDiffers { .. }
            | Self::AdvisoryDiffers { .. }
            | Self::NoAdvisory { .. }
            | Self::NoRelease { .. } => Exit::Refused,
            Self::AlreadyPublished { .. }
            | Self::WasRemoved { .. }
            | Self::OtherKind { .. }
            | Self::Confusable { .. }
            | Self::BakedCycle { .. }
            | Self::Diamond { .. }
            | Self::WouldBreak { .. }
            | Self::OtherTier { .. }
            | Self::ClaimedAbove { .. }
            | Self::NotAdopted { .. }
            | Self::BuiltWithOther { .. }
            | Self::NoUpstream { .. } => Exit::Conflict,
            Self::NotProven { .. } | Self::Proof(_) => Exit::Integrity,
            Self::Remote(refusal) => exit_of(refusal.code),
            Self::Unreachable(error) => error.exit(),
            Self::Elsewhere(error) => error.downcast_ref::<RemoteError>().map_or(Exit::Failed, Verdict::exit),
            Self::Unsatisfiable { versions, .. } if versions.is_empty() => Exit::NotFound,
            Self::Unsatisfiable { .. } | Self::BakedMissing { .. } => Exit::NoResolution,
            Self::UnknownPackage { .. }
            | Self::UnknownVersion { .. }
            | Self::UnknownBuild { .. }
            | Self::UnknownUpstream { .. }
            | Self::UnknownAdvisory { .. } => Exit::NotFound,
            Self::SecondTree { .. } | Self::OtherPolicies(_) => Exit::Integrity,
            Self::BadWords { .. } => Exit::Usage,
            Self::Replica(error) => error.exit(),
            Self::Open(error) => error.exit(),
            Self::Keys(error) => error.exit(),
            Self::Content(error) => error.exit(),
            Self::Fold(error) => error.exit(),
            Self::Snapshot(error) => error.exit(),
            Self::Write(error) | Self::Port(PortError::Write(error)) => error.exit(),
            Self::Io(error) | Self::Port(PortError::Io(error)) => error.exit(),
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
            Self::Unsatisfiable { versions, similar, .. } if versions.is_empty() => {
                let meant = did_you_mean(similar.as_ref()).map(|meant| format!("{meant} If not, ")).unwrap_or_default();
                Some(format!("{meant}publish it first, or both together: `weir publish FOLDER FOLDER`. What a registry above has comes down when it is installed: `weir add` in any project"))
            }
            Self::Unsatisfiable { versions, .. } => Some(format!("it offers: {}", versions.join(", "))),
            Self::NeedsApproval { .. } => {
                Some("in a folder nobody can approve anything: serve the registry, `weir serve`, and promote there".into())
            }
            Self::BakedMissing { .. } => Some("promote that first, or both together".into()),
            Self::UnknownPackage { similar, .. } => did_you_mean(similar.as_ref()),
            Self::UnknownVersion { versions, .. } => Some(there_are(versions)),
            Self::BakedCycle { .. } => Some(
                "make one of the dependencies fluid: `fluid = true`; packages of Elm cannot need one another at all".into(),
            ),
            Self::UnknownBuild { there, .. } => Some(there_are(there)),
            Self::OtherTier { name, tier: weir_index::Tier::Above(_), upstream: None } => Some(format!(
                "if you mean to take it over, `weir registry adopt {name}` keeps it here from now on"
            )),
            Self::ClaimedAbove { name, .. } => Some(format!(
                "`weir unpublish` takes out what came from above; `weir registry adopt {name}` keeps that package here"
            )),
            Self::UnknownUpstream { there, .. } if there.is_empty() => {
                Some("`weir registry upstream add FOLDER-OR-ADDRESS` names one".into())
            }
            Self::UnknownUpstream { there, .. } => Some(there_are(there)),
            Self::BeyondQuota(beyond) => Some(match &beyond.owner {
                Some(owner) => format!(
                    "`weir storage {owner}` tells what holds how much, and `weir unpublish` takes out what need not stay; whoever keeps the registry can allow more: `weir storage {owner} --limit SIZE`"
                ),
                None => "`weir storage` tells who holds how much; whoever keeps the registry can allow more: `weir storage --limit SIZE`".into(),
            }),
            Self::UnknownAdvisory { .. } => Some("`weir advisory list` shows those that it knows".into()),
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
            Self::Refused(refusal) if !matches!(&*refusal.decision.policy, "token-scope" | "policy-files") => {
                Some("`weir policy explain` says what would have to be otherwise".into())
            }
            Self::OtherPolicies(_) => Some(
                "look at the files in `policy`, then put them, or others, in force: `weir policy set FILE…`".into(),
            ),
            Self::Keys(error) => error.help(),
            Self::Replica(error) => error.help(),
            Self::Unreachable(error) => error.help(),
            Self::Elsewhere(error) => error.downcast_ref::<RemoteError>().and_then(Verdict::help),
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
        match self {
            error if error.is_integrity() => Exit::Integrity,
            Self::Tree { source, .. } | Self::Derived { source, .. } | Self::Folder { source, .. } => {
                source.exit()
            }
            Self::Io { source, .. } => source.exit(),
            _ => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::ReadOnly { .. } => Some(
                "`WEIR_HOME` names another folder for all that Weir keeps, and `WEIR_STORE` one for the store alone".into(),
            ),
            Self::DiskFull { .. } => Some("`weir store gc` removes from the store what no project uses".into()),
            _ => None,
        }
    }
}

impl Verdict for TreeError {
    fn exit(&self) -> Exit {
        match self {
            Self::Io { source, .. } | Self::PackRead { source } | Self::PackWrite { source } => source.exit(),
            error if error.is_integrity() => Exit::Integrity,
            _ => Exit::Failed,
        }
    }
}

impl Verdict for ContentError {
    fn exit(&self) -> Exit {
        match self {
            Self::Source(error) => error.exit(),
            Self::Io(error) => error.exit(),
            error if error.is_integrity() => Exit::Integrity,
            Self::BadPack { reason, .. } => reason.exit(),
            _ => Exit::Failed,
        }
    }
}
