//! The registries above one: told to who has signed in and may read it, changed by who may govern it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use weir_client::Url;
use weir_policy::Verb;
use weir_reach::{Lower, ReachError};
use weir_registry::Acting;
use weir_wire::upstream::{UpstreamChange, UpstreamList};

use super::{Asked, SignedDocument, json};
use crate::accounting::Accounting;
use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::problem::{Code, Problem};
use crate::registries::Served;

/// `GET /{registry}/api/v1/upstreams`: the nearest first, and where they are reached.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
) -> Result<Response, Problem> {
    asker.speaker()?;
    let asked = Asked::of(&app, &asker, &name).await?;
    let facts = asked.carry_out(Acting::facts).await?;
    let served = asked.served.clone();
    let upstreams = blocking(move || weir_reach::upstreams_in(&facts, served.folder.path())).await;
    let upstreams = upstreams.map_err(|error| Problem::internal(&error))?;
    Ok(json(StatusCode::OK, &UpstreamList { upstreams }))
}

/// `POST /{registry}/api/v1/upstreams`: names one, or names it no longer.
pub(crate) async fn change(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
    SignedDocument(change): SignedDocument<UpstreamChange>,
) -> Result<Response, Problem> {
    let asked = Asked::of(&app, &asker, &name).await?;
    let (action, subject) = match &change {
        UpstreamChange::Add(wanted) => {
            must_be_elsewhere(&wanted.address)?;
            ("upstream-added", wanted.address.clone())
        }
        UpstreamChange::Remove { name } => ("upstream-removed", name.clone()),
    };
    let accounting = Accounting::of(&app, &asker, Some(&name), action).about(subject);
    let changed = changed(&app, &asker, &asked, change).await;
    Ok(json(StatusCode::OK, &accounting.note(changed).await?))
}

async fn changed(
    app: &Arc<App>,
    asker: &Asker,
    asked: &Asked,
    change: UpstreamChange,
) -> Result<UpstreamList, Problem> {
    // Nothing is reached for who may not name it.
    asked.carry_out(|registry| registry.may(Verb::Govern)).await?;
    let (app, served, session) = (app.clone(), asked.served.clone(), app.session());
    let caller = asker.caller(served.name.as_str())?;
    let came = blocking(move || {
        let registrar = app.registries.registrar(&served).map_err(|error| Problem::refused(&error, false))?;
        weir_reach::change_upstreams(&session, &registrar, served.folder.path(), &caller, &change)
            .map_err(|error| of_reaching(&error))
    });
    Ok(UpstreamList { upstreams: came.await?.upstreams })
}

/// Does something with a registry and those above it, in the name of whoever asks. Waits for the disk and the network.
pub(super) async fn with_those_above<T: Send + 'static>(
    app: &Arc<App>,
    asker: &Asker,
    served: &Arc<Served>,
    work: impl FnOnce(&Lower<'_>) -> Result<T, ReachError> + Send + 'static,
) -> Result<T, Problem> {
    let caller = asker.caller(served.name.as_str())?;
    let (app, served, session) = (app.clone(), served.clone(), app.session());
    blocking(move || {
        let registrar = app.registries.registrar(&served).map_err(|error| Problem::refused(&error, false))?;
        let root = served.folder.path();
        let lower = Lower { session: &session, registrar: &registrar, root, caller: &caller };
        work(&lower).map_err(|error| of_reaching(&error))
    })
    .await
}

/// A server reaches its upstreams over HTTP: a path would name any folder of its machine.
fn must_be_elsewhere(address: &str) -> Result<(), Problem> {
    if weir_reach::is_foreign(address) {
        return Ok(());
    }
    match weir_reach::is_http(address) && address.parse::<Url>().is_ok() {
        true => Ok(()),
        false => Err(Problem::new(
            Code::BadDocument,
            "a registry on a server has upstreams that are reached by `https://` or `http://`",
        )),
    }
}

/// What who asked is told when an upstream was not reached, or not believed.
pub(super) fn of_reaching(error: &ReachError) -> Problem {
    match error {
        ReachError::Submit(error) => Problem::refused(error, false),
        ReachError::BadAddress { .. } | ReachError::Key(_) => {
            Problem::new(Code::BadDocument, error.to_string())
        }
        ReachError::Replica(_)
        | ReachError::Source(_)
        | ReachError::Remote(_)
        | ReachError::Credential { .. }
        | ReachError::NoAddress { .. }
        | ReachError::NotAdmitted { .. }
        | ReachError::Foreign { .. }
            if !names_files(error) =>
        {
            tracing::warn!(%error, "an upstream was not reached or not believed");
            Problem::new(Code::Upstream, weir_model::chain(error).chars().take(2000).collect::<String>())
        }
        error => Problem::internal(error),
    }
}

/// Whether an error is of this machine: its files are nobody's business.
fn names_files(error: &ReachError) -> bool {
    use weir_registry::{ReplicaError, TrustError};
    matches!(
        error,
        ReachError::Replica(
            ReplicaError::Io(_)
                | ReplicaError::Index(_)
                | ReplicaError::Trust(TrustError::Io(_) | TrustError::BadPin { .. })
        )
    )
}
