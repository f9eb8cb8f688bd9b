//! From a closure to links: nodes from facts, rewritten trees from the store, and the plan of both.

use std::collections::BTreeMap;
use std::path::Path;

use weir_kind::{Closure, KindError, Layout, LayoutFile, PACKAGES_FOLDER, Placed};
use weir_model::{KindName, ReleaseId};
use weir_store::Session;
use weir_tree::TreePath;

use super::facts::BashFacts;
use super::rewrite::{Rewritten, rewrite};
use crate::closure::Settled;
use crate::layout::{Collision, Node, package_path, plan};
use crate::loader::init_script;
use crate::manifest::{RenameWishes, read_table_text};

/// Where the places are told that renaming could not decide, below the layout's folder.
pub const REPORT_FILE: &str = "renamed.txt";

/// What `BASH_ENV` names while tests run, below the layout's folder.
pub const TEST_FILE: &str = "test.bash";

/// What `weir bash init` prints, for tests: there is no `weir` to ask where they run.
const INIT_FILE: &str = "init.bash";

/// The most lines told of one package while it is installed; the report has them all.
const MOST_TOLD: usize = 5;

/// Plans the layout of a closure's Bash packages.
pub(super) fn lay_out(closure: &Closure, store: &Session) -> Result<Layout, KindError> {
    let placed: Vec<&Placed> =
        closure.packages.iter().filter(|placed| placed.kind == KindName::Bash).collect();
    let mut nodes = nodes(&placed)?;
    let wishes = wishes(closure)?;
    let rewritten = rewrite(&placed, &nodes, &wishes, store)?;
    refuse(&nodes, &rewritten.settled)?;
    for index in 0..nodes.len() {
        nodes[index].tree.clone_from(&rewritten.packages[index].content);
        let uses = &nodes[index].dependencies;
        if uses.iter().any(|dependency| !nodes[*dependency].offers.places().is_empty()) {
            nodes[index].top_level = top_level(&rewritten.packages[index].content)?;
        }
    }
    let plan = plan(&nodes);
    let mut layout = Layout::default();
    for link in plan.links {
        layout.link(below(&link.path), link.target);
    }
    for file in plan.files {
        let contents = file.contents.into_bytes();
        layout.files.push(LayoutFile { path: below(&file.path).into(), contents, executable: false });
    }
    for (path, contents) in
        [(TEST_FILE, include_str!("test.bash").into()), (INIT_FILE, init_script(None).into_bytes())]
    {
        layout.files.push(LayoutFile { path: path.into(), contents, executable: false });
    }
    for collision in plan.collisions {
        layout.warnings.extend(collided(&collision, &placed)?);
    }
    link_libraries(&nodes, &mut layout);
    layout.warnings.extend(idle(&wishes, &nodes));
    tell(&nodes, &rewritten, &mut layout);
    Ok(layout)
}

/// What the project wants of renaming.
fn wishes(closure: &Closure) -> Result<RenameWishes, KindError> {
    let Some(text) = &closure.project.bash else { return Ok(RenameWishes::default()) };
    let table = read_table_text(text).map_err(|error| KindError::NotAllowed(format!("`[bash]`: {error}")))?;
    Ok(table.rename)
}

/// Wishes about packages that the project does not use.
fn idle(wishes: &RenameWishes, nodes: &[Node]) -> impl Iterator<Item = String> {
    let is_idle = |name: &&String| nodes.iter().all(|node| node.name != **name);
    let named = wishes.packages.keys().filter(is_idle);
    named.map(|name| format!("`rename` below `[bash]` names `{name}`, which is not used"))
}

/// Refuses a closure with a package that can neither be renamed nor keep its names.
fn refuse(nodes: &[Node], settled: &Settled) -> Result<(), KindError> {
    let Some((package, (rival, lines))) = settled.refused.first_key_value() else { return Ok(()) };
    let (package, rival) = (&nodes[*package], &nodes[*rival]);
    let mut places: Vec<String> = lines.iter().take(MOST_TOLD).map(|line| format!("  {line}\n")).collect();
    if lines.len() > MOST_TOLD {
        places.push(format!("  and {} lines more\n", lines.len() - MOST_TOLD));
    }
    Err(KindError::Clash(format!(
        "`{}` and `{}` define the same names, so that one of them has to be renamed, and in `{}` not every place can be \
         decided:\n{}`rename = {{ \"{}\" = \"all\" }}` below `[bash]` in your `weir.toml` renames it all the same",
        rival.id(),
        package.id(),
        package.id(),
        places.concat(),
        package.name,
    )))
}

/// A path of a plan, below the layout's folder.
fn below(path: &str) -> &str {
    path.strip_prefix(PACKAGES_FOLDER).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path)
}

