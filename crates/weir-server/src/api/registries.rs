//! The registries of a server: an administrator makes another.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use weir_cedar::{FOLDER, FolderPolicies, PolicyFiles, PolicySet, SETS};
use weir_model::descriptor::PolicySummary;
use weir_policy::{Caller, FolderGate};
use weir_registry::{NewRegistry, OpenError, Registrar, SubmitError, folder_ports};
use weir_wire::people::WantedRegistry;

use super::{SignedDocument, json, registry_name};
use crate::accounting::Accounting;
use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::problem::{Code, Problem};
use weir_model::unseen::Named as _;

/// The built-in policy set of a registry whose maker says nothing: those see it who are in the team.
const DEFAULT_POLICY: &str = "team";

/// `POST /api/v1/registries`
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    asker: Asker,
    SignedDocument(wanted): SignedDocument<WantedRegistry>,
) -> Result<Response, Problem> {
    let caller = Caller::new(asker.administrator()?.principal(), asker.at);
    let name = registry_name(&wanted.name)?;
    let accounting =
        Accounting::of(&app, &asker, Some(&wanted.name), "registry-created").about(wanted.name.clone());
    let files = policy_files(wanted.policy.as_deref().unwrap_or(DEFAULT_POLICY))?;
    let origin = wanted.name.parse();
    let new = NewRegistry {
        name: origin
            .map_err(|error: weir_log::KeyError| Problem::new(Code::BadDocument, error.to_string()))?,
        closed: wanted.closed,
        kinds: wanted.kinds,
        validity: wanted.validity,
    };
    let (data, making, own) = (app.data.clone(), name.clone(), app.clone());
    let made = blocking(move || {
        // Until its policy is set, it is one that everybody may read.
        let _making = own.registries.making(&making);
        let folder = data.registries().join(making.as_str());
        fs_err::create_dir_all(&folder)?;
        let ports = folder_ports(&folder, &data.keys())?;
        let mut descriptor = Registrar::init(&ports, &data.views(), &FolderGate, &caller, &new)?;
        if let Some((files, summary)) = files {
            let registrar = Registrar::open(ports, &data.views(), Box::new(FolderPolicies::open(&folder)))?;
            registrar
                .set_policy(&caller, &summary, &mut || files.write(&folder).map_err(std::io::Error::from))?;
            descriptor.policy = Some(summary);
        }
        Ok(descriptor)
    })
    .await;
    let made = made.map_err(|error| match error {
        SubmitError::Open(OpenError::Exists(_) | OpenError::NotEmpty(_)) => {
            Problem::new(Code::Conflict, format!("there is a registry `{}` already", wanted.name))
        }
        error => Problem::internal(&error),
    });
    if made.is_ok() {
        app.ready.make(&app, &name).await;
        app.listing.renew_with_new(&app).await;
    }
    Ok(json(StatusCode::CREATED, &accounting.note(made).await?))
}

/// The files of a built-in set, and what the descriptor says of it; nothing of the one that a folder goes by anyway.
fn policy_files(name: &str) -> Result<Option<(PolicyFiles, PolicySummary)>, Problem> {
    let bad = |detail: String| Problem::new(Code::BadDocument, detail);
    let set = SETS.iter().find(|set| set.name == name).ok_or_else(|| {
        let names: Vec<&str> = SETS.iter().map(|set| set.name).collect();
        bad(format!("`{}` is no built-in policy set: there are {}", name.named(), names.join(", ")))
    })?;
    if set.name == FOLDER {
        return Ok(None);
    }
    let files = PolicyFiles::new([set.file()]).map_err(|error| bad(error.to_string()))?;
    let read = PolicySet::new(&files).map_err(|error| bad(error.to_string()))?;
    let summary = PolicySummary { digest: *read.digest(), summary: read.summary() };
    Ok(Some((files, summary)))
}
