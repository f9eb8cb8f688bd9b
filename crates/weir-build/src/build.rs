//! Building one release: each of its variants, from a fresh copy of its source, step by step.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use weir_model::{Observer, ReleaseId};
use weir_native::{Recipe, RecipeInputs, System, Variant};

use crate::limits::{self, Bounds, End, Limit};
use crate::log::Log;
use crate::room::{Places, Room};
use crate::root::{self, Program, Sight};
use crate::steps::{self, BuildCommand, Circumstances, NameProblem, Phase};
use crate::unused;
use crate::wrappers::{self, Told};
use crate::{BuildRoot, Sandbox, SandboxKind, scratch, source_copy};

/// A release that is to be built.
pub struct Job<'a> {
    /// Which release.
    pub id: &'a ReleaseId,
    /// How.
    pub recipe: &'a Recipe,
    /// The script and patches that the recipe names, as they were read for its document.
    pub inputs: &'a RecipeInputs,
    /// Its source: a folder, which is only read.
    pub source: &'a Path,
    /// What it needs, for each variant: a folder whose text files name `/weir/sysroot` as its place, or this
    /// folder itself where there is no sandbox. None is there for a variant that needs nothing.
    pub sysroots: &'a BTreeMap<Variant, PathBuf>,
    /// What only builds it, if something does: a folder whose `bin` is on the search path, and whose text files name
    /// `/weir/tools` as its place, or this folder itself where there is no sandbox.
    pub tools: Option<&'a Path>,
    /// Folders of the machine that a build may read at their own places, such as a store that links in a sysroot
    /// lead to.
    pub visible: &'a [PathBuf],
    /// Where it is built.
    pub root: &'a BuildRoot,
    /// What contains it.
    pub sandbox: &'a Sandbox,
    /// How many things the build system may do at once.
    pub jobs: usize,
    /// A folder for this job alone, which is made, and emptied first. What is built stays in it; all else is removed.
    pub scratch: &'a Path,
    /// A folder that outlives jobs, for views of the machine.
    pub cache: &'a Path,
    /// Who watches.
    pub observer: &'a dyn Observer<BuildEvent>,
    /// Set to end it.
    pub cancel: &'a AtomicBool,
    /// Where what it prints goes.
    pub log: &'a Path,
}

/// What happens while something is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildEvent {
    /// A variant is in this phase now.
    Phase(Variant, Phase),
    /// The build printed these lines, the last of them just now: all of them, for who wants every event. They hold no
    /// control characters, and none is empty.
    Lines(Vec<String>),
}

/// What was built.
#[derive(Debug)]
pub struct Built {
    /// A folder that holds a folder for each variant, as it was installed. It is in the job's scratch folder.
    pub tree: PathBuf,
    /// All that was printed.
    pub log: PathBuf,
    /// How long it took.
    pub time: Duration,
    /// How long each phase took.
    pub phases: Vec<PhaseTime>,
    /// Settings of the recipe that its build system has no use for.
    pub unused: Vec<String>,
}

/// How long a phase took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct PhaseTime {
    /// Of which variant.
    pub variant: Variant,
    /// Which phase.
    pub phase: Phase,
    /// How long.
    pub time: Duration,
}

/// Why something was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The build itself failed.
    #[error(transparent)]
    Failed(Box<Failure>),
    /// It was asked to stop.
    #[error("the build of {id} was stopped")]
    Cancelled {
        /// What was built.
        id: ReleaseId,
    },
    /// The recipe names something that cannot be.
    #[error("the recipe of {id} cannot be built")]
    Name {
        /// What was to be built.
        id: ReleaseId,
        /// What is wrong.
        source: NameProblem,
    },
    /// The build root lacks a program.
    #[error("{id} is built by `{program}`, which the build root lacks")]
    NoProgram {
        /// What was to be built.
        id: ReleaseId,
        /// The program.
        program: &'static str,
    },
    /// Without a sandbox, nothing can show a root other than the machine's.
    #[error("{id} cannot be built in `{}` without a sandbox", root.display())]
    RootWithoutSandbox {
        /// What was to be built.
        id: ReleaseId,
        /// The root's folder.
        root: PathBuf,
    },
    /// The system refused something.
    #[error("{id} cannot be built")]
    Io {
        /// What was to be built.
        id: ReleaseId,
        /// What the system said.
        source: io::Error,
    },
}

impl BuildError {
    /// What to do now.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Failed(failure) => Some(failure.help()),
            Self::NoProgram { program, .. } => Some(format!(
                "install the package that has `{program}` in the build root (on Debian, from Debian)"
            )),
            Self::RootWithoutSandbox { .. } => {
                Some("build in a sandbox, or in the machine's own root".into())
            }
            Self::Name { .. } => Some("change the name in the recipe".into()),
            Self::Cancelled { .. } | Self::Io { .. } => None,
        }
    }
}

