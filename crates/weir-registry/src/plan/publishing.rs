//! Publishing: what a release must be to be registered, and what it is fixed to.

use weir_index::{IndexError, ReleaseView, Tier};
use weir_model::evidence::{HeldAs, evidence};
use weir_model::{
    Action, Baked, BuildFacts, Dependency, InputDigest, OwnerName, PackageName, ReferenceFact, Release,
    TreeDigest, check_facts,
};
use weir_policy::Authorized;
use weir_rules::bake;
use weir_wire::{Done, Draft, Outcome, Promotion, Wanted};

use super::promotion::Permit;
use super::{Planning, need_of, refuse_kind};
use crate::error::SubmitError;
use crate::within_reach::withheld_if;

impl Planning<'_> {
    /// Offers a release: a new one, or as it is in the registry that it is promoted from.
    pub(super) fn publish(
        &mut self,
        draft: &Draft,
        promotion: Option<&Promotion>,
    ) -> Result<(), SubmitError> {
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
        let release = match promotion {
            None => self.bake(draft)?,
            Some(promotion) => self.bake_as(promotion)?,
        };
        self.refuse_circle(&release)?;
        self.refuse_quarantined(&release)?;
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
                HeldAs::Pack(tree, size) => self.has_pack(release, &tree, size)?,
                HeldAs::File(sha256, _) => self.on.uploaded.file(&sha256)?,
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
    fn refuse_quarantined(&self, release: &Release) -> Result<(), SubmitError> {
        match withheld_if(self.on.index, release, |object| self.reach(object))? {
            Some(view) => {
                Err(SubmitError::QuarantinedContent { id: release.id.clone(), quarantined: view.release.id })
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
    pub(super) fn release(&self, draft: &Draft, baked: Vec<Option<Baked>>) -> Result<Release, SubmitError> {
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
    pub(super) fn bake_one(&mut self, draft: &Draft, wanted: &Wanted) -> Result<Option<Baked>, SubmitError> {
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
