//! `registry export` and `import`: a registry, carried where no network leads.

use weir_testkit::{Run, Sandbox};

/// A registry `public` with two packages, and far from it, with a home of its own, a registry `team`.
struct Far {
    t: Sandbox,
    home: String,
}

fn far() -> Far {
    let t = Sandbox::new(env!("CARGO_BIN_EXE_weir"));
    t.weir_in("", "registry init public --name public").succeeds();
    let home = t.path("far-home").display().to_string();
    let far = Far { t, home };
    far.publish("lib/str", "1.0.0", &[]);
    far.publish("lib/log", "1.2.0", &["lib/str"]);
    far.there("registry init team --name team --default").succeeds();
    far
}

impl Far {
    fn publish(&self, name: &str, version: &str, needs: &[&str]) {
        let package = self.t.package(name, version);
        let package = needs.iter().fold(package, |package, name| package.dependency(name, "^1"));
        let folder = package.write();
        self.t.weir_in("", &format!("publish {folder} --registry ./public")).succeeds();
    }

    /// Where no network leads.
    fn there(&self, typed: &str) -> Run {
        self.t.weir_with("", typed, &[("WEIR_HOME", &self.home)])
    }

    fn export(&self, file: &str, how: &str) -> String {
        self.t.weir_in("", &format!("registry export {file} {how} --registry ./public")).succeeds().stdout
    }

    fn key(&self) -> String {
        let shown = self.t.weir_in("", "registry show ./public --json").succeeds().stdout;
        let shown: serde_json::Value = serde_json::from_str(&shown).expect("it is JSON");
        shown["pinned"][0].as_str().expect("it has a key").to_owned()
    }

    /// What changes when the registry there does: its log, and what is imported beside it.
    fn state(&self) -> (String, Vec<String>) {
        let mut files = Vec::new();
        let mut waiting = vec![self.t.path("team")];
        while let Some(folder) = waiting.pop() {
            for entry in fs_err::read_dir(folder).expect("it is a folder") {
                let path = entry.expect("it can be listed").path();
                // Locks stay.
                let is_lock = path.ends_with("lock") || path.to_string_lossy().contains(".lock");
                match path.is_dir() {
                    true => waiting.push(path),
                    false if !is_lock => files.push(path.display().to_string()),
                    false => {}
                }
            }
        }
        files.sort();
        (self.t.read("team/checkpoint"), files)
    }
}

#[test]
fn what_is_exported_is_followed_and_admitted_as_if_the_registry_had_been_reached() {
    let far = far();
    let t = &far.t;
    let told = far.export("first.weir", "--content");
    assert!(told.contains("2 objects of content") && told.contains("The next time: `--since 4`"), "{told}");
    let refused = far.there("registry import first.weir").fails_with(5);
    assert!(refused.stderr.contains("is of the registry `public`, which is not above `team`"), "{refused}");
    let key = far.key();
    let whole = fs_err::read(t.path("first.weir")).unwrap();
    for (what, bytes) in [
        ("it was cut short", whole[..whole.len() - 1024].to_vec()),
        ("it was cut short", whole[..whole.len() - 512].to_vec()),
        ("something follows its end", [&*whole, &*whole].concat()),
    ] {
        fs_err::write(t.path("other.weir"), bytes).unwrap();
        let refused = far.there(&format!("registry import other.weir --key {key} --mode mirror"));
        assert!(refused.code != 0 && refused.stderr.contains(what), "{what}: {refused}");
    }
    let told = far.there(&format!("registry import first.weir --key {key} --mode mirror")).succeeds().stdout;
    assert!(told.contains("admitted 2 releases") && told.contains("brought 2 objects"), "{told}");

    // Later more comes: a release, and a withdrawal.
    far.publish("lib/str", "1.1.0", &[]);
    t.weir_in("", "quarantine lib/log@1.2.0 --reason 'it steals' --registry ./public").succeeds();
    far.export("second.weir", "--since 4 --content");
    // The file with the checkpoint of that time says the same; what is in between is missed.
    far.publish("lib/str", "1.2.0", &[]);
    far.export("third.weir", "--since public/checkpoint --content");
    let gap = far.there("registry import third.weir").fails_with(5);
    assert!(gap.stderr.contains("weir registry export FILE --since 4"), "{gap}");
    fs_err::rename(t.path("public"), t.path("out-of-reach")).unwrap();
    let told = far.there("registry import second.weir").succeeds().stdout;
    assert!(told.contains("admitted 1 release,") && told.contains("brought 1 object "), "{told}");
    assert!(far.there("info lib/log@1.2.0").succeeds().stdout.contains("it steals"));
    // Twice is once.
    let told = far.there("registry import second.weir").succeeds().stdout;
    assert!(told.contains("admitted 0 releases") && told.contains("brought 0 objects"), "{told}");
    t.write("app/weir.toml", "[dependencies]\n\"lib/str\" = \"^1\"\n");
    far.there("-C app install").succeeds();
    assert_eq!(t.read("app/weir_packages/packages/lib/str/content.txt"), "lib/str 1.1.0\n");
    far.there("registry verify").succeeds();
    // What was carried before is older than what is known: nothing goes back.
    let older = far.there("registry import first.weir").fails_with(1);
    assert!(older.stderr.contains("it is an older one, and brings nothing"), "{older}");
}

