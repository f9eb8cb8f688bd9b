//! Renaming a whole closure: who is renamed to what, and whose names each package sees.
//!
//! Each package is renamed after what it uses ([`order`]), so that their new names are known. It sees the names of what it
//! depends on; and of what those depend on, as long as no nearer package has the same slug, because in one
//! shell everything that is loaded can be called, and packages do.
//!
//! **No harm where there is no conflict** ([`settle`]): a package is renamed if every place is decided, its own and those where
//! others use its names. One with undecided places keeps its names, if no other release of it is loaded that does; and if one
//! is, that is for a person to decide.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::layout::{Node, marks, order};
use crate::manifest::{RenameWish, RenameWishes};
use crate::rename::{Dependency, Exports, Output, Report, SourceFile, Subject, Undecided, rename, summary};

/// The package at `index`, as what is renamed. `programs` are those of its files that are.
pub fn subject(
    nodes: &[Node],
    marks: &[Option<String>],
    index: usize,
    programs: BTreeSet<String>,
) -> Subject {
    let manifest = &nodes[index].manifest;
    Subject {
        slugs: nodes[index].slugs(),
        mark: marks[index].clone(),
        keep: manifest.keep.clone(),
        state: manifest.state.clone(),
        programs,
    }
}

/// What renaming one package, as the marks are, leaves undecided: a line for each file and kind of doubt, by the package that it
/// is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// In files that are loaded or run.
    pub used: BTreeMap<usize, Vec<String>>,
    /// In tests, which nobody runs who only uses the package.
    pub tests: BTreeMap<usize, Vec<String>>,
}

/// Who is renamed to what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// The mark of each package; none for one that keeps its names.
    pub marks: Vec<Option<String>>,
    /// Packages that keep their names because of what is undecided: the lines that say what, by place in the list.
    pub kept: BTreeMap<usize, Vec<String>>,
    /// Packages that can neither be renamed nor keep their names, the rival that keeps them, and what is undecided.
    pub refused: BTreeMap<usize, (usize, Vec<String>)>,
}

/// Decides who is renamed. `leftovers` renames the package at a place of the list under the given marks; it is called for each
/// package after those that it uses, and again where their marks have changed.
///
/// # Errors
///
/// Those of `leftovers`.
pub fn settle<E>(
    nodes: &[Node],
    wishes: &RenameWishes,
    mut leftovers: impl FnMut(usize, &[Option<String>]) -> Result<Leftovers, E>,
) -> Result<Settled, E> {
    let mut settled = Settled { marks: marks(nodes), ..Settled::default() };
    for (index, node) in nodes.iter().enumerate() {
        if wishes.of(&node.name) == Some(RenameWish::None) {
            settled.marks[index] = None;
        }
    }
    let order = order(nodes);
    let mut next = 0;
    while let Some(&index) = order.get(next) {
        let left = leftovers(index, &settled.marks)?;
        let seen_before = order[..next].iter().any(|before| visible(nodes, *before).contains(&index));
        next += 1;
        let used = left.used.into_iter().map(|(about, lines)| (about, lines, true));
        let in_tests = left.tests.into_iter().map(|(about, lines)| (about, lines, false));
        let mut again = next;
        for (about, lines, counts) in used.chain(in_tests) {
            if wishes.of(&nodes[about].name) == Some(RenameWish::All) {
                continue;
            }
            if settled.marks[about].is_none() {
                // It was to be renamed when this package was: two doubts about it, of use and of tests.
                settled.kept.entry(about).and_modify(|kept| kept.extend(lines));
                continue;
            }
            match settled.rival(nodes, about) {
                None => {
                    settled.marks[about] = None;
                    settled.kept.insert(about, lines);
                    // Whoever was renamed under the old mark is so again.
                    again = if about == index && !seen_before { again.min(next - 1) } else { 0 };
                }
                Some(rival) if counts => {
                    settled.refused.entry(about).or_insert((rival, Vec::new())).1.extend(lines);
                }
                Some(_) => {}
            }
        }
        if again == 0 {
            settled.refused.clear();
        }
        next = again;
    }
    for (_, lines) in settled.refused.values_mut() {
        lines.sort();
        lines.dedup();
    }
    Ok(settled)
}

