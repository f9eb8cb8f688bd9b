//! What the compiler is shown: a folder `ELM_HOME` with exactly the packages of one project, for one version of the compiler.

use std::path::{Path, PathBuf};

use weir_kind::{Closure, KindError};
use weir_model::{Digest, KindName, PackageName, Sha256, Version};

use crate::kind::{ElmFacts, refuse_circles};
use crate::registry_dat::{Dialect, RegistryDat};

/// The file, below a version's packages, that the compiler reads first.
pub const REGISTRY: &str = "registry.dat";

/// A plan of an `ELM_HOME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The compiler's version.
    pub compiler: Version,
    /// The packages, sorted.
    pub packages: Vec<HomePackage>,
    /// The bytes of `registry.dat`.
    pub registry: Vec<u8>,
    /// Packages that are not for this compiler, and are not shown to it.
    pub left_out: Vec<PackageName>,
}

/// A package as the compiler finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomePackage {
    /// The package.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// Where its files are: `elm.json` and `src/` of it are what the compiler reads.
    pub content: PathBuf,
}

impl Home {
    /// For the packages of a project.
    ///
    /// # Errors
    ///
    /// When facts of one are not what this kind can have found out, or packages need one another.
    pub fn plan(closure: &Closure, compiler: &Version) -> Result<Self, KindError> {
        refuse_circles(closure)?;
        let (mut packages, mut left_out) = (Vec::new(), Vec::new());
        for placed in closure.packages.iter().filter(|placed| placed.kind == KindName::Elm) {
            let id = &placed.id;
            let facts = ElmFacts::read(&placed.facts)
                .map_err(|reason| KindError::NotAllowed(format!("the record of `{id}`: {reason}")))?;
            if facts.is_source() {
                continue;
            }
            if !facts.elm.contains(compiler) {
                left_out.push(id.name.clone());
                continue;
            }
            packages.push(HomePackage {
                name: id.name.clone(),
                version: id.version.clone(),
                content: placed.content.clone(),
            });
        }
        let registry = registry_of(&packages, compiler);
        Ok(Self { compiler: compiler.clone(), packages, registry, left_out })
    }

    /// The same with one more package.
    #[must_use]
    pub fn with(mut self, package: HomePackage) -> Self {
        self.packages.push(package);
        self.packages.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        self.registry = registry_of(&self.packages, &self.compiler);
        self
    }

    /// What decides what is in the folder, where `content` tells what is in a package: a change of any of it is another folder.
    ///
    /// # Errors
    ///
    /// Those of `content`.
    pub fn digest<E>(&self, mut content: impl FnMut(&HomePackage) -> Result<String, E>) -> Result<Sha256, E> {
        let mut text = format!("weir-elm-home v2\n{}\n", self.compiler);
        for package in &self.packages {
            let content = content(package)?;
            text.push_str(&format!("{} {} {content}\n", package.name, package.version));
        }
        Ok(Digest::of(text))
    }

    /// The folder of its packages, below `ELM_HOME`.
    pub fn packages_folder(&self) -> PathBuf {
        Path::new(&self.compiler.to_string()).join("packages")
    }
}

fn registry_of(packages: &[HomePackage], compiler: &Version) -> Vec<u8> {
    let registry = RegistryDat::of(packages.iter().map(|package| (&package.name, &package.version)));
    registry.write(Dialect::of(compiler))
}

impl HomePackage {
    /// Whether it is the same version of the same package.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.name, &self.version) == (&other.name, &other.version)
    }

    /// Its folder, below that of all packages.
    pub fn folder(&self) -> PathBuf {
        // Both parts of a name begin with a letter or a digit and have no `/`, and a version has digits and dots.
        Path::new(self.name.owner()).join(self.name.name()).join(self.version.to_string())
    }
}
