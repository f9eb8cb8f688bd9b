//! The plan of `weir_packages/`: which links and files make a closure usable, and nothing else.
//!
//! ```text
//! weir_packages/
//!   load.bash                              the index that `weir.load` reads
//!   bin/ completion/ man/man1/             what direct dependencies offer
//!   packages/<owner>/<name>@<version>      direct dependencies
//!   transitive/
//!     bin/ completion/ man/ packages/     everything below them, the same way
//! ```
//!
//! A package is one absolute link into the store. Links between things in the project are relative, so
//! that the project can be moved.
//!
//! A package whose own dependencies offer commands gets `weir_packages/{bin,completion,man}` of its own. A tree in
//! the store is read-only and shared, so it cannot hold them: such a package is a real folder, with one link
//! for each *top-level* entry of its tree, and its own `weir_packages/` beside them. The cost of a plan is per package
//! and per command offered, never per file.

mod offers;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use offers::{Offers, TreeFile, expand};

use crate::loader::{INDEX_FILE, IndexPackage, index_script};
use crate::manifest::BashManifest;
use crate::rename::version_mark;

/// The folder of a project that holds its packages.
pub const FOLDER: &str = "weir_packages";

/// A package of a closure.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// Its name, `owner/name`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether the project asks for it itself.
    pub direct: bool,
    /// Its tree in the store: rewritten, if it was.
    pub tree: PathBuf,
    /// The names at the top of its tree; only asked for where its dependencies offer something.
    pub top_level: Vec<String>,
    /// What it says about itself.
    pub manifest: BashManifest,
    /// The files that are meant by it.
    pub offers: Offers,
    /// The packages it uses, as places in the list.
    pub dependencies: Vec<usize>,
}

impl Node {
    /// The slugs of the package: those of its manifest or, where there is none, its name as an identifier, so that
    /// its functions can be told apart all the same.
    pub fn slugs(&self) -> Vec<String> {
        slugs(&self.manifest, &self.name)
    }

    /// Which release it is: `owner/name@version`.
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// Whether its names may change.
    fn may_change(&self) -> bool {
        !self.direct && !self.offers.source.is_empty()
    }

    /// Whether two packages define the same names: releases of one package, or of two with one slug, that are both loaded.
    pub fn rivals(&self, other: &Self) -> bool {
        let slugs = self.slugs();
        let same = self.name == other.name || other.slugs().iter().any(|slug| slugs.contains(slug));
        same && !self.offers.source.is_empty() && !other.offers.source.is_empty()
    }
}

/// A symbolic link to make.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// Where, from the project's folder.
    pub path: String,
    /// What it says: absolute into the store, or relative to the link's own folder.
    pub target: PathBuf,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct File {
    /// Where, from the project's folder.
    pub path: String,
    /// What it holds.
    pub contents: String,
}

/// Something that two packages offer at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    /// The place, such as `weir_packages/bin/greet`.
    pub path: String,
    /// The package that has the place: `owner/name@version`.
    pub kept: String,
    /// The package that does not.
    pub shadowed: String,
    /// Whether both are direct dependencies, so that a person has to choose.
    pub direct: bool,
}

/// All that is to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Links, sorted by path.
    pub links: Vec<Link>,
    /// Files, sorted by path.
    pub files: Vec<File>,
    /// What two packages offer at one place.
    pub collisions: Vec<Collision>,
}

/// The slugs of a package: those of its manifest or, where there is none, its name (without its owner) as an identifier.
pub fn slugs(manifest: &BashManifest, name: &str) -> Vec<String> {
    if !manifest.slugs.is_empty() {
        return manifest.slugs.clone();
    }
    vec![identifier(name.split_once('/').map_or(name, |(_, name)| name))]
}

/// The mark of each package of a closure: none for direct dependencies, which keep their names, and for what is never
/// loaded into a shell because it names no `source`.
///
/// Two releases with one slug and one version (a fork, say) get their owners into their marks,
/// and so does one whose prefix is another package's slug.
pub fn marks(nodes: &[Node]) -> Vec<Option<String>> {
    let mut owners_of: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate().filter(|(_, node)| node.may_change()) {
        for slug in node.slugs() {
            let prefix = format!("{}_{}", identifier(&slug), version_mark(&node.version));
            owners_of.entry(prefix).or_default().push(index);
        }
    }
    let is_slug =
        |prefix: &String| nodes.iter().flat_map(Node::slugs).any(|slug| identifier(&slug) == *prefix);
    let mut marks: Vec<Option<String>> =
        nodes.iter().map(|node| node.may_change().then(|| version_mark(&node.version))).collect();
    for (prefix, indices) in owners_of {
        if indices.len() > 1 || is_slug(&prefix) {
            for index in indices {
                let owner: String = nodes[index].name.bytes().map(|byte| format!("{byte:02x}")).collect();
                marks[index] = Some(format!("{}_of_{owner}", version_mark(&nodes[index].version)));
            }
        }
    }
    marks
}

