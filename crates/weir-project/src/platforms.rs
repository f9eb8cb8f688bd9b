//! A lockfile for all platforms that the manifest names, made on any machine.

use weir_model::Lockfile;
use weir_reach::{Connections, Session};

use crate::error::ProjectError;
use crate::fetch::settle;
use crate::install::wanted_lock;
use crate::moving::Moving;
use crate::project::Project;

/// Has the lockfile, which will say `lock` for this machine's platform, also say what the other platforms use that the manifest names.
/// Nothing is written yet. What is the same on all platforms is chosen as `lock` has it.
///
/// # Errors
///
/// When something cannot be met there, or not by the same releases for any platform; with `locked`, when the lockfile says something else.
pub(crate) fn lock_for_others(
    session: &Session,
    project: &mut Project,
    lock: &Lockfile,
    locked: bool,
    moving: Moving<'_>,
) -> Result<(), ProjectError> {
    let here = session.platform();
    let mut others = Vec::new();
    for there in project.manifest.platforms.clone().into_iter().filter(|platform| *platform != here) {
        let of_there = Session { platform: Some(there.clone()), ..session.clone() };
        let other = project.with_lock(lock, there.clone());
        let theirs = lock_for(&of_there, &other, locked, moving).inspect_err(|_| {
            session.warn(format!("there is no lockfile for `{there}`, which `platforms` names"));
        })?;
        project.keep_beside(other.beside_others(&theirs));
        others.push((there, theirs));
    }
    let whole = project.beside_others(lock);
    for (there, theirs) in others {
        if whole.on(&there).releases != theirs.on(&there).releases {
            return Err(ProjectError::PlatformsApart { here, there });
        }
    }
    Ok(())
}

fn lock_for(
    session: &Session,
    project: &Project,
    locked: bool,
    moving: Moving<'_>,
) -> Result<Lockfile, ProjectError> {
    let connections = Connections::of(session, project.registries())?;
    let planned = wanted_lock(session, &connections, project, locked, moving)?;
    settle(session, project, planned)
}
