//! Tiers of registries: what is asked for at the bottom comes down, by the policy of each.

use insta::assert_snapshot;
use weir_testkit::{Misbehaviour, Sandbox, StaticServer, WeirServer};

fn sandbox() -> Sandbox {
    Sandbox::new(env!("CARGO_BIN_EXE_weir"))
}

/// Three registries in folders, one above the other: `public`, `team`, and `laptop`, which is the default one.
fn three() -> Sandbox {
    let t = sandbox();
    t.weir_in("", "registry init public --name public").succeeds();
    t.weir_in("", "registry init team --name team").succeeds();
    t.registry("laptop");
    t.weir_in("", "registry upstream add public --registry team").succeeds();
    t.weir_in("", "registry upstream add team").succeeds();
    t
}

fn publish(t: &Sandbox, registry: &str, folder: &str) {
    t.weir_in("", &format!("publish {folder} --registry ./{registry}")).succeeds();
}

#[test]
fn what_is_installed_at_the_bottom_comes_down_through_all_tiers() {
    let t = three();
    publish(&t, "public", &t.package("lib/str", "1.0.0").write());
    publish(&t, "public", &t.package("lib/log", "1.2.0").dependency("lib/str", "^1").write());
    t.project(&["lib/log = ^1"]);
    t.weir("install").succeeds();
    assert_eq!(t.read("app/weir_packages/packages/lib/log/content.txt"), "lib/log 1.2.0\n");
    for registry in ["team", "laptop"] {
        let shown = t.weir_in("", &format!("registry show {registry}")).succeeds().stdout;
        assert!(shown.contains("2 offered"), "{shown}");
        t.weir_in("", &format!("registry verify {registry}")).succeeds();
    }
    // Those above are gone, and so are the project's packages, its lockfile and the store: it is installed from the nearest.
    for registry in ["public", "team"] {
        fs_err::rename(t.path(registry), t.path(format!("{registry}-away"))).unwrap();
    }
    for there in ["app/weir_packages", "home/weir/store"] {
        fs_err::rename(t.path(there), t.path(there.replace('/', "-"))).unwrap();
    }
    t.weir("install").succeeds();
    fs_err::remove_file(t.path("app/weir.lock")).unwrap();
    let run = t.weir("install");
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("could not ask above"), "{run}");
}

#[test]
fn a_lockfile_that_fits_asks_nobody() {
    let t = three();
    publish(&t, "public", &t.package("lib/str", "1.0.0").write());
    t.project(&["lib/str = ^1"]);
    t.weir("install").succeeds();
    publish(&t, "public", &t.package("lib/str", "1.1.0").write());
    t.weir("install").succeeds();
    let lock = t.read("app/weir.lock");
    assert!(lock.contains("1.0.0") && !lock.contains("1.1.0"), "{lock}");
    assert!(!t.weir_in("", "info lib/str").succeeds().stdout.contains("1.1.0"));
    t.weir("update").succeeds();
    assert!(t.read("app/weir.lock").contains("1.1.0"));
}

