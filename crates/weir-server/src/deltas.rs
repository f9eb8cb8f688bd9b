//! Deltas between releases, made when somebody first asks for one: one at a time, in the order of asking, and nobody waits long for it.
//!
//! Who asks for one that is not there is answered that there is none, unless it is made at once; they fetch the pack then, and
//! who asks next is served. What was asked for while another was being made is remembered and made after it, so that many who update at once leave behind what
//! the next ones need. Which are made, and that there are not too many of them, the registrar decides.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::sync::watch;
use weir_policy::Caller;
use weir_registry::AskedDelta;
use weir_registry::content::Delta;

use crate::app::App;
use crate::registries::{RegistryName, Served};

/// For how long somebody is let wait for one that is being made. Small ones are ready then.
const PATIENCE: Duration = Duration::from_millis(300);

/// So many that are not worth it are remembered.
const REMEMBERED: usize = 1 << 14;

/// So many may wait for their turn: some minutes of work. What is asked for beyond that is forgotten.
const WAITING: usize = 256;

/// Which one, of which registry.
type Which = (RegistryName, Delta);

/// Who makes them.
pub(crate) struct Deltas {
    line: Mutex<Line>,
    /// Those that are not worth it. What cannot be made as things are may be made later: a quarantine can be taken back.
    not_worth: Cache<Which, ()>,
}

/// Those that are to be made.
#[derive(Default)]
struct Line {
    waiting: VecDeque<Asked>,
    /// What becomes of those that wait, and of the one that is being made.
    coming: HashMap<Which, watch::Receiver<Option<bool>>>,
    /// Whether somebody makes them, one after the other.
    is_served: bool,
}

/// One that was asked for.
struct Asked {
    which: Which,
    /// Who asked first. It is made by what they may.
    caller: Caller,
    served: Arc<Served>,
    /// Is told whether it is there.
    made: watch::Sender<Option<bool>>,
}

impl Deltas {
    pub(crate) fn new() -> Self {
        Self { line: Mutex::default(), not_worth: Cache::new(REMEMBERED) }
    }

    /// Has a delta made, and tells whether it is there already.
    pub(crate) async fn make(
        &self,
        app: &Arc<App>,
        caller: Caller,
        served: &Arc<Served>,
        delta: Delta,
    ) -> bool {
        let Some(mut made) = self.ask(app, caller, served, delta) else { return false };
        let made = tokio::time::timeout(PATIENCE, made.wait_for(Option::is_some)).await;
        matches!(made, Ok(Ok(made)) if *made == Some(true))
    }

    /// Has a delta wait for its turn, if it does not yet; nothing if it is not made.
    fn ask(
        &self,
        app: &Arc<App>,
        caller: Caller,
        served: &Arc<Served>,
        delta: Delta,
    ) -> Option<watch::Receiver<Option<bool>>> {
        let which = (served.name.clone(), delta);
        if self.not_worth.get(&which).is_some() {
            return None;
        }
        let mut line = self.line();
        if let Some(made) = line.coming.get(&which) {
            return Some(made.clone());
        }
        if line.waiting.len() >= WAITING {
            return None;
        }
        let (made, becomes) = watch::channel(None);
        line.coming.insert(which.clone(), becomes.clone());
        line.waiting.push_back(Asked { which, caller, served: served.clone(), made });
        if !std::mem::replace(&mut line.is_served, true) {
            tokio::spawn(make_all(app.clone()));
        }
        Some(becomes)
    }

    /// The next one to be made; with none left, whoever makes them goes home.
    fn next(&self) -> Option<Asked> {
        let mut line = self.line();
        let next = line.waiting.pop_front();
        line.is_served = next.is_some();
        next
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes those that wait, until none does.
async fn make_all(app: Arc<App>) {
    while let Some(Asked { which, caller, served, made }) = app.deltas.next() {
        let making = {
            let (app, which) = (app.clone(), which.clone());
            tokio::task::spawn_blocking(move || make(&app, &which, caller, &served))
        };
        let is_there = making.await.unwrap_or(false);
        app.deltas.line().coming.remove(&which);
        let _ = made.send(Some(is_there));
    }
}

fn make(app: &App, which: &Which, caller: Caller, served: &Arc<Served>) -> bool {
    let registrar = app.registries.registrar(served);
    match registrar.and_then(|registrar| registrar.acting_for(caller).make_delta(&which.1)) {
        Ok(AskedDelta::There) => true,
        Ok(AskedDelta::NotWorth) => {
            app.deltas.not_worth.insert(which.clone(), ());
            false
        }
        Ok(AskedDelta::NotNow) => false,
        Err(error) => {
            tracing::warn!(registry = %served.name, %error, "a delta could not be made");
            false
        }
    }
}
