//! What an author should know of a package before others use it: the library part of `weir bash check`.
//!
//! It renames the package as if it were a transitive dependency and tells what could not be decided; and it looks for what
//! makes a library hard to share a shell with.

use std::fmt;

use tree_sitter::Node;

use crate::grammar::Lines;
use crate::layout::{TreeFile, expand, slugs};
use crate::manifest::BashManifest;
use crate::processes::programs;
use crate::rename::{
    Dependency, Place, Report, SourceFile, Subject, UnreadFile, read, rename, unread_file, version_mark,
};

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where, if it is a place in a file.
    pub place: Option<Place>,
    /// What it is.
    pub what: Problem,
    /// The text or name that it is about.
    pub text: String,
}

/// What is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// The manifest names no slug.
    NoSlug,
    /// The manifest names a file or folder that the package does not have.
    Missing,
    /// The manifest names a function or variable that stands nowhere in the package.
    Idle,
    /// A file could not be read whole.
    Unread,
    /// A function does not begin with the slug.
    OutsideSlug,
    /// Something happens when the file is sourced.
    SideEffect,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSlug => "the manifest names no slug: this, the package's own name, stands in for it",
            Self::Missing => "the manifest names what the package does not have",
            Self::Idle => "the manifest names a function or variable that the package does not have",
            Self::Unread => "the file could not be read whole, so renaming leaves it alone",
            Self::OutsideSlug => "the function does not begin with the slug",
            Self::SideEffect => "this runs when the file is sourced",
        })
    }
}

/// What a check found.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// What to look at.
    pub findings: Vec<Finding>,
    /// What renaming would do, and what it could not decide.
    pub report: Report,
}

/// Checks a package: its name, its manifest, its version, all files of its tree, and its shell files.
pub fn check(
    name: &str,
    manifest: &BashManifest,
    version: &str,
    tree: &[TreeFile],
    files: &[SourceFile],
    dependencies: &[Dependency],
) -> Checked {
    let mut findings = Vec::new();
    let slugs = slugs(manifest, name);
    let (offers, missing) = expand(manifest, tree);
    // Without `source` it is never loaded into a shell, and keeps its names.
    let is_loaded = !offers.source.is_empty();
    if manifest.slugs.is_empty() && is_loaded {
        let text = slugs.first().cloned().unwrap_or_default();
        findings.push(Finding { place: None, what: Problem::NoSlug, text });
    }
    findings.extend(missing.into_iter().map(|text| Finding { place: None, what: Problem::Missing, text }));
    let idle = crate::kind::idle_names(manifest, files);
    findings.extend(idle.into_iter().map(|text| Finding { place: None, what: Problem::Idle, text }));
    for file in files {
        check_file(file, &manifest.keep, &slugs, offers.source.contains(&file.path), &mut findings);
    }
    let subject = Subject {
        slugs,
        mark: is_loaded.then(|| version_mark(version)),
        keep: manifest.keep.clone(),
        state: manifest.state.clone(),
        programs: programs(files, tree, &offers),
    };
    let report = rename(files.to_vec(), &subject, dependencies).report;
    Checked { findings, report }
}

fn check_file(
    file: &SourceFile,
    keep: &[String],
    slugs: &[String],
    is_sourced: bool,
    findings: &mut Vec<Finding>,
) {
    let parsed = match read(file) {
        Ok(parsed) => parsed,
        Err(error) => {
            let UnreadFile { place, text } = unread_file(file, &error);
            return findings.push(Finding { place: Some(place), what: Problem::Unread, text });
        }
    };
    let lines = Lines::new(&file.bytes);
    let place = |offset: usize| {
        let (line, column) = lines.locate(u32::try_from(offset).unwrap_or(u32::MAX));
        Some(Place { file: file.path.as_str().into(), line, column })
    };
    let root = parsed.tree.root_node();
    for node in root.named_children(&mut root.walk()) {
        let text = |node: Node<'_>| {
            let text = String::from_utf8_lossy(&file.bytes[node.byte_range()]).into_owned();
            text.lines().next().unwrap_or_default().chars().take(120).collect::<String>()
        };
        match node.kind() {
            "function_definition" => {
                let name = node.child_by_field_name("name").map(text).unwrap_or_default();
                if is_sourced && !keep.contains(&name) && !has_slug(&name, slugs) {
                    findings.push(Finding {
                        place: place(node.start_byte()),
                        what: Problem::OutsideSlug,
                        text: name,
                    });
                }
            }
            "comment" | "variable_assignment" | "variable_assignments" | "declaration_command" => {}
            "command" if is_harmless(&text(node)) => {}
            _ if is_sourced => findings.push(Finding {
                place: place(node.start_byte()),
                what: Problem::SideEffect,
                text: text(node),
            }),
            _ => {}
        }
    }
}

fn has_slug(name: &str, slugs: &[String]) -> bool {
    let plain = |text: &str| text.replace('-', "_");
    slugs.iter().any(|slug| {
        plain(name)
            .strip_prefix(&plain(slug))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ':', '_']))
    })
}

/// Commands at the top of a file that do nothing to be told of.
fn is_harmless(text: &str) -> bool {
    let name = text.split_whitespace().next().unwrap_or_default();
    matches!(name, ":" | "true" | "source" | "." | "return" | "weir.load")
}

#[cfg(test)]
mod tests {
    use super::{Problem, check};
    use crate::layout::TreeFile;
    use crate::manifest::BashManifest;
    use crate::rename::SourceFile;

    #[test]
    fn an_author_is_told_what_would_be_in_the_way() {
        let manifest = BashManifest {
            slugs: vec!["core".into()],
            source: vec!["src".into()],
            bin: vec!["bin".into()],
            ..BashManifest::default()
        };
        let text =
            "# fine\nX=1\ncore.f() { :; }\nhelper() { x=\"core.f is gone\"; }\nmkdir -p /tmp/x\nif then )\n";
        let files = [
            SourceFile { path: "src/a.sh".into(), bytes: text.into() },
            SourceFile { path: "src/b.sh".into(), bytes: b"\0".to_vec() },
        ];
        let tree: Vec<TreeFile> =
            files.iter().map(|file| TreeFile { path: file.path.clone(), executable: false }).collect();
        let checked = check("a/core", &manifest, "1.0.0", &tree, &files, &[]);
        let found: Vec<(Problem, Option<u32>)> = checked
            .findings
            .iter()
            .map(|finding| (finding.what, finding.place.as_ref().map(|place| place.line)))
            .collect();
        for expected in [(Problem::Missing, None), (Problem::Unread, Some(6)), (Problem::Unread, Some(1))] {
            assert!(found.contains(&expected), "{found:?}");
        }
        let sound = [SourceFile {
            path: "src/a.sh".into(),
            bytes: text.lines().take(5).collect::<Vec<_>>().join("\n").into(),
        }];
        let checked = check("a/core", &manifest, "1.0.0", &tree, &sound, &[]);
        assert!(checked.report.undecided.iter().any(|doubt| doubt.text.starts_with("core.f")));
        let found: Vec<(Problem, &str)> =
            checked.findings.iter().map(|finding| (finding.what, finding.text.as_str())).collect();
        assert_eq!(found[1..], [(Problem::OutsideSlug, "helper"), (Problem::SideEffect, "mkdir -p /tmp/x")]);
    }
}
