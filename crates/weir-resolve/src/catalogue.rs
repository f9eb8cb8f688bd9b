//! The packages a resolver has seen: each asked for once, its usable releases ranked, its
//! dependencies turned into sets of ranks once.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, OnceLock};

use weir_model::{Baked, Dependency, KindName, PackageName, Platform, Range, ReleaseId, Scope, Version};

use crate::ranks::{Rank, RankSet};
use crate::request::{Fixed, Here, Origin, Override, Replacement, Requirement, Settings, SettingsError};
use crate::resolution::Source;
use crate::view::{Candidate, View};

/// The most releases of one package that are considered.
const MAX_RELEASES: usize = 1 << 16;

/// A package, as a number. 0 is the project itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PackageId(pub(crate) u32);

impl PackageId {
    pub(crate) const ROOT: Self = Self(0);
}

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl fmt::Debug for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why the view could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CatalogueError<E: std::error::Error + 'static> {
    #[error(transparent)]
    View(E),
    #[error("`{name}` has {count} releases: at most {MAX_RELEASES} can be considered")]
    TooManyReleases { name: PackageName, count: usize },
    #[error("the search was given up after {steps} steps")]
    GaveUp { steps: u32 },
}

/// A package whose candidates are known.
pub(crate) struct Package {
    pub(crate) name: PackageName,
    /// Nothing if no release is known.
    pub(crate) kind: Option<KindName>,
    /// The registry that answered, or the one that was asked.
    pub(crate) registry: Option<Arc<str>>,
    /// The usable releases: by version, then platform-specific above `any`, then by revision.
    pub(crate) ranked: Vec<Ranked>,
    /// Releases that may not be used, for explanations.
    pub(crate) unusable: Vec<Candidate>,
    /// The rank of the path or git dependency of this name.
    pub(crate) fixed: Option<Rank>,
    /// What is on this machine.
    here: OnceLock<RankSet>,
}

/// A usable release.
pub(crate) struct Ranked {
    pub(crate) candidate: Candidate,
    /// The index in [`Settings::fixed`], if it does not come from the view.
    fixed: Option<usize>,
    needs: OnceLock<Arc<[Need]>>,
}

impl Ranked {
    fn new(candidate: Candidate, fixed: Option<usize>) -> Self {
        Self { candidate, fixed, needs: OnceLock::new() }
    }
}

/// A dependency of a release, for run time, with what it accepts worked out.
pub(crate) struct Need {
    pub(crate) package: PackageId,
    pub(crate) demand: Demand,
    pub(crate) accepts: RankSet,
    /// Whether the package is resolved by the solver.
    pub(crate) unified: bool,
}

/// What is asked of a package.
#[derive(Clone)]
pub(crate) struct Demand {
    pub(crate) range: Range,
    pub(crate) baked: Option<Baked>,
    /// The index of the override that replaced what was written.
    pub(crate) overridden: Option<usize>,
    /// Whether whoever asks said that any release in range will do.
    pub(crate) fluid: bool,
    pub(crate) from_root: bool,
}

pub(crate) struct Catalogue<V> {
    pub(crate) view: V,
    platform: Platform,
    fixed: Vec<Fixed>,
    fixed_by_name: HashMap<PackageName, usize>,
    overrides: Vec<Override>,
    here: Here,
    newest: BTreeSet<PackageName>,
    override_by_name: HashMap<PackageName, usize>,
    ids: RefCell<HashMap<PackageName, PackageId>>,
    entries: RefCell<Vec<Entry>>,
}

#[derive(Clone)]
struct Entry {
    name: Option<PackageName>,
    bound_to: Option<Arc<str>>,
    package: Option<Arc<Package>>,
}

impl Package {
    /// Whether one release only may be in a closure. An unknown package counts as one, so that
    /// the solver explains its absence.
    pub(crate) fn is_unified(&self) -> bool {
        self.kind.is_none_or(KindName::is_unified)
    }

    pub(crate) fn version(&self, rank: Rank) -> &Version {
        &self.ranked[rank as usize].candidate.version
    }

    pub(crate) fn id(&self, rank: Rank) -> ReleaseId {
        let candidate = &self.ranked[rank as usize].candidate;
        ReleaseId {
            name: self.name.clone(),
            version: candidate.version.clone(),
            platform: candidate.platform.clone(),
            revision: candidate.revision,
        }
    }

    pub(crate) fn rank_of(&self, id: &ReleaseId) -> Option<Rank> {
        let matches = |ranked: &Ranked| {
            let candidate = &ranked.candidate;
            candidate.version == id.version
                && candidate.revision == id.revision
                && candidate.platform == id.platform
        };
        self.ranked.iter().position(matches).map(|rank| rank as Rank)
    }

    /// The release that a person means who names no version.
    pub(crate) fn newest(&self) -> Option<Rank> {
        let newest = weir_rules::newest(self.ranked.iter().map(|ranked| &ranked.candidate), None)?;
        let is_newest = |ranked: &Ranked| std::ptr::eq(&ranked.candidate, newest);
        self.ranked.iter().position(is_newest).map(|rank| rank as Rank)
    }

