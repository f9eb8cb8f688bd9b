//! Which files make a tree, and whether a folder still is one.

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use weir_tree::{Difference, ManifestError, Mode, Selection, TreeError, read_folder, verify_folder};

use crate::world::{Item, everything, file, folder, scratch};

fn selected(root: &Path, include: &[&str], exclude: &[&str]) -> Vec<String> {
    let lists = [include, exclude].map(|list| list.iter().map(|&glob| glob.to_owned()).collect::<Vec<_>>());
    let selection = Selection::package(&lists[0], &lists[1]).expect("patterns");
    let manifest = read_folder(root, &selection).expect("a tree");
    manifest.entries().iter().map(|entry| entry.path.to_string()).collect()
}

fn package() -> tempfile::TempDir {
    folder(&[
        ("weir.toml", file("")),
        (".hidden", file("")),
        (".gitignore", file("*.o\n/dist\n")),
        (".weirignore", file("notes.txt\n")),
        ("notes.txt", file("")),
        ("src/a.c", file("")),
        ("src/a.o", file("")),
        ("dist/lib.so", file("")),
        ("sub/.git/config", file("")),
        (".git/config", file("")),
        ("weir_packages/x", file("")),
        (".weir/x", file("")),
    ])
}

#[test]
fn a_package_is_all_that_is_not_ignored() {
    let root = package();
    let all = [".gitignore", ".hidden", ".weirignore", "src/a.c", "weir.toml"];
    assert_eq!(selected(root.path(), &[], &[]), all);
    assert_eq!(selected(root.path(), &[], &["src/"]), [".gitignore", ".hidden", ".weirignore", "weir.toml"]);
    assert_eq!(selected(root.path(), &[], &["*"]), ["weir.toml"]);
}

#[test]
fn what_is_included_by_name_is_published_although_git_ignores_it() {
    let root = package();
    assert_eq!(selected(root.path(), &["dist", "*.c"], &[]), ["dist/lib.so", "src/a.c", "weir.toml"]);
    assert_eq!(selected(root.path(), &["dist", ".git/config"], &["*.so"]), ["weir.toml"]);
}

#[test]
fn a_package_that_is_no_git_repository_has_its_ignore_file_honoured_too() {
    let root = folder(&[(".gitignore", file("*.o\n")), ("a.o", file("")), ("a.c", file(""))]);
    assert_eq!(selected(root.path(), &[], &[]), [".gitignore", "a.c"]);
}

#[test]
fn everything_is_everything() {
    let package = package();
    let refused = read_folder(package.path(), &Selection::everything()).expect_err("a repository is in it");
    assert!(refused.to_string().contains("repository"), "{refused}");
    for repository in [".git", "sub/.git"] {
        fs_err::remove_dir_all(package.path().join(repository)).expect("removed");
    }
    assert_eq!(everything(package.path()).files(), 10);
}

#[test]
fn ignore_files_above_the_folder_play_no_part() {
    let root = folder(&[(".gitignore", file("*\n")), ("p/weir.toml", file("")), ("p/a", file(""))]);
    assert_eq!(selected(&root.path().join("p"), &[], &[]), ["a", "weir.toml"]);
}

fn worked_in(root: &Path, include: &[&str]) -> Vec<String> {
    let include: Vec<String> = include.iter().map(|&glob| glob.to_owned()).collect();
    let selection = Selection::package(&include, &[]).expect("patterns").of_working_folder();
    let manifest = read_folder(root, &selection).expect("a tree");
    manifest.entries().iter().map(|entry| entry.path.to_string()).collect()
}

