//! From a batch of intents to the records to append: checked, authorised and baked, as plain data.
//!
//! Planning changes nothing. What it decides on is the view under the writer's lock, without what the
//! batch takes away, wherever in the batch that stands, and with what it has published so far, so that a
//! package and what it depends on can be published, or replaced, together.

mod advice;
mod circles;
mod limits;
mod offers;
mod owners;
mod promotion;
mod publishing;
mod withdrawing;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use weir_index::{Index, IndexError, RegistryFacts, ReleaseView, Tier};
use weir_model::{
    Action, InputDigest, KindName, OwnerName, PackageName, Release, ReleaseId, Sha256, TreeDigest, Version,
    WithdrawalVerb, nearest,
};
use weir_policy::{
    Authorized, Caller, Denied, Gate, ReleaseFacts, Request, Target, Verb, authorize, has_provenance,
};
use weir_wire::{Batch, Done, Draft, Intent, Outcome, Wanted, Withdraw};

use self::offers::{Offers, publication_order};
use self::withdrawing::Changed;
pub use self::words::check_words;
use crate::closed::After;
use crate::error::SubmitError;
use crate::ports::{Entry, Object};
use crate::registrar::Differences;
use crate::within_reach::content_of;

/// What is to be appended, and what became of each intent.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) entries: Vec<Entry>,
    /// The permission to append them: that of the first.
    pub(crate) permit: Option<Authorized>,
    pub(crate) outcomes: Vec<Outcome>,
    /// Who holds nearly as much as they may, a sentence each.
    pub(crate) warnings: Vec<String>,
    /// Content that is withdrawn from readers once the records are in the log.
    pub(crate) withhold: Vec<(Authorized, Object)>,
    /// Content that readers may have again.
    pub(crate) restore: Vec<(Authorized, Object)>,
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
    /// The releases whose standing it has changed so far.
    changed: BTreeMap<ReleaseId, Changed>,
    claims: BTreeMap<OwnerName, Vec<String>>,
    /// The documents of the advisories that it tells.
    documents: Vec<Sha256>,
    /// What it would promote that has not been approved by enough others yet.
    unapproved: Vec<Denied>,
}

/// What a batch has published so far, to be found by all that is asked of it: a batch may have tens of thousands.
#[derive(Default)]
struct Published {
    releases: BTreeMap<ReleaseId, Release>,
    /// The tree of each key.
    trees: HashMap<InputDigest, TreeDigest>,
    /// All content that they name.
    offered: HashSet<Object>,
    /// A name for each of the forms in which names can be mistaken for one another.
    confusable: HashMap<String, PackageName>,
}

impl Published {
    fn add(&mut self, release: Release) {
        self.trees.insert(release.input_digest, release.tree);
        self.offered.extend(content_of(&release));
        let name = release.id.name.clone();
        self.confusable.entry(name.confusable()).or_insert(name);
        self.releases.insert(release.id.clone(), release);
    }

    fn offers(&self, object: Object) -> bool {
        self.offered.contains(&object)
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
            documents: Vec::new(),
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
        planning.place_content()?;
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
        check_words(intent)?;
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

    /// The tier that a name is bound to; an owner that the batch claims is bound here.
    fn tier_of(&self, name: &PackageName) -> Result<Option<Tier>, IndexError> {
        match self.claims.contains_key(&name.owner_name()) {
            true => Ok(Some(Tier::Here)),
            false => self.on.index.tier_of(name),
        }
    }

    /// Notes what became of something that has no content.
    fn done(&mut self, subject: String, done: Done, permit: &Authorized) {
        let policy = permit.decision().policy.clone().into_owned();
        self.plan.outcomes.push(Outcome { subject, done, policy, input_digest: None, baked: Vec::new() });
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

    fn record(&mut self, permit: &Authorized, action: Action) -> Result<(), SubmitError> {
        self.plan.entries.push(Entry::new(permit, &self.on.batch, action)?);
        self.plan.permit.get_or_insert_with(|| permit.clone());
        Ok(())
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
