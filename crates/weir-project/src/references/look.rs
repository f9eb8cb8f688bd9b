//! Whether a fluid reference is something else at its address by now.

use std::path::Path;

use weir_client::{FluidLook, FluidState, Freshness, HttpClient, look_at_fluid};
use weir_model::lockfile::LockedReference;
use weir_reach::{Session, http_client};

use super::fetch::{failed, mirrors};
use super::remembered::Remembered;
use crate::error::ProjectError;

/// Who looks at addresses without fetching what they have.
pub(crate) struct Looking {
    client: HttpClient,
    remembered: Remembered,
}

impl Looking {
    pub(crate) fn new(session: &Session) -> Result<Self, ProjectError> {
        Ok(Self { client: http_client(session)?, remembered: Remembered::of(session) })
    }

    /// Whether the addresses of a reference, paths among them from `folder` on, still have what is locked.
    pub(crate) fn at(&self, reference: &LockedReference, folder: &Path) -> Result<FluidLook, ProjectError> {
        let mirrors = mirrors(&reference.name, &reference.mirrors, folder)?;
        let gave = mirrors.iter().filter_map(|mirror| self.remembered.state(mirror));
        let locked = || FluidState {
            mirror: String::new(),
            sha256: reference.sha256,
            size: reference.size,
            freshness: Freshness::default(),
        };
        let since = gave.into_iter().find(|state| state.sha256 == reference.sha256).unwrap_or_else(locked);
        look_at_fluid(&self.client, &mirrors, &since).map_err(|error| failed(&reference.name, &error))
    }
}