    /// The release that was baked, where it is offered under that name and with those inputs.
    pub(crate) fn rank_of_baked(&self, baked: &Baked) -> Option<Rank> {
        let matches = |ranked: &Ranked| {
            let candidate = &ranked.candidate;
            candidate.input_digest == baked.input_digest
                && candidate.version == baked.version
                && candidate.revision == baked.revision
                && candidate.platform == baked.platform
        };
        self.ranked.iter().position(matches).map(|rank| rank as Rank)
    }

    /// The releases of the view that a demand accepts, not counting what only a lock may choose.
    fn accepted(&self, demand: &Demand, forced: bool) -> RankSet {
        if let Some(fixed) = self.fixed {
            let candidate = &self.ranked[fixed as usize].candidate;
            let fits = match &demand.baked {
                Some(baked) => baked.input_digest == candidate.input_digest,
                None => demand.range.contains(&candidate.version),
            };
            if forced || demand.from_root || (self.is_unified() && fits) {
                return pubgrub::VersionSet::singleton(fixed);
            }
            if self.is_unified() {
                return pubgrub::VersionSet::empty();
            }
        }
        RankSet::of(self.ranked.len(), |rank| {
            let Ranked { candidate, fixed: None, .. } = &self.ranked[rank] else { return false };
            match &demand.baked {
                Some(baked) => baked.input_digest == candidate.input_digest,
                None => candidate.standing.is_offered() && demand.range.contains(&candidate.version),
            }
        })
    }
}

impl<V: View> Catalogue<V> {
    pub(crate) fn new(view: V, settings: Settings) -> Result<Self, SettingsError> {
        let Settings { platform, fixed, overrides, here, newest } = settings;
        let mut fixed_by_name = HashMap::new();
        for (index, one) in fixed.iter().enumerate() {
            if let Some(first) = fixed_by_name.insert(one.name.clone(), index) {
                let (name, second) = (one.name.clone(), one.label.clone());
                return Err(SettingsError::FixedTwice { name, first: fixed[first].label.clone(), second });
            }
        }
        let mut override_by_name = HashMap::new();
        for (index, one) in overrides.iter().enumerate() {
            let (name, origin) = (one.name.clone(), one.origin.label.clone());
            if matches!(one.replacement, Replacement::Fixed) && !fixed_by_name.contains_key(&name) {
                return Err(SettingsError::NothingFixed { name, origin });
            }
            if let Some(first) = override_by_name.insert(name.clone(), index) {
                let first = overrides[first].origin.label.clone();
                return Err(SettingsError::OverriddenTwice { name, first, second: origin });
            }
        }
        let root = Entry { name: None, bound_to: None, package: None };
        Ok(Self {
            view,
            platform,
            fixed,
            fixed_by_name,
            overrides,
            here,
            newest,
            override_by_name,
            ids: RefCell::default(),
            entries: RefCell::new(vec![root]),
        })
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.platform
    }

    pub(crate) fn override_origin(&self, index: usize) -> &Origin {
        &self.overrides[index].origin
    }

    /// The number of a name.
    pub(crate) fn intern(&self, name: &PackageName) -> PackageId {
        let mut ids = self.ids.borrow_mut();
        if let Some(id) = ids.get(name) {
            return *id;
        }
        let mut entries = self.entries.borrow_mut();
        let id = PackageId(entries.len() as u32);
        entries.push(Entry { name: Some(name.clone()), bound_to: None, package: None });
        ids.insert(name.clone(), id);
        id
    }

    /// Binds a name to a registry. Fails with the registry that it already belongs to.
    pub(crate) fn bind(&self, id: PackageId, registry: &Arc<str>) -> Result<(), Arc<str>> {
        let entry = &mut self.entries.borrow_mut()[id.0 as usize];
        let loaded = entry.package.as_ref().and_then(|package| package.registry.clone());
        match entry.bound_to.clone().or(loaded) {
            Some(bound) if bound != *registry => Err(bound),
            _ => {
                entry.bound_to = Some(registry.clone());
                Ok(())
            }
        }
    }

    /// What is known of a package; asks the view the first time.
    pub(crate) fn package(&self, id: PackageId) -> Result<Arc<Package>, CatalogueError<V::Error>> {
        if let Some(package) = &self.entries.borrow()[id.0 as usize].package {
            return Ok(package.clone());
        }
        let Entry { name, bound_to, .. } = self.entries.borrow()[id.0 as usize].clone();
        let name = name.expect("the solver asks for the root's requirements, never for its releases");
        let package = Arc::new(self.load(name, bound_to)?);
        self.entries.borrow_mut()[id.0 as usize].package = Some(package.clone());
        Ok(package)
    }

