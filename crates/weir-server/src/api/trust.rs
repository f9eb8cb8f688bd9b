//! Programs that are trusted by what an identity provider says of them: who trusts which, and the tokens they get.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use weir_accounts::{AccountError, Proved};
use weir_openid::{Expected, Identity, IdentityError};
use weir_policy::Principal;
use weir_wire::trust::{ACCESS_TOKEN, Exchange, Exchanged, ID_TOKEN, JWT, NewTrust, TOKEN_EXCHANGE, Trust};

use super::people::{on_accounts, on_accounts_in};
use super::tokens::check_registry;
use super::{Fields, SignedDocument, json, sent_field};
use crate::accounting::Accounting;
use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::problem::{Code, Problem};
use weir_model::unseen::Named as _;

/// `GET /api/v1/trust`: one's own rules; those of everybody for who governs the server.
pub(crate) async fn list(State(app): State<Arc<App>>, asker: Asker) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &listed(&app, &asker).await?))
}

/// The rules that are for who asks.
pub(crate) async fn listed(app: &Arc<App>, asker: &Asker) -> Result<Vec<Trust>, Problem> {
    let maker = maker(asker)?;
    on_accounts(app, move |accounts| accounts.trusts(maker.as_ref())).await
}

/// `POST /api/v1/trust`
pub(crate) async fn add(
    State(app): State<Arc<App>>,
    asker: Asker,
    SignedDocument(new): SignedDocument<NewTrust>,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::CREATED, &added(&app, &asker, new).await?))
}

/// Trusts a program, on behalf of who asks.
pub(crate) async fn added(app: &Arc<App>, asker: &Asker, new: NewTrust) -> Result<Trust, Problem> {
    let (maker, now) = (asker.person()?.name.clone(), asker.at);
    check_registry(app, asker, &new.registry).await?;
    if !app.openid.has(&new.issuer) {
        let believed: Vec<String> = app.openid.issuers().map(|issuer| format!("`{issuer}`")).collect();
        let detail = format!(
            "`{}` is no identity provider that this server believes: {} (the setting `openid.workload-issuers`)",
            new.issuer.named(),
            if believed.is_empty() {
                "it believes none".to_owned()
            } else {
                format!("it believes {}", believed.join(", "))
            }
        );
        return Err(Problem::new(Code::BadDocument, detail));
    }
    let claims: Vec<String> = new.claims.iter().map(|(claim, value)| format!("{claim}={value}")).collect();
    let accounting = Accounting::of(app, asker, Some(&new.registry), "trust-added").about(format!(
        "{} {}",
        new.issuer,
        claims.join(" ")
    ));
    let added = on_accounts(app, move |accounts| accounts.add_trust(&maker, &new, now)).await;
    accounting.note(added).await
}

