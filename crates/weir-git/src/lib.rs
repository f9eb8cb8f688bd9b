//! Packages from a tag of a git repository: fetched once, kept in the store, and a moved tag noticed.
//!
//! The user's own `git` does the fetching, so that their credentials, proxies and certificates serve; it is kept
//! from running anything of the repository's: no hooks, no checkout. The files are taken from git's objects as they are, so that
//! no setting of anybody changes them. Of a package that is taken which belongs to it, and nothing else is kept; submodules are fetched only
//! for those who ask for them.

mod complaint;
mod error;
mod objects;
mod program;
mod submodules;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Seek as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use weir_fs::{Access, Durability};
use weir_model::address::{holds_secret, without_secrets};
use weir_model::lockfile::LockedGit;
use weir_model::manifest::GitTag;
use weir_model::{Sha256, TreeDigest};
use weir_package::selection_of_commit;
use weir_tree::{Limits, Selection, TreeManifest, TreePath, read_folder, write_pack};

use complaint::Complaint;
pub use complaint::Fault;
pub use error::GitError;
use program::{MOST_FETCHED, command, fetch, in_repository, run, run_soon};

/// What a tag named when it was first fetched on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// The repository, as git was given it.
    pub url: String,
    /// The tag, or a commit by its name.
    pub tag: String,
    /// What the tag named.
    pub commit: String,
    /// The files that were taken, in the store.
    pub tree: TreeDigest,
    /// Which those are.
    pub take: Take,
    /// What of the commit was not taken though nobody said that it should not be: whoever uses the package should know.
    pub left_out: LeftOut,
}

/// Which files of a commit are taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Take {
    /// All of them, as the source of a recipe.
    Everything(Submodules),
    /// Those that belong to the package that it is, as if a fresh clone was published: by its manifest, with what is said over that, and by
    /// the ignore files in it.
    Package(Option<String>),
}

/// Whether what is fetched has the repository's submodules in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Submodules {
    /// Each where the tree has it, and theirs in them.
    Included,
    /// An empty folder for each.
    LeftOut,
}

/// What of a commit is not in its package, though neither `include` nor `exclude` nor `.weirignore` says so; the first of each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Where it has submodules.
    pub submodules: Vec<String>,
    /// Files that are in the commit although its `.gitignore` leaves them out.
    pub ignored: Vec<String>,
}

/// So many of what is left out are named.
const MOST_TOLD: usize = 5;

impl LeftOut {
    /// What is to be told of it, in sentences.
    pub fn told(&self) -> impl Iterator<Item = String> {
        let named = |paths: &[String]| {
            let more = if paths.len() > MOST_TOLD { ", …" } else { "" };
            let names: Vec<String> = paths.iter().take(MOST_TOLD).map(|path| format!("`{path}`")).collect();
            format!("{}{more}", names.join(", "))
        };
        let submodules = (!self.submodules.is_empty())
            .then(|| format!("its submodules are not in it: {}", named(&self.submodules)));
        let ignored = (!self.ignored.is_empty()).then(|| {
            format!(
                "its `.gitignore` leaves out what is in the commit: {}; a `.weirignore` with `!NAME` in it, or `package.include`, takes that",
                named(&self.ignored)
            )
        });
        submodules.into_iter().chain(ignored)
    }
}

/// Git, and what this machine remembers of the tags it fetched.
#[derive(Debug, Clone)]
pub struct Git {
    /// A file for each tag that was fetched.
    records: PathBuf,
    offline: bool,
}

/// A tag with the repository's address as git takes it from anywhere: a folder is meant relative to `base`.
pub fn at(git: &GitTag, base: &Path) -> GitTag {
    let is_folder = is_local(&git.url) && !git.url.contains("://");
    let url = if is_folder { folder(&git.url, base).display().to_string() } else { git.url.clone() };
    GitTag { url, tag: git.tag.clone() }
}

