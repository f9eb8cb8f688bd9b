//! The names of users and groups.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use weir_model::unseen::Named as _;

/// The group whose members govern a server; the built-in policy sets know it by the same name.
pub const ADMINISTRATORS: &str = "admins";

/// The name of a user or of a group: a word that stands in records, policies and file names alike.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String", extend("pattern" = "^[a-z0-9][a-z0-9._-]{0,63}$"))]
pub struct AccountName(String);

/// A word that can be no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{shown}` can be no name of a user or a group: `a` to `z`, `0` to `9`, `-`, `_` and `.` are, at most 64, the first a letter or a digit"
)]
pub struct BadName {
    /// What was given, cut to a printable length.
    shown: String,
}

impl AccountName {
    /// The most bytes that a name may have.
    pub const MAX_LEN: usize = 64;

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountName {
    type Err = BadName;

    fn from_str(name: &str) -> Result<Self, BadName> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        match begins && name.len() <= Self::MAX_LEN && name.chars().all(plain) {
            true => Ok(Self(name.to_owned())),
            false => Err(BadName { shown: name.chars().take(Self::MAX_LEN).collect::<String>().named() }),
        }
    }
}

impl TryFrom<String> for AccountName {
    type Error = BadName;

    fn try_from(name: String) -> Result<Self, BadName> {
        name.parse()
    }
}

impl From<AccountName> for String {
    fn from(name: AccountName) -> Self {
        name.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::AccountName;

    #[test]
    fn a_name_is_a_plain_word() {
        for name in ["ann", "a.b-c_d", "7up", &"a".repeat(64)] {
            assert!(name.parse::<AccountName>().is_ok(), "{name}");
        }
        for name in ["", ".", "-a", "Ann", "a b", "a:b", "a/b", "ä", "a\n", &"a".repeat(65)] {
            assert!(name.parse::<AccountName>().is_err(), "{name}");
        }
    }
}
