//! What a repository without any manifest probably offers, by the names that people give to files and folders.

use toml_edit::{DocumentMut, Item};
use weir_kind::{KindError, PackageFiles};
use weir_tree::{Mode, TreeManifest};

use super::foreign::{bash_table, begins_as_shell};
use crate::manifest::BashManifest;

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

/// What is in a folder, as TOML; `None` where nothing in it looks like something to be sourced or run.
pub(super) fn guess(files: &dyn PackageFiles, tree: &TreeManifest) -> Result<Option<String>, KindError> {
    let files = Files { content: files, tree };
    let mut bash = BashManifest { bin: files.commands(), ..BashManifest::default() };
    // What lies beside a program is a part of it, and not to be sourced.
    if bash.bin.is_empty() {
        bash.source = files.sources();
    }
    if bash.bin.is_empty() && bash.source.is_empty() {
        return Ok(None);
    }
    bash.completion = files.completions();
    bash.man = files.pages();
    let mut document = DocumentMut::new();
    document.insert("bash", Item::Table(bash_table(&bash)));
    Ok(Some(document.to_string()))
}

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
        top.map(|(path, _)| path.to_owned()).collect()
    }

    fn sources(&self) -> Vec<String> {
        for folder in ["src", "lib"] {
            if self.has(folder, |path, _| has_shell_name(path)) {
                return vec![folder.into()];
            }
        }
        let is_source = |path: &str| has_shell_name(path) && is_offered(path) && !is_completion(path);
        self.within("").filter(|(path, _)| is_source(path)).map(|(path, _)| path.to_owned()).collect()
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
            (&["lib/a.bash", "bin/tool*", "man/man1/tool.1"], r#"[bash] bin = ["bin"] man = ["man/man1"]"#),
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
}
