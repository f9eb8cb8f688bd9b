//! Bash packages through the real program and a real Bash: published, installed, loaded, tested, bundled.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod everyday;
mod git;
mod hostile;
mod made;
mod packages;
mod running;

use std::path::Path;
use std::process::Command;

use weir_testkit::{PackageBuilder, Sandbox};

/// An empty folder with a home and a registry of its own.
fn sandbox() -> Sandbox {
    let t = Sandbox::new(env!("CARGO_BIN_EXE_weir"));
    t.registry("org");
    t
}

/// A Bash library `acme/<slug>` of one file.
fn library<'t>(t: &'t Sandbox, slug: &str, version: &str, text: &str) -> PackageBuilder<'t> {
    t.package(&format!("acme/{slug}"), version)
        .kind("bash")
        .manifest(&format!("[bash]\nslug = \"{slug}\"\nsource = [\"src\"]\n"))
        .file(&format!("src/{slug}.sh"), text)
}

/// `core` in two releases that take other arguments and keep state; `term`, which needs the first of them; and a
/// project with the second and `term`, installed.
fn two_cores() -> Sandbox {
    let t = sandbox();
    let core = |say: &str| {
        format!(
            "declare -A ___said___=()\ncore.say() {{\n\t___said___[n]=$((${{___said___[n]-0}} + 1))\n\t{say}\n}}\n"
        )
    };
    library(&t, "core", "1.0.0", &core("printf '%s\\n' \"1: $1 #${___said___[n]}\"")).publish();
    library(&t, "core", "2.0.0", &core("printf '%s\\n' \"2: $2 for $1 #${___said___[n]}\"")).publish();
    library(&t, "term", "1.0.0", "term.say() {\n\tcore.say \"$1\"\n}\n")
        .dependency("acme/core", "^1")
        .publish();
    t.project(&["acme/core = ^2", "acme/term = ^1"]);
    t.weir("install").succeeds();
    t
}

/// What a script says; it must succeed.
#[track_caller]
fn bash(t: &Sandbox, script: &Path) -> String {
    let (said, complained, code) = try_bash(t, script);
    assert_eq!(code, 0, "{said}\n{complained}");
    said
}

fn try_bash(t: &Sandbox, script: &Path) -> (String, String, i32) {
    let weir = Path::new(env!("CARGO_BIN_EXE_weir")).parent().unwrap();
    let path = std::env::join_paths(
        [weir.to_owned()].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let output = Command::new("bash")
        .arg(script)
        .current_dir("/")
        .env_clear()
        .env("PATH", path.unwrap())
        .env("HOME", t.path("home"))
        .env("WEIR_HOME", t.path("home/weir"))
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code().unwrap_or(-1))
}
