//! What `--json` prints: one document a command, an object each.
//!
//! They are a contract: the types here, and those of the libraries in them, are what
//! `docs/reference/json-schema.json` is generated from, and every document that a test makes the program print is checked
//! against it. Names are written as in manifests and records: lower case, words joined by `-`.

pub(crate) mod building;
pub(crate) mod itself;
pub(crate) mod looking;
pub(crate) mod project;
pub(crate) mod publishing;
pub(crate) mod registry;
#[cfg(test)]
mod schema;
pub(crate) mod server;
pub(crate) mod store;

use schemars::JsonSchema;
use serde::Serialize;

/// What can be printed as JSON: nothing that the schema does not describe.
pub(crate) trait Document: Serialize + JsonSchema {}

impl<T: Serialize + JsonSchema> Document for T {}
