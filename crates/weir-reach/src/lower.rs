//! A registry that others are above, where its folder is.

use std::path::Path;

use weir_policy::Caller;
use weir_registry::{Followed, Registrar};
use weir_remote::{RemoteError, RemoteRegistry};
use weir_upstream::Above;
use weir_wire::upstream::{Newer, UpstreamDocument};

use crate::connect::{Connection, open_remote};
use crate::error::ReachError;
use crate::foreign;
use crate::session::Session;

/// A registry in a folder that others are above, and for whom they are asked.
#[derive(Clone, Copy)]
pub struct Lower<'a> {
    /// What the run of the program has.
    pub session: &'a Session,
    /// What writes to the registry.
    pub registrar: &'a Registrar,
    /// Its folder.
    pub root: &'a Path,
    /// For whom something is admitted or brought.
    pub caller: &'a Caller,
}

/// A registry above another, as it was reached, or why it was not.
pub(crate) fn above<'c>(
    document: &UpstreamDocument,
    reached: Result<&'c Connection, String>,
    newer: Vec<Newer>,
) -> Above<'c> {
    Above {
        name: document.name.clone(),
        mode: document.mode,
        only: document.only.clone(),
        newer,
        followed: reached.map(|connection| Followed {
            replica: &connection.replica,
            is_transcript: foreign::is_transcript(&connection.known.location),
            source: &*connection.source,
        }),
    }
}

/// The registries that something is asked for through, with one more.
pub(crate) fn passed_on(via: &[String], registry: &str) -> Vec<String> {
    via.iter().cloned().chain([registry.to_owned()]).collect()
}

/// Asks a served registry for something about what is above it, or tells in words why it cannot be asked: it must be able to do `feature`.
///
/// # Errors
///
/// When it is not reached, or answers an error.
pub(crate) fn asked_of_server<T>(
    session: &Session,
    location: &str,
    feature: &str,
    ask: impl FnOnce(&RemoteRegistry) -> Result<T, RemoteError>,
) -> Result<Result<T, String>, ReachError> {
    let remote = match open_remote(session, location) {
        Err(ReachError::Remote(RemoteError::OnlyFiles { .. })) => {
            return Ok(Err("it is served as plain files".into()));
        }
        remote => remote?,
    };
    if !remote.capabilities().features.iter().any(|one| one == feature) {
        return Ok(Err("its server cannot be asked".into()));
    }
    match ask(&remote) {
        Err(RemoteError::SignInNeeded { .. }) => {
            Ok(Err("only who has signed in is answered: `weir login`".into()))
        }
        answered => Ok(Ok(answered?)),
    }
}
