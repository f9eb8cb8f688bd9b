//! `--json` is a contract: each command prints one document, which the published schema describes. The testkit looks at
//! whatever any test has printed; here each command prints something once, and once the opposite.

use crate::{empty, greeting, installed, newer};

/// Runs commands that must print a document. Whether the schema describes it is looked at where they are run.
#[track_caller]
fn print(t: &weir_testkit::Sandbox, folder: &str, commands: &[&str]) {
    for typed in commands {
        let run = t.weir_in(folder, &format!("{typed} --json"));
        let document: Result<serde_json::Value, _> = serde_json::from_str(&run.stdout);
        let document = document.unwrap_or_else(|error| panic!("{error}: {run}"));
        assert!(document.is_object(), "{run}");
        assert!(document.get("error").is_none(), "{run}");
    }
}

#[test]
fn commands_of_projects_print_documents() {
    let t = installed();
    newer(&t);
    print(
        &t,
        "app",
        &[
            "install",
            "install --dry-run",
            "lock",
            "env",
            "tree",
            "list",
            "why acme/str",
            "outdated",
            "audit",
            "search acme",
            "search nothing",
            "info acme/str",
            "info acme/greet@1.0.0",
            "verify",
            "update --dry-run --full",
            "update acme/str",
            "remove acme/greet --dry-run",
            "add acme/str@^2 --dry-run",
            "update --full",
            "remove acme/greet",
            "bash init",
            "completions bash",
            "man install",
            "man --out ../man",
            "store path",
            "store list",
            "store verify",
            "store repair",
            "store optimise",
            "store gc --dry-run",
            "store export ../app.weir",
            "store import ../app.weir",
            "store gc --unused-for 0",
            "root show",
        ],
    );
}

#[test]
fn commands_of_publishers_and_keepers_print_documents() {
    let t = greeting();
    let late = t.package("acme/late", "1.0.0").dependency("acme/str", "^1").write();
    let script = t.package("acme/sh", "1.0.0").kind("bash").file("src/sh.sh", "sh.do() { x=1; }\n").write();
    t.write("changes.toml", "yank = [{ name = \"acme/str\", version = \"1.0.0\" }]\n");
    t.write("tool/file", "x\n");
    let packed =
        std::process::Command::new("tar").args(["-czf", "tool.tgz", "tool"]).current_dir(t.path("")).status();
    assert!(packed.expect("tar runs").success());
    print(
        &t,
        "",
        &[
            "init new --name acme/new",
            &format!("pack {late}"),
            &format!("pack {late} --out late.zst"),
            &format!("publish {late} --dry-run"),
            &format!("publish {late}"),
            &format!("publish {late}"),
            &format!("bash check {script}"),
            "import tool.tgz --name acme/tool --set-version 1.0.0 --into imported",
            "batch changes.toml --dry-run",
            "batch changes.toml",
            "yank acme/str@1.0.0",
            "unyank acme/str@1.0.0 --dry-run",
            "unyank acme/str@1.0.0",
            "quarantine acme/late@1.0.0 --reason bad --advisory https://advisories.example/7",
            "info acme/late",
            "unquarantine acme/late@1.0.0",
            "unpublish acme/late@1.0.0",
            "info acme/str",
            "claim acme user:ann user:bob --dry-run",
            "claim acme user:ann user:bob",
            "registry init other",
            "registry add other other",
            "registry list",
            "registry show org",
            "registry verify org",
            "registry gc org --dry-run --removed-for 0",
            "registry gc org --removed-for 0",
            "registry renew org",
            "registry rotate-key org --yes",
            "registry show org",
            "registry remove other",
        ],
    );
    fs_err::rename(t.path("org"), t.path("moved")).expect("it is ours");
    print(&t, "", &["registry bind ./moved --yes"]);
}

#[test]
fn failures_are_documents_whatever_fails() {
    let t = empty();
    for typed in [
        "install",
        "instal",
        "add",
        "tree --depth x",
        "yank acme/str",
        "registry",
        "run x",
        "test",
        "man nothing",
    ] {
        let run = t.weir(&format!("--json {typed}"));
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_default();
        assert_eq!(document["error"]["exit"], run.code, "{run}");
        assert!(run.code > 0, "{run}");
    }
}
