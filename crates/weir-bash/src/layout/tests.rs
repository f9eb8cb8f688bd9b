//! Plans, and the links they make.

use std::path::Path;

use super::{Node, Offers, marks, order, plan};
use crate::manifest::BashManifest;

fn node(name: &str, version: &str, direct: bool, dependencies: &[usize]) -> Node {
    let slug = name.split_once('/').unwrap().1.to_owned();
    Node {
        name: name.into(),
        version: version.into(),
        direct,
        tree: format!("/store/{name}-{version}").into(),
        top_level: vec!["src".into(), "bin".into(), "man".into()],
        manifest: BashManifest { slugs: vec![slug.clone()], ..BashManifest::default() },
        offers: Offers {
            bin: vec![format!("bin/{slug}")],
            man: vec![format!("man/{slug}.1")],
            ..Offers::default()
        },
        dependencies: dependencies.to_vec(),
    }
}

/// The plan's links, `path -> target`.
fn links(nodes: &[Node]) -> Vec<String> {
    plan(nodes).links.into_iter().map(|link| format!("{} -> {}", link.path, link.target.display())).collect()
}

#[test]
fn a_package_is_one_link_and_each_command_one_more() {
    assert_eq!(
        links(&[node("acme/tool", "1.0.0", true, &[])]),
        [
            "weir_packages/bin/tool -> ../packages/acme/tool@1.0.0/bin/tool",
            "weir_packages/man/man1/tool.1 -> ../../packages/acme/tool@1.0.0/man/tool.1",
            "weir_packages/packages/acme/tool@1.0.0 -> /store/acme/tool-1.0.0",
        ]
    );
}

#[test]
fn a_package_whose_dependencies_offer_commands_has_them_beside_its_own_files() {
    let nodes = [node("acme/tool", "1.0.0", true, &[1]), node("acme/low", "2.0.0", false, &[])];
    let links = links(&nodes);
    let inner = "weir_packages/packages/acme/tool@1.0.0/weir_packages/bin/low -> \
        ../../../../../transitive/packages/acme/low@2.0.0/bin/low";
    assert!(links.contains(&inner.to_owned()), "{links:#?}");
    assert!(
        links
            .contains(&"weir_packages/packages/acme/tool@1.0.0/src -> /store/acme/tool-1.0.0/src".to_owned())
    );
    assert!(
        links.contains(&"weir_packages/transitive/bin/low -> ../packages/acme/low@2.0.0/bin/low".to_owned())
    );
    assert!(
        links.contains(
            &"weir_packages/transitive/packages/acme/low@2.0.0 -> /store/acme/low-2.0.0".to_owned()
        )
    );
}

#[test]
fn a_page_is_in_the_section_that_its_name_ends_with() {
    let mut tool = node("acme/tool", "1.0.0", true, &[]);
    tool.offers.bin.clear();
    tool.offers.man =
        ["man/tool.5", "man/tool.3bash.gz", "man/tool.n", "man/plain"].map(str::to_owned).to_vec();
    let places: Vec<String> = tool.offers.places().into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["man/man5/tool.5", "man/man3/tool.3bash.gz", "man/man1/tool.n", "man/man1/plain"]);
}

#[test]
fn every_relative_link_ends_at_a_planned_package() {
    let nodes = [
        node("acme/tool", "1.0.0", true, &[1, 2]),
        node("acme/low", "2.0.0", false, &[2]),
        node("acme/z", "1.0.0", false, &[]),
    ];
    let plan = plan(&nodes);
    for link in plan.links.iter().filter(|link| link.target.is_relative()) {
        let mut place = Path::new(&link.path).parent().unwrap().to_path_buf();
        for part in link.target.components() {
            match part {
                std::path::Component::ParentDir => assert!(place.pop()),
                part => place.push(part),
            }
        }
        let place = place.to_str().unwrap().to_owned();
        assert!(plan.links.iter().any(|other| place.starts_with(&format!("{}/", other.path)) || place.starts_with(&other.path)), "{place}");
        assert!(
            place.starts_with("weir_packages/packages/")
                || place.starts_with("weir_packages/transitive/packages/")
        );
    }
}

#[test]
fn a_command_that_two_packages_offer_is_told_with_both_owners() {
    let mut other = node("acme/other", "1.0.0", true, &[]);
    other.offers.bin = vec!["x/tool".into()];
    let plan = plan(&[node("acme/tool", "1.0.0", true, &[]), other]);
    let collision = &plan.collisions[0];
    assert_eq!(
        (collision.path.as_str(), collision.kept.as_str(), collision.shadowed.as_str()),
        ("weir_packages/bin/tool", "acme/other@1.0.0", "acme/tool@1.0.0")
    );
    assert!(collision.direct);
}

#[test]
fn the_newest_of_two_transitive_versions_has_the_place() {
    let plan = plan(&[node("acme/low", "9.0.0", false, &[]), node("acme/low", "10.0.0", false, &[])]);
    let link = plan.links.iter().find(|link| link.path == "weir_packages/transitive/bin/low").unwrap();
    assert_eq!(link.target, Path::new("../packages/acme/low@10.0.0/bin/low"));
    assert!(!plan.collisions[0].direct);
}

#[test]
fn marks_are_unique_in_a_closure() {
    let mut fork = node("other/low", "1.0.0", false, &[]);
    fork.manifest.slugs = vec!["low".into()];
    let mut trap = node("acme/trap", "1.0.0", false, &[]);
    trap.manifest.slugs = vec!["low_2_0_0".into()];
    let mut nodes = [
        node("acme/tool", "1.0.0", true, &[]),
        node("acme/low", "1.0.0", false, &[]),
        fork,
        node("acme/low", "2.0.0", false, &[]),
        trap,
    ];
    // What is never loaded keeps its names.
    assert_eq!(marks(&nodes), [const { None }; 5]);
    nodes.iter_mut().for_each(|node| node.offers.source.push("src/a.sh".into()));
    let marks = marks(&nodes);
    assert_eq!(marks[0], None);
    assert!(marks[1] != marks[2] && marks[1].as_ref().unwrap().starts_with("1_0_0_of_"));
    assert!(marks[3].as_ref().unwrap().starts_with("2_0_0_of_"));
    assert_eq!(marks[4].as_deref(), Some("1_0_0"));
}

#[test]
fn what_is_used_comes_before_what_uses_it() {
    let nodes = [
        node("a/a", "1.0.0", true, &[1, 2]),
        node("a/b", "1.0.0", false, &[2]),
        node("a/c", "1.0.0", false, &[]),
    ];
    assert_eq!(order(&nodes), [2, 1, 0]);
}

#[test]
fn a_package_without_a_slug_is_told_apart_by_its_name() {
    let mut bare = node("acme/str-lib", "1.0.0", false, &[]);
    bare.manifest.slugs.clear();
    assert_eq!(bare.slugs(), ["str_lib"]);
}