#[test]
fn what_a_rule_keeps_out_is_held_until_it_is_let_in() {
    let t = sandbox();
    t.weir_in("", "registry init public --name public").succeeds();
    t.registry("team");
    t.weir_in("", "registry upstream add public").succeeds();
    t.weir_in("", "policy set --built-in folder --with cooldown").succeeds();
    publish(&t, "public", &t.package("lib/str", "1.0.0").write());
    t.project(&["lib/str = ^1"]);
    let run = t.weir("install");
    assert_eq!(run.code, 4, "it is there, and a rule keeps it out: {run}");
    assert!(run.stderr.contains("but `lib/str 1.0.0` is held by the rule `cooldown` until"), "{run}");
    let held = t.weir_in("", "registry held").succeeds().stdout;
    assert!(held.contains("lib/str 1.0.0") && held.contains("cooldown") && held.contains("until "), "{held}");
    // The same without a network, for the log says it; and by every command that is asked about the package.
    for told in ["install --offline", "add lib/str", "info lib/str", "info lib/str@1.0.0"] {
        let run = t.weir(told);
        assert_eq!(run.code, 4, "{run}");
        assert!(run.stderr.contains("`lib/str 1.0.0` is held by the rule `cooldown` until"), "{run}");
    }
    // Asked again, nothing is written again.
    let size = t.weir_in("", "registry show").succeeds().stdout;
    t.weir("install");
    assert_eq!(t.weir_in("", "registry show").succeeds().stdout, size);
    // Another policy lets it in, and the next that asks has it.
    t.weir_in("", "policy set --built-in folder").succeeds();
    t.weir("install").succeeds();
    assert_snapshot!(t.weir_in("", "registry held"), @r"
    $ weir registry held
    Nothing is held by the registry `team`
    ");
}

#[test]
fn a_newer_release_that_is_held_is_told_where_one_looks_for_it() {
    let t = installed();
    let server = WeirServer::start(&t, "data", &[]);
    t.weir_in("", "policy set --built-in folder --with cooldown").succeeds();
    publish(&t, "public", &t.package("lib/str", "1.1.0").write());
    let told = "`lib/str 1.1.0` is held by the rule `cooldown` until";
    for command in ["outdated", "update", "outdated --offline"] {
        let run = t.weir(command).succeeds();
        assert!(run.stdout.contains(told), "{run}");
    }
    let info = t.weir_in("", "info lib/str").succeeds().stdout;
    assert!(info.contains("held\n  1.1.0  cooldown  until "), "{info}");
    let info = t.weir_in("", "info lib/str --json").succeeds().stdout;
    assert!(info.contains("\"policy\": \"cooldown\""), "{info}");
    fs_err::create_dir_all(t.path("data/registries")).unwrap();
    fs_err::rename(t.path("team"), t.path("data/registries/team")).unwrap();
    let page = server.say("GET", "/team/-/packages/lib/str", &[], b"").text();
    assert!(page.contains("<h2>Held</h2>") && page.contains("cooldown"), "{page}");
}

#[test]
fn what_could_not_be_asked_for_further_up_is_not_told_to_be_missing() {
    let t = three();
    publish(&t, "public", &t.package("lib/str", "1.0.0").write());
    publish(&t, "public", &t.package("lib/log", "1.0.0").write());
    t.project(&["lib/log = ^1"]);
    t.weir("install").succeeds();
    fs_err::rename(t.path("public"), t.path("away")).unwrap();
    for command in ["add lib/str", "add lib/str@^1"] {
        let run = t.weir(command);
        assert_eq!(run.code, 1, "{run}");
        assert!(run.stderr.contains("× `team` could not ask above: "), "{run}");
    }
    let run = t.weir("update").succeeds();
    assert!(run.stdout.contains("Nothing newer is known here"), "{run}");
    assert!(run.stderr.contains("`team` could not ask above: "), "{run}");
    // Another registry in its place is not believed, and that is told as well.
    t.weir_with("", "registry init public --name public", &[("WEIR_HOME", "elsewhere")]).succeeds();
    let run = t.weir("add lib/str");
    assert_eq!(run.code, 6, "{run}");
    assert!(run.stderr.contains("× `team` does not believe what is above: "), "{run}");
    assert!(run.stderr.contains("the pinned key does not vouch for"), "{run}");
}

#[test]
fn whoever_binds_an_owner_to_a_registry_above_is_told_so() {
    let t = three();
    publish(&t, "public", &t.package("lib/str", "1.0.0").write());
    publish(&t, "public", &t.package("lib/log", "1.0.0").write());
    t.project(&[]);
    let told = "`lib` is bound to the registry `team` in `laptop` from now on";
    let run = t.weir("add lib/str").succeeds();
    assert!(run.stderr.contains(told), "{run}");
    let run = t.weir("add lib/log").succeeds();
    assert!(!run.stderr.contains("is bound to"), "it was before: {run}");
}

#[test]
fn what_two_registries_above_have_is_added_at_once() {
    let t = three();
    t.weir_in("", "registry init partner --name partner").succeeds();
    t.weir_in("", "registry upstream add partner").succeeds();
    publish(&t, "public", &t.package("lib/str", "1.0.0").write());
    publish(&t, "partner", &t.package("parts/bolt", "2.0.0").write());
    t.project(&[]);
    t.weir("add lib/str parts/bolt").succeeds();
    let lock = t.read("app/weir.lock");
    assert!(lock.contains("lib/str") && lock.contains("parts/bolt"), "{lock}");
}

/// Dependency confusion: whoever puts a name of ours into a registry above is not asked for it, before and after we have it.
#[test]
fn a_name_is_one_owners_whatever_comes_first() {
    // Claimed here first.
    let t = sandbox();
    t.weir_in("", "registry init public --name public").succeeds();
    t.registry("team");
    t.weir_in("", "registry upstream add public").succeeds();
    t.package("acme/secret", "1.0.0").publish();
    publish(&t, "public", &t.package("acme/secret", "9.0.0").file("content.txt", "evil").write());
    t.project(&["acme/secret = *"]);
    t.weir("install").succeeds();
    assert_eq!(t.read("app/weir_packages/packages/acme/secret/content.txt"), "acme/secret 1.0.0\n");
    // A name under an owner of ours that only the one above has is nobody's here.
    publish(&t, "public", &t.package("acme/other", "1.0.0").write());
    t.project(&["acme/other = *"]);
    for missing in ["install", "info acme/other"] {
        let run = t.weir(missing).fails_with(5);
        let told = "`acme` belongs to `team`: none of its packages comes from above";
        assert!(run.stderr.contains(told), "{run}");
    }

    // Admitted first: what was installed stays what it is, and nobody publishes under it here by mistake.
    let t = sandbox();
    t.weir_in("", "registry init public --name public").succeeds();
    t.registry("team");
    t.weir_in("", "registry upstream add public").succeeds();
    publish(&t, "public", &t.package("acme/secret", "9.0.0").write());
    t.project(&["acme/secret = *"]);
    t.weir("install").succeeds();
    let folder = t.package("acme/secret", "1.0.0").write();
    assert_snapshot!(t.weir_in("", &format!("publish {folder}")), @r"
    $ weir publish packages/acme-secret-1.0.0
    -- stderr
      × nothing is published here under `acme/secret`, which is bound to the registry `public`
      help: if you mean to take it over, `weir registry adopt acme/secret` keeps it here from now on
    -- exit code 8
    ");
    assert_snapshot!(t.weir_in("", "claim acme user:ann"), @r"
    $ weir claim acme user:ann
    -- stderr
      × `acme` is bound to the registry `public`: releases of `acme/secret` are offered that came from there
      help: `weir unpublish` takes out what came from above; `weir registry adopt acme/secret` keeps that package here
    -- exit code 8
    ");
    // Taken out first, it can be claimed; from then on it is ours.
    t.weir_in("", "unpublish acme/secret@9.0.0").succeeds();
    t.weir_in("", "claim acme user:ann").succeeds();
    t.weir_in("", &format!("publish {folder}")).succeeds();
    publish(&t, "public", &t.package("acme/secret", "9.1.0").write());
    t.weir("update").succeeds();
    assert!(t.read("app/weir.lock").contains("\"1.0.0\""));
}

/// Who knows a registry further up by its name as well, to publish into it, does not take from it what their own keeps out.
#[test]
fn a_registry_further_up_that_is_known_by_name_is_asked_through_those_below_it_only() {
    let t = three();
    t.weir_in("", "registry add public public --user").succeeds();
    t.weir_in("", "registry add team team --user").succeeds();
    t.weir_in("", "claim acme user:ann --registry team").succeeds();
    publish(&t, "public", &t.package("acme/tool", "1.0.0").file("content.txt", "evil").write());
    let missing = |typed: &str| {
        let run = t.weir(typed).fails_with(5);
        assert!(run.stderr.contains("not asked: `public`, `team`"), "{run}");
    };
    t.project(&["acme/tool = *"]);
    missing("install");
    t.project(&[]);
    missing("add acme/tool");
    t.weir_in("", "claim acme user:ann").succeeds();
    missing("add acme/tool");
    // What came down is one package, and stays to be had when all of them but the nearest are gone.
    publish(&t, "public", &t.package("lib/str", "1.0.0").write());
    t.weir("add lib/str").succeeds();
    for registry in ["public", "team"] {
        fs_err::rename(t.path(registry), t.path(format!("{registry}-away"))).unwrap();
    }
    t.project(&["lib/str = *"]);
    t.weir("install").succeeds();
    for registry in ["public", "team"] {
        fs_err::rename(t.path(format!("{registry}-away")), t.path(registry)).unwrap();
    }
    // Whoever means it says so.
    t.weir("add acme/tool --registry public").succeeds();
    assert!(t.read("app/weir.toml").contains("registry = \"public\""), "{}", t.read("app/weir.toml"));

    // A project that names several asks them all, and an owner that is claimed in a nearer one is nobody's further away.
    let named = |more: &str| {
        t.write(
            "other/weir.toml",
            format!("[package]\n\n[registries]\nlaptop = {{ url = \"../laptop\", default = true }}\npublic = \"../public\"\n\n[dependencies]\n{more}"),
        );
        t.weir_in("other", "install")
    };
    let claimed = named("\"acme/tool\" = \"*\"\n");
    assert!(claimed.code == 5 && claimed.stderr.contains("`acme` belongs to `laptop`"), "{claimed}");
    named("\"lib/str\" = \"*\"\n").succeeds();
    let lock = t.read("other/weir.lock");
    assert!(lock.contains("registry = \"laptop\"") && !lock.contains("registry = \"public\""), "{lock}");
    publish(&t, "public", &t.package("data/corpus", "1.0.0").write());
    named("\"data/corpus\" = \"*\"\n").succeeds();
}

#[test]
fn a_mirror_takes_all_that_policy_allows_and_what_that_needs() {
    let t = sandbox();
    t.weir_in("", "registry init public --name public").succeeds();
    t.registry("team");
    t.weir_in("", "registry upstream add public --mode mirror").succeeds();
    publish(&t, "public", &t.package("lib/str", "1.0.0").write());
    publish(&t, "public", &t.package("lib/log", "1.0.0").fluid("lib/str", "^1").write());
    publish(&t, "public", &t.package("lib/other", "1.0.0").write());
    t.weir_in("", "registry upstream follow").succeeds();
    let shown = t.weir_in("", "registry show").succeeds().stdout;
    assert!(shown.contains("3 offered"), "{shown}");
    // Nothing is new: nothing is written.
    t.weir_in("", "registry upstream follow").succeeds();
    assert_eq!(t.weir_in("", "registry show").succeeds().stdout, shown);
    let verified = t.weir_in("", "registry verify").succeeds().stdout;
    assert!(verified.contains("fetched from above when it is first needed: 3 objects"), "{verified}");
}

/// A registry `team`, the default one, below `public`, from which `lib/str 1.0.0` was installed.
fn installed() -> Sandbox {
    let t = sandbox();
    t.weir_in("", "registry init public --name public").succeeds();
    t.registry("team");
    t.weir_in("", "registry upstream add public").succeeds();
    publish(&t, "public", &t.package("lib/str", "1.0.0").write());
    t.project(&["lib/str = ^1"]);
    t.weir("install").succeeds();
    t
}

#[test]
fn a_package_is_taken_over_to_patch_it_and_given_back() {
    let t = installed();
    t.weir_in("", "registry adopt lib/str").succeeds();
    publish(&t, "public", &t.package("lib/str", "1.5.0").write());
    t.package("lib/str", "1.0.1").file("content.txt", "patched here\n").publish();
    t.weir("update").succeeds();
    assert_eq!(t.read("app/weir_packages/packages/lib/str/content.txt"), "patched here\n");
    // What else its owner has still comes from above.
    publish(&t, "public", &t.package("lib/log", "1.0.0").write());
    t.weir("add lib/log").succeeds();
    let refused = t.weir_in("", "registry adopt lib/str --release");
    assert_eq!(refused.code, 8, "{refused}");
    assert!(
        refused.stderr.contains("`lib/str 1.0.1`, which was published here, is offered still"),
        "{refused}"
    );
    t.weir_in("", "unpublish lib/str@1.0.1").succeeds();
    t.weir_in("", "registry adopt lib/str --release").succeeds();
    t.weir("update").succeeds();
    assert!(t.read("app/weir.lock").contains("1.5.0"));
    t.weir_in("", "registry verify").succeeds();
}

#[test]
fn what_was_held_of_a_registry_is_waited_for_no_longer_than_that_is_above() {
    let t = sandbox();
    t.weir_in("", "registry init public --name public").succeeds();
    t.registry("team");
    t.weir_in("", "registry upstream add public").succeeds();
    t.weir_in("", "policy set --built-in folder --with cooldown").succeeds();
    publish(&t, "public", &t.package("lib/str", "1.0.0").write());
    t.project(&[]);
    let held = t.weir("add lib/str");
    assert!(held.code != 0 && held.stderr.contains("`cooldown`"), "{held}");
    t.weir_in("", "registry upstream remove public").succeeds();
    let missing = t.weir("add lib/str").fails_with(5);
    assert!(!missing.stderr.contains("cooldown"), "{missing}");
    let told = t.weir_in("", "registry held").succeeds().stdout;
    assert!(!told.contains("lib/str"), "{told}");
}

/// Whatever it says of what it was built with: files decide.
#[test]
fn what_was_built_with_another_release_of_the_same_name_and_version_is_held() {
    let t = sandbox();
    t.weir_in("", "registry init public --name public").succeeds();
    t.registry("team");
    t.weir_in("", "registry upstream add public").succeeds();
    t.package("acme/core", "1.0.0").publish();
    publish(&t, "public", &t.package("acme/core", "1.0.0").file("content.txt", "another").write());
    publish(&t, "public", &t.package("lib/c", "1.0.0").dependency("acme/core", "^1").write());
    t.project(&[]);
    let held = t.weir("add lib/c");
    assert!(held.code != 0, "{held}");
    assert!(
        held.stderr.contains("it was built with `acme/core 1.0.0` of `public`, and here that is another"),
        "{held}"
    );
}

#[test]
fn a_registry_that_has_the_name_of_one_that_was_above_is_not_taken_for_it() {
    let t = installed();
    t.weir_in("", "registry upstream remove public").succeeds();
    t.weir_in("", "registry init stranger --name public").succeeds();
    publish(&t, "stranger", &t.package("lib/str", "1.9.0").write());
    let refused = t.weir_in("", "registry upstream add ./stranger").fails_with(8);
    assert!(refused.stderr.contains("another registry of that name was above it before"), "{refused}");
    // The one that it was is known by its log, wherever it is now.
    fs_err::rename(t.path("public"), t.path("moved")).unwrap();
    t.weir_in("", "registry upstream add ./moved").succeeds();
    t.weir("install").succeeds();
}

#[test]
fn of_a_package_that_was_taken_over_a_quarantine_above_is_told_and_what_was_decided_here_stays() {
    let t = installed();
    t.weir_in("", "registry adopt lib/str").succeeds();
    t.weir_in("", "yank lib/str@1.0.0 --registry ./public").succeeds();
    t.weir("audit").succeeds();
    let standing = || t.weir_in("", "info lib/str@1.0.0").succeeds().stdout;
    assert!(!standing().contains("yanked"), "what is offered here is decided here: {}", standing());
    t.weir_in("", "quarantine lib/str@1.0.0 --reason 'it steals' --registry ./public").succeeds();
    let audit = t.weir("audit");
    assert!(audit.code != 0 && audit.stdout.contains("it steals"), "{audit}");
    // Somebody here looked, and thinks otherwise.
    t.weir_in("", "unquarantine lib/str@1.0.0").succeeds();
    t.weir_in("", "registry upstream follow").succeeds();
    t.weir("audit").succeeds();
    assert!(!standing().contains("it steals"), "{}", standing());
    t.weir_in("", "registry verify").succeeds();
}

#[test]
fn what_is_withdrawn_above_is_withdrawn_below_by_the_next_that_asks() {
    let t = installed();
    let standing = || t.weir_in("", "info lib/str@1.0.0").succeeds().stdout;
    t.weir_in("", "quarantine lib/str@1.0.0 --reason 'it steals' --registry ./public").succeeds();
    let audit = t.weir("audit");
    assert!(audit.code != 0 && audit.stdout.contains("it steals"), "who audits asks above first: {audit}");
    let followed = t.weir_in("", "registry upstream follow").succeeds();
    assert!(!followed.stdout.contains("Followed 1 withdrawal"), "it followed already: {followed}");
    assert!(standing().contains("it steals"), "{}", standing());
    fs_err::rename(t.path("home/weir/store"), t.path("store-away")).unwrap();
    assert_ne!(t.weir("install").code, 0, "its pack is served to nobody");
    t.weir_in("", "unquarantine lib/str@1.0.0 --registry ./public").succeeds();
    t.weir_in("", "registry upstream follow").succeeds();
    assert!(!standing().contains("it steals"), "{}", standing());
    t.weir("install").succeeds();
    // What was decided here stays.
    t.weir_in("", "yank lib/str@1.0.0 --reason ours").succeeds();
    t.weir_in("", "yank lib/str@1.0.0 --registry ./public").succeeds();
    t.weir_in("", "unyank lib/str@1.0.0 --registry ./public").succeeds();
    t.weir_in("", "registry upstream follow").succeeds();
    assert!(standing().contains("ours"), "{}", standing());
    t.weir_in("", "registry verify").succeeds();
}

#[test]
fn a_chain_of_servers_is_asked_and_content_comes_through_it() {
    let t = sandbox();
    let public = WeirServer::start(&t, "public-data", &[]);
    t.weir_in("", "registry init public-data/registries/public --name public").succeeds();
    publish(&t, "public-data/registries/public", &t.package("lib/str", "1.0.0").write());
    let team = WeirServer::with_team(&t, &[]);
    t.weir_in("", &format!("registry upstream add {}/public", public.url())).succeeds();
    t.weir_in("", "registry init laptop --name laptop").succeeds();
    t.weir_in("", &format!("registry upstream add {}/team --registry laptop", team.url())).succeeds();
    t.weir_in("", "registry add laptop laptop --default --user").succeeds();
    t.project(&["lib/str = ^1"]);
    t.weir("install").succeeds();
    assert_eq!(t.read("app/weir_packages/packages/lib/str/content.txt"), "lib/str 1.0.0\n");
    // The server above is gone: what the nearer ones have is enough, without the packages and without the store.
    drop(public);
    for there in ["app/weir_packages", "home/weir/store", "laptop/pack"] {
        fs_err::rename(t.path(there), t.path(there.replace('/', "-"))).unwrap();
    }
    t.weir("install").succeeds();
    // Nobody who has not signed in has anything admitted.
    let body = br#"{"requirements":[{"name":"lib/str","range":"*"}]}"#;
    let reply = team.say("POST", "/team/api/v1/ask", &["Content-Type: application/json"], body);
    assert_eq!(reply.status, 401, "{}", reply.text());
}

#[test]
fn a_closed_registry_keeps_what_it_was_built_with_though_it_is_removed_above() {
    let t = sandbox();
    t.weir_in("", "registry init public --name public").succeeds();
    t.weir_in("", "registry init team --name team --closed --default").succeeds();
    t.weir_in("", "registry upstream add public").succeeds();
    publish(&t, "public", &t.package("lib/str", "1.0.0").write());
    publish(&t, "public", &t.package("lib/log", "1.0.0").write());
    t.project(&["lib/str = ^1", "lib/log = ^1"]);
    t.weir("install").succeeds();
    t.package("acme/tool", "1.0.0").dependency("lib/str", "^1").publish();

    t.weir_in("", "unpublish lib/str@1.0.0 --registry ./public").succeeds();
    t.weir_in("", "unpublish lib/log@1.0.0 --registry ./public").succeeds();
    t.weir_in("", "registry upstream follow").succeeds();
    t.weir_in("", "registry verify").succeeds();
    t.weir_in("", "info lib/str@1.0.0").succeeds();
    assert_ne!(t.weir_in("", "info lib/log@1.0.0").code, 0, "nothing here was built with it");

    t.weir_in("", "unpublish acme/tool@1.0.0").succeeds();
    t.weir_in("", "registry upstream follow").succeeds();
    assert_ne!(t.weir_in("", "info lib/str@1.0.0").code, 0, "nor any longer with this");
    t.weir_in("", "registry verify").succeeds();
}

/// The one file of a folder of content.
fn only_file(t: &Sandbox, folder: &str) -> std::path::PathBuf {
    let only = |folder: std::path::PathBuf| {
        let mut entries = fs_err::read_dir(folder).expect("it is a folder");
        entries.next().expect("something is in it").expect("it can be listed").path()
    };
    only(only(t.path(folder)))
}

fn damage(file: &std::path::Path) {
    let mut bytes = fs_err::read(file).expect("it is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    let beside = file.with_extension("damaged");
    fs_err::write(&beside, bytes).expect("it can be written");
    fs_err::rename(beside, file).expect("it can be renamed");
}

#[test]
fn what_is_damaged_here_is_brought_from_above_again_and_that_is_told() {
    let t = installed();
    let pack = only_file(&t, "team/pack");
    damage(&pack);
    for there in ["app/weir_packages", "home/weir/store"] {
        fs_err::rename(t.path(there), t.path(there.replace('/', "-"))).unwrap();
    }
    let run = t.weir("install").succeeds();
    let told =
        "the pack of `lib/str 1.0.0` was damaged in the registry `team`, and was brought again from above";
    assert!(run.stderr.contains(told), "{run}");
    damage(&pack);
    let run = t.weir_in("", "registry verify").succeeds();
    assert!(
        run.stdout.contains("Mended the pack ") && run.stdout.contains("of `lib/str 1.0.0`, from `public`"),
        "{run}"
    );
    assert!(!t.weir_in("", "registry verify").succeeds().stdout.contains("Mended"));
    // Where it cannot be brought, what is wrong is told, and why.
    damage(&pack);
    fs_err::rename(t.path("public/pack"), t.path("lost")).unwrap();
    let run = t.weir_in("", "registry verify").fails_with(6);
    assert!(run.stderr.contains("could not be brought again"), "{run}");
    assert!(run.stdout.contains("is not what it must be"), "{run}");
}

#[test]
fn external_files_that_are_held_above_come_down_as_well() {
    let t = three();
    let large: Vec<u8> = (0..20_000_000_u32)
        .flat_map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes())
        .take(17 << 20)
        .collect();
    t.write("set/words.bin", "one two\n");
    fs_err::write(t.path("set/large.bin"), &large).unwrap();
    let manifest =
        "[package]\nname = \"lib/words\"\nversion = \"1.0.0\"\nkind = \"data\"\nlicense = \"MIT\"\n";
    t.write("set/weir.toml", manifest);
    t.weir_in("set", "add --reference words words.bin").succeeds();
    t.weir_in("set", "add --reference large large.bin").succeeds();
    t.write("set/.weirignore", "*.bin\n");
    t.weir_in("", "publish set --with-references --registry ./public").succeeds();
    // Who published it has it in the store.
    fs_err::rename(t.path("home/weir/store"), t.path("publishers-store")).unwrap();
    fs_err::remove_dir_all(t.path("set")).unwrap();
    t.project(&["lib/words = ^1"]);
    t.weir("install").succeeds();
    // All tiers have it by now, and it is installed without those above.
    for registry in ["public", "team"] {
        fs_err::rename(t.path(registry), t.path(format!("{registry}-away"))).unwrap();
    }
    for there in ["app/weir_packages", "home/weir/store"] {
        fs_err::rename(t.path(there), t.path(there.replace('/', "-"))).unwrap();
    }
    t.weir("install").succeeds();
    let verified = t.weir_in("", "registry verify laptop").succeeds().stdout;
    assert!(!verified.contains("fetched from above"), "{verified}");
    // A chunk of the large one is damaged: that alone is brought again.
    for registry in ["public", "team"] {
        fs_err::rename(t.path(format!("{registry}-away")), t.path(registry)).unwrap();
    }
    damage(&only_file(&t, "laptop/chunk"));
    let run = t.weir_in("", "registry verify laptop").succeeds();
    assert!(run.stdout.contains("Mended the file "), "{run}");
    // A mirror brings it all at once.
    t.weir_in("", "registry init mirror --name mirror").succeeds();
    t.weir_in("", "registry upstream add public --mode mirror --registry mirror").succeeds();
    let run = t.weir_in("", "registry upstream follow --content --registry mirror").succeeds();
    assert!(run.stdout.contains("Brought 3 objects of content"), "{run}");
    let verified = t.weir_in("", "registry verify mirror").succeeds().stdout;
    assert!(!verified.contains("fetched from above"), "{verified}");
}

#[test]
fn who_may_not_ask_above_is_told_so_and_not_that_nothing_is_there() {
    let t = sandbox();
    t.weir_in("", "registry init public --name public").succeeds();
    publish(&t, "public", &t.package("lib/str", "1.0.0").write());
    let server = WeirServer::with_team(&t, &[]);
    let public = StaticServer::serve(t.path("public")).expect("a port is free");
    t.weir_in("", &format!("registry upstream add {}", public.url())).succeeds();
    t.registry("laptop");
    t.weir_in("", &format!("registry upstream add {}/team", server.url())).succeeds();
    t.weir_in("", &format!("logout {}", server.url())).succeeds();
    t.project(&["lib/str = ^1"]);
    let run = t.weir("install").fails_with(1);
    assert!(run.stderr.contains("× `team` could not ask above: only who has signed in is answered"), "{run}");
}

#[test]
fn a_dry_run_admits_nothing() {
    let t = sandbox();
    t.weir_in("", "registry init public --name public").succeeds();
    t.registry("team");
    t.weir_in("", "registry upstream add public").succeeds();
    let publish = |version: &str| {
        let folder = t.package("lib/str", version).file("str.sh", version).write();
        t.weir_in("", &format!("--registry ./public publish {folder}")).succeeds();
    };
    publish("1.0.0");
    t.project(&["lib/str = ^1"]);
    t.weir("install").succeeds();
    publish("1.1.0");
    let before = t.read("team/checkpoint");
    for typed in ["update --dry-run", "update --full --dry-run", "install --dry-run"] {
        let run = t.weir(typed).succeeds();
        assert_eq!(t.read("team/checkpoint"), before, "{typed}");
        assert!(
            typed.starts_with("install") || run.stderr.contains("is not asked for what is above it"),
            "{run}"
        );
    }
    t.weir("add lib/str@1.1.0 --dry-run");
    assert_eq!(t.read("team/checkpoint"), before);
    t.weir("update").succeeds();
    assert_ne!(t.read("team/checkpoint"), before);
}

#[test]
fn what_is_withdrawn_above_is_held_no_longer() {
    let t = installed();
    t.weir_in("", "policy set --built-in folder --with cooldown").succeeds();
    for (version, withdraw) in [
        ("1.1.0", "yank lib/str@1.1.0"),
        ("1.2.0", "quarantine lib/str@1.2.0 --reason 'it steals'"),
        ("1.3.0", "unpublish lib/str@1.3.0"),
    ] {
        publish(&t, "public", &t.package("lib/str", version).write());
        let told = format!("`lib/str {version}` is held by the rule `cooldown`");
        let run = t.weir("outdated").succeeds();
        assert!(run.stdout.contains(&told), "{run}");
        t.weir_in("", &format!("{withdraw} --registry ./public")).succeeds();
        let run = t.weir("outdated").succeeds();
        assert!(!run.stdout.contains("is held"), "{run}");
        let held = t.weir_in("", "registry held").succeeds().stdout;
        assert!(held.contains("Nothing is held"), "{held}");
    }
    // Nor is it held again by whoever looks the next time.
    let before = t.read("team/checkpoint");
    t.weir("outdated").succeeds();
    t.weir_in("", "registry upstream follow").succeeds();
    assert_eq!(t.read("team/checkpoint"), before);
    t.weir_in("", "registry verify").succeeds();
}

#[test]
fn what_a_mirror_holds_and_is_withdrawn_above_is_held_no_longer() {
    let t = sandbox();
    t.weir_in("", "registry init public --name public").succeeds();
    t.registry("team");
    t.weir_in("", "registry upstream add public --mode mirror").succeeds();
    t.weir_in("", "policy set --built-in folder --with cooldown").succeeds();
    publish(&t, "public", &t.package("lib/str", "1.0.0").write());
    publish(&t, "public", &t.package("lib/log", "1.0.0").fluid("lib/str", "^1").write());
    t.weir_in("", "registry upstream follow").succeeds();
    let held = t.weir_in("", "registry held").succeeds().stdout;
    assert!(held.contains("lib/str") && held.contains("lib/log"), "{held}");
    t.weir_in("", "yank lib/log@1.0.0 --registry ./public").succeeds();
    t.weir_in("", "registry upstream follow").succeeds();
    let held = t.weir_in("", "registry held").succeeds().stdout;
    assert!(held.contains("lib/str") && !held.contains("lib/log"), "{held}");
    // Whose name is claimed here is held no longer either.
    t.weir_in("", "claim lib user:ann").succeeds();
    t.weir_in("", "registry upstream follow").succeeds();
    let held = t.weir_in("", "registry held").succeeds().stdout;
    assert!(held.contains("Nothing is held"), "{held}");
}

#[test]
fn what_is_held_is_so_by_the_rules_of_the_moment() {
    let t = installed();
    t.weir_in("", "policy set --built-in folder --with cooldown").succeeds();
    publish(&t, "public", &t.package("lib/str", "1.1.0").license("GPL-3.0-only").write());
    let held = || t.weir_in("", "registry held").succeeds().stdout;
    t.weir("outdated").succeeds();
    assert!(held().contains("lib/str 1.1.0  cooldown"), "{}", held());
    // By another rule now: whoever follows or asks for anything has it looked at once more.
    t.weir_in("", "policy set --built-in folder --with licenses").succeeds();
    t.weir_in("", "registry upstream follow").succeeds();
    assert!(held().contains("lib/str 1.1.0  license-list"), "{}", held());
    t.weir_in("", "policy set --built-in folder").succeeds();
    let followed = t.weir_in("", "registry upstream follow").succeeds();
    assert!(followed.stdout.contains("Holds 1 release no longer"), "{followed}");
    assert!(held().contains("Nothing is held"), "{}", held());
    // It is not admitted by that: nobody asked for it.
    assert!(!t.weir_in("", "info lib/str").succeeds().stdout.contains("1.1.0"));
    let run = t.weir("outdated").succeeds();
    assert!(run.stdout.contains("1.1.0"), "{run}");
}

#[test]
fn what_is_newer_above_than_every_range_is_told_through_all_tiers() {
    let t = three();
    publish(&t, "public", &t.package("lib/str", "1.0.0").write());
    publish(&t, "public", &t.package("lib/log", "1.0.0").fluid("lib/str", "^1").write());
    publish(&t, "public", &t.package("lib/csv", "1.0.0").write());
    t.project(&["lib/log = ^1", "lib/csv = ^1"]);
    t.weir("install").succeeds();
    publish(&t, "public", &t.package("lib/csv", "2.0.0").write());
    publish(&t, "public", &t.package("lib/str", "2.0.0").write());
    // Within its ranges nothing moves, and nobody is told that this is the newest.
    let run = t.weir("update").succeeds();
    assert!(run.stdout.contains("Not at the newest: 2 packages"), "{run}");
    let run = t.weir("outdated").succeeds();
    let rows: Vec<Vec<&str>> = run.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert!(rows.contains(&vec!["lib/csv", "^1", "1.0.0", "1.0.0", "2.0.0", "2.0.0"]), "{run}");
    assert!(rows.contains(&vec!["lib/str", "1.0.0", "1.0.0", "1.0.0", "2.0.0"]), "{run}");
    assert!(run.stdout.contains("`lib/str` stays at 1.0.0, though 2.0.0 is offered"), "{run}");
    // What nobody could use is told and not admitted.
    assert!(!t.weir_in("", "info lib/str").succeeds().stdout.contains("2.0.0"));
    t.weir("update --full").succeeds();
    let lock = t.read("app/weir.lock");
    assert!(lock.contains("2.0.0"), "{lock}");
    // What the nearest keeps out is not told as if it could be had.
    t.weir_in("", "policy set --built-in folder --with cooldown").succeeds();
    publish(&t, "public", &t.package("lib/csv", "3.0.0").write());
    let run = t.weir("outdated").succeeds();
    assert!(run.stdout.contains("`lib/csv 3.0.0` is held by the rule `cooldown`"), "{run}");
    assert!(!run.stdout.lines().any(|line| line.starts_with("lib/csv")), "{run}");
}

#[test]
fn a_network_that_is_cut_in_the_middle_of_content_leaves_nothing_half() {
    let t = sandbox();
    t.weir_in("", "registry init public --name public").succeeds();
    let noise: Vec<u8> =
        (0..250_000_u32).flat_map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let folder = t.package("lib/noise", "1.0.0").file("content.txt", "noise\n").write();
    fs_err::write(t.path(format!("{folder}/noise.bin")), noise).unwrap();
    publish(&t, "public", &folder);
    let public = StaticServer::serve(t.path("public")).expect("a port is free");
    t.registry("team");
    t.weir_in("", &format!("registry upstream add {}", public.url())).succeeds();
    t.project(&["lib/noise = ^1"]);
    t.weir("lock").succeeds();
    let pack = only_file(&t, "public/pack");
    let pack = format!("/{}", pack.strip_prefix(t.path("public")).unwrap().display());
    for cut in [Misbehaviour::HangUp, Misbehaviour::Truncate(0), Misbehaviour::Status(503)] {
        public.misbehave(&pack, cut.clone());
        let run = t.weir("install");
        assert_eq!(run.code, 1, "{cut:?}: {run}");
        let verified = t.weir_in("", "registry verify team").succeeds().stdout;
        assert!(
            verified.contains("fetched from above when it is first needed: 1 object"),
            "{cut:?}: {verified}"
        );
        assert!(!t.path("app/weir_packages/packages/lib/noise").exists(), "{cut:?}");
    }
    // One that is cut again and again goes on from where it was, and what came in parts is checked as a whole.
    public.misbehave_times(&pack, 2, Misbehaviour::Truncate(300_000));
    t.weir("install").succeeds();
    t.weir("verify").succeeds();
    let verified = t.weir_in("", "registry verify team").succeeds().stdout;
    assert!(!verified.contains("fetched from above"), "{verified}");
}

#[test]
fn a_release_that_two_tiers_have_is_one_release_for_whoever_names_both() {
    let t = sandbox();
    t.weir_in("", "registry init public --name public").succeeds();
    t.weir_in("", "registry add public public --user").succeeds();
    t.registry("team");
    t.weir_in("", "registry upstream add public").succeeds();
    publish(&t, "public", &t.package("lib/str", "1.0.0").write());
    publish(&t, "public", &t.package("lib/log", "1.0.0").dependency("lib/str", "^1").write());
    publish(&t, "public", &t.package("lib/csv", "1.0.0").fluid("lib/str", "^1").write());
    let registries = "[registries]\npublic = \"../public\"\nteam = \"../team\"\n";
    let manifest = |str: &str| {
        format!(
            "[package]\n\n{registries}\n[dependencies]\n\"lib/str\" = {{ range = \"^1\", registry = \"{str}\" }}\n\"lib/log\" = {{ range = \"^1\", registry = \"public\" }}\n\"lib/csv\" = {{ range = \"^1\", registry = \"team\" }}\n"
        )
    };
    t.write("app/weir.toml", manifest("team"));
    t.weir("install").succeeds();
    let releases = || t.read("app/weir.lock").matches("]]\nname = \"lib/str\"").count();
    assert_eq!(releases(), 1, "{}", t.read("app/weir.lock"));
    // From whichever of the two it is asked for, it is the same one: nothing is fetched again.
    t.write("app/weir.toml", manifest("public"));
    let run = t.weir("install").succeeds();
    assert!(!run.stdout.contains("fetched"), "{run}");
    assert_eq!(releases(), 1, "{}", t.read("app/weir.lock"));
}

/// What a rule lets in, and cannot come without something that none does.
#[test]
fn what_needs_something_that_is_held_is_held_for_that_and_comes_with_it() {
    let t = three();
    publish(&t, "public", &t.package("lib/str", "1.0.0").license("GPL-3.0-only").write());
    publish(&t, "public", &t.package("lib/log", "1.2.0").license("MIT").fluid("lib/str", "^1").write());
    publish(&t, "public", &t.package("lib/app", "1.0.0").license("MIT").fluid("lib/log", "^1").write());
    publish(&t, "public", &t.package("lib/alone", "1.0.0").license("MIT").write());
    t.weir_in("", "policy set --built-in folder --with licenses --registry ./team").succeeds();
    t.project(&["lib/log = ^1"]);
    let why = "`lib/log 1.2.0` is held by the rule `needs-what-is-held`: it needs `lib/str` ^1, and `lib/str 1.0.0` is held by the rule `license-list`";
    for told in ["install", "install --offline", "info lib/log"] {
        let run = t.weir(told).fails_with(4);
        assert!(run.stderr.contains(why), "{run}");
    }
    let further = t.weir("add lib/app").fails_with(4);
    assert!(
        further.stderr.contains("`lib/log` ^1, and by that `lib/str` ^1, and `lib/str 1.0.0`"),
        "{further}"
    );
    let held = t.weir_in("", "registry held").succeeds().stdout;
    assert!(held.contains("lib/log 1.2.0") && held.contains("license-list"), "{held}");
    // Asked again nothing is written again, and what has nothing to do with it comes.
    let size = t.weir_in("", "registry show team").succeeds().stdout;
    t.weir("install").fails_with(4);
    assert_eq!(t.weir_in("", "registry show team").succeeds().stdout, size);
    t.weir_in("", "policy set --built-in folder --registry ./team").succeeds();
    t.weir("install").succeeds();
    t.weir("add lib/app").succeeds();
    for registry in ["./laptop", "./team"] {
        let held = t.weir_in("", &format!("registry held --registry {registry}")).succeeds().stdout;
        assert!(held.contains("Nothing is held"), "{held}");
        t.weir_in("", &format!("registry verify {registry}")).succeeds();
    }
}

/// One requirement that nothing meets keeps out nothing but itself: whoever asked is told of that one, and what there is of it instead.
#[test]
fn what_no_range_meets_is_told_and_not_that_the_rest_is_missing() {
    let t = three();
    publish(&t, "public", &t.package("lib/log", "1.0.0").write());
    publish(&t, "public", &t.package("other/str", "2.0.0").write());
    t.project(&["lib/log = ^1", "other/str = ^9"]);
    for missed in ["install", "add other/str@^9"] {
        let run = t.weir(missed).fails_with(3);
        assert!(!run.stderr.contains("`lib/log`"), "{run}");
        assert!(
            run.stderr.contains("nothing in that range is offered: further up the newest is 2.0.0"),
            "{run}"
        );
    }
    // As where the registry has it itself.
    let direct = t.weir("install --registry ../public").fails_with(3);
    assert!(direct.stderr.contains("it is offered only in 2.0.0"), "{direct}");
    t.project(&["lib/log = ^1"]);
    t.weir("install").succeeds();
}

/// Who runs something that was quarantined is told by whatever they run next, as soon as this machine knows, and nobody is asked for it.
#[test]
fn a_quarantine_that_is_known_here_is_told_by_whatever_uses_the_release() {
    let t = three();
    publish(&t, "public", &t.package("lib/str", "1.0.0").program("bin/greet", "echo hello").write());
    publish(&t, "public", &t.package("lib/log", "1.0.0").write());
    t.project(&["lib/str = ^1", "lib/log = ^1"]);
    t.weir("install").succeeds();
    t.weir_in("", "quarantine lib/str@1.0.0 --reason 'it steals' --registry ./public").succeeds();
    assert!(t.weir("audit").stdout.contains("it steals"), "now it is known here");
    for registry in ["public", "team"] {
        fs_err::rename(t.path(registry), t.path(format!("{registry}-away"))).unwrap();
    }
    let told = "`lib/str 1.0.0`, which is used here, was quarantined: it steals; `weir audit` tells more, `weir update lib/str` takes another";
    for typed in ["install", "install --offline", "install --locked", "run true", "list", "why lib/log"] {
        let run = t.weir(typed).succeeds();
        assert_eq!(run.stderr.matches(told).count(), 1, "{run}");
    }
    assert!(t.weir("install --json").succeeds().stdout.contains("which is used here, was quarantined"));
    // What only others use is their business, and what was taken back is nobody's.
    t.write("other/weir.toml", "[dependencies]\n\"lib/log\" = \"^1\"\n");
    t.weir_in("other", "install").succeeds();
    assert!(!t.weir_in("other", "install").succeeds().stderr.contains("quarantined"));
    t.weir_in("", "unquarantine lib/str@1.0.0").succeeds();
    assert!(!t.weir("install").succeeds().stderr.contains("quarantined"));
}

/// Why something does not come is told however far down somebody misses it.
#[test]
fn why_a_registry_on_the_way_lets_nothing_through_is_told_to_who_misses_it() {
    let t = three();
    publish(&t, "public", &t.package("acme/tool", "1.0.0").write());
    publish(&t, "public", &t.package("lib/str", "1.0.0").write());
    t.weir_in("", "claim acme user:ann --registry team").succeeds();
    t.weir_in("", "registry upstream add public --registry team --only 'other/*'").succeeds();
    for (name, told) in [
        ("acme/tool", "`acme` belongs to `team`: none of its packages comes from above"),
        ("lib/str", "of `public`, `team` takes only `other/*`"),
    ] {
        t.project(&[&format!("{name} = *")]);
        for typed in ["install".to_owned(), format!("info {name}")] {
            let run = t.weir(&typed).fails_with(5);
            assert_eq!(run.stderr.matches(told).count(), 1, "{run}");
        }
        t.project(&[]);
        let run = t.weir(&format!("add {name}")).fails_with(5);
        assert_eq!(run.stderr.matches(told).count(), 1, "{run}");
    }
}

/// Who patches a package wants to know when its owners have gone on.
#[test]
fn what_is_newer_above_than_what_was_patched_is_told() {
    let t = three();
    publish(&t, "public", &t.package("lib/str", "1.0.0").write());
    t.project(&["lib/str = ^1"]);
    t.weir("install").succeeds();
    t.weir_in("", "registry adopt lib/str").succeeds();
    t.package("lib/str", "1.0.1").file("content.txt", "patched here\n").publish();
    t.weir("update").succeeds();
    let outdated = t.weir("outdated").succeeds().stdout;
    assert!(!outdated.contains("patched"), "{outdated}");
    publish(&t, "public", &t.package("lib/str", "1.5.0").write());
    let outdated = t.weir("outdated").succeeds().stdout;
    assert!(
        outdated.contains(
            "`lib/str` is patched in `laptop`, and the newest that came from `team` is 1.0.0: there it is at 1.5.0 by now"
        ),
        "{outdated}"
    );
    // It is told, and does not come.
    assert!(!t.weir_in("", "info lib/str --registry ./team").succeeds().stdout.contains("1.5.0"));
    let outdated = t.weir("outdated --json").succeeds().stdout;
    assert!(outdated.contains("\"newest\": \"1.5.0\""), "{outdated}");
}

/// Held at the top yesterday, allowed there today: the next who asks at the bottom has it, without anybody doing anything between.
#[test]
fn another_policy_at_the_top_reaches_the_next_ask_at_the_bottom() {
    let t = three();
    t.weir_in("", "registry init world --name world").succeeds();
    t.weir_in("", "registry upstream add world --registry public").succeeds();
    publish(&t, "world", &t.package("lib/str", "1.0.0").license("MIT").write());
    publish(&t, "world", &t.package("lib/str", "1.1.0").license("GPL-3.0-only").write());
    t.weir_in("", "policy set --built-in folder --with licenses --registry ./public").succeeds();
    t.project(&["lib/str = ^1"]);
    t.weir("install").succeeds();
    assert!(
        t.weir("outdated").succeeds().stdout.contains("`lib/str 1.1.0` is held by the rule `license-list`")
    );
    t.weir_in("", "policy set --built-in folder --registry ./public").succeeds();
    t.weir("update").succeeds();
    assert!(t.read("app/weir.lock").contains("1.1.0"));
    for registry in ["laptop", "team", "public"] {
        let held = t.weir_in("", &format!("registry held --registry ./{registry}")).succeeds().stdout;
        assert!(held.contains("Nothing is held"), "{held}");
    }
}

/// Who asks about a package that only a registry further up has is told where it is and which rule would keep it out; nothing comes in for that.
#[test]
fn what_is_only_above_is_told_without_being_admitted() {
    let t = three();
    publish(&t, "public", &t.package("lib/str", "1.0.0").license("MIT").write());
    publish(&t, "public", &t.package("lib/str", "1.1.0").license("GPL-3.0-only").write());
    t.weir_in("", "policy set --built-in folder --with licenses --registry ./team").succeeds();
    t.project(&[]);
    let before = t.weir_in("", "registry show team").succeeds().stdout;
    let told = t.weir_in("", "info lib/str").succeeds().stdout;
    assert!(told.contains("`public`, through `team`: `laptop` does not have it yet"), "{told}");
    assert!(told.contains("would be held by license-list"), "{told}");
    let other = t.weir_in("", "info lib/str@2.0.0").fails_with(5);
    assert!(other.stderr.contains("1.1.0"), "it names those that there are: {other}");
    let offline = t.weir_in("", "info lib/str --offline").fails_with(5);
    assert!(offline.stderr.contains("`laptop` would be asked for what is above it: team"), "{offline}");
    t.weir_in("", "info lib/nothing").fails_with(5);
    let found = t.weir_in("", "search str").succeeds().stdout;
    assert!(found.contains("Nothing found") && found.contains("(`team`) is not searched"), "{found}");
    let told = t.weir_in("", "info lib/str --json").succeeds().stdout;
    assert!(told.contains("\"through\": [\n      \"team\",\n      \"public\""), "{told}");
    assert_eq!(t.weir_in("", "registry show team").succeeds().stdout, before, "nothing came in");
    // What may not come from there is not told of, whoever has it.
    t.weir_in("", "claim lib user:ann").succeeds();
    t.weir_in("", "info lib/str").fails_with(5);
    fs_err::rename(t.path("public"), t.path("away")).unwrap();
    let unreached = t.weir_in("", "info other/str").fails_with(1);
    assert!(unreached.stderr.contains("`team` could not ask above: public:"), "{unreached}");
}

/// The same through servers, which are asked as who has signed in.
#[test]
fn what_is_only_above_a_server_is_told_to_who_has_signed_in() {
    let t = sandbox();
    let public = WeirServer::start(&t, "public-data", &[]);
    t.weir_in("", "registry init public-data/registries/public --name public").succeeds();
    publish(&t, "public-data/registries/public", &t.package("lib/str", "1.0.0").license("MIT").write());
    let team = WeirServer::with_team(&t, &[]);
    t.weir_in("", &format!("registry upstream add {}/public", public.url())).succeeds();
    let told = t.weir_in("", "info lib/str").succeeds().stdout;
    assert!(told.contains("`public`: `team` does not have it yet"), "{told}");
    let url = format!("info lib/str --registry {}/team", team.url());
    let nobody = t.weir_with("", &url, &[("WEIR_HOME", "nobody")]).fails_with(5);
    assert!(nobody.stderr.contains("only who has signed in is answered: `weir login`"), "{nobody}");
}
