//! Connections: taken, limited, and brought to an end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;

use crate::app::{App, called};
use crate::counting::Counting;
use crate::observe::Peer;
use crate::ready::Ready;
use crate::settings::{Limits, Tls};
use crate::telling::Telling;

/// Requests that one connection of HTTP/2 may have under way. Each may hold a file open and a block of it in memory, for a reader who
/// does not read.
const STREAMS: u32 = 16;

/// The largest head of a request, in bytes.
const MAX_HEAD: u32 = 64 << 10;

/// How a client asks for HTTP/2 (RFC 7301).
const HTTP_2: &[u8] = b"h2";

/// After this pause it is tried again to take connections, where the system has no room for more.
const BREATH: Duration = Duration::from_millis(100);

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listening {
    /// The address, with the port that was taken.
    pub address: SocketAddr,
    /// The address of the metrics, if they have one of their own.
    pub metrics: Option<SocketAddr>,
    /// Whether it speaks TLS.
    pub tls: bool,
}

impl Listening {
    /// The address at which it is reached from this machine.
    pub fn url(&self) -> String {
        url_of(self.address, self.tls)
    }

    /// The same of the metrics.
    pub fn metrics_url(&self) -> String {
        let url = self.metrics.map_or_else(|| self.url(), |address| url_of(address, false));
        format!("{url}/metrics")
    }
}

/// The address at which something that listens at `address` is reached from this machine. Whoever listens at every address of it is
/// at none that could be asked for.
pub fn url_of(address: SocketAddr, tls: bool) -> String {
    format!("{}://{}", if tls { "https" } else { "http" }, reached_at(address))
}

/// Where on this machine whoever listens at `address` is reached.
pub(crate) fn reached_at(address: SocketAddr) -> SocketAddr {
    let host = match address.ip() {
        IpAddr::V4(every) if every.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(every) if every.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        one => one,
    };
    SocketAddr::new(host, address.port())
}

/// Why a server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("`{address}` cannot be listened on: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("`{}` cannot be used for TLS: {reason}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

