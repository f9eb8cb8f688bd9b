//! From a batch of intents to the records to append: checked, authorised and baked, as plain data.
//!
//! Planning changes nothing. What it decides on is the view under the writer's lock, without what the
//! batch takes away, wherever in the batch that stands, and with what it has published so far, so that a
//! package and what it depends on can be published, or replaced, together.

mod advice;
mod offers;
mod promotion;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use weir_index::{Index, IndexError, RegistryFacts, ReleaseView, Tier};
use weir_model::record::{Adoption, Quota, QuotaOf, Retention, Withdrawal};
use weir_model::{
    Action, Baked, BuildFacts, Dependency, InputDigest, KindName, OwnerName, PackageName, ReferenceFact,
    Release, ReleaseId, Sha256, TreeDigest, Version, WithdrawalVerb, check_facts, nearest,
};
use weir_policy::{
    Authorized, Caller, Denied, Gate, ReleaseFacts, Request, Target, Verb, authorize, has_provenance,
};
use weir_rules::bake;
use weir_wire::{Batch, Done, Draft, Intent, Outcome, Promotion, Wanted, Withdraw};

use self::offers::{Offers, publication_order};
use self::promotion::Permit;
use self::words::{refuse_bad_holders, refuse_bad_words};
use crate::advised::advised;
use crate::closed::After;
use crate::error::SubmitError;
use crate::evidence::{self, evidence};
use crate::ports::Entry;
use crate::quota::Change;
use crate::registrar::Differences;
use crate::reuse::quarantined;

/// What is to be appended, and what became of each intent.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) entries: Vec<Entry>,
    /// The permission to append them: that of the first.
    pub(crate) permit: Option<Authorized>,
    pub(crate) outcomes: Vec<Outcome>,
    /// Who holds nearly as much as they may, a sentence each.
    pub(crate) warnings: Vec<String>,
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
    /// Who approved that it is promoted.
    pub(crate) approved_by: &'a [String],
    /// How what it publishes differs from what is there, where that was found out.
    pub(crate) differences: &'a Differences,
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
    offers: Offers<'a>,
    /// What the batch takes away, sooner or later.
    leaving: &'a BTreeSet<ReleaseId>,
    /// Whose names could be mistaken for those of owners of packages here.
    confusable_owners: HashMap<OwnerName, Option<OwnerName>>,
    /// Where releases stand whose standing it has changed so far, and the permission to do that.
    changed: BTreeMap<ReleaseId, (Withdrawals, Authorized)>,
    claims: BTreeMap<OwnerName, Vec<String>>,
    /// What it would promote that has not been approved by enough others yet.
    unapproved: Vec<Denied>,
}

/// What a batch has published so far, to be found by all that is asked of it: a batch may have tens of thousands.
#[derive(Default)]
struct Published {
    releases: BTreeMap<ReleaseId, Release>,
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
        self.confusable.entry(name.confusable()).or_insert(name);
        self.releases.insert(release.id.clone(), release);
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
        let leaving = self.leaving(batch)?;
        let mut planning = Planning {
            on: self,
            drafts: versions_of(batch),
            plan: Plan::default(),
            published: Published::default(),
            offers: Offers::new(self.index, &leaving),
            leaving: &leaving,
            confusable_owners: HashMap::new(),
            changed: BTreeMap::new(),
            claims: BTreeMap::new(),
            unapproved: Vec::new(),
        };
        let mut published = BTreeSet::new();
        for id in batch.intents.iter().filter_map(Intent::published) {
            if self.index.release(id)?.is_some() {
                published.insert(id);
            }
        }
        let order = publication_order(&batch.intents, &published)?;
        let mut outcomes: Vec<(usize, Outcome)> = Vec::new();
        for position in order {
            let before = planning.plan.outcomes.len();
            planning.intent(&batch.intents[position])?;
            outcomes.extend(planning.plan.outcomes.drain(before..).map(|outcome| (position, outcome)));
        }
        if self.promises.is_closed() {
            After { index: self.index, leaving: &leaving, published: &planning.published.releases }
                .check()?;
        }
        planning.plan.warnings = planning.change()?.check(self.index)?;
        // Last: who is asked for an approval need not look at what could not be done anyway.
        if !planning.unapproved.is_empty() {
            return Err(SubmitError::NeedsApproval { denied: planning.unapproved });
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
        let there = self.index.releases_of_version(&what.name, &what.version)?;
        if there.is_empty() {
            return Err(self.unknown(what)?);
        }
        let ids = || there.iter().map(|view| view.release.id.clone()).collect();
        if !there.iter().any(|view| what.means(&view.release.id)) {
            return Err(SubmitError::UnknownBuild { wanted: what.to_string(), there: ids() });
        }
        Ok(there.into_iter().filter(|view| what.means(&view.release.id)).collect())
    }

