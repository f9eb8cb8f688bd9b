//! Looking at a release before it is published: what it offers, and what its publisher should know.

use weir_kind::{Facts, Inspection, KindError, PackageFiles, read_file};
use weir_model::Manifest;
use weir_tree::{Mode, TreeManifest};

use super::facts::BashFacts;
use super::foreign;
use super::usable::refuse_unusable;
use crate::grammar;
use crate::layout::{Offers, TreeFile, expand};
use crate::manifest::{BashManifest, read_table_text};
use crate::rename::{SourceFile, read, unread_file};

/// The most files told of one package.
const MOST_FILES: usize = 20;

/// What a package's manifest says about Bash: its `[bash]` table or, where there is none, an older manifest beside it.
///
/// # Errors
///
/// When it cannot be understood.
pub fn read_manifest(files: &dyn PackageFiles, manifest: &Manifest) -> Result<BashManifest, KindError> {
    match manifest.kind_tables.get("bash") {
        Some(text) => {
            read_table_text(text).map_err(|error| KindError::NotAllowed(format!("`[bash]`: {error}")))
        }
        None => Ok(foreign::find(files)?.map(|(_, manifest)| manifest.bash).unwrap_or_default()),
    }
}

/// The files of a tree as manifests mean them, and its shell files with what is in them.
///
/// # Errors
///
/// When one cannot be read.
pub fn package_files(
    files: &dyn PackageFiles,
    tree: &TreeManifest,
    offers: &Offers,
) -> Result<(Vec<TreeFile>, Vec<SourceFile>), KindError> {
    let mut sources = Vec::new();
    for entry in tree.entries().iter().filter(|entry| entry.mode != Mode::Link) {
        let path = entry.path.as_str();
        if entry.size > grammar::MAX_BYTES as u64 || !may_be_shell(path, entry.mode, offers) {
            continue;
        }
        let bytes = content(files, path)?;
        if is_shell_file(path, &bytes, offers) {
            sources.push(SourceFile { path: path.into(), bytes });
        }
    }
    Ok((tree_files(tree), sources))
}

/// The bytes of a file that a tree has.
pub(super) fn content(files: &dyn PackageFiles, path: &str) -> Result<Vec<u8>, KindError> {
    let gone = || KindError::BadFile { path: files.place(path), reason: "it is gone".into() };
    read_file(files, path, grammar::MAX_BYTES as u64)?.ok_or_else(gone)
}

fn tree_files(tree: &TreeManifest) -> Vec<TreeFile> {
    let file = |entry: &weir_tree::Entry| TreeFile {
        path: entry.path.as_str().into(),
        executable: entry.mode != Mode::File,
    };
    tree.entries().iter().map(file).collect()
}

/// Whether a file has the name of a shell file, is sourced, or is a program that may be one.
fn may_be_shell(path: &str, mode: Mode, offers: &Offers) -> bool {
    has_shell_name(path) || mode == Mode::Executable || is_offered(path, offers)
}

fn is_shell_file(path: &str, bytes: &[u8], offers: &Offers) -> bool {
    if bytes.starts_with(b"#!") {
        return foreign::is_shell_program(bytes);
    }
    has_shell_name(path) || (is_offered(path, offers) && !bytes.contains(&0))
}

fn has_shell_name(path: &str) -> bool {
    [".sh", ".bash", ".bats"].iter().any(|ending| path.ends_with(ending))
}

fn is_offered(path: &str, offers: &Offers) -> bool {
    let lists = [&offers.source, &offers.completion];
    lists.iter().any(|list| list.iter().any(|offered| offered == path))
}

/// Checks a release, and finds out what goes into its record.
pub(super) fn inspect(
    files: &dyn PackageFiles,
    manifest: &Manifest,
    tree: &TreeManifest,
) -> Result<Inspection, KindError> {
    let generic = weir_kind::inspect_generic(manifest, tree)?;
    let bash = read_manifest(files, manifest)?;
    let (mut offers, missing) = expand(&bash, &tree_files(tree));
    offers.commands = manifest.bin.iter().map(|(name, path)| (name.clone(), path.clone())).collect();
    // What nobody can load or call is no package; a page or a completion that is missing harms nobody.
    let is_needed = |missing: &String| ["`source`", "`bin`"].iter().any(|field| missing.starts_with(field));
    let (needed, missing): (Vec<String>, Vec<String>) = missing.into_iter().partition(is_needed);
    refuse_unusable(files, tree, &bash, &offers, &needed)?;
    let mut warnings = generic.warnings;
    warnings.extend(missing.into_iter().map(|missing| format!("`[bash]`: {missing}")));
    if offers == Offers::default() {
        warnings.push("it offers nothing: `[bash]` names no `source`, `bin`, `completion` or `man`".into());
    }
    if bash.slugs.is_empty() && !offers.source.is_empty() {
        warnings.push("`[bash]` has no `slug`: the package's own name stands in for it".into());
    }
    let facts = BashFacts::new(&bash, offers);
    // What is published must be what is accepted when it is installed.
    let mut map = match serde_json::to_value(&facts) {
        Ok(serde_json::Value::Object(map)) => map,
        _ => Facts::new(),
    };
    BashFacts::read(&map).map_err(|reason| KindError::NotAllowed(format!("`[bash]`: {reason}")))?;
    map.extend(generic.facts.into_iter().filter(|(field, _)| field != "bin"));
    Ok(Inspection { facts: map, warnings })
}

/// Sourced files that could not be read whole: a line each.
pub(super) fn unread_files(
    files: &dyn PackageFiles,
    tree: &TreeManifest,
    facts: &Facts,
) -> Result<Vec<String>, KindError> {
    let mut unread = Vec::new();
    for path in &BashFacts::read(facts).map_err(KindError::NotAllowed)?.source {
        let Some(entry) = tree.entry(path).filter(|entry| entry.mode != Mode::Link) else { continue };
        if entry.size > grammar::MAX_BYTES as u64 {
            unread.push(format!("`{path}` has {} bytes: its names are not changed", entry.size));
            continue;
        }
        let file = SourceFile { path: path.clone(), bytes: content(files, path)? };
        unread.extend(read(&file).err().map(|error| unread_file(&file, &error).to_string()));
    }
    if unread.len() > MOST_FILES {
        unread.truncate(MOST_FILES);
        unread.push("there is more of that: `weir bash check` tells all of it".into());
    }
    Ok(unread)
}
