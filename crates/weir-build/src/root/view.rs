//! Views: the machine's root, cut down to its tools.
//!
//! A view is a folder that holds the files of the packages in [`Installed`], at their places, and nothing else:
//! no header, library, pkg-config file, program or Python module of any other package is in it. Masking what
//! must not be seen would have to know every way in which a build finds a library; here there is nothing to find.
//!
//! Files are hard links where the system permits it, else clones or copies (about 450 MB, 2 s, once for a set of
//! versions). Files and not links into the real `/usr`, because gcc, CMake and Python find their own parts, and then
//! everybody's libraries, from the real path of their program.

use std::collections::BTreeSet;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use fs_err::File;
use weir_model::Sha256;

use super::dpkg::Installed;
use crate::scratch;

/// How views are made. What is under another name was made otherwise.
const FORMAT: u32 = 3;

/// How long a view stays that nobody uses. Recipes that name tools of their own have others than those that do not.
const UNUSED: Duration = Duration::from_hours(24);

/// How the name of a view ends that is being removed.
const LEAVING: &str = ".old";

/// What no build reads.
const LEFT_OUT: [&str; 9] = [
    "usr/share/doc/",
    "usr/share/info/",
    "usr/share/locale/",
    "usr/share/lintian/",
    "usr/share/man/",
    "usr/share/bug/",
    "usr/share/doc-base/",
    "usr/share/zoneinfo/",
    "usr/lib/systemd/",
];

/// Of `/etc`, which a machine's owner changes, what tools need to run.
const ETC: [&str; 3] = ["etc/ld.so.conf", "etc/perl/", "etc/python3"];

/// Folders at the top that are links into `/usr` on a merged system.
const MERGED: [&str; 6] = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];

/// A view that is used: nobody removes it meanwhile.
#[derive(Debug)]
pub(super) struct View {
    pub(super) folder: PathBuf,
    _used: File,
}

/// The view of these packages, made under `cache` where it is not there yet. Then those that were made of other
/// packages go, if nobody has used them for a day: after an update of the machine nobody comes back to them.
pub(super) fn make(installed: &Installed, cache: &Path) -> io::Result<View> {
    let names: Vec<_> = installed
        .tools
        .iter()
        .map(|(name, is)| format!("{name} {} {}", is.version, is.architecture))
        .collect();
    let name = Sha256::of(format!("{FORMAT}\n{}", names.join("\n"))).short();
    let views = cache.join("roots");
    fs_err::create_dir_all(&views)?;
    let folder = views.join(&name);
    // A lock that is shared by all who use the view; whoever makes or removes it has it alone.
    let used = lock_file(&views, &name)?;
    used.file().lock_shared()?;
    if !folder.is_dir() {
        used.file().unlock()?;
        used.file().lock()?;
        // Of two builds that start at once, one makes it.
        if !folder.is_dir() {
            let unfinished = views.join(format!(".{name}.new"));
            scratch::remove(&unfinished)?;
            fill(installed, &unfinished)?;
            fs_err::rename(&unfinished, &folder)?;
            remove_others(&views, &name)?;
        }
        used.file().unlock()?;
        used.file().lock_shared()?;
    }
    if !folder.is_dir() {
        return Err(io::Error::other("the view was removed while it was made"));
    }
    used.file().set_modified(SystemTime::now())?;
    Ok(View { folder, _used: used })
}

fn lock_file(views: &Path, name: &str) -> io::Result<File> {
    // Never removed: a lock on a file that has no name any more keeps nobody out.
    File::options().create(true).append(true).open(views.join(format!(".{name}.lock")))
}

fn remove_others(views: &Path, kept: &str) -> io::Result<()> {
    for entry in fs_err::read_dir(views)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        if name.ends_with(LEAVING) {
            scratch::remove(&entry.path())?;
        }
        if name.starts_with('.') || name == kept {
            continue;
        }
        let used = lock_file(views, &name)?;
        let last = used.metadata()?.modified()?;
        let is_old = last.elapsed().is_ok_and(|unused| unused >= UNUSED);
        if is_old && used.file().try_lock().is_ok() {
            // Under its own name a view is whole, or not there.
            let leaving = views.join(format!(".{name}{LEAVING}"));
            scratch::remove(&leaving)?;
            fs_err::rename(entry.path(), &leaving)?;
            scratch::remove(&leaving)?;
        }
    }
    Ok(())
}

