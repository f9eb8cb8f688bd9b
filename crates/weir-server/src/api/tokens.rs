//! The tokens of who asks.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use weir_accounts::Speaker;
use weir_wire::people::{MadeToken, NewToken};

use super::people::on_accounts;
use super::{SignedDocument, json};
use crate::accounting::Accounting;
use crate::app::App;
use crate::asker::Asker;
use crate::problem::{Code, Problem};
use weir_model::unseen::Named as _;

/// `GET /api/v1/tokens`
pub(crate) async fn list(State(app): State<Arc<App>>, asker: Asker) -> Result<Response, Problem> {
    let (owner, now) = (asker.person()?.name.clone(), asker.at);
    Ok(json(StatusCode::OK, &on_accounts(&app, move |accounts| accounts.tokens(&owner, now)).await?))
}

/// `POST /api/v1/tokens`
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    asker: Asker,
    SignedDocument(new): SignedDocument<NewToken>,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::CREATED, &made(&app, &asker, new).await?))
}

/// Makes a token that speaks for who asks.
pub(crate) async fn made(app: &Arc<App>, asker: &Asker, new: NewToken) -> Result<MadeToken, Problem> {
    let (owner, now) = (asker.person()?.name.clone(), asker.at);
    for name in &new.registries {
        check_registry(app, asker, name).await?;
    }
    let accounting = Accounting::of(app, asker, None, "token-created").about(new.name.clone());
    let made = on_accounts(app, move |accounts| {
        let (token, secret) = accounts.issue(&owner, &new, now)?;
        Ok(MadeToken { token, secret: secret.reveal().to_owned() })
    });
    accounting.note(made.await).await
}

/// Refuses a name of no registry that who asks may see. One that was mistyped would make a token that opens nothing, which is noticed
/// late.
pub(super) async fn check_registry(app: &Arc<App>, asker: &Asker, name: &str) -> Result<(), Problem> {
    app.served(asker, name).await.map(drop).map_err(|_| {
        let detail = format!("no registry `{}` is served here, or none that you may see", name.named());
        Problem::new(Code::BadDocument, detail)
    })
}

/// `DELETE /api/v1/tokens/{name or id}`; `current` is the one that asks.
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    Path(which): Path<String>,
    asker: Asker,
) -> Result<Response, Problem> {
    revoked(&app, &asker, &which).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Has a token of who asks speak for nobody any longer. Gives what it is called, where somebody called it anything.
pub(crate) async fn revoked(app: &Arc<App>, asker: &Asker, which: &str) -> Result<Option<String>, Problem> {
    let now = asker.at;
    // Any token may be given up by whoever has it.
    let whose = match (which, asker.speaker()?) {
        ("current", Speaker::User(speaker)) => Some((speaker.user.name.clone(), speaker.token.id.clone())),
        ("current", Speaker::Workload(_)) => None,
        _ => Some((asker.person()?.name.clone(), which.to_owned())),
    };
    let which = whose.as_ref().map(|(_, which)| which.clone()).or(asker.token()).unwrap_or_default();
    let accounting = Accounting::of(app, asker, None, "token-revoked").about(which.clone());
    let revoked = on_accounts(app, move |accounts| match whose {
        Some((owner, which)) => accounts.revoke(&owner, &which, now).map(|token| Some(token.name)),
        None => accounts.revoke_workload(&which).map(|()| None),
    });
    accounting.note(revoked.await).await
}
