//! What a dependency is fixed to when a release is published.

use weir_model::{KindName, Platform, Range, Scope};

use crate::offer::Offer;
use crate::ranked::Ranked;

/// What a release that is to be published says of one dependency.
#[derive(Debug, Clone, Copy)]
pub struct Need<'a> {
    /// The versions that would do.
    pub range: &'a Range,
    /// What it is needed for.
    pub scope: Scope,
    /// Whether it may move within its range without a new release.
    pub fluid: bool,
}

impl Need<'_> {
    /// Whether a release of `kind` is published with one exact release of what it needs.
    pub fn is_baked(&self, kind: KindName) -> bool {
        kind.bakes() && !self.fluid && self.scope != Scope::Dev
    }
}

/// Nothing that is offered meets a dependency that a release cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unmet {
    /// Whether something that is published later would do as well, since the dependency may move.
    pub may_come_later: bool,
}

/// What a dependency is fixed to in a release of `kind` for `platform`: to the best of what is `offered` now; to
/// nothing if it may move, or plays no part for who uses the release.
///
/// # Errors
///
/// When nothing that is offered would do.
pub fn bake<'o, T: Offer>(
    kind: KindName,
    platform: &Platform,
    need: Need<'_>,
    offered: &'o Ranked<T>,
) -> Result<Option<&'o T>, Unmet> {
    match offered.best(need.range, platform) {
        Some(best) => Ok(need.is_baked(kind).then_some(best)),
        None if need.scope == Scope::Dev => Ok(None),
        None => Err(Unmet { may_come_later: !need.is_baked(kind) }),
    }
}
