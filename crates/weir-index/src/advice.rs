//! Advisories: how entries of the log change what is known against versions of packages, and what the view says of that. Which version is
//! affected is asked of `weir-rules`.
//!
//! * What is told of an advisory takes the place of what was told before. What is told here takes the place of what registries above tell;
//!   of those each has a say of its own, so that none can take a name and so silence another.
//! * What a registry above tells counts for packages that come from there, and for no others.
//! * One that was dismissed is kept, and counts no more until it is told anew: a registry above that goes on telling it does not overrule
//!   who dismissed it here.

use rusqlite::{Connection, Row, Rows, params};
use weir_model::advisory::{Advisory, AdvisoryId};
use weir_model::record::{Advice, Dismissal};
use weir_model::{PackageName, ReleaseId, record};
use weir_rules::is_affected;

use crate::error::IndexError;
use crate::facts::{read_marked, write_marked};
use crate::index::Index;
use crate::rows::row_id;
use crate::view::{Dismissed, KnownAdvisory, Mark};
use crate::wire::{Malformed, Reader, Writer};

/// Takes in what is told of an advisory.
pub(crate) fn advise(connection: &Connection, advice: Advice, mark: &Mark) -> Result<(), IndexError> {
    let Advice { advisory, from } = advice;
    if from.is_none() {
        let id = advisory.id.as_str();
        connection.prepare_cached("DELETE FROM advisory WHERE id = ?1")?.execute([id])?;
        connection.prepare_cached("DELETE FROM advised WHERE advisory = ?1")?.execute([id])?;
    }
    put(connection, &KnownAdvisory { advisory, from, mark: mark.clone(), dismissed: None })
}

/// Has an advisory count no more: by a decision made here all that is told of it, by that of a registry above what that one tells. What is
/// not known is not dismissed either.
pub(crate) fn dismiss(connection: &Connection, what: Dismissal, mark: &Mark) -> Result<(), IndexError> {
    let Dismissal { id, reason, from } = what;
    for known in told(connection, &id)? {
        if from.is_none() || known.from == from {
            let dismissed =
                Some(Dismissed { reason: reason.clone(), from: from.clone(), mark: mark.clone() });
            put(connection, &KnownAdvisory { dismissed, ..known })?;
        }
    }
    Ok(())
}

/// Writes what is known of an advisory, in place of what was known from the same registry.
pub(crate) fn put(connection: &Connection, known: &KnownAdvisory) -> Result<(), IndexError> {
    let id = known.advisory.id.as_str();
    let above = known.from.as_deref().unwrap_or_default();
    connection.prepare_cached("INSERT OR REPLACE INTO advisory VALUES(?1, ?2, ?3, ?4)")?.execute(params![
        id,
        above,
        row_id(told_at(known))?,
        facts(known)
    ])?;
    connection
        .prepare_cached("DELETE FROM advised WHERE advisory = ?1 AND above = ?2")?
        .execute([id, above])?;
    for affected in &known.advisory.affected {
        connection.prepare_cached("INSERT OR IGNORE INTO advised VALUES(?1, ?2, ?3)")?.execute([
            affected.name.as_str(),
            id,
            above,
        ])?;
    }
    Ok(())
}

/// The newest entry that is about an advisory.
fn told_at(known: &KnownAdvisory) -> u64 {
    known.dismissed.as_ref().map_or(known.mark.index, |dismissed| dismissed.mark.index)
}

/// What is known of an advisory, as bytes.
pub(crate) fn facts(known: &KnownAdvisory) -> Vec<u8> {
    let advisory = serde_json::to_string(&known.advisory).expect("texts, times and versions");
    let mut out = Writer::default();
    out.bytes(&write_marked(&known.mark, &[advisory, known.from.clone().unwrap_or_default()]));
    out.optional(known.dismissed.as_ref(), |out, Dismissed { reason, from, mark }| {
        let texts = [reason.clone().unwrap_or_default(), from.clone().unwrap_or_default()];
        out.bytes(&write_marked(mark, &texts));
    });
    out.0
}

