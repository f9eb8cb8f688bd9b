//! Deltas between releases, made when somebody first asks for one: one at a time, and nobody waits long for it.
//!
//! Who asks for one that is not there is answered that there is none, unless it is made at once; they fetch the pack then, and
//! who asks next is served. Which are made, and that there are not too many of them, the registrar decides.

use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::sync::Semaphore;
use weir_policy::Caller;
use weir_registry::content::Delta;

use crate::app::App;
use crate::registries::{RegistryName, Served};

/// For how long somebody is let wait for one that is being made. Small ones are ready then.
const PATIENCE: Duration = Duration::from_millis(300);

/// So many that are not made are remembered.
const REMEMBERED: usize = 1 << 14;

/// Who makes them.
pub(crate) struct Deltas {
    one: Arc<Semaphore>,
    /// Those that are between no two releases of a package, or not worth it.
    not_made: Arc<Cache<(RegistryName, Delta), ()>>,
}

impl Deltas {
    pub(crate) fn new() -> Self {
        Self { one: Arc::new(Semaphore::new(1)), not_made: Arc::new(Cache::new(REMEMBERED)) }
    }

    /// Has a delta made, and tells whether it is there already.
    pub(crate) async fn make(
        &self,
        app: &Arc<App>,
        caller: Caller,
        served: &Arc<Served>,
        delta: Delta,
    ) -> bool {
        let key = (served.name.clone(), delta);
        if self.not_made.get(&key).is_some() {
            return false;
        }
        let Ok(place) = self.one.clone().try_acquire_owned() else { return false };
        let (app, served, not_made) = (app.clone(), served.clone(), self.not_made.clone());
        let making = tokio::task::spawn_blocking(move || {
            let _place = place;
            let registrar = app.registries.registrar(&served);
            match registrar.and_then(|registrar| registrar.acting_for(caller).make_delta(&delta)) {
                Ok(true) => true,
                Ok(false) => {
                    not_made.insert(key, ());
                    false
                }
                Err(error) => {
                    tracing::warn!(registry = %served.name, %error, "a delta could not be made");
                    false
                }
            }
        });
        matches!(tokio::time::timeout(PATIENCE, making).await, Ok(Ok(true)))
    }
}
