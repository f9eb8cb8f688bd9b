//! A file that may change without a new release: whatever a mirror has now, and what to remember of it.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use weir_model::{Hasher, Observer, Sha256};

use crate::client::{Answer, Freshness, HttpClient, Request};
use crate::download::{DownloadError, DownloadEvent, MirrorFailure};
use crate::failure::Failure;
use crate::mirror::{Mirror, mirror_request, open_file};
use crate::pace::Pace;
use crate::retry::retrying;

/// What a fluid reference was when it was last fetched: what the lockfile records, and what makes the
/// next check cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FluidState {
    /// The mirror it came from.
    pub mirror: String,
    /// SHA-256 of what came.
    pub sha256: Sha256,
    /// Its size in bytes.
    pub size: u64,
    /// What that mirror said of its age.
    pub freshness: Freshness,
}

/// What a check of a fluid reference found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fluid {
    /// The mirror says that nothing changed. Nothing was written.
    Unchanged,
    /// This is what is current. It may be the same bytes as before.
    Fetched(FluidState),
}

/// What looking at a fluid reference told, without fetching it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FluidLook {
    /// It is what it was.
    Unchanged,
    /// It is something else.
    Changed,
    /// Its address says nothing that tells.
    Unknown,
}

/// Asks the first mirror that answers whether it still has what `since` says, without taking its bytes.
///
/// # Errors
///
/// When no mirror answers.
pub fn look_at_fluid(
    client: &HttpClient,
    mirrors: &[Mirror],
    since: &FluidState,
) -> Result<FluidLook, DownloadError> {
    let mut failures = Vec::new();
    for mirror in mirrors {
        let looked = match mirror {
            Mirror::File(path) => look_at_file(path, since),
            Mirror::Http(url) => look_at_address(client, mirror_request(url, 0), mirror, since),
        };
        match looked {
            Ok(Some(look)) => return Ok(look),
            Ok(None) => failures.push(MirrorFailure::Absent { mirror: mirror.to_string() }),
            Err(failure) => failures.push(MirrorFailure::Failed(failure.about(mirror))),
        }
    }
    Err(DownloadError::of(failures))
}

fn look_at_address(
    client: &HttpClient,
    request: Request,
    mirror: &Mirror,
    since: &FluidState,
) -> Result<Option<FluidLook>, Failure> {
    let known = (since.mirror == mirror.to_string()).then(|| since.freshness.clone());
    let known = known.filter(|known| *known != Freshness::default());
    let request = Request { since: known.clone(), ..request };
    let body = match retrying(client.options(), || client.once(&request))? {
        Answer::Absent => return Ok(None),
        Answer::Unchanged => return Ok(Some(FluidLook::Unchanged)),
        // Its bytes are not read: the connection ends here.
        Answer::Found(body) => body,
    };
    if body.total.is_some_and(|total| total != since.size) {
        return Ok(Some(FluidLook::Changed));
    }
    let tags = (known.and_then(|known| known.etag), body.freshness.etag);
    Ok(Some(match tags {
        (Some(before), Some(now)) if before == now => FluidLook::Unchanged,
        (Some(_), Some(_)) => FluidLook::Changed,
        _ => FluidLook::Unknown,
    }))
}

fn look_at_file(path: &Path, since: &FluidState) -> Result<Option<FluidLook>, Failure> {
    let Some(mut incoming) = open_file(path, 0)? else { return Ok(None) };
    if incoming.total().is_some_and(|total| total != since.size) {
        return Ok(Some(FluidLook::Changed));
    }
    let (mut hasher, mut left) = (Hasher::new(), since.size);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = incoming.next(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        // One that grows while it is read has changed.
        let Some(rest) = left.checked_sub(read as u64) else { return Ok(Some(FluidLook::Changed)) };
        left = rest;
    }
    let same = hasher.finish() == since.sha256;
    Ok(Some(if same { FluidLook::Unchanged } else { FluidLook::Changed }))
}

/// How one mirror ended: a failure of the disk is nobody else's fault.
enum Ended {
    Mirror(MirrorFailure),
    Disk(std::io::Error),
}

