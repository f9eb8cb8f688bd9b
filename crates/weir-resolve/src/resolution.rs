//! What a resolver answers: releases, and what depends on what.

use std::sync::Arc;

use weir_model::{InputDigest, KindName, Range, ReleaseId};

/// A set of releases that meets the requirements. Plain data; equal for equal questions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolution {
    /// What was chosen for each requirement, in the order of the requirements.
    pub roots: Vec<Edge>,
    /// The releases, sorted by name, version, platform and revision.
    pub nodes: Vec<Node>,
}

/// A chosen release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Which one.
    pub id: ReleaseId,
    /// What sort of package it is.
    pub kind: KindName,
    /// The digest of its inputs.
    pub input_digest: InputDigest,
    /// Where it comes from.
    pub source: Source,
    /// Whether it has been yanked, and is here because a lockfile or another release names it.
    pub yanked: bool,
    /// What it needs at run time, in the order in which it says so.
    pub edges: Vec<Edge>,
}

/// Where a release comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The registry of that name.
    Registry(Arc<str>),
    /// A path or git dependency, by its label.
    Fixed(Arc<str>),
}

/// A need, and what was chosen for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The index of the chosen release in [`Resolution::nodes`].
    pub to: usize,
    /// The range that was acceptable; nothing if the release was baked.
    pub fluid: Option<Range>,
}

impl Resolution {
    /// The release chosen for an edge.
    pub fn target(&self, edge: &Edge) -> &Node {
        &self.nodes[edge.to]
    }
}
