//! Whoever has the turn: what they append is folded into the view as well, both or neither.

use jiff::{SignedDuration, Timestamp};
use weir_index::{Fold, Index, RegistryFacts};
use weir_log::{Checkpoint, Position, Prefix, Stamp};
use weir_policy::Authorized;

use super::views::View;
use crate::error::SubmitError;
use crate::ports::{Entry, Turn};
use crate::replica::position_of;

/// Whoever has the turn, and the view as it is in it.
pub(crate) struct Writer<'a> {
    pub(super) turn: Box<dyn Turn + 'a>,
    pub(crate) replica: View<'a>,
    pub(crate) promises: RegistryFacts,
}

/// Records that are to be appended together, and the view as they leave it.
pub(super) struct Gathered<'a> {
    fold: Fold<'a>,
    prefix: Prefix,
    entries: Vec<Entry>,
    /// What the log promises.
    pub(super) promises: &'a RegistryFacts,
}

impl Writer<'_> {
    pub(super) fn checkpoint(&self) -> Result<&Checkpoint, SubmitError> {
        self.replica
            .checkpoint()
            .ok_or_else(|| crate::ReplicaError::NeverSynced(self.replica.location().into()).into())
    }

    /// Appends records and folds them.
    pub(super) fn append(&mut self, permit: &Authorized, entries: &[Entry]) -> Result<(), SubmitError> {
        self.append_gathered(|gathered| {
            gathered.add(entries)?;
            Ok(Some(permit.clone()))
        })?;
        Ok(())
    }

    /// Appends what `gather` gathers, under one new checkpoint, by the permission that it gives back; whether there was anything.
    pub(super) fn append_gathered(
        &mut self,
        gather: impl FnOnce(&mut Gathered<'_>) -> Result<Option<Authorized>, SubmitError>,
    ) -> Result<bool, SubmitError> {
        let after = self.checkpoint()?.clone();
        let known = position_of(self.replica.index())?;
        let prefix = known.map(|position| position.prefix().clone()).unwrap_or_default();
        let (checkpoint, quarantines) = {
            let fold = self.replica.index_mut().begin()?;
            let mut gathered = Gathered { fold, prefix, entries: Vec::new(), promises: &self.promises };
            let Some(permit) = gather(&mut gathered)? else { return Ok(false) };
            let Gathered { fold, prefix, entries, promises } = gathered;
            if entries.is_empty() {
                return Ok(false);
            }
            // Folding was the check that the log's rules are kept: nothing is appended that breaks one.
            let checkpoint = self.turn.append(&permit, &after, &entries, &stamp(permit.at(), promises))?;
            let position = Position::new(prefix, (*checkpoint).clone()).map_err(std::io::Error::other)?;
            let quarantines = fold.changes_quarantines();
            fold.finish(position.to_string().as_bytes())?;
            (checkpoint, quarantines)
        };
        if quarantines {
            self.replica.note_quarantined();
        }
        self.replica.set_checkpoint(checkpoint.into_inner());
        Ok(true)
    }

    /// Signs the log anew as it is.
    pub(crate) fn sign(&mut self, permit: &Authorized, stamp: &Stamp) -> Result<&Checkpoint, SubmitError> {
        let after = self.checkpoint()?.clone();
        let checkpoint = self.turn.append(permit, &after, &[], stamp)?;
        self.replica.set_checkpoint(checkpoint.into_inner());
        self.checkpoint()
    }
}

impl<'a> Gathered<'a> {
    /// The view as what was added leaves it.
    pub(super) fn view(&mut self) -> Result<&'a Index, SubmitError> {
        Ok(self.fold.view()?)
    }

    /// Adds records: all of them, or none if one breaks a rule of the log.
    pub(super) fn add(&mut self, entries: &[Entry]) -> Result<(), SubmitError> {
        self.fold.all_or_none(entries.iter().map(Entry::bytes))?;
        for entry in entries {
            self.prefix.push(entry.bytes());
        }
        self.entries.extend_from_slice(entries);
        Ok(())
    }
}

pub(crate) fn stamp(now: Timestamp, promises: &RegistryFacts) -> Stamp {
    let seconds = promises.validity().map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
    let expires = seconds.and_then(|seconds| now.checked_add(SignedDuration::from_secs(seconds)).ok());
    Stamp::new(now, expires)
}
