//! Elm packages and applications, for the unmodified compiler.
//!
//! `elm.json` stays the manifest: [`ElmJson`] reads it and writes it as `elm` does, and [`Elm`] is the kind. What the compiler keeps of a registry,
//! `registry.dat`, is [`registry_dat`]'s; where it looks for packages is [`home`]'s to plan. Nothing here runs the compiler or writes a file.

pub mod api;
mod code;
mod constraint;
mod elm_json;
pub mod home;
mod kind;
mod module;
mod name;
mod own_manifest;
pub mod registry_dat;

pub use constraint::{until_next_major, written};
pub use elm_json::{Application, ElmJson, ElmJsonError, FILE_NAME, MAX_BYTES, Package};
pub use kind::{COMPILER, Elm, SOURCES_FOLDER, application_compiler, compilers, is_compiled_alone};
pub use module::{Header, is_module_name};
pub use name::may_have_kernel;
