//! What Elm's compiler is shown when a command of a project runs: an `ELM_HOME` of exactly its packages, and no network.
//!
//! The compiler writes beside the packages that it reads, so they are copies, in the user's data folder; one folder for each set of
//! packages and version of the compiler, made once and whole. A wrapper called `elm`, first on the `PATH`, shows it to the compiler
//! whoever calls that, and to nothing else. The user's own `~/.elm` is not looked at.

pub(crate) mod contained;
pub(crate) mod npm;
mod online;
mod site;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use rustix::process::{Pid, Signal};
use weir_elm::home::{Home, HomePackage, REGISTRY};
use weir_fs::{Access, Durability, Folder};
use weir_model::lockfile::LockedRelease;
use weir_model::{KindName, Lockfile, PackageName, Sha256, Version};
use weir_reach::Session;
use weir_tree::{Selection, read_folder};

use crate::closure::{closure, used};
use crate::error::ProjectError;
use crate::files::keep_note;
use crate::install::{InstallOptions, install};
use crate::project::Project;

pub use npm::with_npm;
pub use online::ElmOnline;

/// The compiler's name on the `PATH`.
const ELM: &str = "elm";

/// What a package offers, in words.
const DOCS: &str = "docs.json";

/// Written last, with how much was copied: what is without it was not finished.
const WHOLE: &str = "whole";

/// A folder that no command has used for so long goes when another is made.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The most compilers, and the most projects, of which something is remembered.
const MOST_REMEMBERED: usize = 4096;

/// The most that a compiler says of its version, in bytes.
const LONGEST_VERSION: u64 = 256;

/// How long a compiler may take to say its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most files of a package that are copied, and how deep they may lie.
const MOST_FILES: usize = 100_000;
const DEEPEST: usize = 64;

/// What the compiler takes for no network: an address that refuses at once.
const NOWHERE: &str = "http://1";

/// Whether the packages of a project are shown to a compiler of Elm.
pub(crate) fn is_elm(project: &Project) -> bool {
    project.manifest.package.kind == KindName::Elm
}

/// The compiler that is on a `PATH`, with its version; nothing where there is none that says it.
pub fn elm_compiler(session: &Session, path: &OsStr) -> BTreeMap<PackageName, Version> {
    let homes = session.home.data().join("elm");
    let version = find(path, &homes).and_then(|program| version(&homes, &program).ok());
    let name = weir_elm::COMPILER.parse().ok();
    name.zip(version).into_iter().collect()
}

/// A tool whose own settings are an application, in a folder of the project that is looked at, and how another folder is named. It
/// compiles that application, and reads what the packages of the project offer.
const LOOKING: (&str, &str, &str) = ("elm-review", "review", "--config");

/// The application of a tool that looks at a project, installed; nothing where `command` is none, or has none there.
pub(crate) fn looking(
    session: &Session,
    project: &Project,
    command: &OsStr,
    args: &[OsString],
) -> Result<Option<Project>, ProjectError> {
    let (tool, usual, option) = LOOKING;
    if command != tool || !is_elm(project) {
        return Ok(None);
    }
    let told = args.windows(2).find(|pair| pair[0] == option).map(|pair| Path::new(&pair[1]));
    let folder = told.map_or_else(|| project.folder.join(usual), |told| project.folder.join(told));
    if folder == project.folder || !folder.join(weir_elm::FILE_NAME).is_file() {
        return Ok(None);
    }
    install(session, &folder, &InstallOptions::default())?;
    Ok(Some(Project::open(&folder, &session.owners)?.on(session.platform())))
}

/// The `ELM_HOME` that the compiler is shown, with the wrapper `elm` in its `bin`; nothing where the project is not Elm's, or there is no
/// compiler on `path`. With the application of a tool that looks at the project, it has the packages of both.
pub(crate) fn shown(
    session: &Session,
    project: &Project,
    looking: Option<&Project>,
    path: &OsStr,
) -> Result<Option<PathBuf>, ProjectError> {
    if !is_elm(project) {
        return Ok(None);
    }
    let homes = session.home.data().join("elm");
    let Some(program) = find(path, &homes) else { return Ok(None) };
    let version = version(&homes, &program)?;
    let home = home_of(session, project, project.locked()?, &version)?;
    for name in &home.left_out {
        session.warn(format!("`{name}` is not for Elm {version}: the compiler is not shown it"));
    }
    let Some(looking) = looking else {
        let folder = ready(session, &[project], &homes, &home, &program)?;
        forget_stale(project, &homes, &folder, &version)?;
        return Ok(Some(folder));
    };
    let own = home_of(session, looking, looking.locked()?, &version)?;
    let both = home.packages.into_iter().filter(|one| !own.packages.iter().any(|own| own.is_same(one)));
    let home = both.fold(own.clone(), Home::with);
    Ok(Some(ready(session, &[looking, project], &homes, &home, &program)?))
}

