//! The command line and the environment together, as the values that the libraries ask for.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use weir_model::Platform;
use weir_project::{Project, ProjectError};
use weir_reach::{Home, Interrupt, Owners, ReachError, Session};

use crate::arguments::{Shared, Whose};
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use crate::settings;

/// What every command is given.
pub(crate) struct Context {
    pub(crate) output: Output,
    shared: Shared,
}

impl Context {
    pub(crate) fn new(shared: Shared) -> Self {
        Self { output: Output::new(&shared), shared }
    }

    /// What a library needs to know of this machine and this call.
    pub(crate) fn session(&self) -> Result<Session, Failure> {
        self.session_for(None)
    }

    /// The same, for a platform if one was asked for.
    pub(crate) fn session_for(&self, platform: Option<&Platform>) -> Result<Session, Failure> {
        let interrupt = Interrupt::default();
        let home = home()?;
        Ok(Session {
            owners: owners(&home)?,
            home,
            store: settings::store()?,
            offline: self.shared.offline || settings::offline(),
            looks_only: false,
            registry: self.registry()?,
            platform: platform.cloned(),
            authorities: settings::authorities()?,
            principal: settings::principal(),
            secrets: settings::secrets(),
            now: Timestamp::now(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            observer: Arc::new(Progress::new(&self.output, &interrupt)),
            interrupt,
        })
    }

    /// The registry to use. A folder is meant from where the command is called, not from the package it is about.
    fn registry(&self) -> Result<Option<String>, Failure> {
        let Some(registry) = self.shared.registry.clone().or_else(settings::registry) else {
            return Ok(None);
        };
        if registry.contains("://") || !registry.contains('/') {
            return Ok(Some(registry));
        }
        Ok(Some(self.path(Path::new(&registry))?.display().to_string()))
    }

    /// The registry named on the command line; an environment variable does not count.
    pub(crate) fn named_registry(&self) -> Option<&str> {
        self.shared.registry.as_deref()
    }

    /// The folder the command is about, as `-C` says, or the current one.
    pub(crate) fn folder(&self) -> Result<PathBuf, Failure> {
        let folder = match &self.shared.directory {
            // `--manifest-path` names the file as often as its folder.
            Some(path) if is_manifest(path) => path.parent().unwrap_or(path).to_owned(),
            Some(path) => path.clone(),
            None => PathBuf::new(),
        };
        if folder.as_os_str().is_empty() {
            return Ok(std::env::current_dir()?);
        }
        Ok(std::path::absolute(folder)?)
    }

    /// The `PATH`, and before it what npm brought for the folder that the command is about: a compiler of Elm's may be there.
    pub(crate) fn programs(&self, session: &Session) -> Result<OsString, Failure> {
        Ok(weir_project::with_npm(&session.owners, &self.folder()?, &settings::path_variable()))
    }

    /// A path of the command line, from the folder the command is about.
    pub(crate) fn path(&self, path: &Path) -> Result<PathBuf, Failure> {
        Ok(self.folder()?.join(path))
    }

    /// A path of the command line that is written to. Where it is said to be in a project or a repository, it is there: a link
    /// that came with a clone leads nobody to a folder outside.
    pub(crate) fn written(&self, path: &Path) -> Result<PathBuf, Failure> {
        let path = self.path(path)?;
        not_led_outside(&path)?;
        Ok(path)
    }

    /// A file that the command line names, which is there.
    pub(crate) fn file(&self, path: &Path) -> Result<PathBuf, Failure> {
        let path = self.path(path)?;
        if path.exists() { Ok(path) } else { Err(ReachError::NoFile { path }.into()) }
    }

    /// A package's folder that the command line names.
    pub(crate) fn package_folder(&self, path: &Path) -> Result<PathBuf, Failure> {
        must_be_folder(self.path(path)?)
    }

    /// The project: the folder that `-C` names, or the nearest at or above the current one.
    pub(crate) fn project(&self) -> Result<Project, Failure> {
        self.open_project(&must_be_folder(self.folder()?)?)
    }

    /// The project, or what is installed for the user: a project like any other, in the data folder.
    pub(crate) fn project_of(&self, whose: Whose) -> Result<Project, Failure> {
        if !whose.global {
            return self.project();
        }
        let home = home()?;
        match Project::open(&home.global_project(), &owners(&home)?) {
            Err(ProjectError::NoProject { .. }) => {
                Err(Failure::not_found("you have installed nothing for yourself")
                    .with_help("`weir install --global PACKAGE` does, for your `PATH`"))
            }
            opened => Ok(opened?),
        }
    }

    /// The project's folder, when nothing of it has to be read yet.
    pub(crate) fn project_folder(&self) -> Result<PathBuf, Failure> {
        let folder = must_be_folder(self.folder()?)?;
        Ok(if self.shared.directory.is_some() {
            folder
        } else {
            Project::find_folder(&folder, &owners(&home()?)?)?
        })
    }

    /// The project, for commands that can do without one.
    pub(crate) fn project_if_any(&self) -> Result<Option<Project>, Failure> {
        match self.read_project(&self.folder()?, &owners(&home()?)?) {
            Ok(project) => Ok(Some(project)),
            Err(ProjectError::NoProject { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn open_project(&self, folder: &Path) -> Result<Project, Failure> {
        Ok(self.read_project(folder, &owners(&home()?)?)?)
    }

    fn read_project(&self, folder: &Path, owners: &Owners) -> Result<Project, ProjectError> {
        let is_named = self.shared.directory.is_some();
        if is_named { Project::open(folder, owners) } else { Project::find(folder, owners) }
    }
}

fn home() -> Result<Home, Failure> {
    let folders = settings::folders()?;
    Ok(Home::new(folders.data, folders.config))
}

/// The user's own projects are used, and anybody's in a folder that the user trusts.
fn owners(home: &Home) -> Result<Owners, Failure> {
    let mut folders = weir_reach::trusted_folders(home)?;
    folders.extend(settings::trusted_folders());
    Ok(Owners { users: settings::users(), folders })
}

/// A folder that is misspelt is told as such: nobody looks for a manifest above it.
fn must_be_folder(path: PathBuf) -> Result<PathBuf, Failure> {
    if path.is_dir() {
        return Ok(path);
    }
    let what = if path.exists() { "is not a folder" } else { "is not there" };
    Err(Failure::not_found(format!("`{}` {what}", path.display())))
}

/// Refuses a path whose folder is in a project or a repository by its name, and somewhere else by the links in it.
pub(crate) fn not_led_outside(path: &Path) -> Result<(), Failure> {
    let path = lexical(path);
    let is_unit = |folder: &&Path| {
        [weir_model::manifest::FILE_NAME, ".git"]
            .iter()
            .any(|name| folder.join(name).symlink_metadata().is_ok())
    };
    let Some(outermost) = path.ancestors().skip(1).filter(is_unit).last() else { return Ok(()) };
    let outermost = fs_err::canonicalize(outermost)?;
    let Some(there) = path.ancestors().skip(1).find(|above| above.symlink_metadata().is_ok()) else {
        return Ok(());
    };
    match fs_err::canonicalize(there)?.starts_with(&outermost) {
        true => Ok(()),
        false => Err(weir_fs::FsError::Link { path: there.to_owned() }.into()),
    }
}

/// A path without `.` and `..`, as it is written.
fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// Whether a path names the file that makes a folder a project.
fn is_manifest(path: &Path) -> bool {
    path.file_name().is_some_and(|name| Project::manifest_files().any(|file| name == file))
}
