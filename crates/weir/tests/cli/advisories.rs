//! advisory: what is known against releases, in one registry and in those below it.

use serde_json::{Value, json};
use weir_testkit::{Run, Sandbox, WeirServer};

use crate::{empty, installed, newer};

/// A document of OSV on versions of `acme/str`.
fn document(id: &str, events: &Value, beside: &Value) -> String {
    let mut whole = json!({
        "schema_version": "1.6.0", "id": id, "modified": "2026-01-02T03:04:05Z", "aliases": ["CVE-2026-4242"],
        "summary": "trims secrets, too",
        "affected": [{
            "package": {"ecosystem": "Weir", "name": "acme/str"}, "ranges": [{"type": "SEMVER", "events": events}]
        }],
    });
    whole.as_object_mut().expect("an object").extend(beside.as_object().expect("an object").clone());
    whole.to_string()
}

/// One on all before 1.1.0, of high severity.
fn on_the_old(id: &str) -> String {
    let events = json!([{"introduced": "0"}, {"fixed": "1.1.0"}]);
    document(id, &events, &json!({"severity": [{"type": "CVSS_V3", "score": HIGH}]}))
}

const HIGH: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N";

fn json_of(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}\n{run}"))
}

#[test]
fn what_is_imported_is_told_wherever_the_release_is_looked_at() {
    let t = installed();
    newer(&t);
    t.write("ACME-1.json", on_the_old("ACME-1"));
    let says = |run: Run, words: &[&str]| {
        for word in words {
            assert!(run.stdout.contains(word) || run.stderr.contains(word), "{word}: {run}");
        }
    };
    let dry = t.weir_in("", "advisory import ACME-1.json --dry-run").succeeds();
    says(dry, &["Would import 1 advisory into the registry `org`", "`acme/str 1.0.0` is affected by ACME-1"]);
    let imported = t.weir_in("", "advisory import ACME-1.json").succeeds();
    says(
        imported,
        &["Imported 1 advisory into the registry `org`", "`acme/str 1.0.0` is affected by ACME-1"],
    );
    says(
        t.weir_in("", "advisory list").succeeds(),
        &["ACME-1", "high", "acme/str <1.1.0", "trims secrets, too"],
    );
    let shown = t.weir_in("", "advisory show ACME-1").succeeds();
    says(shown, &["severity", "CVE-2026-4242", "acme/str <1.1.0", "`acme/str 1.0.0`"]);
    let audited = t.weir("audit").fails_with(9);
    let sentence =
        "`acme/str 1.0.0` is affected by ACME-1 (CVE-2026-4242), severity high: trims secrets, too";
    says(audited, &[sentence, "mended in 1.1.0", "something is known against 1"]);
    let outdated = t.weir("outdated").succeeds();
    assert!(outdated.stdout.contains("is affected by ACME-1"), "{outdated}");
    let info = t.weir("info acme/str@1.0.0").succeeds();
    assert!(info.stdout.contains("✗ 1.0.0 is affected by ACME-1"), "{info}");
    let info = t.weir("info acme/str@1.1.0").succeeds();
    assert!(info.stdout.contains("ACME-1") && !info.stdout.contains("✗"), "{info}");
    let impact = t.weir("impact acme/str@1.0.0").succeeds();
    assert!(impact.stdout.contains("ACME-1"), "{impact}");
    t.weir_in("", "registry site site").succeeds();
    let pages = std::process::Command::new("grep").args(["-rl", "ACME-1"]).arg(t.path("site")).output();
    let pages = String::from_utf8(pages.expect("`grep` can be run").stdout).expect("it is text");
    assert!(
        pages.contains("acme/str") && pages.contains("acme/str/1.0.0"),
        "also on the release's page: {pages}"
    );
    assert!(!pages.contains("acme/str/1.1.0"), "which mends it: {pages}");
    t.weir_in("", "registry verify org").succeeds();
}

