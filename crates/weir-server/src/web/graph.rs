//! What a release needs and what needs it, drawn.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use weir_web::{Drawn, GraphPage, MOST_DRAWN};

use super::reading::{Build, REACHED, no_release};
use super::{Visitor, answer, asked_for, number_asked_for};
use crate::api::Asked;
use crate::app::App;
use crate::problem::{Code, Problem};

/// `GET /{registry}/-/packages/{owner}/{name}/{version}/graph`: what it needs, and with `?of=dependents` what needs it.
pub(crate) async fn graph(
    State(app): State<Arc<App>>,
    Path((registry, owner, name, version)): Path<(String, String, String, String)>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let asked = Asked::of_visitor(&app, &visitor.asker, &registry).await?;
    let build = Build::new(&owner, &name, &version, query.as_deref())?;
    let reaches = match asked_for(query.as_deref(), "of").as_deref() {
        Some("dependents") => true,
        None | Some("") => false,
        Some(_) => {
            let detail = "`of=` in the address is followed by `dependents`, for what needs the release; without it, what it needs is drawn";
            return Err(Problem::new(Code::BadRequest, detail));
        }
    };
    let zoom = GraphPage::zoom(number_asked_for(query.as_deref(), "zoom")?);
    let frame = visitor.frame_of(&registry);
    let page = asked.carry_out(move |acting| {
        let view = acting.view()?;
        let index = view.index();
        let Some((chosen, _)) = build.find(index)? else { return Ok(None) };
        let id = &chosen.release.id;
        if reaches {
            let impact = index.impact_within(&id.name, Some(&id.version), REACHED)?;
            let drawn = Drawn::Reaches(&impact);
            return Ok(Some(GraphPage { frame: &frame, id, drawn, zoom }.page()));
        }
        let Some(closure) = index.closure(id, MOST_DRAWN)? else { return Ok(None) };
        let drawn = Drawn::Needs(&closure);
        Ok(Some(GraphPage { frame: &frame, id, drawn, zoom }.page()))
    });
    answer(&visitor, StatusCode::OK, page.await?.ok_or_else(no_release)?)
}
