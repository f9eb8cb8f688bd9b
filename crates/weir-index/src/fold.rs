//! Folding: the rules by which each entry of the log changes the view.
//!
//! One fold is one SQLite transaction. Entries that another process has folded meanwhile are
//! skipped, so two programs that follow one log may both fold it.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};
use weir_model::record::{Description, ReleaseRecord, Withdrawal};
use weir_model::{
    Action, InputDigest, OwnerName, PackageName, Record, Release, ReleaseId, Sha256, WithdrawalVerb,
};
use weir_rules::Standing;

use crate::advice;
use crate::derive;
use crate::error::{FoldError, IndexError};
use crate::facts::write_marked;
use crate::index::{Index, position};
use crate::quotas;
use crate::rows::{
    digest, insert_release, intern_package, put_withdrawal, row_id, state, state_code, unsigned,
};
use crate::tiers;
use crate::view::{Came, Mark, Withdrawn};

/// What SQLite keeps in memory of a fold of the whole log: 64 MB, the rest of what changed is written early. Whoever reads meanwhile waits for
/// that, and there is nothing to read yet.
const FIRST_FOLD: &str = "PRAGMA cache_spill = ON; PRAGMA cache_size = -65536";

/// What a later fold changes stays in memory to its end, so that others read the view as it was.
const LATER_FOLD: &str = "PRAGMA cache_spill = OFF; PRAGMA cache_size = -2000";

/// Entries on their way into the view. Dropping it leaves the index as it was.
#[derive(Debug)]
pub struct Fold<'index> {
    index: &'index Index,
    pub(crate) transaction: Transaction<'index>,
    /// The index of the entry that comes next.
    next: u64,
    /// The end of the entries handed in, whether they were new or known.
    handed_in: Option<u64>,
    /// The packages whose derived rows are out of date.
    touched: BTreeSet<i64>,
    packages: HashMap<PackageName, i64>,
    /// Whether what is quarantined is perhaps another by now.
    quarantines: bool,
    failed: bool,
}

/// Where a release stands in the index.
struct Found {
    row: i64,
    state: Standing,
    package: i64,
}

impl<'index> Fold<'index> {
    pub(crate) fn begin(index: &'index mut Index) -> Result<Self, IndexError> {
        // Only one fold can be under way, since this borrows the index alone; from here on it is shared with who looks at it.
        let index: &'index Index = index;
        let transaction = Transaction::new_unchecked(&index.connection, TransactionBehavior::Immediate)?;
        let next = position(&transaction)?.size;
        transaction.execute_batch(if next == 0 { FIRST_FOLD } else { LATER_FOLD })?;
        Ok(Self {
            index,
            transaction,
            next,
            handed_in: None,
            touched: BTreeSet::new(),
            packages: HashMap::new(),
            quarantines: false,
            failed: false,
        })
    }

    /// Whether what was folded so far may have changed what is quarantined.
    pub fn changes_quarantines(&self) -> bool {
        self.quarantines
    }

    /// The index of the entry that comes next: how much of the log is folded so far.
    pub fn size(&self) -> u64 {
        self.next
    }

    /// Folds entry `index` of the log. An entry that is in the view already is skipped.
    ///
    /// # Errors
    ///
    /// When the entry is no record, breaks a rule of the log, or is not the next one. The fold
    /// can then only be dropped.
    pub fn entry(&mut self, index: u64, bytes: &[u8]) -> Result<(), FoldError> {
        let record = || Record::from_bytes(bytes).map_err(|source| FoldError::Record { index, source });
        self.guarded(index, |fold| fold.apply(index, record()?))
    }

    /// As [`entry`](Self::entry), for a record that was read before.
    pub fn record(&mut self, index: u64, record: Record) -> Result<(), FoldError> {
        self.guarded(index, |fold| fold.apply(index, record))
    }

