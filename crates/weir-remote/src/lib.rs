//! A server of Weir, for those who write to its registries and those who look after it.
//!
//! * [`RemoteRegistry`] is a [`weir_registry::Registry`] over HTTP: whoever publishes need not know where a registry is.
//! * [`Server`] is what a server itself is asked: who one is, users, tokens, new registries.
//!
//! Reading needs none of this: the files of a registry are the same everywhere.

mod call;
mod registry;
mod server;
mod upload;

pub use call::RemoteError;
pub use registry::RemoteRegistry;
pub use server::{Answered, FoundServer, Server};