/// Where on this machine git would look for the repository of a tag that [`at`] gave; nothing if it is elsewhere. An address may be
/// understood in two ways, of which git takes the one that is there.
pub fn folders(git: &GitTag) -> Vec<PathBuf> {
    if !is_local(&git.url) {
        return Vec::new();
    }
    match git.url.split_once("://") {
        Some((_, path)) => vec![path.into(), Path::new("/").join(path), percent_decoded(path)],
        None => vec![git.url.clone().into()],
    }
}

/// A path with what is written as `%2F` in an address.
fn percent_decoded(path: &str) -> PathBuf {
    let (mut bytes, mut rest) = (Vec::with_capacity(path.len()), path.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        let decoded = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &behind[2..] } else { behind };
    }
    OsString::from_vec(bytes).into()
}

/// Whether git would look for a repository on this machine: its address is neither `scheme://…`, nor `host:path`.
fn is_local(url: &str) -> bool {
    match url.split_once("://") {
        Some((scheme, _)) => scheme.eq_ignore_ascii_case("file"),
        None => !url.split('/').next().is_some_and(|first| first.contains(':')),
    }
}

/// The folder at `path`, by the same name whether it is still there or not: what came from it is known by that.
fn folder(path: &str, base: &Path) -> PathBuf {
    if let Ok(there) = fs_err::canonicalize(base.join(path)) {
        return there;
    }
    let mut folder = fs_err::canonicalize(base).unwrap_or_else(|_| base.to_owned());
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => drop(folder.pop()),
            Component::CurDir => {}
            part => folder.push(part),
        }
    }
    folder
}

impl Git {
    /// Remembers tags in the folder `records`; `offline` asks no repository.
    pub fn new(records: PathBuf, offline: bool) -> Self {
        Self { records, offline }
    }

    /// The content of a tag: from the store if it was fetched before, otherwise from the repository.
    ///
    /// # Errors
    ///
    /// [`GitError::Unavailable`] when the repository does not give it, [`GitError::TagMoved`] when it gives another
    /// commit than before, [`GitError::Offline`] when it would have to be asked, and what the store says.
    pub fn fetch(&self, store: &weir_store::Session, git: &GitTag, take: &Take) -> Result<Fetched, GitError> {
        check_names(git).map_err(|complaint| GitError::unavailable(git, complaint))?;
        let record = self.record_path(git, take);
        let before = known(&record);
        if let Some(known) = &before
            && store.tree(&known.tree)?.is_some()
        {
            return Ok(known.clone());
        }
        if self.offline {
            return Err(GitError::Offline { url: git.url.clone(), tag: git.tag.clone() });
        }
        let fetched = fetch_from_repository(store, git, take)?
            .map_err(|complaint| GitError::unavailable(git, complaint))?;
        if let Some(before) = before
            && before.commit != fetched.commit
        {
            return Err(GitError::moved(git, before.commit, fetched.commit));
        }
        remember(&record, &fetched)?;
        Ok(fetched)
    }

    /// Asks the repository what the tag names now. That it cannot be reached is no reason to stop: the content is here.
    ///
    /// # Errors
    ///
    /// [`GitError::TagMoved`] when it is not the commit `before`.
    pub fn check_tag(&self, git: &GitTag, before: &str) -> Result<(), GitError> {
        match self.commit_now(git) {
            Ok(Some(now)) if now != before => Err(GitError::moved(git, before.to_owned(), now)),
            _ => Ok(()),
        }
    }

    /// The commit that a tag names now, by its repository; nothing when offline.
    ///
    /// # Errors
    ///
    /// [`GitError::Unavailable`] when the repository does not say it.
    pub fn commit_now(&self, git: &GitTag) -> Result<Option<String>, GitError> {
        if self.offline {
            return Ok(None);
        }
        remote_commit(git).map(Some).map_err(|complaint| GitError::unavailable(git, complaint))
    }

    /// Forgets what a tag named, so that it is fetched again and may be another commit.
    pub fn forget(&self, git: &GitTag, take: &Take) {
        // If it cannot be removed, the tag is found to have moved, and said so.
        let _ = fs_err::remove_file(self.record_path(git, take));
    }

