//! Files of a release, and documents about its build: as text, as pictures, and to be kept.

use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use weir_model::Sha256;
use weir_registry::content::{shown_evidence, shown_file};
use weir_registry::{Evidence, SubmitError};
use weir_web::{FilePage, Shown, WhichFile};

use super::reading::{At, Build, bring, looking, no_release, nothing};
use super::{Visitor, answer, harden, keeping, pairs, set};
use crate::problem::{Code, Problem};

/// So many bytes of a file are read to be shown as text, and its page has at most so many.
const SHOWN: usize = 72 << 10;

/// So many bytes of a file can be downloaded from its page.
const DOWNLOADED: usize = 16 << 20;

/// `GET /{registry}/-/packages/{owner}/{name}/{version}/files/{path}`, with `?raw` its bytes, and with `?picture` a picture.
pub(crate) async fn file(
    (State(app), Path((registry, owner, name, version, path)), RawQuery(query), visitor): At<(
        String,
        String,
        String,
        String,
        String,
    )>,
) -> Result<Response, Problem> {
    let asked = looking(&app, &visitor, &registry).await?;
    let build = Build::new(&owner, &name, &version, query.as_deref())?;
    bring(&app, &visitor, &asked, &build).await?;
    let wants = |what: &str| query.as_deref().is_some_and(|query| pairs(query).any(|(name, _)| name == what));
    let (is_raw, is_picture) = (wants("raw"), wants("picture"));
    let most = if is_raw || is_picture { DOWNLOADED + 1 } else { SHOWN + 4 };
    let (at, frame) = (path.clone(), visitor.frame_of(&registry));
    let found = asked.carry_out(move |acting| {
        let view = acting.view()?;
        let Some((chosen, _)) = build.find(view.index())? else { return Ok(None) };
        if !chosen.standing().is_usable() {
            return Ok(Some((chosen, None)));
        }
        let file = shown_file(&*acting.source()?, &chosen.release, &at, most);
        let file = file.map_err(|error| SubmitError::Io(std::io::Error::other(error)))?;
        Ok(Some((chosen, file)))
    });
    let (view, file) = found.await?.ok_or_else(no_release)?;
    let file =
        file.ok_or_else(|| nothing("the release has no such file, or its files are withheld from readers"))?;
    if is_picture {
        return picture(&visitor, file.bytes);
    }
    if is_raw {
        return download(&visitor, &path, file.bytes);
    }
    let page = FilePage {
        frame: &frame,
        view: &view,
        which: WhichFile::Of(&path),
        size: file.size,
        shown: &shown(file.bytes),
    };
    answer(&visitor, StatusCode::OK, page.page())
}

/// `GET /{registry}/-/packages/{owner}/{name}/{version}/evidence/{sha256}`, and with `?raw` its bytes: a document that the release names as
/// evidence of its build, and no other file of the registry.
pub(crate) async fn evidence(
    (State(app), Path((registry, owner, name, version, sha256)), RawQuery(query), visitor): At<(
        String,
        String,
        String,
        String,
        String,
    )>,
) -> Result<Response, Problem> {
    let asked = looking(&app, &visitor, &registry).await?;
    let build = Build::new(&owner, &name, &version, query.as_deref())?;
    let no_document =
        || nothing("the release names no such document, or its files are withheld from readers");
    let sha256 = Sha256::from_hex(&sha256).map_err(|_| no_document())?;
    let is_raw = query.as_deref().is_some_and(|query| pairs(query).any(|(name, _)| name == "raw"));
    let most = if is_raw { DOWNLOADED + 1 } else { SHOWN + 4 };
    let found = asked.carry_out(move |acting| {
        let view = acting.view()?;
        let Some((chosen, _)) = build.find(view.index())? else { return Ok(None) };
        let named = Evidence::document(&chosen.release, &sha256).filter(|_| chosen.standing().is_usable());
        let Some(evidence) = named else { return Ok(Some((chosen, None))) };
        let file = shown_evidence(&*acting.source()?, &evidence, most);
        let file = file.map_err(|error| SubmitError::Io(std::io::Error::other(error)))?;
        Ok(Some((chosen, Some((evidence, file)))))
    });
    let (view, named) = found.await?.ok_or_else(no_release)?;
    let (evidence, file) = named.ok_or_else(no_document)?;
    let file = file
        .ok_or_else(|| nothing("the registry does not hold this document: it came from above without it"))?;
    if is_raw {
        return download(&visitor, evidence.as_str(), file.bytes);
    }
    let page = FilePage {
        frame: &visitor.frame_of(&registry),
        view: &view,
        which: WhichFile::Evidence { what: evidence.as_str(), sha256: &sha256 },
        size: file.size,
        shown: &document(file.bytes),
    };
    answer(&visitor, StatusCode::OK, page.page())
}

/// What is shown of a document: JSON with a line for each value, and of a log, which may have anything in it, what is text.
fn document(bytes: Option<Vec<u8>>) -> Shown {
    let json = bytes.as_deref().filter(|bytes| bytes.len() <= SHOWN);
    let json = json.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(bytes).ok());
    match json.and_then(|value| serde_json::to_string_pretty(&value).ok()) {
        Some(text) => shown(Some(text.into_bytes())),
        None => {
            shown(bytes.map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', "\u{fffd}").into_bytes()))
        }
    }
}

/// What is shown of the beginning of a file.
fn shown(bytes: Option<Vec<u8>>) -> Shown {
    let Some(bytes) = bytes else { return Shown::Far };
    let cut = bytes.len() > SHOWN;
    let valid = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        // A character may have been cut in two at the end of what was read.
        Err(error) if cut && error.valid_up_to() + 4 >= bytes.len() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return Shown::Binary,
    };
    if valid.contains('\0') {
        return Shown::Binary;
    }
    let (text, more) = weir_web::beginning(valid, SHOWN);
    Shown::Text { text: text.to_owned(), cut: cut || more }
}

/// A picture of the sorts that browsers decode and in which nothing runs.
fn picture(visitor: &Visitor, bytes: Option<Vec<u8>>) -> Result<Response, Problem> {
    let media_type = bytes.as_deref().and_then(weir_web::picture_type);
    let media_type = media_type.ok_or_else(|| nothing("the file is no picture that a page shows"))?;
    written_by_others(visitor, bytes, media_type)
}

/// Bytes that somebody else wrote, in which nothing runs.
fn written_by_others(
    visitor: &Visitor,
    bytes: Option<Vec<u8>>,
    media_type: &'static str,
) -> Result<Response, Problem> {
    let bytes = bytes.filter(|bytes| bytes.len() <= DOWNLOADED).ok_or_else(|| {
        Problem::new(
            Code::TooLarge,
            "the file is too large to be read out of its pack for a page: `weir add` brings it",
        )
    })?;
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    harden(headers);
    set(headers, CONTENT_TYPE, media_type);
    set(headers, CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'");
    set(headers, CACHE_CONTROL, keeping(visitor));
    Ok(response)
}

/// Bytes that somebody else wrote: kept by whoever asks for them, and shown by no browser.
pub(super) fn download(visitor: &Visitor, path: &str, bytes: Option<Vec<u8>>) -> Result<Response, Problem> {
    let mut response = written_by_others(visitor, bytes, "application/octet-stream")?;
    let headers = response.headers_mut();
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = path.rsplit('/').next().unwrap_or_default().chars().map(plain).collect();
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    Ok(response)
}
