//! Quotas: how much may be held for whom, and how much is. What they go by is the log alone: bytes of the packs of releases that are not
//! removed, each release for itself, whatever is stored once for several.

use rusqlite::{Connection, OptionalExtension as _, params};
use weir_model::record::{Quota, QuotaOf};
use weir_model::{OwnerName, PackageName};

use crate::error::IndexError;
use crate::facts::{read_marked, write_marked};
use crate::index::Index;
use crate::view::{Mark, SetQuota};
use crate::wire::{Malformed, parse};

/// How the registry as a whole, and each owner that has none of its own, stand among the names of owners.
const REGISTRY: &str = "";
const EACH_OWNER: &str = "*";

/// Sets a quota, or takes it away.
pub(crate) fn set(connection: &Connection, quota: &Quota, mark: &Mark) -> Result<(), IndexError> {
    match quota.bytes {
        Some(bytes) => {
            let set = SetQuota { of: quota.of.clone(), bytes, mark: mark.clone() };
            put(connection, key(&quota.of), &facts(&set))
        }
        None => {
            connection.prepare_cached("DELETE FROM quota WHERE of = ?1")?.execute([key(&quota.of)])?;
            Ok(())
        }
    }
}

pub(crate) fn put(connection: &Connection, key: &str, facts: &[u8]) -> Result<(), IndexError> {
    connection.prepare_cached("INSERT OR REPLACE INTO quota VALUES(?1, ?2)")?.execute(params![key, facts])?;
    Ok(())
}

pub(crate) fn key(of: &QuotaOf) -> &str {
    match of {
        QuotaOf::Registry => REGISTRY,
        QuotaOf::EachOwner => EACH_OWNER,
        QuotaOf::Owner(owner) => owner.as_str(),
    }
}

pub(crate) fn facts(set: &SetQuota) -> Vec<u8> {
    write_marked(&set.mark, &[set.bytes.to_string()])
}

pub(crate) fn read(key: &str, facts: &[u8]) -> Result<SetQuota, Malformed> {
    let (mark, texts) = read_marked(facts)?;
    let [bytes] = <[String; 1]>::try_from(texts).map_err(|_| Malformed::new("a quota is one number"))?;
    let of = match key {
        REGISTRY => QuotaOf::Registry,
        EACH_OWNER => QuotaOf::EachOwner,
        owner => QuotaOf::Owner(parse(owner)?),
    };
    Ok(SetQuota { of, bytes: parse(&bytes)?, mark })
}

impl Index {
    /// Every quota that is set.
    pub fn quotas(&self) -> Result<Vec<SetQuota>, IndexError> {
        let mut statement = self.connection.prepare_cached("SELECT of, facts FROM quota ORDER BY of")?;
        let mut rows = statement.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let key: String = row.get(0)?;
            let blob = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            all.push(read(&key, blob).map_err(IndexError::damaged("a quota"))?);
        }
        Ok(all)
    }

    /// How many bytes an owner may hold, if that was said: of it, or of each.
    pub fn quota_of(&self, owner: &OwnerName) -> Result<Option<u64>, IndexError> {
        match self.quota(owner.as_str())? {
            Some(bytes) => Ok(Some(bytes)),
            None => self.quota(EACH_OWNER),
        }
    }

    /// How many bytes all may hold together, if that was said.
    pub fn quota_of_all(&self) -> Result<Option<u64>, IndexError> {
        self.quota(REGISTRY)
    }

    fn quota(&self, key: &str) -> Result<Option<u64>, IndexError> {
        let mut statement = self.connection.prepare_cached("SELECT facts FROM quota WHERE of = ?1")?;
        let facts: Option<Vec<u8>> = statement.query_row([key], |row| row.get(0)).optional()?;
        let set = facts.map(|facts| read(key, &facts).map_err(IndexError::damaged("a quota"))).transpose()?;
        Ok(set.map(|set| set.bytes))
    }

    /// How many bytes an owner holds, or all together, as quotas go by.
    pub fn held_bytes(&self, owner: Option<&OwnerName>) -> Result<u64, IndexError> {
        let sum = match owner {
            Some(owner) => {
                let (from, to) = (format!("{owner}/"), format!("{owner}0"));
                let mut statement = self
                    .connection
                    .prepare_cached("SELECT total(size) FROM package WHERE name > ?1 AND name < ?2")?;
                statement.query_row([from, to], |row| row.get::<_, f64>(0))?
            }
            None => {
                let mut statement = self.connection.prepare_cached("SELECT total(size) FROM package")?;
                statement.query_row([], |row| row.get::<_, f64>(0))?
            }
        };
        // Exact up to 2^53 bytes: eight petabytes.
        Ok(sum as u64)
    }
}

impl Index {
    /// The packages of an owner, or of all, that hold most, and how many bytes each.
    pub fn largest_packages(
        &self,
        owner: Option<&OwnerName>,
        limit: usize,
    ) -> Result<Vec<(PackageName, u64)>, IndexError> {
        let (from, to) = match owner {
            Some(owner) => (format!("{owner}/"), format!("{owner}0")),
            None => (String::new(), "\u{10ffff}".to_owned()),
        };
        let mut statement = self.connection.prepare_cached(
            "SELECT name, size FROM package WHERE name > ?1 AND name < ?2 AND size > 0
             ORDER BY size DESC, name LIMIT ?3",
        )?;
        let mut rows = statement.query(params![from, to, crate::query::clamp(limit)])?;
        let mut largest = Vec::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let name = parse(&name).map_err(IndexError::damaged("a package"))?;
            largest.push((name, crate::rows::unsigned(row, 1)?));
        }
        Ok(largest)
    }
}
