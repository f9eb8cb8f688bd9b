//! Repairing the store from the registries that are known.

use std::sync::Arc;

use weir_log::Source;
use weir_registry::content::{file_path, open_pack};
use weir_store::{Item, RepairReport, Replacement, Scope};
use weir_tree::Limits;

use crate::connect::source_of;
use crate::error::ProjectError;
use crate::project::Project;
use crate::registries::registries;
use crate::session::{Event, Session};

/// Checks everything in the store, and fetches what is damaged from whichever known registry has it: a digest
/// is the same everywhere, so it does not matter which.
///
/// # Errors
///
/// When the store cannot be read. What became of each damaged thing is in the report.
pub fn store_repair(
    session: &Session,
    project: Option<&Project>,
) -> Result<RepairReport<ProjectError>, ProjectError> {
    let store = session.open_store()?.session()?;
    session.tell(&Event::Verifying { files: 0, bytes: 0 });
    let checked = store.verify(Scope::Everything)?;
    let known = if session.offline { Vec::new() } else { registries(session, project)? };
    let sources: Vec<Arc<dyn Source>> =
        known.iter().map(|known| source_of(&known.location)).collect::<Result<_, _>>()?;
    let report = store.repair(&checked, &Limits::default(), |item| find(&sources, item))?;
    Ok(report)
}

fn find(sources: &[Arc<dyn Source>], item: &Item) -> Result<Replacement, ProjectError> {
    // A file too large for this is fetched in chunks by `weir install`, once it is out of the way.
    const LARGEST_FILE: u64 = 16 << 20;
    for source in sources {
        match item {
            Item::Tree(tree) => {
                if let Some(reader) = open_pack(&**source, tree, 0)? {
                    return Ok(Replacement::Pack { bytes: None, reader });
                }
            }
            Item::File(sha256) => {
                if let Some(bytes) = source.read(&file_path(sha256), LARGEST_FILE)? {
                    let length = bytes.len() as u64;
                    return Ok(Replacement::File {
                        bytes: length,
                        reader: Box::new(std::io::Cursor::new(bytes)),
                    });
                }
            }
            Item::Derivation(_) => {}
        }
    }
    Ok(Replacement::Nowhere)
}