    /// Where the trees came from that this machine fetched from repositories, as far as it remembers.
    pub fn origins(&self) -> BTreeMap<TreeDigest, TreeOrigin> {
        let entries = fs_err::read_dir(&self.records).into_iter().flatten().flatten();
        let fetched = entries.filter_map(|entry| known(&entry.path()));
        let origins = fetched.map(|Fetched { url, tag, commit, tree, take, .. }| {
            (tree, TreeOrigin { git: GitTag { url, tag }, commit, take })
        });
        origins.collect()
    }

    fn record_path(&self, git: &GitTag, take: &Take) -> PathBuf {
        let take = match take {
            Take::Everything(Submodules::LeftOut) => "everything".to_owned(),
            Take::Everything(Submodules::Included) => "submodules".to_owned(),
            Take::Package(says) => format!("package\n{}", says.as_deref().unwrap_or_default()),
        };
        let name = Sha256::of(format!("{}\n{}\n{take}", git.url, git.tag)).to_hex();
        self.records.join(format!("{}.json", &name[..32]))
    }
}

fn known(record: &Path) -> Option<Fetched> {
    serde_json::from_slice(&fs_err::read(record).ok()?).ok()
}

fn remember(record: &Path, fetched: &Fetched) -> Result<(), GitError> {
    let text = serde_json::to_vec_pretty(fetched).map_err(std::io::Error::other)?;
    Ok(weir_fs::replace(record, text, Access::Usual, Durability::Quick).map_err(std::io::Error::from)?)
}

fn fetch_from_repository(
    store: &weir_store::Session,
    git: &GitTag,
    take: &Take,
) -> Result<Result<Fetched, Complaint>, GitError> {
    let scratch = tempfile::tempdir()?;
    let CheckedOut { commit, folder, submodules } = match check_out(git, take, scratch.path())? {
        Ok(there) => there,
        Err(complaint) => return Ok(Err(complaint)),
    };
    let selection = selection(&folder, take)?;
    let left_out = LeftOut {
        submodules: told(submodules.iter().map(TreePath::as_str).filter(|path| selection.has(path.as_ref()))),
        ignored: told(selection.ignored_by_git(&folder)?.iter().filter_map(|path| path.to_str())),
    };
    let tree = store.add_folder(&folder, &selection, &Limits::default())?;
    let GitTag { url, tag } = git.clone();
    Ok(Ok(Fetched { url, tag, commit, tree: *tree.digest(), take: take.clone(), left_out }))
}

/// As much of a list as is told, and one more.
fn told<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<String> {
    paths.take(MOST_TOLD + 1).map(str::to_owned).collect()
}

/// Which of a commit's files in `folder` are taken.
fn selection(folder: &Path, take: &Take) -> Result<Selection, GitError> {
    Ok(match take {
        Take::Everything(_) => Selection::everything(),
        Take::Package(says) => selection_of_commit(folder, says.as_deref())?,
    })
}

/// The files of a commit, on the disk.
struct CheckedOut {
    commit: String,
    folder: PathBuf,
    /// Where it has submodules of which nothing is here.
    submodules: Vec<TreePath>,
}

/// Puts all files of a tag into a folder below `scratch`, which is empty.
fn check_out(git: &GitTag, take: &Take, scratch: &Path) -> Result<Result<CheckedOut, Complaint>, GitError> {
    if let Err(complaint) = check_names(git) {
        return Ok(Err(complaint));
    }
    let repository = scratch.join("repository");
    let folder = scratch.join("tree");
    let reference = if is_commit(&git.tag) { git.tag.clone() } else { format!("refs/tags/{}", git.tag) };
    let commit = match fetch_into(&repository, &git.url, &reference).map_err(Complaint::of_host) {
        Ok(commit) => commit,
        Err(complaint) => {
            let branch = Some(complaint.fault).filter(|fault| *fault == Fault::Absent);
            return Ok(Err(branch.and_then(|_| what_a_branch_is(git)).unwrap_or(complaint)));
        }
    };
    let written = match objects::write_files(&repository, &commit, &folder, &Limits::default()) {
        Ok(written) => written,
        Err(reason) => return Ok(Err(Complaint::of_content(reason))),
    };
    let mut submodules = written.submodules;
    if *take == Take::Everything(Submodules::Included) {
        let top = submodules::Commit { repository, id: commit.clone(), url: git.url.clone() };
        if let Err(reason) = submodules::add(top, &folder, scratch, Limits::default()) {
            return Ok(Err(Complaint::of_host(reason)));
        }
        submodules.clear();
    }
    Ok(Ok(CheckedOut { commit, folder, submodules }))
}

