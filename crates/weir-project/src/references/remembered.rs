//! What addresses whose bytes may change gave last, so that it need not be fetched again for another project.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use weir_client::{FluidState, Freshness, Mirror};
use weir_model::Sha256;
use weir_reach::Session;

use crate::files::keep_note;

/// The most addresses that are remembered.
const MOST: usize = 4096;

/// The longest note that is read, in bytes.
const MAX_NOTE: u64 = 16 << 10;

/// The notes of this user, a file for each address, named by the address's digest.
pub(super) struct Remembered(PathBuf);

/// What an address gave last.
#[derive(Serialize, Deserialize)]
struct Note {
    sha256: Sha256,
    size: u64,
    #[serde(default)]
    etag: Option<String>,
    #[serde(default)]
    last_modified: Option<String>,
}

impl Remembered {
    pub(super) fn of(session: &Session) -> Self {
        Self(session.home.data().join("addresses"))
    }

    /// What `address` gave when it was last asked. Nothing of a file: it is as near as the store.
    pub(super) fn state(&self, address: &Mirror) -> Option<FluidState> {
        let text = weir_fs::read(self.place(address)?, MAX_NOTE).ok()?;
        let note: Note = serde_json::from_slice(&text).ok()?;
        Some(FluidState {
            mirror: address.to_string(),
            sha256: note.sha256,
            size: note.size,
            freshness: Freshness { etag: note.etag, last_modified: note.last_modified },
        })
    }

    /// Remembers what `address` gave. That it cannot be kept costs time and nothing else.
    pub(super) fn keep(&self, address: &Mirror, sha256: &Sha256, size: u64, freshness: &Freshness) {
        let Some(place) = self.place(address) else { return };
        let Freshness { etag, last_modified } = freshness.clone();
        let Ok(text) = serde_json::to_vec(&Note { sha256: *sha256, size, etag, last_modified }) else {
            return;
        };
        keep_note(&place, &text, MOST);
    }

    fn place(&self, address: &Mirror) -> Option<PathBuf> {
        match address {
            Mirror::Http(url) => Some(self.0.join(Sha256::of(url.to_string()).to_hex())),
            Mirror::File(_) => None,
        }
    }
}
