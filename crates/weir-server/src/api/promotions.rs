//! Promotions: out of a registry, and into it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use weir_registry::Registry as _;
use weir_wire::promotion::PromotionCheck;

use super::{Asked, SignedDocument};
use crate::accounting::Accounting;
use crate::app::App;
use crate::asker::Asker;
use crate::problem::{Code, Problem};

/// So many releases can be asked about at once.
const MOST_RELEASES: usize = 2_000;

/// `POST …/checks/promote`: whether releases may go up from here. That they may is written down: what comes of it, no other route
/// of this registry will tell.
pub(crate) async fn check(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
    SignedDocument(asked_for): SignedDocument<PromotionCheck>,
) -> Result<Response, Problem> {
    let PromotionCheck { releases, into } = asked_for;
    if releases.len() > MOST_RELEASES {
        let detail = format!("at most {MOST_RELEASES} releases can be asked about at once");
        return Err(Problem::new(Code::TooLarge, detail));
    }
    let asked = Asked::of(&app, &asker, &name).await?;
    let first = releases.first().map(ToString::to_string).unwrap_or_default();
    let accounting = Accounting::of(&app, &asker, Some(&name), "promote").about(first);
    let came = asked.carry_out(move |registry| registry.may_promote(&releases, &into)).await;
    accounting.note(came).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
