//! Places for work that holds a thread: so many in all, and no more than a part of them for any one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::{Code, Problem};

/// Places, and who has how many of them.
pub(crate) struct Places {
    all: Arc<Semaphore>,
    each: usize,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

/// A place, held as long as it is not dropped.
pub(crate) struct Place {
    _one: OwnedSemaphorePermit,
    who: String,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

impl Places {
    /// `all` of them, of which nobody has more than `each`.
    pub(crate) fn new(all: usize, each: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), each: each.max(1), taken: Arc::default() }
    }

    /// A place for `who`, if there is one.
    pub(crate) fn place(&self, who: &str) -> Result<Place, Problem> {
        let full = || Problem::new(Code::Overloaded, "too many ask for this at the same moment: try again");
        let one = self.all.clone().try_acquire_owned().map_err(|_| full())?;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let has = taken.entry(who.to_owned()).or_default();
        if *has >= self.each {
            return Err(full());
        }
        *has += 1;
        Ok(Place { _one: one, who: who.to_owned(), taken: self.taken.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(has) = taken.get_mut(&self.who) {
            *has -= 1;
            if *has == 0 {
                taken.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Places;

    #[test]
    fn nobody_has_all_the_places() {
        let places = Places::new(3, 2);
        let held = [places.place("eve").unwrap(), places.place("eve").unwrap()];
        assert!(places.place("eve").is_err());
        let last = places.place("ann").unwrap();
        assert!(places.place("bob").is_err(), "there are no more");
        drop((held, last));
        assert!(places.place("eve").is_ok());
        assert!(places.taken.lock().unwrap().is_empty(), "nothing is remembered of who is gone");
    }
}
