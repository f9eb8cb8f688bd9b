//! Which applications of Elm still compile with another version of a package: each is compiled with it, in the sandbox of builds.
//!
//! An application was published with the exact packages that it was made with. These stay as they are, but for the one package and what
//! that does not go with. What is compiled and all that it names is a stranger's: of its `weir.toml` nothing is read, its lockfile counts for
//! nothing, and what it depends on is what its record says.

mod said;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde::Serialize;
use weir_elm::{ElmJson, SOURCES_FOLDER};
use weir_fs::Folder;
use weir_index::ReleaseView;
use weir_kind::PACKAGES_FOLDER;
use weir_model::manifest::{Requirement, Source};
use weir_model::{
    KindName, PackageName, Range, ReleaseId, Scope, Unobserved, Version, chain, lockfile, manifest,
};
use weir_reach::{Connection, Connections, ManifestRegistries, Offline, Session, connect, find};
use weir_tree::{Mode, Selection, TreeManifest, copy_tree, read_folder};

pub use said::{BrokenModule, Mistake};

use crate::closure::{closure, used};
use crate::elm::contained::{Compiler, Task};
use crate::elm::{copy_folder, fill, home_of};
use crate::elm_diff::ElmSide;
use crate::error::ProjectError;
use crate::fetch;
use crate::moving::Moving;
use crate::project::{Project, ProjectLock};
use crate::resolve::{PlannedLock, resolve};

/// How long the compiler may take for one application.
const LONGEST: Duration = Duration::from_secs(120);

/// The file in which the script keeps what the compiler said. It is empty where that had nothing to say against it.
const SAID: &str = "said";

/// The largest of those that is read, in bytes.
const MOST_SAID: u64 = 8 << 20;

/// What is done in a copy of the application. What the compiler refuses is an answer, and no failure.
const SCRIPT: &str = r#"set --
while IFS= read -r module; do set -- "$@" "$module"; done <"$PACKAGES/modules"
mkdir -p "$DESTDIR$PREFIX"
if compile "$@" --output=/dev/null --report=json; then
    : >"$DESTDIR$PREFIX/said"
else
    cp "$TMPDIR/said" "$DESTDIR$PREFIX/said"
fi
"#;

/// How much is compiled.
#[derive(Debug, Clone, Copy)]
pub struct RebuildOptions<'a> {
    /// Where the compiler is looked for: a `PATH`.
    pub programs: &'a OsStr,
    /// The most applications.
    pub most: usize,
    /// When no further one is begun.
    pub time: Duration,
}

/// What became of applications that were compiled with another version of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Rebuild {
    /// What they were compiled with: a release, or a folder.
    pub with: String,
    /// The version of the compiler.
    pub compiler: Version,
    /// Those that were compiled, by name.
    pub applications: Vec<RebuiltApplication>,
    /// Those that are affected as well, and were not compiled.
    pub untried: Vec<UntriedApplication>,
}

/// An application that was compiled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct RebuiltApplication {
    /// Its newest release.
    pub id: ReleaseId,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: RebuildOutcome,
}

/// What came of compiling an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum RebuildOutcome {
    /// It compiles.
    Compiles,
    /// It does not compile any more.
    Breaks {
        /// What the compiler says.
        modules: Vec<BrokenModule>,
    },
    /// What it needs cannot be had together with that.
    DoesNotGoWith {
        /// Why, in words.
        reason: String,
    },
    /// It does not compile with what it was published with either.
    BrokenBefore {
        /// What the compiler says about it as it was published.
        modules: Vec<BrokenModule>,
    },
    /// What it was published with cannot be had together any more.
    CannotBeHad {
        /// Why, in words.
        reason: String,
    },
}

/// An application that was not compiled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct UntriedApplication {
    /// Its newest release.
    pub id: ReleaseId,
    /// Why not, in words.
    pub reason: String,
}