/// `DELETE /api/v1/trust/{id}`
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    asker: Asker,
) -> Result<Response, Problem> {
    removed(&app, &asker, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Trusts a program no longer.
pub(crate) async fn removed(app: &Arc<App>, asker: &Asker, id: String) -> Result<(), Problem> {
    let maker = maker(asker)?;
    let accounting = Accounting::of(app, asker, None, "trust-removed").about(id.clone());
    let removed = on_accounts(app, move |accounts| accounts.remove_trust(&id, maker.as_ref())).await;
    accounting.note(removed).await?;
    Ok(())
}

/// Whose rules are looked at: one's own, or all by who governs the server.
fn maker(asker: &Asker) -> Result<Option<weir_wire::AccountName>, Problem> {
    let user = asker.person()?;
    Ok((!user.is_administrator()).then(|| user.name.clone()))
}

/// `POST /api/v1/token-exchange`: gives a program a token for its identity token (RFC 8693).
pub(crate) async fn exchange(
    State(app): State<Arc<App>>,
    asker: Asker,
    Fields(body): Fields,
) -> Result<Response, Problem> {
    let token = identity_token(&body)?;
    // What is no good by what it says itself takes no place, and is no event either: anybody can send as much of it as they like.
    app.openid.look(&token, &audiences(&app).expected()).map_err(|error| told(&error))?;
    // Each holds a thread while a provider is asked: who comes from one place has a few of them.
    let place = app.exchanging.place(&asker.place())?;
    let accounting = Accounting::of(&app, &asker, None, "token-exchanged");
    let verifying = app.clone();
    let proved = match blocking(move || prove(&verifying, &token)).await {
        Ok(identity) => identity,
        Err(problem) => return accounting.note(Err(problem)).await,
    };
    let principal =
        Principal::workload(proved.issuer.as_str(), proved.subject.as_str(), proved.claims.clone());
    let accounting = accounting.on_behalf_of(principal.to_string());
    let now = asker.at;
    let exchanged = on_accounts_in(&app, place, move |accounts| accounts.exchange(&proved, now)).await;
    let registries = exchanged.as_ref().map_or_else(
        |_| String::new(),
        |(_, speaker)| {
            let names: Vec<&str> = speaker.told.grants.iter().map(|grant| grant.registry.as_str()).collect();
            names.join(", ")
        },
    );
    let (secret, speaker) = accounting.about(registries).note(exchanged).await?;
    let given = Exchanged {
        access_token: secret.reveal().to_owned(),
        issued_token_type: ACCESS_TOKEN.to_owned(),
        token_type: "Bearer".to_owned(),
        expires_in: u64::try_from(speaker.told.expires.as_second() - now.as_second()).unwrap_or_default(),
    };
    Ok(json(StatusCode::OK, &given))
}

/// The identity token in a form.
fn identity_token(body: &[u8]) -> Result<String, Problem> {
    let bad = |detail: &str| Problem::new(Code::BadDocument, detail);
    let field = |name: &str| sent_field(body, name);
    let Exchange { grant_type, subject_token, subject_token_type } = Exchange {
        grant_type: field("grant_type").unwrap_or_default(),
        subject_token: field("subject_token")
            .ok_or_else(|| bad("`subject_token` is the identity token, once"))?,
        subject_token_type: field("subject_token_type").unwrap_or_default(),
    };
    if grant_type != TOKEN_EXCHANGE {
        return Err(bad("`grant_type` is that of a token exchange (RFC 8693)"));
    }
    if ![ID_TOKEN, JWT].contains(&subject_token_type.as_str()) {
        return Err(bad("`subject_token_type` is that of an identity token (RFC 8693)"));
    }
    Ok(subject_token)
}

/// What this server is called by those who say whom a token is for.
struct Audiences([String; 2]);

fn audiences(app: &App) -> Audiences {
    let address = app.address();
    Audiences([address.to_owned(), format!("{address}/")])
}

impl Audiences {
    fn expected(&self) -> Expected<'_> {
        Expected { audiences: &self.0, nonce: None }
    }
}

/// What an identity token proves. Its issuer is asked nothing where nobody trusts any program of theirs.
fn prove(app: &App, token: &str) -> Result<Proved, Problem> {
    let issuer = app.openid.issuer_of(token).map_err(|error| told(&error))?;
    let is_of_use = app.accounts.trusts_any_of(issuer.as_str()).map_err(|error| Problem::internal(&error))?;
    if !is_of_use {
        let nobody =
            AccountError::NotTrusted { issuer: issuer.to_string(), subject: "any program".to_owned() };
        return Err(Problem::new(Code::NotSignedIn, nobody.to_string()));
    }
    let identity: Identity =
        app.openid.verify(token, &audiences(app).expected()).map_err(|error| told(&error))?;
    let claims = identity.claims();
    Ok(Proved {
        issuer: identity.issuer.to_string(),
        subject: identity.subject,
        claims,
        token: identity.token,
        until: identity.expires,
    })
}

fn told(error: &IdentityError) -> Problem {
    let code = match error {
        IdentityError::Malformed(_) => Code::BadDocument,
        IdentityError::OtherIssuer(_) | IdentityError::NotGood(_) => Code::NotSignedIn,
        IdentityError::Unreachable { .. } => Code::IdentityProvider,
    };
    Problem::new(code, error.to_string())
}