pub(super) fn nodes(placed: &[&Placed]) -> Result<Vec<Node>, KindError> {
    let by_id: BTreeMap<&ReleaseId, usize> =
        placed.iter().enumerate().map(|(index, placed)| (&placed.id, index)).collect();
    let mut nodes = Vec::with_capacity(placed.len());
    for package in placed {
        let facts = BashFacts::read(&package.facts).map_err(|reason| {
            KindError::NotAllowed(format!("the record of `{}` cannot be used: {reason}", package.id))
        })?;
        let (manifest, offers) = facts.into_parts();
        nodes.push(Node {
            name: package.id.name.to_string(),
            version: package.id.version.to_string(),
            direct: package.direct,
            tree: package.content.clone(),
            top_level: Vec::new(),
            manifest,
            offers,
            dependencies: package.dependencies.iter().filter_map(|id| by_id.get(id).copied()).collect(),
        });
    }
    Ok(nodes)
}

/// The names at the top of a folder that a tree can have.
fn top_level(folder: &Path) -> Result<Vec<String>, KindError> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        if let Ok(name) = entry?.file_name().into_string()
            && TreePath::new(&name).is_ok()
            && name != ".git"
        {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Two packages offer one thing: an error where a person has to choose, a warning where one hides the other.
fn collided(collision: &Collision, placed: &[&Placed]) -> Result<Option<String>, KindError> {
    let file = below(&collision.path).to_owned();
    if collision.direct {
        let id = |title: &str| {
            placed
                .iter()
                .find(|placed| title == format!("{}@{}", placed.id.name, placed.id.version))
                .map(|placed| Box::new(placed.id.clone()))
        };
        if let (Some(first), Some(second)) = (id(&collision.kept), id(&collision.shadowed)) {
            return Err(KindError::Collision { file, first, second });
        }
    }
    let name = |title: &str| title.rsplit_once('@').map(|(name, _)| name.to_owned());
    if name(&collision.kept) == name(&collision.shadowed) {
        // Two releases of one package below the direct dependencies: the newer has the place.
        return Ok(None);
    }
    let (kept, shadowed) = (&collision.kept, &collision.shadowed);
    Ok(Some(format!("`{file}` is offered by both `{kept}` and `{shadowed}`: it is that of `{kept}`")))
}

/// Direct dependencies under their bare names, in `lib`: for tools with a path of libraries, such as `BATS_LIB_PATH`.
fn link_libraries(nodes: &[Node], layout: &mut Layout) {
    let mut owners: BTreeMap<&str, &Node> = BTreeMap::new();
    for node in nodes.iter().filter(|node| node.direct) {
        let Some((_, name)) = node.name.split_once('/') else { continue };
        if let Some(first) = owners.get(name) {
            layout.warnings.push(format!(
                "`lib/{name}` is offered by both `{}` and `{}`: it is that of `{}`",
                first.name, node.name, first.name
            ));
            continue;
        }
        owners.insert(name, node);
        layout.link(format!("lib/{name}"), Path::new("..").join(below(&package_path(node))));
    }
}

/// Tells who keeps its names, and what could not be decided or read.
fn tell(nodes: &[Node], rewritten: &Rewritten, layout: &mut Layout) {
    let mut report = String::new();
    for (index, (node, package)) in nodes.iter().zip(&rewritten.packages).enumerate() {
        let id = node.id();
        if let Some(lines) = rewritten.settled.kept.get(&index) {
            layout.warnings.push(format!(
                "`{id}` keeps its names, as not every place that uses them could be decided: \
                 `{PACKAGES_FOLDER}/{REPORT_FILE}` says which"
            ));
            report.push_str(&format!("# {id} keeps its names. Undecided was:\n{}\n\n", lines.join("\n")));
        }
        let left: Vec<&str> = package.left.lines().map(String::as_str).collect();
        if !left.is_empty() {
            report.push_str(&format!(
                "# {id} calls what is renamed, or is renamed. Undecided is:\n{}\n\n",
                left.join("\n")
            ));
        }
        // What is loaded counts; a script that only its authors run is told of in the file.
        let is_offered = |line: &&String| {
            let file = line.split(':').next().unwrap_or_default();
            node.offers.source.iter().chain(&node.offers.bin).any(|path| path == file)
        };
        let unread = package.left.unread.iter().filter(is_offered);
        layout.warnings.extend(unread.take(MOST_TOLD).map(|line| format!("`{id}`: {line}")));
    }
    if !report.is_empty() {
        let contents = report.into_bytes();
        layout.files.push(LayoutFile { path: REPORT_FILE.into(), contents, executable: false });
    }
}
