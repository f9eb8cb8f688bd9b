//! The kind `generic`: files of any sort, with commands if the manifest names some.
//!
//! Direct dependencies are found at `packages/<owner>/<name>`, everything below them at
//! `transitive/packages/<owner>/<name>@<version>`, and which uses which in `packages.json`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;
use weir_model::{KindName, Manifest, ReleaseId};
use weir_store::Session;
use weir_tree::{Mode, TreeManifest};

use crate::{
    Closure, Facts, Foreign, Inspection, Kind, KindError, Layout, LayoutFile, PackageFiles, Placed, Scaffold,
};

/// The kind `generic`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Generic;

impl Kind for Generic {
    fn name(&self) -> KindName {
        KindName::Generic
    }

    fn scaffold(&self, package: &str) -> Scaffold {
        Scaffold {
            manifest: String::new(),
            files: vec![("README.md".into(), format!("# {package}\n"), false)],
        }
    }

    fn read_foreign(&self, _files: &dyn PackageFiles) -> Result<Option<Foreign>, KindError> {
        Ok(None)
    }

    fn inspect(
        &self,
        _files: &dyn PackageFiles,
        manifest: &Manifest,
        tree: &TreeManifest,
    ) -> Result<Inspection, KindError> {
        inspect(manifest, tree)
    }

    fn lay_out(&self, closure: &Closure, _store: &Session) -> Result<Layout, KindError> {
        lay_out(closure, KindName::Generic)
    }
}

/// The facts that every kind with plain files shares: its commands, which must be files of the tree,
/// and the words it is found by.
///
/// # Errors
///
/// When `[bin]` names a file that is not in the package, or not executable.
pub fn inspect(manifest: &Manifest, tree: &TreeManifest) -> Result<Inspection, KindError> {
    let mut inspection = Inspection::default();
    for (command, path) in &manifest.bin {
        match tree.entries().iter().find(|entry| entry.path.as_str() == path) {
            None => {
                let message =
                    format!("`[bin]` says that `{command}` is `{path}`, but the package has no such file");
                return Err(KindError::NotAllowed(message));
            }
            Some(entry) if entry.mode == Mode::File => {
                return Err(KindError::NotAllowed(format!(
                    "`[bin]` says that `{command}` is `{path}`, which is not executable: `chmod +x {path}`"
                )));
            }
            Some(_) => {}
        }
    }
    if !manifest.bin.is_empty() {
        inspection.facts.insert("bin".into(), json!(manifest.bin));
    }
    if !manifest.package.keywords.is_empty() {
        inspection.facts.insert("keywords".into(), json!(manifest.package.keywords));
    }
    Ok(inspection)
}

/// Lays out the packages of `kind` in `closure`: a link a package, a link a command, a link a reference.
///
/// # Errors
///
/// When two packages offer one command.
pub fn lay_out(closure: &Closure, kind: KindName) -> Result<Layout, KindError> {
    let mut layout = Layout::default();
    let mut commands: BTreeMap<String, &ReleaseId> = BTreeMap::new();
    for placed in closure.packages.iter().filter(|placed| placed.kind == kind) {
        let at = package_path(placed);
        layout.link(&at, &placed.content);
        for (name, target) in &placed.references {
            layout.link(format!("references/{}@{}/{name}", placed.id.name, placed.id.version), target);
        }
        let folder = if placed.direct { "bin" } else { "transitive/bin" };
        for (command, file) in bin(&placed.facts) {
            let path = format!("{folder}/{command}");
            if let Some(first) = commands.insert(path.clone(), &placed.id) {
                if placed.direct {
                    let (first, second) = (Box::new(first.clone()), Box::new(placed.id.clone()));
                    return Err(KindError::Collision { file: path, first, second });
                }
                // Below the direct dependencies nobody calls a command by its bare name.
                continue;
            }
            let inside = at.strip_prefix("transitive/").unwrap_or(&at);
            layout.link(path, PathBuf::from("..").join(inside).join(file));
        }
    }
    Ok(layout)
}

/// Where a package is found, below the layout's folder.
fn package_path(placed: &Placed) -> String {
    if placed.direct {
        format!("packages/{}", placed.id.name)
    } else {
        format!("transitive/packages/{}@{}", placed.id.name, placed.id.version)
    }
}

/// The commands that a release's facts name, with files that stay inside the package.
fn bin(facts: &Facts) -> impl Iterator<Item = (&str, &str)> {
    let commands = facts.get("bin").and_then(|bin| bin.as_object());
    let named =
        commands.into_iter().flatten().filter_map(|(name, file)| Some((name.as_str(), file.as_str()?)));
    named.filter(|(name, file)| {
        let plain =
            |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\0', '\\']);
        plain(name) && !name.contains('/') && file.split('/').all(plain)
    })
}

/// Who uses whom, for programs that load packages themselves: `packages.json`.
pub fn packages_map(closure: &Closure) -> LayoutFile {
    let packages: BTreeMap<String, serde_json::Value> = closure
        .packages
        .iter()
        .map(|placed| {
            let dependencies: BTreeMap<String, String> =
                placed.dependencies.iter().map(|id| (id.name.to_string(), id.to_string())).collect();
            let facts = json!({
                "kind": placed.kind,
                "direct": placed.direct,
                // Nothing where it has bytes that are no text: a path that leads elsewhere is worse.
                "content": placed.content.to_str(),
                "dependencies": dependencies,
            });
            (placed.id.to_string(), facts)
        })
        .collect();
    let mut contents = serde_json::to_vec_pretty(&json!({ "version": 1, "packages": packages }))
        .expect("strings under string keys are JSON");
    contents.push(b'\n');
    LayoutFile { path: "packages.json".into(), contents, executable: false }
}
