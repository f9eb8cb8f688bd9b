//! Signing in by a provider (OpenID Connect Core, section 3.1): it sends whoever signs in back with a code, for which it tells the program,
//! and nobody else, who they are.
//!
//! What ties the answer to the question is made of one secret ([`Question`]), which only the browser of whoever signs in has: so nothing
//! need be kept here meanwhile, and an answer that is brought by another browser answers nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;
use serde::Deserialize;
use serde_json::{Map, Value};
use weir_client::{Credential, Message, Method, Url};
use weir_model::Sha256;

use crate::identity::{Expected, Identity};
use crate::issuer::Issuer;
use crate::provider::{Configuration, IdentityError, Providers};

/// The longest code that is passed on, in bytes.
const MAX_CODE: usize = 4096;

/// A program that has people sign in, as a provider knows it.
#[derive(Clone)]
pub struct Application {
    /// The provider.
    pub issuer: Issuer,
    /// What that calls the program.
    pub id: String,
    /// What the two have in common, if they have.
    pub secret: Option<String>,
    /// What is asked for, besides `openid`.
    pub scopes: Vec<String>,
    /// Where the provider sends people back to, to the letter.
    pub redirect: String,
    /// What must be said of people: where the token does not, the provider is asked once more.
    pub claims: Vec<String>,
}

/// What ties an answer to its question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What the answer brings along.
    pub state: String,
    nonce: String,
    verifier: String,
}

impl Question {
    /// The question of whoever has `secret`, of which nothing can be read off what is sent.
    pub fn of(secret: &str) -> Self {
        let made = |what: &str| Sha256::of(format!("weir-openid v1 {what}\n{secret}").as_bytes()).to_hex();
        Self { state: made("state"), nonce: made("nonce"), verifier: made("verifier") }
    }

    fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::of(self.verifier.as_bytes()).as_bytes())
    }
}

/// What somebody brings who comes back from a provider.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The code.
    pub code: &'a str,
    /// Who sent them, if that says so (RFC 9207).
    pub issuer: Option<&'a str>,
}

/// What a provider gives for a code.
#[derive(Deserialize)]
struct Given {
    id_token: String,
    access_token: Option<String>,
}

