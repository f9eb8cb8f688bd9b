//! A registry itself: what it can do, and what its administrators do for it.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use weir_model::KindName;
use weir_registry::{Acting, Collect, Registry as _};
use weir_wire::api::{Capabilities, CapabilityLimits, CollectRequest, LEVEL, Renewed};

use super::{Asked, SignedDocument, json};
use crate::accounting::Accounting;
use crate::app::App;
use crate::asker::Asker;
use crate::problem::{Code, Problem};

/// What a registry of this server can do beyond being read.
const FEATURES: [&str; 8] = [
    "batches",
    "dry-run",
    "uploads",
    "resumable-uploads",
    "tokens",
    "collections",
    weir_reach::ASK_FEATURE,
    weir_reach::LOOK_FEATURE,
];

/// `GET /{registry}/api/v1`
pub(crate) async fn capabilities(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
) -> Result<Response, Problem> {
    let served = app.served(&asker, &name).await?;
    let limits = app.settings.limits;
    let capabilities = Capabilities {
        weir: 1,
        level: LEVEL,
        name: served.name.to_string(),
        features: FEATURES.map(str::to_owned).to_vec(),
        limits: CapabilityLimits { upload_bytes: limits.upload(), batch_bytes: limits.batch() },
    };
    Ok(json(StatusCode::OK, &capabilities))
}

/// `GET …/checks/publish?kind=bash`: whether a package of a kind could be published at all.
pub(crate) async fn check(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    asker: Asker,
) -> Result<Response, Problem> {
    asker.speaker()?;
    let kind = query.as_deref().and_then(|query| query.strip_prefix("kind=")?.parse::<KindName>().ok());
    let kind = kind.ok_or_else(|| Problem::new(Code::BadRequest, "it is asked for with `?kind=KIND`"))?;
    let asked = Asked::of(&app, &asker, &name).await?;
    asked.carry_out(move |registry| registry.check(kind)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST …/checkpoint`: signs the log anew.
pub(crate) async fn renew(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
) -> Result<Response, Problem> {
    let asked = Asked::of(&app, &asker, &name).await?;
    let accounting = Accounting::of(&app, &asker, Some(&name), "renewed");
    let checkpoint = accounting.note(asked.carry_out(Acting::renew).await).await?;
    Ok(json(StatusCode::OK, &Renewed { checkpoint }))
}

/// `POST …/keys`: gives the registry a new key.
pub(crate) async fn rotate_key(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
) -> Result<Response, Problem> {
    let asked = Asked::of(&app, &asker, &name).await?;
    let accounting = Accounting::of(&app, &asker, Some(&name), "key-rotated");
    let descriptor = accounting.note(asked.carry_out(Acting::rotate_key).await).await?;
    Ok(json(StatusCode::OK, &descriptor))
}

/// `GET …/storage`: who holds how much.
pub(crate) async fn storage(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
) -> Result<Response, Problem> {
    asker.speaker()?;
    let asked = Asked::of(&app, &asker, &name).await?;
    Ok(json(StatusCode::OK, &asked.carry_out(weir_registry::Registry::storage).await?))
}

/// `POST …/collections`: takes out of the storage what need not be there.
pub(crate) async fn collect(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
    SignedDocument(request): SignedDocument<CollectRequest>,
) -> Result<Response, Problem> {
    let asked = Asked::of(&app, &asker, &name).await?;
    let what = Collect { removed_before: request.removed_before, dry_run: request.dry_run };
    let accounting = Accounting::of(&app, &asker, Some(&name), "collected");
    let came = asked.carry_out(move |registry| registry.collect(&what)).await;
    // Nothing is done by who only looks.
    let collected = if request.dry_run { came? } else { accounting.note(came).await? };
    Ok(json(StatusCode::OK, &collected))
}
