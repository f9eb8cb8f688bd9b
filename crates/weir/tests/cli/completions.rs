//! What shells complete: tried in a real Bash.

use std::process::Command;

use crate::{empty, greeting};

/// What Bash offers where these words are typed, as far as they are, in the folder `app`.
fn offered(t: &weir_testkit::Sandbox, words: &[&str]) -> Vec<String> {
    let script = r#"
        source <(weir completions bash)
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE} COMP_TYPE=9
        complete -p weir | grep -q _clap_complete_weir || exit 3
        _clap_complete_weir weir "${@: -1}" "${@: -2:1}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_weir")).parent().expect("it is in a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(program.to_owned()).chain(std::env::split_paths(&path)));
    let output = Command::new("bash")
        .args(["-c", script, "bash"])
        .args(words)
        .current_dir(t.path("app"))
        .env("PATH", path.expect("it can be joined"))
        .env("WEIR_HOME", t.path("home/weir"))
        .output()
        .expect("bash runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_packages_and_scripts_without_asking_a_registry() {
    let t = greeting();
    t.write("app/weir.toml", "[dependencies]\n\"acme/greet\" = \"^1\"\n[scripts]\nbuild-it = \"true\"\n\"build $(date)\" = \"true\"\n");
    t.weir("install").succeeds();
    assert_eq!(offered(&t, &["weir", "quar"]), ["quarantine"]);
    assert_eq!(offered(&t, &["weir", "registry", "rot"]), ["rotate-key"]);
    assert_eq!(offered(&t, &["weir", "update", "acme/s"]), ["acme/str"]);
    assert_eq!(offered(&t, &["weir", "add", "acme/n"]), ["acme/names"]);
    assert_eq!(offered(&t, &["weir", "run", "bu"]), ["build-it"]);
    assert_eq!(offered(&t, &["weir", "run", "gr"]), ["greet"]);
    // Only what this machine knows: a registry that is gone does no harm.
    fs_err::rename(t.path("org"), t.path("gone")).expect("it is ours");
    assert_eq!(offered(&t, &["weir", "info", "acme/n"]), ["acme/names"]);
    // Where nothing is known, nothing is offered, and nothing is said.
    let t = empty();
    assert_eq!(offered(&t, &["weir", "why", "acme/"]), [""]);
}