/// A build that failed, with what a person needs to see why.
#[derive(Debug, thiserror::Error)]
#[error("{id} failed to build: {variant}, {phase}: {reason}")]
pub struct Failure {
    /// What was built.
    pub id: ReleaseId,
    /// Which variant.
    pub variant: Variant,
    /// What it was doing.
    pub phase: Phase,
    /// What happened.
    pub reason: FailureReason,
    /// The last lines that this step printed. They hold no control characters.
    pub tail: Vec<String>,
    /// Settings of the recipe that its build system has no use for.
    pub unused: Vec<String>,
    /// All that was printed.
    pub log: PathBuf,
}

/// What ended a build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FailureReason {
    /// A program failed.
    #[error("exit code {0}")]
    Exit(i32),
    /// A program was killed, but not by us.
    #[error("killed by signal {0}")]
    Signal(i32),
    /// It went over a limit.
    #[error(transparent)]
    Limit(#[from] Limit),
    /// It succeeded, and there is nothing.
    #[error("it installed nothing under the prefix")]
    Nothing,
}

impl Failure {
    /// What to do now.
    pub fn help(&self) -> String {
        let mut help = self.help_with_reason();
        if !self.unused.is_empty() {
            help = format!("its build system has no use for {}; {help}", quoted_list(&self.unused));
        }
        if let Some(tool) = self.tail.iter().find_map(|line| not_found(line)) {
            help = format!(
                "name `{tool}` in the recipe's `tools` if it is a program of the build root, or its package in `[build-dependencies]`; {help}"
            );
        }
        help
    }

    fn help_with_reason(&self) -> String {
        let log = self.log.display();
        match &self.reason {
            FailureReason::Limit(Limit::Time(_)) => {
                format!(
                    "raise `time` in the recipe's limits if it needs longer; all it printed is in `{log}`"
                )
            }
            FailureReason::Limit(_) => {
                format!("raise the recipe's limits if it needs more; all it printed is in `{log}`")
            }
            FailureReason::Nothing => {
                format!(
                    "install to $PREFIX, or to $DESTDIR$PREFIX without a sandbox; all it printed is in `{log}`"
                )
            }
            FailureReason::Signal(9) => {
                format!(
                    "the system itself may have run out of memory: try fewer jobs; all it printed is in `{log}`"
                )
            }
            FailureReason::Exit(_) | FailureReason::Signal(_) => format!("all it printed is in `{log}`"),
        }
    }
}

/// The program that a shell or a build system did not find, by what it said.
fn not_found(line: &str) -> Option<&str> {
    let before = line.strip_suffix(": not found").or_else(|| line.strip_suffix(": command not found"));
    let of_make = line.split_once(": No such file or directory").map(|(before, _)| before);
    let of_meson = line.split_once("Program '").and_then(|(_, rest)| Some(rest.split_once("' not found")?.0));
    let of_make = of_make.filter(|before| before.starts_with("make"));
    let name = of_meson.or(before.or(of_make)?.rsplit([' ', ':']).next())?;
    let is_program = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
    (!name.is_empty() && name.chars().all(is_program)).then_some(name)
}

/// Names as a person reads them: `one`, `two`.
pub(crate) fn quoted_list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Builds all variants of a release.
///
/// Whatever happens, no process of the build is left when this returns, and nothing in the scratch folder but what
/// was built.
///
/// # Errors
///
/// When the build fails, goes over a limit or installs nothing; when it is cancelled; or when the system refuses
/// what a build needs.
pub fn build(job: &Job<'_>) -> Result<Built, BuildError> {
    steps::check_names(job.recipe).map_err(|source| BuildError::Name { id: job.id.clone(), source })?;
    if let (SandboxKind::None, Some(root)) = (job.sandbox.kind(), job.root.folder()) {
        return Err(BuildError::RootWithoutSandbox { id: job.id.clone(), root: root.to_owned() });
    }
    let mut building = Building::start(job).map_err(|source| io_error(job, source))?;
    let built = building.all_variants();
    // What was built in part is of no use; an error in removing it must not hide the one that matters.
    let removed = match &built {
        Ok(()) => scratch::remove(&building.work),
        Err(_) => scratch::remove(job.scratch),
    };
    let (log, tail) = building.finish().map_err(|source| io_error(job, source))?;
    match built {
        Ok(()) => removed.map_err(|source| io_error(job, source))?,
        Err(Problem::Failed { variant, phase, reason }) => {
            let id = job.id.clone();
            let unused = building.unused();
            return Err(BuildError::Failed(Box::new(Failure {
                id,
                variant,
                phase,
                reason,
                tail,
                unused,
                log,
            })));
        }
        Err(Problem::Other(error)) => return Err(*error),
        Err(Problem::Io(source)) => return Err(io_error(job, source)),
    }
    let (time, unused) = (building.started.elapsed(), building.unused());
    Ok(Built { tree: building.tree, log, time, phases: building.phases, unused })
}

