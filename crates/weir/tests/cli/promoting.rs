//! Bringing releases up into another registry.

use insta::assert_snapshot;
use weir_testkit::{Sandbox, WeirServer};

use crate::server_accounts::{code, post, user, variable};
use crate::{greeting, newer};

/// The registry `org` of [`greeting`], and an empty one, `public`.
fn tiers() -> Sandbox {
    let t = greeting();
    t.weir_in("", "registry init public --name public").succeeds();
    t.weir_in("", "registry add public public --user").succeeds();
    t
}

/// The key of the registry `org`.
fn key(t: &Sandbox) -> String {
    let shown = t.weir_in("", "registry show org --json").succeeds().stdout;
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("it is JSON");
    shown["pinned"][0].as_str().expect("it has one").to_owned()
}

/// What a registry says a release is made of.
fn identity(t: &Sandbox, release: &str, registry: &str) -> [String; 3] {
    let info = t.weir_in("", &format!("info {release} --registry {registry} --json")).succeeds().stdout;
    let info: serde_json::Value = serde_json::from_str(&info).expect("it is JSON");
    let release = &info["package"]["releases"][0]["release"];
    ["tree", "input_digest", "dependencies"].map(|field| release[field].to_string())
}

#[test]
fn a_release_goes_up_with_what_it_needs_and_is_the_same_there() {
    let t = tiers();
    assert_snapshot!(t.weir_in("", "promote acme/greet@1.0.0 --to public --dry-run"), @"
    $ weir promote acme/greet@1.0.0 --to public --dry-run
    Would promote `acme/str 1.0.0`: 267 B
      from `org`, its record 2, into `public`
    Would promote `acme/names 2026.1.0`: 256 B
      from `org`, its record 3, into `public`
    Would promote `acme/greet 1.0.0`: 337 B
      from `org`, its record 4, into `public`
    ");
    t.weir_in("", "info acme/greet --registry public").fails_with(5);
    assert_snapshot!(t.weir_in("", "promote acme/greet@1.0.0 --to public"), @"
    $ weir promote acme/greet@1.0.0 --to public
    Promoted `acme/str 1.0.0`: 267 B
      from `org`, its record 2, into `public`
    Promoted `acme/names 2026.1.0`: 256 B
      from `org`, its record 3, into `public`
    Promoted `acme/greet 1.0.0`: 337 B
      from `org`, its record 4, into `public`
    ");
    assert_snapshot!(t.weir_in("", "promote acme/greet@1.0.0 --to public"), @"
    $ weir promote acme/greet@1.0.0 --to public
    Already so: `acme/greet 1.0.0` in `public`
    ");
    for release in ["acme/greet", "acme/str", "acme/names"] {
        assert_eq!(identity(&t, release, "org"), identity(&t, release, "public"), "{release}");
    }
    let info = t.weir_in("", "info acme/greet --registry public --json").succeeds().stdout;
    let info: serde_json::Value = serde_json::from_str(&info).expect("it is JSON");
    let promoted = &info["package"]["releases"][0]["promoted"];
    assert_eq!(
        (promoted["registry"].as_str(), promoted["index"].is_u64()),
        (Some(&*key(&t)), true),
        "{info}"
    );
    assert_snapshot!(t.weir_in("", "registry verify public"), @"
    $ weir registry verify public
    ✓ Verified 5 records, 3 releases, 3 objects of content (860 B)
    root [HASH]
    ");
}

#[test]
fn no_lockfile_moves_when_a_release_comes_back_down() {
    let t = tiers();
    t.project(&["acme/greet = ^1"]);
    t.weir("install").succeeds();
    let before = t.read("app/weir.lock");
    t.weir_in("", "promote acme/greet@1.0.0 --to public").succeeds();
    t.weir("update").succeeds();
    assert_eq!(t.read("app/weir.lock"), before);
    // The same from above alone: what differs is where it is from.
    t.weir("update --registry public").succeeds();
    assert_eq!(t.read("app/weir.lock").replace("\"public\"", "\"org\""), before);
}

#[test]
fn the_first_registry_above_is_the_one_to_go_into() {
    let t = tiers();
    assert_snapshot!(t.weir_in("", "promote acme/str@1.0.0"), @"
    $ weir promote acme/str@1.0.0
    -- stderr
      × no registry is above `org`
      help: name the one that it is to go into: `--to REGISTRY`; or the one above, once and for all: `weir registry upstream add ADDRESS`
    -- exit code 2
    ");
    t.weir_in("", "registry upstream add public").succeeds();
    let run = t.weir_in("", "promote acme/str@1.0.0").succeeds();
    assert!(
        run.stdout.contains("Promoted `acme/str 1.0.0`") && run.stdout.contains("into `public`"),
        "{run}"
    );
}

#[test]
fn what_is_there_already_stays_and_what_was_fixed_stays_fixed() {
    let t = tiers();
    t.weir_in("", "promote acme/str@1.0.0 --to public").succeeds();
    newer(&t);
    t.weir_in("", "promote acme/str@1.1.0 --to public").succeeds();
    // A publication would take the newest of what it needs; a promotion is fixed to what it was.
    let run = t.weir_in("", "promote acme/greet@1.0.0 --to public --json").succeeds();
    let report: serde_json::Value = serde_json::from_str(&run.stdout).expect("it is JSON");
    assert_eq!(report["promotion"]["already"][0]["version"], "1.0.0");
    assert_eq!(report["promotion"]["receipt"]["outcomes"].as_array().map(Vec::len), Some(2), "{run}");
    assert!(identity(&t, "acme/greet@1.0.0", "public")[2].contains("\"version\":\"1.0.0\""), "{run}");
}

#[test]
fn a_release_that_is_above_with_other_content_is_a_conflict() {
    let t = tiers();
    let other = t.package("acme/str", "1.0.0").file("str.sh", "trim() { true; }\n").write();
    t.weir_in("", &format!("publish {other} --registry public")).succeeds();
    assert_snapshot!(t.weir_in("", "promote acme/greet@1.0.0 --to public"), @"
    $ weir promote acme/greet@1.0.0 --to public
    -- stderr
      × `acme/str 1.0.0` is in the registry `public` with other content, and a release never changes
      help: publish it under another version, and promote that
    -- exit code 8
    ");
    assert_snapshot!(t.weir_in("", "promote acme/greet@1.0.0 --to org"), @"
    $ weir promote acme/greet@1.0.0 --to org
    -- stderr
      × the registry `org` cannot be promoted into itself
      help: name the one that it is to go into: `--to REGISTRY`; `--registry` names the one it is in
    -- exit code 2
    ");
    t.weir_in("", "yank acme/str@1.0.0").succeeds();
    assert_snapshot!(t.weir_in("", "promote acme/str@1.0.0 --to public"), @"
    $ weir promote acme/str@1.0.0 --to public
    -- stderr
      × `acme/str 1.0.0` is yanked
      help: `weir unyank` takes a yank back; or publish a newer version
    -- exit code 4
    ");
    assert_snapshot!(t.weir_in("", "promote acme/str@7.0.0 --to public"), @"
    $ weir promote acme/str@7.0.0 --to public
    -- stderr
      × there is no version 7.0.0 of `acme/str` in the registry `org`
      help: there are: 1.0.0
    -- exit code 5
    ");
}

#[test]
fn both_registries_are_asked_by_their_own_rules() {
    let t = tiers();
    t.write(
        "rules/up.cedar",
        r#"@id("all") permit (principal, action, resource);
@id("stays") @reason("tools of ours stay here")
forbid (principal, action == Action::"promote", resource)
when { context.into == "public" && resource.name == "acme/str" };"#,
    );
    let rules = r#"@id("all") permit (principal, action, resource);
@id("from-below") @reason("nothing of that registry comes in")
forbid (principal, action == Action::"publish", resource)
when { context has promoted_from && context.promoted_from == "KEY" };"#;
    t.write("rules/down.cedar", rules.replace("KEY", &key(&t)));
    t.weir_in("", "policy set rules/down.cedar --registry public").succeeds();
    assert_snapshot!(t.weir_in("", "promote acme/str@1.0.0 --to public"), @"
    $ weir promote acme/str@1.0.0 --to public
    -- stderr
      × `user:ann` may not publish `acme/str 1.0.0`: nothing of that registry comes in (policy `from-below`)
      help: `weir policy explain` says what would have to be otherwise
    -- exit code 4
    ");
    let own = t.package("own/tool", "1.0.0").write();
    t.weir_in("", &format!("publish {own} --registry public")).succeeds();
    t.weir_in("", "policy set rules/up.cedar").succeeds();
    assert_snapshot!(t.weir_in("", "promote acme/greet@1.0.0 --to public --dry-run"), @"
    $ weir promote acme/greet@1.0.0 --to public --dry-run
    -- stderr
      × `user:ann` may not promote `acme/str 1.0.0`: tools of ours stay here (policy `stays`)
      help: `weir policy explain` says what would have to be otherwise
    -- exit code 4
    ");
}

#[test]
fn a_folder_that_wants_approvals_says_that_they_need_a_server() {
    let t = tiers();
    t.weir_in("", "policy set --built-in open --with two-approvals --registry public").succeeds();
    assert_snapshot!(t.weir_in("", "promote acme/str@1.0.0 --to public"), @"
    $ weir promote acme/str@1.0.0 --to public
    -- stderr
      × `acme/str 1.0.0` waits for approval: fewer than two others approved that it is promoted (policy `two-approvals`)
      help: in a folder nobody can approve anything: serve the registry, `weir serve`, and promote there
    -- exit code 4
    ");
    assert_snapshot!(t.weir_in("", "promote acme/str@1.0.0 --to public --dry-run"), @"
    $ weir promote acme/str@1.0.0 --to public --dry-run
    Would promote `acme/str 1.0.0`: 267 B
      from `org`, its record 2, into `public`
    It would wait: `acme/str 1.0.0` waits for approval: fewer than two others approved that it is promoted (policy `two-approvals`)
    ");
}

#[test]
fn what_was_cut_short_goes_on_and_external_files_go_along() {
    let t = tiers();
    t.write("set/words.bin", "one two\n");
    let manifest =
        "[package]\nname = \"acme/words\"\nversion = \"1.0.0\"\nkind = \"data\"\nlicense = \"MIT\"\n";
    t.write("set/weir.toml", format!("{manifest}\n[dependencies]\n\"acme/names\" = \"*\"\n"));
    t.weir_in("set", "add --reference words words.bin").succeeds();
    t.write("set/.weirignore", "words.bin\n");
    t.weir_in("set", "publish --with-references").succeeds();
    // The registry loses a pack: what comes before it has gone up by then.
    let packs = t.path("org/pack");
    let lost = identity(&t, "acme/words", "org")[0].trim_matches('"').replace("blake3:", "");
    let pack = packs.join(&lost[..2]).join(format!("{lost}.zst"));
    let bytes = fs_err::read(&pack).unwrap();
    fs_err::remove_file(&pack).unwrap();
    let run = t.weir_in("", "promote acme/words@1.0.0 --to public").fails_with(6);
    assert!(run.stderr.contains("has lost the pack"), "{run}");
    t.weir_in("", "info acme/names --registry public").fails_with(5);
    fs_err::write(&pack, bytes).unwrap();
    t.weir_in("", "promote acme/words@1.0.0 --to public").succeeds();
    t.weir_in("", "registry verify public").succeeds();
    assert!(t.path("public/file").is_dir(), "the external file went along");
}

#[test]
fn a_log_that_was_changed_proves_nothing() {
    let t = tiers();
    t.weir_in("", "info acme/str").succeeds();
    // Somebody changes a record in the files: who has followed the log knows it better.
    let tile = fs_err::read_dir(t.path("org/tile/entries/000.p")).unwrap().next().unwrap().unwrap().path();
    let bytes = fs_err::read(&tile).unwrap();
    let changed = String::from_utf8_lossy(&bytes).replace("Strings, trimmed", "Strings, Trimmed");
    assert_ne!(changed.as_bytes(), bytes.as_slice());
    fs_err::write(&tile, changed).unwrap();
    let run = t.weir_in("", "promote acme/str@1.0.0 --to public").fails_with(6);
    assert!(run.stderr.contains("is not proven by what its keys signed"), "{run}");
}

#[test]
fn releases_go_from_a_folder_to_a_server_and_from_there_to_another_registry() {
    let t = greeting();
    t.weir_in("", "registry add laptop org --user").succeeds();
    let server = WeirServer::with_team(&t, &[]);
    t.weir_in("", &format!("registry create public --policy open --server {}", server.url())).succeeds();
    t.weir_in("", &format!("registry add public {}/public --user", server.url())).succeeds();
    t.weir_in("", "promote acme/greet@1.0.0 --registry laptop --to team").succeeds();
    assert_snapshot!(t.weir_in("", "promote acme/greet@1.0.0 --registry team --to public"), @"
    $ weir promote acme/greet@1.0.0 --registry team --to public
    Promoted `acme/str 1.0.0`: 267 B
      from `team`, its record 2, into `public`
    Promoted `acme/names 2026.1.0`: 256 B
      from `team`, its record 3, into `public`
    Promoted `acme/greet 1.0.0`: 337 B
      from `team`, its record 4, into `public`
    ");
    for release in ["acme/greet", "acme/str", "acme/names"] {
        assert_eq!(identity(&t, release, "laptop"), identity(&t, release, "public"), "{release}");
    }
    let activity = t.weir_in("", "activity --about acme/greet").succeeds().stdout;
    for told in ["promoted", "promote"] {
        assert!(activity.contains(told), "{activity}");
    }
}

/// A folder `laptop` and a server with a registry `public` that wants two approvals; `ann` governs it.
pub(crate) fn with_approvals() -> (Sandbox, WeirServer) {
    let t = greeting();
    t.weir_in("", "registry add laptop org --user").succeeds();
    let server = WeirServer::with_team(&t, &[]);
    t.weir_in("", &format!("registry create public --policy open --server {}", server.url())).succeeds();
    t.weir_in("", &format!("registry add public {}/public --user", server.url())).succeeds();
    t.weir_in("", "policy set --built-in open --with two-approvals --registry public").succeeds();
    (t, server)
}

/// Asks for a promotion that waits; gives the name of the request.
pub(crate) fn asked(t: &Sandbox, release: &str) -> String {
    let run = t.weir_in("", &format!("promote {release} --registry laptop --to public --json")).succeeds();
    let report: serde_json::Value = serde_json::from_str(&run.stdout).expect("it is JSON");
    assert!(report["promotion"]["receipt"].is_null(), "{run}");
    report["promotion"]["request"]["id"].as_str().expect("it waits").to_owned()
}

#[test]
fn a_promotion_waits_until_two_others_have_approved_it() {
    let (t, server) = with_approvals();
    let host = variable(&server);
    let tokens = ["bob", "cat"].map(|name| user(&t, &server, name, "--group admins"));
    let eve = user(&t, &server, "eve", "");
    let by = |token: &str, typed: &str| t.weir_with("", typed, &[(&host, token)]);
    let dry = t.weir_in("", "promote acme/greet@1.0.0 --registry laptop --to public --dry-run").succeeds();
    assert!(dry.stdout.contains("It would wait"), "{dry}");
    assert!(t.weir_in("", "promote --list --to public").succeeds().stdout.contains("No promotion waits"));

    let request = asked(&t, "acme/greet@1.0.0");
    assert_eq!(asked(&t, "acme/greet@1.0.0"), request, "the same waits once");
    let list = by(&tokens[0], "promote --list --to public").succeeds().stdout;
    for told in
        [request.as_str(), "`acme/greet 1.0.0` and 2 more", "from org by user:ann", "nobody approved it yet"]
    {
        assert!(list.contains(told), "{told}: {list}");
    }
    let approve = format!("approve {request} --to public");
    let own = t.weir_in("", &approve).fails_with(4);
    assert!(own.stderr.contains("you asked for it yourself"), "{own}");
    // Who may neither approve nor asked is told nothing of it.
    assert!(!by(&eve, "promote --list --to public").succeeds().stdout.contains(&request));
    let none = by(&eve, &approve).fails_with(5).stderr;
    assert_eq!(
        none.replace(&request, "X"),
        by(&eve, "approve 01X --to public").fails_with(5).stderr.replace("01X", "X")
    );
    by(&eve, &format!("promote --withdraw {request} --to public")).fails_with(5);
    // A program is no person, whoever gave it a token.
    let made = by(&tokens[0], &format!("token create ci --server {} --json", server.url())).succeeds().stdout;
    let made: serde_json::Value = serde_json::from_str(&made).expect("it is JSON");
    let program = by(made["secret"].as_str().expect("there is one"), &approve).fails_with(4);
    assert!(program.stderr.contains("is for a program"), "{program}");

    let first = by(&tokens[0], &approve).succeeds().stdout;
    assert!(first.contains("It waits for others: approved by user:bob"), "{first}");
    let again = by(&tokens[0], &approve).succeeds().stdout;
    assert!(again.contains(&format!("You have approved {request} already")), "once is once: {again}");
    assert!(again.contains("It waits for others: approved by user:bob"), "{again}");
    t.weir_in("", "info acme/greet --registry public").fails_with(5);
    let last = by(&tokens[1], &approve).succeeds().stdout;
    assert!(last.contains("Promoted `acme/greet 1.0.0`"), "{last}");
    for release in ["acme/greet", "acme/str", "acme/names"] {
        assert_eq!(identity(&t, release, "laptop"), identity(&t, release, "public"), "{release}");
    }
    let info = t.weir_in("", "info acme/greet --registry public --json").succeeds().stdout;
    let info: serde_json::Value = serde_json::from_str(&info).expect("it is JSON");
    assert_eq!(info["package"]["releases"][0]["mark"]["by"], "user:ann", "{info}");
    by(&tokens[1], &approve).fails_with(5);
    let activity = t.weir_in("", "activity --csv").succeeds().stdout;
    for told in ["user:ann,", "promotion-requested", "promotion-approved", ",promoted,"] {
        assert!(activity.contains(told), "{told}: {activity}");
    }
    assert_eq!(
        activity.matches("promotion-requested").count(),
        1,
        "asked twice, it was asked for once: {activity}"
    );
    // All of it is found by the package that was promoted.
    let about = t.weir_in("", "activity --about acme/greet --csv").succeeds().stdout;
    for told in ["promotion-requested", "promotion-approved", ",promoted,"] {
        assert!(about.contains(told), "{told}: {about}");
    }
    assert_eq!(activity.matches(",promoted,").count(), 3, "{activity}");
    let approved =
        activity.lines().filter(|line| line.contains(",promotion-approved,") && line.contains(",true,"));
    assert_eq!(approved.count(), 2, "each said so once: {activity}");
}

/// Approvals help nobody who may not promote there anyway: then it is told who may, and not that approvals are missing.
#[test]
fn who_may_not_promote_is_told_who_may_and_not_to_wait_for_approvals() {
    let (t, server) = with_approvals();
    let host = variable(&server);
    let cat = user(&t, &server, "cat", "--group curators");
    t.weir_in("", "policy set --built-in curated --with two-approvals --registry public").succeeds();
    for typed in [
        "promote acme/str@1.0.0 --registry laptop --to public",
        "promote acme/str@1.0.0 --registry laptop --to public --dry-run",
    ] {
        let refused = t.weir_in("", typed).fails_with(4);
        let told = r#"no rule permits it; the nearest asks for `principal in Group::"curators"`, which does not hold (policy `curated-curators`)"#;
        assert!(refused.stderr.contains(told), "{refused}");
        assert!(!refused.stderr.contains("fewer than two"), "{refused}");
        let waits = t.weir_with("", typed, &[(&host, &cat)]).succeeds();
        assert!(waits.stdout.contains("fewer than two others approved"), "{waits}");
    }
    // What waits is for curators to see, and whoever is none is told that it may be so.
    let waiting = t.weir_with("", "promote --list --to public --json", &[(&host, &cat)]).succeeds().stdout;
    let waiting: serde_json::Value = serde_json::from_str(&waiting).expect("it is JSON");
    let request = waiting["requests"][0]["id"].as_str().expect("one waits");
    let refused = t.weir_in("", &format!("approve {request} --to public")).fails_with(5);
    assert!(refused.stderr.contains("or you may not approve it"), "{refused}");
}

#[test]
fn a_token_that_is_not_accepted_is_told_to_be_so() {
    let (t, server) = with_approvals();
    let host = variable(&server);
    for typed in ["promote acme/str@1.0.0 --registry laptop --to public", "promote --list --to public"] {
        let refused = t.weir_with("", typed, &[(&host, "weir_wrong")]).fails_with(4);
        assert!(refused.stderr.contains("does not accept the token"), "{refused}");
        assert!(!refused.stderr.contains("password"), "{refused}");
    }
}

#[test]
fn what_is_approved_is_carried_out_by_the_rules_and_the_people_of_that_moment() {
    let (t, server) = with_approvals();
    let host = variable(&server);
    let tokens = ["bob", "cat", "dan"].map(|name| user(&t, &server, name, "--group admins"));
    let by = |who: usize, typed: &str| t.weir_with("", typed, &[(&host, &tokens[who])]);
    let request = asked(&t, "acme/str@1.0.0");
    let approve = format!("approve {request} --to public");
    by(0, &approve).succeeds();
    // Who may not approve any longer has not approved.
    t.weir_in("", &format!("user groups bob others --server {}", server.url())).succeeds();
    assert!(by(1, &approve).succeeds().stdout.contains("It waits for others"));
    t.write(
        "rules/no.cedar",
        r#"@id("all") permit (principal, action, resource);
@id("frozen") @reason("nothing comes in before the release")
forbid (principal, action == Action::"publish", resource);"#,
    );
    t.weir_in("", "policy set rules/no.cedar --registry public").succeeds();
    let frozen = by(2, &approve).fails_with(4);
    assert!(frozen.stderr.contains("nothing comes in before the release"), "{frozen}");
    assert!(
        frozen.stderr.contains("your approval is kept, and what was approved was not carried out"),
        "{frozen}"
    );
    t.weir_in("", "policy set --built-in open --with two-approvals --registry public").succeeds();
    assert!(by(2, &approve).succeeds().stdout.contains("Promoted `acme/str 1.0.0`"));
}

#[test]
fn who_approves_is_told_what_the_registry_below_has_withdrawn_meanwhile() {
    let (t, server) = with_approvals();
    let host = variable(&server);
    let bob = user(&t, &server, "bob", "--group admins");
    let approve = format!("approve {} --to public", asked(&t, "acme/str@1.0.0"));
    t.weir_in("", "yank acme/str@1.0.0 --registry laptop").succeeds();
    let run = t.weir_with("", &approve, &[(&host, &bob)]).fails_with(4);
    assert!(run.stderr.contains("`acme/str 1.0.0` is yanked"), "{run}");
    t.weir_in("", "unyank acme/str@1.0.0 --registry laptop").succeeds();
    let run = t.weir_with("", &approve, &[(&host, &bob)]).succeeds();
    assert!(run.stdout.contains("It waits for others: approved by user:bob"), "{run}");
    // Where the registry below is not known, nobody looks, and that is told.
    for name in ["laptop", "org"] {
        t.weir_in("", &format!("registry remove {name}")).succeeds();
    }
    let run = t.weir_with("", &approve, &[(&host, &bob)]).succeeds();
    assert!(run.stderr.contains("no registry with the key of `org` is known and reached here"), "{run}");
}

#[test]
fn a_promotion_that_waits_is_taken_back_or_turned_down() {
    let (t, server) = with_approvals();
    let host = variable(&server);
    let bob = user(&t, &server, "bob", "--group admins");
    for by in [None, Some(bob.as_str())] {
        let request = asked(&t, "acme/str@1.0.0");
        let typed = format!("promote --withdraw {request} --to public");
        let variables: Vec<(&str, &str)> = by.iter().map(|token| (host.as_str(), *token)).collect();
        let run = t.weir_with("", &typed, &variables).succeeds();
        assert!(run.stdout.contains("Taken back"), "{run}");
        t.weir_with("", &typed, &variables).fails_with(5);
    }
    // Nothing but promotions waits, and nothing of who has not signed in is read.
    let claim = serde_json::json!({ "intents": [{ "claim": { "owner": "own", "who": ["user:ann"] } }] });
    let reply = post(&server, "/public/api/v1/promotions", Some(&bob), &claim);
    assert_eq!((reply.status, code(&reply).as_str()), (422, "bad-document"), "{}", reply.text());
    let reply = post(&server, "/public/api/v1/promotions", None, &claim);
    assert_eq!((reply.status, code(&reply).as_str()), (401, "sign-in-needed"), "{}", reply.text());
    for path in ["/public/api/v1/promotions/x/approvals", "/public/api/v1/promotions/x/withdrawal"] {
        assert_eq!(post(&server, path, None, &serde_json::json!(null)).status, 401, "{path}");
        assert_eq!(post(&server, path, Some(&bob), &serde_json::json!(null)).status, 404, "{path}");
    }
}

#[test]
fn a_copy_that_was_put_aside_is_not_promoted_from() {
    let t = tiers();
    let copied = std::process::Command::new("cp")
        .args(["-a", "org", "copy"])
        .current_dir(t.path(""))
        .status()
        .expect("`cp` can be run");
    assert!(copied.success());
    // Without having moved on it is the same registry, and as good.
    t.weir_in("", "promote acme/str@1.0.0 --to public --registry ./copy --dry-run").succeeds();
    t.weir_in("", "quarantine acme/str@1.0.0 --reason 'it steals'").succeeds();
    let run = t.weir_in("", "promote acme/str@1.0.0 --to public --registry ./copy").fails_with(6);
    assert!(run.stderr.contains("the registry is known from `"), "{run}");
    assert!(run.stderr.contains("went back: it offers 5 entries and had 6"), "{run}");
    t.weir_in("", "info acme/str --registry public").fails_with(5);
}
