//! What a server lacks to do what it is there for: logs that readers believe, keys that sign for them, and a disk that it can write to.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use weir_log::{CheckedCheckpoint, Checkpoint, FolderSource, MAX_CHECKPOINT, TrustedKeys, root_at};
use weir_model::descriptor::Descriptor;
use weir_registry::{DESCRIPTOR, KeyFolder, Keys as _, KeysError, location_of, parse_keys};

use crate::data::DataFolder;
use crate::registries::RegistryName;

/// For so long it is believed what was found: whoever watches a server may ask often.
const BELIEVED: Duration = Duration::from_secs(5);

/// What is written to find out whether anything can be, and how much of it, in bytes.
const PROBE: &str = "server.probe";
const PROBED: usize = 256 << 10;

/// The file of a registry that says, signed, how long its log is.
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// The largest `weir.json` that is looked at, in bytes.
const MAX_DESCRIPTOR: u64 = 1 << 20;

/// What was found when it was last looked.
#[derive(Default)]
pub(crate) struct Lacks {
    last: Mutex<Option<(Instant, Vec<Lack>)>>,
}

/// Something that a server lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lack {
    /// What everybody may be told.
    told: &'static str,
    /// What is for the log: to what, and why.
    pub(crate) reason: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
}

impl Lacks {
    /// Something that the server lacks, in words for everybody, if there is anything. The log is told of each thing once, and again if
    /// it was mended in between. Waits for the disk.
    pub(crate) fn first(&self, data: &DataFolder, names: &[RegistryName]) -> Option<&'static str> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match &*last {
            Some((at, lacks)) if at.elapsed() < BELIEVED => return lacks.first().map(|lack| lack.told),
            Some((_, lacks)) => lacks.as_slice(),
            None => &[],
        };
        let lacks = look(data, names);
        for Lack { reason, help, .. } in lacks.iter().filter(|lack| !before.contains(lack)) {
            tracing::error!(help, "{reason}");
        }
        let told = lacks.first().map(|lack| lack.told);
        *last = Some((Instant::now(), lacks));
        told
    }
}

fn look(data: &DataFolder, names: &[RegistryName]) -> Vec<Lack> {
    let disk = can_write(data.root()).err().map(|error| Lack {
        told: "the data of the server cannot be written; its log says why",
        reason: format!("nothing can be written below `{}`: {error}", data.root().display()),
        help: None,
    });
    let of_registry = |name| [can_sign(data, name).err(), has_log(data, name).err()];
    disk.into_iter().chain(names.iter().flat_map(of_registry).flatten()).collect()
}

/// Whether readers believe the log of a registry as it lies there: its newest checkpoint is signed by the registry's keys, and the hashes
/// at the end of the log, by which whoever follows it goes on, are there and are those that were signed. It reads a few small files,
/// however long the log is; `weir registry verify` reads all of it.
pub(crate) fn has_log(data: &DataFolder, name: &RegistryName) -> Result<CheckedCheckpoint, Lack> {
    let root = data.registries().join(name.as_str());
    // Whoever publishes meanwhile may clear away what was about to be read: then there is a newer checkpoint.
    let log = log_of(&root).or_else(|_| log_of(&root));
    log.map_err(|reason| Lack {
        told: "the log of a registry is broken; the log of the server says which",
        reason: cannot_be_served(name, &reason),
        help: Some(format!(
            "`weir registry verify {0}` says what else is broken; put `{0}` back from a copy, or what of it is missing",
            root.display()
        )),
    })
}

/// That a registry cannot be, and why, in words.
pub(crate) fn cannot_be_served(name: &RegistryName, reason: &str) -> String {
    format!("the registry `{name}` cannot be served as it is: {reason}")
}

fn log_of(root: &Path) -> Result<CheckedCheckpoint, String> {
    let keys = trusted(root)?;
    let bytes = weir_fs::read(root.join(CHECKPOINT), MAX_CHECKPOINT).map_err(|error| error.to_string())?;
    let signed = Checkpoint::verify(&bytes, &keys)
        .map_err(|error| format!("its `{CHECKPOINT}` cannot be used: {error}"))?;
    root_at(&FolderSource::new(root), &signed, signed.size()).map_err(|error| error.to_string())?;
    Ok(signed)
}

fn can_write(folder: &Path) -> Result<(), std::io::Error> {
    let probe = folder.join(PROBE);
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create(true).truncate(true).mode(0o600).open(&probe);
    let written = opened.and_then(|mut file| file.write_all(&[b'.'; PROBED]));
    // On a full disk, what is left of it would keep it full.
    let removed = fs_err::remove_file(&probe);
    written.and(removed)
}

/// Whether the key of a registry is kept here and signs for it where it is.
pub(crate) fn can_sign(data: &DataFolder, name: &RegistryName) -> Result<(), Lack> {
    let root = data.registries().join(name.as_str());
    let lack = |reason: String, help: Option<String>| Lack {
        told: "a registry cannot be signed for; the log says which",
        reason: format!("nothing can be published in `{name}`: {reason}"),
        help,
    };
    let keys = trusted(&root).map_err(|reason| lack(reason, None))?;
    let place = location_of(&root).map_err(|error| lack(error.to_string(), None))?;
    match KeyFolder::new(data.keys(), place).signers(keys.keys()) {
        Ok(_) => Ok(()),
        Err(error) => Err(lack(error.to_string(), remedy(&error, data, &root))),
    }
}

/// The keys by which readers believe a registry.
fn trusted(root: &Path) -> Result<TrustedKeys, String> {
    parse_keys(&descriptor(root)?.keys).map_err(|error| error.to_string())
}

/// What a registry says of itself.
pub(crate) fn descriptor(root: &Path) -> Result<Descriptor, String> {
    let bytes = weir_fs::read(root.join(DESCRIPTOR), MAX_DESCRIPTOR).map_err(|error| error.to_string())?;
    Descriptor::from_bytes(&bytes).map_err(|error| error.to_string())
}

fn remedy(error: &KeysError, data: &DataFolder, root: &Path) -> Option<String> {
    let bind = format!("WEIR_HOME={} weir registry bind {}", data.root().display(), root.display());
    match error {
        KeysError::OtherPlace { .. } => Some(format!(
            "if it was moved here, `{bind}` has the key sign here; never do that with a copy of what is still in use elsewhere"
        )),
        KeysError::Missing { .. } => {
            Some(format!("copy the file of its key to `{}`, then `{bind}`", data.keys().display()))
        }
        KeysError::Bad { .. } | KeysError::Key(_) | KeysError::Io(_) => None,
    }
}