/// Removes what the compiler noted of a project, in `elm-stuff`, when that was of other packages or of an older `elm.json`.
///
/// Of other packages it notes nothing but their versions, and would not see that they changed; over an older note it may stumble, for
/// it reads that lazily and then writes the same file (`d.dat: resource busy`).
fn forget_stale(project: &Project, homes: &Path, home: &Path, version: &Version) -> Result<(), ProjectError> {
    const DETAILS: &str = "d.dat";
    let mut key = project.folder.as_os_str().as_bytes().to_vec();
    key.extend(format!("\0{version}").as_bytes());
    let note = homes.join("projects").join(Sha256::of(key).to_hex());
    let home = home.file_name().unwrap_or_default().as_bytes();
    let is_same = weir_fs::read(&note, LONGEST_VERSION).is_ok_and(|noted| noted == home);
    let folder = Folder::open(&project.folder)?;
    if let Some(stuff) = folder.find_folder(format!("elm-stuff/{version}"))? {
        let modified = |path: PathBuf| fs_err::metadata(path).and_then(|about| about.modified()).ok();
        let noted = modified(stuff.path().join(DETAILS));
        let is_older = noted < modified(project.folder.join(weir_elm::FILE_NAME));
        if !is_same || is_older {
            stuff.remove_file(DETAILS)?;
        }
    }
    if !is_same {
        fs_err::create_dir_all(homes.join("projects"))?;
        keep_note(&note, home, MOST_REMEMBERED);
    }
    Ok(())
}

/// The first `elm` on a `PATH` that is no wrapper of ours.
pub(crate) fn find(path: &OsStr, homes: &Path) -> Option<PathBuf> {
    find_program(path, homes, ELM)
}

fn find_program(path: &OsStr, homes: &Path, name: &str) -> Option<PathBuf> {
    let is_program = |file: &PathBuf| {
        fs_err::metadata(file).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
    };
    let folders =
        std::env::split_paths(path).filter(|folder| folder.is_absolute() && !folder.starts_with(homes));
    folders.map(|folder| folder.join(name)).find(is_program)
}

/// The version of a compiler, asked of itself once for each file that it ever was.
pub(crate) fn version(homes: &Path, program: &Path) -> Result<Version, ProjectError> {
    let about = fs_err::metadata(program)?;
    let mut key = program.as_os_str().as_bytes().to_vec();
    let (size, seconds, nanoseconds) = (about.size(), about.mtime(), about.mtime_nsec());
    key.extend(format!("\0{size} {seconds} {nanoseconds} {}", about.ino()).as_bytes());
    let note = homes.join("versions").join(Sha256::of(key).to_hex());
    let known = weir_fs::read_text(&note, LONGEST_VERSION).ok().and_then(|text| text.trim().parse().ok());
    if let Some(version) = known {
        return Ok(version);
    }
    let said = said_by(program)?;
    let version = said.trim().parse().map_err(|_| {
        let said: String = said.trim().chars().take(80).flat_map(char::escape_debug).collect();
        ProjectError::Usage(format!(
            "`{} --version` says `{said}`, which is no version of Elm's compiler",
            program.display()
        ))
    })?;
    fs_err::create_dir_all(homes.join("versions"))?;
    keep_note(&note, format!("{version}\n").as_bytes(), MOST_REMEMBERED);
    Ok(version)
}

fn said_by(program: &Path) -> Result<String, ProjectError> {
    let mut child = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    let (tell, told) = std::sync::mpsc::channel();
    if let Some(output) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut said = Vec::new();
            let read = output.take(LONGEST_VERSION).read_to_end(&mut said);
            tell.send(read.map(|_| said))
        });
    }
    let said = told.recv_timeout(PATIENCE);
    // Whatever else it would say is of no interest, nor is what it has started.
    let _ = rustix::process::kill_process_group(Pid::from_child(&child), Signal::KILL);
    child.wait()?;
    let said = said.map_err(|_| {
        ProjectError::Usage(format!(
            "`{} --version` did not end within {} seconds, as Elm's compiler does",
            program.display(),
            PATIENCE.as_secs()
        ))
    })?;
    Ok(String::from_utf8_lossy(&said?).into_owned())
}

