//! What a resolution may change of what was locked before.

use weir_model::PackageName;

/// What may move away from the lockfile.
#[derive(Debug, Clone, Copy)]
pub enum Moving<'a> {
    /// Only what must.
    Nothing,
    /// These packages, to the newest.
    Packages(&'a [PackageName]),
    /// These packages, which the manifest asks for in another way than before.
    Added(&'a [PackageName]),
    /// Everything.
    All,
}

impl Moving<'_> {
    pub(crate) fn moves(self, name: &PackageName) -> bool {
        match self {
            Self::Nothing => false,
            Self::Packages(names) | Self::Added(names) => names.contains(name),
            Self::All => true,
        }
    }
}
