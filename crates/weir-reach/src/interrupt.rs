//! Stopping work that is under way, and letting it tidy up first.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A wish to stop, shared by whoever may have it and all that work.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    wanted: AtomicBool,
    /// How many have something to tidy up before the program may end.
    busy: Mutex<usize>,
    changed: Condvar,
}

impl Interrupt {
    /// Asks all work to stop soon. Nothing new is begun.
    pub fn ask(&self) {
        self.0.wanted.store(true, Ordering::SeqCst);
    }

    /// Whether it was asked to stop.
    pub fn is_asked(&self) -> bool {
        self.0.wanted.load(Ordering::SeqCst)
    }

    /// Waits until nobody has anything to tidy up any more, or this time has passed.
    pub fn wait(&self, at_most: Duration) {
        let busy = self.busy();
        // A lock that a panic left, and a time that is over, are no reason to stay.
        let _ = self.0.changed.wait_timeout_while(busy, at_most, |busy| *busy > 0);
    }

    /// What work that can be stopped at any moment looks at.
    pub fn wanted(&self) -> &AtomicBool {
        &self.0.wanted
    }

    /// Has the end of the program wait for what begins here, for as long as what this gives lives; nothing once it
    /// was asked to stop, when nothing is to begin.
    pub fn begin(&self) -> Option<Busy<'_>> {
        *self.busy() += 1;
        // Counted before it looks: whoever asks and then waits has either told it or waits for it.
        let busy = Busy(self);
        (!self.is_asked()).then_some(busy)
    }

    fn busy(&self) -> MutexGuard<'_, usize> {
        self.0.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Work that tidies up after itself.
#[derive(Debug)]
pub struct Busy<'a>(&'a Interrupt);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        *self.0.busy() -= 1;
        self.0.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Interrupt;

    const LONG: Duration = Duration::from_secs(100);

    #[test]
    fn what_is_under_way_is_waited_for_and_nothing_new_begins() {
        let interrupt = Interrupt::default();
        interrupt.wait(LONG);
        let busy = interrupt.begin().unwrap();
        interrupt.ask();
        assert!(interrupt.begin().is_none() && interrupt.is_asked());
        interrupt.wait(Duration::ZERO);
        std::thread::scope(|scope| {
            scope.spawn(|| drop(busy));
            interrupt.wait(LONG);
        });
        assert_eq!(*interrupt.busy(), 0);
    }
}
