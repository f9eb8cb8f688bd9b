//! What Elm's own compiler and the tools around it ask a registry: `/{registry}/elm/{compiler}/…`.
//!
//! What is asked and how it is answered is the business of `weir-elm-protocol`; here is who may ask, what is kept in memory, and HTTP.
//! The compiler asks for lists with POST, other tools with GET, and some look with HEAD first.

mod credentials;
mod lists;
mod publish;
mod releases;
mod tickets;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequestParts as _, Path, Request, State};
use axum::http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG,
    HeaderValue, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::middleware::map_request;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use bytes::Bytes;
use jiff::Timestamp;
use weir_elm_protocol::{Asked, CAPABILITIES, LARGEST_ARCHIVE, ProtocolError, ReleaseFile};
use weir_model::Version;
use weir_policy::{Caller, Principal};
use weir_registry::SubmitError;

use crate::app::App;
use crate::asker::Asker;
use crate::conditions::{Answer, answer};
use crate::faces::value;
use crate::problem::{Code, Problem};

pub(crate) use lists::Lists;
pub(crate) use releases::Files;
pub(crate) use tickets::Tickets;

/// The largest package that is published here, in bytes of all that comes with it.
const MAX_PUBLICATION: usize = LARGEST_ARCHIVE;

/// Every route of the protocol.
pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/{registry}/elm/{compiler}/register", post(publish::publish))
        .route("/{registry}/elm/{compiler}/upload-package", post(publish::publish))
        .layer(DefaultBodyLimit::max(MAX_PUBLICATION))
        .route("/{registry}/elm/{compiler}/{*path}", any(ask))
        .layer(map_request(credentials::plain))
}

/// An answer that is kept in memory.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    media_type: &'static str,
    bytes: Bytes,
    /// The same in gzip, where that is worth it.
    gzip: Option<Bytes>,
    tag: Arc<str>,
    /// Whether it is the same for ever.
    is_fixed: bool,
}

async fn ask(
    State(app): State<Arc<App>>,
    Path((registry, compiler, path)): Path<(String, String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let (mut head, _) = request.into_parts();
    if let Some(credential) = shown_by_ticket(&app, &head) {
        head.headers.insert(AUTHORIZATION, credential);
    }
    let asker = Asker::from_request_parts(&mut head, &app).await?;
    let served = app.served(&asker, &registry).await?;
    let everybody = served.may_read(&Caller::new(Principal::Anonymous, asker.at));
    let nothing = || Problem::new(Code::NotFound, "Elm's tools ask for nothing of this name");
    let compiler: Version = compiler.parse().map_err(|_| nothing())?;
    let asked = Asked::parse(&path).ok_or_else(nothing)?;
    if ![Method::GET, Method::HEAD, Method::POST].contains(&head.method) {
        return Err(Problem::new(Code::MethodNotAllowed, "Elm's tools ask with GET, HEAD or POST"));
    }
    let mut archived = None;
    let document = match asked {
        Asked::Capabilities => Document::json(CAPABILITIES.to_owned()),
        Asked::File(name, version, file) => {
            let asked = releases::AskedFile { name, version, file };
            let base =
                releases::Base { origin: origin(&app, &head), path: format!("/{registry}/elm/{compiler}") };
            let ticket = |path: &str| match head.headers.get(AUTHORIZATION).filter(|_| !everybody) {
                Some(credential) => app.elm_tickets.give(path, credential, asker.at),
                None => Ok(String::new()),
            };
            let (document, tree) = releases::find(&app, &asker, &served, asked, &base, ticket).await?;
            archived = (file == ReleaseFile::Archive).then_some(tree);
            document
        }
        asked => lists::find(&app, &asker, &served, &compiler, asked).await?,
    };
    let response = respond(&head, &document, everybody);
    // Who only looks, or has it already, downloads nothing.
    if let Some(tree) =
        archived.filter(|_| head.method != Method::HEAD && response.status() == StatusCode::OK)
    {
        app.counting.count(&served.name, tree, &asker);
    }
    Ok(response)
}

/// What stands in the address for a credential, where none is sent.
fn shown_by_ticket(app: &App, head: &Parts) -> Option<HeaderValue> {
    let query = head.uri.query().filter(|_| !head.headers.contains_key(AUTHORIZATION))?;
    app.elm_tickets.credential(head.uri.path(), query, Timestamp::now())
}

/// Scheme and host as whoever asks knows the server: the compiler wants a whole address of an archive.
fn origin(app: &App, head: &Parts) -> String {
    crate::web::origin(app, crate::web::is_encrypted(app, head), head)
}

impl Document {
    /// A list in JSON, which may change at any time.
    fn json(text: String) -> Self {
        Self::new("application/json", text.into(), false)
    }

    fn new(media_type: &'static str, bytes: Bytes, is_fixed: bool) -> Self {
        let digest = weir_model::Sha256::of(&bytes).to_hex();
        Self { media_type, bytes, gzip: None, tag: format!("\"{}\"", &digest[..32]).into(), is_fixed }
    }

    /// Bytes of memory that it takes.
    fn weight(&self) -> usize {
        self.bytes.len() + self.gzip.as_ref().map_or(0, Bytes::len) + 256
    }
}

fn respond(head: &Parts, document: &Document, is_public: bool) -> Response {
    let accepts = head.headers.get(ACCEPT_ENCODING).and_then(|accepts| accepts.to_str().ok());
    let accepts_gzip = accepts.is_some_and(|accepts| accepts.split(',').any(|one| one.trim() == "gzip"));
    let zipped = document.gzip.as_ref().filter(|_| accepts_gzip);
    let tag = match zipped {
        Some(_) => format!("{}-gzip\"", document.tag.trim_end_matches('"')),
        None => document.tag.to_string(),
    };
    let bytes = zipped.unwrap_or(&document.bytes);
    let is_known = answer(&head.headers, bytes.len() as u64, &tag) == Answer::NotModified;
    let has_body = !is_known && head.method != Method::HEAD;
    let mut response = Response::new(if has_body { Body::from(bytes.clone()) } else { Body::empty() });
    let headers = response.headers_mut();
    headers.insert(ETAG, value(&tag));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    let keeping = match (document.is_fixed, is_public) {
        (true, true) => "public, max-age=86400",
        (true, false) => "private, max-age=86400",
        (false, true) => "no-cache",
        (false, false) => "private, no-cache",
    };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keeping));
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(document.media_type));
    headers.insert(CONTENT_LENGTH, bytes.len().into());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if zipped.is_some() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// A failure below, as a registry tells failures.
fn failed(error: ProtocolError) -> SubmitError {
    match error {
        ProtocolError::Index(error) => error.into(),
        other => SubmitError::Io(std::io::Error::other(other)),
    }
}

/// What somebody is told who publishes with a tool of Elm's: these show the text of an answer as it is.
struct Refusal(Problem);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let text = format!("{}\n", self.0.detail());
        let told = self.0.into_response();
        let mut response = (told.status(), text).into_response();
        response.headers_mut().extend(
            told.headers()
                .iter()
                .filter(|(name, _)| *name != CONTENT_TYPE && *name != CONTENT_LENGTH)
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        // What this is about has been said: nobody says something else in its place.
        *response.extensions_mut() = told.extensions().clone();
        response
    }
}
