//! What a project uses and was quarantined, as far as this machine knows: whoever uses it is told, without anybody being asked.

use std::collections::HashSet;
use std::path::Path;

use weir_model::{Lockfile, ReleaseId, TreeDigest};
use weir_reach::Session;
use weir_rules::Standing;

use crate::layout::{Records, uses_any};
use crate::look::known_views;
use crate::project::Project;

/// Tells of it.
pub fn warn_of_quarantined(session: &Session, project: &Project) {
    if let Some(lock) = &project.lock {
        warn_of(session, project, lock);
    }
}

/// The same where a project is installed as it should be, and was not even read. Gives what was told.
pub(crate) fn warn_where_installed(session: &Session, folder: &Path) -> Option<String> {
    let trees = session.home.replicas().quarantined();
    if trees.is_empty() || !uses_any(&Records::new(session.home.layouts()), folder, &trees) {
        return None;
    }
    // Only told: a project that cannot be read is no concern of who has nothing to do.
    let project = Project::open(folder, &session.owners).ok()?;
    told(session, &project, project.lock.as_ref()?, &trees)
}

/// The same of a project with this lockfile.
pub(crate) fn warn_of(session: &Session, project: &Project, lock: &Lockfile) -> Option<String> {
    told(session, project, lock, &session.home.replicas().quarantined())
}

fn told(
    session: &Session,
    project: &Project,
    lock: &Lockfile,
    trees: &HashSet<TreeDigest>,
) -> Option<String> {
    let is_suspect = |tree: Option<TreeDigest>| tree.is_some_and(|tree| trees.contains(&tree));
    let suspects: Vec<_> = lock.releases.iter().filter(|release| is_suspect(release.tree)).collect();
    if suspects.is_empty() {
        return None;
    }
    // Only told: a view that cannot answer has nothing to tell.
    let views = known_views(session, project).ok()?;
    let found: Vec<(ReleaseId, Option<String>)> = suspects
        .into_iter()
        .filter_map(|release| {
            let view = views.get(release.registry.as_ref()?)?.index().release(&release.id()).ok()??;
            let is_so = view.standing() == Standing::Quarantined;
            is_so.then(|| (release.id(), view.quarantined.and_then(|quarantined| quarantined.reason)))
        })
        .collect();
    let ((id, reason), more) = found.split_first()?;
    let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let others = match more.len() {
        0 => String::new(),
        1 => ", and so was another release".to_owned(),
        more => format!(", and so were {more} other releases"),
    };
    let text = format!(
        "`{id}`, which is used here, was quarantined{why}{others}; `weir audit` tells more, `weir update {}` takes another",
        id.name
    );
    session.warn(text.clone());
    Some(text)
}
