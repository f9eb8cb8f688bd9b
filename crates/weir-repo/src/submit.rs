//! Carrying an action out: build, upload, and then one batch.

use std::io::Seek as _;
use std::path::Path;

use serde::Serialize;
use weir_build::{BuildStep, Leaving, PlanReason, Whole};
use weir_fs::Folder;
use weir_kind::Facts;
use weir_model::{
    BuildFacts, Digest, KindName, Platform, Release, ReleaseId, Sha256, SourceFact, TreeDigest,
    WithdrawalVerb,
};
use weir_package::{PackageError, built_facts};
use weir_project::write_pack;
use weir_reach::{Amount, Connection, Counter, Work, connect, open_for_writing};
use weir_registry::{Batch, Draft, Intent, Object, Receipt, Registry, SubmitError, Wanted, Withdraw};
use weir_store::StoredTree;

use crate::build::{BuiltPackage, How};
use crate::error::RepoError;
use crate::offered::for_planner;
use crate::plan::RepoPlan;
use crate::record::Records;
use crate::source;
use crate::{AfterFailure, Repo};

/// How hard logs are compressed: they are text, written once and seldom read.
const LOG_LEVEL: i32 = 15;

/// What an action did.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RepoReport {
    /// The registry that was changed.
    pub registry: String,
    /// What was built for.
    pub platform: Platform,
    /// What was built, or was there already.
    pub built: Vec<BuiltPackage>,
    /// What is not offered any more.
    pub left: Vec<ReleaseId>,
    /// What the registry answered; nothing when there was nothing to do.
    pub receipt: Option<Receipt>,
}

impl Repo<'_> {
    /// Builds everything that a plan wants, and submits it all as one batch.
    ///
    /// # Errors
    ///
    /// When something cannot be built, or the registry refuses. The registry is then as it was, and what was
    /// built is kept for the next time.
    pub fn carry_out(&self, plan: &RepoPlan) -> Result<RepoReport, RepoError> {
        let mut report = RepoReport {
            registry: self.known.name.clone(),
            platform: plan.platform.clone(),
            built: Vec::new(),
            left: plan.plan.leaves.iter().map(|leaving| leaving.id.clone()).collect(),
            receipt: None,
        };
        if plan.is_empty() {
            return Ok(report);
        }
        // That it cannot be written is better known before hours of building than after.
        let registry = open_for_writing(self.session, &self.known)?;
        registry.check(KindName::Native)?;
        let ran = self.build_what_can_be(plan)?;
        let whole = match (&ran.failure, self.options.after_failure) {
            (None, _) => Whole::all(&plan.plan),
            (Some(_), AfterFailure::OfferTheRest) => {
                let built = ran.products.iter().enumerate().filter(|(_, product)| product.is_some());
                Whole::of(&plan.plan, &for_planner(&plan.offered), &built.map(|(index, _)| index).collect())
            }
            (Some(_), AfterFailure::Stop | AfterFailure::GoOn) => Whole::default(),
        };
        if whole.builds.is_empty() && whole.leaves.is_empty() {
            return Err(ran.failure.unwrap_or(RepoError::Interrupted));
        }
        let upload = Upload { repo: self, registry: &*registry, records: Records::new(self.session) };
        let leaves: Vec<&Leaving> = whole.leaves.iter().map(|index| &plan.plan.leaves[*index]).collect();
        let mut intents: Vec<Intent> = leaves.iter().map(|leaving| leave(leaving)).collect();
        report.left = leaves.iter().map(|leaving| leaving.id.clone()).collect();
        for (index, built) in
            ran.products.into_iter().enumerate().filter(|(index, _)| whole.builds.contains(index))
        {
            let Some(built) = built else { continue };
            intents.push(Intent::Publish(Box::new(upload.package(plan, index, &built)?)));
            report.built.push(built);
        }
        self.session.begin(Work::Publishing { releases: report.built.len() }, Amount::Unknown);
        let batch = Batch { intents };
        match registry.submit(&batch) {
            Ok(receipt) => report.receipt = Some(receipt),
            Err(error) => return Err(self.not_submitted(error)?),
        }
        match ran.failure {
            None => Ok(report),
            Some(failure) => {
                Err(failure.but_offered(report.built.into_iter().map(|built| built.id).collect()))
            }
        }
    }

    /// Why a batch was refused: because of itself, or because somebody else changed the registry since it was planned.
    fn not_submitted(&self, error: SubmitError) -> Result<RepoError, RepoError> {
        let size = |connection: &Connection| connection.replica.checkpoint().map(weir_log::Checkpoint::size);
        let now = connect(self.session, &self.known)?;
        Ok(match size(&now) == size(&self.connection) {
            true => error.into(),
            false => RepoError::Overtaken(Box::new(error)),
        })
    }
}

fn leave(leaving: &Leaving) -> Intent {
    let because = match &leaving.because {
        PlanReason::DependsOn { on, .. } => Some(on.clone()),
        _ => None,
    };
    let reason = Some(leaving.because.to_string());
    let exactly = Withdraw::exactly(WithdrawalVerb::Remove, leaving.id.clone());
    Intent::Withdraw(Withdraw { reason, because, ..exactly })
}

/// Bringing what was built, and the evidence of how, into the registry.
struct Upload<'a> {
    repo: &'a Repo<'a>,
    registry: &'a dyn Registry,
    records: Records,
}

