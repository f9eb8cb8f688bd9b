//! The package site of Elm as a registry above: a stand-in of ours, honest and otherwise.

use std::process::Command;

use weir_testkit::{Sandbox, StaticServer, WeirServer};

use crate::online::elm;
use crate::protocol::zipped;
use crate::{application, copy_set, make, manifest, package, uses_str};

/// A stand-in of the package site, as files: lists, documents, and archives as GitHub makes them of a whole repository.
struct PackageSite {
    server: StaticServer,
    told: Vec<String>,
}

impl PackageSite {
    /// One with Elm's core and JSON packages, in the folder `site`.
    fn new(t: &Sandbox) -> Self {
        copy_set(t);
        fs_err::create_dir_all(t.path("site")).unwrap();
        let server = StaticServer::serve(t.path("site")).unwrap();
        let mut site = Self { server, told: Vec::new() };
        site.publish(t, "core", "elm/core", "1.0.5", 1_581_000_000);
        site.publish(t, "json", "elm/json", "1.1.3", 1_581_000_001);
        site
    }

    /// Has it show the package in a folder.
    fn publish(&mut self, t: &Sandbox, folder: &str, name: &str, version: &str, at: i64) {
        let place = format!("site/packages/{name}/{version}");
        t.write(format!("{place}/elm.json"), t.read(format!("{folder}/elm.json")));
        t.write(format!("{place}/README.md"), t.read(format!("{folder}/README.md")));
        t.write(format!("{place}/docs.json"), "[]");
        t.write(format!("{folder}/.env"), "SECRET=1\n");
        t.write(format!("{folder}/tests/Test.elm"), "module Test exposing (..)\n");
        // What the compiler does not unpack may have any name.
        t.write(format!("{folder}/tests/fixtures/a:b?.json"), "{}");
        self.archive(t, name, version, &zipped(t, folder, "top/weir.toml"));
        self.told.push(format!("{name}@{version}"));
        let known = fs_err::read_to_string(t.path(format!("site/packages/{name}/releases.json")));
        let mut times: serde_json::Value =
            known.map_or(serde_json::json!({}), |text| serde_json::from_str(&text).unwrap());
        times[version] = at.into();
        t.write(format!("site/packages/{name}/releases.json"), times.to_string());
        self.list(t);
    }

    /// Has it show an archive of a release.
    fn archive(&self, t: &Sandbox, name: &str, version: &str, bytes: &[u8]) {
        let path = format!("archives/{name}/{version}.zip");
        t.write(format!("site/{path}"), bytes);
        let sha1 = Command::new("sha1sum").arg(t.path(format!("site/{path}"))).output().unwrap().stdout;
        let sha1 = String::from_utf8(sha1).unwrap().chars().take(40).collect::<String>();
        let endpoint = serde_json::json!({ "url": format!("{}/{path}", self.server.url()), "hash": sha1 });
        t.write(format!("site/packages/{name}/{version}/endpoint.json"), endpoint.to_string());
    }

    /// Writes its lists anew.
    fn list(&self, t: &Sandbox) {
        for count in 0..=self.told.len() {
            let newest_first: Vec<&String> = self.told[count..].iter().rev().collect();
            t.write(
                format!("site/all-packages/since/{count}"),
                serde_json::to_string(&newest_first).unwrap(),
            );
        }
    }

    fn address(&self) -> String {
        format!("elm+{}", self.server.url())
    }

    /// How often a path was asked for that ends so.
    fn asked(&self, end: &str) -> usize {
        self.server.seen().iter().filter(|seen| seen.path.ends_with(end)).count()
    }
}

/// `acme/str` in the folder `str`, with a function from texts to texts.
fn texts(t: &Sandbox, version: &str, function: &str) {
    let module = format!(
        "module Str exposing ({function})\n\n{{-| Texts.\n\n@docs {function}\n\n-}}\n\n\n{{-| -}}\n{function} : String -> String\n{function} text =\n    text\n"
    );
    package(t, "str", version, &[], &module);
}

