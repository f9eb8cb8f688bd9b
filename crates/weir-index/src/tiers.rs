//! Which tier a name is bound to: this registry, or one above it. The rules by which entries of the log bind, and what the view says
//! of that.
//!
//! * An owner that somebody claimed here is bound here: nothing of it is admitted.
//! * An owner of which something was admitted is bound to the registry that it came from: nothing of it is admitted from another, and
//!   nothing of it is published here.
//! * A package of such an owner can be adopted: it is bound here then, with what was admitted of it, until it is given back.
//!
//! So whatever comes in which order, the releases of a name are one owner's.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use weir_model::record::{Adoption, Hold};
use weir_model::{OwnerName, PackageName, ReleaseId, record};

use crate::candidates::Interner;
use crate::derive::{releases_of, was_published};
use crate::error::{FoldError, IndexError};
use crate::facts::{read_marked, write_marked};
use crate::index::Index;
use crate::rows::package_id;
use crate::view::{Adopted, HeldRelease, Mark, Tier};
use crate::wire::{Malformed, parse};

/// To whom an owner is bound by what was admitted of it, if anything ever was.
fn bound(connection: &Connection, owner: &OwnerName) -> Result<Option<String>, IndexError> {
    let mut statement = connection.prepare_cached("SELECT registry FROM bound WHERE owner = ?1")?;
    Ok(statement.query_row([owner.as_str()], |row| row.get(0)).optional()?)
}

fn is_claimed(connection: &Connection, owner: &OwnerName) -> Result<bool, IndexError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM claim WHERE owner = ?1")?;
    Ok(statement.exists([owner.as_str()])?)
}

fn is_adopted(connection: &Connection, name: &PackageName) -> Result<bool, IndexError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM adopted WHERE name = ?1")?;
    Ok(statement.exists([name.as_str()])?)
}

fn tier(connection: &Connection, name: &PackageName) -> Result<Option<Tier>, IndexError> {
    let owner = name.owner_name();
    if is_claimed(connection, &owner)? || is_adopted(connection, name)? {
        return Ok(Some(Tier::Here));
    }
    Ok(bound(connection, &owner)?.map(Tier::Above))
}

/// Binds the owner of what is admitted to where it comes from; refuses what is bound elsewhere.
pub(crate) fn admit(
    connection: &Connection,
    id: &ReleaseId,
    registry: &str,
    index: u64,
) -> Result<(), FoldError> {
    match tier(connection, &id.name)? {
        Some(Tier::Above(bound)) if bound == registry => {}
        Some(to) => return Err(FoldError::OtherTier { id: Box::new(id.clone()), to, index }),
        None => bind(connection, &id.name.owner_name(), registry)?,
    }
    release_hold(connection, id)
}

/// How long after one look at the log of a registry above another that shows more of it is noted, in seconds: enough for rules that ask how many days passed.
const BETWEEN_LOOKS: i64 = 60 * 60;

/// Notes how far the log of a registry above went at a time, by the clock of this registry.
pub(crate) fn saw(
    connection: &Connection,
    registry: &str,
    size: u64,
    at: Timestamp,
) -> Result<(), IndexError> {
    let (at, size) = (at.as_second(), crate::rows::row_id(size)?);
    connection
        .prepare_cached(
            "INSERT INTO seen SELECT ?1, ?2, ?3
             WHERE NOT EXISTS(SELECT 1 FROM seen WHERE registry = ?1 AND size < ?2 AND at > ?3 - ?4)
             ON CONFLICT(registry, size) DO UPDATE SET at = max(at, excluded.at)",
        )?
        .execute(params![registry, size, at, BETWEEN_LOOKS])?;
    Ok(())
}

/// Says that an owner is bound to a registry above.
pub(crate) fn bind(connection: &Connection, owner: &OwnerName, registry: &str) -> Result<(), IndexError> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO bound VALUES(?1, ?2)")?
        .execute([owner.as_str(), registry])?;
    Ok(())
}

/// Refuses that what is bound above is published here.
pub(crate) fn publish(connection: &Connection, id: &ReleaseId, index: u64) -> Result<(), FoldError> {
    match tier(connection, &id.name)? {
        Some(to @ Tier::Above(_)) => Err(FoldError::OtherTier { id: Box::new(id.clone()), to, index }),
        Some(Tier::Here) | None => Ok(()),
    }
}

/// Refuses that an owner is claimed as long as releases of it are offered that came from above.
pub(crate) fn claim(connection: &Connection, owner: &OwnerName, index: u64) -> Result<(), FoldError> {
    if is_claimed(connection, owner)? {
        return Ok(());
    }
    let Some(registry) = bound(connection, owner)? else { return Ok(()) };
    match admitted_of(connection, owner)? {
        Some(name) => Err(FoldError::ClaimedAbove { owner: owner.clone(), registry, name, index }),
        None => Ok(()),
    }
}

