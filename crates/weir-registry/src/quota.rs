//! Whether what is to be offered leaves everybody within what they may hold.
//!
//! It is decided in the turn in which it is appended, on the view as those before it leave it: of any number who publish at once none goes
//! past a quota. What they have uploaded by then is named by nothing, and the collector takes it out.

use std::collections::BTreeMap;

use weir_index::Index;
use weir_model::amounts::bytes;
use weir_model::{OwnerName, PackageName, Release};

use crate::error::SubmitError;

/// From so many hundredths of a quota on it is told how much is left.
const WARNED_FROM: u128 = 80;

/// So many packages are told of that hold most.
const TOLD: usize = 3;

/// Bytes of packs that owners get more of, or less.
#[derive(Debug, Default)]
pub struct Change {
    added: BTreeMap<OwnerName, u64>,
    freed: BTreeMap<OwnerName, u64>,
}

/// Why something is beyond a quota.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} {} in the registry and may hold {}, and this would add {}{}",
    match owner { Some(owner) => format!("the owner `{owner}`"), None => "all owners together".to_owned() },
    match owner { Some(_) => format!("holds {}", bytes(*holds)), None => format!("hold {}", bytes(*holds)) },
    bytes(*quota),
    bytes(*adds),
    told(largest)
)]
pub struct BeyondQuota {
    /// Whose quota it is; that of all together without one.
    pub owner: Option<OwnerName>,
    /// Bytes that they hold.
    pub holds: u64,
    /// Bytes that they would hold more.
    pub adds: u64,
    /// Bytes that they may hold.
    pub quota: u64,
    /// The packages that hold most, and how many bytes each.
    pub largest: Vec<(PackageName, u64)>,
}

fn told(largest: &[(PackageName, u64)]) -> String {
    let told: Vec<String> = largest.iter().map(|(name, size)| format!("`{name}` {}", bytes(*size))).collect();
    if told.is_empty() { String::new() } else { format!(". Most of it: {}", told.join(", ")) }
}

impl Change {
    /// Adds a release that is to be offered.
    pub fn add(&mut self, owner: OwnerName, size: u64) {
        let added = self.added.entry(owner).or_default();
        *added = added.saturating_add(size);
    }

    /// Takes away one that leaves.
    pub(crate) fn free(&mut self, release: &Release) {
        let freed = self.freed.entry(release.id.name.owner_name()).or_default();
        *freed = freed.saturating_add(release.size);
    }

    /// Refuses what leaves somebody with more than they may hold. Gives a sentence for each of those who hold nearly as much. Who gets
    /// nothing more is let be, whatever they hold.
    ///
    /// # Errors
    ///
    /// [`SubmitError::BeyondQuota`]; or when the view cannot be read.
    pub fn check(&self, index: &Index) -> Result<Vec<String>, SubmitError> {
        let mut warnings = Vec::new();
        if self.added.values().all(|added| *added == 0) {
            return Ok(warnings);
        }
        for (owner, adds) in &self.added {
            if let Some(quota) = index.quota_of(owner)? {
                let freed = self.freed.get(owner).copied().unwrap_or_default();
                warnings.extend(check(index, Some(owner), *adds, freed, quota)?);
            }
        }
        if let Some(quota) = index.quota_of_all()? {
            let sum =
                |of: &BTreeMap<OwnerName, u64>| of.values().fold(0u64, |sum, one| sum.saturating_add(*one));
            warnings.extend(check(index, None, sum(&self.added), sum(&self.freed), quota)?);
        }
        Ok(warnings)
    }
}

fn check(
    index: &Index,
    owner: Option<&OwnerName>,
    adds: u64,
    freed: u64,
    quota: u64,
) -> Result<Option<String>, SubmitError> {
    let holds = index.held_bytes(owner)?.saturating_sub(freed);
    let after = holds.saturating_add(adds);
    if after > quota && adds > 0 {
        let largest = index.largest_packages(owner, TOLD)?;
        let owner = owner.cloned();
        return Err(SubmitError::BeyondQuota(Box::new(BeyondQuota { owner, holds, adds, quota, largest })));
    }
    let is_near = u128::from(after) * 100 >= u128::from(quota) * WARNED_FROM;
    Ok(is_near.then(|| {
        let whose = owner
            .map_or_else(|| "All owners together hold".into(), |owner| format!("The owner `{owner}` holds"));
        format!("{whose} {} of the {} that may be held in the registry", bytes(after), bytes(quota))
    }))
}
