//! What a request is told that cannot be answered: a problem document (RFC 9457), with a code that never changes.

use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use weir_registry::SubmitError;
use weir_wire::api::ProblemDocument;

/// Why a request is not answered, where the server itself is why. What a registry refuses has the codes of
/// [`weir_wire::Code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Code {
    /// There is no such registry, or it is not for the asker to know.
    NoRegistry,
    /// The registry has no such file.
    NotFound,
    /// It is no request that HTTP allows.
    BadRequest,
    /// The document that was sent is not what is asked for.
    BadDocument,
    /// Nobody has signed in.
    SignInNeeded,
    /// The credential is not good.
    BadCredential,
    /// The name, the password or the invitation is wrong.
    NotSignedIn,
    /// There were too many failures of late.
    TooManyFailures,
    /// Only somebody else may.
    NotAllowed,
    /// There is one already, or it would leave nobody who governs.
    Conflict,
    /// An upload goes on elsewhere than it stopped.
    OtherOffset,
    /// What is sent is larger than it may be.
    TooLarge,
    /// The address cannot be asked in this way.
    MethodNotAllowed,
    /// The file is not the version that was demanded.
    PreconditionFailed,
    /// The file does not have the bytes that were asked for.
    RangeNotSatisfiable,
    /// A registry above was not reached, or is not believed.
    Upstream,
    /// An identity provider was not reached, or is not believed.
    IdentityProvider,
    /// Nobody has answered a terminal yet (RFC 8628).
    AuthorizationPending,
    /// A terminal asks too often.
    SlowDown,
    /// Somebody turned a terminal away.
    AccessDenied,
    /// The code of a terminal is good no longer.
    ExpiredToken,
    /// Others are served first.
    Overloaded,
    /// The server cannot answer yet.
    NotReady,
    /// The server failed.
    Internal,
}

/// Why a request is not answered.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    code: String,
    title: &'static str,
    detail: String,
    subject: Option<String>,
    policy: Option<String>,
    /// What OAuth calls it.
    error: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        let mut problem = Self {
            status: code.status(),
            code: spelled(code),
            title: code.title(),
            detail: detail.into(),
            subject: None,
            policy: None,
            error: code.is_of_a_terminal().then(|| spelled(code).replace('-', "_")),
            headers: Vec::new(),
        };
        match code {
            Code::SignInNeeded | Code::BadCredential => problem.asks_for_credential(),
            Code::MethodNotAllowed => problem.headers.push((ALLOW, HeaderValue::from_static("GET, HEAD"))),
            Code::Overloaded => problem.headers.push((RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => {}
        }
        problem
    }

    /// An address that cannot be asked in this way, and in which it can.
    pub(crate) fn method_not_allowed(allowed: Option<HeaderValue>) -> Self {
        let mut problem =
            Self::new(Code::MethodNotAllowed, "this address takes requests of another method than this one");
        // Where nothing is said, the routes say it afterwards.
        problem.headers.retain(|(name, _)| name != ALLOW);
        problem.headers.extend(allowed.map(|allowed| (ALLOW, allowed)));
        problem
    }

    /// What went wrong here is for the log; what is told has no paths of this machine.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %error, "a request failed");
        Self::new(Code::Internal, "the server could not do what was asked for; its log says why")
    }

    /// What a registry refused. Who has not signed in is asked to: then it may be permitted.
    pub(crate) fn refused(error: &SubmitError, is_anonymous: bool) -> Self {
        use weir_wire::Code as Refused;
        let refusal = error.refusal();
        if refusal.code == Refused::Unavailable {
            tracing::error!(%error, "a registry could not do what it was asked for");
        }
        let asks = is_anonymous && refusal.code == Refused::NotPermitted;
        let (status, title) = of_refusal(refusal.code);
        let mut problem = Self {
            status: if asks { StatusCode::UNAUTHORIZED } else { status },
            code: spelled(refusal.code),
            title,
            detail: refusal.message,
            subject: refusal.subject,
            policy: refusal.policy,
            error: None,
            headers: Vec::new(),
        };
        if asks {
            problem.asks_for_credential();
        }
        if refusal.code == Refused::Busy {
            problem.headers.push((RETRY_AFTER, HeaderValue::from_static("1")));
        }
        problem
    }

    /// Whether asking again a little later is all that it says.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS)
    }

    /// Whether a terminal waits, and is told so: that is no failure.
    pub(crate) fn is_of_waiting(&self) -> bool {
        [Code::AuthorizationPending, Code::SlowDown].into_iter().any(|code| self.code == spelled(code))
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn title(&self) -> &'static str {
        self.title
    }

    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// Whether it says that a registry is not there, or not for whoever asks.
    pub(crate) fn is_of_no_registry(&self) -> bool {
        self.code == spelled(Code::NoRegistry)
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    pub(crate) fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }

    /// The same by a rule of a policy.
    #[must_use]
    pub(crate) fn by_policy(self, policy: String) -> Self {
        Self { policy: Some(policy), ..self }
    }

    /// The same, told after something that was done all the same.
    #[must_use]
    pub(crate) fn although(mut self, done: &str) -> Self {
        self.detail = format!("{done}: {}", self.detail);
        self
    }

    /// The same with a header of its own.
    #[must_use]
    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// In which ways the address can be asked, where it was asked in another.
    pub(crate) fn allows(&self) -> Option<&HeaderValue> {
        self.headers.iter().find(|(name, _)| name == ALLOW).map(|(_, value)| value)
    }

    fn asks_for_credential(&mut self) {
        for scheme in ["Bearer realm=\"weir\"", "Basic realm=\"weir\", charset=\"UTF-8\""] {
            self.headers.push((WWW_AUTHENTICATE, HeaderValue::from_static(scheme)));
        }
    }
}

