//! One step: found ready, or built in a sandbox, looked into, and kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use weir_build::{BuildError, BuildEvent, BuildStep, Difference, Job, SandboxKind};
use weir_fs::Folder;
use weir_kind::Facts;
use weir_model::{InputDigest, Observer, ReleaseId, Scope, TreeDigest, chain};
use weir_native::{BuildPlaces, Level, NativeFacts, Part, Variant, relocate, sysroot};
use weir_package::PackageError;
use weir_project::fetch;
use weir_store::{EnsureError, Making, StoredTree};
use weir_tree::{Selection, read_folder};

use super::{BuiltPackage, Closure, FailedBuild, How, Workshop};
use crate::error::RepoError;
use crate::provenance;
use crate::record::Made;
use crate::source;
use weir_reach::{Event, Session};

/// What a step is built with, in the store.
struct Given {
    /// What runs with what is built.
    against: Vec<Against>,
    /// What only builds it, on this machine.
    tools: Vec<Against>,
}

/// A package that a step is built with, in the store.
#[derive(Clone)]
pub(crate) struct Against {
    pub(crate) id: ReleaseId,
    pub(crate) input_digest: InputDigest,
    pub(crate) tree: TreeDigest,
    pub(crate) facts: NativeFacts,
}

impl Workshop<'_> {
    /// What comes out of a step.
    pub(super) fn step(&self, index: usize) -> Result<BuiltPackage, RepoError> {
        let step = &self.plan.plan.builds[index];
        let session = self.at.session;
        if session.interrupt.is_asked() {
            return Err(RepoError::Interrupted);
        }
        if let Some(failed) = self.lacks_tools(index)? {
            let failed = vec![failed];
            return Err(RepoError::BuildsFailed {
                failed,
                skipped: Vec::new(),
                built: 0,
                offered: Vec::new(),
            });
        }
        if let Some(ready) = self.ready(index)? {
            session.report(&Event::Built { release: step.id.clone(), seconds: None });
            return Ok(ready);
        }
        session.report(&Event::Building { release: step.id.clone() });
        self.active.fetch_add(1, Ordering::Relaxed);
        let built = self.make(index);
        self.active.fetch_sub(1, Ordering::Relaxed);
        match &built {
            Ok(built) => {
                let seconds = built.seconds.map(|seconds| seconds.round() as u64);
                session.report(&Event::Built { release: step.id.clone(), seconds });
            }
            Err(_) if session.interrupt.is_asked() => {}
            Err(_) => {
                let blocks = self.blocked_by(index);
                session.report(&Event::BuildFailed { release: step.id.clone(), blocks });
            }
        }
        built
    }

    /// A step that was built before, by whoever published it or by this machine.
    fn ready(&self, index: usize) -> Result<Option<BuiltPackage>, RepoError> {
        let step = &self.plan.plan.builds[index];
        // What the registry holds may be damaged: then it is built again, and takes its place.
        if let Some(release) = self.plan.before[index].as_ref().filter(|before| self.at.is_whole(before)) {
            return Ok(Some(BuiltPackage {
                id: step.id.clone(),
                input_digest: step.input_digest,
                tree: release.tree,
                how: How::Published,
                seconds: None,
                findings: Vec::new(),
                unused: Vec::new(),
                facts: release.kind_facts.clone(),
            }));
        }
        // Without its provenance a build cannot be published: whoever was killed before writing it is not done.
        match self.records.provenance(&step.input_digest).exists() {
            true => self.kept(index),
            false => Ok(None),
        }
    }

    /// What this machine has of a step.
    fn kept(&self, index: usize) -> Result<Option<BuiltPackage>, RepoError> {
        let step = &self.plan.plan.builds[index];
        let Some(made) = self.records.made(&step.input_digest) else { return Ok(None) };
        let Some(stored) = self.at.store.derived_tree(&step.input_digest)? else { return Ok(None) };
        Ok(Some(built(step, *stored.digest(), How::Kept, made)))
    }

    fn make(&self, index: usize) -> Result<BuiltPackage, RepoError> {
        let step = &self.plan.plan.builds[index];
        let known = &self.plan.known[&step.id.name];
        let given = self.given(index)?;
        let source = source::ensure(&self.at, self.recipes[index], &known.source)?;
        // The store's lock on the input digest makes a second process wait for this one, and find what it built.
        let mut how = How::Kept;
        // Whoever interrupts waits until nothing of the build is left, or all of it is kept.
        let mut busy = None;
        let stored = self.at.store.derived(&Making { inputs: step.input_digest, from: &[] }, |folder| {
            how = How::Built;
            busy = Some(self.at.session.interrupt.begin().ok_or(RepoError::Interrupted)?);
            let made = self.build_into(folder, index, &source, &given)?;
            self.records.keep(&step.id, &step.input_digest, &made)
        });
        let stored = stored.map_err(|error| match error {
            EnsureError::Source(error) => error,
            EnsureError::Store(error) => error.into(),
        })?;
        let made = match self.records.made(&step.input_digest) {
            Some(made) => made,
            None => self.look_again(step, &stored)?,
        };
        let recipe = self.recipes[index];
        let statement =
            provenance::statement(&self.at, recipe, known, step, *stored.digest(), &made, &given.all())?;
        self.records.keep_provenance(&step.input_digest, &statement)?;
        drop(busy);
        Ok(built(step, *stored.digest(), how, made))
    }

    /// Finds out again what is known of a tree whose record somebody has removed. The log is lost.
    fn look_again(&self, step: &BuildStep, stored: &StoredTree) -> Result<Made, RepoError> {
        let manifest = self.at.store.manifest(stored.digest())?;
        let files = Folder::open(stored.path()).map_err(PackageError::from)?;
        let captured =
            relocate::look_into(&files, &manifest, &step.id.platform).map_err(PackageError::from)?;
        let mut facts = Facts::new();
        captured.facts.insert_into(&mut facts);
        let now = Timestamp::now();
        let made =
            Made { facts, findings: captured.findings, unused: Vec::new(), started: now, finished: now };
        fs_err::write(
            self.records.log_under_way(&step.id, &step.input_digest)?,
            "The log of this build was lost.\n",
        )?;
        self.records.keep(&step.id, &step.input_digest, &made)?;
        Ok(made)
    }

    /// The packages that a step is built with, brought into the store.
    fn given(&self, index: usize) -> Result<Given, RepoError> {
        let bring = |scope| self.bring(self.closure(index, scope));
        Ok(Given { against: bring(Scope::Run)?, tools: bring(Scope::Build)? })
    }

    fn bring(&self, closure: Closure<'_>) -> Result<Vec<Against>, RepoError> {
        let mut against = Vec::with_capacity(closure.steps.len() + closure.offered.len());
        for below in closure.steps {
            // A step is started when those before it are done.
            let Some(product) = self.products[below].get() else { continue };
            self.at.product(self.plan, below, product)?;
            let facts = native_facts(&product.id, &product.facts)?;
            against.push(Against {
                id: product.id.clone(),
                input_digest: product.input_digest,
                tree: product.tree,
                facts,
            });
        }
        for (id, release) in closure.offered {
            fetch::ensure_release(self.at.store, self.at.files, release)?;
            let facts = native_facts(&id, &release.kind_facts)?;
            against.push(Against { id, input_digest: release.input_digest, tree: release.tree, facts });
        }
        Ok(against)
    }

    /// Builds a step; what comes out is moved into `folder`.
    fn build_into(
        &self,
        folder: &Path,
        index: usize,
        source: &Path,
        given: &Given,
    ) -> Result<Made, RepoError> {
        let step = &self.plan.plan.builds[index];
        let recipe = self.recipes[index];
        let scratch = Scratch::new(&self.folder, index)?;
        let log = self.records.log_under_way(&step.id, &step.input_digest)?;
        let sysroots = self.sysroots(&scratch.path, &recipe.variants, &given.against)?;
        let tools = self.tools(&scratch.path, &given.tools)?;
        let started = Timestamp::now();
        let job = Job {
            id: &step.id,
            recipe,
            inputs: &self.plan.known[&step.id.name].inputs,
            source,
            sysroots: &sysroots,
            tools: tools.as_deref(),
            visible: &[],
            root: self.at.root,
            sandbox: self.at.sandbox,
            jobs: weir_build::jobs_for(self.active.load(Ordering::Relaxed), self.at.options.jobs),
            scratch: &scratch.path.join("build"),
            cache: self.at.session.home.data(),
            observer: &BuildReporter { session: self.at.session, release: &step.id },
            cancel: self.at.session.interrupt.wanted(),
            log: &log,
        };
        let built = weir_build::build(&job).map_err(|error| self.failed(index, &error, source, &log))?;
        let closure: Vec<(ReleaseId, NativeFacts)> =
            given.against.iter().map(|one| (one.id.clone(), one.facts.clone())).collect();
        let places = self.places(&scratch.path, &sysroots, tools.as_ref());
        let mut system = recipe.system_libraries.clone();
        system.extend(self.at.root.libraries()?);
        let captured = relocate::capture_built_at(&places, &built.tree, &closure, &system, &step.id.platform)
            .map_err(|error| self.unusable(index, &[chain(&error)], &log))?;
        let wrong = captured.findings.iter().filter(|finding| finding.level == Level::Error);
        let wrong: Vec<String> = wrong.map(ToString::to_string).collect();
        if !wrong.is_empty() {
            return Err(self.unusable(index, &wrong, &log));
        }
        let mut facts = Facts::new();
        captured.facts.insert_into(&mut facts);
        move_into(&built.tree, folder)?;
        let (findings, unused) = (captured.findings, built.unused);
        Ok(Made { facts, findings, unused, started, finished: Timestamp::now() })
    }

    /// Builds a step once more, and compares what comes out with what came out before.
    pub(super) fn again(&self, index: usize) -> Result<Vec<Difference>, RepoError> {
        let product = self.products[index].get();
        let product = product.ok_or_else(|| RepoError::Usage("nothing was built to compare with".into()))?;
        let first = self.at.product(self.plan, index, product)?;
        let known = &self.plan.known[&product.id.name];
        let source = source::ensure(&self.at, self.recipes[index], &known.source)?;
        let _busy = self.at.session.interrupt.begin().ok_or(RepoError::Interrupted)?;
        let second = Scratch::new(&self.folder, self.products.len() + index)?;
        let folder = second.path.join("second");
        fs_err::create_dir(&folder)?;
        self.at.session.report(&Event::Building { release: product.id.clone() });
        let made = self.build_into(&folder, index, &source, &self.given(index)?)?;
        let seconds = Some(made.seconds().round() as u64);
        self.at.session.report(&Event::Built { release: product.id.clone(), seconds });
        Ok(weir_build::different(first.path(), &folder)?)
    }

    /// A folder for each variant, with exactly what the step declares and what that needs.
    fn sysroots(
        &self,
        scratch: &Path,
        variants: &[Variant],
        against: &[Against],
    ) -> Result<BTreeMap<Variant, PathBuf>, RepoError> {
        let parts = parts(self.at.store, against)?;
        let mut sysroots = BTreeMap::new();
        for variant in variants {
            let at = scratch.join(format!("sysroot-{variant}"));
            sysroot::plan(&parts, *variant)?.make(&at, self.seen(&at, relocate::SYSROOT))?;
            sysroots.insert(*variant, at);
        }
        Ok(sysroots)
    }

    /// A folder with what only builds the step, if anything does: optimised, whatever variant is built.
    fn tools(&self, scratch: &Path, tools: &[Against]) -> Result<Option<PathBuf>, RepoError> {
        if tools.is_empty() {
            return Ok(None);
        }
        let at = scratch.join("tools");
        let parts = parts(self.at.store, tools)?;
        sysroot::plan(&parts, Variant::Release)?.make(&at, self.seen(&at, relocate::TOOLS))?;
        Ok(Some(at))
    }

    /// Where a build finds what is at this place of the machine.
    fn seen<'p>(&self, at: &'p Path, inside: &'static str) -> &'p Path {
        match self.at.sandbox.kind() {
            SandboxKind::Bubblewrap => Path::new(inside),
            SandboxKind::None => at,
        }
    }

    /// Where a build has seen what it needs, and itself.
    fn places(
        &self,
        scratch: &Path,
        sysroots: &BTreeMap<Variant, PathBuf>,
        tools: Option<&PathBuf>,
    ) -> BuildPlaces {
        let text = |path: &PathBuf| path.display().to_string();
        match self.at.sandbox.kind() {
            SandboxKind::Bubblewrap => BuildPlaces::default(),
            SandboxKind::None => BuildPlaces {
                sysroots: sysroots.values().map(text).collect(),
                workplaces: std::iter::once(&scratch.join("build")).chain(tools).map(text).collect(),
            },
        }
    }

    /// A build that failed; its log is kept.
    fn failed(&self, index: usize, error: &BuildError, source: &Path, log: &Path) -> RepoError {
        let failed = match error {
            // Which release it is, is told beside it.
            BuildError::Failed(failure) => {
                let hint = source::about_missing_submodules(self.recipes[index], source, &failure.tail);
                let help: Vec<String> = hint.into_iter().chain(error.help()).collect();
                Failed {
                    reason: format!("{}, {}: {}", failure.variant, failure.phase, failure.reason),
                    last_lines: failure.tail.clone(),
                    help: (!help.is_empty()).then(|| help.join("; ")),
                }
            }
            _ => Failed { reason: chain(error), last_lines: Vec::new(), help: error.help() },
        };
        self.failure(index, failed, log)
    }

    /// A build that succeeded, and whose result cannot be used.
    fn unusable(&self, index: usize, reasons: &[String], log: &Path) -> RepoError {
        let reason = format!("what it installed cannot be used: {}", reasons.join("; "));
        self.failure(index, Failed { reason, last_lines: Vec::new(), help: None }, log)
    }

    fn failure(&self, index: usize, failed: Failed, log: &Path) -> RepoError {
        let step = &self.plan.plan.builds[index];
        let log = log.is_file().then(|| log.to_owned());
        let Failed { reason, last_lines, help } = failed;
        let failed = vec![FailedBuild { id: step.id.clone(), reason, last_lines, log, help }];
        RepoError::BuildsFailed { failed, skipped: Vec::new(), built: 0, offered: Vec::new() }
    }
}

