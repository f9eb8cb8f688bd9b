//! A closure as real ones are: three releases of one library below packages that need one each, renamed, laid out as
//! links, and loaded into one strict shell.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

use std::path::Path;
use std::process::Command;

use weir_bash::closure::rename_all;
use weir_bash::layout::{Node, Offers, Plan, plan};
use weir_bash::loader::init_script;
use weir_bash::manifest::{BashManifest, RenameWish, RenameWishes};
use weir_bash::rename::SourceFile;

/// A library with state of every sort, whose functions take other arguments in each release.
fn core(version: &str) -> String {
    let print = match version {
        "0.6.0" => "core.print_info() { printf '%s\\n' \"0.6.0 $1: $2\"; }",
        version => &format!("core.print_info() {{ printf '%s\\n' \"{version} $1\"; }}"),
    };
    format!(
        r#"
# core.print_info is described here, and stays.
declare -A ___handlers___=()
{print}
core.init() {{
	if [ ${{___has_init___+x}} ]; then return; fi
	___has_init___=
	declare -ga ___stack___=()
}}
core.err_set() {{ ERRCODE=$1; ERR=$2; }}
core.err_exists() {{ [ -n "${{ERR-}}" ]; }}
core.on() {{
	core.init
	local function=$1 event=$2 name=
	___handlers___["$event"]="${{___handlers___[$event]-}} $function"
	___stack___+=("$function")
	printf -v name '%q' "core.private.handler_${{event}}"
	eval "$name() {{ core.private.run '$event' \"\$@\"; }}"
}}
core.fire() {{ "core.private.handler_$1" "${{@:2}}"; }}
core.private.run() {{
	local event=$1 function=
	local -n all=___handlers___
	for function in ${{all[$event]}}; do
		if declare -f "$function" >/dev/null; then "$function" "$2" "${{#___stack___[@]}}"; fi
	done
}}
"#
    )
}

fn node(name: &str, version: &str, slug: &str, direct: bool, dependencies: &[usize]) -> Node {
    Node {
        name: name.into(),
        version: version.into(),
        direct,
        manifest: BashManifest { slugs: vec![slug.into()], ..BashManifest::default() },
        offers: Offers { source: vec!["src/lib.sh".into()], ..Offers::default() },
        dependencies: dependencies.to_vec(),
        ..Node::default()
    }
}

/// Writes trees into a store and makes the plan's links in a project.
fn install(
    store: &Path,
    project: &Path,
    mut nodes: Vec<Node>,
    files: Vec<Vec<SourceFile>>,
    wishes: &RenameWishes,
) -> Plan {
    let (settled, outputs) = rename_all(&nodes, files, wishes);
    assert!(settled.refused.is_empty(), "{settled:?}");
    for (node, output) in nodes.iter_mut().zip(outputs) {
        node.tree = store.join(format!("{}@{}", node.name.replace('/', "-"), node.version));
        for file in output.files {
            let path = node.tree.join(&file.path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, file.bytes).unwrap();
        }
    }
    let plan = plan(&nodes);
    for link in &plan.links {
        let path = project.join(&link.path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::os::unix::fs::symlink(&link.target, path).unwrap();
    }
    for file in &plan.files {
        fs_err::write(project.join(&file.path), &file.contents).unwrap();
    }
    plan
}

fn library(text: &str) -> Vec<SourceFile> {
    vec![SourceFile { path: "src/lib.sh".into(), bytes: text.as_bytes().to_vec() }]
}

fn run(script: &Path) -> String {
    let output = Command::new("bash").arg(script).current_dir("/").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn three_releases_of_one_library_serve_their_callers_in_one_shell() {
    let nodes = vec![
        node("acme/core", "0.12.0", "core", true, &[]),
        node("acme/term", "0.6.3", "term", true, &[3]),
        node("acme/bash-toml", "0.3.1", "bash_toml", true, &[4]),
        node("acme/core", "0.11.0", "core", false, &[]),
        node("acme/core", "0.6.0", "core", false, &[]),
    ];
    let files = vec![
        library(&core("0.12.0")),
        library(
            "term.say() { core.print_info \"$1\"; core.err_set 3 term; }\nterm.on_exit() { echo \"term handler $1 of $2\"; }\n\
             term.start() { core.on term.on_exit exit; core.fire exit a; }\nterm.status() { echo \"term: $ERRCODE $ERR\"; }\n",
        ),
        library(
            "bash-toml.say() { core.print_info toml \"$1\"; if core.err_exists; then echo leaked; fi; }\n\
             bash-toml.start() { handler() { echo \"toml handler $1 of $2\"; }; core.on handler exit; core.on handler exit; core.fire exit b; }\n",
        ),
        library(&core("0.11.0")),
        library(&core("0.6.0")),
    ];
    let folder = tempfile::tempdir().unwrap();
    let (store, project) = (folder.path().join("store"), folder.path().join("it's a project"));
    let plan = install(
        &store,
        &project,
        nodes,
        files,
        &RenameWishes { all: Some(RenameWish::All), ..RenameWishes::default() },
    );
    assert!(plan.collisions.is_empty());
    fs_err::write(project.join("init.bash"), init_script(None)).unwrap();
    let script = "set -euo pipefail\nsource \"${BASH_SOURCE[0]%/*}/init.bash\"\nweir.load-all\ncore.print_info mine\nterm.say hello\nbash-toml.say hello\n\
        term.start; bash-toml.start; term.status\nmine() { echo \"my handler $1 of $2\"; }\ncore.on mine exit; core.fire exit c\n\
        if core.err_exists; then echo leaked; fi\ncore.err_set 1 mine; term.status\n";
    fs_err::write(project.join("main.bash"), script).unwrap();
    let expected = "0.12.0 mine\n0.11.0 hello\n0.6.0 toml: hello\nterm handler a of 1\ntoml handler b of 2\ntoml handler b of 2\n\
        term: 3 term\nmy handler c of 1\nterm: 3 term\n";
    assert_eq!(run(&project.join("main.bash")), expected);
    let moved = folder.path().join("moved");
    fs_err::rename(&project, &moved).unwrap();
    assert_eq!(run(&moved.join("main.bash")), expected);
}
