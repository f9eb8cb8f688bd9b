//! What happened: for administrators.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use weir_wire::activity::ActivityQuery;

use super::{SignedDocument, json};
use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::problem::Problem;

/// `POST /api/v1/activity`: events, the newest first. It is asked by a document, since a query says more than an address should.
pub(crate) async fn query(
    State(app): State<Arc<App>>,
    asker: Asker,
    SignedDocument(query): SignedDocument<ActivityQuery>,
) -> Result<Response, Problem> {
    asker.administrator()?;
    let found = blocking(move || app.activity.query(&query)).await;
    Ok(json(StatusCode::OK, &found.map_err(|error| Problem::internal(&error))?))
}
