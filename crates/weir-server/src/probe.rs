//! Asks a server on this machine whether it is ready: for those who watch programs and have nothing else to ask with, such as a container.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use weir_wire::api::ProblemDocument;

use crate::serve::{reached_at, url_of};

/// For so long an answer is waited for, at each step.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest answer that is read, in bytes.
const LONGEST: u64 = 64 << 10;

/// A server that is not ready, or not there.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// Which port it has is known only to itself.
    #[error(
        "the settings leave it to the system at which port the server listens: nobody knows where to ask"
    )]
    NoPort,
    /// It does not answer.
    #[error("no server answers at {url}: {error}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why not.
        #[source]
        error: io::Error,
    },
    /// It answers that it is not ready.
    #[error("the server at {url} is not ready: {reason}")]
    Says {
        /// Where.
        url: String,
        /// What it says.
        reason: String,
    },
}

/// Asks whoever listens at `listen` whether it is ready, as `/readyz` says. Gives where that was.
///
/// # Errors
///
/// When it is not.
pub fn ask_whether_ready(listen: SocketAddr, tls: bool) -> Result<String, NotReady> {
    if listen.port() == 0 {
        return Err(NotReady::NoPort);
    }
    let url = url_of(listen, tls);
    let (status, text) =
        ask(reached_at(listen), tls).map_err(|error| NotReady::Unreachable { url: url.clone(), error })?;
    if status == 200 {
        return Ok(url);
    }
    let reason = match serde_json::from_str::<ProblemDocument>(&text) {
        Ok(problem) => problem.detail,
        Err(_) => format!("it answers with status {status}"),
    };
    Err(NotReady::Says { url, reason })
}

fn ask(address: SocketAddr, tls: bool) -> io::Result<(u16, String)> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    match tls {
        false => converse(stream),
        true => {
            let name = ServerName::from(address.ip());
            let connection = ClientConnection::new(Arc::new(believing()?), name).map_err(io::Error::other)?;
            converse(StreamOwned::new(connection, stream))
        }
    }
}

/// Sends the request, and reads the answer to its end.
fn converse(mut stream: impl Read + Write) -> io::Result<(u16, String)> {
    // Who speaks the older HTTP is answered in one piece, and the connection is closed.
    stream.write_all(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    stream.flush()?;
    let mut answer = Vec::new();
    match stream.take(LONGEST).read_to_end(&mut answer) {
        // Whoever ends TLS without saying so has answered all the same.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
        read => drop(read?),
    }
    let strange = || io::Error::new(io::ErrorKind::InvalidData, "what it answers is no HTTP");
    let text = String::from_utf8(answer).map_err(|_| strange())?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(strange)?;
    let status = head.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
    Ok((status.ok_or_else(strange)?, body.to_owned()))
}

/// How it is spoken to where it has a certificate. That is for the name by which others know it, and this asks by the address of this
/// machine; it sends nothing that could be overheard, and learns nothing but whether the server is ready: so any certificate will do.
fn believing() -> io::Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
    let any = Arc::new(AnyCertificate(provider));
    Ok(builder.dangerous().with_custom_certificate_verifier(any).with_no_client_auth())
}

#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
