//! A lockfile is text that anybody may have edited: it is believed as far as resolving gives it again, and never a dead end.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use weir_testkit::Sandbox;

use crate::{empty, greeting, installed, newer};

/// A project with a lockfile, in a world where everything has newer releases.
fn locked() -> (Sandbox, String) {
    let t = installed();
    newer(&t);
    t.weir("search greet").succeeds();
    let lock = t.read("app/weir.lock");
    (t, lock)
}

/// The line of `lock` that begins with `start`, below the table of `package`.
fn line<'l>(lock: &'l str, package: &str, start: &str) -> &'l str {
    let table = &lock[lock.find(&format!("name = \"{package}\"")).expect("its table")..];
    table.lines().find(|line| line.starts_with(start)).expect("the line")
}

/// `lock` with something else in the table of `package`.
fn edited(lock: &str, package: &str, start: &str, new: &str) -> String {
    let at = lock.find(&format!("name = \"{package}\"")).expect("its table");
    let (before, table) = lock.split_at(at);
    format!("{before}{}", table.replacen(line(lock, package, start), new, 1))
}

#[test]
fn whatever_is_edited_in_a_lockfile_is_noticed() {
    let (t, lock) = locked();
    t.weir("install --locked").succeeds();
    t.weir("verify").succeeds();
    let tree_of_names = line(&lock, "acme/names", "tree").to_owned();
    let edits = [
        (
            "another version",
            edited(&lock, "acme/str", "version", "version = \"1.1.0\"")
                .replace("acme/str 1.0.0", "acme/str 1.1.0"),
        ),
        (
            "a version out of range",
            edited(&lock, "acme/str", "version", "version = \"2.0.0\"")
                .replace("acme/str 1.0.0", "acme/str 2.0.0"),
        ),
        (
            "another version of what is asked for",
            edited(&lock, "acme/greet", "version", "version = \"2.0.0\"")
                .replace("acme/greet 1.0.0", "acme/greet 2.0.0"),
        ),
        ("the tree of another package", edited(&lock, "acme/str", "tree", &tree_of_names)),
        ("another key", edited(&lock, "acme/str", "input-digest", line(&lock, "acme/names", "input-digest"))),
        ("another size", edited(&lock, "acme/str", "size", "size = 7")),
        ("another registry", edited(&lock, "acme/str", "registry", "registry = \"elsewhere\"")),
        (
            "a repository",
            edited(
                &lock,
                "acme/str",
                "registry",
                "git = { url = \"file:///srv/x\", tag = \"v1\", commit = \"0\" }",
            ),
        ),
        ("a folder", edited(&lock, "acme/str", "registry", "path = \"../x\"")),
        ("another kind", edited(&lock, "acme/names", "kind", "kind = \"generic\"")),
        (
            "another command",
            edited(&lock, "acme/greet", "facts", "facts = { \"bin\" = { \"sudo\" = \"greet\" } }"),
        ),
        ("a wider range", lock.replace("range = \">=2026\"", "range = \">=1\"")),
        ("an edge less", lock.replace("    \"acme/str 1.0.0\",\n", "")),
        (
            "a release more",
            format!("{lock}\n[[release]]\nname = \"acme/more\"\nversion = \"1.0.0\"\nkind = \"generic\"\n"),
        ),
        ("nothing asked for", lock.replace("direct = [\"acme/greet 1.0.0\"]\n", "")),
    ];
    for (what, edit) in edits {
        assert_ne!(edit, lock, "{what} changes nothing");
        t.write("app/weir.lock", &edit);
        for command in ["lock --locked", "install --locked", "verify"] {
            let run = t.weir(command);
            assert!(matches!(run.code, 6 | 8), "{what}: {run}");
        }
        let run = t.weir("install");
        let now = t.read("app/weir.lock");
        assert!(run.code == 6 || now == lock || !now.contains(&edit), "{what}: {run}\n{now}");
        if run.code == 0 {
            t.weir("verify").succeeds();
        }
        t.write("app/weir.lock", &lock);
        t.weir("install --locked").succeeds();
    }
}