/// Plans what a compiler of `version` is shown.
pub(crate) fn home_of(
    session: &Session,
    project: &Project,
    lock: &Lockfile,
    version: &Version,
) -> Result<Home, ProjectError> {
    let store = session.open_store()?.session()?;
    let used = used(project, lock, true);
    Ok(Home::plan(&closure(session, &store, project, lock, &used)?, version)?)
}

/// What a package of some projects holds: its tree, or of one in somebody's folder what is there now.
fn content(locks: &[&Lockfile], package: &HomePackage) -> Result<String, ProjectError> {
    let is_it = |release: &&LockedRelease| release.name == package.name && release.version == package.version;
    let mut trees = locks.iter().filter_map(|lock| lock.releases.iter().find(is_it)?.tree);
    match trees.next() {
        Some(tree) => Ok(tree.to_string()),
        None => {
            let selection = Selection::package(&[], &["/elm-stuff/".into()])?.of_working_folder();
            Ok(format!(
                "{} {}",
                package.content.display(),
                read_folder(&package.content, &selection)?.digest()
            ))
        }
    }
}

/// The folder of a plan for some projects, made if it is not there, or not whole any more.
fn ready(
    session: &Session,
    projects: &[&Project],
    homes: &Path,
    home: &Home,
    program: &Path,
) -> Result<PathBuf, ProjectError> {
    let locks = projects.iter().map(|project| project.locked()).collect::<Result<Vec<_>, _>>()?;
    let homes = Folder::make(homes.join("homes"))?;
    let digest = home.digest(|package| content(&locks, package))?;
    let place = format!("{digest} {} {}", homes.path().display(), program.display());
    let name: String = Sha256::of(place).to_hex().chars().take(32).collect();
    let folder = homes.path().join(&name);
    if is_whole(&folder, home) {
        used_now(&folder);
        return Ok(folder);
    }
    let alone = homes.lock(|| session.warn("waiting for another `weir` that prepares packages for Elm"))?;
    if !is_whole(&folder, home) {
        let draft = homes.draft_folder()?;
        fill(draft.folder().path(), home)?;
        wrap(draft.folder(), &folder, program)?;
        let copied = copied(draft.folder().path(), home)?;
        draft.folder().replace(WHOLE, copied, Access::Usual, Durability::Quick)?;
        draft.replace(&name)?;
        remove_unused(&homes, &name);
        remove_abandoned(homes.path().parent().unwrap_or_else(|| homes.path()));
    }
    drop(alone);
    Ok(folder)
}

/// Whether a folder has everything that the compiler must find, as large as it was when it was copied: a machine that stops half-way may
/// leave files empty. What the compiler writes there itself, it checks itself.
fn is_whole(folder: &Path, home: &Home) -> bool {
    let (packages, limit) = (folder.join(home.packages_folder()), home.registry.len() as u64);
    folder.join("bin").join(ELM).is_file()
        && weir_fs::read(packages.join(REGISTRY), limit).is_ok_and(|bytes| bytes == home.registry)
        && weir_fs::read_text(folder.join(WHOLE), LONGEST_COUNT)
            .is_ok_and(|whole| copied(folder, home).is_ok_and(|copied| copied == whole))
}

/// The longest that [`copied`] says, in bytes.
const LONGEST_COUNT: u64 = 128;

/// How many files of packages a folder has, and how large they are together.
fn copied(folder: &Path, home: &Home) -> std::io::Result<String> {
    let (packages, mut files, mut bytes) = (folder.join(home.packages_folder()), 0_u64, 0_u64);
    for package in &home.packages {
        let folder = packages.join(package.folder());
        bytes += fs_err::metadata(folder.join(weir_elm::FILE_NAME))?.len();
        let mut pending = vec![folder.join("src")];
        while let Some(folder) = pending.pop() {
            for entry in fs_err::read_dir(folder)? {
                let entry = entry?;
                let about = entry.metadata()?;
                if about.is_dir() {
                    pending.push(entry.path());
                } else {
                    files += 1;
                    bytes += about.len();
                }
            }
        }
    }
    Ok(format!("{files} files, {bytes} bytes\n"))
}

