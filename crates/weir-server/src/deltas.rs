//! Deltas between releases, made when somebody first asks for one: one at a time, and nobody waits long for it.
//!
//! Who asks for one that is not there is answered that there is none, unless it is made at once; they fetch the pack then, and
//! who asks next is served. Which are made, and that there are not too many of them, the registrar decides.

use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::sync::Semaphore;
use weir_policy::Caller;
use weir_registry::AskedDelta;
use weir_registry::content::Delta;

use crate::app::App;
use crate::registries::{RegistryName, Served};

/// For how long somebody is let wait for one that is being made. Small ones are ready then.
const PATIENCE: Duration = Duration::from_millis(300);

/// So many that are not worth it are remembered.
const REMEMBERED: usize = 1 << 14;

/// Who makes them.
pub(crate) struct Deltas {
    one: Arc<Semaphore>,
    /// Those that are not worth it. What cannot be made as things are may be made later: a quarantine can be taken back.
    not_worth: Arc<Cache<(RegistryName, Delta), ()>>,
}

impl Deltas {
    pub(crate) fn new() -> Self {
        Self { one: Arc::new(Semaphore::new(1)), not_worth: Arc::new(Cache::new(REMEMBERED)) }
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
        if self.not_worth.get(&key).is_some() {
            return false;
        }
        let Ok(place) = self.one.clone().try_acquire_owned() else { return false };
        let (app, served, not_worth) = (app.clone(), served.clone(), self.not_worth.clone());
        let making = tokio::task::spawn_blocking(move || {
            let _place = place;
            let registrar = app.registries.registrar(&served);
            match registrar.and_then(|registrar| registrar.acting_for(caller).make_delta(&delta)) {
                Ok(AskedDelta::There) => true,
                Ok(AskedDelta::NotWorth) => {
                    not_worth.insert(key, ());
                    false
                }
                Ok(AskedDelta::NotNow) => false,
                Err(error) => {
                    tracing::warn!(registry = %served.name, %error, "a delta could not be made");
                    false
                }
            }
        });
        matches!(tokio::time::timeout(PATIENCE, making).await, Ok(Ok(true)))
    }
}
