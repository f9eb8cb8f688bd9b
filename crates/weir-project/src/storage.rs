//! Who holds how much of a registry's storage, and room for what is to be published.

use std::cell::OnceCell;
use std::path::Path;

use weir_model::OwnerName;
use weir_reach::{Connection, KnownRegistry, Session, connect, find, open_for_writing};
use weir_registry::Change;
use weir_wire::storage::Storage;

use crate::error::ProjectError;
use crate::project::Project;

/// Of less it costs as much to ask as to send it: the registry refuses it anyway.
const WORTH_ASKING: u64 = 1 << 20;

/// Tells who holds how much, or what one owner holds.
///
/// # Errors
///
/// When the registry cannot be asked, one may not look after its storage, or the owner has nothing in it.
pub fn storage(
    session: &Session,
    project: Option<&Project>,
    owner: Option<&OwnerName>,
) -> Result<Storage, ProjectError> {
    let known = find(session, project.map(Project::registries), None, Path::new("."))?;
    let mut storage = open_for_writing(session, &known)?.storage()?;
    if let Some(owner) = owner {
        storage.owners.retain(|told| told.owner == *owner);
        if storage.owners.is_empty() {
            return Err(ProjectError::HoldsNothing { owner: owner.clone(), registry: known.name });
        }
    }
    Ok(storage)
}

/// Room for packages that are to be published, as the log says it: whoever has none need not send them first.
pub(crate) struct Room<'a> {
    session: &'a Session,
    known: &'a KnownRegistry,
    connection: OnceCell<Connection>,
    change: Change,
}

impl<'a> Room<'a> {
    pub(crate) fn new(session: &'a Session, known: &'a KnownRegistry) -> Self {
        Self { session, known, connection: OnceCell::new(), change: Change::default() }
    }

    /// Refuses a pack that there is no room for, besides those before it.
    pub(crate) fn take(&mut self, owner: OwnerName, size: u64) -> Result<(), ProjectError> {
        self.change.add(owner, size);
        if size < WORTH_ASKING {
            return Ok(());
        }
        let connection = match self.connection.get() {
            Some(connection) => connection,
            None => {
                let connection = connect(self.session, self.known)?;
                self.connection.get_or_init(|| connection)
            }
        };
        self.change.check(connection.replica.index())?;
        Ok(())
    }
}
