//! A registry that is a folder: its log, its descriptor, its content.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_log::{
    CheckedCheckpoint, Checkpoint, FolderSource, LogFolder, LogWriter, Signers, Source, Stamp, TrustedKeys,
    WriteError,
};
use weir_model::descriptor::Descriptor;
use weir_policy::Authorized;

use crate::content::ContentFolder;
use crate::keys::KeyFolder;
use crate::ports::{Entry, PortError, Ports, Sequencer, Turn};
use crate::replica::DESCRIPTOR;

/// The registry in the folder `root`, or to be made there, whose keys are kept in the folder `keys`.
///
/// # Errors
///
/// When the folder is not there.
pub fn folder_ports(root: &Path, keys: &Path) -> Result<Ports, std::io::Error> {
    folder_ports_with_faults(root, keys, Arc::new(weir_log::NoFaults))
}

/// As [`folder_ports`]; tells `faults` of each point that a change passes, for tests that interrupt it.
///
/// # Errors
///
/// When the folder is not there.
pub fn folder_ports_with_faults(
    root: &Path,
    keys: &Path,
    faults: Arc<dyn weir_log::Faults>,
) -> Result<Ports, std::io::Error> {
    let location = location_of(root)?;
    Ok(Ports {
        keys: Arc::new(KeyFolder::new(keys, &location)),
        objects: Arc::new(ContentFolder::new(root).with_faults(faults.clone())),
        sequencer: Arc::new(FolderSequencer {
            root: root.into(),
            log: LogFolder::new(root).with_faults(faults),
        }),
        location,
    })
}

/// How a folder is named in what this machine remembers: absolute, links resolved.
///
/// # Errors
///
/// When the folder is not there.
pub fn location_of(root: &Path) -> Result<String, std::io::Error> {
    Ok(fs_err::canonicalize(root)?.display().to_string())
}

/// Whether a registry can be made in a folder: there is nothing in it but what an attempt that was cut short leaves.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn is_free(root: &Path) -> Result<bool, std::io::Error> {
    let leftovers = ["checkpoint", ".log.lock", "tile"];
    let entries = match fs_err::read_dir(root) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name();
        if !leftovers.iter().any(|leftover| name == *leftover) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Orders the writers of a folder by the lock of its log.
struct FolderSequencer {
    root: PathBuf,
    log: LogFolder,
}

impl Sequencer for FolderSequencer {
    fn source(&self) -> Arc<dyn Source> {
        Arc::new(FolderSource::new(&self.root))
    }

    fn create(&self, _: &Authorized, signers: &Signers, stamp: &Stamp) -> Result<(), PortError> {
        match self.log.create(signers, stamp) {
            Ok(_) => Ok(()),
            Err(WriteError::Exists { .. }) => Err(PortError::Exists),
            Err(error) => Err(error.into()),
        }
    }

    fn turn(&self, signers: Signers, trusted: &TrustedKeys) -> Result<Box<dyn Turn + '_>, PortError> {
        Ok(Box::new(FolderTurn(self.log.writer(signers, trusted)?)))
    }

    fn describe(&self, _: &Authorized, descriptor: &Descriptor) -> Result<(), PortError> {
        let (access, durability) = (weir_fs::Access::Public, weir_fs::Durability::Durable);
        weir_fs::replace(self.root.join(DESCRIPTOR), descriptor.to_text(), access, durability)
            .map_err(std::io::Error::other)?;
        Ok(())
    }
}

/// Whoever holds the lock: the log cannot move.
struct FolderTurn(LogWriter);

impl Turn for FolderTurn {
    fn append(
        &mut self,
        _: &Authorized,
        after: &Checkpoint,
        entries: &[Entry],
        stamp: &Stamp,
    ) -> Result<CheckedCheckpoint, PortError> {
        let now = self.0.checkpoint();
        if (now.size(), now.root()) != (after.size(), after.root()) {
            return Err(PortError::Moved { before: after.size(), now: now.size() });
        }
        let entries: Vec<Vec<u8>> = entries.iter().map(|entry| entry.bytes().to_vec()).collect();
        Ok(self.0.append(&entries, stamp)?)
    }
}
