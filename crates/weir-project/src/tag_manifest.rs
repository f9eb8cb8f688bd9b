//! The manifest of what a git tag names: the repository's own, what is guessed where it has none, and what whoever asks for it says.

use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, TableLike};
use weir_fs::Folder;
use weir_model::manifest;
use weir_tree::TreeManifest;

use crate::error::ProjectError;
use crate::files::MAX_MANIFEST;

/// A manifest, before it is understood.
pub(crate) struct TagManifest {
    /// The file that it is from, or would be.
    pub(crate) file: PathBuf,
    /// Its text, as that of a `weir.toml`.
    pub(crate) text: String,
    /// What was doubtful in it.
    pub(crate) warnings: Vec<String>,
    is_guessed: bool,
}

impl TagManifest {
    /// Reads the manifest in `folder`, with what `says` says over it; `None` where there is none, nothing to guess it from, and nothing
    /// was said.
    pub(crate) fn read(
        folder: &Path,
        tree: &TreeManifest,
        says: Option<&str>,
    ) -> Result<Option<Self>, ProjectError> {
        let file = folder.join(manifest::FILE_NAME);
        let files = Folder::open(folder)?;
        let own = files.find_text(manifest::FILE_NAME, MAX_MANIFEST)?;
        let found = if let Some(text) = own {
            Some(Self { file, text, warnings: Vec::new(), is_guessed: false })
        } else if let Some(foreign) = weir_kinds::read_foreign(&files)? {
            let (file, text, warnings) = (foreign.file, foreign.manifest, foreign.warnings);
            Some(Self { file, text, warnings, is_guessed: false })
        } else {
            let text = match weir_kinds::guess(&files, tree)? {
                Some((kind, guess)) => Some(format!("[package]\nkind = \"{kind}\"\n\n{guess}")),
                None => says.map(|_| String::new()),
            };
            text.map(|text| Self { file, text, warnings: Vec::new(), is_guessed: true })
        };
        match (found, says) {
            (Some(mut found), Some(says)) => {
                found.text = with(&found.text, &parse(says)?).map_err(|error| not_toml(&error))?;
                Ok(Some(found))
            }
            (found, _) => Ok(found),
        }
    }

    /// What was taken for a manifest where the repository has none, in words; `None` where it has one.
    pub(crate) fn guess(&self) -> Option<String> {
        let document: DocumentMut = self.text.parse().ok().filter(|_| self.is_guessed)?;
        let mut lines = Vec::new();
        for (table, item) in document.as_table() {
            for (field, value) in item.as_table_like().into_iter().flat_map(TableLike::iter) {
                lines.push(format!("`{table}.{field} = {}`", value.to_string().trim()));
            }
        }
        Some(format!("it has no manifest, and is taken for {}: `--set` says otherwise", lines.join(", ")))
    }
}

/// What somebody wrote for a manifest to say.
///
/// # Errors
///
/// When it is no TOML.
pub(crate) fn parse(says: &str) -> Result<DocumentMut, ProjectError> {
    says.parse().map_err(|error| not_toml(&error))
}

fn not_toml(error: &toml_edit::TomlError) -> ProjectError {
    ProjectError::Usage(format!(
        "what the manifest is to say is no TOML, as `bash.source = [\"z.sh\"]` is: {}",
        error.message()
    ))
}

/// A manifest with the fields of another over its own, table by table.
fn with(text: &str, says: &DocumentMut) -> Result<String, toml_edit::TomlError> {
    let mut document: DocumentMut = text.parse()?;
    put(document.as_table_mut(), says.as_table());
    Ok(document.to_string())
}

fn put(into: &mut dyn TableLike, fields: &dyn TableLike) {
    for (name, item) in fields.iter() {
        match (into.get_mut(name).and_then(Item::as_table_like_mut), item.as_table_like()) {
            (Some(old), Some(new)) => put(old, new),
            _ => drop(into.insert(name, item.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, with};

    #[test]
    fn what_is_said_stands_over_what_is_there_field_by_field() {
        let there = "[package]\nkind = \"bash\"\n\n[bash]\nsource = [\"src\"]\nman = [\"man\"]\n";
        let says = "bash.source = [\"z.sh\"]\n[package]\nlicense = \"MIT\"\n";
        let said = with(there, &parse(says).unwrap()).unwrap();
        let manifest = weir_model::Manifest::parse(&said).unwrap();
        assert_eq!(manifest.package.license.as_deref(), Some("MIT"));
        let bash = &manifest.kind_tables["bash"];
        assert!(bash.contains("z.sh") && bash.contains("man") && !bash.contains("src"), "{bash}");
        assert!(parse("not TOML").is_err());
    }
}
