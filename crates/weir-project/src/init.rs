//! Making a project.

use std::path::{Path, PathBuf};

use serde::Serialize;
use weir_kinds::kind;
use weir_model::{KindName, PackageName, Version, manifest};

use crate::error::ProjectError;
use crate::project::parse_manifest;
use weir_reach::replace;

/// What a new project is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProject {
    /// Its name; a project that is never published needs none.
    pub name: Option<PackageName>,
    /// What sort of package it is.
    pub kind: KindName,
    /// Its first version.
    pub version: Option<Version>,
    /// Whether a manifest that is there already is replaced.
    pub force: bool,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InitReport {
    /// The folder.
    pub folder: PathBuf,
    /// The files that were written, relative to it.
    pub files: Vec<String>,
}

/// Makes a project of `folder`. Files that are there already are left as they are.
///
/// # Errors
///
/// When it is one already, or files cannot be written.
pub fn init(folder: &Path, new: &NewProject) -> Result<InitReport, ProjectError> {
    let path = folder.join(manifest::FILE_NAME);
    if path.exists() && !new.force {
        return Err(ProjectError::Exists { folder: folder.into() });
    }
    fs_err::create_dir_all(folder)?;
    let title = new.name.as_ref().map_or_else(|| "project".to_owned(), |name| name.name().to_owned());
    let scaffold = match &new.name {
        Some(_) => kind(new.kind)?.scaffold(&title),
        None => weir_kind::Scaffold::default(),
    };
    let text = manifest_text(new, &scaffold.manifest);
    // What this program writes must be what it reads.
    parse_manifest(&path, &text)?;
    let mut files = vec![manifest::FILE_NAME.to_owned()];
    for (name, contents, executable) in &scaffold.files {
        let at = folder.join(name);
        if at.exists() {
            continue;
        }
        if let Some(parent) = at.parent() {
            fs_err::create_dir_all(parent)?;
        }
        replace(&at, contents.as_bytes())?;
        if *executable {
            use std::os::unix::fs::PermissionsExt as _;
            fs_err::set_permissions(&at, std::fs::Permissions::from_mode(0o755))?;
        }
        files.push(name.clone());
    }
    if ignore_installed(folder)? {
        files.push(".gitignore".into());
    }
    replace(&path, text.as_bytes())?;
    Ok(InitReport { folder: folder.into(), files })
}

fn manifest_text(new: &NewProject, more: &str) -> String {
    let mut text = String::from("[package]\n");
    if let Some(name) = &new.name {
        let version = new.version.as_ref().map_or_else(|| "0.1.0".to_owned(), ToString::to_string);
        text.push_str(&format!("name = \"{name}\"\nversion = \"{version}\"\n"));
    }
    text.push_str(&format!("kind = \"{}\"\n", new.kind));
    if new.name.is_some() {
        text.push_str("description = \"\"\nlicense = \"MIT\"\n");
    }
    text.push_str("\n[dependencies]\n");
    text.push_str(more);
    text
}

/// Keeps what is installed out of version control, where there is some; says whether that was needed.
fn ignore_installed(folder: &Path) -> Result<bool, ProjectError> {
    const LINE: &str = "/weir_packages/";
    let path = folder.join(".gitignore");
    let text = match fs_err::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        text => text?,
    };
    if text.lines().any(|line| line.trim() == LINE) {
        return Ok(false);
    }
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    replace(&path, format!("{text}{gap}{LINE}\n").as_bytes())?;
    Ok(true)
}
