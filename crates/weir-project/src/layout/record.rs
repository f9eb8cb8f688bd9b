//! What a layout was made from and what it is made of, written down with the user's own things.
//!
//! So "there is nothing to do" is told by reading a few small files and checking every link, without parsing anything;
//! and what is no longer wanted can be told from what somebody else put there.
//!
//! A record is never in the project: a folder that was cloned could bring one. It is found by the [`weir_fs::Identity`] of the
//! folder that it describes, which no copy of that folder has.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use weir_fs::{Access, Durability, Folder, Identity};
use weir_kind::{LINK_TREES_FOLDER, Layout, PACKAGES_FOLDER};
use weir_model::{Sha256, TreeDigest, lockfile};

use super::near::Near;
use crate::error::ProjectError;
use crate::files::{MAX_LOCKFILE, MAX_MANIFEST, in_folder};

/// The first line of a record.
const HEADER: &str = "weir-layout v1";

/// The folder whose commands come first on a `PATH`: in it, nothing may be but what a layout put there.
pub(super) const COMMANDS: &str = "bin";

/// The largest record that is read: some 100 bytes for each link.
const MAX_RECORD: u64 = 256 << 20;

/// The largest file of a layout that is read to see whether it is still what was written.
pub(super) const MAX_FILE: u64 = 64 << 20;

/// What a layout was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MadeFrom {
    /// Its manifests, by their names: the digest of each, or that there is none of that name.
    pub(crate) manifests: BTreeMap<&'static str, Option<Sha256>>,
    pub(crate) lock: Sha256,
    /// What else the caller asked for, such as another platform.
    pub(crate) choice: String,
    /// How many packages there are.
    pub(crate) packages: usize,
    /// Manifests of packages in folders, relative to the project, with their digests.
    pub(crate) watched: BTreeMap<String, Sha256>,
    /// Folders whose files the layout was made of and not linked to, with what [`stamp`] says of them.
    pub(crate) folders: BTreeMap<String, Sha256>,
}

/// Where the records of one user are.
#[derive(Debug, Clone)]
pub(crate) struct Records(PathBuf);

impl Records {
    /// In the folder at `path`, which is made when there is something to record.
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The record of the layout in `packages`, if this user's Weir made it.
    pub(super) fn find(&self, packages: &Folder) -> Option<String> {
        weir_fs::read_text(self.0.join(name(packages)?), MAX_RECORD).ok()
    }

    /// Not synced, like the layout: one sync would cost more than all the links. What a power cut leaves of a record is not
    /// taken for a whole one, and the layout is made again.
    pub(super) fn write(&self, packages: &Folder, record: &str) -> Result<(), ProjectError> {
        let name =
            name(packages).ok_or_else(|| ProjectError::InTheWay { path: packages.path().to_owned() })?;
        let folder = Folder::make(&self.0)?;
        if folder.look(&name)?.is_none() {
            forget_removed(&folder)?;
        }
        Ok(folder.replace(name, record, Access::Private, Durability::Quick)?)
    }
}

/// The name of a folder's record. Where the file system does not remember when a folder was made, its path stands in.
fn name(packages: &Folder) -> Option<String> {
    let Identity { inode, made } = packages.identity().ok()?;
    Some(match made {
        Some((seconds, nanoseconds)) => format!("{inode}-{seconds}-{nanoseconds}"),
        None => format!("{inode}-{}", Sha256::of(packages.path().as_os_str().as_bytes()).to_hex()),
    })
}

/// Removes the records of folders that are no longer where they were. What is hidden is another process's draft of a record.
fn forget_removed(folder: &Folder) -> Result<(), ProjectError> {
    let is_record = |name: &OsStr| !name.as_bytes().starts_with(b".");
    for entry in folder.entries()?.into_iter().filter(|entry| is_record(&entry.name)) {
        let record = folder.read_text(&entry.name, MAX_RECORD).unwrap_or_default();
        let was_at = record.lines().nth(1).and_then(|line| line.strip_prefix("of folder\t")).map(unescape);
        let is_there = |path: &[u8]| {
            Folder::open(OsStr::from_bytes(path))
                .is_ok_and(|at| name(&at).is_some_and(|name| entry.name == *name))
        };
        if !was_at.flatten().is_some_and(|path| is_there(&path)) {
            folder.remove_file(&entry.name)?;
        }
    }
    Ok(())
}

