use std::path::Path;

use proptest::prelude::{ProptestConfig, prop, prop_assert, prop_assert_eq, proptest};
use weir_kind::LinkTreeContent;
use weir_tree::{Selection, read_folder};

use super::{Part, SysrootError, plan};
use crate::{NativeFacts, Variant, VariantFacts};

/// A package with these files; one whose text begins with `->` is a link.
fn part(root: &Path, name: &str, files: &[(&str, &str)], relocate: &[&str]) -> Part {
    let content = root.join(name);
    for (path, text) in files {
        let at = content.join(path);
        fs_err::create_dir_all(at.parent().unwrap()).unwrap();
        match text.strip_prefix("->") {
            Some(target) => fs_err::os::unix::fs::symlink(target, at).unwrap(),
            None => fs_err::write(at, text).unwrap(),
        }
    }
    let manifest = read_folder(&content, &Selection::everything()).unwrap();
    let mut facts = NativeFacts::default();
    let relocate = relocate.iter().map(|path| (*path).to_owned()).collect();
    facts.variants.insert(Variant::Release, VariantFacts { relocate, ..VariantFacts::default() });
    let id = weir_model::ReleaseId {
        name: format!("base/{name}").parse().unwrap(),
        version: "1.0.0".parse().unwrap(),
        platform: weir_model::Platform::any(),
        revision: 0,
    };
    Part { id, manifest, content, facts }
}

#[test]
fn the_trees_of_packages_become_one() {
    let root = tempfile::tempdir().unwrap();
    let z = part(
        root.path(),
        "z",
        &[
            ("README", "not installed"),
            ("release/include/z.h", "int z;"),
            ("release/lib/libz.so", "->libz.so.1"),
            ("release/lib/libz.so.1", "optimised"),
            ("debug/lib/libz.so.1", "slow"),
        ],
        &[],
    );
    let config = ("release/bin/y-config", "echo /weir/prefix");
    let y = part(root.path(), "y", &[config, ("release/include/y/y.h", "")], &["bin/y-config"]);
    let at = root.path().join("link_tree");
    let link_tree = plan(&[z.clone(), y.clone()], Variant::Release).unwrap();
    link_tree.make(&at, &at).unwrap();
    let read = |path: &str| fs_err::read_to_string(at.join(path)).unwrap();
    assert_eq!(read("lib/libz.so"), "optimised");
    assert_eq!(read("bin/y-config"), format!("echo {}", at.display()));
    assert!(at.join("include/y/y.h").is_file() && !at.join("README").exists());

    let debug = plan(&[z, y], Variant::Debug).unwrap();
    debug.make(&at, &at).unwrap();
    assert_eq!(read("lib/libz.so.1"), "slow");
    assert!(!at.join("include/z.h").exists(), "a variant is lent as a whole or not at all");
    assert!(at.join("include/y/y.h").is_file(), "`y` has no debug variant");
}

#[test]
fn what_two_packages_install_is_refused_with_both_names() {
    let root = tempfile::tempdir().unwrap();
    let files = [
        ("release/include/config.h", "same"),
        ("release/include/same.h", "same"),
        ("release/lib64", "->lib"),
        ("release/share/Doc/x", ""),
    ];
    let one = part(root.path(), "one", &files, &[]);
    let files = [
        ("release/include/same.h", "same"),
        ("release/lib64/libx.so", ""),
        ("release/include/Config.h", ""),
        ("release/share/doc/y", ""),
    ];
    let two = part(root.path(), "two", &files, &[]);
    let error = plan(&[one, two], Variant::Release).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`include/config.h` of `base/one 1.0.0` and `include/Config.h` of `base/two 1.0.0` differ only by case\n\
         `base/one 1.0.0` and `base/two 1.0.0` both install `include/same.h`\n\
         `lib64` of `base/one 1.0.0` and `lib64/` of `base/two 1.0.0` are a file and a folder of one name\n\
         `share/Doc/` of `base/one 1.0.0` and `share/doc/` of `base/two 1.0.0` differ only by case"
    );
}

