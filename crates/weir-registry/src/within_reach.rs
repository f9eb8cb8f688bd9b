//! Which content readers may have. Releases are quarantined, and content goes out of reach with them: the pack of a release, and
//! what else it names. What another release names that readers may have, they may have.

use weir_index::{Index, IndexError, ReleaseView};
use weir_model::evidence::{Evidence, HeldAs, evidence, named_beside};
use weir_model::{Release, WithdrawalVerb};

use crate::ports::Object;

/// What was withdrawn of the releases that name a piece of content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Whether one of them is quarantined, removed or not.
    pub(crate) quarantined: bool,
    /// Whether readers may have one of them.
    pub(crate) served: bool,
}

impl Reach {
    /// Whether readers are kept from the content.
    pub(crate) const fn is_withheld(self) -> bool {
        self.quarantined && !self.served
    }

    /// Counts in a release that names it.
    pub(crate) const fn add(&mut self, standing: Withdrawals) {
        self.quarantined |= standing.quarantined;
        self.served |= !standing.quarantined && !standing.removed;
    }
}

/// What was withdrawn of a release, which decides whether readers may have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Withdrawals {
    pub(crate) yanked: bool,
    pub(crate) quarantined: bool,
    pub(crate) removed: bool,
}

impl Withdrawals {
    /// How a release stands after a withdrawal.
    pub(crate) const fn after(self, verb: WithdrawalVerb) -> Self {
        match verb {
            WithdrawalVerb::Yank => Self { yanked: true, ..self },
            WithdrawalVerb::Unyank => Self { yanked: false, ..self },
            WithdrawalVerb::Quarantine => Self { quarantined: true, ..self },
            WithdrawalVerb::Unquarantine => Self { quarantined: false, ..self },
            WithdrawalVerb::Remove => Self { removed: true, ..self },
        }
    }
}

impl From<&ReleaseView> for Withdrawals {
    fn from(view: &ReleaseView) -> Self {
        Self {
            yanked: view.yanked.is_some(),
            quarantined: view.quarantined.is_some(),
            removed: view.removed.is_some(),
        }
    }
}

/// All content that a release names, its own pack first.
pub(crate) fn content_of(release: &Release) -> impl Iterator<Item = Object> {
    std::iter::once(Object::Pack(release.tree)).chain(named_beside(release).map(Object::from))
}

/// The releases that name a piece of content, removed ones too.
///
/// # Errors
///
/// When the view cannot be asked.
pub(crate) fn namers(index: &Index, object: Object) -> Result<Vec<ReleaseView>, IndexError> {
    match object {
        Object::Pack(tree) => {
            let mut namers = index.by_tree(&tree)?;
            namers.extend(index.by_named_beside(tree.as_bytes())?);
            Ok(namers)
        }
        Object::File(sha256) => index.by_named_beside(sha256.as_bytes()),
        Object::Delta(_) | Object::Snapshot(_) => Ok(Vec::new()),
    }
}

/// Whether readers may have a piece of content, if the releases that name it stand as `standing` says; `served` if something else
/// lets them.
///
/// # Errors
///
/// When the view cannot be asked.
pub(crate) fn reach(
    index: &Index,
    object: Object,
    served: bool,
    standing: impl Fn(&ReleaseView) -> Withdrawals,
) -> Result<Reach, IndexError> {
    let mut reach = Reach { quarantined: false, served };
    for view in namers(index, object)? {
        reach.add(standing(&view));
    }
    // An advisory is read by everybody, whatever else the same bytes are, and whatever became of it.
    if let (true, Object::File(sha256)) = (reach.is_withheld(), object) {
        let known = index.advisories_since(0, usize::MAX)?;
        reach.served |= known.iter().any(|known| known.advisory.document == sha256);
    }
    Ok(reach)
}

/// The quarantined release because of which `release` is not taken in: it names content that readers are kept from, and may not bring
/// back. What builds are told and print may come back where it was nothing else: nearly everything is built with one toolchain, and short
/// logs are alike.
///
/// # Errors
///
/// When the view cannot be asked.
pub fn withheld(index: &Index, release: &Release) -> Result<Option<ReleaseView>, IndexError> {
    withheld_if(index, release, |object| reach(index, object, false, |view| view.into()))
}

/// The same with what readers may have after a change.
///
/// # Errors
///
/// When the view cannot be asked.
pub(crate) fn withheld_if(
    index: &Index,
    release: &Release,
    reach: impl Fn(Object) -> Result<Reach, IndexError>,
) -> Result<Option<ReleaseView>, IndexError> {
    for object in content_of(release) {
        if !reach(object)?.is_withheld() {
            continue;
        }
        let is_shared = is_of_a_build(release, object);
        let because = namers(index, object)?
            .into_iter()
            .find(|view| view.quarantined.is_some() && !(is_shared && is_of_a_build(&view.release, object)));
        if because.is_some() {
            return Ok(because);
        }
    }
    Ok(None)
}

/// Whether a release names something as what its build was told or printed, and as nothing else.
fn is_of_a_build(release: &Release, object: Object) -> bool {
    let is_it = |held: HeldAs| Object::from(held) == object;
    let is_other = |one: &Evidence| matches!(one, Evidence::Source { .. } | Evidence::Provenance { .. });
    let mut referred = release.references.iter().filter_map(|reference| reference.sha256.map(Object::File));
    object != Object::Pack(release.tree)
        && !referred.any(|file| file == object)
        && !evidence(release).any(|one| is_it(one.held()) && is_other(&one))
}
