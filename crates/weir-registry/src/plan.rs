//! From a batch of intents to the records to append: checked, authorised and baked, as plain data.
//!
//! Planning changes nothing. What it decides on is the view under the writer's lock, without what the
//! batch takes away, wherever in the batch that stands, and with what it has published so far, so that a
//! package and what it depends on can be published, or replaced, together.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use weir_index::{Index, IndexError, PackageView, RegistryFacts, ReleaseView};
use weir_model::record::Withdrawal;
use weir_model::{
    Action, Baked, BuildFacts, Dependency, InputDigest, KindName, OwnerName, PackageName, Release, ReleaseId,
    Sha256, TreeDigest, Version, WithdrawalVerb, check_facts, nearest,
};
use weir_policy::{Authorized, Caller, Gate, ReleaseFacts, Request, Target, Verb, authorize};
use weir_rules::{bake, needed_first};
use weir_wire::{Batch, Done, Draft, Intent, Outcome, Wanted, Withdraw};

use crate::closed::After;
use crate::error::SubmitError;
use crate::evidence::{self, evidence};
use crate::ports::Entry;
use crate::reuse::quarantined;

/// What is to be appended, and what became of each intent.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) entries: Vec<Entry>,
    /// The permission to append them: that of the first.
    pub(crate) permit: Option<Authorized>,
    pub(crate) outcomes: Vec<Outcome>,
    /// Trees whose packs are withdrawn from readers once the records are in the log.
    pub(crate) withhold: Vec<(Authorized, TreeDigest)>,
    /// Trees whose packs readers may have again.
    pub(crate) restore: Vec<(Authorized, TreeDigest)>,
}

/// What planning looks at.
pub(crate) struct Planner<'a> {
    pub(crate) index: &'a Index,
    pub(crate) gate: &'a dyn Gate,
    /// What its log promises: the kinds it takes, whether its world is closed.
    pub(crate) promises: &'a RegistryFacts,
    /// What has been uploaded.
    pub(crate) uploaded: &'a dyn Uploaded,
    pub(crate) batch: String,
    /// Who asks, and when.
    pub(crate) caller: &'a Caller,
}

/// What a registry was given before it is asked to register it.
pub(crate) trait Uploaded {
    /// Bytes of the pack of a tree, if it is there. Who assumes that it is goes by what is `said`.
    ///
    /// # Errors
    ///
    /// When it cannot be found out.
    fn pack_size(&self, tree: &TreeDigest, said: u64) -> Result<Option<u64>, SubmitError>;
    /// Whether a file is there.
    ///
    /// # Errors
    ///
    /// When it cannot be found out.
    fn file(&self, sha256: &Sha256) -> Result<bool, SubmitError>;
}

/// For those who want to know what would become of a batch if its content were uploaded.
pub(crate) struct Everything;

impl Uploaded for Everything {
    fn pack_size(&self, _: &TreeDigest, said: u64) -> Result<Option<u64>, SubmitError> {
        Ok(Some(said))
    }

    fn file(&self, _: &Sha256) -> Result<bool, SubmitError> {
        Ok(true)
    }
}

/// Planning under way: what the batch itself has changed so far.
struct Planning<'a> {
    on: &'a Planner<'a>,
    /// The versions that the batch publishes, sooner or later, of each package.
    drafts: HashMap<&'a PackageName, Vec<&'a Version>>,
    plan: Plan,
    published: Published,
    /// What the batch takes away, sooner or later: nothing is baked with it.
    leaving: BTreeSet<ReleaseId>,
    /// Where releases stand whose standing it has changed so far, and the permission to do that.
    changed: BTreeMap<ReleaseId, (Withdrawals, Authorized)>,
    claims: BTreeMap<OwnerName, Vec<String>>,
}

/// What a batch has published so far, to be found by all that is asked of it: a batch may have tens of thousands.
#[derive(Default)]
struct Published {
    releases: BTreeMap<PackageName, Vec<Release>>,
    /// The tree of each key.
    trees: HashMap<InputDigest, TreeDigest>,
    /// All of those trees.
    offered: HashSet<TreeDigest>,
    /// A name for each of the forms in which names can be mistaken for one another.
    confusable: HashMap<String, PackageName>,
}

