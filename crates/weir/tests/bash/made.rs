//! Names that are made when the code runs, and what a package has where it names nothing.

use crate::{bash, library, sandbox, try_bash};

const MADE: &str = "c_red=@V@\ncmd_list() { echo \"ok@V@\"; }\n\
    log.main() { local c n=red; printf -v c 'cmd_%s' list; $c; local ref=\"c_$n\"; echo \"${!ref}\"; }\n";

/// `log` in two versions, each used by one of two libraries; the project uses the first `users` of these.
fn two_logs(users: usize) -> weir_testkit::Sandbox {
    let t = sandbox();
    for version in ["1", "2"] {
        library(&t, "log", &format!("{version}.0.0"), &MADE.replace("@V@", version)).publish();
        library(&t, &format!("u{version}"), "1.0.0", &format!("u{version}.go() {{ log.main; }}\n"))
            .dependency("acme/log", &format!("={version}"))
            .publish();
    }
    let uses = ["acme/u1 = ^1", "acme/u2 = ^1"];
    t.project(&uses[..users]);
    t
}

#[test]
fn a_library_that_makes_names_keeps_them_below_another_and_works_as_it_does_alone() {
    let t = two_logs(1);
    let run = t.weir("install");
    assert!(run.code == 0 && run.stderr.contains("acme/log"), "{run}");
    let report = t.read("app/weir_packages/renamed.txt");
    assert!(report.contains("the name is put together when the code runs"), "{report}");
    t.write("app/main.bash", "eval \"$(weir bash init)\"\nweir.load-all\nu1.go\n");
    assert_eq!(bash(&t, &t.path("app/main.bash")), "ok1\n1\n");
}

#[test]
fn two_versions_of_a_library_that_makes_names_are_refused_with_the_places() {
    let t = two_logs(2);
    let run = t.weir("install");
    assert_ne!(run.code, 0, "{run}");
    for told in ["`acme/log@1.0.0` and `acme/log@2.0.0`", "src/log.sh", "put together", "rename = "] {
        assert!(run.stderr.contains(told), "{run}");
    }
}

#[test]
fn a_check_goes_by_the_packages_own_name_where_there_is_no_slug() {
    let t = sandbox();
    t.package("acme/greet", "1.0.0")
        .kind("bash")
        .manifest("[bash]\nsource = [\"src\"]\n")
        .file("src/greet.sh", "greet.x() { coproc CO { cat; }; wait; }\ngreet.hello() { greet.x; }\n")
        .write();
    let run = t.weir_in("", "bash check packages/acme-greet-1.0.0");
    for told in ["`greet`: the manifest names no slug", "2 definitions and 1 use", "0 places"] {
        assert!(run.code == 0 && run.stdout.contains(told), "{run}");
    }
    for untrue in ["does not begin", "runs when the file is sourced"] {
        assert!(!run.stdout.contains(untrue), "{run}");
    }
}

#[test]
fn to_load_a_package_that_has_nothing_to_load_is_told() {
    let t = sandbox();
    t.package("acme/tool", "1.0.0")
        .kind("bash")
        .manifest("[bash]\nbin = [\"bin\"]\n")
        .program("bin/tool", "#!/usr/bin/env bash\n")
        .publish();
    t.project(&["acme/tool = ^1"]);
    t.weir("install").succeeds();
    t.write("app/main.bash", "eval \"$(weir bash init)\"\nweir.load-all && echo all\nweir.load acme/tool\n");
    let (said, complained, code) = try_bash(&t, &t.path("app/main.bash"));
    assert_eq!((said.as_str(), code), ("all\n", 1), "{complained}");
    assert!(complained.contains("`acme/tool` has nothing to load"), "{complained}");
}

#[test]
fn a_variable_that_is_declared_by_an_eval_is_there_after_loading() {
    let t = sandbox();
    library(
        &t,
        "core",
        "1.0.0",
        "eval 'declare T=1'\neval \"declare -A M=([a]=2)\"\ncore.f() { echo \"$T${M[a]}\"; }\n",
    )
    .publish();
    t.project(&["acme/core = ^1"]);
    t.weir("install").succeeds();
    t.write("app/main.bash", "eval \"$(weir bash init)\"\nweir.load acme/core\ncore.f\necho \"$T\"\n");
    assert_eq!(bash(&t, &t.path("app/main.bash")), "12\n1\n");
}