impl Settled {
    /// Another package that keeps the names that the one at `index` would keep.
    fn rival(&self, nodes: &[Node], index: usize) -> Option<usize> {
        let keeps = |other: &usize| *other != index && self.marks[*other].is_none();
        (0..nodes.len()).find(|other| keeps(other) && nodes[index].rivals(&nodes[*other]))
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
        name: nodes[index].id(),
        slugs: nodes[index].slugs(),
        mark: marks[index].clone(),
        exports: exports[index].clone(),
        under_test: false,
    };
    visible(nodes, index).into_iter().map(dependency).collect()
}

/// What renaming left undecided, by the package it is about: `index` itself, or one that it sees.
pub fn about(nodes: &[Node], index: usize, report: &Report) -> BTreeMap<usize, Vec<String>> {
    let visible = visible(nodes, index);
    let mut about: BTreeMap<usize, Vec<&Undecided>> = BTreeMap::new();
    for doubt in &report.undecided {
        // Beyond those is the package itself, as its own tests see it.
        let whose = doubt.dependency.and_then(|place| visible.get(place).copied()).unwrap_or(index);
        about.entry(whose).or_default().push(doubt);
    }
    about.into_iter().map(|(whose, doubts)| (whose, summary(doubts))).collect()
}

/// Renames every package of a closure, where that does no harm. `files` are the shell files of each, in the order of `nodes`; so
/// is what comes back.
///
/// Packages that depend on each other in a cycle see those that come later in it by slug only.
pub fn rename_all(
    nodes: &[Node],
    mut files: Vec<Vec<SourceFile>>,
    wishes: &RenameWishes,
) -> (Settled, Vec<Output>) {
    files.resize(nodes.len(), Vec::new());
    let mut exports = vec![Exports::default(); nodes.len()];
    let mut outputs: Vec<Option<Output>> = vec![None; nodes.len()];
    let settled = settle(nodes, wishes, |index, marks| {
        let output = rename(
            files[index].clone(),
            &subject(nodes, marks, index, BTreeSet::new()),
            &dependencies(nodes, marks, &exports, index),
        );
        exports[index] = output.exports.clone();
        let used = about(nodes, index, &output.report);
        outputs[index] = Some(output);
        Ok::<_, std::convert::Infallible>(Leftovers { used, tests: BTreeMap::new() })
    });
    let Ok(settled) = settled;
    (settled, outputs.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::{rename_all, visible};
    use crate::layout::{Node, Offers};
    use crate::manifest::{BashManifest, RenameWish, RenameWishes};
    use crate::rename::SourceFile;

    fn node(name: &str, slug: &str, dependencies: &[usize]) -> Node {
        let manifest = BashManifest { slugs: vec![slug.into()], ..BashManifest::default() };
        let offers = Offers { source: vec!["a.sh".into()], ..Offers::default() };
        Node { name: name.into(), manifest, offers, dependencies: dependencies.to_vec(), ..Node::default() }
    }

    /// Nodes of one file each.
    struct Packages {
        nodes: Vec<Node>,
        files: Vec<Vec<SourceFile>>,
    }

    impl Packages {
        fn new(packages: &[(&str, &str, bool, &str, &[usize])]) -> Self {
            let mut all = Self { nodes: Vec::new(), files: Vec::new() };
            for (name, version, direct, text, dependencies) in packages {
                let slug = name.split_once('/').unwrap().1;
                let node = node(name, slug, dependencies);
                all.nodes.push(Node { version: (*version).into(), direct: *direct, ..node });
                all.files.push(vec![SourceFile { path: "a.sh".into(), bytes: text.as_bytes().to_vec() }]);
            }
            all
        }

        /// Who is renamed, who keeps its names, who is refused: by place.
        fn settled(&self, wishes: &RenameWishes) -> (Vec<usize>, Vec<usize>, Vec<usize>) {
            let (settled, _) = rename_all(&self.nodes, self.files.clone(), wishes);
            let renamed = (0..self.nodes.len()).filter(|index| settled.marks[*index].is_some());
            (renamed.collect(), settled.kept.into_keys().collect(), settled.refused.into_keys().collect())
        }
    }

    const DECIDED: &str = "core.f() { :; }\n";
    const UNDECIDED: &str = "core.f() { :; }\ncore.g() { eval \"$1\"; }\n";
    const TERM: &str = "term.f() { core.f; }\n";

    #[test]
    fn the_only_release_that_has_undecided_places_keeps_its_names_and_others_are_renamed() {
        let all = |core: &'static str, term: &'static str| {
            Packages::new(&[
                ("a/term", "1.0.0", false, term, &[1][..]),
                ("a/core", "1.0.0", false, core, &[]),
                ("a/top", "1.0.0", true, "top.f() { term.f; }\n", &[0]),
            ])
        };
        let none = Vec::new();
        let weir_decides = RenameWishes::default();
        assert_eq!(all(DECIDED, TERM).settled(&weir_decides), (vec![0, 1], none.clone(), none.clone()));
        assert_eq!(all(UNDECIDED, TERM).settled(&weir_decides), (vec![0], vec![1], none.clone()));
        // A place in a package that uses it counts as one of its own.
        let term = "term.f() { x='core.f a'; $x; }\n";
        assert_eq!(all(DECIDED, term).settled(&weir_decides), (vec![0], vec![1], none.clone()));
        let wish = |wish| RenameWishes { packages: [("a/core".to_owned(), wish)].into(), all: None };
        assert_eq!(
            all(UNDECIDED, TERM).settled(&wish(RenameWish::All)),
            (vec![0, 1], none.clone(), none.clone())
        );
        assert_eq!(all(DECIDED, TERM).settled(&wish(RenameWish::None)), (vec![0], none.clone(), none));
    }

    #[test]
    fn beside_a_second_release_undecided_places_are_refused_unless_they_are_accepted() {
        let all = |first: &'static str, second: &'static str, direct| {
            Packages::new(&[
                ("a/core", "1.0.0", false, first, &[][..]),
                ("a/core", "2.0.0", direct, second, &[]),
                ("a/term", "1.0.0", true, TERM, &[0]),
            ])
        };
        let (none, weir_decides) = (Vec::new(), RenameWishes::default());
        assert_eq!(all(UNDECIDED, DECIDED, true).settled(&weir_decides), (vec![0], none.clone(), vec![0]));
        // One of two may keep its names, if the other can be renamed.
        assert_eq!(all(UNDECIDED, DECIDED, false).settled(&weir_decides), (vec![1], vec![0], none.clone()));
        assert_eq!(all(DECIDED, UNDECIDED, false).settled(&weir_decides), (vec![0], vec![1], none.clone()));
        assert_eq!(all(UNDECIDED, UNDECIDED, false).settled(&weir_decides), (vec![1], vec![0], vec![1]));
        let accepted = RenameWishes { all: Some(RenameWish::All), ..RenameWishes::default() };
        assert_eq!(all(UNDECIDED, UNDECIDED, false).settled(&accepted), (vec![0, 1], none.clone(), none));
    }

    #[test]
    fn packages_that_use_each_other_are_settled_too() {
        let all = Packages::new(&[
            ("a/core", "1.0.0", false, "core.f() { term.f; eval \"$1\"; }\n", &[1][..]),
            ("a/term", "1.0.0", false, "term.f() { core.f; eval \"$1\"; }\n", &[0]),
        ]);
        assert_eq!(all.settled(&RenameWishes::default()), (vec![], vec![0, 1], vec![]));
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
