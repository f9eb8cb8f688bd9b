//! `weir tree`: who needs what, drawn as a tree.

use std::process::ExitCode;

use clap::Args;
use weir_model::Scope;
use weir_project::TreeNode;

use crate::arguments::Whose;
use crate::context::Context;
use crate::documents::looking::DependencyTree;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::Page;

/// Draw what the project needs, and what that needs, as a tree
///
/// What it needs only to be built or worked on stands below the name of its table in `weir.toml`.
/// `(*)` marks a release whose own dependencies are drawn further up already; `(yanked)` one that was yanked, as
/// far as this machine knows.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir tree", "weir tree --depth 1"))]
pub(crate) struct Arguments {
    /// How many levels to draw
    #[arg(long, value_name = "LEVELS")]
    depth: Option<usize>,
    #[command(flatten)]
    whose: Whose,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let project = context.project_of(arguments.whose)?;
    let package = &project.manifest.package;
    let tree = DependencyTree {
        dependencies: weir_project::dependency_tree(&context.session()?, &project)?,
        folder: project.folder.clone(),
        name: package.name.clone(),
        version: package.version.clone(),
    };
    context.output.answer(&tree, |page| {
        let version = tree.version.as_ref().map(|version| format!(" {version}"));
        let top = match &tree.name {
            Some(name) => format!("{name}{}", version.unwrap_or_default()),
            None => project.folder.file_name().unwrap_or(project.folder.as_os_str()).display().to_string(),
        };
        page.heading(&top);
        let depth = arguments.depth.unwrap_or(usize::MAX);
        for part in tree.dependencies.chunk_by(|one, next| one.scope == next.scope) {
            match part.first().and_then(|node| node.scope) {
                Some(Scope::Build) => page.line("[build-dependencies]"),
                Some(Scope::Dev) => page.line("[dev-dependencies]"),
                Some(Scope::Run) | None => {}
            }
            draw(page, part, depth);
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A node that is still to be drawn: itself, the lines to the left of it, and whether it is the last of its parent.
struct Pending<'a> {
    node: &'a TreeNode,
    left: String,
    last: bool,
    level: usize,
}

/// Depth first, without recursion: how deep a tree is was decided by others.
fn draw(page: &mut Page, tree: &[TreeNode], depth: usize) {
    let mut pending = Vec::new();
    push(&mut pending, tree, "", 1);
    while let Some(Pending { node, left, last, level }) = pending.pop() {
        if level > depth {
            continue;
        }
        let branch = if last { "└── " } else { "├── " };
        page.line(format!("{left}{branch}{}", label(page, node)));
        let below = format!("{left}{}", if last { "    " } else { "│   " });
        push(&mut pending, &node.dependencies, &below, level + 1);
    }
}

fn push<'a>(pending: &mut Vec<Pending<'a>>, nodes: &'a [TreeNode], left: &str, level: usize) {
    let count = nodes.len();
    let children = nodes.iter().enumerate();
    pending.extend(children.rev().map(|(place, node)| Pending {
        node,
        left: left.to_owned(),
        last: place + 1 == count,
        level,
    }));
}

fn label(page: &Page, node: &TreeNode) -> String {
    let palette = page.palette;
    let mut text = format!("{} {}", node.id.name, super::changes::version(&node.id));
    let mut mark = |word: &str, style: clap::builder::styling::Style| {
        text.push_str(&format!(" {style}{word}{style:#}"));
    };
    if node.fluid {
        mark("(fluid)", palette.name);
    }
    if let Some(state) = node.withdrawn {
        mark(&format!("({state})"), palette.bad);
    }
    if node.repeated {
        mark("(*)", palette.faint);
    }
    text
}