/// How what a registry refuses is answered.
const fn of_refusal(code: weir_wire::Code) -> (StatusCode, &'static str) {
    use weir_wire::Code as Refused;
    match code {
        Refused::NotPermitted => (StatusCode::FORBIDDEN, "A policy says no"),
        Refused::NeedsApproval => (StatusCode::FORBIDDEN, "Others have to approve it"),
        Refused::BeyondQuota => (StatusCode::INSUFFICIENT_STORAGE, "Somebody would hold more than they may"),
        Refused::NotFound => (StatusCode::NOT_FOUND, "There is no such release"),
        Refused::AlreadyPublished
        | Refused::WasRemoved
        | Refused::OtherKind
        | Refused::Confusable
        | Refused::UnexpectedInputs
        | Refused::SecondTree
        | Refused::BakedCycle
        | Refused::Diamond
        | Refused::WouldBreak
        | Refused::OtherTier
        | Refused::NoUpstream => (StatusCode::CONFLICT, "What is there already does not allow it"),
        Refused::KindNotTaken
        | Refused::NotUploaded
        | Refused::BadContent
        | Refused::DraftDiffers
        | Refused::NotPublishable
        | Refused::Quarantined
        | Refused::Unsatisfiable
        | Refused::BadRecord => (StatusCode::UNPROCESSABLE_ENTITY, "It cannot be registered as it is"),
        Refused::Busy => (StatusCode::SERVICE_UNAVAILABLE, "Others are changing the registry"),
        Refused::Unavailable => (StatusCode::INTERNAL_SERVER_ERROR, "The registry failed"),
    }
}

impl Code {
    /// How it is spelled in documents.
    pub(crate) fn spelled(self) -> String {
        spelled(self)
    }

    const fn is_of_a_terminal(self) -> bool {
        matches!(self, Self::AuthorizationPending | Self::SlowDown | Self::AccessDenied | Self::ExpiredToken)
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::NoRegistry | Self::NotFound => StatusCode::NOT_FOUND,
            Self::BadRequest
            | Self::AuthorizationPending
            | Self::SlowDown
            | Self::AccessDenied
            | Self::ExpiredToken => StatusCode::BAD_REQUEST,
            Self::BadDocument => StatusCode::UNPROCESSABLE_ENTITY,
            Self::SignInNeeded | Self::BadCredential | Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::TooManyFailures => StatusCode::TOO_MANY_REQUESTS,
            Self::NotAllowed => StatusCode::FORBIDDEN,
            Self::Conflict | Self::OtherOffset => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Overloaded | Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
            Self::Upstream | Self::IdentityProvider => StatusCode::BAD_GATEWAY,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::NoRegistry => "There is no such registry",
            Self::NotFound => "There is nothing at this address",
            Self::BadRequest => "It is no request that can be answered",
            Self::BadDocument => "What was sent is not what is asked for",
            Self::SignInNeeded => "Nobody has signed in",
            Self::BadCredential => "The credential is not good",
            Self::NotSignedIn => "Nobody was signed in",
            Self::TooManyFailures => "There were too many failures",
            Self::NotAllowed => "Somebody else may do this",
            Self::Conflict => "What is there already does not allow it",
            Self::OtherOffset => "The upload stopped elsewhere",
            Self::TooLarge => "It is larger than it may be",
            Self::MethodNotAllowed => "This address cannot be asked in this way",
            Self::PreconditionFailed => "It is not the version that was demanded",
            Self::RangeNotSatisfiable => "It does not have these bytes",
            Self::AuthorizationPending => "Nobody has answered the terminal yet",
            Self::SlowDown => "The terminal asks too often",
            Self::AccessDenied => "Somebody turned the terminal away",
            Self::ExpiredToken => "The code is good no longer",
            Self::Overloaded => "Others are served first",
            Self::NotReady => "The server cannot answer yet",
            Self::Upstream => "A registry above was not reached, or is not believed",
            Self::IdentityProvider => "An identity provider was not reached, or is not believed",
            Self::Internal => "The server failed",
        }
    }
}

/// A code as it is spelled in documents.
fn spelled(code: impl Serialize) -> String {
    serde_json::to_value(code).ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default()
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // Whoever asks with a browser is shown a page of it, see `web/failures.rs`.
        let kept = self.clone();
        let Self { status, code, title, detail, subject, policy, error, headers: own } = self;
        let document = ProblemDocument {
            r#type: format!("urn:weir:problem:{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            code,
            detail,
            subject,
            policy,
            error,
        };
        let text = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (status, text).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // It repeats what was asked for: a browser is to take it for nothing else.
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        for (name, value) in own {
            headers.append(name, value);
        }
        response.extensions_mut().insert(kept);
        response
    }
}
