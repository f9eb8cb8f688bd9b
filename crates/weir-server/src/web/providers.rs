//! Signing in by an identity provider: out to it, and back.
//!
//! What a browser began is in a cookie of it, and what the provider is asked is made of that cookie ([`Question`]). So whoever comes back
//! with another cookie, or none, or with an answer to another question, is not signed in: nobody signs somebody else in, nor in as them.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::header::{HeaderName, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use ulid::Ulid;
use weir_accounts::Secret;
use weir_openid::{Arrival, IdentityError, Question};
use weir_web::{Done, LeavingPage, address};
use weir_wire::AccountName;

use super::account::{Typed, cookie_line, forget, go_told, local, show_sign_in, signed_in_as};
use super::form::{Form, unreadable};
use super::{Visitor, answer, pairs};
use crate::accounting::Accounting;
use crate::api::people;
use crate::app::App;
use crate::files::blocking;
use crate::identity_providers::IdentityProvider;
use crate::problem::{Code, Problem};

/// For so long somebody may be on their way.
const ON_THE_WAY: SignedDuration = SignedDuration::from_mins(10);

/// The longest invitation that is passed on, in bytes.
const MAX_INVITATION: usize = 200;

/// Has a browser go on elsewhere. A form may only lead to this server itself, also by a redirect: so it leads to a page, and that goes on.
const REFRESH: HeaderName = HeaderName::from_static("refresh");

/// What a browser began.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Began {
    provider: String,
    back: String,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invitation: Option<String>,
    /// The name that whoever was invited chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<AccountName>,
    /// Who wants to sign in by the provider from now on, where that is all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<AccountName>,
}

impl Began {
    /// The cookie, which nobody guesses.
    fn cookie(&self) -> Result<String, Problem> {
        let said = serde_json::to_vec(self).map_err(|error| Problem::internal(&error))?;
        Ok(format!("{}{}.{}", Ulid::generate(), Ulid::generate(), URL_SAFE_NO_PAD.encode(said)))
    }

    fn read(cookie: &str) -> Option<Self> {
        let (_, said) = cookie.split_once('.')?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(said).ok()?).ok()
    }
}

/// `POST /-/sign-in/with/{provider}`: out to it.
pub(crate) async fn leave(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let visitor = &form.visitor;
    let provider = found(&app, &name)?;
    if visitor.origin() != app.address() {
        let detail = format!(
            "the provider sends people back to `{0}`, and you are at another address: open `{0}`, and sign in there",
            app.address()
        );
        return Err(Problem::new(Code::BadRequest, detail));
    }
    let link = match form.field("link") {
        Some(_) => Some(visitor.asker.person()?.name.clone()),
        None => None,
    };
    let invitation = form.field("invitation").map(str::to_owned);
    if invitation.as_ref().is_some_and(|invitation| invitation.len() > MAX_INVITATION) {
        return Err(unreadable("an invitation is shorter"));
    }
    let began = Began {
        provider: name.clone(),
        back: local(form.as_typed("back")).to_owned(),
        at: visitor.asker.at,
        name: form.field("name").filter(|_| invitation.is_some()).map(|_| form.read("name")).transpose()?,
        invitation,
        link,
    };
    let cookie = began.cookie()?;
    let (application, question) = (provider.application(app.address()), Question::of(&cookie));
    let _place = app.asking_providers.place(&visitor.asker.place())?;
    let asking = app.clone();
    let to = blocking(move || asking.identity_providers.openid.ask(&application, &question)).await;
    let to = match to {
        Ok(to) => to,
        Err(error) => return refused(&app, visitor, &began, told(provider, &error)),
    };
    let frame = visitor.frame();
    let page = LeavingPage { frame: &frame, title: provider.title(), to: &to };
    let mut response = answer(visitor, StatusCode::OK, page.page())?;
    let refresh =
        HeaderValue::from_str(&format!("0; url={to}")).map_err(|error| Problem::internal(&error))?;
    let headers = response.headers_mut();
    headers.insert(REFRESH, refresh);
    // Where somebody is about to sign in is nobody's to keep.
    super::set(headers, axum::http::header::CACHE_CONTROL, "private, no-store");
    let line =
        cookie_line(visitor.provider_cookie_name(), &cookie, ON_THE_WAY.as_secs(), visitor.is_encrypted());
    headers.append(SET_COOKIE, line?);
    Ok(response)
}

