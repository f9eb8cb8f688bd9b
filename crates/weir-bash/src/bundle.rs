//! One self-contained script from an entry script and everything it needs.
//!
//! The files of every package come first, dependencies before what uses them, each as it is after renaming, and then
//! the entry script. Nothing in the result names a path of the machine it was made on, and it needs only `bash`.
//!
//! A file is written out in place, unless it has a `return` outside any function or cannot be read whole: such a file is put in a
//! quoted here-document that is sourced from standard input, which ends where it says. A `source` or
//! `weir.load` of the entry script that names something bundled becomes a `:`, because it is there already.

use std::collections::{BTreeMap, BTreeSet};

use tree_sitter::Node;

use crate::grammar::{self, Lines};
use crate::manifest::BashManifest;
use crate::quote::{comment, word};
use crate::rename::{Place, SourceFile};

/// A package to put into the bundle.
#[derive(Debug, Clone, Default)]
pub struct BundledPackage {
    /// Its name, `owner/name`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it says about itself: its environment and options are applied.
    pub manifest: BashManifest,
    /// Its files that are sourced, in order, renamed.
    pub files: Vec<SourceFile>,
}

/// A bundle, and what to know about it.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    /// The script.
    pub script: Vec<u8>,
    /// Places that may not work in a bundle.
    pub warnings: Vec<Warning>,
}

/// A place that may not work in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub place: Place,
    /// What stands there.
    pub text: String,
    /// Why it may not work.
    pub why: &'static str,
}

/// Joins an entry script and the packages it needs, which are given in the order they are loaded.
pub fn bundle(entry: &SourceFile, packages: &[BundledPackage]) -> Bundle {
    let mut bundle = Bundle::default();
    let (shebang, body_from) = shebang(&entry.bytes);
    push(&mut bundle.script, shebang);
    push(&mut bundle.script, b"# shellcheck shell=bash disable=all");
    push(&mut bundle.script, b"# One script made by `weir bash bundle` of:");
    for package in packages {
        push(
            &mut bundle.script,
            format!("#   {} {}", comment(&package.name), comment(&package.version)).as_bytes(),
        );
    }
    let names: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut files: BTreeMap<&str, usize> = BTreeMap::new();
    for file in packages.iter().flat_map(|package| &package.files) {
        *files.entry(&file.path).or_default() += 1;
    }
    let known = Known { names, files };
    for package in packages {
        push(
            &mut bundle.script,
            format!("\n# --- {} {}", comment(&package.name), comment(&package.version)).as_bytes(),
        );
        settings(&mut bundle.script, &package.manifest);
        for file in &package.files {
            push(&mut bundle.script, format!("# --- {}", comment(&file.path)).as_bytes());
            let bytes = inline(file, &known, &mut bundle.warnings);
            append(&mut bundle.script, &bytes, file);
        }
    }
    push(&mut bundle.script, format!("\n# --- {}", comment(&entry.path)).as_bytes());
    let body = SourceFile { path: entry.path.clone(), bytes: entry.bytes[body_from..].to_vec() };
    let bytes = inline(&body, &known, &mut bundle.warnings);
    bundle.script.extend_from_slice(&bytes);
    if !bytes.ends_with(b"\n") {
        bundle.script.push(b'\n');
    }
    bundle
}

/// What is in the bundle, by the names it may be asked for.
struct Known<'a> {
    names: BTreeSet<&'a str>,
    /// How many files have a path.
    files: BTreeMap<&'a str, usize>,
}

fn push(script: &mut Vec<u8>, line: &[u8]) {
    script.extend_from_slice(line);
    script.push(b'\n');
}

fn shebang(bytes: &[u8]) -> (&[u8], usize) {
    if !bytes.starts_with(b"#!") {
        return (b"#!/usr/bin/env bash", 0);
    }
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    (bytes[..end].trim_ascii_end(), (end + 1).min(bytes.len()))
}

