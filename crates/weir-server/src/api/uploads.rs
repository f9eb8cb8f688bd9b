//! Uploads: packs and files, checked against their names as they arrive, gone on with where they stopped.
//!
//! Where an upload stopped is asked with HEAD; it is gone on with by PATCH from there. PUT is the whole at once. The words are those of
//! draft-ietf-httpbis-resumable-upload; what is uploaded is named by its digest, so nobody need be given an address for it.

use std::io::{self, Read};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{MatchedPath, Path, RawQuery, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt as _;
use tokio_util::io::{StreamReader, SyncIoBridge};
use weir_policy::Verb;
use weir_registry::{Acting, Object, Registry as _, SubmitError};
use weir_wire::api::{UPLOAD_COMPLETE, UPLOAD_OFFSET, Uploaded, Verified};

use super::{Asked, json};
use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::problem::{Code, Problem};
use crate::staging::{Staging, StagingError};

/// An upload of at most so many bytes that comes at once is not written twice: it is sent again if it breaks off.
const AT_ONCE: u64 = 8 << 20;

const OFFSET: HeaderName = HeaderName::from_static(UPLOAD_OFFSET);
const COMPLETE: HeaderName = HeaderName::from_static(UPLOAD_COMPLETE);

/// What is uploaded: an object, in place of what is held of it if that is damaged.
#[derive(Debug, Clone, Copy)]
struct Target {
    object: Object,
    mends: bool,
}

/// `HEAD …/packs/{digest}`, `HEAD …/files/{digest}`: how much of it is there.
pub(crate) async fn state(
    State(app): State<Arc<App>>,
    Path((name, digest)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    path: MatchedPath,
    asker: Asker,
) -> Result<Response, Problem> {
    let target = Target::of(&path, &digest, query.as_deref())?;
    let asked = Asked::of(&app, &asker, &name).await?;
    if !target.mends {
        let held = asked.carry_out(move |registry| registry.size_of(target.object)).await?;
        if let Some(bytes) = held {
            return Ok(progress(StatusCode::NO_CONTENT, bytes, true));
        }
    }
    let (who, what) = (asked.actor.clone(), target.name(&asked));
    let bytes = blocking(move || app.staging.bytes(&who, &what)).await;
    Ok(progress(StatusCode::NO_CONTENT, bytes.map_err(|error| Problem::internal(&error))?, false))
}

/// `PUT …`: all of it at once.
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    Path((name, digest)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    path: MatchedPath,
    asker: Asker,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let target = Target::of(&path, &digest, query.as_deref())?;
    receive(&app, &asker, &name, target, &headers, body, Part { offset: 0, is_last: true }).await
}

/// `PATCH …`: from the offset on that `Upload-Offset` says, to the end if `Upload-Complete` is `?1`.
pub(crate) async fn append(
    State(app): State<Arc<App>>,
    Path((name, digest)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    path: MatchedPath,
    asker: Asker,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let target = Target::of(&path, &digest, query.as_deref())?;
    let part = Part::of(&headers)?;
    receive(&app, &asker, &name, target, &headers, body, part).await
}

/// `POST …/verification`: whether what is held is what its name says.
pub(crate) async fn verify(
    State(app): State<Arc<App>>,
    Path((name, digest)): Path<(String, String)>,
    path: MatchedPath,
    asker: Asker,
) -> Result<Response, Problem> {
    let object = Target::of(&path, &digest, None)?.object;
    asker.speaker()?;
    let asked = Asked::of(&app, &asker, &name).await?;
    let whole = asked.carry_out(move |registry| registry.is_whole(object)).await?;
    Ok(json(StatusCode::OK, &Verified { whole }))
}

async fn receive(
    app: &Arc<App>,
    asker: &Asker,
    name: &str,
    target: Target,
    headers: &HeaderMap,
    body: Body,
    part: Part,
) -> Result<Response, Problem> {
    let asked = Asked::at(app, asker, name, |app| &app.uploading).await?;
    let limit = app.settings.limits.upload();
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let stream = body.into_data_stream().map_err(io::Error::other);
    let mut stream = SyncIoBridge::new(StreamReader::new(stream));
    let comes_at_once = part.offset == 0 && part.is_last;
    if comes_at_once && announced.is_some_and(|bytes| bytes <= limit.min(AT_ONCE)) {
        // Whether they may is asked before a byte is read.
        let size = asked.carry_out(move |registry| target.take_in(registry, &mut stream)).await?;
        return Ok(json(StatusCode::OK, &Uploaded { size }));
    }
    asked.carry_out(|registry| registry.may(Verb::Upload)).await?;
    if announced.is_some_and(|bytes| part.offset.saturating_add(bytes) > limit) {
        return Err(too_large(limit));
    }
    let (who, what, acting) = (asked.actor.clone(), target.name(&asked), asked.acting.clone());
    let app = app.clone();
    let work = move || {
        go_on(&app.staging, &who, &what, part, &mut stream, limit, |whole| target.take_in(&acting, whole))
    };
    match blocking(work).await {
        Ok(Received::Whole(size)) => Ok(json(StatusCode::OK, &Uploaded { size })),
        Ok(Received::Part(bytes)) => Ok(progress(StatusCode::NO_CONTENT, bytes, false)),
        Err(Broken::Elsewhere(bytes)) => {
            let detail = format!("the upload goes on at byte {bytes}");
            Err(Problem::new(Code::OtherOffset, detail).with(OFFSET, bytes))
        }
        Err(Broken::TooLarge) => Err(too_large(limit)),
        Err(Broken::Staging(StagingError::InUse)) => {
            Err(Problem::new(Code::Conflict, StagingError::InUse.to_string()))
        }
        Err(Broken::Staging(StagingError::Full)) => {
            Err(Problem::new(Code::Overloaded, StagingError::Full.to_string()))
        }
        Err(Broken::Staging(error)) => Err(Problem::internal(&error)),
        Err(Broken::Refused(error)) => Err(asked.refused(&error)),
    }
}

/// What became of a part of an upload.
enum Received {
    /// It was the last: so many bytes are held now.
    Whole(u64),
    /// So many bytes are there of it.
    Part(u64),
}

/// Why a part of an upload was not taken.
enum Broken {
    /// It goes on at another byte.
    Elsewhere(u64),
    TooLarge,
    Staging(StagingError),
    Refused(Box<SubmitError>),
}

impl From<StagingError> for Broken {
    fn from(error: StagingError) -> Self {
        Self::Staging(error)
    }
}

/// Appends what comes to what is there; when it is all, has it taken in.
fn go_on(
    staging: &Staging,
    who: &str,
    what: &str,
    part: Part,
    from: &mut dyn Read,
    limit: u64,
    take_in: impl FnOnce(&mut dyn Read) -> Result<u64, SubmitError>,
) -> Result<Received, Broken> {
    let mut upload = staging.resume(who, what)?;
    let there = upload.bytes()?;
    if part.offset == 0 && there > 0 {
        // Who begins anew has another copy, perhaps.
        upload.whole()?.set_len(0).map_err(StagingError::from)?;
    } else if part.offset != there {
        return Err(Broken::Elsewhere(there));
    }
    if !upload.append(from, limit.saturating_sub(part.offset))? {
        upload.remove()?;
        return Err(Broken::TooLarge);
    }
    if !part.is_last {
        return Ok(Received::Part(upload.bytes()?));
    }
    let taken = take_in(upload.whole()?);
    // Also where it was refused: it is not what its name says, and going on with it would not help.
    upload.remove()?;
    taken.map(Received::Whole).map_err(|error| Broken::Refused(Box::new(error)))
}

fn too_large(limit: u64) -> Problem {
    Problem::new(Code::TooLarge, format!("an upload has at most {limit} bytes here"))
}

fn progress(status: StatusCode, bytes: u64, is_whole: bool) -> Response {
    let mut response = status.into_response();
    let complete = HeaderValue::from_static(if is_whole { "?1" } else { "?0" });
    response.headers_mut().insert(OFFSET, bytes.into());
    response.headers_mut().insert(COMPLETE, complete);
    response.headers_mut().insert(axum::http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl Target {
    fn of(path: &MatchedPath, digest: &str, query: Option<&str>) -> Result<Self, Problem> {
        let is_pack = path.as_str().contains("/packs/");
        let object = match is_pack {
            true => weir_model::Digest::from_hex(digest).ok().map(Object::Pack),
            false => weir_model::Digest::from_hex(digest).ok().map(Object::File),
        };
        let object = object.ok_or_else(|| {
            Problem::new(Code::BadRequest, "an upload is named by its digest, in 64 hexadecimal digits")
        })?;
        let mends = match query {
            None | Some("") => false,
            Some("mend" | "mend=") => true,
            Some(_) => return Err(Problem::new(Code::BadRequest, "an upload can be asked for with `?mend`")),
        };
        Ok(Self { object, mends })
    }

    /// What it is called among the uploads of a user.
    fn name(&self, asked: &Asked) -> String {
        format!("{} {:?}", asked.served.name, self)
    }

    fn take_in(&self, registry: &Acting, from: &mut dyn Read) -> Result<u64, SubmitError> {
        match (self.mends, self.object) {
            (true, object) => registry.mend(object, from),
            (false, Object::Pack(tree)) => registry.put_pack(&tree, from),
            (false, Object::File(sha256)) => registry.put_file(&sha256, from),
            (false, Object::Snapshot(_) | Object::Delta(_)) => Err(SubmitError::Busy),
        }
    }
}

/// Which part of an upload comes.
#[derive(Debug, Clone, Copy)]
struct Part {
    offset: u64,
    is_last: bool,
}

impl Part {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        // Said twice, nobody knows which is meant.
        let text = |name: HeaderName| {
            let mut said = headers.get_all(name).iter();
            let value = said.next().filter(|_| said.next().is_none());
            value.and_then(|value| value.to_str().ok()).map(str::trim)
        };
        let offset = text(OFFSET).and_then(|offset| offset.parse().ok());
        let is_last = match text(COMPLETE) {
            Some("?1") => Some(true),
            Some("?0") => Some(false),
            _ => None,
        };
        match (offset, is_last) {
            (Some(offset), Some(is_last)) => Ok(Self { offset, is_last }),
            _ => Err(Problem::new(
                Code::BadRequest,
                "a part of an upload says where it begins and whether it is the last: `Upload-Offset: 0`, `Upload-Complete: ?0` or `?1`",
            )),
        }
    }
}
