//! Entry bundles: up to 256 entries in one file, each behind its length as a big-endian u16.

use std::io::{self, BufReader, Read};

/// Bytes an entry may have: what its length field can say.
pub const MAX_ENTRY: usize = u16::MAX as usize;

/// Bytes of the length field.
pub(crate) const LENGTH_FIELD: usize = 2;

/// Bytes a bundle may have.
pub(crate) const MAX_BUNDLE: u64 = crate::tile::TILE_WIDTH * (LENGTH_FIELD + MAX_ENTRY) as u64;

/// Why bytes are not a bundle of the expected number of entries.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The bytes end inside an entry or before the last one.
    #[error("the bundle ends in entry {entry} of {expected}")]
    Truncated {
        /// The entry that is missing or cut, counted from 0 within the bundle.
        entry: u64,
        /// How many there should be.
        expected: u64,
    },
    /// Bytes follow the last entry.
    #[error("bytes follow the last of {expected} entries")]
    Trailing {
        /// How many there should be.
        expected: u64,
    },
}

/// Appends an entry to a bundle's bytes; `Err` with its length when it is longer than [`MAX_ENTRY`].
pub(crate) fn write_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), usize> {
    let length = u16::try_from(entry.len()).map_err(|_| entry.len())?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// Cuts a whole bundle into its `expected` entries.
pub fn parse_bundle(mut bytes: &[u8], expected: u64) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::new();
    for entry in 0..expected {
        let truncated = BundleError::Truncated { entry, expected };
        let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_FIELD>() else { return Err(truncated) };
        let Some((content, rest)) = rest.split_at_checked(u16::from_be_bytes(*length).into()) else {
            return Err(truncated);
        };
        entries.push(content);
        bytes = rest;
    }
    if bytes.is_empty() { Ok(entries) } else { Err(BundleError::Trailing { expected }) }
}

/// Reads a bundle entry by entry, holding one at a time.
pub struct EntryReader<R> {
    bytes: BufReader<R>,
    entry: Vec<u8>,
}

impl<R: Read> EntryReader<R> {
    /// Reads from the beginning of an entry.
    pub fn new(bytes: R) -> Self {
        Self { bytes: BufReader::with_capacity(64 * 1024, bytes), entry: Vec::new() }
    }

    /// The next entry. An end inside one, or where one should begin, is an
    /// [`io::ErrorKind::UnexpectedEof`].
    pub fn next_entry(&mut self) -> io::Result<&[u8]> {
        let mut length = [0; LENGTH_FIELD];
        self.bytes.read_exact(&mut length)?;
        self.entry.resize(u16::from_be_bytes(length).into(), 0);
        self.bytes.read_exact(&mut self.entry)?;
        Ok(&self.entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::{ProptestConfig, any, proptest};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn entries_read_back_whole_and_streamed(entries in vec(vec(any::<u8>(), 0..40), 0..20)) {
            let mut bytes = Vec::new();
            for entry in &entries {
                write_entry(&mut bytes, entry).unwrap();
            }
            let count = entries.len() as u64;
            assert_eq!(parse_bundle(&bytes, count).unwrap(), entries);
            let mut reader = EntryReader::new(bytes.as_slice());
            for entry in &entries {
                assert_eq!(reader.next_entry().unwrap(), entry);
            }
            assert_eq!(reader.next_entry().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
            assert!(matches!(parse_bundle(&bytes, count + 1), Err(BundleError::Truncated { .. })));
            bytes.push(0);
            assert!(matches!(parse_bundle(&bytes, count), Err(BundleError::Trailing { .. })));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..600), expected in 0_u64..300) {
            let _ = parse_bundle(&bytes, expected);
        }
    }

    #[test]
    fn an_entry_is_as_long_as_its_length_field_can_say() {
        assert_eq!(write_entry(&mut Vec::new(), &[0; MAX_ENTRY]), Ok(()));
        assert_eq!(write_entry(&mut Vec::new(), &[0; MAX_ENTRY + 1]), Err(MAX_ENTRY + 1));
    }
}
