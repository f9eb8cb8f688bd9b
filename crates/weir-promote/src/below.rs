//! Looking once more into the registry that a promotion comes from, before somebody approves it.

use weir_index::{Index, IndexError};
use weir_model::{ReleaseId, TreeDigest};
use weir_reach::{Connection, ManifestRegistries, ReachError, Session, connect, pinned_name, registries};
use weir_rules::Standing;
use weir_wire::promotion::PromotionRequest;

use crate::error::PromoteError;

/// Refuses a promotion of what was withdrawn below meanwhile. Where that registry is not known on this machine, that is told: then
/// nobody has looked.
pub(crate) fn refuse_withdrawn(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    request: &PromotionRequest,
) -> Result<(), PromoteError> {
    let Some(below) = find(session, project, request)? else {
        session.warn(format!(
            "no registry with the key of `{}` is known and reached here, so nobody looked whether it offers this still",
            request.from
        ));
        return Ok(());
    };
    below.replica.check_elsewhere(&*below.source, session.now).map_err(ReachError::from)?;
    refuse_withdrawn_in(below.replica.index(), request)
}

/// Refuses a promotion of what the registry below, whose view this is, has withdrawn or has no longer.
///
/// # Errors
///
/// [`PromoteError::Withdrawn`] and [`PromoteError::NotBelow`], which say of which release that is so.
pub fn refuse_withdrawn_in(below: &Index, request: &PromotionRequest) -> Result<(), PromoteError> {
    for (id, tree) in request.releases.iter().zip(&request.trees) {
        match standing(below, id, tree)? {
            Some(Standing::Offered) => {}
            Some(standing) => return Err(PromoteError::Withdrawn { id: id.clone(), standing }),
            None => return Err(PromoteError::NotBelow { id: id.clone(), registry: request.from.clone() }),
        }
    }
    Ok(())
}

/// How a release stands, if it is there with that content; one that was removed is not.
fn standing(below: &Index, id: &ReleaseId, tree: &TreeDigest) -> Result<Option<Standing>, IndexError> {
    let view = below.release(id)?.filter(|view| view.release.tree == *tree);
    Ok(view.map(|view| view.standing()))
}

/// The registry that a request comes from, among those that are known here.
fn find(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    request: &PromotionRequest,
) -> Result<Option<Connection>, ReachError> {
    for known in registries(session, project)? {
        if pinned_name(session, &known)?.is_some_and(|name| name != request.from) {
            continue;
        }
        // One that is not reached is not looked into, as one that is not known.
        let Ok(connection) = connect(session, &known) else { continue };
        let keys = connection.replica.keys().keys();
        if keys.iter().any(|key| key.to_string() == request.key) {
            return Ok(Some(connection));
        }
    }
    Ok(None)
}