#[test]
fn an_audit_fails_because_of_what_is_bad_enough_and_not_ignored() {
    let t = installed();
    t.write("osv/a.json", on_the_old("ACME-1"));
    t.write("osv/deep/b.json", document("ACME-2", &json!([{"introduced": "5.0.0"}]), &json!({})));
    t.weir_in("", "advisory import osv").succeeds();
    t.weir("audit").fails_with(9);
    t.weir("audit --severity high").fails_with(9);
    t.weir("audit --severity critical").succeeds();
    t.weir("audit --ignore ACME-1").succeeds();
    let told = json_of(&t.weir("audit --json").fails_with(9));
    assert_eq!(told["advised"][0]["name"], "acme/str");
    assert_eq!(told["advised"][0]["advisories"][0]["fixed"], "1.1.0");
    assert_eq!(told["advised"].as_array().unwrap().len(), 1, "{told}");
    // What was withdrawn counts more than what is known, and what was known is told without a network, too.
    t.weir("audit --offline").fails_with(9);
    t.weir_in("", "quarantine acme/str@1.0.0").succeeds();
    t.weir("audit").fails_with(1);
}

#[test]
fn importing_again_changes_what_changed() {
    let t = installed();
    t.write("osv/a.json", on_the_old("ACME-1"));
    t.write("osv/b.json", document("ACME-2", &json!([{"introduced": "0"}]), &json!({})));
    t.write(
        "osv/c.json",
        json!({"id": "NPM-1", "modified": "2026-01-01T00:00:00Z", "affected": [
            {"package": {"ecosystem": "npm", "name": "left-pad"}, "versions": ["1.0.0"]}
        ]})
        .to_string(),
    );
    let first = json_of(&t.weir_in("", "advisory import osv --json").succeeds());
    assert_eq!((&first["imported"], &first["passed-over"]), (&json!(["ACME-1", "ACME-2"]), &json!(1)));
    let records =
        || json_of(&t.weir_in("", "registry show org --json").succeeds())["stats"]["records"].clone();
    let before = records();
    let again = json_of(&t.weir_in("", "advisory import osv --json").succeeds());
    assert_eq!((&again["imported"], &again["unchanged"]), (&json!([]), &json!(2)));
    assert_eq!(records(), before);
    // One that its authors took back affects nothing any more.
    let withdrawn = json!({"withdrawn": "2026-02-01T00:00:00Z", "modified": "2026-02-01T00:00:00Z"});
    t.write("osv/b.json", document("ACME-2", &json!([{"introduced": "0"}]), &withdrawn));
    let changed = json_of(&t.weir_in("", "advisory import osv --json").succeeds());
    assert_eq!(changed["imported"], json!(["ACME-2"]));
    let told = json_of(&t.weir("audit --json").fails_with(9));
    assert_eq!(told["advised"][0]["advisories"].as_array().unwrap().len(), 1, "{told}");
}

#[test]
fn one_that_was_removed_counts_no_more_and_is_kept() {
    let t = installed();
    t.write("a.json", on_the_old("ACME-1"));
    t.weir_in("", "advisory import a.json").succeeds();
    t.weir_in("", "advisory remove ACME-1 --reason not-ours").succeeds();
    t.weir("audit").succeeds();
    assert!(!t.weir_in("", "advisory list").succeeds().stdout.contains("ACME-1"));
    let all = t.weir_in("", "advisory list --all").succeeds();
    assert!(all.stdout.contains("ACME-1") && all.stdout.contains("removed"), "{all}");
    t.weir_in("", "registry verify org").succeeds();
    let unknown = t.weir_in("", "advisory remove ACME-7").fails_with(5);
    assert!(unknown.stderr.contains("the registry knows no advisory `ACME-7`"), "{unknown}");
    let by_alias = t.weir_in("", "advisory show CVE-2026-4242").fails_with(5);
    assert!(by_alias.stderr.contains("did you mean `ACME-1`?"), "{by_alias}");
    t.weir_in("", "advisory import a.json").succeeds();
    t.weir("audit").fails_with(9);
}

