//! Tools that releases are written for, such as a compiler: in the search they are packages of which one version is used, so that what does
//! not go together is explained like anything else. They are in no registry, no lockfile and no layout.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_kind::Facts;
use weir_model::{Dependency, Digest, KindName, PackageName, Platform, Scope, Version};
use weir_resolve::{Candidate, Candidates, Edge, Node, Resolution};
use weir_rules::Standing;

/// What is known of tools: the versions of each that will do.
pub(crate) type Tools = BTreeMap<PackageName, Vec<Version>>;

/// A tool as a package.
pub(crate) fn candidates(name: &PackageName, versions: &[Version]) -> Candidates {
    let releases = versions.iter().map(|version| Candidate {
        version: version.clone(),
        platform: Platform::any(),
        revision: 0,
        input_digest: Digest::of(format!("{name} {version}")),
        standing: Standing::Offered,
        reason: None,
        handle: 0,
    });
    // Of a kind that has one version a name.
    Candidates { kind: KindName::Elm, registry: Arc::from("this project"), releases: releases.collect() }
}

/// What a release needs of them.
pub(crate) fn need(kind: KindName, facts: &Facts, tools: &Tools) -> Option<Dependency> {
    let (name, range) = weir_kinds::kind(kind).ok()?.tool(facts)?;
    let known = tools.contains_key(&name);
    known.then_some(Dependency { name, range, scope: Scope::Run, baked: None })
}

/// A resolution without tools.
pub(crate) fn taken_out(resolution: Resolution, tools: &Tools) -> Resolution {
    if tools.is_empty() {
        return resolution;
    }
    let is_tool = |node: &Node| tools.contains_key(&node.id.name);
    let mut places = Vec::with_capacity(resolution.nodes.len());
    let mut kept = 0;
    for node in &resolution.nodes {
        places.push((!is_tool(node)).then_some(kept));
        kept += usize::from(!is_tool(node));
    }
    let moved = |edges: Vec<Edge>| -> Vec<Edge> {
        let moved = |edge: Edge| Some(Edge { to: places.get(edge.to).copied().flatten()?, ..edge });
        edges.into_iter().filter_map(moved).collect()
    };
    let nodes = resolution.nodes.into_iter().filter(|node| !is_tool(node));
    Resolution {
        nodes: nodes.map(|node| Node { edges: moved(node.edges), ..node }).collect(),
        roots: moved(resolution.roots),
    }
}