    fn unknown(&self, what: &Withdraw) -> Result<SubmitError, SubmitError> {
        let name = what.name.clone();
        let Some(package) = self.index.package(&name)? else {
            let similar = self.similar(&name)?;
            return Ok(SubmitError::UnknownPackage { name, similar });
        };
        let mut versions: Vec<_> =
            package.releases.iter().map(|view| view.release.id.version.to_string()).collect();
        versions.dedup();
        Ok(SubmitError::UnknownVersion { name, version: what.version.clone(), versions })
    }

    fn similar(&self, name: &PackageName) -> Result<Option<String>, SubmitError> {
        let names = self.index.similar_names(name.as_str(), 20)?;
        Ok(nearest(name.as_str(), names.iter().map(PackageName::as_str)).map(str::to_owned))
    }
}

impl Planning<'_> {
    fn intent(&mut self, intent: &Intent) -> Result<(), SubmitError> {
        match intent {
            Intent::Publish(draft) => self.publish(draft, None),
            Intent::Promote(promotion) => self.publish(&promotion.draft, Some(promotion)),
            Intent::Claim { owner, who } => self.claim(owner, who),
            Intent::Adopt { name, back } => self.adopt(name, *back),
            Intent::Quota(quota) => self.limit(quota),
            Intent::Retain(rule) => self.retain(rule),
            Intent::Advise(advisory) => self.advise(advisory),
            Intent::Dismiss { id, reason } => self.dismiss(id, reason.as_deref()),
            Intent::Withdraw(what) => self.withdraw(what),
        }
    }

    /// Offers a release: a new one, or as it is in the registry that it is promoted from.
    fn publish(&mut self, draft: &Draft, promotion: Option<&Promotion>) -> Result<(), SubmitError> {
        let kind = self.on.index.kind_of(&draft.id.name)?;
        let existing = match kind {
            Some(_) => None,
            None => self.mistaken_for(&draft.id.name)?,
        };
        let permit = self.may_publish(draft, promotion, existing.is_some())?;
        if self.leaving.contains(&draft.id) {
            return Err(SubmitError::WasRemoved { id: draft.id.clone() });
        }
        if let Some(there) = self.on.index.release(&draft.id)? {
            self.plan.outcomes.push(already_published(draft, &there, permit.policy())?);
            return Ok(());
        }
        if let Some(tier @ Tier::Above(_)) = self.tier_of(&draft.id.name)? {
            return Err(SubmitError::OtherTier { name: draft.id.name.clone(), tier, upstream: None });
        }
        if let Some(existing) = existing {
            return Err(SubmitError::Confusable { name: draft.id.name.clone(), existing });
        }
        if let Some(kind) = kind.filter(|kind| *kind != draft.kind) {
            return Err(SubmitError::OtherKind { name: draft.id.name.clone(), kind, offered: draft.kind });
        }
        refuse_kind(self.on.promises, Some(&draft.id), draft.kind)?;
        self.refuse_quarantined(draft)?;
        let release = match promotion {
            None => self.bake(draft)?,
            Some(promotion) => self.bake_as(promotion)?,
        };
        self.refuse_unless_uploaded(&release)?;
        if let Some(bound) = self.bound_tree(&release.input_digest)?.filter(|bound| *bound != release.tree) {
            return Err(SubmitError::SecondTree {
                id: release.id,
                input_digest: release.input_digest,
                bound,
                offered: release.tree,
            });
        }
        self.plan.outcomes.push(Outcome {
            subject: release.id.to_string(),
            done: if promotion.is_some() { Done::Promoted } else { Done::Published },
            policy: permit.policy().to_owned(),
            input_digest: Some(release.input_digest),
            baked: release.dependencies.iter().filter_map(Dependency::baked_id).collect(),
        });
        self.offers.add(&release)?;
        self.published.add(release.clone());
        let permit = match permit {
            Permit::Given(permit) => permit,
            Permit::Unapproved(denied) => {
                self.unapproved.push(denied);
                return Ok(());
            }
        };
        self.claim_on_first_use(&permit, &draft.id.name)?;
        let release = Box::new(release.into());
        self.record(
            &permit,
            match promotion {
                None => Action::Publish { release },
                Some(Promotion { from, .. }) => Action::Promote { release, from: from.clone() },
            },
        )
    }

    /// What the batch adds to what owners hold, and takes away.
    fn change(&self) -> Result<Change, IndexError> {
        let mut change = Change::default();
        for release in self.published.releases.values() {
            change.add(release.id.name.owner_name(), release.size);
        }
        for id in self.leaving {
            // One that is removed already frees nothing a second time.
            if let Some(view) = self.on.index.release(id)?.filter(|view| view.removed.is_none()) {
                change.free(&view.release);
            }
        }
        Ok(change)
    }

    /// Says how much somebody may hold. It is governing: whoever may change the policies may.
    fn limit(&mut self, quota: &Quota) -> Result<(), SubmitError> {
        let permit = authorize(self.on.gate, Request::of_registry(self.on.caller, Verb::Govern))?;
        let before = self.on.index.quotas()?.into_iter().find(|set| set.of == quota.of).map(|set| set.bytes);
        let done = if before == quota.bytes { Done::Already } else { Done::Limited };
        let subject = match &quota.of {
            QuotaOf::Registry => "all owners together".to_owned(),
            QuotaOf::EachOwner => "each owner".to_owned(),
            QuotaOf::Owner(owner) => owner.to_string(),
        };
        self.done(subject, done, &permit);
        match done {
            Done::Already => Ok(()),
            _ => self.record(&permit, Action::Quota(quota.clone())),
        }
    }

    /// Says what the registry keeps. It is governing, too.
    fn retain(&mut self, rule: &Retention) -> Result<(), SubmitError> {
        let permit = authorize(self.on.gate, Request::of_registry(self.on.caller, Verb::Govern))?;
        let done = if self.on.promises.retention == *rule { Done::Already } else { Done::Ruled };
        self.done(rule.to_string(), done, &permit);
        match done {
            Done::Already => Ok(()),
            _ => self.record(&permit, Action::Retain(rule.clone())),
        }
    }

    /// The tier that a name is bound to; an owner that the batch claims is bound here.
    fn tier_of(&self, name: &PackageName) -> Result<Option<Tier>, IndexError> {
        match self.claims.contains_key(&name.owner_name()) {
            true => Ok(Some(Tier::Here)),
            false => self.on.index.tier_of(name),
        }
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
                evidence::HeldAs::Pack(tree, size) => self.has_pack(release, &tree, size)?,
                evidence::HeldAs::File(sha256, _) => self.on.uploaded.file(&sha256)?,
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

    /// What is there already, or comes in the same batch, that a new name can be mistaken for.
    fn mistaken_for(&mut self, name: &PackageName) -> Result<Option<String>, SubmitError> {
        let in_batch = self.published.confusable.get(&name.confusable()).filter(|other| *other != name);
        let existing = match in_batch {
            Some(other) => Some(other.to_string()),
            None => self.on.index.confusable_with(name)?.map(|other| other.to_string()),
        };
        match existing {
            Some(existing) => Ok(Some(existing)),
            None => Ok(self.confusable_owner(name.owner_name())?.map(|owner| format!("{owner}/"))),
        }
    }

    fn confusable_owner(&mut self, owner: OwnerName) -> Result<Option<OwnerName>, IndexError> {
        if let Some(known) = self.confusable_owners.get(&owner) {
            return Ok(known.clone());
        }
        let found = self.on.index.confusable_owner(&owner)?;
        self.confusable_owners.insert(owner, found.clone());
        Ok(found)
    }

    /// Fixes every dependency to what is offered now, and computes the input digest.
    fn bake(&mut self, draft: &Draft) -> Result<Release, SubmitError> {
        let mut baked = Vec::with_capacity(draft.dependencies.len());
        for wanted in &draft.dependencies {
            baked.push(self.bake_one(draft, wanted)?);
        }
        self.release(draft, baked)
    }

    /// A draft with what each of its dependencies is fixed to, and its input digest.
    fn release(&self, draft: &Draft, baked: Vec<Option<Baked>>) -> Result<Release, SubmitError> {
        let dependencies = draft.dependencies.iter().zip(baked).map(|(wanted, baked)| Dependency {
            name: wanted.name.clone(),
            range: wanted.range.clone(),
            scope: wanted.scope,
            baked,
        });
        let mut dependencies: Vec<Dependency> = dependencies.collect();
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
            references: self.references(draft)?,
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

    /// What a draft refers to, and which of it the registry holds: what is lost later can be told from what was never here.
    fn references(&self, draft: &Draft) -> Result<Vec<ReferenceFact>, SubmitError> {
        let held = |reference: &ReferenceFact| match reference.sha256 {
            Some(sha256) => self.on.uploaded.file(&sha256),
            None => Ok(false),
        };
        let references = draft.references.iter();
        references
            .map(|reference| Ok(ReferenceFact { held: held(reference)?, ..reference.clone() }))
            .collect()
    }

    /// What a dependency is fixed to, if it is. Only one that may move may be met by the package itself, or by one
    /// that the batch has not come to yet.
    fn bake_one(&mut self, draft: &Draft, wanted: &Wanted) -> Result<Option<Baked>, SubmitError> {
        let offered = self.offers.of(&wanted.name)?;
        let unmet = match bake(draft.kind, &draft.id.platform, need_of(wanted), offered) {
            Ok(baked) => return Ok(baked.cloned()),
            Err(unmet) => unmet,
        };
        let mut versions: Vec<_> = offered.iter().map(|baked| baked.version.to_string()).collect();
        versions.dedup();
        if unmet.may_come_later && self.comes_later(wanted) {
            return Ok(None);
        }
        Err(SubmitError::Unsatisfiable {
            id: draft.id.clone(),
            dependency: wanted.name.clone(),
            range: wanted.range.clone(),
            similar: if versions.is_empty() { self.on.similar(&wanted.name)? } else { None },
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
        // What is adopted is published here, and its owner stays where it is.
        if self.owner_of(&owner)?.is_none() && self.on.index.bound_above(&owner)?.is_none() {
            let who = vec![permit.begins(&owner)?];
            self.claims.insert(owner.clone(), who.clone());
            self.record(permit, Action::Claim { owner, who })?;
        }
        Ok(())
    }

    /// Notes what became of something that has no content.
    fn done(&mut self, subject: String, done: Done, permit: &Authorized) {
        let policy = permit.decision().policy.clone().into_owned();
        self.plan.outcomes.push(Outcome { subject, done, policy, input_digest: None, baked: Vec::new() });
    }

    fn claim(&mut self, owner: &OwnerName, who: &[String]) -> Result<(), SubmitError> {
        refuse_bad_holders(owner, who)?;
        let permit = self.authorize(Verb::Claim, Target::Owner(owner.clone()), owner, None)?;
        self.refuse_claim(owner)?;
        let done = if self.owner_of(owner)?.as_deref() == Some(who) { Done::Already } else { Done::Claimed };
        self.done(owner.to_string(), done, &permit);
        if done == Done::Claimed {
            self.claims.insert(owner.clone(), who.to_vec());
            self.record(&permit, Action::Claim { owner: owner.clone(), who: who.to_vec() })?;
        }
        Ok(())
    }

    /// Nobody claims an owner as long as releases of it are offered that came from above: what a name means must not change under whoever
    /// uses it.
    fn refuse_claim(&self, owner: &OwnerName) -> Result<(), SubmitError> {
        let Some(name) = self.on.index.admitted_of(owner)? else { return Ok(()) };
        let registry = self.on.index.bound_above(owner)?.unwrap_or_default();
        Err(SubmitError::ClaimedAbove { owner: owner.clone(), registry, name })
    }

    /// Keeps a package of a registry above here, or gives it back. It is like claiming: what a name means here is decided anew.
    fn adopt(&mut self, name: &PackageName, back: bool) -> Result<(), SubmitError> {
        let owner = name.owner_name();
        let permit = self.authorize(Verb::Claim, Target::Owner(owner.clone()), &owner, None)?;
        let index = self.on.index;
        let refused = |reason: String| Err(SubmitError::NotAdopted { name: name.clone(), reason });
        let (tier, adopted) = (index.tier_of(name)?, index.adoption_of(name)?);
        let done = match (back, adopted, tier) {
            (false, Some(_), _) | (true, None, Some(Tier::Above(_))) => Done::Already,
            (false, None, Some(Tier::Above(registry))) => match index.kind_of(name)? {
                Some(_) => Done::Adopted,
                None => return refused(format!("nothing of it was admitted yet from `{registry}`")),
            },
            (false, None, Some(Tier::Here)) => return refused("it is this registry's already".into()),
            (_, None, _) => return refused("nothing of it came from above".into()),
            (true, Some(_), _) if self.owner_of(&owner)?.is_some() => {
                return refused(format!("its owner `{owner}` was claimed here"));
            }
            (true, Some(_), _) => match index.own_release(name)? {
                Some(own) => return refused(format!("`{own}`, which was published here, is offered still")),
                None => Done::GivenBack,
            },
        };
        self.done(name.to_string(), done, &permit);
        match done {
            Done::Already => Ok(()),
            _ => self.record(&permit, Action::Adopt(Adoption { name: name.clone(), back })),
        }
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
        refuse_bad_words("reason", what.reason.as_deref())?;
        refuse_bad_words("advisory", what.advisory.as_deref())?;
        for view in self.on.chosen(what)? {
            let id = view.release.id.clone();
            let permit = self.authorize(
                what.verb.into(),
                Target::Release(id.clone()),
                &id.name.owner_name(),
                Some(ReleaseFacts {
                    advised: advised(self.on.index, None, &id)?,
                    ..ReleaseFacts::from(&view.release).published_at(view.mark.at)
                }),
            )?;
            let before = self.standing_of(&view);
            let standing = before.after(what.verb);
            let done = if standing == before { Done::Already } else { Done::Withdrawn(what.verb) };
            self.done(id.to_string(), done, &permit);
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
                from: None,
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
pub(crate) fn facts_of(draft: &Draft) -> ReleaseFacts<'_> {
    ReleaseFacts {
        kind: draft.kind,
        license: draft.license.as_deref(),
        size: draft.size,
        unpacked: draft.unpacked,
        files: draft.files,
        built: draft.recipe.is_some(),
        provenance: has_provenance(&draft.facts),
        kind_facts: &draft.facts,
        published: None,
        confusable: false,
        advised: None,
        upstream: None,
        promoted: None,
        approved_by: &[],
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
fn already_published(draft: &Draft, there: &ReleaseView, policy: &str) -> Result<Outcome, SubmitError> {
    if there.removed.is_some() {
        return Err(SubmitError::WasRemoved { id: draft.id.clone() });
    }
    if there.release.tree != draft.tree {
        return Err(SubmitError::AlreadyPublished {
            id: draft.id.clone(),
            published: there.release.tree,
            offered: draft.tree,
        });
    }
    Ok(Outcome {
        subject: draft.id.to_string(),
        done: Done::Already,
        policy: policy.to_owned(),
        input_digest: Some(there.release.input_digest),
        baked: there.release.dependencies.iter().filter_map(Dependency::baked_id).collect(),
    })
}
