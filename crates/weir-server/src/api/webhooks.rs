//! Webhooks: for administrators, since whoever is told hears of every registry that it is made for.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use weir_webhooks::{WebhookError, Webhooks};
use weir_wire::webhooks::{ChangeWebhook, Deliveries, Delivery, MadeWebhook, NewWebhook, Webhook};

use super::tokens::check_registry;
use super::{SignedDocument, json};
use crate::accounting::Accounting;
use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::places::Place;
use crate::problem::{Code, Problem};
use crate::telling;

/// So much of what a webhook was told is told where nothing is said.
const USUAL: u32 = 50;

/// So much at most.
const MOST: u32 = 500;

/// `GET /api/v1/webhooks`
pub(crate) async fn list(State(app): State<Arc<App>>, asker: Asker) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &all(&app, &asker).await?))
}

/// All webhooks, for an administrator.
pub(crate) async fn all(app: &Arc<App>, asker: &Asker) -> Result<Vec<Webhook>, Problem> {
    asker.administrator()?;
    on_webhooks(app, Webhooks::all).await
}

/// `POST /api/v1/webhooks`
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    asker: Asker,
    SignedDocument(new): SignedDocument<NewWebhook>,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::CREATED, &created(&app, &asker, new).await?))
}

/// Makes a webhook, for an administrator.
pub(crate) async fn created(app: &Arc<App>, asker: &Asker, new: NewWebhook) -> Result<MadeWebhook, Problem> {
    asker.administrator()?;
    check(app, asker, Some(&new.url), Some(&new.registries)).await?;
    let accounting = accounting(app, asker, "webhook-created", new.name.as_str());
    let (making, by, now) = (app.clone(), asker.actor(), asker.at);
    let made = blocking(move || {
        telling::begin(&making)?;
        making.telling.kept.add(&new, &by, now)
    });
    let made = made.await.map(|(webhook, secret)| MadeWebhook { webhook, secret: Some(secret) });
    accounting.note(made.map_err(|error| told(&error))).await
}

/// `GET /api/v1/webhooks/{webhook}`
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &one(&app, &asker, name).await?))
}

/// One webhook, for an administrator.
pub(crate) async fn one(app: &Arc<App>, asker: &Asker, name: String) -> Result<Webhook, Problem> {
    asker.administrator()?;
    on_webhooks(app, move |kept| kept.find(&name)).await
}

/// `POST /api/v1/webhooks/{webhook}`
pub(crate) async fn change(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
    SignedDocument(change): SignedDocument<ChangeWebhook>,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &changed(&app, &asker, name, change).await?))
}

/// Changes a webhook, for an administrator.
pub(crate) async fn changed(
    app: &Arc<App>,
    asker: &Asker,
    name: String,
    change: ChangeWebhook,
) -> Result<MadeWebhook, Problem> {
    asker.administrator()?;
    check(app, asker, change.url.as_deref(), change.registries.as_ref()).await?;
    let accounting = accounting(app, asker, "webhook-changed", &name);
    let changed = on_webhooks(app, move |kept| kept.alter(&name, &change)).await;
    accounting.note(changed.map(|(webhook, secret)| MadeWebhook { webhook, secret })).await
}

/// `DELETE /api/v1/webhooks/{webhook}`
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
) -> Result<Response, Problem> {
    removed(&app, &asker, name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Removes a webhook, for an administrator.
pub(crate) async fn removed(app: &Arc<App>, asker: &Asker, name: String) -> Result<(), Problem> {
    asker.administrator()?;
    let accounting = accounting(app, asker, "webhook-removed", &name);
    let removed = on_webhooks(app, move |kept| kept.remove(&name)).await;
    accounting.note(removed).await
}

/// `POST /api/v1/webhooks/{webhook}/pings`
pub(crate) async fn ping(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &pinged(&app, &asker, name).await?))
}

