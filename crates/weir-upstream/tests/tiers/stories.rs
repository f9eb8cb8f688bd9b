//! Whatever the order of claims, admissions, adoptions and publications at three tiers, a name stands for the releases of one owner, or for
//! none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use proptest::prelude::*;
use weir_model::record::UpstreamMode;
use weir_model::{PackageName, ReleaseId};
use weir_registry::{Intent, SubmitError};
use weir_upstream::AdmissionError;

use crate::world::{TIERS, World};

/// The packages that stories are about: two of one owner, and one of another.
const NAMES: [&str; 3] = ["acme/app", "acme/lib", "lib/str"];

/// Something that somebody does in a tier.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Publish { tier: usize, name: usize, version: u8 },
    Remove { tier: usize, name: usize, version: u8 },
    Claim { tier: usize, name: usize },
    Adopt { tier: usize, name: usize },
    GiveBack { tier: usize, name: usize },
    Ask { tier: usize, name: usize },
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = |name: &usize| NAMES[*name].split('/').next().unwrap_or_default();
        match self {
            Self::Publish { tier, name, version } => {
                write!(f, "{} {version}.0.0 is published in {}", NAMES[*name], TIERS[*tier])
            }
            Self::Remove { tier, name, version } => {
                write!(f, "{} {version}.0.0 is removed from {}", NAMES[*name], TIERS[*tier])
            }
            Self::Claim { tier, name } => write!(f, "{} is claimed in {}", owner(name), TIERS[*tier]),
            Self::Adopt { tier, name } => write!(f, "{} is adopted in {}", NAMES[*name], TIERS[*tier]),
            Self::GiveBack { tier, name } => write!(f, "{} is given back in {}", NAMES[*name], TIERS[*tier]),
            Self::Ask { tier, name } => write!(f, "{} is asked for in {}", NAMES[*name], TIERS[*tier]),
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let place = || (0..TIERS.len(), 0..NAMES.len());
    prop_oneof![
        4 => (place(), 1..4_u8).prop_map(|((tier, name), version)| Step::Publish { tier, name, version }),
        1 => (place(), 1..4_u8).prop_map(|((tier, name), version)| Step::Remove { tier, name, version }),
        1 => place().prop_map(|(tier, name)| Step::Claim { tier, name }),
        2 => place().prop_map(|(tier, name)| Step::Adopt { tier, name }),
        1 => place().prop_map(|(tier, name)| Step::GiveBack { tier, name }),
        5 => (1..TIERS.len(), 0..NAMES.len()).prop_map(|(tier, name)| Step::Ask { tier, name }),
    ]
}

/// Does it, or is refused; what the plan lets through and the log then contradicts is a mistake of ours.
fn take(world: &World, step: Step, at: usize) -> Result<(), TestCaseError> {
    let id = |name: usize, version: u8| format!("{} {version}.0.0", NAMES[name]);
    let named = |name: usize| NAMES[name].parse::<PackageName>().unwrap();
    let done = match step {
        Step::Publish { tier, name, version } => {
            let text = format!("published in {} by step {at}", TIERS[tier]);
            world.publish(tier, &id(name, version), &text).map(drop)
        }
        Step::Remove { tier, name, version } => world.remove(tier, &id(name, version)).map(drop),
        Step::Claim { tier, name } => {
            let (owner, who) = (named(name).owner_name(), vec!["user:ann".to_owned()]);
            world.submit(tier, Intent::Claim { owner, who }).map(drop)
        }
        Step::Adopt { tier, name } => {
            world.submit(tier, Intent::Adopt { name: named(name), back: false }).map(drop)
        }
        Step::GiveBack { tier, name } => {
            world.submit(tier, Intent::Adopt { name: named(name), back: true }).map(drop)
        }
        Step::Ask { tier, name } => match world.ask(tier, &[NAMES[name]]) {
            Err(AdmissionError::Submit(error)) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        },
    };
    match done {
        Err(error @ SubmitError::Fold(_)) => {
            Err(TestCaseError::fail(format!("{step:?}: the log contradicts the plan: {error}")))
        }
        _ => Ok(()),
    }
}

/// What must hold in every tier.
fn check(
    world: &World,
    seen: &mut BTreeMap<(usize, ReleaseId), String>,
    story: &[Step],
) -> Result<(), TestCaseError> {
    for (tier, tier_name) in TIERS.iter().enumerate() {
        let replica = world.reader(tier, "looking-on");
        let index = replica.index();
        let adopted: BTreeSet<PackageName> =
            index.adopted().unwrap().into_iter().map(|one| one.name).collect();
        let mut sources: BTreeMap<String, BTreeSet<Option<String>>> = BTreeMap::new();
        for view in index.live_releases().map(Result::unwrap) {
            let (id, tree) = (view.release.id, view.release.tree.to_string());
            let from = view.origin.map(|origin| origin.registry);
            let first = seen.entry((tier, id.clone())).or_insert_with(|| tree.clone());
            prop_assert_eq!(&*first, &tree, "{} in {} became another: {:#?}", id, tier_name, story);
            if let Some(above) = &from {
                let there = world.reader(tier - 1, "looking-up");
                let there = there.index().release(&id).unwrap();
                let same = there.as_ref().is_some_and(|view| view.release.tree.to_string() == tree);
                prop_assert!(same, "{} in {} is not what {} has: {:#?}", id, tier_name, above, story);
            }
            // Of an owner; what was adopted is this tier's own, with what it kept.
            if !adopted.contains(&id.name) {
                sources.entry(id.name.owner_name().to_string()).or_default().insert(from);
            }
        }
        for (owner, sources) in sources {
            prop_assert!(
                sources.len() == 1,
                "{} in {} is of several: {:?}: {:#?}",
                owner,
                tier_name,
                sources,
                story
            );
        }
    }
    Ok(())
}

/// How many stories are told; `WEIR_STORIES=500 cargo test -p weir-upstream` tells more.
fn cases() -> u32 {
    std::env::var("WEIR_STORIES").ok().and_then(|number| number.parse().ok()).unwrap_or(12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_name_stands_for_one_owners_releases_or_for_none(
        story in proptest::collection::vec(step(), 1..14),
        mirrored in proptest::bool::ANY,
    ) {
        let world = World::new(if mirrored { UpstreamMode::Mirror } else { UpstreamMode::OnDemand });
        let mut seen = BTreeMap::new();
        for (at, step) in story.iter().enumerate() {
            take(&world, *step, at)?;
            check(&world, &mut seen, &story[..=at])?;
        }
        // Who never saw the logs reads the same in them.
        for (tier, tier_name) in TIERS.iter().enumerate() {
            for (id, (_, tree)) in world.offered(tier) {
                prop_assert_eq!(seen.get(&(tier, id.clone())), Some(&tree), "{} in {}", id, tier_name);
            }
        }
    }
}
