//! What is only told of packages of which nothing comes: why not; and of those that are patched here, what is newer where they came from.

use std::collections::BTreeSet;

use weir_index::{Index, IndexError, Tier};
use weir_model::{PackageName, Platform, Version};
use weir_rules::newest;
use weir_wire::upstream::{Because, Patched, WhyMissing};

use crate::tiers::Above;

/// Why nothing of a package comes from above a registry, as far as that one says so itself.
///
/// # Errors
///
/// When its view cannot be read.
pub fn why_missing(
    own: &Index,
    upstreams: &[Above<'_>],
    name: &PackageName,
) -> Result<Vec<WhyMissing>, IndexError> {
    let registry = own.facts()?.name.unwrap_or_default();
    let because = |because| WhyMissing { name: name.clone(), registry: registry.clone(), because };
    let tier = own.tier_of(name)?;
    if tier == Some(Tier::Here) {
        return Ok(vec![because(Because::Owned)]);
    }
    // Names do not fall through: of an owner that is bound to one above, the others are not asked.
    let is_asked = |above: &&Above<'_>| !matches!(&tier, Some(Tier::Above(bound)) if *bound != above.name);
    let closed = upstreams.iter().filter(is_asked).filter(|above| !above.only.takes(name));
    let told = closed.map(|above| Because::Only { above: above.name.clone(), only: above.only.clone() });
    Ok(told.map(because).collect())
}

/// Of these packages, those that are patched here and newer in the registry above that they came from, or further up by what that says.
pub(crate) fn patched(
    own: &Index,
    upstreams: &[Above<'_>],
    names: &BTreeSet<&PackageName>,
    platform: &Platform,
) -> Result<Vec<Patched>, IndexError> {
    let mut patched = Vec::new();
    for adopted in own.adopted()?.into_iter().filter(|adopted| names.contains(&adopted.name)) {
        let name = adopted.name;
        let above = upstreams.iter().find(|above| above.name == adopted.registry && above.only.takes(&name));
        let Some((above, Ok(followed))) = above.map(|above| (above, &above.followed)) else { continue };
        let here = own.package(&name)?.map(|package| [package.releases, package.removed].concat());
        let came = here
            .iter()
            .flatten()
            .filter(|view| view.origin.as_ref().is_some_and(|origin| origin.registry == above.name));
        let from = came.map(|view| view.release.id.version.clone()).max();
        let there = followed.replica.index().package(&name)?.map(|package| package.releases);
        let there =
            there.and_then(|releases| Some(newest(&releases, Some(platform))?.release.id.version.clone()));
        let further_up =
            above.newer.iter().filter(|newer| newer.name == name).map(|newer| newer.version.clone());
        let newest: Option<Version> = there.into_iter().chain(further_up).max();
        if let (Some(from), Some(newest)) = (from, newest)
            && newest > from
        {
            let registry = own.facts()?.name.unwrap_or_default();
            patched.push(Patched { name, registry, from, above: above.name.clone(), newest });
        }
    }
    Ok(patched)
}