/// A registry below a package site that has `acme/str` 1.0.0 and 1.1.0, and an application.
fn below() -> (Sandbox, PackageSite) {
    let t = Sandbox::new(env!("CARGO_BIN_EXE_weir"));
    t.registry("org");
    let mut site = PackageSite::new(&t);
    texts(&t, "1.0.0", "trim");
    site.publish(&t, "str", "acme/str", "1.0.0", 1_600_000_000);
    texts(&t, "1.1.0", "trim");
    site.publish(&t, "str", "acme/str", "1.1.0", 1_600_000_500);
    t.weir_in("", &format!("registry upstream add {}", site.address())).succeeds();
    let compiler = crate::compiler();
    application(&t, &crate::version(&compiler));
    (t, site)
}

#[test]
fn an_application_is_built_from_what_the_package_site_has_and_again_without_it() {
    let (t, site) = below();
    assert_eq!(site.asked(".zip"), 0, "who only names it fetches nothing");
    t.weir("install").succeeds();
    t.weir("add acme/str@=1.0.0").succeeds();
    uses_str(&t, "trim", "\"a\"");
    make(&t).succeeds();
    assert_eq!(site.asked("str/1.1.0.zip"), 0, "only what is used is fetched");

    // The release says where it was taken from, and when it was published there.
    let info = t.weir_in("", "info acme/str@1.0.0 --json").succeeds().stdout;
    let said: serde_json::Value = serde_json::from_str(&info).unwrap();
    let text = said.to_string();
    assert!(text.contains("\"sha1\":\"") && text.contains("archives/acme/str/1.0.0.zip"), "{info}");
    let transcript = fs_err::read_dir(t.path("org/.transcripts")).unwrap().next().unwrap().unwrap().path();
    let typed = format!("--registry {} info acme/str@1.0.0 --json", transcript.display());
    let written = t.weir_in("", &typed).succeeds().stdout;
    assert!(written.contains("2020-09-13T12:26:40Z"), "{written}");
    let files = t.path("app/weir_packages/elm/acme/str");
    let mut there: Vec<String> = fs_err::read_dir(files)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort();
    assert_eq!(
        there,
        ["README.md", "docs.json", "elm.json", "src"],
        "and no secrets, tests or manifests of others"
    );

    let shown = t.weir_in("", "registry upstream show 127.0.0.1").succeeds().stdout;
    assert!(shown.contains("elm+http://127.0.0.1") && shown.contains("nobody signs for it"), "{shown}");
    let verified = t.weir_in("", "registry verify org --content").succeeds().stdout;
    assert!(verified.contains("Admitted from above as it came, unsigned: `127.0.0.1`"), "{verified}");

    // The site is gone, the store too: all of it comes from the registry.
    let asked = site.server.seen().len();
    fs_err::rename(t.path("site"), t.path("site-away")).unwrap();
    for there in ["app/weir_packages", "app/elm-stuff", "home/weir/store"] {
        fs_err::rename(t.path(there), t.path(there.replace('/', "-"))).unwrap();
    }
    t.weir("install --locked").succeeds();
    make(&t).succeeds();
    assert_eq!(site.server.seen().len(), asked, "a lockfile that fits asks nobody");
    // What was never fetched is told to be out of reach, not to be missing.
    let run = t.weir("add acme/other");
    assert!(run.code != 0 && run.stderr.contains("all-packages/since"), "{run}");
    t.weir("add acme/other --offline").fails_with(5);
}

