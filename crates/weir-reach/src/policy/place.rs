//! Where the policy set of a registry is kept: in its folder, or with the server that serves it.

use std::path::PathBuf;

use weir_cedar::{FolderPolicies, PolicyError, PolicyFile, PolicyFiles};
use weir_model::descriptor::PolicySummary;
use weir_policy::{Caller, Principal};
use weir_registry::{Registrar, ReplicaError, SetPolicy, folder_ports};
use weir_remote::{RemoteError, RemoteRegistry};
use weir_wire::policy::{PolicyDocument, PolicyText};

use crate::connect::open_remote;
use crate::error::ReachError;
use crate::registries::{KnownRegistry, is_http};
use crate::server::reach_server;
use crate::session::Session;

/// Where a policy set is kept.
pub(super) enum PolicyPlace {
    /// In the folder of the registry.
    Folder(PathBuf),
    /// With the server that serves the registry.
    Server(Box<RemoteRegistry>, String),
}

impl PolicyPlace {
    /// That of a registry.
    ///
    /// # Errors
    ///
    /// When there is none, or it is served as plain files only.
    pub(super) fn of(session: &Session, known: &KnownRegistry) -> Result<Self, ReachError> {
        if is_http(&known.location) {
            let remote = open_remote(session, &known.location).map_err(|error| match error {
                ReachError::Remote(RemoteError::OnlyFiles { .. }) => {
                    ReachError::PoliciesElsewhere { location: known.location.clone() }
                }
                error => error,
            })?;
            return Ok(Self::Server(Box::new(remote), known.location.clone()));
        }
        let root = PathBuf::from(&known.location);
        match root.is_dir() {
            true => Ok(Self::Folder(root)),
            false => Err(ReplicaError::NoRegistry(known.location.clone()).into()),
        }
    }

    /// Whether a server decides on what is done in a registry, beside its set. Without a network it is taken to be so of whatever is not a
    /// folder.
    pub(super) fn is_served(session: &Session, known: &KnownRegistry) -> Result<bool, ReachError> {
        if !is_http(&known.location) || session.offline {
            return Ok(is_http(&known.location));
        }
        match Self::of(session, known) {
            Ok(_) => Ok(true),
            Err(ReachError::PoliciesElsewhere { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The files of a registry's set, or why they are none of one, if they can be read from here: of a registry over HTTP they are for
    /// those who signed in.
    pub(super) fn files_if_readable(
        session: &Session,
        known: &KnownRegistry,
    ) -> Result<Option<Result<PolicyFiles, PolicyError>>, ReachError> {
        if session.offline && is_http(&known.location) {
            return Ok(None);
        }
        match Self::of(session, known).and_then(|place| place.files()) {
            Err(ReachError::PoliciesElsewhere { .. })
            | Err(ReachError::Remote(RemoteError::SignInNeeded { .. } | RemoteError::BadCredential { .. })) => {
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    /// Its files, or why they are none of a set.
    pub(super) fn files(&self) -> Result<Result<PolicyFiles, PolicyError>, ReachError> {
        match self {
            Self::Folder(root) => Ok(PolicyFiles::read(root)),
            Self::Server(remote, _) => {
                let files = remote.policy()?.files.into_iter();
                Ok(PolicyFiles::new(files.map(|PolicyText { name, text }| PolicyFile { name, text })))
            }
        }
    }

    /// Whether people are in groups that no set says.
    pub(super) fn has_groups(&self) -> bool {
        matches!(self, Self::Server(..))
    }

    /// Who acts there.
    pub(super) fn principal(&self, session: &Session) -> Result<Principal, ReachError> {
        match self {
            Self::Folder(_) => Ok(session.principal.clone()),
            Self::Server(_, location) => {
                Ok(reach_server(session, Some(location))?.server.whoami()?.principal())
            }
        }
    }

    /// Puts a set in force.
    pub(super) fn put(
        &self,
        session: &Session,
        files: &PolicyFiles,
        summary: &PolicySummary,
        lock_out: bool,
    ) -> Result<SetPolicy, ReachError> {
        match self {
            Self::Folder(root) => {
                let ports = folder_ports(root, &session.home.keys())?;
                let gate = Box::new(FolderPolicies::open(root));
                let registrar = Registrar::open(ports, &session.home.replicas(), gate)?;
                let caller = Caller::new(session.principal.clone(), session.now);
                let mut write = || files.write(root).map_err(std::io::Error::from);
                Ok(registrar.set_policy(&caller, summary, &mut write)?)
            }
            Self::Server(remote, _) => {
                let texts = files.all().map(|PolicyFile { name, text }| PolicyText { name, text });
                let done = remote.set_policy(&PolicyDocument { files: texts.collect(), lock_out })?;
                Ok(SetPolicy { before: done.before, changed: done.changed, policy: String::new() })
            }
        }
    }
}
