//! Publishing with tools of Elm's: `POST …/register` and Zokka's `POST …/upload-package`.
//!
//! What is published comes as a zip archive with the request, is unpacked as anybody's archive, and goes the way of every other
//! release from there on: read and drafted, uploaded, and registered by the registrar for whoever asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use weir_elm_protocol::{Arrived, Keep, NotTaken, ReleaseFile};
use weir_model::{PackageName, Version};
use weir_policy::Verb;

use super::Refusal;
use crate::accounting::Accounting;
use crate::api::Asked;
use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::problem::{Code, Problem};

/// Parts that come with a publication, those that nobody reads too.
const MOST_PARTS: usize = 16;

/// What the archive is called among the parts.
const ARCHIVE: &str = ReleaseFile::Archive.file_name();

/// The documentation, which stands beside the archive and not in it.
const DOCS: &str = ReleaseFile::Docs.file_name();

/// `POST /{registry}/elm/{compiler}/register`, `POST /{registry}/elm/{compiler}/upload-package`
pub(super) async fn publish(
    State(app): State<Arc<App>>,
    Path((registry, _)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    asker: Asker,
    parts: Result<Multipart, MultipartRejection>,
) -> Result<Response, Refusal> {
    let came = publish_for(&app, &asker, &registry, query.as_deref().unwrap_or_default(), parts).await;
    came.map(|()| StatusCode::OK.into_response()).map_err(Refusal)
}

async fn publish_for(
    app: &Arc<App>,
    asker: &Asker,
    registry: &str,
    query: &str,
    parts: Result<Multipart, MultipartRejection>,
) -> Result<(), Problem> {
    let asked = Asked::at(app, asker, registry, |app| &app.uploading).await?;
    // Before anything of it is read.
    asker.speaker()?;
    asked.carry_out(|registry| registry.may(Verb::Upload)).await?;
    let (name, version) = named(query)?;
    let mut parts = read(parts.map_err(|error| unreadable(&error.body_text()))?).await?;
    let archive = parts.remove(ARCHIVE).ok_or_else(|| {
        unreadable(&format!(
            "this registry keeps the sources itself and fetches none from GitHub: they must come as `{ARCHIVE}`, as \
             `weir run -- elm publish` and `weir publish` send them"
        ))
    })?;
    let accounting = Accounting::of(app, asker, Some(registry), "batch").about(format!("{name} {version}"));
    let acting = asked.acting.clone();
    let came = blocking(move || {
        let arrived = unpack(&archive, &parts)?;
        arrived.must_be(&name, &version).map_err(not_taken)?;
        Ok::<_, Refused>(arrived.submit(&acting)?)
    })
    .await;
    let came = came.map_err(|refused| match refused {
        Refused::Registry(error) => asked.refused(&error),
        Refused::Problem(problem) => problem,
    });
    accounting.note_batch(came, |receipt| &receipt.outcomes).await.map(drop)
}

/// Why something is not published.
enum Refused {
    /// The registry says no.
    Registry(Box<weir_registry::SubmitError>),
    /// It cannot be read, or the server fails.
    Problem(Problem),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<weir_registry::SubmitError> for Refused {
    fn from(error: weir_registry::SubmitError) -> Self {
        Self::Registry(Box::new(error))
    }
}

fn unreadable(what: &str) -> Problem {
    Problem::new(Code::BadRequest, what.chars().take(2_000).collect::<String>())
}

/// Which release is announced.
fn named(query: &str) -> Result<(PackageName, Version), Problem> {
    let pairs: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).take(16).collect();
    let name = pairs.get("name").and_then(|name| name.parse().ok());
    let version = pairs.get("version").and_then(|version| version.parse().ok());
    name.zip(version).ok_or_else(|| unreadable("a publication says `?name=author/project&version=1.0.0`"))
}

/// The parts by their names.
async fn read(mut parts: Multipart) -> Result<BTreeMap<String, Bytes>, Problem> {
    let mut read = BTreeMap::new();
    loop {
        let broken = |error: axum::extract::multipart::MultipartError| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                Code::TooLarge,
                format!("a package that is published so has at most {} bytes", super::MAX_PUBLICATION),
            ),
            _ => unreadable(&error.body_text()),
        };
        let Some(part) = parts.next_field().await.map_err(broken)? else { return Ok(read) };
        let name = part.name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.map_err(broken)?;
        if read.len() == MOST_PARTS || read.insert(name, bytes).is_some() {
            return Err(unreadable("a publication has each part once, and no others"));
        }
    }
}

/// Unpacks the archive, with the documentation that came beside it.
fn unpack(archive: &Bytes, parts: &BTreeMap<String, Bytes>) -> Result<Arrived, Problem> {
    let docs = parts.get(DOCS);
    if let Some(docs) = docs {
        serde_json::from_slice::<serde::de::IgnoredAny>(docs)
            .map_err(|error| unreadable(&format!("`{DOCS}` is no JSON: {error}")))?;
    }
    // Zokka's archive has no README: it comes beside it only.
    let readme = parts.get(ReleaseFile::Readme.file_name());
    let beside = [(ReleaseFile::Docs, docs), (ReleaseFile::Readme, readme)];
    let beside: Vec<(ReleaseFile, &[u8])> =
        beside.into_iter().filter_map(|(file, bytes)| Some((file, bytes?.as_ref()))).collect();
    let arrived = Arrived::unpack(archive, Keep::All, &beside).map_err(not_taken)?;
    let said = arrived.manifest().map_err(|error| Problem::internal(&error))?;
    match parts.get(ReleaseFile::Manifest.file_name()) {
        Some(manifest) if said.as_bytes() != &**manifest => {
            Err(unreadable("the `elm.json` that came is not the one in the archive"))
        }
        _ => Ok(arrived),
    }
}

fn not_taken(why: NotTaken) -> Problem {
    match why {
        NotTaken::Unusable(what) => unreadable(&what),
        NotTaken::Io(error) => Problem::internal(&error),
    }
}