#[test]
fn a_lockfile_that_came_with_a_clone_is_held_against_what_is_known_here_without_a_network() {
    let (t, lock) = locked();
    t.write("clone/weir.toml", t.read("app/weir.toml"));
    t.write("clone/weir.lock", edited(&lock, "acme/str", "tree", line(&lock, "acme/names", "tree")));
    let refused = t.weir_in("clone", "install --locked --offline");
    assert_eq!(refused.code, 6, "{refused}");
    t.write("clone/weir.lock", &lock);
    t.weir_in("clone", "install --locked --offline").succeeds();
}

#[test]
fn a_broken_lockfile_is_made_anew_and_keeps_its_choices() {
    let (t, lock) = locked();
    let table = lock.find("[[release]]").expect("a table");
    let conflict = lock.replace(
        line(&lock, "acme/str", "size"),
        &format!("<<<<<<< HEAD\n{}\n=======\nsize = 1\n>>>>>>> other", line(&lock, "acme/str", "size")),
    );
    let broken = [
        ("a conflict", conflict, true),
        ("a newer format", lock.replace("version = 1\n", "version = 2\nnew = true\n"), true),
        ("cut short", lock[..lock.len() - 30].to_owned(), true),
        ("a table less", lock[..table].to_owned(), false),
        ("nothing", String::new(), false),
        ("garbage", "\u{0}\u{1}garbage".into(), false),
    ];
    for (what, text, keeps) in broken {
        for command in ["lock", "install"] {
            t.write("app/weir.lock", &text);
            let refused = t.weir(&format!("{command} --locked"));
            assert_ne!(refused.code, 0, "{what}: {refused}");
            if !text.is_empty() {
                assert!(refused.stderr.contains("`weir lock` makes it anew"), "{what}: {refused}");
            }
            let run = t.weir(command).succeeds();
            let now = t.read("app/weir.lock");
            if keeps {
                assert_eq!(now, lock, "{what}");
                assert!(run.stderr.contains("made anew"), "{what}: {run}");
            }
            t.weir("install --locked").succeeds();
        }
    }
}

#[test]
fn both_sides_of_a_merge_keep_what_they_chose() {
    let t = greeting();
    t.project(&["acme/str = ^1"]);
    t.weir("lock").succeeds();
    let ours = t.read("app/weir.lock");
    t.project(&["acme/names = >=2026"]);
    t.write("app/weir.lock", "");
    t.weir("lock").succeeds();
    let theirs = t.read("app/weir.lock");
    newer(&t);
    t.project(&["acme/names = >=2026", "acme/str = ^1"]);
    t.write("app/weir.lock", format!("<<<<<<< HEAD\n{ours}=======\n{theirs}>>>>>>> theirs\n"));
    t.weir("lock").succeeds();
    let merged = t.read("app/weir.lock");
    assert!(merged.contains("\"acme/str 1.0.0\"") && merged.contains("\"acme/names 2026.1.0\""), "{merged}");
}

#[test]
fn another_key_than_the_pinned_one_is_told_and_changes_nothing() {
    let t = greeting();
    t.weir_in("", "registry init other --name org2").succeeds();
    let key = key_in(&t.weir_in("", "--json registry show ./other").succeeds().stdout);
    let pinned = key_in(&t.weir_in("", "--json registry show ./org").succeeds().stdout);
    let run = t.weir_in("", &format!("registry add again org --key {key}"));
    assert_eq!(run.code, 6, "{run}");
    assert!(run.stderr.contains(&key) && run.stderr.contains(&pinned), "{run}");
    t.write(
        "app/weir.toml",
        format!("[dependencies]\n\"acme/str\" = \"^1\"\n[registries]\norg = {{ url = \"../org\", key = \"{key}\", default = true }}\n"),
    );
    for command in ["install", "install --offline", "lock"] {
        let run = t.weir(command);
        assert_eq!(run.code, 6, "{run}");
        assert!(run.stderr.contains(&key) && run.stderr.contains(&pinned), "{run}");
    }
    t.weir_in("", &format!("registry add again org --key {pinned}")).succeeds();
}

/// The first verifier key in a document.
fn key_in(json: &str) -> String {
    let word = json.split('"').find(|word| word.matches('+').count() >= 2).expect("a key");
    word.to_owned()
}

