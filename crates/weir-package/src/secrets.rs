//! Files that are probably secrets: what a release holds is there for ever, for all who read the registry.
//!
//! They are known by their names, as credential helpers and editors write them; and a private key also by how it
//! begins. What is found is refused, and not left out: a release in which a file is silently missing is no better.

use std::collections::BTreeSet;
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
    "kubeconfig",
    ".bash_history",
    ".zsh_history",
    ".python_history",
];

/// Ends of such names.
const ENDINGS: &[&str] =
    &[".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk", ".tfvars", ".tfstate.backup", ".ovpn"];

/// What private keys begin with that have no header of PEM: those that sign notes, a registry's among them, and those of age and PuTTY.
const KEYS: &[&[u8]] = &[b"PRIVATE+KEY+", b"AGE-SECRET-KEY-1", b"PuTTY-User-Key-File-"];

/// The ends of paths that are such names only in the folders of their programs.
const PATHS: &[&str] =
    &[".cargo/credentials", ".cargo/credentials.toml", ".config/gh/hosts.yml", ".gem/credentials"];

/// What tokens begin with that whoever issues them marks, each with how many letters and digits follow at least.
const TOKENS: &[(&[u8], usize)] = &[
    (b"ghp_", 36),
    (b"gho_", 36),
    (b"ghs_", 36),
    (b"ghu_", 36),
    (b"github_pat_", 60),
    (b"glpat-", 20),
    (b"xoxb-", 30),
    (b"npm_", 36),
];

/// What stands before a secret key of AWS, in files and in commands, and how long that is.
const AWS: (&[u8], usize) = (b"AWS_SECRET_ACCESS_KEY=", 40);

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
        } else if entry.mode != Mode::Link
            && entry.size <= KEY_FILE
            && let Some(why) = by_content(&folder, path)?
        {
            found.push((path.to_owned(), why));
        }
    }
    Ok(found)
}

/// Why a path is probably a secret's, if it is.
fn by_name(path: &str) -> Option<&'static str> {
    let lower = path.to_ascii_lowercase();
    let is_path =
        |end: &&str| lower.strip_suffix(*end).is_some_and(|above| above.is_empty() || above.ends_with('/'));
    if PATHS.iter().any(is_path) {
        return Some("files of this name hold credentials");
    }
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

/// Why a file is probably a secret by how it begins, if it is.
fn by_content(folder: &Folder, path: &str) -> Result<Option<&'static str>, std::io::Error> {
    let mut text = Vec::new();
    folder.open_file(path)?.take(BEGINNING).read_to_end(&mut text)?;
    Ok(if has_private_key(&text) {
        Some("it holds a private key")
    } else if has_token(&text) {
        Some("it holds a token")
    } else {
        None
    })
}

/// Whether a token stands in a text that whoever issues it marks.
fn has_token(text: &[u8]) -> bool {
    // So many different characters no placeholder has.
    const DIFFERENT: usize = 8;
    let is_of_token = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/' | b'+');
    let follows = |mark: &[u8], least: usize| {
        memchr::memmem::find_iter(text, mark).any(|at| {
            let begins = at.checked_sub(1).is_none_or(|before| !text[before].is_ascii_alphanumeric());
            let rest = text[at + mark.len()..].iter().skip_while(|byte| matches!(byte, b'"' | b'\''));
            let token: Vec<u8> = rest.copied().take_while(is_of_token).collect();
            let different: BTreeSet<u8> = token.iter().copied().collect();
            begins
                && token.len() >= least
                && different.len() >= DIFFERENT
                && memchr::memmem::find(&token, b"EXAMPLE").is_none()
        })
    };
    TOKENS.iter().chain([&AWS]).any(|(mark, least)| follows(mark, *least))
}

/// Whether a private key stands at the beginning of a file, or after what describes it.
fn has_private_key(text: &[u8]) -> bool {
    let mut lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_start);
    if lines.any(|line| KEYS.iter().any(|key| line.starts_with(key))) {
        return true;
    }
    memchr::memmem::find_iter(text, b"-----BEGIN ").any(|at| {
        let line = text[at..].split(|&byte| byte == b'\n').next().unwrap_or_default();
        memchr::memmem::find(line, b"PRIVATE KEY").is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::{by_name, has_token};

    #[test]
    fn names_under_which_secrets_are_kept_are_known() {
        for path in [".cargo/credentials.toml", "home/.config/gh/hosts.yml", "kubeconfig"] {
            assert!(by_name(path).is_some(), "{path}");
        }
        for path in [".env", "deploy/.env.production", "a/.npmrc", "ID_RSA", ".ssh/config", "x.p12", ".netrc"]
        {
            assert!(by_name(path).is_some(), "{path}");
        }
    }

    #[test]
    fn tokens_are_known_by_their_marks_and_examples_are_none() {
        let token = format!("token = \"ghp_{}\"\n", "a1B2c3D4e".repeat(4));
        let key = format!("export AWS_SECRET_ACCESS_KEY='{}'\n", "aB1/cD2+eF".repeat(4));
        for text in [token, key] {
            assert!(has_token(text.as_bytes()), "{text}");
        }
        let placeholder = format!("ghp_{}", "x".repeat(36));
        let documented = "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        for text in [
            &placeholder,
            documented,
            "ghp_xxxx",
            "AWS_SECRET_ACCESS_KEY=$SECRET",
            "AWS_SECRET_ACCESS_KEY=",
            "a_ghp_and_more",
        ] {
            assert!(!has_token(text.as_bytes()), "{text}");
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