#[test]
fn the_list_of_clashes_is_bounded() {
    let root = tempfile::tempdir().unwrap();
    let paths: Vec<String> = (0..100).map(|number| format!("release/include/{number:02}.h")).collect();
    let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "")).collect();
    let (one, two) = (part(root.path(), "one", &files, &[]), part(root.path(), "two", &files, &[]));
    let SysrootError::Clashes { clashes, more } = plan(&[one, two], Variant::Release).unwrap_err() else {
        panic!("another error")
    };
    assert_eq!((clashes.len(), more), (20, 80));
}

#[test]
fn a_link_into_the_other_variant_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let files = [("release/lib/x", "->../../debug/lib/x"), ("debug/lib/x", "")];
    let error = plan(&[part(root.path(), "x", &files, &[])], Variant::Release).unwrap_err();
    assert!(error.to_string().contains("release/lib/x"), "{error}");
}

#[test]
fn a_record_cannot_name_files_that_are_not_the_packages() {
    let root = tempfile::tempdir().unwrap();
    fs_err::write(root.path().join("secret"), "/weir/prefix").unwrap();
    let hostile = ["../../secret", "/etc/passwd", "lib/../../x", "", "lib/x"];
    let link_tree =
        plan(&[part(root.path(), "x", &[("release/lib/x", "x")], &hostile)], Variant::Release).unwrap();
    assert_eq!(link_tree.files.len(), 1);
    link_tree.make(&root.path().join("link_tree"), &root.path().join("link_tree")).unwrap();
    assert_eq!(fs_err::read_to_string(root.path().join("secret")).unwrap(), "/weir/prefix");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A plan has every file of every package once, or names a clash; never both, never neither.
    #[test]
    fn nothing_is_lost_and_nothing_is_hidden(
        one in prop::collection::btree_set("[abAB](/[abAB]){0,2}", 1..6),
        two in prop::collection::btree_set("[abAB](/[abAB]){0,2}", 1..6),
    ) {
        let root = tempfile::tempdir().unwrap();
        let tree = |name: &str, paths: &std::collections::BTreeSet<String>| {
            let mut kept: Vec<String> = Vec::new();
            for path in paths {
                let mut trial = kept.clone();
                trial.push(path.clone());
                if !clashes_within(&trial) {
                    kept = trial;
                }
            }
            let paths: Vec<String> = kept.iter().map(|path| format!("release/{path}")).collect();
            let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), name)).collect();
            (part(root.path(), name, &files, &[]), kept)
        };
        let (one, in_one) = tree("one", &one);
        let (two, in_two) = tree("two", &two);
        let all: Vec<String> = in_one.iter().chain(&in_two).cloned().collect();
        match plan(&[one, two], Variant::Release) {
            Ok(link_tree) => {
                prop_assert!(!clashes_within(&all));
                prop_assert_eq!(link_tree.files.len(), all.len());
                prop_assert!(link_tree.files.is_sorted_by(|a, b| a.path < b.path));
                prop_assert!(link_tree.files.iter().all(|file| matches!(file.content, LinkTreeContent::Same(_))));
            }
            Err(_) => prop_assert!(clashes_within(&all)),
        }
    }
}

/// Whether these paths cannot all be files of one folder where case is ignored.
fn clashes_within(paths: &[String]) -> bool {
    let folders =
        |path: &str| path.match_indices('/').map(|(end, _)| path[..end].to_owned()).collect::<Vec<_>>();
    paths.iter().enumerate().any(|(index, one)| {
        paths[index + 1..].iter().any(|other| {
            let same = one.eq_ignore_ascii_case(other);
            let below = |a: &str, b: &str| folders(a).iter().any(|folder| folder.eq_ignore_ascii_case(b));
            let spelled = folders(one)
                .iter()
                .any(|a| folders(other).iter().any(|b| a != b && a.eq_ignore_ascii_case(b)));
            same || below(one, other) || below(other, one) || spelled
        })
    })
}
