//! Settings of a recipe that its build system has no use for: most are mistyped.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use weir_native::{Settings, System};

/// The largest makefile that is read, in bytes.
const MAX_MAKEFILE: u64 = 1 << 20;

/// Variables that make itself uses, so that no makefile need name them.
const OF_MAKE: &[&str] = &[
    "AR",
    "ARFLAGS",
    "AS",
    "ASFLAGS",
    "CC",
    "CFLAGS",
    "CPP",
    "CPPFLAGS",
    "CXX",
    "CXXFLAGS",
    "FC",
    "FFLAGS",
    "LD",
    "LDFLAGS",
    "LDLIBS",
    "LOADLIBES",
    "MAKEFLAGS",
    "RM",
    "VPATH",
];

/// What a build system said, while it looked at what there is, of settings that it does not know.
pub(crate) fn told_by(system: &System, said: &str) -> Vec<String> {
    match system {
        System::Cmake => told_by_cmake(said),
        System::Autotools => after_each(said, "WARNING: unrecognized options:"),
        System::Meson => after_each(said, "Unknown options:"),
        System::Make { .. } | System::Script { .. } => Vec::new(),
    }
}

/// ```text
/// CMake Warning:
///   Manually-specified variables were not used by the project:
///
///     BUILD_SHARD_LIBS
/// ```
fn told_by_cmake(said: &str) -> Vec<String> {
    let mut lines = said.lines().skip_while(|line| !line.contains("variables were not used by the project:"));
    lines.next();
    let listed = lines.take_while(|line| line.trim().is_empty() || line.starts_with("    "));
    listed.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The words, separated by commas, after `start` in a line.
fn after_each(said: &str, start: &str) -> Vec<String> {
    let listed = said.lines().filter_map(|line| Some(line.split_once(start)?.1));
    let words = listed.flat_map(|list| list.split(','));
    words
        .map(|word| word.trim().trim_matches(['"', '\'']).to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

/// The settings for make that no makefile of the source names.
pub(crate) fn named_by_no_makefile(settings: &Settings, source: &Path) -> Vec<String> {
    let mut left: BTreeSet<&String> = settings.defines.keys().collect();
    left.retain(|name| !OF_MAKE.contains(&name.as_str()));
    let mut folders = vec![source.to_owned()];
    while let Some(folder) = folders.pop().filter(|_| !left.is_empty()) {
        // What cannot be read is no reason to fail: this is asked for a warning alone.
        let Ok(entries) = fs_err::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && is_makefile(&entry.file_name().to_string_lossy()) {
                let text = beginning(&entry.path());
                left.retain(|name| !names(&text, name));
            }
        }
    }
    left.into_iter().cloned().collect()
}

fn is_makefile(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let ends = [".mk", ".mak", ".make", ".inc", ".in"];
    name.contains("makefile")
        || name.starts_with("config")
        || name.starts_with("make.")
        || ends.iter().any(|end| name.ends_with(end))
}

fn beginning(file: &Path) -> String {
    let mut text = Vec::new();
    if let Ok(file) = fs_err::File::open(file) {
        // What was read by then is as good.
        let _ = file.take(MAX_MAKEFILE).read_to_end(&mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Whether a text has this name as a whole word.
fn names(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part))
}

#[cfg(test)]
mod tests {
    use weir_native::System;

    use super::{names, told_by};

    #[test]
    fn what_each_build_system_says_is_understood() {
        let cmake = "-- Generating done\nCMake Warning:\n  Manually-specified variables were not used by the project:\n\n    \
            BUILD_SHARD_LIBS\n    OTHER\n\n\n-- Build files have been written to: /weir/build\n";
        assert_eq!(told_by(&System::Cmake, cmake), ["BUILD_SHARD_LIBS", "OTHER"]);
        let configure =
            "checking for gcc\nconfigure: WARNING: unrecognized options: --enable-fast, --with-x\n";
        assert_eq!(told_by(&System::Autotools, configure), ["--enable-fast", "--with-x"]);
        let meson = "meson.build:1:0: ERROR: Unknown options: \"fast\"\n";
        assert_eq!(told_by(&System::Meson, meson), ["fast"]);
        assert!(told_by(&System::Cmake, "-- all is well\n").is_empty());
    }

    #[test]
    fn a_name_is_a_whole_word() {
        assert!(names("ifdef FAST\n", "FAST") && names("$(FAST)", "FAST"));
        assert!(!names("FASTER = 1\nBREAKFAST = 2", "FAST"));
    }
}
