//! Signing in where there is no browser, as the API tells of it (RFC 8628): a terminal shows a code, and somebody who has signed in
//! elsewhere says that it is theirs.

use serde::{Deserialize, Serialize};

/// What a terminal asks with (RFC 8628, section 3.4).
pub const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A terminal that wants to be signed in; a form, as RFC 8628 has it.
#[derive(Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DeviceRequest {
    /// Which program it is. Whoever says that the code is theirs is told.
    pub client_id: String,
    /// What its machine calls itself. They are told that, too.
    #[serde(default)]
    pub machine: String,
}

/// What a terminal shows, and what it asks with meanwhile.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DeviceAnswer {
    /// What it asks with: nobody is shown it.
    pub device_code: String,
    /// What it shows.
    pub user_code: String,
    /// Where somebody says that the code is theirs.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: String,
    /// For how many seconds the code is good.
    pub expires_in: u64,
    /// So many seconds are between two times that it asks.
    pub interval: u64,
}

/// A terminal that asks whether somebody has said so; a form, as RFC 8628 has it.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DeviceTokenRequest {
    /// `urn:ietf:params:oauth:grant-type:device_code`.
    #[schemars(extend("const" = DEVICE_CODE))]
    pub grant_type: String,
    /// What it was given.
    pub device_code: String,
}

/// What it gets then.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DeviceToken {
    /// The token.
    pub access_token: String,
    /// How it is sent: `Bearer`.
    pub token_type: String,
    /// For how many seconds it is good.
    pub expires_in: u64,
}
