//! What only projects with Bash packages do: check a package, run its tests, bundle a script.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use weir_bash::bundle::{BundledPackage, Warning, bundle};
use weir_bash::check::{Checked, check};
use weir_bash::layout::{Offers, expand};
use weir_bash::rename::SourceFile;
use weir_bash::{MAX_SOURCED, REPORT_FILE, TEST_FILE, package_files, read_manifest};
use weir_fs::Folder;
use weir_kind::{Closure, PACKAGES_FOLDER, Placed};
use weir_model::KindName;
use weir_tree::{Selection, TreeManifest, read_folder};

use crate::closure::used;
use crate::error::ProjectError;
use crate::local::package_manifest;
use crate::project::Project;
use crate::run::{RunPlan, environment};
use weir_reach::replace;

/// The largest `.shellspec` that is read, in bytes.
const MAX_OPTIONS: u64 = 1 << 20;

/// What checking a Bash package found.
#[derive(Debug, Clone)]
pub struct BashCheck {
    /// How many shell files it has.
    pub files: usize,
    /// What was found in them.
    pub checked: Checked,
    /// Where it is told what could not be decided in its dependencies, if anything could not.
    pub installed: Option<PathBuf>,
}

/// Checks the package in `folder` as others would use it.
///
/// # Errors
///
/// When it is none, or cannot be read.
pub fn bash_check(folder: &Path) -> Result<BashCheck, ProjectError> {
    let manifest =
        package_manifest(folder)?.ok_or_else(|| ProjectError::NoProject { start: folder.into() })?;
    let own = Folder::open(folder)?;
    let bash = read_manifest(&own, &manifest)?;
    let tree = package_tree(folder, &manifest)?;
    let (files, sources) = package_files(&own, &tree, &Offers::default())?;
    let version = manifest.package.version.as_ref().map_or_else(|| "0.0.0".into(), ToString::to_string);
    let installed = Some(folder.join(PACKAGES_FOLDER).join(REPORT_FILE)).filter(|path| path.is_file());
    let name = manifest.package.name.as_ref().map(ToString::to_string).unwrap_or_default();
    let checked = check(&name, &bash, &version, &files, &sources, &[]);
    Ok(BashCheck { files: sources.len(), checked, installed })
}

fn package_tree(folder: &Path, manifest: &weir_model::Manifest) -> Result<TreeManifest, ProjectError> {
    let selection =
        Selection::package(&manifest.package.include, &manifest.package.exclude)?.of_working_folder();
    Ok(read_folder(folder, &selection)?)
}

/// A bundle that was written.
#[derive(Debug, Clone)]
pub struct Bundled {
    /// How many packages are in it.
    pub packages: usize,
    /// Its bytes.
    pub bytes: u64,
    /// Places that may not work in it.
    pub warnings: Vec<Warning>,
}

/// Joins a script of an installed project and every package it uses into one file.
///
/// # Errors
///
/// When something cannot be read, or the file cannot be written.
pub fn bash_bundle(project: &Project, entry: &Path, output: &Path) -> Result<Bundled, ProjectError> {
    let closure = locked_closure(project);
    let mut packages = weir_bash::installed_packages(&closure, &project.folder)?;
    packages.extend(own_package(project)?);
    let path = entry.strip_prefix(&project.folder).unwrap_or(entry);
    let entry =
        SourceFile { path: path.to_string_lossy().into_owned(), bytes: weir_fs::read(entry, MAX_SOURCED)? };
    packages.iter_mut().for_each(|package| package.files.retain(|file| file.path != entry.path));
    let bundle = bundle(&entry, &packages);
    replace(output, &bundle.script)?;
    fs_err::set_permissions(output, std::fs::Permissions::from_mode(0o755))?;
    let bytes = bundle.script.len() as u64;
    Ok(Bundled { packages: packages.len(), bytes, warnings: bundle.warnings })
}

/// The packages of a project's lockfile that it uses when it is not being developed, without where they are.
fn locked_closure(project: &Project) -> Closure {
    let Some(lock) = &project.lock else { return Closure::default() };
    let used = used(project, lock, false);
    let direct: BTreeSet<_> = lock.direct.iter().map(|direct| &direct.0).collect();
    let releases = lock.releases.iter().filter(|release| used.contains(&release.id()));
    let placed = releases.map(|release| Placed {
        direct: direct.contains(&release.id()),
        id: release.id(),
        kind: release.kind,
        content: PathBuf::new(),
        facts: release.facts.clone(),
        dependencies: release.dependencies.iter().map(|dependency| dependency.0.clone()).collect(),
        references: Vec::new(),
    });
    let mut packages: Vec<Placed> = placed.collect();
    packages.sort_by(|a, b| a.id.cmp(&b.id));
    Closure { packages, ..Closure::default() }
}