#[test]
fn what_was_taken_once_stays_whatever_the_site_says_then() {
    let (t, site) = below();
    t.weir("add acme/str@=1.0.0").succeeds();
    let tree = t.read("app/weir.lock");
    // Other sources under the same version.
    texts(&t, "1.0.0", "steal");
    site.archive(&t, "acme/str", "1.0.0", &zipped(&t, "str", ""));
    fs_err::remove_file(t.path("app/weir.lock")).unwrap();
    t.weir("install").succeeds();
    assert_eq!(t.read("app/weir.lock"), tree);

    // An archive that is not what the site says.
    t.write("site/archives/acme/str/1.1.0.zip", "other bytes");
    let run = t.weir("update acme/str");
    assert!(run.stderr.contains("it is not what was published"), "{run}");
    let run = t.weir_in("", "info acme/str").succeeds();
    assert!(!run.stdout.contains("1.1.0"), "{run}");
    // One whose package is another than the one that was shown.
    texts(&t, "1.1.0", "other");
    t.write("str/elm.json", t.read("str/elm.json").replace("\"MIT\"", "\"BSD-3-Clause\""));
    site.archive(&t, "acme/str", "1.1.0", &zipped(&t, "str", ""));
    let run = t.weir("update acme/str");
    assert!(run.stderr.contains("says something else than the one that is shown"), "{run}");
    // One that is somewhere that only this machine reaches.
    let endpoint = serde_json::json!({ "url": "http://localhost:1/x.zip", "hash": "0".repeat(40) });
    t.write("site/packages/acme/str/1.1.0/endpoint.json", endpoint.to_string());
    let run = t.weir("update acme/str");
    assert!(run.stderr.contains("over `https` from a host with a name"), "{run}");
    assert!(manifest(&t).contains("\"acme/str\":\"1.0.0\""));
    t.weir_in("", "registry verify org").succeeds();
}

#[test]
fn a_site_that_forgets_or_reorders_releases_is_not_believed_until_somebody_says_so() {
    let (t, mut site) = below();
    t.weir("add acme/str@=1.0.0").succeeds();
    let last = site.told.pop().unwrap();
    fs_err::remove_dir_all(t.path("site/all-packages")).unwrap();
    t.write("site/all-packages/since/3", "[]");
    let run = t.weir_in("", "registry upstream follow").fails_with(6);
    assert!(run.stderr.contains("it has fewer than the 4 releases that it had"), "{run}");
    site.told.push("acme/evil@1.0.0".into());
    site.list(&t);
    let run = t.weir_in("", "registry upstream follow").fails_with(6);
    assert!(run.stderr.contains(&format!("its release 4 was `{last}`")), "{run}");
    assert!(run.stderr.contains("name it once more"), "{run}");
    t.weir_in("", &format!("registry upstream add {}", site.address())).succeeds();
    t.weir_in("", "registry upstream follow").succeeds();
    t.weir_in("", "info acme/str@1.0.0").succeeds();
}

#[test]
fn what_a_rule_keeps_out_is_held_and_what_would_do_comes_in_its_place() {
    let (t, mut site) = below();
    t.weir_in("", "policy set --built-in folder --with cooldown").succeeds();
    texts(&t, "1.2.0", "trim");
    // Published just now, by the word of the site.
    site.publish(&t, "str", "acme/str", "1.2.0", 4_000_000_000);
    let run = t.weir("add acme/str").succeeds();
    assert!(manifest(&t).contains("\"acme/str\":\"1.1.0\""), "{run}");
    let held = t.weir_in("", "registry held").succeeds().stdout;
    assert!(held.contains("acme/str 1.2.0") && held.contains("cooldown"), "{held}");
    make(&t).succeeds();
}

#[test]
fn a_mirror_takes_all_of_it_and_goes_on_where_it_was_interrupted() {
    let (t, mut site) = below();
    t.weir_in("", &format!("registry upstream add {} --mode mirror", site.address())).succeeds();
    let broken = "site/archives/acme/str/1.1.0.zip";
    let good = fs_err::read(t.path(broken)).unwrap();
    t.write(broken, "half");
    // One that cannot be used keeps no other out.
    let run = t.weir_in("", "registry upstream follow").fails_with(6);
    assert!(run.stdout.contains("admitted 3 releases") && run.stderr.contains("acme/str 1.1.0"), "{run}");
    t.write(broken, good);
    let run = t.weir_in("", "registry upstream follow --content").succeeds();
    assert!(run.stdout.contains("admitted 1 release,"), "{run}");
    texts(&t, "2.0.0", "other");
    site.publish(&t, "str", "acme/str", "2.0.0", 1_600_001_000);
    let fetched = site.asked(".zip");
    let run = t.weir_in("", "registry upstream follow").succeeds();
    assert!(run.stdout.contains("admitted 1 release"), "{run}");
    assert_eq!(site.asked(".zip"), fetched + 1);
}

