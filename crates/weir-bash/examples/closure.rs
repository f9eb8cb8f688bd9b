//! Installs packages from folders into a project, without a registry, to try renaming and loading on real ones:
//! `closure PROJECT NAME@VERSION=FOLDER[=DEPENDENCY,…]…`, where a name with a `+` before it is a direct dependency.
#![expect(clippy::print_stdout, reason = "an example reports on the terminal")]
use std::path::{Path, PathBuf};

use weir_bash::closure::rename_all;
use weir_bash::layout::{Node, TreeFile, expand, plan};
use weir_bash::loader::init_script;
use weir_bash::manifest::{RenameWishes, read_basalt};
use weir_bash::rename::SourceFile;

fn files(folder: &Path) -> Result<Vec<PathBuf>, std::io::Error> {
    let mut found = Vec::new();
    let mut rest = vec![folder.to_owned()];
    while let Some(folder) = rest.pop() {
        for entry in fs_err::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { rest.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (project, specs) = args.split_first().ok_or("usage")?;
    let project = Path::new(project);
    let parsed: Vec<Vec<&str>> = specs.iter().map(|spec| spec.split('=').collect()).collect();
    let ids: Vec<&str> = parsed.iter().map(|spec| spec[0].trim_start_matches('+')).collect();
    let (mut nodes, mut sources) = (Vec::new(), Vec::new());
    for spec in &parsed {
        let folder = Path::new(spec[1]);
        let foreign = read_basalt(&fs_err::read_to_string(folder.join("basalt.toml"))?)?;
        for warning in &foreign.warnings {
            println!("{}: {warning}", spec[0]);
        }
        let mut tree = Vec::new();
        for path in files(folder)? {
            let path = path.strip_prefix(folder)?.to_string_lossy().into_owned();
            tree.push(TreeFile { executable: path.contains("/bin/"), path });
        }
        let (offers, missing) = expand(&foreign.bash, &tree);
        println!("{}: {} files, {missing:?}", spec[0], offers.source.len());
        let mut package = Vec::new();
        for path in &offers.source {
            package.push(SourceFile { path: path.clone(), bytes: fs_err::read(folder.join(path))? });
        }
        let (name, version) = spec[0].trim_start_matches('+').split_once('@').ok_or("version")?;
        let dependencies = spec
            .get(2)
            .map(|text| text.split(',').filter_map(|d| ids.iter().position(|id| *id == d)).collect());
        nodes.push(Node {
            name: format!("bash-bastion/{name}"),
            version: version.into(),
            direct: spec[0].starts_with('+'),
            tree: project.join("store").join(spec[0].trim_start_matches('+')),
            manifest: foreign.bash,
            offers,
            dependencies: dependencies.unwrap_or_default(),
            ..Node::default()
        });
        sources.push(package);
    }
    let (settled, outputs) = rename_all(&nodes, sources, &RenameWishes::default());
    println!("kept: {:?}, refused: {:?}", settled.kept, settled.refused);
    for (node, output) in nodes.iter().zip(outputs) {
        println!("{} {}: {} undecided", node.name, node.version, output.report.undecided.len());
        for file in output.files {
            let path = node.tree.join(&file.path);
            fs_err::create_dir_all(path.parent().ok_or("no parent")?)?;
            fs_err::write(path, file.bytes)?;
        }
    }
    let plan = plan(&nodes);
    for link in &plan.links {
        let path = project.join(&link.path);
        fs_err::create_dir_all(path.parent().ok_or("no parent")?)?;
        fs_err::os::unix::fs::symlink(&link.target, path)?;
    }
    for file in &plan.files {
        fs_err::write(project.join(&file.path), &file.contents)?;
    }
    fs_err::write(project.join("init.bash"), init_script(None))?;
    Ok(())
}
