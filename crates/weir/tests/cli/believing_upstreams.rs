//! What is believed of a registry above, by a machine that knows it and by one that does not: the log below says what it was.

use weir_testkit::Sandbox;

/// A registry `public`, and `team` below it, which mirrors it and is the default one. Two releases of `lib/str` have come down; a copy of
/// `public` with the first alone is in `old`.
fn mirrored() -> Sandbox {
    let t = crate::empty();
    t.weir_in("", "registry init public --name public").succeeds();
    t.registry("team");
    publish(&t, "lib/str", "1.0.0");
    t.weir_in("", "registry upstream add public --mode mirror").succeeds();
    t.weir_in("", "registry upstream follow").succeeds();
    copy(&t, "public", "old");
    publish(&t, "lib/str", "1.1.0");
    t.weir_in("", "registry upstream follow").succeeds();
    t
}

fn publish(t: &Sandbox, name: &str, version: &str) {
    let folder = t.package(name, version).write();
    t.weir_in("", &format!("publish {folder} --registry ./public")).succeeds();
}

fn copy(t: &Sandbox, from: &str, to: &str) {
    let status = std::process::Command::new("cp").arg("-a").args([t.path(from), t.path(to)]).status();
    assert!(status.expect("`cp` is there").success());
}

/// Puts the registry in `other` in the place of `public`.
fn put_in_place(t: &Sandbox, other: &str) {
    fs_err::rename(t.path("public"), t.path(format!("public-before-{other}"))).expect("it is there");
    fs_err::rename(t.path(other), t.path("public")).expect("it is there");
}

/// Forgets all that this machine saw of registries: what it knows then is what a machine knows that never met them.
fn forget(t: &Sandbox) {
    for known in ["replicas", "trust"] {
        fs_err::remove_dir_all(t.path(format!("home/weir/{known}"))).expect("it is there");
    }
}

#[test]
fn a_registry_that_went_back_is_not_believed_by_whoever_meets_it_first() {
    let t = mirrored();
    let size = || t.read("team/checkpoint").lines().nth(1).unwrap().to_owned();
    let before = size();
    put_in_place(&t, "old");
    forget(&t);
    let refused = t.weir_in("", "registry upstream follow").fails_with(6);
    assert!(
        refused.stderr.contains("is not the registry that `team` has admitted releases from"),
        "{refused}"
    );
    assert!(refused.stderr.contains("had 4 records, and this one has 3"), "{refused}");
    let shown = t.weir_in("", "registry upstream show public").succeeds();
    assert!(shown.stdout.contains("is not the registry that `team` has admitted"), "{shown}");
    assert_eq!(size(), before, "nothing was written");
    // With what was lost it is that registry again.
    put_in_place(&t, "public-before-old");
    t.weir_in("", "registry upstream follow").succeeds();
}

#[test]
fn a_registry_that_was_rewritten_is_not_believed_by_whoever_meets_it_first() {
    let t = mirrored();
    put_in_place(&t, "old");
    // Whoever has its key goes on from an old copy, past where it had been.
    forget(&t);
    for version in ["1.1.1", "1.1.2", "1.1.3"] {
        publish(&t, "lib/str", version);
    }
    let refused = t.weir_in("", "registry upstream follow").fails_with(6);
    assert!(refused.stderr.contains("had 4 records, and the first of this one are others"), "{refused}");
    t.project(&["lib/str = ^1"]);
    let run = t.weir("lock").succeeds();
    assert!(run.stderr.contains("is not the registry that `team` has admitted"), "{run}");
    assert!(t.read("app/weir.lock").contains("\"1.1.0\""), "what had come down before");
    t.weir_in("", "registry verify").succeeds();
}

#[test]
fn what_a_file_carries_must_be_what_was_admitted_before() {
    let t = mirrored();
    t.weir_in("", "registry export first.weir --registry ./public").succeeds();
    t.weir_in("", "registry import first.weir").succeeds();
    put_in_place(&t, "old");
    forget(&t);
    for version in ["1.1.1", "1.1.2", "1.1.3"] {
        publish(&t, "lib/str", version);
    }
    t.weir_in("", "registry export other.weir --registry ./public").succeeds();
    forget(&t);
    fs_err::remove_dir_all(t.path("team/.imported")).unwrap();
    let refused = t.weir_in("", "registry import other.weir").fails_with(6);
    assert!(
        refused.stderr.contains("is not the registry that `team` has admitted releases from"),
        "{refused}"
    );
}

#[test]
fn the_log_names_the_key_that_its_upstream_has_by_now() {
    let t = mirrored();
    let key = || t.weir_in("", "registry upstream show public --json").succeeds().stdout;
    let before = key();
    copy(&t, "home/weir/keys", "stolen");
    t.weir_in("", "registry rotate-key public --yes").succeeds();
    publish(&t, "lib/str", "1.2.0");
    t.weir_in("", "registry upstream follow").succeeds();
    let named = |shown: String| {
        let shown: serde_json::Value = serde_json::from_str(&shown).expect("it is JSON");
        shown["upstream"]["key"].as_str().expect("it has one").to_owned()
    };
    assert_ne!(named(key()), named(before));
    // A machine that never met it believes the new key, and goes on.
    forget(&t);
    publish(&t, "lib/str", "1.3.0");
    let followed = t.weir_in("", "registry upstream follow").succeeds();
    assert!(followed.stdout.contains("admitted 1 release"), "{followed}");
    t.weir_in("", "registry verify").succeeds();
}