fn identifier(slug: &str) -> String {
    slug.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// The packages in an order in which each comes after what it uses; a cycle is entered where it is met.
pub fn order(nodes: &[Node]) -> Vec<usize> {
    let packages: Vec<IndexPackage> = nodes
        .iter()
        .map(|node| IndexPackage { dependencies: node.dependencies.clone(), ..IndexPackage::default() })
        .collect();
    let mut order = Vec::new();
    let mut met = vec![false; nodes.len()];
    for index in 0..nodes.len() {
        for needed in crate::loader::load_order(&packages, index).into_iter().chain([index]) {
            if !std::mem::replace(&mut met[needed], true) {
                order.push(needed);
            }
        }
    }
    order
}

/// Plans a closure's layout.
pub fn plan(nodes: &[Node]) -> Plan {
    let mut planner =
        Planner { nodes, links: BTreeMap::new(), owners: BTreeMap::new(), collisions: Vec::new() };
    // The newest release of a package comes first, so that it has the place where several offer one command.
    let mut indices: Vec<usize> = (0..nodes.len()).collect();
    let version = |index: usize| nodes[index].version.parse::<weir_model::Version>().ok();
    indices.sort_by(|&a, &b| (&nodes[a].name, version(b)).cmp(&(&nodes[b].name, version(a))).then(a.cmp(&b)));
    for index in indices {
        planner.place(index);
    }
    let links = planner.links.into_iter().map(|(path, target)| Link { path, target }).collect();
    let index = File { path: INDEX_FILE.into(), contents: index_script(&index_packages(nodes)) };
    Plan { links, files: vec![index], collisions: planner.collisions }
}

fn index_packages(nodes: &[Node]) -> Vec<IndexPackage> {
    let package = |node: &Node| IndexPackage {
        name: node.name.clone(),
        path: package_path(node),
        direct: node.direct,
        sources: node.offers.source.clone(),
        environment: node.manifest.environment.clone(),
        options: node.manifest.options.clone(),
        shopt: node.manifest.shopt.clone(),
        dependencies: node.dependencies.clone(),
    };
    nodes.iter().map(package).collect()
}

/// The folder of direct dependencies, or of those below them.
fn level(node: &Node) -> String {
    if node.direct { FOLDER.to_owned() } else { format!("{FOLDER}/transitive") }
}

/// Where a package is, from the project's folder.
pub fn package_path(node: &Node) -> String {
    format!("{}/packages/{}@{}", level(node), node.name, node.version)
}

struct Planner<'a> {
    nodes: &'a [Node],
    links: BTreeMap<String, PathBuf>,
    owners: BTreeMap<String, usize>,
    collisions: Vec<Collision>,
}

impl Planner<'_> {
    fn place(&mut self, index: usize) {
        let nodes = self.nodes;
        let node = &nodes[index];
        let path = package_path(node);
        let offered = |dependency: &&usize| {
            nodes.get(**dependency).is_some_and(|node| !node.offers.places().is_empty())
        };
        let has_inner = node.dependencies.iter().any(|dependency| offered(&dependency));
        if has_inner && !node.top_level.is_empty() {
            for entry in node.top_level.iter().filter(|entry| *entry != FOLDER) {
                self.links.insert(format!("{path}/{entry}"), node.tree.join(entry));
            }
            for dependency in node.dependencies.iter().filter(|dependency| offered(dependency)) {
                // Whoever installs a package cannot choose for it: here the first has the place, and it is told.
                self.offer(*dependency, &format!("{path}/{FOLDER}"), false);
            }
        } else {
            self.links.insert(path, node.tree.clone());
        }
        self.offer(index, &level(node), node.direct);
    }

    /// Links what a package offers into a folder.
    fn offer(&mut self, index: usize, folder: &str, direct: bool) {
        let node = &self.nodes[index];
        for (place, file) in node.offers.places() {
            let path = format!("{folder}/{place}");
            if let Some(other) = self.owners.get(&path).copied() {
                if other != index {
                    let direct = direct && self.nodes[other].name != node.name;
                    let (kept, shadowed) = (self.nodes[other].id(), self.nodes[index].id());
                    self.collisions.push(Collision { path, kept, shadowed, direct });
                }
                continue;
            }
            self.links.insert(path.clone(), relative(&path, &format!("{}/{file}", package_path(node))));
            self.owners.insert(path, index);
        }
    }
}

/// The target that a link at `path` needs in order to reach `to`, both from the project's folder.
fn relative(path: &str, to: &str) -> PathBuf {
    let from: Vec<&str> = path.split('/').collect();
    let to: Vec<&str> = to.split('/').collect();
    let shared = from[..from.len() - 1].iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from.len() - 1 - shared);
    up.chain(to[shared..].iter().copied()).collect()
}

#[cfg(test)]
mod tests;
