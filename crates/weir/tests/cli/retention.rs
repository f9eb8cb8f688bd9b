//! registry retention: what a registry keeps, and what goes.

use serde_json::Value;
use weir_testkit::{Run, Sandbox, WeirServer};

use crate::empty;

fn json_of(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}\n{run}"))
}

/// A registry with five versions of `acme/str`, of which 1.0.0 is yanked and `acme/app` was built with 1.1.0; `acme/any` takes what it
/// finds below 1.3.
fn five() -> Sandbox {
    let t = empty();
    t.registry("org");
    publish(&t, &["1.0.0", "1.1.0"]);
    t.package("acme/app", "1.0.0").dependency("acme/str", "=1.1.0").publish();
    publish(&t, &["1.2.0", "1.3.0", "1.4.0"]);
    t.package("acme/any", "1.0.0").fluid("acme/str", "<1.3").publish();
    t.weir_in("", "yank acme/str@1.0.0").succeeds();
    t
}

fn publish(t: &Sandbox, versions: &[&str]) {
    for version in versions {
        t.package("acme/str", version).file("str.sh", version).publish();
    }
}

#[test]
fn a_dry_run_tells_of_each_release_why_it_stays() {
    let t = five();
    let shown = t.weir_in("", "registry retention show").succeeds();
    assert!(shown.stdout.contains("The registry `org` keeps everything"), "{shown}");
    let refused = t.weir_in("", "registry retention run").fails_with(5);
    assert!(refused.stderr.contains("weir registry retention set"), "{refused}");
    let set = t.weir_in("", "registry retention set --last 1").succeeds();
    assert!(set.stdout.contains("the last 1 of each package and platform"), "{set}");
    let before = t.read("org/checkpoint");
    let told = t.weir_in("", "registry retention run --dry-run").succeeds().stdout;
    let line =
        |version: &str| told.lines().find(|line| line.contains(version)).unwrap_or_default().to_owned();
    for (version, words) in [
        ("acme/str 1.0.0", "goes"),
        ("acme/str 1.1.0", "`acme/app 1.0.0` needs it"),
        ("acme/str 1.2.0", "`acme/any 1.0.0` needs it"),
        ("acme/str 1.3.0", "goes"),
        ("acme/str 1.4.0", "is among the last"),
    ] {
        assert!(line(version).contains(words), "{version}: {told}");
    }
    assert!(told.contains("Would remove 2 releases"), "{told}");
    assert_eq!(t.read("org/checkpoint"), before);
}

#[test]
fn what_goes_is_removed_in_the_log_and_what_is_needed_stays() {
    let t = five();
    t.weir_in("", "registry retention set --last 1").succeeds();
    let ran = t.weir_in("", "registry retention run").succeeds();
    assert!(ran.stdout.contains("Removed 2 releases"), "{ran}");
    let info = json_of(&t.weir_in("", "info acme/str --json").succeeds());
    let versions = |of: &str| -> Vec<String> {
        let of = info["package"][of].as_array().unwrap();
        of.iter().map(|view| view["release"]["version"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(versions("releases"), ["1.4.0", "1.2.0", "1.1.0"]);
    assert_eq!(versions("removed"), ["1.3.0", "1.0.0"]);
    let reason = &info["package"]["removed"][0]["removed"]["reason"];
    assert_eq!(reason, "the registry keeps the last 1 of each package and platform");
    t.weir_in("", "registry verify org").succeeds();
    // Again, there is nothing to do.
    let again = t.weir_in("", "registry retention run").succeeds();
    assert!(again.stdout.contains("Removed 0 releases"), "{again}");
}

#[test]
fn what_is_offered_lately_published_or_quarantined_stays() {
    let t = five();
    t.weir_in("", "quarantine acme/str@1.3.0").succeeds();
    t.weir_in("", "registry retention set --offered").succeeds();
    let gone = |t: &Sandbox| {
        let report = json_of(&t.weir_in("", "registry retention run --dry-run --json").succeeds());
        let all = report["releases"].as_array().unwrap().clone();
        let gone = all.into_iter().filter(|fate| fate["stays"].is_null());
        gone.map(|fate| fate["version"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(gone(&t), ["1.0.0"]);
    t.weir_in("", "registry retention set --days 7").succeeds();
    assert_eq!(gone(&t), [""; 0]);
    let told = t.weir_in("", "registry retention run --dry-run").succeeds();
    assert!(!told.stderr.contains("nobody counts"), "nothing would go: {told}");
}

#[test]
fn what_was_downloaded_from_a_server_stays() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    publish(&t, &["1.0.0", "1.1.0", "1.2.0"]);
    t.weir_in("", "registry retention set --last 1 --days 0").succeeds();
    let going = || {
        let report = json_of(&t.weir_in("", "registry retention run --dry-run --json").succeeds());
        let all = report["releases"].as_array().unwrap().clone();
        let gone = all.into_iter().filter(|fate| fate["stays"].is_null());
        gone.map(|fate| fate["version"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(going(), ["1.0.0", "1.1.0"]);
    // Publishing reads nothing; an install does, where nothing of it is on the machine yet.
    t.project(&["acme/str = =1.0.0"]);
    let elsewhere = [("WEIR_HOME", "other-home"), ("WEIR_STORE", "")];
    let url = format!("{}/team", server.url());
    t.weir_with("app", &format!("--registry {url} install"), &elsewhere).succeeds();
    assert_eq!(going(), ["1.1.0"]);
    t.weir_in("", "registry retention run").succeeds();
    assert_eq!(going(), [""; 0]);
}

/// Readers install and publishers publish while releases are removed and content is collected: nobody meets a hole.
#[test]
fn removing_and_collecting_disturb_neither_readers_nor_publishers() {
    let t = five();
    t.weir_in("", "registry retention set --last 2").succeeds();
    t.project(&["acme/any = ^1", "acme/app = ^1"]);
    let folders: Vec<String> = (5..15)
        .map(|minor| {
            t.package("acme/str", &format!("1.{minor}.0")).file("str.sh", &minor.to_string()).write()
        })
        .collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            folders.iter().for_each(|folder| drop(t.weir_in("", &format!("publish {folder}")).succeeds()));
        });
        scope.spawn(|| {
            for number in 0..6 {
                let home = format!("home-{number}");
                let variables = [("WEIR_HOME", home.as_str()), ("WEIR_STORE", "")];
                let installed = t.weir_with("app", "--registry ../org install", &variables);
                assert_eq!(installed.code, 0, "{installed}");
            }
        });
        for _ in 0..6 {
            let ran = t.weir_in("", "registry retention run");
            assert!(matches!(ran.code, 0 | 1), "{ran}");
            t.weir_in("", "registry gc org --removed-for 0").succeeds();
        }
    });
    t.weir_in("", "registry retention run").succeeds();
    t.weir_in("", "registry gc org --removed-for 0").succeeds();
    let verified = json_of(&t.weir_in("", "registry verify org --json").succeeds());
    assert_eq!(verified["problems"].as_array().unwrap().len(), 0, "{verified}");
    assert!(
        json_of(&t.weir_in("", "info acme/str --json").succeeds())["package"]["removed"]
            .as_array()
            .unwrap()
            .len()
            > 5
    );
}