/// Compiles every application whose newest release uses a package with another version of it.
///
/// # Errors
///
/// When the package is not Elm's, there is no compiler or no sandbox, or the registry cannot be asked.
pub fn elm_rebuild(
    session: &Session,
    project: Option<&Project>,
    name: &PackageName,
    with: &ElmSide,
    options: &RebuildOptions<'_>,
) -> Result<Rebuild, ProjectError> {
    let connection =
        connect(session, &find(session, project.map(Project::registries), None, Path::new("."))?)?;
    let package = connection.package(name)?;
    if package.kind != KindName::Elm {
        return Err(ProjectError::Usage(format!(
            "`{name}` is of the kind `{}`: applications are compiled again with packages of Elm only",
            package.kind
        )));
    }
    let (label, change) = match with {
        ElmSide::Release(_, version) => {
            let newest = || package.newest().map(|view| view.release.id.version.clone());
            let version = version.clone().or_else(newest).ok_or_else(|| {
                ProjectError::NotFound(format!("`{name}` offers no release to compile with"))
            })?;
            (format!("{name} {version}"), requirement(name, Range::exact(&version), Source::Registry))
        }
        ElmSide::Folder(folder) => {
            let place = fs_err::canonicalize(folder)?.display().to_string();
            (format!("{name}, as it is in {place}"), requirement(name, Range::any(), Source::Path(place)))
        }
    };
    let compiler = Compiler::find(session, options.programs)
        .map_err(|missing| ProjectError::NotFound(format!("nothing can be compiled: {missing}")))?;
    let nothing = BTreeMap::new();
    let of_nobody = ManifestRegistries { folder: Path::new("."), named: &nothing };
    // What is chosen here is for this once, and of no interest to who watches.
    let quiet = Session { observer: Arc::new(Unobserved), ..session.clone() };
    let connections = Connections::of(&quiet, project.map_or(of_nobody, Project::registries))?;
    let workshop = Workshop { session: &quiet, connection: &connection, connections: &connections, compiler };
    let (mut applications, mut untried) = (Vec::new(), Vec::new());
    let began = Instant::now();
    for (view, wanted) in affected(&connection, name)? {
        let id = view.release.id.clone();
        let here = &workshop.compiler.version;
        let reason = if session.interrupt.wanted().load(Ordering::Relaxed) {
            Some("it was stopped".to_owned())
        } else if applications.len() >= options.most {
            Some(format!("there are more than {}", options.most))
        } else if began.elapsed() >= options.time {
            Some("there was no more time".to_owned())
        } else if wanted != *here {
            Some(format!("it is for Elm {wanted}, and `elm` here is {here}"))
        } else {
            None
        };
        let tried = match reason {
            Some(reason) => Err(Untried(reason)),
            None => workshop.outcome(&view, &change),
        };
        match tried {
            Ok(outcome) => applications.push(RebuiltApplication { id, outcome }),
            Err(Untried(reason)) => untried.push(UntriedApplication { id, reason }),
        }
    }
    Ok(Rebuild { with: label, compiler: workshop.compiler.version.clone(), applications, untried })
}

fn requirement(name: &PackageName, range: Range, source: Source) -> Requirement {
    Requirement {
        name: name.clone(),
        range,
        scope: Scope::Run,
        fluid: false,
        registry: None,
        source,
        line: 0,
    }
}

/// The applications whose newest release uses a package, each with the compiler that it is for.
fn affected(
    connection: &Connection,
    name: &PackageName,
) -> Result<Vec<(ReleaseView, Version)>, ProjectError> {
    let index = connection.replica.index();
    let mut affected = Vec::new();
    for reached in index.impact(name, None)?.packages {
        if !reached.now || reached.kind != KindName::Elm {
            continue;
        }
        let Some(view) = index.release(&reached.id)? else { continue };
        if let Some(compiler) = weir_elm::application_compiler(&view.release.kind_facts) {
            affected.push((view, compiler));
        }
    }
    Ok(affected)
}

/// Why an application was not compiled, in words.
struct Untried(String);

impl<E: std::error::Error + 'static> From<E> for Untried {
    fn from(error: E) -> Self {
        Self(chain(&error).to_string())
    }
}

