//! The packages of a project as they are installed: for a bundle.

use std::path::Path;

use weir_kind::{Closure, KindError, Placed};
use weir_model::KindName;

use super::lay_out::nodes;
use crate::bundle::BundledPackage;
use crate::layout::{order, package_path};
use crate::rename::SourceFile;

/// The largest file that a bundle takes in, in bytes.
pub const MAX_SOURCED: u64 = 64 << 20;

/// The packages of an installed project in the order they are loaded, with their sourced files as they are
/// laid out. Where `closure` says that packages are does not matter.
///
/// # Errors
///
/// When a record cannot be used, or a file cannot be read.
pub fn installed_packages(closure: &Closure, project: &Path) -> Result<Vec<BundledPackage>, KindError> {
    let placed: Vec<&Placed> =
        closure.packages.iter().filter(|placed| placed.kind == KindName::Bash).collect();
    let nodes = nodes(&placed)?;
    let mut packages = Vec::with_capacity(nodes.len());
    for index in order(&nodes) {
        let node = &nodes[index];
        let folder = project.join(package_path(node));
        let read = |path: &String| -> Result<SourceFile, KindError> {
            Ok(SourceFile { path: path.clone(), bytes: weir_fs::read(folder.join(path), MAX_SOURCED)? })
        };
        packages.push(BundledPackage {
            name: node.name.clone(),
            version: node.version.clone(),
            manifest: node.manifest.clone(),
            files: node.offers.source.iter().map(read).collect::<Result<_, _>>()?,
        });
    }
    Ok(packages)
}
