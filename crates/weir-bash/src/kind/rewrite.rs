//! Packages as they are used: with names of their own, and the names of what they use.
//!
//! A rewritten package is a derived tree of the store, found by the digest of everything that decides what is in it: its
//! files, its manifest, its mark, and the same of every package whose names it sees. So an install that finds them all costs one
//! look-up a package, and reads no file of any.
//!
//! What is derived holds `exports.json` (the new names, for packages that use it), `left.json` (what is undecided), and `tree`,
//! the files; `tree` is left out where nothing changed, and then the package is used as it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use weir_fs::Folder;
use weir_kind::{KindError, Placed};
use weir_model::{Digest, EntryDigest, InputDigest, TreeDigest};
use weir_store::{EnsureError, Ingredient, Making, Session};
use weir_tree::{Selection, TreeManifest, copy_tree, read_folder};

use super::inspect::package_files;
use crate::closure::{self, Leftovers, Settled, settle};
use crate::layout::{Node, Offers};
use crate::manifest::RenameWishes;
use crate::processes::programs;
use crate::rename::{Dependency, Exports, SCHEME, SourceFile, Subject, rename};

const EXPORTS: &str = "exports.json";
const LEFT: &str = "left.json";
const TREE: &str = "tree";

/// The packages of a closure as they are used.
pub(super) struct Rewritten {
    /// Who is renamed.
    pub(super) settled: Settled,
    /// Each package, in the order of the nodes.
    pub(super) packages: Vec<RewrittenPackage>,
}

/// A package as it is used.
#[derive(Debug, Clone, Default)]
pub(super) struct RewrittenPackage {
    /// Its files.
    pub(super) content: PathBuf,
    /// What renaming left undecided.
    pub(super) left: Left,
}

/// What renaming left undecided in a package, as it is kept beside the package's files: lines, by the package that they are
/// about, `owner/name@version`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Left {
    used: BTreeMap<String, Vec<String>>,
    tests: BTreeMap<String, Vec<String>>,
    /// Files that could not be read whole, whether that matters or not: a line each.
    pub(super) unread: Vec<String>,
}

impl Left {
    /// All lines, those about tests last.
    pub(super) fn lines(&self) -> impl Iterator<Item = &String> {
        self.used.values().chain(self.tests.values()).flatten()
    }

    fn leftovers(&self, nodes: &[Node]) -> Leftovers {
        let by_place = |named: &BTreeMap<String, Vec<String>>| {
            let place = |name: &String| nodes.iter().position(|node| node.id() == *name);
            named.iter().filter_map(|(name, lines)| Some((place(name)?, lines.clone()))).collect()
        };
        Leftovers { used: by_place(&self.used), tests: by_place(&self.tests) }
    }
}

/// Everything that decides what a package looks like when it is used.
#[derive(Serialize)]
struct Inputs<'a> {
    scheme: u32,
    tree: TreeDigest,
    name: &'a str,
    slugs: Vec<String>,
    mark: &'a Option<String>,
    keep: &'a [String],
    state: &'a [String],
    offers: &'a Offers,
    sees: Vec<Seen<'a>>,
}

#[derive(Serialize)]
struct Seen<'a> {
    name: &'a str,
    slugs: Vec<String>,
    mark: &'a Option<String>,
    /// Nothing for one that comes later in a cycle: it is seen by its slug only.
    inputs: Option<InputDigest>,
}

/// What is known of a package on the way.
#[derive(Default)]
struct Known {
    tree: Option<Tree>,
    inputs: Option<InputDigest>,
    derived: PathBuf,
    exports: Option<Exports>,
}

/// Finds or makes every package as it is used, in the order of `nodes`.
pub(super) fn rewrite(
    placed: &[&Placed],
    nodes: &[Node],
    wishes: &RenameWishes,
    store: &Session,
) -> Result<Rewritten, KindError> {
    let mut known: Vec<Known> = Vec::new();
    known.resize_with(nodes.len(), Known::default);
    let mut packages = vec![RewrittenPackage::default(); nodes.len()];
    let settled = settle(nodes, wishes, |index, marks| -> Result<Leftovers, KindError> {
        let content = &placed[index].content;
        let tree = match known[index].tree {
            Some(tree) => tree,
            None => *known[index].tree.insert(digest_of(content, store)?),
        };
        let inputs = inputs(nodes, marks, &known, index, &tree);
        let derived = match store.derived_tree(&inputs).map_err(store_error)? {
            Some(derived) => derived,
            None => make(placed, nodes, marks, &mut known, index, (&inputs, &tree), store)?,
        };
        let folder = derived.path().to_owned();
        let files = folder.join(TREE);
        let left: Left = read_json(&folder.join(LEFT))?;
        let leftovers = left.leftovers(nodes);
        packages[index] =
            RewrittenPackage { content: if files.is_dir() { files } else { content.clone() }, left };
        let tree = Some(tree);
        known[index] = Known { tree, inputs: Some(inputs), derived: folder, exports: None };
        Ok(leftovers)
    })?;
    Ok(Rewritten { settled, packages })
}

/// A package's files before they are rewritten.
#[derive(Debug, Clone, Copy)]
struct Tree {
    digest: TreeDigest,
    /// Whether it is the store's, which keeps what is made of it as long as it keeps this.
    stored: bool,
}

fn digest_of(content: &Path, store: &Session) -> Result<Tree, KindError> {
    let named = content.file_name().and_then(|name| name.to_str());
    if let Some(digest) = named.and_then(|name| Digest::from_hex(name).ok())
        && store.tree(&digest).map_err(store_error)?.is_some_and(|tree| tree.path() == content)
    {
        return Ok(Tree { digest, stored: true });
    }
    // A folder of somebody's, which may have changed since.
    Ok(Tree { digest: read(content, false)?.digest(), stored: false })
}