#[test]
fn in_a_repository_the_ignore_files_above_count_up_to_its_top_as_for_git() {
    let root = folder(&[
        (".gitignore", file("*\n")),
        ("repo/.git/config", file("")),
        ("repo/.gitignore", file("*.o\n/packages/p/generated\nkept\n")),
        ("repo/packages/.gitignore", file("*.log\n!kept\n")),
        ("repo/packages/p/weir.toml", file("")),
        ("repo/packages/p/.gitignore", file("!wanted.o\n")),
        ("repo/packages/p/a.c", file("")),
        ("repo/packages/p/a.o", file("")),
        ("repo/packages/p/wanted.o", file("")),
        ("repo/packages/p/kept", file("")),
        ("repo/packages/p/x.log", file("")),
        ("repo/packages/p/generated/x", file("")),
        ("repo/packages/other/x", file("")),
    ]);
    let package = root.path().join("repo/packages/p");
    assert_eq!(worked_in(&package, &[]), [".gitignore", "a.c", "kept", "wanted.o", "weir.toml"]);
    assert_eq!(selected(&package, &[], &[]).len(), 8, "and only where that is asked for");
    // A folder that is left out itself is wanted by whoever names it.
    fs_err::write(root.path().join("repo/.gitignore"), "packages/\n").expect("written");
    assert_eq!(worked_in(&package, &[]).len(), 8);
    fs_err::remove_dir_all(root.path().join("repo/.git")).expect("removed");
    assert_eq!(worked_in(&package, &[]).len(), 8, "without a repository nothing above counts");
}