/// Where a tree of the store came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeOrigin {
    git: GitTag,
    commit: String,
    take: Take,
}

impl TreeOrigin {
    /// Of a package that a lockfile in `folder` names.
    pub fn of_locked(locked: &LockedGit, folder: &Path) -> Self {
        let git = GitTag { url: locked.url.clone(), tag: locked.tag.clone() };
        let take = Take::Package(locked.manifest.clone());
        Self { git: at(&git, folder), commit: locked.commit.clone(), take }
    }
}

/// Fetches a tree again from where it came from, as a pack: by the tag, and if that names something else by now, by
/// the commit that it named.
///
/// # Errors
///
/// [`GitError::TagMoved`] or [`GitError::Unavailable`] when neither gives the tree any more.
pub fn pack_again(origin: &TreeOrigin, wanted: &TreeDigest) -> Result<fs_err::File, GitError> {
    let TreeOrigin { git, commit, take } = origin;
    let mut first_failure = None;
    for name in [&git.tag, commit] {
        let scratch = tempfile::tempdir()?;
        let named = GitTag { url: git.url.clone(), tag: name.clone() };
        let failure = match check_out(&named, take, scratch.path())? {
            Ok(CheckedOut { commit: now, folder, .. }) => {
                let manifest = read_folder(&folder, &selection(&folder, take)?)?;
                if manifest.digest() == *wanted {
                    return packed(&folder, &manifest);
                }
                GitError::moved(git, commit.clone(), now)
            }
            Err(complaint) => GitError::unavailable(&named, complaint),
        };
        first_failure.get_or_insert(failure);
    }
    Err(first_failure
        .unwrap_or_else(|| GitError::unavailable(git, Complaint::of_host("nothing of it can be had".into()))))
}

/// The most tags of a repository that are listed.
const MOST_TAGS: usize = 100_000;

/// The tags of a repository, by its word, each with the commit that it names now.
///
/// # Errors
///
/// [`GitError::Repository`] when it does not list them.
pub fn tags(url: &str) -> Result<BTreeMap<String, String>, GitError> {
    list_tags(url).map_err(|Complaint { fault, reason }| GitError::Repository {
        url: without_secrets(url).into_owned(),
        reason,
        fault,
    })
}

fn list_tags(url: &str) -> Result<BTreeMap<String, String>, Complaint> {
    check_address(url)?;
    let scratch = scratch()?;
    let listed = run_soon(command(scratch.path()).args(["ls-remote", "--quiet", "--tags", "--", url]))
        .map_err(Complaint::of_host)?;
    let mut tags = BTreeMap::new();
    let strange = || Complaint::of_content("git lists its tags in a way that is not known".into());
    for line in listed.lines() {
        let (commit, name) = line.split_once('\t').ok_or_else(strange)?;
        let Some(name) = name.strip_prefix("refs/tags/").filter(|_| is_commit(commit)) else { continue };
        // An annotated tag names a tag object; what it points at is listed behind it.
        tags.insert(name.strip_suffix("^{}").unwrap_or(name).to_owned(), commit.to_owned());
        if tags.len() > MOST_TAGS {
            return Err(Complaint::of_content(format!("it has more than {MOST_TAGS} tags")));
        }
    }
    Ok(tags)
}

