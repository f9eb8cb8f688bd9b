//! Who looks at a page: known by a cookie that only this server is told.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{COOKIE, HOST};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method};
use weir_accounts::Secret;
use weir_client::Url;
use weir_model::Sha256;
use weir_web::address::page_of_form;
use weir_web::{Done, Frame};

use crate::app::App;
use crate::asker::{Asker, Client};
use crate::observe::from_trusted_proxy;
use crate::problem::Problem;

/// The name of the cookie where the way to the server is encrypted: a browser takes it from nobody else then.
const SECURE_COOKIE: &str = "__Host-weir";

/// Its name where it is not.
const COOKIE_NAME: &str = "weir";

/// The same for the cookie by which a form proves itself whose sender has not signed in yet.
const SECURE_FORM_COOKIE: &str = "__Host-weir-form";
const FORM_COOKIE_NAME: &str = "weir-form";

/// The same for the cookie of somebody who is on the way to an identity provider.
const SECURE_PROVIDER_COOKIE: &str = "__Host-weir-provider";
const PROVIDER_COOKIE_NAME: &str = "weir-provider";

/// The longest address that a page is told it has.
const LONGEST_ADDRESS: usize = 1024;

/// Who looks at a page, and from which.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) asker: Asker,
    /// What the cookie holds, if it is good.
    session: Option<Secret>,
    /// What the cookie of somebody holds who is about to sign in.
    begun: Option<String>,
    /// What the cookie of somebody holds who is on the way to an identity provider.
    provider: Option<String>,
    is_encrypted: bool,
    /// The path and query that are asked for.
    here: String,
    /// Scheme and host, as whoever looks knows the server.
    origin: String,
    /// What they are told of a form that they sent.
    notice: Option<String>,
    /// What they are told of a form that led them here.
    done: Option<Done>,
}

impl Visitor {
    /// What is around a page that is not one of a registry.
    pub(crate) fn frame(&self) -> Frame {
        Frame {
            user: self.asker.user_name(),
            administrator: self.asker.administrator().is_ok(),
            form: self.form().unwrap_or_default(),
            registry: None,
            here: self.here.clone(),
            origin: self.origin.clone(),
            query: String::new(),
            site: false,
            notice: self.notice.clone(),
            done: self.done.clone(),
            location: None,
        }
    }

    /// What is around a page of a registry.
    pub(crate) fn frame_of(&self, registry: &str) -> Frame {
        Frame { registry: Some(registry.to_owned()), ..self.frame() }
    }

    /// What a form of whoever looks brings along. It is made of the secret in a cookie, which no other page can read; nothing where
    /// there is no cookie.
    pub(crate) fn form(&self) -> Option<String> {
        let secret = self.session.as_ref().map(Secret::reveal).or(self.begun.as_deref())?;
        Some(Sha256::of(format!("weir-form v1\n{secret}")).to_hex())
    }

    /// The same, who is shown a page in answer to a form and told something of that.
    #[must_use]
    pub(crate) fn told(&self, notice: impl Into<String>) -> Self {
        Self { notice: Some(notice.into()), ..self.clone() }
    }

    /// The same with a cookie for a form that is about to be shown.
    pub(crate) fn begun(self, secret: String) -> Self {
        Self { begun: Some(secret), ..self }
    }

    /// Scheme and host, as whoever looks knows the server.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether the way to whoever looks is encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    pub(crate) fn cookie_name(&self) -> &'static str {
        if self.is_encrypted { SECURE_COOKIE } else { COOKIE_NAME }
    }

    /// What the cookie of somebody holds who comes back from an identity provider.
    pub(crate) fn provider_cookie(&self) -> Option<&str> {
        self.provider.as_deref()
    }

    pub(crate) fn provider_cookie_name(&self) -> &'static str {
        if self.is_encrypted { SECURE_PROVIDER_COOKIE } else { PROVIDER_COOKIE_NAME }
    }

    pub(crate) fn form_cookie_name(&self) -> &'static str {
        if self.is_encrypted { SECURE_FORM_COOKIE } else { FORM_COOKIE_NAME }
    }
}

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let from = head.extensions.get::<Client>().map(|client| client.0);
        let is_encrypted = is_encrypted(app, head);
        let (name, form_name, provider_name) = match is_encrypted {
            true => (SECURE_COOKIE, SECURE_FORM_COOKIE, SECURE_PROVIDER_COOKIE),
            false => (COOKIE_NAME, FORM_COOKIE_NAME, PROVIDER_COOKIE_NAME),
        };
        let secret = cookie(&head.headers, name).map(Secret::given);
        let begun = cookie(&head.headers, form_name);
        let provider = cookie(&head.headers, provider_name);
        let asker = Asker::of(app, secret.clone(), from).await?;
        // Who brings a cookie that is good no longer is simply somebody who has not signed in; and so is who brings a token that was
        // made for a program: that is narrowed, and no page asks by how much.
        let (asker, session) = match asker {
            Some(asker) if asker.is_anonymous() || asker.person().is_ok() => (asker, secret),
            Some(_) | None => (Asker::anonymous(from), None),
        };
        let here = head.uri.path_and_query().map_or("/", |here| here.as_str());
        let here = if head.method == Method::POST { page_of_form(here) } else { here };
        let here: String = here.chars().take(LONGEST_ADDRESS).collect();
        let done = match (&head.method, session.is_some().then(|| asker.token()).flatten()) {
            (&Method::GET, Some(token)) => app.told.take(&token, &here, asker.at),
            _ => None,
        };
        Ok(Self {
            asker,
            session,
            begun,
            provider,
            is_encrypted,
            here,
            origin: origin(app, is_encrypted, head),
            notice: None,
            done,
        })
    }
}

/// What the cookie of this name holds, if there is exactly one: of two, one may be another's.
fn cookie(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let sent = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let pairs = sent.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut ours = pairs.filter(|(name, _)| *name == wanted);
    match (ours.next(), ours.next()) {
        (Some((_, value)), None) if !value.is_empty() => Some(value.to_owned()),
        _ => None,
    }
}

/// Scheme and host, as whoever asks says they know the server, which is shown to them and to nobody else; where they say none,
/// the one by which others know it.
pub(crate) fn origin(app: &App, is_encrypted: bool, head: &Parts) -> String {
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| head.uri.authority().map(Authority::as_str)).unwrap_or_default();
    let origin = format!("{}://{host}", if is_encrypted { "https" } else { "http" });
    match origin.parse::<Url>().is_ok() {
        true => origin,
        false => app.address().to_owned(),
    }
}

/// Whether the way to whoever asks is encrypted, by this server or by a proxy that is trusted.
pub(crate) fn is_encrypted(app: &App, head: &Parts) -> bool {
    let proto = head.headers.get("x-forwarded-proto").and_then(|proto| proto.to_str().ok());
    app.settings.tls.is_some() || (proto == Some("https") && from_trusted_proxy(app, &head.extensions))
}
