//! The registries of a server: an administrator makes another.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use weir_policy::{Caller, FolderGate};
use weir_registry::{NewRegistry, OpenError, Registrar, SubmitError, folder_ports};
use weir_wire::people::WantedRegistry;

use super::{Document, json, registry_name};
use crate::accounting::Accounting;
use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::problem::{Code, Problem};

/// `POST /api/v1/registries`
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    asker: Asker,
    Document(wanted): Document<WantedRegistry>,
) -> Result<Response, Problem> {
    let caller = Caller::new(asker.administrator()?.principal(), asker.at);
    let name = registry_name(&wanted.name)?;
    let accounting = Accounting::of(&app, &asker, Some(&wanted.name), "registry-created");
    let origin = wanted.name.parse();
    let new = NewRegistry {
        name: origin
            .map_err(|error: weir_log::KeyError| Problem::new(Code::BadDocument, error.to_string()))?,
        closed: wanted.closed,
        kinds: wanted.kinds,
        validity: wanted.validity,
    };
    let data = app.data.clone();
    let made = blocking(move || {
        let folder = data.registries().join(name.as_str());
        fs_err::create_dir_all(&folder)?;
        let ports = folder_ports(&folder, &data.keys())?;
        Registrar::init(&ports, &data.views(), &FolderGate, &caller, &new)
    })
    .await;
    let made = made.map_err(|error| match error {
        SubmitError::Open(OpenError::Exists(_) | OpenError::NotEmpty(_)) => {
            Problem::new(Code::Conflict, format!("there is a registry `{}` already", wanted.name))
        }
        error => Problem::internal(&error),
    });
    Ok(json(StatusCode::CREATED, &accounting.note(made).await?))
}