fn fill(installed: &Installed, view: &Path) -> io::Result<()> {
    fs_err::create_dir_all(view)?;
    let merged: Vec<&str> = MERGED
        .into_iter()
        .filter(|name| Path::new("/").join(name).symlink_metadata().is_ok_and(|meta| meta.is_symlink()))
        .collect();
    for name in &merged {
        fs_err::os::unix::fs::symlink(fs_err::read_link(Path::new("/").join(name))?, view.join(name))?;
    }
    let owned: BTreeSet<String> = installed
        .files()?
        .iter()
        .filter_map(|path| place(path, &merged))
        .filter(|path| is_kept(path))
        .collect();
    for path in &owned {
        put(path, view)?;
    }
    put_compiled_python(&owned, view)?;
    put_users(view)?;
    for (name, link) in installed.alternatives()? {
        let choice = format!("etc/alternatives/{name}");
        let leads_to_a_tool = fs_err::canonicalize(Path::new("/").join(&choice))
            .ok()
            .and_then(|real| place(real.to_str()?, &merged))
            .is_some_and(|real| owned.contains(&real));
        if let Some(link) = place(&link, &merged).filter(|link| leads_to_a_tool && is_kept(link)) {
            put(&choice, view)?;
            put(&link, view)?;
        }
    }
    Ok(())
}

/// Puts what Python compiled of the modules in the view, which no package owns: without it, every start of Meson
/// compiles all of it again, for seconds.
fn put_compiled_python(owned: &BTreeSet<String>, view: &Path) -> io::Result<()> {
    let modules = owned.iter().filter(|path| path.ends_with(".py"));
    let folders: BTreeSet<&str> = modules.filter_map(|path| Some(path.rsplit_once('/')?.0)).collect();
    for folder in folders {
        let Ok(compiled) = fs_err::read_dir(Path::new("/").join(folder).join("__pycache__")) else {
            continue;
        };
        for entry in compiled {
            let name = entry?.file_name();
            // `module.cpython-311.pyc`
            let Some((module, _)) = name.to_str().and_then(|name| name.split_once('.')) else { continue };
            if owned.contains(&format!("{folder}/{module}.py")) {
                put(&format!("{folder}/__pycache__/{}", name.display()), view)?;
            }
        }
    }
    Ok(())
}

/// Who there is in a sandbox: nobody of this machine.
fn put_users(view: &Path) -> io::Result<()> {
    let etc = view.join("etc");
    fs_err::create_dir_all(&etc)?;
    fs_err::write(etc.join("passwd"), "weir:x:1000:1000::/tmp/home:/bin/sh\n")?;
    fs_err::write(etc.join("group"), "weir:x:1000:\n")?;
    fs_err::write(etc.join("hosts"), "127.0.0.1 localhost\n")?;
    fs_err::write(etc.join("nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files\n")
}

/// Where a path that dpkg lists really is, relative to the root; `None` for one that has no business in a view.
fn place(listed: &str, merged: &[&str]) -> Option<String> {
    let path = listed.strip_prefix('/')?;
    let plain = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    let first = path.split('/').next()?;
    let place = if merged.contains(&first) { format!("usr/{path}") } else { path.to_owned() };
    (plain && !merged.contains(&path)).then_some(place)
}

fn is_kept(path: &str) -> bool {
    let is_of_the_system =
        path.starts_with("usr/") || MERGED.iter().any(|top| path.starts_with(&format!("{top}/")));
    (is_of_the_system && !LEFT_OUT.iter().any(|out| path.starts_with(out)))
        || ETC.iter().any(|kept| path.starts_with(kept))
}

/// Puts one file or link of the machine into the view. What is not there, or not for everybody, is left out.
fn put(path: &str, view: &Path) -> io::Result<()> {
    let (from, to) = (Path::new("/").join(path), view.join(path));
    let Ok(meta) = from.symlink_metadata() else { return Ok(()) };
    if meta.is_dir() {
        return fs_err::create_dir_all(to);
    }
    if let Some(folder) = to.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let done = if meta.is_symlink() {
        fs_err::os::unix::fs::symlink(fs_err::read_link(from)?, to)
    } else if meta.is_file() {
        fs_err::hard_link(&from, &to).or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Err(error),
            _ => copy(&from, &to, &meta),
        })
    } else {
        Ok(())
    };
    match done {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::AlreadyExists) =>
        {
            Ok(())
        }
        done => done,
    }
}

