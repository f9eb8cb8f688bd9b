//! Which of several registries a name belongs to that nobody named one for.
//!
//! What one registry admitted from another is one package, and the one that admitted it has it. Else the default one is looked at first: where the
//! owner of the name is bound in it, because it was claimed there or came from above, no other counts, whatever it offers; else somebody who
//! publishes there could take the place of what is meant. Among all others there is no order: whoever else says anything of a name, by offering it or
//! by having its owner bound, may be who is meant, and nobody guesses.

use std::collections::BTreeMap;

use weir_index::{IndexError, Tier};
use weir_model::{PackageName, ReleaseId, TreeDigest};
use weir_reach::Connection;

/// What a registry says of a name.
struct Says<'c> {
    place: usize,
    connection: &'c Connection,
    /// To where its owner is bound there.
    bound: Option<Tier>,
    /// Whether the registry has it.
    has: bool,
}

/// Whose a name is. Registries are numbers, as they were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Belongs {
    /// Nobody knows of it.
    ToNobody,
    /// This one's, which need not have it.
    To(usize),
    /// Two have it, and neither more than the other.
    ToSeveral(usize, usize),
}

/// Tells whose `name` is, of registries that are asked in this order.
pub(crate) fn belongs(asked: &[(usize, &Connection)], name: &PackageName) -> Result<Belongs, IndexError> {
    // Most have one, and many names.
    if let [(only, _)] = asked {
        return Ok(Belongs::To(*only));
    }
    let mut found: Option<Says<'_>> = None;
    for (place, connection) in asked {
        let Some(next) = Says::of(*place, connection, name)? else { continue };
        found = match found {
            None => Some(next),
            Some(first) => match nearer(&first, &next, name)? {
                Some(true) => Some(first),
                Some(false) => Some(next),
                None => return Ok(Belongs::ToSeveral(first.place, next.place)),
            },
        };
    }
    Ok(found.map_or(Belongs::ToNobody, |says| Belongs::To(says.place)))
}

impl<'c> Says<'c> {
    fn of(place: usize, connection: &'c Connection, name: &PackageName) -> Result<Option<Self>, IndexError> {
        let index = connection.replica.index();
        let held = || {
            let held = index.held_of(name)?.into_iter().next();
            Ok::<_, IndexError>(held.map(|held| Tier::Above(held.hold.registry)))
        };
        let bound = index.tier_of(name)?.map_or_else(held, |tier| Ok(Some(tier)))?;
        let has = index.kind_of(name)?.is_some();
        Ok((has || bound.is_some()).then_some(Self { place, connection, bound, has }))
    }

    /// Whether it has the name from that of `other`.
    fn is_from(&self, other: &Self) -> bool {
        matches!(&self.bound, Some(Tier::Above(registry)) if registry == other.connection.replica.name())
    }
}

/// Whether a name is the first one's, and not that of the one that is asked after it; nothing where that cannot be told.
fn nearer(first: &Says<'_>, next: &Says<'_>, name: &PackageName) -> Result<Option<bool>, IndexError> {
    if first.is_from(next) {
        return Ok(Some(true));
    }
    if next.is_from(first) {
        return Ok(Some(false));
    }
    if first.has && next.has && is_same(first, next, name)? {
        // One package, in two tiers with another between them: the one that has it from above is the nearer.
        return Ok(Some(first.bound != Some(Tier::Here) || !matches!(next.bound, Some(Tier::Above(_)))));
    }
    let is_default = first.connection.known.default;
    Ok((is_default && (first.bound.is_some() || !next.has)).then_some(true))
}

/// Whether both have a package with at least one release in common, and nothing else under one version.
fn is_same(first: &Says<'_>, next: &Says<'_>, name: &PackageName) -> Result<bool, IndexError> {
    let trees = |says: &Says<'_>| -> Result<BTreeMap<ReleaseId, TreeDigest>, IndexError> {
        let package = says.connection.replica.index().package(name)?;
        let releases = package.into_iter().flat_map(|package| package.releases);
        Ok(releases.map(|view| (view.release.id, view.release.tree)).collect())
    };
    let (first, next) = (trees(first)?, trees(next)?);
    let mut in_common = first.iter().filter_map(|(id, tree)| Some((tree, next.get(id)?))).peekable();
    Ok(in_common.peek().is_some() && in_common.all(|(one, other)| one == other))
}
