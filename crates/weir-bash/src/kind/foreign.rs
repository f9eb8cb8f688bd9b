//! Packages that have no `weir.toml` but one of the older manifests: the same as a `weir.toml`.

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value};
use weir_fs::FsError;
use weir_kind::{Foreign, KindError, PackageFiles, read_text};
use weir_model::{PackageName, Version};

use crate::manifest::{
    BashManifest, ForeignManifest, ManifestError, check_path, read_basalt, read_basher, read_bpkg,
};

/// The largest manifest that is read.
const MAX_BYTES: u64 = 1 << 20;

/// What libraries of Bats are loaded by, whether or not their `package.json` says so.
const LIBRARY: &str = "load.bash";

/// The most commands of a folder that are looked at.
const MOST_COMMANDS: usize = 100;

type Reader = fn(&str) -> Result<ForeignManifest, ManifestError>;

/// In the order they are looked for: the one made for Bash alone first.
const READERS: &[(&str, Reader)] = &[
    ("basalt.toml", read_basalt),
    ("bpkg.json", read_bpkg),
    ("package.sh", read_basher),
    ("package.json", read_bpkg),
];

/// Reads the older manifest of a folder, if it has one.
pub(super) fn read(files: &dyn PackageFiles) -> Result<Option<Foreign>, KindError> {
    let Some((name, manifest)) = find(files)? else { return Ok(None) };
    let mut warnings = manifest.warnings.clone();
    let text = to_toml(&manifest, &mut warnings);
    let warnings = warnings.into_iter().map(|warning| format!("{name}: {warning}")).collect();
    Ok(Some(Foreign { file: files.place(name), manifest: text, warnings }))
}

/// The older manifest of a folder, as it was read, and what its file is called.
pub(super) fn find(files: &dyn PackageFiles) -> Result<Option<(&'static str, ForeignManifest)>, KindError> {
    for (name, reader) in READERS {
        let text = match read_text(files, name, MAX_BYTES) {
            // What is no file is no manifest.
            Ok(None) | Err(FsError::Link { .. } | FsError::Other { .. }) => continue,
            text => text?.unwrap_or_default(),
        };
        let bad = |reason: String| KindError::BadFile { path: files.place(name), reason };
        let mut manifest = match reader(&text) {
            Ok(manifest) => manifest,
            // A `package.json` may be about anything; whoever publishes a Bash package has another file.
            Err(_) if *name == "package.json" => continue,
            Err(error) => return Err(bad(error.to_string())),
        };
        if *name == "package.json" && manifest.bash.source.is_empty() && is_file(files, LIBRARY) {
            manifest.bash.source.push(LIBRARY.into());
        }
        if *name != "package.json" || is_about_bash(files, &manifest.bash) {
            return Ok(Some((name, manifest)));
        }
    }
    Ok(None)
}

/// Whether a `package.json` is that of a Bash package: it names shell files, or a command that is one.
fn is_about_bash(files: &dyn PackageFiles, manifest: &BashManifest) -> bool {
    let is_shell = |path: &String| {
        let Ok(path) = check_path("bin", path) else { return false };
        let inside = files.list(&path).unwrap_or_default().into_iter().take(MOST_COMMANDS);
        let mut inside = inside.map(|name| format!("{path}/{name}"));
        begins_as_shell(files, &path) || inside.any(|path| begins_as_shell(files, &path))
    };
    !manifest.source.is_empty() || manifest.bin.iter().any(is_shell)
}

fn is_file(files: &dyn PackageFiles, path: &str) -> bool {
    files.open(path).is_ok_and(|content| content.is_some())
}

pub(super) fn begins_as_shell(files: &dyn PackageFiles, path: &str) -> bool {
    use std::io::Read as _;
    let Ok(Some(content)) = files.open(path) else { return false };
    let mut head = Vec::new();
    content.take(128).read_to_end(&mut head).is_ok() && is_shell_program(&head)
}

/// Whether a file begins as a program for Bash or for `sh` does.
pub(super) fn is_shell_program(head: &[u8]) -> bool {
    let Some(line) = head.strip_prefix(b"#!").and_then(|rest| rest.split(|byte| *byte == b'\n').next())
    else {
        return false;
    };
    let words = line.split(|byte| matches!(byte, b' ' | b'\t' | b'/' | b'\r'));
    words.into_iter().any(|word| matches!(word, b"bash" | b"sh" | b"bats" | b"dash"))
}

fn to_toml(manifest: &ForeignManifest, warnings: &mut Vec<String>) -> String {
    let mut document = DocumentMut::new();
    document.insert("package", Item::Table(package(manifest, warnings)));
    document.insert("dependencies", Item::Table(dependencies(manifest, warnings)));
    document.insert("bash", Item::Table(bash_table(&manifest.bash)));
    document.to_string()
}

fn package(manifest: &ForeignManifest, warnings: &mut Vec<String>) -> Table {
    let mut package = Table::new();
    let name = manifest.name.as_ref().map(|name| name.trim_start_matches('@'));
    if let Some(name) = name.filter(|name| name.parse::<PackageName>().is_ok()) {
        package.insert("name", name.into());
    }
    match manifest.version.as_ref().map(|version| (version, version.parse::<Version>())) {
        Some((version, Ok(_))) => drop(package.insert("version", version.as_str().into())),
        Some((version, Err(error))) => {
            warnings.push(format!("its version `{}`: {error}: it is left out", one_line(version)));
        }
        None => {}
    }
    package.insert("kind", "bash".into());
    for (field, text) in [("license", &manifest.license), ("description", &manifest.description)] {
        if let Some(text) = text {
            package.insert(field, one_line(text).into());
        }
    }
    if !manifest.authors.is_empty() {
        let authors = manifest.authors.iter().map(|author| one_line(author));
        package.insert("authors", Array::from_iter(authors).into());
    }
    package
}

