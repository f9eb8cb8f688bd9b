//! A server, as those see it who have an account there. Most of it is told by `weir-wire` itself.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use weir_wire::people::{PendingInvitation, Token, User};
use weir_wire::trust::Trust;
use weir_wire::webhooks::Webhook;

/// `weir login`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LoggedIn {
    /// The server.
    pub(crate) server: String,
    /// Who one is there.
    pub(crate) user: String,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<Timestamp>,
}

/// `weir logout`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LoggedOut {
    /// The server.
    pub(crate) server: String,
}

/// `weir token list`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Tokens {
    /// Each token that is good.
    pub(crate) tokens: Vec<Token>,
}

/// `weir token revoke`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RevokedToken {
    /// The token, as it was named.
    pub(crate) token: String,
    /// The server.
    pub(crate) server: String,
}

/// `weir user list`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Users {
    /// Each user.
    pub(crate) users: Vec<User>,
}

/// `weir user invitations`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Invitations {
    /// Each that is good still, those that end first.
    pub(crate) invitations: Vec<PendingInvitation>,
}

/// `weir user uninvite`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Uninvited {
    /// The invitation, as it was named.
    pub(crate) invitation: String,
    /// The server.
    pub(crate) server: String,
}

/// `weir user remove`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RemovedUser {
    /// Who.
    pub(crate) user: String,
    /// The server.
    pub(crate) server: String,
}

/// `weir trust list`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TrustedPrograms {
    /// Each rule by which a program is trusted.
    pub(crate) trusted: Vec<Trust>,
}

/// `weir trust remove`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UntrustedProgram {
    /// The rule, by its id.
    pub(crate) rule: String,
    /// The server.
    pub(crate) server: String,
}

/// `weir webhook list`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Webhooks {
    /// Each webhook, by name.
    pub(crate) webhooks: Vec<Webhook>,
}

/// `weir webhook remove`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RemovedWebhook {
    /// The webhook.
    pub(crate) webhook: String,
    /// The server.
    pub(crate) server: String,
}
