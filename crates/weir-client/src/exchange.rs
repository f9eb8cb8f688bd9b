//! Requests that say something, where the rest of this crate only reads: a document or bytes there, a document back.

use std::time::Duration;

use ureq::http::{HeaderMap, HeaderName, header};
use weir_log::SourceError;

use crate::client::HttpClient;
use crate::credential::Credential;
use crate::failure::Failure;
use crate::retry::retrying;
use crate::url::Url;

/// For so long the body of a request may take on its way.
const SENDING: Duration = Duration::from_secs(15 * 60);

/// For so long an answer is waited for: a batch is read, checked and put in order behind others.
const ANSWERING: Duration = Duration::from_secs(10 * 60);

/// How something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// What there is.
    Get,
    /// What there is, without it.
    Head,
    /// Something to be done.
    Post,
    /// More of something.
    Patch,
    /// Something that is to be no longer.
    Delete,
}

/// What is said to a server.
#[derive(Debug, Clone)]
pub struct Message<'m> {
    /// How.
    pub method: Method,
    /// Where.
    pub url: Url,
    /// Who says it.
    pub credential: Option<&'m Credential>,
    /// What else is said of it.
    pub headers: Vec<(&'static str, String)>,
    /// What is said.
    pub body: &'m [u8],
    /// Whether saying it twice does no more than saying it once: then it is said again when no answer came.
    pub repeatable: bool,
}

/// What a server answered.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// What is said of the answer.
    headers: HeaderMap,
    /// The answer.
    pub body: Vec<u8>,
}

impl Reply {
    /// What a header says, if it is there and text.
    pub fn header(&self, name: &'static str) -> Option<&str> {
        self.headers.get(HeaderName::from_static(name))?.to_str().ok()
    }
}

impl HttpClient {
    /// Says something to a server, and hears what it answers, whatever the status. Redirects are not followed: what is said is
    /// for who was addressed.
    ///
    /// # Errors
    ///
    /// When there was no answer, or one that is too long.
    pub fn exchange(&self, message: &Message<'_>) -> Result<Reply, SourceError> {
        let mut unwell = None;
        let heard = retrying(self.options(), || {
            let reply = self.say(message)?;
            let failure = Failure::Status {
                status: reply.status,
                retry_after: reply.header("retry-after").and_then(|seconds| seconds.parse().ok()),
            };
            if message.repeatable && matches!(reply.status, 429 | 502..=504) {
                unwell = Some(reply);
                return Err(failure);
            }
            Ok(reply)
        });
        match (heard, unwell) {
            (Ok(reply), _) => Ok(reply),
            // What it said last is worth more than that it said it often.
            (Err(Failure::Status { .. }), Some(reply)) => Ok(reply),
            (Err(failure), _) => Err(failure.about(&message.url)),
        }
    }

    fn say(&self, message: &Message<'_>) -> Result<Reply, Failure> {
        let agent = self.agent(&message.url)?;
        let (whole, longest) = (self.options().whole_exchange, self.options().longest_reply);
        let method = match message.method {
            Method::Get => ureq::http::Method::GET,
            Method::Head => ureq::http::Method::HEAD,
            Method::Post => ureq::http::Method::POST,
            Method::Patch => ureq::http::Method::PATCH,
            Method::Delete => ureq::http::Method::DELETE,
        };
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(message.url.uri())
            .header(header::ACCEPT_ENCODING, "identity");
        if let Some(value) =
            message.credential.and_then(|credential| credential.header_for(message.url.origin()))
        {
            request = request.header(header::AUTHORIZATION, value);
        }
        for (name, value) in &message.headers {
            request = request.header(*name, value);
        }
        let unsendable = |error: ureq::http::Error| Failure::Unusable(error.to_string());
        let sent = if message.body.is_empty() && message.method != Method::Post {
            let request = request.body(()).map_err(unsendable)?;
            let request = agent.configure_request(request).timeout_recv_response(Some(ANSWERING));
            agent.run(request.timeout_global(whole).build())
        } else {
            let request = request.body(message.body).map_err(unsendable)?;
            let request = agent.configure_request(request);
            let request = request.timeout_send_body(Some(SENDING)).timeout_recv_response(Some(ANSWERING));
            agent.run(request.timeout_global(whole).build())
        };
        let response = sent.map_err(|error| {
            let failure = self.told(agent, &message.url, error);
            // Whether it was heard is not known then: only what does no harm twice may be said again.
            match failure {
                Failure::Connection(reason) if !message.repeatable => Failure::Unusable(reason),
                failure => failure,
            }
        })?;
        let (parts, body) = response.into_parts();
        let body = body.into_with_config().limit(longest).read_to_vec().map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => Failure::TooLarge { limit: longest },
            error if message.repeatable => error.into(),
            error => Failure::Unusable(error.to_string()),
        })?;
        Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
    }
}
