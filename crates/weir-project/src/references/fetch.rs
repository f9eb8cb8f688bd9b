//! Fetching external files into the store, every byte checked on the way.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use weir_client::{
    DownloadError, DownloadEvent, Expected, Fluid, Freshness, HttpClient, Mirror, download, fetch_fluid,
};
use weir_log::Source;
use weir_model::lockfile::LockedReference;
use weir_model::manifest::Reference;
use weir_model::{Observer, Sha256, chain};
use weir_reach::{Amount, Counter, Event, Offline, Session, Work, http_client};
use weir_registry::content::{
    CHUNKED_ABOVE, ContentError, LocalChunks, NoChunks, OldVersion, fetch_file, file_path,
};
use weir_store::{EnsureError, Part, Readers, StoredFile};

use super::beside::{readers, refuse_outside, remember_named};
use super::coming::Coming;
use super::remembered::Remembered;
use crate::error::{ProjectError, ReferenceProblem};

/// The most bytes a fluid reference may have where the manifest says nothing.
const FLUID_LIMIT: u64 = 4 << 30;

/// What addresses have now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Current {
    pub(crate) sha256: Sha256,
    pub(crate) size: u64,
}

/// Fetches what a reference's mirrors have now into the store, and says what it is.
///
/// # Errors
///
/// [`Offline`], [`ProjectError::Reference`], [`ProjectError::OutsideFile`], and what the store says.
pub fn current(
    session: &Session,
    reference: &Reference,
    folder: &Path,
) -> Result<(Sha256, u64), ProjectError> {
    session.begin(Work::Fetching { releases: 0, references: 1 }, Amount::Bytes(0));
    let store = session.open_store()?.session()?;
    let fetcher = Fetcher::new(session, &store, 1)?;
    let Current { sha256, size } = fetcher.current(reference, folder)?;
    Ok((sha256, size))
}

/// As [`current`], of a reference whose address the user names for the manifest in `folder`: it may be any file.
///
/// # Errors
///
/// As [`current`].
pub fn current_of_named(
    session: &Session,
    reference: &Reference,
    folder: &Path,
) -> Result<(Sha256, u64), ProjectError> {
    remember_named(session, &mirrors(&reference.name, &reference.mirrors, folder)?, folder)?;
    current(session, reference, folder)
}

/// Fetches external files; any number of threads may use one.
pub(crate) struct Fetcher<'a> {
    session: &'a Session,
    store: &'a weir_store::Session,
    client: HttpClient,
    /// Requests at once for one file.
    streams: NonZeroUsize,
}

impl<'a> Fetcher<'a> {
    /// With as many requests at once for one file as `streams`.
    pub(crate) fn new(
        session: &'a Session,
        store: &'a weir_store::Session,
        streams: usize,
    ) -> Result<Self, ProjectError> {
        let streams = NonZeroUsize::new(streams).unwrap_or(NonZeroUsize::MIN);
        Ok(Self { session, store, client: http_client(session)?, streams })
    }

    /// Fetches what the mirrors of a reference have now.
    pub(crate) fn current(&self, reference: &Reference, folder: &Path) -> Result<Current, ProjectError> {
        if self.session.offline && reference.mirrors.iter().any(|mirror| weir_reach::is_http(mirror)) {
            return Err(Offline::lacks_thing(format!("the reference `{}`", reference.name)).into());
        }
        let mirrors = mirrors(&reference.name, &reference.mirrors, folder)?;
        let fixed = reference.sha256.filter(|_| !reference.fluid);
        let is_meant = |found: &Sha256| match fixed.filter(|wanted| wanted != found) {
            None => Ok(()),
            Some(wanted) => Err(ProjectError::Reference {
                name: reference.name.clone(),
                reason: format!("its bytes have the digest {found}, not {wanted}"),
                problem: ReferenceProblem::Wrong,
            }),
        };
        if fixed.is_none() {
            refuse_outside(self.session, reference, &mirrors, folder)?;
        }
        let coming = Coming::of(self.session, &mirrors)?;
        let to = coming.path();
        let limit = if reference.fluid { reference.size.unwrap_or(FLUID_LIMIT) } else { FLUID_LIMIT };
        let remembered = Remembered::of(self.session);
        // What it gave last and is here still does not travel again.
        let mut since = None;
        for state in mirrors.iter().filter_map(|mirror| remembered.state(mirror)) {
            if self.store.file(&state.sha256)?.is_some() && state.size <= limit {
                since.get_or_insert(state);
            }
        }
        let watch = Watch::of_unknown(self.session);
        let fetched = fetch_fluid(&self.client, &mirrors, limit, since.as_ref(), to, &watch);
        let fetched = fetched.map_err(|error| failed(&reference.name, &error))?;
        // Nothing is kept of a file that was not meant.
        let kept = match &fetched {
            Fluid::Fetched(state) => is_meant(&state.sha256)
                .and_then(|()| self.keep(&state.sha256, state.size, to, readers(&mirrors)).map(drop)),
            Fluid::Unchanged => Ok(()),
        };
        coming.forget();
        kept?;
        let state = match (fetched, since) {
            (Fluid::Fetched(state), _) => state,
            (Fluid::Unchanged, Some(since)) => since,
            (Fluid::Unchanged, None) => {
                return Err(ProjectError::Reference {
                    name: reference.name.clone(),
                    reason: "its mirror says that nothing changed, to a question that did not ask".into(),
                    problem: ReferenceProblem::Wrong,
                });
            }
        };
        if let Some(mirror) = mirrors.iter().find(|mirror| mirror.to_string() == state.mirror) {
            remembered.keep(mirror, &state.sha256, state.size, &state.freshness);
        }
        is_meant(&state.sha256)?;
        Ok(Current { sha256: state.sha256, size: state.size })
    }

