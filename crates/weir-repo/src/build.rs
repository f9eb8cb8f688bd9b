//! Building what is planned: every step in its turn, as many at once as may be, each against exactly what it
//! declares.

mod step;

pub(crate) use step::{Against, native_facts};

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;

use serde::Serialize;
use weir_build::{BuildStep, Difference, On, Outcome, ScheduleOptions};
use weir_kind::Facts;
use weir_model::{InputDigest, Release, ReleaseId, Scope, TreeDigest, Unobserved, chain};
use weir_native::{Finding, Recipe};
use weir_project::fetch;
use weir_registry::Objects as _;
use weir_registry::SubmitError;
use weir_registry::content::Stated;
use weir_store::StoredTree;

use crate::error::RepoError;
use crate::offered::Closures;
use crate::plan::RepoPlan;
use crate::record::Records;
use crate::{AfterFailure, Repo, Workbench};
use weir_reach::{Event, PlannedBuild};

/// What building did.
#[derive(Debug, Clone, Default, Serialize, schemars::JsonSchema)]
pub struct BuildReport {
    /// What was built, or was there already, in the order of the plan.
    pub built: Vec<BuiltPackage>,
}

/// A package that was built, or was there already.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct BuiltPackage {
    /// Which release it is.
    pub id: ReleaseId,
    /// The digest of what it was built from.
    pub input_digest: InputDigest,
    /// The digest of what came out.
    pub tree: TreeDigest,
    /// How it came to be.
    pub how: How,
    /// How long it took, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// What is doubtful about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Settings of its recipe that its build system has no use for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unused: Vec<String>,
    /// What the kind found out about it.
    #[serde(skip)]
    pub(crate) facts: Facts,
}

/// How a package came to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "HowBuilt")]
pub enum How {
    /// The registry had it, from an earlier release with the same input digest.
    Published,
    /// This machine had built it.
    Kept,
    /// It was built just now.
    Built,
}

/// A build that failed, or could not be tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FailedBuild {
    /// Which release it was to be.
    pub id: ReleaseId,
    /// What went wrong, in words.
    pub reason: String,
    /// The last lines that it printed.
    pub last_lines: Vec<String>,
    /// Where the whole log is.
    #[serde(serialize_with = "weir_model::path_text::maybe_path")]
    pub log: Option<PathBuf>,
    /// What to do now, where that can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// What came of building a plan.
pub(crate) struct Ran {
    /// What came out of each step; nothing of one that was not built.
    pub(crate) products: Vec<Option<BuiltPackage>>,
    /// Why not everything was built.
    pub(crate) failure: Option<RepoError>,
}

/// What the builds of a plan share.
pub(crate) struct Workshop<'a> {
    at: Workbench<'a>,
    plan: &'a RepoPlan,
    recipes: Vec<&'a Recipe>,
    records: Records,
    /// Where builds go on.
    folder: PathBuf,
    closures: Closures<'a>,
    /// What came out of each step.
    products: Vec<OnceLock<BuiltPackage>>,
    /// How many builds run just now: they share the cores.
    active: AtomicUsize,
}

impl Repo<'_> {
    /// Builds everything that a plan wants, and publishes nothing. What is built is kept by its input digest.
    ///
    /// # Errors
    ///
    /// When something cannot be fetched or built. What was built by then stays built.
    pub fn build(&self, plan: &RepoPlan) -> Result<BuildReport, RepoError> {
        let ran = self.build_what_can_be(plan)?;
        match ran.failure {
            Some(failure) => Err(failure),
            None => Ok(BuildReport { built: ran.products.into_iter().flatten().collect() }),
        }
    }

    /// Builds everything that a plan wants and that can be built.
    pub(crate) fn build_what_can_be(&self, plan: &RepoPlan) -> Result<Ran, RepoError> {
        if let Some((id, quarantined)) = plan.withheld.first().cloned() {
            // Whatever is built with this input digest is refused, unless it is what is quarantined.
            return Err(SubmitError::QuarantinedContent { id, quarantined }.into());
        }
        self.workshop(plan)?.run()
    }

    /// Builds one step of a plan a second time; `first` is what came out of all of them.
    pub(super) fn build_again(
        &self,
        plan: &RepoPlan,
        first: &BuildReport,
        index: usize,
    ) -> Result<Vec<Difference>, RepoError> {
        let mut workshop = self.workshop(plan)?;
        workshop.products = first.built.iter().cloned().map(OnceLock::from).collect();
        workshop.again(index)
    }

    fn workshop<'a>(&'a self, plan: &'a RepoPlan) -> Result<Workshop<'a>, RepoError> {
        let steps = &plan.plan.builds;
        let records = Records::new(self.session);
        Ok(Workshop {
            at: self.workbench(),
            plan,
            recipes: steps.iter().map(|step| self.recipe_set.get(&step.id.name)).collect::<Result<_, _>>()?,
            folder: records.workshop()?,
            records,
            closures: Closures::new(&plan.offered),
            products: steps.iter().map(|_| OnceLock::new()).collect(),
            active: AtomicUsize::new(0),
        })
    }
}

