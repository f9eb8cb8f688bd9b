//! A project: a folder with a manifest, and a lockfile once it was resolved.

use std::path::{Path, PathBuf};

use weir_model::lockfile::LockfileError;
use weir_model::{Lockfile, Manifest, Platform, lockfile, manifest};

use crate::error::ProjectError;
use weir_reach::{host_platform, replace};

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
    /// The lockfile, if there is one that can be read: what of it is for [`Project::on`].
    pub lock: Option<Lockfile>,
    /// The lockfile for every platform that it is for.
    whole_lock: Option<Lockfile>,
    /// The platform that it is used on.
    platform: Platform,
    /// The lockfile's text; empty if there is none.
    pub lock_text: String,
    /// What is wrong with a lockfile that cannot be read, and what can be told of it all the same.
    pub(crate) broken_lock: Option<BrokenLock>,
}

/// A lockfile that cannot be read: a merge has left marks in it, a disk was full, a newer program wrote it.
#[derive(Debug, Clone)]
pub(crate) struct BrokenLock {
    pub(crate) error: LockfileError,
    /// Its choices, which are preferred when it is made anew and count for nothing else.
    pub(crate) remains: Lockfile,
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
        let lock_text = match fs_err::read(&lock_path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            bytes => Some(String::from_utf8_lossy(&bytes?).into_owned()),
        };
        let (lock, broken_lock) = match lock_text.as_deref().map(Lockfile::parse) {
            None => (None, None),
            Some(Ok(lock)) => (Some(lock), None),
            Some(Err(error)) => {
                let remains = Lockfile::remains(lock_text.as_deref().unwrap_or_default());
                (None, Some(BrokenLock { error, remains }))
            }
        };
        let lock_text = lock_text.unwrap_or_default();
        let project = Self {
            folder,
            text,
            manifest,
            changed: false,
            asked_by: None,
            lock: None,
            whole_lock: lock,
            platform: Platform::any(),
            lock_text,
            broken_lock,
        };
        Ok(project.on(host_platform()))
    }

    /// The same as it is used on `platform`, which is this machine's where nothing is said.
    #[must_use]
    pub fn on(mut self, platform: Platform) -> Self {
        self.use_on(platform);
        self
    }

    pub(crate) fn use_on(&mut self, platform: Platform) {
        self.lock = self.whole_lock.as_ref().map(|lock| lock.on(&platform));
        self.platform = platform;
    }

    /// `lock` with what the lockfile has for other platforms.
    fn beside_others(&self, lock: &Lockfile) -> Lockfile {
        match &self.whole_lock {
            Some(before) => lock.clone().beside(before, &self.platform),
            None => lock.clone(),
        }
    }

    /// Whether the lockfile says `lock` for this platform, what belongs to others, and nothing more.
    pub(crate) fn has_locked(&self, lock: &Lockfile) -> bool {
        self.whole_lock.as_ref().is_some_and(|before| self.beside_others(lock).to_text() == before.to_text())
    }

    /// Whether writing `lock` would change the file.
    pub(crate) fn would_change(&self, lock: &Lockfile) -> bool {
        self.beside_others(lock).to_text() != self.lock_text
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
    /// When there is none yet, or it cannot be read.
    pub fn locked(&self) -> Result<&Lockfile, ProjectError> {
        match (&self.lock, &self.broken_lock) {
            (Some(lock), _) => Ok(lock),
            (None, Some(broken)) => Err(self.unreadable_lock(broken)),
            (None, None) => {
                Err(ProjectError::NotFound("there is no `weir.lock` yet: `weir install` makes it".into()))
            }
        }
    }

    pub(crate) fn unreadable_lock(&self, broken: &BrokenLock) -> ProjectError {
        let (path, text) = (self.lock_path(), self.lock_text.clone());
        ProjectError::Lockfile { path, text, error: broken.error.clone() }
    }

    /// What was chosen before: by the lockfile, or as far as a broken one still tells. Preferred, and not believed.
    pub(crate) fn chosen_before(&self) -> Option<&Lockfile> {
        self.lock.as_ref().or(self.broken_lock.as_ref().map(|broken| &broken.remains))
    }

    /// Takes and writes a lockfile, unless it is there already.
    pub(crate) fn write_lock(&mut self, lock: Lockfile) -> Result<bool, ProjectError> {
        let whole = self.beside_others(&lock);
        let text = whole.to_text();
        // Whatever got into it: what is written is what can be read.
        Lockfile::parse(&text).map_err(ProjectError::NotWritable)?;
        let changed = text != self.lock_text;
        if changed {
            replace(&self.lock_path(), text.as_bytes())?;
        }
        self.lock = Some(lock);
        self.whole_lock = Some(whole);
        self.broken_lock = None;
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