#[test]
fn a_server_has_the_package_site_above_it_and_elms_own_tools_see_what_came() {
    let t = Sandbox::new(env!("CARGO_BIN_EXE_weir"));
    let server = WeirServer::with_team(&t, &[]);
    let mut site = PackageSite::new(&t);
    texts(&t, "1.0.0", "trim");
    site.publish(&t, "str", "acme/str", "1.0.0", 1_600_000_000);
    t.weir_in("", &format!("registry upstream add {}", site.address())).succeeds();
    let listed = t.weir_in("", "registry upstream list").succeeds().stdout;
    assert!(listed.contains(&site.address()), "{listed}");
    application(&t, &crate::version(&crate::compiler()));
    t.weir("add acme/str").succeeds();
    uses_str(&t, "trim", "\"a\"");
    make(&t).succeeds();
    let told = server.ask("GET", "/team/elm/0.19.1/all-packages/since/0", &[]).text();
    assert!(told.contains("acme/str@1.0.0") && told.contains("elm/core@1.0.5"), "{told}");
    assert_eq!(server.ask("GET", "/team/.transcripts", &[]).status, 404);
}

#[test]
fn elm_install_is_shown_what_it_may_take_of_the_site_and_that_comes() {
    let (t, site) = below();
    let run = elm(&t, "app", "install acme/str").succeeds();
    assert!(manifest(&t).contains("\"acme/str\":\"1.1.0\""), "{run}");
    assert_eq!(site.asked("str/1.0.0.zip"), 0, "what the compiler only could have taken is not fetched");
    uses_str(&t, "trim", "\"a\"");
    make(&t).succeeds();
    // What is kept out here does not come for the compiler either, which takes what would do.
    let (t, mut site) = below();
    t.weir_in("", "policy set --built-in folder --with cooldown").succeeds();
    texts(&t, "1.2.0", "trim");
    site.publish(&t, "str", "acme/str", "1.2.0", 4_000_000_000);
    let run = elm(&t, "app", "install acme/str").succeeds();
    assert!(manifest(&t).contains("\"acme/str\":\"1.1.0\""), "{run}");
}

#[test]
fn of_a_site_an_owner_or_a_package_may_be_all_that_comes() {
    let (t, mut site) = below();
    let loud = "module Loud exposing (a)\n\n{-| A.\n\n@docs a\n\n-}\n\nimport Str\n\n\n{-| -}\na : String\na =\n    Str.trim \"a\"\n";
    package(&t, "loud", "1.0.0", &[("acme/str", "1.0.0 <= v < 2.0.0")], loud);
    site.publish(&t, "loud", "acme/loud", "1.0.0", 1_600_000_600);
    let add = format!("registry upstream add {}", site.address());
    t.weir_in("", &format!("{add} --only elm/* --only acme/loud")).succeeds();
    let listed = t.weir_in("", "registry upstream list").succeeds().stdout;
    assert!(listed.contains("on-demand, only `elm/*`, `acme/loud`"), "{listed}");
    let shown = t.weir_in("", "registry upstream show 127.0.0.1 --json").succeeds().stdout;
    assert!(shown.contains("\"acme/loud\""), "{shown}");
    t.weir("install").succeeds();
    // What is not taken is as if it were not there, and whoever misses it is told why.
    let missing = t.weir("add acme/str").fails_with(5);
    assert!(missing.stderr.contains("`org` takes only `elm/*`, `acme/loud`"), "{missing}");
    let missing = t.weir("add acme/loud");
    assert!(missing.code != 0 && missing.stderr.contains("takes only"), "{missing}");
    assert_eq!(site.asked("acme/str/1.1.0/elm.json") + site.asked("str/1.1.0.zip"), 0);
    // Once it is taken as well, it comes; and a mirror of an owner is that owner alone.
    t.weir_in("", &format!("{add} --only elm/* --only acme/*")).succeeds();
    t.weir("add acme/loud").succeeds();
    t.weir_in("", "registry init other --name other").succeeds();
    t.weir_in("", &format!("{add} --only elm/* --mode mirror --registry ./other")).succeeds();
    let run = t.weir_in("", "registry upstream follow --registry ./other").succeeds();
    assert!(run.stdout.contains("admitted 2 releases"), "{run}");
}