impl Workbench<'_> {
    /// Whether what a release consists of and what tells how it was built can be had undamaged: from this machine, or
    /// from the registry, which is read for it. One that is reached over HTTP is believed until its bytes are fetched.
    fn is_whole(&self, release: &Release) -> bool {
        let Some(content) = self.content else { return true };
        let tree = |tree: &TreeDigest, stated: &Stated| {
            self.store.tree(tree).is_ok_and(|tree| tree.is_some())
                || content.verify_pack(tree, stated, false, &Unobserved).is_ok()
        };
        let build = release.build();
        let files = build
            .iter()
            .flat_map(|build| build.recipe_files.iter().chain(&build.provenance).chain(&build.log));
        tree(&release.tree, &release.into())
            && build
                .iter()
                .filter_map(|build| build.source.as_ref())
                .all(|source| tree(&source.tree, &Stated::size(source.size)))
            && files.into_iter().all(|file| content.verify_file(file, None, false, &Unobserved).is_ok())
    }

    /// What came out of a step, in the store: it is fetched where only the registry has it.
    pub(crate) fn product(
        &self,
        plan: &RepoPlan,
        step: usize,
        built: &BuiltPackage,
    ) -> Result<StoredTree, RepoError> {
        if let Some(release) = &plan.before[step] {
            fetch::ensure_release(self.store, self.files, release)?;
        }
        let missing = || RepoError::NotFound(format!("`{}` is not in the store any more", built.id));
        self.store.tree(&built.tree)?.ok_or_else(missing)
    }
}

