//! Names from elsewhere never become code.

use crate::{bash, library, sandbox};

#[test]
fn a_file_name_with_quotes_and_expansions_is_loaded_and_never_code() {
    let t = sandbox();
    let package = library(&t, "odd", "1.0.0", "odd.a() { echo a; }\n")
        .file("src/$(touch pwned).sh", "odd.b() { echo b; }\n")
        .file("src/a'b; touch pwned; '.sh", "odd.c() { echo c; }\n")
        .file("src/`touch pwned` x.sh", "odd.d() { echo d; }\n")
        .write();
    t.weir_in("", &format!("publish {package}")).succeeds();
    t.project(&["acme/odd = ^1"]);
    t.weir("install").succeeds();
    let main = "cd \"${BASH_SOURCE[0]%/*}\"\neval \"$(weir bash init)\"\nweir.load-all\nodd.a; odd.b; odd.c; odd.d\n";
    t.write("app/main.bash", main);
    assert_eq!(bash(&t, &t.path("app/main.bash")), "a\nb\nc\nd\n");
    assert!(!t.path("app/pwned").exists());
}

#[test]
fn a_manifest_that_reaches_out_of_its_package_is_refused() {
    let t = sandbox();
    for (line, said) in [
        ("source = [\"../other\"]", "is not a path inside the package"),
        ("slug = \"a; touch pwned\"", "is not a letter followed by"),
        ("environment = { LD_PRELOAD = \"x\" }", "may not be set by a package"),
        ("sluug = \"a\"", "did you mean `slug`?"),
    ] {
        let folder = t
            .package("acme/bad", "1.0.0")
            .kind("bash")
            .manifest(&format!("[bash]\n{line}\n"))
            .file("src/a.sh", "a() { :; }\n")
            .write();
        let run = t.weir_in("", &format!("publish {folder}"));
        assert!(run.code != 0 && run.stderr.contains(said), "{run}");
    }
}

#[test]
fn a_record_whose_facts_reach_out_of_the_package_or_into_the_shell_is_refused_before_anything_is_laid_out() {
    let t = sandbox();
    library(&t, "str", "1.0.0", "str.f() { :; }\n").publish();
    t.project(&["acme/str = ^1"]);
    t.weir("lock").succeeds();
    // What a registry says of a package is in the lockfile: whoever writes one of them is taken for an enemy.
    let lock = t.read("app/weir.lock");
    let facts = lock.lines().find(|line| line.contains("src/str.sh")).unwrap();
    for (from, to) in [
        ("src/str.sh", "../../../../home/secret.sh"),
        ("src/str.sh", "/etc/profile"),
        ("src/str.sh", "src/a\\u001eb.sh"),
        ("\"str\"", "\"str;touch pwned\""),
    ] {
        let hostile = facts.replace(from, to);
        assert_ne!(facts, hostile, "{from}");
        t.write("app/weir.lock", lock.replace(facts, &hostile));
        let run = t.weir("install --locked");
        assert!(run.code != 0 && !run.stdout.contains("Installed"), "{run}");
        assert!(!t.path("app/weir_packages/packages").exists(), "{run}");
    }
}

/// A clone can hold anything under the names that commands look for.
#[test]
fn options_of_a_suite_and_the_script_of_a_bundle_are_read_only_if_they_are_files() {
    let t = sandbox();
    library(&t, "str", "1.0.0", "str.f() { :; }\n").publish();
    t.project(&["acme/str = ^1"]);
    t.weir("install").succeeds();
    let pipe = |path: &std::path::Path| {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    };
    let device = |path: &std::path::Path| fs_err::os::unix::fs::symlink("/dev/zero", path).unwrap();
    let huge = |path: &std::path::Path| {
        fs_err::File::create(path).unwrap().file().set_len(3 << 30).unwrap();
    };
    for (file, command) in [(".shellspec", "test"), ("main.bash", "bash bundle main.bash -o ../tool")] {
        for put in [&pipe as &dyn Fn(&std::path::Path), &device, &huge] {
            let path = t.path(format!("app/{file}"));
            put(&path);
            let run = t.weir(command).fails_with(4);
            assert!(run.stderr.contains(file), "{run}");
            fs_err::remove_file(&path).unwrap();
        }
    }
}