    /// Makes sure that the bytes of a locked reference are in the store: from `source`, the registry it comes from, or from its mirrors.
    /// What `old`, other bytes that it had, has in common with it does not travel.
    pub(crate) fn locked(
        &self,
        reference: &LockedReference,
        source: Option<&dyn Source>,
        old: Option<&LockedReference>,
        folder: &Path,
    ) -> Result<StoredFile, ProjectError> {
        let counter = Counter::new(self.session);
        let readers = readers(&mirrors(&reference.name, &reference.mirrors, folder)?);
        let fill = |partial: &Path| self.fill(reference, source, old, folder, partial, &counter);
        let file = self.store.fill_file(&reference.sha256, reference.size, readers, fill);
        let file = file.map_err(|error| match error {
            EnsureError::Source(error) => error,
            EnsureError::Store(error) => {
                ProjectError::of_store(self.store, &reference.name, Some(reference.size), error)
            }
        })?;
        counter.to(reference.size);
        Ok(file)
    }

    fn fill(
        &self,
        reference: &LockedReference,
        source: Option<&dyn Source>,
        old: Option<&LockedReference>,
        folder: &Path,
        partial: &Path,
        counter: &Counter,
    ) -> Result<(), ProjectError> {
        let is_here = |mirror: &String| !weir_reach::is_http(mirror);
        if self.session.offline && !reference.mirrors.iter().any(is_here) {
            return Err(Offline::lacks_thing(format!("the reference `{}`", reference.name)).into());
        }
        // The nearest registry first: it holds the full sources if it was asked to.
        if let Some(source) = source.filter(|_| !self.session.offline)
            && self.take_from_registry(source, reference, old, partial, counter)?
        {
            return Ok(());
        }
        let mirrors = mirrors(&reference.name, &reference.mirrors, folder)?;
        let expected = Expected { sha256: reference.sha256, size: reference.size };
        let watch = Watch { session: self.session, counter: counter.clone(), grows: false };
        download(&self.client, &mirrors, &expected, partial, &watch).map_err(|error| {
            match error.is_integrity() && reference.fluid {
                true => {
                    ProjectError::ReferenceMoved { name: reference.name.clone(), sha256: reference.sha256 }
                }
                false => self.failed(&reference.name, reference.size, &error),
            }
        })?;
        if reference.fluid {
            let remembered = Remembered::of(self.session);
            for mirror in &mirrors {
                remembered.keep(mirror, &reference.sha256, reference.size, &Freshness::default());
            }
        }
        Ok(())
    }

    /// A download that failed, of which so many bytes were to come.
    fn failed(&self, name: &str, needs: u64, error: &DownloadError) -> ProjectError {
        match error {
            DownloadError::Disk(error) if weir_fs::is_full(error) => {
                ProjectError::no_room(self.store, &name, needs)
            }
            error => failed(name, error),
        }
    }

