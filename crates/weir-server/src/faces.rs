//! The static faces of registries, straight from their folders.

use std::io::{Seek as _, SeekFrom};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderValue,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;
use weir_model::TreeDigest;
use weir_policy::{Caller, Principal};
use weir_registry::{Face, Object};

use crate::api;
use crate::app::App;
use crate::asker::Asker;
use crate::conditions::{Answer, answer};
use crate::files::{Content, Opened, Version, blocking};
use crate::problem::{Code, Problem};

/// Bytes that are read from the disk at once.
const BLOCK: usize = 256 << 10;

/// Answers a request for a file of a registry: `/{registry}/{path}`.
pub(crate) async fn face(State(app): State<Arc<App>>, request: Request) -> Response {
    let (mut head, _) = request.into_parts();
    match of_registry(&app, &mut head).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

/// Whether a request is for a file that a registry could have. No other address is spelled like one of theirs.
pub(crate) fn is_face(request: &Request) -> bool {
    let below = request.uri().path().splitn(3, '/').nth(2);
    below.and_then(Face::parse).is_some()
}

async fn of_registry(app: &Arc<App>, head: &mut Parts) -> Result<Response, Problem> {
    let asker = Asker::from_request_parts(head, app).await?;
    let path = head.uri.path();
    let (name, path) = path.strip_prefix('/').and_then(|path| path.split_once('/')).unwrap_or((path, ""));
    let registry = app.served(&asker, name).await?;
    if head.method != Method::GET && head.method != Method::HEAD {
        return Err(Problem::new(Code::MethodNotAllowed, "the files of a registry can be read: GET or HEAD"));
    }
    let nothing = || Problem::new(Code::NotFound, format!("the registry `{name}` has no such file"));
    let face = Face::parse(path).ok_or_else(nothing)?;
    let open = || app.files.open(&registry, face, path);
    let mut opened = open().await.map_err(|error| Problem::internal(&error))?;
    if let (Face::Delta(delta), None) = (face, &opened)
        && app.deltas.make(app, asker.caller(name)?, &registry, delta).await
    {
        opened = open().await.map_err(|error| Problem::internal(&error))?;
    }
    // Content of what was admitted is fetched when it is first asked for; who only looks is told what is here.
    if let (None, Some(object), &Method::GET) = (&opened, Object::of_face(face), &head.method)
        && api::pulling::pull(app, &asker, &registry, object).await?
    {
        opened = open().await.map_err(|error| Problem::internal(&error))?;
    }
    let everybody = Caller::new(Principal::Anonymous, asker.at);
    let response = respond(head, face, opened.ok_or_else(nothing)?, registry.may_read(&everybody)).await?;
    if let Some(tree) = downloaded(head, face, &response) {
        app.counting.count(&registry.name, tree, &asker);
    }
    Ok(response)
}

/// The content that is sent from its beginning, if some is. Who goes on where they were interrupted was counted before.
fn downloaded(head: &Parts, face: Face, response: &Response) -> Option<TreeDigest> {
    let tree = match face {
        Face::Pack(tree) => tree,
        Face::Delta(delta) => delta.to,
        _ => return None,
    };
    let begins = match response.status() {
        StatusCode::OK => true,
        StatusCode::PARTIAL_CONTENT => {
            let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
            range.is_some_and(|range| range.starts_with("bytes 0-"))
        }
        _ => false,
    };
    (begins && head.method == Method::GET).then_some(tree)
}

async fn respond(head: &Parts, face: Face, opened: Opened, is_public: bool) -> Result<Response, Problem> {
    let Opened { content, version } = opened;
    let size = version.bytes;
    let tag = tag(face, version);
    let (status, first, length) = match answer(&head.headers, size, &tag) {
        Answer::Whole => (StatusCode::OK, 0, size),
        Answer::Part(first, last) => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Answer::NotModified => (StatusCode::NOT_MODIFIED, 0, 0),
        Answer::Failed => {
            return Err(Problem::new(Code::PreconditionFailed, "the file has another entity tag"));
        }
        Answer::NotSatisfiable => return Ok(not_satisfiable(size)),
    };
    let has_body = head.method == Method::GET && status != StatusCode::NOT_MODIFIED;
    let body = if has_body { body(content, first, length).await? } else { Body::empty() };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(ETAG, value(&tag));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keeping(face, is_public)));
    if status != StatusCode::NOT_MODIFIED {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(face)));
        headers.insert(CONTENT_LENGTH, length.into());
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    if status == StatusCode::PARTIAL_CONTENT {
        headers.insert(CONTENT_RANGE, value(&format!("bytes {first}-{}/{size}", first + length - 1)));
    }
    Ok(response)
}

fn not_satisfiable(size: u64) -> Response {
    let problem = Problem::new(Code::RangeNotSatisfiable, format!("the file has {size} bytes"));
    let mut response = problem.into_response();
    response.headers_mut().insert(CONTENT_RANGE, value(&format!("bytes */{size}")));
    response
}

async fn body(content: Content, first: u64, length: u64) -> Result<Body, Problem> {
    match content {
        Content::Small(bytes) => {
            let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
            Ok(Body::from(bytes.slice(within(first)..within(first.saturating_add(length)))))
        }
        Content::Large(mut file) => {
            if first > 0 {
                let sought = blocking(move || file.seek(SeekFrom::Start(first)).map(|_| file)).await;
                file = sought.map_err(|error| Problem::internal(&error))?;
            }
            let mut file = tokio::fs::File::from_std(file);
            file.set_max_buf_size(BLOCK);
            Ok(Body::from_stream(ReaderStream::with_capacity(file.take(length), BLOCK)))
        }
    }
}

/// A strong entity tag: the name of what is named by its digest, and the version of the file that is not.
fn tag(face: Face, version: Version) -> String {
    match face {
        Face::Snapshot(digest) | Face::File(digest) => format!("\"{}\"", digest.to_hex()),
        Face::Delta(delta) => packed(&format!("{}-{}", delta.to.to_hex(), delta.from.to_hex()), version),
        Face::Pack(tree) => packed(&tree.to_hex(), version),
        Face::Chunk(chunk) => format!("\"{}\"", chunk.to_hex()),
        Face::PackNote(_) | Face::ChunkList(_) | Face::Descriptor | Face::Checkpoint | Face::Tile => {
            of_version(version)
        }
    }
}

/// Two packs of one tree, and two deltas between two, may differ in how they are compressed.
fn packed(tree: &str, version: Version) -> String {
    format!("\"{tree}-{:x}\"", version.bytes)
}

fn of_version(Version { bytes, inode, modified: (seconds, nanoseconds) }: Version) -> String {
    format!("\"{inode:x}-{seconds:x}{nanoseconds:08x}-{bytes:x}\"")
}

/// How long it may be kept without asking again, and by whom: what not everybody may read, no cache that is shared may keep.
const fn keeping(face: Face, is_public: bool) -> &'static str {
    match (face.is_fixed(), is_public) {
        (true, true) => "public, max-age=31536000, immutable",
        (true, false) => "private, max-age=31536000, immutable",
        (false, true) => "no-cache",
        (false, false) => "private, no-cache",
    }
}

const fn media_type(face: Face) -> &'static str {
    match face {
        Face::Descriptor => "application/json",
        Face::Checkpoint => "text/plain; charset=utf-8",
        Face::Snapshot(_) | Face::Pack(_) => "application/zstd",
        Face::PackNote(_) | Face::ChunkList(_) => "text/plain; charset=us-ascii",
        Face::Tile | Face::Delta(_) | Face::File(_) | Face::Chunk(_) => "application/octet-stream",
    }
}

pub(crate) fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