impl Published {
    fn add(&mut self, release: Release) {
        self.trees.insert(release.input_digest, release.tree);
        self.offered.insert(release.tree);
        let name = release.id.name.clone();
        self.confusable.entry(name.confusable()).or_insert_with(|| name.clone());
        self.releases.entry(name).or_default().push(release);
    }

    fn offers(&self, tree: &TreeDigest) -> bool {
        self.offered.contains(tree)
    }
}

fn versions_of(batch: &Batch) -> HashMap<&PackageName, Vec<&Version>> {
    let mut versions: HashMap<&PackageName, Vec<&Version>> = HashMap::new();
    for id in batch.intents.iter().filter_map(Intent::published) {
        versions.entry(&id.name).or_default().push(&id.version);
    }
    versions
}

impl Planner<'_> {
    pub(crate) fn plan(&self, batch: &Batch) -> Result<Plan, SubmitError> {
        let mut planning = Planning {
            on: self,
            drafts: versions_of(batch),
            plan: Plan::default(),
            published: Published::default(),
            leaving: self.leaving(batch)?,
            changed: BTreeMap::new(),
            claims: BTreeMap::new(),
        };
        let order = publication_order(&batch.intents)?;
        let mut outcomes: Vec<(usize, Outcome)> = Vec::new();
        for position in order {
            let before = planning.plan.outcomes.len();
            planning.intent(&batch.intents[position])?;
            outcomes.extend(planning.plan.outcomes.drain(before..).map(|outcome| (position, outcome)));
        }
        if self.promises.is_closed() {
            After { index: self.index, leaving: &planning.leaving, published: &planning.published.releases }
                .check()?;
        }
        planning.place_packs()?;
        outcomes.sort_by_key(|(position, _)| *position);
        planning.plan.outcomes = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
        Ok(planning.plan)
    }

    /// What a batch takes away.
    fn leaving(&self, batch: &Batch) -> Result<BTreeSet<ReleaseId>, SubmitError> {
        let mut leaving = BTreeSet::new();
        for intent in &batch.intents {
            if let Intent::Withdraw(what) = intent
                && what.verb == WithdrawalVerb::Remove
            {
                leaving.extend(self.chosen(what)?.into_iter().map(|view| view.release.id));
            }
        }
        Ok(leaving)
    }

    /// The releases that somebody means; at least one.
    fn chosen(&self, what: &Withdraw) -> Result<Vec<ReleaseView>, SubmitError> {
        let Some(package) = self.index.package(&what.name)? else {
            return Err(SubmitError::UnknownPackage {
                name: what.name.clone(),
                similar: self.similar(&what.name)?,
            });
        };
        let of_version = |view: &&ReleaseView| view.release.id.version == what.version;
        let there: Vec<ReleaseId> =
            package.releases.iter().filter(of_version).map(|view| view.release.id.clone()).collect();
        if there.is_empty() {
            let mut versions: Vec<_> =
                package.releases.iter().map(|view| view.release.id.version.to_string()).collect();
            versions.dedup();
            return Err(SubmitError::UnknownVersion {
                name: what.name.clone(),
                version: what.version.clone(),
                versions,
            });
        }
        let chosen: Vec<ReleaseView> =
            package.releases.into_iter().filter(|view| what.means(&view.release.id)).collect();
        if chosen.is_empty() {
            return Err(SubmitError::UnknownBuild { wanted: what.to_string(), there });
        }
        Ok(chosen)
    }

    fn similar(&self, name: &PackageName) -> Result<Option<String>, SubmitError> {
        let names = self.index.similar_names(name.as_str(), 20)?;
        Ok(nearest(name.as_str(), names.iter().map(PackageName::as_str)).map(str::to_owned))
    }
}

