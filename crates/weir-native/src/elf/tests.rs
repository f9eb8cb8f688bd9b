use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use proptest::prelude::{ProptestConfig, any, prop, proptest};

use super::{Elf, Others, Tree, check};
use crate::{Level, Variant};

/// Compiles a shared library (or, by `main`, a program) and gives its bytes.
fn compile(folder: &Path, name: &str, words: &[&str]) -> PathBuf {
    let out = folder.join(name);
    let source = folder.join("source.c");
    fs_err::write(&source, "int here(void) { return 1; }\nint main(void) { return here(); }\n").unwrap();
    let status = Command::new("cc").args(["-o"]).arg(&out).arg(&source).args(words).status().unwrap();
    assert!(status.success());
    out
}

fn library(folder: &Path, name: &str, words: &[&str]) -> PathBuf {
    let soname = format!("-Wl,-soname,{name}");
    compile(folder, name, &[&["-shared", "-fPIC", &soname], words].concat())
}

fn read(file: &Path) -> Elf {
    Elf::read(file).unwrap().unwrap().unwrap()
}

#[test]
fn a_library_tells_its_name_and_a_program_what_it_needs_and_where_it_looks() {
    let folder = tempfile::tempdir().unwrap();
    let lib = library(folder.path(), "libz.so.1", &[]);
    assert_eq!(read(&lib).soname.as_deref(), Some("libz.so.1"));
    let lib = lib.to_str().unwrap();
    for (tag, origin) in
        [("--enable-new-dtags", "$ORIGIN/../lib"), ("--disable-new-dtags", "$ORIGIN/../lib:/opt/x")]
    {
        let rpath = format!("-Wl,-rpath,{origin}");
        let elf = read(&compile(
            folder.path(),
            "program",
            &["-Wl,--no-as-needed", lib, &format!("-Wl,{tag}"), &rpath],
        ));
        assert_eq!(elf.needed[0], "libz.so.1");
        assert_eq!(elf.run_paths.join(":"), origin);
        assert!(elf.interpreter.is_some_and(|path| path.contains("ld")));
        assert_eq!(elf.soname, None);
    }
}

#[test]
fn objects_and_other_files_are_told_from_programs() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!read(&compile(folder.path(), "x.o", &["-c"])).loadable);
    fs_err::write(folder.path().join("text"), "text").unwrap();
    assert!(Elf::read(&folder.path().join("text")).unwrap().is_none());
    fs_err::write(folder.path().join("cut"), b"\x7fELF\x02\x01").unwrap();
    Elf::read(&folder.path().join("cut")).unwrap().unwrap().unwrap_err();
}

/// What is said of a program at `path` that needs `needed` and looks in `run_paths`.
fn said(path: &str, needed: &[&str], run_paths: &[&str], beside: &[&str], offered: &[&str]) -> Vec<String> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let elf = Elf { loadable: true, needed: owned(needed), run_paths: owned(run_paths), ..Elf::default() };
    let mut tree = Tree::default();
    tree.paths.extend(owned(beside));
    tree.paths.insert(path.into());
    tree.elves.insert(path.into(), elf);
    let offered: BTreeSet<String> = owned(offered).into_iter().collect();
    let system = ["libX11.so.6".to_owned()];
    let others = Others::Known { offered: &offered, system: &system };
    let findings = check(&tree, Variant::Release, &others).findings;
    findings.iter().map(|finding| format!("{:?}: {}", finding.level, finding.message)).collect()
}

