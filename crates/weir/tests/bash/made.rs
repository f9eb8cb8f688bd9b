//! Names that are made when the code runs, and what a package has where it names nothing.

use crate::{bash, library, sandbox, try_bash};

const MADE: &str = "c_red=@V@\ncmd_list() { echo \"ok@V@\"; }\n\
    log.main() { local c n=red; printf -v c 'cmd_%s' list; $c; local ref=\"c_$n\"; echo \"${!ref}\"; }\n";

/// State and a function that are written nowhere by their names.
const SHARED: &str = "for n in red; do declare -g \"log_$n=@V@\"; eval \"log_say_$n() { echo \\\"\\$1@V@\\\"; }\"; done\n\
    log.main() { log_say_red \"$log_red\"; }\n";

/// `log` in two versions, each used by one of two libraries; the project uses the first `users` of these.
fn two_logs(code: &str, users: usize) -> weir_testkit::Sandbox {
    let t = sandbox();
    for version in ["1", "2"] {
        library(&t, "log", &format!("{version}.0.0"), &code.replace("@V@", version)).publish();
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
    let t = two_logs(MADE, 1);
    let run = t.weir("install");
    assert!(run.code == 0 && run.stderr.contains("acme/log"), "{run}");
    let report = t.read("app/weir_packages/renamed.txt");
    assert!(report.contains("the name is put together when the code runs"), "{report}");
    t.write("app/main.bash", "eval \"$(weir bash init)\"\nweir.load-all\nu1.go\n");
    assert_eq!(bash(&t, &t.path("app/main.bash")), "ok1\n1\n");
}

#[test]
fn two_versions_of_a_library_that_makes_names_are_refused_with_the_places() {
    let t = two_logs(MADE, 2);
    let run = t.weir("install");
    assert_ne!(run.code, 0, "{run}");
    for told in ["`acme/log@1.0.0` and `acme/log@2.0.0`", "src/log.sh", "put together", "rename = "] {
        assert!(run.stderr.contains(told), "{run}");
    }
}

#[test]
fn what_is_made_by_a_name_that_is_written_nowhere_works_in_one_version_and_two_that_share_it_are_refused() {
    let t = two_logs(SHARED, 1);
    t.weir("install").succeeds();
    t.write("app/main.bash", "eval \"$(weir bash init)\"\nweir.load-all\nu1.go\n");
    assert_eq!(bash(&t, &t.path("app/main.bash")), "11\n");
    let run = two_logs(SHARED, 2).weir("install");
    assert_eq!(run.code, 8, "{run}");
    assert!(run.stderr.contains("made by a name that is only known then"), "{run}");
}

#[test]
fn a_setting_of_the_users_reaches_a_library_below_another_however_it_looks_at_it() {
    let t = sandbox();
    let looks = "readonly T_A=${T_A:-none}\nt.go() { ((T_B)) || T_B=4; local c=$T_C; T_C=${c:-none}; echo \"$T_A $T_B $T_C\"; }\n";
    library(&t, "t", "1.0.0", looks).publish();
    library(&t, "u", "1.0.0", "u.go() { t.go; }\n").dependency("acme/t", "^1").publish();
    t.project(&["acme/u = ^1"]);
    t.weir("install").succeeds();
    let main = "T_A=mine T_B=9 T_C=too\neval \"$(weir bash init)\"\nweir.load-all\nu.go\n";
    t.write("app/main.bash", main);
    assert_eq!(bash(&t, &t.path("app/main.bash")), "mine 9 too\n");
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
