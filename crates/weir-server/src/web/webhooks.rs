//! Pages of webhooks, and what is done on them: for administrators.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use weir_web::{WebhookPage, WebhooksPage, address, seen};
use weir_wire::webhooks::{ChangeWebhook, MadeWebhook, NewWebhook};

use super::account::{administrators_only, go};
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
    show(&app, &form.visitor, StatusCode::CREATED, made).await
}

/// `GET /-/webhooks/{name}`
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    administrators_only(&visitor)?;
    let webhook = webhooks::one(&app, &visitor.asker, name).await?;
    show(&app, &visitor, StatusCode::OK, MadeWebhook { webhook, secret: None }).await
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
    let change = match form.field("what") {
        Some("pause") => ChangeWebhook { paused: Some(true), ..nothing },
        Some("resume") => ChangeWebhook { paused: Some(false), ..nothing },
        Some("secret") => ChangeWebhook { new_secret: true, ..nothing },
        _ => return Err(unreadable("it is not said what is to become of the webhook")),
    };
    let changed = webhooks::changed(&app, &form.visitor.asker, name.clone(), change).await?;
    match changed.secret.is_some() {
        true => show(&app, &form.visitor, StatusCode::OK, changed).await,
        false => Ok(go(&address::webhook(&name))),
    }
}

/// `POST /-/webhooks/{name}/ping`
pub(crate) async fn ping(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    webhooks::pinged(&app, &form.visitor.asker, name.clone()).await?;
    Ok(go(&address::webhook(&name)))
}

/// `POST /-/webhooks/{name}/again`
pub(crate) async fn again(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let which = form.field("which").ok_or_else(|| unreadable("`which` is missing"))?.to_owned();
    webhooks::redelivered(&app, &form.visitor.asker, name.clone(), which).await?;
    Ok(go(&address::webhook(&name)))
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
    webhooks::removed(&app, &form.visitor.asker, name).await?;
    Ok(go(address::WEBHOOKS))
}

/// The page of a webhook, if it is another than the one whose page the form was on.
async fn changed_since(app: &Arc<App>, name: &str, form: &Form) -> Result<Option<Response>, Problem> {
    administrators_only(&form.visitor)?;
    let webhook = webhooks::one(app, &form.visitor.asker, name.to_owned()).await?;
    if !form.saw_another(&seen::webhook(&webhook)) {
        return Ok(None);
    }
    let made = MadeWebhook { webhook, secret: None };
    show(app, &form.visitor.told(CHANGED), StatusCode::CONFLICT, made).await.map(Some)
}

async fn show(
    app: &Arc<App>,
    visitor: &Visitor,
    status: StatusCode,
    MadeWebhook { webhook, secret }: MadeWebhook,
) -> Result<Response, Problem> {
    let name = webhook.name.to_string();
    let deliveries = webhooks::delivered(app, &visitor.asker, name, DELIVERIES).await?;
    let frame = visitor.frame();
    let page = WebhookPage {
        frame: &frame,
        webhook: &webhook,
        secret: secret.as_deref(),
        deliveries: &deliveries,
        now: visitor.asker.at,
    };
    answer(visitor, status, page.page())
}
