//! The kind `elm`.

mod circle;
mod compare;
mod facts;
mod foreign;
mod inspect;
mod lay_out;

use weir_kind::{
    BadFacts, Closure, Facts, Foreign, Inspection, Kind, KindError, Layout, OwnManifest, PackageFiles,
    Scaffold,
};
use weir_model::{KindName, Manifest, PackageName, Range, Version};
use weir_store::Session;
use weir_tree::TreeManifest;

use crate::own_manifest::ElmManifest;

pub(crate) use circle::refuse_circles;
pub(crate) use facts::ElmFacts;
pub use lay_out::SOURCES_FOLDER;
pub(crate) use lay_out::source_directory;

/// The compiler, as a package of which one version is used. Nobody can publish it: its number is asked of the program itself.
pub const COMPILER: &str = "elm/compiler";

/// The kind `elm`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Elm;

impl Kind for Elm {
    fn name(&self) -> KindName {
        KindName::Elm
    }

    fn scaffold(&self, _package: &str) -> Scaffold {
        Scaffold::default()
    }

    fn read_foreign(&self, files: &dyn PackageFiles) -> Result<Option<Foreign>, KindError> {
        foreign::read(files)
    }

    fn inspect(
        &self,
        files: &dyn PackageFiles,
        manifest: &Manifest,
        tree: &TreeManifest,
    ) -> Result<Inspection, KindError> {
        inspect::inspect(files, manifest, tree)
    }

    fn compares(&self) -> bool {
        true
    }

    fn compare(
        &self,
        version: &Version,
        before: Option<&Version>,
        files: Option<&dyn PackageFiles>,
        files_before: Option<&dyn PackageFiles>,
    ) -> Result<Facts, KindError> {
        compare::compare(version, before, files, files_before)
    }

    fn check_facts(&self, facts: &Facts) -> Result<(), BadFacts> {
        weir_kind::check_words(facts)?;
        ElmFacts::read(facts).map(drop).map_err(BadFacts)
    }

    fn lay_out(&self, closure: &Closure, _store: &Session) -> Result<Layout, KindError> {
        lay_out::lay_out(closure)
    }

    fn own_manifest(&self) -> Option<&'static dyn OwnManifest> {
        Some(&ElmManifest)
    }

    fn tool(&self, facts: &Facts) -> Option<(PackageName, Range)> {
        let compilers = ElmFacts::read(facts).ok()?.elm;
        Some((compiler(), compilers))
    }
}

/// Whether the compiler takes a release as a package, and not only as a folder of an application's modules.
pub fn is_compiled_alone(facts: &Facts) -> bool {
    compilers(facts).is_some()
}

/// For which compilers a release is; nothing where the compiler does not take it as a package.
pub fn compilers(facts: &Facts) -> Option<Range> {
    ElmFacts::read(facts).ok().filter(|facts| !facts.is_source()).map(|facts| facts.elm)
}

/// The compiler that a whole application is for; nothing of a package.
pub fn application_compiler(facts: &Facts) -> Option<Version> {
    let facts = ElmFacts::read(facts).ok().filter(|facts| facts.application)?;
    facts.elm.intervals().into_iter().find_map(|(low, _)| match low {
        std::ops::Bound::Included(low) => Some(low.without_prerelease()),
        _ => None,
    })
}

/// The compiler's name.
pub(crate) fn compiler() -> PackageName {
    COMPILER.parse().expect("it is a name")
}