/// Copies packages to where the compiler looks for them. It asks for nothing but `elm.json` and `src`; others ask for documentation.
pub(crate) fn fill(folder: &Path, home: &Home) -> Result<(), ProjectError> {
    let packages = folder.join(home.packages_folder());
    fs_err::create_dir_all(&packages)?;
    fs_err::write(packages.join(REGISTRY), &home.registry)?;
    for package in &home.packages {
        let to = packages.join(package.folder());
        fs_err::create_dir_all(&to)?;
        copy_file(&package.content.join(weir_elm::FILE_NAME), &to.join(weir_elm::FILE_NAME))?;
        copy_folder(&package.content.join("src"), &to.join("src"))?;
        // The compiler makes it anew; tools around it look for it there before.
        let docs = package.content.join(DOCS);
        if docs.is_file() {
            copy_file(&docs, &to.join(DOCS))?;
        }
    }
    Ok(())
}

/// Copies files and links; a tree's links lead nowhere out of it.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> Result<(), ProjectError> {
    let (mut pending, mut files) = (vec![(from.to_owned(), to.to_owned(), 0)], 0);
    while let Some((from, to, depth)) = pending.pop() {
        fs_err::create_dir_all(&to)?;
        for entry in fs_err::read_dir(&from)? {
            let entry = entry?;
            let (sort, to) = (entry.file_type()?, to.join(entry.file_name()));
            files += 1;
            if files > MOST_FILES || depth > DEEPEST {
                return Err(ProjectError::Usage(format!(
                    "`{}` has more than {MOST_FILES} files, or folders more than {DEEPEST} deep",
                    from.display()
                )));
            }
            if sort.is_dir() {
                pending.push((entry.path(), to, depth + 1));
            } else if sort.is_symlink() {
                fs_err::os::unix::fs::symlink(fs_err::read_link(entry.path())?, to)?;
            } else if sort.is_file() {
                copy_file(&entry.path(), &to)?;
            }
        }
    }
    Ok(())
}

/// The store's files cannot be written, and the copy can.
fn copy_file(from: &Path, to: &Path) -> Result<(), ProjectError> {
    fs_err::copy(from, to)?;
    Ok(fs_err::set_permissions(to, std::fs::Permissions::from_mode(0o644))?)
}

/// Writes the wrapper, for a home that will be at `at`.
fn wrap(folder: &Folder, at: &Path, program: &Path) -> Result<(), ProjectError> {
    let (home, program) = (quoted(at)?, quoted(program)?);
    let text = format!(
        "#!/bin/sh\n\
         # Made by weir: the compiler, with the packages of one project and no network.\n\
         unset no_proxy NO_PROXY\n\
         export ELM_HOME={home} http_proxy={NOWHERE} https_proxy={NOWHERE} HTTP_PROXY={NOWHERE} HTTPS_PROXY={NOWHERE}\n\
         exec {program} \"$@\"\n"
    );
    let bin = folder.make_folder("bin")?;
    Ok(bin.replace(ELM, text, Access::Executable, Durability::Quick)?)
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> Result<String, ProjectError> {
    let text = path.to_str().ok_or_else(|| {
        ProjectError::Usage(format!(
            "the path `{}` has bytes that are no text, which Elm cannot be told",
            path.display()
        ))
    })?;
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}

/// Notes that a folder is used.
fn used_now(folder: &Path) {
    if let Ok(file) = fs_err::File::open(folder.join(WHOLE)) {
        let _ = file.file().set_modified(SystemTime::now());
    }
}

/// Removes what runs that were killed left for the time that they took.
fn remove_abandoned(elm: &Path) {
    const TOO_LONG: Duration = Duration::from_secs(24 * 60 * 60);
    let Ok(elm) = Folder::open(elm) else { return };
    for entry in elm.entries().unwrap_or_default() {
        let modified = fs_err::metadata(elm.path().join(&entry.name)).and_then(|about| about.modified());
        let is_old = modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > TOO_LONG));
        if is_old && entry.name.as_bytes().starts_with(b".tmp") {
            let _ = elm.remove_tree(&entry.name);
        }
    }
}

/// Removes folders that no command has used for long. What cannot be removed stays.
fn remove_unused(homes: &Folder, made: &str) {
    for entry in homes.entries().unwrap_or_default() {
        let whole = homes.path().join(&entry.name).join(WHOLE);
        let used = fs_err::metadata(whole).and_then(|about| about.modified());
        let is_old = used.is_ok_and(|used| used.elapsed().is_ok_and(|unused| unused > UNUSED));
        if is_old && entry.name != made {
            let _ = homes.remove_tree(&entry.name);
        }
    }
}