    /// Takes it from the registry, if that holds it; says whether it does.
    fn take_from_registry(
        &self,
        source: &dyn Source,
        reference: &LockedReference,
        old: Option<&LockedReference>,
        partial: &Path,
        counter: &Counter,
    ) -> Result<bool, ProjectError> {
        let old = old.filter(|old| old.sha256 != reference.sha256 && reference.size > CHUNKED_ABOVE);
        let old = old.map(|old| self.store.file(&old.sha256)).transpose()?.flatten();
        let old = old.and_then(|old| OldVersion::open(old.path()).ok());
        let local: &dyn LocalChunks = match &old {
            Some(old) => old,
            None => &NoChunks,
        };
        let (sha256, size) = (&reference.sha256, reference.size);
        let once =
            || fetch_file(source, sha256, size, local, partial, self.streams, &|bytes| counter.to(bytes));
        let came = match once() {
            // Damaged where it was, it may have been brought there again.
            Err(error) if error.is_integrity() => match source.mend(&file_path(sha256)) {
                Ok(true) => {
                    let name = &reference.name;
                    self.session.warn(format!(
                        "`{name}` was damaged in `{}`, and was brought there again from above",
                        source.describe()
                    ));
                    once()
                }
                Ok(false) => Err(error),
                Err(failed) => Err(failed.into()),
            },
            came => came,
        };
        match came {
            Ok(_) => Ok(true),
            Err(ContentError::Absent { .. }) => Ok(false),
            Err(error) => Err(ProjectError::Reference {
                name: reference.name.clone(),
                reason: chain(&error),
                problem: match error {
                    error if error.is_integrity() => ReferenceProblem::Wrong,
                    ContentError::Source(error) => ReferenceProblem::Source(error),
                    _ => ReferenceProblem::Other,
                },
            }),
        }
    }

    /// Puts bytes that are on this machine into the store, which checks them once more.
    fn keep(
        &self,
        sha256: &Sha256,
        size: u64,
        from: &Path,
        readers: Readers,
    ) -> Result<StoredFile, ProjectError> {
        let kept = self.store.ensure_file(sha256, size, readers, |offset| -> std::io::Result<Part> {
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
}

/// Has whoever watches know how far one file is, and that a mirror failed: the next is tried.
struct Watch<'a> {
    session: &'a Session,
    counter: Counter,
    /// Whether it is not known before how large the file is.
    grows: bool,
}

impl<'a> Watch<'a> {
    fn of_unknown(session: &'a Session) -> Self {
        Self { session, counter: Counter::new(session), grows: true }
    }
}

impl Observer<DownloadEvent> for Watch<'_> {
    fn event(&self, event: &DownloadEvent) {
        match event {
            DownloadEvent::Sized { bytes } if self.grows => self.session.report(&Event::Grown { by: *bytes }),
            DownloadEvent::Progress { bytes } => self.counter.to(*bytes),
            DownloadEvent::Failed(failure) => self.session.warn(failure.to_string()),
            _ => {}
        }
    }
}

pub(super) fn mirrors(name: &str, mirrors: &[String], folder: &Path) -> Result<Vec<Mirror>, ProjectError> {
    let parsed = mirrors.iter().map(|mirror| Mirror::parse(mirror, folder));
    parsed.collect::<Result<_, _>>().map_err(|error| ProjectError::Reference {
        name: name.to_owned(),
        reason: error.to_string(),
        problem: ReferenceProblem::Other,
    })
}

pub(super) fn failed(name: &str, error: &DownloadError) -> ProjectError {
    let problem = match error.source_error() {
        _ if error.is_integrity() => ReferenceProblem::Wrong,
        _ if error.is_absence() => ReferenceProblem::Absent,
        Some(error) => ReferenceProblem::Source(error.clone()),
        None => ReferenceProblem::Other,
    };
    ProjectError::Reference { name: name.to_owned(), reason: error.to_string(), problem }
}

/// Where a reference is used from, once it was fetched.
pub(crate) fn place_of(
    store: &weir_store::Session,
    reference: &LockedReference,
) -> Result<PathBuf, ProjectError> {
    let missing = || Offline::lacks_thing(format!("the reference `{}`", reference.name));
    let file = store.file(&reference.sha256)?.ok_or_else(missing)?;
    place(store, reference, &file)
}

/// Where a reference is used from: its file in the store, or the folder it was unpacked to.
pub(crate) fn place(
    store: &weir_store::Session,
    reference: &LockedReference,
    file: &StoredFile,
) -> Result<PathBuf, ProjectError> {
    if !reference.unpack {
        return Ok(file.path().to_owned());
    }
    match store.ensure_unpacked(file.digest(), &weir_tree::ImportOptions::default()) {
        Ok(stored) => Ok(stored.path().to_owned()),
        Err(EnsureError::Source(error)) => Err(ProjectError::Reference {
            name: reference.name.clone(),
            reason: chain(&error),
            problem: ReferenceProblem::Wrong,
        }),
        Err(EnsureError::Store(error)) => Err(error.into()),
    }
}