#[test]
fn what_is_left_out_of_a_repository_for_oneself_alone_is_left_out_too() {
    let root = folder(&[
        (".git/info/exclude", file("secret\n/p/notes\n")),
        ("p/weir.toml", file("")),
        ("p/secret", file("")),
        ("p/notes", file("")),
        ("p/sub/notes", file("")),
    ]);
    let package = root.path().join("p");
    assert_eq!(worked_in(&package, &[]), ["sub/notes", "weir.toml"]);
    assert_eq!(worked_in(&package, &["secret"]), ["secret", "weir.toml"]);
    assert_eq!(selected(&package, &[], &[]).len(), 4, "and only where that is asked for");
    // Who reads it for us would wait for a pipe.
    let exclude = root.path().join(".git/info/exclude");
    fs_err::remove_file(&exclude).expect("removed");
    rustix::fs::mknodat(rustix::fs::CWD, &exclude, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
        .expect("made");
    let selection = Selection::package(&[], &[]).expect("patterns").of_working_folder();
    assert!(read_folder(&package, &selection).is_err());
}

#[test]
fn what_editors_leave_behind_is_left_out_unless_it_is_named() {
    let leftovers = [".a.c.swp", ".DS_Store", "#a.c#", "a.c~", "sub/.#b", "sub/old.swp"];
    let mut items = vec![("weir.toml", file("")), ("a.c", file("")), ("#", file("")), ("~", file(""))];
    items.extend(leftovers.map(|name| (name, file(""))));
    let root = folder(&items);
    assert_eq!(worked_in(root.path(), &[]), ["#", "a.c", "weir.toml", "~"]);
    assert_eq!(worked_in(root.path(), &["*.c", "sub/old.swp"]), ["a.c", "sub/old.swp", "weir.toml"]);
    assert_eq!(selected(root.path(), &[], &[]).len(), 10, "what is in the store is what it is");
    let selection = Selection::package(&[], &[]).expect("patterns").of_working_folder();
    let mut told = selection.leftovers(root.path()).expect("listed");
    told.sort();
    let mut wanted = leftovers.map(std::path::PathBuf::from).to_vec();
    wanted.sort();
    assert_eq!(told, wanted);
}

#[test]
fn a_bad_pattern_is_named() {
    let refused = Selection::package(&["src/{a".into()], &[]);
    assert!(matches!(refused, Err(TreeError::BadPattern { pattern, .. }) if pattern == "src/{a"));
}

#[test]
fn what_cannot_be_in_a_tree_is_named_with_the_reason() {
    let read = |root: &Path| read_folder(root, &Selection::everything()).expect_err("refused").to_string();

    let out = folder(&[("d/l", Item::Link("../../x".into()))]);
    assert_eq!(read(out.path()), "the link `d/l` cannot be in a tree");

    let socket = scratch();
    let _listener = std::os::unix::net::UnixListener::bind(socket.path().join("s")).expect("a socket");
    assert!(read(socket.path()).ends_with("/s` is a socket; a tree holds files and symbolic links only"));

    let bytes = scratch();
    fs_err::write(bytes.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9")), "").expect("written");
    assert!(read(bytes.path()).ends_with("it is not UTF-8"));

    let decomposed = folder(&[("cafe\u{301}", file(""))]);
    assert!(read(decomposed.path()).contains("normal form C, in which it is `café`"));

    let device = folder(&[("d/aux.c", file(""))]);
    assert_eq!(
        read(device.path()),
        "`d/aux.c` cannot be a path in a tree: the part `aux.c` is the name of a device on Windows"
    );

    let case = folder(&[("Makefile", file("")), ("makefile", file(""))]);
    let clash = read_folder(case.path(), &Selection::everything());
    let Err(TreeError::Manifest(ManifestError::Collision { first, second })) = clash else {
        panic!("{clash:?}")
    };
    assert_eq!((first.as_str(), second.as_str()), ("Makefile", "makefile"));

    assert!(read(Path::new("/nowhere/at/all")).contains("/nowhere/at/all"));
    assert!(read(&case.path().join("Makefile")).ends_with("it is not a folder"));
}

#[test]
fn every_difference_is_found_and_named() {
    let files = [
        ("a", file("a")),
        ("b", file("b")),
        ("c", file("c")),
        ("d/e", file("e")),
        ("l", Item::Link("a".into())),
        ("s", file("s")),
    ];
    let root = folder(&files);
    let manifest = everything(root.path());
    assert_eq!(verify_folder(root.path(), &manifest).expect("verified"), []);

    let at = |name: &str| root.path().join(name);
    fs_err::write(at("a"), "A").expect("written");
    fs_err::set_permissions(at("b"), std::fs::Permissions::from_mode(0o755)).expect("set");
    fs_err::remove_file(at("c")).expect("removed");
    fs_err::remove_file(at("l")).expect("removed");
    std::os::unix::fs::symlink("b", at("l")).expect("linked");
    fs_err::remove_file(at("s")).expect("removed");
    fs_err::create_dir_all(at("s")).expect("made");
    fs_err::write(at("d/new"), "").expect("written");
    fs_err::create_dir_all(at("f/g")).expect("made");

    let path = |path: &str| path.to_owned();
    let found = verify_folder(root.path(), &manifest).expect("verified");
    let expected = [
        Difference::Changed { path: path("a"), got: weir_model::Digest::of("A") },
        Difference::WrongMode { path: path("b"), expected: Mode::File },
        Difference::Missing { path: path("c") },
        Difference::Extra { path: path("d/new") },
        Difference::Extra { path: path("f") },
        Difference::WrongTarget { path: path("l"), got: path("b") },
        Difference::WrongSort { path: path("s"), got: "folder" },
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_link_in_the_place_of_a_folder_is_not_followed() {
    let root = folder(&[("d/e", file("e"))]);
    let manifest = everything(root.path());
    let elsewhere = folder(&[("e", file("e"))]);
    fs_err::remove_dir_all(root.path().join("d")).expect("removed");
    std::os::unix::fs::symlink(elsewhere.path(), root.path().join("d")).expect("linked");
    let found = verify_folder(root.path(), &manifest).expect("verified");
    assert!(found.contains(&Difference::Extra { path: "d".into() }), "{found:?}");
}

/// What the documentation of formats gives as a command, word for word.
#[test]
fn the_files_of_a_tree_can_be_checked_with_b3sum() {
    let root = folder(&[
        ("a file", file("a b")),
        ("bin/run", Item::Executable(b"#!/bin/sh\n".to_vec())),
        ("large", Item::File(vec![7; 1 << 20])),
        ("link", Item::Link("a file".into())),
    ]);
    let list = scratch();
    fs_err::write(list.path().join("manifest"), everything(root.path()).to_text()).expect("written");
    let check = || {
        let script = r#"sed -nE 's/^[fx] [0-9]+ ([0-9a-f]+) (.*)/\1  \2/p' "$0" | b3sum --check"#;
        let command = &mut std::process::Command::new("sh");
        command.args(["-c", script]).arg(list.path().join("manifest")).current_dir(root.path());
        let output = command.output().expect("b3sum is installed by ./test");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(check(), (true, "a file: OK\nbin/run: OK\nlarge: OK\n".into()));
    fs_err::write(root.path().join("a file"), "a c").expect("written");
    assert!(!check().0);
}
