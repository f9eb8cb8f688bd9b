//! Submodules of a repository: other repositories, each at a commit that its tree fixes.
//!
//! What `.gitmodules` says is a stranger's word. Only the tree decides where a submodule lies and which commit it
//! is; the file gives nothing but the address to have it from, and no address that makes git run a program or read
//! what else is on this machine. `git submodule` is not used: it obeys more of that file than its addresses.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use weir_tree::{Limits, TreePath};

use super::objects::write_files;
use super::program::{MOST_FETCHED, fetch, in_repository, run};
use super::{fetch_into, is_local};

/// The most submodules of a source, with those of submodules. The repository of Boost has some 170.
const MOST: usize = 512;
/// How far submodules may have submodules.
const DEEPEST: usize = 8;
/// The largest `.gitmodules` that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// A commit in a repository on this machine.
pub(super) struct Commit {
    /// The bare repository that has it.
    pub(super) repository: PathBuf,
    /// Its name.
    pub(super) id: String,
    /// Where it was fetched from: relative addresses begin there.
    pub(super) url: String,
}

/// What a tree and its `.gitmodules` say of a submodule.
#[derive(Debug, PartialEq, Eq)]
struct Submodule {
    path: TreePath,
    commit: String,
    url: String,
}

/// A commit whose files lie in a folder, and whose submodules may be missing there.
struct Pending {
    commit: Commit,
    folder: PathBuf,
    depth: usize,
}

/// Puts the submodules of `top`, whose files are in `folder`, where they belong, and theirs into them. Everything
/// together may have as much as `limits` leave.
pub(super) fn add(top: Commit, folder: &Path, scratch: &Path, mut limits: Limits) -> Result<(), String> {
    let mut pending = VecDeque::from([Pending { commit: top, folder: folder.to_owned(), depth: 0 }]);
    let mut count = 0;
    while let Some(Pending { commit, folder, depth }) = pending.pop_front() {
        for submodule in submodules(&commit)? {
            count += 1;
            if count > MOST {
                return Err(format!("it has more than {MOST} submodules"));
            }
            if depth == DEEPEST {
                return Err(format!(
                    "its submodules have submodules of their own more than {DEEPEST} deep, such as `{}`",
                    submodule.path
                ));
            }
            let place = scratch.join(format!("submodule-{count}"));
            let below = put(&submodule, &folder, &place, &mut limits).map_err(|reason| {
                format!("its submodule `{}` from `{}`: {reason}", submodule.path, submodule.url)
            })?;
            pending.push_back(Pending {
                commit: below,
                folder: folder.join(submodule.path.as_str()),
                depth: depth + 1,
            });
        }
    }
    Ok(())
}

/// Fetches a submodule, and moves its files to where they belong.
fn put(submodule: &Submodule, folder: &Path, place: &Path, limits: &mut Limits) -> Result<Commit, String> {
    let target = real_parents(folder, &submodule.path)?;
    fs_err::create_dir(place).map_err(|error| error.to_string())?;
    let repository = place.join("repository");
    let (url, commit) = (&*submodule.url, &*submodule.commit);
    let alone = fetch_into(&repository, url, commit).map(drop);
    alone.or_else(|refused| fetch_everything(&repository, url, commit).map_err(|_| refused))?;
    let files = place.join("tree");
    let written = write_files(&repository, commit, &files, limits)?;
    limits.unpacked_bytes = limits.unpacked_bytes.saturating_sub(written.bytes);
    limits.files = limits.files.saturating_sub(written.files);
    // Nothing was written where a submodule belongs; what is there all the same is not moved over.
    fs_err::rename(&files, &target).map_err(|_| "something else is in its place".to_owned())?;
    Ok(Commit { repository, id: commit.to_owned(), url: url.to_owned() })
}

/// The place of a submodule, whose parents are made: real folders, and no links that lead elsewhere.
fn real_parents(folder: &Path, path: &TreePath) -> Result<PathBuf, String> {
    let mut at = folder.to_owned();
    let mut parts = path.as_str().split('/').peekable();
    while let Some(part) = parts.next() {
        at.push(part);
        if parts.peek().is_none() {
            break;
        }
        match fs_err::symlink_metadata(&at) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err("a file or a link is in its way".into()),
            Err(_) => fs_err::create_dir(&at).map_err(|error| error.to_string())?,
        }
    }
    Ok(at)
}