#[test]
fn a_package_that_names_files_of_others_machines_cannot_be_published() {
    let t = empty();
    t.registry("org");
    t.write("secret", "mine");
    for address in [
        t.path("secret").display().to_string(),
        "../secret".into(),
        format!("file://{}", t.path("secret").display()),
    ] {
        let folder = t
            .package("acme/thief", "1.0.0")
            .file("x", "")
            .manifest(&format!("[references.p]\nurl = \"{address}\"\nfluid = true\n"))
            .write();
        let run = t.weir_in("", &format!("publish {folder}"));
        assert_ne!(run.code, 0, "{run}");
        assert!(run.stderr.contains("neither an `https://`"), "{run}");
    }
    // Of a project's own, what its user names is allowed.
    t.write("app/weir.toml", "");
    t.weir("add --reference p ../secret --fluid").succeeds();
    t.weir("install").succeeds();
}

#[test]
fn who_installs_a_lock_whose_fluid_reference_has_moved_is_told_what_helps() {
    let t = empty();
    t.write("app/data", "what is locked");
    t.write("app/weir.toml", "[references.p]\nurl = \"data\"\nfluid = true\n");
    t.weir("install").succeeds();
    t.write("app/data", "moved");
    let another = t.path("another-home").display().to_string();
    let run = t.weir_with("app", "install --locked", &[("WEIR_HOME", &another)]);
    assert_eq!(run.code, 5, "{run}");
    assert!(
        run.stderr.contains("the reference `p` has moved") && run.stderr.contains("`weir update`"),
        "{run}"
    );
    t.weir_with("app", "update", &[("WEIR_HOME", &another)]).succeeds();
}

/// Publishes a version of `acme/z` for a platform.
fn publish_built(t: &Sandbox, version: &str, platform: &str) {
    let folder = format!("built-{version}-{platform}");
    let manifest = format!(
        "[package]\nname = \"acme/z\"\nversion = \"{version}\"\nplatform = \"{platform}\"\nlicense = \"MIT\"\n"
    );
    t.write(format!("{folder}/weir.toml"), manifest);
    t.write(format!("{folder}/z"), platform);
    t.weir_in("", &format!("publish {folder}")).succeeds();
}

/// A project that asks for `acme/z`, which is there for two platforms.
fn for_two_platforms() -> Sandbox {
    let t = empty();
    t.registry("org");
    for platform in ["x86-64-debian-12", "x86-64-fedora-40"] {
        publish_built(&t, "1.0.0", platform);
    }
    t.project(&["acme/z = ^1"]);
    t
}

#[test]
fn machines_of_two_platforms_do_not_take_the_lockfile_from_each_other() {
    let t = for_two_platforms();
    t.weir("lock --platform x86-64-debian-12").succeeds();
    let first = t.read("app/weir.lock");
    t.weir("lock --platform x86-64-fedora-40").succeeds();
    let both = t.read("app/weir.lock");
    assert_ne!(first, both);
    for platform in ["x86-64-debian-12", "x86-64-fedora-40"] {
        assert!(both.contains(&format!("\"acme/z 1.0.0 {platform}\"")), "{both}");
        t.weir(&format!("lock --locked --platform {platform}")).succeeds();
        t.weir(&format!("install --locked --platform {platform}")).succeeds();
        assert_eq!(t.read("app/weir_packages/packages/acme/z/z"), platform);
        assert_eq!(t.read("app/weir.lock"), both);
    }
    t.project(&[]);
    t.weir("lock --platform x86-64-debian-12").succeeds();
    assert!(!t.read("app/weir.lock").contains("acme/z"));
}

