//! Bad days, with the real binary: killed at any moment, hundreds at once, a folder that may not be written.
//!
//! `WEIR_KILLS=1000 cargo test -p weir --test bad_days -- --nocapture` kills a thousand times; by default
//! it is a few, so that the suite stays quick. Crashes at *named* points are tried in the crates that have
//! them (`weir-log`, `weir-store`, `weir-registry`): every point, each time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const WEIR: &str = env!("CARGO_BIN_EXE_weir");

/// A machine of its own: a home, a registry, a folder for packages and projects.
struct Machine {
    root: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { root: tempfile::tempdir().unwrap() };
        machine.ok(machine.path(""), &["registry", "init", "reg", "--name", "org", "--default"]);
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn command(&self, folder: impl AsRef<Path>, args: &[&str]) -> Command {
        let mut command = Command::new(WEIR);
        command
            .current_dir(folder)
            .args(args)
            .env("WEIR_HOME", self.path("home"))
            .env_remove("WEIR_STORE")
            .env_remove("WEIR_REGISTRY")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, folder: impl AsRef<Path>, args: &[&str]) -> Output {
        self.command(folder, args).output().unwrap()
    }

    fn ok(&self, folder: impl AsRef<Path>, args: &[&str]) -> String {
        let output = self.run(folder, args);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "weir {args:?}: {}\n{error}", output.status);
        let said = String::from_utf8(output.stdout).unwrap();
        weir_testkit::check_json(args, &said, 0);
        said
    }

    /// Writes a package with a few files.
    fn package(&self, name: &str, version: &str, dependencies: &[&str]) -> PathBuf {
        let folder = self.path(&format!("{}-{version}", name.replace('/', "-")));
        fs_err::create_dir_all(folder.join("lib")).unwrap();
        let needs: String = dependencies.iter().map(|name| format!("\"{name}\" = \"*\"\n")).collect();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"{version}\"\nlicense = \"MIT\"\n\n[dependencies]\n{needs}"
        );
        fs_err::write(folder.join("weir.toml"), manifest).unwrap();
        for file in 0..20 {
            fs_err::write(
                folder.join(format!("lib/{file}.txt")),
                format!("{name} {version} {file}\n").repeat(50),
            )
            .unwrap();
        }
        folder
    }

    fn project(&self, name: &str, dependencies: &[&str]) -> PathBuf {
        let folder = self.path(name);
        fs_err::create_dir_all(&folder).unwrap();
        let needs: String = dependencies.iter().map(|name| format!("\"{name}\" = \"*\"\n")).collect();
        fs_err::write(folder.join("weir.toml"), format!("[package]\n\n[dependencies]\n{needs}")).unwrap();
        folder
    }

    /// Starts a command and kills it after a while, if it has not ended by then; says whether it was killed.
    fn kill_after(&self, folder: &Path, args: &[&str], delay: Duration) -> bool {
        let mut child =
            self.command(folder, args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let until = Instant::now() + delay;
        while Instant::now() < until {
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        let running = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        running
    }
}

/// Store folders are read-only, so that nothing in them is removed by accident; a test is no accident.
impl Drop for Machine {
    fn drop(&mut self) {
        let _ = Command::new("chmod").args(["-R", "u+w"]).arg(self.root.path()).status();
    }
}

fn kills() -> usize {
    std::env::var("WEIR_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(24)
}

/// Delays that sweep over a command's whole life, without a source of chance: a failure can be repeated.
fn delay(round: usize, longest: Duration) -> Duration {
    let step = (round * 7919) % 1000;
    longest * u32::try_from(step).unwrap() / 1000
}

#[test]
fn whatever_moment_it_is_killed_at_the_registry_is_sound_and_the_retry_succeeds() {
    let machine = Machine::new();
    machine.ok(machine.package("acme/base", "1.0.0", &[]), &["publish"]);
    let mut killed = 0;
    for round in 0..kills() {
        let version = format!("1.0.{}", round + 1);
        let package = machine.package("acme/top", &version, &["acme/base"]);
        let longest = Duration::from_millis(120);
        killed += usize::from(machine.kill_after(&package, &["publish"], delay(round, longest)));
        machine.ok(&package, &["publish"]);
        if round % 8 == 7 {
            machine.ok(machine.path(""), &["registry", "verify"]);
        }
    }
    machine.ok(machine.path(""), &["registry", "verify"]);
    assert!(killed > 0, "nothing was killed: the delays no longer fit the machine");
}

#[test]
fn whatever_moment_an_export_is_killed_at_nothing_of_it_stays() {
    let machine = Machine::new();
    let package = machine.package("acme/large", "1.0.0", &[]);
    let mut state = 1_u64;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    });
    fs_err::write(package.join("noise"), noise.take(6 << 20).collect::<Vec<u8>>()).unwrap();
    machine.ok(&package, &["publish"]);
    let project = machine.project("app", &["acme/large"]);
    machine.ok(&project, &["install"]);
    let out = machine.path("out");
    fs_err::create_dir(&out).unwrap();
    let names =
        || -> Vec<_> { fs_err::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect() };
    let file = out.join("app.weir");
    let export = ["store", "export", file.to_str().unwrap()];
    let mut killed = 0;
    for round in 0..kills() {
        killed +=
            usize::from(machine.kill_after(&project, &export, delay(round, Duration::from_millis(250))));
        // Where a file must have a name while it is written, the next export finds what was left, once it is old.
        for name in names().into_iter().filter(|name| name != "app.weir") {
            let left = fs_err::File::open(out.join(name)).unwrap();
            left.file().set_modified(std::time::SystemTime::now() - Duration::from_secs(600)).unwrap();
        }
        if round % 8 == 7 {
            machine.ok(&project, &export);
            assert_eq!(names(), ["app.weir"]);
            fs_err::remove_file(&file).unwrap();
        }
    }
    machine.ok(&project, &export);
    assert_eq!(names(), ["app.weir"]);
    assert_eq!(fs_err::read_dir(machine.path("home/store/tmp")).unwrap().count(), 0);
    machine.ok(&project, &["store", "import", file.to_str().unwrap()]);
    assert!(killed > 0, "nothing was killed: the delays no longer fit the machine");
}

