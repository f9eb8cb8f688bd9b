//! Data packages: files, and references to external files that are too large to be a package's own.
//!
//! A data package is laid out as any files are. Its references are found beside it, at
//! `references/<owner>/<name>@<version>/<reference>`: a file, or a folder where the manifest says `unpack`.

use weir_kind::{
    Closure, Foreign, Inspection, Kind, KindError, Layout, PackageFiles, Scaffold, inspect_generic,
    lay_out_generic,
};
use weir_model::{KindName, Manifest};
use weir_store::Session;
use weir_tree::TreeManifest;

/// The kind `data`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Data;

const SCAFFOLD: &str = r#"
# External files, fetched when the package is installed and checked by their digest:
# `weir add --reference NAME ADDRESS` fills this in.
#
# [references.corpus]
# url = "https://…"
# sha256 = "sha256:…"
# size = 0
"#;

impl Kind for Data {
    fn name(&self) -> KindName {
        KindName::Data
    }

    fn scaffold(&self, package: &str) -> Scaffold {
        let readme = format!("# {package}\n\nWhere the data comes from, and under which terms.\n");
        Scaffold { manifest: SCAFFOLD.into(), files: vec![("README.md".into(), readme, false)] }
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
        let mut inspection = inspect_generic(manifest, tree)?;
        for reference in &manifest.references {
            if reference.size.is_none() && !reference.fluid {
                inspection.warnings.push(format!(
                    "the reference `{}` says no `size`: whoever installs it cannot know how much will come",
                    reference.name
                ));
            }
        }
        Ok(inspection)
    }

    fn lay_out(&self, closure: &Closure, _store: &Session) -> Result<Layout, KindError> {
        lay_out_generic(closure, KindName::Data)
    }
}