/// `GET /-/sign-in/with/{provider}?code=…&state=…`: back from it.
pub(crate) async fn arrive(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let provider = found(&app, &name)?;
    let query = query.unwrap_or_default();
    let said = |wanted: &str| {
        let mut found = pairs(&query).filter(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
        // What is said twice is read by one as the first and by another as the last.
        found.next().filter(|_| found.next().is_none())
    };
    let unknown = || {
        let detail = "this browser did not begin to sign in by this, or has begun anew since: sign in again";
        Problem::new(Code::NotSignedIn, detail)
    };
    let nothing = Began {
        provider: name.clone(),
        back: address::HOME.to_owned(),
        at: visitor.asker.at,
        invitation: None,
        name: None,
        link: None,
    };
    let cookie = visitor.provider_cookie().unwrap_or_default().to_owned();
    let question = Question::of(&cookie);
    let began = Began::read(&cookie)
        .filter(|began| began.provider == name && said("state").as_deref() == Some(question.state.as_str()));
    let Some(began) = began else { return refused(&app, &visitor, &nothing, unknown()) };
    if visitor.asker.at.duration_since(began.at) > ON_THE_WAY {
        let late = Problem::new(Code::NotSignedIn, "it took more than ten minutes: sign in again");
        return refused(&app, &visitor, &began, late);
    }
    let Some(code) = said("code") else {
        let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
        let error: String = said("error").unwrap_or_default().chars().filter(plain).take(60).collect();
        let detail = format!("{} did not sign you in: `{error}`", provider.title());
        return refused(&app, &visitor, &began, Problem::new(Code::NotSignedIn, detail));
    };
    let came = by_code(&app, &visitor, provider, &began, question, code, said("iss")).await;
    match came {
        Ok(mut response) => {
            forget(&mut response, visitor.provider_cookie_name(), visitor.is_encrypted());
            Ok(response)
        }
        Err(problem) => refused(&app, &visitor, &began, problem),
    }
}

/// Signs somebody in, or links them, by the code that they brought.
async fn by_code(
    app: &Arc<App>,
    visitor: &Visitor,
    provider: &IdentityProvider,
    began: &Began,
    question: Question,
    code: String,
    issuer: Option<String>,
) -> Result<Response, Problem> {
    let asker = &visitor.asker;
    // Each holds a thread while the provider is asked, in a place of their own: whoever has a password waits for none of them.
    let place = app.asking_providers.place(&asker.place())?;
    let (asking, application) = (app.clone(), provider.application(app.address()));
    let identity = blocking(move || {
        let arrival = Arrival { code: &code, issuer: issuer.as_deref() };
        asking.identity_providers.openid.identify(&application, &question, arrival)
    });
    // That somebody brought what proves nothing is no event: anybody can bring as much of it as they like, as nobody.
    let identity = identity.await.map_err(|error| told(provider, &error))?;
    drop(place);
    let said = provider.said(&identity);
    if let Some(name) = &began.link {
        let who = asker.person()?.name.clone();
        if who != *name {
            let detail = "somebody else has signed in with this browser meanwhile: begin again";
            return Err(Problem::new(Code::NotSignedIn, detail));
        }
        let now = asker.at;
        let about = format!("{} {}", said.issuer, said.subject);
        let accounting = Accounting::of(app, asker, None, "identity-linked").about(about);
        let linked = people::on_accounts(app, move |accounts| accounts.link(&who, &said, now)).await;
        accounting.note(linked).await?;
        let done = Done::said(format!("you can sign in with {} from now on", provider.title()));
        return Ok(go_told(app, visitor, address::ACCOUNT, done));
    }
    let invitation = began.invitation.clone().map(Secret::given);
    let signed_in =
        people::signed_in_as(app, asker, said, invitation, began.name.clone(), super::account::browser());
    Ok(signed_in_as(app, visitor, &signed_in.await?, local(&began.back)).await)
}

/// `POST /-/account/unlink`
pub(crate) async fn unlink(State(app): State<Arc<App>>, form: Form) -> Result<Response, Problem> {
    let asker = &form.visitor.asker;
    let who = asker.person()?.name.clone();
    let (issuer, subject) = (form.required("issuer")?.to_owned(), form.required("subject")?.to_owned());
    let gone = issuer.clone();
    let accounting =
        Accounting::of(&app, asker, None, "identity-unlinked").about(format!("{issuer} {subject}"));
    let unlinked = people::on_accounts(&app, move |accounts| accounts.unlink(&who, &issuer, &subject)).await;
    accounting.note(unlinked).await?;
    let title = app.identity_providers.title_of(&gone).unwrap_or(&gone).to_owned();
    let done = Done::said(format!("you sign in with that account of {title} no longer"));
    Ok(go_told(&app, &form.visitor, address::ACCOUNT, done))
}

/// The page to sign in on again, with why it did not work. What was begun is over.
fn refused(app: &App, visitor: &Visitor, began: &Began, problem: Problem) -> Result<Response, Problem> {
    if problem.status() == StatusCode::INTERNAL_SERVER_ERROR {
        return Err(problem);
    }
    let typed =
        Typed { back: &began.back, name: "", invitation: began.invitation.as_deref().unwrap_or_default() };
    let mut response = show_sign_in(app, visitor, problem.status(), &typed, Some(problem.detail()))?;
    forget(&mut response, visitor.provider_cookie_name(), visitor.is_encrypted());
    Ok(response)
}

fn found<'a>(app: &'a App, name: &str) -> Result<&'a IdentityProvider, Problem> {
    let none = || Problem::new(Code::NotFound, "nobody signs in here by a provider of that name");
    app.identity_providers.find(name).ok_or_else(none)
}