/// How many packages a project has, if it is as its manifest and lockfile want it. Reads a few small files,
/// and checks every link and every file of the layout; whatever cannot be read or differs counts as "it is not".
pub(crate) fn current(records: &Records, folder: &Path, choice: &str) -> Option<usize> {
    let project = Folder::open(folder).ok()?;
    let packages = project.folder(PACKAGES_FOLDER).ok()?;
    let record = records.find(&packages)?;
    let mut lines = record.lines();
    // The count is the last line: a record that a power cut has cut short has none, or half of it.
    if lines.next()? != HEADER || !record.ends_with('\n') {
        return None;
    }
    let (mut count, mut commands) = (None, 0);
    let mut near = Near::new(&packages);
    for line in lines {
        let (what, rest) = line.split_once(' ')?;
        let (name, value) = rest.split_once('\t')?;
        let (name, value) = (unescape(name)?, unescape(value)?);
        let path = Path::new(OsStr::from_bytes(&name));
        let is_value = |digest: Sha256| digest.to_hex().as_bytes() == &*value;
        let holds = match what {
            "of" | "tree" => true,
            "link" => {
                commands += usize::from(is_command(path));
                let (folder, name) = near.find(path)?;
                folder.has_link(name, &value)
            }
            // A cleaner of disks removes files and leaves folders: one file of each stands for all.
            "within" => {
                let (folder, name) = near.find(path)?;
                folder.has_behind(name, Path::new(OsStr::from_bytes(&value)))
            }
            "file" => {
                commands += usize::from(is_command(path));
                let (folder, name) = near.find(path)?;
                folder.read(name, MAX_FILE).is_ok_and(|bytes| is_value(Sha256::of(bytes)))
            }
            "from" => project.read(path, MAX_LOCKFILE).is_ok_and(|bytes| is_value(Sha256::of(bytes))),
            "without" => project.look(path).is_ok_and(|at| at.is_none()),
            "watched" => in_folder(folder, path, MAX_MANIFEST).is_ok_and(|bytes| is_value(Sha256::of(bytes))),
            "folder" => stamp(&folder.join(path)).is_some_and(is_value),
            "choice" => *value == *choice.as_bytes(),
            "at" => fs_err::canonicalize(folder).is_ok_and(|here| here.as_os_str().as_bytes() == &*value),
            "count" => {
                count = Some(std::str::from_utf8(&value).ok()?.parse().ok()?);
                true
            }
            _ => false,
        };
        if !holds {
            return None;
        }
    }
    let found = packages.find_folder(COMMANDS).ok()?.map_or(Ok(0), |bin| bin.entries().map(|all| all.len()));
    count.filter(|_| found.is_ok_and(|found| found == commands))
}

/// The first of the commands in a project's folder of packages that is not what this user's Weir put there.
pub(crate) fn strange_command(records: &Records, folder: &Path) -> Option<PathBuf> {
    let packages = Folder::open(folder).and_then(|project| project.folder(PACKAGES_FOLDER)).ok()?;
    let bin = packages.path().join(COMMANDS);
    let Ok(commands) = packages.folder(COMMANDS) else {
        // What is there and no folder of this one is nobody's to put on a `PATH`.
        return bin.symlink_metadata().is_ok().then_some(bin);
    };
    let record = records.find(&packages).unwrap_or_default();
    let put: BTreeMap<_, _> = record.lines().filter_map(command).collect();
    let is_ours = |name: &OsStr| match put.get(name.as_bytes()) {
        Some(("link", target)) => commands.has_link(name, target),
        Some((_, digest)) => {
            let there = commands.read(name, MAX_FILE);
            there.is_ok_and(|there| Sha256::of(there).to_hex().as_bytes() == &**digest)
        }
        None => false,
    };
    let Ok(entries) = commands.entries() else { return Some(bin) };
    entries.into_iter().map(|entry| entry.name).find(|name| !is_ours(name)).map(|name| bin.join(name))
}

/// As what something was put there: a link with its target, or a file with its digest.
type Put<'r> = (&'r str, Cow<'r, [u8]>);

