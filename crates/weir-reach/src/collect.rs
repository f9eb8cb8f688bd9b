//! Collecting: what a registry need not hold leaves its storage.

use std::path::Path;

use weir_registry::{Collect, Collected};

use crate::air_gap::clear_imports;
use crate::connect::open_for_writing;
use crate::error::ReachError;
use crate::registries::{ManifestRegistries, find, is_http};
use crate::session::Session;

/// Takes out of a registry's storage what it need not hold.
///
/// # Errors
///
/// When the registry cannot be written to.
pub fn registry_gc(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    which: Option<&str>,
    folder: &Path,
    what: &Collect,
) -> Result<Collected, ReachError> {
    let known = find(session, project, which, folder)?;
    let registry = open_for_writing(session, &known)?;
    let collected = registry.collect(what)?;
    if !what.dry_run && !is_http(&known.location) {
        clear_imports(Path::new(&known.location))?;
    }
    Ok(collected)
}
