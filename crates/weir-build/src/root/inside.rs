//! Looking into a root file system, never out of it: links in it are followed as if it were `/`.

use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use weir_model::Platform;

use super::{RootError, Shown};

/// More than an os-release(5) ever has.
const MAX_OS_RELEASE: u64 = 64 << 10;

/// What of a root is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All of it, but what belongs to a running system.
    Whole,
    /// Only the system's own files: not what the machine's users put there.
    System,
}

/// What `uname -m` says.
pub(super) fn this_machine() -> String {
    rustix::system::uname().machine().to_string_lossy().into_owned()
}

/// Opens a file of the root. No link leads out of it.
fn open(root: &Path, path: &str) -> io::Result<fs_err::File> {
    let folder = fs_err::File::open(root)?;
    let fd: OwnedFd = rustix::fs::openat2(
        &folder,
        path,
        OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK,
        Mode::empty(),
        ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
    )?;
    Ok(fs_err::File::from_parts(fd.into(), root.join(path)))
}

/// The platform that the root's os-release(5) and `machine` make.
pub(super) fn platform(root: &Path, machine: &str) -> Result<Platform, RootError> {
    let file = open(root, "etc/os-release").or_else(|_| open(root, "usr/lib/os-release"));
    let file =
        file.map_err(|_| RootError::NotARoot { folder: root.to_owned(), missing: "`etc/os-release`" })?;
    let mut text = String::new();
    file.take(MAX_OS_RELEASE).read_to_string(&mut text)?;
    let field = |name: &str| os_release_field(&text, name).unwrap_or_default();
    // Those that release all the time have no version.
    Ok(Platform::from_parts(machine, field("ID"), field("VERSION_ID"))?)
}

fn os_release_field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.trim().trim_matches(['"', '\'']))
}

/// What the root's shell runs on, as `uname -m` would call it; `None` where there is no shell.
///
/// The header is that of ELF: class in byte 4, order in byte 5, machine in bytes 18 and 19.
pub(super) fn machine(root: &Path) -> io::Result<Option<String>> {
    let Ok(file) = open(root, "bin/sh") else { return Ok(None) };
    let mut header = Vec::new();
    file.take(20).read_to_end(&mut header)?;
    let [0x7f, b'E', b'L', b'F', _, order, .., low, high] = header[..] else { return Ok(None) };
    let (low, high) = if order == 2 { (high, low) } else { (low, high) };
    let name = match u16::from_le_bytes([low, high]) {
        3 => "i686",
        21 => "ppc64le",
        22 => "s390x",
        40 => "armv7l",
        62 => "x86_64",
        183 => "aarch64",
        243 => "riscv64",
        258 => "loongarch64",
        other => return Ok(Some(format!("machine-{other}"))),
    };
    Ok(Some(name.to_owned()))
}

/// The names of what is in a folder of the root, but for folders; none where it is not there.
pub(super) fn names(root: &Path, folder: &str) -> io::Result<Vec<String>> {
    let Ok(folder) = open(root, folder) else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(folder.file())? {
        let entry = entry?;
        let is_folder = entry.file_type() == rustix::fs::FileType::Directory;
        names.extend(entry.file_name().to_str().ok().filter(|_| !is_folder).map(str::to_owned));
    }
    Ok(names)
}

/// Where a system keeps its libraries; those for one machine are in folders such as `x86_64-linux-gnu` inside.
const LIBRARY_FOLDERS: [&str; 4] = ["lib", "lib64", "usr/lib", "usr/lib64"];

/// The names of the shared libraries of a root, such as `libcrypto.so.3`, sorted.
pub(super) fn libraries(root: &Path) -> io::Result<Vec<String>> {
    let mut names = BTreeSet::new();
    // On a merged system `lib` is a link, and its libraries are found in `usr/lib`.
    for folder in
        LIBRARY_FOLDERS.iter().map(|folder| root.join(folder)).filter(|folder| is_real_folder(folder))
    {
        for entry in fs_err::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() && name.contains("-linux-") {
                for inside in fs_err::read_dir(entry.path())? {
                    names.insert(inside?.file_name().to_string_lossy().into_owned());
                }
            } else {
                names.insert(name);
            }
        }
    }
    Ok(names.into_iter().filter(|name| name.contains(".so")).collect())
}

