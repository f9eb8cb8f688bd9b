//! Two releases of one library in one shell, and what stays true around that.

use crate::{bash, library, sandbox, try_bash, two_cores};

const MAIN: &str = "set -euo pipefail\neval \"$(weir bash init)\"\nweir.load-all\n\
    core.say me hello\nterm.say hello\ncore.say me again\nterm.say again\n";

const SAID: &str = "2: hello for me #1\n1: hello #1\n2: again for me #2\n1: again #2\n";

#[test]
fn each_caller_reaches_its_own_release_and_state_is_apart() {
    let t = two_cores();
    t.write("app/main.bash", MAIN);
    assert_eq!(bash(&t, &t.path("app/main.bash")), SAID);
}

#[test]
fn a_project_that_is_moved_keeps_working() {
    let t = two_cores();
    t.write("app/main.bash", MAIN);
    fs_err::rename(t.path("app"), t.path("it's elsewhere")).unwrap();
    assert_eq!(bash(&t, &t.path("it's elsewhere/main.bash")), SAID);
}

#[test]
fn a_second_install_has_nothing_to_do_and_a_second_project_rewrites_nothing() {
    let t = two_cores();
    assert!(t.weir("install").stdout.starts_with("Nothing to do"));
    let derived = |t: &weir_testkit::Sandbox| {
        let mut made = Vec::new();
        for shard in fs_err::read_dir(t.path("home/weir/store/derived")).unwrap() {
            for entry in fs_err::read_dir(shard.unwrap().path()).unwrap() {
                let entry = entry.unwrap();
                made.push((entry.file_name(), entry.metadata().unwrap().modified().unwrap()));
            }
        }
        made.sort();
        made
    };
    let before = derived(&t);
    assert_eq!(before.len(), 3);
    t.write("other/weir.toml", t.read("app/weir.toml"));
    t.weir_in("other", "install").succeeds();
    assert_eq!(derived(&t), before);
}

#[test]
fn only_what_is_loaded_is_there_and_what_is_not_a_dependency_is_named() {
    let t = two_cores();
    t.write(
        "app/main.bash",
        "eval \"$(weir bash init)\"\nweir.load acme/term\nterm.say x\ntype -t core.say || echo no\nweir.load acme/none\n",
    );
    let (said, complained, code) = try_bash(&t, &t.path("app/main.bash"));
    assert_eq!((said.as_str(), code), ("1: x #1\nno\n", 1));
    assert!(complained.contains("`acme/none` is not a dependency"), "{complained}");
}

#[test]
fn a_syntax_error_in_a_dependency_is_named_and_the_others_load() {
    let t = sandbox();
    let broken = library(&t, "broken", "1.0.0", "broken.f() {\n\techo fine\n}\nif then fi ((\n").publish();
    assert!(broken.stderr.contains("src/broken.sh:4"), "{}", broken.stderr);
    library(&t, "sound", "1.0.0", "sound.f() {\n\techo sound\n}\n").publish();
    t.project(&["acme/broken = ^1", "acme/sound = ^1"]);
    let run = t.weir("install");
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stderr.contains("`acme/broken@1.0.0`: src/broken.sh:4"), "{run}");
    t.write("app/main.bash", "eval \"$(weir bash init)\"\nweir.load-all || echo \"some failed\"\nsound.f\n");
    let (said, complained, _) = try_bash(&t, &t.path("app/main.bash"));
    assert_eq!(said, "some failed\nsound\n");
    assert!(complained.contains("packages/acme/broken@1.0.0/src/broken.sh"), "{complained}");
}

#[test]
fn commands_completions_and_pages_are_where_they_are_looked_for() {
    let t = sandbox();
    t.package("acme/tool", "1.0.0")
        .kind("bash")
        .manifest(
            "[bash]\nslug = \"tool\"\nbin = [\"bin\"]\ncompletion = [\"completions\"]\nman = [\"man\"]\n",
        )
        .program(
            "bin/tool",
            "#!/usr/bin/env bash\neval \"$(weir bash init)\"\nweir.load acme/str\nstr.up \"$1\"\n",
        )
        .file("completions/tool.bash", "complete -W up tool\n")
        .file("man/tool.1", ".TH tool 1\n")
        .dependency("acme/str", "^1")
        .write();
    library(&t, "str", "1.0.0", "str.up() {\n\tprintf '%s\\n' \"${1^^}\"\n}\n").publish();
    t.weir_in("", "publish packages/acme-tool-1.0.0").succeeds();
    t.project(&["acme/tool = ^1"]);
    t.weir("install").succeeds();
    assert!(t.path("app/weir_packages/man/man1/tool.1").is_file());
    assert!(t.path("app/weir_packages/completion/tool.bash").is_file());
    // The project does not depend on `acme/str`; the command's own package does, and is found through the link.
    let weir = std::path::Path::new(env!("CARGO_BIN_EXE_weir")).parent().unwrap();
    let path = format!("{}:{}", weir.display(), std::env::var("PATH").unwrap());
    let run = t.weir_with("app", "run tool loud", &[("PATH", &path)]);
    assert_eq!((run.stdout.as_str(), run.code), ("LOUD\n", 0), "{run}");
}

