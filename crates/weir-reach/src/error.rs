//! Why a registry is not reached.

use std::path::PathBuf;

use weir_model::PackageName;
use weir_model::record::Hold;
use weir_registry::{ReplicaError, SubmitError};
use weir_wire::upstream::Unreached;

/// What is wanted is not to be had while the machine is offline.
#[derive(Debug, thiserror::Error)]
pub enum Offline {
    /// Releases are not on this machine.
    #[error("{} not on this machine, which is offline: {}", if missing.len() == 1 { "a release is" } else { "some releases are" }, list(missing))]
    Lacks {
        /// They, in words.
        missing: Vec<String>,
    },
    /// Something else is not on this machine.
    #[error("{what} is not on this machine, which is offline")]
    LacksThing {
        /// It, in words.
        what: String,
    },
    /// Somebody would have to be asked.
    #[error("{what} needs a network, and this machine is offline")]
    Needs {
        /// For what, in words.
        what: String,
    },
}

impl Offline {
    /// One release is missing.
    pub fn lacks(what: impl Into<String>) -> Self {
        Self::Lacks { missing: vec![what.into()] }
    }

    /// Something that is no release is missing.
    pub fn lacks_thing(what: impl Into<String>) -> Self {
        Self::LacksThing { what: what.into() }
    }

    /// It cannot be done without a network.
    pub fn needs(what: impl Into<String>) -> Self {
        Self::Needs { what: what.into() }
    }
}

fn list(items: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut shown: Vec<String> = items.iter().take(SHOWN).map(|item| format!("`{item}`")).collect();
    if items.len() > SHOWN {
        shown.push(format!("{} more", items.len() - SHOWN));
    }
    shown.join(", ")
}

fn cases(failed: &[weir_cedar::CaseResult]) -> String {
    const SHOWN: usize = 10;
    let mut lines: Vec<String> = failed
        .iter()
        .take(SHOWN)
        .map(|case| {
            format!("{}: \"{}\": {} is expected, not {}", case.file, case.name, case.expected, case.decided)
        })
        .collect();
    if failed.len() > SHOWN {
        lines.push(format!("{} more", failed.len() - SHOWN));
    }
    lines.join("\n")
}

fn holds(held: &[Hold]) -> String {
    const SHOWN: usize = 3;
    let mut shown: Vec<String> = held.iter().take(SHOWN).map(ToString::to_string).collect();
    if held.len() > SHOWN {
        shown.push(format!("and {} more", held.len() - SHOWN));
    }
    shown.join("; ")
}

impl ReachError {
    /// Whether a registry was reached, and what it says is not what it must be.
    pub fn is_unbelieved(&self) -> bool {
        match self {
            Self::Replica(error) => error.is_unbelieved(),
            Self::Foreign { error, .. } => error.is_unbelieved(),
            Self::AboveNotAsked { upstreams } => upstreams.iter().any(|one| one.unbelieved),
            _ => false,
        }
    }
}