#[test]
fn what_would_close_a_circle_does_not_come_in_from_above() {
    let (t, mut site) = below();
    let module = |name: &str| {
        format!(
            "module {name} exposing (a)\n\n{{-| A.\n\n@docs a\n\n-}}\n\n\n{{-| -}}\na : Int\na =\n    1\n"
        )
    };
    let mut publish = |folder: &str, version: &str, needs: &[(&str, &str)], at: i64| {
        package(&t, folder, version, needs, &module(if folder == "one" { "One" } else { "Two" }));
        site.publish(&t, folder, &format!("acme/{folder}"), version, at);
    };
    publish("two", "1.0.0", &[], 1_600_001_000);
    publish("one", "1.0.0", &[("acme/two", "1.0.0 <= v < 2.0.0")], 1_600_002_000);
    // Elm's site cannot see it, and its compiler never ends on it.
    publish("two", "1.1.0", &[("acme/one", "1.0.0 <= v < 2.0.0")], 1_600_003_000);
    elm(&t, "app", "install acme/one").succeeds();
    assert!(manifest(&t).contains("\"acme/two\":\"1.0.0\""), "{}", manifest(&t));
    make(&t).succeeds();
    let told = t.weir("update").succeeds().stderr;
    assert!(told.contains("`acme/two 1.1.0` is not taken") && told.contains("need one another"), "{told}");
    // Somebody ends the circle: what closed it comes.
    publish("one", "1.1.0", &[], 1_600_004_000);
    t.weir("update").succeeds();
    t.weir("add acme/two").succeeds();
    assert!(manifest(&t).contains("\"acme/two\":\"1.1.0\""), "{}", manifest(&t));
    make(&t).succeeds();
}

