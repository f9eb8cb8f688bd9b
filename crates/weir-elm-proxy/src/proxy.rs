//! A proxy: begun, told to the compiler, and ended.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio_rustls::TlsAcceptor;

use crate::connection::{Shared, serve};
use crate::{Site, authority};

/// So many connections at once: the compiler opens one for each package.
const CONNECTIONS: usize = 128;

/// The most places that were asked for in vain and are remembered.
const MOST_REFUSED: usize = 16;

/// Why there is no proxy.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The system gives no port, no thread or no random number.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// No certificate can be made.
    #[error(transparent)]
    Certificate(#[from] rcgen::Error),
    /// It cannot be used for TLS.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

/// A proxy that runs. It ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    secret: String,
    authority: String,
    refused: Refused,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Where somebody wanted to go and was not let.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refused(Arc<Mutex<BTreeSet<String>>>);

impl Refused {
    pub(crate) fn note(&self, place: &str) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() < MOST_REFUSED {
            refused.insert(place.chars().take(100).flat_map(char::escape_debug).collect());
        }
    }
}

impl Proxy {
    /// Begins one on a free port of loopback, which answers out of `site`.
    ///
    /// # Errors
    ///
    /// When the system does not let it.
    pub fn begin(site: Arc<dyn Site>) -> Result<Self, ProxyError> {
        let (tls, pem) = authority::vouched()?;
        let mut random = [0; 24];
        getrandom::fill(&mut random).map_err(|error| std::io::Error::other(error.to_string()))?;
        let secret = URL_SAFE_NO_PAD.encode(random);
        let refused = Refused::default();
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            site,
            tls: TlsAcceptor::from(tls),
            credential: credential(&secret),
            refused: refused.clone(),
        });
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(async { TcpListener::from_std(listener) })?;
        let thread = std::thread::Builder::new().name("elm proxy".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! { () = take(&listener, &shared) => {}, _ = stopped => {} }
            });
            // What is still asked for is of no use to anybody.
            runtime.shutdown_background();
        })?;
        Ok(Self { address, secret, authority: pem, refused, stop: Some(stop), thread: Some(thread) })
    }

    /// Its address, with the secret: the value of `https_proxy`.
    pub fn address(&self) -> String {
        format!("http://weir:{}@{}", self.secret, self.address)
    }

    /// The certificate of the authority that vouches for it, in PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The places that the compiler wanted to reach and was not let.
    pub fn refused(&self) -> Vec<String> {
        self.refused.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the compiler says of itself to a proxy whose address has a name and a secret in it.
fn credential(secret: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("weir:{secret}")))
}

async fn take(listener: &TcpListener, shared: &Arc<Shared>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else { continue };
        let shared = shared.clone();
        tokio::spawn(async move {
            let _place = place;
            serve(stream, &shared).await;
        });
    }
}
