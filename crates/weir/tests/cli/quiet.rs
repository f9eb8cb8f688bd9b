//! `-q` says nothing of what was done, and all that was asked for.

use crate::{installed, newer};

#[test]
fn quiet_silences_what_was_done_and_notes_and_nothing_that_was_asked_for() {
    let t = installed();
    newer(&t);
    t.weir("yank acme/str@1.0.0").succeeds();
    assert!(t.weir("audit").stderr.contains("`weir why"), "there is a note to silence");
    let package = t.package("acme/late", "1.0.0").write();
    // Asked for: the same with and without it.
    for typed in [
        "tree",
        "list",
        "why acme/str",
        "outdated",
        "audit",
        "search acme",
        "info acme/str",
        "verify",
        "pack ../packages/acme-late-1.0.0",
        "registry list",
        "registry show org",
        "registry verify org",
        "registry gc org --dry-run",
        "store path",
        "store verify",
        "store gc --dry-run",
        "install --dry-run",
        "update --full --dry-run",
        "lock --dry-run",
        "remove acme/greet --dry-run",
        "publish ../packages/acme-late-1.0.0 --dry-run",
        "unyank acme/str@1.0.0 --dry-run",
        "env",
        "bash init",
        "completions bash",
    ] {
        let (loud, quiet) = (t.weir(typed), t.weir(&format!("{typed} -q")));
        assert_eq!((quiet.stdout.as_str(), quiet.code), (loud.stdout.as_str(), loud.code), "{quiet}");
        assert!(!quiet.stdout.is_empty(), "{quiet}");
        assert_eq!(quiet.stderr, "", "{quiet}");
    }
    // Done: nothing is said.
    for typed in [
        "install",
        "lock",
        "update --full",
        "remove acme/greet",
        "add acme/str",
        "publish ../packages/acme-late-1.0.0",
        "yank acme/late@1.0.0",
        "claim acme user:ann user:bob",
        "init ../new --name acme/new",
        "registry init ../other",
        "registry add other ../other",
        "registry renew org",
        "registry gc org",
        "registry remove other",
        "store optimise",
        "store gc",
        "store repair",
        "man --out ../man",
    ] {
        let run = t.weir(&format!("{typed} -q")).succeeds();
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""), "{run}");
    }
    assert!(!package.is_empty());
    // What fails is told.
    let run = t.weir("info acme/nothing -q").fails_with(5);
    assert!(run.stderr.contains("there is no package"), "{run}");
}
