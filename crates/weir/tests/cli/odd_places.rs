//! Folders with names that nobody would choose: everything works in them, and what goes wrong is told as what it is.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Output;

use weir_testkit::Sandbox;

use crate::greeting;

const NAMES: [&[u8]; 8] = [
    b"a tab\there",
    b"a new\nline",
    b"\"quoted\"",
    b"it's",
    b"back\\slash",
    b"$(false)",
    b"a:b",
    b"no text \xff\xfe",
];

fn run(t: &Sandbox, folder: &OsStr, store: &OsStr, typed: &str) -> Output {
    let words: Vec<String> = typed.split(' ').map(str::to_owned).collect();
    let mut command = t.command("", &words, &[]);
    command.current_dir(t.path(folder)).env("WEIR_STORE", t.path(store));
    command.output().expect("it can be started")
}

fn works(t: &Sandbox, folder: &OsStr, store: &OsStr, typed: &str) -> String {
    let output = run(t, folder, store, typed);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{typed} in {folder:?} with the store in {store:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_project_and_a_store_may_have_any_name() {
    let t = greeting();
    for name in NAMES.map(OsStr::from_bytes) {
        let stores = std::path::Path::new("stores").join(name);
        for (folder, store) in [(name, OsStr::new("plain")), (OsStr::new("app"), stores.as_os_str())] {
            fs_err::create_dir_all(t.path(folder)).expect("the sandbox can be written");
            fs_err::write(t.path(folder).join("weir.toml"), "[dependencies]\n\"acme/greet\" = \"^1\"\n")
                .expect("the sandbox can be written");
            works(&t, folder, store, "install");
            assert!(works(&t, folder, store, "install").contains("Nothing to do"), "{folder:?} {store:?}");
            assert_eq!(works(&t, folder, store, "run greet"), "Hello, world\n");
            for command in [
                "verify",
                "install --locked",
                "list",
                "tree",
                "store list",
                "store verify",
                "store export out.weir",
                "store import out.weir",
                "store gc",
                "store path",
            ] {
                works(&t, folder, store, command);
                let document = works(&t, folder, store, &format!("{command} --json"));
                let parsed: Result<serde_json::Value, _> = serde_json::from_str(&document);
                parsed.unwrap_or_else(|error| panic!("{command} in {folder:?}: {error}\n{document}"));
            }
        }
    }
}

#[test]
fn a_store_that_cannot_be_made_is_told_as_that() {
    let t = greeting();
    t.write("file", "");
    t.project(&["acme/greet = ^1"]);
    for command in ["install", "store list", "store verify"] {
        let run = run(&t, OsStr::new("app"), OsStr::new("file/store"), command);
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(1), "{said}");
        assert!(said.contains("Not a directory") && !said.contains("digest"), "{said}");
    }
}