impl Given {
    /// All of it, each package once.
    fn all(&self) -> Vec<Against> {
        let more = self.tools.iter().filter(|tool| self.against.iter().all(|one| one.id != tool.id));
        self.against.iter().chain(more).cloned().collect()
    }
}

/// Why a build failed, for a person.
struct Failed {
    reason: String,
    last_lines: Vec<String>,
    help: Option<String>,
}

fn built(step: &BuildStep, tree: TreeDigest, how: How, made: Made) -> BuiltPackage {
    BuiltPackage {
        id: step.id.clone(),
        input_digest: step.input_digest,
        tree,
        how,
        seconds: Some(made.seconds()),
        findings: made.findings,
        unused: made.unused,
        facts: made.facts,
    }
}

/// Packages of the store as a sysroot takes them.
pub(crate) fn parts(store: &weir_store::Session, against: &[Against]) -> Result<Vec<Part>, RepoError> {
    let part = |one: &Against| -> Result<Part, RepoError> {
        let missing = || RepoError::NotFound(format!("`{}` is not in the store any more", one.id));
        let content = store.tree(&one.tree)?.ok_or_else(missing)?.path().to_owned();
        let manifest = store.manifest(&one.tree)?;
        Ok(Part { id: one.id.clone(), manifest, content, facts: one.facts.clone() })
    };
    against.iter().map(part).collect()
}