fn io_error(job: &Job<'_>, source: io::Error) -> BuildError {
    BuildError::Io { id: job.id.clone(), source }
}

/// Why a variant was not built.
enum Problem {
    Failed { variant: Variant, phase: Phase, reason: FailureReason },
    Other(Box<BuildError>),
    Io(io::Error),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A job under way.
struct Building<'a> {
    job: &'a Job<'a>,
    tree: PathBuf,
    work: PathBuf,
    log: Option<Log>,
    started: Instant,
    deadline: Instant,
    phases: Vec<PhaseTime>,
    unused: BTreeSet<String>,
}

impl<'a> Building<'a> {
    fn start(job: &'a Job<'a>) -> io::Result<Self> {
        scratch::remove(job.scratch)?;
        let (tree, work) = (job.scratch.join("tree"), job.scratch.join("work"));
        fs_err::create_dir_all(&tree)?;
        let log = Some(Log::create(job.log)?);
        let started = Instant::now();
        // A limit beyond what the clock can say is none.
        let day = Duration::from_hours(24);
        let deadline = started.checked_add(job.recipe.limits.time).unwrap_or(started + day * 365);
        Ok(Self { job, tree, work, log, started, deadline, phases: Vec::new(), unused: BTreeSet::new() })
    }

    fn unused(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unused).into_iter().collect()
    }

    fn all_variants(&mut self) -> Result<(), Problem> {
        for variant in &self.job.recipe.variants {
            self.variant(*variant)?;
        }
        Ok(())
    }

    fn variant(&mut self, variant: Variant) -> Result<(), Problem> {
        let job = self.job;
        let started = self.enter(variant, Phase::Source);
        let sight = match job.sandbox.kind() {
            SandboxKind::Bubblewrap => job.root.sight(job.cache, &job.recipe.tools)?,
            SandboxKind::None => Sight::of_everything(),
        };
        let sysroot = job.sysroots.get(&variant).map(PathBuf::as_path);
        let room = Room::make(self.work.clone(), job.sandbox, sight, sysroot, job.tools, job.visible)?;
        source_copy::copy(job.source, &room.source())?;
        let patches = self.bring_recipe(&room)?;
        let given = scratch::usage(&room.source(), u64::MAX).bytes;
        self.leave(variant, Phase::Source, started);

        let programs = programs(job, &room)?;
        let has = |program: &str| programs.iter().any(|there| there.name == program);
        let places = room.places();
        let search_path = search_path(job, &places);
        let told = Told {
            places: &places,
            system: &job.recipe.system,
            variant,
            source_name: format!("{}-{}", job.id.name, job.id.version),
            sysroot: room.sysroot(),
            tools: room.tools(),
        };
        wrappers::write(&room.wrappers(), &programs, &told)?;
        let circumstances = Circumstances {
            recipe: job.recipe,
            variant,
            settings: job.recipe.settings(variant),
            places: places.clone(),
            source: &room.source(),
            search_path: &search_path,
            has_ninja: has("ninja"),
            jobs: job.jobs.max(1),
        };
        if let Some(program) = circumstances.programs().iter().find(|program| !has(program)) {
            let id = job.id.clone();
            return Err(Problem::Other(Box::new(BuildError::NoProgram { id, program })));
        }
        if job.recipe.system == System::Cmake {
            fs_err::write(room.recipe().join(steps::CMAKE_CACHE), circumstances.cmake_cache())?;
        }
        if matches!(job.recipe.system, System::Make { .. }) {
            self.unused.extend(unused::named_by_no_makefile(&circumstances.settings, &room.source()));
        }
        let (limits, folder) = (job.recipe.limits, job.scratch.to_owned());
        let bounds = Bounds { limits, deadline: self.deadline, cancel: job.cancel, folder, given };
        self.run_all(variant, &room, &circumstances.patches(&patches), &bounds)?;
        self.run_all(variant, &room, &circumstances.steps(), &bounds)?;
        self.keep(variant, &room)
    }

    /// Brings what the recipe adds to the source to where the build finds it; gives the names of the patches there.
    fn bring_recipe(&self, room: &Room) -> io::Result<Vec<String>> {
        if let Some(script) = &self.job.inputs.script {
            fs_err::write(room.recipe().join(steps::SCRIPT), &script.bytes)?;
        }
        let mut names = Vec::new();
        for (index, patch) in self.job.inputs.patches.iter().enumerate() {
            let name = format!("{}.patch", index + 1);
            fs_err::write(room.recipe().join(&name), &patch.bytes)?;
            names.push(name);
        }
        Ok(names)
    }

    fn run_all(
        &mut self,
        variant: Variant,
        room: &Room,
        steps: &[BuildCommand],
        bounds: &Bounds<'_>,
    ) -> Result<(), Problem> {
        for step in steps {
            let started = self.enter(variant, step.phase);
            let log = self.log.as_mut().expect("it is taken only at the end");
            log.heading(&heading(variant, step))?;
            let from = log.written();
            let end = limits::run(self.job.sandbox, room, step, bounds, log, self.job.observer)?;
            if step.phase == Phase::Configure {
                self.unused.extend(unused::told_by(&self.job.recipe.system, &log.since(from)?));
            }
            self.leave(variant, step.phase, started);
            let reason = match end {
                End::Exited(status) if status.success() => continue,
                End::Exited(status) => reason_of(status),
                End::Over(limit) => FailureReason::Limit(limit),
                End::Cancelled => {
                    return Err(Problem::Other(Box::new(BuildError::Cancelled { id: self.job.id.clone() })));
                }
            };
            return Err(Problem::Failed { variant, phase: step.phase, reason });
        }
        if self.job.cancel.load(Ordering::Relaxed) {
            return Err(Problem::Other(Box::new(BuildError::Cancelled { id: self.job.id.clone() })));
        }
        Ok(())
    }

    /// Moves what was installed to where it stays.
    fn keep(&self, variant: Variant, room: &Room) -> Result<(), Problem> {
        let installed = room.installed();
        // What is not a folder was put there in its place.
        let is_folder = installed.symlink_metadata().is_ok_and(|meta| meta.is_dir());
        if !is_folder || !scratch::open_up(&installed)? {
            return Err(Problem::Failed { variant, phase: Phase::Install, reason: FailureReason::Nothing });
        }
        fs_err::rename(installed, self.tree.join(variant.as_str()))?;
        scratch::remove(&self.work)?;
        Ok(())
    }

    fn enter(&self, variant: Variant, phase: Phase) -> Instant {
        self.job.observer.event(&BuildEvent::Phase(variant, phase));
        Instant::now()
    }

    fn leave(&mut self, variant: Variant, phase: Phase, started: Instant) {
        let time = started.elapsed();
        match self.phases.last_mut().filter(|last| (last.variant, last.phase) == (variant, phase)) {
            Some(last) => last.time += time,
            None => self.phases.push(PhaseTime { variant, phase, time }),
        }
    }

    fn finish(&mut self) -> io::Result<(PathBuf, Vec<String>)> {
        let log = self.log.take().expect("it is taken only here");
        Ok((log.path().to_owned(), log.finish()?))
    }
}