#[test]
fn what_cannot_be_understood_imports_nothing() {
    let t = installed();
    t.write("osv/good.json", on_the_old("ACME-1"));
    t.write("osv/deep.json", format!("{{\"database_specific\": {}", "[".repeat(100_000)));
    t.write(
        "osv/many.json",
        document("ACME-3", &json!(vec![json!({"introduced": "1.0.0"}); 5000]), &json!({})),
    );
    t.write("osv/huge.json", vec![b' '; 100 << 20]);
    t.write("osv/version.json", document("ACME-4", &json!([{"introduced": "one"}]), &json!({})));
    let refused = t.weir_in("", "advisory import osv").fails_with(4);
    for words in [
        "4 advisories cannot be understood",
        "deep.json",
        "recursion",
        "104857600 bytes",
        "5000 events",
        "`one`",
    ] {
        assert!(refused.stderr.contains(words), "{words}: {refused}");
    }
    assert!(!t.weir_in("", "advisory list").succeeds().stdout.contains("ACME-1"));
    t.weir_in("", "advisory import nowhere.json").fails_with(5);
}

#[test]
fn a_rule_keeps_out_what_is_known_to_be_bad() {
    let t = empty();
    t.registry("org");
    t.write("a.json", on_the_old("ACME-1"));
    t.weir_in("", "advisory import a.json").succeeds();
    t.weir_in("", "policy set --built-in folder --with no-advisories").succeeds();
    let bad = t.package("acme/str", "1.0.0").write();
    let good = t.package("acme/str", "1.1.0").write();
    let refused = t.weir_in("", &format!("publish {bad}")).fails_with(4);
    let sentence = "an advisory that is known here says that it is affected (policy `no-advisories`)";
    assert!(refused.stderr.contains(sentence), "{refused}");
    t.weir_in("", &format!("publish {good}")).succeeds();
}

/// `public` above `team`, which has `acme/str 1.0.0` from there and says what `public` knows.
fn two() -> Sandbox {
    let t = empty();
    t.weir_in("", "registry init public --name public").succeeds();
    t.registry("team");
    t.weir_in("", "registry upstream add public").succeeds();
    for version in ["1.0.0", "1.1.0"] {
        let package = t.package("acme/str", version).file("str.sh", version).write();
        t.weir_in("", &format!("--registry ./public publish {package}")).succeeds();
    }
    t.project(&["acme/str = =1.0.0"]);
    t
}

#[test]
fn what_is_known_above_is_known_below_with_the_package_and_after_it() {
    let t = two();
    t.write("a.json", on_the_old("ACME-1"));
    t.weir_in("", "--registry ./public advisory import a.json").succeeds();
    // Before anything of the package is here, it is no business of this registry.
    t.weir_in("", "registry upstream follow").succeeds();
    assert!(!t.weir_in("", "advisory list").succeeds().stdout.contains("ACME-1"));
    t.weir("install").succeeds();
    t.weir("audit").fails_with(9);
    t.write("b.json", document("ACME-2", &json!([{"introduced": "0"}]), &json!({})));
    t.weir_in("", "--registry ./public advisory import b.json").succeeds();
    let told = json_of(&t.weir("audit --json").fails_with(9));
    assert_eq!(told["advised"][0]["advisories"].as_array().unwrap().len(), 2, "{told}");
    // The document came, too, and the log says from where.
    let shown = json_of(&t.weir_in("", "advisory show ACME-2 --json").succeeds());
    assert_eq!((&shown["osv"]["id"], &shown["advisory"]["from"]), (&json!("ACME-2"), &json!("public")));
    t.weir_in("", "registry verify team").succeeds();
    // What is decided here stays: above it is told anew, and does not count here.
    t.weir_in("", "advisory remove ACME-2").succeeds();
    t.write("b.json", document("ACME-2", &json!([{"introduced": "0"}]), &json!({"summary": "worse"})));
    t.weir_in("", "--registry ./public advisory import b.json").succeeds();
    t.weir_in("", "registry upstream follow").succeeds();
    let told = json_of(&t.weir("audit --json").fails_with(9));
    assert_eq!(told["advised"][0]["advisories"].as_array().unwrap().len(), 1, "{told}");
    // And what is dismissed above counts no more below.
    t.weir_in("", "--registry ./public advisory remove ACME-1").succeeds();
    t.weir("audit").succeeds();
}

