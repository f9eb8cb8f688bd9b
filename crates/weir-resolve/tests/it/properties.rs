//! What holds for every world.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};
use weir_model::{KindName, PackageName, ReleaseId, Version};
use weir_resolve::{Lock, Request, Resolution, ResolveError};

use crate::world::{World, name, range, requirements, version};

const NAMES: [&str; 5] = ["acme/a", "acme/b", "acme/c", "acme/d", "acme/e"];

/// A package and a range, by their index in [`NAMES`] and [`RANGES`].
type Need = (usize, usize);

/// Kinds of the packages, releases (package, version, needs) and requirements.
#[derive(Debug, Clone)]
struct Plan {
    kinds: Vec<&'static str>,
    releases: Vec<(usize, u32, Vec<Need>)>,
    required: Vec<Need>,
}

/// What each release needs, by package and major version.
type Offered<'a> = BTreeMap<usize, BTreeMap<u32, &'a [Need]>>;

/// What a release may need; the project may ask for all but the last two, which are baked.
const RANGES: [&str; 8] = ["*", "^1", "^2", ">=2", "=1.0.0", "^1 || ^3", "@1.0.0", "@2.0.0"];

fn plans(kinds: &'static [&'static str]) -> impl Strategy<Value = Plan> {
    let need = (0..NAMES.len(), 0..RANGES.len());
    let requirement = (0..NAMES.len(), 0..RANGES.len() - 2);
    let release = (0..NAMES.len(), 1..5_u32, proptest::collection::vec(need, 0..3));
    let kind = proptest::sample::select(kinds);
    (
        proptest::collection::vec(kind, NAMES.len()),
        proptest::collection::vec(release, 1..16),
        proptest::collection::vec(requirement, 1..3),
    )
        .prop_map(|(kinds, releases, required)| Plan { kinds, releases, required })
}

impl Plan {
    fn lines(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let mut lines = Vec::new();
        for (package, major, needs) in &self.releases {
            if !seen.insert((*package, *major)) {
                continue;
            }
            let needs: Vec<String> = needs
                .iter()
                .map(|(target, range)| format!("{} {}", NAMES[*target], RANGES[*range]))
                .collect();
            let kind = self.kinds[*package];
            lines.push(format!("{kind} {} {major}.0.0 -> {}", NAMES[*package], needs.join("; ")));
        }
        lines
    }

    fn world(&self) -> World {
        World::new(&self.lines().join("\n"))
    }

    fn requirements(&self) -> String {
        let each =
            self.required.iter().map(|(target, range)| format!("{} {}", NAMES[*target], RANGES[*range]));
        each.collect::<Vec<_>>().join("; ")
    }

    fn resolve(&self, world: &World, lock: Option<&Lock>) -> Result<Resolution, String> {
        let requirements = requirements(&self.requirements());
        match world.resolver().resolve(Request { requirements: &requirements, lock }) {
            Ok(resolution) => Ok(resolution),
            Err(ResolveError::Impossible(explanation)) => Err(explanation.to_string()),
            Err(other) => panic!("{other}"),
        }
    }

    fn release(&self, id: &ReleaseId) -> &(usize, u32, Vec<Need>) {
        let is_it = |(package, major, _): &&(usize, u32, Vec<Need>)| {
            name(NAMES[*package]) == id.name && u64::from(*major) == id.version.major()
        };
        self.releases.iter().find(is_it).unwrap()
    }

    /// Whether some choice of one version of each unified package (or none) meets everything: tried one by one.
    fn has_solution(&self) -> bool {
        let mut offered = Offered::new();
        for (package, major, needs) in &self.releases {
            offered.entry(*package).or_default().entry(*major).or_insert(needs);
        }
        let mut choice = [0_u32; NAMES.len()];
        loop {
            if self.meets_everything(&offered, choice) {
                return true;
            }
            let Some(digit) = choice.iter().position(|digit| *digit < 4) else { return false };
            choice[..digit].fill(0);
            choice[digit] += 1;
        }
    }

