//! Running commands with a project's packages at hand.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use weir_kind::PACKAGES_FOLDER;
use weir_model::nearest;
use weir_reach::Session;

use crate::elm;
use crate::error::ProjectError;
use crate::install::{InstallOptions, installed};
use crate::layout::{self, Records};
use crate::project::Project;

/// A program to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPlan {
    /// The program.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// What is set in its environment.
    pub env: Vec<(String, OsString)>,
}

/// What a project's packages need in the environment: their commands first on the `PATH`, and where they are.
pub fn environment(project: &Project, path: &OsStr) -> Vec<(String, OsString)> {
    let packages = project.folder.join(PACKAGES_FOLDER);
    let mut folders = vec![packages.join("bin")];
    folders.extend(std::env::split_paths(path));
    // A folder with a colon in its name cannot be on a PATH; then the commands are reached by their full names.
    let path = std::env::join_paths(folders).unwrap_or_else(|_| path.to_owned());
    vec![
        ("PATH".into(), path),
        ("WEIR_PROJECT".into(), project.folder.clone().into_os_string()),
        ("WEIR_PACKAGES".into(), packages.into_os_string()),
    ]
}

/// Refuses to put the commands of a project's packages on a `PATH` where one of them is somebody else's, such as one that came with a clone.
///
/// # Errors
///
/// [`ProjectError::StrangeCommand`].
pub fn check_commands(session: &Session, project: &Project) -> Result<(), ProjectError> {
    match layout::strange_command(&Records::new(session.home.layouts()), &project.folder) {
        Some(path) => Err(ProjectError::StrangeCommand { path }),
        None => Ok(()),
    }
}

/// Tells that the commands of a project's packages are not on the `PATH`, where its folder has a name that cannot be there.
pub fn warn_of_path(session: &Session, project: &Project) {
    if std::env::join_paths([&project.folder]).is_err() {
        session.warn(format!(
            "the commands of the packages are not on the `PATH`, on which no folder can be that has a `:` in its name: `{}`",
            project.folder.display()
        ));
    }
}

/// The completions that the packages of a project bring: files to be sourced by a shell, those for another shell among them.
/// `None` where the project is not installed as it should be: what was put there since is nothing to source.
pub fn completions(session: &Session, project: &Project) -> Option<Vec<PathBuf>> {
    let folder = &project.folder;
    let is_installed = [true, false].into_iter().any(|with_dev| {
        installed(session, folder, &InstallOptions { with_dev, ..InstallOptions::default() }).is_some()
    });
    is_installed.then(|| layout::made_in(&Records::new(session.home.layouts()), folder, "completion"))
}

/// What packages that were installed for the user need: their commands and man pages found after everything else's, so that
/// none stands in for a program of the system.
pub fn global_environment(project: &Project, path: &OsStr, man_path: &OsStr) -> Vec<(String, OsString)> {
    let packages = project.folder.join(PACKAGES_FOLDER);
    let behind = |list: &OsStr, folder: PathBuf| {
        let mut folders: Vec<PathBuf> =
            std::env::split_paths(list).filter(|other| *other != folder).collect();
        folders.push(folder);
        std::env::join_paths(folders).unwrap_or_else(|_| list.to_owned())
    };
    // An empty list of folders of pages stands for where the system looks, and so does an empty part of one.
    let man = behind(man_path, packages.join("man"));
    let path = if path.is_empty() { packages.join("bin").into() } else { behind(path, packages.join("bin")) };
    vec![("PATH".into(), path), ("MANPATH".into(), man)]
}

/// Plans how to run `command`: a script of the manifest, a command of a package, or any program of the `PATH`.
///
/// # Errors
///
/// When there is no such command.
pub fn run_plan(
    session: &Session,
    project: &Project,
    command: &OsStr,
    args: &[OsString],
    path: &OsStr,
) -> Result<RunPlan, ProjectError> {
    let with_npm = elm::is_elm(project).then(|| elm::with_npm(&session.owners, &project.folder, path));
    let path = with_npm.as_deref().unwrap_or(path);
    let (command, args) = if with_npm.is_some() { elm::npm::meant(command, args) } else { (command, args) };
    let looking = elm::looking(session, project, command, args)?;
    let homes = elm::shown(session, project, looking.as_ref(), path)?;
    let mut env = environment(project, &with_wrappers(homes.as_deref(), path));
    warn_of_path(session, project);
    // Tools around the compiler read there which packages there are.
    env.extend(homes.map(|home| ("ELM_HOME".into(), home.into_os_string())));
    let name = command.to_string_lossy();
    if let Some(script) = project.manifest.scripts.get(&*name) {
        let mut arguments = vec!["-c".into(), format!("{script} \"$@\"").into(), command.to_owned()];
        arguments.extend(args.iter().cloned());
        return Ok(RunPlan { program: "sh".into(), args: arguments, env });
    }
    let own = project.folder.join(PACKAGES_FOLDER).join("bin").join(command);
    if !name.contains('/') && own.exists() {
        return Ok(RunPlan { program: own.into(), args: args.to_vec(), env });
    }
    if name.contains('/') || on_path(command, path) {
        return Ok(RunPlan { program: command.to_owned(), args: args.to_vec(), env });
    }
    let known = commands(project);
    let known = known.keys().map(String::as_str).chain(project.manifest.scripts.keys().map(String::as_str));
    let similar = nearest(&name, known).map(str::to_owned);
    Err(ProjectError::UnknownCommand { command: name.into_owned(), similar })
}

/// A `PATH` on which the compiler that sees a project's packages and nothing else is found first, where there is one.
fn with_wrappers(elm_home: Option<&Path>, path: &OsStr) -> OsString {
    let Some(home) = elm_home else { return path.to_owned() };
    let folders = std::iter::once(home.join("bin")).chain(std::env::split_paths(path));
    std::env::join_paths(folders).unwrap_or_else(|_| path.to_owned())
}

fn on_path(command: &OsStr, path: &OsStr) -> bool {
    std::env::split_paths(path).any(|folder| folder.join(command).is_file())
}

/// The commands that the project's packages offer, and where each is.
pub fn commands(project: &Project) -> BTreeMap<String, PathBuf> {
    let folder = project.folder.join(PACKAGES_FOLDER).join("bin");
    let Ok(entries) = fs_err::read_dir(&folder) else { return BTreeMap::new() };
    let named =
        entries.flatten().map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
    named.filter(|(name, path)| !name.starts_with('.') && Path::exists(path)).collect()
}
