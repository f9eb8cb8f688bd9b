//! What a release brings along: all that it needs, directly or through others, as whoever installs it now gets it.

use std::collections::{HashMap, VecDeque};

use weir_model::{Dependency, PackageName, ReleaseId, Scope};
use weir_rules::best;

use crate::error::IndexError;
use crate::index::Index;

/// All that a release needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    /// The releases: the one that was asked about, then what it needs, then what that needs.
    pub releases: Vec<ReleaseId>,
    /// Which of them needs which, by their places.
    pub needs: Vec<(usize, usize)>,
    /// What is needed and not offered here.
    pub missing: Vec<PackageName>,
    /// Whether that is all: not where there is more than was asked for.
    pub complete: bool,
}

impl Index {
    /// All that a release needs, of at most `most` releases: what was baked, and where a dependency may move, what would be chosen for its
    /// range alone. What is needed only to work on a package is not among it. `None` if there is no such release.
    pub fn closure(&self, id: &ReleaseId, most: usize) -> Result<Option<Closure>, IndexError> {
        let _still = self.reading()?;
        if self.release(id)?.is_none() {
            return Ok(None);
        }
        let mut closure =
            Closure { releases: vec![id.clone()], needs: Vec::new(), missing: Vec::new(), complete: true };
        let mut places = HashMap::from([(id.clone(), 0)]);
        let mut waiting = VecDeque::from([0]);
        while let Some(place) = waiting.pop_front() {
            let Some(view) = self.release(&closure.releases[place])? else { continue };
            for dependency in view.release.dependencies.iter().filter(|one| one.scope != Scope::Dev) {
                let Some(needed) = self.chosen(&view.release.id, dependency)? else {
                    if !closure.missing.contains(&dependency.name) {
                        closure.missing.push(dependency.name.clone());
                    }
                    continue;
                };
                let known = places.get(&needed).copied();
                if known.is_none() && closure.releases.len() >= most {
                    closure.complete = false;
                    continue;
                }
                let needed = known.unwrap_or_else(|| {
                    let next = closure.releases.len();
                    closure.releases.push(needed.clone());
                    places.insert(needed, next);
                    waiting.push_back(next);
                    next
                });
                // A package can need another to run and to be built.
                if !closure.needs.contains(&(place, needed)) {
                    closure.needs.push((place, needed));
                }
            }
        }
        Ok(Some(closure))
    }

    fn chosen(&self, id: &ReleaseId, dependency: &Dependency) -> Result<Option<ReleaseId>, IndexError> {
        if let Some(baked) = dependency.baked_id() {
            return Ok(Some(baked));
        }
        let Some(candidates) = self.candidates(&dependency.name)? else { return Ok(None) };
        let chosen = best(&candidates.releases, &dependency.range, &id.platform);
        Ok(chosen.map(|candidate| candidate.id(&dependency.name)))
    }
}
