//! `weir root`: systems to build in that are small, odd, or not what they seem.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use weir_testkit::Sandbox;

use crate::recipes::{recipe_set, weir};

/// A root with a shell and nothing else, laid out as systems are today, or as they were before `/bin` became a link.
fn root_with_a_shell(t: &Sandbox, name: &str, merged: bool) {
    let root = t.path(name);
    let shell = fs_err::canonicalize("/bin/sh").unwrap();
    let usr = if merged { "usr" } else { "" };
    for folder in ["bin", "lib", "lib64"] {
        fs_err::create_dir_all(root.join(usr).join(folder)).unwrap();
        if merged {
            fs_err::os::unix::fs::symlink(format!("usr/{folder}"), root.join(folder)).unwrap();
        }
    }
    fs_err::copy(&shell, root.join("bin/sh")).unwrap();
    let needs = Command::new("ldd").arg(&shell).output().unwrap().stdout;
    for library in String::from_utf8(needs).unwrap().split_whitespace().filter(|word| word.starts_with('/')) {
        let to = root.join(library.trim_start_matches('/'));
        fs_err::create_dir_all(to.parent().unwrap()).unwrap();
        fs_err::copy(library, to).unwrap();
    }
    t.write(format!("{name}/etc/os-release"), "ID=toy\nVERSION_ID=\"7\"\n");
}

/// A recipe that needs nothing but a shell, and says in which system it was built.
fn script_for_a_shell(t: &Sandbox) {
    t.write(
        "recipes/packages/base/note/weir.toml",
        "[package]\nname = \"base/note\"\nversion = \"1.0.0\"\nkind = \"native\"\nlicense = \"MIT\"\n\n\
         [recipe]\nsource = { path = \"source\" }\nsystem = \"script\"\nscript = \"build.sh\"\nvariants = [\"release\"]\n",
    );
    t.write(
        "recipes/packages/base/note/build.sh",
        "while read -r line; do echo \"$line\"; done </etc/os-release >$PREFIX/note\n",
    );
    t.write("recipes/packages/base/note/source/empty", "");
}

fn platform(t: &Sandbox, root: &str) -> String {
    let shown = weir(t, &format!("--json root show {root}")).succeeds().stdout;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    shown["platform"].as_str().unwrap().to_owned()
}

#[test]
fn builds_run_in_a_root_with_and_without_a_merged_usr() {
    let t = recipe_set();
    script_for_a_shell(&t);
    for (name, merged) in [("merged", true), ("old", false)] {
        root_with_a_shell(&t, name, merged);
        assert!(platform(&t, &format!("../{name}")).ends_with("-toy-7"));
        weir(&t, &format!("build base/note --root ../{name} --out ../out-{name}")).succeeds();
        assert_eq!(t.read(format!("out-{name}/release/note")), "ID=toy\nVERSION_ID=\"7\"\n");
    }
}

fn sha256(path: &Path) -> String {
    let said = Command::new("sha256sum").arg(path).output().unwrap().stdout;
    String::from_utf8(said).unwrap().split(' ').next().unwrap().to_owned()
}

fn tar(folder: &Path, to: &Path) {
    let made = Command::new("tar").arg("-C").arg(folder).arg("-cf").arg(to).arg(".").status().unwrap();
    assert!(made.success());
}

#[test]
fn a_root_is_made_of_what_docker_saves_and_is_the_same_as_the_system_it_was_made_from() {
    let t = recipe_set();
    script_for_a_shell(&t);
    root_with_a_shell(&t, "system", true);
    fs_err::create_dir(t.path("saved")).unwrap();
    tar(&t.path("system"), &t.path("saved/layer.tar"));
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let layer = format!("sha256:{}", sha256(&t.path("saved/layer.tar")));
    let config =
        json!({"architecture": machine, "os": "linux", "rootfs": {"type": "layers", "diff_ids": [layer]}});
    t.write("saved/config.json", config.to_string());
    t.write("saved/manifest.json", json!([{"Config": "config.json", "Layers": ["layer.tar"]}]).to_string());
    tar(&t.path("saved"), &t.path("image.tar"));

    weir(&t, "root create ../root --oci ../image.tar").succeeds();
    let shown = |root: &str| -> Value {
        serde_json::from_str(&weir(&t, &format!("--json root show {root}")).succeeds().stdout).unwrap()
    };
    assert_eq!(shown("../root")["toolchain"], shown("../system")["toolchain"]);
    weir(&t, "build base/note --root ../root --out ../out").succeeds();
    assert!(t.read("out/release/note").contains("ID=toy"));

    // What was built in one is what was built in the other.
    let again = weir(&t, "build base/note --root ../system").succeeds();
    assert!(again.stdout.contains("built before"), "{again}");
}

#[test]
fn a_machine_without_dpkg_has_the_same_platform_and_is_told_by_its_tools() {
    let t = recipe_set();
    let with: Value = serde_json::from_str(&weir(&t, "--json root show").succeeds().stdout).unwrap();
    let without = Command::new("bwrap")
        .args(["--dev-bind", "/", "/", "--tmpfs", "/var/lib", "--"])
        .args([env!("CARGO_BIN_EXE_weir"), "--json", "root", "show"])
        .env("WEIR_HOME", t.path("home/weir"))
        .output()
        .unwrap();
    assert!(without.status.success(), "{}", String::from_utf8_lossy(&without.stderr));
    let without: Value = serde_json::from_slice(&without.stdout).unwrap();
    assert_eq!(without["platform"], with["platform"]);
    let versions = without["document"]["versions"].as_object().unwrap();
    assert!(versions.contains_key("cc") && versions.contains_key("ldd"), "{without:#}");
}
