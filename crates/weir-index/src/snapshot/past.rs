//! What went before: the same for writer and reader, so that "as before" means one thing.

use std::rc::Rc;

use jiff::Timestamp;
use weir_model::{Baked, Scope, Sha256, Version};

use crate::wire::{Malformed, Reader, Writer, parse};

/// The last release of a package, as far as the next one is told by it, and the identity of all.
#[derive(Debug, Default)]
pub(super) struct PackagePast {
    pub(super) version: Option<Version>,
    pub(super) platform: Option<Rc<str>>,
    pub(super) size: u64,
    pub(super) unpacked: u64,
    pub(super) files: u64,
    pub(super) shape: Rc<[Need]>,
    pub(super) references: Vec<u8>,
    pub(super) recipe: Option<Sha256>,
    pub(super) toolchain: Option<Sha256>,
    pub(super) license: Option<Rc<str>>,
    pub(super) description: Option<Rc<str>>,
    pub(super) kind_facts: Option<Rc<str>>,
    /// What each release is baked as, in the order of the log.
    pub(super) releases: Vec<Baked>,
}

/// A dependency without what exactly was baked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) package: usize,
    pub(super) range: Rc<str>,
    pub(super) scope: Scope,
    pub(super) baked: bool,
}

/// The last release of the log.
#[derive(Debug, Default)]
pub(super) struct LogPast {
    pub(super) package: u64,
    /// The index of the entry that may come next.
    pub(super) next: u64,
    pub(super) at: Timestamp,
    pub(super) by: Option<Rc<str>>,
    pub(super) batch: Option<Rc<str>>,
    pub(super) origin: Option<Rc<str>>,
    pub(super) origin_index: u64,
}

impl PackagePast {
    /// The unpacked size that a pack of `size` bytes would have if it shrank like the last one.
    pub(super) fn likely_unpacked(&self, size: u64) -> u64 {
        if self.size == 0 {
            return 0;
        }
        let likely = u128::from(self.unpacked) * u128::from(size) / u128::from(self.size);
        u64::try_from(likely).unwrap_or(u64::MAX)
    }
}

// How a version is told by the one before it.
const SAME: u8 = 0;
const PATCH: u8 = 1;
const MINOR: u8 = 2;
const MAJOR: u8 = 3;
const IN_FULL: u8 = 4;

pub(super) fn write_version(out: &mut Writer, version: &Version, before: Option<&Version>) {
    let step = (SAME..=MAJOR).find(|step| stepped(before, *step).as_ref() == Some(version));
    out.byte(step.unwrap_or(IN_FULL));
    if step.is_none() {
        out.text(&version.to_string());
    }
}

pub(super) fn read_version(from: &mut Reader<'_>, before: Option<&Version>) -> Result<Version, Malformed> {
    match from.byte()? {
        IN_FULL => parse(from.text()?),
        step => stepped(before, step).ok_or_else(|| Malformed::new("a version follows none")),
    }
}

fn stepped(before: Option<&Version>, step: u8) -> Option<Version> {
    let before = before?;
    Some(match step {
        SAME => before.clone(),
        PATCH => Version::new(before.major(), before.minor(), before.patch().checked_add(1)?),
        MINOR => Version::new(before.major(), before.minor().checked_add(1)?, 0),
        MAJOR => Version::new(before.major().checked_add(1)?, 0, 0),
        _ => return None,
    })
}