#[test]
fn what_something_needs_may_be_younger_than_it_and_what_cannot_be_read_is_passed_over() {
    let (t, mut site) = below();
    let loud = "module Loud exposing (a)\n\n{-| A.\n\n@docs a\n\n-}\n\nimport Str\n\n\n{-| -}\na : String\na =\n    Str.trim \"a\"\n";
    package(&t, "loud", "1.0.0", &[("acme/str", "1.0.0 <= v < 2.0.0")], loud);
    site.publish(&t, "loud", "acme/loud", "1.0.0", 1_600_000_600);
    texts(&t, "1.3.0", "trim");
    site.publish(&t, "str", "acme/str", "1.3.0", 1_600_000_700);
    // As what was published for older compilers: there is no `elm.json`.
    texts(&t, "1.4.0", "trim");
    site.publish(&t, "str", "acme/str", "1.4.0", 1_600_000_800);
    fs_err::remove_file(t.path("site/packages/acme/str/1.4.0/elm.json")).unwrap();
    let run = t.weir("add acme/loud").succeeds();
    assert!(manifest(&t).contains("\"acme/str\":\"1.3.0\""), "{run}{}", manifest(&t));
    make(&t).succeeds();
    // In the place of what is gone the next best comes.
    texts(&t, "1.3.5", "trim");
    site.publish(&t, "str", "acme/str", "1.3.5", 1_600_000_850);
    fs_err::remove_file(t.path("site/archives/acme/str/1.3.5.zip")).unwrap();
    let run = t.weir("update").succeeds();
    assert!(run.stderr.contains("`acme/str 1.3.5` is not to be had"), "{run}");
    assert!(manifest(&t).contains("\"acme/str\":\"1.3.0\""), "{}", manifest(&t));
    // A mirror tells what it cannot have, and has the rest.
    package(
        &t,
        "lost",
        "1.0.0",
        &[("acme/gone", "1.0.0 <= v < 2.0.0")],
        "module Lost exposing (a)\n\na : Int\na =\n    1\n",
    );
    site.publish(&t, "lost", "acme/lost", "1.0.0", 1_600_000_900);
    t.weir_in("", &format!("registry upstream add {} --mode mirror", site.address())).succeeds();
    package(&t, "old", "1.0.0", &[], "module Old exposing (a)\n\na : Int\na =\n    1\n");
    t.write("old/elm.json", t.read("old/elm.json").replace("0.19.0 <= v < 0.20.0", "0.18.0 <= v < 0.19.0"));
    site.publish(&t, "old", "acme/old", "1.0.0", 1_500_000_000);
    // Its repository was deleted.
    texts(&t, "1.5.0", "trim");
    site.publish(&t, "str", "acme/str", "1.5.0", 1_600_000_950);
    fs_err::remove_file(t.path("site/archives/acme/str/1.5.0.zip")).unwrap();
    let run = t.weir_in("", "registry upstream follow").succeeds();
    assert!(run.stdout.contains("admitted 2 releases"), "{run}");
    assert!(run.stderr.contains("`acme/str 1.5.0` is not to be had"), "{run}");
    assert!(run.stderr.contains("1 of the releases of") && run.stderr.contains("before 0.19.0"), "{run}");
    assert_eq!(site.asked("old/1.0.0.zip"), 0);
    // Who asks for one of them is told why it does not come.
    t.weir_in("", &format!("registry upstream add {} --mode on-demand", site.address())).succeeds();
    for (name, why) in [
        ("acme/old", "for compilers before 0.19.0"),
        ("acme/lost", "it needs `acme/gone` 1.0.0 <= v < 2.0.0, of which nothing is there"),
    ] {
        let missing = t.weir(&format!("add {name}")).fails_with(5);
        assert_eq!(missing.stderr.matches(why).count(), 1, "once: {missing}");
    }
    // What was tampered with is not replaced by something else: whoever asks is to know.
    for version in ["1.0.0", "1.1.0"] {
        package(&t, "bad", version, &[], "module Bad exposing (a)\n\na : Int\na =\n    1\n");
        site.publish(&t, "bad", "acme/bad", version, 1_600_000_960);
    }
    let other = fs_err::read(t.path("site/archives/acme/loud/1.0.0.zip")).unwrap();
    t.write("site/archives/acme/bad/1.1.0.zip", other);
    let refused = t.weir("add acme/bad").fails_with(6);
    assert!(refused.stderr.contains("SHA-1"), "{refused}");
    t.weir_in("", &format!("registry upstream add {} --mode mirror", site.address())).succeeds();
    // What is said of it is none: then it is only not to be had.
    t.write("site/packages/acme/bad/1.1.0/endpoint.json", "none");
    assert!(
        run.stderr.contains("`acme/lost 1.0.0`")
            && run.stderr.contains("needs `acme/gone` 1.0.0 <= v < 2.0.0"),
        "{run}"
    );
    assert!(run.stderr.contains("acme/str 1.4.0") && run.stderr.contains("no `elm.json`"), "{run}");
    let fetched = site.asked("lost/1.0.0.zip");
    t.weir_in("", "registry upstream follow").succeeds();
    assert_eq!(site.asked("lost/1.0.0.zip"), fetched, "what lacks something is not fetched again");
    // What is gone, and nothing worse, is told and is no failure.
    t.write(
        "site/packages/acme/str/1.4.0/elm.json",
        t.read("site/packages/acme/str/1.3.0/elm.json").replace("1.3.0", "1.4.0"),
    );
    let run = t.weir_in("", "registry upstream follow").succeeds();
    assert!(run.stdout.contains("admitted 1 release,") && run.stderr.contains("acme/str 1.5.0"), "{run}");
}
