//! The frontier of a tree: the roots of the perfect subtrees it falls apart into, largest first.
//!
//! A tree of 13 = 8 + 4 + 1 entries has three. They are all that is needed to add leaves and to know
//! the root, so a client keeps at most 64 hashes: to follow a log it hashes the *new* entries only,
//! and if the root it reaches is the signed one, it has proved at once that the new entries are the
//! log's and that nothing before them changed. (Known as a compact range, too.)

use std::fmt;
use std::str::FromStr;

use crate::{Hash, MAX_SIZE};

/// The perfect subtrees of a tree of some size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// One for each bit set in `size`, from the highest.
    subtrees: Vec<Hash>,
}

/// A text that is not a frontier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a log frontier: {reason}")]
pub struct FrontierError {
    /// Which rule it breaks.
    pub reason: String,
}

impl Frontier {
    /// The frontier of the empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// A frontier from its parts: one subtree for each bit set in `size`, largest first.
    pub fn from_parts(size: u64, subtrees: Vec<Hash>) -> Result<Self, FrontierError> {
        let bad = |reason: String| Err(FrontierError { reason });
        if size > MAX_SIZE {
            return bad(format!("a log of {size} entries, more than {MAX_SIZE}"));
        }
        if subtrees.len() != size.count_ones() as usize {
            return bad(format!("size {size} has {} subtrees, not {}", size.count_ones(), subtrees.len()));
        }
        Ok(Self { size, subtrees })
    }

    /// Entries in the tree.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The subtrees' roots, largest first.
    pub fn subtrees(&self) -> &[Hash] {
        &self.subtrees
    }

    /// Adds the hash of the next entry. Costs two hashes on average.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        let merges = self.size.trailing_ones();
        for _ in 0..merges {
            let left = self.subtrees.pop().expect("a frontier has a subtree for each bit of its size");
            hash = Hash::of_node(left, hash);
        }
        self.subtrees.push(hash);
        self.size += 1;
    }

    /// The root of the whole tree.
    pub fn root(&self) -> Hash {
        let mut from_right = self.subtrees.iter().rev().copied();
        let Some(smallest) = from_right.next() else { return Hash::EMPTY };
        from_right.fold(smallest, |right, left| Hash::of_node(left, right))
    }
}

/// `size <N>`, then a base64 hash a line.
impl fmt::Display for Frontier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "size {}", self.size)?;
        self.subtrees.iter().try_for_each(|hash| writeln!(f, "{hash}"))
    }
}

impl FromStr for Frontier {
    type Err = FrontierError;

    fn from_str(text: &str) -> Result<Self, FrontierError> {
        let bad = |reason: &str| FrontierError { reason: reason.to_owned() };
        let body = text.strip_suffix('\n').ok_or_else(|| bad("the last line is cut short"))?;
        let mut lines = body.split('\n');
        let size = lines.next().and_then(|line| line.strip_prefix("size ")).ok_or_else(|| bad("no size"))?;
        let digits = size;
        let size: u64 = digits.parse().map_err(|_| bad("the size is not a number"))?;
        if size.to_string() != digits {
            return Err(bad("the size is not spelled plainly"));
        }
        let subtrees = lines
            .take(u64::BITS as usize + 1)
            .map(str::parse)
            .collect::<Result<Vec<Hash>, _>>()
            .map_err(|error| bad(&error.to_string()))?;
        Self::from_parts(size, subtrees)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{ProptestConfig, any, proptest};

    struct Stored(Vec<tlog_tiles::Hash>);

    impl tlog_tiles::HashReader for Stored {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
            Ok(indexes.iter().map(|&index| self.0[index as usize]).collect())
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn its_root_is_the_tree_hash_at_every_size(seed in any::<u64>(), count in 1_u64..300) {
            let mut stored = Stored(Vec::new());
            let mut frontier = Frontier::new();
            for index in 0..count {
                let entry = (seed ^ index).to_le_bytes();
                let new = tlog_tiles::stored_hashes(index, &entry, &stored).unwrap();
                stored.0.extend(new);
                frontier.push(Hash::of_leaf(&entry));
                assert_eq!(frontier.root(), tlog_tiles::tree_hash(index + 1, &stored).unwrap().into());
            }
            assert_eq!(frontier.to_string().parse(), Ok(frontier));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(size [0-9]{1,20}\n)?([A-Za-z0-9+/=]{0,44}\n){0,4}") {
            if let Ok(frontier) = text.parse::<Frontier>() {
                assert_eq!(frontier.to_string(), text);
            }
        }
    }

    #[test]
    fn a_hash_too_many_or_too_few_is_refused() {
        let one = Hash::of_leaf(b"x");
        assert!(Frontier::from_parts(5, vec![one; 2]).is_ok());
        assert!(Frontier::from_parts(5, vec![one; 1]).is_err());
        assert!(Frontier::from_parts(5, vec![one; 3]).is_err());
        assert!(Frontier::from_parts(u64::MAX, vec![one; 64]).is_err());
        assert!(format!("size 1\n{}", format!("{one}\n").repeat(1000)).parse::<Frontier>().is_err());
    }
}
