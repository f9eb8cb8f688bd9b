//! One request and its answer: what a status means, which redirect is followed, who sees a credential.

use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

use ureq::http::{HeaderMap, header};
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::DefaultConnector;
use weir_log::SourceError;

use crate::authorities::roots;
use crate::credential::Credential;
use crate::failure::Failure;
use crate::options::{HttpOptions, ProxyChoice};
use crate::pace::Pace;
use crate::resolver::{CachingResolver, Forbidden, number};
use crate::retry::retrying;
use crate::url::Url;

/// Redirects followed in a row before it counts as a loop.
const MAX_REDIRECTS: u32 = 5;

/// Makes requests, and keeps connections for the next ones. Cloning shares them; any number of threads
/// may use it at once.
///
/// Making one costs nothing: it is set up by the first request, and TLS by the first to `https`.
#[derive(Debug, Clone)]
pub struct HttpClient {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: HttpOptions,
    plain: OnceLock<Result<ureq::Agent, Failure>>,
    tls: OnceLock<Result<ureq::Agent, Failure>>,
}

/// Whom a request goes to, and so how much is taken from the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// A registry: its address says whom one trusts, so redirects stay within its origin, and bytes
    /// come plain or not at all.
    Registry,
    /// A mirror: its bytes are checked or pinned afterwards, so a redirect may lead anywhere but from
    /// `https` to `http`, and bytes are taken as they come. (Some servers label a `.tar.gz` itself as
    /// encoded.)
    Mirror,
}

/// What is wanted of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    /// Only what a server says of it.
    Head,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) url: Url,
    pub(crate) credential: Option<Credential>,
    pub(crate) peer: Peer,
    /// First byte wanted.
    pub(crate) offset: u64,
    /// Bytes that were seen before: not wanted again unless they changed.
    pub(crate) since: Option<Freshness>,
    /// The strong tag of the file whose bytes before `offset` are here. Of any other, all is wanted.
    pub(crate) only_of: Option<String>,
}

impl Request {
    /// Of a mirror, which sees no credential.
    pub(crate) fn of_mirror(url: Url, offset: u64) -> Self {
        Self { url, credential: None, peer: Peer::Mirror, offset, since: None, only_of: None }
    }
}

/// What a server says about the state of a file, so that a later check is cheap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Freshness {
    /// The `ETag` as sent.
    pub etag: Option<String>,
    /// The `Last-Modified` as sent.
    pub last_modified: Option<String>,
}

/// A server's answer, as far as it concerns a reader of files.
#[derive(Debug)]
pub(crate) enum Answer {
    /// 404 or 410.
    Absent,
    /// 304: as it was when [`Request::since`] was true.
    Unchanged,
    /// The file, or its end.
    Found(Body),
}

impl Answer {
    fn found(self) -> Option<Body> {
        match self {
            Self::Found(body) => Some(body),
            Self::Absent | Self::Unchanged => None,
        }
    }
}

/// The bytes of a file from `start` on, as they arrive.
pub(crate) struct Body {
    reader: Box<dyn Read + Send>,
    /// Place of the first byte in the file: the offset asked for, or 0 if the server knows no ranges.
    pub(crate) start: u64,
    /// Size of the whole file, if the server says it.
    pub(crate) total: Option<u64>,
    pub(crate) freshness: Freshness,
}

impl HttpClient {
    /// A client with these limits.
    pub fn new(options: HttpOptions) -> Self {
        Self { inner: Arc::new(Inner { options, plain: OnceLock::new(), tls: OnceLock::new() }) }
    }

    /// Its limits.
    pub fn options(&self) -> &HttpOptions {
        &self.inner.options
    }

    /// Reads a document of at most `limit` bytes that is for everybody; `None` where there is none. Redirects stay within its origin.
    ///
    /// # Errors
    ///
    /// When there was no answer, a refusal, or more bytes.
    pub fn document(&self, url: &Url, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let request = Request { peer: Peer::Registry, ..Request::of_mirror(url.clone(), 0) };
        self.whole(&request, limit).map_err(|failure| failure.about(url))
    }

