//! Admission: releases of a registry above come into the log of this one. Nothing is believed of them but what the followed log
//! of that registry says, and each is proved to be in it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Deref;

use jiff::{SignedDuration, Timestamp};
use weir_index::{Cursor, RegistryFacts, ReleaseView, Tier};
use weir_log::{Checkpoint, Source, leaf_hashes};
use weir_model::evidence::named_beside;
use weir_model::record::{Description, Hold, Origin, RECORD_VERSION, Unhold, Upstream, Withdrawal};
use weir_model::{Action, InputDigest, Record, Release, ReleaseId, Sha256, TreeDigest, WithdrawalVerb};
use weir_policy::{Authorized, Caller, ReleaseFacts, Request, Target, Verb, authorize};

use super::submit::until_nobody_was_faster;
use super::{Registrar, flow, heard};
use crate::advised::advised;
use crate::closed::After;
use crate::error::SubmitError;
use crate::made_of;
use crate::plan::refuse_kind;
use crate::ports::{Entry, Object};
use crate::published::published_above;
use crate::quota::Change;
use crate::replica::{Replica, recorded};
use crate::within_reach::{Withdrawals, content_of, reach, withheld};

/// A registry above, as it was followed.
#[derive(Clone, Copy)]
pub struct Followed<'a> {
    /// Its view.
    pub replica: &'a Replica,
    /// Whether this machine writes it down itself, of what is none of Weir's: as it is asked for, and not as it is published.
    pub is_transcript: bool,
    /// Its files.
    pub source: &'a dyn Source,
}

/// What is to be admitted from one registry above, under one checkpoint.
pub struct Admission<'a> {
    /// Its name, as this registry's log says it.
    pub upstream: &'a str,
    /// The registry, as it was followed.
    pub from: Followed<'a>,
    /// The releases.
    pub releases: Vec<ReleaseId>,
    /// The releases that policy keeps out.
    pub held: Vec<Hold>,
    /// What was kept out, and is no longer.
    pub over: Vec<Unhold>,
    /// Whether the log is to say how far the other was looked through, also where nothing else is new.
    pub pin: bool,
    /// Whether more of the same follows at once: until all of it is here the log does not say that the other was looked through, and what is
    /// made for readers waits.
    pub more: bool,
}

/// What became of an admission.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admitted {
    /// The releases that were admitted, each with the rule that permitted it.
    pub releases: Vec<(ReleaseId, String)>,
    /// What is newly held.
    pub held: Vec<Hold>,
    /// How many are held no longer, without having been admitted.
    pub let_go: u64,
    /// How many were withdrawn because they are above, or are no longer.
    pub withdrawn: u64,
}

/// A release of a registry above, and where it stands there.
struct Coming {
    view: ReleaseView,
    origin: Origin,
}

