//! Moving content from the registry below into the one above: packs, external files that are held, evidence of builds.

use std::io::Read;

use weir_log::Source;
use weir_model::{Release, Sha256, TreeDigest};
use weir_reach::{Amount, Counter, Session, Work};
use weir_registry::content::{open_file, open_kept_pack};
use weir_registry::{HeldAs, Registry, held_beside};

use crate::STREAMS;
use crate::error::PromoteError;

/// Brings all that a release names and the registry below holds; gives the bytes of its pack as the one above holds it.
/// Both check what comes by its digest.
pub(crate) fn content(
    session: &Session,
    lower: &dyn Source,
    upper: &dyn Registry,
    release: &Release,
) -> Result<u64, PromoteError> {
    let size = pack(session, lower, upper, &release.tree, release.size)?;
    for held in held_beside(release) {
        match held {
            HeldAs::Pack(tree, size) => drop(pack(session, lower, upper, &tree, size)?),
            HeldAs::File(sha256, size) => file(session, lower, upper, &sha256, size)?,
        }
    }
    Ok(size)
}

fn pack(
    session: &Session,
    lower: &dyn Source,
    upper: &dyn Registry,
    tree: &TreeDigest,
    size: u64,
) -> Result<u64, PromoteError> {
    if let Some(held) = upper.pack_size(tree)? {
        return Ok(held);
    }
    let from = open_kept_pack(lower, tree, Some(size))?.ok_or(PromoteError::LostPack { tree: *tree })?;
    session.begin(Work::Uploading, Amount::Bytes(size));
    // No more is read than the record says there is: one byte more is enough to know.
    let mut from = Counter::new(session).read(from.take(size.saturating_add(1)));
    Ok(upper.put_pack(tree, &mut from)?)
}

fn file(
    session: &Session,
    lower: &dyn Source,
    upper: &dyn Registry,
    sha256: &Sha256,
    size: Option<u64>,
) -> Result<(), PromoteError> {
    if upper.has_file(sha256)? {
        return Ok(());
    }
    let from = open_file(lower, sha256, size, STREAMS)?.ok_or(PromoteError::LostFile { sha256: *sha256 })?;
    session.begin(Work::Uploading, size.map_or(Amount::Unknown, Amount::Bytes));
    upper.put_file(sha256, &mut Counter::new(session).read(from))?;
    Ok(())
}