    /// Reads a file of at most `limit` bytes that whoever reads it checks by a digest; `None` where there is none. It may be anywhere: a
    /// redirect is followed but from `https` to `http`.
    ///
    /// # Errors
    ///
    /// When there was no answer, a refusal, or more bytes.
    pub fn to_be_checked(&self, url: &Url, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let request = Request::of_mirror(url.clone(), 0);
        self.whole(&request, limit).map_err(|failure| failure.about(url))
    }

    /// Reads the whole of a file of at most `limit` bytes; starts over when the connection breaks, so
    /// that two states of a file are never joined.
    pub(crate) fn whole(&self, request: &Request, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
        retrying(self.options(), || match self.once(request)? {
            Answer::Absent | Answer::Unchanged => Ok(None),
            Answer::Found(body) => body.collect(limit, &mut Pace::new(self.options())).map(Some),
        })
    }

    /// The answer to `request`, tried as often as the options allow.
    pub(crate) fn get(&self, request: &Request) -> Result<Answer, Failure> {
        retrying(self.options(), || self.once(request))
    }

    /// One attempt at `request`.
    pub(crate) fn once(&self, request: &Request) -> Result<Answer, Failure> {
        let (status, response) = self.follow(Method::Get, request)?;
        self.answer(request, status, response)
    }

    /// Whether the file is there, and how many bytes it has if the server says so. No byte of it travels.
    pub(crate) fn find(&self, request: &Request) -> Result<Option<Option<u64>>, Failure> {
        retrying(self.options(), || {
            let (status, response) = self.follow(Method::Head, request)?;
            match status {
                // What is asked for in vain here is asked for as everybody does.
                405 | 501 => Ok(self.once(request)?.found().map(|body| body.total)),
                200 => {
                    let length = text(response.headers(), header::CONTENT_LENGTH);
                    Ok(Some(length.and_then(|length| length.parse().ok())))
                }
                _ => Ok(self.answer(request, status, response)?.found().map(|body| body.total)),
            }
        })
    }

