//! Bytes over HTTP: a remote registry read like a local one, and files from mirrors nobody trusts.
//!
//! * [`HttpSource`] is a [`weir_log::Source`] over any plain web server: log, packs and snapshots.
//! * [`download()`] fetches a file whose size and SHA-256 are known, from mirrors in order, resuming, and
//!   saying which mirror sent wrong bytes. [`fetch_fluid`] fetches whatever is current.
//!
//! Nothing here decides what to believe: a digest that comes from the log or the manifest does. A
//! server can therefore be late, broken or hostile, and the worst it achieves is an error. What this
//! crate adds is that the error comes in bounded time and space, that absence ([`None`]) is never
//! confused with refusal, and that a [`Credential`] is seen by its own origin only.
//!
//! Synchronous on purpose: a package manager waits for a dozen downloads, for which threads do, and
//! starts without an async runtime. See [`HttpClient`] for what is shared between threads.

mod authorities;
mod client;
mod credential;
mod download;
mod egress;
mod exchange;
mod failure;
mod fluid;
mod mirror;
mod options;
mod pace;
mod resolver;
mod retry;
mod source;
mod stream;
mod url;

pub use client::{Freshness, HttpClient};
pub use credential::{Credential, CredentialError};
pub use download::{DownloadError, DownloadEvent, Expected, MirrorFailure, download};
pub use egress::{Egress, Reach};
pub use exchange::{Message, Method, Reply};
pub use fluid::{Fluid, FluidLook, FluidState, fetch_fluid, look_at_fluid};
pub use mirror::{Mirror, MirrorError};
pub use options::{Authorities, HttpOptions, ProxyChoice};
pub use source::HttpSource;
pub use url::{Origin, Url, UrlError};