#[test]
fn another_registry_takes_the_place_of_one_of_its_name_when_its_key_is_named() {
    let t = mirrored();
    t.weir_with("", "registry init other --name public", &[("WEIR_HOME", "elsewhere")]).succeeds();
    let folder = t.package("lib/term", "1.0.0").write();
    t.weir_with("", &format!("publish {folder} --registry ./other"), &[("WEIR_HOME", "elsewhere")])
        .succeeds();
    let refused = t.weir_in("", "registry upstream add other --mode mirror").fails_with(8);
    let key =
        refused.stderr.split("`--key ").nth(1).and_then(|rest| rest.split('`').next()).unwrap().to_owned();
    t.weir_in("", &format!("registry upstream add other --mode mirror --key {key}")).succeeds();
    let followed = t.weir_in("", "registry upstream follow").succeeds();
    assert!(followed.stdout.contains("admitted 1 release"), "{followed}");
    t.weir_in("", "registry verify").succeeds();
    // From here on that is what it is: the one before is not believed.
    let text = t.read("team/upstreams.json").replace("/other\"", "/public\"");
    t.write("team/upstreams.json", text);
    t.weir_in("", "registry upstream follow").fails_with(6);
}

#[test]
fn an_audit_that_could_not_ask_above_does_not_say_that_all_is_well() {
    let t = mirrored();
    t.project(&["lib/str = ^1"]);
    t.weir("install").succeeds();
    let well = t.weir("audit").succeeds();
    assert!(well.stdout.contains("✓ Audited 1 release"), "{well}");
    t.weir_in("", "quarantine lib/str@1.1.0 --reason stolen --registry ./public").succeeds();
    fs_err::rename(t.path("public"), t.path("away")).unwrap();
    let run = t.weir("audit").fails_with(1);
    assert!(!run.stdout.contains('✓') && run.stdout.contains("`team` could not ask above"), "{run}");
    let json = t.weir("audit --json").fails_with(1).stdout;
    assert!(json.contains("\"unreached\""), "{json}");
    // What is shown in its place is not believed, and that is worse.
    fs_err::rename(t.path("old"), t.path("public")).unwrap();
    let run = t.weir("audit").fails_with(6);
    assert!(run.stdout.contains("`team` does not believe what is above"), "{run}");
}

#[test]
fn one_registry_above_that_is_gone_keeps_no_quarantine_of_another_away() {
    let t = crate::empty();
    t.registry("team");
    for above in ["one", "two"] {
        t.weir_in("", &format!("registry init {above} --name {above}")).succeeds();
        let folder = t.package(&format!("{above}/x"), "1.0.0").write();
        t.weir_in("", &format!("publish {folder} --registry ./{above}")).succeeds();
        t.weir_in("", &format!("registry upstream add {above} --mode mirror")).succeeds();
    }
    t.weir_in("", "registry upstream follow").succeeds();
    t.project(&["one/x = *", "two/x = *"]);
    t.weir("install").succeeds();
    for (gone, left) in [("one", "two"), ("two", "one")] {
        t.weir_in("", &format!("quarantine {left}/x@1.0.0 --reason stolen --registry ./{left}")).succeeds();
        fs_err::rename(t.path(gone), t.path("away")).unwrap();
        t.weir_in("", "registry upstream follow").fails_with(5);
        let told = t.weir_in("", &format!("info {left}/x@1.0.0")).succeeds();
        assert!(told.stdout.contains("stolen"), "{told}");
        fs_err::rename(t.path("away"), t.path(gone)).unwrap();
    }
}

#[test]
fn content_that_is_lost_above_keeps_no_other_away() {
    let t = mirrored();
    let packs = |registry: &str| {
        let found = std::process::Command::new("find")
            .arg(t.path(format!("{registry}/pack")))
            .args(["-type", "f"])
            .output();
        String::from_utf8(found.unwrap().stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut there = packs("public");
    there.sort();
    fs_err::remove_file(&there[0]).unwrap();
    let run = t.weir_in("", "registry upstream follow --content");
    assert_ne!(run.code, 0, "{run}");
    assert!(run.stderr.contains("of `lib/str 1."), "which release it is of: {run}");
    assert_eq!(packs("team").len(), 1, "the other came");
}

#[test]
fn one_registry_above_that_is_gone_keeps_no_release_of_another_away() {
    let t = crate::empty();
    t.registry("team");
    let publish = |above: &str, version: &str| {
        let folder = t.package(&format!("{above}/x"), version).write();
        t.weir_in("", &format!("publish {folder} --registry ./{above}")).succeeds();
    };
    for above in ["one", "two"] {
        t.weir_in("", &format!("registry init {above} --name {above}")).succeeds();
        publish(above, "1.0.0");
        t.weir_in("", &format!("registry upstream add {above}")).succeeds();
    }
    t.project(&["one/x = *", "two/x = *"]);
    t.weir("install").succeeds();
    for (gone, left, version) in [("one", "two", "1.1.0"), ("two", "one", "1.2.0")] {
        publish(left, version);
        fs_err::rename(t.path(gone), t.path("away")).unwrap();
        let run = t.weir("update").succeeds();
        assert!(run.stderr.contains("`team` could not ask above"), "{run}");
        assert!(t.read("app/weir.lock").contains(&format!("\"{version}\"")), "{run}");
        // What that one has in no version that would do is not told to be nowhere.
        let missing = t.weir(&format!("add {gone}/x@^2"));
        assert_ne!(missing.code, 0, "{missing}");
        assert!(
            missing.stderr.contains("could not ask above") || missing.stderr.contains("there is no log"),
            "{missing}"
        );
        fs_err::rename(t.path("away"), t.path(gone)).unwrap();
    }
}