#[test]
fn one_machine_locks_for_all_platforms_that_the_project_names() {
    let t = for_two_platforms();
    let asked = |platforms: &str| {
        let manifest = t.read("app/weir.toml");
        let manifest = manifest.lines().filter(|line| !line.starts_with("platforms"));
        let manifest: Vec<_> = manifest.collect();
        t.write("app/weir.toml", format!("platforms = [{platforms}]\n{}\n", manifest.join("\n")));
    };
    asked("\"x86-64-debian-12\", \"x86-64-fedora-40\"");
    t.weir("install --platform x86-64-debian-12").succeeds();
    assert_eq!(t.read("app/weir_packages/packages/acme/z/z"), "x86-64-debian-12");
    let both = t.read("app/weir.lock");
    t.weir("install --locked --platform x86-64-fedora-40").succeeds();
    assert_eq!(t.read("app/weir_packages/packages/acme/z/z"), "x86-64-fedora-40");
    assert_eq!(t.read("app/weir.lock"), both);

    // An update moves all of them, each as far as there is something for it.
    publish_built(&t, "1.1.0", "x86-64-debian-12");
    publish_built(&t, "1.1.0", "x86-64-fedora-40");
    publish_built(&t, "1.2.0", "x86-64-fedora-40");
    t.weir("update --platform x86-64-debian-12").succeeds();
    let moved = t.read("app/weir.lock");
    for release in ["acme/z 1.1.0 x86-64-debian-12", "acme/z 1.2.0 x86-64-fedora-40"] {
        assert!(moved.contains(release), "{moved}");
    }
    assert!(!moved.contains("1.0.0"), "{moved}");

    // What was withdrawn for another platform is told on this one.
    t.weir("audit").succeeds();
    t.weir("quarantine acme/z@1.2.0 --platform x86-64-fedora-40 --reason steals").succeeds();
    let audit = t.weir("audit").fails_with(1);
    assert!(audit.stdout.contains("acme/z 1.2.0 x86-64-fedora-40"), "{audit}");
    t.weir("unquarantine acme/z@1.2.0 --platform x86-64-fedora-40").succeeds();

    // What is missing for one of them is an error everywhere, also for who may not change the lockfile; nothing is written then.
    asked("\"x86-64-debian-12\", \"x86-64-fedora-40\", \"riscv64-debian-13\"");
    for command in ["lock --platform x86-64-debian-12", "install --locked --platform x86-64-debian-12"] {
        let run = t.weir(command);
        assert_ne!(run.code, 0, "{run}");
        assert!(run.stderr.contains("no lockfile for `riscv64-debian-13`"), "{run}");
        assert!(run.stderr.contains("x86-64-fedora-40"), "what there is instead: {run}");
    }
    assert_eq!(t.read("app/weir.lock"), moved);
}

#[test]
fn a_list_of_platforms_that_means_nothing_is_refused() {
    let t = empty();
    for (platforms, reason) in [
        ("\"any\"", "no platform that something runs on"),
        ("\"x86-64-debian-12\", \"x86-64-debian-12\"", "is there twice"),
        ("\"Debian\"", "Debian"),
        ("12", "a list of strings"),
    ] {
        t.write("app/weir.toml", format!("platforms = [{platforms}]\n"));
        let run = t.weir("lock").fails_with(1);
        assert!(run.stderr.contains(reason), "{run}");
    }
}

/// A change to a lockfile that somebody's editor, merge or script may make.
#[derive(Debug, Clone)]
enum Edit {
    Delete(usize),
    Repeat(usize),
    Swap(usize, usize),
    /// What stands behind the `=` of one line is that of another.
    Borrow(usize, usize),
    Digit(usize, char),
    CutAt(usize),
}

impl Edit {
    fn any() -> impl Strategy<Value = Self> {
        let line = 0_usize..200;
        prop_oneof![
            line.clone().prop_map(Self::Delete),
            line.clone().prop_map(Self::Repeat),
            (line.clone(), line.clone()).prop_map(|(one, other)| Self::Swap(one, other)),
            (line.clone(), line.clone()).prop_map(|(one, other)| Self::Borrow(one, other)),
            (line.clone(), proptest::char::range('0', '9'))
                .prop_map(|(line, digit)| Self::Digit(line, digit)),
            line.prop_map(Self::CutAt),
        ]
    }

