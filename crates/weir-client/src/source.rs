//! A registry behind any plain web server.

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use weir_log::{Found, Source, SourceError};

use crate::client::{HttpClient, Peer, Request};
use crate::credential::Credential;
use crate::failure::Failure;
use crate::stream::ResumingStream;
use crate::url::Url;

/// So many small files are asked for at a time.
const TOGETHER: usize = 32;

/// Reads a registry's files over `http` or `https`.
///
/// What [`Source`] promises holds here as follows: 404 and 410 are absence, every other refusal is an
/// error; a redirect is followed within the same origin only; the credential goes to its own origin
/// only; [`Source::read`] starts over when a connection breaks, [`Source::open`] goes on from where it
/// broke, which is for content that its reader checks against a digest.
#[derive(Debug, Clone)]
pub struct HttpSource {
    base: Url,
    client: HttpClient,
    credential: Option<Credential>,
}

impl HttpSource {
    /// The registry whose files stand below `base`. Nothing is asked of the server yet.
    pub fn new(base: Url, client: HttpClient) -> Self {
        Self { base, client, credential: None }
    }

    /// The same, proving who asks where the origin is the credential's.
    pub fn with_credential(self, credential: Credential) -> Self {
        Self { credential: Some(credential), ..self }
    }

    /// The address its files stand below.
    pub fn base(&self) -> &Url {
        &self.base
    }

    fn request(&self, path: &str, offset: u64) -> Result<Request, SourceError> {
        let plain = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        let url = match self.base.below(path) {
            Ok(url) if plain => url,
            _ => {
                return Err(
                    Failure::Unusable("the path leaves the registry".to_owned()).about(&self.what(path))
                );
            }
        };
        let credential = self.credential.clone();
        Ok(Request { credential, peer: Peer::Registry, ..Request::of_mirror(url, offset) })
    }

    /// What went wrong; of a refusal, whether a credential was shown.
    fn failed(&self, failure: Failure, path: &str) -> SourceError {
        match failure.about(&self.what(path)) {
            SourceError::Refused { what, status, .. } => {
                SourceError::Refused { what, status, shown: self.credential.is_some() }
            }
            failed => failed,
        }
    }

    fn what(&self, path: &str) -> String {
        format!("{}/{path}", self.describe())
    }
}

impl Source for HttpSource {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let request = self.request(path, 0)?;
        self.client.whole(&request, limit).map_err(|failure| self.failed(failure, path))
    }

    fn read_each(&self, paths: &[String], limit: u64) -> Vec<Result<Option<Vec<u8>>, SourceError>> {
        let next = AtomicUsize::new(0);
        let read: Mutex<Vec<_>> = Mutex::new(paths.iter().map(|_| None).collect());
        std::thread::scope(|scope| {
            for _ in 0..paths.len().min(TOGETHER) {
                scope.spawn(|| {
                    loop {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        let Some(path) = paths.get(place) else { return };
                        let came = self.read(path, limit);
                        read.lock().unwrap_or_else(PoisonError::into_inner)[place] = Some(came);
                    }
                });
            }
        });
        let read = read.into_inner().unwrap_or_else(PoisonError::into_inner);
        read.into_iter().map(|one| one.expect("each place was taken by one thread")).collect()
    }

    fn open(&self, path: &str, offset: u64) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
        let request = self.request(path, offset)?;
        let stream =
            ResumingStream::open(&self.client, request).map_err(|failure| self.failed(failure, path))?;
        Ok(stream.map(|stream| Box::new(stream) as Box<dyn Read + Send>))
    }

    fn find(&self, path: &str) -> Result<Option<Found>, SourceError> {
        let request = self.request(path, 0)?;
        let found = self.client.find(&request).map_err(|failure| self.failed(failure, path))?;
        Ok(found.map(|size| Found { size }))
    }

    fn describe(&self) -> String {
        self.base.to_string().trim_end_matches('/').to_owned()
    }
}
