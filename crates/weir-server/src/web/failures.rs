//! What cannot be answered, as a page: for whoever asks with a browser.

use std::sync::Arc;

use axum::body::HttpBody as _;
use axum::extract::{FromRequestParts as _, Request};
use axum::http::header::{ACCEPT, ALLOW, CONNECTION, CONTENT_RANGE, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use weir_web::FailurePage;

use super::Visitor;
use super::account::local;
use crate::app::App;
use crate::problem::{Code, Problem};
use crate::registries::RegistryName;

/// Answers a request; where a browser would be shown a document for programs, it is shown a page that says the same.
pub(crate) async fn failures<F: Future<Output = Response>>(
    app: &Arc<App>,
    request: Request,
    answer: impl FnOnce(Request) -> F,
) -> Response {
    let has_body = !request.body().is_end_stream();
    if !is_of_a_browser(&request) {
        return alike(documented(answer(request).await), has_body);
    }
    let (head, body) = request.into_parts();
    let kept = head.clone();
    let response = documented(answer(Request::from_parts(head, body)).await);
    let response = match response.extensions().get::<Problem>() {
        Some(problem) => page(app, kept, problem).await.unwrap_or(response),
        None => response,
    };
    alike(response, has_body)
}

/// Ends the connection after a request with a body for a registry that is not there, or is not to be known of. Else whether it ended
/// would depend on whether the body had come by then, and so tell which of both it was.
fn alike(mut response: Response, has_body: bool) -> Response {
    let is_of_none = response.extensions().get::<Problem>().is_some_and(Problem::is_of_no_registry);
    if has_body && is_of_none {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// What routing itself refuses says as much as what a handler refuses.
fn documented(response: Response) -> Response {
    let status = response.status();
    if response.extensions().get::<Problem>().is_some() || response.headers().contains_key(CONTENT_RANGE) {
        return response;
    }
    let problem = match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            let allowed = response.headers().get(ALLOW).cloned();
            Problem::method_not_allowed(allowed)
        }
        StatusCode::BAD_REQUEST => {
            Problem::new(Code::BadRequest, "the address or the head of the request cannot be read")
        }
        _ => return response,
    };
    problem.into_response()
}

/// Whether a page is wanted. Programs ask for something else, and the API is for programs.
fn is_of_a_browser(request: &Request) -> bool {
    let accepts = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let is_api = request.uri().path().split('/').skip(1).take(2).any(|part| part == "api");
    accepts.contains("text/html") && !is_api
}

async fn page(app: &Arc<App>, mut head: Parts, problem: &Problem) -> Option<Response> {
    let visitor = Visitor::from_request_parts(&mut head, app).await.ok()?;
    let mut frame = visitor.frame();
    // Of a registry that cannot be seen nothing is around the page either.
    if !problem.is_of_no_registry() {
        let name = head.uri.path().split('/').nth(1).and_then(RegistryName::parse);
        frame.registry = name.map(|name| name.to_string());
    }
    let status = problem.status();
    let here = local(&frame.here).to_owned();
    let page = FailurePage {
        frame: &frame,
        status: status.as_u16(),
        title: problem.title(),
        detail: problem.detail(),
        policy: problem.policy(),
        code: problem.code(),
        sign_in: problem.is_of_no_registry()
            || matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN),
        back: (head.method == Method::POST).then_some(here.as_str()),
    };
    let mut response = super::answer(&visitor, status, page.page()).ok()?;
    if let Some(allowed) = problem.allows() {
        response.headers_mut().insert(ALLOW, allowed.clone());
    }
    if problem.is_passing() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    Some(response)
}