impl Planning<'_> {
    fn intent(&mut self, intent: &Intent) -> Result<(), SubmitError> {
        match intent {
            Intent::Publish(draft) => self.publish(draft),
            Intent::Claim { owner, who } => self.claim(owner, who),
            Intent::Withdraw(what) => self.withdraw(what),
        }
    }

    fn publish(&mut self, draft: &Draft) -> Result<(), SubmitError> {
        let permit = self.authorize(
            Verb::Publish,
            Target::Release(draft.id.clone()),
            &draft.id.name.owner_name(),
            Some(facts_of(draft)),
        )?;
        let package = self.on.index.package(&draft.id.name)?;
        if let Some(package) = &package {
            if self.leaving.contains(&draft.id) {
                return Err(SubmitError::WasRemoved { id: draft.id.clone() });
            }
            if let Some(already) = already_published(draft, package, &permit)? {
                self.plan.outcomes.push(already);
                return Ok(());
            }
            if package.kind != draft.kind {
                return Err(SubmitError::OtherKind {
                    name: draft.id.name.clone(),
                    kind: package.kind,
                    offered: draft.kind,
                });
            }
        } else {
            self.refuse_confusable(&draft.id.name)?;
        }
        refuse_kind(self.on.promises, Some(&draft.id), draft.kind)?;
        self.refuse_quarantined(draft)?;
        let release = self.bake(draft)?;
        self.refuse_unless_uploaded(&release)?;
        if let Some(bound) = self.bound_tree(&release.input_digest)?.filter(|bound| *bound != release.tree) {
            return Err(SubmitError::SecondTree {
                id: release.id,
                input_digest: release.input_digest,
                bound,
                offered: release.tree,
            });
        }
        self.claim_on_first_use(&permit, &draft.id.name)?;
        self.plan.outcomes.push(Outcome {
            subject: release.id.to_string(),
            done: Done::Published,
            policy: permit.decision().policy.into(),
            input_digest: Some(release.input_digest),
            baked: release.dependencies.iter().filter_map(Dependency::baked_id).collect(),
        });
        self.published.add(release.clone());
        self.record(&permit, Action::Publish { release: Box::new(release.into()) })
    }

    /// Upload comes before registration: the content itself, and all that it was built from and by.
    fn refuse_unless_uploaded(&self, release: &Release) -> Result<(), SubmitError> {
        if !self.has_pack(release, &release.tree, release.size)? {
            return Err(SubmitError::NotUploaded { id: release.id.clone(), tree: release.tree });
        }
        check_facts(&release.kind_facts)
            .map_err(|error| SubmitError::Facts { id: release.id.clone(), error })?;
        BuildFacts::read(&release.kind_facts)
            .map_err(|error| SubmitError::BuildFacts { id: release.id.clone(), error })?;
        let mut missing = Vec::new();
        for one in evidence(release) {
            let there = match one.held() {
                evidence::Held::Pack(tree, size) => self.has_pack(release, &tree, size)?,
                evidence::Held::File(sha256) => self.on.uploaded.file(&sha256)?,
            };
            if !there {
                missing.push(one);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(SubmitError::EvidenceNotUploaded { id: release.id.clone(), missing })
    }

    /// Readers stop at the size that the record states: it must be the size of what is held.
    fn has_pack(&self, release: &Release, tree: &TreeDigest, said: u64) -> Result<bool, SubmitError> {
        match self.on.uploaded.pack_size(tree, said)? {
            Some(held) if held != said => {
                Err(SubmitError::OtherSize { id: release.id.clone(), tree: *tree, held, said })
            }
            size => Ok(size.is_some()),
        }
    }

    /// The tree that these inputs gave before, here or earlier in the batch. A removed release binds its
    /// input digest as well as any other.
    fn bound_tree(&self, input_digest: &InputDigest) -> Result<Option<TreeDigest>, IndexError> {
        if let Some(bound) = self.on.index.by_input_digest(input_digest)?.first() {
            return Ok(Some(bound.release.tree));
        }
        Ok(self.published.trees.get(input_digest).copied())
    }

    /// Content that was withdrawn does not come back under another version.
    fn refuse_quarantined(&self, draft: &Draft) -> Result<(), SubmitError> {
        // Removing what is quarantined does not take the quarantine back.
        match quarantined(self.on.index, &draft.tree)? {
            Some(view) => {
                Err(SubmitError::QuarantinedContent { id: draft.id.clone(), quarantined: view.release.id })
            }
            None => Ok(()),
        }
    }

    fn refuse_confusable(&self, name: &PackageName) -> Result<(), SubmitError> {
        let in_batch = self.published.confusable.get(&name.confusable()).filter(|other| *other != name);
        let existing = match in_batch {
            Some(other) => Some(other.to_string()),
            None => self.on.index.confusable_with(name)?.map(|other| other.to_string()),
        };
        let existing = match existing {
            Some(existing) => Some(existing),
            None => self.on.index.confusable_owner(&name.owner_name())?.map(|owner| format!("{owner}/")),
        };
        match existing {
            Some(existing) => Err(SubmitError::Confusable { name: name.clone(), existing }),
            None => Ok(()),
        }
    }

    /// Fixes every dependency to what is offered now, and computes the input digest.
    fn bake(&self, draft: &Draft) -> Result<Release, SubmitError> {
        let mut dependencies = Vec::with_capacity(draft.dependencies.len());
        for wanted in &draft.dependencies {
            dependencies.push(Dependency {
                name: wanted.name.clone(),
                range: wanted.range.clone(),
                scope: wanted.scope,
                baked: self.bake_one(draft, wanted)?,
            });
        }
        dependencies.sort_by(|a, b| (&a.name, a.scope).cmp(&(&b.name, b.scope)));
        let mut release = Release {
            id: draft.id.clone(),
            kind: draft.kind,
            tree: draft.tree,
            size: draft.size,
            unpacked: draft.unpacked,
            files: draft.files,
            input_digest: InputDigest::from_bytes([0; 32]),
            dependencies,
            references: draft.references.clone(),
            recipe: draft.recipe,
            toolchain: draft.toolchain,
            license: draft.license.clone(),
            description: draft.description.clone(),
            kind_facts: draft.facts.clone(),
        };
        release.input_digest = release.compute_input_digest();
        match draft.input_digest {
            Some(expected) if expected != release.input_digest => Err(SubmitError::UnexpectedInputs {
                id: release.id,
                expected,
                computed: release.input_digest,
            }),
            _ => Ok(release),
        }
    }

    /// What a dependency is fixed to, if it is. Only one that may move may be met by the package itself, or by one
    /// that the batch has not come to yet.
    fn bake_one(&self, draft: &Draft, wanted: &Wanted) -> Result<Option<Baked>, SubmitError> {
        let package = self.on.index.package(&wanted.name)?;
        let there = package.iter().flat_map(|package| &package.releases);
        let there = there.filter(|view| view.standing().is_offered()).map(|view| &view.release);
        let in_batch = self.published.releases.get(&wanted.name).into_iter().flatten();
        let all: Vec<&Release> =
            there.chain(in_batch).filter(|release| !self.leaving.contains(&release.id)).collect();
        let unmet = match bake(draft.kind, &draft.id.platform, need_of(wanted), all.iter().copied()) {
            Ok(baked) => return Ok(baked),
            Err(unmet) => unmet,
        };
        if unmet.may_come_later && self.comes_later(wanted) {
            return Ok(None);
        }
        let mut versions: Vec<_> = all.iter().map(|release| release.id.version.to_string()).collect();
        versions.dedup();
        Err(SubmitError::Unsatisfiable {
            id: draft.id.clone(),
            dependency: wanted.name.clone(),
            range: wanted.range.clone(),
            similar: if all.is_empty() { self.on.similar(&wanted.name)? } else { None },
            versions,
        })
    }

    /// Fluid dependencies may form cycles, also within a batch: what comes later counts.
    fn comes_later(&self, wanted: &Wanted) -> bool {
        let versions = self.drafts.get(&wanted.name).into_iter().flatten();
        versions.into_iter().any(|version| wanted.range.contains(version))
    }

    /// Whoever publishes first under an owner has it.
    fn claim_on_first_use(&mut self, permit: &Authorized, name: &PackageName) -> Result<(), SubmitError> {
        let owner = name.owner_name();
        if self.owner_of(&owner)?.is_none() {
            let who = vec![permit.actor().to_owned()];
            self.claims.insert(owner.clone(), who.clone());
            self.record(permit, Action::Claim { owner, who })?;
        }
        Ok(())
    }

    fn claim(&mut self, owner: &OwnerName, who: &[String]) -> Result<(), SubmitError> {
        let permit = self.authorize(Verb::Claim, Target::Owner(owner.clone()), owner, None)?;
        let done = if self.owner_of(owner)?.as_deref() == Some(who) { Done::Already } else { Done::Claimed };
        self.plan.outcomes.push(Outcome {
            subject: owner.to_string(),
            done,
            policy: permit.decision().policy.into(),
            input_digest: None,
            baked: Vec::new(),
        });
        if done == Done::Claimed {
            self.claims.insert(owner.clone(), who.to_vec());
            self.record(&permit, Action::Claim { owner: owner.clone(), who: who.to_vec() })?;
        }
        Ok(())
    }

    fn owner_of(&self, owner: &OwnerName) -> Result<Option<Vec<String>>, IndexError> {
        match self.claims.get(owner) {
            Some(who) => Ok(Some(who.clone())),
            None => Ok(self.on.index.owner(owner)?.map(|claim| claim.who)),
        }
    }

    fn authorize(
        &self,
        verb: Verb,
        target: Target,
        owner: &OwnerName,
        release: Option<ReleaseFacts<'_>>,
    ) -> Result<Authorized, SubmitError> {
        let owner_belongs_to = self.owner_of(owner)?;
        let request = Request { caller: self.on.caller, verb, target, owner_belongs_to, release };
        Ok(authorize(self.on.gate, request)?)
    }

    fn withdraw(&mut self, what: &Withdraw) -> Result<(), SubmitError> {
        for view in self.on.chosen(what)? {
            let id = view.release.id.clone();
            let permit = self.authorize(
                what.verb.into(),
                Target::Release(id.clone()),
                &id.name.owner_name(),
                Some((&view.release).into()),
            )?;
            let before = self.standing_of(&view);
            let standing = before.after(what.verb);
            let done = if standing == before { Done::Already } else { Done::Withdrawn(what.verb) };
            self.plan.outcomes.push(Outcome {
                subject: id.to_string(),
                done,
                policy: permit.decision().policy.into(),
                input_digest: None,
                baked: Vec::new(),
            });
            // Also of one that stands so already: its pack may not be in its place.
            self.changed.insert(id.clone(), (standing, permit.clone()));
            if done == Done::Already {
                continue;
            }
            let withdrawal = Withdrawal {
                verb: what.verb,
                id,
                reason: what.reason.clone(),
                advisory: what.advisory.clone(),
                because: what.because.clone().filter(|_| what.verb == WithdrawalVerb::Remove),
            };
            self.record(&permit, Action::Withdraw(withdrawal))?;
        }
        Ok(())
    }

    /// Where a release stands after what the batch has done so far.
    fn standing_of(&self, view: &ReleaseView) -> Withdrawals {
        let before = Withdrawals {
            tree: view.release.tree,
            yanked: view.yanked.is_some(),
            quarantined: view.quarantined.is_some(),
            removed: view.removed.is_some(),
        };
        self.changed.get(&view.release.id).map_or(before, |(standing, _)| *standing)
    }

    /// Decides which packs go out of readers' reach and which come back. A pack is withheld if a release
    /// of it is quarantined, even a removed one, unless there is another that readers may have.
    fn place_packs(&mut self) -> Result<(), IndexError> {
        let trees: BTreeMap<TreeDigest, Authorized> =
            self.changed.values().map(|(standing, permit)| (standing.tree, permit.clone())).collect();
        for (tree, permit) in trees {
            let mut served = self.published.offers(&tree);
            let mut withheld = false;
            for view in self.on.index.by_tree(&tree)? {
                let standing = self.standing_of(&view);
                withheld |= standing.quarantined;
                served |= !standing.quarantined && !standing.removed;
            }
            let place = if withheld && !served { &mut self.plan.withhold } else { &mut self.plan.restore };
            place.push((permit, tree));
        }
        Ok(())
    }

    fn record(&mut self, permit: &Authorized, action: Action) -> Result<(), SubmitError> {
        self.plan.entries.push(Entry::new(permit, &self.on.batch, action)?);
        self.plan.permit.get_or_insert_with(|| permit.clone());
        Ok(())
    }
}

/// What was withdrawn of a release, which decides whether readers may have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Withdrawals {
    tree: TreeDigest,
    yanked: bool,
    quarantined: bool,
    removed: bool,
}

