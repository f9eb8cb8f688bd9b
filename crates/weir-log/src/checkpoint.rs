//! Checkpoints: the signed statement of a log's size and root.
//!
//! ```text
//! org                                            origin
//! 923748                                         size
//! nND/nri//U0xuHUrYSy0HtMeal2vzD9V4k/BO79C+QeI=   root
//! time 2026-11-20T12:00:00Z                      when it was signed
//! expires 2026-12-20T12:00:00Z                   a reader refuses it after this: a frozen mirror shows
//! snapshot 923000 sha256:…                       the view at that size, for a cold sync
//!
//! — org x08go/ZJ…                                a signature
//! ```
//!
//! Lines after the root are extension lines of C2SP tlog-checkpoint; all are optional and those we do
//! not know are kept and ignored. [`Checkpoint`] is what somebody wrote; [`CheckedCheckpoint`] is what
//! a trusted key signed.

use std::fmt::{self, Write as _};
use std::ops::Deref;

use jiff::Timestamp;
use signed_note::{Note, NoteError};

use crate::key::{Origin, Signers, TrustedKeys};
use crate::{Hash, MAX_SIZE};

/// Bytes a checkpoint may have, signatures included.
pub const MAX_CHECKPOINT: u64 = 64 * 1024;

/// A checkpoint whose form is sound and whose signatures nobody has checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: Origin,
    size: u64,
    root: Hash,
    stamp: ParsedStamp,
    note: String,
}

/// The extension lines we know, as found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct ParsedStamp {
    time: Option<Timestamp>,
    expires: Option<Timestamp>,
    snapshot: Option<Snapshot>,
}

/// A column snapshot of the view that a checkpoint vouches for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// How many entries of the log it covers.
    pub size: u64,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
}

/// What a checkpoint says besides size and root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// When it is signed.
    pub time: Timestamp,
    /// After this moment readers refuse it.
    pub expires: Option<Timestamp>,
    /// The snapshot to start a cold sync from. `None` keeps the one the log already names.
    pub snapshot: Option<Snapshot>,
}

impl Stamp {
    /// Signed at `time`, valid until `expires`, naming no new snapshot.
    pub fn new(time: Timestamp, expires: Option<Timestamp>) -> Self {
        Self { time, expires, snapshot: None }
    }
}

/// Why bytes are not a checkpoint of the log they should be of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The bytes do not have the form of a checkpoint.
    #[error("not a checkpoint: {reason}")]
    Malformed {
        /// Which rule they break.
        reason: String,
    },
    /// It speaks of another log.
    #[error("the checkpoint is of the log `{found}`, not of `{expected}`")]
    OtherOrigin {
        /// The log the trusted keys are for.
        expected: Origin,
        /// The log it speaks of.
        found: Origin,
    },
    /// None of its signatures is by a trusted key.
    #[error("the checkpoint of `{origin}` is not signed by a trusted key")]
    Unsigned {
        /// The log.
        origin: Origin,
        /// The whole text, as evidence.
        note: String,
    },
    /// A signature claims to be by a trusted key and is not.
    #[error("the checkpoint of `{origin}` carries a false signature")]
    FalseSignature {
        /// The log.
        origin: Origin,
        /// The whole text, as evidence.
        note: String,
    },
}

fn malformed(reason: impl Into<String>) -> CheckpointError {
    CheckpointError::Malformed { reason: reason.into() }
}

impl Checkpoint {
    /// Reads a signed note. Proves nothing: see [`Checkpoint::verify`].
    pub fn parse(note: &[u8]) -> Result<Self, CheckpointError> {
        Self::parse_note(note).map(|(checkpoint, _)| checkpoint)
    }

    fn parse_note(bytes: &[u8]) -> Result<(Self, Note), CheckpointError> {
        if bytes.len() as u64 > MAX_CHECKPOINT {
            return Err(malformed(format!("{} bytes, more than {MAX_CHECKPOINT}", bytes.len())));
        }
        let note = Note::from_bytes(bytes).map_err(|error| malformed(error.to_string()))?;
        let text =
            tlog_tiles::Checkpoint::from_bytes(note.text()).map_err(|error| malformed(error.to_string()))?;
        if text.size() > MAX_SIZE {
            return Err(malformed(format!("a log of {} entries, more than {MAX_SIZE}", text.size())));
        }
        let origin = Origin::new(text.origin()).map_err(|error| malformed(error.to_string()))?;
        let root = Hash::from(*text.hash());
        if text.size() == 0 && root != Hash::EMPTY {
            return Err(malformed("an empty log with a root that is not the empty tree's"));
        }
        let stamp = parse_extensions(text.extension())?;
        let whole = String::from_utf8(bytes.to_vec()).map_err(|error| malformed(error.to_string()))?;
        Ok((Self { origin, size: text.size(), root, stamp, note: whole }, note))
    }