/// Fetches what the first mirror that answers has now, at most `max_size` bytes, into the file `to`.
///
/// `since` is what an earlier call returned: the mirror it came from is asked only for what changed.
/// After an error or [`Fluid::Unchanged`], what `to` holds means nothing.
pub fn fetch_fluid(
    client: &HttpClient,
    mirrors: &[Mirror],
    max_size: u64,
    since: Option<&FluidState>,
    to: &Path,
    observer: &dyn Observer<DownloadEvent>,
) -> Result<Fluid, DownloadError> {
    let mut failures = Vec::new();
    for mirror in mirrors {
        observer.event(&DownloadEvent::Trying { mirror: mirror.clone(), offset: 0 });
        let fetch = Fetch { client, mirror, max_size, to, observer };
        match fetch.run(since) {
            Ok(fluid) => return Ok(fluid),
            Err(Ended::Disk(error)) => return Err(DownloadError::Disk(error)),
            Err(Ended::Mirror(failure)) => {
                observer.event(&DownloadEvent::Failed(failure.clone()));
                failures.push(failure);
            }
        }
    }
    Err(DownloadError::of(failures))
}

struct Fetch<'a> {
    client: &'a HttpClient,
    mirror: &'a Mirror,
    max_size: u64,
    to: &'a Path,
    observer: &'a dyn Observer<DownloadEvent>,
}

impl Fetch<'_> {
    fn run(&self, since: Option<&FluidState>) -> Result<Fluid, Ended> {
        let mut file = fs_err::File::create(self.to).map_err(Ended::Disk)?;
        match self.mirror {
            Mirror::File(path) => self.copied(path, &mut file),
            Mirror::Http(url) => {
                let since = since.filter(|state| state.mirror == self.mirror.to_string());
                let since = since.map(|state| state.freshness.clone());
                let known = since.filter(|known| *known != Freshness::default());
                self.asked(&Request { since: known, ..mirror_request(url, 0) }, &mut file)
            }
        }
    }

    fn copied(&self, path: &Path, file: &mut fs_err::File) -> Result<Fluid, Ended> {
        let incoming = open_file(path, 0).map_err(|failure| self.failed(failure))?;
        let mut incoming = incoming.ok_or_else(|| self.absent())?;
        self.sized(incoming.total());
        self.taken(file, Freshness::default(), |buffer| incoming.next(buffer))
            .map_err(Ended::Disk)?
            .map_err(|failure| self.failed(failure))
    }

    /// Starts over when the connection breaks: two states of a file are never joined.
    fn asked(&self, request: &Request, file: &mut fs_err::File) -> Result<Fluid, Ended> {
        let mut disk = None;
        let fetched = retrying(self.client.options(), || {
            let mut body = match self.client.once(request)? {
                Answer::Absent => return Ok(None),
                Answer::Unchanged => return Ok(Some(Fluid::Unchanged)),
                Answer::Found(body) => body,
            };
            if body.total.is_some_and(|total| total > self.max_size) {
                return Err(Failure::TooLarge { limit: self.max_size });
            }
            self.sized(body.total);
            let mut pace = Pace::new(self.client.options());
            let freshness = std::mem::take(&mut body.freshness);
            match self.taken(file, freshness, |buffer| pace.timed(|| body.next(buffer))) {
                Ok(fluid) => fluid.map(Some),
                Err(error) => {
                    disk = Some(error);
                    Err(Failure::Unusable("the disk failed".to_owned()))
                }
            }
        });
        if let Some(error) = disk {
            return Err(Ended::Disk(error));
        }
        fetched.map_err(|failure| self.failed(failure))?.ok_or_else(|| self.absent())
    }

    fn sized(&self, total: Option<u64>) {
        if let Some(bytes) = total {
            self.observer.event(&DownloadEvent::Sized { bytes });
        }
    }

    /// Writes what `next` brings. The outer error is the disk's.
    fn taken(
        &self,
        file: &mut fs_err::File,
        freshness: Freshness,
        mut next: impl FnMut(&mut [u8]) -> Result<usize, Failure>,
    ) -> std::io::Result<Result<Fluid, Failure>> {
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        let mut hasher = Hasher::new();
        let mut size = 0_u64;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = match next(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(failure) => return Ok(Err(failure)),
            };
            size += read as u64;
            if size > self.max_size {
                return Ok(Err(Failure::TooLarge { limit: self.max_size }));
            }
            file.write_all(&buffer[..read])?;
            hasher.update(&buffer[..read]);
            self.observer.event(&DownloadEvent::Progress { bytes: size });
        }
        file.sync_all()?;
        let state = FluidState { mirror: self.mirror.to_string(), sha256: hasher.finish(), size, freshness };
        Ok(Ok(Fluid::Fetched(state)))
    }

    fn failed(&self, failure: Failure) -> Ended {
        Ended::Mirror(MirrorFailure::Failed(failure.about(self.mirror)))
    }

    fn absent(&self) -> Ended {
        Ended::Mirror(MirrorFailure::Absent { mirror: self.mirror.to_string() })
    }
}