/// Copies a file with its time, by which Python knows what it compiled.
fn copy(from: &Path, to: &Path, meta: &std::fs::Metadata) -> io::Result<()> {
    fs_err::copy(from, to)?;
    // Opened to read, because it may forbid writing.
    let times = std::fs::FileTimes::new().set_modified(meta.modified()?);
    fs_err::File::open(to)?.file().set_times(times)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Installed, is_kept, make, place};
    use crate::root::dpkg::DebianPackage;

    /// A machine on which this version of one tool is installed, and something else.
    fn machine(dpkg: &Path, version: &str) -> Installed {
        fs_err::create_dir_all(dpkg.join("info")).unwrap();
        fs_err::write(dpkg.join("info/tool.list"), "/.\n/usr\n/usr/bin\n/usr/bin/env\n/usr/bin/no-such\n")
            .unwrap();
        fs_err::write(dpkg.join("info/other.list"), "/usr/bin/sort\n").unwrap();
        let package = DebianPackage { version: version.into(), architecture: "amd64".into() };
        Installed::of(dpkg, [("tool".to_owned(), package)].into())
    }

    #[test]
    fn a_view_holds_what_tools_own_and_older_ones_go_when_nobody_uses_them() {
        let place = tempfile::tempdir().unwrap();
        let view = |version| {
            make(&machine(&place.path().join("dpkg"), version), &place.path().join("cache")).unwrap()
        };
        let first = view("1");
        let programs: Vec<_> = fs_err::read_dir(first.folder.join("usr/bin"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(programs, ["env"]);
        assert_eq!(view("1").folder, first.folder);

        let second = view("2");
        assert!(first.folder.is_dir() && second.folder.is_dir(), "the first is used");
        let unused = first.folder.clone();
        drop(first);
        drop(view("2 and a half"));
        assert!(unused.is_dir(), "somebody may come back to it");
        for name in [&unused, &second.folder] {
            let name = name.file_name().unwrap().to_str().unwrap();
            let lock = place.path().join("cache/roots").join(format!(".{name}.lock"));
            let lock = fs_err::File::options().append(true).open(lock).unwrap();
            lock.file().set_modified(std::time::SystemTime::now() - super::UNUSED).unwrap();
        }
        let third = view("3");
        assert!(!unused.exists() && second.folder.is_dir() && third.folder.is_dir());
    }

    #[test]
    fn what_dpkg_lists_in_lib_is_in_usr_on_a_merged_system_only() {
        assert_eq!(place("/lib/x/libc.so.6", &["lib"]).as_deref(), Some("usr/lib/x/libc.so.6"));
        assert_eq!(place("/lib/x/libc.so.6", &[]).as_deref(), Some("lib/x/libc.so.6"));
        assert_eq!(place("/lib", &["lib"]), None);
        assert_eq!(place("/usr/../root/.profile", &[]), None);
    }

    #[test]
    fn nothing_of_the_machines_owner_is_kept() {
        assert!(is_kept("usr/bin/gcc") && is_kept("lib/ld.so") && is_kept("etc/ld.so.conf.d/x.conf"));
        assert!(!is_kept("etc/passwd") && !is_kept("var/lib/x") && !is_kept("usr/share/doc/gcc/copyright"));
    }
}
