//! The table of kinds. To add an ecosystem is to add a crate and a row.

use weir_kind::{Generic, Kind};
use weir_model::KindName;

use crate::error::ProjectError;

/// Every kind this program knows how to lay out and to publish.
pub static KINDS: &[&dyn Kind] = &[&Generic, &weir_bash::Bash, &weir_data::Data, &weir_native::Native];

/// The kind of that name.
///
/// # Errors
///
/// When this program does not know how to handle it.
pub fn kind(name: KindName) -> Result<&'static dyn Kind, ProjectError> {
    KINDS.iter().copied().find(|kind| kind.name() == name).ok_or_else(|| {
        ProjectError::Usage(format!("packages of the kind `{name}` are not handled by this version of weir"))
    })
}