/// Serves `app` until `stop` is done, and then until what is under way is answered, or has had its time. `listening` is called
/// once connections are taken. Whenever `reread` is told, the certificate is read again. Relative paths of the settings are below `data`.
///
/// # Errors
///
/// When it cannot begin.
pub async fn serve(
    app: &Arc<App>,
    data: &Path,
    listening: impl FnOnce(Listening),
    stop: impl Future<Output = ()>,
    reread: &Notify,
) -> Result<(), ServeError> {
    let settings = &app.settings;
    let tls = settings.tls.as_ref().map(|tls| Encryption::read(data, tls)).transpose()?;
    let (main, address) = listen(settings.listen).await?;
    let metrics = match settings.metrics_listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    if tls.is_none() && settings.trusted_proxies.is_empty() && !address.ip().is_loopback() {
        tracing::warn!(
            %address,
            "passwords and tokens travel unencrypted: set `tls`, or name the proxy that does it in `trusted-proxies`"
        );
    }
    let listens =
        Listening { address, metrics: metrics.as_ref().map(|(_, address)| *address), tls: tls.is_some() };
    app.listens_at(listens.url());
    app.tell_what_it_lacks().await;
    listening(listens);
    let connections = Connections { app: app.clone(), under_way: GracefulShutdown::new() };
    let main_answers = Answers::Main(app.clone(), app.router());
    let metrics_answers = Answers::Metrics(app.metrics_router());
    tokio::select! {
        () = connections.take(&main, tls.as_ref(), &main_answers) => {}
        () = async {
            match &metrics {
                Some((listener, _)) => connections.take(listener, None, &metrics_answers).await,
                None => std::future::pending().await,
            }
        } => {}
        () = read_again(tls.as_ref(), reread) => {}
        () = Counting::run(app) => {}
        () = Ready::run(app) => {}
        () = Telling::run(app) => {}
        () = stop => {}
    }
    drop((main, metrics));
    app.telling.end();
    Ready::end(app).await;
    let _ = tokio::time::timeout(settings.limits.shutdown(), connections.under_way.shutdown()).await;
    Counting::write(app).await;
    Ok(())
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let failed = |error| ServeError::Listen { address, error };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// How connections are encrypted: certificates end, and others come in their place while the server runs.
struct Encryption {
    data: PathBuf,
    files: Tls,
    now: RwLock<TlsAcceptor>,
}

impl Encryption {
    fn read(data: &Path, files: &Tls) -> Result<Self, ServeError> {
        let now = RwLock::new(acceptor(data, files)?);
        Ok(Self { data: data.to_owned(), files: files.clone(), now })
    }

    /// As it is now: connections that are open stay as they are.
    fn now(&self) -> TlsAcceptor {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the certificate and the key that are in the files now, if they can be used.
    fn read_again(&self) {
        match acceptor(&self.data, &self.files) {
            Ok(new) => {
                *self.now.write().unwrap_or_else(PoisonError::into_inner) = new;
                tracing::info!("the certificate and its key were read again");
            }
            Err(error) => tracing::error!(%error, "the certificate stays the one from before"),
        }
    }
}

/// Reads the certificate again whenever it is told to, for ever.
async fn read_again(tls: Option<&Encryption>, reread: &Notify) {
    loop {
        reread.notified().await;
        match tls {
            // Two small files: nobody waits for them that could notice.
            Some(tls) => tls.read_again(),
            None => tracing::info!("nothing is read again: there is no certificate"),
        }
    }
}

/// What a certificate and its key make of a connection.
pub(crate) fn acceptor(data: &Path, tls: &Tls) -> Result<TlsAcceptor, ServeError> {
    let unusable = |path: &Path, reason: String| ServeError::Tls { path: path.to_owned(), reason };
    let (certificate, key) = (data.join(&tls.certificate), data.join(&tls.key));
    let chain = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(&certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(unusable(&certificate, "there is no certificate in it, in PEM".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(&key).map_err(|error| {
        let reason = match error {
            rustls::pki_types::pem::Error::NoItemsFound => "there is no private key in it, in PEM".to_owned(),
            error => error.to_string(),
        };
        unusable(&key, reason)
    })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|error| unusable(&certificate, error.to_string()))?;
    config.alpn_protocols = vec![HTTP_2.to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What answers on an address.
#[derive(Clone)]
enum Answers {
    /// On the main one.
    Main(Arc<App>, Router),
    /// On that of the metrics.
    Metrics(Router),
}

impl Answers {
    async fn answer(self, request: Request) -> Response {
        match self {
            Self::Main(app, mut router) => app.answer(&mut router, request).await,
            Self::Metrics(mut router) => called(&mut router, request).await,
        }
    }
}

/// The connections of a server.
struct Connections {
    app: Arc<App>,
    under_way: GracefulShutdown,
}

impl Connections {
    /// Takes connections for ever. Each listener has places of its own: who watches the server sees it when it is full.
    async fn take(&self, listener: &TcpListener, tls: Option<&Encryption>, answers: &Answers) {
        let slots = Arc::new(Semaphore::new(self.app.settings.limits.connections as usize));
        loop {
            let Ok(slot) = slots.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, peer)) => self.begin(stream, peer, slot, tls, answers),
                // One that broke before it was taken, or no room for more: the others go on.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
    }

    fn begin(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        slot: OwnedSemaphorePermit,
        tls: Option<&Encryption>,
        answers: &Answers,
    ) {
        // Answers are written whole: waiting for more to send would only make them late.
        let _ = stream.set_nodelay(true);
        let limits = self.app.settings.limits;
        let mut stream = TimeoutStream::new(stream);
        stream.set_read_timeout(Some(limits.idle()));
        stream.set_write_timeout(Some(limits.idle()));
        let stream = Box::pin(stream);
        let (app, answers) = (self.app.clone(), answers.clone());
        let watcher = self.under_way.watcher();
        let tls = tls.map(Encryption::now);
        tokio::spawn(async move {
            let _slot = slot;
            app.metrics.connections.inc();
            let builder = builder(&limits);
            match tls {
                None => converse(builder.http1_only(), stream, peer, answers, watcher).await,
                Some(tls) => {
                    if let Ok(Ok(stream)) = tokio::time::timeout(limits.header(), tls.accept(stream)).await {
                        let builder = match stream.get_ref().1.alpn_protocol() {
                            Some(HTTP_2) => builder.http2_only(),
                            _ => builder.http1_only(),
                        };
                        converse(builder, stream, peer, answers, watcher).await;
                    }
                }
            }
            app.metrics.connections.dec();
        });
    }
}

/// How HTTP is spoken. Which version it is must be known before: to find that out, a connection would be waited for without end.
fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header())
        .max_buf_size(MAX_HEAD as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(MAX_HEAD)
        .keep_alive_interval(limits.idle() / 2)
        .keep_alive_timeout(limits.idle() / 2);
    builder
}

/// Answers what comes over one connection. That it breaks, stalls or is no HTTP is the other end's matter.
async fn converse<S>(
    builder: Builder<TokioExecutor>,
    stream: S,
    peer: SocketAddr,
    answers: Answers,
    watcher: hyper_util::server::graceful::Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        let answers = answers.clone();
        async move { Ok::<_, Infallible>(answers.answer(request.map(Body::new)).await) }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection.into_owned()).await {
        tracing::debug!(error, %peer, "a connection broke");
    }
}

#[cfg(test)]
mod tests {
    use super::url_of;

    #[test]
    fn who_listens_everywhere_is_reached_here() {
        for (listens, tls, url) in [
            ("0.0.0.0:7878", false, "http://127.0.0.1:7878"),
            ("[::]:443", true, "https://[::1]:443"),
            ("192.0.2.1:80", false, "http://192.0.2.1:80"),
        ] {
            assert_eq!(url_of(listens.parse().unwrap(), tls), url);
        }
    }
}
