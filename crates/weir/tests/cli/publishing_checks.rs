//! What is looked at before anything is published: secrets, licences, and dependencies that others cannot have.

use crate::empty;
use weir_testkit::Sandbox;

const MANIFEST: &str = "[package]\nname = \"acme/one\"\nversion = \"1.0.0\"\n";

fn package(manifest: &str) -> Sandbox {
    let t = empty();
    t.registry("org");
    t.write("one/weir.toml", manifest);
    t
}

#[test]
fn what_is_probably_secret_is_not_published_unless_one_says_so() {
    let t = package(MANIFEST);
    t.write("one/a.txt", "a");
    t.write("one/conf/.env.production", "TOKEN=x");
    t.write("one/deploy.txt", "key:\n-----BEGIN OPENSSH PRIVATE KEY-----\nx\n");
    t.write("one/.env.example", "TOKEN=");
    for typed in ["publish", "publish --dry-run"] {
        let refused = t.weir_in("one", typed).fails_with(4);
        assert!(refused.stderr.contains("conf/.env.production"), "{refused}");
        assert!(refused.stderr.contains("deploy.txt"), "{refused}");
        assert!(!refused.stderr.contains(".env.example"), "{refused}");
        assert!(refused.stderr.contains("--allow-secrets"), "{refused}");
    }
    assert!(t.weir_in("one", "info acme/one").fails_with(5).stderr.contains("acme/one"));
    t.weir_in("one", "publish --allow-secrets").succeeds();
}

#[test]
fn private_keys_are_known_by_how_they_begin_the_key_of_a_registry_among_them() {
    let t = package(MANIFEST);
    let keys = t.path("home/weir/keys");
    let key = fs_err::read_dir(keys).unwrap().next().unwrap().unwrap().path();
    t.write("one/notes.txt", fs_err::read(key).unwrap());
    t.write("one/backup", "# created: 2026-11-29\nAGE-SECRET-KEY-1QQQ\n");
    t.write("one/session", "PuTTY-User-Key-File-3: ssh-ed25519\n");
    let refused = t.weir_in("one", "publish").fails_with(4);
    for file in ["notes.txt", "backup", "session"] {
        assert!(refused.stderr.contains(file), "{refused}");
    }
}

#[test]
fn a_licence_is_an_spdx_expression() {
    let t = package(&format!("{MANIFEST}license = \"Apache 2\"\n"));
    let refused = t.weir_in("one", "publish").fails_with(1);
    assert!(refused.stderr.contains("license = \"Apache-2.0\""), "{refused}");
    t.write("one/weir.toml", format!("{MANIFEST}license = \"MIT OR LicenseRef-Acme\"\n"));
    t.weir_in("one", "publish").succeeds();
}

#[test]
fn a_folder_is_for_work_and_the_range_beside_it_for_others() {
    let needs = |need: &str| format!("{MANIFEST}license = \"MIT\"\n[dependencies]\n\"acme/two\" = {need}\n");
    let t = package(&needs("{ path = \"../two\" }"));
    t.write("two/weir.toml", "[package]\nname = \"acme/two\"\nversion = \"2.1.0\"\nlicense = \"MIT\"\n");
    let refused = t.weir_in("one", "publish").fails_with(1);
    assert!(refused.stderr.contains("give a `range` beside the `path`"), "{refused}");
    t.write("one/weir.toml", needs("{ path = \"../two\", range = \"^2\" }"));
    t.weir_in("", "publish one two").succeeds();
    t.write("app/weir.toml", "[dependencies]\n\"acme/one\" = \"^1\"\n");
    let installed = t.weir_in("app", "install").succeeds();
    assert!(installed.stdout.contains("acme/two  2.1.0"), "{installed}");
}

#[test]
fn a_folder_with_work_in_it_gets_a_manifest_with_its_own_licence_and_no_examples() {
    let t = empty();
    t.write("tool/LICENSE", include_str!("../../../../LICENSE-MIT"));
    t.write("tool/run.sh", "echo\n");
    let made = t.weir_in("tool", "init --kind bash --name acme/tool").succeeds();
    assert!(!made.stdout.contains("src/"), "{made}");
    assert!(t.read("tool/weir.toml").contains("license = \"MIT\""));
    let wrong = t.weir_in("", "init other --name acme/other --license Foo").fails_with(2);
    assert!(wrong.stderr.contains("SPDX"), "{wrong}");
}

/// A link in the publisher's folder leads to a file that was never meant to be shown.
#[test]
fn a_reference_does_not_lead_out_of_the_folder_of_its_package() {
    let t = package(MANIFEST);
    t.write("outside/secret", "secret");
    std::os::unix::fs::symlink(t.path("outside"), t.path("one/sub")).unwrap();
    std::os::unix::fs::symlink(t.path("outside/secret"), t.path("one/data.bin")).unwrap();
    for path in ["sub/secret", "data.bin"] {
        let digest = "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
        let references = format!("[references]\nc = {{ mirrors = [\"{path}\"], sha256 = \"{digest}\" }}\n");
        t.write("one/weir.toml", format!("{MANIFEST}exclude = [\"sub\", \"data.bin\"]\n{references}"));
        let refused = t.weir_in("one", "publish --with-references").fails_with(4);
        assert!(refused.stderr.contains("is a link"), "{refused}");
    }
    assert!(fs_err::read_dir(t.path("org/file")).is_err(), "nothing was uploaded");
}

#[test]
fn a_fluid_reference_that_is_no_address_is_a_file_of_the_package() {
    let t = package(MANIFEST);
    t.write("one/left-out.bin", "x");
    for path in ["left-out.bin", "nowhere.bin"] {
        let references = format!("[references]\nc = {{ url = \"{path}\", fluid = true }}\n");
        t.write("one/weir.toml", format!("{MANIFEST}exclude = [\"left-out.bin\"]\n{references}"));
        let refused = t.weir_in("one", "publish").fails_with(1);
        assert!(refused.stderr.contains("no file of the package"), "{refused}");
    }
}
