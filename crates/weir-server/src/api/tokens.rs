//! The tokens of who asks.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use weir_wire::people::{MadeToken, NewToken};

use super::people::on_accounts;
use super::{SignedDocument, json};
use crate::accounting::Accounting;
use crate::app::App;
use crate::asker::Asker;
use crate::problem::{Code, Problem};
use crate::registries::RegistryName;

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
        // A name that was mistyped would make a token that opens nothing, which is noticed late.
        app.served(asker, name).await.map_err(|_| {
            let shown = name.chars().take(RegistryName::MAX_LEN).collect::<String>();
            let shown = shown.escape_debug();
            Problem::new(
                Code::BadDocument,
                format!("no registry `{shown}` is served here, or none that you may see"),
            )
        })?;
    }
    let accounting = Accounting::of(app, asker, None, "token-created").about(new.name.clone());
    let made = on_accounts(app, move |accounts| {
        let (token, secret) = accounts.issue(&owner, &new, now)?;
        Ok(MadeToken { token, secret: secret.reveal().to_owned() })
    });
    accounting.note(made.await).await
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

/// Has a token of who asks speak for nobody any longer.
pub(crate) async fn revoked(app: &Arc<App>, asker: &Asker, which: &str) -> Result<(), Problem> {
    let now = asker.at;
    // Any token may be given up by whoever has it.
    let (owner, which) = match which {
        "current" => {
            let speaker = asker.speaker()?;
            (speaker.user.name.clone(), speaker.token.id.clone())
        }
        _ => (asker.person()?.name.clone(), which.to_owned()),
    };
    let accounting = Accounting::of(app, asker, None, "token-revoked").about(which.clone());
    let revoked = on_accounts(app, move |accounts| accounts.revoke(&owner, &which, now));
    accounting.note(revoked.await).await.map(drop)
}