impl Registrar {
    /// The view, up to date when it was asked for, for who may read it.
    ///
    /// # Errors
    ///
    /// When the caller may not, or the log cannot be read.
    pub fn view_for(&self, caller: &Caller) -> Result<impl Deref<Target = Replica> + use<'_>, SubmitError> {
        let view = self.view()?;
        self.permit(caller, Verb::Read)?;
        Ok(view)
    }

    /// Who decides. What it says is no permission yet.
    pub fn gate(&self) -> &dyn weir_policy::Gate {
        &*self.gate
    }

    /// Admits releases of a registry above, by the policy of this one, and says what of it is held.
    ///
    /// # Errors
    ///
    /// When one is not what the other's log says, is bound to another tier, would break a promise of this registry, or is not permitted;
    /// when the log cannot be written. Nothing is admitted then.
    pub fn admit(&self, caller: &Caller, admission: &Admission<'_>) -> Result<Admitted, SubmitError> {
        let coming = coming(admission)?;
        until_nobody_was_faster(|| self.try_to_admit(caller, admission, &coming))
    }

    fn try_to_admit(
        &self,
        caller: &Caller,
        admission: &Admission<'_>,
        coming: &[Coming],
    ) -> Result<Admitted, SubmitError> {
        let permit = self.permit(caller, Verb::Read)?;
        let mut admitting = Admitting {
            registrar: self,
            caller,
            admission,
            batch: ulid::Ulid::generate().to_string(),
            permit: permit.clone(),
            entries: Vec::new(),
            admitted: BTreeMap::new(),
            trees: HashMap::new(),
            rules: Vec::new(),
            newly_held: Vec::new(),
            let_go: 0,
            withdrawals: Vec::new(),
            documents: Vec::new(),
        };
        // Most asks find all there already: who finds so keeps nobody from writing.
        let before = self.view()?;
        admitting.plan(&before, coming)?;
        if admitting.entries.is_empty() {
            return Ok(Admitted::default());
        }
        drop(before);
        // Before the turn: who writes waits for nobody's network. A document that is told meanwhile is not waited for.
        let objects = &*self.ports.objects;
        heard::take_in_documents(&permit, objects, admission.from.source, &admitting.documents)?;
        let mut writer = self.writer()?;
        admitting.plan(&writer.replica, coming)?;
        self.fault("admit:planned");
        let done = Admitted {
            releases: std::mem::take(&mut admitting.rules),
            held: std::mem::take(&mut admitting.newly_held),
            let_go: admitting.let_go,
            withdrawn: admitting.withdrawals.len() as u64,
        };
        if !admitting.entries.is_empty() {
            // As in a batch: withdrawn content is not served once the log says so, nor before the log says that it may be again.
            let places = admitting.places(&writer.replica)?;
            for (object, _) in places.iter().filter(|(_, withheld)| *withheld) {
                made_of::withhold(objects, &permit, writer.replica.index(), *object)?;
            }
            writer.append(&permit, &admitting.entries)?;
            self.fault("admit:appended");
            for (object, _) in places.iter().filter(|(_, withheld)| !*withheld) {
                self.ports.objects.restore(&permit, *object)?;
            }
            if !admission.more {
                self.snapshot_if_due(&mut writer, &permit)?;
            }
        }
        Ok(done)
    }
}

/// Reads what is to come in the other's view, in the order of its log, and proves that its log says so.
fn coming(admission: &Admission<'_>) -> Result<Vec<Coming>, SubmitError> {
    let Followed { replica, source, .. } = admission.from;
    let not_proven =
        |id: &ReleaseId| SubmitError::NotProven { id: id.clone(), upstream: admission.upstream.to_owned() };
    let mut views = Vec::with_capacity(admission.releases.len());
    for id in &admission.releases {
        views.push(replica.index().release(id)?.ok_or_else(|| not_proven(id))?);
    }
    views.sort_by_key(|view| view.mark.index);
    if views.is_empty() {
        return Ok(Vec::new());
    }
    let note = replica.checkpoint().map(|checkpoint| checkpoint.note().to_owned()).unwrap_or_default();
    let log = Checkpoint::verify(note.as_bytes(), replica.keys()).map_err(weir_log::WriteError::from)?;
    let indexes: Vec<u64> = views.iter().map(|view| view.mark.index).collect();
    let leaves = leaf_hashes(source, &log, &indexes)?;
    let mut coming = Vec::with_capacity(views.len());
    for (view, leaf) in views.into_iter().zip(leaves) {
        // A record with more in it than this program knows could not be repeated here in full.
        if weir_log::Hash::of_leaf(&record_of(&view)?) != leaf {
            return Err(not_proven(&view.release.id));
        }
        let leaf = recorded(leaf);
        let origin = Origin { registry: admission.upstream.to_owned(), index: view.mark.index, leaf };
        coming.push(Coming { view, origin });
    }
    Ok(coming)
}

/// The entry of the other's log that a view was made from.
fn record_of(view: &ReleaseView) -> Result<Vec<u8>, SubmitError> {
    let release = Box::new(view.release.clone().into());
    let action = match (view.origin.clone(), view.promoted.clone()) {
        (Some(from), _) => Action::Admit { release, from },
        (None, Some(from)) => Action::Promote { release, from },
        (None, None) => Action::Publish { release },
    };
    let mark = &view.mark;
    let (batch, by) = (mark.batch.clone(), mark.by.clone());
    Ok(Record { v: RECORD_VERSION, batch, at: mark.at, by, action }.to_bytes()?)
}