/// What came of one run of the compiler.
enum Run {
    Compiles,
    Broken(Vec<BrokenModule>),
    /// What it was to be compiled with cannot be had together.
    Impossible(String),
}

/// Where applications are compiled.
struct Workshop<'a> {
    session: &'a Session,
    /// The registry that has them.
    connection: &'a Connection,
    /// Where what they need comes from.
    connections: &'a Connections<'a>,
    compiler: Compiler,
}

impl Workshop<'_> {
    fn outcome(&self, view: &ReleaseView, change: &Requirement) -> Result<RebuildOutcome, Untried> {
        let changed = self.compiled(view, Some(change))?;
        if matches!(changed, Run::Compiles) {
            return Ok(RebuildOutcome::Compiles);
        }
        // Only what compiled before breaks.
        Ok(match (self.compiled(view, None)?, changed) {
            (Run::Broken(modules), _) => RebuildOutcome::BrokenBefore { modules },
            (Run::Impossible(reason), _) => RebuildOutcome::CannotBeHad { reason },
            (Run::Compiles, Run::Broken(modules)) => RebuildOutcome::Breaks { modules },
            (Run::Compiles, Run::Impossible(reason)) => RebuildOutcome::DoesNotGoWith { reason },
            (Run::Compiles, Run::Compiles) => RebuildOutcome::Compiles,
        })
    }

    /// Compiles a release of an application, with what it was published with but for a `change`.
    fn compiled(&self, view: &ReleaseView, change: Option<&Requirement>) -> Result<Run, Untried> {
        let session = self.session;
        let scratch = tempfile::tempdir_in(session.home.data().join("elm"))?;
        let (files, packages) = (scratch.path().join("files"), scratch.path().join("packages"));
        let modules = self.unpack(view, &files)?;
        if modules.is_empty() {
            return Err(Untried("it has no modules".into()));
        }
        let mut project = as_recorded(session, &files, view)?;
        let planned = match planned(self, &mut project, change) {
            Err(ProjectError::NoResolution(why)) => return Ok(Run::Impossible(why.to_string())),
            planned => planned?,
        };
        let store = session.open_store()?.session()?;
        let used = used(&project, &planned.lock, false);
        let known = self.connections.known();
        let (lock, _) = fetch::fetch_missing(session, &store, known, &project, planned, &used)?;
        project.settle(&lock)?;
        let alone = ProjectLock::wait(session, &files)?;
        project.write_manifest(&alone)?;
        drop(alone);
        fill(&packages, &home_of(session, &project, &lock, &self.compiler.version)?)?;
        fs_err::write(packages.join("modules"), modules.join("\n") + "\n")?;
        for placed in closure(session, &store, &project, &lock, &used)?.packages {
            if placed.kind == KindName::Elm && !weir_elm::is_compiled_alone(&placed.facts) {
                copy_folder(&placed.content, &files.join(SOURCES_FOLDER).join(placed.id.name.as_str()))?;
            }
        }
        let task = Task {
            id: &view.release.id,
            files: &files,
            digest: view.release.tree,
            packages: &packages,
            script: SCRIPT,
            time: LONGEST,
            scratch: scratch.path(),
        };
        let kept = self.compiler.run(session, &task)?;
        let said = weir_fs::read(kept.join(SAID), MOST_SAID)?;
        Ok(match said.is_empty() {
            true => Run::Compiles,
            false => Run::Broken(said::read(&said)),
        })
    }

    /// Puts the files of a release there, without what is not to be believed or is in the way; gives the modules that it has.
    fn unpack(&self, view: &ReleaseView, files: &Path) -> Result<Vec<String>, Untried> {
        let session = self.session;
        let store = session.open_store()?.session()?;
        fetch::fetch_releases(session, &store, &[(self.connection, view.release.clone())])?;
        let missing = || Offline::lacks(view.release.id.to_string());
        let stored = store.tree(&view.release.tree)?.ok_or_else(missing)?;
        let tree = read_folder(stored.path(), &Selection::everything())?;
        copy_tree(stored.path(), &tree, files)?;
        let copy = Folder::open(files)?;
        for file in [manifest::FILE_NAME, lockfile::FILE_NAME] {
            copy.remove_file(file)?;
        }
        for folder in ["elm-stuff", PACKAGES_FOLDER] {
            if copy.look(folder)?.is_some() {
                copy.remove_tree(folder)?;
            }
        }
        let text = copy.read_text(weir_elm::FILE_NAME, weir_elm::MAX_BYTES as u64)?;
        match ElmJson::parse(&text)? {
            ElmJson::Application(application) => Ok(modules(&tree, &application.source_directories)),
            ElmJson::Package(_) => Err(Untried("its `elm.json` is of a package".into())),
        }
    }
}

