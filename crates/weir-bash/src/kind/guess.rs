//! What a repository without any manifest probably offers, by the names that people give to files and folders.

use std::collections::HashSet;

use toml_edit::{DocumentMut, Item};
use tree_sitter::Node;
use weir_kind::{KindError, PackageFiles};
use weir_tree::{Mode, TreeManifest};

use super::foreign::{bash_table, begins_as_shell};
use super::inspect::content;
use crate::manifest::BashManifest;
use crate::rename::{SourceFile, read};

/// Beginnings of the names of scripts that are about the repository, and not what it offers.
const OF_REPOSITORIES: &[&str] = &[
    "install",
    "uninstall",
    "setup",
    "configure",
    "bootstrap",
    "build",
    "make",
    "release",
    "deploy",
    "test",
    "run-test",
    "runtest",
    "ci",
    "lint",
    "shellcheck",
    "update",
    "bake",
    "Bakefile",
];

const COMPLETIONS: &[&str] = &["completions", "completion", "share/completions", "etc/bash_completion.d"];
const PAGES: &[&str] = &["man", "share/man", "doc/man", "docs/man", "man/man1"];

/// Folders that libraries are in.
const LIBRARIES: &[&str] = &["src", "lib"];

/// What is in a folder, as TOML; `None` where nothing in it looks like something to be sourced or run. What it leaves open is asked in comments.
pub(super) fn guess(files: &dyn PackageFiles, tree: &TreeManifest) -> Result<Option<String>, KindError> {
    let files = Files { content: files, tree };
    let mut bash = BashManifest { bin: files.commands(), ..BashManifest::default() };
    // What lies beside a program is most likely a part of it, and not to be sourced.
    let beside = files.sources();
    let mut open = Vec::new();
    if bash.bin.is_empty() {
        bash.source = beside;
    } else {
        bash.source = files.libraries_that_can_be_run();
        open = beside.into_iter().filter(|path| !bash.source.contains(path)).collect();
    }
    if bash.bin.is_empty() && bash.source.is_empty() {
        return Ok(None);
    }
    bash.completion = files.completions();
    bash.man = files.pages();
    let mut document = DocumentMut::new();
    document.insert("bash", Item::Table(bash_table(&bash)));
    let mut text = document.to_string();
    if !open.is_empty() {
        let named: Vec<String> = open.iter().take(MOST_NAMED).map(|path| format!("{path:?}")).collect();
        let comment = format!(
            "# Shell files beside the commands are not sourced: if others are to load them, say `source = [{}]` below `[bash]`.\n",
            named.join(", ")
        );
        text.push_str(&comment);
    }
    Ok(Some(text))
}

/// The most files that a comment names.
const MOST_NAMED: usize = 10;

struct Files<'a> {
    content: &'a dyn PackageFiles,
    tree: &'a TreeManifest,
}

impl Files<'_> {
    /// The paths of files straight in a folder of the tree (`""` is its top), without links, and whether each can be executed.
    fn within<'t>(&'t self, folder: &'t str) -> impl Iterator<Item = (&'t str, bool)> {
        let entries = self.tree.entries().iter().filter(|entry| entry.mode != Mode::Link);
        entries.filter_map(move |entry| {
            let path = entry.path.as_str();
            let (above, _) = path.rsplit_once('/').unwrap_or(("", path));
            (above == folder).then_some((path, entry.mode == Mode::Executable))
        })
    }

    fn has(&self, folder: &str, fits: impl Fn(&str, bool) -> bool) -> bool {
        self.within(folder).any(|(path, executable)| fits(path, executable))
    }

    fn commands(&self) -> Vec<String> {
        let is_command = |path: &str, executable: bool| executable && begins_as_shell(self.content, path);
        if self.has("bin", is_command) {
            return vec!["bin".into()];
        }
        let top =
            self.within("").filter(|(path, executable)| is_command(path, *executable) && is_offered(path));
        top.filter(|(path, _)| !self.is_library(path)).map(|(path, _)| path.to_owned()).collect()
    }

    /// Whether a file straight at the top that can be executed is a library all the same.
    fn is_library(&self, path: &str) -> bool {
        has_shell_name(path) && content(self.content, path).is_ok_and(|bytes| only_defines(path, bytes))
    }

    fn libraries_that_can_be_run(&self) -> Vec<String> {
        let top = self.within("").filter(|(path, executable)| *executable && is_offered(path));
        top.filter(|(path, _)| self.is_library(path)).map(|(path, _)| path.to_owned()).collect()
    }

    fn sources(&self) -> Vec<String> {
        for folder in LIBRARIES {
            if self.has(folder, |path, _| has_shell_name(path)) {
                return vec![(*folder).into()];
            }
        }
        let is_source = |path: &str| has_shell_name(path) && is_offered(path) && !is_completion(path);
        let is_program = |path: &str, executable: bool| executable && !self.is_library(path);
        let top =
            self.within("").filter(|(path, executable)| is_source(path) && !is_program(path, *executable));
        top.map(|(path, _)| path.to_owned()).collect()
    }

    fn completions(&self) -> Vec<String> {
        let folders = COMPLETIONS.iter().filter(|folder| self.has(folder, |_, _| true));
        let folders = folders.map(|folder| (*folder).to_owned());
        let top = self.within("").filter(|(path, _)| is_completion(path));
        folders.chain(top.map(|(path, _)| path.to_owned())).collect()
    }

    fn pages(&self) -> Vec<String> {
        let folders = PAGES.iter().filter(|folder| self.has(folder, |path, _| is_page(path)));
        let folders = folders.map(|folder| (*folder).to_owned());
        folders
            .chain(self.within("").filter(|(path, _)| is_page(path)).map(|(path, _)| path.to_owned()))
            .collect()
    }
}

