//! What a registry above knows against packages of its own is known here too, and what it dismisses counts no more.
//!
//! What was told or dismissed here by somebody's own decision stays as it is. What is about packages of which nothing came from there is
//! none of this registry's business yet, and is left out: it comes with the first release of such a package.

use std::collections::BTreeSet;

use weir_index::{Index, IndexError, KnownAdvisory};
use weir_log::Source;
use weir_model::advisory::{Advisory, AdvisoryId, LONGEST_DOCUMENT};
use weir_model::record::{Advice, Dismissal};
use weir_model::{Action, PackageName, Sha256};
use weir_policy::Authorized;

use crate::content::file_path;
use crate::error::SubmitError;
use crate::ports::{Object, Objects};

/// What is to be said here of what the registry `upstream`, whose view is `above` and of whose log so many entries were `seen` before, knows.
/// Releases of `coming` are admitted with it.
pub(super) fn heard(
    own: &Index,
    above: &Index,
    upstream: &str,
    seen: u64,
    coming: &BTreeSet<&PackageName>,
) -> Result<Vec<Action>, IndexError> {
    let mut told = above.advisories_since(seen, usize::MAX)?;
    for name in coming {
        told.extend(above.advisories_of(name)?);
    }
    let ids: BTreeSet<AdvisoryId> = told.into_iter().map(|known| known.advisory.id).collect();
    let hearing = Hearing { own, above, upstream, coming };
    let mut due = Vec::new();
    for id in ids {
        due.extend(hearing.follow(id)?);
    }
    Ok(due)
}

/// A registry that hears what the one above knows.
struct Hearing<'a> {
    own: &'a Index,
    above: &'a Index,
    upstream: &'a str,
    coming: &'a BTreeSet<&'a PackageName>,
}

impl Hearing<'_> {
    fn follow(&self, id: AdvisoryId) -> Result<Option<Action>, IndexError> {
        let known = self.own.advisory(&id)?;
        if known.iter().any(KnownAdvisory::is_decided_here) {
            return Ok(None);
        }
        let from = Some(self.upstream.to_owned());
        let here = known.into_iter().find(|known| known.from == from && known.dismissed.is_none());
        let mut reason = None;
        for there in self.above.advisory(&id)? {
            if let Some(dismissed) = there.dismissed {
                reason = reason.or(dismissed.reason);
            } else if let Some(advisory) = self.concerning(there)? {
                let is_new = here.is_none_or(|here| here.advisory != advisory);
                return Ok(is_new.then(|| Action::Advise(Box::new(Advice { advisory, from }))));
            }
        }
        // Nothing that is told by that name is about packages that come from there.
        Ok(here.map(|_| Action::Dismiss(Dismissal { id, reason, from })))
    }

    /// What an advisory says, by a word that counts above, of packages that come from there; nothing if it says nothing of those.
    fn concerning(&self, there: KnownAdvisory) -> Result<Option<Advisory>, IndexError> {
        let mut affected = Vec::new();
        for one in &there.advisory.affected {
            let name = &one.name;
            let is_here = self.own.kind_of(name)?.is_some();
            let bound = self.own.bound_above(&name.owner_name())?;
            let comes = self.coming.contains(name) || (is_here && bound.as_deref() == Some(self.upstream));
            if comes && self.above.counts_for(&there, name)? {
                affected.push(one.clone());
            }
        }
        let advisory = Advisory { affected, ..there.advisory };
        Ok(if advisory.affected.is_empty() { None } else { Some(advisory) })
    }
}

/// So many documents are asked for at once.
const MOST_DOCUMENTS: usize = 256;

/// Takes in the documents of advisories that come from above. One that is not there any more, or is another, is not waited for, nor are
/// those beyond [`MOST_DOCUMENTS`]: what they say of packages is in the records.
pub(super) fn take_in_documents<'a>(
    permit: &Authorized,
    objects: &dyn Objects,
    source: &dyn Source,
    documents: impl IntoIterator<Item = &'a Sha256>,
) -> Result<(), SubmitError> {
    for document in documents.into_iter().take(MOST_DOCUMENTS) {
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
