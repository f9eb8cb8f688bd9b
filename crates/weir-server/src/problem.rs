//! What a request is told that cannot be answered: a problem document (RFC 9457), with a code that never changes.

use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Code {
    /// There is no such registry, or it is not for the asker to know.
    NoRegistry,
    /// The registry has no such file.
    NotFound,
    /// It is no request that HTTP allows.
    BadRequest,
    /// The address cannot be asked in this way.
    MethodNotAllowed,
    /// The file is not the version that was demanded.
    PreconditionFailed,
    /// The file does not have the bytes that were asked for.
    RangeNotSatisfiable,
    /// The server cannot answer yet.
    NotReady,
    /// The server failed.
    Internal,
}

/// A problem document.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    code: Code,
    detail: String,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    code: Code,
    detail: &'a str,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// What went wrong here is for the log; what is told has no paths of this machine.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %error, "a request failed");
        Self::new(Code::Internal, "the server could not read what was asked for; its log says why")
    }
}

impl Code {
    const fn status(self) -> StatusCode {
        match self {
            Self::NoRegistry | Self::NotFound => StatusCode::NOT_FOUND,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::NoRegistry => "There is no such registry",
            Self::NotFound => "There is nothing at this address",
            Self::BadRequest => "It is no request that HTTP allows",
            Self::MethodNotAllowed => "This address cannot be asked in this way",
            Self::PreconditionFailed => "It is not the version that was demanded",
            Self::RangeNotSatisfiable => "It does not have these bytes",
            Self::NotReady => "The server cannot answer yet",
            Self::Internal => "The server failed",
        }
    }

    /// The code as it is spelled in documents.
    fn as_text(self) -> String {
        serde_json::to_value(self).ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { code, detail } = self;
        let document = Document {
            r#type: format!("urn:weir:problem:{}", code.as_text()),
            title: code.title(),
            status: code.status().as_u16(),
            code,
            detail: &detail,
        };
        let text = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (code.status(), text).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if code == Code::MethodNotAllowed {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        response
    }
}
