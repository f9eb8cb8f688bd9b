//! Which request is answered by what.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use weir_fs::FsError;
use weir_registry::Face;

use crate::data::DataFolder;
use crate::faces::face;
use crate::files::{Files, blocking};
use crate::metrics::{MEDIA_TYPE, Metrics};
use crate::observe::observe;
use crate::problem::{Code, Problem};
use crate::registries::{Registries, RegistryName, Served};
use crate::settings::Settings;

/// The level of the protocol that is spoken.
const LEVEL: u32 = 1;

/// All that handlers share.
pub struct App {
    pub(crate) settings: Settings,
    pub(crate) registries: Registries,
    pub(crate) files: Arc<Files>,
    pub(crate) metrics: Metrics,
}

/// What a host says of itself, at `/.well-known/weir`.
#[derive(Debug, Serialize)]
struct Host {
    weir: u32,
    level: u32,
    registries: Vec<ServedRegistry>,
}

/// A registry of a host.
#[derive(Debug, Serialize)]
struct ServedRegistry {
    name: String,
    path: String,
}

impl App {
    /// Serves what is in `data`, as `settings` say.
    ///
    /// # Errors
    ///
    /// When the folder of the registries cannot be opened.
    pub fn new(data: &DataFolder, settings: Settings) -> Result<Arc<Self>, FsError> {
        let memory = u64::from(settings.limits.memory_megabytes) << 20;
        Ok(Arc::new(Self {
            registries: Registries::new(data.registries())?,
            files: Arc::new(Files::new(memory)),
            metrics: Metrics::new(),
            settings,
        }))
    }

    /// The names of the registries that are there now.
    ///
    /// # Errors
    ///
    /// When their folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>, FsError> {
        Ok(self.registries.names()?.iter().map(ToString::to_string).collect())
    }

    /// The registry of that name, if there is one.
    ///
    /// # Errors
    ///
    /// When its folder cannot be opened.
    pub(crate) async fn registry(
        self: &Arc<Self>,
        name: &RegistryName,
    ) -> Result<Option<Arc<Served>>, FsError> {
        if let Some(registry) = self.registries.known(name) {
            return Ok(Some(registry));
        }
        let (app, name) = (self.clone(), name.clone());
        blocking(move || app.registries.find(&name)).await
    }

    /// What is answered on the main address.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        let mut router = Router::new()
            .route("/healthz", get(|| async { "the server runs\n" }))
            .route("/readyz", get(ready))
            .route("/.well-known/weir", get(host));
        if self.settings.metrics_listen.is_none() {
            router = router.route("/metrics", get(metrics));
        }
        router.fallback(face).layer(from_fn_with_state(self.clone(), observe)).with_state(self.clone())
    }

    /// What is answered on the address of the metrics, if they have their own.
    pub(crate) fn metrics_router(self: &Arc<Self>) -> Router {
        Router::new().route("/metrics", get(metrics)).with_state(self.clone())
    }
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    ([(CONTENT_TYPE, MEDIA_TYPE), (CACHE_CONTROL, "no-store")], app.metrics.to_text()).into_response()
}

async fn host(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let names = blocking(move || app.registries.names()).await.map_err(|error| Problem::internal(&error))?;
    let registries = names
        .into_iter()
        .map(|name| ServedRegistry { path: format!("/{name}"), name: name.to_string() })
        .collect();
    Ok(([(CACHE_CONTROL, "no-cache")], Json(Host { weir: 1, level: LEVEL, registries })).into_response())
}

/// Ready is who can read the checkpoint of every registry.
async fn ready(State(app): State<Arc<App>>) -> Result<&'static str, Problem> {
    let not_ready = |what: String| Problem::new(Code::NotReady, what);
    let looked = app.clone();
    let names = blocking(move || looked.registries.names()).await.map_err(|error| {
        tracing::error!(%error, "the registries cannot be listed");
        not_ready("the registries cannot be listed".to_owned())
    })?;
    for name in names {
        let registry = app.registry(&name).await.ok().flatten();
        let unreadable = || not_ready(format!("the checkpoint of `{name}` cannot be read"));
        let registry = registry.ok_or_else(unreadable)?;
        let opened = app.files.open(&registry, Face::Checkpoint, "checkpoint").await;
        opened.ok().flatten().ok_or_else(unreadable)?;
    }
    Ok("the server can answer\n")
}
