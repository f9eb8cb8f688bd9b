//! The evidence of a build, read to be looked at.

use std::io::Read as _;

use weir_log::Source;
use weir_model::Digest;
use weir_model::evidence::{Evidence, HeldAs};

use super::{ContentError, LARGEST_FILE, ShownFile, file_path};

/// More than the log of a build ever has, unpacked, in bytes: what builds print is cut long before.
const MOST_LOG: u64 = 64 << 20;

/// A document that a release names as evidence of its build, and at most `most` bytes of it; a log, unpacked. `None` where the registry
/// does not hold it, and for a source: that is a tree, and no document.
///
/// # Errors
///
/// When it cannot be read, has other bytes than its name says, or is a log that cannot be unpacked.
pub fn shown_evidence(
    source: &dyn Source,
    evidence: &Evidence,
    most: usize,
) -> Result<Option<ShownFile>, ContentError> {
    let HeldAs::File(sha256, _) = evidence.held() else { return Ok(None) };
    let Some(bytes) = source.read(&file_path(&sha256), LARGEST_FILE)? else { return Ok(None) };
    let actual = Digest::of(&bytes);
    if actual != sha256 {
        return Err(ContentError::BadFile { expected: sha256, actual });
    }
    if matches!(evidence, Evidence::Log { .. }) {
        let log = unpacked(&bytes, most);
        return log.map(Some).map_err(|reason| ContentError::BadLog { sha256, reason });
    }
    let size = bytes.len() as u64;
    Ok(Some(ShownFile { size, bytes: Some(beginning(bytes, most)) }))
}

/// A log, whose size is known only when all of it was unpacked.
fn unpacked(packed: &[u8], most: usize) -> std::io::Result<ShownFile> {
    let mut log = zstd::Decoder::new(packed)?.take(MOST_LOG);
    let mut bytes = Vec::new();
    let read = log.by_ref().take(most as u64).read_to_end(&mut bytes)?;
    let rest = std::io::copy(&mut log, &mut std::io::sink())?;
    Ok(ShownFile { size: read as u64 + rest, bytes: Some(bytes) })
}

fn beginning(mut bytes: Vec<u8>, most: usize) -> Vec<u8> {
    bytes.truncate(most);
    bytes
}
