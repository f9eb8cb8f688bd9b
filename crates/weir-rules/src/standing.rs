//! Whether a release may be used.

use serde::Serialize;

/// Whether a release may be used. Of several withdrawals the strongest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// By everyone.
    Offered,
    /// By lockfiles that have it, and by what was published with it; new resolutions avoid it.
    Yanked,
    /// By nobody but curators.
    Quarantined,
    /// Gone from the view. Its input digest stays bound to its tree.
    Removed,
}

impl Standing {
    /// In which a package may be found: what was removed is in no list.
    pub const FOUND: [Self; 3] = [Self::Offered, Self::Yanked, Self::Quarantined];

    /// The standing as people write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Yanked => "yanked",
            Self::Quarantined => "quarantined",
            Self::Removed => "removed",
        }
    }

    /// Whether a new resolution, or a release that is published now, may take it.
    pub const fn is_offered(self) -> bool {
        matches!(self, Self::Offered)
    }

    /// Whether anybody may use it at all: whoever has it already, if not everyone.
    pub const fn is_usable(self) -> bool {
        matches!(self, Self::Offered | Self::Yanked)
    }
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
