//! Who asks: what a request proves of itself, and nothing that it merely says.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use weir_accounts::{NotGood, Secret, Speaker, WorkloadSpeaker, network_of};
use weir_policy::{Caller, Principal, TokenScope, Verb};
use weir_wire::downloads::Downloader;
use weir_wire::people::User;

use crate::app::App;
use crate::files::blocking;
use crate::problem::{Code, Problem};

/// The address that a request is for, behind proxies that are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client(pub(crate) IpAddr);

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    speaker: Option<Speaker>,
    /// From where, if that is known.
    pub(crate) from: Option<IpAddr>,
    /// When.
    pub(crate) at: Timestamp,
}

impl Asker {
    /// On which day, in UTC.
    pub(crate) fn day(&self) -> Date {
        self.at.to_zoned(TimeZone::UTC).date()
    }

    /// Nobody who proved anything.
    pub(crate) fn anonymous(from: Option<IpAddr>) -> Self {
        Self { speaker: None, from, at: Timestamp::now() }
    }

    /// Whoever has `secret`, or nobody who proved anything. `None` where the secret is not good.
    ///
    /// # Errors
    ///
    /// When the accounts cannot be read.
    pub(crate) async fn of(
        app: &Arc<App>,
        secret: Option<Secret>,
        from: Option<IpAddr>,
    ) -> Result<Option<Self>, Problem> {
        let anonymous = Self::anonymous(from);
        let Some(secret) = secret else { return Ok(Some(anonymous)) };
        let at = anonymous.at;
        if let Some(speaker) = app.accounts.remembered(&secret, from, at) {
            return Ok(Some(Self { speaker: Some(speaker), from, at }));
        }
        let app = app.clone();
        let found = blocking(move || app.accounts.speaker(&secret, from, at)).await;
        let speaker = found.map_err(|error| Problem::internal(&error))?;
        Ok(speaker.map(|speaker| Self { speaker: Some(speaker), from, at }))
    }

    /// The same, as whoever decides is to know them at the registry of that name.
    ///
    /// # Errors
    ///
    /// When the token is not for that registry: then it proves nothing there.
    pub(crate) fn caller(&self, registry: &str) -> Result<Caller, Problem> {
        let speaker = match &self.speaker {
            None => return Ok(Caller::new(Principal::Anonymous, self.at)),
            Some(Speaker::User(speaker)) => speaker,
            Some(Speaker::Workload(speaker)) => return Ok(self.workload(speaker, registry)),
        };
        if !speaker.may_speak_to(registry) {
            let named = speaker.token.registries.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
            let detail = format!("the token is only for {}", named.join(", "));
            return Err(Problem::new(Code::BadCredential, detail));
        }
        Ok(Caller::new(speaker.user.principal(), self.at).by_token(speaker.token.scope.clone()))
    }

    /// A program: it acts for who trusts it, and where nobody does it reads what its own word lets it.
    fn workload(&self, speaker: &WorkloadSpeaker, registry: &str) -> Caller {
        let grant = speaker.grant(registry);
        let principal = speaker.told.principal(grant.map(|grant| &grant.by));
        let reading = || TokenScope { verbs: [Verb::Read].into(), names: Vec::new() };
        Caller::new(principal, self.at).by_token(grant.map_or_else(reading, |grant| grant.scope.clone()))
    }

    /// Who they are to every registry alike: a program may be somebody else to each.
    pub(crate) fn audience(&self) -> Option<Principal> {
        match &self.speaker {
            None => Some(Principal::Anonymous),
            Some(Speaker::User(speaker)) => Some(speaker.user.principal()),
            Some(Speaker::Workload(_)) => None,
        }
    }

    /// Who, as it is written down.
    pub(crate) fn actor(&self) -> String {
        let principal = match &self.speaker {
            None => Principal::Anonymous,
            Some(Speaker::User(speaker)) => speaker.user.principal(),
            Some(Speaker::Workload(speaker)) => speaker.told.principal(None),
        };
        principal.to_string()
    }

    /// The token that spoke, by its id.
    pub(crate) fn token(&self) -> Option<String> {
        self.speaker.as_ref().map(|speaker| match speaker {
            Speaker::User(speaker) => speaker.token.id.clone(),
            Speaker::Workload(speaker) => speaker.id.clone(),
        })
    }