/// Folders that a running system makes for itself: the sandbox has its own, or none.
const NOT_SHOWN: [&str; 12] =
    ["boot", "dev", "home", "lost+found", "media", "mnt", "proc", "root", "run", "sys", "tmp", "weir"];

/// Of a machine's own root, what its distribution put there for everybody.
const OF_A_SYSTEM: [&str; 7] = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"];

/// Of a machine's own `/etc`, what tools need and what says nothing about the machine.
const ETC_OF_A_SYSTEM: [&str; 4] = ["alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d"];

/// What a sandbox shows of `root`, in the order in which it is put there.
pub(super) fn shown(root: &Path, scope: Scope) -> io::Result<Vec<Shown>> {
    let mut all = Vec::new();
    for entry in fs_err::read_dir(root)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let listed = match scope {
            Scope::Whole => !NOT_SHOWN.contains(&&*name) && name != "var",
            Scope::System => OF_A_SYSTEM.contains(&&*name),
        };
        let kind = entry.file_type()?;
        if !listed {
            continue;
        } else if kind.is_symlink() {
            all.push(Shown::Link(fs_err::read_link(entry.path())?, format!("/{name}")));
        } else if kind.is_dir() {
            all.push(Shown::Bind(entry.path(), format!("/{name}")));
        }
    }
    let more: Vec<String> = match scope {
        Scope::Whole => vec!["var/lib".into()],
        Scope::System => ETC_OF_A_SYSTEM.iter().map(|name| format!("etc/{name}")).collect(),
    };
    for path in more {
        let from: PathBuf = root.join(&path);
        // A link here could lead anywhere on the machine: bubblewrap follows what it binds.
        if from.symlink_metadata().is_ok_and(|meta| !meta.is_symlink())
            && from.parent().is_some_and(is_real_folder)
        {
            all.push(Shown::Bind(from, format!("/{path}")));
        }
    }
    all.sort_by(|a, b| a.place().cmp(b.place()));
    Ok(all)
}

fn is_real_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_dir())
}

impl Shown {
    fn place(&self) -> &str {
        match self {
            Self::Bind(_, place) | Self::Link(_, place) => place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{machine, os_release_field, platform};

    #[test]
    fn the_platform_comes_from_the_roots_own_files_and_links_stay_inside() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        fs_err::create_dir_all(at("usr/lib")).unwrap();
        fs_err::create_dir_all(at("etc")).unwrap();
        fs_err::write(at("usr/lib/os-release"), "NAME=\"Test Linux\"\nID=test\nVERSION_ID='3.1'\n").unwrap();
        // An absolute link: followed on the machine, it would name the machine's distribution.
        fs_err::os::unix::fs::symlink("/usr/lib/os-release", at("etc/os-release")).unwrap();
        assert_eq!(platform(root.path(), "x86_64").unwrap().as_str(), "x86-64-test-3.1");
    }

    #[test]
    fn a_field_is_read_as_a_whole_name_and_without_its_quotes() {
        let text = "VERSION_ID=\"12\"\nID=debian\nID_LIKE=x\n";
        assert_eq!(os_release_field(text, "ID"), Some("debian"));
        assert_eq!(os_release_field(text, "VERSION_ID"), Some("12"));
        assert_eq!(os_release_field(text, "VERSION"), None);
    }

    #[test]
    fn the_machine_is_that_of_the_roots_shell() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(machine(root.path()).unwrap(), None);
        fs_err::create_dir(root.path().join("bin")).unwrap();
        let mut header = [0_u8; 64];
        header[..6].copy_from_slice(b"\x7fELF\x02\x01");
        header[18] = 183;
        fs_err::write(root.path().join("bin/sh"), header).unwrap();
        assert_eq!(machine(root.path()).unwrap().as_deref(), Some("aarch64"));
    }
}
