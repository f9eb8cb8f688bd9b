//! Files that are probably secrets: what a release holds is there for ever, for all who read the registry.
//!
//! They are known by their names, as credential helpers and editors write them; and a private key also by how it
//! begins. What is found is refused, and not left out: a release in which a file is silently missing is no better.

use std::io::Read as _;
use std::path::Path;

use weir_fs::Folder;
use weir_tree::{Mode, TreeManifest};

/// Names of files that hold credentials, whatever folder they are in.
const NAMES: &[&str] = &[
    ".env",
    ".envrc",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".pypirc",
    ".netrc",
    "_netrc",
    ".git-credentials",
    ".pgpass",
    ".my.cnf",
    ".htpasswd",
    ".dockercfg",
    ".vault-token",
    ".s3cfg",
    ".boto",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_ecdsa_sk",
    "id_ed25519_sk",
    "credentials.json",
    "secrets.json",
    "secrets.yml",
    "secrets.yaml",
    "secrets.toml",
    "terraform.tfstate",
    ".bash_history",
    ".zsh_history",
    ".python_history",
];

/// Ends of such names.
const ENDINGS: &[&str] =
    &[".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk", ".tfvars", ".tfstate.backup", ".ovpn"];

/// What private keys begin with that have no header of PEM: those that sign notes, a registry's among them, and those of age and PuTTY.
const KEYS: &[&[u8]] = &[b"PRIVATE+KEY+", b"AGE-SECRET-KEY-1", b"PuTTY-User-Key-File-"];

/// Folders whose whole content is one's own.
const FOLDERS: &[&str] = &[".ssh", ".gnupg", ".aws", ".kube", ".azure", ".docker"];

/// Beginnings of `.env.…` files that are made to be shown.
const SHOWN: &[&str] = &["example", "sample", "template", "dist", "defaults", "test"];

/// The largest file that is looked into for a private key, and how much of it is read. Keys are smaller.
const KEY_FILE: u64 = 64 << 10;
const BEGINNING: u64 = 4 << 10;

/// The files of a package in `folder` that are probably secrets, each with why it is thought so.
///
/// # Errors
///
/// When a file cannot be read.
pub fn likely_secrets(
    folder: &Path,
    tree: &TreeManifest,
) -> Result<Vec<(String, &'static str)>, std::io::Error> {
    let folder = Folder::open(folder)?;
    let mut found = Vec::new();
    for entry in tree.entries() {
        let path = entry.path.as_str();
        if let Some(why) = by_name(path) {
            found.push((path.to_owned(), why));
        } else if entry.mode != Mode::Link && entry.size <= KEY_FILE && begins_as_private_key(&folder, path)?
        {
            found.push((path.to_owned(), "it holds a private key"));
        }
    }
    Ok(found)
}

/// Why a path is probably a secret's, if it is.
fn by_name(path: &str) -> Option<&'static str> {
    let lower = path.to_ascii_lowercase();
    let mut parts = lower.split('/').rev();
    let name = parts.next()?;
    if parts.any(|folder| FOLDERS.contains(&folder)) {
        return Some("it is in a folder of credentials");
    }
    if NAMES.contains(&name) || ENDINGS.iter().any(|ending| name.ends_with(ending)) {
        return Some("files of this name hold credentials");
    }
    let environment = name.strip_prefix(".env.")?;
    let is_shown = SHOWN.iter().any(|word| environment.split('.').any(|part| part == *word));
    (!is_shown).then_some("files of this name hold credentials")
}

/// Whether a private key stands at the beginning of a file, or after what describes it.
fn begins_as_private_key(folder: &Folder, path: &str) -> Result<bool, std::io::Error> {
    let mut text = Vec::new();
    folder.open_file(path)?.take(BEGINNING).read_to_end(&mut text)?;
    let mut lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_start);
    if lines.any(|line| KEYS.iter().any(|key| line.starts_with(key))) {
        return Ok(true);
    }
    Ok(memchr::memmem::find_iter(&text, b"-----BEGIN ").any(|at| {
        let line = text[at..].split(|&byte| byte == b'\n').next().unwrap_or_default();
        memchr::memmem::find(line, b"PRIVATE KEY").is_some()
    }))
}

#[cfg(test)]
mod tests {
    use super::by_name;

    #[test]
    fn names_under_which_secrets_are_kept_are_known() {
        for path in [".env", "deploy/.env.production", "a/.npmrc", "ID_RSA", ".ssh/config", "x.p12", ".netrc"]
        {
            assert!(by_name(path).is_some(), "{path}");
        }
    }

    #[test]
    fn names_of_what_is_made_to_be_shown_are_not() {
        for path in
            [".env.example", "conf/.env.sample", "env", "src/id_rsa.rs", "keys.md", ".envelope", "a.pub"]
        {
            assert!(by_name(path).is_none(), "{path}");
        }
    }
}
