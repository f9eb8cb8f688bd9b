//! Repairing the store from the registries and the git repositories that are known.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_log::Source;
use weir_model::TreeDigest;
use weir_registry::content::{file_path, open_kept_pack};
use weir_store::{Item, RepairReport, Replacement, Scope};
use weir_tree::Limits;

use crate::error::ProjectError;
use crate::project::Project;
use weir_git::{TreeOrigin, pack_again};
use weir_reach::{Session, registries, source_of};

/// Checks everything in the store, and fetches what is damaged from whichever known registry has it: a digest
/// is the same everywhere, so it does not matter which. What came from a git tag comes from there again.
///
/// # Errors
///
/// When the store cannot be read. What became of each damaged thing is in the report.
pub fn store_repair(
    session: &Session,
    project: Option<&Project>,
) -> Result<RepairReport<ProjectError>, ProjectError> {
    let store = session.open_store()?.session()?;
    let checked = store.verify(Scope::Everything)?;
    let suppliers = if session.offline { Suppliers::default() } else { Suppliers::known(session, project)? };
    let report = store.repair(&checked, &Limits::default(), |item| suppliers.find(item))?;
    Ok(report)
}

/// Where something that is damaged may be had again.
#[derive(Default)]
struct Suppliers {
    registries: Vec<Arc<dyn Source>>,
    repositories: BTreeMap<TreeDigest, TreeOrigin>,
}

impl Suppliers {
    fn known(session: &Session, project: Option<&Project>) -> Result<Self, ProjectError> {
        let registries = registries(session, project.map(Project::registries))?;
        let registries = registries.iter().map(|known| source_of(session, &known.location));
        let mut repositories = session.git().origins();
        if let Some(Project { folder, lock: Some(lock), .. }) = project {
            for release in &lock.releases {
                if let (Some(tree), Some(git)) = (release.tree, &release.git) {
                    repositories.entry(tree).or_insert_with(|| TreeOrigin::of_locked(git, folder));
                }
            }
        }
        Ok(Self { registries: registries.collect::<Result<_, _>>()?, repositories })
    }

    /// Asks one after the other. That one cannot be reached matters only if no other has it.
    fn find(&self, item: &Item) -> Result<Replacement, ProjectError> {
        let mut failure = None;
        for source in &self.registries {
            match from_registry(&**source, item) {
                Ok(Replacement::Nowhere) => {}
                Ok(found) => return Ok(found),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        match item {
            Item::Tree(tree) if let Some(origin) = self.repositories.get(tree) => {
                let pack = pack_again(origin, tree)?;
                Ok(Replacement::Pack { bytes: None, reader: Box::new(pack) })
            }
            _ => failure.map_or(Ok(Replacement::Nowhere), Err),
        }
    }
}

fn from_registry(source: &dyn Source, item: &Item) -> Result<Replacement, ProjectError> {
    // A file too large for this is fetched in chunks by `weir install`, once it is out of the way.
    const LARGEST_FILE: u64 = 16 << 20;
    Ok(match item {
        Item::Tree(tree) => match open_kept_pack(source, tree, None)? {
            Some(reader) => Replacement::Pack { bytes: None, reader },
            None => Replacement::Nowhere,
        },
        Item::File(sha256) => match source.read(&file_path(sha256), LARGEST_FILE)? {
            Some(bytes) => {
                Replacement::File { bytes: bytes.len() as u64, reader: Box::new(std::io::Cursor::new(bytes)) }
            }
            None => Replacement::Nowhere,
        },
        Item::Derivation(_) => Replacement::Nowhere,
    })
}
