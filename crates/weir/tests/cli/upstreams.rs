//! registry upstream: naming the registries above one, in folders and on servers.

use insta::assert_snapshot;
use weir_testkit::{Sandbox, WeirServer};

fn sandbox() -> Sandbox {
    Sandbox::new(env!("CARGO_BIN_EXE_weir"))
}

/// Two registries in folders, `public` and `team`, which is the default one.
fn two() -> Sandbox {
    let t = sandbox();
    t.weir_in("", "registry init public --name public").succeeds();
    t.registry("team");
    t
}

#[test]
fn a_registry_names_the_one_above_it_in_its_log() {
    let t = two();
    assert_snapshot!(t.weir_in("", "registry upstream list"), @r"
    $ weir registry upstream list
    Nothing is above the registry `team`
    ");
    assert_snapshot!(t.weir_in("", "registry upstream add public"), @r"
    $ weir registry upstream add public
    Above the registry `team`, the nearest first:
    public  on-demand  [ROOT]/public
    ");
    assert_snapshot!(t.weir_in("", "registry upstream show public"), @r"
    $ weir registry upstream show public
    public
    above     team
    at        [ROOT]/public
    mode      on-demand: what is asked for is admitted
    key       public+[KEY]
    records   1
    packages  0
    admitted  nothing yet
    ");
    let shown = t.weir_in("", "registry show").succeeds().stdout;
    assert!(shown.contains("public (on-demand)"), "{shown}");
    t.weir_in("", "registry verify").succeeds();
    // The address is beside the log, and whoever reads the log alone is told the name and the key.
    assert!(t.read("team/upstreams.json").contains(&t.path("public").display().to_string()));
    assert!(t.read("team/weir.json").contains("\"upstreams\": [\n    \"public\"\n  ]"));
    t.weir_in("", "registry upstream add public --mode mirror").succeeds();
    let listed = t.weir_in("", "registry upstream list").succeeds().stdout;
    assert!(listed.contains("mirror") && !listed.contains("on-demand"), "{listed}");
    t.weir_in("", "registry upstream remove public").succeeds();
    assert_snapshot!(t.weir_in("", "registry upstream remove public"), @r"
    $ weir registry upstream remove public
    -- stderr
      × the registry `team` has no upstream `public`
      help: `weir registry upstream add FOLDER-OR-ADDRESS` names one
    -- exit code 5
    ");
    assert!(!t.read("team/upstreams.json").contains("public"));
}

#[test]
fn upstreams_have_an_order() {
    let t = two();
    t.weir_in("", "registry init partner --name partner").succeeds();
    t.weir_in("", "registry upstream add public").succeeds();
    t.weir_in("", "registry upstream add partner --first").succeeds();
    let listed = t.weir_in("", "registry upstream list --json").succeeds().stdout;
    let place = |name: &str| listed.find(&format!("\"name\": \"{name}\"")).unwrap();
    assert!(place("partner") < place("public"), "{listed}");
    // Named anew, it stays where it is.
    t.weir_in("", "registry upstream add public --mode mirror").succeeds();
    let listed = t.weir_in("", "registry upstream list --json").succeeds().stdout;
    let place = |name: &str| listed.find(&format!("\"name\": \"{name}\"")).unwrap();
    assert!(place("partner") < place("public"), "{listed}");
}

#[test]
fn of_two_registries_one_is_above_the_other() {
    let t = two();
    t.weir_in("", "registry upstream add public").succeeds();
    assert_snapshot!(t.weir_in("", "registry upstream add team --registry public"), @r"
    $ weir registry upstream add team --registry public
    -- stderr
      × `team` cannot be an upstream of `public`: it names this one as its own upstream, and of two registries one is above the other
    -- exit code 8
    ");
    assert_snapshot!(t.weir_in("", "registry upstream add team"), @r"
    $ weir registry upstream add team
    -- stderr
      × `team` cannot be an upstream of `team`: it has the same name, and no registry is above itself
    -- exit code 8
    ");
}

#[test]
fn three_registries_stand_above_one_another_in_no_circle() {
    let t = two();
    t.weir_in("", "registry init org --name org").succeeds();
    t.weir_in("", "registry upstream add org").succeeds();
    t.weir_in("", "registry upstream add public --registry org").succeeds();
    assert_snapshot!(t.weir_in("", "registry upstream add team --registry public"), @r"
    $ weir registry upstream add team --registry public
    -- stderr
      × `team` cannot be an upstream of `public`: it is below this one itself, through others, and registries stand above one another in no circle
    -- exit code 8
    ");
}

#[test]
fn an_upstream_is_believed_by_the_key_that_the_log_has() {
    let t = two();
    t.weir_in("", "registry upstream add public").succeeds();
    // Another registry of the same name, where the address leads now.
    t.weir_with("", "registry init other --name public", &[("WEIR_HOME", "elsewhere")]).succeeds();
    let text = t.read("team/upstreams.json").replace("/public\"", "/other\"");
    t.write("team/upstreams.json", text);
    let shown = t.weir_in("", "registry upstream show public");
    assert!(shown.stdout.contains("not reached: the registry at"), "{shown}");
    assert!(shown.stdout.contains("is not signed by the key that was given"), "{shown}");
}

#[test]
fn a_served_registry_has_upstreams_too() {
    let t = sandbox();
    let public = WeirServer::start(&t, "public-data", &[]);
    t.weir_in("", "registry init public-data/registries/public --name public").succeeds();
    let team = WeirServer::with_team(&t, &[]);
    let add = format!("registry upstream add {}/public", public.url());
    let added = t.weir_in("", &add).succeeds();
    assert!(added.stdout.contains("Above the registry `team`"), "{added}");
    let shown = t.weir_in("", "registry upstream show public").succeeds().stdout;
    assert!(shown.contains(&format!("{}/public", public.url())), "{shown}");
    // Who has not signed in is told the name, which is in the log, and not where it is.
    let listed = t.weir_with("", "registry upstream list", &[("WEIR_HOME", "nobody")]);
    assert_eq!(listed.code, 5, "{listed}");
    let url = format!("registry upstream list --registry {}/team", team.url());
    let listed = t.weir_with("", &url, &[("WEIR_HOME", "nobody")]).succeeds().stdout;
    assert!(listed.contains("public") && !listed.contains(public.url()), "{listed}");
    let add = format!("{add} --registry {}/team", team.url());
    let refused = t.weir_with("", &add, &[("WEIR_HOME", "nobody")]);
    assert_eq!(refused.code, 4, "{refused}");
    // A server is not led to folders of its machine.
    let refused = t.weir_in("", "registry upstream add public-data/registries/public");
    assert!(refused.stderr.contains("reached by `https://` or `http://`"), "{refused}");
    // One that is not there is not named.
    let refused = t.weir_in("", &format!("registry upstream add {}/nothing", public.url()));
    assert_ne!(refused.code, 0, "{refused}");
    t.weir_in("", "registry upstream remove public").succeeds();
    let activity = t.weir_in("", "activity --json").succeeds().stdout;
    let activity: serde_json::Value = serde_json::from_str(&activity).expect("it is JSON");
    let events = activity["events"].as_array().expect("there are some");
    let of_none: Vec<_> = events
        .iter()
        .filter(|event| event["subject"].as_str().is_some_and(|subject| subject.ends_with("/nothing")))
        .collect();
    assert_eq!(of_none.len(), 1, "{of_none:?}");
    assert_eq!(of_none[0]["done"], false, "{of_none:?}");
    let activity = t.weir_in("", "activity").succeeds().stdout;
    assert!(activity.contains("upstream-added") && activity.contains("upstream-removed"), "{activity}");
}

#[test]
fn of_a_registry_above_some_packages_may_come_and_no_others() {
    let t = two();
    for name in ["lib/str", "lib/term", "acme/tool"] {
        let folder = t.package(name, "1.0.0").write();
        t.weir_in("", &format!("publish {folder} --registry ./public")).succeeds();
    }
    t.weir_in("", "registry upstream add public --only lib/str --only other/*").succeeds();
    let listed = t.weir_in("", "registry upstream list").succeeds().stdout;
    assert!(listed.contains("on-demand, only `other/*`, `lib/str`"), "{listed}");
    t.project(&["lib/str = ^1"]);
    t.weir("install").succeeds();
    for other in ["lib/term", "acme/tool"] {
        let missing = t.weir(&format!("add {other}")).fails_with(5);
        assert!(missing.stderr.contains("of `public`, `team` takes only `other/*`, `lib/str`"), "{missing}");
    }
    // A mirror takes the same part; what is in force is signed, and may be widened.
    t.weir_in("", "registry upstream add public --only lib/* --mode mirror").succeeds();
    let run = t.weir_in("", "registry upstream follow").succeeds();
    assert!(run.stdout.contains("admitted 1 release"), "{run}");
    t.weir("add lib/term").succeeds();
    t.weir_in("", "registry upstream add public").succeeds();
    t.weir("add acme/tool").succeeds();
    t.weir_in("", "registry verify").succeeds();
    let refused = t.weir_in("", "registry upstream add public --only lib").fails_with(2);
    assert!(refused.stderr.contains("owner/name"), "{refused}");
}
