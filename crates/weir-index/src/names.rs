//! Names that look like other names.

use rusqlite::params;
use weir_model::{OwnerName, PackageName};

use crate::derive::was_published;
use crate::error::IndexError;
use crate::index::Index;
use crate::wire::parse;

impl Index {
    /// A package of another name that a person could mistake for this one, if one was published here.
    pub fn confusable_with(&self, name: &PackageName) -> Result<Option<PackageName>, IndexError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, name FROM package WHERE confusable = ?1 AND name <> ?2 ORDER BY id",
        )?;
        let mut found = statement.query(params![name.confusable(), name.as_str()])?;
        while let Some(row) = found.next()? {
            if was_published(&self.connection, row.get(0)?)? {
                return Ok(Some(name_of(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?));
            }
        }
        Ok(None)
    }

    /// What is here that a new name could be mistaken for: a package, or, with a `/` behind it, an owner.
    pub fn mistaken_for(&self, name: &PackageName) -> Result<Option<String>, IndexError> {
        match self.confusable_with(name)? {
            Some(package) => Ok(Some(package.to_string())),
            None => Ok(self.confusable_owner(&name.owner_name())?.map(|owner| format!("{owner}/"))),
        }
    }

    /// An owner of another name that a person could mistake for this one, if one was claimed or has packages here.
    pub fn confusable_owner(&self, owner: &OwnerName) -> Result<Option<OwnerName>, IndexError> {
        let _still = self.reading()?;
        let confusable = owner.confusable();
        let mut claimed = self
            .connection
            .prepare_cached("SELECT owner FROM claim WHERE confusable = ?1 AND owner <> ?2")?;
        let mut found = claimed.query(params![confusable, owner.as_str()])?;
        if let Some(row) = found.next()? {
            return Ok(Some(owner_of(&row.get::<_, String>(0)?)?));
        }
        // `0` is what follows `/` in ASCII.
        let mut named = self.connection.prepare_cached(
            "SELECT id, name FROM package WHERE confusable > ?1 || '/' AND confusable < ?1 || '0'
             AND substr(name, 1, length(?2) + 1) <> ?2 || '/'",
        )?;
        let mut found = named.query(params![confusable, owner.as_str()])?;
        while let Some(row) = found.next()? {
            if was_published(&self.connection, row.get(0)?)? {
                let name = name_of(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?;
                return Ok(Some(name.owner_name()));
            }
        }
        Ok(None)
    }

    /// At most `count` names of packages that someone who wrote `text` may have meant, the likeliest
    /// first. Reads every name: for explaining a failure, not for searching.
    pub fn similar_names(&self, text: &str, count: usize) -> Result<Vec<PackageName>, IndexError> {
        const LONGEST: usize = 160;
        let wanted: String = text.to_ascii_lowercase().replace(['_', '.', ' '], "-");
        if wanted.is_empty() || wanted.len() > LONGEST {
            return Ok(Vec::new());
        }
        // Without an owner, only what follows the `/` is compared. Both columns have an index that holds them.
        let column = if wanted.contains('/') { "confusable" } else { "short" };
        let mut statement = self.connection.prepare_cached(&format!("SELECT {column}, id FROM package"))?;
        let mut found = statement.query([])?;
        let letters = Letters::of(&wanted);
        let mut likely: Vec<(f64, i64)> = Vec::new();
        while let Some(row) = found.next()? {
            let name = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            if let Some(likeness) = likeness(&wanted, &letters, name) {
                likely.push((likeness, row.get(1)?));
            }
        }
        likely.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut names = Vec::new();
        let mut name = self.connection.prepare_cached(
            "SELECT name FROM package WHERE id = ?1 AND offered + yanked + quarantined > 0",
        )?;
        for (_, id) in likely {
            if names.len() >= count {
                break;
            }
            let mut found = name.query([id])?;
            if let Some(row) = found.next()? {
                names.push(name_of(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
            }
        }
        Ok(names)
    }
}

const LIKE_ENOUGH: f64 = 0.6;

/// How often each byte occurs: names that share too few letters need not be compared.
struct Letters([u8; 128]);

impl Letters {
    fn of(text: &str) -> Self {
        let mut counts = [0; 128];
        for byte in text.bytes() {
            counts[usize::from(byte & 127)] += 1;
        }
        Self(counts)
    }

    /// At least as many letters as `other` shares with this text.
    fn shared_with(&self, other: &str) -> usize {
        let mut left = self.0;
        other
            .bytes()
            .filter(|byte| {
                let count = &mut left[usize::from(byte & 127)];
                let shared = *count > 0;
                *count -= u8::from(shared);
                shared
            })
            .count()
    }
}

fn likeness(wanted: &str, letters: &Letters, name: &str) -> Option<f64> {
    let longest = wanted.len().max(name.len()) as f64;
    let starts =
        wanted.len() >= 3 && name.len() >= 3 && (name.starts_with(wanted) || wanted.starts_with(name));
    let floor = if starts { 0.65 } else { 0.0 };
    let likeness = if (letters.shared_with(name) as f64) < LIKE_ENOUGH * longest {
        floor
    } else {
        strsim::normalized_damerau_levenshtein(wanted, name).max(floor)
    };
    (likeness >= LIKE_ENOUGH).then_some(likeness)
}

fn name_of(text: &str) -> Result<PackageName, IndexError> {
    parse(text).map_err(IndexError::damaged("a name"))
}

fn owner_of(text: &str) -> Result<OwnerName, IndexError> {
    parse(text).map_err(IndexError::damaged("an owner"))
}