/// Why it gives nothing.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl Providers {
    /// Where somebody goes to sign in. May wait for the provider.
    ///
    /// # Errors
    ///
    /// When the provider does not say where.
    pub fn ask(&self, application: &Application, question: &Question) -> Result<String, IdentityError> {
        let described = self.described(&application.issuer)?;
        let place = self.place(application, described.configuration.authorization_endpoint.as_deref())?;
        let place = place.to_string();
        let begins = format!("{place}{}", if place.contains('?') { '&' } else { '?' });
        let scope = std::iter::once("openid").chain(application.scopes.iter().map(String::as_str));
        let scope: Vec<&str> = scope.collect();
        let at = begins.len();
        let mut asked = Serializer::for_suffix(begins, at);
        asked
            .append_pair("response_type", "code")
            .append_pair("client_id", &application.id)
            .append_pair("redirect_uri", &application.redirect)
            .append_pair("scope", &scope.join(" "))
            .append_pair("state", &question.state)
            .append_pair("nonce", &question.nonce)
            .append_pair("code_challenge", &question.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(asked.finish())
    }

    /// Who somebody is who came back. Waits for the provider.
    ///
    /// # Errors
    ///
    /// When they came from another provider, the code is not theirs or was used, or what the provider says is not to be believed.
    pub fn identify(
        &self,
        application: &Application,
        question: &Question,
        arrival: Arrival<'_>,
    ) -> Result<Identity, IdentityError> {
        let bad = |reason: &str| Err(IdentityError::NotGood(reason.to_owned()));
        let described = self.described(&application.issuer)?;
        let configuration = &described.configuration;
        match arrival.issuer {
            Some(said) if said != application.issuer.as_str() => {
                return bad("it was another provider that sent you back");
            }
            None if configuration.authorization_response_iss_parameter_supported => {
                return bad(
                    "the provider always says that it was it who sent somebody back, and nobody said so",
                );
            }
            _ => {}
        }
        if arrival.code.is_empty() || arrival.code.len() > MAX_CODE {
            return bad("there is no code");
        }
        let given = self.given(application, configuration, question, arrival.code)?;
        // A token of another provider that is believed says nothing of what this one calls somebody.
        if self.issuer_of(&given.id_token)? != application.issuer {
            return bad("it is of another provider (`iss`)");
        }
        let audiences = [application.id.clone()];
        let expected = Expected { audiences: &audiences, nonce: Some(&question.nonce) };
        let identity = self.verify(&given.id_token, &expected)?;
        let is_told = application.claims.iter().all(|claim| identity.says(claim));
        match (&given.access_token, &configuration.userinfo_endpoint) {
            (Some(token), Some(endpoint)) if !is_told => {
                let more = self.more(application, endpoint, token, &identity.subject)?;
                Ok(identity.with(more))
            }
            _ => Ok(identity),
        }
    }

    /// What the provider gives for a code.
    fn given(
        &self,
        application: &Application,
        configuration: &Configuration,
        question: &Question,
        code: &str,
    ) -> Result<Given, IdentityError> {
        let place = self.place(application, configuration.token_endpoint.as_deref())?;
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &application.redirect)
            .append_pair("code_verifier", &question.verifier);
        let credential = match &application.secret {
            Some(secret) if configuration.takes_basic() => Some(self.basic(application, &place, secret)?),
            secret => {
                form.append_pair("client_id", &application.id);
                if let Some(secret) = secret {
                    form.append_pair("client_secret", secret);
                }
                None
            }
        };
        let headers = vec![
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("accept", "application/json".to_owned()),
        ];
        let body = form.finish();
        let reply = self.say(
            application,
            &Message {
                method: Method::Post,
                url: place,
                credential: credential.as_ref(),
                headers,
                body: body.as_bytes(),
                repeatable: false,
            },
        )?;
        if reply.status == 200 {
            return serde_json::from_slice(&reply.body).map_err(|error| {
                unreachable(application, format!("what it gives for a code cannot be read: {error}"))
            });
        }
        let said = serde_json::from_slice::<Refusal>(&reply.body).map(|refusal| plain(&refusal.error));
        match said.as_deref() {
            Ok("invalid_grant") => Err(IdentityError::NotGood(
                "the provider does not know the code, or it was used already: begin anew".to_owned(),
            )),
            Ok(error) => Err(unreachable(application, format!("it gives nothing for a code: `{error}`"))),
            Err(_) => {
                Err(unreachable(application, format!("it answered a code with status {}", reply.status)))
            }
        }
    }

    /// What else the provider says of somebody (OpenID Connect Core, section 5.3).
    fn more(
        &self,
        application: &Application,
        endpoint: &str,
        token: &str,
        subject: &str,
    ) -> Result<Map<String, Value>, IdentityError> {
        let url = self.place(application, Some(endpoint))?;
        let credential = Credential::bearer(url.origin().clone(), token)
            .map_err(|error| unreachable(application, error.to_string()))?;
        let reply = self.say(
            application,
            &Message {
                method: Method::Get,
                url,
                credential: Some(&credential),
                headers: vec![("accept", "application/json".to_owned())],
                body: &[],
                repeatable: true,
            },
        )?;
        if reply.status != 200 {
            let reason = format!("it does not say who somebody is: status {}", reply.status);
            return Err(unreachable(application, reason));
        }
        let mut said: Map<String, Value> = serde_json::from_slice(&reply.body).map_err(|error| {
            unreachable(application, format!("what it says of somebody cannot be read: {error}"))
        })?;
        // It must be said of the same: a token may be another's.
        match said.remove("sub").as_ref().and_then(Value::as_str) {
            Some(of) if of == subject => Ok(said),
            _ => Err(IdentityError::NotGood("the provider says it of somebody else".to_owned())),
        }
    }

    fn basic(
        &self,
        application: &Application,
        place: &Url,
        secret: &str,
    ) -> Result<Credential, IdentityError> {
        // RFC 6749, section 2.3.1: encoded as a form would have it, first.
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        Credential::basic(place.origin().clone(), &encoded(&application.id), &encoded(secret))
            .map_err(|error| unreachable(application, error.to_string()))
    }

    /// An address that a provider names. It leads anywhere where what is said travels encrypted, and else to the provider itself.
    fn place(&self, application: &Application, named: Option<&str>) -> Result<Url, IdentityError> {
        let named = named.ok_or_else(|| unreachable(application, "it has nobody sign in".to_owned()))?;
        self.led_to(&application.issuer, named).map_err(|reason| unreachable(application, reason))
    }

    fn say(
        &self,
        application: &Application,
        message: &Message<'_>,
    ) -> Result<weir_client::Reply, IdentityError> {
        self.client().exchange(message).map_err(|error| {
            self.tell(&application.issuer, &error.to_string());
            unreachable(application, error.to_string())
        })
    }
}

fn unreachable(application: &Application, reason: String) -> IdentityError {
    IdentityError::Unreachable { issuer: application.issuer.clone(), reason }
}

/// What a provider calls an error, fit to be shown.
fn plain(error: &str) -> String {
    error.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::Question;

    #[test]
    fn a_question_tells_nothing_of_its_secret_and_no_part_of_it_another() {
        let question = Question::of("secret");
        let parts = [&question.state, &question.nonce, &question.verifier, &question.challenge()];
        for (at, part) in parts.iter().enumerate() {
            assert!(part.len() >= 43 && part.len() <= 128, "RFC 7636 has 43 to 128 characters: {part}");
            assert!(parts.iter().skip(at + 1).all(|other| other != part));
        }
        assert_ne!(Question::of("other").state, question.state);
    }

    #[test]
    fn the_challenge_is_that_of_rfc_7636() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        let question = Question { verifier, ..Question::of("x") };
        assert_eq!(question.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "appendix B");
    }
}