    fn carry_out(&self, lines: &mut Vec<String>) {
        let many = lines.len().max(1);
        match self {
            _ if lines.is_empty() => {}
            Self::Delete(line) => drop(lines.remove(line % many)),
            Self::Repeat(line) => lines.insert(line % many, lines[line % many].clone()),
            Self::Swap(one, other) => lines.swap(one % many, other % many),
            Self::Borrow(one, other) => {
                if let (Some((key, _)), Some((_, value))) =
                    (lines[one % many].split_once('='), lines[other % many].split_once('='))
                {
                    lines[one % many] = format!("{key}={value}");
                }
            }
            Self::Digit(line, digit) => {
                let line = &mut lines[line % many];
                if let Some(at) = line.find(|c: char| c.is_ascii_digit()) {
                    line.replace_range(at..=at, &digit.to_string());
                }
            }
            Self::CutAt(line) => lines.truncate(line % many),
        }
    }
}

#[test]
fn whatever_became_of_a_lockfile_installing_repairs_it_or_says_what_stands_in_the_way() {
    let (t, lock) = locked();
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let edits = proptest::collection::vec(Edit::any(), 1..4);
    let tried = TestRunner::new(config).run(&edits, |edits| {
        let mut lines: Vec<String> = lock.lines().map(str::to_owned).collect();
        edits.iter().for_each(|edit| edit.carry_out(&mut lines));
        t.write("app/weir.lock", format!("{}\n", lines.join("\n")));
        let locked = t.weir("install --locked");
        prop_assert!(matches!(locked.code, 0 | 1 | 6 | 8), "{}", locked);
        let run = t.weir("install");
        prop_assert!(matches!(run.code, 0 | 6), "{}", run);
        if run.code == 0 {
            prop_assert_eq!(t.weir("install --locked").code, 0);
            prop_assert_eq!(t.weir("verify").code, 0);
        }
        // Whatever it was, asking for everything anew is a way out; but what has other content than the registry's is not passed over in
        // silence: then the help names one.
        let anew = t.weir("update");
        let is_told =
            run.code == 6 && anew.code == 6 && anew.stderr.contains("remove the table of that release");
        prop_assert!(anew.code == 0 || is_told, "{}", anew);
        t.write("app/weir.lock", &lock);
        prop_assert_eq!(t.weir("install --locked").code, 0);
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
}

/// It is evidence, of an edit or of a registry that changed what it had: so nothing takes it away but who looked.
#[test]
fn a_lockfile_with_another_tree_than_the_registry_leads_to_the_command_that_takes_what_is_offered() {
    let (t, lock) = locked();
    let other = line(&lock, "acme/names", "tree").to_owned();
    t.write("app/weir.lock", edited(&lock, "acme/str", "tree", &other));
    for command in ["lock", "install", "update"] {
        let run = t.weir(command).fails_with(6);
        assert!(run.stderr.contains("`weir update acme/str` takes it"), "{run}");
    }
    t.weir("update acme/str").succeeds();
    t.weir("install --locked").succeeds();
    t.weir("verify").succeeds();
}

#[test]
fn what_a_range_that_is_not_written_yet_asks_for_is_told_as_a_line_of_the_new_manifest() {
    let t = installed();
    let run = t.weir("add acme/str@=9.0.0").fails_with(3);
    assert!(run.stderr.contains("`the new weir.toml:3` requires `acme/str` =9.0.0"), "{run}");
}

#[test]
fn a_lockfile_that_says_the_same_in_another_form_stays_as_it_is() {
    let t = greeting();
    t.project(&["acme/greet = ^1"]);
    t.weir("install").succeeds();
    let other = t.read("app/weir.lock").replace('\n', "\r\n") + "# seen by ann\r\n";
    t.write("app/weir.lock", &other);
    for command in ["install --locked", "lock", "lock --check", "install", "update"] {
        t.weir(command).succeeds();
        assert_eq!(t.read("app/weir.lock"), other, "{command}");
    }
    t.weir("add acme/names").succeeds();
    assert!(!t.read("app/weir.lock").contains('\r'));
}

#[test]
fn a_manifest_with_the_line_ends_of_windows_keeps_them() {
    let t = greeting();
    t.write("app/weir.toml", "# mine\r\n[dependencies]\r\n");
    t.weir("add acme/greet").succeeds();
    let text = t.read("app/weir.toml");
    assert!(text.contains("acme/greet") && text.starts_with("# mine\r\n"), "{text:?}");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text:?}");
}
