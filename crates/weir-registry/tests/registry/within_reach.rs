//! What a quarantine keeps readers from: all content that only quarantined releases name.

use weir_model::{BuildFacts, Digest, WithdrawalVerb};
use weir_registry::content::{CHUNKED_ABOVE, chunk_list_path, file_path, pack_path};
use weir_registry::{Draft, Intent, Look, Registry, SubmitError};

use crate::storage::{asked, audited, built, collect, hours_pass, publish, put_file, reference};
use crate::world::{World, package, withdraw};

/// A built release, and one that refers to a small and a large file, with all of it uploaded.
fn both(world: &World, registry: &dyn Registry, version: &str) -> [Draft; 2] {
    let (small, large) = (put_file(registry, version.as_bytes()), put_file(registry, &large_file()));
    let references = format!("{}{}", reference("small", &small), reference("large", &large));
    let referring = package(registry, &format!("acme/data {version}"), "", &references, &[]);
    [built(world, registry, &format!("acme/a {version}")), referring]
}

/// What is done with both.
fn with_both(verb: WithdrawalVerb, version: &str) -> Vec<Intent> {
    ["acme/a", "acme/data"].map(|name| withdraw(verb, &format!("{name} {version}"))).into()
}

fn large_file() -> Vec<u8> {
    vec![7; CHUNKED_ABOVE as usize + 1]
}

/// Where readers find what releases name: their packs, and all else.
fn paths(drafts: &[Draft]) -> Vec<String> {
    let large = Digest::of(large_file());
    let of_file = |sha256| if sha256 == large { chunk_list_path(&sha256) } else { file_path(&sha256) };
    let mut paths = Vec::new();
    for draft in drafts {
        let build = build_of(draft);
        let packs = [Some(draft.tree), build.source.map(|source| source.tree)];
        paths.extend(packs.into_iter().flatten().map(|tree| pack_path(&tree)));
        let evidence = [draft.recipe, draft.toolchain, build.provenance, build.log];
        let files = evidence.into_iter().chain(draft.references.iter().map(|one| one.sha256));
        paths.extend(files.flatten().map(of_file));
    }
    paths
}

fn build_of(draft: &Draft) -> BuildFacts {
    BuildFacts::read(&draft.facts).unwrap().unwrap_or_default()
}

fn is_served(world: &World, path: &str) -> bool {
    world.folder().join(path).exists()
}

/// Held or asked for, read or not: nothing is wrong.
fn is_sound(world: &World) {
    let found = [audited(world), asked(world, Look::Presence), asked(world, Look::Bytes)];
    assert_eq!(found.map(|audit| audit.problems), [const { Vec::<String>::new() }; 3]);
}

#[test]
fn nobody_gets_what_a_quarantined_release_is_made_of_built_from_or_refers_to() {
    let world = World::new(true);
    let registry = world.open();
    let drafts = both(&world, &registry, "1.0.0");
    world.submit(drafts.iter().map(publish).collect()).unwrap();
    let paths = paths(&drafts);
    let all_served = || paths.iter().all(|path| is_served(&world, path));
    let none_served = || !paths.iter().any(|path| is_served(&world, path));
    assert!(paths.len() == 9 && all_served());
    is_sound(&world);

    world.submit(with_both(WithdrawalVerb::Quarantine, "1.0.0")).unwrap();
    assert!(none_served());
    is_sound(&world);
    // Uploading it again brings nothing back, and the collector takes nothing away.
    put_file(&registry, &large_file());
    put_file(&registry, b"1.0.0");
    hours_pass(&world, 25);
    assert_eq!(collect(&world, None, false).objects, []);
    assert!(none_served());

    world.submit(with_both(WithdrawalVerb::Unquarantine, "1.0.0")).unwrap();
    assert!(all_served());
    is_sound(&world);

    // One that is removed while it is quarantined stays out of reach, and is kept.
    world.submit(with_both(WithdrawalVerb::Quarantine, "1.0.0")).unwrap();
    world.submit(with_both(WithdrawalVerb::Remove, "1.0.0")).unwrap();
    hours_pass(&world, 25);
    assert_eq!(collect(&world, Some(jiff::Timestamp::MAX), false).objects, []);
    assert!(none_served());
    assert_eq!(audited(&world).kept.len(), 9);
    is_sound(&world);
}

#[test]
fn what_another_release_names_that_readers_may_have_stays_with_it() {
    let world = World::new(true);
    let registry = world.open();
    let first = both(&world, &registry, "1.0.0");
    let mut second = both(&world, &registry, "2.0.0");
    second[0].toolchain = first[0].toolchain;
    world.submit(first.iter().chain(&second).map(publish).collect()).unwrap();
    let toolchain = file_path(&first[0].toolchain.unwrap());
    let large = chunk_list_path(&Digest::of(large_file()));

    world.submit(with_both(WithdrawalVerb::Quarantine, "1.0.0")).unwrap();
    let left: Vec<_> = paths(&first).into_iter().filter(|path| is_served(&world, path)).collect();
    assert_eq!(left, [toolchain.clone(), large.clone()]);
    assert!(paths(&second).iter().all(|path| is_served(&world, path)));
    is_sound(&world);

    world.submit(with_both(WithdrawalVerb::Quarantine, "2.0.0")).unwrap();
    assert!(!is_served(&world, &toolchain) && !is_served(&world, &large));
    is_sound(&world);
    // In one batch, the one comes back and the other goes for good.
    let back = with_both(WithdrawalVerb::Unquarantine, "1.0.0");
    world.submit(back.into_iter().chain(with_both(WithdrawalVerb::Remove, "2.0.0")).collect()).unwrap();
    assert!(paths(&first).iter().all(|path| is_served(&world, path)));
    is_sound(&world);
}

