//! What the log says that it did not say before, for a server that tells others of it.

use jiff::Timestamp;
use weir_log::{FollowError, Follower, Prefix};
use weir_model::Record;

use super::Registrar;
use crate::error::SubmitError;
use crate::replica::{ReplicaError, position_of};

impl Registrar {
    /// Where the log ends now.
    ///
    /// # Errors
    ///
    /// When it cannot be followed.
    pub fn end_of_log(&self) -> Result<Prefix, SubmitError> {
        let position = position_of(self.view()?.index())?;
        Ok(position.map(|position| position.prefix().clone()).unwrap_or_default())
    }

    /// Hands each record after `from` to `sink`, in order, and says where the log ends; nothing where the log does not go on from there,
    /// since it is another. What was handed over is believed only then.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn records_after(
        &self,
        from: Prefix,
        sink: &mut dyn FnMut(u64, Record),
    ) -> Result<Option<Prefix>, SubmitError> {
        let view = self.view()?;
        let end = position_of(view.index())?.map(|position| position.prefix().clone()).unwrap_or_default();
        if end == from {
            return Ok(Some(end));
        }
        if end.size() <= from.size() {
            return Ok(None);
        }
        let keys = view.keys().clone();
        // Others may look meanwhile.
        drop(view);
        let source = self.source();
        let follower = Follower { source: &*source, keys: &keys, now: Timestamp::UNIX_EPOCH };
        let read = follower.head(None).and_then(|head| {
            follower.entries(head, None, from, &mut |index, bytes| {
                sink(index, Record::from_bytes(bytes)?);
                Ok(())
            })
        });
        match read {
            Ok(update) => Ok(Some(update.position.prefix().clone())),
            Err(FollowError::Tampered { .. } | FollowError::Fork { .. } | FollowError::Rollback { .. }) => {
                Ok(None)
            }
            Err(error) => Err(ReplicaError::from(error).into()),
        }
    }
}