/// Puts the files of what a tag names below the empty folder `scratch`; gives the commit and the folder that they are in. Submodules are
/// left out.
///
/// # Errors
///
/// [`GitError::Unavailable`] when the repository does not give it, [`GitError::Unusable`] when it is none that can be kept.
pub fn files_of(git: &GitTag, scratch: &Path) -> Result<(String, PathBuf), GitError> {
    let unavailable = |complaint| GitError::unavailable(git, complaint);
    check_names(git).map_err(unavailable)?;
    let (repository, folder) = (scratch.join("repository"), scratch.join("tree"));
    let reference = format!("refs/tags/{}", git.tag);
    let fetched = fetch_into(&repository, &git.url, &reference).map_err(Complaint::of_host);
    let commit = fetched.map_err(unavailable)?;
    match objects::write_files(&repository, &commit, &folder, &Limits::default()) {
        Ok(_) => Ok((commit, folder)),
        Err(reason) => {
            let url = without_secrets(&git.url).into_owned();
            Err(GitError::Unusable { url, tag: git.tag.clone(), reason })
        }
    }
}

/// A pack that nobody else sees, and that goes when it is closed.
fn packed(folder: &Path, manifest: &TreeManifest) -> Result<fs_err::File, GitError> {
    // It is read once and thrown away: a small one is not worth the time.
    const LEVEL: i32 = 1;
    let mut pack = fs_err::File::from_parts(tempfile::tempfile()?, "a pack");
    write_pack(folder, manifest, &mut pack, LEVEL)?;
    pack.rewind()?;
    Ok(pack)
}

/// Fetches what `reference` names, and nothing before it, into a new bare repository; gives the commit.
fn fetch_into(repository: &Path, url: &str, reference: &str) -> Result<String, String> {
    let parent = repository.parent().unwrap_or(repository);
    // Without what the user has new repositories begin with, and with the hashes that hosts have.
    let mut init = command(parent);
    init.env("GIT_DEFAULT_HASH", "sha1").args(["init", "--quiet", "--bare", "--template="]).arg(repository);
    run(&mut init)?;
    fetch(repository, &["--quiet", "--depth=1", "--no-tags", "--", url, reference], MOST_FETCHED)?;
    run(in_repository(repository).args(["rev-parse", "FETCH_HEAD^{commit}"]))
}

fn remote_commit(git: &GitTag) -> Result<String, Complaint> {
    check_names(git)?;
    if is_commit(&git.tag) {
        return Ok(git.tag.clone());
    }
    let scratch = scratch()?;
    let reference = format!("refs/tags/{}", git.tag);
    let peeled = format!("{reference}^{{}}");
    let listed = run(command(scratch.path())
        .args(["ls-remote", "--quiet", "--"])
        .arg(&git.url)
        .arg(&reference)
        .arg(&peeled))
    .map_err(Complaint::of_host)?;
    let of = |name: &str| listed.lines().find_map(|line| line.split_once('\t').filter(|(_, n)| *n == name));
    // An annotated tag names a tag object; what it points at is listed beside it.
    let found = of(&peeled).or_else(|| of(&reference));
    let gone = || Complaint::of_host(format!("it has no tag `{}` any more", git.tag));
    found.map(|(commit, _)| commit.to_owned()).ok_or_else(gone)
}

/// An empty folder, for git to be run in.
fn scratch() -> Result<tempfile::TempDir, Complaint> {
    tempfile::tempdir().map_err(|error| Complaint::of_content(error.to_string()))
}

/// What to write in place of a branch that was named as a tag; nothing if it is none.
fn what_a_branch_is(git: &GitTag) -> Option<Complaint> {
    let scratch = tempfile::tempdir().ok()?;
    let reference = format!("refs/heads/{}", git.tag);
    let listed =
        run(command(scratch.path()).args(["ls-remote", "--quiet", "--", &git.url, &reference])).ok()?;
    let (commit, _) =
        listed.lines().find_map(|line| line.split_once('\t').filter(|(_, name)| *name == reference))?;
    Some(Complaint::of_host(format!(
        "`{}` is a branch, which moves; name a tag, or the commit that it is at now: `{commit}`",
        git.tag
    )))
}

