//! A file that may change without a new release: whatever a mirror has now, and what to remember of it.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use weir_model::{Hasher, Observer, Sha256};

use crate::client::{Answer, Freshness, HttpClient, Request};
use crate::download::{DownloadError, DownloadEvent, MirrorFailure};
use crate::failure::Failure;
use crate::mirror::{Mirror, open_file};
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
            Mirror::Http(url) => look_at_address(client, Request::of_mirror(url.clone(), 0), mirror, since),
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
/// After an error, `to` holds what the next call goes on from, if the mirror named it by a strong tag, which is then noted beside it;
/// two states of a file are never joined. After [`Fluid::Unchanged`] it means nothing.
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
        let mut options = fs_err::OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(self.to);
        let mut file = file.map_err(Ended::Disk)?;
        match self.mirror {
            Mirror::File(path) => self.copied(path, &mut file),
            Mirror::Http(url) => {
                let since = since.filter(|state| state.mirror == self.mirror.to_string());
                let since = since.map(|state| state.freshness.clone());
                let known = since.filter(|known| *known != Freshness::default());
                self.asked(&Request { since: known, ..Request::of_mirror(url.clone(), 0) }, &mut file)
            }
        }
    }

    fn copied(&self, path: &Path, file: &mut fs_err::File) -> Result<Fluid, Ended> {
        let incoming = open_file(path, 0).map_err(|failure| self.failed(failure))?;
        let mut incoming = incoming.ok_or_else(|| self.absent())?;
        self.sized(incoming.total());
        self.taken(file, None, Freshness::default(), |buffer| incoming.next(buffer))
            .map_err(Ended::Disk)?
            .map_err(|failure| self.failed(failure))
    }

    /// Goes on when the connection breaks, if the mirror names what it sends by a strong tag; else starts over.
    fn asked(&self, request: &Request, file: &mut fs_err::File) -> Result<Fluid, Ended> {
        let mut disk = None;
        let fetched = retrying(self.client.options(), || {
            let begun = Begun::find(self.to, self.mirror);
            let mut body = match self.client.once(&Begun::rest(begun.as_ref(), request))? {
                Answer::Absent => return Ok(None),
                Answer::Unchanged => return Ok(Some(Fluid::Unchanged)),
                Answer::Found(body) => body,
            };
            if body.total.is_some_and(|total| total > self.max_size) {
                return Err(Failure::TooLarge { limit: self.max_size });
            }
            let mut freshness = std::mem::take(&mut body.freshness);
            let begun = begun.filter(|_| body.start > 0);
            if let Some(begun) = &begun {
                let etag = freshness.etag.get_or_insert_with(|| begun.etag.clone());
                let is_longer = body.total.is_none_or(|total| total < begun.bytes);
                if *etag != begun.etag || is_longer {
                    Begun::forget(self.to);
                    return Err(Failure::Connection(
                        "it went on with another file than was begun".to_owned(),
                    ));
                }
            }
            self.sized(body.total);
            let mut pace = Pace::new(self.client.options());
            match self.taken(file, begun, freshness, |buffer| pace.timed(|| body.next(buffer))) {
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

    /// Writes what `next` brings, behind what was `begun`. The outer error is the disk's.
    fn taken(
        &self,
        file: &mut fs_err::File,
        begun: Option<Begun>,
        freshness: Freshness,
        mut next: impl FnMut(&mut [u8]) -> Result<usize, Failure>,
    ) -> std::io::Result<Result<Fluid, Failure>> {
        let mut size = begun.map_or(0, |begun| begun.bytes);
        file.set_len(size)?;
        file.seek(SeekFrom::Start(0))?;
        let mut hasher = Hasher::new();
        match size {
            0 => Begun::note(self.to, self.mirror, &freshness)?,
            _ => drop(std::io::copy(file, &mut hasher)?),
        }
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = match next(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(failure) => return Ok(Err(failure)),
            };
            size += read as u64;
            if size > self.max_size {
                file.set_len(0)?;
                return Ok(Err(Failure::TooLarge { limit: self.max_size }));
            }
            file.write_all(&buffer[..read])?;
            hasher.update(&buffer[..read]);
            self.observer.event(&DownloadEvent::Progress { bytes: size });
        }
        file.sync_all()?;
        Begun::forget(self.to);
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

/// What an earlier attempt brought of a file that a mirror named by a strong tag. The tag is noted beside the bytes, and they
/// are gone on with only where the mirror still has the file of that tag.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Begun {
    etag: String,
    bytes: u64,
}

impl Begun {
    /// The longest note that is read, in bytes.
    const MAX_NOTE: u64 = 16 << 10;

    /// What is at `to`, if it came from `mirror`.
    fn find(to: &Path, mirror: &Mirror) -> Option<Self> {
        let mut text = String::new();
        fs_err::File::open(Self::place(to)).ok()?.take(Self::MAX_NOTE).read_to_string(&mut text).ok()?;
        let etag = text.strip_prefix(&mirror.to_string())?.strip_prefix('\n')?.strip_suffix('\n')?;
        let bytes = fs_err::metadata(to).ok()?.len();
        (bytes > 0).then(|| Self { etag: etag.to_owned(), bytes })
    }

    /// `request` for what is not here.
    fn rest(begun: Option<&Self>, request: &Request) -> Request {
        match begun {
            None => request.clone(),
            Some(begun) => {
                Request { offset: begun.bytes, only_of: Some(begun.etag.clone()), ..request.clone() }
            }
        }
    }

    /// Notes of which file of `mirror` the bytes are that come to `to` from their first one on.
    fn note(to: &Path, mirror: &Mirror, freshness: &Freshness) -> std::io::Result<()> {
        // A weak tag is of files that may differ in their bytes.
        match freshness.etag.as_ref().filter(|etag| etag.starts_with('"')) {
            Some(etag) => fs_err::write(Self::place(to), format!("{mirror}\n{etag}\n")),
            None => {
                Self::forget(to);
                Ok(())
            }
        }
    }

    /// What is at `to` is not gone on with.
    fn forget(to: &Path) {
        // Where there is none, there is nothing to forget.
        let _ = fs_err::remove_file(Self::place(to));
    }

    fn place(to: &Path) -> PathBuf {
        to.with_added_extension("of")
    }
}
