//! Deltas between the releases of a registry in a folder, in the place of packs or beside them.

use std::path::Path;

use weir_registry::{Acting, Compact, Compacted, DeltasMade, MakeDeltas};

use crate::connect::open_folder;
use crate::error::{Offline, ReachError};
use crate::registries::{ManifestRegistries, find, is_http};
use crate::session::Session;

/// Makes the deltas between the newest releases of a registry and those before them.
///
/// # Errors
///
/// When it is not in a folder of this machine, or cannot be written to.
pub fn registry_deltas(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    which: Option<&str>,
    folder: &Path,
    what: &MakeDeltas,
) -> Result<DeltasMade, ReachError> {
    let elsewhere = |location| ReachError::DeltasElsewhere { location };
    Ok(in_folder(session, project, which, folder, elsewhere)?.make_deltas(what)?)
}

/// Keeps the old releases of a registry as deltas, or all of them whole again.
///
/// # Errors
///
/// When it is not in a folder of this machine, or cannot be written to.
pub fn registry_compact(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    which: Option<&str>,
    folder: &Path,
    what: &Compact,
) -> Result<Compacted, ReachError> {
    let elsewhere = |location| ReachError::CompactElsewhere { location };
    Ok(in_folder(session, project, which, folder, elsewhere)?.compact(what)?)
}

fn in_folder(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    which: Option<&str>,
    folder: &Path,
    elsewhere: impl FnOnce(String) -> ReachError,
) -> Result<Acting, ReachError> {
    let known = find(session, project, which, folder)?;
    if is_http(&known.location) {
        return Err(elsewhere(known.location));
    }
    if session.offline {
        return Err(Offline::needs(format!("asking the registry {}", known.location)).into());
    }
    open_folder(session, &known)
}
