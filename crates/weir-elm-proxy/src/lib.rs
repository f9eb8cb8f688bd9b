//! The package site of Elm, played on loopback for one run of the compiler.
//!
//! The compiler knows one address, `https://package.elm-lang.org`, and asks it through a proxy where it is told of one. A [`Proxy`] is
//! that proxy: it answers for this address itself, out of whatever a [`Site`] has, with a certificate of an authority that is made when it begins, is
//! told to this one run of the compiler, and whose key is forgotten before the first connection. Who publishes also asks GitHub what
//! a tag names; that too is answered here. Nobody else is reached through it.
//!
//! Other users of the machine can connect to loopback; so whoever asks must know a secret that only the compiler was told.

mod answer;
mod authority;
mod connection;
mod proxy;

pub use proxy::{Proxy, ProxyError};

use bytes::Bytes;
use weir_elm_protocol::Asked;
use weir_model::{PackageName, Version};

/// What the compiler is told, and what becomes of what it publishes.
pub trait Site: Send + Sync + 'static {
    /// What is asked of the registry; `None` where there is nothing of the kind.
    ///
    /// # Errors
    ///
    /// In words, when it cannot be had.
    fn answer(&self, asked: &Asked) -> Result<Option<Bytes>, String>;

    /// The commit that a tag names, in the repository that is published from.
    ///
    /// # Errors
    ///
    /// In words, when there is none.
    fn commit(&self, name: &PackageName, version: &Version) -> Result<String, String>;

    /// The files of that tag, as a zip archive.
    ///
    /// # Errors
    ///
    /// In words, when there are none.
    fn sources(&self, name: &PackageName, version: &Version) -> Result<Bytes, String>;

    /// Publishes the files of a tag, with the documentation that the compiler made of them.
    ///
    /// # Errors
    ///
    /// In words, when it is refused.
    fn publish(&self, name: &PackageName, version: &Version, docs: &[u8]) -> Result<(), String>;
}

/// Where the compiler gets packages.
const PACKAGES: &str = "package.elm-lang.org";

/// Where it asks what a tag names, and where it gets the files of one. It does so when it publishes.
const GITHUB_API: &str = "api.github.com";
const GITHUB: &str = "github.com";

/// All of them.
const HOSTS: [&str; 3] = [PACKAGES, GITHUB_API, GITHUB];
