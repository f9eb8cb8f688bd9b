//! Renaming a whole closure: who is renamed to what, and whose names each package sees.
//!
//! Each package is renamed after what it uses ([`order`]), so that their new names are known. It sees the names of what it
//! depends on; and of what those depend on, as long as no nearer package has the same slug, because in one
//! shell everything that is loaded can be called, and packages do.

use std::collections::{BTreeSet, VecDeque};

use crate::layout::{Node, marks, order};
use crate::rename::{Dependency, Exports, Output, SourceFile, Subject, rename};

/// The package at `index`, as what is renamed.
pub fn subject(nodes: &[Node], marks: &[Option<String>], index: usize) -> Subject {
    let manifest = &nodes[index].manifest;
    Subject {
        slugs: nodes[index].slugs(),
        mark: marks[index].clone(),
        keep: manifest.keep.clone(),
        rename: manifest.rename.clone(),
    }
}

/// The packages whose names the one at `index` sees, nearest first, by place in the list.
pub fn visible(nodes: &[Node], index: usize) -> Vec<usize> {
    let mut slugs: BTreeSet<String> = nodes[index].slugs().into_iter().collect();
    let mut met = vec![false; nodes.len()];
    met[index] = true;
    let mut visible = Vec::new();
    let mut next = VecDeque::from([index]);
    while let Some(current) = next.pop_front() {
        for dependency in
            nodes[current].dependencies.iter().copied().filter(|dependency| *dependency < nodes.len())
        {
            if std::mem::replace(&mut met[dependency], true) {
                continue;
            }
            next.push_back(dependency);
            let own = nodes[dependency].slugs();
            if own.iter().all(|slug| !slugs.contains(slug)) {
                slugs.extend(own);
                visible.push(dependency);
            }
        }
    }
    visible
}

/// What the package at `index` needs to know of the packages it sees. `exports` are theirs, by place in the list.
pub fn dependencies(
    nodes: &[Node],
    marks: &[Option<String>],
    exports: &[Exports],
    index: usize,
) -> Vec<Dependency> {
    let dependency = |index: usize| Dependency {
        name: format!("{}@{}", nodes[index].name, nodes[index].version),
        slugs: nodes[index].slugs(),
        mark: marks[index].clone(),
        exports: exports[index].clone(),
        under_test: false,
    };
    visible(nodes, index).into_iter().map(dependency).collect()
}

/// Renames every package of a closure. `files` are the shell files of each, in the order of `nodes`; so is what comes back.
///
/// Packages that depend on each other in a cycle see those that come later in it by slug only.
pub fn rename_all(nodes: &[Node], mut files: Vec<Vec<SourceFile>>) -> Vec<Output> {
    files.resize(nodes.len(), Vec::new());
    let marks = marks(nodes);
    let mut exports = vec![Exports::default(); nodes.len()];
    let mut outputs: Vec<Option<Output>> = vec![None; nodes.len()];
    for index in order(nodes) {
        let output = rename(
            std::mem::take(&mut files[index]),
            &subject(nodes, &marks, index),
            &dependencies(nodes, &marks, &exports, index),
        );
        exports[index] = output.exports.clone();
        outputs[index] = Some(output);
    }
    outputs.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::visible;
    use crate::layout::Node;
    use crate::manifest::BashManifest;

    fn node(name: &str, slug: &str, dependencies: &[usize]) -> Node {
        let manifest = BashManifest { slugs: vec![slug.into()], ..BashManifest::default() };
        Node { name: name.into(), manifest, dependencies: dependencies.to_vec(), ..Node::default() }
    }

    #[test]
    fn a_package_sees_what_it_uses_and_what_that_uses_but_the_nearest_of_one_slug_only() {
        let nodes = [
            node("a/top", "top", &[1, 2]),
            node("a/core", "core", &[]),
            node("a/term", "term", &[3, 4]),
            node("a/core", "core", &[]),
            node("a/str", "str", &[0]),
        ];
        assert_eq!(visible(&nodes, 0), [1, 2, 4]);
        assert_eq!(visible(&nodes, 2), [3, 4, 0]);
        assert_eq!(visible(&nodes, 1), Vec::<usize>::new());
    }
}