#[test]
fn what_is_needed_must_be_found_where_the_loader_looks() {
    let sound = ["$ORIGIN/../lib"];
    let none: [String; 0] = [];
    assert_eq!(said("lib/libcurl.so.4", &["libz.so.1", "libc.so.6"], &sound, &[], &["libz.so.1"]), none);
    assert_eq!(said("bin/curl", &["libcurl.so.4"], &sound, &["lib/libcurl.so.4"], &[]), none);
    assert_eq!(said("lib/a.so", &["libb.so"], &["${ORIGIN}"], &["lib/libb.so"], &[]), none);
    assert_eq!(said("lib/plugins/a.so", &["libz.so.1"], &["$ORIGIN/.."], &[], &["libz.so.1"]), none);
    let runtime = ["libstdc++.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "libX11.so.6"];
    assert_eq!(said("bin/x", &runtime, &[], &[], &[]), none);
}

#[test]
fn what_would_be_taken_from_the_machine_is_an_error() {
    assert_eq!(
        said("lib/libcurl.so.4", &["libssl.so.3"], &["$ORIGIN/../lib"], &[], &["libz.so.1"]),
        ["Error: binds outside the sysroot: it needs `libssl.so.3`, which no declared dependency offers"]
    );
    assert_eq!(
        said("lib/libcurl.so.4", &["libz.so.1"], &[], &[], &["libz.so.1"]),
        [
            "Error: would bind to the system's `libz.so.1`: a dependency offers it in `lib`, and its RUNPATH does not \
          lead there (it should be `$ORIGIN/../lib`)"
        ]
    );
    assert_eq!(
        said("bin/curl", &["libcurl.so.4"], &["/weir/prefix/lib"], &["lib/libcurl.so.4"], &[]),
        [
            "Warning: looks for libraries in `/weir/prefix/lib`, which is not said in relation to itself (`$ORIGIN/…`)",
            "Error: would bind to the system's `libcurl.so.4`: it is in `lib` of this package, and its RUNPATH does not \
             lead there"
        ]
    );
    let outside =
        said("lib/x.so", &["libz.so.1"], &["$ORIGIN/../../lib", "$ORIGINS/lib"], &[], &["libz.so.1"]);
    assert!(outside.last().is_some_and(|last| last.starts_with("Error")), "{outside:?}");
}

#[test]
fn what_is_offered_and_needed_is_told() {
    let mut tree = Tree::default();
    let lib = |soname: Option<&str>, needed: &[&str]| Elf {
        loadable: true,
        soname: soname.map(str::to_owned),
        needed: needed.iter().map(|name| (*name).to_owned()).collect(),
        ..Elf::default()
    };
    for (path, elf) in [
        ("lib/liba.so.1.2", lib(Some("liba.so.1"), &["libc.so.6"])),
        ("lib/libnameless.so", lib(None, &["liba.so.1"])),
        ("bin/tool", lib(None, &[])),
    ] {
        tree.paths.insert(path.to_owned());
        tree.elves.insert(path.to_owned(), elf);
    }
    tree.paths.insert("lib/liba.so.1".into());
    let bindings = check(&tree, Variant::Debug, &Others::Unknown);
    assert_eq!(bindings.offers.into_iter().collect::<Vec<_>>(), ["liba.so.1", "libnameless.so"]);
    assert_eq!(bindings.needs.into_iter().collect::<Vec<_>>(), ["libc.so.6"]);
    assert!(
        bindings.findings.iter().all(|finding| finding.level == Level::Warning),
        "liba cannot be reached"
    );
}

/// A small real library, compiled once.
fn real() -> &'static [u8] {
    static REAL: OnceLock<Vec<u8>> = OnceLock::new();
    REAL.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        fs_err::read(library(folder.path(), "libz.so.1", &["-Wl,-rpath,$ORIGIN/../lib", "-s"])).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// A mangled library reads as something or as nothing, in bounded time, and the same from a file.
    #[test]
    fn a_mangled_file_does_no_harm(
        changes in prop::collection::vec((0_usize..1200, any::<u8>()), 1..12),
        length in 0_usize..20_000,
    ) {
        let mut bytes = real().to_vec();
        for (at, byte) in changes {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        bytes.truncate(length.max(4));
        let from_memory = Elf::parse(&bytes);
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), &bytes).unwrap();
        if let Some(from_file) = Elf::read(file.path()).unwrap() {
            assert_eq!(from_file.is_ok(), from_memory.is_ok());
        }
        if let Ok(elf) = from_memory {
            assert!(elf.needed.len() <= 1024 && elf.run_paths.len() <= 1024);
        }
    }
}
