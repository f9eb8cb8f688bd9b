//! The digest of an unpacked root file system's content.
//!
//! Hashing takes a second or more, so the result is kept beside the root under a fingerprint of every entry's
//! kind, size and times: a root is made once and then hardly changes.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use weir_fs::{Access, Durability};
use weir_model::{Hasher, Sha256, of};

/// What a running system writes, and its users: no part of what the root is.
const LEFT_OUT: [&str; 10] =
    ["dev", "home", "proc", "root", "run", "sys", "tmp", "var/cache", "var/log", "var/tmp"];

struct Entry {
    path: PathBuf,
    meta: std::fs::Metadata,
}

/// The digest of what is in the root `folder`.
pub(super) fn digest(folder: &Path) -> io::Result<Sha256> {
    let entries = entries(folder)?;
    let fingerprint = fingerprint(folder, &entries);
    let kept = kept_beside(folder);
    if let Some(digest) = kept.as_deref().and_then(|kept| read_kept(kept, fingerprint)) {
        return Ok(digest);
    }
    let digest = hash(folder, &entries)?;
    if let Some(kept) = kept {
        // Kept for speed alone: a folder that cannot be written to is hashed each time.
        let _ = keep(&kept, fingerprint, digest);
    }
    Ok(digest)
}

fn kept_beside(folder: &Path) -> Option<PathBuf> {
    Some(folder.with_file_name(format!(".{}.digest", folder.file_name()?.to_str()?)))
}

fn read_kept(kept: &Path, fingerprint: Sha256) -> Option<Sha256> {
    let text = fs_err::read_to_string(kept).ok()?;
    let (seen, digest) = text.trim().split_once(' ')?;
    (seen == fingerprint.to_string()).then(|| digest.parse().ok())?
}

fn keep(kept: &Path, fingerprint: Sha256, digest: Sha256) -> io::Result<()> {
    Ok(weir_fs::replace(kept, format!("{fingerprint} {digest}\n"), Access::Usual, Durability::Quick)?)
}

/// All entries, in the order of their paths' bytes. Comparing paths part by part would cost more than looking at
/// the files.
fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let left_out = LEFT_OUT.map(|out| folder.join(out).into_os_string());
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs_err::read_dir(next)? {
            let (path, meta) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
            if !is_for_everybody(&meta) {
                continue;
            }
            if meta.is_dir() {
                if left_out.iter().any(|out| path.as_os_str() == out) {
                    continue;
                }
                folders.push(path.clone());
            }
            all.push(Entry { path, meta });
        }
    }
    all.sort_unstable_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
    Ok(all)
}

/// Whether every user may read it. What only some may, such as `/etc/shadow`, is of no use to a build, and would make
/// the root another one for each of them.
fn is_for_everybody(meta: &std::fs::Metadata) -> bool {
    let needed = if meta.is_dir() { 0o005 } else { 0o004 };
    meta.is_symlink() || meta.mode() & needed == needed
}

fn fingerprint(folder: &Path, entries: &[Entry]) -> Sha256 {
    let mut hasher = Hasher::new();
    for Entry { path, meta } in entries {
        hasher.update(path.strip_prefix(folder).unwrap_or(path).as_os_str().as_encoded_bytes());
        hasher.update(&[0]);
        for number in [
            u64::from(meta.mode()),
            meta.size(),
            meta.ino(),
            meta.mtime().cast_unsigned(),
            meta.mtime_nsec().cast_unsigned(),
            meta.ctime().cast_unsigned(),
            meta.ctime_nsec().cast_unsigned(),
        ] {
            hasher.update(&number.to_le_bytes());
        }
    }
    hasher.finish()
}

/// Hashes path, kind, whether it is executable, and content of every entry; not owners and times, which
/// depend on who unpacked it and when.
fn hash(folder: &Path, entries: &[Entry]) -> io::Result<Sha256> {
    let mut hasher = Hasher::new();
    for Entry { path, meta } in entries {
        let content = if meta.is_file() {
            let mut file = Hasher::<of::Bytes>::new();
            io::copy(&mut fs_err::File::open(path)?, &mut file)?;
            let kind = if meta.mode() & 0o111 == 0 { 'f' } else { 'x' };
            format!("{kind} {}", file.finish())
        } else if meta.is_symlink() {
            format!("l {}", Sha256::of(fs_err::read_link(path)?.as_os_str().as_encoded_bytes()))
        } else if meta.is_dir() {
            "d".to_owned()
        } else {
            continue;
        };
        hasher.update(path.strip_prefix(folder).unwrap_or(path).as_os_str().as_encoded_bytes());
        hasher.update(format!("\0{content}\n").as_bytes());
    }
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn a_root_is_told_by_its_content_and_a_change_is_noticed() {
        let place = tempfile::tempdir().unwrap();
        let make = |name: &str, text: &str| {
            let root = place.path().join(name);
            fs_err::create_dir_all(root.join("usr/bin")).unwrap();
            fs_err::write(root.join("usr/bin/cc"), text).unwrap();
            fs_err::create_dir_all(root.join("var/log")).unwrap();
            fs_err::write(root.join("var/log/install"), name).unwrap();
            root
        };
        let (a, b) = (make("a", "gcc 12"), make("b", "gcc 12"));
        let first = digest(&a).unwrap();
        assert_eq!(first, digest(&b).unwrap());
        assert_eq!(first, digest(&a).unwrap(), "as it was kept");
        fs_err::write(a.join("usr/bin/cc"), "gcc 13").unwrap();
        assert_ne!(first, digest(&a).unwrap());
    }

    #[test]
    fn what_not_everybody_may_read_does_not_count() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        fs_err::create_dir_all(root.join("etc")).unwrap();
        fs_err::write(root.join("etc/os-release"), "ID=x").unwrap();
        let first = digest(&root).unwrap();
        for (path, mode) in [("etc/shadow", 0o640), ("etc/ssl", 0o710)] {
            let path = root.join(path);
            if mode == 0o710 {
                fs_err::create_dir(&path).unwrap();
                fs_err::write(path.join("key"), "secret").unwrap();
            } else {
                fs_err::write(&path, "secret").unwrap();
            }
            fs_err::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        assert_eq!(first, digest(&root).unwrap());
        fs_err::set_permissions(root.join("etc/shadow"), std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_ne!(first, digest(&root).unwrap());
    }
}
