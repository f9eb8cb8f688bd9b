//! Pages of webhooks, and what is done on them: for administrators.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use weir_web::{Done, WebhookPage, WebhooksPage, address, seen};
use weir_wire::webhooks::{ChangeWebhook, Delivery, DeliveryState, NewWebhook, Webhook};

use super::account::{administrators_only, go_told};
use super::form::{CHANGED, Form, unreadable};
use super::{Visitor, answer};
use crate::api::webhooks;
use crate::app::App;
use crate::problem::Problem;

/// So much of what one was told is on its page.
const DELIVERIES: u32 = 50;

/// `GET /-/webhooks`
pub(crate) async fn all(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Problem> {
    administrators_only(&visitor)?;
    let webhooks = webhooks::all(&app, &visitor.asker).await?;
    let registries = super::reading::visible(&app, &visitor).await?;
    let frame = visitor.frame();
    let page =
        WebhooksPage { frame: &frame, webhooks: &webhooks, registries: &registries, now: visitor.asker.at };
    answer(&visitor, StatusCode::OK, page.page())
}

/// `POST /-/webhooks`
pub(crate) async fn add(State(app): State<Arc<App>>, form: Form) -> Result<Response, Problem> {
    let events = form.chosen("event")?;
    let new = NewWebhook {
        name: form.read("name")?,
        url: form.field("url").unwrap_or_default().to_owned(),
        events,
        registries: form.fields("registry").map(str::to_owned).collect(),
    };
    let made = webhooks::created(&app, &form.visitor.asker, new).await?;
    let name = made.webhook.name.as_str();
    let done = Done::webhook(name, made.secret.as_deref().unwrap_or_default(), true);
    Ok(go_told(&app, &form.visitor, &address::webhook(name), done))
}

/// `GET /-/webhooks/{name}`
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    administrators_only(&visitor)?;
    let webhook = webhooks::one(&app, &visitor.asker, name).await?;
    show(&app, &visitor, StatusCode::OK, webhook).await
}

/// `POST /-/webhooks/{name}/change`
pub(crate) async fn change(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    if let Some(page) = changed_since(&app, &name, &form).await? {
        return Ok(page);
    }
    let nothing = ChangeWebhook::default();
    let (change, became) = match form.field("what") {
        Some("pause") => (ChangeWebhook { paused: Some(true), ..nothing }, "is paused"),
        Some("resume") => (ChangeWebhook { paused: Some(false), ..nothing }, "is told again what happens"),
        Some("secret") => (ChangeWebhook { new_secret: true, ..nothing }, ""),
        _ => return Err(unreadable("it is not said what is to become of the webhook")),
    };
    let changed = webhooks::changed(&app, &form.visitor.asker, name.clone(), change).await?;
    let done = match changed.secret {
        Some(secret) => Done::webhook(&name, &secret, false),
        None => Done::said(format!("the webhook `{name}` {became}")),
    };
    Ok(go_told(&app, &form.visitor, &address::webhook(&name), done))
}

/// `POST /-/webhooks/{name}/ping`
pub(crate) async fn ping(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    form.seen()?;
    let sent = webhooks::pinged(&app, &form.visitor.asker, name.clone()).await?;
    Ok(go_told(&app, &form.visitor, &address::webhook(&name), Done::said(came_of("the test", &sent))))
}

/// `POST /-/webhooks/{name}/again`
pub(crate) async fn again(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    form.seen()?;
    let which = form.required("which")?.to_owned();
    let sent = webhooks::redelivered(&app, &form.visitor.asker, name.clone(), which).await?;
    Ok(go_told(&app, &form.visitor, &address::webhook(&name), Done::said(came_of("it", &sent))))
}

/// What came of something that was sent just now.
fn came_of(what: &str, sent: &Delivery) -> String {
    let last = sent.attempts.last();
    let status =
        last.and_then(|last| last.status).map(|status| format!(" with {status}")).unwrap_or_default();
    match (sent.state, last.and_then(|last| last.error.as_deref())) {
        (DeliveryState::Delivered, _) => format!("{what} was delivered: the receiver answered{status}"),
        (_, Some(error)) => {
            let error: String = error.chars().take(300).collect();
            format!("{what} was sent, and not delivered: {error}")
        }
        (_, None) => format!("{what} was sent, and not delivered"),
    }
}

/// `POST /-/webhooks/{name}/remove`
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    if let Some(page) = changed_since(&app, &name, &form).await? {
        return Ok(page);
    }
    webhooks::removed(&app, &form.visitor.asker, name.clone()).await?;
    let done = Done::said(format!("the webhook `{name}` is removed, and is told nothing any longer"));
    Ok(go_told(&app, &form.visitor, address::WEBHOOKS, done))
}

/// The page of a webhook, if it is another than the one whose page the form was on.
async fn changed_since(app: &Arc<App>, name: &str, form: &Form) -> Result<Option<Response>, Problem> {
    administrators_only(&form.visitor)?;
    let webhook = webhooks::one(app, &form.visitor.asker, name.to_owned()).await?;
    if !form.saw_another(&seen::webhook(&webhook))? {
        return Ok(None);
    }
    show(app, &form.visitor.told(CHANGED), StatusCode::CONFLICT, webhook).await.map(Some)
}

async fn show(
    app: &Arc<App>,
    visitor: &Visitor,
    status: StatusCode,
    webhook: Webhook,
) -> Result<Response, Problem> {
    let name = webhook.name.to_string();
    let deliveries = webhooks::delivered(app, &visitor.asker, name, DELIVERIES).await?;
    let frame = visitor.frame();
    let page =
        WebhookPage { frame: &frame, webhook: &webhook, deliveries: &deliveries, now: visitor.asker.at };
    answer(visitor, status, page.page())
}
