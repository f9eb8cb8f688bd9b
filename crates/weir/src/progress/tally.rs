//! How far the builds of a plan are, as plain data.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::ReleaseId;
use weir_reach::PlannedBuild;

use crate::output::short;

/// How many builds may wait before it is no longer told for what each of them does.
const FEW: usize = 3;

/// The builds of a plan, and how far each is.
#[derive(Debug, Default)]
pub(super) struct Tally {
    planned: Vec<PlannedBuild>,
    begun: BTreeMap<ReleaseId, BuildProgress>,
}

/// How far a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BuildProgress {
    Running,
    Built,
    Failed,
}

impl Tally {
    pub(super) fn new(planned: &[PlannedBuild]) -> Self {
        Self { planned: planned.to_vec(), begun: BTreeMap::new() }
    }

    pub(super) fn begin(&mut self, release: &ReleaseId) {
        self.set(release, BuildProgress::Running);
    }

    pub(super) fn built(&mut self, release: &ReleaseId) {
        self.set(release, BuildProgress::Built);
    }

    pub(super) fn failed(&mut self, release: &ReleaseId) {
        self.set(release, BuildProgress::Failed);
    }

    fn set(&mut self, release: &ReleaseId, standing: BuildProgress) {
        // A build that nobody announced, such as a second one to compare with, counts too.
        if !self.planned.iter().any(|planned| planned.release == *release) {
            self.planned.push(PlannedBuild { release: release.clone(), needs: Vec::new() });
        }
        self.begun.insert(release.clone(), standing);
    }

    pub(super) fn total(&self) -> usize {
        self.planned.len()
    }

    /// How many have ended, well or not.
    pub(super) fn ended(&self) -> usize {
        self.begun.values().filter(|standing| **standing != BuildProgress::Running).count()
    }

    /// Whether none is running, and none will.
    pub(super) fn is_over(&self) -> bool {
        self.begun.values().all(|standing| *standing != BuildProgress::Running) && self.waiting().is_empty()
    }

    /// The widest name, in characters.
    pub(super) fn widest(&self) -> usize {
        self.planned.iter().map(|planned| short(&planned.release).chars().count()).max().unwrap_or_default()
    }

    /// `3/15 built, 2 running, 10 waiting`; what failed and what is left out because of it, where there is any.
    pub(super) fn summary(&self) -> String {
        let of = |wanted| self.begun.values().filter(|standing| **standing == wanted).count();
        let waiting = self.waiting().len();
        let (built, running, failed) =
            (of(BuildProgress::Built), of(BuildProgress::Running), of(BuildProgress::Failed));
        let left_out = self.total() - built - running - failed - waiting;
        let mut text = format!("{built}/{} built", self.total());
        let others = [(running, "running"), (waiting, "waiting"), (failed, "failed"), (left_out, "left out")];
        for (number, word) in others.into_iter().filter(|(number, _)| *number > 0) {
            text.push_str(&format!(", {number} {word}"));
        }
        text
    }

    /// What waits for what, where few are waiting.
    pub(super) fn waits(&self) -> Vec<String> {
        let waiting = self.waiting();
        if waiting.len() > FEW {
            return Vec::new();
        }
        let line = |planned: &PlannedBuild| {
            let needs =
                planned.needs.iter().filter(|need| self.begun.get(need) != Some(&BuildProgress::Built));
            let needs: Vec<String> = needs.map(|need| need.name.to_string()).collect();
            let what = if needs.is_empty() { "its turn".to_owned() } else { needs.join(" and ") };
            format!("{} waits for {what}", short(&planned.release))
        };
        waiting.into_iter().map(line).collect()
    }

    /// What has not begun and still can: nothing that it needs has failed.
    fn waiting(&self) -> Vec<&PlannedBuild> {
        let mut lost: BTreeSet<&ReleaseId> = BTreeSet::new();
        let failed = self.begun.iter().filter(|(_, standing)| **standing == BuildProgress::Failed);
        lost.extend(failed.map(|(release, _)| release));
        let mut waiting = Vec::new();
        // A plan is in order: whatever a build needs stands before it.
        for planned in &self.planned {
            if planned.needs.iter().any(|need| lost.contains(need)) {
                lost.insert(&planned.release);
            } else if !self.begun.contains_key(&planned.release) {
                waiting.push(planned);
            }
        }
        waiting
    }
}

#[cfg(test)]
mod tests {
    use weir_model::{Platform, ReleaseId};
    use weir_reach::PlannedBuild;

    use super::Tally;

    fn id(name: &str) -> ReleaseId {
        ReleaseId {
            name: format!("base/{name}").parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            platform: Platform::any(),
            revision: 0,
        }
    }

    /// Each package with what it needs.
    fn tally(packages: &[(&str, &[&str])]) -> Tally {
        let planned = packages.iter().map(|(name, needs)| PlannedBuild {
            release: id(name),
            needs: needs.iter().map(|need| id(need)).collect(),
        });
        Tally::new(&planned.collect::<Vec<_>>())
    }

    #[test]
    fn a_summary_counts_what_there_is() {
        let mut tally = tally(&[("zlib", &[]), ("curl", &["zlib"]), ("fmt", &[]), ("top", &["curl", "fmt"])]);
        assert_eq!(tally.summary(), "0/4 built, 4 waiting");
        tally.begin(&id("zlib"));
        tally.begin(&id("fmt"));
        assert_eq!(tally.summary(), "0/4 built, 2 running, 2 waiting");
        assert_eq!(
            tally.waits(),
            ["base/curl 1.0.0 waits for base/zlib", "base/top 1.0.0 waits for base/curl and base/fmt"]
        );
        tally.built(&id("fmt"));
        tally.built(&id("zlib"));
        assert_eq!(
            tally.waits(),
            ["base/curl 1.0.0 waits for its turn", "base/top 1.0.0 waits for base/curl"]
        );
        assert!(!tally.is_over());
    }

    #[test]
    fn what_needs_something_that_failed_waits_no_more() {
        let mut tally = tally(&[("zlib", &[]), ("curl", &["zlib"]), ("top", &["curl"]), ("fmt", &[])]);
        tally.begin(&id("zlib"));
        tally.failed(&id("zlib"));
        assert_eq!(tally.summary(), "0/4 built, 1 waiting, 1 failed, 2 left out");
        tally.begin(&id("fmt"));
        tally.built(&id("fmt"));
        assert!(tally.is_over());
    }

    #[test]
    fn it_is_not_told_what_each_of_many_waits_for() {
        let many = tally(&[("a", &[]), ("b", &[]), ("c", &[]), ("d", &[])]);
        assert!(many.waits().is_empty());
    }
}