/// The name of the command that a line of a record is about, and as what it was put there.
fn command(line: &str) -> Option<(Vec<u8>, Put<'_>)> {
    let (what, rest) = line.split_once(' ').filter(|(what, _)| ["link", "file"].contains(what))?;
    let (name, value) = rest.split_once('\t')?;
    let (name, value) = (unescape(name)?, unescape(value)?);
    let path = Path::new(OsStr::from_bytes(&name));
    is_command(path).then(|| Some((path.file_name()?.as_bytes().to_vec(), (what, value))))?
}

/// Whether the layout of a project has links to any of these trees, as its record says. Who cannot tell says that it has none.
pub(crate) fn uses_any(records: &Records, folder: &Path, trees: &HashSet<TreeDigest>) -> bool {
    let packages = Folder::open(folder).and_then(|project| project.folder(PACKAGES_FOLDER));
    let record = packages.ok().and_then(|packages| records.find(&packages)).unwrap_or_default();
    // In the store a tree is called by its digest.
    let words = record.split(|character: char| !character.is_ascii_hexdigit());
    words.filter_map(|word| TreeDigest::from_hex(word).ok()).any(|tree| trees.contains(&tree))
}

/// What tells a folder whose files have changed from one whose files have not: every path in it, its size, its mode and when it
/// was changed. What Weir and git keep in it does not count. Nothing is read; `None` where it cannot be told.
pub(crate) fn stamp(folder: &Path) -> Option<Sha256> {
    const MOST: usize = 100_000;
    let mut seen = BTreeSet::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(current) = pending.pop() {
        for entry in fs_err::read_dir(&current).ok()? {
            let entry = entry.ok()?;
            let (path, metadata) = (entry.path(), entry.metadata().ok()?);
            if entry.file_name() == PACKAGES_FOLDER || entry.file_name() == ".git" {
                continue;
            }
            if metadata.is_dir() {
                pending.push(path);
            } else {
                let (seconds, nanoseconds) = (metadata.mtime(), metadata.mtime_nsec());
                let size = metadata.size();
                seen.insert((path, metadata.mode(), size, seconds, nanoseconds));
            }
            if seen.len() + pending.len() > MOST {
                return None;
            }
        }
    }
    let mut text = Vec::new();
    for (path, mode, size, seconds, nanoseconds) in &seen {
        text.extend_from_slice(path.strip_prefix(folder).ok()?.as_os_str().as_bytes());
        text.extend_from_slice(format!("\0{mode}\0{size}\0{seconds}\0{nanoseconds}\0").as_bytes());
    }
    Some(Sha256::of(text))
}

/// Forgets what a layout was made from, so that the next check looks at everything: called before a change.
pub(crate) fn invalidate(records: &Records, folder: &Path) -> Result<(), ProjectError> {
    let Some(packages) = Folder::open(folder)?.find_folder(PACKAGES_FOLDER)? else { return Ok(()) };
    match records.find(&packages) {
        Some(record) => records.write(&packages, &under_way(&packages, &record, &Layout::default())),
        None => Ok(()),
    }
}

/// The record of a layout that is about to be made in the place of the one that `before` records: whatever of both may be there.
pub(super) fn under_way(packages: &Folder, before: &str, layout: &Layout) -> String {
    let mut record = Record::begin(packages);
    let now = layout.links.iter().map(|link| &link.path).chain(layout.files.iter().map(|file| &file.path));
    let made: BTreeSet<Cow<'_, [u8]>> =
        made(before).chain(now.map(|path| Cow::Borrowed(path.as_bytes()))).collect();
    for path in made {
        record.line("link", &path, b"");
    }
    for line in before.lines().filter(|line| line.starts_with("tree ")) {
        record.0.push_str(&format!("{line}\n"));
    }
    record.line("choice", b"interrupted", b"interrupted");
    record.0
}

fn is_command(path: &Path) -> bool {
    path.parent() == Some(Path::new(COMMANDS))
}

