use std::path::Path;

use super::{CaptureError, Captured, capture, look_into};
use crate::{Level, NativeFacts, PREFIX, Variant};

fn tree(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let at = folder.path().join(path);
        fs_err::create_dir_all(at.parent().unwrap()).unwrap();
        match bytes.strip_prefix(b"->") {
            Some(target) => fs_err::os::unix::fs::symlink(str::from_utf8(target).unwrap(), at).unwrap(),
            None => fs_err::write(at, bytes).unwrap(),
        }
    }
    folder
}

fn platform() -> weir_model::Platform {
    "x86-64-debian-13".parse().unwrap()
}

fn captured(folder: &Path) -> Captured {
    capture(folder, &[], &[], &platform()).unwrap()
}

fn findings(captured: &Captured) -> String {
    captured.findings.iter().map(|finding| format!("{:?}: {finding}\n", finding.level)).collect()
}

#[test]
fn files_of_pkg_config_say_where_they_are_themselves() {
    let text = "prefix=/weir/prefix\nexec_prefix=${prefix}\nlibdir=/weir/prefix/lib\n\nLibs: -L/weir/sysroot/lib -lz\n";
    let before = "libdir=/weir/prefix/lib\nprefix = /weir/prefix/\nCflags: -I/weir/prefix/include -DX=\"/weir/prefixed\"\n";
    let folder = tree(&[
        ("release/lib/pkgconfig/z.pc", text.as_bytes()),
        ("release/share/pkgconfig/odd.pc", before.as_bytes()),
    ]);
    let captured = captured(folder.path());
    assert_eq!(
        fs_err::read_to_string(folder.path().join("release/lib/pkgconfig/z.pc")).unwrap(),
        "prefix=${pcfiledir}/../..\nexec_prefix=${prefix}\nlibdir=${prefix}/lib\n\nLibs: -L${prefix}/lib -lz\n\
         Cflags: -I${pcfiledir}/../../include\n"
    );
    assert_eq!(
        fs_err::read_to_string(folder.path().join("release/share/pkgconfig/odd.pc")).unwrap(),
        "libdir=${pcfiledir}/../../lib\nprefix = ${pcfiledir}/../../\nCflags: -I${prefix}/include -DX=\"/weir/prefixed\"\n"
    );
    assert!(captured.facts.variants[&Variant::Release].relocate.is_empty());
    assert!(captured.findings.is_empty(), "{}", findings(&captured));
}

#[test]
fn files_of_pkg_config_name_the_folders_in_which_compilers_would_not_look() {
    let folder = tree(&[
        ("release/lib/pkgconfig/bare.pc", b"Name: bare\nLibs: -lbare\nCflags: -DBARE"),
        ("release/lib/pkgconfig/own.pc", b"inc=/x\nLibs: -L/x -lown\nCflags: ${inc}\n"),
    ]);
    captured(folder.path());
    let text = |name| fs_err::read_to_string(folder.path().join("release/lib/pkgconfig").join(name)).unwrap();
    assert_eq!(
        text("bare.pc"),
        "Name: bare\nLibs: -L${pcfiledir}/../../lib -lbare\nCflags: -I${pcfiledir}/../../include -DBARE"
    );
    assert_eq!(text("own.pc"), "inc=/x\nLibs: -L/x -lown\nCflags: ${inc}\n");
}

#[test]
fn what_lies_where_nobody_looks_is_told_and_a_path_of_the_build_is_refused() {
    let folder = tree(&[
        ("release/lib64/libx.a", b"x"),
        ("release/weir/sysroot/lib/libx.a", b"x"),
        ("release/bin/x", b"x"),
    ]);
    let captured = captured(folder.path());
    let found: Vec<_> =
        captured.findings.iter().map(|finding| (finding.level, finding.path.as_str())).collect();
    assert_eq!(found, [(Level::Error, "weir/sysroot/lib/libx.a"), (Level::Warning, "lib64")]);
    assert!(captured.findings[0].message.contains("put the prefix before `/weir/sysroot`"));
    let plain = tree(&[("release/weir/notes", b"x")]);
    assert_eq!(findings(&super::tests::captured(plain.path())).matches("Warning").count(), 1);
}

#[test]
fn what_is_for_another_machine_is_refused_and_data_is_told() {
    let mut foreign = vec![0_u8; 64];
    foreign[..6].copy_from_slice(b"\x7fELF\x02\x01");
    foreign[18] = 183;
    let folder = tree(&[("release/lib/x.o", &foreign), ("release/share/firmware", &foreign)]);
    let found = findings(&captured(folder.path()));
    assert!(
        found.contains("Error: `release/lib/x.o` is for aarch64 (64 bits), not for x86-64-debian-13\n"),
        "{found}"
    );
    assert!(found.contains("Warning: `release/share/firmware` is for aarch64"), "{found}");
}

