//! Making a project.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use weir_fs::{Access, Durability, Folder};
use weir_kind::OwnManifest;
use weir_kinds::kind;
use weir_model::{KindName, License, PackageName, Version, manifest};
use weir_tree::{Selection, sketch_folder};

use crate::error::ProjectError;
use crate::files::MAX_MANIFEST;
use crate::project::parse_manifest;

/// What is installed, as a line of `.gitignore`.
const INSTALLED: &str = "/weir_packages/";

/// Git's ignore rules of a folder.
const IGNORE_FILE: &str = ".gitignore";

/// What a new project is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProject {
    /// Its name; a project that is never published needs none.
    pub name: Option<PackageName>,
    /// What sort of package it is.
    pub kind: KindName,
    /// Its first version.
    pub version: Option<Version>,
    /// Its licence; where none is given, that of which the text is in the folder.
    pub license: Option<License>,
    /// Whether a manifest that is there already is replaced.
    pub force: bool,
    /// The tools that are here, of which an ecosystem's own manifest may name the version.
    pub tools: BTreeMap<PackageName, Version>,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct InitReport {
    /// The folder.
    #[serde(serialize_with = "weir_model::path_text::path")]
    pub folder: PathBuf,
    /// The files that were written, relative to it.
    pub files: Vec<String>,
}

/// Makes a project of `folder`. Files that are there already are left as they are; and where there are some that somebody
/// wrote, no example is put beside them, and the manifest says what of them is probably offered.
///
/// # Errors
///
/// When it is one already, or files cannot be written.
pub fn init(folder: &Path, new: &NewProject) -> Result<InitReport, ProjectError> {
    if let Some(own) = kind(new.kind)?.own_manifest() {
        return init_own(folder, new, own);
    }
    let path = folder.join(manifest::FILE_NAME);
    let at = Folder::make(folder)?;
    if at.look(manifest::FILE_NAME)?.is_some() && !new.force {
        return Err(ProjectError::Exists { folder: folder.into(), file: manifest::FILE_NAME });
    }
    let title = new.name.as_ref().map_or_else(|| "project".to_owned(), |name| name.name().to_owned());
    let scaffold = match &new.name {
        Some(_) => kind(new.kind)?.scaffold(&title),
        None => weir_kind::Scaffold::default(),
    };
    let begun = has_work(folder)?;
    let guessed = if begun && new.name.is_some() { guess(new.kind, folder)? } else { None };
    // What the manifest of an example names is there, whatever else is.
    let is_example = !begun || (guessed.is_none() && !scaffold.manifest.is_empty());
    let more = guessed.unwrap_or(scaffold.manifest);
    // What cannot be written is found before anything is.
    let ignored = ignored(&at, [INSTALLED])?;
    let license = new.license.clone().or_else(|| weir_package::detect_license(folder));
    let text = manifest_text(new, license.as_ref(), &more);
    // What this program writes must be what it reads.
    parse_manifest(&path, &text)?;
    let mut files = vec![manifest::FILE_NAME.to_owned()];
    let examples = if is_example { scaffold.files } else { Vec::new() };
    for (name, contents, executable) in &examples {
        let access = if *executable { Access::Executable } else { Access::Usual };
        if create(&at, name, contents, access)? {
            files.push(name.clone());
        }
    }
    if let Some(text) = ignored {
        at.replace(IGNORE_FILE, text, Access::Kept, Durability::Durable)?;
        files.push(IGNORE_FILE.into());
    }
    at.replace(manifest::FILE_NAME, text, Access::Kept, Durability::Durable)?;
    Ok(InitReport { folder: folder.into(), files })
}

