//! To what the programs and libraries of a package are bound: everything that they need must be
//! found where their loader will look for it, and nothing of the machine may be taken for it.

use std::collections::{BTreeMap, BTreeSet};

use super::Elf;
use crate::{Finding, Level, Variant};

/// Where a sysroot has its libraries, and where therefore those of other packages are.
const LIBRARIES: &str = "lib";

/// The runtime of C and C++, which every machine has and which is never packaged: what glibc and GCC
/// install as shared libraries for programs. Sources: `shlib-versions` of glibc, the `lib…` folders of GCC, and
/// for what all distributions have, the "manylinux" policy of Python (PEP 600).
const RUNTIME: &[&str] = &[
    "libBrokenLocale.so.1",
    "libanl.so.1",
    "libatomic.so.1",
    "libc.so",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libgomp.so.1",
    "libm.so.6",
    "libmvec.so.1",
    "libpthread.so.0",
    "libquadmath.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libstdc++.so.6",
    "libthread_db.so.1",
    "libutil.so.1",
];
/// How the names of dynamic loaders begin: glibc's on most machines, its on some, and musl's with its C library.
const LOADERS: &[&str] = &["ld-linux", "ld64.so.", "ld.so.", "ld-musl-", "libc.musl-"];

/// One variant of a package, as it is installed.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// The paths of its files and links, relative to its folder.
    pub(crate) paths: BTreeSet<String>,
    /// Its programs and libraries, by path.
    pub(crate) elves: BTreeMap<String, Elf>,
}

/// What programs and libraries may be bound to, beside each other and the runtime.
pub(crate) enum Others<'a> {
    /// To these libraries of declared dependencies, and to these of the build root.
    Known { offered: &'a BTreeSet<String>, system: &'a [String] },
    /// Nobody knows yet: the package is published by hand, and its dependencies are not at hand.
    Unknown,
}

/// What was found out about a variant.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    /// The libraries that it offers.
    pub(crate) offers: BTreeSet<String>,
    /// Those that it needs from elsewhere.
    pub(crate) needs: BTreeSet<String>,
    pub(crate) findings: Vec<Finding>,
}

/// Looks at all programs and libraries of a variant.
pub(crate) fn check(tree: &Tree, variant: Variant, others: &Others<'_>) -> Bindings {
    let mut bindings = Bindings::default();
    let folders = folders_by_name(tree);
    for (path, elf) in &tree.elves {
        if let Some(name) = offered_name(path, elf) {
            bindings.offers.insert(name.to_owned());
        }
    }
    for (path, elf) in tree.elves.iter().filter(|(_, elf)| elf.loadable) {
        let mut find = |level, message| {
            bindings.findings.push(Finding { level, variant, path: path.clone(), message });
        };
        let searched = searched(path, elf, &mut find);
        for name in &elf.needed {
            let inside = folders.get(name.as_str());
            if inside.is_none() {
                bindings.needs.insert(name.clone());
            }
            if let Some(problem) = bound_elsewhere(name, inside, &searched, others) {
                // Who builds by hand may have seen to it otherwise.
                let is_known = matches!(others, Others::Known { .. });
                find(if is_known { Level::Error } else { Level::Warning }, problem);
            }
        }
    }
    bindings
}

/// The name by which others need a library; a shared library without one is needed by its file's name.
fn offered_name<'e>(path: &'e str, elf: &'e Elf) -> Option<&'e str> {
    if let Some(name) = &elf.soname {
        return Some(name);
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    (elf.loadable && elf.interpreter.is_none() && name.contains(".so")).then_some(name)
}

/// In which folders a loader finds a file by its name.
fn folders_by_name(tree: &Tree) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut folders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for path in &tree.paths {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        folders.entry(name).or_default().insert(folder);
    }
    folders
}

/// The folders of the sysroot in which the loader of a file looks first.
fn searched(path: &str, elf: &Elf, find: &mut impl FnMut(Level, String)) -> BTreeSet<String> {
    let own = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut searched = BTreeSet::new();
    for folder in &elf.run_paths {
        let below = ["$ORIGIN", "${ORIGIN}"].iter().find_map(|origin| folder.strip_prefix(origin));
        match below {
            Some(below) if below.is_empty() || below.starts_with('/') => searched.extend(joined(own, below)),
            _ => find(
                Level::Warning,
                format!(
                    "looks for libraries in `{}`, which is not said in relation to itself (`$ORIGIN/…`)",
                    folder.escape_debug()
                ),
            ),
        }
    }
    searched
}

/// `folder` with `below` added; nothing where that leaves the sysroot.
fn joined(folder: &str, below: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in below.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Why a library that is needed is not the one that will be found.
fn bound_elsewhere(
    name: &str,
    inside: Option<&BTreeSet<&str>>,
    searched: &BTreeSet<String>,
    others: &Others<'_>,
) -> Option<String> {
    let shown = name.escape_debug();
    if let Some(folders) = inside {
        if folders.iter().any(|folder| searched.contains(*folder)) {
            return None;
        }
        let folder = folders.first().copied().unwrap_or_default();
        return Some(format!(
            "would bind to the system's `{shown}`: it is in `{folder}` of this package, and its RUNPATH does not lead there"
        ));
    }
    let Others::Known { offered, system } = others else { return None };
    if offered.contains(name) {
        return (!searched.contains(LIBRARIES)).then(|| {
            format!(
                "would bind to the system's `{shown}`: a dependency offers it in `{LIBRARIES}`, and its RUNPATH does not lead \
                 there (it should be `$ORIGIN/../{LIBRARIES}`)"
            )
        });
    }
    let known = is_runtime(name) || system.iter().any(|known| known == name);
    (!known).then(|| {
        format!("binds outside the sysroot: it needs `{shown}`, which no declared dependency offers")
    })
}

/// Whether a library is of the runtime of C and C++.
fn is_runtime(name: &str) -> bool {
    RUNTIME.contains(&name) || LOADERS.iter().any(|beginning| name.starts_with(beginning))
}
