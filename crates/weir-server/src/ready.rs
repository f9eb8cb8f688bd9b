//! Registries, made ready before somebody asks for them. Opening one, and reading the rules by which it decides who may see it, takes
//! far longer than finding that there is none: done in a request, it would tell whoever asks that the registry is there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::app::App;
use crate::files::blocking;
use crate::registries::RegistryName;

/// So long after a round comes the next: in time that nobody who asks finds that rules were believed for too long.
const PAUSE: Duration = Duration::from_millis(400);

/// So many are made ready at most: each holds files open. Any other is by whoever asks for it first.
pub(crate) const MOST: usize = 512;

/// For so long at most whoever is refused waits for the first round.
const FIRST: Duration = Duration::from_secs(10);

/// Whether all were made ready once.
#[derive(Default)]
pub(crate) struct Ready {
    once: watch::Sender<bool>,
    /// Held while one is made ready.
    working: Mutex<()>,
    /// Whether the server ends, and its folder may be taken away.
    ended: AtomicBool,
}

impl Ready {
    /// Waits until all were made ready once. Until then what is there takes longer to refuse than what is not, so both wait.
    pub(crate) async fn all(&self) {
        let mut once = self.once.subscribe();
        let _ = tokio::time::timeout(FIRST, once.wait_for(|is_ready| *is_ready)).await;
    }

    /// Makes one ready: opened, and deciding by the rules that its log says are in force. Whoever asks for one that cannot be is told
    /// why, if they may know.
    pub(crate) async fn make(&self, app: &Arc<App>, name: &RegistryName) {
        if let Ok(Some(served)) = app.registry(name).await {
            let app = app.clone();
            blocking(move || {
                let _working = app.ready.working.lock().unwrap_or_else(PoisonError::into_inner);
                if !app.ready.ended.load(Ordering::Acquire) {
                    let _ = app.registries.follow_news(&served);
                }
            })
            .await;
        }
    }

    /// Ends it. Nothing of it writes to a disk any more once that is done.
    pub(crate) async fn end(app: &Arc<App>) {
        app.ready.ended.store(true, Ordering::Release);
        let app = app.clone();
        blocking(move || drop(app.ready.working.lock().unwrap_or_else(PoisonError::into_inner))).await;
    }

    /// Makes all ready, again and again.
    pub(crate) async fn run(app: &Arc<App>) {
        loop {
            let listing = app.clone();
            let names = blocking(move || listing.registries.names()).await.unwrap_or_default();
            for name in names.iter().take(MOST) {
                app.ready.make(app, name).await;
            }
            app.listing.renew(app).await;
            app.ready.once.send_replace(true);
            // Nothing that is secret waits for somebody to look at a page.
            app.told.forget(Timestamp::now());
            tokio::time::sleep(PAUSE).await;
        }
    }
}