/// The modules of an application, each a file that can be told to a compiler.
fn modules(tree: &TreeManifest, folders: &[String]) -> Vec<String> {
    let prefixes: Vec<String> = folders
        .iter()
        .map(|folder| folder.trim_start_matches("./").trim_end_matches('/'))
        .filter(|folder| !folder.starts_with(SOURCES_FOLDER))
        .map(|folder| if matches!(folder, "" | ".") { String::new() } else { format!("{folder}/") })
        .collect();
    let is_module = |path: &str| {
        let below = prefixes.iter().filter_map(|prefix| path.strip_prefix(prefix.as_str()));
        let mut named = below.filter_map(|rest| rest.strip_suffix(".elm"));
        named.any(|name| weir_elm::is_module_name(&name.replace('/', ".")))
    };
    let files = tree.entries().iter().filter(|entry| entry.mode != Mode::Link);
    files
        .map(|entry| entry.path.as_str())
        .filter(|path| is_module(path))
        .map(|path| format!("./{path}"))
        .collect()
}

/// An application as a project that asks for what its record says: what its `elm.json` has no word for, such as packages with ports, is
/// asked for beside it.
fn as_recorded(session: &Session, files: &Path, view: &ReleaseView) -> Result<Project, ProjectError> {
    let mut project = Project::open(files, &session.owners)?.on(session.platform());
    let asked: BTreeSet<PackageName> =
        project.manifest.dependencies.iter().map(|asked| asked.name.clone()).collect();
    let recorded = view.release.dependencies.iter().filter(|needed| needed.scope == Scope::Run);
    let beside: Vec<Requirement> = recorded
        .filter(|needed| !asked.contains(&needed.name))
        .map(|needed| {
            let baked = needed.baked.as_ref().map(|baked| Range::exact(&baked.version));
            requirement(&needed.name, baked.unwrap_or_else(|| needed.range.clone()), Source::Registry)
        })
        .collect();
    project.set(project.edited(|editing| beside.iter().for_each(|asked| editing.ask_beside(asked)))?)?;
    Ok(project)
}

/// What an application is compiled with. With a change, everything else stays if it goes with that, and moves within its major version
/// otherwise, as when a person adds it.
fn planned(
    workshop: &Workshop<'_>,
    project: &mut Project,
    change: Option<&Requirement>,
) -> Result<PlannedLock, ProjectError> {
    let resolved = |project: &Project, moving: Moving<'_>| {
        resolve(workshop.session, workshop.connections, project, moving)
    };
    let Some(change) = change else { return resolved(project, Moving::Nothing) };
    let name = std::slice::from_ref(&change.name);
    let ask = |project: &mut Project| -> Result<(), ProjectError> {
        match &change.source {
            Source::Registry => {
                let edited = project.edited(|editing| match weir_model::Manifest::parse(&project.text) {
                    Ok(beside) if beside.dependencies.iter().any(|asked| asked.name == change.name) => {
                        editing.ask_beside(change);
                    }
                    _ => editing.set_dependency(change),
                })?;
                project.set(edited)?;
            }
            _ => project.manifest.overrides.push(change.clone()),
        }
        Ok(())
    };
    ask(project)?;
    match resolved(project, Moving::Added(name)) {
        Err(ProjectError::NoResolution(_)) => {
            project.loosen(Moving::All)?;
            ask(project)?;
            resolved(project, Moving::Added(name))
        }
        planned => planned,
    }
}
