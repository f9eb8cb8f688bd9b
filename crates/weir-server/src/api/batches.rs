//! Batches: what changes a registry, all of it or nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use weir_model::Sha256;
use weir_registry::{Batch, Registry as _};
use weir_wire::api::{IDEMPOTENCY_KEY, Preview};

use super::answers::MAX_KEY;
use super::{Asked, json};
use crate::accounting::Accounting;
use crate::app::App;
use crate::asker::Asker;
use crate::problem::{Code, Problem};

/// So many things can be done in one batch: others wait for it.
const MAX_INTENTS: usize = 50_000;

/// In this time a batch must have arrived.
const BODY_COMES_IN: Duration = Duration::from_secs(300);

/// `POST /{registry}/api/v1/batches`, and with `?dry-run` what would become of it.
pub(crate) async fn submit(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    asker: Asker,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let is_dry = match query.as_deref() {
        None | Some("" | "dry-run=false") => false,
        Some("dry-run" | "dry-run=true") => true,
        Some(_) => return Err(Problem::new(Code::BadRequest, "a batch can be asked for with `?dry-run`")),
    };
    // A key that can be none is a mistake, also where none is needed.
    let key = headers.contains_key(IDEMPOTENCY_KEY).then(|| key(&headers)).transpose()?;
    let asked = Asked::of(&app, &asker, &name).await?;
    // Of who has not signed in nothing is read: a batch may be large.
    asker.speaker()?;
    let body = read(&app, body).await?;
    if is_dry {
        let batch = parse(&body)?;
        let outcomes = asked.carry_out(move |registry| registry.preview(&batch)).await?;
        return Ok(json(StatusCode::OK, &Preview { outcomes }));
    }
    let key = (asked.served.name.clone(), asked.actor.clone(), key.ok_or_else(no_key)?);
    let digest = Sha256::of(&body);
    let other = |()| {
        Problem::new(Code::Conflict, "another batch was sent with this idempotency key: give each its own")
    };
    if let Some(receipt) = app.answers.find(&key, &digest).map_err(other)? {
        return Ok(json(StatusCode::OK, &*receipt));
    }
    let batch = parse(&body)?;
    drop(body);
    let accounting = Accounting::of(&app, &asker, Some(&name), "batch");
    let came = asked.carry_out(move |registry| registry.submit(&batch)).await;
    let receipt = Arc::new(accounting.note_batch(came, |receipt| &receipt.outcomes).await?);
    app.answers.keep(key, digest, receipt.clone());
    Ok(json(StatusCode::OK, &*receipt))
}

async fn read(app: &App, body: Body) -> Result<Bytes, Problem> {
    let limits = app.settings.limits;
    let limit = usize::try_from(limits.batch()).unwrap_or(usize::MAX);
    let read = tokio::time::timeout(BODY_COMES_IN, axum::body::to_bytes(body, limit)).await;
    match read {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if error.to_string().contains("length limit") => {
            let megabytes = limits.batch_megabytes;
            Err(Problem::new(Code::TooLarge, format!("a batch has at most {megabytes} megabytes")))
        }
        _ => Err(Problem::new(Code::BadRequest, "the batch did not come to its end")),
    }
}

fn parse(body: &[u8]) -> Result<Batch, Problem> {
    let batch: Batch = serde_json::from_slice(body).map_err(|error| {
        let code = if error.is_data() { Code::BadDocument } else { Code::BadRequest };
        Problem::new(code, error.to_string().chars().take(500).collect::<String>())
    })?;
    match batch.intents.len() {
        0..=MAX_INTENTS => Ok(batch),
        many => {
            let detail = format!("the batch has {many} intents, and one may have {MAX_INTENTS}");
            Err(Problem::new(Code::TooLarge, detail))
        }
    }
}

fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let key = headers.get(IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok()).map(str::trim);
    let sound =
        |key: &&str| !key.is_empty() && key.len() <= MAX_KEY && key.bytes().all(|b| b.is_ascii_graphic());
    key.filter(sound).map(str::to_owned).ok_or_else(no_key)
}

fn no_key() -> Problem {
    let detail = format!(
        "a batch needs an `Idempotency-Key` of 1 to {MAX_KEY} characters, such as a UUID: who does not hear the answer asks again with the same"
    );
    Problem::new(Code::BadRequest, detail)
}