/// What a record says of a release's files.
struct Content {
    facts: Facts,
    unpacked: u64,
    files: u64,
}

impl Upload<'_> {
    /// Uploads everything that a release names, and drafts it.
    fn package(&self, plan: &RepoPlan, index: usize, built: &BuiltPackage) -> Result<Draft, RepoError> {
        let step = &plan.plan.builds[index];
        let recipe = self.repo.recipe_set.get(&step.id.name)?;
        let known = &plan.known[&step.id.name];
        let before = plan.before[index].as_ref().filter(|_| built.how == How::Published);
        let content = self.content(step, built, before)?;
        let mut facts = content.facts;
        if before.is_none() {
            let source = SourceFact { tree: known.source.tree, size: self.pack(&known.source.tree)? };
            let log = self.compressed(&self.records.log(&step.input_digest))?;
            let recipe_files = known.inputs.script.iter().chain(&known.inputs.patches);
            let evidence = BuildFacts {
                source: Some(source),
                origin: known.source.origin.clone(),
                commit: known.source.commit.clone(),
                recipe_files: recipe_files.map(|file| self.bytes(&file.bytes)).collect::<Result<_, _>>()?,
                provenance: Some(self.file(&self.records.provenance(&step.input_digest))?),
                log: Some(log),
            };
            evidence.insert_into(&mut facts);
        }
        if let Some(source) = before.and_then(source::built_from) {
            self.pack(&source.tree)?;
        }
        let size = self.pack(&built.tree)?;
        self.bytes(&known.document)?;
        self.bytes(&known.toolchain.document)?;
        Ok(Draft {
            id: step.id.clone(),
            kind: KindName::Native,
            tree: built.tree,
            size,
            unpacked: content.unpacked,
            files: content.files,
            input_digest: Some(step.input_digest),
            dependencies: wanted(step),
            references: Vec::new(),
            recipe: Some(known.digest),
            toolchain: Some(known.toolchain.digest),
            license: recipe.license.clone(),
            description: recipe.description.clone(),
            facts,
        })
    }

    /// What a release's record says of its files: as the registry comes to it, from the tree alone. Of what was published
    /// before, it is what the registry said then.
    fn content(
        &self,
        step: &BuildStep,
        built: &BuiltPackage,
        before: Option<&Release>,
    ) -> Result<Content, RepoError> {
        if let Some(release) = before {
            let Release { unpacked, files, .. } = *release;
            return Ok(Content { facts: built.facts.clone(), unpacked, files });
        }
        let manifest = self.repo.store.manifest(&built.tree)?;
        let folder = Folder::open(self.stored(&built.tree)?.path()).map_err(PackageError::from)?;
        let facts = built_facts(KindName::Native, &folder, &manifest, &step.id.platform)?;
        Ok(Content { facts, unpacked: manifest.unpacked_size(), files: manifest.files() })
    }

    fn stored(&self, tree: &TreeDigest) -> Result<StoredTree, RepoError> {
        let stored = self.repo.store.tree(tree)?;
        stored.ok_or_else(|| RepoError::NotFound(format!("the tree {tree} left the store")))
    }

    /// Uploads a tree of the store, unless the registry holds it whole; gives the size of its pack.
    fn pack(&self, tree: &TreeDigest) -> Result<u64, RepoError> {
        let is_damaged = match self.registry.pack_size(tree)? {
            Some(size) if self.registry.is_whole(Object::Pack(*tree))? => return Ok(size),
            there => there.is_some(),
        };
        let stored = self.stored(tree)?;
        let manifest = self.repo.store.manifest(tree)?;
        let mut pack = tempfile::tempfile()?;
        let session = self.repo.session;
        let size = write_pack(session, stored.path(), &manifest, &mut pack)?;
        session.begin(Work::Uploading, Amount::Bytes(size));
        pack.rewind()?;
        let mut pack = Counter::new(session).read(pack);
        if is_damaged {
            self.repo.session.warn(format!(
                "The registry's copy of {tree} was damaged, and is replaced by this machine's"
            ));
            return Ok(self.registry.mend(Object::Pack(*tree), &mut pack)?);
        }
        // Somebody else may have been first, with a pack of another size: the one that is there counts.
        Ok(self.registry.put_pack(tree, &mut pack)?)
    }

    fn compressed(&self, path: &Path) -> Result<Sha256, RepoError> {
        let text = fs_err::read(path)?;
        self.bytes(&zstd::encode_all(&*text, LOG_LEVEL)?)
    }

    fn file(&self, path: &Path) -> Result<Sha256, RepoError> {
        self.bytes(&fs_err::read(path)?)
    }

    /// Uploads bytes, unless they are there.
    fn bytes(&self, bytes: &[u8]) -> Result<Sha256, RepoError> {
        let digest = Digest::of(bytes);
        if !self.registry.has_file(&digest)? {
            self.registry.put_file(&digest, &mut &*bytes)?;
        } else if !self.registry.is_whole(Object::File(digest))? {
            // What is there is no use to anybody.
            self.registry.mend(Object::File(digest), &mut &*bytes)?;
        }
        Ok(digest)
    }
}

fn wanted(step: &BuildStep) -> Vec<Wanted> {
    let wanted = step.dependencies.iter().map(|dependency| Wanted {
        name: dependency.name.clone(),
        range: dependency.range.clone(),
        scope: dependency.scope,
        fluid: false,
    });
    wanted.collect()
}
