//! Foreign archives made into packages: the files as they are, and a manifest beside them.

use std::path::{Path, PathBuf};

use serde::Serialize;
use weir_model::manifest::{Requirement, edit::Editor};
use weir_model::{KindName, PackageName, Version, manifest};
use weir_tree::{ImportOptions as ArchiveOptions, Strip, import_archive_from};

use crate::error::ProjectError;
use crate::project::parse_manifest;
use weir_reach::{open_named, replace};

/// What an archive is to become.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPackage {
    /// The package.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// What sort of package it is.
    pub kind: KindName,
    /// An SPDX licence expression.
    pub license: Option<String>,
    /// One line that says what it is.
    pub description: Option<String>,
    /// What it needs.
    pub dependencies: Vec<Requirement>,
    /// The commands it offers: name and file.
    pub bin: Vec<(String, String)>,
    /// How many folders to take off the front of every path; the single top folder where nothing is said.
    pub strip: Option<usize>,
}

/// What was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ImportedPackage {
    /// The folder that was made.
    #[serde(serialize_with = "weir_model::path_text::path")]
    pub folder: PathBuf,
    /// How many files and links it has.
    pub files: u64,
    /// What in the archive was odd, and how it was taken.
    pub notes: Vec<String>,
}

/// Unpacks an archive into a new folder and writes a manifest into it, so that it can be published.
///
/// # Errors
///
/// When the folder is there already, or the archive is refused.
pub fn import(archive: &Path, new: &NewPackage, into: &Path) -> Result<ImportedPackage, ProjectError> {
    if into.symlink_metadata().is_ok() {
        return Err(ProjectError::FolderExists { folder: into.into() });
    }
    // What cannot be written is found before anything is unpacked.
    manifest_text(new, false)?;
    let options = ArchiveOptions {
        strip: new.strip.map_or(Strip::SingleFolder, Strip::Parts),
        ..ArchiveOptions::default()
    };
    let file = open_named(archive)?;
    let name = archive.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let above = FoldersAbove::make(into)?;
    let report = match import_archive_from(file, &name, into, &options) {
        Ok(report) => report,
        Err(error) => {
            above.remove();
            return Err(error.into());
        }
    };
    let mut notes: Vec<String> = report.notes.iter().map(ToString::to_string).collect();
    // Whoever made the archive chose what is in it: its ignore files were about another place.
    let is_ignore_file = |name: &str| matches!(name, ".gitignore" | ".weirignore" | ".ignore");
    let takes_all = report.manifest.entries().iter().any(|entry| is_ignore_file(entry.path.file_name()));
    let text = manifest_text(new, takes_all)?;
    let path = into.join(manifest::FILE_NAME);
    if path.exists() {
        notes.push("its own `weir.toml` was replaced".into());
    }
    replace(&path, text.as_bytes())?;
    Ok(ImportedPackage { folder: into.into(), files: report.manifest.entries().len() as u64 + 1, notes })
}

/// The folders above a new one that were not there: made with it, and gone again if nothing comes of it.
struct FoldersAbove(Vec<PathBuf>);

impl FoldersAbove {
    fn make(folder: &Path) -> Result<Self, ProjectError> {
        let Some(parent) = folder.parent() else { return Ok(Self(Vec::new())) };
        let missing = parent.ancestors().take_while(|above| !above.exists()).map(Path::to_owned).collect();
        fs_err::create_dir_all(parent)?;
        Ok(Self(missing))
    }

    /// Innermost first. One that somebody else has put something into stays.
    fn remove(self) {
        for folder in self.0 {
            let _ = fs_err::remove_dir(folder);
        }
    }
}

fn manifest_text(new: &NewPackage, takes_all: bool) -> Result<String, ProjectError> {
    let quote = |text: &str| toml_edit::Value::from(text).to_string();
    let mut text = format!(
        "[package]\nname = {}\nversion = {}\nkind = {}\n",
        quote(new.name.as_str()),
        quote(&new.version.to_string()),
        quote(new.kind.as_str())
    );
    for (key, value) in [("license", &new.license), ("description", &new.description)] {
        if let Some(value) = value {
            text.push_str(&format!("{key} = {}\n", quote(value)));
        }
    }
    if takes_all {
        text.push_str("include = [\"**\"]\n");
    }
    if !new.bin.is_empty() {
        text.push_str("\n[bin]\n");
        for (name, file) in &new.bin {
            text.push_str(&format!("{} = {}\n", quote(name), quote(file)));
        }
    }
    let path = Path::new(manifest::FILE_NAME);
    let wrap =
        |error| ProjectError::Manifest { path: path.into(), text: text.clone(), error: Box::new(error) };
    let mut editor = Editor::new(&text).map_err(wrap)?;
    for requirement in &new.dependencies {
        editor.set_dependency(requirement);
    }
    let text = editor.into_text();
    parse_manifest(path, &text)?;
    Ok(text)
}