#[test]
fn of_a_registry_that_is_asked_chosen_packages_can_be_carried() {
    let far = far();
    let t = &far.t;
    far.export("chosen.weir", "--package lib/str");
    let key = far.key();
    fs_err::rename(t.path("public"), t.path("out-of-reach")).unwrap();
    let told = far.there(&format!("registry import chosen.weir --key {key}")).succeeds().stdout;
    assert!(told.contains("admitted 0 releases"), "nobody asked yet: {told}");
    t.write("app/weir.toml", "[dependencies]\n\"lib/str\" = \"^1\"\n");
    far.there("-C app install").succeeds();
    // What was not carried is known, and cannot be had: that is told.
    let run = far.there("-C app add lib/log");
    assert_ne!(run.code, 0, "{run}");
    assert!(run.stderr.contains("the registry above does not have it"), "{run}");
}

#[test]
fn a_file_that_is_not_what_it_must_be_is_refused_and_nothing_changes() {
    let far = far();
    let t = &far.t;
    let key = far.key();
    far.export("first.weir", "--content");
    let good = fs_err::read(t.path("first.weir")).unwrap();
    let import = format!("registry import bad.weir --key {key}");
    // Before anything was imported there is nothing but the folder for it.
    let nothing = far.there("registry import nothing.weir").fails_with(5);
    assert!(nothing.stderr.contains("nothing.weir` is not there"), "{nothing}");
    let before = far.state();
    let tried = std::cell::Cell::new(0);
    let refused = |bytes: Vec<u8>, why: &str| {
        fs_err::write(t.path("bad.weir"), bytes).unwrap();
        let run = far.there(&import);
        assert_ne!(run.code, 0, "{why}: {run}");
        assert_eq!(far.state(), before, "{why}: {run}");
        tried.set(tried.get() + 1);
    };
    for cut in [0, 1, 511, 512, 700, good.len() / 2, good.len() - 1500] {
        refused(good[..cut].to_vec(), &format!("cut after {cut} bytes"));
    }
    // Every file in it counts: one byte of each is changed.
    let mut at = 0;
    while at + 512 < good.len() {
        let size = std::str::from_utf8(&good[at + 124..at + 135]).ok();
        let Some(size) = size.and_then(|octal| usize::from_str_radix(octal, 8).ok()) else { break };
        let mut changed = good.clone();
        changed[at + 512 + size / 2] ^= 0x01;
        let name = String::from_utf8_lossy(&good[at..at + 60]).into_owned();
        // What the registry says of itself is no proof of anything, and says nothing that counts.
        if !name.starts_with("weir") {
            refused(changed, &name);
        }
        at += 512 + size.div_ceil(512) * 512;
    }
    for name in ["../../escaped", "policy/all.cedar", ".held/aa/x", "upstreams.json"] {
        let mut changed = good.clone();
        // The second file takes another name, with its checksum.
        let second = 512
            + usize::from_str_radix(std::str::from_utf8(&good[124..135]).unwrap(), 8).unwrap().div_ceil(512)
                * 512;
        rename_entry(&mut changed[second..second + 512], name);
        refused(changed, name);
    }
    assert!(!t.path("escaped").exists() && tried.get() > 15, "{tried:?}");
    // Of another key, though of the same name.
    t.weir_with("", "registry init other --name public", &[("WEIR_HOME", "elsewhere")]).succeeds();
    t.weir_with("", "registry export other.weir --registry ./other", &[("WEIR_HOME", "elsewhere")])
        .succeeds();
    refused(fs_err::read(t.path("other.weir")).unwrap(), "another key");
    refused(good[..good.len() - 1024].to_vec().repeat(2), "everything twice");
    fs_err::write(t.path("bad.weir"), good).unwrap();
    far.there(&import).succeeds();
}

