//! The pages: addresses, who looks, and what the libraries are asked. What is on them is the business of `weir-web`.
//!
//! Who looks is known by a cookie, and by nothing else; the API and the files of registries know no cookie. So no page of
//! somebody else can act by the cookie of whoever looks at it, except through the forms here, which prove where they come from.

mod account;
mod acting;
mod contents;
mod device;
mod difference;
mod failures;
mod form;
mod governing;
mod graph;
mod modules;
mod package_files;
mod policy;
mod providers;
mod queue;
mod reading;
mod searching;
mod statistics;
mod told;
mod trust;
mod visitor;
mod webhooks;

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use weir_web::{Page, PageError, address};

use crate::app::App;
use crate::faces::face;
use crate::problem::{Code, Problem};

pub(crate) use contents::Contents;
pub(crate) use failures::failures;
pub(crate) use statistics::Growth;
pub(crate) use told::Told;
use visitor::Visitor;
pub(crate) use visitor::{is_encrypted, origin};

/// What a page may load, and from where: its stylesheet, script and icon from this server. Nothing is put into another page.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Every page.
pub(crate) fn router() -> Router<Arc<App>> {
    let package = "/{registry}/-/packages/{owner}/{name}";
    Router::new()
        .route("/", get(reading::home))
        .route("/-/assets/{name}", get(asset))
        .route(address::SIGN_IN, get(account::sign_in_page).post(account::sign_in))
        .route(
            &format!("{}/{{provider}}", address::SIGN_IN_WITH),
            get(providers::arrive).post(providers::leave),
        )
        .route(address::DEVICE, get(device::device).post(device::decide))
        .route(address::UNLINK, post(providers::unlink))
        .route(address::SIGN_OUT, post(account::sign_out))
        .route(address::ACCOUNT, get(account::account))
        .route(address::NEW_TOKEN, post(account::make_token))
        .route(address::REVOKE_TOKEN, post(account::revoke_token))
        .route(address::TRUST, get(trust::page))
        .route(address::ADD_TRUST, post(trust::add))
        .route(address::REMOVE_TRUST, post(trust::remove))
        .route(address::STATISTICS, get(statistics::of_server))
        .route(address::ACTIVITY, get(governing::activity))
        .route(address::PEOPLE, get(governing::people_page))
        .route(address::INVITE, post(governing::invite))
        .route(address::UNINVITE, post(governing::uninvite))
        .route(address::CHANGE_USER, post(governing::change))
        .route(address::WEBHOOKS, get(webhooks::all).post(webhooks::add))
        .route(&format!("{}/{{name}}", address::WEBHOOKS), get(webhooks::one))
        .route(&format!("{}/{{name}}/change", address::WEBHOOKS), post(webhooks::change))
        .route(&format!("{}/{{name}}/ping", address::WEBHOOKS), post(webhooks::ping))
        .route(&format!("{}/{{name}}/again", address::WEBHOOKS), post(webhooks::again))
        .route(&format!("{}/{{name}}/remove", address::WEBHOOKS), post(webhooks::remove))
        .route("/{registry}", get(reading::registry).fallback(face))
        .route("/{registry}/", get(reading::registry).fallback(face))
        .route("/{registry}/-/search", get(searching::search))
        .route("/{registry}/-/policy", get(policy::policy))
        .route("/{registry}/-/policy/simulate", post(policy::simulate))
        .route("/{registry}/-/policy/set", post(policy::set))
        .route("/{registry}/-/statistics", get(statistics::of_registry))
        .route("/{registry}/-/queue", get(queue::queue))
        .route("/{registry}/-/queue/admit", post(queue::admit))
        .route("/{registry}/-/queue/approve", post(queue::approve))
        .route("/{registry}/-/queue/refuse", post(queue::refuse))
        .route("/{registry}/-/log/{index}", get(reading::entry))
        .route("/{registry}/-/log/{index}/proof", get(reading::proof))
        .route(package, get(reading::package))
        .route(&format!("{package}/{{version}}"), get(reading::release))
        .route(&format!("{package}/{{version}}/impact"), get(reading::impact))
        .route(&format!("{package}/{{version}}/graph"), get(graph::graph))
        .route(&format!("{package}/{{version}}/modules"), get(modules::modules))
        .route(&format!("{package}/{{version}}/difference"), get(difference::difference))
        .route(&format!("{package}/{{version}}/withdraw"), post(acting::withdraw))
        .route(&format!("{package}/{{version}}/evidence/{{sha256}}"), get(package_files::evidence))
        .route(&format!("{package}/{{version}}/files/{{*path}}"), get(package_files::file))
}

/// What an address asks for, pair by pair.
fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    form_urlencoded::parse(query.as_bytes()).take(16)
}

/// The number that an address asks for by this name, if it does.
///
/// # Errors
///
/// When it is none.
fn number_asked_for<T: std::str::FromStr>(query: Option<&str>, wanted: &str) -> Result<Option<T>, Problem> {
    let Some(text) = asked_for(query, wanted).filter(|text| !text.is_empty()) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| {
        let shown: String = text.chars().take(80).collect();
        let detail = format!("`{wanted}=` in the address is followed by a number, and `{shown}` is none");
        Problem::new(Code::BadRequest, detail)
    })
}

/// What an address asks for by this name, the first time.
fn asked_for(query: Option<&str>, wanted: &str) -> Option<String> {
    pairs(query.unwrap_or_default()).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}

async fn asset(Path(name): Path<String>) -> Result<Response, Problem> {
    let asset = weir_web::asset(&name)
        .ok_or_else(|| Problem::new(Code::NotFound, "the pages refer to no such file"))?;
    let mut response = asset.text.into_response();
    let headers = response.headers_mut();
    harden(headers);
    set(headers, CONTENT_TYPE, asset.media_type);
    set(headers, CACHE_CONTROL, "public, max-age=31536000, immutable");
    Ok(response)
}

/// A page as an answer to whoever looks.
fn answer(visitor: &Visitor, status: StatusCode, page: Result<Page, PageError>) -> Result<Response, Problem> {
    let page = page.map_err(|error| Problem::internal(&error))?;
    let mut response = (status, page.into_html()).into_response();
    let headers = response.headers_mut();
    harden(headers);
    set(headers, CONTENT_TYPE, "text/html; charset=utf-8");
    set(headers, CACHE_CONTROL, keeping(visitor));
    set(headers, VARY, "Cookie");
    Ok(response)
}

/// Who may keep a page: of what somebody sees who has signed in, nobody.
fn keeping(visitor: &Visitor) -> &'static str {
    if visitor.asker.is_anonymous() { "private, no-cache" } else { "private, no-store" }
}

/// What is said with everything that a browser shows.
fn harden(headers: &mut HeaderMap) {
    set(headers, CONTENT_SECURITY_POLICY, POLICY);
    set(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, X_FRAME_OPTIONS, "DENY");
    set(headers, REFERRER_POLICY, "same-origin");
    set(headers, OPENER_POLICY, "same-origin");
    set(headers, RESOURCE_POLICY, "same-origin");
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}