#[test]
fn modes_and_folders_that_no_package_has_are_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tree(&[("release/bin/su", b"x"), ("release/etc/key", b"x"), ("release/lib/x", b"x")]);
    for (path, mode) in [("bin/su", 0o4755), ("etc/key", 0o600), ("lib/x", 0o664)] {
        let path = folder.path().join("release").join(path);
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    fs_err::create_dir_all(folder.path().join("release/var/cache")).unwrap();
    assert_eq!(
        findings(&captured(folder.path())),
        "Warning: `release/bin/su` is set to run as somebody else, or sticky: a package does not keep that\n\
         Warning: `release/etc/key` is not for everybody to read: a package does not keep that, and in it it is\n\
         Warning: `release/var/cache` is an empty folder: a package has none, so it is left out\n"
    );
    assert!(!folder.path().join("release/var").exists(), "the tree in the store is what its manifest says");
}

#[test]
fn an_archive_that_names_files_of_its_build_is_refused() {
    let folder = tree(&[("release/lib/libx.a", b"!<thin>\nx"), ("release/lib/libtool.la", b"x")]);
    let found = findings(&captured(folder.path()));
    assert!(
        found.contains("Error: `release/lib/libx.a` is a thin archive: it names object files"),
        "{found}"
    );
}

#[test]
fn other_texts_are_noted_and_what_cannot_be_changed_is_told() {
    let large = [&[b'x'; 1 << 20][..], b"/weir/prefix/share\0"].concat();
    let across = [&[b'x'; (1 << 20) - 5][..], b"/weir/prefix/etc\0"].concat();
    let folder = tree(&[
        ("release/bin/z-config", b"#!/bin/sh\necho -L/weir/prefix/lib /weir/sysroot/lib/libz.so\n"),
        ("release/lib/cmake/Targets.cmake", b"set(x /weir/sysroot/lib/libz.so)"),
        ("release/lib/libz.la", b"libdir='/weir/prefix/lib'"),
        ("release/lib/large.bin", &large),
        ("release/lib/across.bin", &across),
        ("release/share/log", b"built in /weir/build/x"),
        ("debug/bin/z-config", b"plain"),
    ]);
    let captured = captured(folder.path());
    let facts = &captured.facts.variants;
    assert_eq!(facts[&Variant::Release].relocate, ["bin/z-config", "lib/cmake/Targets.cmake"]);
    assert!(facts[&Variant::Debug].relocate.is_empty());
    let script = fs_err::read_to_string(folder.path().join("release/bin/z-config")).unwrap();
    assert_eq!(script, format!("#!/bin/sh\necho -L{PREFIX}/lib {PREFIX}/lib/libz.so\n"));
    assert!(!folder.path().join("release/lib/libz.la").exists());
    assert_eq!(
        findings(&captured),
        "Warning: `release/lib/across.bin` holds the path of its build, which cannot be changed in it: `/weir/prefix` at byte 1048571\n\
         Warning: `release/lib/large.bin` holds the path of its build, which cannot be changed in it: `/weir/prefix` at byte 1048576\n\
         Warning: `release/share/log` names a folder of its build, `/weir/build`, at byte 9\n\
         Note: `release/lib/libz.la` was removed: files of libtool name where they were built\n"
    );
}

#[test]
fn links_to_where_it_was_built_become_links_to_where_it_is() {
    let folder = tree(&[
        ("release/lib/libz.so", b"->/weir/prefix/lib/libz.so.1"),
        ("release/lib/libz.so.1", b"z"),
        ("release/here", b"->/weir/prefix"),
        ("release/lib/other", b"->/weir/sysroot/share/other"),
    ]);
    captured(folder.path());
    let target = |path: &str| fs_err::read_link(folder.path().join("release").join(path)).unwrap();
    assert_eq!(target("lib/libz.so"), Path::new("../lib/libz.so.1"));
    assert_eq!(target("here"), Path::new("."));
    assert_eq!(target("lib/other"), Path::new("../share/other"));
    for hostile in ["->/etc/passwd", "->../../debug/x", "->/weir/prefix/../../etc/passwd", "->/weir/prefixed"]
    {
        let folder = tree(&[("release/lib/x", hostile.as_bytes())]);
        let error = capture(folder.path(), &[], &[], &platform()).unwrap_err();
        assert!(matches!(error, CaptureError::Link { .. }), "{hostile}: {error}");
    }
}

#[test]
fn what_is_no_file_and_what_is_nothing_is_refused() {
    let folder = tree(&[("release/lib/x", b"x")]);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        folder.path().join("release/lib/pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let error = capture(folder.path(), &[], &[], &platform()).unwrap_err();
    assert_eq!(error.to_string(), "`release/lib/pipe` is a named pipe, which cannot be in a package");
    let empty = tempfile::tempdir().unwrap();
    fs_err::create_dir_all(empty.path().join("release/lib")).unwrap();
    assert!(matches!(capture(empty.path(), &[], &[], &platform()).unwrap_err(), CaptureError::Empty { .. }));
}

#[test]
fn looking_changes_nothing_and_finds_the_same() {
    let folder = tree(&[("release/bin/z-config", b"/weir/prefix/lib"), ("release/lib/x", b"\0/weir/prefix")]);
    let manifest = weir_tree::read_folder(folder.path(), &weir_tree::Selection::everything()).unwrap();
    let looked = look_into(&weir_fs::Folder::open(folder.path()).unwrap(), &manifest, &platform()).unwrap();
    assert_eq!(captured(folder.path()), looked);
    assert_eq!(looked.facts.variants[&Variant::Release].relocate, ["bin/z-config"]);
    assert_ne!(looked.facts, NativeFacts::default());
}