    /// The view as it is with what was folded so far. Nobody else sees that yet.
    ///
    /// # Errors
    ///
    /// When it cannot be brought up to date.
    pub fn view(&mut self) -> Result<&'index Index, FoldError> {
        if self.failed {
            return Err(FoldError::Failed);
        }
        derive::refresh(&self.transaction, std::mem::take(&mut self.touched))?;
        Ok(self.index)
    }

    /// Folds the next entries of the log: all of them, or none, and then the fold can go on without.
    ///
    /// # Errors
    ///
    /// Those of [`entry`](Self::entry).
    pub fn all_or_none<'e>(&mut self, entries: impl IntoIterator<Item = &'e [u8]>) -> Result<(), FoldError> {
        self.view()?;
        let (next, handed_in) = (self.next, self.handed_in);
        self.transaction.execute_batch("SAVEPOINT entries")?;
        let folded = entries.into_iter().try_for_each(|bytes| self.entry(self.next, bytes));
        if folded.is_err() {
            // Where the disk is full the whole transaction is gone already: what failed is what is to be told.
            if self.transaction.execute_batch("ROLLBACK TO entries").is_err() {
                return folded;
            }
            self.touched.clear();
            self.packages.clear();
            (self.next, self.handed_in, self.failed) = (next, handed_in, false);
        }
        self.transaction.execute_batch("RELEASE entries")?;
        folded
    }

    /// Makes the entries, and `state` as what the log's follower needs to go on from there, visible
    /// to everyone at once. If another process has gone further meanwhile, its state is kept.
    ///
    /// Without any entry handed in, `state` belongs to [`size`](Self::size).
    pub fn finish(mut self, state: &[u8]) -> Result<(), FoldError> {
        self.view()?;
        if self.handed_in.is_none_or(|end| end == self.next) {
            self.transaction
                .prepare_cached(
                    "UPDATE position SET size = ?1, state = ?2 WHERE (size, state) IS NOT (?1, ?2)",
                )?
                .execute(params![row_id(self.next)?, state])?;
        }
        Ok(self.transaction.commit()?)
    }

    /// Says that a bulk load has put the first `size` entries into an empty view.
    pub(crate) fn loaded(&mut self, size: u64) -> Result<(), IndexError> {
        self.next = size;
        self.quarantines = true;
        let mut every = self.transaction.prepare("SELECT DISTINCT package FROM release")?;
        self.touched = every.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        Ok(())
    }

    fn guarded(
        &mut self,
        index: u64,
        apply: impl FnOnce(&mut Self) -> Result<(), FoldError>,
    ) -> Result<(), FoldError> {
        if self.failed {
            return Err(FoldError::Failed);
        }
        if index > self.next {
            return Err(FoldError::Gap { expected: self.next, found: index });
        }
        if index == self.next {
            self.failed = true;
            apply(self)?;
            self.failed = false;
            self.next += 1;
        }
        self.handed_in = Some(index + 1);
        Ok(())
    }

    fn apply(&mut self, index: u64, record: Record) -> Result<(), FoldError> {
        row_id(index)?;
        let mark = Mark { index, at: record.at, by: record.by, batch: record.batch };
        match record.action {
            Action::Publish { release } => self.offer(*release, &mark, None),
            Action::Admit { release, from } => self.offer(*release, &mark, Some(&Came::Admitted(from))),
            Action::Promote { release, from } => self.offer(*release, &mark, Some(&Came::Promoted(from))),
            Action::Hold(hold) => tiers::hold(&self.transaction, &hold, &mark),
            Action::Unhold(over) => tiers::release_hold(&self.transaction, &over.id),
            Action::Adopt(adoption) => tiers::adopt(&self.transaction, &adoption, &mark),
            Action::Advise(advice) => Ok(advice::advise(&self.transaction, *advice, &mark)?),
            Action::Dismiss(dismissal) => Ok(advice::dismiss(&self.transaction, dismissal, &mark)?),
            Action::Quota(quota) => Ok(quotas::set(&self.transaction, &quota, &mark)?),
            Action::Retain(rule) => self.fact("retention", &rule, &mark),
            Action::Withdraw(withdrawal) => self.withdrawal(withdrawal, mark),
            Action::Claim { owner, who } => self.claim(&owner, &who, &mark),
            Action::Upstream { registry, size, root } => self.upstream(&registry, size, root, &mark),
            Action::Policy { digest } => self.fact("policy", &digest, &mark),
            Action::Describe(description) => self.describe(&description, &mark),
        }
    }

    fn offer(&mut self, record: ReleaseRecord, mark: &Mark, came: Option<&Came>) -> Result<(), FoldError> {
        match came {
            Some(Came::Admitted(origin)) => {
                tiers::admit(&self.transaction, &record.id(), &origin.registry, mark.index)?;
            }
            Some(Came::Promoted(_)) | None => tiers::publish(&self.transaction, &record.id(), mark.index)?,
        }
        let package = self.package(&record.name)?;
        let release = self.with_input_digests(record, mark.index)?;
        self.check_revision(package, &release.id, mark.index)?;
        self.check_tree(&release, mark.index)?;
        // Names get their numbers here, in the order of the log, so that the numbers do not
        // depend on where a fold ended.
        for dependency in &release.dependencies {
            self.package(&dependency.name)?;
        }
        insert_release(&self.transaction, package, &release, mark, came, Standing::Offered)?;
        self.touched.insert(package);
        Ok(())
    }

    /// What was baked is a release of this log, and was there before.
    fn with_input_digests(&self, record: ReleaseRecord, index: u64) -> Result<Release, FoldError> {
        let id = record.id();
        let mut statement = self.transaction.prepare_cached(
            "SELECT input_digest FROM release WHERE package = (SELECT id FROM package WHERE name = ?1)
             AND version = ?2 AND platform = ?3 AND revision = ?4",
        )?;
        record.into_release(|baked| {
            let identity = params![
                baked.name.as_str(),
                baked.version.to_string(),
                baked.platform.as_str(),
                baked.revision
            ];
            let found: Option<InputDigest> =
                statement.query_row(identity, |row| digest(row, 0)).optional()?;
            found.ok_or_else(|| FoldError::UnknownBaked {
                id: Box::new(id.clone()),
                baked: Box::new(baked.clone()),
                index,
            })
        })
    }

    fn check_revision(&self, package: i64, id: &ReleaseId, index: u64) -> Result<(), FoldError> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT revision, id FROM release WHERE package = ?1 AND version = ?2 AND platform = ?3
             AND revision >= ?4 ORDER BY revision DESC",
        )?;
        let mut rows =
            statement.query(params![package, id.version.to_string(), id.platform.as_str(), id.revision])?;
        let mut newest = None;
        while let Some(row) = rows.next()? {
            let (revision, first): (u32, _) = (row.get(0)?, unsigned(row, 1)?);
            if revision == id.revision {
                return Err(FoldError::Duplicate { id: Box::new(id.clone()), first, index });
            }
            newest.get_or_insert((revision, first));
        }
        match newest {
            None => Ok(()),
            Some((newest, first)) => {
                Err(FoldError::RevisionWentBack { id: Box::new(id.clone()), newest, first, index })
            }
        }
    }

    fn check_tree(&self, release: &Release, index: u64) -> Result<(), FoldError> {
        let mut statement = self
            .transaction
            .prepare_cached("SELECT id, tree FROM release WHERE input_digest = ?1 LIMIT 1")?;
        let bound = statement
            .query_row([release.input_digest.as_bytes()], |row| Ok((unsigned(row, 0)?, digest(row, 1)?)))
            .optional()?;
        match bound {
            Some((first, first_tree)) if first_tree != release.tree => Err(FoldError::SecondTree {
                input_digest: release.input_digest,
                first,
                first_tree,
                index,
                tree: release.tree,
            }),
            _ => Ok(()),
        }
    }

    fn withdrawal(&mut self, withdrawal: Withdrawal, mark: Mark) -> Result<(), FoldError> {
        match withdrawal.verb {
            WithdrawalVerb::Yank => self.withdraw(Standing::Yanked, withdrawal, mark),
            WithdrawalVerb::Unyank => self.reinstate(Standing::Yanked, &withdrawal, mark.index),
            WithdrawalVerb::Quarantine => self.withdraw(Standing::Quarantined, withdrawal, mark),
            WithdrawalVerb::Unquarantine => self.reinstate(Standing::Quarantined, &withdrawal, mark.index),
            WithdrawalVerb::Remove => self.withdraw(Standing::Removed, withdrawal, mark),
        }
    }

    fn withdraw(&mut self, what: Standing, withdrawal: Withdrawal, mark: Mark) -> Result<(), FoldError> {
        let Withdrawal { verb, id, reason, advisory, because, from } = withdrawal;
        let found = self.find(verb, &id, mark.index)?;
        put_withdrawal(
            &self.transaction,
            found.row,
            what,
            &Withdrawn { mark, reason, advisory, because, from },
        )?;
        self.set_state(&found, found.state.max(what))
    }

    fn reinstate(&mut self, what: Standing, withdrawal: &Withdrawal, index: u64) -> Result<(), FoldError> {
        let found = self.find(withdrawal.verb, &withdrawal.id, index)?;
        self.transaction
            .prepare_cached("DELETE FROM withdrawal WHERE release = ?1 AND what = ?2")?
            .execute(params![found.row, state_code(what)])?;
        let strongest: Option<u8> = self
            .transaction
            .prepare_cached("SELECT max(what) FROM withdrawal WHERE release = ?1")?
            .query_row([found.row], |row| row.get(0))?;
        let left =
            strongest.map_or(Ok(Standing::Offered), state).map_err(IndexError::damaged("a withdrawal"))?;
        self.set_state(&found, left)
    }

    fn set_state(&mut self, found: &Found, state: Standing) -> Result<(), FoldError> {
        self.quarantines |= [found.state, state].contains(&Standing::Quarantined);
        self.transaction
            .prepare_cached("UPDATE release SET state = ?2 WHERE id = ?1")?
            .execute(params![found.row, state_code(state)])?;
        self.touched.insert(found.package);
        Ok(())
    }

    fn find(&self, verb: WithdrawalVerb, id: &ReleaseId, index: u64) -> Result<Found, FoldError> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT id, state, package FROM release WHERE package = (SELECT id FROM package WHERE name = ?1)
             AND version = ?2 AND platform = ?3 AND revision = ?4",
        )?;
        let identity = params![id.name.as_str(), id.version.to_string(), id.platform.as_str(), id.revision];
        let row =
            statement.query_row(identity, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        let (row, code, package) =
            row.ok_or_else(|| FoldError::UnknownRelease { verb, id: Box::new(id.clone()), index })?;
        let state = state(code).map_err(IndexError::damaged("a release"))?;
        if state == Standing::Removed {
            let [_, _, removed] = crate::rows::withdrawals(&self.transaction, row)?;
            let removed = removed.map_or(0, |withdrawn| withdrawn.mark.index);
            return Err(FoldError::Removed { verb, id: Box::new(id.clone()), removed, index });
        }
        Ok(Found { row, state, package })
    }

    fn claim(&self, owner: &OwnerName, who: &[String], mark: &Mark) -> Result<(), FoldError> {
        tiers::claim(&self.transaction, owner, mark.index)?;
        self.transaction
            .prepare_cached("INSERT OR REPLACE INTO claim VALUES(?1, ?2, ?3)")?
            .execute(params![owner.as_str(), owner.confusable(), write_marked(mark, who)])?;
        Ok(())
    }

    fn upstream(&self, registry: &str, size: u64, root: Sha256, mark: &Mark) -> Result<(), FoldError> {
        if let Some(cursor) = crate::query::cursor(&self.transaction, registry)?
            && !self.names_upstreams(&mark.batch)?
        {
            let (registry, first, index) = (registry.to_owned(), cursor.mark.index, mark.index);
            if size < cursor.size {
                let first_size = cursor.size;
                return Err(FoldError::UpstreamWentBack { registry, first, first_size, index, size });
            }
            if size == cursor.size && root != cursor.root {
                let first_root = cursor.root;
                return Err(FoldError::UpstreamRewritten { registry, size, first, first_root, index, root });
            }
        }
        self.transaction
            .prepare_cached("INSERT OR REPLACE INTO upstream VALUES(?1, ?2, ?3, ?4)")?
            .execute(params![registry, row_id(size)?, root.as_bytes(), write_marked(mark, &[])])?;
        Ok(tiers::saw(&self.transaction, registry, size, mark.at)?)
    }

    /// Whether the batch names the registries above this one: what it says of one then may be of another registry that takes the place of one of that name.
    fn names_upstreams(&self, batch: &str) -> Result<bool, FoldError> {
        let said = crate::query::said_of(&self.transaction, "upstreams")?;
        Ok(said.is_some_and(|mark| mark.batch == batch))
    }

    fn describe(&self, description: &Description, mark: &Mark) -> Result<(), FoldError> {
        let Description { name, keys, closed, kinds, validity, upstreams } = description;
        self.said("name", name.as_ref(), mark)?;
        self.said("keys", keys.as_ref(), mark)?;
        self.said("closed", closed.as_ref(), mark)?;
        self.said("kinds", kinds.as_ref(), mark)?;
        self.said("validity", validity.as_ref(), mark)?;
        self.said("upstreams", upstreams.as_ref(), mark)?;
        self.fact("described", &(), mark)
    }

    fn said(&self, name: &str, value: Option<&impl serde::Serialize>, mark: &Mark) -> Result<(), FoldError> {
        value.map_or(Ok(()), |value| self.fact(name, value, mark))
    }

    fn fact(&self, name: &str, value: &impl serde::Serialize, mark: &Mark) -> Result<(), FoldError> {
        let value = serde_json::to_string(value).expect("strings, numbers, a digest or a truth value");
        self.transaction
            .prepare_cached("INSERT OR REPLACE INTO fact VALUES(?1, ?2)")?
            .execute(params![name, write_marked(mark, &[value])])?;
        Ok(())
    }

    fn package(&mut self, name: &PackageName) -> Result<i64, IndexError> {
        if let Some(id) = self.packages.get(name) {
            return Ok(*id);
        }
        let id = intern_package(&self.transaction, name)?;
        self.packages.insert(name.clone(), id);
        Ok(id)
    }
}
