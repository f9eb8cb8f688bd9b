//! Wrong names, wrong places, wrong words: exit codes 2 and 5, and what to do now.

use insta::assert_snapshot;

use crate::{empty, greeting, installed};

#[test]
fn a_mistyped_command_or_option_is_answered_with_the_nearest() {
    let t = empty();
    assert_snapshot!(t.weir("instal"), @"
    $ weir instal
    -- stderr
      × `weir` has no command `instal`
      help: did you mean `install`?
    -- exit code 2
    ");
    assert_snapshot!(t.weir("install --ofline"), @"
    $ weir install --ofline
    -- stderr
      × `weir install` has no option `--ofline`
      help: did you mean `--offline`?
    -- exit code 2
    ");
    assert_snapshot!(t.weir("add"), @"
    $ weir add
    -- stderr
      × `weir add` needs `<PACKAGE>...`
      help: `weir add --help` says how it is called
    -- exit code 2
    ");
    assert_snapshot!(t.weir("yank acme/str"), @"
    $ weir yank acme/str
    -- stderr
      × `acme/str` is no value of `<RELEASE>...`: a version is needed, as in `acme/str@1.0.0`
    -- exit code 2
    ");
    assert_snapshot!(t.weir("add str"), @"
    $ weir add str
    -- stderr
      × `str` is not a package name: expected `owner/name`
    -- exit code 2
    ");
    assert_snapshot!(t.weir("init --kind bas"), @"
    $ weir init --kind bas
    -- stderr
      × `bas` is no value of `--kind <KIND>`; there are: generic, bash, data, native, elm
      help: did you mean `bash`?
    -- exit code 2
    ");
    assert_snapshot!(t.weir("install --json --ofline"), @r#"
    $ weir install --json --ofline
    {
      "error": {
        "code": "usage",
        "exit": 2,
        "message": "`weir install` has no option `--ofline`",
        "help": "did you mean `--offline`?"
      }
    }
    -- exit code 2
    "#);
    assert_snapshot!(t.weir("registry lst"), @"
    $ weir registry lst
    -- stderr
      × `weir registry` has no command `lst`
      help: did you mean `list`?
    -- exit code 2
    ");
    assert_snapshot!(t.weir("tree --depth x"), @"
    $ weir tree --depth x
    -- stderr
      × `x` is no value of `--depth <LEVELS>`: a whole number is wanted, such as `3`
    -- exit code 2
    ");
    assert_snapshot!(t.weir("tree --depth"), @"
    $ weir tree --depth
    -- stderr
      × `--depth <LEVELS>` needs a value
    -- exit code 2
    ");
    assert_snapshot!(t.weir("tree extra"), @"
    $ weir tree extra
    -- stderr
      × `weir tree` has no use for `extra`
      help: `weir tree --help` says how it is called
    -- exit code 2
    ");
    assert_snapshot!(t.weir("tree -q -v"), @"
    $ weir tree -q -v
    -- stderr
      × `--quiet` does not go with `--verbose`
      help: `weir tree --help` says how it is called
    -- exit code 2
    ");
}

#[test]
fn a_file_that_is_not_there_or_is_a_folder_is_told() {
    let t = empty();
    t.write("folder/file", "");
    let import = "--name acme/left --set-version 1.0.0";
    assert_snapshot!(t.weir_in("", &format!("import nowhere.tgz {import}")), @r"
    $ weir import nowhere.tgz --name acme/left --set-version 1.0.0
    -- stderr
      × `[ROOT]/nowhere.tgz` is not there
    -- exit code 5
    ");
    assert_snapshot!(t.weir_in("", &format!("import folder {import}")), @r"
    $ weir import folder --name acme/left --set-version 1.0.0
    -- stderr
      × `[ROOT]/folder` is a folder, and a file is wanted
    -- exit code 2
    ");
    assert_snapshot!(t.weir_in("", "batch nowhere.toml"), @r"
    $ weir batch nowhere.toml
    -- stderr
      × `[ROOT]/nowhere.toml` is not there
    -- exit code 5
    ");
    assert_snapshot!(t.weir_in("", "batch folder"), @r"
    $ weir batch folder
    -- stderr
      × `[ROOT]/folder` is a folder, and a file is wanted
    -- exit code 2
    ");
    assert!(!t.path("left").exists());
}

#[test]
fn an_address_that_no_registry_is_reached_by_is_not_taken_for_a_folder() {
    let t = empty();
    assert_snapshot!(t.weir("registry add far ftp://127.0.0.1/registry"), @r"
    $ weir registry add far ftp://127.0.0.1/registry
    -- stderr
      × `ftp://127.0.0.1/registry` is not the address of a registry: a registry is a folder, or is reached by `https://`, `http://` or `file://`
    -- exit code 2
    ");
    t.weir("search x --registry s3://bucket").fails_with(2);
}

#[test]
fn help_that_cannot_be_written_is_a_failure() {
    let t = empty();
    for words in ["--help", "--version", "install -h"] {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        let full = fs_err::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let run = t.command("", &words, &[]).stdout(full.into_file()).output().unwrap();
        assert_eq!(run.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&run.stderr).contains("cannot write to stdout"));
    }
}

#[test]
fn a_folder_without_a_project_says_how_to_begin() {
    let t = empty();
    assert_snapshot!(t.weir("install"), @r"
    $ weir install
    -- stderr
      × there is no `weir.toml` or `elm.json` in `[ROOT]/app` or any folder above it
      help: `weir init` makes a project of this folder
    -- exit code 5
    ");
    assert_snapshot!(t.weir("tree --json"), @r#"
    $ weir tree --json
    {
      "error": {
        "code": "not-found",
        "exit": 5,
        "message": "there is no `weir.toml` or `elm.json` in `[ROOT]/app` or any folder above it",
        "help": "`weir init` makes a project of this folder"
      }
    }
    -- exit code 5
    "#);
}

#[test]
fn a_mistyped_field_is_shown_in_its_line() {
    let t = empty();
    t.write("app/weir.toml", "[package]\nname = \"acme/app\"\nlicence = \"MIT\"\n");
    assert_snapshot!(t.weir("install"), @r#"
    $ weir install
    -- stderr
      × unknown field `licence` in `[package]`
       ╭─[[ROOT]/app/weir.toml:3:1]
     2 │ name = "acme/app"
     3 │ licence = "MIT"
       · ───────────────
       ╰────
      help: did you mean `license`?
    -- exit code 1
    "#);
    assert_snapshot!(t.weir("install --json"), @r#"
    $ weir install --json
    {
      "error": {
        "code": "failed",
        "exit": 1,
        "message": "unknown field `licence` in `[package]`",
        "help": "did you mean `license`?",
        "place": {
          "file": "[ROOT]/app/weir.toml",
          "line": 3
        }
      }
    }
    -- exit code 1
    "#);
}

#[test]
fn an_unknown_package_is_answered_with_the_nearest() {
    let t = greeting();
    assert_snapshot!(t.weir("add acme/gret"), @r"
    $ weir add acme/gret
    -- stderr
      × there is no package `acme/gret` in the registry `org`
      help: did you mean `acme/greet`?
    -- exit code 5
    ");
    assert_snapshot!(t.weir("add nobody/nothing"), @r"
    $ weir add nobody/nothing
    -- stderr
      × there is no package `nobody/nothing` in the registry `org`
      help: `weir search WORDS` finds packages
    -- exit code 5
    ");
    assert_eq!(t.read("app/weir.toml"), "[dependencies]\n");
}

#[test]
fn what_is_not_there_cannot_be_removed_updated_or_yanked() {
    let t = installed();
    assert_snapshot!(t.weir("remove acme/str"), @r"
    $ weir remove acme/str
    -- stderr
      × there is no package `acme/str` in `weir.toml`
      help: did you mean `acme/greet`?
    -- exit code 5
    ");
    assert_snapshot!(t.weir("update acme/gret"), @r"
    $ weir update acme/gret
    -- stderr
      × there is no package `acme/gret` in this project
      help: did you mean `acme/greet`?
    -- exit code 5
    ");
    assert_snapshot!(t.weir("yank acme/str@9.0.0"), @r"
    $ weir yank acme/str@9.0.0
    -- stderr
      × there is no version 9.0.0 of `acme/str` in this registry
      help: there are: 1.0.0
    -- exit code 5
    ");
    assert_snapshot!(t.weir("yank acme/srt@1.0.0"), @r"
    $ weir yank acme/srt@1.0.0
    -- stderr
      × there is no package `acme/srt` in this registry
      help: did you mean `acme/str`?
    -- exit code 5
    ");
}

#[test]
fn without_any_registry_the_way_to_one_is_shown() {
    let t = empty();
    t.project(&["acme/greet = ^1"]);
    assert_snapshot!(t.weir("install"), @r"
    $ weir install
    -- stderr
      × no registry is known for the dependencies of `weir.toml`
      help: name one: `weir registry add NAME FOLDER-OR-ADDRESS --default`, or make one: `weir registry init FOLDER`
    -- exit code 5
    ");
    assert_snapshot!(t.weir("search greet"), @r"
    $ weir search greet
    -- stderr
      × no registry is known for this folder
      help: name one: `weir registry add NAME FOLDER-OR-ADDRESS --default`, or make one: `weir registry init FOLDER`
    -- exit code 5
    ");
    assert_snapshot!(t.weir("install --registry nowhere"), @r"
    $ weir install --registry nowhere
    -- stderr
      × no registry is named `nowhere`
      help: `weir registry list` shows those that are known
    -- exit code 5
    ");
}

#[test]
fn without_a_lockfile_there_is_nothing_to_look_at() {
    let t = greeting();
    t.project(&["acme/greet = ^1"]);
    assert_snapshot!(t.weir("tree"), @r"
    $ weir tree
    -- stderr
      × there is no `weir.lock` yet: `weir install` makes it
    -- exit code 5
    ");
    assert_snapshot!(t.weir("install --locked"), @r"
    $ weir install --locked
    -- stderr
      × there is no `weir.lock`, and `--locked` forbids to make one
      help: run `weir lock`, look at the difference, and commit `weir.lock`
    -- exit code 5
    ");
    assert_snapshot!(t.weir("store export ../app.weir"), @r"
    $ weir store export ../app.weir
    -- stderr
      × there is no `weir.lock` yet: `weir install` makes it
    -- exit code 5
    ");
}

#[test]
fn a_package_that_is_not_ready_is_not_published() {
    let t = greeting();
    t.write("bare/weir.toml", "[package]\nversion = \"1.0.0\"\n");
    assert_snapshot!(t.weir_in("bare", "publish"), @r"
    $ weir publish
    -- stderr
      × `[ROOT]/bare` cannot be published: `[package]` has no `name`
    -- exit code 1
    ");
    assert_snapshot!(t.weir_in("", "publish nowhere"), @r"
    $ weir publish nowhere
    -- stderr
      × `[ROOT]/nowhere` is not there
    -- exit code 5
    ");
    assert_snapshot!(t.weir_in("", "pack bare/weir.toml"), @r"
    $ weir pack bare/weir.toml
    -- stderr
      × `[ROOT]/bare/weir.toml` is not a folder
    -- exit code 5
    ");
    assert_snapshot!(t.weir_in("bare", "tree -C ../bear"), @r"
    $ weir tree -C ../bear
    -- stderr
      × `[ROOT]/bare/../bear` is not there
    -- exit code 5
    ");
}

#[test]
fn help_is_found_behind_options() {
    let t = empty();
    for (asked, same) in [
        ("--json help", "--help"),
        ("-q help", "--help"),
        ("--offline -v help add", "add --help"),
        ("--json help registry add", "registry add --help"),
    ] {
        assert_eq!(t.weir(asked).succeeds().stdout, t.weir(same).stdout, "{asked}");
    }
    t.weir("-C help help").fails_with(2);
}

#[test]
fn what_is_said_twice_or_elsewhere_is_refused() {
    let t = greeting();
    assert_snapshot!(t.weir("add acme/str@1 acme/str@2"), @r"
    $ weir add acme/str@1 acme/str@2
    -- stderr
      × `acme/str` is to be added twice
      help: name it once, with a range: `weir add 'acme/str@>=1, <3'`
    -- exit code 2
    ");
    let typed = "add acme/x --git ../x --tag v1.0.0 --set package.version=\"2.0.0\"";
    let refused = t.weir(typed).fails_with(2);
    assert!(
        refused.stderr.contains("`package.version` is not what `--set` can say: the tag says it"),
        "{refused}"
    );
    for address in ["http://", "https:///org", "nowhere", "file:///nowhere/at/all"] {
        let refused = t.weir(&format!("registry add new {address}"));
        assert!(matches!(refused.code, 2 | 5), "{refused}");
        assert!(!t.read("app/weir.toml").contains("new"), "{refused}");
    }
    t.write("app/weir.toml", "[package]\nhomepage = \"javascript:alert(1)\"\n");
    let refused = t.weir("tree").fails_with(1);
    assert!(refused.stderr.contains("`homepage` must be an `https://` or `http://` address"), "{refused}");
}

#[test]
fn a_group_of_commands_without_one_is_told_which_there_are_in_json_as_in_words() {
    let t = empty();
    assert_snapshot!(t.weir("registry upstream --json"), @r#"
    $ weir registry upstream --json
    {
      "error": {
        "code": "usage",
        "exit": 2,
        "message": "`weir registry upstream` needs a command",
        "help": "there are: add, list, show, remove, follow; `weir registry upstream --help` says how it is called"
      }
    }
    -- exit code 2
    "#);
    for group in [
        "advisory", "bash", "elm", "policy", "registry", "repo", "root", "store", "token", "trust", "user",
        "webhook",
    ] {
        let run = t.weir(&format!("--json {group}")).fails_with(2);
        let told: serde_json::Value = serde_json::from_str(&run.stdout).expect("it is JSON");
        assert_eq!(told["error"]["message"], format!("`weir {group}` needs a command"));
        let help = told["error"]["help"].as_str().expect("it is told which there are");
        let words = t.weir(group).fails_with(2).stderr;
        let commands =
            help.strip_prefix("there are: ").and_then(|rest| rest.split_once(';')).expect("a list").0;
        assert!(
            commands.split(", ").all(|command| words.contains(&format!("\n  {command}"))),
            "{help}\n{words}"
        );
    }
}