/// Whether a tag is written as the commit itself, which names one thing for ever.
pub fn is_commit(tag: &str) -> bool {
    tag.len() == 40 && tag.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Names become arguments of a program: none may be taken for an option or for another transport.
fn check_names(git: &GitTag) -> Result<(), Complaint> {
    check_address(&git.url)?;
    if is_odd(&git.tag)
        || git.tag.contains([' ', ':', '^', '~', '?', '*', '[', '\\'])
        || git.tag.contains("..")
    {
        return Err(Complaint::of_name("the tag is not one that git can have".into()));
    }
    Ok(())
}

fn check_address(url: &str) -> Result<(), Complaint> {
    if is_odd(url) || url.contains("::") {
        return Err(Complaint::of_name("the address is not one that git can be given".into()));
    }
    // It would be in the manifest, in the lockfile, and in the list of processes.
    if holds_secret(url) {
        return Err(Complaint::of_name(
            "its address holds a user or a password: leave them out, and let git's credential helper give them".into()
        ));
    }
    Ok(())
}

fn is_odd(text: &str) -> bool {
    text.is_empty() || text.starts_with('-') || text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use weir_model::manifest::GitTag;

    use super::{Submodules, Take, fetch_from_repository, remote_commit};

    fn git(folder: &Path, words: &[&str]) -> String {
        let identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"];
        let output = Command::new("git").current_dir(folder).args(identity).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn a_commit_is_fetched_by_its_name_and_never_moves() {
        let place = tempfile::tempdir().unwrap();
        let repository = place.path().join("repository");
        fs_err::create_dir(&repository).unwrap();
        git(&repository, &["init", "--quiet"]);
        fs_err::write(repository.join("z.c"), "int z;").unwrap();
        git(&repository, &["add", "z.c"]);
        git(&repository, &["commit", "--quiet", "-m", "one"]);
        let commit = git(&repository, &["rev-parse", "HEAD"]);
        git(&repository, &["commit", "--quiet", "--allow-empty", "-m", "two"]);
        git(&repository, &["config", "uploadpack.allowAnySHA1InWant", "true"]);

        let store = place.path().join("store");
        let store =
            weir_store::Store::open(&store, weir_store::Options::default()).unwrap().session().unwrap();
        let url = repository.to_str().unwrap().to_owned();
        let at = GitTag { url, tag: commit.clone() };
        let everything = Take::Everything(Submodules::LeftOut);
        let fetched = fetch_from_repository(&store, &at, &everything).unwrap().unwrap();
        assert_eq!(fetched.commit, commit);
        assert!(store.tree(&fetched.tree).unwrap().unwrap().path().join("z.c").is_file());
        assert_eq!(remote_commit(&at).unwrap(), commit);
        let branch = GitTag { tag: "master".into(), ..at };
        let reason = fetch_from_repository(&store, &branch, &everything).unwrap().unwrap_err().reason;
        let now = git(&repository, &["rev-parse", "HEAD"]);
        assert!(
            reason.starts_with("`master` is a branch, which moves;") && reason.contains(&now),
            "{reason}"
        );
    }

    /// Nobody says how large a repository is before it is there: what comes is counted.
    #[test]
    fn a_repository_that_is_too_large_is_not_taken() {
        let place = tempfile::tempdir().unwrap();
        let (repository, copy) = (place.path().join("repository"), place.path().join("copy"));
        for (folder, more) in [(&repository, "--quiet"), (&copy, "--bare")] {
            fs_err::create_dir(folder).unwrap();
            git(folder, &["init", "--quiet", more]);
        }
        // What cannot be made smaller: the digests of numbers.
        let noise: Vec<u8> = (0..70_000_u32)
            .flat_map(|n| weir_model::Sha256::of(n.to_le_bytes()).to_hex().into_bytes())
            .collect();
        fs_err::write(repository.join("noise"), noise).unwrap();
        git(&repository, &["add", "noise"]);
        git(&repository, &["commit", "--quiet", "-m", "one"]);
        let words = ["--quiet", "--", repository.to_str().unwrap(), "HEAD"];
        let reason = super::program::fetch(&copy, &words, 1 << 20).unwrap_err();
        assert_eq!(reason, "it has more than 1 MiB, and git was ended");
        super::program::fetch(&copy, &words, 16 << 20).unwrap();
    }
}
