//! A registry above another, as the lower one's log names it: whom to trust for it, and what comes down. Where it is reached is
//! no business of the log's: addresses move.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::{NameError, OWNER_OR_PACKAGE, OwnerName, PackageName};
use crate::unseen::Named as _;

/// A registry above this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Upstream {
    /// Its name: the origin of its log.
    pub name: String,
    /// The C2SP verifier key that its checkpoints were signed with when it was named here, or one that its rotations lead to.
    pub key: String,
    /// What of it is admitted.
    pub mode: UpstreamMode,
    /// The packages that may come from it: all where nothing is said.
    #[serde(default, skip_serializing_if = "Only::is_all")]
    pub only: Only,
}

/// The packages that may come from a registry above. What it has besides is nothing that is there, for whoever is below.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Only(Vec<Taken>);

impl Only {
    /// All packages, or where some are named these.
    pub fn of(mut taken: Vec<Taken>) -> Self {
        taken.sort();
        taken.dedup();
        Self(taken)
    }

    /// Whether that is everything that there is.
    pub const fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// What is named.
    pub fn taken(&self) -> &[Taken] {
        &self.0
    }

    /// Whether a package may come.
    pub fn takes(&self, name: &PackageName) -> bool {
        self.is_all() || self.0.iter().any(|taken| taken.is(name))
    }

    /// The packages of an owner that may come: all of them, or those that are named.
    pub fn of_owner(&self, owner: &OwnerName) -> Option<Vec<&PackageName>> {
        let is_whole = |taken: &Taken| matches!(taken, Taken::Owner(whole) if whole == owner);
        if self.is_all() || self.0.iter().any(is_whole) {
            return None;
        }
        let named = self.0.iter().filter_map(|taken| match taken {
            Taken::Package(name) => Some(name),
            Taken::Owner(_) => None,
        });
        Some(named.filter(|name| name.owner_name() == *owner).collect())
    }
}

impl fmt::Display for Only {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<String> = self.0.iter().map(|taken| format!("`{taken}`")).collect();
        f.write_str(&named.join(", "))
    }
}

/// A part of what a registry above has: `acme/*`, or `acme/str`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = OWNER_OR_PACKAGE))]
pub enum Taken {
    /// All packages of an owner.
    Owner(OwnerName),
    /// One package.
    Package(PackageName),
}

impl Taken {
    fn is(&self, name: &PackageName) -> bool {
        match self {
            Self::Owner(owner) => name.owner_name() == *owner,
            Self::Package(taken) => taken == name,
        }
    }
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner(owner) => write!(f, "{owner}/*"),
            Self::Package(name) => name.fmt(f),
        }
    }
}

impl FromStr for Taken {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.strip_suffix("/*") {
            Some(owner) => owner.parse().map(Self::Owner),
            None => text.parse().map(Self::Package),
        }
    }
}

impl TryFrom<String> for Taken {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Taken> for String {
    fn from(taken: Taken) -> Self {
        taken.to_string()
    }
}

/// What of an upstream is admitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpstreamMode {
    /// What a resolution needs.
    #[default]
    OnDemand,
    /// All that policy allows, as its log grows.
    Mirror,
}

impl UpstreamMode {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Mirror => "mirror",
        }
    }

    /// What it means, in words.
    pub const fn told(self) -> &'static str {
        match self {
            Self::OnDemand => "what is asked for is admitted",
            Self::Mirror => "all that policy allows is admitted",
        }
    }
}

impl fmt::Display for UpstreamMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for UpstreamMode {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        [Self::OnDemand, Self::Mirror].into_iter().find(|mode| mode.as_str() == word).ok_or_else(|| {
            format!("`{}` is no mode of an upstream: there are `on-demand` and `mirror`", word.named())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Only, Taken, Upstream};

    #[test]
    fn an_owner_or_a_package_is_taken_and_nothing_beside_them() {
        let taken = |text: &str| text.parse::<Taken>();
        let only = Only::of(vec![taken("elm/*").unwrap(), taken("acme/str").unwrap()]);
        let takes = |name: &str| only.takes(&name.parse().unwrap());
        assert!(takes("elm/core") && takes("acme/str"));
        assert!(!takes("acme/other") && !takes("elm-community/list-extra"));
        assert!(Only::default().takes(&"any/thing".parse().unwrap()));
        assert_eq!(only.to_string(), "`elm/*`, `acme/str`");
        for bad in ["elm", "*", "*/*", "el*/core", "/*", "elm/", "elm/*/*"] {
            assert!(taken(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_takes_everything_is_written_as_it_was_before_there_was_anything_else() {
        let all: Upstream =
            serde_json::from_str(r#"{"name":"public","key":"public+1+a","mode":"mirror"}"#).unwrap();
        assert!(all.only.is_all());
        assert!(!serde_json::to_string(&all).unwrap().contains("only"));
        let some = Upstream { only: Only::of(vec!["elm/*".parse().unwrap()]), ..all };
        let text = serde_json::to_string(&some).unwrap();
        assert!(text.contains(r#""only":["elm/*"]"#), "{text}");
        assert_eq!(serde_json::from_str::<Upstream>(&text).unwrap(), some);
    }
}