/// The record of a layout that was made in `packages`, in `folder`.
pub(super) fn render(
    folder: &Path,
    packages: &Folder,
    layout: &Layout,
    from: &MadeFrom,
) -> Result<String, ProjectError> {
    let mut record = Record::begin(packages);
    for (file, digest) in &from.manifests {
        match digest {
            Some(digest) => record.digest("from", file, digest),
            None => record.line("without", file.as_bytes(), b""),
        }
    }
    record.digest("from", lockfile::FILE_NAME, &from.lock);
    for (path, digest) in &from.watched {
        record.digest("watched", path, digest);
    }
    for (path, digest) in &from.folders {
        record.digest("folder", path, digest);
    }
    record.line("choice", b"asked", from.choice.as_bytes());
    if !layout.link_trees.is_empty() {
        // What names its own place must be made anew where the project was moved.
        record.line("at", b"folder", fs_err::canonicalize(folder)?.as_os_str().as_bytes());
    }
    for link_tree in &layout.link_trees {
        let made = packages.folder(LINK_TREES_FOLDER)?.folder(&link_tree.name)?;
        record.line("tree", link_tree.name.as_bytes(), name(&made).unwrap_or_default().as_bytes());
    }
    for link in &layout.links {
        record.line("link", link.path.as_bytes(), link.target.as_os_str().as_bytes());
        if let Some(file) = some_file(&packages.path().join(&link.path)) {
            record.line("within", link.path.as_bytes(), file.as_os_str().as_bytes());
        }
    }
    for file in &layout.files {
        record.digest("file", &file.path, &Sha256::of(&file.contents));
    }
    record.line("count", b"packages", from.packages.to_string().as_bytes());
    Ok(record.0)
}

/// The path of some file in the folder that a link leads to, relative to that; `None` where there is none.
fn some_file(link: &Path) -> Option<PathBuf> {
    const DEEPEST: usize = 32;
    let mut below = PathBuf::new();
    for _ in 0..DEEPEST {
        let mut entries: Vec<_> = fs_err::read_dir(link.join(&below)).ok()?.flatten().collect();
        entries.sort_by_key(fs_err::DirEntry::file_name);
        let is_file = |entry: &&fs_err::DirEntry| entry.file_type().is_ok_and(|sort| sort.is_file());
        if let Some(file) = entries.iter().find(is_file) {
            return Some(below.join(file.file_name()));
        }
        below.push(
            entries.into_iter().find(|entry| entry.file_type().is_ok_and(|sort| sort.is_dir()))?.file_name(),
        );
    }
    None
}

/// The paths of the links and files that a record says were made, below [`PACKAGES_FOLDER`].
pub(super) fn made(record: &str) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let paths = record.lines().filter_map(|line| {
        let rest = line.strip_prefix("link ").or_else(|| line.strip_prefix("file "))?;
        unescape(rest.split_once('\t')?.0)
    });
    paths.filter(|path| {
        let path = Path::new(OsStr::from_bytes(path));
        path.components().all(|part| matches!(part, Component::Normal(_)))
    })
}

/// What a layout of the project in `folder` put straight into one of its folders, sorted.
pub(crate) fn made_in(records: &Records, folder: &Path, inside: &str) -> Vec<PathBuf> {
    let packages = Folder::open(folder).and_then(|project| project.folder(PACKAGES_FOLDER));
    let Ok(packages) = packages else { return Vec::new() };
    let record = records.find(&packages).unwrap_or_default();
    let mut paths: Vec<PathBuf> = made(&record).map(|path| OsStr::from_bytes(&path).into()).collect();
    paths.retain(|path| path.parent() == Some(Path::new(inside)));
    paths.sort_unstable();
    paths.into_iter().map(|path| packages.path().join(path)).collect()
}

/// Whether `record` says that the link tree `link_tree`, in `folder`, was made by what wrote the record.
pub(super) fn has_link_tree(record: &str, folder: &Folder, link_tree: &str) -> bool {
    let made = record.lines().find_map(|line| {
        line.strip_prefix("tree ")?
            .split_once('\t')
            .filter(|(name, _)| *name == link_tree)
            .map(|(_, made)| made)
    });
    let there = folder.folder(link_tree).ok().and_then(|there| name(&there));
    made.is_some() && made == there.as_deref()
}

/// A record being written.
struct Record(String);

impl Record {
    /// The second line tells which folder it is of, so that it can be forgotten with that.
    fn begin(packages: &Folder) -> Self {
        let mut record = Self(format!("{HEADER}\n"));
        record.line("of", b"folder", packages.path().as_os_str().as_bytes());
        record
    }