/// A package of an owner that is bound above, is not adopted, and has a release that is not removed.
fn admitted_of(connection: &Connection, owner: &OwnerName) -> Result<Option<PackageName>, IndexError> {
    let (from, to) = (format!("{owner}/"), format!("{owner}0"));
    let mut statement = connection.prepare_cached(
        "SELECT name FROM package WHERE name > ?1 AND name < ?2
         AND EXISTS(SELECT 1 FROM release WHERE package = package.id AND state < 3)
         AND name NOT IN (SELECT name FROM adopted) LIMIT 1",
    )?;
    let name: Option<String> = statement.query_row([from, to], |row| row.get(0)).optional()?;
    name.map(|name| parse(&name).map_err(IndexError::damaged("a package"))).transpose()
}

/// Keeps a package here, or gives it back.
pub(crate) fn adopt(connection: &Connection, what: &Adoption, mark: &Mark) -> Result<(), FoldError> {
    let refused = |reason| FoldError::NotAdopted { name: what.name.clone(), reason, index: mark.index };
    if !what.back {
        return match tier(connection, &what.name)? {
            Some(Tier::Above(registry)) if has_releases(connection, &what.name)? => {
                connection
                    .prepare_cached("INSERT OR REPLACE INTO adopted VALUES(?1, ?2)")?
                    .execute(params![what.name.as_str(), write_marked(mark, &[registry])])?;
                Ok(())
            }
            Some(Tier::Here) => Err(refused("it is this registry's already")),
            Some(Tier::Above(_)) | None => Err(refused("nothing of it was admitted here")),
        };
    }
    if !is_adopted(connection, &what.name)? {
        return Err(refused("it is not adopted"));
    }
    if is_claimed(connection, &what.name.owner_name())? {
        return Err(refused("its owner is claimed here"));
    }
    if own_release(connection, &what.name)?.is_some() {
        return Err(refused("releases of it that were published here are offered still"));
    }
    connection.prepare_cached("DELETE FROM adopted WHERE name = ?1")?.execute([what.name.as_str()])?;
    Ok(())
}

fn has_releases(connection: &Connection, name: &PackageName) -> Result<bool, IndexError> {
    match package_id(connection, name.as_str())? {
        Some(package) => was_published(connection, package),
        None => Ok(false),
    }
}

/// Whether the log ever offered this release.
fn is_there(connection: &Connection, id: &ReleaseId) -> Result<bool, IndexError> {
    let Some(package) = package_id(connection, id.name.as_str())? else { return Ok(false) };
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM release WHERE package = ?1 AND version = ?2 AND platform = ?3 AND revision = ?4",
    )?;
    Ok(statement.exists(params![package, id.version.to_string(), id.platform.as_str(), id.revision])?)
}

/// A release of a package that was published here and is not removed.
fn own_release(connection: &Connection, name: &PackageName) -> Result<Option<ReleaseId>, IndexError> {
    let Some(package) = package_id(connection, name.as_str())? else { return Ok(None) };
    let views = releases_of(connection, package, &mut Interner::default())?;
    let own = views.into_iter().find(|view| view.origin.is_none() && view.removed.is_none());
    Ok(own.map(|view| view.release.id))
}

/// Keeps a release of an upstream out.
pub(crate) fn hold(connection: &Connection, hold: &Hold, mark: &Mark) -> Result<(), FoldError> {
    let id = &hold.id;
    if is_there(connection, id)? {
        return Err(FoldError::HeldHere { id: Box::new(id.clone()), index: mark.index });
    }
    Ok(put_hold(connection, id, &held_facts(&HeldRelease { hold: hold.clone(), mark: mark.clone() }))?)
}

/// What is held, without which release it is.
pub(crate) fn held_facts(held: &HeldRelease) -> Vec<u8> {
    let Hold { registry, policy, reason, until, .. } = &held.hold;
    let until = until.map(|until| until.to_string()).unwrap_or_default();
    write_marked(&held.mark, &[registry.clone(), policy.clone(), reason.clone(), until])
}

pub(crate) fn put_hold(connection: &Connection, id: &ReleaseId, facts: &[u8]) -> Result<(), IndexError> {
    connection.prepare_cached("INSERT OR REPLACE INTO held VALUES(?1, ?2, ?3, ?4, ?5)")?.execute(params![
        id.name.as_str(),
        id.version.to_string(),
        id.platform.as_str(),
        id.revision,
        facts
    ])?;
    Ok(())
}

/// Keeps a release out no longer; one that was not kept out is not either.
pub(crate) fn release_hold(connection: &Connection, id: &ReleaseId) -> Result<(), FoldError> {
    let identity = params![id.name.as_str(), id.version.to_string(), id.platform.as_str(), id.revision];
    connection
        .prepare_cached(
            "DELETE FROM held WHERE name = ?1 AND version = ?2 AND platform = ?3 AND revision = ?4",
        )?
        .execute(identity)?;
    Ok(())
}

/// The columns that [`read_held`] expects.
const HELD: &str = "name, version, platform, revision, facts";

fn read_held(row: &Row<'_>) -> Result<HeldRelease, IndexError> {
    let damaged = || IndexError::damaged("what is held");
    let text = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
    let blob = row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?;
    let id = ReleaseId {
        name: parse(text(0)?).map_err(damaged())?,
        version: parse(text(1)?).map_err(damaged())?,
        platform: parse(text(2)?).map_err(damaged())?,
        revision: row.get(3)?,
    };
    read_hold(id, blob).map_err(damaged())
}

