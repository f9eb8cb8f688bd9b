//! A project: a folder with a manifest, and a lockfile once it was resolved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use weir_fs::{Folder, Lock};
use weir_kind::OwnManifest;
use weir_kinds::own_manifests;
use weir_model::lockfile::LockfileError;
use weir_model::manifest::Requirement;
use weir_model::{Lockfile, Manifest, PackageName, Platform, Version, lockfile, manifest};

use crate::error::ProjectError;
use crate::files::{MAX_LOCKFILE, MAX_MANIFEST, replace};
use crate::moving::Moving;
use crate::own::{Edited, Editing, Own};
use weir_reach::{Owners, Session, host_platform};

/// A folder with a manifest: a `weir.toml`, that of its ecosystem's own tools, or both.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder, absolute.
    pub folder: PathBuf,
    /// The text of its `weir.toml`; empty if it has none.
    pub text: String,
    /// The manifest of its ecosystem's own tools, if that is where it asks for packages.
    own: Option<Own>,
    /// What it says.
    pub manifest: Manifest,
    /// Whether what it says is not in its file yet.
    changed: bool,
    /// What its `weir.toml` has, where that is not its text yet.
    written: Option<String>,
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
    /// The files of which one makes a folder a project.
    pub fn manifest_files() -> impl Iterator<Item = &'static str> {
        std::iter::once(manifest::FILE_NAME).chain(own_manifests().map(OwnManifest::file))
    }

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
        let has_manifest =
            |folder: &&Path| Self::manifest_files().any(|file| folder.join(file).symlink_metadata().is_ok());
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
        let mut has_manifest = false;
        for file in Self::manifest_files() {
            has_manifest |= files.look(file)?.is_some();
        }
        if !has_manifest {
            return Err(ProjectError::NoProject { start: folder });
        }
        must_be_ours(&files, owners)?;
        Self::read(folder)
    }

    /// Reads the project in `folder`, which is absolute.
    fn read(folder: PathBuf) -> Result<Self, ProjectError> {
        let files = Folder::open(&folder)?;
        let text = files.find_text(manifest::FILE_NAME, MAX_MANIFEST)?.unwrap_or_default();
        let manifest = parse_manifest(&folder.join(manifest::FILE_NAME), &text)?;
        let own = Own::find(&files, &manifest)?;
        let manifest = own.as_ref().map_or_else(|| manifest.clone(), |own| own.with(manifest.clone()));
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
            own,
            manifest,
            changed: false,
            written: None,
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
    pub(crate) fn beside_others(&self, lock: &Lockfile) -> Lockfile {
        match &self.whole_lock {
            Some(before) => lock.clone().beside(before, &self.platform),
            None => lock.clone(),
        }
    }

    /// The same on another platform, once its lockfile says `lock` for this one.
    pub(crate) fn with_lock(&self, lock: &Lockfile, platform: Platform) -> Self {
        Self { whole_lock: Some(self.beside_others(lock)), ..self.clone() }.on(platform)
    }

    /// Has the lockfile say for other platforms what `whole` says.
    pub(crate) fn keep_beside(&mut self, whole: Lockfile) {
        self.whole_lock = Some(whole);
    }

    /// Whether the lockfile says `lock` for this platform, what belongs to others, and nothing more.
    pub(crate) fn has_locked(&self, lock: &Lockfile) -> bool {
        self.whole_lock.as_ref().is_some_and(|before| self.beside_others(lock).to_text() == before.to_text())
    }

    /// Whether writing `lock` would change the file.
    pub(crate) fn would_change(&self, lock: &Lockfile) -> bool {
        let whole = self.beside_others(lock);
        self.says_otherwise(&whole, &whole.to_text())
    }

    /// Whether the lockfile says something else than `whole`, whose text is `text`. One that says it in another form, such as with the line
    /// ends of Windows, stays as it is.
    fn says_otherwise(&self, whole: &Lockfile, text: &str) -> bool {
        text != self.lock_text && Lockfile::parse(&self.lock_text).ok().as_ref() != Some(whole)
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
            None if self.is_written(line) => format!("{}:{line}", manifest::FILE_NAME),
            None => format!("the new {}:{line}", manifest::FILE_NAME),
        }
    }

    /// Whether a line of its text is the same in its file.
    fn is_written(&self, line: usize) -> bool {
        let of = |text: &'_ str| text.lines().nth(line.saturating_sub(1)).map(str::to_owned);
        self.written.as_ref().is_none_or(|written| of(written) == of(&self.text))
    }

    /// How messages name what asks for a dependency.
    pub(crate) fn origin_of(&self, requirement: &Requirement) -> String {
        match &self.own {
            Some(own) if self.asked_by.is_none() && own.asks(requirement) => {
                format!("{}:{}", own.file(), requirement.line)
            }
            _ => self.origin(requirement.line),
        }
    }

    /// The name of the file that says what it asks for.
    pub fn manifest_name(&self) -> &'static str {
        self.own.as_ref().map_or(manifest::FILE_NAME, Own::file)
    }

    /// Its manifests, each with its text: what it asks for is what they say.
    pub(crate) fn manifests(&self) -> Vec<(&'static str, &str)> {
        let weir = (manifest::FILE_NAME, self.text.as_str());
        let own = self.own.as_ref().map(|own| (own.file(), own.text()));
        // One that is not there is not one that is empty, where another does for it.
        [weir].into_iter().filter(|(_, text)| own.is_none() || !text.is_empty()).chain(own).collect()
    }

    /// What it asks for now, as text that is the same only for the same: manifests, and what was not written into them yet.
    pub(crate) fn asks(&self) -> String {
        let mut text = self.text.clone();
        if let Some(own) = &self.own {
            let asked = own.asked().iter();
            let asked = asked.map(|asked| format!("{} {} {:?}\n", asked.name, asked.range, asked.scope));
            text.extend([own.text().to_owned()].into_iter().chain(asked));
        }
        text
    }

    /// The exact versions that its manifest names: they are kept while they may stay.
    pub(crate) fn pins(&self) -> BTreeMap<PackageName, Version> {
        self.own.as_ref().map(|own| own.pins().clone()).unwrap_or_default()
    }

    /// The tools that releases are written for, and the versions of them that will do.
    pub(crate) fn tools(&self) -> BTreeMap<PackageName, Vec<Version>> {
        self.own.as_ref().map(|own| own.tools().clone()).unwrap_or_default()
    }

    /// Lets what its manifest asks for exactly move a little, where it may move. Says whether it asks for anything exactly.
    pub(crate) fn loosen(&mut self, moving: Moving<'_>) -> Result<bool, ProjectError> {
        let loosened = self.own.as_mut().is_some_and(|own| own.loosen(moving));
        self.understand()?;
        Ok(loosened)
    }

    /// Works out what is said again, from what the manifests say.
    fn understand(&mut self) -> Result<(), ProjectError> {
        let manifest = parse_manifest(&self.manifest_path(), &self.text)?;
        self.manifest = match &self.own {
            Some(own) => own.with(manifest),
            None => manifest,
        };
        Ok(())
    }

    /// Its manifests after an edit that keeps their comments.
    pub(crate) fn edited(&self, edit: impl FnOnce(&mut Editing)) -> Result<Edited, ProjectError> {
        let path = self.manifest_path();
        let editor = manifest::edit::Editor::new(&self.text).map_err(|error| ProjectError::Manifest {
            path,
            text: self.text.clone(),
            error: Box::new(error),
        })?;
        let mut editing = Editing::new(editor, self.own.as_ref());
        edit(&mut editing);
        Ok(editing.finish())
    }

    /// Whether taking changed manifests would change anything.
    pub(crate) fn differs(&self, edited: &Edited) -> bool {
        edited.text != self.text || edited.asked.as_deref() != self.own.as_ref().map(Own::asked)
    }

    /// Takes changed manifests, which must read, without writing them yet.
    pub(crate) fn set(&mut self, edited: Edited) -> Result<(), ProjectError> {
        parse_manifest(&self.manifest_path(), &edited.text)?;
        self.changed |= self.differs(&edited);
        if edited.text != self.text {
            let before = std::mem::replace(&mut self.text, edited.text);
            self.written.get_or_insert(before);
        }
        if let (Some(own), Some(asked)) = (&mut self.own, edited.asked) {
            own.ask(asked);
        }
        self.understand()
    }

    /// Works out what the manifest of its own tools is to say when `lock` was chosen. Says whether that changes it.
    pub(crate) fn settle(&mut self, lock: &Lockfile) -> Result<bool, ProjectError> {
        let Some(own) = &mut self.own else { return Ok(false) };
        let beside = parse_manifest(&self.folder.join(manifest::FILE_NAME), &self.text)?;
        let beside = beside.dependencies.iter().map(|asked| &asked.name).collect();
        let moved = own.settle(lock, &beside)?;
        let changes = own.unwritten().is_some() || !moved.is_empty();
        let edited = self.edited(|editing| moved.iter().for_each(|asked| editing.ask_beside(asked)))?;
        self.set(edited)?;
        Ok(changes)
    }

    /// Writes manifests that were changed.
    pub(crate) fn write_manifest(&mut self, _alone: &ProjectLock) -> Result<(), ProjectError> {
        if self.changed && (self.own.is_none() || !self.text.is_empty()) {
            replace(&self.manifest_path(), self.text.as_bytes())?;
        }
        self.changed = false;
        self.written = None;
        if let Some(own) = &mut self.own {
            if let Some(text) = own.unwritten() {
                replace(&self.folder.join(own.file()), text.as_bytes())?;
            }
            own.written();
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

    /// All of the lockfile: also what it says for other platforms.
    ///
    /// # Errors
    ///
    /// As [`Project::locked`].
    pub(crate) fn locked_anywhere(&self) -> Result<&Lockfile, ProjectError> {
        self.whole_lock.as_ref().map_or_else(|| self.locked(), Ok)
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
        let changed = self.says_otherwise(&whole, &text);
        if changed {
            replace(&self.lock_path(), text.as_bytes())?;
            self.lock_text = text;
        }
        self.lock = Some(lock);
        self.whole_lock = Some(whole);
        self.broken_lock = None;
        Ok(changed)
    }
}

fn must_be_ours(folder: &Folder, owners: &Owners) -> Result<(), ProjectError> {
    for file in Project::manifest_files() {
        if folder.look(file)?.is_some()
            && let Some(owner) = owners.stranger(folder, file)?
        {
            return Err(ProjectError::OtherOwner { folder: folder.path().to_owned(), owner });
        }
    }
    Ok(())
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
