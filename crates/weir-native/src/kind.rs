//! The kind `native`: the seam between a project and what this crate knows.

use std::io::Read as _;

use weir_kind::{
    BadFacts, Closure, Facts, Foreign, Inspection, Kind, KindError, Layout, PackageFiles, Placed,
    ProjectPlace, Scaffold, check_words, inspect_generic,
};
use weir_model::{Digest, KindName, Manifest, Platform};
use weir_store::Session;
use weir_tree::{Mode, Selection, TreeManifest, TreePath, read_folder};

use crate::sysroot::{self, Part, SysrootError, entries_of};
use crate::{Captured, Level, NativeFacts, Variant, consumer, relocate};

/// The table of a manifest that makes it a recipe.
const RECIPE: &str = "recipe";

/// The kind `native`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Native;

impl Kind for Native {
    fn name(&self) -> KindName {
        KindName::Native
    }

    fn scaffold(&self, package: &str) -> Scaffold {
        consumer::scaffold(package)
    }

    fn read_foreign(&self, _files: &dyn PackageFiles) -> Result<Option<Foreign>, KindError> {
        Ok(None)
    }

    /// Looks into a tree that somebody built by hand.
    fn inspect(
        &self,
        files: &dyn PackageFiles,
        manifest: &Manifest,
        tree: &TreeManifest,
    ) -> Result<Inspection, KindError> {
        if Variant::ALL.iter().all(|variant| entries_of(tree, *variant).is_empty()) {
            return Err(KindError::NotAllowed(nothing_built(manifest)));
        }
        let mut inspection = inspect_generic(manifest, tree)?;
        let captured = sound(relocate::look_into(files, tree, &manifest.package.platform)?)?;
        captured.facts.insert_into(&mut inspection.facts);
        if manifest.package.platform.is_any()
            && let Some(path) = machine_code(files, tree)?
        {
            inspection.warnings.push(format!(
                "`{path}` is machine code, and the package goes out as one for every platform: say in `[package]` which one it was built for, as in `platform = \"x86-64-debian-12\"`"
            ));
        }
        inspection.warnings.extend(captured.findings.iter().map(ToString::to_string));
        Ok(inspection)
    }

    fn inspect_built(
        &self,
        files: &dyn PackageFiles,
        tree: &TreeManifest,
        platform: &Platform,
    ) -> Result<Facts, KindError> {
        let captured = sound(relocate::look_into(files, tree, platform)?)?;
        if captured.facts.variants.is_empty() {
            return Err(KindError::NotAllowed(NEEDS_VARIANTS.into()));
        }
        let mut facts = Facts::new();
        captured.facts.insert_into(&mut facts);
        Ok(facts)
    }

    fn check_facts(&self, facts: &Facts) -> Result<(), BadFacts> {
        check_words(facts)?;
        match NativeFacts::of(facts) {
            None if facts.contains_key(NativeFacts::NAME) => {
                Err(BadFacts(format!("the fact `{}` does not say what was built", NativeFacts::NAME)))
            }
            _ => Ok(()),
        }
    }

    fn lay_out(&self, closure: &Closure, store: &Session) -> Result<Layout, KindError> {
        let mut layout = Layout::default();
        let mut parts = Vec::new();
        for placed in closure.packages.iter().filter(|placed| placed.kind == KindName::Native) {
            let part = part(placed, store)?;
            if placed.direct {
                add_commands(&mut layout, &part, &closure.project.platform);
            }
            parts.push(part);
            for (name, target) in &placed.references {
                layout.link(format!("references/{}@{}/{name}", placed.id.name, placed.id.version), target);
            }
        }
        for variant in Variant::ALL {
            let link_tree = sysroot::plan(&parts, variant).map_err(refused)?;
            let path = format!("sysroot/{}/{variant}", closure.project.platform);
            layout.link_tree(&closure.project.folder, path, link_tree);
        }
        consumer::add(&mut layout, &closure.project)?;
        Ok(layout)
    }

    /// `CMake` is told of the toolchain file by a preset, whether there is a package or not.
    fn lays_out_without_packages(&self, project: &ProjectPlace) -> bool {
        project.kind == KindName::Native
    }

