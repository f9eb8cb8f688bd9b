//! The programs that are trusted, and trusting them, or no longer.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use weir_policy::TokenScope;
use weir_web::{Done, TrustPage, address};
use weir_wire::trust::NewTrust;

use super::account::go_told;
use super::form::{Form, unreadable};
use super::{Visitor, answer};
use crate::api::trust;
use crate::app::App;
use crate::problem::{Code, Problem};

/// `GET /-/trust`
pub(crate) async fn page(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Problem> {
    if visitor.asker.is_anonymous() {
        return Err(Problem::new(Code::SignInNeeded, "sign in first"));
    }
    let rules = trust::listed(&app, &visitor.asker).await?;
    let registries = super::reading::visible(&app, &visitor).await?;
    let issuers: Vec<String> = app.openid.issuers().map(ToString::to_string).collect();
    let frame = visitor.frame();
    let page = TrustPage {
        frame: &frame,
        rules: &rules,
        registries: &registries,
        issuers: &issuers,
        audience: app.address(),
        now: visitor.asker.at,
    };
    answer(&visitor, StatusCode::OK, page.page())
}

/// `POST /-/trust/add`
pub(crate) async fn add(State(app): State<Arc<App>>, form: Form) -> Result<Response, Problem> {
    let verbs = form.chosen("verb")?;
    let new = NewTrust {
        issuer: form.field("issuer").unwrap_or_default().to_owned(),
        claims: claims(form.field("claims").unwrap_or_default())?,
        registry: form.field("registry").unwrap_or_default().to_owned(),
        scope: TokenScope { verbs, names: form.list("names")? },
        minutes: form.number("minutes")?,
    };
    let claims: Vec<String> = new.claims.iter().map(|(name, value)| format!("`{name}={value}`")).collect();
    let done = Done::said(format!(
        "a program of which its provider says {} is trusted now, at `{}`",
        claims.join(" and "),
        new.registry
    ));
    trust::added(&app, &form.visitor.asker, new).await?;
    Ok(go_told(&app, &form.visitor, address::TRUST, done))
}

/// `POST /-/trust/remove`
pub(crate) async fn remove(State(app): State<Arc<App>>, form: Form) -> Result<Response, Problem> {
    let which = form.required("which")?;
    trust::removed(&app, &form.visitor.asker, which.to_owned()).await?;
    let done = Done::said(format!("nobody is trusted by the rule `{which}` any longer"));
    Ok(go_told(&app, &form.visitor, address::TRUST, done))
}

/// What must be said of a program: a claim with its value on each line.
fn claims(typed: &str) -> Result<BTreeMap<String, String>, Problem> {
    let mut claims = BTreeMap::new();
    for line in typed.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once('=').ok_or_else(|| {
            unreadable(format!("`{line}` is no claim with its value, as `repository=acme/greet` is"))
        })?;
        let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
        if claims.insert(name.clone(), value).is_some() {
            return Err(unreadable(format!("`{name}` is named twice")));
        }
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::claims;

    #[test]
    fn a_claim_stands_on_each_line_once() {
        let read = claims(" repository=acme/greet \r\n\r\nref = refs/tags/v=*\n").unwrap();
        let read: Vec<(&str, &str)> =
            read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, [("ref", "refs/tags/v=*"), ("repository", "acme/greet")]);
        assert!(claims("repository").is_err() && claims("a=1\na=2").is_err());
    }
}
