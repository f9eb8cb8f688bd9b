//! References: external files, fixed to its bytes in the lockfile, fetched from the registry or its mirrors.

use std::path::Path;

use weir_client::{DownloadEvent, Expected, Fluid, Mirror, download, fetch_fluid};
use weir_log::Source;
use weir_model::lockfile::LockedReference;
use weir_model::manifest::Reference;
use weir_model::{Manifest, Observer, ReferenceFact, Release, Sha256, manifest};
use weir_store::{EnsureError, Part, StoredFile};

use crate::error::{ProjectError, ReferenceProblem};
use crate::fetch;
use crate::local::package_manifest;
use crate::moving::Moving;
use crate::project::Project;
use weir_reach::{Event, Offline, Session, http_client};

/// The most bytes a fluid reference may have where the manifest says nothing.
const FLUID_LIMIT: u64 = 4 << 30;

/// What the lockfile says of references, and whether what may move is to move.
#[derive(Clone, Copy)]
struct Before<'a> {
    known: &'a [LockedReference],
    moves: bool,
}

/// Fixes the project's own references: as the lockfile has them, or anew.
pub(crate) fn lock_own(
    session: &Session,
    project: &Project,
    moving: Moving<'_>,
) -> Result<Vec<LockedReference>, ProjectError> {
    let known: &[LockedReference] = project.chosen_before().map_or(&[], |lock| &lock.references);
    let before = Before { known, moves: matches!(moving, Moving::All) };
    let wanted = project.manifest.references.iter();
    wanted.map(|reference| fix(session, reference, &project.folder, before)).collect()
}

/// Fixes the references of a release: most are fixed by its record, fluid ones are looked up.
pub(crate) fn lock_release(
    session: &Session,
    source: &dyn Source,
    release: &Release,
    known: &[LockedReference],
    moving: Moving<'_>,
) -> Result<Vec<LockedReference>, ProjectError> {
    if release.references.is_empty() {
        return Ok(Vec::new());
    }
    let store = session.open_store()?;
    let store = store.session()?;
    // Where the bytes are, and whether to unpack them, is said by the manifest inside the tree.
    let folder = fetch::ensure_release(&store, source, release)?;
    let manifest = package_manifest(&folder)?.unwrap_or_default();
    let before = Before { known, moves: moving.moves(&release.id.name) };
    release.references.iter().map(|fact| fix_fact(session, &manifest, fact, &folder, before)).collect()
}

fn fix_fact(
    session: &Session,
    manifest: &Manifest,
    fact: &ReferenceFact,
    folder: &Path,
    before: Before<'_>,
) -> Result<LockedReference, ProjectError> {
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
    fix(session, &Reference { size: fact.size.or(reference.size), ..reference.clone() }, folder, before)
}

/// A package may name what is on the web or among its own files, and nothing of this machine.
pub(crate) fn check_published(name: &str, mirrors: &[String]) -> Result<(), ProjectError> {
    manifest::check_published(name, mirrors).map_err(|error| ProjectError::Reference {
        name: name.to_owned(),
        reason: error.to_string(),
        problem: ReferenceProblem::Wrong,
    })
}

fn fix(
    session: &Session,
    reference: &Reference,
    folder: &Path,
    Before { known, moves }: Before<'_>,
) -> Result<LockedReference, ProjectError> {
    let before = known.iter().find(|known| known.name == reference.name);
    let locked = |sha256: Sha256, size: u64| LockedReference {
        name: reference.name.clone(),
        sha256,
        size,
        mirrors: reference.mirrors.clone(),
        unpack: reference.unpack,
        fluid: reference.fluid,
    };
    match (reference.sha256, reference.size, before) {
        (Some(sha256), Some(size), _) if !reference.fluid => Ok(locked(sha256, size)),
        (Some(sha256), None, Some(before)) if !reference.fluid && before.sha256 == sha256 => {
            Ok(locked(sha256, before.size))
        }
        (None, _, Some(before)) if !moves => Ok(locked(before.sha256, before.size)),
        (Some(_), _, Some(before)) if reference.fluid && !moves => Ok(locked(before.sha256, before.size)),
        _ => {
            let (sha256, size) = current(session, reference, folder)?;
            match reference.sha256 {
                Some(wanted) if !reference.fluid && wanted != sha256 => Err(ProjectError::Reference {
                    name: reference.name.clone(),
                    reason: format!("its bytes have the digest {sha256}, not {wanted}"),
                    problem: ReferenceProblem::Wrong,
                }),
                _ => Ok(locked(sha256, size)),
            }
        }
    }
}

/// Fetches what a reference's mirrors have now into the store, and says what it is.
///
/// # Errors
///
/// [`Offline`], [`ProjectError::Reference`], and what the store says.
pub fn current(
    session: &Session,
    reference: &Reference,
    folder: &Path,
) -> Result<(Sha256, u64), ProjectError> {
    if session.offline && reference.mirrors.iter().any(|mirror| weir_reach::is_http(mirror)) {
        return Err(Offline::lacks(format!("the reference {}", reference.name)).into());
    }
    let mirrors = mirrors(&reference.name, &reference.mirrors, folder)?;
    session.report(&Event::Referencing { name: reference.name.clone(), bytes: reference.size });
    let scratch = tempfile::tempdir()?;
    let to = scratch.path().join("bytes");
    let limit = if reference.fluid { reference.size.unwrap_or(FLUID_LIMIT) } else { FLUID_LIMIT };
    let fetched = fetch_fluid(&http_client(session)?, &mirrors, limit, None, &to, &report_failures(session));
    let state = match fetched.map_err(|error| failed(&reference.name, &error))? {
        Fluid::Fetched(state) => state,
        Fluid::Unchanged => {
            return Err(ProjectError::Reference {
                name: reference.name.clone(),
                reason: "its mirror says that nothing changed, to a question that did not ask".into(),
                problem: ReferenceProblem::Wrong,
            });
        }
    };
    let store = session.open_store()?;
    keep(&store.session()?, &state.sha256, state.size, &to)?;
    Ok((state.sha256, state.size))
}