fn settings(script: &mut Vec<u8>, manifest: &BashManifest) {
    for (name, on) in &manifest.options {
        push(script, format!("\\builtin set {}o {}", if *on { '-' } else { '+' }, word(name)).as_bytes());
    }
    for (name, on) in &manifest.shopt {
        push(
            script,
            format!(
                "\\builtin shopt -{} {} 2>/dev/null || \\builtin :",
                if *on { 's' } else { 'u' },
                word(name)
            )
            .as_bytes(),
        );
    }
    for (name, value) in BashManifest::safe_environment(&manifest.environment) {
        push(
            script,
            format!("[[ -n ${{{name}+set}} ]] || \\builtin export {name}={}", word(value)).as_bytes(),
        );
    }
}

fn append(script: &mut Vec<u8>, bytes: &[u8], file: &SourceFile) {
    if !needs_own_end(bytes) {
        push(script, bytes.strip_suffix(b"\n").unwrap_or(bytes));
        return;
    }
    let mut end = String::from("WEIR_END");
    while bytes.split(|byte| *byte == b'\n').any(|line| line == end.as_bytes()) {
        end.push('_');
    }
    push(
        script,
        format!(
            "\\builtin source /dev/stdin <<'{end}' || \\builtin echo {} >&2",
            word(&format!("failed: {}", file.path))
        )
        .as_bytes(),
    );
    push(script, bytes.strip_suffix(b"\n").unwrap_or(bytes));
    push(script, end.as_bytes());
}

/// Whether a file has a `return` outside any function, or a part that cannot be read.
fn needs_own_end(bytes: &[u8]) -> bool {
    let Ok(parsed) = grammar::parse_helped(bytes.to_vec()) else { return true };
    let mut found = parsed.tree.root_node().has_error();
    visit(&parsed.tree, |node, in_function| {
        found |= node.kind() == "command" && !in_function && returns(node, &parsed.bytes);
    });
    found
}

/// Whether a command is `return`, by itself or as `\builtin return`.
fn returns(command: Node<'_>, bytes: &[u8]) -> bool {
    let words = bytes[command.byte_range()].split(u8::is_ascii_whitespace);
    let plain = words.map(|word| word.strip_prefix(b"\\").unwrap_or(word));
    let mut plain = plain.filter(|word| !matches!(*word, b"builtin" | b"command" | b""));
    plain.next() == Some(b"return")
}

fn visit<'t>(tree: &'t tree_sitter::Tree, mut seen: impl FnMut(Node<'t>, bool)) {
    let mut cursor = tree.walk();
    let mut functions = 0_usize;
    loop {
        let node = cursor.node();
        seen(node, functions > 0);
        let is_function = |node: Node<'_>| usize::from(node.kind() == "function_definition");
        functions += is_function(node);
        if cursor.goto_first_child() {
            continue;
        }
        functions -= is_function(node);
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            functions -= is_function(cursor.node());
        }
    }
}

/// A file with what loads something bundled taken out.
fn inline(file: &SourceFile, known: &Known<'_>, warnings: &mut Vec<Warning>) -> Vec<u8> {
    let Ok(parsed) = grammar::parse_helped(file.bytes.clone()) else { return file.bytes.clone() };
    let lines = Lines::new(&file.bytes);
    let mut cuts: Vec<std::ops::Range<usize>> = Vec::new();
    visit(&parsed.tree, |node, _| {
        let text = |node: Node<'_>| String::from_utf8_lossy(&file.bytes[node.byte_range()]).into_owned();
        let mut warn = |node: Node<'_>, why| {
            let start = u32::try_from(node.start_byte()).unwrap_or(u32::MAX);
            let (line, column) = lines.locate(start);
            let place = Place { file: file.path.as_str().into(), line, column };
            let text = text(node).lines().next().unwrap_or_default().chars().take(120).collect();
            warnings.push(Warning { place, text, why });
        };
        match node.kind() {
            "command" => {
                let name = node.child_by_field_name("name").map(&text).unwrap_or_default();
                let arguments: Vec<Node<'_>> =
                    node.children_by_field_name("argument", &mut node.walk()).collect();
                let first = arguments.first().map(|argument| text(*argument)).unwrap_or_default();
                match name.as_str() {
                    "source" | "." if first.contains("/dev/") || first.starts_with('<') => {}
                    "source" | "." if known.has_file(&first) => cuts.push(node.byte_range()),
                    "source" | "." => warn(node, "it sources a file that is not in the bundle"),
                    "weir.load" if known.names.contains(unquoted(&first)) => match arguments.get(1) {
                        Some(path) if !known.has_loaded(&text(*path)) => {
                            warn(node, "it loads a file that is not in the bundle");
                        }
                        _ => cuts.push(node.byte_range()),
                    },
                    "weir.load" => warn(node, "it loads a package that is not in the bundle"),
                    "weir.load-all" => cuts.push(node.byte_range()),
                    "eval" if first.contains("weir bash init") => cuts.push(node.byte_range()),
                    _ => {}
                }
            }
            "variable_name" if text(node) == "BASH_SOURCE" => {
                warn(node, "in a bundle every file is the one script");
            }
            _ => {}
        }
    });
    let mut bytes = Vec::with_capacity(file.bytes.len());
    let mut from = 0;
    for cut in cuts.into_iter().filter(|cut| !cut.is_empty()) {
        if cut.start >= from {
            bytes.extend_from_slice(&file.bytes[from..cut.start]);
            bytes.extend_from_slice(b":");
            from = cut.end;
        }
    }
    bytes.extend_from_slice(&file.bytes[from..]);
    bytes
}