/// Why somebody was not signed in. What a provider does wrong is in the log, and is not told to everybody who comes by.
fn told(provider: &IdentityProvider, error: &IdentityError) -> Problem {
    let title = provider.title();
    match error {
        IdentityError::NotGood(reason) => {
            Problem::new(Code::NotSignedIn, format!("{title} did not sign you in: {reason}"))
        }
        IdentityError::Malformed(reason) => {
            tracing::warn!(provider = title, reason, "what an identity provider gave is no token");
            Problem::new(Code::IdentityProvider, format!("what {title} says cannot be read"))
        }
        IdentityError::OtherIssuer(_) => Problem::new(
            Code::NotSignedIn,
            format!("{title} did not sign you in: what it gave is of another provider"),
        ),
        IdentityError::Unreachable { reason, .. } => {
            tracing::warn!(provider = title, reason, "nobody can sign in by an identity provider");
            let detail = format!(
                "{title} does not answer as it should; the log of the server says why. Try again, or sign in in another way"
            );
            Problem::new(Code::IdentityProvider, detail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_is_read_back_and_nothing_else_is() {
        let began = Began {
            provider: "work".into(),
            back: "/team".into(),
            at: Timestamp::UNIX_EPOCH,
            invitation: Some("weir_x".into()),
            name: None,
            link: Some("ann".parse().unwrap()),
        };
        let cookie = began.cookie().unwrap();
        let read = Began::read(&cookie).unwrap();
        assert_eq!(
            (read.provider, read.invitation, read.link),
            (began.provider, began.invitation, began.link)
        );
        for other in ["", ".", "x", "x.y", "x.e30"] {
            assert!(Began::read(other).is_none(), "{other}");
        }
    }
}