/// What [`facts`] wrote.
pub(crate) fn read_facts(blob: &[u8]) -> Result<KnownAdvisory, Malformed> {
    let mut reader = Reader(blob);
    let (mark, advisory, from) = two_texts(reader.bytes()?)?;
    let advisory: Advisory =
        serde_json::from_str(&advisory).map_err(|error| Malformed::new(format!("an advisory: {error}")))?;
    let dismissed = reader.optional(|reader| {
        let (mark, reason, from) = two_texts(reader.bytes()?)?;
        Ok(Dismissed { reason: said(record::reason(reason)), from: said(from), mark })
    })?;
    reader.finish()?;
    Ok(KnownAdvisory { advisory, from: said(from), mark, dismissed })
}

fn two_texts(blob: &[u8]) -> Result<(Mark, String, String), Malformed> {
    let (mark, texts) = read_marked(blob)?;
    let [one, other] =
        <[String; 2]>::try_from(texts).map_err(|_| Malformed::new("an advisory is not told in full"))?;
    Ok((mark, one, other))
}

fn said(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// All that is told of an advisory: what is told here first.
fn told(connection: &Connection, id: &AdvisoryId) -> Result<Vec<KnownAdvisory>, IndexError> {
    let mut statement =
        connection.prepare_cached("SELECT facts FROM advisory WHERE id = ?1 ORDER BY above")?;
    all(&mut statement.query([id.as_str()])?)
}

fn all(rows: &mut Rows<'_>) -> Result<Vec<KnownAdvisory>, IndexError> {
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

fn read(row: &Row<'_>) -> Result<KnownAdvisory, IndexError> {
    let blob = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
    read_facts(blob).map_err(IndexError::damaged("an advisory"))
}

impl Index {
    /// All that is known of an advisory, dismissed or not: what is told here first, then what each registry above tells.
    pub fn advisory(&self, id: &AdvisoryId) -> Result<Vec<KnownAdvisory>, IndexError> {
        told(&self.connection, id)
    }

    /// All advisories on a package that count, by their names, also those that its authors took back.
    pub fn advisories_of(&self, name: &PackageName) -> Result<Vec<KnownAdvisory>, IndexError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT facts FROM advisory WHERE (id, above) IN (SELECT advisory, above FROM advised WHERE name = ?1)
             ORDER BY id, above",
        )?;
        let mut counting = Vec::new();
        for known in all(&mut statement.query([name.as_str()])?)? {
            if self.counts_for(&known, name)? {
                counting.push(known);
            }
        }
        Ok(counting)
    }

    /// Whether it counts here what an advisory says of a package: who told it may speak of that, and it was not dismissed.
    pub fn counts_for(&self, known: &KnownAdvisory, name: &PackageName) -> Result<bool, IndexError> {
        let may_speak = known.from.is_none() || known.from == self.bound_above(&name.owner_name())?;
        Ok(may_speak && known.dismissed.is_none())
    }

    /// The advisories that say that a release is affected, by their names.
    pub fn known_against(&self, id: &ReleaseId) -> Result<Vec<KnownAdvisory>, IndexError> {
        let mut all = self.advisories_of(&id.name)?;
        all.retain(|known| is_affected(&known.advisory, &id.name, &id.version));
        Ok(all)
    }

    /// Every advisory of which the log said something in an entry from `since` on, dismissed ones too, by their names: at most `limit`.
    pub fn advisories_since(&self, since: u64, limit: usize) -> Result<Vec<KnownAdvisory>, IndexError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT facts FROM advisory WHERE told >= ?1 ORDER BY id, above LIMIT ?2")?;
        let since = i64::try_from(since).unwrap_or(i64::MAX);
        all(&mut statement.query(params![since, crate::query::clamp(limit)])?)
    }
}