#[test]
fn a_registry_above_neither_speaks_for_another_nor_silences_it() {
    let t = two();
    t.weir_in("", "registry init other --name other").succeeds();
    t.weir_in("", "registry upstream add other").succeeds();
    let package = t.package("lib/log", "1.0.0").write();
    t.weir_in("", &format!("--registry ./other publish {package}")).succeeds();
    t.project(&["acme/str = =1.0.0", "lib/log = ^1"]);
    t.weir("install").succeeds();
    // `other` takes the name of an advisory first, and speaks of what comes from `public` along with its own.
    let about = |name: &str, events: Value| json!({"package": {"ecosystem": "Weir", "name": name}, "ranges": [{"type": "SEMVER", "events": events}]});
    let both = json!([
        about("lib/log", json!([{"introduced": "9.0.0"}])),
        about("acme/str", json!([{"introduced": "0"}]))
    ]);
    t.write("other.json", document("ACME-1", &json!([]), &json!({"affected": both})));
    t.weir_in("", "--registry ./other advisory import other.json").succeeds();
    t.weir("audit").succeeds();
    assert!(t.weir_in("", "advisory list").succeeds().stdout.contains("ACME-1"));
    // What `public` tells by that name counts all the same, and `other` cannot take it back.
    t.write("a.json", on_the_old("ACME-1"));
    t.weir_in("", "--registry ./public advisory import a.json").succeeds();
    let told = json_of(&t.weir("audit --json").fails_with(9));
    assert_eq!(told["advised"].as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(told["advised"][0]["name"], "acme/str", "{told}");
    t.weir_in("", "--registry ./other advisory remove ACME-1").succeeds();
    t.weir("audit").fails_with(9);
    t.weir_in("", "registry verify team").succeeds();
    // Whoever keeps this registry decides about all that is told by that name.
    t.weir_in("", "advisory remove ACME-1").succeeds();
    t.weir("audit").succeeds();
}

#[test]
fn what_is_known_above_keeps_a_release_from_coming_in() {
    let t = two();
    t.write("a.json", on_the_old("ACME-1"));
    t.weir_in("", "--registry ./public advisory import a.json").succeeds();
    t.weir_in("", "policy set --built-in folder --with no-advisories").succeeds();
    let refused = t.weir("install").fails_with(4);
    assert!(refused.stderr.contains("no-advisories"), "{refused}");
    let held = t.weir_in("", "registry held").succeeds();
    assert!(held.stdout.contains("acme/str 1.0.0") && held.stdout.contains("no-advisories"), "{held}");
    t.project(&["acme/str = ^1"]);
    t.weir("install").succeeds();
    // Once it counts no more above, it comes in.
    t.weir_in("", "--registry ./public advisory remove ACME-1").succeeds();
    t.project(&["acme/str = =1.0.0"]);
    t.weir("install").succeeds();
}

#[test]
fn a_late_reader_of_a_snapshot_knows_the_same() {
    let t = installed();
    t.write("a.json", on_the_old("ACME-1"));
    t.weir_in("", "advisory import a.json").succeeds();
    let many: Vec<String> = (0..1100)
        .map(|number| document(&format!("MANY-{number}"), &json!([{"introduced": "9.0.0"}]), &json!({})))
        .collect();
    many.iter().enumerate().for_each(|(number, text)| t.write(format!("many/{number}.json"), text));
    t.weir_in("", "advisory import many").succeeds();
    assert!(fs_err::read_dir(t.path("org/snapshot")).is_ok_and(|found| found.count() > 0));
    let other = [("WEIR_HOME", "other-home")];
    let listed = t.weir_with("", "--registry org advisory list --json", &other).succeeds();
    assert_eq!(json_of(&listed)["advisories"].as_array().unwrap().len(), 1101);
}

#[test]
fn on_a_server_administrators_say_what_is_known() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    t.package("acme/str", "1.0.0").publish();
    t.write("a.json", on_the_old("ACME-1"));
    t.weir_in("", "advisory import a.json").succeeds();
    let listed = t.weir_in("", "advisory list").succeeds();
    assert!(listed.stdout.contains("ACME-1"), "{listed}");
    let shown = json_of(&t.weir_in("", "advisory show ACME-1 --json").succeeds());
    assert_eq!(shown["osv"]["id"], "ACME-1");
    let page = server.ask("GET", "/team/-/packages/acme/str", &[]);
    assert!(page.text().contains("ACME-1"), "{}", page.text());
    t.weir_in("", "advisory remove ACME-1").succeeds();
    assert!(!t.weir_in("", "advisory list").succeeds().stdout.contains("ACME-1"));
}
