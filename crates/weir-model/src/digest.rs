//! Digests: 32 bytes that stand for content, each use a type of its own.
//!
//! What a digest is *of* decides its algorithm and its type, so that a tree's cannot be taken for a
//! release's inputs. Trees are hashed with BLAKE3, because an install hashes every byte it writes;
//! everything that others check by its digest, or that a key signs, with SHA-256.
//!
//! Written `blake3:<64 lower-case hex digits>` or `sha256:<…>` wherever a person sees them.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use of::{Algorithm as _, Subject};

/// The digest of a tree: of the text of its manifest.
pub type TreeDigest = Digest<of::Tree>;
/// The digest of the bytes of one file of a tree, or of where a link of it leads; what `b3sum` prints.
pub type EntryDigest = Digest<of::Entry>;
/// The digest of a chunk of a large file.
pub type ChunkDigest = Digest<of::Chunk>;
/// The digest of what a tree is made from: the inputs of a release, or those of a tree that the store
/// derives from others.
pub type InputDigest = Digest<of::Inputs>;
/// The SHA-256 of bytes that stand alone: a file that a reference names, a document, an entry of a log.
pub type Sha256 = Digest<of::Bytes>;

/// The digest of something; `S` says of what, see [`of`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest<S>([u8; 32], PhantomData<S>);

/// What a digest can be of, and the algorithm that it has for that.
pub mod of {
    use sha2::Digest as _;

    /// Something that has digests.
    pub trait Subject: Copy + Ord {
        /// How it is hashed.
        type Algorithm: Algorithm;
    }

    /// A hash function.
    pub trait Algorithm: Clone + Default {
        /// What stands before the hex digits.
        const PREFIX: &'static str;
        /// The hash of bytes that are all there; faster than pieces.
        fn of(bytes: &[u8]) -> [u8; 32];
        /// Takes the next piece.
        fn update(&mut self, bytes: &[u8]);
        /// The hash of all pieces.
        fn finish(self) -> [u8; 32];
    }

    impl Algorithm for blake3::Hasher {
        const PREFIX: &'static str = "blake3:";

        fn of(bytes: &[u8]) -> [u8; 32] {
            blake3::hash(bytes).into()
        }

        fn update(&mut self, bytes: &[u8]) {
            self.update(bytes);
        }

        fn finish(self) -> [u8; 32] {
            self.finalize().into()
        }
    }

    impl Algorithm for sha2::Sha256 {
        const PREFIX: &'static str = "sha256:";

        fn of(bytes: &[u8]) -> [u8; 32] {
            Self::digest(bytes).into()
        }

        fn update(&mut self, bytes: &[u8]) {
            sha2::Digest::update(self, bytes);
        }

        fn finish(self) -> [u8; 32] {
            self.finalize().into()
        }
    }

    macro_rules! subjects {
        ($($(#[$doc:meta])* $name:ident: $algorithm:ty;)*) => {$(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub enum $name {}

            impl Subject for $name {
                type Algorithm = $algorithm;
            }
        )*};
    }

    subjects! {
        /// A tree, by the text of its manifest.
        Tree: blake3::Hasher;
        /// A file or a link of a tree.
        Entry: blake3::Hasher;
        /// A chunk of a large file.
        Chunk: blake3::Hasher;
        /// What a tree is made from.
        Inputs: sha2::Sha256;
        /// Bytes that stand alone.
        Bytes: sha2::Sha256;
    }
}

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a digest: expected `{prefix}` and 64 lower-case hex digits")]
pub struct DigestError {
    /// What was read, cut to a printable length.
    pub text: String,
    /// What stands before the digits of such a digest: `sha256:` or `blake3:`.
    pub prefix: &'static str,
}

impl<S> Digest<S> {
    /// How many hexadecimal digits the short form shows.
    pub const SHORT_LENGTH: usize = 12;

    /// Wraps 32 bytes that are already such a hash.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes, PhantomData)
    }

