//! Registries, as this machine knows them and as their keepers keep them. Most of it is told by `weir-reach` itself.

use std::path::PathBuf;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use weir_model::record::Retention;
use weir_reach::KnownRegistry;
use weir_registry::{Outcome, Receipt};
use weir_wire::storage::Storage;

/// `weir registry list`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct KnownRegistries {
    /// Each registry that has a name here.
    pub(crate) registries: Vec<KnownRegistry>,
}

/// `weir storage`: one of these.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct StorageAnswer {
    /// Who holds how much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storage: Option<Storage>,
    /// With `--limit`, what the registry answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) receipt: Option<Receipt>,
    /// With `--limit` and `--dry-run`, what would become of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) preview: Vec<Outcome>,
}

/// `weir registry retention show`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ShownRetention {
    /// The registry.
    pub(crate) registry: String,
    /// What it keeps.
    pub(crate) rule: Retention,
}

/// `weir registry renew`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Renewed {
    /// The new checkpoint, as it is signed.
    pub(crate) checkpoint: String,
}

/// `weir serve`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum ServeAnswer {
    /// Once it takes connections.
    Serving(Serving),
    /// Where it only invites somebody.
    Invited(InvitedOnMachine),
    /// Where it only looks at what it would begin with.
    Checked(CheckedServer),
    /// Where it only asks another whether that is ready.
    Ready(ReadyServer),
}

/// `weir serve --check`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CheckedServer {
    /// The folder with its data.
    #[serde(serialize_with = "weir_model::path_text::path")]
    pub(crate) data: PathBuf,
    /// The registries that it would serve.
    pub(crate) registries: Vec<String>,
    /// What is wrong.
    pub(crate) problems: Vec<ServerProblem>,
    /// What keeps it from nothing, and may be otherwise than whoever runs it thinks.
    pub(crate) warnings: Vec<ServerProblem>,
}

/// Something that is wrong with a server's data or settings.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ServerProblem {
    /// What, and why.
    pub(crate) reason: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) help: Option<String>,
}

/// `weir serve --ready`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ReadyServer {
    /// Where it was asked.
    pub(crate) url: String,
    /// Always true: a server that is not is a failure.
    pub(crate) ready: bool,
}

/// `weir serve --invite`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InvitedOnMachine {
    /// Who governs the server once they accept it.
    pub(crate) name: String,
    /// What they show.
    pub(crate) invitation: String,
    /// The same as a link, for a browser.
    #[serde(rename = "invitation-link")]
    pub(crate) invitation_link: String,
    /// Until when it is good.
    pub(crate) expires: Timestamp,
}

/// `weir serve`, once it takes connections.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Serving {
    /// Where, on this machine.
    pub(crate) url: String,
    /// The address by which others know it.
    pub(crate) address: String,
    /// Where its metrics are.
    pub(crate) metrics: String,
    /// The folder with its data.
    #[serde(serialize_with = "weir_model::path_text::path")]
    pub(crate) data: PathBuf,
    /// Where nobody governs the server yet: whoever has this becomes its first administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invitation: Option<String>,
    /// The same as a link, for a browser.
    #[serde(rename = "invitation-link", skip_serializing_if = "Option::is_none")]
    pub(crate) invitation_link: Option<String>,
    /// The registries that were there when it began.
    pub(crate) registries: Vec<String>,
}
