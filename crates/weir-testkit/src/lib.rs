//! Test support: registries and projects in three lines.

mod static_server;

pub use static_server::{Misbehaviour, Seen, StaticServer};