impl Known<'_> {
    /// Whether the path of a file in a package is that of a bundled one.
    fn has_loaded(&self, argument: &str) -> bool {
        let path = unquoted(argument);
        self.files.iter().any(|(file, _)| {
            file.strip_suffix(path).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        })
    }

    /// Whether a word that is sourced ends with the path of exactly one bundled file.
    fn has_file(&self, argument: &str) -> bool {
        let argument = unquoted(argument);
        // What stands before the last expansion is a folder; `..` in between does not change which file it is.
        let path = argument.rfind(['}', ')']).map_or(argument, |at| &argument[at + 1..]);
        let path = path.rsplit("../").next().unwrap_or(path);
        let path = match path.strip_prefix('$') {
            Some(rest) => rest.split_once('/').map_or("", |(_, path)| path),
            None => path,
        };
        let path = path.trim_matches(['"', '\'']).trim_start_matches(['.', '/']);
        let ends =
            |file: &str| file == path || file.strip_suffix(path).is_some_and(|rest| rest.ends_with('/'));
        !path.is_empty()
            && self.files.iter().filter(|(file, _)| ends(file)).map(|(_, count)| count).sum::<usize>() == 1
    }
}

fn unquoted(text: &str) -> &str {
    text.trim_matches(['"', '\''])
}