/// Whether a shell file defines functions, and neither calls one of them where it is run nor ends: a program would.
fn only_defines(path: &str, bytes: Vec<u8>) -> bool {
    let file = SourceFile { path: path.into(), bytes };
    let Ok(parsed) = read(&file) else { return false };
    let text = |node: Node<'_>| &file.bytes[node.byte_range()];
    let (mut defined, mut called) = (HashSet::new(), HashSet::new());
    let mut cursor = parsed.tree.walk();
    loop {
        let node = cursor.node();
        let is_function = node.kind() == "function_definition";
        if let Some(name) = node.child_by_field_name("name") {
            match node.kind() {
                "function_definition" => drop(defined.insert(text(name).to_vec())),
                "command" => drop(called.insert(text(name).to_vec())),
                _ => {}
            }
        }
        if !is_function && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                let ends = [&b"exit"[..], b"exec"].iter().any(|word| called.contains(*word));
                return !defined.is_empty() && !ends && called.is_disjoint(&defined);
            }
        }
    }
}

fn has_shell_name(path: &str) -> bool {
    path.ends_with(".sh") || path.ends_with(".bash")
}

fn is_offered(path: &str) -> bool {
    let is_word = |rest: &str| rest.is_empty() || rest.starts_with(['.', '-', '_']) || rest.starts_with("s.");
    !OF_REPOSITORIES.iter().any(|word| path.strip_prefix(word).is_some_and(is_word))
}

fn is_completion(path: &str) -> bool {
    path.ends_with(".bash-completion") || path.contains("completion") && has_shell_name(path)
}

fn is_page(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, section)| matches!(section.as_bytes(), [b'1'..=b'8']))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use weir_tree::{Selection, read_folder};

    use super::guess;

    /// What is guessed of files, those that end with `*` executable.
    fn guessed(files: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file.trim_end_matches('*'));
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(&path, "#!/usr/bin/env bash\n").unwrap();
            let mode = if file.ends_with('*') { 0o755 } else { 0o644 };
            fs_err::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let tree = read_folder(folder.path(), &Selection::everything()).unwrap();
        guess(&weir_fs::Folder::open(folder.path()).unwrap(), &tree)
            .unwrap()
            .unwrap_or_default()
            .replace('\n', " ")
            .trim()
            .to_owned()
    }

    #[test]
    fn libraries_programs_completions_and_pages_are_known_by_their_names() {
        for (files, expected) in [
            (&["z.sh", "z.1", "README", "Makefile"][..], r#"[bash] source = ["z.sh"] man = ["z.1"]"#),
            (&["src/a.sh", "b.sh", "test.sh*", "install.sh*"], r#"[bash] source = ["src"]"#),
            (
                &["lib/a.bash", "bin/tool*", "man/man1/tool.1"],
                r#"[bash] bin = ["bin"] man = ["man/man1"] # Shell files beside the commands are not sourced: if others are to load them, say `source = ["lib"]` below `[bash]`."#,
            ),
            (
                &["tool*", "release.sh*", "tests.sh*", "tool-completion.bash"],
                r#"[bash] bin = ["tool"] completion = ["tool-completion.bash"]"#,
            ),
            (
                &["preexec.sh", "completions/x.bash"],
                r#"[bash] source = ["preexec.sh"] completion = ["completions"]"#,
            ),
            (&["README.md", "main.py"], ""),
        ] {
            assert_eq!(guessed(files), expected, "{files:?}");
        }
    }

    #[test]
    fn a_library_that_can_be_executed_is_known_by_what_it_does_when_it_is_run() {
        const HEAD: &str = "#!/usr/bin/env bash\nset -e\nlog() { echo \"$1\"; exit 1; }\n";
        for (end, expected) in [
            ("log_error() { log \"$1\"; }\n", r#"[bash] source = ["log.sh"]"#),
            ("if [ -t 1 ]; then COLOR=yes; fi\n", r#"[bash] source = ["log.sh"]"#),
            ("log \"$@\"\n", r#"[bash] bin = ["log.sh"]"#),
            ("[[ $# -gt 0 ]] && log \"$@\"\n", r#"[bash] bin = ["log.sh"]"#),
            ("exit 0\n", r#"[bash] bin = ["log.sh"]"#),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("log.sh");
            fs_err::write(&path, format!("{HEAD}{end}")).unwrap();
            fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            let tree = read_folder(folder.path(), &Selection::everything()).unwrap();
            let files = weir_fs::Folder::open(folder.path()).unwrap();
            assert_eq!(guess(&files, &tree).unwrap().unwrap().replace('\n', " ").trim(), expected, "{end}");
        }
    }
}
