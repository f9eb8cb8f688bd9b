//! Bash packages: manifests, layout, loading, renaming.
