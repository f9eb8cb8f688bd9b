//! How tools of Elm's say who asks: in ways of their own besides those that everybody has.

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{AUTHORIZATION, PROXY_AUTHORIZATION};

/// How Zokka begins a credential.
const ZOKKA: &str = "CustomZokkaRepoAuthToken ";

/// Has a credential stand where everybody else's does. The compiler's only way to say who it is is to say it to a proxy.
pub(super) async fn plain(mut request: Request) -> Request {
    let headers = request.headers_mut();
    if !headers.contains_key(AUTHORIZATION)
        && let Some(said) = headers.remove(PROXY_AUTHORIZATION)
    {
        headers.insert(AUTHORIZATION, said);
    }
    let token = headers.get(AUTHORIZATION).and_then(|said| said.to_str().ok()?.strip_prefix(ZOKKA));
    let bearer = token.and_then(|token| HeaderValue::from_str(&format!("Bearer {}", token.trim())).ok());
    if let Some(bearer) = bearer.filter(|_| headers.get_all(AUTHORIZATION).iter().count() == 1) {
        headers.insert(AUTHORIZATION, bearer);
    }
    request
}
