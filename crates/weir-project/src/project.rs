//! A project: a folder with a manifest, and a lockfile once it was resolved.

use std::path::{Path, PathBuf};

use weir_model::{Lockfile, Manifest, lockfile, manifest};

use crate::error::ProjectError;
use weir_reach::replace;

/// A folder with a manifest.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder, absolute.
    pub folder: PathBuf,
    /// The manifest's text.
    pub text: String,
    /// What it says.
    pub manifest: Manifest,
    /// Whether what it says is not in its file yet.
    changed: bool,
    /// What asks for its dependencies, where that is not somebody's manifest.
    asked_by: Option<&'static str>,
    /// The lockfile, if there is one.
    pub lock: Option<Lockfile>,
    /// The lockfile's text; empty if there is none.
    pub lock_text: String,
}

impl Project {
    /// The project that `start`, or the nearest folder above it, is.
    ///
    /// # Errors
    ///
    /// When there is none, or its files cannot be read.
    pub fn find(start: &Path) -> Result<Self, ProjectError> {
        Self::open(&Self::find_folder(start)?)
    }

    /// The folder of the project that `start`, or the nearest folder above it, is.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn find_folder(start: &Path) -> Result<PathBuf, ProjectError> {
        start
            .ancestors()
            .find(|folder| folder.join(manifest::FILE_NAME).is_file())
            .map(Path::to_owned)
            .ok_or_else(|| ProjectError::NoProject { start: start.into() })
    }

    /// The project in `folder`.
    ///
    /// # Errors
    ///
    /// When it has no manifest, or its files cannot be read.
    pub fn open(folder: &Path) -> Result<Self, ProjectError> {
        let folder = match fs_err::canonicalize(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(ProjectError::NoProject { start: folder.into() });
            }
            folder => folder?,
        };
        let path = folder.join(manifest::FILE_NAME);
        let text = match fs_err::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(ProjectError::NoProject { start: folder });
            }
            text => text?,
        };
        let manifest = parse_manifest(&path, &text)?;
        let lock_path = folder.join(lockfile::FILE_NAME);
        let (lock, lock_text) = match fs_err::read_to_string(&lock_path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (None, String::new()),
            text => {
                let text = text?;
                let lock = Lockfile::parse(&text).map_err(|error| ProjectError::Lockfile {
                    path: lock_path,
                    text: text.clone(),
                    error,
                })?;
                (Some(lock), text)
            }
        };
        Ok(Self { folder, text, manifest, changed: false, asked_by: None, lock, lock_text })
    }

    /// Where its manifest is.
    pub fn manifest_path(&self) -> PathBuf {
        self.folder.join(manifest::FILE_NAME)
    }

    /// Where its lockfile is.
    pub fn lock_path(&self) -> PathBuf {
        self.folder.join(lockfile::FILE_NAME)
    }

    /// The same project, whose dependencies are named as those of a command: nobody has written its manifest.
    #[must_use]
    pub fn asked_by(self, command: &'static str) -> Self {
        Self { asked_by: Some(command), ..self }
    }

    /// How messages name what asks for the dependency in a line of its manifest.
    pub(crate) fn origin(&self, line: usize) -> String {
        match self.asked_by {
            Some(command) => command.to_owned(),
            None => format!("{}:{line}", manifest::FILE_NAME),
        }
    }

    /// Takes a changed manifest, which must read, without writing it yet.
    pub(crate) fn set_text(&mut self, text: String) -> Result<(), ProjectError> {
        self.manifest = parse_manifest(&self.manifest_path(), &text)?;
        self.changed |= self.text != text;
        self.text = text;
        Ok(())
    }

    /// Writes a manifest that was changed.
    pub(crate) fn write_manifest(&mut self) -> Result<(), ProjectError> {
        if self.changed {
            replace(&self.manifest_path(), self.text.as_bytes())?;
            self.changed = false;
        }
        Ok(())
    }

    /// The lockfile, for what can be told of it alone.
    ///
    /// # Errors
    ///
    /// When there is none yet.
    pub(crate) fn locked(&self) -> Result<&Lockfile, ProjectError> {
        let missing =
            || ProjectError::NotFound("there is no `weir.lock` yet: `weir install` makes it".into());
        self.lock.as_ref().ok_or_else(missing)
    }

    /// Takes and writes a lockfile, unless it is there already.
    pub(crate) fn write_lock(&mut self, lock: Lockfile) -> Result<bool, ProjectError> {
        let text = lock.to_text();
        let changed = text != self.lock_text;
        if changed {
            replace(&self.lock_path(), text.as_bytes())?;
        }
        self.lock = Some(lock);
        self.lock_text = text;
        Ok(changed)
    }
}

/// Reads a manifest, and says where it is when it is wrong.
pub(crate) fn parse_manifest(path: &Path, text: &str) -> Result<Manifest, ProjectError> {
    Manifest::parse(text).map_err(|error| ProjectError::Manifest {
        path: path.into(),
        text: text.into(),
        error: Box::new(error),
    })
}

/// A TOML text after an edit that keeps its comments.
pub(crate) fn edited(
    text: &str,
    path: &Path,
    edit: impl FnOnce(&mut manifest::edit::Editor),
) -> Result<String, ProjectError> {
    let mut editor = manifest::edit::Editor::new(text).map_err(|error| ProjectError::Manifest {
        path: path.into(),
        text: text.into(),
        error: Box::new(error),
    })?;
    edit(&mut editor);
    Ok(editor.into_text())
}
