//! Whose process a file runs in: that of whoever loads the package, or one of its own.
//!
//! A **program** is run and not sourced. What it defines is its own, whatever else is called so; only what it calls of libraries
//! has to be found under the new names. A file that is both run and sourced is no program here.

use std::collections::BTreeSet;

use crate::layout::{Offers, TreeFile};
use crate::rename::SourceFile;

/// The paths of those files that are programs.
pub fn programs(files: &[SourceFile], tree: &[TreeFile], offers: &Offers) -> BTreeSet<String> {
    let executable: BTreeSet<&str> =
        tree.iter().filter(|file| file.executable).map(|file| file.path.as_str()).collect();
    let commands: BTreeSet<&str> =
        offers.bin.iter().chain(offers.commands.iter().map(|(_, path)| path)).map(String::as_str).collect();
    let is_run = |path: &str| executable.contains(path) || commands.contains(path);
    let is_loaded = |path: &String| offers.source.contains(path) || offers.completion.contains(path);
    let sourced = sourced_names(files);
    let is_sourced =
        |path: &str| path.rsplit('/').next().is_some_and(|name| sourced.contains(name.as_bytes()));
    let is_program = |file: &&SourceFile| {
        file.bytes.starts_with(b"#!")
            && is_run(&file.path)
            && !is_loaded(&file.path)
            && !is_sourced(&file.path)
    };
    files.iter().filter(is_program).map(|file| file.path.clone()).collect()
}

/// The last parts of all words that lines with a `source` or a `.` in them hold: more than what is sourced, and all of it.
fn sourced_names(files: &[SourceFile]) -> BTreeSet<&[u8]> {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || b";&|(){}\"'`".contains(byte);
    let lines = files.iter().flat_map(|file| file.bytes.split(|byte| *byte == b'\n'));
    let sources = lines.filter(|line| line.split(is_blank).any(|word| matches!(word, b"source" | b".")));
    sources
        .flat_map(|line| line.split(is_blank))
        .map(|word| word.rsplit(|byte| *byte == b'/').next().unwrap_or(word))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::programs;
    use crate::layout::{Offers, TreeFile};
    use crate::rename::SourceFile;

    #[test]
    fn a_file_that_is_run_and_never_sourced_is_a_program() {
        let file = |path: &str, text: &str| SourceFile { path: path.into(), bytes: text.into() };
        let files = [
            file("bin/run", "#!/bin/bash\nsource \"$here/../lib/both.sh\"\n"),
            file("lib/both.sh", "#!/bin/bash\n"),
            file("lib/plain.sh", "f() { :; }\n"),
            file("lib/loaded.sh", "#!/bin/bash\n"),
            file("tool", "#!/bin/sh\n"),
        ];
        let tree: Vec<TreeFile> = files
            .iter()
            .map(|file| TreeFile { path: file.path.clone(), executable: file.path != "tool" })
            .collect();
        let offers = Offers {
            source: vec!["lib/loaded.sh".into()],
            commands: vec![("tool".into(), "tool".into())],
            ..Offers::default()
        };
        let found: Vec<String> = programs(&files, &tree, &offers).into_iter().collect();
        assert_eq!(found, ["bin/run", "tool"]);
    }
}
