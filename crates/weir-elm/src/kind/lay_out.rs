//! Where the packages of a project are found: one link each, below `elm/`.
//!
//! The compiler itself looks elsewhere, in a folder made for it when it runs (`crate::home`). The links are for people, editors, and
//! for what is handed to it as a folder of modules.

use weir_kind::{Closure, KindError, Layout, PACKAGES_FOLDER};
use weir_model::{KindName, PackageName};

use super::circle::refuse_circles;

/// The folder of the links, below the project's.
pub const SOURCES_FOLDER: &str = "weir_packages/elm";

pub(super) fn lay_out(closure: &Closure) -> Result<Layout, KindError> {
    refuse_circles(closure)?;
    let mut layout = Layout::default();
    for placed in closure.packages.iter().filter(|placed| placed.kind == KindName::Elm) {
        layout.link(link_of(&placed.id.name), &placed.content);
    }
    Ok(layout)
}

/// The link of a package, below the folder of the layout.
fn link_of(name: &PackageName) -> String {
    let below = SOURCES_FOLDER.strip_prefix(PACKAGES_FOLDER).unwrap_or_default().trim_start_matches('/');
    format!("{below}/{name}")
}

/// A folder of modules of a package, as an application that uses it names it.
pub(crate) fn source_directory(name: &PackageName, folder: &str) -> String {
    format!("{SOURCES_FOLDER}/{name}/{folder}")
}
