//! What a registry above knows against packages of its own is known here too, and what it dismisses counts no more.
//!
//! What was told or dismissed here by somebody's own decision stays as it is. What is about packages of which nothing came from there is
//! none of this registry's business yet: it comes with the first release of such a package.

use std::collections::{BTreeMap, BTreeSet};

use weir_index::{Index, IndexError, KnownAdvisory};
use weir_log::Source;
use weir_model::advisory::{AdvisoryId, LONGEST_DOCUMENT};
use weir_model::record::{Advice, Dismissal};
use weir_model::{Action, PackageName, Sha256};
use weir_policy::Authorized;

use crate::content::file_path;
use crate::error::SubmitError;
use crate::ports::{Object, Objects};

/// What is to be said here of what the registry `upstream`, whose view is `above`, knows. Releases of `coming` are admitted with it.
pub(super) fn heard(
    own: &Index,
    above: &Index,
    upstream: &str,
    coming: &BTreeSet<&PackageName>,
) -> Result<Vec<Action>, IndexError> {
    let cursors = own.facts()?.cursors;
    let seen = cursors.iter().find(|cursor| cursor.registry == upstream).map_or(0, |cursor| cursor.size);
    let mut told: BTreeMap<AdvisoryId, KnownAdvisory> = BTreeMap::new();
    for known in above.advisories_since(seen, usize::MAX)? {
        told.insert(known.advisory.id.clone(), known);
    }
    for name in coming {
        for known in above.advisories_of(name)? {
            told.insert(known.advisory.id.clone(), known);
        }
    }
    let mut due = Vec::new();
    for there in told.into_values() {
        due.extend(follow(own, there, upstream, coming)?);
    }
    Ok(due)
}

fn follow(
    own: &Index,
    there: KnownAdvisory,
    upstream: &str,
    coming: &BTreeSet<&PackageName>,
) -> Result<Option<Action>, IndexError> {
    let here = own.advisory(&there.advisory.id)?;
    let from = Some(upstream.to_owned());
    if let Some(here) = &here
        && (here.from != from || here.dismissed.as_ref().is_some_and(|dismissed| dismissed.from.is_none()))
    {
        return Ok(None);
    }
    if let Some(dismissed) = there.dismissed {
        let counts = here.is_some_and(|here| here.dismissed.is_none());
        let dismissal = Dismissal { id: there.advisory.id, reason: dismissed.reason, from };
        return Ok(counts.then_some(Action::Dismiss(dismissal)));
    }
    match here {
        Some(here) if here.dismissed.is_none() && here.advisory == there.advisory => return Ok(None),
        Some(_) => {}
        None if concerns(own, &there, upstream, coming)? => {}
        None => return Ok(None),
    }
    Ok(Some(Action::Advise(Box::new(Advice { advisory: there.advisory, from }))))
}

/// Whether an advisory of the registry `upstream` is about a package that comes from there.
fn concerns(
    own: &Index,
    there: &KnownAdvisory,
    upstream: &str,
    coming: &BTreeSet<&PackageName>,
) -> Result<bool, IndexError> {
    for affected in &there.advisory.affected {
        let name = &affected.name;
        let is_here = own.kind_of(name)?.is_some();
        let is_from_there = own.bound_above(&name.owner_name())?.as_deref() == Some(upstream);
        if coming.contains(name) || (is_here && is_from_there) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes in the documents of advisories that come from above. One that is not there any more, or is another, is not waited for: what it
/// says of packages is in the record.
pub(super) fn take_in_documents<'a>(
    permit: &Authorized,
    objects: &dyn Objects,
    source: &dyn Source,
    documents: impl IntoIterator<Item = &'a Sha256>,
) -> Result<(), SubmitError> {
    for document in documents {
        let object = Object::File(*document);
        if objects.find(object)?.is_some() {
            continue;
        }
        let Ok(Some(bytes)) = source.read(&file_path(document), LONGEST_DOCUMENT) else { continue };
        if Sha256::of(&bytes) == *document {
            objects.put(permit, object, &mut bytes.as_slice())?;
        }
    }
    Ok(())
}