/// Makes sure that the bytes of a locked reference are in the store.
pub(crate) fn ensure(
    session: &Session,
    store: &weir_store::Session,
    reference: &LockedReference,
    source: Option<&dyn Source>,
    old: Option<&LockedReference>,
    folder: &Path,
) -> Result<StoredFile, ProjectError> {
    if let Some(file) = store.file(&reference.sha256)? {
        return Ok(file);
    }
    let is_here = |mirror: &String| !weir_reach::is_http(mirror);
    if session.offline && !reference.mirrors.iter().any(is_here) {
        return Err(Offline::lacks(format!("the reference {}", reference.name)).into());
    }
    session.report(&Event::Referencing { name: reference.name.clone(), bytes: Some(reference.size) });
    let downloads = session.home.data().join("downloads");
    fs_err::create_dir_all(&downloads)?;
    let partial = downloads.join(format!("{}.part", reference.sha256.to_hex()));
    // The nearest registry first: it holds the full sources if it was asked to.
    let old = old
        .filter(|old| old.sha256 != reference.sha256)
        .map(|old| store.file(&old.sha256))
        .transpose()?
        .flatten();
    if let Some(source) = source.filter(|_| !session.offline)
        && fetch::file_from_registry(
            session,
            source,
            reference,
            old.as_ref().map(StoredFile::path),
            &partial,
        )?
    {
        return keep_and_forget(store, reference, &partial);
    }
    let mirrors = mirrors(&reference.name, &reference.mirrors, folder)?;
    let expected = Expected { sha256: reference.sha256, size: reference.size };
    let downloaded =
        download(&http_client(session)?, &mirrors, &expected, &partial, &report_failures(session));
    downloaded.map_err(|error| match error.is_integrity() && reference.fluid {
        true => ProjectError::ReferenceMoved { name: reference.name.clone(), sha256: reference.sha256 },
        false => failed(&reference.name, &error),
    })?;
    keep_and_forget(store, reference, &partial)
}

fn keep_and_forget(
    store: &weir_store::Session,
    reference: &LockedReference,
    partial: &Path,
) -> Result<StoredFile, ProjectError> {
    let file = keep(store, &reference.sha256, reference.size, partial)?;
    fs_err::remove_file(partial)?;
    Ok(file)
}

/// Puts bytes that are on this machine into the store, which checks them once more.
fn keep(
    store: &weir_store::Session,
    sha256: &Sha256,
    size: u64,
    from: &Path,
) -> Result<StoredFile, ProjectError> {
    let kept = store.ensure_file(sha256, size, |offset| -> std::io::Result<Part> {
        use std::io::Seek as _;
        let mut file = fs_err::File::open(from)?;
        file.seek(std::io::SeekFrom::Start(offset))?;
        Ok(Part { offset, bytes: Box::new(file) })
    });
    kept.map_err(|error| match error {
        EnsureError::Source(error) => error.into(),
        EnsureError::Store(error) => error.into(),
    })
}

fn mirrors(name: &str, mirrors: &[String], folder: &Path) -> Result<Vec<Mirror>, ProjectError> {
    let parsed = mirrors.iter().map(|mirror| Mirror::parse(mirror, folder));
    parsed.collect::<Result<_, _>>().map_err(|error| ProjectError::Reference {
        name: name.to_owned(),
        reason: error.to_string(),
        problem: ReferenceProblem::Other,
    })
}

fn failed(name: &str, error: &weir_client::DownloadError) -> ProjectError {
    let problem = match error.source_error() {
        _ if error.is_integrity() => ReferenceProblem::Wrong,
        _ if error.is_absence() => ReferenceProblem::Absent,
        Some(error) => ReferenceProblem::Source(error.clone()),
        None => ReferenceProblem::Other,
    };
    ProjectError::Reference { name: name.to_owned(), reason: error.to_string(), problem }
}

/// Reports that a mirror failed; the next is tried.
fn report_failures(session: &Session) -> impl Observer<DownloadEvent> {
    move |event: &DownloadEvent| {
        if let DownloadEvent::Failed(failure) = event {
            session.warn(failure.to_string());
        }
    }
}

/// Where a reference is used from: its file in the store, or the folder it was unpacked to.
pub(crate) fn place(
    store: &weir_store::Session,
    reference: &LockedReference,
    file: &StoredFile,
) -> Result<std::path::PathBuf, ProjectError> {
    if !reference.unpack {
        return Ok(file.path().to_owned());
    }
    match store.ensure_unpacked(file.digest(), &weir_tree::ImportOptions::default()) {
        Ok(stored) => Ok(stored.path().to_owned()),
        Err(EnsureError::Source(error)) => Err(ProjectError::Reference {
            name: reference.name.clone(),
            reason: weir_model::chain(&error),
            problem: ReferenceProblem::Wrong,
        }),
        Err(EnsureError::Store(error)) => Err(error.into()),
    }
}