/// So long it is not said again that there was nothing new above. It is then, for what comes later was not there yet.
const BETWEEN_PINS: SignedDuration = SignedDuration::from_hours(24);

/// Whether the log says of a registry above that it was looked through not long before `now`.
pub fn was_looked_through_lately(cursor: &Cursor, now: Timestamp) -> bool {
    now.duration_since(cursor.mark.at) < BETWEEN_PINS
}

/// An admission under way.
struct Admitting<'a> {
    registrar: &'a Registrar,
    caller: &'a Caller,
    admission: &'a Admission<'a>,
    batch: String,
    permit: Authorized,
    entries: Vec<Entry>,
    admitted: BTreeMap<ReleaseId, Release>,
    trees: HashMap<InputDigest, TreeDigest>,
    /// By which rule each of those is.
    rules: Vec<(ReleaseId, String)>,
    newly_held: Vec<Hold>,
    let_go: u64,
    withdrawals: Vec<Withdrawal>,
    /// Those of the advisories that come.
    documents: Vec<Sha256>,
}

impl Admitting<'_> {
    /// Plans on a view: what of all that is new there, and whether it may come in.
    fn plan(&mut self, view: &Replica, coming: &[Coming]) -> Result<(), SubmitError> {
        self.entries.clear();
        self.admitted.clear();
        self.trees.clear();
        self.rules.clear();
        self.newly_held.clear();
        self.let_go = 0;
        self.withdrawals.clear();
        self.documents.clear();
        let facts = view.index().facts()?;
        for one in coming {
            self.one(view, &facts, one)?;
        }
        self.holds(view)?;
        self.let_go(view)?;
        let seen = facts.cursor(self.admission.upstream).map_or(0, |cursor| cursor.size);
        self.withdraw(view, seen, facts.is_closed())?;
        self.heard(view, seen)?;
        if facts.is_closed() {
            let removed = self.withdrawals.iter().filter(|one| one.verb == WithdrawalVerb::Remove);
            let leaving: BTreeSet<ReleaseId> = removed.map(|one| one.id.clone()).collect();
            After { index: view.index(), leaving: &leaving, published: &self.admitted }.check()?;
        }
        let mut change = Change::default();
        for release in self.admitted.values() {
            change.add(release.id.name.owner_name(), release.size);
        }
        // Who only reads is not told how near it is.
        change.check(view.index())?;
        if self.admission.more {
            return Ok(());
        }
        self.rotated(&facts)?;
        self.pin(&facts)
    }

    fn one(&mut self, own: &Replica, facts: &RegistryFacts, coming: &Coming) -> Result<(), SubmitError> {
        let (index, release) = (own.index(), &coming.view.release);
        let id = &release.id;
        if let Some(there) = index.release(id)? {
            return match there.release.tree == release.tree {
                true => Ok(()),
                false => Err(SubmitError::AlreadyPublished {
                    id: id.clone(),
                    published: there.release.tree,
                    offered: release.tree,
                }),
            };
        }
        let upstream = self.admission.upstream;
        match index.tier_of(&id.name)? {
            Some(Tier::Above(registry)) if registry == upstream => {}
            Some(tier) => {
                let upstream = Some(upstream.to_owned());
                return Err(SubmitError::OtherTier { name: id.name.clone(), tier, upstream });
            }
            None => {}
        }
        let kind = index.kind_of(&id.name)?;
        if let Some(kind) = kind.filter(|kind| *kind != release.kind) {
            return Err(SubmitError::OtherKind { name: id.name.clone(), kind, offered: release.kind });
        }
        refuse_kind(facts, Some(id), release.kind)?;
        if let Some(view) = withheld(index, release)? {
            let quarantined = view.release.id;
            return Err(SubmitError::QuarantinedContent { id: id.clone(), quarantined });
        }
        self.same_inputs(own, release)?;
        if kind.is_none()
            && let Some(existing) = index.mistaken_for(&id.name)?
        {
            return Err(SubmitError::Confusable { name: id.name.clone(), existing });
        }
        let facts = ReleaseFacts {
            advised: advised(index, Some(self.admission.from.replica.index()), id)?,
            ..ReleaseFacts::from(release).published_at(published_above(
                index,
                &coming.view,
                upstream,
                self.admission.from.is_transcript,
            )?)
        };
        let request = Request {
            caller: self.caller,
            verb: Verb::Admit,
            target: Target::Release(id.clone()),
            owner_belongs_to: None,
            release: Some(ReleaseFacts { upstream: Some(upstream), ..facts }),
        };
        let permit = authorize(&*self.registrar.gate, request)?;
        let record = Box::new(release.clone().into());
        let action = Action::Admit { release: record, from: coming.origin.clone() };
        self.entries.push(Entry::new(&permit, &self.batch, action)?);
        if let Some(withdrawal) = flow::as_it_comes(&coming.view, upstream) {
            self.entries.push(Entry::new(&permit, &self.batch, Action::Withdraw(withdrawal))?);
        }
        self.rules.push((id.clone(), permit.decision().policy.clone().into_owned()));
        self.trees.insert(release.input_digest, release.tree);
        self.admitted.insert(id.clone(), release.clone());
        Ok(())
    }

    /// What it was built with must be the same here, and what it was built to, too.
    fn same_inputs(&self, own: &Replica, release: &Release) -> Result<(), SubmitError> {
        for dependency in &release.dependencies {
            let (Some(baked), Some(id)) = (&dependency.baked, dependency.baked_id()) else { continue };
            let here = match self.admitted.get(&id) {
                Some(admitted) => Some((admitted.input_digest, admitted.tree)),
                None => own.index().release(&id)?.map(|view| (view.release.input_digest, view.release.tree)),
            };
            // Packages that are published as they are may have the same inputs by what is said of them, and other files.
            let there = self.admission.from.replica.index().release(&id)?.map(|view| view.release.tree);
            let is_same = |(input_digest, tree)| {
                input_digest == baked.input_digest && there.is_none_or(|there| there == tree)
            };
            if !here.is_some_and(is_same) {
                return Err(SubmitError::BuiltWithOther {
                    id: release.id.clone(),
                    with: id,
                    upstream: self.admission.upstream.to_owned(),
                });
            }
        }
        let bound = match own.index().by_input_digest(&release.input_digest)?.first() {
            Some(view) => Some(view.release.tree),
            None => self.trees.get(&release.input_digest).copied(),
        };
        match bound.filter(|bound| *bound != release.tree) {
            Some(bound) => Err(SubmitError::SecondTree {
                id: release.id.clone(),
                input_digest: release.input_digest,
                bound,
                offered: release.tree,
            }),
            None => Ok(()),
        }
    }

    /// What was withdrawn above, or taken back. A closed registry keeps what something here was built with: that is its promise,
    /// whatever is removed above.
    fn withdraw(&mut self, own: &Replica, seen: u64, is_closed: bool) -> Result<(), SubmitError> {
        let above = self.admission.from.replica.index();
        self.withdrawals.extend(flow::withdrawals(own.index(), above, self.admission.upstream, seen)?);
        if is_closed {
            flow::keep_what_is_needed(own.index(), self.admitted.values(), &mut self.withdrawals)?;
        }
        for withdrawal in &self.withdrawals {
            let action = Action::Withdraw(withdrawal.clone());
            self.entries.push(Entry::new(&self.permit, &self.batch, action)?);
        }
        Ok(())
    }

    /// What is known above against packages that come from there, and is not known here, or counts no more.
    fn heard(&mut self, own: &Replica, seen: u64) -> Result<(), SubmitError> {
        let above = self.admission.from.replica.index();
        let coming = self.admitted.keys().map(|id| &id.name).collect();
        for action in heard::heard(own.index(), above, self.admission.upstream, seen, &coming)? {
            if let Action::Advise(advice) = &action {
                self.documents.push(advice.advisory.document);
            }
            self.entries.push(Entry::new(&self.permit, &self.batch, action)?);
        }
        Ok(())
    }

    /// The content that readers may have no more, or again, and which of the two.
    fn places(&self, own: &Replica) -> Result<Vec<(Object, bool)>, SubmitError> {
        let mut objects = BTreeSet::new();
        for withdrawal in &self.withdrawals {
            let Some(view) = own.index().release(&withdrawal.id)? else { continue };
            objects.extend(content_of(&view.release));
        }
        let offered: HashSet<Object> = self.admitted.values().flat_map(content_of).collect();
        let mut places = Vec::new();
        for object in objects {
            let reach = reach(own.index(), object, offered.contains(&object), |view| self.standing_of(view))?;
            places.push((object, reach.is_withheld()));
        }
        // What comes in, or is told, may be what only quarantined releases named.
        let beside = self.admitted.values().flat_map(named_beside).map(Object::from);
        for object in beside.chain(self.documents.iter().map(|document| Object::File(*document))) {
            if reach(own.index(), object, true, |view| self.standing_of(view))?.quarantined {
                places.push((object, false));
            }
        }
        Ok(places)
    }

    /// How a release stands after what was withdrawn above, or taken back.
    fn standing_of(&self, view: &ReleaseView) -> Withdrawals {
        let of_it = self.withdrawals.iter().filter(|one| one.id == view.release.id);
        of_it.fold(view.into(), |standing: Withdrawals, one| standing.after(one.verb))
    }

    /// What is held and was not so before, or for another reason.
    fn holds(&mut self, own: &Replica) -> Result<(), SubmitError> {
        let mut told: HashSet<&ReleaseId> = HashSet::new();
        for hold in &self.admission.held {
            let id = &hold.id;
            if !told.insert(id) || self.admitted.contains_key(id) || own.index().release(id)?.is_some() {
                continue;
            }
            let known = own.index().held_of(&id.name)?.into_iter().find(|known| known.hold.id == *id);
            if known.is_none_or(|known| known.hold != *hold) {
                self.entries.push(Entry::new(&self.permit, &self.batch, Action::Hold(hold.clone()))?);
                self.newly_held.push(hold.clone());
            }
        }
        Ok(())
    }

    /// What was held of that registry and is no longer; what comes in is so without being told.
    fn let_go(&mut self, own: &Replica) -> Result<(), SubmitError> {
        for over in &self.admission.over {
            let held = own.index().held_of(&over.id.name)?.into_iter().any(|held| held.hold.id == over.id);
            if held && !self.admitted.contains_key(&over.id) {
                self.entries.push(Entry::new(&self.permit, &self.batch, Action::Unhold(over.clone()))?);
                self.let_go += 1;
            }
        }
        Ok(())
    }

    /// Names the key that the other signs with by now, where that one which the log names has led to it: whoever meets the other for the first
    /// time does not believe the old one.
    fn rotated(&mut self, facts: &RegistryFacts) -> Result<(), SubmitError> {
        let keys: Vec<String> =
            self.admission.from.replica.keys().keys().iter().map(ToString::to_string).collect();
        let Some(key) = keys.first() else { return Ok(()) };
        let mut upstreams = facts.upstreams().to_vec();
        let is_left =
            |above: &&mut Upstream| above.name == self.admission.upstream && !keys.contains(&above.key);
        let Some(above) = upstreams.iter_mut().find(is_left) else { return Ok(()) };
        above.key = key.clone();
        let description = Description { upstreams: Some(upstreams), ..Description::default() };
        self.entries.push(Entry::new(&self.permit, &self.batch, Action::Describe(description))?);
        Ok(())
    }

    /// Says up to where the other's log was looked through.
    fn pin(&mut self, facts: &RegistryFacts) -> Result<(), SubmitError> {
        if self.entries.is_empty() && !self.admission.pin {
            return Ok(());
        }
        let Some(checkpoint) = self.admission.from.replica.checkpoint() else { return Ok(()) };
        let (size, root) = (checkpoint.size(), recorded(checkpoint.root()));
        let before = facts.cursor(self.admission.upstream);
        // Somebody else may have followed it further meanwhile.
        if before.is_some_and(|cursor| cursor.size > size) {
            return Ok(());
        }
        let is_told = |cursor: &Cursor| {
            cursor.size == size && cursor.root == root && was_looked_through_lately(cursor, self.caller.at())
        };
        if self.entries.is_empty() && before.is_some_and(is_told) {
            return Ok(());
        }
        let registry = self.admission.upstream.to_owned();
        let pin = Action::Upstream { registry, size, root };
        self.entries.push(Entry::new(&self.permit, &self.batch, pin)?);
        Ok(())
    }
}
