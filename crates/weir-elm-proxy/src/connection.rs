//! A connection: where to is asked first, then the rest is TLS with the site itself.

use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::answer::answer;
use crate::proxy::Refused;
use crate::{HOSTS, Site};

/// The longest head with which a connection begins, in bytes.
const MAX_HEAD: usize = 8 << 10;

/// In this time it has come, and TLS has begun.
const PATIENCE: Duration = Duration::from_secs(30);

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) site: Arc<dyn Site>,
    pub(crate) tls: TlsAcceptor,
    /// What whoever asks must say.
    pub(crate) credential: String,
    pub(crate) refused: Refused,
}

/// What the beginning of a connection asks for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    /// One of the hosts that are played here.
    Host(&'static str),
    /// Another place.
    Elsewhere(String),
    /// It does not know the secret.
    Stranger,
}

/// Serves a connection to its end. That it breaks is the other end's matter.
pub(crate) async fn serve(mut stream: TcpStream, shared: &Shared) {
    let Ok(Some(head)) = tokio::time::timeout(PATIENCE, head(&mut stream)).await else { return };
    match wanted(&head, &shared.credential) {
        Wanted::Host(host) => {
            if stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.is_ok() {
                converse(stream, host, shared).await;
            }
        }
        Wanted::Elsewhere(place) => {
            let text = format!(
                "weir answers Elm's compiler out of the registries of the project, and lets it reach nothing else: {place}\n"
            );
            shared.refused.note(&place);
            refuse(&mut stream, "403 Forbidden", "", &text).await;
        }
        Wanted::Stranger => {
            let header = "Proxy-Authenticate: Basic realm=\"weir\"\r\n";
            let text = "this proxy is for one run of Elm's compiler\n";
            refuse(&mut stream, "407 Proxy Authentication Required", header, text).await;
        }
    }
}

async fn refuse(stream: &mut TcpStream, status: &str, header: &str, text: &str) {
    let length = text.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\n{header}Content-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
    );
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// The head of a request, without what follows it; nothing where it does not end.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    // Byte by byte: what follows is TLS, and not to be read here.
    while head.len() < MAX_HEAD {
        head.push(stream.read_u8().await.ok()?);
        if head.ends_with(b"\r\n\r\n") {
            return String::from_utf8(head).ok();
        }
    }
    None
}

fn wanted(head: &str, credential: &str) -> Wanted {
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, place) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_known = lines.any(|line| {
        let (name, value) = line.split_once(':').unwrap_or_default();
        name.eq_ignore_ascii_case("proxy-authorization") && value.trim() == credential
    });
    if !is_known {
        return Wanted::Stranger;
    }
    let host = place.strip_suffix(":443").filter(|_| method == "CONNECT");
    match HOSTS.into_iter().find(|known| host == Some(known)) {
        Some(host) => Wanted::Host(host),
        None => Wanted::Elsewhere(place.to_owned()),
    }
}

async fn converse(stream: TcpStream, host: &'static str, shared: &Shared) {
    let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, shared.tls.accept(stream)).await else { return };
    let site = shared.site.clone();
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let site = site.clone();
        async move {
            Ok::<_, std::convert::Infallible>(answer(site, host, request.map(axum::body::Body::new)).await)
        }
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

#[cfg(test)]
mod tests {
    use super::{Wanted, wanted};

    #[test]
    fn only_who_knows_the_secret_gets_anywhere_and_only_to_three_hosts() {
        let ask = |line: &str, credential: &str| {
            wanted(
                &format!("{line} HTTP/1.1\r\nHost: x\r\nproxy-authorization: {credential}\r\n\r\n"),
                "Basic a",
            )
        };
        let elsewhere = |place: &str| Wanted::Elsewhere(place.to_owned());
        assert_eq!(ask("CONNECT package.elm-lang.org:443", "Basic a"), Wanted::Host("package.elm-lang.org"));
        assert_eq!(ask("CONNECT package.elm-lang.org:443", "Basic b"), Wanted::Stranger);
        assert_eq!(ask("CONNECT example.com:443", "Basic a"), elsewhere("example.com:443"));
        assert_eq!(ask("CONNECT github.com:22", "Basic a"), elsewhere("github.com:22"));
        assert_eq!(ask("GET http://github.com/", "Basic a"), elsewhere("http://github.com/"));
        assert_eq!(wanted("", "Basic a"), Wanted::Stranger);
    }
}