    /// One attempt at `request`, following redirects, up to an answer that is none.
    fn follow(
        &self,
        method: Method,
        request: &Request,
    ) -> Result<(u16, ureq::http::Response<ureq::Body>), Failure> {
        let mut url = request.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let mut response = self.send(method, &url, request)?;
            let status = response.status().as_u16();
            if !matches!(status, 301 | 302 | 303 | 307 | 308) {
                return Ok((status, response));
            }
            url = next(&url, response.headers(), request.peer)?;
            drain(&mut response);
        }
        Err(Failure::Unusable(format!("it redirects more than {MAX_REDIRECTS} times")))
    }

    fn send(
        &self,
        method: Method,
        url: &Url,
        request: &Request,
    ) -> Result<ureq::http::Response<ureq::Body>, Failure> {
        let agent = self.agent(url)?;
        let call = match method {
            Method::Get => agent.get(url.uri()),
            Method::Head => agent.head(url.uri()),
        };
        let mut call = call.header(header::ACCEPT_ENCODING, "identity");
        if request.offset > 0 {
            call = call.header(header::RANGE, format!("bytes={}-", request.offset));
            if let Some(etag) = &request.only_of {
                call = call.header(header::IF_RANGE, etag);
            }
        }
        if let Some(value) = request.credential.as_ref().and_then(|secret| secret.header_for(url.origin())) {
            call = call.header(header::AUTHORIZATION, value);
        }
        if let Some(since) = &request.since {
            if let Some(etag) = &since.etag {
                call = call.header(header::IF_NONE_MATCH, etag);
            }
            if let Some(date) = &since.last_modified {
                call = call.header(header::IF_MODIFIED_SINCE, date);
            }
        }
        call.call().map_err(|error| self.told(agent, url, error))
    }

    /// What went wrong with a request to `url`: with a proxy on the way, it may be the proxy's doing.
    pub(crate) fn told(&self, agent: &ureq::Agent, url: &Url, error: ureq::Error) -> Failure {
        let proxy = agent.config().proxy().filter(|proxy| !proxy.is_no_proxy(url.uri()));
        match (proxy, error) {
            (Some(proxy), ureq::Error::ConnectProxyFailed(reason)) => Failure::proxy_said(proxy, &reason),
            (Some(proxy), error) => Failure::from(error).through(proxy),
            (None, error) => error.into(),
        }
    }

    fn answer(
        &self,
        request: &Request,
        status: u16,
        mut response: ureq::http::Response<ureq::Body>,
    ) -> Result<Answer, Failure> {
        if request.peer == Peer::Registry {
            refuse_encoded(response.headers())?;
        }
        if !matches!(status, 200 | 206) {
            drain(&mut response);
        }
        match status {
            404 | 410 => Ok(Answer::Absent),
            304 if request.since.is_some() => Ok(Answer::Unchanged),
            200 => Ok(Answer::Found(self.body(response, 0, None))),
            206 if request.offset > 0 => {
                let total = started_at(response.headers(), request.offset)?;
                Ok(Answer::Found(self.body(response, request.offset, total)))
            }
            416 if request.offset > 0 => {
                let total = text(response.headers(), header::CONTENT_RANGE)
                    .and_then(|range| range.strip_prefix("bytes */")?.parse().ok());
                Ok(Answer::Found(self.nothing_left(request.offset, total)))
            }
            _ => {
                let retry_after = text(response.headers(), header::RETRY_AFTER).and_then(|s| s.parse().ok());
                Err(Failure::Status { status, retry_after })
            }
        }
    }

    fn body(&self, response: ureq::http::Response<ureq::Body>, start: u64, total: Option<u64>) -> Body {
        let (parts, body) = response.into_parts();
        let total = total.or_else(|| body.content_length().and_then(|length| length.checked_add(start)));
        Body {
            reader: Box::new(body.into_reader()),
            start,
            total,
            freshness: Freshness {
                etag: text(&parts.headers, header::ETAG).map(str::to_owned),
                last_modified: text(&parts.headers, header::LAST_MODIFIED).map(str::to_owned),
            },
        }
    }

    fn nothing_left(&self, start: u64, total: Option<u64>) -> Body {
        Body { reader: Box::new(io::empty()), start, total, freshness: Freshness::default() }
    }

    pub(crate) fn agent(&self, url: &Url) -> Result<&ureq::Agent, Failure> {
        // A proxy would connect to it without asking anybody here.
        if let Some(address) = number(url.uri())
            && !self.options().egress.allows(address)
        {
            return Err(Failure::Unusable(Forbidden(address).to_string()));
        }
        let tls = url.origin().is_https();
        let place = if tls { &self.inner.tls } else { &self.inner.plain };
        place.get_or_init(|| agent(self.options(), tls)).as_ref().map_err(Clone::clone)
    }
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new(HttpOptions::default())
    }
}

impl Body {
    /// The next bytes; 0 at the end.
    pub(crate) fn next(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        loop {
            match self.reader.read(buffer).map_err(|error| (error.kind(), Failure::from_io(error))) {
                Ok(read) => return Ok(read),
                Err((io::ErrorKind::Interrupted, _)) => {}
                Err((_, Failure::Timeout)) => return Err(Failure::Stalled),
                Err((_, failure)) => return Err(failure),
            }
        }
    }

    fn collect(mut self, limit: u64, pace: &mut Pace) -> Result<Vec<u8>, Failure> {
        let too_large = Failure::TooLarge { limit };
        if self.total.is_some_and(|total| total > limit) {
            return Err(too_large);
        }
        let mut bytes = Vec::with_capacity(self.total.map_or(0, |total| total.min(1 << 20) as usize));
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let read = pace.timed(|| self.next(&mut buffer))?;
            if read == 0 {
                return Ok(bytes);
            }
            if bytes.len() as u64 + read as u64 > limit {
                return Err(too_large);
            }
            bytes.extend_from_slice(&buffer[..read]);
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("start", &self.start).field("total", &self.total).finish_non_exhaustive()
    }
}

