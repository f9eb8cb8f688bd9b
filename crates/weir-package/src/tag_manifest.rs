//! The manifest of what a git tag names: the repository's own, what is guessed where it has none, and what whoever asks for it says.

use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, TableLike, value};
use weir_fs::Folder;
use weir_model::manifest::edit::{Editor, LineEnds};
use weir_model::manifest::{self, Requirement, Source};
use weir_model::{License, Manifest, PackageName, Range, Scope, Version};
use weir_tree::TreeManifest;

use crate::error::PackageError;
use crate::package::MAX_MANIFEST;

/// A manifest, before it is understood.
pub struct TagManifest {
    /// The file that it is from, or would be.
    pub file: PathBuf,
    /// Its text, as that of a `weir.toml`.
    pub text: String,
    /// What was doubtful in it.
    pub warnings: Vec<String>,
    /// Whether it is the repository's own `weir.toml`.
    pub is_own: bool,
    is_guessed: bool,
}

impl TagManifest {
    /// Reads the manifest in `folder`, with what `says` says over it; `None` where there is none, nothing to guess it from, and nothing
    /// was said.
    ///
    /// # Errors
    ///
    /// When one is there and cannot be read, or what is said is no TOML.
    pub fn read(
        folder: &Path,
        tree: &TreeManifest,
        says: Option<&str>,
    ) -> Result<Option<Self>, PackageError> {
        let file = folder.join(manifest::FILE_NAME);
        let files = Folder::open(folder)?;
        let own = files.find_text(manifest::FILE_NAME, MAX_MANIFEST)?;
        let found = if let Some(text) = own {
            Some(Self { file, text, warnings: Vec::new(), is_own: true, is_guessed: false })
        } else if let Some(foreign) = weir_kinds::read_foreign(&files)? {
            let (file, text, warnings) = (foreign.file, foreign.manifest, foreign.warnings);
            Some(Self { file, text, warnings, is_own: false, is_guessed: false })
        } else {
            let text = match weir_kinds::guess(&files, tree)? {
                Some((kind, guess)) => Some(format!("[package]\nkind = \"{kind}\"\n\n{guess}")),
                None => says.map(|_| String::new()),
            };
            text.map(|text| Self { file, text, warnings: Vec::new(), is_own: false, is_guessed: true })
        };
        match (found, says) {
            (Some(mut found), Some(says)) => {
                found.text = with(&found.text, &parse_said(says)?).map_err(|error| not_toml(&error))?;
                Ok(Some(found))
            }
            (found, _) => Ok(found),
        }
    }

    /// What was taken for a manifest where the repository has none, in words; `None` where it has one.
    pub fn guess(&self) -> Option<String> {
        let document: DocumentMut = self.text.parse().ok().filter(|_| self.is_guessed)?;
        let mut lines = Vec::new();
        for (table, item) in document.as_table() {
            for (field, value) in item.as_table_like().into_iter().flat_map(TableLike::iter) {
                lines.push(format!("`{table}.{field} = {}`", value.to_string().trim()));
            }
        }
        // What was left open is asked in comments.
        let open = self.text.lines().filter_map(|line| line.strip_prefix("# "));
        let open: String = open.map(|line| format!(". {}", line.trim_end_matches('.'))).collect();
        Some(format!(
            "it has no manifest, and is taken for {}: `--set` says otherwise{open}",
            lines.join(", ")
        ))
    }
}

/// What somebody wrote for a manifest to say.
///
/// # Errors
///
/// When it is no TOML.
pub fn parse_said(says: &str) -> Result<DocumentMut, PackageError> {
    says.parse().map_err(|error| not_toml(&error))
}

fn not_toml(error: &toml_edit::TomlError) -> PackageError {
    PackageError::NotToml(format!(
        "what the manifest is to say is no TOML, as `bash.source = [\"z.sh\"]` is: {}",
        error.message()
    ))
}

/// The manifest of the release that a tag makes: `text`, which reads as `manifest`, under the name and the version of the release. What it needs
/// from tags of other repositories is needed as a package, in that version.
///
/// Nothing in it is about where the repository was found: the same content is the same release, whatever it was fetched from.
///
/// # Errors
///
/// When the text cannot be edited, or says nothing that a manifest may say then.
pub fn release_manifest(
    text: &str,
    manifest: &Manifest,
    (name, version): (&PackageName, &Version),
    needs: impl IntoIterator<Item = (PackageName, Version)>,
    license: Option<License>,
) -> Result<String, PackageError> {
    let wrong = |error: weir_model::ManifestError| PackageError::Manifest {
        path: manifest::FILE_NAME.into(),
        text: text.to_owned(),
        error: Box::new(error),
    };
    let mut editor = Editor::new(text).map_err(wrong)?;
    for requirement in manifest.dependencies.iter().filter(|one| matches!(one.source, Source::Git { .. })) {
        editor.remove_dependency(&requirement.name);
    }
    for (name, version) in needs {
        editor.set_dependency(&Requirement {
            name,
            range: Range::exact(&version),
            scope: Scope::Run,
            fluid: false,
            registry: None,
            source: Source::Registry,
            line: 0,
        });
    }
    let text = named(&editor.into_text(), name, version, license).map_err(|error| not_toml(&error))?;
    match Manifest::parse(&text) {
        Ok(_) => Ok(text),
        Err(error) => {
            let path = manifest::FILE_NAME.into();
            Err(PackageError::Manifest { path, text, error: Box::new(error) })
        }
    }
}

fn named(
    text: &str,
    name: &PackageName,
    version: &Version,
    license: Option<License>,
) -> Result<String, toml_edit::TomlError> {
    let mut document: DocumentMut = text.parse()?;
    let package = document.entry("package").or_insert_with(|| Item::Table(Table::new()));
    // What is no table is told by reading it as a manifest.
    if let Some(package) = package.as_table_like_mut() {
        for (field, is) in [("name", name.to_string()), ("version", version.to_string())] {
            // What says so already stays as it is written: then it is the file that is published from a clone.
            if package.get(field).and_then(Item::as_str) != Some(&is) {
                package.insert(field, value(is));
            }
        }
        if let Some(license) = license.filter(|_| package.get("license").is_none()) {
            package.insert("license", value(license.to_string()));
        }
    }
    Ok(LineEnds::of(text).on(document.to_string()))
}

/// One of the spellings of a repository's address, so that the same tag gives the same release.
pub fn plain_address(url: &str) -> &str {
    let url = url.trim_end_matches('/');
    url.strip_suffix(".git").unwrap_or(url)
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
    use super::{parse_said, with};

    #[test]
    fn what_is_said_stands_over_what_is_there_field_by_field() {
        let there = "[package]\nkind = \"bash\"\n\n[bash]\nsource = [\"src\"]\nman = [\"man\"]\n";
        let says = "bash.source = [\"z.sh\"]\n[package]\nlicense = \"MIT\"\n";
        let said = with(there, &parse_said(says).unwrap()).unwrap();
        let manifest = weir_model::Manifest::parse(&said).unwrap();
        assert_eq!(manifest.package.license.as_deref(), Some("MIT"));
        let bash = &manifest.kind_tables["bash"];
        assert!(bash.contains("z.sh") && bash.contains("man") && !bash.contains("src"), "{bash}");
        assert!(parse_said("not TOML").is_err());
    }
}