#[test]
fn what_is_out_of_reach_is_not_brought_back_by_another_release_that_refers_to_it_or_is_built_from_it() {
    let world = World::new(false);
    let registry = world.open();
    let bad = both(&world, &registry, "1.0.0");
    world.submit(bad.iter().map(publish).collect()).unwrap();
    world.submit(with_both(WithdrawalVerb::Quarantine, "1.0.0")).unwrap();
    let refused = |draft: &Draft| match world.submit(vec![publish(draft)]) {
        Err(SubmitError::QuarantinedContent { quarantined, .. }) => quarantined.to_string(),
        other => panic!("{other:?}"),
    };

    let names = reference("again", &Digest::of("1.0.0"));
    let referring = package(&registry, "acme/other 1.0.0", "", &names, &[]);
    assert_eq!(refused(&referring), "acme/data 1.0.0");

    let mut rebuilt = built(&world, &registry, "acme/c 1.0.0");
    let own = build_of(&rebuilt);
    BuildFacts { source: build_of(&bad[0]).source, ..own.clone() }.insert_into(&mut rebuilt.facts);
    assert_eq!(refused(&rebuilt), "acme/a 1.0.0");

    // Nor by calling it what a build was told, or printed.
    let file = Digest::of("1.0.0");
    for (build, recipe, toolchain) in [
        (BuildFacts { log: Some(file), ..own.clone() }, rebuilt.recipe, rebuilt.toolchain),
        (BuildFacts { provenance: Some(file), ..own.clone() }, rebuilt.recipe, rebuilt.toolchain),
        (BuildFacts { recipe_files: vec![file], ..own.clone() }, rebuilt.recipe, rebuilt.toolchain),
        (own.clone(), Some(file), rebuilt.toolchain),
        (own.clone(), rebuilt.recipe, Some(file)),
    ] {
        let mut crafted = Draft { recipe, toolchain, ..rebuilt.clone() };
        build.insert_into(&mut crafted.facts);
        assert_eq!(refused(&crafted), "acme/data 1.0.0");
    }
    let mut crafted = rebuilt.clone();
    BuildFacts { provenance: build_of(&bad[0]).provenance, ..own.clone() }.insert_into(&mut crafted.facts);
    assert_eq!(refused(&crafted), "acme/a 1.0.0");

    // What it was built with is what others are built with: it comes back with them.
    own.insert_into(&mut rebuilt.facts);
    rebuilt.toolchain = bad[0].toolchain;
    let toolchain = file_path(&bad[0].toolchain.unwrap());
    assert!(!is_served(&world, &toolchain));
    world.submit(vec![publish(&rebuilt)]).unwrap();
    assert!(is_served(&world, &toolchain));
    is_sound(&world);
}

#[test]
fn a_file_that_a_crash_left_within_reach_or_out_of_it_is_put_in_its_place() {
    let world = World::new(false);
    let draft = built(&world, &world.open(), "acme/a 1.0.0");
    world.submit(vec![publish(&draft)]).unwrap();
    let log = build_of(&draft).log.unwrap();
    let within = world.folder().join(file_path(&log));
    let bytes = fs_err::read(&within).unwrap();
    world.submit(vec![withdraw(WithdrawalVerb::Quarantine, "acme/a 1.0.0")]).unwrap();
    fs_err::write(&within, &bytes).unwrap();
    let problems = audited(&world).problems;
    assert!(problems.len() == 1 && problems[0].contains("served all the same"), "{problems:?}");
    assert!(asked(&world, Look::Presence).problems[0].contains("served all the same"));
    assert_eq!(collect(&world, None, false).put_right.len(), 1);
    assert!(!within.exists());
    is_sound(&world);

    world.submit(vec![withdraw(WithdrawalVerb::Unquarantine, "acme/a 1.0.0")]).unwrap();
    let held = world.folder().join(file_path(&log).replace("file/", ".held/"));
    fs_err::create_dir_all(held.parent().unwrap()).unwrap();
    fs_err::rename(&within, held).unwrap();
    assert_eq!(audited(&world).problems.len(), 1);
    assert_eq!(collect(&world, None, false).put_right.len(), 1);
    assert!(within.exists());
    is_sound(&world);
}

#[test]
fn whoever_copies_content_and_is_quarantined_for_it_keeps_nobody_else_from_it() {
    let world = World::new(false);
    let registry = world.open();
    let good = built(&world, &registry, "good/a 1.0.0");
    let copy = Draft { id: "evil/a 1.0.0".parse().unwrap(), ..good.clone() };
    world.submit(vec![publish(&good), publish(&copy)]).unwrap();
    world.submit(vec![withdraw(WithdrawalVerb::Quarantine, "evil/a 1.0.0")]).unwrap();
    assert!(paths(std::slice::from_ref(&good)).iter().all(|path| is_served(&world, path)));
    let again = Draft { id: "good/a 1.0.1".parse().unwrap(), ..good };
    world.submit(vec![publish(&again)]).unwrap();
    is_sound(&world);
}
