//! One call of the API: a document there, a document or a problem back.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use weir_client::{Credential, HttpClient, Message, Method, Reply, Url, UrlError};
use weir_log::SourceError;
use weir_registry::SubmitError;
use weir_wire::api::ProblemDocument;

/// Why a server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// It is no server of Weir, or one that only serves files.
    #[error("`{place}` is served as plain files: it can only be read")]
    OnlyFiles {
        /// What was asked.
        place: String,
    },
    /// There is no server of Weir.
    #[error("no server of Weir answers at `{place}`")]
    NoServer {
        /// What was asked.
        place: String,
    },
    /// Nobody is there, or what is cannot be spoken to.
    #[error("no server is reached at `{place}`: {reason}")]
    NotReached {
        /// What was asked.
        place: String,
        /// What the system said.
        reason: String,
    },
    /// The server speaks another level of the protocol.
    #[error("`{place}` speaks level {level} of the protocol, and this program level {own}")]
    OtherLevel {
        /// What was asked.
        place: String,
        /// The level it speaks.
        level: u32,
        /// The level that is spoken here.
        own: u32,
    },
    /// It wants to know who asks.
    #[error("`{place}` wants to know who asks: {detail}")]
    SignInNeeded {
        /// What was asked.
        place: String,
        /// What it said.
        detail: String,
    },
    /// It does not accept the token that it was shown.
    #[error("`{place}` does not accept the token: {detail}")]
    BadCredential {
        /// What was asked.
        place: String,
        /// What it said.
        detail: String,
    },
    /// What it said no to.
    #[error("{}", .0.detail)]
    Problem(Box<ProblemDocument>),
    /// It answered with something that no server of Weir answers.
    #[error("`{place}` answered with what cannot be read: {reason}")]
    Unreadable {
        /// What was asked.
        place: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// It was not reached.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl From<RemoteError> for SubmitError {
    fn from(error: RemoteError) -> Self {
        let refusal = match &error {
            RemoteError::Problem(problem) => problem.refusal(),
            _ => None,
        };
        match (refusal, error) {
            (Some(refusal), _) => Self::Remote(refusal),
            (None, RemoteError::Source(error)) => Self::Unreachable(error),
            (None, error) => Self::Elsewhere(Box::new(error)),
        }
    }
}

/// After so long something is said again for the first time; each time after that it is twice as long, until it would be
/// [`LONGEST_PAUSE`]: seven times in all, and about half a minute.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Between half and all of it: who was turned away together does not come back together.
fn by_chance(pause: Duration) -> Duration {
    let chance = (RandomState::new().hash_one(pause) % 1024) as u32;
    pause / 2 + pause / 2 * chance / 1024
}

/// Where calls go, and who makes them.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    client: HttpClient,
    base: Url,
    credential: Option<Credential>,
}

impl Line {
    pub(crate) fn new(client: HttpClient, base: Url, credential: Option<Credential>) -> Self {
        Self { client, base, credential }
    }

    /// The address, for messages.
    pub(crate) fn place(&self) -> String {
        let text = self.base.to_string();
        text.trim_end_matches('/').trim_end_matches("/api/v1").to_owned()
    }

    /// Says something at `path` below the address; `query` is as it stands behind the `?`.
    pub(crate) fn say(
        &self,
        method: Method,
        path: &str,
        query: &str,
        headers: Vec<(&'static str, String)>,
        body: &[u8],
        repeatable: bool,
    ) -> Result<Reply, RemoteError> {
        let at = if path.is_empty() { Ok(self.base.clone()) } else { self.base.below(path) };
        let url = at.and_then(|url| match query {
            "" => Ok(url),
            query => format!("{url}?{query}").parse(),
        });
        let url = url.map_err(|error: UrlError| self.unreadable(error.to_string()))?;
        let credential = self.credential.as_ref();
        let message = Message { method, url, credential, headers, body, repeatable };
        Ok(self.client.exchange(&message)?)
    }

    /// Asks for a document.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, RemoteError> {
        let reply = self.say(Method::Get, path, "", Vec::new(), &[], true)?;
        self.document(&self.good(reply)?)
    }

    /// Sends a document and gets one.
    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        document: &impl Serialize,
    ) -> Result<T, RemoteError> {
        let body = self.encoded(document)?;
        let headers = vec![("content-type", "application/json".to_owned())];
        let reply = self.say(Method::Post, path, "", headers, &body, false)?;
        self.document(&self.good(reply)?)
    }

    /// Sends fields, as a form of a page would, and gets a document.
    pub(crate) fn post_fields<T: DeserializeOwned>(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<T, RemoteError> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        let reply = self.say(Method::Post, path, "", headers, body.as_bytes(), false)?;
        self.document(&self.good(reply)?)
    }

    /// The same where many may ask at once, as the jobs of a build server do: who is told that others are served first was not heard, and
    /// says it again, each after another while.
    pub(crate) fn post_fields_patiently<T: DeserializeOwned>(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<T, RemoteError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.post_fields(path, fields) {
                Err(RemoteError::Problem(problem))
                    if problem.code == "overloaded" && pause < LONGEST_PAUSE =>
                {
                    std::thread::sleep(by_chance(pause));
                    pause *= 2;
                }
                answered => return answered,
            }
        }
    }

    pub(crate) fn encoded(&self, document: &impl Serialize) -> Result<Vec<u8>, RemoteError> {
        serde_json::to_vec(document).map_err(|error| self.unreadable(error.to_string()))
    }

    /// The answer, if it says that all went well.
    pub(crate) fn good(&self, reply: Reply) -> Result<Reply, RemoteError> {
        if (200..300).contains(&reply.status) {
            return Ok(reply);
        }
        let problem: Option<ProblemDocument> = serde_json::from_slice(&reply.body).ok();
        let Some(problem) = problem.map(printable) else {
            return Err(match reply.status {
                404 | 405 | 501 => RemoteError::OnlyFiles { place: self.place() },
                401 | 403 | 451 => self.refused(reply.status).into(),
                status => SourceError::Status { what: self.place(), status }.into(),
            });
        };
        match reply.status {
            401 if problem.code == "bad-credential" => {
                Err(RemoteError::BadCredential { place: self.place(), detail: problem.detail })
            }
            401 if problem.code != "not-signed-in" => {
                Err(RemoteError::SignInNeeded { place: self.place(), detail: problem.detail })
            }
            _ => Err(RemoteError::Problem(Box::new(problem))),
        }
    }

    /// What nobody said more of than that it is refused.
    pub(crate) fn refused(&self, status: u16) -> SourceError {
        SourceError::Refused { what: self.place(), status, shown: self.credential.is_some() }
    }

    pub(crate) fn document<T: DeserializeOwned>(&self, reply: &Reply) -> Result<T, RemoteError> {
        serde_json::from_slice(&reply.body).map_err(|error| self.unreadable(error.to_string()))
    }

    pub(crate) fn unreadable(&self, reason: impl Into<String>) -> RemoteError {
        RemoteError::Unreadable { place: self.place(), reason: reason.into() }
    }
}

/// What a server says of itself, fit for a terminal.
fn printable(problem: ProblemDocument) -> ProblemDocument {
    const LONGEST: usize = 2000;
    let plain = |text: String| -> String {
        text.chars().filter(|c| !c.is_control() || *c == '\n').take(LONGEST).collect()
    };
    ProblemDocument {
        title: plain(problem.title),
        detail: plain(problem.detail),
        subject: problem.subject.map(plain),
        policy: problem.policy.map(plain),
        ..problem
    }
}
