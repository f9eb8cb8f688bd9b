//! Collecting: what a registry need not hold leaves its storage.

use std::path::Path;

use weir_registry::{Collect, Collected};

use crate::connect::open_for_writing;
use crate::error::ReachError;
use crate::registries::{ManifestRegistries, find};
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
    Ok(registry.collect(what)?)
}
