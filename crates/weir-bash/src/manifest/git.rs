//! A dependency as older manifests name it: a repository, and a tag, branch or commit of it.

use std::fmt;
use std::str::FromStr;

/// A repository at a reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GitRequirement {
    /// The host, such as `github.com`; `file` for a folder on this machine.
    pub site: String,
    /// Who the repository belongs to: for a folder, the name of the folder it is in.
    pub owner: String,
    /// The repository, without `.git`.
    pub repo: String,
    /// The tag, branch or commit. `None`: whatever is there.
    pub reference: Option<String>,
    /// The address to fetch from.
    pub url: String,
}

/// Why a text does not name a repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` does not name a repository: {reason}")]
pub struct GitRequirementError {
    /// What was read, cut to a printable length.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// The host that is meant where none is named.
const DEFAULT_SITE: &str = "github.com";

impl GitRequirement {
    /// `owner/repo`, as a package would be named.
    pub fn package_name(&self) -> String {
        format!("{}/{}", self.owner, self.repo)
    }
}

impl fmt::Display for GitRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.site, self.owner, self.repo)?;
        self.reference.as_ref().map_or(Ok(()), |reference| write!(f, "@{reference}"))
    }
}

impl FromStr for GitRequirement {
    type Err = GitRequirementError;

    fn from_str(text: &str) -> Result<Self, GitRequirementError> {
        let fail = |reason| GitRequirementError {
            text: text.chars().filter(|c| !c.is_control()).take(160).collect(),
            reason,
        };
        read(text.trim()).map_err(fail)
    }
}

fn read(text: &str) -> Result<GitRequirement, &'static str> {
    if text.len() > 1024 {
        return Err("it is too long");
    }
    let (address, reference) = split_reference(text);
    let reference =
        reference.map(|reference| check_reference(reference).map(|()| reference.to_owned())).transpose()?;
    if let Some(path) = address.strip_prefix("file://") {
        let folder = path.trim_end_matches('/');
        let mut parts = folder.rsplit('/');
        let repo = check_part(trim_git(parts.next().unwrap_or_default()))?;
        let owner = parts.next().filter(|owner| check_part(owner).is_ok()).unwrap_or("local").to_owned();
        if !folder.starts_with('/') || folder.chars().any(char::is_control) {
            return Err("the path is not absolute");
        }
        return Ok(GitRequirement {
            site: "file".into(),
            owner,
            repo,
            reference,
            url: format!("file://{folder}"),
        });
    }
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme @ ("https" | "http" | "ssh" | "git"), rest)) => (Some(scheme), rest),
        Some(_) => return Err("the scheme is not `https`, `http`, `ssh`, `git` or `file`"),
        None => (None, address),
    };
    let scp = scheme.is_none().then(|| rest.strip_prefix("git@")?.split_once(':')).flatten();
    let joined = scp.map(|(host, path)| format!("{host}/{path}"));
    let rest = joined.as_deref().unwrap_or(rest);
    let rest = rest.rsplit_once('@').filter(|_| scheme == Some("ssh")).map_or(rest, |(_, host)| host);
    let mut parts: Vec<&str> = rest.trim_end_matches('/').split('/').collect();
    if parts.len() == 2 && scheme.is_none() && scp.is_none() {
        parts.insert(0, DEFAULT_SITE);
    }
    let [site, owner, repo] = parts[..] else {
        return Err("expected `owner/repo`, `site/owner/repo` or an address");
    };
    let (site, owner, repo) = (check_site(site)?, check_part(owner)?, check_part(trim_git(repo))?);
    let url = match scheme {
        Some(scheme @ ("ssh" | "git" | "http")) => format!("{scheme}://{site}/{owner}/{repo}.git"),
        _ => format!("https://{site}/{owner}/{repo}.git"),
    };
    Ok(GitRequirement { site, owner, repo, reference, url })
}

/// Splits at the `@` that begins the reference: the last one behind the last `/` of the path.
/// A reference may hold `/` itself, so the first `@` behind the repository counts.
fn split_reference(text: &str) -> (&str, Option<&str>) {
    let after_scheme = text.find("://").map_or(0, |at| at + 3);
    let after_user = if text.starts_with("git@") { 4 } else { after_scheme };
    // `user@host` of an address stands before the first `/` of its path.
    let path = text[after_user..].find('/').map_or(text.len(), |at| after_user + at);
    match text[path..].find('@') {
        Some(at) => (&text[..path + at], Some(&text[path + at + 1..])),
        None => (text, None),
    }
}

fn trim_git(repo: &str) -> &str {
    repo.strip_suffix(".git").unwrap_or(repo)
}

fn check_part(part: &str) -> Result<String, &'static str> {
    let good = !part.is_empty()
        && part.len() <= 100
        && part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    good.then(|| part.to_owned())
        .ok_or("an owner or a repository holds other characters than letters, digits, `-`, `_` and `.`")
}

fn check_site(site: &str) -> Result<String, &'static str> {
    let good = site.starts_with(|c: char| c.is_ascii_alphanumeric())
        && site.len() <= 253
        && site.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':'));
    good.then(|| site.to_ascii_lowercase()).ok_or("the host is not the name of a host")
}

/// What git allows as a reference, and nothing that could be taken for an option.
fn check_reference(reference: &str) -> Result<(), &'static str> {
    let bad = reference.is_empty()
        || reference.len() > 250
        || reference.starts_with(['-', '/', '.'])
        || reference.ends_with(['/', '.'])
        || reference.contains("..")
        || reference.contains("@{")
        || reference
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || "~^:?*[\\\"'`$;&|<>()".contains(c));
    if bad { Err("what follows the `@` is not a tag, a branch or a commit") } else { Ok(()) }
}
