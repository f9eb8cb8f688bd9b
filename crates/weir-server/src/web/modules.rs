//! What the modules of an Elm package offer, read out of its pack.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use weir_elm_protocol::ReleaseFile;
use weir_index::ReleaseView;
use weir_model::KindName;
use weir_registry::content::shown_texts;
use weir_registry::{Acting, SubmitError};
use weir_web::ModulesPage;

use super::reading::{Build, bring, no_release};
use super::{Visitor, answer, asked_for};
use crate::api::Asked;
use crate::app::App;
use crate::problem::Problem;

/// The largest documentation that is read for a page, in bytes.
const MOST: usize = 4 << 20;

/// `GET /{registry}/-/packages/{owner}/{name}/{version}/modules`, and with `?module=` one of them.
pub(crate) async fn modules(
    State(app): State<Arc<App>>,
    Path((registry, owner, name, version)): Path<(String, String, String, String)>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let asked = Asked::of_visitor(&app, &visitor.asker, &registry).await?;
    let build = Build::new(&owner, &name, &version, query.as_deref())?;
    bring(&app, &visitor, &asked, &build).await?;
    let module = asked_for(query.as_deref(), "module");
    let frame = visitor.frame_of(&registry);
    let page = asked.carry_out(move |acting| {
        let view = acting.view()?;
        let Some((chosen, _)) = build.find(view.index())? else { return Ok(None) };
        let docs = docs(acting, &chosen)?;
        let page =
            ModulesPage { frame: &frame, view: &chosen, docs: docs.as_deref(), module: module.as_deref() };
        Ok(Some(page.page()))
    });
    answer(&visitor, StatusCode::OK, page.await?.ok_or_else(no_release)?)
}

/// The documentation of an Elm package, if readers may have it and it is there.
pub(super) fn docs(acting: &Acting, view: &ReleaseView) -> Result<Option<String>, SubmitError> {
    if view.release.kind != KindName::Elm || !view.standing().is_usable() {
        return Ok(None);
    }
    let path = ReleaseFile::Docs.file_name();
    let texts = shown_texts(&*acting.source()?, &view.release, vec![path], MOST);
    let mut texts = texts.map_err(|error| SubmitError::Io(std::io::Error::other(error)))?;
    Ok(texts.remove(path))
}
