//! Which packs are made again of which, and keeping those whole whose base goes out of reach.
//!
//! Old releases are kept as deltas from others of their package ([`crate::compact`]). A note in the place of the pack names the other one, and nothing else says
//! so: what is kept beside the notes could be lost when a folder is copied. So the log says which notes to look at, those of all releases that a package ever
//! had for a platform, and it costs what that package has and not what the registry has.

use std::collections::BTreeSet;

use weir_index::Index;
use weir_model::TreeDigest;
use weir_policy::Authorized;

use crate::content::ContentError;
use crate::error::SubmitError;
use crate::ports::{Object, Objects};

/// Keeps readers from a piece of content, and nobody from what is made again of it.
///
/// # Errors
///
/// When that cannot be done.
pub(crate) fn withhold(
    objects: &dyn Objects,
    permit: &Authorized,
    index: &Index,
    object: Object,
) -> Result<(), SubmitError> {
    if let Object::Pack(tree) = object {
        for needs in made_of(objects, index, &tree)? {
            make_whole_if_it_can_be(objects, permit, &needs)?;
        }
    }
    Ok(objects.withhold(permit, object)?)
}

/// Keeps a pack whole. Where what it takes is gone or damaged there is nothing to be made, and its note stays and says so.
///
/// # Errors
///
/// When it cannot be written.
pub(crate) fn make_whole_if_it_can_be(
    objects: &dyn Objects,
    permit: &Authorized,
    tree: &TreeDigest,
) -> Result<(), ContentError> {
    match objects.make_whole(permit, tree) {
        Err(error) if error.is_lost_or_wrong() => Ok(()),
        made => made,
    }
}

/// The trees whose packs are made again of that of `base`.
fn made_of(
    objects: &dyn Objects,
    index: &Index,
    base: &TreeDigest,
) -> Result<BTreeSet<TreeDigest>, SubmitError> {
    let releases = index.by_tree(base)?.into_iter().map(|view| view.release.id);
    let packages: BTreeSet<_> = releases.map(|id| (id.name, id.platform)).collect();
    let mut trees = BTreeSet::new();
    for (name, platform) in packages {
        trees.extend(index.trees(&name, &platform)?.into_iter().map(|(_, tree)| tree));
    }
    let mut made = BTreeSet::new();
    for tree in trees {
        let held = objects.find(Object::Pack(tree))?;
        if held.is_some_and(|held| held.made_of == Some(*base)) {
            made.insert(tree);
        }
    }
    Ok(made)
}