/// Tries whether a webhook is reached, for an administrator who waits for the answer.
pub(crate) async fn pinged(app: &Arc<App>, asker: &Asker, name: String) -> Result<Delivery, Problem> {
    let _place = waiting(app, asker)?;
    let (sending, by, now) = (app.clone(), asker.actor(), asker.at);
    let sent = blocking(move || {
        let due = sending.telling.kept.ping(&name, sending.address(), &by, now)?;
        Ok((sending.telling.send(&due)?, name))
    });
    came(sent.await)
}

/// `GET /api/v1/webhooks/{webhook}/deliveries`
pub(crate) async fn deliveries(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    asker: Asker,
) -> Result<Response, Problem> {
    let most = match query.as_deref().unwrap_or_default() {
        "" => USUAL,
        query => query.strip_prefix("most=").and_then(|most| most.parse().ok()).ok_or_else(|| {
            Problem::new(Code::BadRequest, format!("it can be asked for with `?most=`, up to {MOST}"))
        })?,
    };
    Ok(json(StatusCode::OK, &Deliveries { deliveries: delivered(&app, &asker, name, most).await? }))
}

/// What a webhook was told, for an administrator.
pub(crate) async fn delivered(
    app: &Arc<App>,
    asker: &Asker,
    name: String,
    most: u32,
) -> Result<Vec<Delivery>, Problem> {
    asker.administrator()?;
    on_webhooks(app, move |kept| kept.deliveries(&name, most.min(MOST))).await
}

/// `POST /api/v1/webhooks/{webhook}/deliveries/{delivery}`
pub(crate) async fn redeliver(
    State(app): State<Arc<App>>,
    Path((name, id)): Path<(String, String)>,
    asker: Asker,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &redelivered(&app, &asker, name, id).await?))
}

/// Sends something once more, for an administrator who waits for the answer.
pub(crate) async fn redelivered(
    app: &Arc<App>,
    asker: &Asker,
    name: String,
    id: String,
) -> Result<Delivery, Problem> {
    let _place = waiting(app, asker)?;
    let sending = app.clone();
    let sent = blocking(move || {
        let due = sending.telling.kept.again(&name, &id)?;
        Ok((sending.telling.send(&due)?, name))
    });
    came(sent.await)
}

/// A place to wait for a receiver, for an administrator.
fn waiting(app: &App, asker: &Asker) -> Result<Place, Problem> {
    asker.administrator()?;
    app.asking_providers.place(&asker.place())
}

/// What came of what was sent; nothing if the webhook was removed meanwhile.
fn came(sent: Result<(Option<Delivery>, String), WebhookError>) -> Result<Delivery, Problem> {
    let sent = sent.and_then(|(sent, name)| sent.ok_or(WebhookError::None(name)));
    sent.map_err(|error| told(&error))
}

/// Refuses what could not be told anything.
async fn check(
    app: &Arc<App>,
    asker: &Asker,
    url: Option<&str>,
    registries: Option<&BTreeSet<String>>,
) -> Result<(), Problem> {
    if let Some(url) = url {
        app.telling.check(url)?;
    }
    for name in registries.into_iter().flatten() {
        check_registry(app, asker, name).await?;
    }
    Ok(())
}

fn accounting(app: &Arc<App>, asker: &Asker, action: &str, name: &str) -> Accounting {
    Accounting::of(app, asker, None, action).about(name)
}

/// Does something with the webhooks, on a thread that may block.
async fn on_webhooks<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&Webhooks) -> Result<T, WebhookError> + Send + 'static,
) -> Result<T, Problem> {
    let app = app.clone();
    blocking(move || work(&app.telling.kept)).await.map_err(|error| told(&error))
}

fn told(error: &WebhookError) -> Problem {
    let code = match error {
        WebhookError::None(_) | WebhookError::NoDelivery(_) => Code::NotFound,
        WebhookError::Taken(_) | WebhookError::TooMany => Code::Conflict,
        WebhookError::Unusable(_) => Code::BadDocument,
        WebhookError::Strange(_)
        | WebhookError::Database(_)
        | WebhookError::Json(_)
        | WebhookError::Random(_)
        | WebhookError::Io(_) => return Problem::internal(error),
    };
    Problem::new(code, error.to_string())
}