/// What the kind knows of a release.
pub(crate) fn native_facts(id: &ReleaseId, facts: &Facts) -> Result<NativeFacts, RepoError> {
    NativeFacts::of(facts).ok_or_else(|| {
        RepoError::NotFound(format!("the record of `{id}` does not say what it was built for"))
    })
}

/// Moves every entry of a folder into another, which may be on another file system.
fn move_into(from: &Path, to: &Path) -> Result<(), RepoError> {
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if fs_err::rename(entry.path(), &target).is_err() {
            let manifest = read_folder(&entry.path(), &Selection::everything())?;
            weir_tree::copy_tree(&entry.path(), &manifest, &target)?;
        }
    }
    Ok(())
}

/// The folder of one build, removed when it ends.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new(workshop: &Path, index: usize) -> Result<Self, RepoError> {
        let path = workshop.join(format!("{}-{index}", std::process::id()));
        weir_build::remove_scratch(&path)?;
        fs_err::create_dir(&path)?;
        Ok(Self { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left is removed by the next build.
        let _ = weir_build::remove_scratch(&self.path);
    }
}

/// Passes on what a build does.
struct BuildReporter<'a> {
    session: &'a Session,
    release: &'a ReleaseId,
}

impl Observer<BuildEvent> for BuildReporter<'_> {
    fn event(&self, event: &BuildEvent) {
        let release = self.release.clone();
        self.session.report(&match event {
            BuildEvent::Phase(variant, phase) => {
                Event::BuildPhase { release, phase: format!("{variant}: {phase}") }
            }
            BuildEvent::Lines(lines) => Event::BuildLines { release, lines: lines.clone() },
        });
    }

    fn wants_every_event(&self) -> bool {
        self.session.observer.wants_every_event()
    }
}
