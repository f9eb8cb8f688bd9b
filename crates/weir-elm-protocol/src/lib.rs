//! The registry protocol of Elm's compiler and of the tools around it, answered from the view and the packs of a registry.
//!
//! * [`Asked`]: what a path asks for;
//! * [`Listing`]: the releases of a registry in the order of its log, which is the order that the protocol counts in;
//! * [`files`]: what is handed out of a release, the archive among them;
//! * [`Arrived`]: a package that came as such an archive, on its way to become a release.
//!
//! Who may ask, and over what, is the business of whoever uses it: a server, or the proxy that `weir run` starts.

mod arrived;
mod asked;
mod error;
pub mod files;
mod listing;

pub use arrived::{Arrived, Keep, LARGEST_ARCHIVE, NotTaken};
pub use asked::{Asked, ReleaseFile};
pub use error::ProtocolError;
pub use listing::{Listed, Listing, all_packages, releases, search, since};

/// What `GET /capabilities` is answered, as elm-wrap proposed it: dependencies are solved by who asks.
pub const CAPABILITIES: &str = r#"{"version":"2.0","features":["authentication","full-source-storage"]}"#;