/// Why a release is held, from what [`held_facts`] wrote.
pub(crate) fn read_hold(id: ReleaseId, facts: &[u8]) -> Result<HeldRelease, Malformed> {
    let (mark, texts) = read_marked(facts)?;
    let [registry, policy, reason, until] =
        <[String; 4]>::try_from(texts).map_err(|_| Malformed::new("what is held does not say why"))?;
    let until: Option<Timestamp> = match until.as_str() {
        "" => None,
        until => Some(parse(until)?),
    };
    let (policy, reason) = (record::reason(policy), record::reason(reason));
    Ok(HeldRelease { hold: Hold { id, registry, policy, reason, until }, mark })
}

impl Index {
    /// The tier that a name is bound to; nothing while any may have it.
    pub fn tier_of(&self, name: &PackageName) -> Result<Option<Tier>, IndexError> {
        let _still = self.reading()?;
        tier(&self.connection, name)
    }

    /// The registry above that an owner is bound to, claimed here or not, because something of it was admitted.
    pub fn bound_above(&self, owner: &OwnerName) -> Result<Option<String>, IndexError> {
        bound(&self.connection, owner)
    }

    /// The last time that the log of the registry `above` was looked through and did not have its record `index` yet, as far as was noted:
    /// whatever that record says, it was written later.
    pub fn last_without(&self, above: &str, index: u64) -> Result<Option<Timestamp>, IndexError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT at FROM seen WHERE registry = ?1 AND size <= ?2 ORDER BY size DESC LIMIT 1",
        )?;
        let row = params![above, crate::rows::row_id(index)?];
        let at: Option<i64> = statement.query_row(row, |row| row.get(0)).optional()?;
        // It was a time when it was noted.
        Ok(at.and_then(|at| Timestamp::from_second(at).ok()))
    }

    /// A package of which releases are offered that came from above and stand in the way of claiming this owner.
    pub fn admitted_of(&self, owner: &OwnerName) -> Result<Option<PackageName>, IndexError> {
        let _still = self.reading()?;
        match bound(&self.connection, owner)? {
            Some(_) if !is_claimed(&self.connection, owner)? => admitted_of(&self.connection, owner),
            _ => Ok(None),
        }
    }

    /// A release of a package that was published here and is not removed.
    pub fn own_release(&self, name: &PackageName) -> Result<Option<ReleaseId>, IndexError> {
        let _still = self.reading()?;
        own_release(&self.connection, name)
    }

    /// The releases of a package that are kept out, the newest version first.
    pub fn held_of(&self, name: &PackageName) -> Result<Vec<HeldRelease>, IndexError> {
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT {HELD} FROM held WHERE name = ?1"))?;
        let mut found = statement.query([name.as_str()])?;
        let mut held = Vec::new();
        while let Some(row) = found.next()? {
            held.push(read_held(row)?);
        }
        held.sort_by(|a, b| {
            b.hold.id.version.cmp(&a.hold.id.version).then_with(|| a.hold.id.cmp(&b.hold.id))
        });
        Ok(held)
    }

    /// Every release that is kept out, by name: at most `limit`.
    pub fn held(&self, limit: usize) -> Result<Vec<HeldRelease>, IndexError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {HELD} FROM held ORDER BY name, version, platform, revision LIMIT ?1"
        ))?;
        let mut found = statement.query([crate::query::clamp(limit)])?;
        let mut held = Vec::new();
        while let Some(row) = found.next()? {
            held.push(read_held(row)?);
        }
        Ok(held)
    }

    /// Every package that is kept here though its owner is bound above, by name.
    pub fn adopted(&self) -> Result<Vec<Adopted>, IndexError> {
        let mut statement =
            self.connection.prepare_cached("SELECT name, facts FROM adopted ORDER BY name")?;
        let mut found = statement.query([])?;
        let mut adopted = Vec::new();
        while let Some(row) = found.next()? {
            let damaged = || IndexError::damaged("what is adopted");
            let blob = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            let (mark, mut texts) = read_marked(blob).map_err(damaged())?;
            let name = parse(&row.get::<_, String>(0)?).map_err(damaged())?;
            adopted.push(Adopted { name, registry: texts.pop().unwrap_or_default(), mark });
        }
        Ok(adopted)
    }

    /// Since when a package is kept here though its owner is bound above, if it is.
    pub fn adoption_of(&self, name: &PackageName) -> Result<Option<Adopted>, IndexError> {
        Ok(self.adopted()?.into_iter().find(|adopted| adopted.name == *name))
    }

    /// Every owner that is bound above, and to which registry.
    pub(crate) fn all_bound(&self) -> Result<Vec<(String, String)>, IndexError> {
        let mut statement =
            self.connection.prepare_cached("SELECT owner, registry FROM bound ORDER BY owner")?;
        let bound = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(bound.collect::<rusqlite::Result<_>>()?)
    }
}