/// Reads the few bytes of an answer whose status said everything, so that its connection can be kept.
fn drain(response: &mut ureq::http::Response<ureq::Body>) {
    let body = response.body_mut();
    if body.content_length().is_some_and(|length| length <= 16 * 1024) {
        // If this fails, the connection is closed, and the next request opens another.
        drop(io::copy(&mut body.as_reader(), &mut io::sink()));
    }
}

/// Where the redirect in `headers` leads, if it may.
fn next(from: &Url, headers: &HeaderMap, peer: Peer) -> Result<Url, Failure> {
    let location = text(headers, header::LOCATION)
        .ok_or_else(|| Failure::Unusable("it redirects without saying where to".to_owned()))?;
    let to = from
        .redirected(location)
        .map_err(|error| Failure::Unusable(format!("it redirects to what cannot be followed: {error}")))?;
    if from.origin() == to.origin() {
        return Ok(to);
    }
    if peer == Peer::Registry {
        let origin = to.origin();
        return Err(Failure::Unusable(format!(
            "it redirects to another server, which is not followed: {origin}"
        )));
    }
    if from.origin().is_https() && !to.origin().is_https() {
        return Err(Failure::Unusable(format!(
            "it redirects from `https` to unencrypted `http`: {}",
            to.origin()
        )));
    }
    Ok(to)
}

/// Refuses a body that came compressed although plain bytes were asked for: to expand it would be to
/// expand a stranger's bomb.
fn refuse_encoded(headers: &HeaderMap) -> Result<(), Failure> {
    match text(headers, header::CONTENT_ENCODING) {
        None => Ok(()),
        Some(encoding) if encoding.eq_ignore_ascii_case("identity") => Ok(()),
        Some(encoding) => Err(Failure::Unusable(format!(
            "it was sent with content encoding `{}`, although plain bytes were asked for",
            encoding.chars().take(40).collect::<String>()
        ))),
    }
}

/// Checks that a 206 starts where it was asked to; returns the size of the whole file, if it is said.
fn started_at(headers: &HeaderMap, offset: u64) -> Result<Option<u64>, Failure> {
    let parsed = text(headers, header::CONTENT_RANGE).and_then(|range| {
        let (range, total) = range.strip_prefix("bytes ")?.split_once('/')?;
        let start: u64 = range.split_once('-')?.0.parse().ok()?;
        Some((start, total.parse().ok()))
    });
    match parsed {
        Some((start, total)) if start == offset => Ok(total),
        _ => Err(Failure::Unusable("it answered with another range than the one asked for".to_owned())),
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Sets up what makes requests; TLS only for who needs it, since a file it is set up from may be missing.
fn agent(options: &HttpOptions, tls: bool) -> Result<ureq::Agent, Failure> {
    let proxy = match &options.proxy {
        ProxyChoice::Direct => None,
        ProxyChoice::Environment => ureq::Proxy::try_from_env(),
        ProxyChoice::Url(url) => Some(
            ureq::Proxy::new(url)
                .map_err(|error| Failure::Unusable(format!("the proxy `{url}` cannot be used: {error}")))?,
        ),
    };
    let tls = match tls {
        true => TlsConfig::builder().root_certs(roots(&options.authorities)?).build(),
        false => TlsConfig::default(),
    };
    let config = ureq::Agent::config_builder()
        .proxy(proxy)
        .tls_config(tls)
        .user_agent(concat!("weir/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(options.connections.saturating_mul(4))
        .max_idle_connections_per_host(options.connections)
        // ureq allocates both for each connection; requests are small.
        .input_buffer_size(64 * 1024)
        .output_buffer_size(8 * 1024)
        .max_response_header_size(32 * 1024)
        .timeout_resolve(Some(options.connect_timeout))
        .timeout_connect(Some(options.connect_timeout))
        .timeout_send_request(Some(options.response_timeout))
        .timeout_recv_response(Some(options.response_timeout))
        .timeout_per_read(Some(options.stall_timeout))
        .build();
    Ok(ureq::Agent::with_parts(config, DefaultConnector::new(), CachingResolver::new(options.egress.clone())))
}