    /// Checks origin and signatures against the keys that are trusted for this log.
    pub fn verify(bytes: &[u8], keys: &TrustedKeys) -> Result<CheckedCheckpoint, CheckpointError> {
        let (checkpoint, note) = Self::parse_note(bytes)?;
        if checkpoint.origin != *keys.origin() {
            return Err(CheckpointError::OtherOrigin {
                expected: keys.origin().clone(),
                found: checkpoint.origin,
            });
        }
        match note.verify(keys) {
            Ok(_) => Ok(CheckedCheckpoint(checkpoint)),
            Err(NoteError::InvalidSignature { .. }) => {
                Err(CheckpointError::FalseSignature { origin: checkpoint.origin, note: checkpoint.note })
            }
            Err(_) => Err(CheckpointError::Unsigned { origin: checkpoint.origin, note: checkpoint.note }),
        }
    }

    /// The log's name.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Entries in the log.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree over them.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// When it was signed, if it says so.
    pub fn time(&self) -> Option<Timestamp> {
        self.stamp.time
    }

    /// The moment after which it must not be used, if it says so.
    pub fn expires(&self) -> Option<Timestamp> {
        self.stamp.expires
    }

    /// The snapshot it vouches for.
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.stamp.snapshot
    }

    /// The signed note, byte for byte: what to keep, and what to show as evidence.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Whether it has expired at `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires().is_some_and(|expires| expires < now)
    }
}

/// A checkpoint that a trusted key signed. Only checking makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedCheckpoint(Checkpoint);

impl CheckedCheckpoint {
    /// Signs a statement about a log; what one has signed oneself needs no further check.
    pub(crate) fn sign(
        size: u64,
        root: Hash,
        stamp: &Stamp,
        signers: &Signers,
    ) -> Result<Self, CheckpointError> {
        let mut text = format!("{}\n{size}\n{root}\ntime {}\n", signers.origin(), stamp.time);
        if let Some(expires) = stamp.expires {
            let _ = writeln!(text, "expires {expires}");
        }
        if let Some(snapshot) = stamp.snapshot {
            let _ = writeln!(text, "snapshot {snapshot}");
        }
        let mut note = Note::new(text.as_bytes(), &[]).map_err(|error| malformed(error.to_string()))?;
        note.add_sigs(&signers.as_note_signers()).map_err(|error| malformed(error.to_string()))?;
        Checkpoint::verify(&note.to_bytes(), &signers.trusted())
    }

    /// Gives up the proof and keeps the text.
    pub fn into_inner(self) -> Checkpoint {
        self.0
    }
}

impl Deref for CheckedCheckpoint {
    type Target = Checkpoint;

    fn deref(&self) -> &Checkpoint {
        &self.0
    }
}

fn parse_extensions(lines: &str) -> Result<ParsedStamp, CheckpointError> {
    let mut stamp = ParsedStamp::default();
    for line in lines.lines() {
        match line.split_once(' ') {
            Some(("time", value)) => once(&mut stamp.time, "time", parse_time(value)?)?,
            Some(("expires", value)) => once(&mut stamp.expires, "expires", parse_time(value)?)?,
            Some(("snapshot", value)) => once(&mut stamp.snapshot, "snapshot", Snapshot::parse(value)?)?,
            _ => {}
        }
    }
    Ok(stamp)
}

fn once<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), CheckpointError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(malformed(format!("two `{name}` lines"))),
    }
}

fn parse_time(text: &str) -> Result<Timestamp, CheckpointError> {
    text.parse().map_err(|_| malformed(format!("not an RFC 3339 time: `{text}`")))
}

