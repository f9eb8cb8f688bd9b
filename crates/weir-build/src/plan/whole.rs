//! What of a plan can be carried out although some of it could not be built.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::{Dependency, PackageName, ReleaseId, Scope};

use super::{Offered, On, Plan};

/// Steps and releases that leave, by their place in a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whole {
    /// What is built.
    pub builds: BTreeSet<usize>,
    /// What leaves.
    pub leaves: BTreeSet<usize>,
}

impl Whole {
    /// All of a plan.
    pub fn all(plan: &Plan) -> Self {
        Self { builds: (0..plan.builds.len()).collect(), leaves: (0..plan.leaves.len()).collect() }
    }

    /// As much of a plan as leaves what is offered closed, where only the steps in `built` were built.
    ///
    /// What could not be built stays as it is offered. So what it was built with stays too, and nothing takes the place
    /// of that; and what is built with something that does not come does not come either.
    pub fn of(plan: &Plan, offered: &[Offered], built: &BTreeSet<usize>) -> Self {
        let mut stays: BTreeSet<&PackageName> = BTreeSet::new();
        let place: BTreeMap<&ReleaseId, &Offered> =
            offered.iter().map(|offered| (&offered.id, offered)).collect();
        loop {
            let before = stays.len();
            for (index, step) in plan.builds.iter().enumerate() {
                let needs_what_stays = step.dependencies.iter().any(|dependency| match dependency.on {
                    On::Step(below) => stays.contains(&plan.builds[below].id.name),
                    On::Offered(_) => false,
                });
                if !built.contains(&index) || needs_what_stays {
                    stays.insert(&step.id.name);
                }
            }
            for leaving in
                plan.leaves.iter().filter(|leaving| stays.contains(&leaving.id.name)).collect::<Vec<_>>()
            {
                let Some(offered) = place.get(&leaving.id) else { continue };
                let with = offered.dependencies.iter().filter(|dependency| dependency.scope != Scope::Dev);
                for id in with.filter_map(Dependency::baked_id) {
                    stays.extend(
                        plan.leaves
                            .iter()
                            .map(|leaving| &leaving.id)
                            .filter(|left| **left == id)
                            .map(|left| &left.name),
                    );
                }
            }
            if stays.len() == before {
                break;
            }
        }
        let goes = |name: &PackageName| !stays.contains(name);
        let builds = plan.builds.iter().enumerate().filter(|(_, step)| goes(&step.id.name));
        let leaves = plan.leaves.iter().enumerate().filter(|(_, leaving)| goes(&leaving.id.name));
        Self {
            builds: builds.map(|(index, _)| index).collect(),
            leaves: leaves.map(|(index, _)| index).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::repository::{Repository, names};
    use super::super::{Plan, PlanRequest};
    use super::Whole;

    /// What comes of a plan where all but these are built.
    fn without(repository: &Repository, plan: &Plan, failed: &[&str]) -> (String, usize) {
        let built = plan.builds.iter().enumerate().filter(|(_, step)| !failed.contains(&step.id.name.name()));
        let whole = Whole::of(plan, &repository.offered, &built.map(|(index, _)| index).collect());
        let names: Vec<_> = whole.builds.iter().map(|index| plan.builds[*index].id.name.name()).collect();
        (names.join(" "), whole.leaves.len())
    }

    #[test]
    fn what_needs_nothing_that_failed_comes() {
        let repository =
            Repository::new(&["zlib 1.0.0", "png 1.0.0: zlib *", "fmt 1.0.0", "view 1.0.0: png *; fmt *"]);
        let plan = repository.plan(&PlanRequest::AddAll).unwrap();
        assert_eq!(without(&repository, &plan, &["png"]), ("fmt zlib".into(), 0));
        assert_eq!(without(&repository, &plan, &["zlib"]), ("fmt".into(), 0));
        assert_eq!(without(&repository, &plan, &[]), ("fmt zlib png view".into(), 0));
    }

    #[test]
    fn what_stays_keeps_what_it_was_built_with() {
        let mut repository =
            Repository::new(&["zlib 1.0.0", "png 1.0.0: zlib *", "curl 1.0.0: zlib *", "fmt 1.0.0"]);
        repository.carry_out(&PlanRequest::AddAll);
        repository.edit("zlib");
        repository.edit("fmt");
        let plan = repository.plan(&PlanRequest::UpdateAll).unwrap();
        // png stays with the zlib that it was built with, so no other zlib comes, nor what was built with that.
        assert_eq!(without(&repository, &plan, &["png"]), ("fmt".into(), 1));
        assert_eq!(without(&repository, &plan, &["fmt"]), ("zlib curl png".into(), 3));
        let plan = repository.plan(&PlanRequest::Update(names("fmt"))).unwrap();
        assert_eq!(without(&repository, &plan, &["fmt"]), (String::new(), 0));
    }
}
