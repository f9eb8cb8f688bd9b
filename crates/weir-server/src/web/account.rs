//! Signing in and out, and one's own tokens.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use ulid::Ulid;
use weir_policy::{TokenScope, Verb};
use weir_web::{AccountPage, Done, Frame, Linked, SignInPage, SignInProvider, address};
use weir_wire::people::{Accept, LinkedIdentity, NewToken, SignIn, SignedIn, TokenEnd};

use super::form::{Form, unreadable};
use super::{Visitor, answer, asked_for};
use crate::api::{people, tokens};
use crate::app::App;
use crate::identity_providers::IdentityProvider;
use crate::problem::{Code, Problem};

/// For how long the cookie of a form for signing in is good, in seconds.
const BEGUN: i64 = 3600;

/// The longest that a token made here is good for, in days.
const LONGEST: u32 = 366;

/// `GET /-/sign-in`
pub(crate) async fn sign_in_page(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let asked = |wanted| asked_for(Some(&query), wanted);
    let (back, invitation) = (asked("back").unwrap_or_default(), asked("invitation").unwrap_or_default());
    let back = local(&back);
    // Whoever has signed in as somebody else is told so before they accept anything.
    if !visitor.asker.is_anonymous() && invitation.is_empty() {
        return Ok(go(back));
    }
    // Following the link only shows the form: what looks at links in advance uses no invitation up.
    let typed = Typed { back, name: "", invitation: &invitation };
    show_sign_in(&app, &visitor, StatusCode::OK, &typed, None)
}

/// `POST /-/sign-in`
pub(crate) async fn sign_in(State(app): State<Arc<App>>, form: Form) -> Result<Response, Problem> {
    let visitor = &form.visitor;
    let (name, back) = (form.field("name").unwrap_or_default(), local(form.as_typed("back")));
    let password = form.as_typed("password").to_owned();
    let machine = browser();
    let signed_in = match form.field("invitation") {
        Some(invitation) => {
            let name = form.field("name").map(|_| form.read("name")).transpose()?;
            let accept = Accept { invitation: invitation.to_owned(), name, password, machine };
            people::accepted(&app, &visitor.asker, accept).await
        }
        None => {
            people::signed_in(&app, &visitor.asker, SignIn { name: name.to_owned(), password, machine }).await
        }
    };
    match signed_in {
        Ok(signed_in) => Ok(signed_in_as(&app, visitor, &signed_in, back).await),
        Err(problem) if problem.status() == StatusCode::INTERNAL_SERVER_ERROR => Err(problem),
        Err(problem) => {
            let typed = Typed { back, name, invitation: form.as_typed("invitation") };
            show_sign_in(&app, visitor, problem.status(), &typed, Some(problem.detail()))
        }
    }
}

/// What a browser is called where somebody is signed in.
pub(super) fn browser() -> String {
    format!("browser-{}", &Ulid::generate().to_string().to_lowercase()[18..])
}

/// `POST /-/sign-out`
pub(crate) async fn sign_out(State(app): State<Arc<App>>, form: Form) -> Result<Response, Problem> {
    if !form.visitor.asker.is_anonymous() {
        tokens::revoked(&app, &form.visitor.asker, "current").await?;
    }
    let mut response = go(address::HOME);
    forget(&mut response, form.visitor.cookie_name(), form.visitor.is_encrypted());
    Ok(response)
}

/// `GET /-/account`
pub(crate) async fn account(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Problem> {
    show(&app, &visitor).await
}

/// `POST /-/account/tokens`
pub(crate) async fn make_token(State(app): State<Arc<App>>, form: Form) -> Result<Response, Problem> {
    let visitor = &form.visitor;
    let days = form.number("days")?;
    if days == 0 || days > LONGEST {
        return Err(unreadable(format!("a token that is made here is good for 1 to {LONGEST} days")));
    }
    let verbs = form.chosen::<Verb, _>("verb")?;
    let new = NewToken {
        name: form.field("name").unwrap_or_default().to_owned(),
        scope: TokenScope { verbs, names: form.list("names")? },
        registries: form.fields("registry").map(str::to_owned).collect(),
        networks: Vec::new(),
        expires: TokenEnd::At(TokenEnd::days_after(visitor.asker.at, days)),
    };
    let made = tokens::made(&app, &visitor.asker, new).await?;
    let done = Done::token(&made.token.name, &made.secret);
    Ok(go_told(&app, visitor, address::ACCOUNT, done))
}

/// `POST /-/account/tokens/revoke`
pub(crate) async fn revoke_token(State(app): State<Arc<App>>, form: Form) -> Result<Response, Problem> {
    let which = form.required("which")?;
    let is_this_one = form.visitor.asker.token().is_some_and(|current| current == which);
    let name = tokens::revoked(&app, &form.visitor.asker, which).await?;
    if is_this_one {
        return Ok(go(address::SIGN_IN));
    }
    let done = Done::said(format!(
        "`{}` is revoked and speaks for nobody any longer",
        name.as_deref().unwrap_or(which)
    ));
    Ok(go_told(&app, &form.visitor, address::ACCOUNT, done))
}

async fn show(app: &Arc<App>, visitor: &Visitor) -> Result<Response, Problem> {
    let user = visitor.asker.person()?.clone();
    let current = visitor.asker.token().unwrap_or_default();
    let (owner, now) = (user.name.clone(), visitor.asker.at);
    let (tokens, identities) = people::on_accounts(app, move |accounts| {
        Ok((accounts.tokens(&owner, now)?, accounts.identities(&owner)?))
    })
    .await?;
    let linked: Vec<Linked> = identities.into_iter().map(|identity| linked(app, identity)).collect();
    let providers = providers(app);
    let registries = super::reading::visible(app, visitor).await?;
    let frame = visitor.frame();
    let page = AccountPage {
        frame: &frame,
        groups: user.groups.iter().map(ToString::to_string).collect(),
        linked: &linked,
        providers: &providers,
        tokens: &tokens,
        current: &current,
        registries: &registries,
        now,
    };
    answer(visitor, StatusCode::OK, page.page())
}

/// An account of a provider, with what that is called; one that the settings name no longer, by its address.
fn linked(app: &App, identity: LinkedIdentity) -> Linked {
    let title = app.identity_providers.title_of(&identity.issuer).map(str::to_owned);
    Linked { title: title.unwrap_or_else(|| identity.issuer.clone()), identity }
}

/// What stands in the forms of the page to sign in on.
pub(super) struct Typed<'t> {
    pub(super) back: &'t str,
    pub(super) name: &'t str,
    pub(super) invitation: &'t str,
}