impl Workshop<'_> {
    fn run(self) -> Result<Ran, RepoError> {
        let goes_on = self.at.options.after_failure != AfterFailure::Stop;
        if !goes_on {
            self.refuse_what_lacks_tools()?;
        }
        let steps = &self.plan.plan.builds;
        let needs: Vec<Vec<usize>> = steps.iter().map(direct_steps).collect();
        self.at.session.report(&Event::BuildsPlanned { builds: planned(steps, &needs) });
        let options = ScheduleOptions { workers: self.at.options.builds, keep_going: goes_on };
        let outcomes = weir_build::run(&needs, &options, |index| {
            let product = self.step(index)?;
            // Each step is run once, so nothing is there yet.
            let _ = self.products[index].set(product);
            Ok::<(), RepoError>(())
        });
        let mut failed = Vec::new();
        let mut skipped = Vec::new();
        let mut others: Vec<(ReleaseId, RepoError)> = Vec::new();
        for (step, outcome) in steps.iter().zip(outcomes) {
            match outcome {
                Outcome::Done(()) => {}
                Outcome::Failed(RepoError::BuildsFailed { failed: mut one, .. }) => {
                    failed.append(&mut one);
                }
                Outcome::Failed(other) => others.push((step.id.clone(), other)),
                Outcome::Skipped { .. } | Outcome::NotStarted => skipped.push(step.id.clone()),
            }
        }
        if self.at.session.interrupt.is_asked() {
            return Err(RepoError::Interrupted);
        }
        let products: Vec<_> = self.products.into_iter().map(OnceLock::into_inner).collect();
        let built = products.iter().flatten().count();
        let failure = match (&*failed, others.len()) {
            ([], 0) => None,
            // Alone it has an exit code of its own.
            ([], 1) => others.pop().map(|(_, error)| error),
            _ => {
                failed.extend(others.into_iter().map(|(id, error)| FailedBuild {
                    id,
                    reason: chain(&error),
                    last_lines: Vec::new(),
                    log: None,
                    help: None,
                }));
                Some(RepoError::BuildsFailed { failed, skipped, built, offered: Vec::new() })
            }
        };
        Ok(Ran { products, failure })
    }

    /// That tools are missing is better known before hours of building than after.
    fn refuse_what_lacks_tools(&self) -> Result<(), RepoError> {
        let mut failed = Vec::new();
        for index in 0..self.recipes.len() {
            failed.extend(self.lacks_tools(index)?);
        }
        match failed.is_empty() {
            true => Ok(()),
            false => {
                Err(RepoError::BuildsFailed { failed, skipped: Vec::new(), built: 0, offered: Vec::new() })
            }
        }
    }

    /// Why a step cannot be built here, if the build root lacks what its recipe names.
    fn lacks_tools(&self, index: usize) -> Result<Option<FailedBuild>, RepoError> {
        let id = self.plan.plan.builds[index].id.clone();
        if self.plan.ready.contains(&id) {
            return Ok(None);
        }
        let lacking = self.at.root.lacks(&self.recipes[index].tools)?;
        if lacking.is_empty() {
            return Ok(None);
        }
        let lacking: Vec<String> = lacking.iter().map(|tool| format!("`{tool}`")).collect();
        let reason =
            format!("the build root lacks {}, which its recipe names in `tools`", lacking.join(", "));
        let help = Some("install the package that has it in the build root".to_owned());
        Ok(Some(FailedBuild { id, reason, last_lines: Vec::new(), log: None, help }))
    }

    /// What a step has by what it declares for `scope`, and what that needs to be used.
    fn closure(&self, index: usize, scope: Scope) -> Closure<'_> {
        let mut closure = Closure::default();
        let mut pending = dependencies(&self.plan.plan.builds[index], scope);
        while let Some(on) = pending.pop() {
            match on {
                On::Offered(id) => self.closures.add(id, &mut closure.offered),
                On::Step(below) => {
                    if closure.steps.insert(*below) {
                        pending.extend(dependencies(&self.plan.plan.builds[*below], Scope::Run));
                    }
                }
            }
        }
        closure
    }

    /// How many steps cannot be without this one.
    fn blocked_by(&self, index: usize) -> usize {
        let needs = |other: &usize| {
            let scopes = [Scope::Run, Scope::Build];
            scopes.into_iter().any(|scope| self.closure(*other, scope).steps.contains(&index))
        };
        (0..self.plan.plan.builds.len()).filter(needs).count()
    }
}

/// Packages that a step is given.
#[derive(Debug, Default)]
struct Closure<'a> {
    /// Steps before it.
    steps: BTreeSet<usize>,
    /// Releases that are offered.
    offered: BTreeMap<ReleaseId, &'a Release>,
}

/// What a step depends on for `scope`.
fn dependencies(step: &BuildStep, scope: Scope) -> Vec<&On> {
    let wanted = step.dependencies.iter().filter(|dependency| dependency.scope == scope);
    wanted.map(|dependency| &dependency.on).collect()
}

/// The steps, as those who watch are told of them.
fn planned(steps: &[BuildStep], needs: &[Vec<usize>]) -> Vec<PlannedBuild> {
    let build = |(step, needs): (&BuildStep, &Vec<usize>)| PlannedBuild {
        release: step.id.clone(),
        needs: needs.iter().map(|index| steps[*index].id.clone()).collect(),
    };
    steps.iter().zip(needs).map(build).collect()
}

fn direct_steps(step: &BuildStep) -> Vec<usize> {
    let steps = step.dependencies.iter().filter_map(|dependency| match dependency.on {
        On::Step(index) => Some(index),
        On::Offered(_) => None,
    });
    steps.collect()
}