    /// What sort of caller it is, as downloads are counted.
    pub(crate) fn downloader(&self) -> Downloader {
        match &self.speaker {
            None => Downloader::Anonymous,
            Some(Speaker::User(_)) => Downloader::User,
            Some(Speaker::Workload(_)) => Downloader::Workload,
        }
    }

    /// The name of the user, where one speaks.
    pub(crate) fn user_name(&self) -> Option<String> {
        Some(self.speaker.as_ref()?.user()?.user.name.to_string())
    }

    /// Where it comes from, as places are counted.
    pub(crate) fn place(&self) -> String {
        self.from.map(network_of).unwrap_or_default()
    }

    /// Whether nothing was proved.
    pub(crate) fn is_anonymous(&self) -> bool {
        self.speaker.is_none()
    }

    /// Who speaks, and by which token.
    ///
    /// # Errors
    ///
    /// When nobody has signed in.
    pub(crate) fn speaker(&self) -> Result<&Speaker, Problem> {
        self.speaker.as_ref().ok_or_else(|| {
            Problem::new(Code::SignInNeeded, "sign in first: `weir login`, or send a token as a credential")
        })
    }

    /// The user who signed in. A token that was made for a program is not them: it makes no others.
    ///
    /// # Errors
    ///
    /// When nobody has signed in, or a token for a program speaks.
    pub(crate) fn person(&self) -> Result<&User, Problem> {
        let name = match self.speaker()? {
            Speaker::User(speaker) if speaker.token.login => return Ok(&speaker.user),
            Speaker::User(speaker) => &speaker.token.name,
            Speaker::Workload(speaker) => &speaker.told.subject,
        };
        let detail = format!("the token `{name}` is for a program: sign in yourself, with `weir login`");
        Err(Problem::new(Code::NotAllowed, detail))
    }

    /// The user who signed in, if they govern the server.
    ///
    /// # Errors
    ///
    /// When they do not.
    pub(crate) fn administrator(&self) -> Result<&User, Problem> {
        let user = self.person()?;
        match user.is_administrator() {
            true => Ok(user),
            false => Err(Problem::new(Code::NotAllowed, "only administrators may")),
        }
    }
}

impl FromRequestParts<Arc<App>> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let from = head.extensions.get::<Client>().map(|client| client.0);
        let secret = credential(&head.headers)?;
        if let Some(asker) = Self::of(app, secret.clone(), from).await? {
            return Ok(asker);
        }
        let (asking, secret) = (app.clone(), secret.unwrap_or_else(|| Secret::given("")));
        let why = blocking(move || asking.accounts.why_not(&secret, from, Timestamp::now())).await;
        let why: NotGood = why.map_err(|error| Problem::internal(&error))?;
        Err(Problem::new(Code::BadCredential, why.to_string()))
    }
}

/// The secret in `Authorization`: as Bearer, or as the password of Basic for clients that know nothing else.
fn credential(headers: &HeaderMap) -> Result<Option<Secret>, Problem> {
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else {
        return match headers.contains_key(AUTHORIZATION) {
            true => Err(Problem::new(Code::BadRequest, "a request has one `Authorization`")),
            false => Ok(None),
        };
    };
    let unknown =
        || Problem::new(Code::BadCredential, "a credential is sent as Bearer, or as the password of Basic");
    secret(value).map(Some).ok_or_else(unknown)
}

fn secret(value: &HeaderValue) -> Option<Secret> {
    let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Secret::given(rest));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    let (_, password) = pair.split_once(':')?;
    Some(Secret::given(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<String> {
        secret(&HeaderValue::from_str(value).unwrap()).map(|secret| secret.reveal().to_owned())
    }

    #[test]
    fn a_token_is_read_from_bearer_and_from_the_password_of_basic() {
        assert_eq!(read("Bearer weir_x"), Some("weir_x".into()));
        assert_eq!(read("bearer  weir_x"), Some("weir_x".into()));
        let basic = format!("Basic {}", STANDARD.encode("anybody:weir_x"));
        assert_eq!(read(&basic), Some("weir_x".into()));
        for none in ["weir_x", "Digest weir_x", "Basic !", "Basic d2Vpcg=="] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
