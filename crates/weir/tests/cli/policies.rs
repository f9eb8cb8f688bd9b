//! Policies: a registry's own rules, who changes them, and what refusals say.

use insta::assert_snapshot;

use crate::{empty, greeting};

const RULES: &str = r#"
@id("everybody")
permit (principal, action, resource);

@id("no-tests")
@reason("what is only for trying things out belongs elsewhere")
forbid (principal, action == Action::"publish", resource)
when { resource.name like "*/test-*" };
"#;

#[test]
fn a_registry_without_rules_of_its_own_goes_by_those_of_folders() {
    let t = greeting();
    assert_snapshot!(t.weir_in("", "policy show"), @"
    $ weir policy show
    org
    set     folder: 3 rules
    digest  none of its own: what every folder goes by
    permit  folder-read   folder.cedar:4   whoever can read the folder may read the registry
    permit  owner-claim   folder.cedar:8   the owner belongs to them
    permit  folder-write  folder.cedar:19  whoever can write the folder and has its key may change the registry
    ");
    assert_snapshot!(t.weir_in("", "policy explain yank acme/str@1.0.0 --as user:eve"), @r#"
    $ weir policy explain yank acme/str@1.0.0 --as user:eve
    No: `user:eve` may not `yank` `acme/str 1.0.0`
    no rule permits it; the nearest asks for `resource.holders.containsAny(principal.names)`, which does not hold (policy `owner-claim`)
    The owner belongs to user:ann
    owner-claim folder.cedar:8 the owner belongs to them
      ✗ resource.holders.containsAny(principal.names)
          principal.names = ["user:eve"]
          resource.holders = ["user:ann"]
    folder-write folder.cedar:19 whoever can write the folder and has its key may change the registry
      ✗ !((resource has claimed) && resource.claimed)
          resource.claimed = true
    What would permit it, the nearest first; ✗ does not hold
    "#);
}

#[test]
fn a_set_of_the_program_is_put_in_force_and_refuses_with_its_rules_name_and_what_is_missing() {
    let t = greeting();
    assert_snapshot!(t.weir_in("", "policy set --built-in team --with size --dry-run"), @r"
    $ weir policy set --built-in team --with size --dry-run
    Would be in force in `org`: size, team: 4 rules
    sha256:[DIGEST] (`groups.toml`, `size.cedar`, `team.cedar`)
    ");
    assert!(!t.path("org/policy").exists());
    assert_snapshot!(t.weir_in("", "policy set --built-in team --with size"), @r"
    $ weir policy set --built-in team --with size
    In force in `org`: size, team: 4 rules
    sha256:[DIGEST] (`groups.toml`, `size.cedar`, `team.cedar`)
    ");
    assert_snapshot!(t.read("org/policy/groups.toml"), @r#"
    # Who is in which group, by this set's own word.
    admins = ["ann"]
    "#);
    assert_snapshot!(t.weir_in("", "policy show"), @"
    $ weir policy show
    org
    set     size, team: 4 rules
    digest  sha256:[DIGEST]
    set by  user:ann
    since   [TIME]
    files   groups.toml, size.cedar, team.cedar
    forbid  size-limit    size.cedar:3   it is larger than the registry takes
    permit  team-members  team.cedar:4   members of the team may read and publish, and have releases admitted from above
    permit  team-admins   team.cedar:15  administrators keep the registry
    forbid  owner-claim   team.cedar:26  the owner belongs to others
    group admins: ann
    ");
    assert_snapshot!(t.weir_in("", "registry verify"), @r"
    $ weir registry verify
    ✓ Verified 6 records, 3 releases, 3 objects of content (860 B)
    root [HASH]
    ");
    let folder = t.package("acme/other", "1.0.0").write();
    let publish = format!("publish {folder}");
    assert_snapshot!(t.weir_with("", &publish, &[("USER", "eve")]), @r#"
    $ weir publish packages/acme-other-1.0.0
    -- stderr
      × `user:eve` may not read the registry: no rule permits it; the nearest asks for `(principal in Group::"team") || (principal in Group::"admins")`, which does not hold (policy `team-members`)
      help: `weir policy explain` says what would have to be otherwise
    -- exit code 4
    "#);
    assert_snapshot!(t.weir_in("", "yank acme/str@1.0.0"), @r"
    $ weir yank acme/str@1.0.0
    Yanked `acme/str 1.0.0`
    ");
    assert_snapshot!(t.weir_with("", "policy set --built-in open", &[("USER", "eve")]), @r#"
    $ weir policy set --built-in open
    -- stderr
      × `user:eve` could not change the policies again: no rule permits it; the nearest asks for `principal in Group::"admins"`, which does not hold (policy `open-admins`)
      help: permit yourself `govern`, perhaps by a group in `groups.toml`; or `--lock-out`, if that is what you want
    -- exit code 4
    "#);
    assert_snapshot!(t.weir_with("", "policy set --built-in open --lock-out", &[("USER", "eve")]), @r#"
    $ weir policy set --built-in open --lock-out
    -- stderr
      × `user:eve` may not change the policies of the registry: no rule permits it; the nearest asks for `principal in Group::"admins"`, which does not hold (policy `team-admins`)
      help: `weir policy explain` says what would have to be otherwise
    -- exit code 4
    "#);
    t.weir_in("", "unpublish acme/greet@1.0.0").succeeds();
}

#[test]
fn an_explanation_names_the_nearest_rules_and_what_of_them_does_not_hold() {
    let t = greeting();
    t.weir_in("", "policy set --built-in curated --with licenses").succeeds();
    assert_snapshot!(t.weir_in("", "policy explain publish acme/new@1.0.0 --as user:bob"), @r#"
    $ weir policy explain publish acme/new@1.0.0 --as user:bob
    No: `user:bob` may not `publish` `acme/new 1.0.0`
    what is published here says under which licence (policy `curated-license`)
    The owner belongs to user:ann
    forbid  curated-license  curated.cedar:27  what is published here says under which licence
    forbid  license-list     licenses.cedar:3  its licence is not on the registry's list
    curated-curators curated.cedar:8 curators decide what comes in and what leaves
      ✗ principal in Group::"curators"
    What would permit it, the nearest first; ✗ does not hold
    "#);
    let bob = "policy explain publish acme/new@1.0.0 --as user:bob --group curators";
    assert_snapshot!(t.weir_in("", &format!("{bob} --license GPL-3.0-only")), @r"
    $ weir policy explain publish acme/new@1.0.0 --as user:bob --group curators --license GPL-3.0-only
    No: `user:bob` may not `publish` `acme/new 1.0.0`
    its licence is not on the registry's list (policy `license-list`)
    The owner belongs to user:ann
    forbid  license-list  licenses.cedar:3  its licence is not on the registry's list
    ");
    assert_snapshot!(t.weir_in("", &format!("{bob} --license MIT --json")), @r#"
    $ weir policy explain publish acme/new@1.0.0 --as user:bob --group curators --license MIT --json
    {
      "who": "user:bob",
      "action": "publish",
      "target": "`acme/new 1.0.0`",
      "owner-belongs-to": [
        "user:ann"
      ],
      "answer": {
        "allowed": true,
        "rule": "curated-curators",
        "reason": "curators decide what comes in and what leaves",
        "deciding": [
          {
            "id": "curated-curators",
            "effect": "permit",
            "reason": "curators decide what comes in and what leaves",
            "file": "curated.cedar",
            "line": 8
          }
        ],
        "failed": [],
        "nearest": []
      }
    }
    "#);
    assert_snapshot!(t.weir_in("", "policy explain publish"), @r"
    $ weir policy explain publish
    -- stderr
      × `publish` is done to a release: name one, as `owner/name@1.0.0`
    -- exit code 2
    ");
    assert_snapshot!(t.weir_in("", "policy explain publish acme/new@1.0.0 --as bob"), @r"
    $ weir policy explain publish acme/new@1.0.0 --as bob
    -- stderr
      × `bob` is no value of `--as <WHO>`: `bob` is nobody: `anonymous`, `user:NAME` or `workload:SUBJECT`
    -- exit code 2
    ");
}

#[test]
fn files_with_mistakes_are_told_with_their_places_and_change_nothing() {
    let t = greeting();
    t.write("mine/rules.cedar", RULES.replace("resource.name", "resource.nam").replace("@reason", "@raeson"));
    t.write("mine/groups.toml", "team = 5\n");
    assert_snapshot!(t.weir_in("", "policy check mine"), @r"
    $ weir policy check mine
    ✗ rules.cedar:5:1: no annotation is called `@raeson` (did you mean `@reason`?)
    ✗ rules.cedar:8:8: attribute `nam` on entity type `Release` not found (did you mean `name`?)
    ✗ groups.toml:1:8: it is no list of groups: invalid type: integer `5`, expected a sequence
    -- exit code 1
    ");
    assert_snapshot!(t.weir_in("", "policy set mine"), @r"
    $ weir policy set mine
    -- stderr
      × there is no policy set in these files:
      │ rules.cedar:5:1: no annotation is called `@raeson` (did you mean `@reason`?)
      │ rules.cedar:8:8: attribute `nam` on entity type `Release` not found (did you mean `name`?)
      │ groups.toml:1:8: it is no list of groups: invalid type: integer `5`, expected a sequence
    -- exit code 1
    ");
    assert_snapshot!(t.weir_in("", "policy set"), @r"
    $ weir policy set
    -- stderr
      × no set is named
      help: name files, or `--built-in NAME`
    -- exit code 2
    ");
    assert!(!t.path("org/policy").exists());
}

#[test]
fn a_set_that_fails_its_cases_or_locks_out_who_sets_it_is_not_put_in_force() {
    let t = greeting();
    t.write("mine/rules.cedar", RULES);
    t.write(
        "mine/cases.toml",
        "[[case]]\nname = \"eve may not\"\nprincipal = \"user:eve\"\naction = \"govern\"\nexpect = \"forbid\"\n",
    );
    assert_snapshot!(t.weir_in("", "policy test mine"), @r"
    $ weir policy test mine
    ✗ eve may not (cases.toml)
        expected forbid, decided permit by everybody: a rule permits it
    0 passed, 1 failed
    -- exit code 1
    ");
    assert_snapshot!(t.weir_in("", "policy set mine"), @r#"
    $ weir policy set mine
    -- stderr
      × the set does not decide as its cases say:
      │ cases.toml: "eve may not": forbid is expected, not permit by everybody
    -- exit code 1
    "#);
    t.write("mine/cases.toml", "");
    t.write("mine/rules.cedar", "@id(\"read\") permit (principal, action == Action::\"read\", resource);\n");
    assert_snapshot!(t.weir_in("", "policy set mine"), @r"
    $ weir policy set mine
    -- stderr
      × `user:ann` could not change the policies again: no rule permits anybody to govern (policy `no-rule`)
      help: permit yourself `govern`, perhaps by a group in `groups.toml`; or `--lock-out`, if that is what you want
    -- exit code 4
    ");
    t.weir_in("", "policy set mine --lock-out").succeeds();
    t.weir_in("", "policy set --built-in open").fails_with(4);
    t.weir_in("", "yank acme/str@1.0.0").fails_with(4);
}

#[test]
fn files_that_were_changed_otherwise_decide_nothing() {
    let t = greeting();
    t.write("org/policy/rules.cedar", RULES);
    assert_snapshot!(t.weir_in("", "yank acme/str@1.0.0"), @r"
    $ weir yank acme/str@1.0.0
    -- stderr
      × nothing is changed here: no policy set is in force by the registry's log, and there is [SHORT] in its folder: its files were changed by other means than `weir policy set`
      help: look at the files in `policy`, then put them, or others, in force: `weir policy set FILE…`
    -- exit code 6
    ");
    t.weir_in("", "policy set org/policy").succeeds();
    t.weir_in("", "yank acme/str@1.0.0").succeeds();
    t.write("org/policy/rules.cedar", RULES.replace("test-", "tset-"));
    let folder = t.package("acme/test-x", "1.0.0").write();
    for change in
        ["unyank acme/str@1.0.0", "claim acme user:eve", "registry renew", &format!("publish {folder}")]
    {
        let run = t.weir_in("", change).fails_with(6);
        assert!(run.stderr.contains("weir policy set"), "{run}");
    }
    assert_snapshot!(t.weir_in("", "registry verify"), @r"
    $ weir registry verify
    ✗ the policy files are the set sha256:[DIGEST], but the log says sha256:[DIGEST], which counts
    Read 7 records, 3 releases, 3 objects of content (860 B)
    root [HASH]
    Interrupted publications left 1 object, harmless: `weir registry gc`
    -- exit code 6
    ");
    assert_snapshot!(t.weir_in("", "policy show"), @r"
    $ weir policy show
    org
    set     rules: 2 rules
    digest  sha256:[DIGEST]
    set by  user:ann
    since   [TIME]
    files   rules.cedar
    ✗ The files are not the set in force: nothing is changed here until `weir policy set`
    permit  everybody  rules.cedar:2
    forbid  no-tests   rules.cedar:5  what is only for trying things out belongs elsewhere
    -- exit code 6
    ");
    // Who reads is not kept from it, and what is no set at all is as little one.
    t.weir("add acme/greet").succeeds();
    t.write("org/policy/rules.cedar", [0xff]);
    t.weir_in("", "unyank acme/str@1.0.0").fails_with(4);
    t.write("org/policy/rules.cedar", RULES);
    assert_snapshot!(t.weir_in("", &format!("publish {folder}")), @r"
    $ weir publish packages/acme-test-x-1.0.0
    -- stderr
      × `user:ann` may not publish `acme/test-x 1.0.0`: what is only for trying things out belongs elsewhere (policy `no-tests`)
      help: `weir policy explain` says what would have to be otherwise
    -- exit code 4
    ");
}

#[test]
fn what_was_published_is_replayed_against_a_changed_set() {
    let t = greeting();
    assert_snapshot!(t.weir_in("", "policy simulate --built-in folder --with kinds --since 0"), @r"
    $ weir policy simulate --built-in folder --with kinds --since 0
    3 publications: 3 decided as now, 0 otherwise
    Not replayed: 0 releases from registries above or below, and what was held, withdrawn or approved
    ");
    t.write(
        "mine/rules.cedar",
        "@id(\"all\") permit (principal, action, resource);\n@id(\"no-data\") @reason(\"data goes elsewhere\")\n\
         forbid (principal, action, resource) when { resource has kind && resource.kind == \"data\" };\n",
    );
    assert_snapshot!(t.weir_in("", "policy simulate mine --since 2020-01-01"), @r"
    $ weir policy simulate mine --since [DAY]
    forbid `acme/names 2026.1.0` by user:ann, [TIME]: data goes elsewhere (policy `no-data`)
    3 publications: 2 decided as now, 1 otherwise
    Not replayed: 0 releases from registries above or below, and what was held, withdrawn or approved
    ");
    assert_snapshot!(t.weir_in("", "policy simulate mine --since 2999-01-01 --json"), @r#"
    $ weir policy simulate mine --since [DAY] --json
    {
      "registry": "org",
      "publications": 0,
      "not-replayed": 0,
      "same": 0,
      "different": 0,
      "differences": []
    }
    "#);
    assert_snapshot!(t.weir_in("", "policy simulate mine --since yesterday"), @r"
    $ weir policy simulate mine --since yesterday
    -- stderr
      × `yesterday` is no value of `--since <SIZE-OR-DATE>`: neither a number of records, nor a day such as `[DAY]`, nor a time such as `[TIME]`
    -- exit code 2
    ");
}

#[test]
fn what_is_read_from_elsewhere_shows_which_set_is_in_force() {
    let t = greeting();
    t.weir_in("", "policy set --built-in open").succeeds();
    let server = weir_testkit::StaticServer::serve(t.path("org")).unwrap();
    let shown = t.weir_in("", &format!("policy show {}", server.url())).succeeds();
    assert!(shown.stdout.contains("open: 6 rules") && shown.stdout.contains("user:ann"), "{shown}");
    let shown = t.weir_in("", &format!("registry show {}", server.url())).succeeds();
    assert!(shown.stdout.contains("open: 6 rules"), "{shown}");
    let run = t.weir_in("", &format!("policy test --registry {}", server.url())).fails_with(1);
    assert!(run.stderr.contains("cannot be seen from here"), "{run}");
}

#[test]
fn an_empty_set_or_a_link_is_no_set() {
    let t = empty();
    t.registry("org");
    t.write("mine/rules.cedar", "// nothing\n");
    t.weir_in("", "policy set mine").fails_with(1);
    std::os::unix::fs::symlink("/etc", t.path("org/policy")).unwrap();
    let run = t.weir_in("", "claim acme user:eve").fails_with(4);
    assert!(run.stderr.contains("is a link"), "{run}");
    t.weir_in("", "policy set --built-in open").fails_with(4);
}
