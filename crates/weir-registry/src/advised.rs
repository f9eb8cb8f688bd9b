//! What advisories know against releases, as rules are told it; and that an advisory says what its document says.

use std::io::Read as _;

use weir_index::{Index, IndexError, KnownAdvisory};
use weir_model::advisory::{Advisory, LONGEST_DOCUMENT, Severity};
use weir_model::{PackageName, ReleaseId, Sha256};
use weir_rules::worst;

use crate::content::ContentError;
use crate::error::SubmitError;
use crate::ports::{Object, Objects};

/// How bad the worst is that is known against a release, if anything is: by what this registry knows, and of one that is to come from
/// `above` also by what that one knows, unless it was decided here.
///
/// # Errors
///
/// When a view cannot be read.
pub fn advised(own: &Index, above: Option<&Index>, id: &ReleaseId) -> Result<Option<Severity>, IndexError> {
    let mut known: Vec<Advisory> =
        own.advisories_of(&id.name)?.into_iter().map(|known| known.advisory).collect();
    for there in above.map_or_else(|| Ok(Vec::new()), |above| above.advisories_of(&id.name))? {
        if !own.advisory(&there.advisory.id)?.iter().any(KnownAdvisory::is_decided_here) {
            known.push(there.advisory);
        }
    }
    Ok(worst(&known, &id.name, &id.version))
}

/// How much of what a document says is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// All of it.
    All,
    /// What it says of some packages: of those that come from the registry that told it.
    SomePackages,
}

/// Refuses what is said of an advisory if its document says otherwise. A document that is not held is none of its business.
pub(crate) fn refuse_other_than_held(
    objects: &dyn Objects,
    advisory: &Advisory,
    repeats: Repeats,
) -> Result<(), SubmitError> {
    let id = || advisory.id.clone();
    match held(objects, &advisory.document)? {
        None => Ok(()),
        Some(bytes) => match Advisory::from_osv(&bytes) {
            Ok(mut derived) => {
                let is_told = |name: &PackageName| advisory.affected.iter().any(|told| told.name == *name);
                derived.affected.retain(|one| repeats == Repeats::All || is_told(&one.name));
                if derived == *advisory { Ok(()) } else { Err(SubmitError::AdvisoryDiffers { id: id() }) }
            }
            Err(error) => Err(SubmitError::NoAdvisory { id: id(), error }),
        },
    }
}

/// The document of an advisory, if it is held.
pub(crate) fn held(objects: &dyn Objects, document: &Sha256) -> Result<Option<Vec<u8>>, ContentError> {
    let Some(bytes) = objects.open(Object::File(*document), 0)? else { return Ok(None) };
    let mut held = Vec::new();
    bytes.take(LONGEST_DOCUMENT + 1).read_to_end(&mut held)?;
    Ok(Some(held))
}
