//! Merkle hashes as RFC 6962 has them: SHA-256 with one leading byte that tells leaves (0) from
//! interior nodes (1), so that neither can be passed off as the other.

use std::fmt;
use std::str::FromStr;

/// The hash of a leaf, of a subtree, or of a whole tree (its root).
///
/// Displayed in base64, which is how C2SP formats spell it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; Hash::LEN]);

/// A text that is not the base64 of 32 bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a base64 hash of 32 bytes: `{text}`")]
pub struct HashError {
    /// The beginning of what was found.
    pub text: String,
}

impl Hash {
    /// Bytes in a hash.
    pub const LEN: usize = tlog_tiles::HASH_SIZE;

    /// The root of the empty tree.
    pub const EMPTY: Self = Self(tlog_tiles::EMPTY_HASH.0);

    /// Takes bytes that are already a hash.
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The hash of an entry.
    pub fn of_leaf(entry: &[u8]) -> Self {
        tlog_tiles::record_hash(entry).into()
    }

    /// The hash of the node above `left` and `right`.
    pub fn of_node(left: Self, right: Self) -> Self {
        tlog_tiles::node_hash(left.into(), right.into()).into()
    }

    /// The root of a perfect subtree with these leaves; their number must be a power of two.
    pub(crate) fn of_perfect(leaves: &[Self]) -> Self {
        debug_assert!(leaves.len().is_power_of_two(), "a perfect subtree has 2^k leaves");
        let mut row = leaves.to_vec();
        while row.len() > 1 {
            row = row.chunks_exact(2).map(|pair| Self::of_node(pair[0], pair[1])).collect();
        }
        row.first().copied().unwrap_or(Self::EMPTY)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl From<tlog_tiles::Hash> for Hash {
    fn from(hash: tlog_tiles::Hash) -> Self {
        Self(hash.0)
    }
}

impl From<Hash> for tlog_tiles::Hash {
    fn from(hash: Hash) -> Self {
        Self(hash.0)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tlog_tiles::Hash(self.0).fmt(f)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        tlog_tiles::Hash::parse_hash(text)
            .map(Self::from)
            .map_err(|_| HashError { text: text.chars().take(64).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_reads_back_from_its_own_text_and_nothing_else_is_one() {
        let hash = Hash::of_leaf(b"entry");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        for bad in ["", "AAAA", "not base64 !", &format!("{hash}A"), &format!("{hash}\n")] {
            assert!(bad.parse::<Hash>().is_err(), "{bad:?}");
        }
    }
}