/// The programs that a build finds: those of its tools before those of the root.
fn programs(job: &Job<'_>, room: &Room) -> io::Result<Vec<Program>> {
    let mut all = Vec::new();
    if let Some(tools) = room.tools() {
        let places = room.places();
        all.extend(root::programs_in(tools, "bin", &format!("{}/bin", places.tools))?);
    }
    for program in room.root.programs(job.root.search_path())? {
        if all.iter().all(|known: &Program| known.name != program.name) {
            all.push(program);
        }
    }
    Ok(all)
}

fn search_path(job: &Job<'_>, places: &Places) -> String {
    let tools = job.tools.map(|_| format!("{}/bin:", places.tools)).unwrap_or_default();
    format!("{}:{tools}{}", places.wrappers, job.root.search_path())
}

/// What stands in the log before the output of a step.
fn heading(variant: Variant, step: &BuildCommand) -> String {
    let words: Vec<_> = step.arguments.iter().map(|word| word.to_string_lossy()).collect();
    format!("{variant}: {}: {} {}", step.phase, step.program.to_string_lossy(), words.join(" "))
}

/// bubblewrap, like a shell, adds 128 to the signal that killed a program.
fn reason_of(status: ExitStatus) -> FailureReason {
    match (status.code(), status.signal()) {
        (Some(code @ 129..=192), _) => FailureReason::Signal(code - 128),
        (Some(code), _) => FailureReason::Exit(code),
        (None, signal) => FailureReason::Signal(signal.unwrap_or(0)),
    }
}
