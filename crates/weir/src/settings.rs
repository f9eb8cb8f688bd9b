//! The environment, read here and nowhere else, and as late as it is needed.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use jiff::Timestamp;
use weir_policy::Principal;
use weir_reach::{IDENTITY_FILE_VARIABLE, IDENTITY_VARIABLE, IdentityToken, Secrets, TOKEN_VARIABLE};

use crate::failure::Failure;

/// The folders a machine keeps things in.
pub(crate) struct Folders {
    /// The store, replicas of registries, pinned keys.
    pub(crate) data: PathBuf,
    /// `config.toml`.
    pub(crate) config: PathBuf,
}

/// `WEIR_HOME` for both; otherwise where the XDG base directory specification puts them.
pub(crate) fn folders() -> Result<Folders, Failure> {
    if let Some(home) = home() {
        let home = std::path::absolute(home)?;
        return Ok(Folders { data: home.clone(), config: home });
    }
    Ok(Folders {
        data: base("XDG_DATA_HOME", ".local/share")?.join("weir"),
        config: base("XDG_CONFIG_HOME", ".config")?.join("weir"),
    })
}

/// `WEIR_HOME`, if it is set.
fn home() -> Option<PathBuf> {
    path("WEIR_HOME")
}

/// Where systemd looks for units of the user's.
pub(crate) fn user_units() -> Result<PathBuf, Failure> {
    Ok(base("XDG_CONFIG_HOME", ".config")?.join("systemd/user"))
}

/// A relative path in an XDG variable is to be ignored, says the specification.
fn base(variable: &str, below_home: &str) -> Result<PathBuf, Failure> {
    if let Some(base) = path(variable).filter(|base| base.is_absolute()) {
        return Ok(base);
    }
    match path("HOME") {
        Some(home) => Ok(home.join(below_home)),
        None => {
            Err(Failure::usage("cannot tell where to keep things: neither `WEIR_HOME` nor `HOME` is set")
                .with_help("set `WEIR_HOME` to a folder that Weir may use"))
        }
    }
}

/// Where the store is, if not below the data folder.
pub(crate) fn store() -> Result<Option<PathBuf>, Failure> {
    Ok(path("WEIR_STORE").map(std::path::absolute).transpose()?)
}

/// The registry to use where no argument says so.
pub(crate) fn registry() -> Option<String> {
    env::var("WEIR_REGISTRY").ok().filter(|value| !value.is_empty())
}

/// Whether to use no network.
pub(crate) fn offline() -> bool {
    env::var_os("WEIR_OFFLINE").is_some_and(|value| !value.is_empty() && value != "0" && value != "false")
}

/// The variables of a server, by their names.
pub(crate) fn server() -> impl Iterator<Item = (String, String)> {
    let texts =
        |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    env::vars_os().filter_map(texts).filter(|(name, _)| name.starts_with(weir_server::VARIABLES))
}

/// What opens a page in a browser: the program that `BROWSER` names, or what desktops have for it.
pub(crate) fn browser() -> OsString {
    env::var_os("BROWSER").filter(|name| !name.is_empty()).unwrap_or_else(|| "xdg-open".into())
}

/// What of the environment counts for a program that is started without it.
pub(crate) struct Carried {
    /// Variables and what they are to be set to.
    pub(crate) variables: Vec<(&'static str, OsString)>,
    /// Those with a secret in them, which is not written anywhere.
    pub(crate) secret: Vec<String>,
}

/// What says where things are kept, how servers are reached and whose projects are used; paths are absolute. Tokens are no part of it.
pub(crate) fn carried() -> Result<Carried, Failure> {
    let mut carried = Carried { variables: Vec::new(), secret: Vec::new() };
    for name in ["WEIR_HOME", "WEIR_STORE", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "SSL_CERT_FILE", "NETRC"] {
        if let Some(path) = path(name).filter(|path| !name.starts_with("XDG_") || path.is_absolute()) {
            carried.variables.push((name, std::path::absolute(path)?.into()));
        }
    }
    for name in ["WEIR_TRUSTED_FOLDERS", "NO_PROXY", "no_proxy"] {
        carried
            .variables
            .extend(env::var_os(name).filter(|value| !value.is_empty()).map(|value| (name, value)));
    }
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        let Some(value) = env::var_os(name).filter(|value| !value.is_empty()) else { continue };
        match value.to_string_lossy().contains('@') {
            true => carried.secret.push(name.to_owned()),
            false => carried.variables.push((name, value)),
        }
    }
    Ok(carried)
}

