use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use weir_model::Digest;
use weir_tree::{LinkTarget, TreePath};

use super::{LinkTree, LinkTreeContent, LinkTreeFile, Original, find_path, replace_path};

const PREFIX: &str = "/built/here";

fn file(path: &str, content: LinkTreeContent) -> LinkTreeFile {
    LinkTreeFile { path: TreePath::new(path).unwrap(), content }
}

fn original(folder: &Path, name: &str, text: &str) -> Original {
    let file = folder.join(name);
    fs_err::write(&file, text).unwrap();
    Original { file, digest: Digest::of(text), executable: name.ends_with(".sh") }
}

fn link_tree(folder: &Path) -> LinkTree {
    let link = LinkTarget::new(&TreePath::new("lib/libz.so").unwrap(), b"libz.so.1").unwrap();
    LinkTree {
        prefix: PREFIX,
        files: vec![
            file(
                "bin/z-config",
                LinkTreeContent::Rewritten(original(folder, "z.sh", "echo -I/built/here/include")),
            ),
            file("include/z/z.h", LinkTreeContent::Same(original(folder, "z.h", "int z;"))),
            file("lib/libz.so", LinkTreeContent::Link(link)),
            file("lib/libz.so.1", LinkTreeContent::Same(original(folder, "libz", "z"))),
        ],
    }
}

#[test]
fn a_link_tree_has_the_files_themselves_and_names_its_own_place() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("some/link_tree");
    link_tree(folder.path()).make(&at, Path::new("/seen here")).unwrap();
    let inode = |path: &Path| fs_err::metadata(path).unwrap().ino();
    assert_eq!(inode(&at.join("include/z/z.h")), inode(&folder.path().join("z.h")));
    assert_eq!(fs_err::read_to_string(at.join("lib/libz.so")).unwrap(), "z");
    assert_eq!(fs_err::read_to_string(at.join("bin/z-config")).unwrap(), "echo -I/seen here/include");
    assert_eq!(fs_err::metadata(at.join("bin/z-config")).unwrap().permissions().mode() & 0o777, 0o555);
}

#[test]
fn a_link_tree_replaces_what_was_there_and_leaves_nothing_beside() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("link_trees/a");
    fs_err::create_dir_all(at.join("old")).unwrap();
    let mut link_tree = link_tree(folder.path());
    link_tree.make(&at, &at).unwrap();
    assert!(!at.join("old").exists());
    link_tree.files.remove(1);
    link_tree.make(&at, &at).unwrap();
    assert!(!at.join("include").exists() && at.join("lib").exists());
    assert_eq!(fs_err::read_dir(folder.path().join("link_trees")).unwrap().count(), 1);
}

#[test]
fn every_file_comes_into_its_own_folder_whatever_folders_are_called() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("a");
    let paths = ["a-b/x", "a.txt", "a/b.c", "a/b/c", "a/b/d/e", "a/d", "a/d2/x", "ab/x", "b"];
    let files = paths.map(|path| {
        file(path, LinkTreeContent::Same(original(folder.path(), &path.replace('/', "_"), path)))
    });
    assert!(files.is_sorted_by_key(|file| file.path.clone()));
    LinkTree { prefix: PREFIX, files: files.to_vec() }.make(&at, &at).unwrap();
    for path in paths {
        assert_eq!(fs_err::read_to_string(at.join(path)).unwrap(), path);
    }
}

#[test]
fn a_link_tree_that_cannot_be_made_leaves_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("link_trees/a");
    let link_tree = link_tree(folder.path());
    link_tree.make(&at, &at).unwrap();
    fs_err::remove_file(folder.path().join("libz")).unwrap();
    link_tree.make(&at, &at).unwrap_err();
    assert_eq!(fs_err::read_to_string(at.join("lib/libz.so")).unwrap(), "z");
    assert_eq!(fs_err::read_dir(folder.path().join("link_trees")).unwrap().count(), 1);
}

#[test]
fn a_place_that_a_script_would_take_for_syntax_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("a");
    let link_tree = link_tree(folder.path());
    for seen in ["/a/$(touch pwned)", "/a/`x`", "/a\"b", "/a;b", "relative"] {
        let error = link_tree.make(&at, Path::new(seen)).unwrap_err().to_string();
        assert!(error.contains("z-config"), "{error}");
    }
    let plain = LinkTree { files: link_tree.files[1..].to_vec(), ..link_tree };
    plain.make(&at, Path::new("/a/$(x)")).unwrap();
}

#[test]
fn the_digest_tells_link_trees_and_places_apart() {
    let folder = tempfile::tempdir().unwrap();
    let link_tree = link_tree(folder.path());
    let digest = link_tree.digest(Path::new("/a"));
    assert_ne!(link_tree.digest(Path::new("/b")), digest);
    let mut other = link_tree.clone();
    other.files.pop();
    assert_ne!(other.digest(Path::new("/a")), digest);
    let mut other = link_tree.clone();
    let LinkTreeContent::Rewritten(original) = other.files[0].content.clone() else { panic!() };
    other.files[0].content = LinkTreeContent::Same(original);
    assert_ne!(other.digest(Path::new("/a")), digest);
    assert_eq!(link_tree.digest(Path::new("/a")), digest);
}

#[test]
fn a_path_is_replaced_where_it_is_one() {
    let text = b"-I/built/here/include:/built/here;/built/here.x /built/hereafter /built/here-2 /built/here";
    let expected = "-I/x/include:/x;/x.x /built/hereafter /built/here-2 /x";
    assert_eq!(replace_path(text, PREFIX, b"/x"), expected.as_bytes());
    assert_eq!(find_path(b"/built/her", PREFIX).count(), 0);
}
