//! The kind `bash`: the seam between a project and what this crate knows.
//!
//! What a package offers is found out once, when it is published, and kept in its record ([`facts`]). When it is
//! installed its shell files are rewritten, each once per machine, and kept in the store ([`rewrite`]); what is laid out
//! is links only ([`lay_out`]).

mod facts;
mod foreign;
mod guess;
mod inspect;
mod installed;
mod lay_out;
mod rewrite;
mod scaffold;
mod usable;

use weir_kind::{
    BadFacts, Closure, Facts, Foreign, Inspection, Kind, KindError, Layout, PackageFiles, ProjectPlace,
    Scaffold, check_words,
};
use weir_model::{KindName, Manifest};
use weir_store::Session;
use weir_tree::TreeManifest;

pub use inspect::{package_files, read_manifest};
pub use installed::{MAX_SOURCED, installed_packages};
pub use lay_out::{REPORT_FILE, TEST_FILE};
pub use rewrite::is_suite;
pub(crate) use usable::idle_names;

/// The kind `bash`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bash;

impl Kind for Bash {
    fn name(&self) -> KindName {
        KindName::Bash
    }

    fn scaffold(&self, package: &str) -> Scaffold {
        scaffold::scaffold(package)
    }

    fn read_foreign(&self, files: &dyn PackageFiles) -> Result<Option<Foreign>, KindError> {
        foreign::read(files)
    }

    fn guess(&self, files: &dyn PackageFiles, tree: &TreeManifest) -> Result<Option<String>, KindError> {
        guess::guess(files, tree)
    }

    fn inspect(
        &self,
        files: &dyn PackageFiles,
        manifest: &Manifest,
        tree: &TreeManifest,
    ) -> Result<Inspection, KindError> {
        inspect::inspect(files, manifest, tree)
    }

    fn look_closer(
        &self,
        files: &dyn PackageFiles,
        tree: &TreeManifest,
        facts: &Facts,
    ) -> Result<Vec<String>, KindError> {
        inspect::unread_files(files, tree, facts)
    }

    fn check_facts(&self, facts: &Facts) -> Result<(), BadFacts> {
        check_words(facts)?;
        facts::BashFacts::read(facts).map(drop).map_err(BadFacts)
    }

    fn lay_out(&self, closure: &Closure, store: &Session) -> Result<Layout, KindError> {
        lay_out::lay_out(closure, store)
    }

    /// A wish about renaming that cannot be understood is told at once, and not on the day that there is a package.
    fn lays_out_without_packages(&self, project: &ProjectPlace) -> bool {
        project.bash.is_some()
    }

    /// Shell files are rewritten where names are, and the rest of the package is copied with them.
    fn copies_files(&self) -> bool {
        true
    }
}
