//! Deltas between the releases of a registry in a folder.

use std::path::Path;

use weir_registry::{DeltasMade, MakeDeltas};

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
    let known = find(session, project, which, folder)?;
    if is_http(&known.location) {
        return Err(ReachError::DeltasElsewhere { location: known.location });
    }
    if session.offline {
        return Err(Offline::needs(format!("asking the registry {}", known.location)).into());
    }
    Ok(open_folder(session, &known)?.make_deltas(what)?)
}