#[cfg(test)]
mod tests {
    use super::{Bundle, BundledPackage, bundle};
    use crate::manifest::BashManifest;
    use crate::rename::{SourceFile, Subject, rename};
    use std::process::Command;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.into(), bytes: text.as_bytes().to_vec() }
    }

    fn package(name: &str, version: &str, files: &[(&str, &str)]) -> BundledPackage {
        let files = files.iter().map(|(path, text)| file(path, text)).collect();
        BundledPackage { name: name.into(), version: version.into(), files, ..BundledPackage::default() }
    }

    fn run(bundle: &Bundle) -> String {
        let folder = tempfile::Builder::new().prefix("a b'c").tempdir().unwrap();
        let path = folder.path().join("tool");
        fs_err::write(&path, &bundle.script).unwrap();
        let output = Command::new("/bin/bash")
            .arg(&path)
            .args(["x y", "z"])
            .env_clear()
            .current_dir("/")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}\n{}",
            String::from_utf8_lossy(&output.stderr),
            String::from_utf8_lossy(&bundle.script)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn a_bundle_runs_alone_anywhere_under_strict_settings() {
        let library =
            "[[ -n ${LOADED-} ]] && return\nLOADED=yes\ncore.say() { printf '%s\\n' \"says $1\"; }\n";
        let packages = [
            package("acme/core", "1.0.0", &[("src/core.sh", library)]),
            package("acme/app", "1.0.0", &[("lib/util.sh", "util() { core.say \"$1\"; }")]),
        ];
        let entry = "#!/usr/bin/env bash\nset -euo pipefail\neval \"$(weir bash init)\"\nweir.load acme/core\nweir.load-all\n\
            dir=${BASH_SOURCE[0]%/*}\nsource \"$dir/../lib/util.sh\" || exit\nutil \"$1\"\nutil \"$2\"\n";
        let bundle = bundle(&file("bin/tool", entry), &packages);
        assert_eq!(run(&bundle), "says x y\nsays z\n");
        let whys: Vec<&str> = bundle.warnings.iter().map(|warning| warning.why).collect();
        assert_eq!(whys, ["in a bundle every file is the one script"]);
    }

    #[test]
    fn a_file_that_is_loaded_and_not_there_is_told() {
        let packages = [package("acme/core", "1.0.0", &[("src/core.sh", "core.say() { :; }\n")])];
        let entry = "weir.load acme/core src/core.sh\nweir.load acme/core src/none.sh || core.say\n";
        let bundle = bundle(&file("bin/tool", entry), &packages);
        assert_eq!(run(&bundle), "");
        let told: Vec<(u32, &str)> =
            bundle.warnings.iter().map(|warning| (warning.place.line, warning.why)).collect();
        assert_eq!(told, [(2, "it loads a file that is not in the bundle")]);
    }

    #[test]
    fn two_versions_stand_in_one_bundle() {
        let release = |version: &str| {
            let text = format!("core.say() {{ SAID=$((SAID + 1)); echo \"{version} $SAID\"; }}\n");
            let subject = Subject {
                slugs: vec!["core".into()],
                mark: Some(crate::rename::version_mark(version)),
                ..Subject::default()
            };
            let output = rename(vec![file("core.sh", &text)], &subject, &[]);
            BundledPackage {
                name: "acme/core".into(),
                version: version.into(),
                files: output.files,
                ..BundledPackage::default()
            }
        };
        let packages = [release("1.0.0"), release("2.0.0")];
        let entry = file("tool", "core_1_0_0.say; core_1_0_0.say; core_2_0_0.say\n");
        assert_eq!(run(&bundle(&entry, &packages)), "1.0.0 1\n1.0.0 2\n2.0.0 1\n");
    }

    #[test]
    fn settings_are_applied_and_values_are_never_code() {
        let mut one = package("acme/core\nrm -rf /", "1.0.0", &[("a.sh", "WEIR_END\nreturn\n")]);
        one.files[0].bytes = b"x=1\nreturn 0\nWEIR_END\n".to_vec();
        one.manifest = BashManifest::default();
        one.manifest.environment.insert("A[$(echo evil >&2; exit 9)]".into(), "x".into());
        one.manifest.environment.insert("B; exit 9".into(), "x".into());
        one.manifest.environment.insert("GREETING".into(), "it's $(echo evil)".into());
        one.manifest.shopt.insert("extglob".into(), true);
        let entry = file("tool", "case a in @(a|b)) echo \"$GREETING\" ;; esac\n");
        assert_eq!(run(&bundle(&entry, &[one])), "it's $(echo evil)\n");
    }

    #[test]
    fn a_file_ends_where_it_returns_and_what_follows_it_goes_on() {
        let guarded = package(
            "acme/core",
            "1.0.0",
            &[("a.sh", "echo before\nreturn 0\necho after\n"), ("b.sh", "echo next\n")],
        );
        assert_eq!(run(&bundle(&file("tool", "echo entry\n"), &[guarded])), "before\nnext\nentry\n");
    }

    #[test]
    fn functions_with_the_names_of_commands_change_nothing_in_what_follows() {
        let names = ["source", "echo", "set", "shopt", "export", "return", ":"];
        let hijack: String = names.iter().map(|name| format!("{name}() {{ printf hijacked; }}\n")).collect();
        let mut next = package(
            "acme/next",
            "1.0.0",
            &[("b.sh", "printf next\n"), ("c.sh", "\\builtin return\nprintf no\n")],
        );
        next.manifest.shopt.insert("extglob".into(), true);
        next.manifest.options.insert("nounset".into(), true);
        next.manifest.environment.insert("A".into(), "a".into());
        let packages = [package("acme/bad", "1.0.0", &[("a.sh", &hijack)]), next];
        assert_eq!(run(&bundle(&file("tool", "printf \"$A\"\n"), &packages)), "nexta");
    }

    #[test]
    fn what_is_not_in_the_bundle_is_told() {
        let bundle = bundle(&file("tool", "source ./gone.sh\nweir.load acme/none\n"), &[]);
        let told: Vec<u32> = bundle.warnings.iter().map(|warning| warning.place.line).collect();
        assert_eq!(told, [1, 2]);
    }
}
