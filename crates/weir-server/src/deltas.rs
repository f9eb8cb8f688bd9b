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

/// What it takes to make one: who asked first, for it is made by what they may, and of which registry.
type By = (Caller, Arc<Served>);

/// Who makes them.
pub(crate) struct Deltas {
    line: Mutex<Line<By>>,
    /// Those that are not worth it. What cannot be made as things are may be made later: a quarantine can be taken back.
    not_worth: Cache<Which, ()>,
}

/// Those that are to be made, each with what that takes.
struct Line<W> {
    waiting: VecDeque<Asked<W>>,
    /// What becomes of those that wait, and of the one that is being made.
    coming: HashMap<Which, watch::Receiver<Option<bool>>>,
    /// Whether somebody makes them, one after the other.
    is_served: bool,
}

/// One that was asked for.
struct Asked<W> {
    which: Which,
    with: W,
    /// Is told whether it is there.
    made: watch::Sender<Option<bool>>,
}

impl<W> Line<W> {
    fn new() -> Self {
        Self { waiting: VecDeque::new(), coming: HashMap::new(), is_served: false }
    }

    /// Has one wait for its turn, if it does not yet; nothing where too many do.
    fn join(&mut self, which: Which, with: W) -> Option<watch::Receiver<Option<bool>>> {
        if let Some(made) = self.coming.get(&which) {
            return Some(made.clone());
        }
        if self.waiting.len() >= WAITING {
            return None;
        }
        let (made, becomes) = watch::channel(None);
        self.coming.insert(which.clone(), becomes.clone());
        self.waiting.push_back(Asked { which, with, made });
        Some(becomes)
    }

    /// The next one to be made; with none left, whoever makes them goes home.
    fn next(&mut self) -> Option<Asked<W>> {
        let next = self.waiting.pop_front();
        self.is_served = next.is_some();
        next
    }
}

impl Deltas {
    pub(crate) fn new() -> Self {
        Self { line: Mutex::new(Line::new()), not_worth: Cache::new(REMEMBERED) }
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
        let becomes = line.join(which, (caller, served.clone()))?;
        if !line.waiting.is_empty() && !std::mem::replace(&mut line.is_served, true) {
            tokio::spawn(make_all(app.clone()));
        }
        Some(becomes)
    }

    /// The line is not held while one is made.
    fn next(&self) -> Option<Asked<By>> {
        self.line().next()
    }

    fn line(&self) -> MutexGuard<'_, Line<By>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes those that wait, until none does.
async fn make_all(app: Arc<App>) {
    while let Some(Asked { which, with: (caller, served), made }) = app.deltas.next() {
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

#[cfg(test)]
mod tests {
    use weir_model::TreeDigest;

    use super::*;

    fn numbered(number: usize) -> Which {
        let tree = |name: &str| TreeDigest::of(format!("{name} {number}"));
        (RegistryName::parse("team").expect("a name"), Delta { from: tree("from"), to: tree("to") })
    }

    #[test]
    fn no_more_wait_than_are_made_in_some_minutes() {
        let mut line = Line::new();
        for number in 0..WAITING {
            assert!(line.join(numbered(number), ()).is_some(), "{number}");
        }
        assert!(line.join(numbered(WAITING), ()).is_none(), "it is forgotten");
        assert!(line.join(numbered(7), ()).is_some(), "who asks for one that waits takes nobody's place");
        assert_eq!(line.waiting.len(), WAITING);

        let made = line.next().map(|asked| asked.which);
        assert_eq!(made, Some(numbered(0)), "they are made in the order of asking");
        assert!(line.join(numbered(WAITING), ()).is_some(), "there is room again");
    }
}
