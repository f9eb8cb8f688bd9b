//! pack, publish, yank, unyank, quarantine, release, unpublish, batch, claim, import.

use insta::assert_snapshot;

use crate::{empty, greeting, installed, newer};

#[test]
fn a_pack_is_shown_before_it_is_published() {
    let t = greeting();
    let folder = t.package("acme/new", "0.1.0").file("a.txt", "a\n").file("b/c.txt", "c\n").write();
    assert_snapshot!(t.weir_in(&folder, "pack --list"), @r"
    $ weir pack --list
          2 B  a.txt
          2 B  b/c.txt
        133 B  weir.toml
    `acme/new 0.1.0`: 3 files, 137 B
    tree blake3:[DIGEST]
    ");
    assert_snapshot!(t.weir_in(&folder, "pack --out ../new.zst"), @"
    $ weir pack --out ../new.zst
    `acme/new 0.1.0`: 3 files, 137 B
    tree blake3:[DIGEST]
    Wrote `../new.zst` (296 B)
    ");
    assert!(t.path("packages/new.zst").is_file());
}

#[test]
fn packages_that_need_each_other_are_published_together() {
    let t = greeting();
    let upper = t.package("acme/upper", "1.0.0").dependency("acme/lower", "^1").write();
    let lower = t.package("acme/lower", "1.0.0").write();
    assert_snapshot!(t.weir_in("", &format!("publish {upper} {lower} --dry-run")), @"
    $ weir publish packages/acme-upper-1.0.0 packages/acme-lower-1.0.0 --dry-run
    Would publish `acme/upper 1.0.0` in the registry `org`: 272 B packed
           17 B  content.txt
          157 B  weir.toml
      2 files, 174 B
      with `acme/lower 1.0.0`
    Would publish `acme/lower 1.0.0` in the registry `org`: 260 B packed
           17 B  content.txt
          137 B  weir.toml
      2 files, 154 B
    ");
    assert_snapshot!(t.weir_in("", &format!("publish {upper} {lower}")), @"
    $ weir publish packages/acme-upper-1.0.0 packages/acme-lower-1.0.0
    Published `acme/upper 1.0.0`
      with `acme/lower 1.0.0`
           17 B  content.txt
          157 B  weir.toml
      2 files, 174 B
    Published `acme/lower 1.0.0`
           17 B  content.txt
          137 B  weir.toml
      2 files, 154 B
    ");
    assert_snapshot!(t.weir_in("", &format!("publish {upper} {lower}")), @r"
    $ weir publish packages/acme-upper-1.0.0 packages/acme-lower-1.0.0
    Already so: `acme/upper 1.0.0`
      with `acme/lower 1.0.0`
    Already so: `acme/lower 1.0.0`
    Nothing was appended to the log
    ");
}

#[test]
fn a_package_whose_dependency_is_missing_is_refused_whole() {
    let t = greeting();
    let sound = t.package("acme/sound", "1.0.0").write();
    let broken = t.package("acme/broken", "1.0.0").dependency("acme/srt", "^1").write();
    assert_snapshot!(t.weir_in("", &format!("publish {sound} {broken}")), @r"
    $ weir publish packages/acme-sound-1.0.0 packages/acme-broken-1.0.0
    -- stderr
      × `acme/broken 1.0.0` needs `acme/srt` ^1, which this registry does not offer
      help: did you mean `acme/str`? If not, publish it first, or both together: `weir publish FOLDER FOLDER`. What a registry above has comes down when it is installed: `weir add` in any project
    -- exit code 5
    ");
    assert_eq!(t.weir("info acme/sound").code, 5);
}

#[test]
fn a_yanked_release_stays_for_those_who_have_it() {
    let t = installed();
    assert_snapshot!(t.weir_in("", "yank acme/greet@1.0.0 --dry-run"), @r"
    $ weir yank acme/greet@1.0.0 --dry-run
    Would leave `acme/greet 1.0.0` yanked
    ");
    assert_snapshot!(t.weir_in("", "yank acme/greet@1.0.0 --reason 'greets nobody'"), @r"
    $ weir yank acme/greet@1.0.0 --reason 'greets nobody'
    Yanked `acme/greet 1.0.0`
    ");
    assert_snapshot!(t.weir_in("", "yank acme/greet@1.0.0"), @r"
    $ weir yank acme/greet@1.0.0
    Already so: `acme/greet 1.0.0`
    Nothing was appended to the log
    ");
    t.weir("install --locked").succeeds();
    t.weir("outdated");
    assert_snapshot!(t.weir("tree --depth 1"), @r"
    $ weir tree --depth 1
    app
    └── acme/greet 1.0.0 (yanked)
    ");
    t.write("other/weir.toml", "[dependencies]\n\"acme/greet\" = \"^1\"\n");
    assert_snapshot!(t.weir_in("other", "install"), @r"
    $ weir install
    -- stderr
      × `weir.toml:2` requires `acme/greet` ^1, but 1.0.0 was yanked
    -- exit code 3
    ");
    assert_snapshot!(t.weir_in("", "unyank acme/greet@1.0.0"), @r"
    $ weir unyank acme/greet@1.0.0
    Unyanked `acme/greet 1.0.0`
    ");
    assert_eq!(t.weir_in("other", "install").code, 0);
}

#[test]
fn a_quarantined_release_is_served_to_nobody() {
    let t = installed();
    assert_snapshot!(t.weir_in("", "quarantine acme/str@1.0.0 --reason 'steals keys'"), @"
    $ weir quarantine acme/str@1.0.0 --reason 'steals keys'
    Quarantined `acme/str 1.0.0`
    It reaches 1 release of 1 package, the newest of 1 of them: `weir impact acme/str@1.0.0` names them
    ");
    let elsewhere = [("WEIR_STORE", "/proc/self/cwd/../another-store")];
    let run = t.weir_with("app", "install --locked", &elsewhere);
    assert_eq!(run.code, 3, "{run}");
    assert!(run.stderr.contains("1.0.0 is quarantined (steals keys)"), "{run}");
    assert_snapshot!(t.weir_in("", "unquarantine acme/str@1.0.0"), @r"
    $ weir unquarantine acme/str@1.0.0
    Unquarantined `acme/str 1.0.0`
    ");
}

#[test]
fn what_became_of_locked_releases_is_asked_for() {
    let t = installed();
    assert_snapshot!(t.weir("audit"), @r"
    $ weir audit
    ✓ Audited 3 releases: all are offered as they are locked
    ");
    newer(&t);
    t.weir_in("", "yank acme/greet@1.0.0 --reason 'greets nobody'").succeeds();
    t.weir("audit").succeeds();
    t.weir("audit --deny yanked").fails_with(1);
    t.weir_in("", "quarantine acme/str@1.0.0 --reason 'steals keys' --advisory https://data.example/1")
        .succeeds();
    t.weir("install").succeeds();
    assert_snapshot!(t.weir("audit"), @r"
    $ weir audit
    ✗ `acme/str 1.0.0` is quarantined since [TIME], by user:ann: steals keys
      https://data.example/1
      newest that is offered: 2.0.0
    ✗ `acme/greet 1.0.0` is yanked since [TIME], by user:ann: greets nobody
      newest that is offered: 2.0.0
    Audited 3 releases: 2 not as they were
    -- stderr
    `weir why NAME` tells who needs one, `weir update NAME` moves on from it
    -- exit code 1
    ");
    let run = t.weir("audit --json").fails_with(1);
    let audit: serde_json::Value = serde_json::from_str(&run.stdout).expect("it is JSON");
    assert_eq!(audit["findings"][0]["standing"], "quarantined");
    assert_eq!(audit["findings"][0]["newest"], "2.0.0");
    t.weir_in("", "unquarantine acme/str@1.0.0").succeeds();
    t.weir_in("", "unyank acme/greet@1.0.0").succeeds();
    assert!(t.weir("audit --offline").succeeds().stdout.contains("Nobody was asked"));
    t.weir("audit").succeeds();
    t.weir_in("", "unpublish acme/str@1.0.0 --reason 'by mistake'").succeeds();
    assert!(t.weir("audit").fails_with(1).stdout.contains("is removed since"));
}

#[test]
fn a_lockfile_that_names_what_its_registry_never_had_is_noticed() {
    let t = installed();
    let lock = t.read("app/weir.lock").replace("acme/names", "acme/nemas");
    t.write("app/weir.lock", lock);
    let run = t.weir("audit").fails_with(6);
    assert!(run.stdout.contains("`acme/nemas 2026.1.0` is not in the log of the registry `org`"), "{run}");
}

#[test]
fn an_unpublished_version_is_never_given_again() {
    let t = greeting();
    assert_snapshot!(t.weir_in("", "unpublish acme/greet@1.0.0 --reason 'by mistake'"), @r"
    $ weir unpublish acme/greet@1.0.0 --reason 'by mistake'
    Unpublished `acme/greet 1.0.0`
    ");
    assert_snapshot!(t.weir_in("", "publish packages/acme-greet-1.0.0"), @r"
    $ weir publish packages/acme-greet-1.0.0
    -- stderr
      × `acme/greet 1.0.0` was published and removed; a version is never given twice
      help: raise `version` in `weir.toml` and publish that
    -- exit code 8
    ");
}

#[test]
fn many_changes_are_made_together() {
    let t = greeting();
    let folder = t.package("acme/str", "1.1.0").write();
    t.write(
        "changes.toml",
        format!("publish = [\"{folder}\"]\nyank = [{{ name = \"acme/str\", version = \"1.0.0\", reason = \"old\" }}]\n"),
    );
    assert_snapshot!(t.weir_in("", "batch changes.toml --dry-run"), @"
    $ weir batch changes.toml --dry-run
    Would publish `acme/str 1.1.0` in the registry `org`: 258 B packed
           15 B  content.txt
          133 B  weir.toml
      2 files, 148 B
    Would leave `acme/str 1.0.0` yanked
    ");
    assert_snapshot!(t.weir_in("", "batch changes.toml"), @"
    $ weir batch changes.toml
    Published `acme/str 1.1.0`
           15 B  content.txt
          133 B  weir.toml
      2 files, 148 B
    Yanked `acme/str 1.0.0`
    ");
}

#[test]
fn an_owner_belongs_to_people() {
    let t = greeting();
    assert_snapshot!(t.weir_in("", "claim acme user:ann user:bob --dry-run"), @r"
    $ weir claim acme user:ann user:bob --dry-run
    Would leave `acme` claimed
    ");
    assert_snapshot!(t.weir_in("", "claim acme user:ann user:bob"), @r"
    $ weir claim acme user:ann user:bob
    Claimed `acme`
    ");
    let folder = t.package("acme/other", "1.0.0").write();
    let publish = format!("publish {folder}");
    assert_snapshot!(t.weir_with("", &publish, &[("USER", "eve")]), @r"
    $ weir publish packages/acme-other-1.0.0
    -- stderr
      × `user:eve` may not publish `acme/other 1.0.0`: the owner belongs to user:ann, user:bob (policy `owner-claim`)
      help: somebody the owner belongs to can add you: `weir claim OWNER PEOPLE`
    -- exit code 4
    ");
    assert_eq!(t.weir_with("", &publish, &[("USER", "bob")]).code, 0);
}

#[test]
fn a_foreign_archive_becomes_a_package() {
    let t = empty();
    t.registry("org");
    t.write("left-pad-1.3.0/index.js", "module.exports = 1\n");
    let made = std::process::Command::new("tar")
        .args(["-czf", "left-pad.tgz", "left-pad-1.3.0"])
        .current_dir(t.path(""))
        .status()
        .expect("tar runs");
    assert!(made.success());
    let import = "import left-pad.tgz --name npm/left-pad --set-version 1.3.0 --license MIT --into left-pad";
    assert_snapshot!(t.weir_in("", import), @r"
    $ weir import left-pad.tgz --name npm/left-pad --set-version 1.3.0 --license MIT --into left-pad
    Imported 2 files into `[ROOT]/left-pad`
    ");
    assert_snapshot!(t.read("left-pad/weir.toml"), @r#"
    [package]
    name = "npm/left-pad"
    version = "1.3.0"
    kind = "generic"
    license = "MIT"
    "#);
    assert_snapshot!(t.weir_in("", "publish left-pad"), @"
    $ weir publish left-pad
    Published `npm/left-pad 1.3.0`
           19 B  index.js
           83 B  weir.toml
      2 files, 102 B
    ");
}

#[test]
fn an_archive_is_imported_into_a_new_folder_wherever_that_is() {
    let t = empty();
    t.write("top/file", "text\n");
    let tar = std::process::Command::new("tar")
        .args(["-czf", "top.tgz", "top"])
        .current_dir(t.path(""))
        .status()
        .expect("tar is everywhere");
    assert!(tar.success());
    let import = "import ../top.tgz --name acme/top --set-version 1.0.0";
    assert_snapshot!(t.weir(&format!("{import} --into third/party/top")), @r"
    $ weir import ../top.tgz --name acme/top --set-version 1.0.0 --into third/party/top
    Imported 2 files into `[ROOT]/app/third/party/top`
    ");
    assert_snapshot!(t.weir(&format!("{import} --into third/party/top")), @r"
    $ weir import ../top.tgz --name acme/top --set-version 1.0.0 --into third/party/top
    -- stderr
      × `[ROOT]/app/third/party/top` is there already
      help: name a folder that is not there yet: `--into FOLDER`
    -- exit code 8
    ");
    t.write("damaged.tgz", "not an archive");
    t.weir("import ../damaged.tgz --name acme/top --set-version 1.0.0 --into other/place").fails_with(1);
    assert!(!t.path("app/other").exists(), "nothing is left of what came to nothing");
}

#[test]
fn an_archive_is_published_whole_whatever_its_own_ignore_files_say() {
    let t = empty();
    t.registry("org");
    t.write("up/top/.gitignore", "dist/\n");
    t.write("up/top/dist/made.js", "made\n");
    let tar = std::process::Command::new("tar")
        .args(["-czf", "top.tgz", "top"])
        .current_dir(t.path("up"))
        .status()
        .expect("tar is everywhere");
    assert!(tar.success());
    t.weir("import ../up/top.tgz --name acme/top --set-version 1.0.0 --into top").succeeds();
    t.weir_in("app/top", "publish").succeeds();
    t.project(&["acme/top = ^1"]);
    t.weir("install").succeeds();
    assert!(t.path("app/weir_packages/packages/acme/top/dist/made.js").exists());
}

#[test]
fn who_publishes_is_the_same_without_an_environment() {
    let t = empty();
    t.registry("org");
    let name = std::process::Command::new("id").arg("-un").output().expect("there is `id`").stdout;
    let name = String::from_utf8(name).expect("it is a name");
    let first = t.package("acme/str", "1.0.0").write();
    t.weir_with("", &format!("publish {first}"), &[("USER", name.trim())]).succeeds();
    let second = t.package("acme/str", "1.0.1").write();
    // A job that the system runs has no such variables.
    t.weir_under(&["env", "-u", "USER", "-u", "LOGNAME"], "", &format!("publish {second}")).succeeds();
}
