//! Which registry something goes into.

use std::path::Path;

use weir_reach::{
    Connection, KnownRegistry, ManifestRegistries, ReachError, Session, connect, find, known_upstream,
    upstreams_of,
};

use crate::error::PromoteError;

/// The registry that is named, by the user or by the registry `below`; or else the first of those above that.
pub(crate) fn of(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    below: &Connection,
    named: Option<&str>,
) -> Result<KnownRegistry, PromoteError> {
    let registry = || below.known.name.clone();
    let Some(named) = named else {
        let above = upstreams_of(session, below)?;
        let first = above.first().ok_or_else(|| PromoteError::NoUpstream { registry: registry() })?;
        return Ok(known_upstream(&registry(), first, None)?);
    };
    let unknown = match find(session, project, Some(named), Path::new(".")) {
        Err(unknown @ ReachError::UnknownRegistry { .. }) => unknown,
        found => return Ok(found?),
    };
    let above = upstreams_of(session, below)?;
    let same = above.iter().find(|above| above.name == named).ok_or(unknown)?;
    Ok(known_upstream(&registry(), same, None)?)
}

/// The registry in which promotions wait: the one that is named, as for [`of`], or else the one in use.
pub(crate) fn waiting(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    named: Option<&str>,
) -> Result<KnownRegistry, PromoteError> {
    let here = Path::new(".");
    match find(session, project, named, here) {
        Err(ReachError::UnknownRegistry { .. }) => {
            let below = connect(session, &find(session, project, None, here)?)?;
            of(session, project, &below, named)
        }
        found => Ok(found?),
    }
}
