//! The files of releases, as pages show them: what is small is kept by the digest of its tree.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use weir_index::ReleaseView;
use weir_log::Source;
use weir_model::TreeDigest;
use weir_registry::content::{ShownTree, shown_tree};
use weir_tree::TreeError;
use weir_web::MAX_README;

use crate::registries::RegistryName;

/// Bytes of memory for what is kept.
const MEMORY: u64 = 32 << 20;

/// Bytes that an entry of a tree costs besides its path.
const ENTRY: usize = 80;

/// What is kept of trees.
pub(crate) struct Contents {
    trees: Cache<(RegistryName, TreeDigest), Arc<ShownTree>, ByBytes>,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<(RegistryName, TreeDigest), Arc<ShownTree>> for ByBytes {
    fn weight(&self, _: &(RegistryName, TreeDigest), tree: &Arc<ShownTree>) -> u64 {
        let entries: usize =
            tree.manifest.entries().iter().map(|entry| entry.path.as_str().len() + ENTRY).sum();
        (entries + tree.readme.as_ref().map_or(0, |(_, text)| text.len()) + 256) as u64
    }
}

impl Contents {
    pub(crate) fn new() -> Self {
        Self { trees: Cache::with_weighter(1024, MEMORY, ByBytes) }
    }

    /// The files of a release, if readers may have it and its pack is there. Waits for the disk.
    pub(crate) fn tree(
        &self,
        registry: &RegistryName,
        source: &dyn Source,
        view: &ReleaseView,
    ) -> Result<Option<Arc<ShownTree>>, TreeError> {
        if !view.standing().is_usable() {
            return Ok(None);
        }
        let key = (registry.clone(), view.release.tree);
        if let Some(tree) = self.trees.get(&key) {
            return Ok(Some(tree));
        }
        let Some(tree) = shown_tree(source, &view.release, MAX_README)? else { return Ok(None) };
        let tree = Arc::new(tree);
        self.trees.insert(key, tree.clone());
        Ok(Some(tree))
    }
}