    /// The 32 bytes of the hash.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hex digits, without what stands before them: what file names use.
    pub fn to_hex(&self) -> String {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            text.push(HEX[usize::from(byte >> 4)].into());
            text.push(HEX[usize::from(byte & 15)].into());
        }
        text
    }

    /// The first 12 hex digits: enough for a person to tell digests apart.
    pub fn short(&self) -> String {
        self.to_hex()[..Self::SHORT_LENGTH].to_owned()
    }
}

impl<S: Subject> Digest<S> {
    /// What stands before the hex digits: `blake3:` or `sha256:`.
    pub const PREFIX: &'static str = S::Algorithm::PREFIX;

    /// The digest of `bytes`.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self::from_bytes(S::Algorithm::of(bytes.as_ref()))
    }

    /// Reads 64 lower-case hex digits, with nothing before them.
    ///
    /// # Errors
    ///
    /// When the text is anything else.
    pub fn from_hex(text: &str) -> Result<Self, DigestError> {
        let error = || Self::error(text);
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(error());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0]).ok_or_else(error)? << 4 | nibble(pair[1]).ok_or_else(error)?;
        }
        Ok(Self::from_bytes(bytes))
    }

    fn error(text: &str) -> DigestError {
        DigestError { text: text.chars().take(80).collect(), prefix: Self::PREFIX }
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl<S: Subject> fmt::Display for Digest<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.to_hex())
    }
}

impl<S: Subject> fmt::Debug for Digest<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.short())
    }
}

impl<S: Subject> FromStr for Digest<S> {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let hex = text.strip_prefix(Self::PREFIX).ok_or_else(|| Self::error(text))?;
        Self::from_hex(hex).map_err(|_| Self::error(text))
    }
}

impl<S: Subject> schemars::JsonSchema for Digest<S> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        if Self::PREFIX == "blake3:" { "TreeDigest" } else { "Sha256" }.into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": format!("A digest: `{}` and 64 hex digits.", Self::PREFIX),
            "pattern": format!("^{}[0-9a-f]{{64}}$", Self::PREFIX)
        })
    }
}

impl<S: Subject> serde::Serialize for Digest<S> {
    fn serialize<T: serde::Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, S: Subject> serde::Deserialize<'de> for Digest<S> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Computes a digest from bytes that arrive in pieces. Writing to it cannot fail.
///
/// BLAKE3 hashes many KiB at once several times as fast as one: pieces of 64 KiB or more are worth it.
pub struct Hasher<S: Subject>(S::Algorithm);

impl<S: Subject> Hasher<S> {
    /// A hasher that has seen nothing yet.
    pub fn new() -> Self {
        Self(S::Algorithm::default())
    }

    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of everything seen.
    pub fn finish(self) -> Digest<S> {
        Digest::from_bytes(self.0.finish())
    }
}

impl<S: Subject> Default for Hasher<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Subject> Clone for Hasher<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Subject> std::io::Write for Hasher<S> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{EntryDigest, Hasher, Sha256, TreeDigest};

    #[test]
    fn a_digest_reads_back_what_it_prints() {
        let digest = Sha256::of("weir");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        let digest = TreeDigest::of("weir");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!(digest.short().len(), TreeDigest::SHORT_LENGTH);
    }

    #[test]
    fn upper_case_another_prefix_and_other_lengths_are_refused() {
        let hex = Sha256::of("weir").to_hex();
        for text in [
            hex.clone(),
            format!("sha256:{}", hex.to_uppercase()),
            format!("sha256:{hex}0"),
            format!("blake3:{hex}"),
            "sha256:é".into(),
        ] {
            assert!(text.parse::<Sha256>().is_err(), "{text}");
        }
        assert!(format!("sha256:{hex}").parse::<TreeDigest>().is_err());
    }

    /// Vectors that the two algorithms' own documents have.
    #[test]
    fn each_use_has_its_algorithm() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Sha256::of("").to_hex(), empty);
        let empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!(EntryDigest::of("").to_hex(), empty);
    }

    #[test]
    fn pieces_have_the_digest_of_the_whole() {
        let bytes = vec![7; 100_000];
        let mut hasher = Hasher::new();
        bytes.chunks(999).for_each(|piece| hasher.update(piece));
        assert_eq!(hasher.finish(), EntryDigest::of(bytes));
    }
}