impl Withdrawals {
    /// How a release stands after a withdrawal.
    const fn after(self, verb: WithdrawalVerb) -> Self {
        match verb {
            WithdrawalVerb::Yank => Self { yanked: true, ..self },
            WithdrawalVerb::Unyank => Self { yanked: false, ..self },
            WithdrawalVerb::Quarantine => Self { quarantined: true, ..self },
            WithdrawalVerb::Unquarantine => Self { quarantined: false, ..self },
            WithdrawalVerb::Remove => Self { removed: true, ..self },
        }
    }
}

/// What a draft needs, as the rules of choosing ask it.
fn need_of(wanted: &Wanted) -> weir_rules::Need<'_> {
    weir_rules::Need { range: &wanted.range, scope: wanted.scope, fluid: wanted.fluid }
}

/// What a policy may ask of a draft.
fn facts_of(draft: &Draft) -> ReleaseFacts<'_> {
    ReleaseFacts {
        kind: draft.kind,
        license: draft.license.as_deref(),
        size: draft.size,
        unpacked: draft.unpacked,
        files: draft.files,
        built: draft.recipe.is_some(),
        kind_facts: &draft.facts,
    }
}

/// A registry that says what kinds it takes takes no other.
pub(crate) fn refuse_kind(
    promises: &RegistryFacts,
    id: Option<&ReleaseId>,
    offered: KindName,
) -> Result<(), SubmitError> {
    if promises.takes(offered) {
        return Ok(());
    }
    Err(SubmitError::KindNotTaken {
        id: id.cloned(),
        offered,
        registry: promises.name.clone().unwrap_or_default(),
        takes: promises.kinds().to_vec(),
    })
}

