//! The statement of how something was built, from what is known when it is.

use weir_build::{BuildStep, ProvenanceFacts, ProvenancePackage};
use weir_model::{Digest, TreeDigest};
use weir_native::Recipe;

use crate::Workbench;
use crate::build::Against;
use crate::error::RepoError;
use crate::recipes::Known;
use crate::record::{Made, Records};

/// States how `step` was built into `tree`.
pub(crate) fn statement(
    at: &Workbench<'_>,
    recipe: &Recipe,
    known: &Known,
    step: &BuildStep,
    tree: TreeDigest,
    made: &Made,
    against: &[Against],
) -> Result<Vec<u8>, RepoError> {
    let packages = against.iter().map(|one| ProvenancePackage {
        id: &one.id,
        input_digest: one.input_digest,
        tree: one.tree,
    });
    let packages: Vec<ProvenancePackage<'_>> = packages.collect();
    let log = fs_err::read(Records::new(at.session).log(&step.input_digest))?;
    let uname = rustix::system::uname();
    let facts = ProvenanceFacts {
        id: &step.id,
        input_digest: step.input_digest,
        tree,
        recipe: &known.document,
        variants: &recipe.variants,
        source: &recipe.source,
        source_tree: known.source.tree,
        commit: known.source.commit.as_deref(),
        toolchain: known.toolchain.digest,
        unpacked_root: at.root.folder().is_some(),
        packages: &packages,
        sandbox: at.sandbox.kind(),
        jobs: at.options.jobs,
        weir: env!("CARGO_PKG_VERSION"),
        by: &at.session.principal.to_string(),
        host: &uname.nodename().to_string_lossy(),
        invocation: &format!("{}-{}", step.input_digest.short(), made.started),
        started: made.started,
        finished: made.finished,
        log: Digest::of(log),
    };
    Ok(weir_build::provenance(&facts).map_err(std::io::Error::other)?)
}
