//! What the three hosts answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{Method, Request, Response, StatusCode};
use bytes::Bytes;
use weir_elm_protocol::{Asked, ReleaseFile};
use weir_model::{PackageName, Version};

use crate::{GITHUB, GITHUB_API, PACKAGES, Site};

/// The most bytes that come with a publication.
const MAX_PUBLICATION: usize = 96 << 20;

/// What is answered: a type and bytes, or a status and words.
type Answer = Result<(&'static str, Bytes), (StatusCode, String)>;

pub(crate) async fn answer(
    site: Arc<dyn Site>,
    host: &'static str,
    request: Request<Body>,
) -> Response<Body> {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let came = match host {
        PACKAGES if path == "register" && request.method() == Method::POST => register(site, request).await,
        PACKAGES => blocking(move || packages(&*site, &path)).await,
        GITHUB_API => blocking(move || tag(&*site, &path)).await,
        GITHUB => blocking(move || sources(&*site, &path)).await,
        _ => Err(nothing()),
    };
    let (status, media_type, bytes) = match came {
        Ok((media_type, bytes)) => (StatusCode::OK, media_type, bytes),
        Err((status, text)) => (status, "text/plain; charset=utf-8", text.into()),
    };
    let body = Body::from(bytes);
    let length = body.size_hint().exact().unwrap_or_default();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, axum::http::HeaderValue::from_static(media_type));
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
    response
}

fn nothing() -> (StatusCode, String) {
    (StatusCode::NOT_FOUND, "there is nothing of this name\n".into())
}

fn failed(reason: String) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, reason + "\n")
}

async fn blocking(work: impl FnOnce() -> Answer + Send + 'static) -> Answer {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(failed(error.to_string())))
}

fn packages(site: &dyn Site, path: &str) -> Answer {
    let asked = Asked::parse(path).ok_or_else(nothing)?;
    let media_type = match &asked {
        Asked::File(_, _, file) => file.media_type(),
        _ => ReleaseFile::Manifest.media_type(),
    };
    let bytes = site.answer(&asked).map_err(failed)?;
    Ok((media_type, bytes.ok_or_else(nothing)?))
}

/// `repos/{author}/{project}/git/refs/tags/{version}`
fn tag(site: &dyn Site, path: &str) -> Answer {
    let parts: Vec<&str> = path.split('/').collect();
    let ["repos", author, project, "git", "refs", "tags", version] = parts.as_slice() else {
        return Err(nothing());
    };
    let (name, version) = release(author, project, version)?;
    let commit = site.commit(&name, &version).map_err(|reason| (StatusCode::NOT_FOUND, reason + "\n"))?;
    let plain: String = commit.chars().filter(char::is_ascii_hexdigit).collect();
    Ok(("application/json", format!(r#"{{"object":{{"sha":"{plain}"}}}}"#).into()))
}

/// `{author}/{project}/zipball/{version}/`
fn sources(site: &dyn Site, path: &str) -> Answer {
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let [author, project, "zipball", version] = parts.as_slice() else { return Err(nothing()) };
    let (name, version) = release(author, project, version)?;
    let bytes = site.sources(&name, &version).map_err(|reason| (StatusCode::NOT_FOUND, reason + "\n"))?;
    Ok((ReleaseFile::Archive.media_type(), bytes))
}

fn release(
    author: &str,
    project: &str,
    version: &str,
) -> Result<(PackageName, Version), (StatusCode, String)> {
    let name = format!("{author}/{project}").parse().ok();
    name.zip(version.parse().ok()).ok_or_else(nothing)
}

/// `POST register?name=…&version=…`: the compiler has checked by now that the files of the tag are those that it sends documentation of.
async fn register(site: Arc<dyn Site>, mut request: Request<Body>) -> Answer {
    let bad = |reason: &str| (StatusCode::BAD_REQUEST, format!("{reason}\n"));
    let query = request.uri().query().unwrap_or_default().to_owned();
    let said: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).take(16).collect();
    let name = said.get("name").and_then(|name| name.parse().ok());
    let version = said.get("version").and_then(|version| version.parse().ok());
    let (name, version) = name.zip(version).ok_or_else(|| bad("no package and version are named"))?;
    let limit = DefaultBodyLimit::max(MAX_PUBLICATION);
    limit.apply(&mut request);
    let parts = Multipart::from_request(request, &()).await;
    let mut parts = parts.map_err(|error| bad(&error.body_text()))?;
    let mut docs = None;
    while let Some(part) = parts.next_field().await.map_err(|error| bad(&error.body_text()))? {
        let is_docs = part.name() == Some(ReleaseFile::Docs.file_name());
        let bytes = part.bytes().await.map_err(|error| bad(&error.body_text()))?;
        if is_docs {
            docs = Some(bytes);
        }
    }
    let docs = docs.ok_or_else(|| bad("no documentation came along"))?;
    blocking(move || match site.publish(&name, &version, &docs) {
        Ok(()) => Ok(("text/plain; charset=utf-8", Bytes::new())),
        Err(reason) => Err((StatusCode::BAD_REQUEST, reason + "\n")),
    })
    .await
}
