//! The policy set of a registry: read by who may read the registry, set by who may govern it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use weir_cedar::{PolicyFile, PolicyFiles, TestedSet};
use weir_model::unseen::Named as _;
use weir_policy::{Caller, Verb};
use weir_registry::{Registrar, SubmitError};
use weir_wire::policy::{PolicyDocument, PolicyInForce, PolicyText};

use super::{Asked, SignedDocument, json};
use crate::accounting::Accounting;
use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::problem::{Code, Problem};
use crate::registries::Served;

/// So many characters of the names of a set's files are written down.
const MOST_TOLD: usize = 200;

/// `GET /{registry}/api/v1/policy`: its files. None where it goes by the set of a folder.
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
) -> Result<Response, Problem> {
    asker.speaker()?;
    let served = app.served(&asker, &name).await?;
    let files = blocking(move || PolicyFiles::read(served.folder.path())).await;
    let files = files.map_err(|error| unusable(&error))?;
    let texts = files.all().map(|PolicyFile { name, text }| PolicyText { name, text });
    Ok(json(StatusCode::OK, &PolicyDocument { files: texts.collect(), lock_out: false }))
}

/// `POST /{registry}/api/v1/policy`: puts a set in force, which must be one and pass its own cases.
pub(crate) async fn set(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
    SignedDocument(document): SignedDocument<PolicyDocument>,
) -> Result<Response, Problem> {
    let asked = Asked::of(&app, &asker, &name).await?;
    let put = put_in_force(&app, &asker, &asked, document, || Ok(true)).await?;
    Ok(json(StatusCode::OK, &put.ok_or_else(|| Problem::new(Code::Conflict, "another set is in force"))?))
}

/// Whether who asks may put another set in force.
pub(crate) async fn may_govern(asker: &Asker, asked: &Asked) -> Result<(), Problem> {
    // Who governs the server can always put right what cannot decide any more.
    match asker.administrator() {
        Ok(_) => Ok(()),
        Err(_) => asked.carry_out(|registry| registry.may(Verb::Govern)).await,
    }
}

/// Puts a set in force, for who asks; nothing, where by then the one that it replaces is not the one that `is_meant`.
pub(crate) async fn put_in_force(
    app: &Arc<App>,
    asker: &Asker,
    asked: &Asked,
    document: PolicyDocument,
    is_meant: impl Fn() -> Result<bool, SubmitError> + Send + 'static,
) -> Result<Option<PolicyInForce>, Problem> {
    let name = asked.served.name.as_str();
    let accounting = Accounting::of(app, asker, Some(name), "policy-set");
    let files = document.files.iter().map(|file| file.name.named()).collect::<Vec<_>>().join(", ");
    let accounting = accounting.about(files.chars().take(MOST_TOLD).collect::<String>());
    if let Err(problem) = may_govern(asker, asked).await {
        return accounting.note(Err(problem)).await;
    }
    let caller = asker.caller(name)?;
    let (of, served) = (app.clone(), asked.served.clone());
    let came = blocking(move || {
        let registrar = of.registries.registrar(&served).map_err(|error| Problem::refused(&error, false))?;
        put(&of, &served, &registrar, &caller, document, &is_meant)
    });
    match came.await {
        Ok(None) => Ok(None),
        came => {
            app.listing.renew(app).await;
            accounting.note(came).await
        }
    }
}

/// Puts a set in force. Reading and testing one takes long: on a thread that may block.
fn put(
    app: &App,
    served: &Served,
    registrar: &Registrar,
    caller: &Caller,
    document: PolicyDocument,
    is_meant: &dyn Fn() -> Result<bool, SubmitError>,
) -> Result<Option<PolicyInForce>, Problem> {
    let lock_out = document.lock_out;
    let files = document.files.into_iter().map(|PolicyText { name, text }| PolicyFile { name, text });
    let files = PolicyFiles::new(files).map_err(|error| unusable(&error))?;
    let set = TestedSet::new(&files).map_err(|error| unusable(&error))?;
    if !lock_out {
        refuse_lock_out(&set, caller)?;
    }
    let summary = set.summary();
    // It was read here, where nobody waits for it, and decides as it is once it is in force.
    served.prepare(set.into_set());
    let refused = |error: SubmitError| Problem::refused(&error, false);
    // Nobody else changes it in this turn.
    let mut meant = true;
    let mut write = || {
        meant = is_meant().map_err(std::io::Error::other)?;
        match meant {
            true => files.write(served.folder.path()).map_err(std::io::Error::from),
            false => Err(std::io::Error::other("another set is in force")),
        }
    };
    let done = match registrar.set_policy(caller, &summary, &mut write) {
        Err(_) if !meant => return Ok(None),
        done => done.map_err(refused)?,
    };
    // That it decides is no part of having been set.
    let _ = app.registries.follow_policies(served);
    Ok(Some(PolicyInForce {
        summary: summary.summary,
        digest: summary.digest,
        before: done.before,
        changed: done.changed,
    }))
}

/// A set that whoever sets it could not change again is a mistake more often than a wish.
fn refuse_lock_out(set: &TestedSet, caller: &Caller) -> Result<(), Problem> {
    let decision = set.can_be_changed_by(caller);
    match decision.allowed {
        true => Ok(()),
        false => Err(Problem::new(
            Code::Conflict,
            format!(
                "by this set you could not change it again: {}; whoever means it sets it with `weir policy set --lock-out`, or with `\"lock-out\": true` in the document",
                decision.reason
            ),
        )),
    }
}

fn unusable(error: &impl std::fmt::Display) -> Problem {
    Problem::new(Code::BadDocument, error.to_string().chars().take(2000).collect::<String>())
}
