//! Whose a name is: claims, and packages of registries above that are kept here.

use weir_index::Tier;
use weir_model::record::Adoption;
use weir_model::{Action, OwnerName, PackageName};
use weir_policy::{Target, Verb};
use weir_wire::Done;

use super::Planning;
use super::words::refuse_bad_holders;
use crate::error::SubmitError;

impl Planning<'_> {
    pub(super) fn claim(&mut self, owner: &OwnerName, who: &[String]) -> Result<(), SubmitError> {
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
    pub(super) fn adopt(&mut self, name: &PackageName, back: bool) -> Result<(), SubmitError> {
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
}
