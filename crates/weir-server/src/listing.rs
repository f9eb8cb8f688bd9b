//! Which registries somebody may read, found out before they ask: asking each registry of the server takes the longer the more there
//! are, and who waits for it would learn how many they may not read.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use weir_policy::{Caller, Principal};

use crate::app::App;
use crate::files::blocking;
use crate::registries::RegistryName;

/// For how long a list is believed. [`Ready`](crate::ready::Ready) makes them anew more often.
const BELIEVED: Duration = Duration::from_secs(5);

/// For how long after somebody asked their list is kept ready.
const KEPT: Duration = Duration::from_secs(120);

/// So many lists are kept ready at most, besides that of whoever proved nothing. Of anybody else it is found out when they ask.
const MOST: usize = 64;

/// So long after a folder came to the registries it may become one still, where another program makes it.
const MADE: Duration = Duration::from_secs(2);

/// The lists that are kept ready.
pub(crate) struct Listing {
    started: Instant,
    lists: RwLock<HashMap<Principal, List>>,
    /// How often something changed: what was found out before is not to be kept.
    turn: AtomicU64,
    folder: Mutex<SeenFolder>,
    /// Held by whoever makes them anew.
    renewing: tokio::sync::Mutex<()>,
}

struct List {
    names: Arc<[RegistryName]>,
    made: Instant,
    /// When it was last asked for, in milliseconds since the server began.
    asked: AtomicU64,
}

/// The folder of the registries, as it was seen last.
#[derive(Default)]
struct SeenFolder {
    modified: Option<(i64, i64)>,
    /// A list that was made before this may lack a registry that was made in the folder.
    complete_from: Option<Instant>,
}

impl Default for Listing {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            lists: RwLock::default(),
            turn: AtomicU64::new(0),
            folder: Mutex::default(),
            renewing: tokio::sync::Mutex::default(),
        }
    }
}

impl Listing {
    /// What somebody may read, if that is ready.
    fn of(&self, app: &App, who: &Principal) -> Option<Arc<[RegistryName]>> {
        let complete_from = self.complete_from(app);
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        let list =
            lists.get(who).filter(|list| list.made.elapsed() < BELIEVED && list.made >= complete_from)?;
        list.asked.store(self.now(), Ordering::Relaxed);
        Some(list.names.clone())
    }

    /// Since when lists have all that is in the folder.
    fn complete_from(&self, app: &App) -> Instant {
        let modified = app.registries.modified();
        let mut seen = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.modified != modified || seen.complete_from.is_none() {
            *seen = SeenFolder { modified, complete_from: Some(Instant::now() + MADE) };
        }
        seen.complete_from.unwrap_or_else(Instant::now)
    }

    /// The same once this server has made a registry: it is complete, and how many there are is not to be told by when lists are ready.
    pub(crate) async fn renew_with_new(&self, app: &Arc<App>) {
        let modified = app.registries.modified();
        let complete_from = Some(Instant::now());
        *self.folder.lock().unwrap_or_else(PoisonError::into_inner) = SeenFolder { modified, complete_from };
        self.renew(app).await;
    }

    /// Which turn it is: before something is found out that is to be kept.
    pub(crate) fn turn(&self) -> u64 {
        self.turn.load(Ordering::Acquire)
    }

    /// Keeps what was found out in `turn`, if nothing has changed since.
    pub(crate) fn keep(&self, turn: u64, who: Principal, names: &[RegistryName]) {
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        if self.turn() != turn {
            return;
        }
        if lists.len() > MOST {
            let oldest = lists.iter().filter(|(who, _)| **who != Principal::Anonymous);
            let oldest = oldest.min_by_key(|(_, list)| list.asked.load(Ordering::Relaxed));
            if let Some(oldest) = oldest.map(|(who, _)| who.clone()) {
                lists.remove(&oldest);
            }
        }
        lists.insert(who, self.list(names.into(), self.now()));
    }

    fn list(&self, names: Arc<[RegistryName]>, asked: u64) -> List {
        List { names, made: Instant::now(), asked: AtomicU64::new(asked) }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// For whom lists are kept ready, and when they last asked.
    fn audiences(&self) -> Vec<(Principal, u64)> {
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        let oldest = self.now().saturating_sub(u64::try_from(KEPT.as_millis()).unwrap_or(u64::MAX));
        let asked = lists.iter().map(|(who, list)| (who.clone(), list.asked.load(Ordering::Relaxed)));
        let others = asked.filter(|(who, asked)| *who != Principal::Anonymous && *asked >= oldest);
        others.chain([(Principal::Anonymous, 0)]).collect()
    }

    /// Makes all of them anew. Who changed something that they depend on waits for it, so that they find it changed.
    pub(crate) async fn renew(&self, app: &Arc<App>) {
        let _renewing = self.renewing.lock().await;
        self.turn.fetch_add(1, Ordering::AcqRel);
        self.complete_from(app);
        let (listing, audiences) = (app.clone(), self.audiences());
        let found = blocking(move || {
            let registries = &listing.registries;
            let names = registries.names()?;
            let mut lists: Vec<(Principal, u64, Vec<RegistryName>)> =
                audiences.into_iter().map(|(who, asked)| (who, asked, Vec::new())).collect();
            let at = Timestamp::now();
            for name in names {
                let known =
                    registries.known(&name).map_or_else(|| registries.find(&name), |known| Ok(Some(known)));
                let Ok(Some(served)) = known else { continue };
                // Who may read it cannot be known: nobody.
                let Ok(()) = registries.believe_policies(&served) else { continue };
                for (who, _, names) in &mut lists {
                    if served.may_read(&Caller::new(who.clone(), at)) {
                        names.push(name.clone());
                    }
                }
            }
            Ok::<_, weir_fs::FsError>(lists)
        });
        // What cannot be found out now is by whoever asks.
        let Ok(found) = found.await else { return };
        let made = found.into_iter().map(|(who, asked, names)| (who, self.list(names.into(), asked)));
        let made: HashMap<Principal, List> = made.collect();
        *self.lists.write().unwrap_or_else(PoisonError::into_inner) = made;
    }
}

impl App {
    /// The names of the registries that whoever asks may read. How long that takes says nothing of others.
    ///
    /// # Errors
    ///
    /// When it cannot be found out.
    pub(crate) async fn readable(
        self: &Arc<Self>,
        asker: &crate::asker::Asker,
    ) -> Result<Vec<RegistryName>, crate::problem::Problem> {
        self.ready.all().await;
        let audience = asker.audience();
        let ready = audience.as_ref().and_then(|who| self.listing.of(self, who));
        if let Some(names) = ready {
            return Ok(names.iter().filter(|name| asker.caller(name.as_str()).is_ok()).cloned().collect());
        }
        let (turn, listed) = (self.listing.turn(), self.clone());
        let names = blocking(move || listed.registries.names()).await;
        let mut readable = Vec::new();
        let mut narrowed = false;
        for name in names.map_err(|error| crate::problem::Problem::internal(&error))? {
            match self.visible(asker, name.as_str()).await {
                Ok(_) => readable.push(name),
                Err(_) => narrowed |= asker.caller(name.as_str()).is_err(),
            }
        }
        // A token that is for some registries only is no measure of what they may read who made it.
        if let Some(who) = audience.filter(|_| !narrowed) {
            self.listing.keep(turn, who, &readable);
        }
        Ok(readable)
    }
}