/// Gives an entry of a tar archive another name.
fn rename_entry(header: &mut [u8], name: &str) {
    header[..100].fill(0);
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
}

#[test]
fn what_is_asked_of_an_export_has_to_be_there() {
    let far = far();
    let mistyped =
        far.t.weir_in("", "registry export x.weir --package lib/srt --registry ./public").fails_with(5);
    assert!(mistyped.stderr.contains("lib/srt") && mistyped.stderr.contains("`lib/str`"), "{mistyped}");
    let beyond = far.t.weir_in("", "registry export x.weir --since 99 --registry ./public").fails_with(5);
    assert!(beyond.stderr.contains("has 4 records, and nothing since the record 99"), "{beyond}");
    assert!(!far.t.path("x.weir").exists());
}

/// Whoever types the name of something else by mistake keeps it.
#[test]
fn an_export_takes_the_place_of_an_earlier_one_and_of_nothing_else() {
    let far = far();
    let t = &far.t;
    t.write("notes.txt", "mine");
    let refused = t.weir_in("", "registry export notes.txt --registry ./public").fails_with(8);
    assert!(refused.stderr.contains("notes.txt` is there already, and is no export"), "{refused}");
    assert_eq!(t.read("notes.txt"), "mine");
    t.weir_in("", "registry export packages --registry ./public").fails_with(2);
    t.write("empty.weir", "");
    far.export("empty.weir", "");
    let before = fs_err::read(t.path("empty.weir")).unwrap();
    far.publish("lib/str", "1.1.0", &[]);
    far.export("empty.weir", "");
    assert_ne!(fs_err::read(t.path("empty.weir")).unwrap(), before);
    t.weir_in("", "registry export x.weir --since nowhere --registry ./public").fails_with(5);
}

/// What is no key is a mistake of who typed it, whichever command takes it.
#[test]
fn what_is_no_key_is_told_to_be_none() {
    let far = far();
    far.export("first.weir", "");
    for typed in [
        "registry import first.weir --key garbage",
        "registry upstream add ./public --key garbage",
        "registry add public ./public --key garbage",
    ] {
        let refused = far.there(typed).fails_with(2);
        assert!(refused.stderr.contains("not a public key of the form"), "{refused}");
    }
}

#[test]
fn an_older_file_is_told_to_be_older_and_another_key_and_mode_are_not_passed_over() {
    let far = far();
    let key = far.key();
    far.export("first.weir", "--content");
    far.publish("lib/str", "1.1.0", &[]);
    far.export("second.weir", "--content");
    far.there(&format!("registry import second.weir --key {key}")).succeeds();
    let before = far.state();
    let older = far.there("registry import first.weir").fails_with(1);
    assert!(older.stderr.contains("up to 4") && older.stderr.contains("it is an older one"), "{older}");
    let other = key.replacen("public+", "public+0", 1);
    let other = far.there(&format!("registry import second.weir --key {other}")).fails_with(8);
    assert!(other.stderr.contains("believed by the key"), "{other}");
    assert_eq!(far.state(), before);
    // Nothing was asked for yet, so nothing is here; as a mirror all of it comes.
    far.there("registry import second.weir --mode mirror").succeeds();
    assert!(far.there("info lib/str@1.1.0").succeeds().stdout.contains("lib/str 1.1.0"));
}

#[test]
fn what_an_import_left_that_was_stopped_goes_with_the_next_or_with_the_collector() {
    let far = far();
    let key = far.key();
    far.export("first.weir", "");
    far.there(&format!("registry import first.weir --key {key}")).succeeds();
    for how in ["registry import first.weir", "registry gc"] {
        far.t.write("team/.imported/.weir-1f2e3d4c/pack/x", "left");
        far.there(how).succeeds();
        assert!(!far.t.path("team/.imported/.weir-1f2e3d4c").exists(), "{how}");
    }
}
