//! What a registry offers, read once for each package however often it is asked for.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use weir_index::{Index, IndexError, PackageView};
use weir_model::{Dependency, PackageName, Platform, Range, Release, Scope};

/// A release that needs more others is not fetched ahead.
const MOST: usize = 2000;

/// What an index has for a platform.
#[derive(Debug)]
pub struct Offers<'i> {
    pub(crate) index: &'i Index,
    platform: &'i Platform,
    packages: RefCell<BTreeMap<PackageName, Option<Rc<PackageView>>>>,
}

impl<'i> Offers<'i> {
    /// Of `index`, for `platform`.
    pub fn new(index: &'i Index, platform: &'i Platform) -> Self {
        Self { index, platform, packages: RefCell::default() }
    }

    /// The release to take of a package where versions in `range` are wanted.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn best(&self, name: &PackageName, range: &Range) -> Result<Option<Release>, IndexError> {
        let package = self.package(name)?;
        let best =
            package.iter().find_map(|package| weir_rules::best(&package.releases, range, self.platform));
        Ok(best.map(|view| view.release.clone()))
    }

    /// The newest release of a package.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn newest(&self, name: &PackageName) -> Result<Option<Release>, IndexError> {
        let package = self.package(name)?;
        let newest =
            package.iter().find_map(|package| weir_rules::newest(&package.releases, Some(self.platform)));
        Ok(newest.map(|view| view.release.clone()))
    }

    /// A release and all that it needs, itself first. Nothing if a part of that cannot be had from this registry.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn closure(&self, release: Release) -> Result<Option<Vec<Release>>, IndexError> {
        let mut seen = BTreeSet::from([release.id.clone()]);
        let mut all = vec![release];
        let mut next = 0;
        while let Some(release) = all.get(next) {
            next += 1;
            let needed = release.dependencies.iter().filter(|needed| needed.scope == Scope::Run);
            let mut below = Vec::new();
            for dependency in needed {
                let Some(chosen) = self.chosen(dependency)? else { return Ok(None) };
                if seen.insert(chosen.id.clone()) {
                    below.push(chosen);
                }
            }
            all.extend(below);
            if seen.len() > MOST {
                return Ok(None);
            }
        }
        Ok(Some(all))
    }

    /// The release that a dependency was fixed to, or the newest that would do.
    fn chosen(&self, dependency: &Dependency) -> Result<Option<Release>, IndexError> {
        match dependency.baked_id() {
            Some(id) => {
                let view = self.index.release(&id)?.filter(|view| view.standing().is_usable());
                Ok(view.map(|view| view.release))
            }
            None => self.best(&dependency.name, &dependency.range),
        }
    }

    fn package(&self, name: &PackageName) -> Result<Option<Rc<PackageView>>, IndexError> {
        if let Some(known) = self.packages.borrow().get(name) {
            return Ok(known.clone());
        }
        let package = self.index.package(name)?.map(Rc::new);
        self.packages.borrow_mut().insert(name.clone(), package.clone());
        Ok(package)
    }
}
