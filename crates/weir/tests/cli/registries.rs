//! registry init, list, add, remove, show, verify, renew, rotate-key.

use insta::assert_snapshot;

use crate::{empty, greeting};

#[test]
fn a_registry_is_made_in_a_folder_and_named() {
    let t = empty();
    assert_snapshot!(t.weir_in("", "registry init srv --name org"), @r"
    $ weir registry init srv --name org
    Made the registry `org` in `[ROOT]/srv`
    Its key is in `[ROOT]/home/weir/keys/org-[SHORT].key`: who has it can publish; keep a copy
    To use it: `weir registry add org [ROOT]/srv --default`
    ");
    assert_snapshot!(t.weir_in("", "registry init srv --name org"), @r"
    $ weir registry init srv --name org
    -- stderr
      × there is a registry in `[ROOT]/srv` already
    -- exit code 8
    ");
    assert_snapshot!(t.weir_in("", "registry add org srv --default --user"), @r"
    $ weir registry add org srv --default --user
    `org` is `[ROOT]/srv` now, in `[ROOT]/home/weir/config.toml`
    ");
    assert_snapshot!(t.weir_in("", "registry list"), @r"
    $ weir registry list
    org  [ROOT]/srv  default  [ROOT]/home/weir/config.toml
    ");
    assert_snapshot!(t.weir_in("", "registry remove org"), @r"
    $ weir registry remove org
    `org` is no longer known, nor what was known of `[ROOT]/srv`
    ");
    assert_snapshot!(t.weir_in("", "registry list"), @r"
    $ weir registry list
    No registry is known: `weir registry add NAME FOLDER-OR-ADDRESS`
    ");
}

#[test]
fn a_project_names_its_own_registries() {
    let t = greeting();
    assert_snapshot!(t.weir("registry add near ../org"), @r"
    $ weir registry add near ../org
    `near` is `[ROOT]/org` now, in `weir.toml`
    ");
    assert_snapshot!(t.read("app/weir.toml"), @r#"
    [dependencies]

    [registries]
    near = "../org"
    "#);
    assert_snapshot!(t.weir("registry ls --json"), @r#"
    $ weir registry ls --json
    {
      "registries": [
        {
          "name": "org",
          "location": "[ROOT]/org",
          "default": true,
          "from": "[ROOT]/home/weir/config.toml"
        },
        {
          "name": "near",
          "location": "[ROOT]/org",
          "default": false,
          "from": "weir.toml"
        }
      ]
    }
    "#);
}

#[test]
fn a_registry_shows_what_it_is() {
    let t = greeting();
    assert_snapshot!(t.weir("registry show"), @"
    $ weir registry show
    org
    at        [ROOT]/org
    records   5
    packages  3
    releases  3 offered
    content   860 B
    closed    no
    kinds     all
    policy    folder
    signed    [TIME]
    keys      org+[KEY]
    writable  yes
    ");
    assert_eq!(t.weir("registry show ../org").code, 0);
    assert_snapshot!(t.weir("registry show ogr"), @r"
    $ weir registry show ogr
    -- stderr
      × no registry is named `ogr`
      help: did you mean `org`?
    -- exit code 5
    ");
}

#[test]
fn a_registry_takes_only_the_kinds_it_was_made_for() {
    let t = empty();
    assert_snapshot!(t.weir_in("", "registry init sets --kind dta"), @"
    $ weir registry init sets --kind dta
    -- stderr
      × `dta` is no value of `--kind <KIND>`; there are: generic, bash, data, native, elm
      help: did you mean `data`?
    -- exit code 2
    ");
    t.weir_in("", "registry init sets --kind data --kind bash --default").succeeds();
    let run = t.weir_in("", "registry show --json").succeeds();
    let shown: serde_json::Value = serde_json::from_str(&run.stdout).expect("it is JSON");
    assert_eq!(shown["descriptor"]["kinds"], serde_json::json!(["data", "bash"]));

    let set = t.package("acme/set", "1.0.0").kind("data").file("set.txt", "1\n").write();
    let tool = t.package("acme/tool", "1.0.0").write();
    assert_snapshot!(t.weir_in("", &format!("publish {set} {tool}")), @r"
    $ weir publish packages/acme-set-1.0.0 packages/acme-tool-1.0.0
    -- stderr
      × `acme/tool 1.0.0` is of the kind `generic`, and the registry `sets` takes only `data`, `bash`
      help: publish it in another registry: `--registry REGISTRY`; `weir registry show` tells which kinds one takes
    -- exit code 4
    ");
    assert_snapshot!(t.weir_in("", &format!("publish {tool} --dry-run")), @r"
    $ weir publish packages/acme-tool-1.0.0 --dry-run
    -- stderr
      × `acme/tool 1.0.0` is of the kind `generic`, and the registry `sets` takes only `data`, `bash`
      help: publish it in another registry: `--registry REGISTRY`; `weir registry show` tells which kinds one takes
    -- exit code 4
    ");
    t.weir_in("", "info acme/set").fails_with(5);
    t.weir_in("", &format!("publish {set}")).succeeds();
}

#[test]
fn everything_a_registry_claims_is_recomputed() {
    let t = greeting();
    assert_snapshot!(t.weir("registry verify"), @"
    $ weir registry verify
    ✓ Verified 5 records, 3 releases, 3 objects of content (860 B)
    root [HASH]
    ");
}

#[test]
fn what_a_registry_need_not_hold_is_removed() {
    let t = greeting();
    t.weir("unpublish acme/greet@1.0.0 --reason 'nobody greets any more'").succeeds();
    let unnamed = format!("org/pack/aa/{}.zst", "a".repeat(64));
    t.write(&unnamed, "a pack whose publication was interrupted");
    t.write("org/.tmp/.tmpHalf", "half a pack");
    // What is young may belong to a publication that is under way.
    assert_snapshot!(t.weir("registry gc"), @"
    $ weir registry gc
    Freed 0 B
    Removed releases still have 1 object (337 B): `--removed-for DAYS` takes those too
    ");
    for path in [&*unnamed, "org/.tmp/.tmpHalf"] {
        let file = fs_err::OpenOptions::new().append(true).open(t.path(path)).expect("it was written");
        file.file().set_modified(std::time::SystemTime::UNIX_EPOCH).expect("it is ours");
    }
    assert_snapshot!(t.weir("registry verify"), @"
    $ weir registry verify
    ✓ Verified 6 records, 2 releases, 2 objects of content (523 B)
    root [HASH]
    Removed releases still have 1 object: `weir registry gc --removed-for DAYS`
    Interrupted publications left 2 objects, harmless: `weir registry gc`
    ");
    assert_snapshot!(t.weir("registry gc --dry-run"), @"
    $ weir registry gc --dry-run
    Would remove the pack of the tree blake3:[DIGEST] (40 B): named by no release
    Would remove the unfinished `.tmp/.tmpHalf` (11 B): its writer was stopped
    Would free 51 B
    Removed releases still have 1 object (337 B): `--removed-for DAYS` takes those too
    ");
    assert_snapshot!(t.weir("registry gc"), @"
    $ weir registry gc
    Removed the pack of the tree blake3:[DIGEST] (40 B): named by no release
    Removed the unfinished `.tmp/.tmpHalf` (11 B): its writer was stopped
    Freed 51 B
    Removed releases still have 1 object (337 B): `--removed-for DAYS` takes those too
    ");
    assert_snapshot!(t.weir("registry gc --removed-for 0 --json"), @r#"
    $ weir registry gc --removed-for 0 --json
    {
      "dry-run": false,
      "objects": [
        {
          "what": "the pack of the tree blake3:[DIGEST]",
          "why": "removed",
          "bytes": 337
        }
      ],
      "bytes": 337,
      "put-right": [],
      "kept": 0,
      "kept-bytes": 0
    }
    "#);
    assert_snapshot!(t.weir("registry verify"), @"
    $ weir registry verify
    ✓ Verified 6 records, 2 releases, 2 objects of content (523 B)
    root [HASH]
    ");
}

#[test]
fn a_log_is_signed_anew_and_its_key_replaced() {
    let t = greeting();
    t.weir("search acme").succeeds();
    let shown = t.weir("registry show --json").succeeds().stdout;
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("it is JSON");
    let before = shown["pinned"][0].clone();
    assert_snapshot!(t.weir("registry renew"), @r"
    $ weir registry renew
    Signed anew
    ");
    assert_snapshot!(t.weir("registry rotate-key --yes"), @r"
    $ weir registry rotate-key --yes
    The registry `org` has a new key, and the old one vouches for it
      org+[KEY]
    ");
    // Both keys sign for a while; what is shown is the new one, to whoever looks first.
    let shown = t.weir("registry show --json").succeeds().stdout;
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("it is JSON");
    assert_eq!(shown["pinned"], shown["descriptor"]["keys"]);
    assert!(!shown["pinned"].as_array().expect("it is a list").contains(&before), "{shown}");
    t.weir("search acme").succeeds();
    t.weir("registry verify").succeeds();
}

#[test]
fn a_registry_is_named_for_one_command() {
    let t = greeting();
    t.weir_in("", "registry remove org").succeeds();
    t.project(&["acme/str = ^1"]);
    assert_snapshot!(t.weir("install --registry ../org"), @"
    $ weir install --registry ../org
    Installed 1 package, 1 fetched (267 B)
     +  acme/str  1.0.0
    ");
    assert_snapshot!(t.weir_with("app", "search trimmed", &[("WEIR_REGISTRY", "../org")]), @r"
    $ weir search trimmed
    acme/str  1.0.0  generic  Strings, trimmed
    ");
    t.package("acme/str", "1.0.1").write();
    assert_snapshot!(t.weir_in("", "publish packages/acme-str-1.0.1 --registry org"), @r"
    $ weir publish packages/acme-str-1.0.1 --registry org
    -- stderr
      × no registry is named `org`
      help: `weir registry list` shows those that are known
    -- exit code 5
    ");
    assert_snapshot!(t.weir_in("", "publish packages/acme-str-1.0.1 --registry ./org"), @"
    $ weir publish packages/acme-str-1.0.1 --registry ./org
    Published `acme/str 1.0.1`
           15 B  content.txt
          133 B  weir.toml
      2 files, 148 B
    ");
}

#[test]
fn what_replaces_a_key_or_a_name_is_asked_and_says_what_it_would_do() {
    let t = greeting();
    let before = t.weir("registry show").succeeds().stdout;
    for (command, says) in [
        ("registry rotate-key", "The registry `org` in"),
        ("registry init ../other --name org", "`org` is the registry"),
        ("registry add org ../other --user", "`org` is the registry"),
    ] {
        let run = t.weir(command).fails_with(8);
        assert!(run.stderr.contains(says) && run.stderr.contains("--yes"), "{run}");
    }
    assert_eq!(t.weir("registry show").succeeds().stdout, before);
    t.weir("registry init ../other --name org --yes").succeeds();
    // The other registry of that name has a key of its own.
    t.weir("registry renew ../org").succeeds();
    t.weir("registry renew ../other").succeeds();
}

#[test]
fn a_copy_of_a_registry_is_not_signed_until_it_is_said_that_it_was_moved() {
    let t = greeting();
    let copied = std::process::Command::new("cp").arg("-r").arg(t.path("org")).arg(t.path("copy")).status();
    assert!(copied.expect("cp runs").success());
    let run = t.weir("registry renew ../copy");
    assert!(run.code != 0 && run.stderr.contains("weir registry bind"), "{run}");
    let run = t.weir("registry bind ../copy").fails_with(8);
    assert!(run.stderr.contains("/org`") && run.stderr.contains("/copy`"), "{run}");
    t.weir("registry bind ../copy --yes").succeeds();
    t.weir("registry renew ../copy").succeeds();
    assert_ne!(t.weir("registry renew ../org").code, 0);
}

#[test]
fn registries_that_are_added_at_once_are_all_there() {
    let t = empty();
    t.registry("org");
    let names = ["a", "b", "c", "d", "e", "f"];
    std::thread::scope(|scope| {
        for name in names {
            let t = &t;
            scope.spawn(move || t.weir_in("", &format!("registry add --user {name} org")).succeeds());
        }
    });
    let listed = t.weir_in("", "registry list").stdout;
    for name in names {
        assert!(
            listed.lines().any(|line| line.split_whitespace().any(|word| word == name)),
            "{name}: {listed}"
        );
    }
}

#[test]
fn of_those_who_make_one_registry_at_once_one_has_made_it() {
    let t = empty();
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let started: Vec<_> =
            (0..4).map(|_| scope.spawn(|| t.weir_in("", "registry init org --name org").code)).collect();
        started.into_iter().map(|one| one.join().expect("it ends")).collect()
    });
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == 8).count(), 3, "{codes:?}");
    t.weir_in("", "registry verify ./org").succeeds();
}

/// Of two registries that a project names, neither goes before the other, whatever they are called: who publishes into the one cannot take the place of
/// what belongs to the other.
#[test]
fn of_two_registries_none_goes_before_the_other_by_its_name() {
    let t = crate::empty();
    for registry in ["team", "evil"] {
        t.weir_in("", &format!("registry init {registry} --name {registry}")).succeeds();
    }
    t.weir_in("", "claim own user:ann --registry ./team").succeeds();
    let folder = t.package("own/tool", "9.9.9").write();
    t.weir_in("", &format!("publish {folder} --registry ./evil")).succeeds();
    let manifest = |registries: &str| {
        t.write(
            "app/weir.toml",
            format!("[registries]\n{registries}\n[dependencies]\n\"own/tool\" = \"*\"\n"),
        );
    };
    manifest("evil = '../evil'\nteam = '../team'");
    let refused = t.weir("install").fails_with(1);
    assert!(refused.stderr.contains("`own/tool` may be that of `evil` or that of `team`"), "{refused}");
    // The one that is the default goes before, and nothing of that owner comes from elsewhere.
    manifest("evil = '../evil'\nteam = { url = '../team', default = true }");
    let missing = t.weir("install").fails_with(5);
    assert!(
        missing.stderr.contains("`own` belongs to `team`, so `own/tool` of `evil` is not taken"),
        "{missing}"
    );
    assert!(!missing.stderr.contains("did you mean"), "{missing}");
    // What is added from another registry is that alone.
    let folder = t.package("other/x", "1.0.0").write();
    t.weir_in("", &format!("publish {folder} --registry ./evil")).succeeds();
    t.weir("add other/x --registry evil").fails_with(5);
    // Also where the user said so, and the project names the same registry.
    t.weir_in("", "registry add team team --default --user").succeeds();
    manifest("evil = '../evil'\nteam = '../team'");
    t.weir("install").fails_with(5);
    let folder = t.package("own/tool", "0.1.0").write();
    t.weir_in("", &format!("publish {folder} --registry ./team")).succeeds();
    t.weir("install").succeeds();
    assert!(t.read("app/weir.lock").contains("\"0.1.0\""), "whatever the other offers");
}
