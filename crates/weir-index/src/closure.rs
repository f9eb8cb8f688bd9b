//! What a release brings along: all that it needs, directly or through others, as whoever installs it now gets it.

use std::collections::{HashMap, VecDeque};

use rusqlite::OptionalExtension as _;
use weir_model::{Dependency, PackageName, Release, ReleaseId, Scope};
use weir_rules::{Standing, best, is_meant};

use crate::error::IndexError;
use crate::index::Index;
use crate::view::ReleaseView;

/// All that a release needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    /// The releases: the one that was asked about, then what it needs, then what that needs.
    pub releases: Vec<ReleaseId>,
    /// Which of them needs which, by their places.
    pub needs: Vec<(usize, usize)>,
    /// What is needed and not offered here.
    pub missing: Vec<PackageName>,
    /// What of it is withdrawn: of the releases, and of what is missing.
    pub withdrawn: Vec<WithdrawnNeed>,
    /// Whether that is all: not where there is more than was asked for.
    pub complete: bool,
}

/// A release that is needed and was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawnNeed {
    /// Which.
    pub id: ReleaseId,
    /// How it stands.
    pub standing: Standing,
    /// Why, if that was said.
    pub reason: Option<String>,
}

impl Index {
    /// What is withdrawn of a dependency of `id`, if that keeps whoever takes it from having what was meant: the release that it is fixed
    /// to; or where it may move and nothing is offered that it could move to, the newest that it could.
    pub fn withdrawn_need(
        &self,
        id: &ReleaseId,
        dependency: &Dependency,
    ) -> Result<Option<WithdrawnNeed>, IndexError> {
        if let Some(baked) = dependency.baked_id() {
            return Ok(self.release(&baked)?.as_ref().and_then(WithdrawnNeed::of));
        }
        // Most packages have nothing withdrawn, and their releases need not be read.
        let mut statement = self
            .connection
            .prepare_cached("SELECT 1 FROM package WHERE name = ?1 AND yanked + quarantined > 0")?;
        if statement.query_row([dependency.name.as_str()], |_| Ok(())).optional()?.is_none() {
            return Ok(None);
        }
        let Some(candidates) = self.candidates(&dependency.name)? else { return Ok(None) };
        let (range, platform) = (&dependency.range, &id.platform);
        if best(&candidates.releases, range, platform).is_some() {
            return Ok(None);
        }
        let newest = candidates.releases.iter().find(|candidate| is_meant(*candidate, range, platform));
        Ok(newest.map(|candidate| WithdrawnNeed {
            id: candidate.id(&dependency.name),
            standing: candidate.standing,
            reason: candidate.reason.as_deref().map(str::to_owned),
        }))
    }

    /// The same of each dependency of a release, in their order.
    pub fn withdrawn_needs(&self, release: &Release) -> Result<Vec<Option<WithdrawnNeed>>, IndexError> {
        release.dependencies.iter().map(|dependency| self.withdrawn_need(&release.id, dependency)).collect()
    }

    /// All that a release needs, of at most `most` releases: what was baked, and where a dependency may move, what would be chosen for its
    /// range alone. What is needed only to work on a package is not among it. `None` if there is no such release.
    pub fn closure(&self, id: &ReleaseId, most: usize) -> Result<Option<Closure>, IndexError> {
        let _still = self.reading()?;
        if self.release(id)?.is_none() {
            return Ok(None);
        }
        let mut closure = Closure {
            releases: vec![id.clone()],
            needs: Vec::new(),
            missing: Vec::new(),
            withdrawn: Vec::new(),
            complete: true,
        };
        let mut places = HashMap::from([(id.clone(), 0)]);
        let mut waiting = VecDeque::from([0]);
        while let Some(place) = waiting.pop_front() {
            let Some(view) = self.release(&closure.releases[place])? else { continue };
            closure.withdrawn.extend(WithdrawnNeed::of(&view));
            for dependency in view.release.dependencies.iter().filter(|one| one.scope != Scope::Dev) {
                let Some(needed) = self.chosen(&view.release.id, dependency)? else {
                    if !closure.missing.contains(&dependency.name) {
                        closure.missing.push(dependency.name.clone());
                        closure.withdrawn.extend(self.withdrawn_need(&view.release.id, dependency)?);
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

impl WithdrawnNeed {
    /// That of a release that is not simply offered.
    fn of(view: &ReleaseView) -> Option<Self> {
        let withdrawn = view.withdrawn()?;
        Some(Self {
            id: view.release.id.clone(),
            standing: view.standing(),
            reason: withdrawn.reason.clone(),
        })
    }
}