impl Snapshot {
    fn parse(text: &str) -> Result<Self, CheckpointError> {
        let bad = || malformed(format!("not `<size> sha256:<64 hex digits>`: `{text}`"));
        let (size, digest) = text.split_once(" sha256:").ok_or_else(bad)?;
        let size: u64 = size.parse().map_err(|_| bad())?;
        let mut sha256 = [0; 32];
        if digest.len() != 64 || !digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(bad());
        }
        for (byte, pair) in sha256.iter_mut().zip(digest.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| bad())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
        }
        Ok(Self { size, sha256 })
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sha256:", self.size)?;
        self.sha256.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&Origin::new("org").unwrap(), &[seed; 32]).unwrap()
    }

    fn stamp() -> Stamp {
        Stamp {
            time: "2026-11-20T12:00:00Z".parse().unwrap(),
            expires: Some("2026-12-20T12:00:00Z".parse().unwrap()),
            snapshot: Some(Snapshot { size: 3, sha256: [0xab; 32] }),
        }
    }

    fn signed(keys: &[u8]) -> CheckedCheckpoint {
        let signers = Signers::new(keys.iter().map(|&seed| key(seed))).unwrap();
        CheckedCheckpoint::sign(5, Hash::of_leaf(b"x"), &stamp(), &signers).unwrap()
    }

    fn trusting(keys: &[u8]) -> TrustedKeys {
        TrustedKeys::new(keys.iter().map(|&seed| key(seed).verifying_key().clone())).unwrap()
    }

    #[test]
    fn what_was_signed_reads_back() {
        let made = signed(&[1]);
        let read = Checkpoint::verify(made.note().as_bytes(), &trusting(&[1])).unwrap();
        assert_eq!(read, made);
        assert_eq!((read.size(), read.root()), (5, Hash::of_leaf(b"x")));
        assert_eq!(read.snapshot(), stamp().snapshot);
        assert!(!read.is_expired("2026-12-20T12:00:00Z".parse().unwrap()));
        assert!(read.is_expired("2026-12-20T12:00:01Z".parse().unwrap()));
    }

    #[test]
    fn any_one_trusted_key_is_enough_and_an_unknown_one_is_not() {
        let note = signed(&[1, 2]).note().to_owned();
        for known in [&[1][..], &[2], &[2, 3]] {
            assert!(Checkpoint::verify(note.as_bytes(), &trusting(known)).is_ok());
        }
        let refused = Checkpoint::verify(note.as_bytes(), &trusting(&[3]));
        assert!(matches!(refused, Err(CheckpointError::Unsigned { .. })));
    }

    #[test]
    fn a_changed_size_is_a_false_signature() {
        let note = signed(&[1]).note().replacen("\n5\n", "\n6\n", 1);
        let refused = Checkpoint::verify(note.as_bytes(), &trusting(&[1]));
        assert!(matches!(refused, Err(CheckpointError::FalseSignature { .. })));
    }

    #[test]
    fn another_log_with_the_same_key_material_is_refused() {
        let other = SigningKey::from_seed(&Origin::new("other").unwrap(), &[1; 32]).unwrap();
        let made = CheckedCheckpoint::sign(0, Hash::EMPTY, &stamp(), &other.into()).unwrap();
        let refused = Checkpoint::verify(made.note().as_bytes(), &trusting(&[1]));
        assert!(matches!(refused, Err(CheckpointError::OtherOrigin { .. })));
    }

    #[test]
    fn unknown_lines_are_kept_and_broken_known_ones_are_refused() {
        let signature = "\n— org AAAAAAAA\n";
        let root = Hash::of_leaf(b"x");
        let parse = |lines: &str| Checkpoint::parse(format!("org\n5\n{root}\n{lines}{signature}").as_bytes());
        assert!(parse("colour blue\nword\n").unwrap().note().contains("\ncolour blue\nword\n"));
        for bad in [
            "time yesterday\n",
            "time 2026-11-20T12:00:00Z\ntime 2026-11-20T12:00:00Z\n",
            "snapshot 5\n",
            "snapshot 5 sha256:abc\n",
            &format!("snapshot 5 sha256:{}\n", "é".repeat(32)),
            &format!("snapshot 5 sha256:{}\n", "A".repeat(64)),
        ] {
            assert!(matches!(parse(bad), Err(CheckpointError::Malformed { .. })), "{bad:?}");
        }
    }

    #[test]
    fn absurd_sizes_and_lengths_are_refused() {
        let root = Hash::of_leaf(b"x");
        let with_size =
            |size: &str| Checkpoint::parse(format!("org\n{size}\n{root}\n\n— org AAAAAAAA\n").as_bytes());
        assert!(with_size("1099511627776").is_ok());
        for bad in ["1099511627777", "18446744073709551615", "18446744073709551616", "-1", "05", "0", ""] {
            assert!(with_size(bad).is_err(), "{bad:?}");
        }
        assert!(Checkpoint::parse(&vec![b'a'; MAX_CHECKPOINT as usize + 1]).is_err());
    }
}
