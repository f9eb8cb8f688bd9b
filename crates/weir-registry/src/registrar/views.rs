//! Views that are open: opening one reads files and compiles questions, which takes longer than most that is asked of it.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use crate::replica::Replica;

/// So many stay open when nobody uses them.
const KEPT: usize = 8;

/// Those that nobody uses now.
#[derive(Default)]
pub(super) struct Views(Mutex<Vec<Replica>>);

/// One that is in use. It comes back when it is dropped, unless by a panic: then nobody knows what it is in the middle of.
pub(crate) struct View<'a> {
    views: &'a Views,
    /// There until it is dropped.
    replica: Option<Replica>,
}

impl Views {
    /// One that is open, or else what `open` opens.
    ///
    /// # Errors
    ///
    /// Those of `open`.
    pub(super) fn take<E>(&self, open: impl FnOnce() -> Result<Replica, E>) -> Result<View<'_>, E> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Ok(View { views: self, replica: Some(kept.map_or_else(open, Ok)?) })
    }
}

impl Deref for View<'_> {
    type Target = Replica;

    fn deref(&self) -> &Replica {
        self.replica.as_ref().expect("it is there until it is dropped")
    }
}

impl DerefMut for View<'_> {
    fn deref_mut(&mut self) -> &mut Replica {
        self.replica.as_mut().expect("it is there until it is dropped")
    }
}

impl Drop for View<'_> {
    fn drop(&mut self) {
        let Some(replica) = self.replica.take().filter(|_| !std::thread::panicking()) else { return };
        let mut kept = self.views.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(replica);
        }
    }
}
