//! The registries above one: where they are reached, and which cannot be above it.
//!
//! Names, keys and modes are in the log, which counts. Addresses are in a file beside it: they move, and are nobody's business but
//! of whoever keeps the registry.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use weir_fs::{Access, Durability};
use weir_index::RegistryFacts;

use crate::error::SubmitError;

/// The file of a registry's folder that says where its upstreams are reached.
pub const UPSTREAMS_FILE: &str = "upstreams.json";

/// The largest such file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Where the upstreams of a registry are reached, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamAddresses {
    /// The version of this format.
    version: u32,
    upstreams: BTreeMap<String, String>,
}

/// The version of the file that is written, and the newest that is read.
const VERSION: u32 = 1;

impl UpstreamAddresses {
    /// Reads those of the registry in the folder `root`; none where nobody has said any.
    ///
    /// # Errors
    ///
    /// When the file is there and cannot be used.
    pub fn read(root: &Path) -> Result<Self, std::io::Error> {
        let bytes = match weir_fs::read(root.join(UPSTREAMS_FILE), MAX_FILE) {
            Err(error) if error.is_not_found() => return Ok(Self::default()),
            bytes => bytes.map_err(std::io::Error::from)?,
        };
        let bad = |reason: String| std::io::Error::other(format!("`{UPSTREAMS_FILE}`: {reason}"));
        let read: Self = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
        match read.version {
            0..=VERSION => Ok(read),
            newer => Err(bad(format!("it is of format {newer}, a newer weir is needed"))),
        }
    }

    /// Where the upstream of that name is reached.
    pub fn of(&self, name: &str) -> Option<&str> {
        self.upstreams.get(name).map(String::as_str)
    }

    /// The same with another address for one upstream, or none.
    #[must_use]
    pub fn with(mut self, name: &str, address: Option<&str>) -> Self {
        match address {
            Some(address) => self.upstreams.insert(name.to_owned(), address.to_owned()),
            None => self.upstreams.remove(name),
        };
        Self { version: VERSION, ..self }
    }

    /// Writes them into the folder of the registry.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&self, root: &Path) -> Result<(), std::io::Error> {
        let mut text = serde_json::to_string_pretty(self).map_err(std::io::Error::other)?;
        text.push('\n');
        weir_fs::replace(root.join(UPSTREAMS_FILE), text, Access::Public, Durability::Durable)
            .map_err(std::io::Error::from)
    }
}

/// Refuses a registry that cannot be above another: itself, and one that is below it by its own word.
///
/// # Errors
///
/// [`SubmitError::NoUpstream`] then.
pub fn check_upstream(registry: &str, upstream: &str, above: &RegistryFacts) -> Result<(), SubmitError> {
    let refused = |reason: &str| {
        let (registry, upstream) = (registry.to_owned(), upstream.to_owned());
        Err(SubmitError::NoUpstream { upstream, registry, reason: reason.to_owned() })
    };
    if registry == upstream {
        return refused("it has the same name, and no registry is above itself");
    }
    match above.upstreams().iter().any(|named| named.name == registry) {
        true => {
            refused("it names this one as its own upstream, and of two registries one is above the other")
        }
        false => Ok(()),
    }
}