#[test]
fn a_command_that_two_direct_dependencies_offer_is_refused_with_both_named() {
    let t = sandbox();
    for name in ["acme/one", "acme/two"] {
        t.package(name, "1.0.0")
            .kind("bash")
            .manifest("[bash]\nbin = [\"bin\"]\n")
            .program("bin/same", "#!/usr/bin/env bash\n")
            .publish();
    }
    t.project(&["acme/one = ^1", "acme/two = ^1"]);
    let run = t.weir("install");
    assert_eq!(run.code, 8, "{run}");
    for expected in ["bin/same", "acme/one 1.0.0", "acme/two 1.0.0"] {
        assert!(run.stderr.contains(expected), "{run}");
    }
}

#[test]
fn one_release_is_used_as_each_project_needs_it() {
    let t = two_cores();
    t.write("other/weir.toml", "[dependencies]\n\"acme/core\" = \"^1\"\n\"acme/term\" = \"^1\"\n");
    t.weir_in("other", "install").succeeds();
    let main = "set -eu\neval \"$(weir bash init)\"\nweir.load-all\ncore.say a\nterm.say b\n";
    t.write("other/main.bash", main);
    // Here `core` 1 is a direct dependency, so that both reach the one there is.
    assert_eq!(bash(&t, &t.path("other/main.bash")), "1: a #1\n1: b #2\n");
    t.write("app/main.bash", MAIN);
    assert_eq!(bash(&t, &t.path("app/main.bash")), SAID);
}

#[test]
fn a_folder_that_had_to_be_rewritten_is_rewritten_again_when_only_its_files_change() {
    let t = two_cores();
    library(&t, "near", "1.0.0", "near.say() {\n\tcore.say \"$1\"\n}\n")
        .dependency("acme/core", "^1")
        .write();
    t.write(
        "app/weir.toml",
        "[dependencies]\n\"acme/core\" = \"^2\"\n\"acme/near\" = { path = \"../packages/acme-near-1.0.0\" }\n",
    );
    t.weir("install").succeeds();
    t.write("app/main.bash", "eval \"$(weir bash init)\"\nweir.load-all\nnear.say x\n");
    assert_eq!(bash(&t, &t.path("app/main.bash")), "1: x #1\n");
    assert!(t.weir("install").stdout.starts_with("Nothing to do"));
    let source = "packages/acme-near-1.0.0/src/near.sh";
    t.write(source, "near.say() {\n\tcore.say \"near $1\"\n}\n");
    t.weir("install").succeeds();
    assert_eq!(bash(&t, &t.path("app/main.bash")), "1: near x #1\n");
    t.write("packages/acme-near-1.0.0/src/more.sh", "near.say() {\n\tcore.say more\n}\n");
    fs_err::rename(
        t.path("packages/acme-near-1.0.0/src/more.sh"),
        t.path("packages/acme-near-1.0.0/src/z.sh"),
    )
    .unwrap();
    t.weir("install").succeeds();
    assert_eq!(bash(&t, &t.path("app/main.bash")), "1: more #1\n");
    assert!(t.weir("install").stdout.starts_with("Nothing to do"));
}

#[test]
fn a_command_that_two_packages_below_offer_is_told_with_both_and_the_project_works() {
    let t = sandbox();
    for name in ["one", "two"] {
        t.package(&format!("acme/{name}"), "1.0.0")
            .kind("bash")
            .manifest("[bash]\nbin = [\"bin\"]\n")
            .program("bin/same", &format!("#!/usr/bin/env bash\necho {name}\n"))
            .publish();
    }
    library(&t, "top", "1.0.0", "top.f() {\n\t:\n}\n")
        .dependency("acme/one", "^1")
        .dependency("acme/two", "^1")
        .publish();
    t.project(&["acme/top = ^1"]);
    let run = t.weir("install");
    let told = "`transitive/bin/same` is offered by both `acme/one@1.0.0` and `acme/two@1.0.0`: it is that of `acme/one@1.0.0`";
    assert!(run.code == 0 && run.stderr.contains(told), "{run}");
    assert!(t.read("app/weir_packages/transitive/bin/same").contains("echo one"));
}

#[test]
fn a_publisher_is_told_what_the_manifest_names_in_vain_and_what_it_leaves_out() {
    let t = sandbox();
    let publish = |bash: &str| {
        let folder = t
            .package("acme/odd", "1.0.0")
            .kind("bash")
            .manifest(bash)
            .file("src/a.sh", "odd.f() { :; }\n")
            .write();
        t.weir_in("", &format!("publish --dry-run {folder}")).succeeds().stderr
    };
    assert!(publish("[bash]\n").contains("it offers nothing"));
    assert!(publish("[bash]\nsource = [\"src\"]\n").contains("has no `slug`"));
    let told = publish("[bash]\nslug = \"odd\"\nsource = [\"src\"]\nman = [\"man\"]\n");
    assert!(told.contains("`man` names `man`, which the package does not have"), "{told}");
    assert!(!publish("[bash]\nslug = \"odd\"\nsource = [\"src\"]\n").contains("warning"));
}