/// The project itself, if it is a Bash package that is sourced.
fn own_package(project: &Project) -> Result<Option<BundledPackage>, ProjectError> {
    if project.manifest.package.kind != KindName::Bash {
        return Ok(None);
    }
    let folder = Folder::open(&project.folder)?;
    let manifest = read_manifest(&folder, &project.manifest)?;
    let tree = package_tree(&project.folder, &project.manifest)?;
    let (files, _) = package_files(&folder, &tree, &Offers::default())?;
    let (offers, _) = expand(&manifest, &files);
    if offers.source.is_empty() {
        return Ok(None);
    }
    let read = |path: &String| -> Result<SourceFile, ProjectError> {
        Ok(SourceFile { path: path.clone(), bytes: folder.read(path, MAX_SOURCED)? })
    };
    let files = offers.source.iter().map(read).collect::<Result<_, _>>()?;
    let package = &project.manifest.package;
    Ok(Some(BundledPackage {
        name: package.name.as_ref().map_or_else(|| "this project".into(), ToString::to_string),
        version: package.version.as_ref().map(ToString::to_string).unwrap_or_default(),
        manifest,
        files,
    }))
}

/// Plans how to run the suite of an installed project: with `shellspec` where there is a `.shellspec`, otherwise with `bats`.
///
/// # Errors
///
/// When there is no suite, or nothing to run it with.
pub fn bash_test_plan(project: &Project, given: &[OsString], path: &OsStr) -> Result<RunPlan, ProjectError> {
    let folder = &project.folder;
    let options = Folder::open(folder)?.find_text(".shellspec", MAX_OPTIONS)?;
    let is_shellspec = options.is_some();
    let mut args = given.to_vec();
    if options.is_some_and(|options| !names_a_shell(&options)) {
        // Otherwise it takes what it is started with, which is `sh`.
        args.splice(0..0, ["--shell".into(), "bash".into()]);
    }
    if !is_shellspec && !given.iter().any(names_a_suite) {
        let suite = ["tests", "test"].iter().map(|name| folder.join(name)).find(|suite| has_bats(suite));
        let suite = suite.ok_or_else(|| {
            ProjectError::NotFound(format!(
                "no tests in `{}`: expected .bats files in `tests` or `test`, or a `.shellspec`",
                folder.display()
            ))
        })?;
        // Below a folder of tests there may be some that are meant to fail: what tests of test libraries run.
        if !has_bats_itself(&suite) {
            args.push("--recursive".into());
        }
        args.push(suite.into_os_string());
    }
    let runner = if is_shellspec { "shellspec" } else { "bats" };
    let packages = folder.join(PACKAGES_FOLDER);
    let own = packages.join("bin").join(runner);
    let program = match own.exists() {
        true => own.into_os_string(),
        false => std::env::split_paths(path)
            .map(|folder| folder.join(runner))
            .find(|program| program.is_file())
            .ok_or_else(|| {
                ProjectError::NotFound(format!(
                    "no `{runner}` to run the tests with: install it, or make a package that offers it a dependency"
                ))
            })?
            .into_os_string(),
    };
    let mut env = environment(project, path);
    env.push(("BATS_LIB_PATH".into(), packages.join("lib").into_os_string()));
    let loader = packages.join(TEST_FILE);
    if loader.is_file() {
        env.push(("BASH_ENV".into(), loader.into_os_string()));
    }
    Ok(RunPlan { program, args, env })
}

/// Whether the options of a `.shellspec` say which shell runs the specs.
fn names_a_shell(options: &str) -> bool {
    let words = options.lines().filter_map(|line| line.split_ascii_whitespace().next());
    words.into_iter().any(|word| word == "-s" || word == "--shell" || word.starts_with("--shell="))
}

fn names_a_suite(argument: &OsString) -> bool {
    !argument.to_string_lossy().starts_with('-') && Path::new(argument).exists()
}

fn has_bats_itself(folder: &Path) -> bool {
    let entries = fs_err::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .any(|path| path.extension().is_some_and(|extension| extension == "bats"))
}

/// Whether a folder has .bats files, at any depth that suites have.
fn has_bats(folder: &Path) -> bool {
    const DEEPEST: usize = 8;
    let mut pending = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = pending.pop() {
        for entry in fs_err::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "bats") {
                return true;
            }
            if depth < DEEPEST && entry.file_type().is_ok_and(|sort| sort.is_dir()) {
                pending.push((path, depth + 1));
            }
        }
    }
    false
}