    /// A sysroot has links to files and not to folders, and files that name their place are written anew.
    fn copies_files(&self) -> bool {
        true
    }
}

/// The first file that only some machines can use: a program, a library or an object file, or an archive of those.
fn machine_code<'t>(
    files: &dyn PackageFiles,
    tree: &'t TreeManifest,
) -> Result<Option<&'t TreePath>, KindError> {
    const ELF: &[u8] = b"\x7fELF";
    const ARCHIVE: &[u8] = b"!<arch>\n";
    let entries = Variant::ALL.iter().flat_map(|variant| entries_of(tree, *variant));
    for entry in entries.filter(|entry| entry.mode != Mode::Link) {
        let mut start = Vec::with_capacity(ARCHIVE.len());
        let Some(file) = files.open(entry.path.as_str())? else { continue };
        file.take(ARCHIVE.len() as u64).read_to_end(&mut start)?;
        if start.starts_with(ELF) || start == ARCHIVE {
            return Ok(Some(&entry.path));
        }
    }
    Ok(None)
}

fn nothing_built(manifest: &Manifest) -> String {
    if manifest.kind_tables.contains_key(RECIPE) {
        format!("{NEEDS_VARIANTS}; this is a recipe, which `weir repo add` builds and publishes")
    } else {
        format!("{NEEDS_VARIANTS}; here is neither")
    }
}

const NEEDS_VARIANTS: &str =
    "a package of the kind `native` is what was built, in a folder `release`, a folder `debug`, or both";

/// What was found out about a tree in which nothing is wrong.
fn sound(captured: Captured) -> Result<Captured, KindError> {
    match captured.findings.iter().find(|finding| finding.level == Level::Error) {
        Some(wrong) => Err(KindError::NotAllowed(wrong.to_string())),
        None => Ok(captured),
    }
}

/// Links to the commands of a package that the project asks for itself, in the sysroot, where they find what they were bound to.
fn add_commands(layout: &mut Layout, part: &Part, platform: &Platform) {
    let (lent, entries) = sysroot::lent(&part.manifest, Variant::Release);
    for entry in entries.iter().filter(|entry| entry.mode != Mode::File) {
        let command = entry.path.below(lent.as_str());
        let command = command.as_ref().and_then(|path| path.as_str().strip_prefix("bin/"));
        if let Some(command) = command.filter(|command| !command.contains('/')) {
            let target = format!("../sysroot/{platform}/{}/bin/{command}", Variant::Release);
            layout.link(format!("bin/{command}"), target);
        }
    }
}

fn part(placed: &Placed, store: &Session) -> Result<Part, KindError> {
    let facts = NativeFacts::of(&placed.facts).ok_or_else(|| {
        KindError::NotAllowed(format!("the record of `{}` does not say what is in it", placed.id))
    })?;
    let content = placed.content.clone();
    Ok(Part { id: placed.id.clone(), manifest: files(placed, store)?, content, facts })
}

/// The files of a package: a tree of the store, or somebody's folder, which may have changed since.
fn files(placed: &Placed, store: &Session) -> Result<TreeManifest, KindError> {
    let failed = |error: weir_store::StoreError| KindError::Store(Box::new(error));
    let content = &placed.content;
    let named = content.file_name().and_then(|name| name.to_str());
    if let Some(digest) = named.and_then(|name| Digest::from_hex(name).ok())
        && store.tree(&digest).map_err(failed)?.is_some_and(|tree| tree.path() == content)
    {
        return store.manifest(&digest).map_err(failed);
    }
    let bad =
        |error: weir_tree::TreeError| KindError::BadFile { path: content.clone(), reason: error.to_string() };
    read_folder(content, &Selection::package(&[], &[]).map_err(bad)?).map_err(bad)
}

fn refused(error: SysrootError) -> KindError {
    match error {
        SysrootError::Io(error) => KindError::Io(error),
        error => KindError::Clash(match error.help() {
            Some(help) => format!("{error}\n{help}"),
            None => error.to_string(),
        }),
    }
}
