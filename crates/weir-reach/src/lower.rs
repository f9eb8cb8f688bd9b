//! A registry that others are above, where its folder is.

use std::path::Path;

use weir_policy::Caller;
use weir_registry::Registrar;

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
