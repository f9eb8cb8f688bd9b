//! Test support: registries and projects in three lines.
//!
//! ```no_run
//! # let weir = "weir";
//! use weir_testkit::Sandbox;
//!
//! let t = Sandbox::new(weir);
//! t.registry("org");
//! t.package("acme/str", "1.0.0").file("lib.sh", "trim() { :; }").publish();
//! t.project(&["acme/str = ^1"]);
//! let run = t.weir("install");
//! assert_eq!(run.code, 0);
//! ```
//!
//! [`Sandbox`] runs the real program in a temporary folder with a home of its own, and holds whatever it prints with
//! `--json` against the published schema; [`StaticServer`] is
//! a web server that can be told to misbehave.

mod contract;
mod filter;
mod openid;
mod package;
mod sandbox;
mod static_server;
mod terminal;
mod tls_server;
mod webhook_receiver;
mod weir_server;

pub use contract::check_json;
pub use openid::OpenIdProvider;
pub use package::PackageBuilder;
pub use sandbox::{Run, Sandbox};
pub use static_server::{Misbehaviour, Seen, StaticServer};
pub use terminal::Terminal;
pub use tls_server::{Authority, Identity, TlsServer};
pub use webhook_receiver::{Heard, Manner, WebhookReceiver};
pub use weir_server::{Reply, WeirServer};