#[test]
fn whatever_moment_an_install_or_a_collection_is_killed_at_the_store_and_the_project_are_sound() {
    let machine = Machine::new();
    let names: Vec<String> = (0..12).map(|number| format!("acme/p{number}")).collect();
    let folders: Vec<PathBuf> = names.iter().map(|name| machine.package(name, "1.0.0", &[])).collect();
    let folders: Vec<&str> = folders.iter().map(|folder| folder.to_str().unwrap()).collect();
    machine.ok(machine.path(""), &[&["publish"], folders.as_slice()].concat());
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let project = machine.project("app", &all);
    let mut killed = 0;
    for round in 0..kills() {
        let _ = fs_err::remove_file(project.join("weir.lock"));
        let _ = fs_err::remove_dir_all(project.join("weir_packages"));
        let longest = Duration::from_millis(150);
        killed += usize::from(machine.kill_after(&project, &["install"], delay(round, longest)));
        if round % 3 == 0 {
            // With the lockfile away and no grace, nothing is known to be used.
            let _ = fs_err::remove_file(project.join("weir.lock"));
            killed += usize::from(machine.kill_after(&project, &["store", "gc"], delay(round, longest)));
        }
        machine.ok(&project, &["install"]);
        machine.ok(&project, &["verify"]);
    }
    machine.ok(&project, &["store", "verify"]);
    assert!(machine.ok(&project, &["install"]).contains("Nothing to do"));
    assert!(killed > 0, "nothing was killed: the delays no longer fit the machine");
}

#[test]
fn two_hundred_processes_at_once_lose_nothing() {
    const PUBLISHERS: usize = 100;
    const INSTALLERS: usize = 100;
    let machine = Machine::new();
    machine.ok(machine.package("acme/base", "1.0.0", &[]), &["publish"]);
    let packages: Vec<PathBuf> = (0..PUBLISHERS)
        .map(|number| machine.package(&format!("acme/p{number}"), "1.0.0", &["acme/base"]))
        .collect();
    let projects: Vec<PathBuf> =
        (0..INSTALLERS).map(|number| machine.project(&format!("app{number}"), &["acme/base"])).collect();
    let publishing = packages.iter().map(|folder| machine.command(folder, &["publish"]));
    let installing = projects.iter().map(|folder| machine.command(folder, &["install"]));
    let children: Vec<_> = publishing.chain(installing).map(|mut command| command.spawn().unwrap()).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    machine.ok(machine.path(""), &["registry", "verify"]);
    machine.ok(machine.path(""), &["store", "verify"]);
    let shown: serde_json::Value =
        serde_json::from_str(&machine.ok(machine.path(""), &["--json", "registry", "show"])).unwrap();
    assert_eq!(shown["stats"]["offered"], PUBLISHERS + 1);
}

#[test]
fn a_writer_whose_own_files_are_private_takes_nothing_away_from_readers() {
    let machine = Machine::new();
    fs_err::set_permissions(machine.path("reg"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let package = machine.package("acme/base", "1.0.0", &[]);
    let published = Command::new("sh")
        .args(["-c", "umask 077; exec \"$0\" publish", WEIR])
        .current_dir(&package)
        .env("WEIR_HOME", machine.path("home"))
        .env_remove("WEIR_REGISTRY")
        .output()
        .unwrap();
    assert!(published.status.success(), "{}", String::from_utf8_lossy(&published.stderr));

    let mut pending = vec![machine.path("reg")];
    while let Some(folder) = pending.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let kind = entry.file_type().unwrap();
            let (wanted, mode) =
                (if kind.is_dir() { 0o755 } else { 0o644 }, entry.metadata().unwrap().mode());
            assert_eq!(mode & 0o777, wanted, "{}", entry.path().display());
            if kind.is_dir() {
                pending.push(entry.path());
            }
        }
    }
}

#[test]
fn a_folder_that_is_no_folder_and_a_manifest_that_is_a_folder_are_told_and_change_nothing() {
    let machine = Machine::new();
    let project = machine.project("app", &[]);
    fs_err::write(project.join("weir_packages"), "mine").unwrap();
    let output = machine.run(&project, &["install"]);
    assert!(!output.status.success());
    assert_eq!(fs_err::read(project.join("weir_packages")).unwrap(), b"mine");

    let odd = machine.path("odd");
    fs_err::create_dir_all(odd.join("weir.toml")).unwrap();
    let output = machine.run(&odd, &["install"]);
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
}