/// The same for a project whose manifest is that of its ecosystem's own tools.
fn init_own(folder: &Path, new: &NewProject, own: &dyn OwnManifest) -> Result<InitReport, ProjectError> {
    let at = Folder::make(folder)?;
    if at.look(own.file())?.is_some() && !new.force {
        return Err(ProjectError::Exists { folder: folder.into(), file: own.file() });
    }
    let license = new.license.clone().or_else(|| weir_package::detect_license(folder));
    let about = manifest::Package {
        name: new.name.clone(),
        version: new.version.clone(),
        kind: new.kind,
        license: license.map(|license| license.to_string()),
        ..manifest::Package::default()
    };
    let scaffold = own.scaffold(&about, &new.tools);
    // What this program writes must be what it reads.
    own.read(&scaffold.text)?;
    let mut files = vec![own.file().to_owned()];
    let ignored = ignored(&at, scaffold.ignored.iter().map(String::as_str).chain([INSTALLED]))?;
    let examples = if has_such(&at, &scaffold.files)? { Vec::new() } else { scaffold.files };
    for (name, contents) in &examples {
        if create(&at, name, contents, Access::Usual)? {
            files.push(name.clone());
        }
    }
    if let Some(text) = ignored {
        at.replace(IGNORE_FILE, text, Access::Kept, Durability::Durable)?;
        files.push(IGNORE_FILE.into());
    }
    at.replace(own.file(), scaffold.text, Access::Kept, Durability::Durable)?;
    Ok(InitReport { folder: folder.into(), files })
}

/// Writes a file where there is none; says whether there was.
fn create(at: &Folder, name: &str, contents: &str, access: Access) -> Result<bool, ProjectError> {
    at.make_folder(Path::new(name).parent().unwrap_or(Path::new("")))?;
    Ok(at.create(name, contents, access, Durability::Durable)?)
}

/// What of the files in a folder would be offered.
fn guess(name: KindName, folder: &Path) -> Result<Option<String>, ProjectError> {
    let tree = sketch_folder(folder, &Selection::package(&[], &[])?)?;
    Ok(kind(name)?.guess(&Folder::open(folder)?, &tree)?.map(|guess| format!("\n{guess}")))
}

/// Whether somebody has begun to work in a folder: there is more than what a new repository has.
fn has_work(folder: &Path) -> Result<bool, ProjectError> {
    const OF_REPOSITORIES: [&str; 5] = ["README", "LICENSE", "LICENCE", "COPYING", "CHANGELOG"];
    for entry in fs_err::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().to_ascii_uppercase();
        let is_usual = name.starts_with('.') || OF_REPOSITORIES.iter().any(|usual| name.starts_with(usual));
        if !is_usual && name != manifest::FILE_NAME.to_ascii_uppercase() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether there is work of the sort of these files, in the folders that they would be in.
fn has_such(at: &Folder, files: &[(String, String)]) -> Result<bool, ProjectError> {
    for (name, _) in files {
        let name = Path::new(name);
        let (Some(folder), Some(sort)) =
            (name.parent().filter(|folder| *folder != Path::new("")), name.extension())
        else {
            continue;
        };
        if at.find_folder(folder)?.is_none() {
            continue;
        }
        let tree = sketch_folder(&at.path().join(folder), &Selection::package(&[], &[])?)?;
        if tree.entries().iter().any(|entry| Path::new(entry.path.as_str()).extension() == Some(sort)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn manifest_text(new: &NewProject, license: Option<&License>, more: &str) -> String {
    let mut text = String::from("[package]\n");
    if let Some(name) = &new.name {
        let version = new.version.as_ref().map_or_else(|| "0.1.0".to_owned(), ToString::to_string);
        text.push_str(&format!("name = \"{name}\"\nversion = \"{version}\"\n"));
    }
    text.push_str(&format!("kind = \"{}\"\n", new.kind));
    if new.name.is_some() {
        text.push_str("description = \"\"\n");
        if let Some(license) = license {
            text.push_str(&format!("license = \"{license}\"\n"));
        }
    }
    text.push_str("\n[dependencies]\n");
    text.push_str(more);
    text
}

/// The text of the ignore file of git that keeps what tools make out of version control; nothing if it does already.
fn ignored<'a>(
    folder: &Folder,
    lines: impl IntoIterator<Item = &'a str>,
) -> Result<Option<String>, ProjectError> {
    let mut text = folder.find_text(IGNORE_FILE, MAX_MANIFEST)?.unwrap_or_default();
    let before = text.len();
    for line in lines {
        if text.lines().all(|there| there.trim() != line) {
            let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            text.push_str(&format!("{gap}{line}\n"));
        }
    }
    Ok((text.len() > before).then_some(text))
}