/// Whose word is taken for who a server is: as OpenSSL and what follows it read it.
pub(crate) fn authorities() -> Result<Option<PathBuf>, Failure> {
    Ok(path("SSL_CERT_FILE").map(std::path::absolute).transpose()?)
}

/// Who acts: the user by name, as the environment or else the system has it, or by number where nobody says the name.
pub(crate) fn principal() -> Principal {
    let named = |variable| env::var(variable).ok().filter(|name| !name.is_empty());
    let user = nix::unistd::getuid();
    // As jobs run by the system are: without an environment, and by the same user.
    let known = || nix::unistd::User::from_uid(user).ok().flatten().map(|known| known.name);
    let number = || format!("uid-{user}");
    Principal::user(named("USER").or_else(|| named("LOGNAME")).or_else(known).unwrap_or_else(number))
}

/// What proves to servers who asks: tokens in variables, the identity token of a job, and the user's `netrc`.
pub(crate) fn secrets() -> Secrets {
    let token = |(name, value): (OsString, OsString)| {
        let host = name.into_string().ok()?.strip_prefix(TOKEN_VARIABLE)?.to_owned();
        Some((host, value.into_string().ok().filter(|token| !token.is_empty())?))
    };
    let in_home = || Some(PathBuf::from(env::var_os("HOME").filter(|home| !home.is_empty())?).join(".netrc"));
    let text = env::var(IDENTITY_VARIABLE).ok().filter(|token| !token.is_empty()).map(IdentityToken::Text);
    Secrets {
        tokens: env::vars_os().filter_map(token).collect(),
        netrc: path("NETRC").or_else(in_home),
        helper: Default::default(),
        identity: text.or_else(|| path(IDENTITY_FILE_VARIABLE).map(IdentityToken::File)),
    }
}

/// Who runs this: the user and, where that is root, who became root by `sudo`, as git has it.
pub(crate) fn users() -> Vec<u32> {
    let user = rustix::process::geteuid();
    let before = env::var("SUDO_UID").ok().filter(|_| user.is_root());
    before.and_then(|number| number.parse().ok()).into_iter().chain([user.as_raw()]).collect()
}

/// Folders in which anybody's projects are used.
pub(crate) fn trusted_folders() -> Vec<PathBuf> {
    let list = env::var_os("WEIR_TRUSTED_FOLDERS").unwrap_or_default();
    env::split_paths(&list).filter(|folder| !folder.as_os_str().is_empty()).collect()
}

/// Where programs are looked for.
pub(crate) fn path_variable() -> OsString {
    env::var_os("PATH").unwrap_or_default()
}

/// Where man pages are looked for; empty where nothing is said.
pub(crate) fn man_path() -> OsString {
    env::var_os("MANPATH").unwrap_or_default()
}

/// How wide the terminal is, where that cannot be asked of it.
pub(crate) fn columns() -> Option<usize> {
    env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0)
}

/// The time that what is made bears instead of now: <https://reproducible-builds.org/specs/source-date-epoch>.
pub(crate) fn source_date() -> Option<Timestamp> {
    Timestamp::from_second(env::var("SOURCE_DATE_EPOCH").ok()?.parse().ok()?).ok()
}

/// Whether the environment asks for no colours: <https://no-color.org>.
pub(crate) fn no_color() -> bool {
    env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) || is_dumb()
}

/// Whether the terminal, where there is one, knows no orders: it would print them.
pub(crate) fn is_dumb() -> bool {
    env::var_os("TERM").as_deref() == Some(OsStr::new("dumb"))
}

fn path(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}