/// A release that is there with the same content was published already: a retry is harmless. With
/// other content it is a conflict: releases never change.
fn already_published(
    draft: &Draft,
    package: &PackageView,
    permit: &Authorized,
) -> Result<Option<Outcome>, SubmitError> {
    if package.removed.iter().any(|view| view.release.id == draft.id) {
        return Err(SubmitError::WasRemoved { id: draft.id.clone() });
    }
    let Some(there) = package.releases.iter().find(|view| view.release.id == draft.id) else {
        return Ok(None);
    };
    if there.release.tree != draft.tree {
        return Err(SubmitError::AlreadyPublished {
            id: draft.id.clone(),
            published: there.release.tree,
            offered: draft.tree,
        });
    }
    Ok(Some(Outcome {
        subject: draft.id.to_string(),
        done: Done::Already,
        policy: permit.decision().policy.into(),
        input_digest: Some(there.release.input_digest),
        baked: there.release.dependencies.iter().filter_map(Dependency::baked_id).collect(),
    }))
}

/// The order in which to carry out a batch: as given, but a package after those of the batch it is to
/// be baked with.
fn publication_order(intents: &[Intent]) -> Result<Vec<usize>, SubmitError> {
    let mut by_name: BTreeMap<&PackageName, Vec<usize>> = BTreeMap::new();
    for (position, intent) in intents.iter().enumerate() {
        if let Intent::Publish(draft) = intent {
            by_name.entry(&draft.id.name).or_default().push(position);
        }
    }
    let needs = |position: usize| -> Vec<usize> {
        let Intent::Publish(draft) = &intents[position] else { return Vec::new() };
        let fixed = draft.dependencies.iter().filter(|wanted| need_of(wanted).is_baked(draft.kind));
        let targets = fixed.flat_map(|wanted| {
            let positions = by_name.get(&wanted.name).into_iter().flatten().copied();
            positions.filter(|target| match &intents[*target] {
                Intent::Publish(other) => wanted.range.contains(&other.id.version),
                _ => false,
            })
        });
        targets.collect()
    };
    needed_first(intents.len(), needs).map_err(|cycle| SubmitError::BakedCycle {
        cycle: cycle
            .into_iter()
            .filter_map(|position| match &intents[position] {
                Intent::Publish(draft) => Some(draft.id.clone()),
                _ => None,
            })
            .collect(),
    })
}
