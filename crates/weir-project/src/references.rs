//! References: external files, fixed to their bytes in the lockfile, fetched from the registry or their mirrors.
//!
//! What a reference is, is said by a manifest and the lockfile before. Where both leave it open, whatever its addresses gave last and is
//! here still is taken; only what is left *open* then is fetched to be known, together with the packs.

mod beside;
mod coming;
mod fetch;
mod look;
mod remembered;

use weir_model::lockfile::LockedReference;
use weir_model::manifest::{Prefer, Reference};
use weir_model::{Manifest, ReferenceFact, Release, ReleaseId, Sha256, manifest};

use std::path::{Path, PathBuf};

use crate::choose::preference;
use crate::error::{ProjectError, ReferenceProblem};
use crate::local::package_manifest;
use crate::moving::Moving;
use crate::project::Project;
use weir_reach::Session;

pub(crate) use fetch::{Current, Fetcher, place, place_of};
pub use fetch::{current, current_of_named};
pub(crate) use look::Looking;
use remembered::Remembered;

/// A reference of which it is not known yet what it is: whatever its addresses have now.
#[derive(Debug, Clone)]
pub(crate) struct OpenReference {
    /// Whose it is; nothing for the project's own.
    pub(crate) of: Option<ReleaseId>,
    pub(crate) reference: Reference,
    /// The folder that paths among its addresses begin at.
    pub(crate) folder: PathBuf,
}

/// What references are, and those that are open.
#[derive(Debug, Default)]
pub(crate) struct Fixed {
    pub(crate) locked: Vec<LockedReference>,
    pub(crate) open: Vec<OpenReference>,
}

/// What references of a project are fixed by. Nothing is fetched for it.
pub(crate) struct Fixing<'a> {
    project: &'a Project,
    moving: Moving<'a>,
    store: weir_store::Session,
    remembered: Remembered,
    /// Whether the newest is wanted also where any will do.
    newest: bool,
}

impl<'a> Fixing<'a> {
    pub(crate) fn new(
        session: &Session,
        project: &'a Project,
        moving: Moving<'a>,
    ) -> Result<Self, ProjectError> {
        Ok(Self {
            project,
            moving,
            store: session.open_store()?.session()?,
            remembered: Remembered::of(session),
            // Who is offline takes what there is.
            newest: !session.offline && preference(session, project)? == Prefer::Newest,
        })
    }

    /// The project's own references: as the lockfile has them, or anew.
    pub(crate) fn own(&self) -> Result<Fixed, ProjectError> {
        let known: &[LockedReference] = self.project.chosen_before().map_or(&[], |lock| &lock.references);
        let moves = matches!(self.moving, Moving::All);
        let mut fixed = Fixed::default();
        for reference in &self.project.manifest.references {
            self.fix(&mut fixed, None, reference.clone(), &self.project.folder, known, moves)?;
        }
        Ok(fixed)
    }

    /// The references of a release whose files are in `folder`: most are fixed by its record, fluid ones may be open.
    pub(crate) fn of_release(&self, release: &Release, folder: &Path) -> Result<Fixed, ProjectError> {
        // Where the bytes are, and whether to unpack them, is said by the manifest inside the tree.
        let manifest = package_manifest(folder)?.unwrap_or_default();
        let before = self.project.chosen_before().and_then(|lock| lock.release(&release.id));
        let known: &[LockedReference] = before.map_or(&[], |before| &before.references);
        let moves = self.moving.moves(&release.id.name);
        let mut fixed = Fixed::default();
        for fact in &release.references {
            let reference = as_recorded(&manifest, fact)?;
            self.fix(&mut fixed, Some(&release.id), reference, folder, known, moves)?;
        }
        Ok(fixed)
    }

    fn fix(
        &self,
        fixed: &mut Fixed,
        of: Option<&ReleaseId>,
        reference: Reference,
        folder: &Path,
        known: &[LockedReference],
        moves: bool,
    ) -> Result<(), ProjectError> {
        let before = known.iter().find(|known| known.name == reference.name);
        match self.bytes_of(&reference, folder, before, moves)? {
            Some((sha256, size)) => fixed.locked.push(locked(&reference, sha256, size)),
            None => {
                let folder = folder.to_owned();
                fixed.open.push(OpenReference { of: of.cloned(), reference, folder });
            }
        }
        Ok(())
    }

    /// The digest and the size of what a reference is, if that is known without asking its addresses.
    fn bytes_of(
        &self,
        reference: &Reference,
        folder: &Path,
        before: Option<&LockedReference>,
        moves: bool,
    ) -> Result<Option<(Sha256, u64)>, ProjectError> {
        let before = before.map(|before| (before.sha256, before.size));
        if !reference.fluid {
            let Some(sha256) = reference.sha256 else { return Ok(before.filter(|_| !moves)) };
            let size =
                reference.size.or_else(|| before.filter(|(known, _)| *known == sha256).map(|(_, size)| size));
            return Ok(size.map(|size| (sha256, size)));
        }
        if moves {
            return Ok(None);
        }
        match before.filter(|(_, size)| acceptable(reference, *size)) {
            None if self.newest => Ok(None),
            None => self.here(reference, folder),
            before => Ok(before),
        }
    }

    /// What is on this machine and will do: what the manifest's author had, or what one of the addresses gave last.
    fn here(&self, reference: &Reference, folder: &Path) -> Result<Option<(Sha256, u64)>, ProjectError> {
        let addresses = fetch::mirrors(&reference.name, &reference.mirrors, folder)?;
        let fetched = addresses.iter().filter_map(|address| self.remembered.state(address));
        for sha256 in reference.sha256.into_iter().chain(fetched.map(|state| state.sha256)) {
            if let Some(file) = self.store.file(&sha256)?.filter(|file| acceptable(reference, file.bytes())) {
                return Ok(Some((sha256, file.bytes())));
            }
        }
        Ok(None)
    }
}

/// Of a fluid reference, its size is the most that will do.
fn acceptable(reference: &Reference, size: u64) -> bool {
    reference.size.is_none_or(|most| size <= most)
}

/// A reference as it is locked.
pub(crate) fn locked(reference: &Reference, sha256: Sha256, size: u64) -> LockedReference {
    LockedReference {
        name: reference.name.clone(),
        sha256,
        size,
        mirrors: reference.mirrors.clone(),
        unpack: reference.unpack,
        fluid: reference.fluid,
    }
}

/// A reference of a release, on which its record and the manifest in its tree agree.
fn as_recorded(manifest: &Manifest, fact: &ReferenceFact) -> Result<Reference, ProjectError> {
    let Some(reference) = manifest.references.iter().find(|reference| reference.name == fact.name) else {
        return Err(ProjectError::Reference {
            name: fact.name.clone(),
            reason: "the record names it and the manifest inside the package does not".into(),
            problem: ReferenceProblem::Wrong,
        });
    };
    if !fact.fluid && reference.sha256 != fact.sha256 {
        return Err(ProjectError::Reference {
            name: fact.name.clone(),
            reason: "the record and the manifest inside the package disagree about its digest".into(),
            problem: ReferenceProblem::Wrong,
        });
    }
    check_published(&reference.name, &reference.mirrors)?;
    Ok(Reference { size: fact.size.or(reference.size), ..reference.clone() })
}

/// A package may name what is on the web or among its own files, and nothing of this machine.
pub(crate) fn check_published(name: &str, mirrors: &[String]) -> Result<(), ProjectError> {
    manifest::check_published(name, mirrors).map_err(|error| ProjectError::Reference {
        name: name.to_owned(),
        reason: error.to_string(),
        problem: ReferenceProblem::Wrong,
    })
}