/// The page to sign in on. The cookie that comes with it is what its form proves itself by.
pub(super) fn show_sign_in(
    app: &App,
    visitor: &Visitor,
    status: StatusCode,
    typed: &Typed<'_>,
    failed: Option<&str>,
) -> Result<Response, Problem> {
    let (visitor, begun) = match visitor.form() {
        Some(_) => (visitor.clone(), None),
        None => {
            let secret = format!("{}{}", Ulid::generate(), Ulid::generate());
            (visitor.clone().begun(secret.clone()), Some(secret))
        }
    };
    let Typed { back, name, invitation } = *typed;
    // Whoever comes back from a provider comes with a code: the link to sign in by leads to where they wanted to be, and does not repeat it.
    let frame = Frame { here: local(back).to_owned(), ..visitor.frame() };
    let form = visitor.form().unwrap_or_default();
    let password = app.settings.sign_in.password;
    let providers = providers(app);
    let page = SignInPage { frame: &frame, form: &form, back, name, invitation, password, providers, failed };
    let mut response = answer(&visitor, status, page.page())?;
    if let Some(secret) = begun {
        let secure = visitor.is_encrypted();
        set_cookie(&mut response, visitor.form_cookie_name(), &secret, BEGUN, secure);
    }
    Ok(response)
}

/// The identity providers by which people sign in.
fn providers(app: &App) -> Vec<SignInProvider> {
    let shown = |provider: &IdentityProvider| SignInProvider {
        title: provider.title().to_owned(),
        address: address::sign_in_with(provider.name()),
    };
    app.identity_providers.all().map(shown).collect()
}

/// Somebody has signed in: they have another secret than before, and what they had before is good no longer.
pub(super) async fn signed_in_as(
    app: &Arc<App>,
    visitor: &Visitor,
    signed_in: &SignedIn,
    back: &str,
) -> Response {
    if !visitor.asker.is_anonymous() {
        // That the old one stays for its time harms nobody but whoever had it.
        let _ = tokens::revoked(app, &visitor.asker, "current").await;
    }
    let mut response = go(back);
    let seconds = signed_in.expires.duration_since(Timestamp::now()).as_secs();
    let secure = visitor.is_encrypted();
    set_cookie(&mut response, visitor.cookie_name(), &signed_in.token, seconds, secure);
    forget(&mut response, visitor.form_cookie_name(), secure);
    response
}

fn set_cookie(response: &mut Response, name: &str, value: &str, seconds: i64, secure: bool) {
    if let Ok(line) = cookie_line(name, value, seconds, secure) {
        response.headers_mut().append(SET_COOKIE, line);
    }
}

/// A cookie that no script and no other site reads.
pub(super) fn cookie_line(
    name: &str,
    value: &str,
    seconds: i64,
    secure: bool,
) -> Result<HeaderValue, Problem> {
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&cookie).map_err(|error| Problem::internal(&error))
}

pub(super) fn forget(response: &mut Response, name: &str, secure: bool) {
    set_cookie(response, name, "", 0, secure);
}

/// Sends a browser to another page of this server.
pub(super) fn go(to: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    super::harden(response.headers_mut());
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(LOCATION, to);
    }
    super::set(response.headers_mut(), axum::http::header::CACHE_CONTROL, "private, no-store");
    response
}

/// The same, and has that page say what was done.
pub(super) fn go_told(app: &App, visitor: &Visitor, to: &str, done: Done) -> Response {
    if let Some(session) = visitor.asker.token() {
        app.told.keep(session, to, done, visitor.asker.at);
    }
    go(to)
}

/// An address of this server, or else its first page: nobody is led elsewhere by a link to this one.
pub(super) fn local(address: &str) -> &str {
    let is_path = address.starts_with('/') && !address.starts_with("//");
    let is_plain = address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_path && is_plain && address.len() <= 1024 { address } else { address::HOME }
}

/// What is told of a page that only administrators see.
pub(super) fn administrators_only(visitor: &Visitor) -> Result<(), Problem> {
    visitor.asker.administrator().map(drop).map_err(|problem| match visitor.asker.is_anonymous() {
        true => Problem::new(Code::SignInNeeded, "sign in first"),
        false => problem,
    })
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn nobody_is_led_elsewhere() {
        assert_eq!(local("/team/-/search?q=a%20b"), "/team/-/search?q=a%20b");
        for elsewhere in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/a\r\nb",
            "javascript:x",
            "/ä",
            "/\t/evil.example",
        ] {
            assert_eq!(local(elsewhere), "/", "{elsewhere:?}");
        }
    }
}