fn read(content: &Path, stored: bool) -> Result<TreeManifest, KindError> {
    let bad =
        |error: weir_tree::TreeError| KindError::BadFile { path: content.into(), reason: error.to_string() };
    let selection = match stored {
        true => Selection::everything(),
        false => Selection::package(&[], &[]).map_err(bad)?,
    };
    read_folder(content, &selection).map_err(bad)
}

fn inputs(
    nodes: &[Node],
    marks: &[Option<String>],
    known: &[Known],
    index: usize,
    tree: &Tree,
) -> InputDigest {
    let node = &nodes[index];
    let seen = |index: usize| Seen {
        name: &nodes[index].name,
        slugs: nodes[index].slugs(),
        mark: &marks[index],
        inputs: known[index].inputs,
    };
    let inputs = Inputs {
        scheme: SCHEME,
        tree: tree.digest,
        name: &node.name,
        slugs: node.slugs(),
        mark: &marks[index],
        keep: &node.manifest.keep,
        state: &node.manifest.state,
        offers: &node.offers,
        sees: closure::visible(nodes, index).into_iter().map(seen).collect(),
    };
    let text = serde_json::to_string(&inputs).expect("strings, numbers and lists of them are JSON");
    Digest::of(format!("weir-bash-rewritten v1\n{text}"))
}

fn make(
    placed: &[&Placed],
    nodes: &[Node],
    marks: &[Option<String>],
    known: &mut [Known],
    index: usize,
    (inputs, tree): (&InputDigest, &Tree),
    store: &Session,
) -> Result<weir_store::StoredTree, KindError> {
    let mut exports = vec![Exports::default(); nodes.len()];
    let mut from: Vec<Ingredient> =
        tree.stored.then_some(Ingredient::Tree(tree.digest)).into_iter().collect();
    for seen in closure::visible(nodes, index) {
        let Known { inputs: Some(_), tree, derived, exports: known } = &mut known[seen] else { continue };
        let known = match known {
            Some(known) => known,
            None => known.insert(read_json(&derived.join(EXPORTS))?),
        };
        exports[seen] = known.clone();
        if !from.is_empty() {
            from.extend(tree.filter(|tree| tree.stored).map(|tree| Ingredient::Tree(tree.digest)));
        }
    }
    let content = &placed[index].content;
    let manifest = read(content, tree.stored)?;
    let (tree_files, sources) = package_files(&Folder::open(content)?, &manifest, &nodes[index].offers)?;
    let before: BTreeMap<String, EntryDigest> =
        sources.iter().map(|file| (file.path.clone(), Digest::of(&file.bytes))).collect();
    let (suite, library): (Vec<SourceFile>, Vec<SourceFile>) =
        sources.into_iter().partition(|file| is_suite(&file.path));
    let programs = programs(&library, &tree_files, &nodes[index].offers);
    let subject = closure::subject(nodes, marks, index, programs);
    let mut dependencies = closure::dependencies(nodes, marks, &exports, index);
    let output = rename(library, &subject, &dependencies);
    dependencies.push(Dependency {
        name: nodes[index].name.clone(),
        slugs: subject.slugs.clone(),
        mark: subject.mark.clone(),
        exports: output.exports.clone(),
        under_test: true,
    });
    // Tests call the package by its new names, and keep their own: `setup` is what a runner looks for.
    let suite_subject = Subject { slugs: vec!["weir_suite".into()], ..Subject::default() };
    let suite = rename(suite, &suite_subject, &dependencies);
    let files = output.files.iter().chain(&suite.files);
    let changed: Vec<&SourceFile> =
        files.filter(|after| before.get(&after.path) != Some(&Digest::of(&after.bytes))).collect();
    let by_name = |report| -> BTreeMap<String, Vec<String>> {
        closure::about(nodes, index, report)
            .into_iter()
            .map(|(about, lines)| (nodes[about].id(), lines))
            .collect()
    };
    let unread = output.report.unread.iter().chain(&suite.report.unread);
    let left = Left {
        used: by_name(&output.report),
        tests: by_name(&suite.report),
        unread: unread.map(ToString::to_string).collect(),
    };
    let making = Making { inputs: *inputs, from: &from };
    let made = store.derived(&making, |folder| -> Result<(), KindError> {
        fs_err::write(
            folder.join(EXPORTS),
            serde_json::to_vec(&output.exports).map_err(std::io::Error::other)?,
        )?;
        fs_err::write(folder.join(LEFT), serde_json::to_vec(&left).map_err(std::io::Error::other)?)?;
        if !changed.is_empty() {
            copy_tree(content, &manifest, &folder.join(TREE))?;
            for file in &changed {
                let path = folder.join(TREE).join(&file.path);
                fs_err::write(path, &file.bytes)?;
            }
        }
        Ok(())
    });
    made.map_err(|error| match error {
        EnsureError::Source(error) => error,
        EnsureError::Store(error) => store_error(error),
    })
}

/// Whether a file is a test or belongs to tests, and not to what is loaded.
pub fn is_suite(path: &str) -> bool {
    path.ends_with(".bats") || ["tests/", "test/", "spec/"].iter().any(|folder| path.starts_with(folder))
}

/// The most bytes of what is kept of a package that was rewritten.
const MAX_JSON: u64 = 256 << 20;

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, KindError> {
    serde_json::from_slice(&weir_fs::read(path, MAX_JSON)?)
        .map_err(|error| KindError::BadFile { path: path.into(), reason: error.to_string() })
}

fn store_error(error: weir_store::StoreError) -> KindError {
    KindError::Store(Box::new(error))
}