    /// Of isolated packages any release may be taken for each need; of unified ones, that of `choice`. Releases with a need
    /// that nothing meets are struck out until none is left; what is left can be used together.
    fn meets_everything(&self, offered: &Offered<'_>, choice: [u32; NAMES.len()]) -> bool {
        let is_unified = |target: usize| self.kinds[target].parse().is_ok_and(KindName::is_unified);
        let mut usable: BTreeSet<(usize, u32)> = BTreeSet::new();
        for (package, releases) in offered {
            let chosen = releases.keys().filter(|major| !is_unified(*package) || **major == choice[*package]);
            usable.extend(chosen.map(|major| (*package, *major)));
        }
        let fits = |usable: &BTreeSet<(usize, u32)>, (target, wanted): Need| -> Vec<u32> {
            let of_target = usable.iter().filter(|(package, _)| *package == target).map(|(_, major)| *major);
            of_target.filter(|major| accepts(wanted, &version(&format!("{major}.0.0")))).collect()
        };
        loop {
            let is_met = |one: &&(usize, u32)| {
                offered[&one.0][&one.1].iter().all(|need| !fits(&usable, *need).is_empty())
            };
            let left: BTreeSet<_> = usable.iter().filter(is_met).copied().collect();
            if left == usable {
                break;
            }
            usable = left;
        }
        // What the project asks for twice, it has once.
        (0..NAMES.len()).all(|package| {
            let lines = self.required.iter().filter(|(target, _)| *target == package);
            let sets: Vec<BTreeSet<u32>> =
                lines.map(|need| fits(&usable, *need).into_iter().collect()).collect();
            let in_common = sets.iter().skip(1).fold(sets.first().cloned(), |all, set| Some(&all? & set));
            in_common.is_none_or(|common| !common.is_empty())
        })
    }
}

fn accepts(wanted: usize, version: &Version) -> bool {
    match RANGES[wanted].strip_prefix('@') {
        Some(baked) => *version == self::version(baked),
        None => range(RANGES[wanted]).contains(version),
    }
}

fn check_closed(plan: &Plan, resolution: &Resolution) {
    for (edge, (target, wanted)) in resolution.roots.iter().zip(&plan.required) {
        let node = resolution.target(edge);
        assert_eq!(node.id.name, name(NAMES[*target]));
        assert!(range(RANGES[*wanted]).contains(&node.id.version));
    }
    let mut reached = BTreeSet::new();
    let mut left: Vec<usize> = resolution.roots.iter().map(|edge| edge.to).collect();
    while let Some(index) = left.pop() {
        if reached.insert(index) {
            left.extend(resolution.nodes[index].edges.iter().map(|edge| edge.to));
        }
    }
    assert_eq!(reached.len(), resolution.nodes.len(), "every release is reached");
    for node in &resolution.nodes {
        let (_, _, needs) = plan.release(&node.id);
        assert_eq!(node.edges.len(), needs.len());
        for (edge, (target, wanted)) in node.edges.iter().zip(needs) {
            let id = &resolution.target(edge).id;
            assert!(
                id.name == name(NAMES[*target]) && accepts(*wanted, &id.version),
                "{} uses {id}",
                node.id
            );
            assert_eq!(edge.fluid.is_none(), RANGES[*wanted].starts_with('@'));
        }
    }
}

fn unified_names(resolution: &Resolution) -> Vec<&PackageName> {
    let unified = resolution.nodes.iter().filter(|node| KindName::is_unified(node.kind));
    unified.map(|node| &node.id.name).collect()
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(400))]

    #[test]
    fn there_is_a_resolution_exactly_when_some_choice_meets_everything(
        plan in plans(&["elm", "native", "bash"]),
    ) {
        let found = plan.resolve(&plan.world(), None);
        prop_assert_eq!(found.is_ok(), plan.has_solution(), "{:?}", found);
    }

    #[test]
    fn a_resolution_meets_every_need_and_holds_nothing_else(plan in plans(&["elm", "native", "bash"])) {
        if let Ok(resolution) = plan.resolve(&plan.world(), None) {
            check_closed(&plan, &resolution);
            let mut names = unified_names(&resolution);
            names.dedup();
            prop_assert_eq!(names.len(), unified_names(&resolution).len(), "one release a unified name");
        }
    }

    #[test]
    fn a_lockfile_resolves_to_itself_whatever_is_published_later(
        plan in plans(&["elm", "native", "bash"]),
        cut in 0..16_usize,
    ) {
        let lines = plan.lines();
        let before = World::new(&lines[..cut.min(lines.len())].join("\n"));
        if let Ok(resolution) = plan.resolve(&before, None) {
            let lock = Lock::from(&resolution);
            let again = plan.resolve(&plan.world(), Some(&lock));
            prop_assert_eq!(again, Ok(resolution));
        }
    }

    #[test]
    fn the_same_question_has_the_same_answer_whatever_the_order_of_releases(plan in plans(&["elm", "native", "bash"])) {
        let mut lines = plan.lines();
        let answer = plan.resolve(&World::new(&lines.join("\n")), None);
        lines.reverse();
        prop_assert_eq!(plan.resolve(&World::new(&lines.join("\n")), None), answer);
    }

    #[test]
    fn a_failure_is_always_explained(plan in plans(&["elm", "native", "bash"])) {
        if let Err(text) = plan.resolve(&plan.world(), None) {
            prop_assert!(text.contains("`weir.toml:"), "{}", text);
            prop_assert!(text.contains("\nSo") || !text.contains("1. "), "{}", text);
        }
    }
}