    fn load(
        &self,
        name: PackageName,
        bound_to: Option<Arc<str>>,
    ) -> Result<Package, CatalogueError<V::Error>> {
        let found = self.view.candidates(&name, bound_to.as_deref()).map_err(CatalogueError::View)?;
        let mut kind = None;
        let mut registry = bound_to;
        let mut ranked = Vec::new();
        let mut unusable = Vec::new();
        if let Some(candidates) = found {
            let count = candidates.releases.len();
            if count > MAX_RELEASES {
                return Err(CatalogueError::TooManyReleases { name, count });
            }
            (kind, registry) = (Some(candidates.kind), Some(candidates.registry));
            ranked.reserve(count);
            for candidate in candidates.releases {
                let may_be_used = candidate.standing.is_usable() && candidate.platform.serves(&self.platform);
                let is_missing = self.here == Here::Only && !self.view.is_here(&name, &candidate);
                if may_be_used && !is_missing {
                    ranked.push(Ranked::new(candidate, None));
                } else {
                    unusable.push(candidate);
                }
            }
        }
        let fixed_index = self.fixed_by_name.get(&name).copied();
        if let Some(index) = fixed_index {
            let Fixed { kind: its_kind, candidate, .. } = &self.fixed[index];
            kind = Some(*its_kind);
            ranked.push(Ranked::new(candidate.clone(), Some(index)));
        }
        ranked.sort_by(|a, b| a.order().cmp(&b.order()));
        unusable.sort_by(|a, b| a.version.cmp(&b.version));
        let fixed = ranked.iter().position(|one| one.fixed.is_some()).map(|rank| rank as Rank);
        Ok(Package { name, kind, registry, ranked, unusable, fixed, here: OnceLock::new() })
    }

    pub(crate) fn source(&self, package: &Package, rank: Rank) -> Source {
        match package.ranked[rank as usize].fixed {
            Some(index) => Source::Fixed(self.fixed[index].label.clone()),
            None => Source::Registry(package.registry.clone().unwrap_or_default()),
        }
    }

    /// What the project's requirement on a package comes to, overrides applied.
    pub(crate) fn root_demand(&self, requirement: &Requirement) -> Demand {
        let Requirement { name, range, fluid, .. } = requirement;
        let written =
            Demand { range: range.clone(), baked: None, overridden: None, fluid: *fluid, from_root: true };
        self.overridden(name, written)
    }

    /// A demand, as it is after an override.
    fn overridden(&self, name: &PackageName, written: Demand) -> Demand {
        let overridden = self.override_by_name.get(name).copied();
        match overridden.map(|index| &self.overrides[index].replacement) {
            None => written,
            Some(Replacement::Range(range)) => {
                Demand { range: range.clone(), baked: None, overridden, fluid: false, ..written }
            }
            Some(Replacement::Fixed) => Demand { baked: None, overridden, ..written },
        }
    }

    /// What of a package is on this machine, if that counts for a need.
    pub(crate) fn here_first(&self, package: &Package, fluid: bool) -> Option<RankSet> {
        let counts = match self.here {
            Here::Ignored | Here::Only => false,
            Here::FirstIfFluid => fluid,
            Here::First => true,
        };
        if !counts || self.newest.contains(&package.name) {
            return None;
        }
        let is_here = |rank: usize| self.view.is_here(&package.name, &package.ranked[rank].candidate);
        Some(package.here.get_or_init(|| RankSet::of(package.ranked.len(), is_here)).clone())
    }

    pub(crate) fn accepted(&self, package: &Package, demand: &Demand) -> RankSet {
        let forced =
            demand.overridden.is_some_and(|i| matches!(self.overrides[i].replacement, Replacement::Fixed));
        package.accepted(demand, forced)
    }

    /// What a release needs at run time.
    pub(crate) fn needs(
        &self,
        package: &Package,
        rank: Rank,
    ) -> Result<Arc<[Need]>, CatalogueError<V::Error>> {
        let ranked = &package.ranked[rank as usize];
        if let Some(needs) = ranked.needs.get() {
            return Ok(needs.clone());
        }
        let dependencies = match ranked.fixed {
            Some(index) => self.fixed[index].dependencies.clone(),
            None => self.view.dependencies(&package.name, &ranked.candidate).map_err(CatalogueError::View)?,
        };
        let mut needs = Vec::with_capacity(dependencies.len());
        for dependency in dependencies {
            let Dependency { name, range, scope: Scope::Run, baked } = dependency else { continue };
            let fluid =
                ranked.fixed.is_none() && baked.is_none() && package.kind.is_some_and(KindName::bakes);
            let written = Demand { range, baked, overridden: None, fluid, from_root: false };
            let demand = self.overridden(&name, written);
            let target = self.intern(&name);
            let package = self.package(target)?;
            let accepts = self.accepted(&package, &demand);
            needs.push(Need { package: target, demand, accepts, unified: package.is_unified() });
        }
        Ok(ranked.needs.get_or_init(|| needs.into()).clone())
    }
}

impl Ranked {
    fn order(&self) -> impl Ord + '_ {
        (weir_rules::preference(&self.candidate), self.fixed.is_some())
    }
}