    fn line(&mut self, what: &str, name: &[u8], value: &[u8]) {
        self.0.push_str(&format!("{what} {}\t{}\n", escape(name), escape(value)));
    }

    fn digest(&mut self, what: &str, name: &str, digest: &Sha256) {
        self.line(what, name.as_bytes(), digest.to_hex().as_bytes());
    }
}

/// Any bytes as text without tabs and line breaks: paths may have those.
fn escape(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(plain) if !plain.contains(['\\', '\t', '\n', '\r']) => Cow::Borrowed(plain),
        _ => Cow::Owned(bytes.escape_ascii().to_string()),
    }
}

/// What [`escape`] was given.
fn unescape(text: &str) -> Option<Cow<'_, [u8]>> {
    if !text.contains('\\') {
        return Some(Cow::Borrowed(text.as_bytes()));
    }
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, others @ ..] = rest {
        let (byte, left) = match (first, others) {
            (b'\\', [b't', left @ ..]) => (b'\t', left),
            (b'\\', [b'n', left @ ..]) => (b'\n', left),
            (b'\\', [b'r', left @ ..]) => (b'\r', left),
            (b'\\', [b'x', high, low, left @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                (u8::try_from(digit(high)? * 16 + digit(low)?).ok()?, left)
            }
            (b'\\', [escaped @ (b'\\' | b'\'' | b'"'), left @ ..]) => (*escaped, left),
            (b'\\', _) => return None,
            (byte, left) => (*byte, left),
        };
        bytes.push(byte);
        rest = left;
    }
    Some(Cow::Owned(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A line as a record has them, or nearly.
    fn line() -> impl Strategy<Value = String> {
        let what = proptest::sample::select(vec![
            "of", "tree", "link", "within", "file", "from", "without", "watched", "folder", "choice", "at",
            "count", "other",
        ]);
        let path = prop_oneof![
            "[a-c]{1,3}(/[a-c]{1,3}){0,3}",
            "(\\.\\./){1,4}secret",
            Just("/etc/passwd".to_owned()),
            Just("../secret".to_owned()),
            "\\PC{0,20}",
            "(\\\\x[0-9a-f]{2}){1,4}",
        ];
        let value = prop_oneof![path.clone(), "[0-9a-f]{64}", "[0-9]{1,30}"];
        (what, path, value).prop_map(|(what, name, value)| format!("{what} {name}\t{value}"))
    }

    proptest! {
        /// A record is in the user's own folders, which another program may have written to.
        #[test]
        fn whatever_a_record_says_nothing_outside_the_project_is_taken_for_its_own(
            lines in proptest::collection::vec(prop_oneof![4 => line(), 1 => "\\PC{0,40}"], 0..12),
            ends in any::<bool>(),
        ) {
            let place = tempfile::tempdir().unwrap();
            let project = place.path().join("project");
            fs_err::create_dir_all(project.join(PACKAGES_FOLDER)).unwrap();
            fs_err::write(place.path().join("secret"), "secret").unwrap();
            let packages = Folder::open(&project).unwrap().folder(PACKAGES_FOLDER).unwrap();
            let text = format!("{HEADER}\n{}{}", lines.join("\n"), if ends { "\n" } else { "" });
            let records = Records::new(place.path().join("records"));
            records.write(&packages, &text).unwrap();
            let is_current = current(&records, &project, "").is_some();
            prop_assert!(!is_current || text.lines().any(|line| line.starts_with("count ")));
            for path in made(&text) {
                let path = Path::new(OsStr::from_bytes(&path)).to_owned();
                prop_assert!(path.components().all(|part| matches!(part, Component::Normal(_))), "{path:?}");
            }
            // Once something is under way, nothing is taken for done, whatever the record said.
            invalidate(&records, &project).unwrap();
            prop_assert_eq!(current(&records, &project, ""), None);
        }
    }

    #[test]
    fn any_bytes_come_back_from_one_line_without_tabs() {
        let every: Vec<u8> = (0..=255).collect();
        for bytes in [&b"plain/path"[..], "\u{fc}/\\x".as_bytes(), b"a\tb\nc\\t", &every] {
            let text = escape(bytes);
            assert!(!text.contains(['\t', '\n']));
            assert_eq!(unescape(&text).unwrap(), bytes);
        }
        assert_eq!(unescape("\\q"), None);
    }
}