fn unreached(upstreams: &[Unreached]) -> String {
    upstreams.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Why a registry is not known, not reached, or not believed.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// The user's configuration is wrong.
    #[error("`{}`: {reason}", path.display())]
    Config {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No registry is known.
    #[error("no registry is known for {wanted}")]
    NoRegistry {
        /// For what one is wanted, in words.
        wanted: String,
    },
    /// It is something that only a server does.
    #[error("the registry `{registry}` is a folder or plain files, and this takes a server")]
    NotServed {
        /// Which one.
        registry: String,
    },
    /// A registry was named that is not known.
    #[error("no registry is named `{name}`")]
    UnknownRegistry {
        /// What was asked for.
        name: String,
        /// The one that may have been meant.
        similar: Option<String>,
    },
    /// A registry cannot be known by such a name.
    #[error("`{name}` is not a name for a registry: letters, digits, `-` and `_` are")]
    BadName {
        /// What was given.
        name: String,
    },
    /// A registry's address is not one.
    #[error("`{address}` is not the address of a registry: {reason}")]
    BadAddress {
        /// What was given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The key of a registry is where the registry is.
    #[error("the key of the registry at `{location}` is kept where its folder is")]
    KeyElsewhere {
        /// Its address.
        location: String,
    },
    /// Deltas are made where a registry is kept.
    #[error(
        "the deltas between the releases of `{location}` are made where it is kept; a server makes them when somebody first asks"
    )]
    DeltasElsewhere {
        /// Its address.
        location: String,
    },
    /// Packs of a registry that is not in a folder of this machine are to be kept otherwise.
    #[error("how the packs of `{location}` are kept is decided where its folder is")]
    CompactElsewhere {
        /// Its address.
        location: String,
    },
    /// A credential cannot be used.
    #[error("{reason}")]
    Credential {
        /// Why not; the secret is not in it.
        reason: String,
    },
    /// A server did not do what it was asked.
    #[error(transparent)]
    Remote(#[from] weir_remote::RemoteError),
    /// A package is not there.
    #[error("there is no package `{name}` in {place}")]
    UnknownPackage {
        /// What was asked for.
        name: PackageName,
        /// Where it was looked for, in words.
        place: String,
        /// A name that may have been meant.
        similar: Option<String>,
    },
    /// All that a registry knows of a package, or of a version of it, is kept out by its policy.
    #[error("nothing of `{name}` is let into {place} that would do: {}", holds(held))]
    OnlyHeld {
        /// The package.
        name: PackageName,
        /// The registry, in words.
        place: String,
        /// What is kept out, the newest first.
        held: Vec<Hold>,
    },
    /// A registry further up could not be asked, or was not believed.
    #[error("{}", unreached(upstreams))]
    AboveNotAsked {
        /// Which did not reach which, and why.
        upstreams: Vec<Unreached>,
    },
    /// A version is not there.
    #[error("there is no version {version} of `{name}` in {place}")]
    UnknownVersion {
        /// The package.
        name: PackageName,
        /// What was asked for.
        version: String,
        /// Where it was looked for, in words.
        place: String,
        /// The versions there are.
        versions: Vec<String>,
    },
    /// A file that the user named is not there.
    #[error("`{}` is not there", path.display())]
    NoFile {
        /// What was named.
        path: PathBuf,
    },
    /// A folder was named where a file is wanted.
    #[error("`{}` is a folder, and a file is wanted", path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
    /// A file is where one is to be written, and is something else.
    #[error("`{}` is there already, and is no export of a registry: it stays as it is", path.display())]
    InTheWay {
        /// What was named.
        path: PathBuf,
    },
    /// The policy files of a registry that is read from elsewhere are not seen from here.
    #[error("the policy files of `{location}` are in its folder, which cannot be seen from here")]
    PoliciesElsewhere {
        /// Its address.
        location: String,
    },
    /// Files are no policy set.
    #[error("there is no policy set in these files:\n{0}")]
    Policy(#[from] weir_cedar::PolicyError),
    /// A policy set does not decide as its cases say.
    #[error("the set does not decide as its cases say:\n{}", cases(failed))]
    PolicyCases {
        /// The cases that fail.
        failed: Vec<weir_cedar::CaseResult>,
    },
    /// Whoever puts a policy set in force could not change it again.
    #[error("`{who}` could not change the policies again: {reason} (policy `{rule}`)")]
    PolicyLocksOut {
        /// Who puts it in force.
        who: String,
        /// The rule that decides.
        rule: String,
        /// Why.
        reason: String,
    },
    /// What was asked of a registry could not be admitted.
    #[error("`{registry}` admitted nothing from above: {reason}")]
    NotAdmitted {
        /// The registry.
        registry: String,
        /// Why not.
        reason: String,
    },
    /// A registry above that is none of Weir's was not reached, or is not what it must be.
    #[error("{error}")]
    Foreign {
        /// Where it is.
        location: String,
        /// What is wrong.
        error: Box<weir_upstream::ForeignError>,
    },
    /// A registry that is none of Weir's is only read from.
    #[error("`{location}` is no registry of Weir's: {reason}")]
    NotWeirs {
        /// Where it is.
        location: String,
        /// What cannot be done for that, in words.
        reason: String,
    },
    /// A file that carries a registry cannot be used, or not be written.
    #[error("`{}`: {error}", file.display())]
    Carried {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        error: weir_registry::CarriedError,
    },
    /// What was carried here is of a registry that is not above.
    #[error("`{}` is of the registry `{upstream}`, which is not above `{registry}`", file.display())]
    NotAbove {
        /// The file.
        file: PathBuf,
        /// The registry that it is of.
        upstream: String,
        /// The registry that it was to come into.
        registry: String,
    },
    /// Something between what is known and what was carried here is missing.
    #[error(
        "the file begins with the record {since} of `{upstream}`, and what is known here ends before the record {known}"
    )]
    Gap {
        /// The registry that it is of.
        upstream: String,
        /// Records that are known here.
        known: u64,
        /// The first record in the file.
        since: u64,
    },
    /// More was carried here before.
    #[error(
        "the file has the records of `{upstream}` up to {size}, and those up to {known} were imported already: it is an older one, and brings nothing"
    )]
    Older {
        /// The registry that it is of.
        upstream: String,
        /// Records that are known here.
        known: u64,
        /// Records of which the file is.
        size: u64,
    },
    /// A registry has not so many records.
    #[error("the registry `{registry}` has {size} records, and nothing since the record {since}")]
    NoSuchRecord {
        /// The registry.
        registry: String,
        /// The record that was asked for.
        since: u64,
        /// How many it has.
        size: u64,
    },
    /// Nobody has said where an upstream is.
    #[error("the registry `{registry}` does not say where its upstream `{upstream}` is reached")]
    NoAddress {
        /// The registry below.
        registry: String,
        /// The one above it.
        upstream: String,
    },
    /// The machine is offline.
    #[error(transparent)]
    Offline(#[from] Offline),
    /// A registry could not be followed.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    /// A registry refused to be changed.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// A registry's content cannot be used.
    #[error(transparent)]
    Content(#[from] weir_registry::content::ContentError),
    /// The view of a registry cannot be read.
    #[error(transparent)]
    Index(#[from] weir_index::IndexError),
    /// A file of a registry cannot be read.
    #[error(transparent)]
    Source(#[from] weir_log::SourceError),
    /// What was given as a key is none.
    #[error(transparent)]
    Key(#[from] weir_log::KeyError),
    /// A file of this machine cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
