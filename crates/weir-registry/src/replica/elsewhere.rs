//! One registry at several places: what was seen of it anywhere must be the beginning of what is read here.
//!
//! A replica is of a place, for a mirror may lag behind. So a copy that was put aside and is read at an address of its own is believed as far
//! as it goes: it was signed once. Whoever acts by what it says has it checked against all that this machine has seen under the same key.

use jiff::Timestamp;
use weir_log::{Source, follow};

use super::{Replica, ReplicaError, position_of};
use crate::trust::vouches;

impl Replica {
    /// Checks that what this machine has seen of the same registry at other places is the beginning of what is read at this one.
    ///
    /// # Errors
    ///
    /// [`ReplicaError::NotAsElsewhere`] when more was seen elsewhere, or something else; what was read here stays.
    pub fn check_elsewhere(&self, source: &dyn Source, now: Timestamp) -> Result<(), ReplicaError> {
        for pin in self.home.trust.pins_of(self.name())? {
            if pin.location == self.location {
                continue;
            }
            let Some(other) = Self::remembered(&self.home, &pin.location)? else { continue };
            let Some(seen) = position_of(&other.index)?.filter(|_| self.is_same_registry(&other)) else {
                continue;
            };
            follow(source, &self.keys, Some(&seen), now, &mut |_, _| Ok(())).map_err(|error| {
                ReplicaError::NotAsElsewhere { other: pin.location.clone(), error: Box::new(error) }
            })?;
        }
        Ok(())
    }

    /// Whether another replica is believed by one of the same keys, or by keys that lead from the one to the other.
    fn is_same_registry(&self, other: &Self) -> bool {
        let (own, others) = (self.key_texts(), other.key_texts());
        others.iter().any(|key| vouches(key, &own, &self.descriptor.rotations))
            || own.iter().any(|key| vouches(key, &others, &other.descriptor.rotations))
    }

    fn key_texts(&self) -> Vec<String> {
        self.keys.keys().iter().map(ToString::to_string).collect()
    }
}