fn dependencies(manifest: &ForeignManifest, warnings: &mut Vec<String>) -> Table {
    let mut table = Table::new();
    for requirement in &manifest.dependencies {
        let left_out = |reason: &str| format!("the dependency `{requirement}` {reason}: it is left out");
        let name = requirement.package_name();
        let Some(tag) = requirement.reference.as_deref() else {
            warnings.push(left_out("names no tag"));
            continue;
        };
        if name.parse::<PackageName>().is_err() {
            warnings.push(left_out("has a name that no package can have"));
            continue;
        }
        if Version::from_tag(tag).is_err() {
            warnings.push(left_out("names no tag with a version"));
            continue;
        }
        let mut source = InlineTable::new();
        source.insert("git", requirement.url.as_str().into());
        source.insert("tag", tag.into());
        table.insert(&name, Value::InlineTable(source).into());
    }
    table
}

/// A `[bash]` table that reads back as this manifest.
pub(super) fn bash_table(manifest: &BashManifest) -> Table {
    let mut table = Table::new();
    for (field, entries) in [
        ("slug", &manifest.slugs),
        ("source", &manifest.source),
        ("bin", &manifest.bin),
        ("completion", &manifest.completion),
        ("man", &manifest.man),
        ("keep", &manifest.keep),
        ("state", &manifest.state),
    ] {
        if !entries.is_empty() {
            table.insert(field, Array::from_iter(entries.iter().map(String::as_str)).into());
        }
    }
    let environment = manifest.environment.iter().map(|(name, value)| (name, Value::from(value.as_str())));
    let on = |(name, on): (_, &bool)| (name, Value::from(*on));
    insert_table(&mut table, "environment", environment);
    insert_table(&mut table, "options", manifest.options.iter().map(on));
    insert_table(&mut table, "shopt", manifest.shopt.iter().map(on));
    table
}

fn insert_table<'a>(table: &mut Table, field: &str, entries: impl Iterator<Item = (&'a String, Value)>) {
    let mut inner = InlineTable::new();
    for (name, value) in entries {
        inner.insert(name, value);
    }
    if !inner.is_empty() {
        table.insert(field, Value::InlineTable(inner).into());
    }
}

fn one_line(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.trim().chars().take(250).collect()
}

#[cfg(test)]
mod tests {
    use super::{find, read};

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        folder
    }

    fn at(folder: &tempfile::TempDir) -> weir_fs::Folder {
        weir_fs::Folder::open(folder.path()).unwrap()
    }

    const BASALT: &str = "[package]\nname = 'a/basalt'\nslug = ['s']\nversion = 'v1.2.0'\n[run]\nsourceDirs = ['src']\n\
        dependencies = ['https://h.example/b/tagged@v2.0.0', 'b/untagged', 'b/branch@main']\n";

    #[test]
    fn what_was_made_for_bash_alone_is_read_first() {
        let files = [
            ("basalt.toml", BASALT),
            ("bpkg.json", r#"{"name":"bpkg"}"#),
            ("package.sh", "BINS=bin/x\n"),
            ("package.json", r#"{"name":"npm","scripts":{},"bin":"bin/x"}"#),
            ("bin/x", "#!/bin/bash\n"),
        ];
        let folder = folder(&files);
        for (file, _) in &files[..4] {
            assert_eq!(find(&at(&folder)).unwrap().unwrap().0, *file);
            fs_err::remove_file(folder.path().join(file)).unwrap();
        }
        assert!(find(&at(&folder)).unwrap().is_none());
    }

    #[test]
    fn an_older_manifest_becomes_a_weir_toml_that_says_the_same() {
        let folder = folder(&[("basalt.toml", BASALT)]);
        let foreign = read(&at(&folder)).unwrap().unwrap();
        let manifest = weir_model::Manifest::parse(&foreign.manifest).unwrap();
        assert_eq!(manifest.package.version.unwrap().to_string(), "1.2.0");
        assert_eq!(manifest.package.name.unwrap().to_string(), "a/basalt");
        let bash = crate::manifest::read_table_text(&manifest.kind_tables["bash"]).unwrap();
        assert_eq!((bash.slugs, bash.source), (vec!["s".to_owned()], vec!["src".to_owned()]));
        // Only what names a tag with a version can become a release.
        let names: Vec<String> = manifest.dependencies.iter().map(|needed| needed.name.to_string()).collect();
        assert_eq!(names, ["b/tagged"]);
        let told: Vec<&String> =
            foreign.warnings.iter().filter(|warning| warning.contains("left out")).collect();
        assert_eq!(told.len(), 2, "{:?}", foreign.warnings);
    }

    #[test]
    fn a_package_json_counts_only_where_it_is_about_bash() {
        let npm = r#"{"name":"x","scripts":{},"bin":{"x":"bin/x"}}"#;
        let is_found = |files: &[(&str, &str)]| find(&at(&folder(files))).unwrap().is_some();
        assert!(!is_found(&[("package.json", npm), ("bin/x", "#!/usr/bin/env node\n")]));
        assert!(is_found(&[("package.json", npm), ("bin/x", "#!/usr/bin/env bash\n")]));
        assert!(!is_found(&[("package.json", "not JSON")]));
        let library =
            folder(&[("package.json", r#"{"name":"x","scripts":{}}"#), ("load.bash", "x() { :; }\n")]);
        assert_eq!(find(&at(&library)).unwrap().unwrap().1.bash.source, ["load.bash"]);
    }
}