/// For servers that give out only what a branch or a tag names: all of them, with their history.
fn fetch_everything(repository: &Path, url: &str, commit: &str) -> Result<(), String> {
    let everything = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
    fetch(repository, &["--quiet", "--no-tags", "--", url, everything[0], everything[1]], MOST_FETCHED)?;
    run(in_repository(repository).args(["rev-parse", "--quiet", "--verify", &format!("{commit}^{{commit}}")]))
        .map(drop)
}

/// The submodules of a commit, but for those that its `.gitmodules` says to leave alone (`update = none`).
fn submodules(commit: &Commit) -> Result<Vec<Submodule>, String> {
    let listed =
        run(in_repository(&commit.repository).args(["ls-tree", "-r", "-z", "--full-tree", &commit.id]))?;
    let links = links(&listed)?;
    if links.is_empty() {
        return Ok(Vec::new());
    }
    let file = format!("{}:.gitmodules", commit.id);
    let size = run(in_repository(&commit.repository).args(["cat-file", "-s", &file]))
        .map_err(|_| "it has submodules, and no `.gitmodules` that says where they come from".to_owned())?;
    if size.parse().is_ok_and(|size: u64| size > MAX_BYTES) {
        return Err(format!("its `.gitmodules` has more than {MAX_BYTES} bytes"));
    }
    let text = run(in_repository(&commit.repository).args([
        "config",
        "--blob",
        &file,
        "--no-includes",
        "--list",
        "-z",
    ]))
    .map_err(|reason| format!("its `.gitmodules` cannot be read: {reason}"))?;
    let said = said(&text);
    let mut found = Vec::new();
    for (path, id) in links {
        let named = said.values().find(|named| named.get("path") == Some(&path.as_str()));
        let url = named.and_then(|named| named.get("url"));
        let url = url.ok_or_else(|| format!("`.gitmodules` does not say where `{path}` comes from"))?;
        if named.and_then(|named| named.get("update")) == Some(&"none") {
            continue;
        }
        let url = address(&commit.url, url).map_err(|reason| format!("its submodule `{path}`: {reason}"))?;
        found.push(Submodule { path, commit: id, url });
    }
    Ok(found)
}

/// The links to commits in what `git ls-tree -z` prints: `<mode> <type> <id>\t<path>`.
fn links(listed: &str) -> Result<Vec<(TreePath, String)>, String> {
    let mut links = Vec::new();
    for entry in listed.split('\0') {
        let Some((what, path)) = entry.split_once('\t') else { continue };
        let Some(id) = what.strip_prefix("160000 commit ") else { continue };
        let path = TreePath::new(path)
            .map_err(|error| format!("it has a submodule at `{}`: {error}", path.escape_debug()))?;
        links.push((path, id.to_owned()));
    }
    Ok(links)
}

/// What `.gitmodules` says, by the names of its submodules and then of their fields, from what `git config -z` prints:
/// `submodule.<name>.<field>\n<value>`. Later values count, as they do for git.
fn said(text: &str) -> BTreeMap<&str, BTreeMap<&str, &str>> {
    let mut said: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for entry in text.split('\0') {
        let Some((key, value)) = entry.split_once('\n') else { continue };
        let Some((name, field)) = key.strip_prefix("submodule.").and_then(|key| key.rsplit_once('.')) else {
            continue;
        };
        said.entry(name).or_default().insert(field, value);
    }
    said
}

/// The address of a submodule of the repository at `base`. One that begins with `./` or `../` is relative to that.
fn address(base: &str, url: &str) -> Result<String, String> {
    let shown = url.escape_debug();
    let is_relative = ["./", "../"].iter().any(|beginning| url.starts_with(beginning));
    let address = match is_relative {
        true => beside(base, url).ok_or_else(|| format!("`{shown}` leads nowhere from `{base}`"))?,
        false if is_local(url) => {
            return Err(format!(
                "`{shown}` is a place on the machine of whoever builds; it must be an address, or relative (`../…`)"
            ));
        }
        false => url.to_owned(),
    };
    weir_native::check_git_address(&address).map_err(|reason| format!("`{shown}` is refused: {reason}"))?;
    Ok(address)
}

/// A relative address, from that of a repository; nothing where it leads out of what can be named from there.
fn beside(base: &str, url: &str) -> Option<String> {
    let (root, path) = match base.split_once("://") {
        Some((scheme, rest)) => base.split_at(scheme.len() + 3 + rest.find('/')?),
        None if is_local(base) => ("", base),
        None => base.split_at(base.find(':')? + 1),
    };
    let is_absolute = path.starts_with('/');
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    for part in url.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(format!("{root}{}{}", if is_absolute { "/" } else { "" }, parts.join("/")))
}

#[cfg(test)]
mod tests;
