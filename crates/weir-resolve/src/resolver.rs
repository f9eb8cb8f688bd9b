//! The resolver: requests in, resolutions or explanations out.

use std::sync::Arc;

use weir_model::PackageName;

use crate::catalogue::{Catalogue, CatalogueError};
use crate::explain::{Case, Explanation};
use crate::fallback;
use crate::preferred::Preferred;
use crate::request::{Lock, Requirement, Settings, SettingsError};
use crate::resolution::Resolution;
use crate::unified::{Selection, Unsolved, solve};
use crate::view::View;
use crate::walk::{Graph, Root, Seen, Stopped, Walker};

/// What is to be resolved.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// The packages that must be there.
    pub requirements: &'a [Requirement],
    /// Choices to keep while they satisfy.
    pub lock: Option<&'a Lock>,
}

/// Resolves requests against one view, and keeps what it learned for the next.
pub struct Resolver<V> {
    catalogue: Catalogue<V>,
}

/// Why there is no resolution.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError<E: std::error::Error + 'static> {
    /// The requirements cannot be met together.
    #[error("{0}")]
    Impossible(Box<Explanation>),
    /// The view could not answer.
    #[error("what the registry offers cannot be read")]
    View(#[source] E),
    /// A package has more releases than can be considered.
    #[error("`{name}` has too many releases: {count}")]
    TooManyReleases {
        /// The package.
        name: PackageName,
        /// How many it has.
        count: usize,
    },
    /// The search took too long; the requirements may or may not be possible.
    #[error("no resolution was found in {steps} steps: give narrower ranges for some packages")]
    GaveUp {
        /// How many steps were taken.
        steps: u32,
    },
}

impl<E: std::error::Error + 'static> From<CatalogueError<E>> for ResolveError<E> {
    fn from(error: CatalogueError<E>) -> Self {
        match error {
            CatalogueError::View(error) => Self::View(error),
            CatalogueError::TooManyReleases { name, count } => Self::TooManyReleases { name, count },
            CatalogueError::GaveUp { steps } => Self::GaveUp { steps },
        }
    }
}

impl<V: View> Resolver<V> {
    /// A resolver that has asked nothing yet.
    pub fn new(view: V, settings: Settings) -> Result<Self, SettingsError> {
        Ok(Self { catalogue: Catalogue::new(view, settings)? })
    }

    /// Finds releases that meet the requirements, or says why there are none.
    pub fn resolve(&self, request: Request<'_>) -> Result<Resolution, ResolveError<V::Error>> {
        let catalogue = &self.catalogue;
        self.bind(request.requirements)?;
        let preferred = match request.lock {
            Some(lock) => Preferred::new(catalogue, lock),
            None => Preferred::default(),
        };
        let roots = self.roots(request.requirements, &preferred)?;
        let seen = Seen::default();
        let walker =
            Walker { catalogue, lock: request.lock, preferred: &preferred, picks: None, seen: &seen };
        let case = Case { walker, requirements: request.requirements, roots: &roots };
        let explanation = match resolve_as_preferred(&case) {
            Err(ResolveError::Impossible(explanation)) if seen.had_alternatives() => explanation,
            settled => return settled.map(|graph| graph.into_resolution(catalogue, &roots)),
        };
        match fallback::search(walker, &roots)? {
            Some((selection, picks)) => {
                let graph =
                    walk(&Case { walker: Walker { picks: Some(&picks), ..walker }, ..case }, &selection)?;
                Ok(graph.into_resolution(catalogue, &roots))
            }
            None => Err(ResolveError::Impossible(explanation)),
        }
    }

    /// Binds each name to the registry its requirement names.
    fn bind(&self, requirements: &[Requirement]) -> Result<(), ResolveError<V::Error>> {
        for (index, requirement) in requirements.iter().enumerate() {
            let Some(registry) = &requirement.registry else { continue };
            let id = self.catalogue.intern(&requirement.name);
            self.catalogue.bind(id, registry).map_err(|bound: Arc<str>| {
                let first = requirements[..index]
                    .iter()
                    .find(|other| other.name == requirement.name && other.registry.as_ref() == Some(&bound));
                let first = first.map(|other| other.origin.clone());
                ResolveError::Impossible(Box::new(Explanation::two_registries(
                    requirement,
                    registry,
                    bound,
                    first,
                )))
            })?;
        }
        Ok(())
    }

    fn roots(
        &self,
        requirements: &[Requirement],
        preferred: &Preferred<'_>,
    ) -> Result<Vec<Root>, ResolveError<V::Error>> {
        let mut roots = Vec::with_capacity(requirements.len());
        for requirement in requirements {
            let id = self.catalogue.intern(&requirement.name);
            let package = self.catalogue.package(id)?;
            let demand = self.catalogue.root_demand(requirement);
            let accepts = self.catalogue.accepted(&package, &demand);
            let accepts = preferred.widen(id, &package, &demand, &accepts);
            roots.push(Root { id, package, demand, accepts });
        }
        Ok(roots)
    }
}

/// Resolves with the release that each need of an isolated package prefers.
fn resolve_as_preferred<V: View>(case: &Case<'_, V>) -> Result<Graph, ResolveError<V::Error>> {
    // Without a selection the walk ends at unified packages, and tells what is required of them.
    let required = walk(case, &Selection::default())?;
    if required.wanted.is_empty() {
        return Ok(required);
    }
    match solve(case.walker, &required.constraints()) {
        Ok(selection) => walk(case, &selection),
        Err(Unsolved::Impossible(proof)) => Err(impossible(case.contradiction(&required, proof))),
        Err(Unsolved::Failed(error)) => Err(error.into()),
    }
}

fn walk<V: View>(case: &Case<'_, V>, selection: &Selection) -> Result<Graph, ResolveError<V::Error>> {
    match case.walker.walk(case.roots, selection) {
        Ok(graph) => Ok(graph),
        Err(Stopped::Unmet(via, graph)) => Err(impossible(case.unmet(&graph, via))),
        Err(Stopped::Apart(id)) => Err(impossible(case.apart(id))),
        Err(Stopped::Failed(error)) => Err(error.into()),
    }
}

fn impossible<E: std::error::Error + 'static>(explanation: Explanation) -> ResolveError<E> {
    ResolveError::Impossible(Box::new(explanation))
}
