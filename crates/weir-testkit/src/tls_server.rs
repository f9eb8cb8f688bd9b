//! A folder over `https` on 127.0.0.1, and an authority of its own that says who the server is.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How long the server waits for a client that says nothing: long, for machines are loaded.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who vouches for servers.
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// Who a server says it is, and the key with which it proves that.
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
    pem: (String, String),
}

impl Identity {
    /// Its certificate and its key, as files hold them.
    pub fn to_pem(&self) -> (String, String) {
        self.pem.clone()
    }
}

impl Authority {
    /// A new one of this name, whom nobody knows.
    ///
    /// # Panics
    ///
    /// When no key can be made.
    pub fn new(name: &str) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("keys can be made");
        let pem = parameters.self_signed(&key).expect("the parameters are right").pem();
        Self { pem, issuer: Issuer::new(parameters, key) }
    }

    /// Its certificate, as people put it into files.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Vouches for a server that has this name or number.
    ///
    /// # Panics
    ///
    /// When `name` is no name.
    pub fn vouch_for(&self, name: &str) -> Identity {
        self.identity(name, |_| {})
    }

    /// The same with a certificate that expired long ago.
    ///
    /// # Panics
    ///
    /// When `name` is no name.
    pub fn vouched_once_for(&self, name: &str) -> Identity {
        self.identity(name, |parameters| {
            parameters.not_before = date_time_ymd(2000, 1, 1);
            parameters.not_after = date_time_ymd(2001, 1, 1);
        })
    }

    fn identity(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let mut parameters = CertificateParams::new([name.to_owned()]).expect("it is a name");
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        change(&mut parameters);
        let key = KeyPair::generate().expect("keys can be made");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("the parameters are right");
        let pem = (certificate.pem(), key.serialize_pem());
        Identity { certificate: certificate.der().clone(), key: key.serialize_der().into(), pem }
    }
}

/// A running server: `GET` and `HEAD`, one request a connection. Ends when dropped.
#[derive(Debug)]
pub struct TlsServer {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl TlsServer {
    /// Serves `folder` on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    ///
    /// # Panics
    ///
    /// When the identity cannot be used.
    pub fn serve(folder: impl Into<PathBuf>, identity: Identity) -> io::Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_no_client_auth()
            .with_single_cert(vec![identity.certificate], identity.key.into())
            .expect("the key is the certificate's");
        let (config, folder) = (Arc::new(config), folder.into());
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let accepting = thread::spawn({
            let stop = Arc::clone(&stop);
            move || accept(&listener, &stop, &config, &folder)
        });
        Ok(Self { address, stop, accepting: Some(accepting) })
    }

    /// `https://127.0.0.1:<port>`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
    }
}

fn accept(listener: &TcpListener, stop: &AtomicBool, config: &Arc<ServerConfig>, folder: &Path) {
    for stream in listener.incoming() {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let (config, folder) = (Arc::clone(config), folder.to_owned());
        // A client that does not believe the server hangs up; that is no business of the server's.
        thread::spawn(move || drop(answer(stream, config, &folder)));
    }
}

fn answer(stream: TcpStream, config: Arc<ServerConfig>, folder: &Path) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut header = String::new();
    while stream.read_line(&mut header)? > 2 {
        header.clear();
    }
    let path = folder.join(path.trim_start_matches('/'));
    let (status, body) = match fs_err::File::open(&path) {
        Ok(mut file) if path.is_file() => {
            let mut body = Vec::new();
            file.read_to_end(&mut body)?;
            ("200 OK", body)
        }
        _ => ("404 Not Found", Vec::new()),
    };
    let mut out = stream.into_inner();
    write!(out, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    if method != "HEAD" {
        out.write_all(&body)?;
    }
    out.conn.send_close_notify();
    out.flush()
}
