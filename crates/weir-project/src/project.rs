//! A project: a folder with a manifest, and a lockfile once it was resolved.

use std::path::{Path, PathBuf};

use weir_fs::{Folder, Lock};
use weir_model::lockfile::LockfileError;
use weir_model::{Lockfile, Manifest, Platform, lockfile, manifest};

use crate::error::ProjectError;
use crate::files::{MAX_LOCKFILE, MAX_MANIFEST, replace};
use weir_reach::{Owners, Session, host_platform};

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
    /// When there is none, it is somebody else's, or its files cannot be read.
    pub fn find(start: &Path, owners: &Owners) -> Result<Self, ProjectError> {
        Self::open(&Self::find_folder(start, owners)?, owners)
    }

    /// The folder of the project that `start`, or the nearest folder above it, is.
    ///
    /// # Errors
    ///
    /// When there is none, or it is somebody else's.
    pub fn find_folder(start: &Path, owners: &Owners) -> Result<PathBuf, ProjectError> {
        // Whatever has the name of a manifest is taken for one: what it is, is said when it is read.
        let has_manifest = |folder: &&Path| folder.join(manifest::FILE_NAME).symlink_metadata().is_ok();
        let found = start.ancestors().find(has_manifest);
        let folder = found.ok_or_else(|| ProjectError::NoProject { start: start.into() })?;
        must_be_ours(&Folder::open(folder)?, owners)?;
        Ok(folder.to_owned())
    }

    /// The project in `folder`.
    ///
    /// # Errors
    ///
    /// When it has no manifest, is somebody else's, or its files cannot be read.
    pub fn open(folder: &Path, owners: &Owners) -> Result<Self, ProjectError> {
        let folder = match fs_err::canonicalize(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(ProjectError::NoProject { start: folder.into() });
            }
            folder => folder?,
        };
        let files = Folder::open(&folder)?;
        if files.look(manifest::FILE_NAME)?.is_none() {
            return Err(ProjectError::NoProject { start: folder });
        }
        must_be_ours(&files, owners)?;
        Self::read(folder)
    }

    /// Reads the project in `folder`, which is absolute.
    fn read(folder: PathBuf) -> Result<Self, ProjectError> {
        let files = Folder::open(&folder)?;
        let text = files.read_text(manifest::FILE_NAME, MAX_MANIFEST)?;
        let manifest = parse_manifest(&folder.join(manifest::FILE_NAME), &text)?;
        let lock_text = files.find(lockfile::FILE_NAME, MAX_LOCKFILE)?;
        let lock_text = lock_text.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
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

    /// Keeps everybody else from changing the project until what this gives is dropped. What they have changed since it was read
    /// is read now.
    pub(crate) fn hold(&mut self, session: &Session) -> Result<ProjectLock, ProjectError> {
        let alone = ProjectLock::wait(session, &self.folder)?;
        if !self.changed {
            let read = Self { asked_by: self.asked_by, ..Self::read(self.folder.clone())? };
            *self = read.on(self.platform.clone());
        }
        Ok(alone)
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
    pub(crate) fn write_manifest(&mut self, _alone: &ProjectLock) -> Result<(), ProjectError> {
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
    pub(crate) fn write_lock(&mut self, lock: Lockfile, _alone: &ProjectLock) -> Result<bool, ProjectError> {
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

fn must_be_ours(folder: &Folder, owners: &Owners) -> Result<(), ProjectError> {
    match owners.stranger(folder, manifest::FILE_NAME)? {
        Some(owner) => Err(ProjectError::OtherOwner { folder: folder.path().to_owned(), owner }),
        None => Ok(()),
    }
}

/// A project that nobody else changes meanwhile: what writes its manifest or its lockfile asks to be shown one.
pub(crate) struct ProjectLock(#[expect(dead_code, reason = "it is held, and dropped")] Lock);

impl ProjectLock {
    /// Waits for whoever changes the project in `folder`.
    pub(crate) fn wait(session: &Session, folder: &Path) -> Result<Self, ProjectError> {
        let waits = || session.warn("waiting for another `weir` that is changing this project");
        Ok(Self(Folder::open(folder)?.lock(waits)?))
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
